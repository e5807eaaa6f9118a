"""Bodies and views of what a tenant was billed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from app.checkout.schemas import NextAction
from app.http.bodies import Body
from app.http.envelope import Timestamp, maybe_stamp, stamp
from app.http.fields import Metadata, Url, check_line, check_metadata, check_url
from domain.checkout.book import Book
from domain.checkout.order import Order
from domain.checkout.session import Mode, SessionStatus, Terms
from domain.invoices.billing_record import BillingRecord, RecordType
from domain.kernel.errors import Violation
from domain.kernel.ids import TenantUuid
from domain.payments.payment_provider import ProviderName
from domain.payments.ports import Providers, ShopperMethod

_MODES: Final = {
    RecordType.ONE_TIME_PAYMENT: Mode.PAYMENT,
    RecordType.SUBSCRIPTION: Mode.SUBSCRIPTION,
}


class LineItemBody(Body, frozen=True, kw_only=True):
    name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            description="What the shopper reads, on our page and at the payment provider. The "
            "charges that follow the first of a subscription name the product",
            examples=["Pro Plan"],
        ),
    ]
    price: Annotated[UUID, Meta(description="A price of the app, by its uuid")]
    quantity: Annotated[int, Meta(ge=1, le=10_000)] = 1

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_line(given.get("name"), "name")


class CreateInvoiceBody(Body, frozen=True, kw_only=True):
    """What to bill. The amount is computed here, from price, quantity and tax rate."""

    tenant_uuid: Annotated[
        UUID | None, Meta(description="May be left out: it is the tenant of the path")
    ] = None
    line_items: Annotated[
        list[LineItemBody],
        Meta(
            description="Exactly one: a checkout sells one price",
            extra_json_schema={"minItems": 1, "maxItems": 1},
        ),
    ]
    tax_rate_id: Annotated[
        UUID | None, Meta(description="A tax rate of the app, by its uuid; null: none applies")
    ] = None
    type: Annotated[
        RecordType,
        Meta(
            description="`subscription` begins one with its first payment, and needs a recurring "
            "price; `oneTimePayment` needs one that is not",
            examples=["subscription"],
        ),
    ]
    success_url: Annotated[
        Url | None,
        Meta(description="Where the shopper goes after paying; null: to a page of ours"),
    ] = None
    cancel_url: Annotated[
        Url | None,
        Meta(description="Where the shopper goes after giving up; null: to a page of ours"),
    ] = None
    client_reference_id: Annotated[str, Meta(max_length=200)] | None = None
    locale: Annotated[str, Meta(pattern="^[a-z]{2}_[A-Z]{2}$", examples=["de_DE"])] | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        items = given.get("line_items")
        if items is not None and len(items) != 1:
            yield Violation(f"must be exactly one, not {len(items)}", "lineItems")
        yield from check_url(given.get("success_url"), "successUrl")
        yield from check_url(given.get("cancel_url"), "cancelUrl")
        yield from check_metadata(given.get("metadata"))

    def order(self, tenant_uuid: UUID, provider: ProviderName) -> Order:
        (item,) = self.line_items
        return Order(
            tenant_uuid=TenantUuid(tenant_uuid),
            provider=provider,
            mode=_MODES[self.type],
            price_uuid=item.price,
            tax_rate_uuid=self.tax_rate_id,
            quantity=item.quantity,
            currency=None,
            terms=Terms(
                payment_method=ShopperMethod.CARD,
                description="",
                name=item.name,
                success_url=self.success_url or "",
                cancel_url=self.cancel_url or "",
                client_reference_id=self.client_reference_id,
                locale=self.locale,
                metadata=self.metadata,
            ),
        )


class CreatedInvoiceView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is to be paid now. The invoice is in the list once it is."""

    status: str
    provider_object_type: str
    provider_object_id: str | None
    next_action: NextAction
    document_url: str | None
    checkout_session_uuid: UUID
    provider_response: dict[str, Any] | None


class InvoiceView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Amounts are integer minor units of `currency`."""

    uuid: UUID
    type: RecordType
    status: str
    tenant_uuid: UUID
    payment_provider_uuid: UUID
    product_uuid: UUID | None
    product_price_uuid: UUID | None
    tax_rate_uuid: UUID | None
    invoice_id: str | None
    invoice_url: str | None
    payment_id: str | None
    payment_url: str | None
    subscription_id: UUID | None
    paid_from: Timestamp | None
    paid_until: Timestamp | None
    units: int
    is_promotion: bool
    currency: str
    amount_subtotal: int
    amount_tax: int
    amount_total: int
    amount_refunded: int
    amount_charged_back: int
    created_at: Timestamp
    updated_at: Timestamp


@dataclass(frozen=True, slots=True)
class InvoiceViews:
    """Both answers know where a provider shows its payments."""

    providers: Providers

    def listed(self, record: BillingRecord, provider: ProviderName) -> InvoiceView:
        ref = None if record.payment is None else record.payment.provider_ref
        return InvoiceView(
            uuid=record.uuid,
            type=record.type,
            status=record.status,
            tenant_uuid=record.tenant_uuid,
            payment_provider_uuid=record.payment_provider_uuid,
            product_uuid=record.product_uuid,
            product_price_uuid=record.price_uuid,
            tax_rate_uuid=record.tax_rate_uuid,
            invoice_id=None,
            invoice_url=None,
            payment_id=ref,
            payment_url=self._page(ref, provider),
            subscription_id=record.subscription_uuid,
            paid_from=maybe_stamp(record.paid_from),
            paid_until=maybe_stamp(record.paid_until),
            units=record.units,
            is_promotion=False,
            currency=record.amount.total.currency,
            amount_subtotal=record.amount.subtotal.minor,
            amount_tax=record.amount.tax.minor,
            amount_total=record.amount.total.minor,
            amount_refunded=record.refunded.minor,
            amount_charged_back=record.charged_back.minor,
            created_at=stamp(record.created_at),
            updated_at=stamp(record.updated_at),
        )

    def created(self, book: Book, provider: ProviderName) -> CreatedInvoiceView:
        session = book.session
        is_paid = session.status is SessionStatus.COMPLETE
        return CreatedInvoiceView(
            status="paid" if is_paid else session.status,
            provider_object_type="payment",
            provider_object_id=session.provider_ref,
            next_action=NextAction(session.next_action_url),
            document_url=self._page(session.provider_ref, provider),
            checkout_session_uuid=session.uuid,
            provider_response=None,
        )

    def _page(self, ref: str | None, provider: ProviderName) -> str | None:
        return None if ref is None else self.providers[provider].page_of(ref)
