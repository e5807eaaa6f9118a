"""A payment of an amount of the app's own, with everything that its provider takes of one."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from app.http.bodies import Body
from app.http.fields import (
    AMOUNT_MAX,
    CurrencyCode,
    Metadata,
    Url,
    check_currency,
    check_line,
    check_metadata,
    check_url,
)
from app.payments.schemas import PaymentView
from domain.catalog.quote import Quote
from domain.checkout.direct import Direct
from domain.checkout.order import Order
from domain.checkout.session import ANY_METHOD, Mode, Terms
from domain.kernel.errors import Violation
from domain.kernel.ids import TenantUuid
from domain.kernel.money import Currency, Money
from domain.payments.answers import SequenceType
from domain.payments.payment_provider import ProviderName

LIFETIME: Final = timedelta(days=120)
"""The payment's own end is the session's; this is later than any due date (100 days on)."""
_Text = Annotated[str, Meta(min_length=1, max_length=255)]
_Minor = Annotated[int, Meta(ge=-AMOUNT_MAX, le=AMOUNT_MAX)]
_Positive = Annotated[int, Meta(ge=1, le=AMOUNT_MAX)]
_Token = Annotated[str, Meta(min_length=1, max_length=16_384)]


class RecurringBody(Body, frozen=True, kw_only=True):
    """Shown to the payer, and nothing more."""

    interval: Annotated[str, Meta(pattern=r"^\d{1,3} (days?|weeks?|months?)$")]
    amount: _Positive | None = None
    description: _Text | None = None
    times: Annotated[int, Meta(ge=1)] | None = None
    start_date: date | None = None


class LineBody(Body, frozen=True, kw_only=True):
    """Amounts are integer minor units of the payment's currency, with their tax."""

    type: (
        Literal[
            "physical",
            "digital",
            "shipping_fee",
            "discount",
            "store_credit",
            "gift_card",
            "surcharge",
        ]
        | None
    ) = None
    description: Annotated[str, Meta(min_length=1, max_length=100, examples=["Oak table"])]
    quantity: Annotated[int, Meta(ge=1, le=1_000_000, examples=[1])]
    quantity_unit: Annotated[str, Meta(max_length=50)] | None = None
    unit_price: Annotated[_Minor, Meta(description="below zero for a discount", examples=[121_00])]
    discount_amount: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)] | None = None
    total_amount: Annotated[
        _Minor,
        Meta(description="unitPrice x quantity, less discountAmount", examples=[121_00]),
    ]
    vat_rate: (
        Annotated[str, Meta(pattern=r"^\d{1,3}\.\d{2}$", description="percent", examples=["21.00"])]
        | None
    ) = None
    vat_amount: Annotated[_Minor, Meta(examples=[21_00])] | None = None
    sku: Annotated[str, Meta(max_length=64, examples=["OAK-1"])] | None = None
    categories: (
        list[Literal["eco", "gift", "meal", "sport_culture", "additional", "consume"]] | None
    ) = None
    image_url: Url | None = None
    product_url: Url | None = None
    recurring: RecurringBody | None = None

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_line(given.get("description"), "description")
        yield from check_url(given.get("image_url"), "imageUrl")
        yield from check_url(given.get("product_url"), "productUrl")


_Name = Annotated[str, Meta(min_length=2, max_length=100)]


