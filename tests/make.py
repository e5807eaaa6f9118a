"""Makers of test entities: valid by themselves, and each field can be said otherwise."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from domain.catalog.price import Interval, Price, Recurrence
from domain.catalog.product import Product, ProductImage
from domain.catalog.tax_rate import TaxRate
from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.kernel.money import Money, currency
from domain.kernel.percent import Percent
from domain.payments.payment_provider import PaymentProvider, ProviderMode, ProviderName
from domain.tenancy.api_key import ApiKey
from domain.tenancy.app import App
from domain.tenancy.caller import Actor, KeyType
from domain.tenancy.tenant import Role, Tenant
from tests.fakes.catalog import COUNTRIES
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds


def a_uuid(number: int) -> UUID:
    """The same number, the same uuid: a version 7, as ours are."""
    return UUID(f"0198c5a0-0000-7000-8000-{number:012x}")


APP: Final = AppUuid(a_uuid(1))
OTHER_APP: Final = AppUuid(a_uuid(2))
TENANT: Final = TenantUuid(a_uuid(11))
OTHER_TENANT: Final = TenantUuid(a_uuid(12))
USER: Final = UserUuid(a_uuid(21))
OTHER_USER: Final = UserUuid(a_uuid(22))
GERMANY: Final = next(country for country in COUNTRIES if country.alpha2 == "DE")
MONTHLY: Final = Recurrence(Interval.MONTH, 1)

_ids: Final = FakeIds(series=7)
"""For rows of which a test has several: the later made, the later born."""


def an_app(**said: Any) -> App:
    usual = {"app_uuid": APP, "name": "Example Notes", "created_at": NOON, "updated_at": NOON}
    return App(**{**usual, **said})


def a_tenant(**said: Any) -> Tenant:
    usual = {"uuid": TENANT, "app_uuid": APP, "name": "Example Bakery Ltd"}
    return Tenant(**{**usual, "created_at": NOON, "updated_at": NOON, **said})


def an_api_key(**said: Any) -> ApiKey:
    usual = {"uuid": a_uuid(31), "app_uuid": APP, "key_type": KeyType.WRITE}
    return ApiKey(**{**usual, "name": "backend", "hint": "abcd", "created_at": NOON, **said})


def an_actor(*scopes: str, tenants: Mapping[TenantUuid, Role] | None = None) -> Actor:
    """A user of the app. Without scopes and tenants: nobody in particular."""
    return Actor(
        app_uuid=APP,
        id=f"user:{USER}",
        user_uuid=USER,
        scopes=frozenset(scopes),
        tenants=tenants or {},
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
