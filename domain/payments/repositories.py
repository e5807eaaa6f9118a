"""Where payments, mandates, refunds and one-time payments are kept."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.kernel.ids import TenantUuid
from domain.kernel.pages import Page, PageRequest
from domain.payments.mandate import Mandate
from domain.payments.one_time_payment import OneTimePayment
from domain.payments.payment import Payment
from domain.payments.refund import Refund


class PaymentRepository(Protocol):
    async def list(
        self, tenant_uuid: TenantUuid, request: PageRequest, *, after: UUID | None
    ) -> Page[Payment]:
        """Newest first. `after`: those older than this one; the total is then not counted (0)."""
        ...


class MandateRepository(Protocol):
    async def list(self, tenant_uuid: TenantUuid, request: PageRequest) -> Page[Mandate]: ...


class RefundRepository(Protocol):
    async def lease(self, uuid: UUID, *, now: datetime, until: datetime) -> Refund | None:
        """Take up a requested refund whose lease is over. None: not ours to take."""
        ...

    async def release(self, uuid: UUID, *, now: datetime, due_at: datetime) -> None: ...

    async def payment_of(self, refund: Refund) -> Payment: ...

    async def are_awaited(self, account_uuid: UUID, payment_ref: str) -> bool:
        """Whether a refund of the payment is not settled yet."""
        ...


class OneTimePaymentRepository(Protocol):
    async def add(self, purchase: OneTimePayment) -> None: ...
    async def list(self, tenant_uuid: TenantUuid, request: PageRequest) -> Page[OneTimePayment]: ...
