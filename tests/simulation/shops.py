"""The apps of a simulated world: each with a billing policy of its own, a catalog and tenants."""

import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final
from uuid import UUID

from domain.catalog.price import Interval, Recurrence
from domain.catalog.price_service import NewPrice
from domain.catalog.product_service import NewProduct, ProductService
from domain.catalog.tax_rate_service import NewTaxRate, TaxRateService
from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.kernel.money import Currency, Money
from domain.kernel.percent import Percent
from domain.payments.payment_provider import ProviderName
from domain.payments.provider_service import NewProvider, ProviderService
from domain.subscriptions.policy import (
    BillingPolicy,
    ChargebackAction,
    FinalAction,
    MissedPeriods,
)
from domain.tenancy.app import App
from domain.tenancy.caller import Actor, Scope, UserCaller
from domain.tenancy.tenant import Tenant
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.providers import CREDENTIALS
from tests.simulation.house import SimulatedParts

EUR: Final = Currency("EUR")
YEN: Final = Currency("JPY")
MONTH: Final = Recurrence(Interval.MONTH)

PRICES: Final = {
    "monthly": NewPrice(unit_amount=Money(999, EUR), recurring=MONTH),
    "plus": NewPrice(unit_amount=Money(2995, EUR), recurring=MONTH),
    "yearly": NewPrice(unit_amount=Money(9900, EUR), recurring=Recurrence(Interval.YEAR)),
    "weekly": NewPrice(unit_amount=Money(249, EUR), recurring=Recurrence(Interval.WEEK)),
    "yen": NewPrice(unit_amount=Money(980, YEN), recurring=MONTH),
    "yen plus": NewPrice(unit_amount=Money(2450, YEN), recurring=MONTH),
}
ONCE: Final = NewPrice(unit_amount=Money(4900, EUR))
TRIED: Final = NewPrice(unit_amount=Money(1990, EUR), recurring=MONTH, trial_days=14)
RATES: Final = (("DE", 19, False), ("NL", 21, True), ("JP", 10, True))
POLICIES: Final = (
    {},
    {
        "time_zone": "Europe/Berlin",
        "final_action": FinalAction.PAUSE,
        "chargeback_action": ChargebackAction.RECOLLECT,
    },
    {
        "time_zone": "America/New_York",
        "final_action": FinalAction.KEEP,
        "chargeback_action": ChargebackAction.WRITE_OFF,
        "missed_periods": MissedPeriods.SKIP,
    },
    {
        "time_zone": "Asia/Tokyo",
        "retry_days": (1, 2),
        "grace_days": 0,
        "chargeback_action": ChargebackAction.RECOLLECT,
        "minimum_charge_minor": 500,
    },
)


@dataclass
class Shop:
    """An app."""

    app_uuid: AppUuid
    user_uuid: UserUuid
    key: str
    """Of its account at the provider."""
    account_uuid: UUID
    prices: dict[str, UUID]
    rates: dict[str, UUID]

    @property
    def caller(self) -> UserCaller:
        return UserCaller(
            app_uuid=self.app_uuid,
            user_uuid=self.user_uuid,
            scopes=frozenset(Scope),
            tenants=None,
        )

    @property
    def actor(self) -> Actor:
        return _actor(self.app_uuid)


@dataclass
class Customer:
    """A tenant, and what it is like."""

    shop: Shop
    number: int
    uuid: TenantUuid
    chance: random.Random
    method: str
    fails: int
    """So many of a hundred charges."""
    asked: int = 0
    """Requests with a key of their own."""
    sessions: list[UUID] = field(default_factory=list)


def _actor(app_uuid: AppUuid) -> Actor:
    return Actor(
        app_uuid=app_uuid, id="operator", user_uuid=None, scopes=frozenset(Scope), tenants={}
    )


async def open_shops(parts: SimulatedParts, numbers: range) -> list[Shop]:
    return [await _shop(parts, number) for number in numbers]


async def _shop(parts: SimulatedParts, number: int) -> Shop:
    clock, ids = parts.clock, parts.ids
    app_uuid, now = AppUuid(ids.new()), clock.now()
    key, actor = f"test_simulation{number}", _actor(app_uuid)
    async with parts.database.begin(app_uuid) as tx:
        await tx.apps.add(
            App(app_uuid=app_uuid, name=f"App {number}", created_at=now, updated_at=now)
        )
        await tx.billing_policies.put(
            BillingPolicy(app_uuid=app_uuid, created_at=now, updated_at=now, **POLICIES[number])
        )
        new = NewProvider(name=ProviderName.MOLLIE, credential=key)
        account = await ProviderService(parts.vault, CREDENTIALS, clock, ids).create(tx, actor, new)
        return Shop(
            app_uuid=app_uuid,
            user_uuid=UserUuid(ids.new()),
            key=key,
            account_uuid=account.uuid,
            prices=await _prices(tx, actor, ProductService(clock, ids)),
            rates=await _rates(tx, actor, TaxRateService(clock, ids)),
        )


async def _prices(tx: PostgresTx, actor: Actor, products: ProductService) -> dict[str, UUID]:
    new = NewProduct(name="Pro Plan", prices=(*PRICES.values(), ONCE))
    plan = await products.create(tx, actor, new)
    tried = await products.create(tx, actor, NewProduct(name="Tried Plan", prices=(TRIED,)))
    names = (*PRICES, "once", "tried")
    uuids = (price.uuid for price in (*plan.prices, *tried.prices))
    return dict(zip(names, uuids, strict=True))


async def _rates(tx: PostgresTx, actor: Actor, rates: TaxRateService) -> dict[str, UUID]:
    made = {}
    for country, percent, inclusive in RATES:
        new = NewTaxRate(
            country=country,
            name="VAT",
            percentage=Percent.of(Decimal(percent)),
            inclusive=inclusive,
        )
        made[country] = (await rates.create(tx, actor, new)).uuid
    return made


async def invite(
    parts: SimulatedParts, shops: list[Shop], seed: str, numbers: range
) -> list[Customer]:
    customers = []
    for number in numbers:
        shop, now = shops[number // numbers.step % len(shops)], parts.clock.now()
        chance = random.Random(f"{seed} tenant {number}")
        uuid = TenantUuid(parts.ids.new())
        async with parts.database.begin(shop.app_uuid) as tx:
            await tx.tenants.add(
                Tenant(
                    uuid=uuid,
                    app_uuid=shop.app_uuid,
                    name=f"Tenant {number}",
                    created_at=now,
                    updated_at=now,
                )
            )
        method = chance.choices(("card", "ideal", "paypal"), (65, 23, 12))[0]
        fails = chance.choices((3, 20, 65), (80, 14, 6))[0]
        customers.append(Customer(shop, number, uuid, chance, method, fails))
    return customers
