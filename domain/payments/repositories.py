"""Where payments, mandates, refunds and one-time payments are kept."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from domain.kernel.ids import TenantUuid
from domain.kernel.money import Money
from domain.kernel.pages import Page, PageRequest
from domain.payments.accounts import AccountsTx
from domain.payments.capture import Capture
from domain.payments.chargeback import Chargebacks
from domain.payments.mandate import Mandate
from domain.payments.one_time_payment import OneTimePayment
from domain.payments.payment import Payment
from domain.payments.refund import Refund
from domain.payments.sighting import PaymentFile


class KnownMoney(Struct, frozen=True):
    """What we have of a payment's money that went back, added up from its refunds and chargebacks.

    Not the provider's own sums: what we have not heard of in full would then never be read.
    """

    refunded: Money
    charged_back: Money
    refunds_are_awaited: bool
    """A refund of it is not settled yet."""


class PaymentRepository(Protocol):
    async def list(
        self, tenant_uuid: TenantUuid, request: PageRequest, *, after: UUID | None
    ) -> Page[Payment]:
        """Newest first. `after`: those older than this one; the total is then not counted (0)."""
        ...

    async def get(self, uuid: UUID) -> Payment:
        """Raises NotFound."""
        ...

    async def known_money(self, account_uuid: UUID, payment_ref: str) -> KnownMoney | None:
        """None: a payment that we have not seen before."""
        ...

    async def ref_of(self, account_uuid: UUID, attempt_uuid: UUID) -> str | None:
        """The provider's reference of an attempt's payment at that account, if it has one."""
        ...

    async def lock_file(self, uuid: UUID) -> PaymentFile:
        """The payment's row is locked until the transaction ends. Raises NotFound."""
        ...

    async def save_file(self, before: PaymentFile, after: PaymentFile) -> None:
        """Write the rows that differ."""
        ...


class MandateRepository(Protocol):
    """A tenant has at most one default at an account: its first valid mandate becomes it when it
    is written, and an invalid one is none."""

    async def list(self, tenant_uuid: TenantUuid, request: PageRequest) -> Page[Mandate]: ...

    async def get(self, uuid: UUID) -> Mandate:
        """Raises NotFound."""
        ...

    async def living(self, tenant_uuid: TenantUuid) -> tuple[Mandate, ...]:
        """All that are not invalid, the newest first."""
        ...

    async def make_default(self, mandate: Mandate) -> bool:
        """In the place of the one that is it. False: it is not valid (any more)."""
        ...

    async def end(self, uuid: UUID, *, at: datetime) -> bool:
        """It cannot be charged any more. False: that was so already."""
        ...

    async def living_subscriptions(self, uuid: UUID) -> tuple[UUID, ...]:
        """Those that are charged on this mandate and on no other."""
        ...


class RefundRepository(Protocol):
    async def get(self, uuid: UUID) -> Refund:
        """Raises NotFound."""
        ...

    async def list(self, payment_uuid: UUID, request: PageRequest) -> Page[Refund]:
        """Newest first."""
        ...

    async def cancel(self, uuid: UUID, *, at: datetime) -> Refund | None:
        """Call off a refund that nobody has begun to send. None: too late."""
        ...

    async def lease(self, uuid: UUID, *, now: datetime, until: datetime) -> Refund | None:
        """Take up a requested refund whose lease is over. None: not ours to take."""
        ...

    async def release(self, uuid: UUID, *, now: datetime, due_at: datetime) -> None: ...


class CaptureRepository(Protocol):
    async def get(self, uuid: UUID) -> Capture:
        """Raises NotFound."""
        ...

    async def list(self, payment_uuid: UUID, request: PageRequest) -> Page[Capture]:
        """Newest first."""
        ...

    async def lease(self, uuid: UUID, *, now: datetime, until: datetime) -> Capture | None:
        """Take up a requested capture whose lease is over. None: not ours to take."""
        ...

    async def release(self, uuid: UUID, *, now: datetime, due_at: datetime) -> None: ...


class OneTimePaymentRepository(Protocol):
    async def add(self, purchase: OneTimePayment) -> None: ...
    async def list(self, tenant_uuid: TenantUuid, request: PageRequest) -> Page[OneTimePayment]: ...


class PaymentsTx(AccountsTx, Protocol):
    """The part of a transaction that looks after payments and the ways to pay."""

    @property
    def payments(self) -> PaymentRepository: ...
    @property
    def mandates(self) -> MandateRepository: ...
    @property
    def refunds(self) -> RefundRepository: ...
    @property
    def chargebacks(self) -> Chargebacks: ...
    @property
    def captures(self) -> CaptureRepository: ...
