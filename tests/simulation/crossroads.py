"""A week at a shop with three accounts at two providers, one of which is away for half a day.

Orders come every few minutes, shoppers pay, fail or go away, merchants ask again after a 503,
workers look in, and now and then somebody pays a page that was given up. On virtual time, through
the program as it is put together, against both sandboxes. At the end the books of all three sides
are compared: the providers', ours, and what each routing decision says of itself.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
import uvloop
from msgspec import Struct

from app.main import jobs_of
from app.orchestration.views import RenderSession
from app.parts import Parts
from app.settings import Settings
from domain.catalog.quote import Quote
from domain.checkout.order import Ask
from domain.kernel.errors import Conflict, ProviderUnavailable, ProviderUnreadable
from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.kernel.money import Currency, Money
from domain.orchestration.payment_session import Wanted
from domain.orchestration.routing_policy import Fee, RoutingPolicy
from domain.payments.address import Address
from domain.payments.payment_provider import ProviderName
from domain.payments.provider_service import NewProvider, ProviderService
from domain.tenancy.app import App
from domain.tenancy.caller import Actor, Scope, UserCaller
from domain.tenancy.tenant import Tenant
from infrastructure.budget import RateBudget
from infrastructure.komoju.client import KomojuClient
from infrastructure.mollie.client import MollieClient
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.providers import CREDENTIALS, Clients
from infrastructure.secrets import AesGcmVault, new_key
from tests.database import Databases
from tests.simulation.road import URL, Road
from tests.simulation.simulation import no_log
from tests.simulation.virtual import BEGINS, VirtualClock, VirtualIds
from tests.simulation.week import Watch, mistakes

ASKS_MAX: Final = 6
CURRENCIES: Final = ("EUR", "EUR", "JPY", "AUD")
_HOUR: Final = timedelta(hours=1)


class Plan(Struct, frozen=True):
    seed: int
    days: float = 7
    minutes_between: int = 6
    """On average, from one order to the next."""
    away_from: timedelta = timedelta(days=2, hours=6)
    away_for: timedelta = timedelta(hours=12)
    """The provider that is usually preferred."""


class Report(Struct, frozen=True):
    found: list[str]
    """What is wrong, in words."""
    figures: dict[str, int]
    shares: dict[str, dict[str, int]]
    """By six hours: sessions that each provider was given."""


class CrossroadsParts(Parts):
    def __init__(self, settings: Settings, clock: VirtualClock, seed: str, road: Road) -> None:
        self._virtual = clock, random.Random(f"{seed} routing"), road
        super().__init__(settings)

    def plug_in(self, settings: Settings) -> None:
        clock, chance, road = self._virtual
        self.clock, self.ids = clock, VirtualIds(clock)
        self.chance = _Chance(chance)
        self.database = Database(settings.database_url, PostgresTx, pool_size=2)
        self.vault = AesGcmVault(settings.secret_key)
        budget = RateBudget(1e9)
        self.clients = Clients(
            MollieClient(URL, self.vault, 4.5, road, budget=budget),
            KomojuClient(f"{URL}/komoju", self.vault, 4.5, road, budget=budget),
        )


class _Chance:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def draw(self, below: int) -> int:
        return self._chance.randrange(below)


class Crossroads:
    def __init__(self, plan: Plan, database_url: str) -> None:
        self._plan, self._url = plan, database_url
        seed = f"crossroads {plan.seed}"
        self._chance = random.Random(seed)
        self._clock = VirtualClock()
        self._road = Road(self._clock, random.Random(f"{seed} road"))
        settings = Settings(
            database_url=database_url, secret_key=new_key(), public_url="https://kontor.test"
        )
        self._parts = CrossroadsParts(settings, self._clock, seed, self._road)
        self._watch = Watch()
        self._orders = 0

    async def run(self) -> Report:
        with no_log():
            return await self._lived()

    async def _lived(self) -> Report:
        async with self._parts.open(), _connection(self._url) as connection:
            self._connection = connection
            await self._open_shop()
            await self._live()
            found = [told async for told in mistakes(connection, self._road, self._caller.app_uuid)]
        figures = dict(self._watch.figures) | {"faults": self._road.weather.faults}
        return Report(found, figures, {k: dict(v) for k, v in self._watch.shares.items()})

    async def _live(self) -> None:
        plan = self._plan
        ends = BEGINS + timedelta(days=plan.days)
        look_at = BEGINS
        while (now := self._clock.now()) < ends:
            self._weather(now - BEGINS)
            await self._order()
            if now >= look_at:
                await self._work()
                look_at = now + timedelta(minutes=20)
            gap = self._chance.expovariate(1 / (60 * plan.minutes_between))
            self._clock.advance(timedelta(seconds=int(gap)))
        self._road.weather.failing = {"mollie": 0, "komoju": 0}
        for _ in range(60):  # five quiet days: what is under way comes to its end
            self._clock.advance(2 * _HOUR)
            await self._work()

    def _weather(self, since: timedelta) -> None:
        """Both have their moments; one of them half a day, of which it cannot be reached for the
        first quarter."""
        plan = self._plan
        away = (since - plan.away_from) / plan.away_for
        is_away = 0 <= away < 1
        self._road.weather.is_cut = 0 <= away < 0.25
        self._road.weather.failing = {"mollie": 97 if is_away else 1, "komoju": 1}

    async def _order(self) -> None:
        """One order, asked for until there is a page or the merchant gives up."""
        self._orders += 1
        wanted, ask = self._wanted(), self._ask()
        open_session = self._parts.open_payment_session()
        for _ in range(ASKS_MAX):
            self._watch.figures["asked"] += 1
            try:
                opened = await open_session(self._caller, wanted, ask, RenderSession())
            except (ProviderUnavailable, ProviderUnreadable, Conflict):
                self._watch.figures["unavailable"] += 1
                self._clock.advance(timedelta(seconds=self._chance.randint(20, 90)))
                continue
            row = msgspec.json.decode(opened.answer.body)
            self._watch.opened(self._clock.now() - BEGINS, row)
            await self._shopper(UUID(row["sessionId"]))
            return
        self._watch.figures["given up"] += 1

    def _wanted(self) -> Wanted:
        currency = Currency(self._chance.choice(CURRENCIES))
        minor = self._chance.randint(500, 30_000)
        total, nothing = Money(minor, currency), Money(0, currency)
        return Wanted(
            tenant_uuid=self._tenant_uuid,
            order_reference=f"ORD-{self._orders}",
            payment_method="card",
            locale="en_AU",
            amount=Quote(total, nothing, total),
            shipping=nothing,
            billing=Address(
                given_name="Jane", family_name="Smith", line1="1 St", postal_code="1", country="AU"
            ),
            success_url="https://shop.example/ok",
            failure_url="https://shop.example/no",
            notes={"email": None, "phone": None, "shipping": None, "additionalInformation": {}},
        )

    def _ask(self) -> Ask:
        key = f"order {self._orders}"
        return Ask(operation="openPaymentSession", key=key, fingerprint=key.encode())

    async def _shopper(self, session_uuid: UUID) -> None:
        drawn = self._chance.randrange(100)
        outcome = "paid" if drawn < 70 else "insufficient_funds" if drawn < 80 else None
        if drawn in (80, 81):
            outcome = "authentication_unavailable_acs"
        self._clock.advance(timedelta(seconds=self._chance.randint(5, 90)))
        if outcome is None:
            return
        row = await self._connection.fetchrow(_PAGE_OF, session_uuid)
        assert row is not None
        if await self._road.shopper(row["name"], row["provider_ref"], outcome):
            self._watch.figures["paid" if outcome == "paid" else "failed"] += 1
        await self._told(row)

    async def _told(self, row: Any) -> None:
        """As a webhook has us look."""
        app_uuid, account = self._caller.app_uuid, row["payment_provider_uuid"]
        await self._parts.observe(app_uuid, account, row["provider_ref"])

    async def _work(self) -> None:
        """What a worker does; and before it, what strangers do to pages that were given up."""
        await self._strangers_pay()
        app_uuid = self._caller.app_uuid
        for job in jobs_of(self._parts):
            for task in await job.claim(app_uuid, self._clock.now()):
                kept_from = await task()
                self._watch.figures["interrupted"] += kept_from is not None

    async def _strangers_pay(self) -> None:
        for row in await self._connection.fetch(_ORPHANS):
            if self._chance.randrange(3) and await self._road.shopper(
                row["name"], row["provider_ref"], "paid"
            ):
                self._watch.figures["orphans paid"] += 1
                await self._told(row)

    async def _open_shop(self) -> None:
        parts, now = self._parts, self._clock.now()
        app_uuid, self._tenant_uuid = AppUuid(parts.ids.new()), TenantUuid(parts.ids.new())
        self._caller = UserCaller(
            app_uuid=app_uuid,
            user_uuid=UserUuid(parts.ids.new()),
            scopes=frozenset({Scope.BILLING_WRITE.value}),
            tenants=None,
        )
        async with parts.database.begin(app_uuid) as tx:
            await tx.apps.add(App(app_uuid=app_uuid, name="Shop", created_at=now, updated_at=now))
            await tx.tenants.add(
                Tenant(
                    uuid=self._tenant_uuid,
                    app_uuid=app_uuid,
                    name="Buyers",
                    created_at=now,
                    updated_at=now,
                )
            )
            await self._connect(tx, app_uuid)

    async def _connect(self, tx: PostgresTx, app_uuid: AppUuid) -> None:
        """Two accounts at the cheaper provider, and one at the other."""
        actor = Actor(
            app_uuid=app_uuid, id="operator", user_uuid=None, scopes=frozenset(Scope), tenants={}
        )
        parts = self._parts
        service = ProviderService(parts.vault, CREDENTIALS, parts.clock, parts.ids)
        accounts = []
        for name, key in (("mollie", "test_first"), ("mollie", "test_second"),
                          ("komoju", "sk_test_third")):  # fmt: skip
            new = NewProvider(name=ProviderName(name), credential=f"{key}{'0' * 12}")
            accounts.append(await service.create(tx, actor, new))
        fees = [
            Fee(account_uuid=a.uuid, currency=currency, fixed_minor=fixed, basis_points=points)
            for a, (fixed, points) in zip(accounts, ((25, 180), (25, 200), (30, 290)), strict=True)
            for currency in sorted(set(CURRENCIES))
        ]
        await tx.routing_policies.add(
            RoutingPolicy(
                version=1,
                default_order=tuple(account.uuid for account in accounts),
                fees=tuple(fees),
                exploration_permille=20,
                created_at=parts.clock.now(),
            )
        )


_PAGE_OF: Final = """
    select a.name, p.provider_ref, p.payment_provider_uuid
      from payment_session_attempts t
      join payments p on p.checkout_session_uuid = t.checkout_session_uuid
      join payment_providers a on a.uuid = t.payment_provider_uuid
     where t.payment_session_uuid = $1 and t.state = 'live'
     order by p.uuid desc limit 1
"""
_ORPHANS: Final = """
    select a.name, p.provider_ref, p.payment_provider_uuid
      from payments p
      join payment_providers a on a.uuid = p.payment_provider_uuid
      join payment_session_attempts t
        on t.checkout_session_uuid = p.checkout_session_uuid and t.state = 'abandoned'
     where p.status = 'open'
"""


def lived(databases: Databases, plan: Plan) -> Report:
    name = f"{databases.run}_crossroads{plan.seed}"
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        url = runner.run(databases.create(name, databases.template))
        try:
            return runner.run(Crossroads(plan, url).run())
        finally:
            runner.run(databases.drop(name))


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()
