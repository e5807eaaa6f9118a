"""Where billing records are read. Nothing writes them: they are other rows, told together."""

from typing import Protocol
from uuid import UUID

from domain.invoices.billing_record import BillingRecord
from domain.kernel.ids import TenantUuid
from domain.kernel.pages import Page, PageRequest
from domain.payments.payment_provider import ProviderName


class BillingRecords(Protocol):
    async def list(
        self,
        tenant_uuid: TenantUuid,
        provider: ProviderName,
        request: PageRequest,
        *,
        after: UUID | None,
    ) -> Page[BillingRecord]:
        """The newest first, at all of the app's accounts there. `after`: those older than this
        one; the total is then not counted (0)."""
        ...


class InvoicesTx(Protocol):
    @property
    def billing_records(self) -> BillingRecords: ...
