"""What a tenant was billed at a payment provider, and asking it to pay, over HTTP."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.checkout.http import answer_with
from app.http.caller import bearer_or_key
from app.http.desk import Desk
from app.http.envelope import ENCODER, Envelope, many, one
from app.http.errors import answer_of
from app.http.pages import After, PageLimit, PageNumber
from app.invoices.schemas import CreatedInvoiceView, CreateInvoiceBody, InvoiceView, InvoiceViews
from domain.checkout.book import Book
from domain.checkout.open_session import OpenSession
from domain.kernel.errors import DomainError, Invalid, Refused, Violation
from domain.kernel.idempotency import Answer
from domain.kernel.ids import TenantUuid
from domain.kernel.pages import PageRequest
from domain.payments.payment_provider import ProviderName, provider_named
from domain.tenancy.caller import Scope

KIND: Final = "invoices"
_OUR_FIELDS: Final = {"productPriceUuid": "lineItems[0].price", "taxRateUuid": "taxRateId"}
"""What a checkout session's fields are called in this body."""


@dataclass(frozen=True, slots=True)
class RenderInvoice:
    """Implements `Render`."""

    views: InvoiceViews
    provider: ProviderName

    def opened(self, book: Book) -> Answer:
        return Answer(200, ENCODER.encode(one(KIND, self.views.created(book, self.provider))))

    def refused(self, error: DomainError) -> Answer:
        return answer_of(_in_our_words(error))


class InvoicesController(Controller):
    path = (
        "/api/v1/apps/{app_uuid:uuid}/tenants/{tenant_uuid:uuid}/payment-providers/{provider:str}"
        "/invoices"
    )
    tags = ("Invoices",)
    guards = (bearer_or_key,)

    @get("/", operation_id="listInvoices")
    async def list(
        self,
        app_uuid: FromPath[UUID],
        tenant_uuid: FromPath[UUID],
        provider: FromPath[str],
        desk: NamedDependency[Desk],
        invoice_views: NamedDependency[InvoiceViews],
        page: PageNumber = 0,
        limit: PageLimit = 10,
        after: After = None,
    ) -> Envelope[InvoiceView]:
        """What the tenant was billed at this provider and has paid, the newest first: what it
        bought once, and the bills of its subscriptions.

        A bill is in the list as soon as it is paid, in the place of the day on which it was issued,
        and stays: what is refunded, taken back by a bank, or owed again says so in `status`. What
        was never paid is not in it, nor is an amount that only checked a card.
        """
        name, tenant = provider_named(provider), TenantUuid(tenant_uuid)
        async with desk.tenant(tenant_uuid, Scope.BILLING_READ) as tx:
            found = await tx.billing_records.list(
                tenant, name, PageRequest(page, limit), after=after
            )
        return many(KIND, found, lambda record: invoice_views.listed(record, name))

    @post("/", operation_id="createInvoice", status_code=200)
    async def create(
        self,
        app_uuid: FromPath[UUID],
        tenant_uuid: FromPath[UUID],
        provider: FromPath[str],
        data: JSONBody[CreateInvoiceBody],
        request: Request[Any, Any, Any],
        open_session: NamedDependency[OpenSession],
        invoice_views: NamedDependency[InvoiceViews],
    ) -> Response[Envelope[CreatedInvoiceView]]:
        """Ask the tenant to pay for something: send the shopper to `nextAction.url`.

        It opens a checkout session, which says how things stand (`checkoutSessionUuid`). Once it is
        paid, the invoice is in the list, and a subscription has begun. An `Idempotency-Key` makes a
        repeat safe; without one, the same body within ten seconds is a double click.
        """
        name = provider_named(provider)
        if data.tenant_uuid not in (None, tenant_uuid):
            raise Invalid([Violation("is not the tenant of the path", "tenantUuid")])
        order, render = data.order(tenant_uuid, name), RenderInvoice(invoice_views, name)
        try:
            return await answer_with(
                request, order, open_session, render, operation="createInvoice"
            )
        except Refused as refusal:
            raise _in_our_words(refusal) from None


def _in_our_words(error: DomainError) -> DomainError:
    """The same refusal, of the field that this body has."""
    field = error.field if isinstance(error, Refused) else None
    return Refused(str(error), field=_OUR_FIELDS[field]) if field in _OUR_FIELDS else error
