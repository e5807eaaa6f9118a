"""What opens a payment session, and how one looks.

The sums must hold to the cent, by one rule: the items, shipping and tax add up to the total. Prices
of items are without tax; what is priced with its tax goes with a tax of zero.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from app.http.bodies import Body
from app.http.fields import CurrencyCode, Url, check_currency, check_line, check_url
from app.orchestration.amounts import Amount, check_amount, minor_of, money_of
from domain.catalog.quote import Quote
from domain.kernel.errors import Violation
from domain.kernel.ids import TenantUuid
from domain.kernel.money import EXPONENTS, Money
from domain.orchestration.payment_session import Item, Wanted
from domain.payments.address import Address
from domain.payments.payment_provider import ProviderName
from domain.payments.ports import ShopperMethod

ITEMS_MAX: Final = 100
INFORMATION_BYTES_MAX: Final = 4096
_ZERO: Final = Decimal(0)
LEAST_AMOUNT: Final = Decimal("0.01")

Line = Annotated[str, Meta(min_length=1, max_length=200)]
Locale = Annotated[
    str,
    Meta(
        pattern="^[a-z]{2}_[A-Z]{2}$",
        max_length=5,  # the pattern's end is also before a last line break
        description="The shopper's. Where a provider does not speak it, the closest that it does",
        examples=["en_AU"],
    ),
]


class AmountBody(Body, frozen=True, kw_only=True):
    """`total` is items, `shipping` and `tax` together."""

    total: Annotated[Amount, Meta(extra_json_schema={"examples": [140.76]})]
    shipping: Annotated[Amount, Meta(extra_json_schema={"examples": [9.95]})] = _ZERO
    tax: Amount = _ZERO


class OrderItemBody(Body, frozen=True, kw_only=True):
    name: Annotated[Line, Meta(description="What it is", examples=["Wireless Headphones"])]
    sku: Annotated[str, Meta(max_length=100, description="Your own number for it")] | None = None
    quantity: Annotated[int, Meta(ge=1, le=10_000)] = 1
    unit_price: Annotated[
        Amount, Meta(description="Without tax", extra_json_schema={"examples": [119]})
    ]

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_line(given.get("name"), "name")


class OrderAddressBody(Body, frozen=True, kw_only=True):
    line1: Annotated[Line, Meta(examples=["123 Collins Street"])]
    line2: Annotated[Line, Meta(examples=["Level 5"])] | None = None
    city: Annotated[Line, Meta(examples=["Melbourne"])] | None = None
    state: Annotated[Line, Meta(examples=["VIC"])] | None = None
    postal_code: Annotated[str, Meta(max_length=20, examples=["3000"])] | None = None
    country: Annotated[
        str,
        Meta(pattern="^[A-Z]{2}$", max_length=2, description="ISO 3166-1 alpha-2", examples=["AU"]),
    ]

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        names = {"line1": "line1", "line2": "line2", "city": "city", "state": "state"}
        for name, field in (names | {"postal_code": "postalCode"}).items():
            yield from check_line(given.get(name), field)


class CustomerBody(Body, frozen=True, kw_only=True):
    """Who pays. Names and addresses go to the provider, which checks the payer by them."""

    first_name: Annotated[Line, Meta(description="First name", examples=["Jane"])]
    last_name: Annotated[Line, Meta(description="Last name", examples=["Smith"])]
    email: Annotated[
        str,
        Meta(
            min_length=3,
            max_length=320,
            description="The shopper's",
            examples=["jane.smith@example.com"],
        ),
    ]
    phone: (
        Annotated[str, Meta(max_length=40, description="The shopper's", examples=["+61412345678"])]
        | None
    ) = None
    billing_address: OrderAddressBody | None = None
    shipping_address: OrderAddressBody | None = None

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        names = {"first_name": "firstName", "last_name": "lastName", "email": "email"}
        for name, field in (names | {"phone": "phone"}).items():
            yield from check_line(given.get(name), field)

    def address(self, said: OrderAddressBody | None) -> Address | None:
        if said is None:
            return None
        return Address(
            given_name=self.first_name,
            family_name=self.last_name,
            line1=said.line1,
            line2=said.line2,
            postal_code=said.postal_code,
            city=said.city,
            state=said.state,
            country=said.country,
        )


class ShippingBody(Body, frozen=True, kw_only=True):
    """How it is sent. For your own records."""

    type: Annotated[Line, Meta(description="Such as `express`", examples=["express"])] | None = None
    method: Annotated[Line, Meta(description="Who brings it", examples=["aus_post"])] | None = None


class RedirectUrlsBody(Body, frozen=True, kw_only=True):
    """`{CHECKOUT_SESSION_UUID}` is replaced by the `sessionId`."""

    success: Annotated[
        Url,
        Meta(
            description="Where the shopper goes who has paid",
            examples=["https://merchant.example.com/checkout/success"],
        ),
    ]
    failure: Annotated[
        Url,
        Meta(
            description="And who has not",
            examples=["https://merchant.example.com/checkout/failure"],
        ),
    ]

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        for name in ("success", "failure"):
            yield from check_url(given.get(name), name)


class PaymentSessionBody(Body, frozen=True, kw_only=True):
    """An order to be paid. Its amounts are decimals here, and nowhere else in this API."""

    order_reference: Annotated[
        Line, Meta(description="Your number for the order", examples=["ORD-2024-001"])
    ]
    payment_method: Annotated[
        ShopperMethod,
        Meta(description="One that an account of the app takes", examples=["card"]),
    ]
    currency: Annotated[CurrencyCode, Meta(examples=["AUD"])]
    locale: Locale | None = None
    amount: Annotated[AmountBody, Meta(description="What is paid")]
    order_items: Annotated[
        list[OrderItemBody],
        Meta(max_length=ITEMS_MAX, description="What is bought; none: only the total counts"),
    ] = msgspec.field(default_factory=list)
    customer: Annotated[CustomerBody, Meta(description="Who pays")]
    shipping: Annotated[ShippingBody, Meta(description="How it is sent")] | None = None
    additional_information: Annotated[
        dict[str, Any],
        Meta(
            max_length=50,
            description="Anything you want to find again: 50 keys and 4 kB of JSON at most",
            examples=[{"campaignId": "summer-sale-2024", "referralCode": "REF-ABC"}],
        ),
    ] = msgspec.field(default_factory=dict)
    redirect_urls: Annotated[RedirectUrlsBody, Meta(description="Where the shopper goes then")]
    tenant_uuid: Annotated[
        UUID | None, Meta(description="The tenant that pays; may be left out by who has only one")
    ] = None
    provider: Annotated[
        ProviderName | None,
        Meta(description="Pins the session to the default account of this provider"),
    ] = None
    payment_provider_uuid: Annotated[
        UUID | None, Meta(description="Pins it to this account: there is no fail-over then")
    ] = None
    expires_in_seconds: Annotated[int, Meta(ge=300, le=86_400)] = 3600

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_line(given.get("order_reference"), "orderReference")
        yield from check_currency(given.get("currency"), "currency")
        if given.get("provider") is not None and given.get("payment_provider_uuid") is not None:
            yield Violation("must be left out when provider is there", "paymentProviderUuid")
        if len(msgspec.json.encode(given.get("additional_information"))) > INFORMATION_BYTES_MAX:
            message = f"must be {INFORMATION_BYTES_MAX} bytes of JSON at most"
            yield Violation(message, "additionalInformation")
        yield from _amount_rules(given)

    def wanted(self) -> Wanted:
        amount, currency, customer = self.amount, self.currency, self.customer
        total, tax = money_of(amount.total, currency), money_of(amount.tax, currency)
        return Wanted(
            tenant_uuid=None if self.tenant_uuid is None else TenantUuid(self.tenant_uuid),
            order_reference=self.order_reference,
            payment_method=self.payment_method,
            locale=self.locale,
            amount=Quote(total - tax, tax, total),
            shipping=money_of(amount.shipping, currency),
            items=tuple(_item(item, currency) for item in self.order_items),
            billing=customer.address(customer.billing_address),
            delivery=customer.address(customer.shipping_address),
            success_url=self.redirect_urls.success,
            failure_url=self.redirect_urls.failure,
            notes={
                "email": customer.email,
                "phone": customer.phone,
                "shipping": msgspec.to_builtins(self.shipping),
                "additionalInformation": self.additional_information,
            },
            pinned=self.payment_provider_uuid,
            provider=self.provider,
            lifetime=timedelta(seconds=self.expires_in_seconds),
        )


def _item(item: OrderItemBody, currency: str) -> Item:
    price: Money = money_of(item.unit_price, currency)
    return Item(name=item.name, quantity=item.quantity, unit_price=price)


def _amount_rules(given: Mapping[str, Any]) -> Iterator[Violation]:
    """Each amount by itself; and when all are well, that they add up."""
    amount, currency = given.get("amount"), given.get("currency")
    items = given.get("order_items", [])
    wrong: list[Violation] = []
    if isinstance(amount, AmountBody):
        wrong += check_amount(amount.total, currency, "amount.total", least=LEAST_AMOUNT)
        wrong += check_amount(amount.shipping, currency, "amount.shipping")
        wrong += check_amount(amount.tax, currency, "amount.tax")
    for index, item in enumerate(items):
        wrong += check_amount(item.unit_price, currency, f"orderItems[{index}].unitPrice")
    yield from wrong
    decimals = EXPONENTS.get(currency or "")
    if not wrong and isinstance(amount, AmountBody) and decimals is not None:
        yield from _sum_rules(amount, items, decimals)


def _sum_rules(
    amount: AmountBody, items: list[OrderItemBody], decimals: int
) -> Iterator[Violation]:
    def minor(value: Decimal) -> int:
        found = minor_of(value, decimals)
        assert found is not None
        return found

    beside = minor(amount.shipping) + minor(amount.tax)
    goods = sum(minor(item.unit_price) * item.quantity for item in items)
    if items and goods + beside != minor(amount.total):
        told = Decimal(goods + beside).scaleb(-decimals)
        yield Violation(f"must be items, shipping and tax together: {told}", "amount.total")
    elif beside > minor(amount.total):
        yield Violation("is less than shipping and tax", "amount.total")
