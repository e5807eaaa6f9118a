"""Makes products, prices, tax rates and accounts: whole, plausible, and as a test wants them."""

from typing import Any, Final
from uuid import UUID

from domain.catalog.price import Interval, Price, Recurrence
from domain.catalog.product import Product, ProductImage
from domain.catalog.tax_rate import TaxRate
from domain.kernel.ids import AppUuid, UserUuid
from domain.kernel.money import Money, currency
from domain.kernel.percent import Percent
from domain.payments.payment_provider import PaymentProvider, ProviderMode, ProviderName
from domain.tenancy.caller import Actor, Scope
from tests.fakes.catalog import COUNTRIES
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds

APP: Final = AppUuid(UUID("019d0b1c-0000-7000-8000-000000000001"))
OTHER_APP: Final = AppUuid(UUID("019d0b1c-0000-7000-8000-000000000002"))
USER: Final = UserUuid(UUID("019d0b1c-0000-7000-8000-000000000003"))
GERMANY: Final = next(country for country in COUNTRIES if country.alpha2 == "DE")
MONTHLY: Final = Recurrence(Interval.MONTH, 1)

_ids: Final = FakeIds(series=7)


def an_actor(*scopes: Scope, app_uuid: AppUuid = APP) -> Actor:
    return Actor(
        app_uuid=app_uuid,
        id=f"user:{USER}",
        user_uuid=USER,
        scopes=frozenset(scopes),
        tenants={},
    )


def money(minor: int, code: str = "EUR") -> Money:
    return Money(minor, currency(code))


def a_product(**facts: Any) -> Product:
    some = {
        "uuid": _ids.new(),
        "app_uuid": APP,
        "name": "Pro Plan",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Product(**some | facts)


def an_image(product: Product, url: str) -> ProductImage:
    return ProductImage(
        uuid=_ids.new(),
        app_uuid=product.app_uuid,
        product_uuid=product.uuid,
        url=url,
        created_at=NOON,
        updated_at=NOON,
    )


def a_price(product: Product, **facts: Any) -> Price:
    some = {
        "uuid": _ids.new(),
        "app_uuid": product.app_uuid,
        "product_uuid": product.uuid,
        "unit_amount": money(9_99),
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Price(**some | facts)


def a_tax_rate(**facts: Any) -> TaxRate:
    some = {
        "uuid": _ids.new(),
        "app_uuid": APP,
        "country": GERMANY,
        "name": "VAT 19%",
        "percentage": Percent(190_000),
        "inclusive": False,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return TaxRate(**some | facts)


def an_account(**facts: Any) -> PaymentProvider:
    some = {
        "uuid": _ids.new(),
        "app_uuid": APP,
        "name": ProviderName.MOLLIE,
        "mode": ProviderMode.TEST,
        "title": "Mollie",
        "is_default": False,
        "credential_sealed": b"sealed",
        "credential_hint": "abcd",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return PaymentProvider(**some | facts)