class PayerAddressBody(Body, frozen=True, kw_only=True):
    """An email, or a whole postal address; both for those who let a payer pay later."""

    title: Annotated[str, Meta(max_length=20)] | None = None
    given_name: Annotated[_Name, Meta(examples=["Anna"])] | None = None
    family_name: Annotated[_Name, Meta(examples=["Jansen"])] | None = None
    organization_name: Annotated[str, Meta(max_length=200)] | None = None
    street_and_number: Annotated[str, Meta(max_length=200, examples=["Lange Poten 1"])] | None = (
        None
    )
    street_additional: Annotated[str, Meta(max_length=200)] | None = None
    postal_code: Annotated[str, Meta(max_length=20, examples=["2511 CL"])] | None = None
    email: (
        Annotated[
            str,
            Meta(
                max_length=254,
                pattern=r"^[^@\s]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$(?!\n)",
                examples=["anna@example.com"],
            ),
        ]
        | None
    ) = None
    phone: (
        Annotated[
            str,
            Meta(
                pattern=r"^\+[1-9][0-9]{6,14}$(?!\n)",
                description="E.164",
                examples=["+31612345678"],
            ),
        ]
        | None
    ) = None
    city: Annotated[str, Meta(max_length=100, examples=["The Hague"])] | None = None
    region: Annotated[str, Meta(max_length=100)] | None = None
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$", examples=["NL"])] | None = None


class ApplicationFeeBody(Body, frozen=True, kw_only=True):
    """What a platform takes of the payment; for accounts connected by OAuth alone."""

    amount: _Positive
    description: _Text


class DestinationBody(Body, frozen=True, kw_only=True):
    type: Literal["organization"] = "organization"
    organization_id: Annotated[str, Meta(max_length=100, examples=["org_12345"])]


class RouteBody(Body, frozen=True, kw_only=True):
    """A part of the payment for another organisation."""

    amount: _Positive
    destination: DestinationBody
    release_date: date | None = None


class CompanyBody(Body, frozen=True, kw_only=True):
    registration_number: Annotated[str, Meta(max_length=100)] | None = None
    vat_number: Annotated[str, Meta(max_length=100)] | None = None
    entity_type: Annotated[str, Meta(max_length=100)] | None = None


class CustomerPaymentBody(Body, frozen=True, kw_only=True):
    """The customer is the tenant's; where the provider calls, and whether it is a test, follow from
    the account."""

    description: Annotated[_Text, Meta(examples=["Order 10045"])]
    currency: CurrencyCode
    amount: Annotated[
        int,
        Meta(
            ge=0,
            le=AMOUNT_MAX,
            description="In minor units. 0 only stores a payment method",
            examples=[121_00],
        ),
    ]
    payment_provider_uuid: Annotated[
        UUID | None, Meta(description="The account to pay at; null: the app's default")
    ] = None
    redirect_url: (
        Annotated[
            Url,
            Meta(
                description="Where the payer goes after paying. Required, but for `recurring` and "
                "with an applePayPaymentToken"
            ),
        ]
        | None
    ) = None
    cancel_url: Annotated[Url, Meta(description="After canceling; else redirectUrl")] | None = None
    lines: Annotated[list[LineBody], Meta(max_length=200)] | None = None
    billing_address: PayerAddressBody | None = None
    shipping_address: PayerAddressBody | None = None
    locale: Annotated[str, Meta(pattern="^[a-z]{2}_[A-Z]{2}$", examples=["nl_NL"])] | None = None
    method: (
        Annotated[
            str | list[str],
            Meta(
                description="one of the provider's methods, or those the payer may choose among",
                examples=["creditcard"],
            ),
        ]
        | None
    ) = None
    issuer: _Text | None = None
    restrict_payment_methods_to_country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)
    capture_mode: (
        Annotated[
            Literal["automatic", "manual"],
            Meta(description="manual holds the money until it is captured"),
        ]
        | None
    ) = None
    capture_delay: Annotated[str, Meta(max_length=20, examples=["2 days"])] | None = None
    application_fee: ApplicationFeeBody | None = None
    routing: Annotated[list[RouteBody], Meta(max_length=50)] | None = None
    sequence_type: Annotated[
        SequenceType,
        Meta(
            description="first leaves a mandate; recurring charges one, with nobody there, and "
            "needs an Idempotency-Key",
            examples=["oneoff"],
        ),
    ] = SequenceType.ONEOFF
    mandate_id: (
        Annotated[str, Meta(pattern=r"^mdt_[A-Za-z0-9]{1,100}$", examples=["mdt_h3gAaD5zP"])] | None
    ) = None
    due_date: Annotated[date, Meta(description="Of a bank transfer")] | None = None
    card_token: _Token | None = None
    store_credentials: bool | None = None
    apple_pay_payment_token: _Token | None = None
    google_pay_payment_token: _Token | None = None
    voucher_number: _Text | None = None
    voucher_pin: _Text | None = None
    terminal_id: _Text | None = None
    consumer_name: _Text | None = None
    consumer_date_of_birth: date | None = None
    customer_reference: _Text | None = None
    billing_email: _Text | None = None
    company: CompanyBody | None = None
    digital_goods: bool | None = None
    extra_merchant_data: dict[str, Any] | None = None

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_line(given.get("description"), "description")
        yield from check_currency(given.get("currency"), "currency")
        yield from check_url(given.get("redirect_url"), "redirectUrl")
        yield from check_url(given.get("cancel_url"), "cancelUrl")
        yield from check_metadata(given.get("metadata"))
        yield from _kind_rules(given)
        for name, field in (("method", "method"), ("lines", "lines"), ("routing", "routing")):
            if given.get(name) == []:
                yield Violation("must have one item at least, or be left out", field)

    def order(self, tenant_uuid: UUID, provider: ProviderName) -> Order:
        url = self.redirect_url or ""
        return Order(
            tenant_uuid=TenantUuid(tenant_uuid),
            provider=provider,
            mode=Mode.DIRECT,
            price_uuid=None,
            tax_rate_uuid=None,
            currency=Currency(self.currency),
            account_uuid=self.payment_provider_uuid,
            direct=self._direct(),
            parameters=_parameters(self),
            url_fields=("redirectUrl", "cancelUrl"),
            lifetime=LIFETIME,
            terms=Terms(
                payment_method=ANY_METHOD,
                description="",
                success_url=url,
                cancel_url=self.cancel_url or url,
                locale=self.locale,
                metadata=self.metadata,
            ),
        )

    def _direct(self) -> Direct:
        currency = Currency(self.currency)
        total = Money(self.amount, currency)
        tax = Money(sum(line.vat_amount or 0 for line in self.lines or ()), currency)
        return Direct(
            description=self.description,
            amount=Quote(total - tax, tax, total),
            sequence_type=self.sequence_type,
            mandate_ref=self.mandate_id,
            is_single=True,
        )


_OURS: Final = frozenset(
    {
        "description",
        "currency",
        "amount",
        "redirectUrl",
        "cancelUrl",
        "locale",
        "sequenceType",
        "mandateId",
        "paymentProviderUuid",
    }
)
"""What becomes of these, the order says; the rest is the provider's."""


def _parameters(body: CustomerPaymentBody) -> dict[str, Any]:
    told = _without_nothing(msgspec.to_builtins(body))
    return {name: value for name, value in told.items() if name not in _OURS}


def _without_nothing(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nothing(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _without_nothing(item) for name, item in value.items() if item is not None}


def _kind_rules(given: Mapping[str, Any]) -> Iterator[Violation]:
    kind = given.get("sequence_type")
    if kind is SequenceType.RECURRING:
        if given.get("redirect_url") is not None:
            yield Violation("nobody is there to be sent back", "redirectUrl")
    elif given.get("redirect_url", "") is None and not given.get("apple_pay_payment_token"):
        yield Violation("is required", "redirectUrl")
    if given.get("mandate_id") is not None and kind not in (None, SequenceType.RECURRING):
        yield Violation("is for sequenceType recurring", "mandateId")


class PayAction(msgspec.Struct, frozen=True):
    url: str | None
    """Where to send the payer; null when there is nothing for them to do."""


class CustomerPaymentView(PaymentView, frozen=True, kw_only=True, rename="camel"):
    next_action: PayAction
