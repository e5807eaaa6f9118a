"""What the tests of the front door find inside: two apps, their people, and everybody's things.

An `Estate` is one app with its rows; a `House` is an app, its neighbour, and the door to both.
Made through the same services that requests go through, and anew for each test.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
from msgspec.structs import replace

from domain.catalog.price import Interval, Recurrence
from domain.catalog.price_service import NewPrice
from domain.catalog.product_service import NewProduct, ProductService
from domain.catalog.quote import Quote
from domain.catalog.tax_rate_service import NewTaxRate, TaxRateService
from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.kernel.money import Currency, Money
from domain.kernel.percent import Percent
from domain.ledger.ports import PostingQuery
from domain.ledger.rules import Fact, balance_granted
from domain.payments.payment_provider import ProviderName
from domain.payments.provider_service import NewProvider, ProviderService
from domain.subscriptions.test_clock import TestClock
from domain.tenancy.api_key import ApiKey, hash_secret
from domain.tenancy.app import App, JwtIssuer, SigningAlgorithm
from domain.tenancy.caller import Actor, KeyType, Scope
from domain.tenancy.tenant import Membership, Role, Tenant
from domain.webhooks.endpoint_service import EndpointService, NewEndpoint
from domain.webhooks.publish import PublishEvents
from infrastructure.identity.dev_tokens import DEV_ISSUER, Demo, DevSigner
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.providers import CREDENTIALS
from infrastructure.secrets import AesGcmVault
from infrastructure.system import SystemClock, SystemIds, webhook_secret

EUR: Final = Currency("EUR")
CLOCK, IDS = SystemClock(), SystemIds()

Json = dict[str, Any]
Headers = Mapping[str, str]
NOBODY: Final[Headers] = {}


@dataclass(frozen=True)
class Estate:
    """One app. `ids` are the names that the tests know its rows by."""

    app_uuid: AppUuid
    signer: DevSigner
    ids: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def path(self, path: str) -> str:
        return f"/api/v1/apps/{self.app_uuid}{path}"

    def token(self, user: str, *scopes: str, **facts: Any) -> str:
        now: datetime = CLOCK.now()
        demo = Demo(
            app_uuid=self.app_uuid,
            user_uuid=UserUuid(UUID(self.ids[user])),
            scopes=scopes,
            issued_at=now,
            expires_at=now + timedelta(hours=1),
        )
        return self.signer.token(replace(demo, **facts) if facts else demo)

    def user(self, name: str, *scopes: str) -> Headers:
        """`member` and `owner` act for `tenant`, `neighbour` for `other_tenant`, `guest` for
        none."""
        return {"Authorization": f"Bearer {self.token(name, *scopes)}"}

    @property
    def admin(self) -> Headers:
        return self.user("guest", *(scope.value for scope in Scope))

    def key(self, key_type: str, announced: str | None = None) -> Headers:
        return {
            "x-api-key": self.secrets[key_type],
            "x-client-id": str(self.app_uuid),
            "x-api-key-type": announced or key_type,
        }

    def order(self, **said: Any) -> Json:
        """What a member asks for when it buys once."""
        body = {
            "tenantUuid": self.ids["tenant"],
            "mode": "payment",
            "productPriceUuid": self.ids["price"],
            "successUrl": "https://shop.example/thanks",
            "cancelUrl": "https://shop.example/sorry",
        }
        return {name: value for name, value in (body | said).items() if value is not ...}


@dataclass(frozen=True)
class House:
    """`app` is where the tests go in; `other` is the app next door."""

    door: httpx.AsyncClient
    database: Database[PostgresTx]
    connection: asyncpg.Connection
    app: Estate
    other: Estate

    async def ask(
        self, who: Headers, method: str, path: str, body: Any = ..., **headers: str
    ) -> httpx.Response:
        """`path` begins inside the app. Header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent: Json = {} if body is ... else {"json": body}
        return await self.door.request(
            method, self.app.path(path), headers={**who, **named}, **sent
        )

    async def ok(self, who: Headers, method: str, path: str, body: Any = ...) -> Json:
        """The one item of a success."""
        answer = await self.ask(who, method, path, body)
        assert answer.status_code in (200, 201), answer.text
        item: Json = answer.json()["items"][0]
        return item

    async def buy(self, who: Headers | None = None, **said: Any) -> httpx.Response:
        path = "/payment-providers/mollie/checkout-sessions"
        member = self.app.user("member") if who is None else who
        return await self.ask(member, "POST", path, self.app.order(**said))

    async def bought(self, who: Headers | None = None, **said: Any) -> Json:
        answer = await self.buy(who, **said)
        assert answer.status_code == 200, answer.text
        row: Json = answer.json()["items"][0]["createdCheckoutSession"]
        return row

    async def rows(self, *except_tables: str) -> dict[str, str]:
        """Every table's number of rows and a sum over their text: equal when nothing changed."""
        names = await self.connection.fetch(
            "select tablename from pg_tables where schemaname = 'public' order by 1"
        )
        counts = [
            f"select '{row[0]}', count(*) || '/' || coalesce(sum(hashtext(t::text)), 0)"
            f' from "{row[0]}" t'
            for row in names
            if row[0] not in except_tables
        ]
        return {row[0]: row[1] for row in await self.connection.fetch(" union all ".join(counts))}

    async def count(self, table: str) -> int:
        found: int = await self.connection.fetchval(f'select count(*) from "{table}"')
        return found


def problems(answer: httpx.Response) -> dict[str | None, str]:
    """The fields to blame and why. The answer must be an error in our envelope."""
    errors = answer.json()["errors"]
    assert errors, answer.text
    for error in errors:
        assert set(error) <= {"validation", "code", "message", "field"}, error
        assert error["validation"] == "error" and error["message"], error
    return {error.get("field"): error["message"] for error in errors}


def code(answer: httpx.Response) -> str:
    """The one code of an error."""
    problems(answer)
    (only,) = {error["code"] for error in answer.json()["errors"]}
    return f"{answer.status_code} {only}"


class Builder:
    def __init__(self, database: Database[PostgresTx], vault: AesGcmVault) -> None:
        self.database, self._vault = database, vault
        self._products = ProductService(CLOCK, IDS)
        self._tax_rates = TaxRateService(CLOCK, IDS)
        self._accounts = ProviderService(vault, CREDENTIALS, CLOCK, IDS)

    async def estate(self, signer: DevSigner, **facts: Any) -> Estate:
        estate = Estate(AppUuid(IDS.new()), signer)
        async with self.database.begin(estate.app_uuid) as tx:
            await self._app(tx, estate, facts)
            await self._people(tx, estate)
            await self._catalog(tx, estate)
            await self._posting(tx, estate)
            await add_clock(tx, estate)
            for key_type in KeyType:
                estate.secrets[key_type.value] = await add_key(tx, estate, key_type)
        await self._events(estate)
        return estate

    async def _app(self, tx: PostgresTx, estate: Estate, facts: Json) -> None:
        now = CLOCK.now()
        app = App(app_uuid=estate.app_uuid, name="Example", created_at=now, updated_at=now, **facts)
        await tx.apps.add(app)
        await tx.apps.add_issuer(
            JwtIssuer(
                uuid=IDS.new(),
                app_uuid=estate.app_uuid,
                issuer=DEV_ISSUER,
                algorithm=SigningAlgorithm.EDDSA,
                public_keys=(estate.signer.public_pem,),
                created_at=now,
            )
        )

    async def _people(self, tx: PostgresTx, estate: Estate) -> None:
        now = CLOCK.now()
        for tenant, name in (("tenant", "Acme GmbH"), ("other_tenant", "Globex BV")):
            uuid = TenantUuid(IDS.new())
            estate.ids[tenant] = str(uuid)
            await tx.tenants.add(
                Tenant(
                    uuid=uuid, app_uuid=estate.app_uuid, name=name, created_at=now, updated_at=now
                )
            )
        seats = (
            ("owner", "tenant", Role.ADMIN),
            ("member", "tenant", Role.MEMBER),
            ("newcomer", "tenant", Role.MEMBER),
            ("neighbour", "other_tenant", Role.ADMIN),
        )
        for user, tenant, role in seats:
            estate.ids[user] = str(IDS.new())
            await tx.tenants.put_member(
                Membership(
                    app_uuid=estate.app_uuid,
                    tenant_uuid=TenantUuid(UUID(estate.ids[tenant])),
                    user_uuid=UserUuid(UUID(estate.ids[user])),
                    role=role,
                    created_at=now,
                )
            )
        estate.ids["guest"] = str(IDS.new())

    async def _posting(self, tx: PostgresTx, estate: Estate) -> None:
        """The tenant has credit of 10.00 EUR."""
        fact = Fact(
            source_uuid=IDS.new(),
            tenant_uuid=TenantUuid(UUID(estate.ids["tenant"])),
            at=CLOCK.now(),
        )
        credit = Quote(Money(1000, EUR), Money(0, EUR), Money(1000, EUR))
        await tx.ledger.append(balance_granted(fact, credit))
        (row,) = (await tx.ledger.list(PostingQuery())).items
        estate.ids["posting"] = str(row.uuid)

    async def _catalog(self, tx: PostgresTx, estate: Estate) -> None:
        actor = Actor(
            app_uuid=estate.app_uuid,
            id="operator",
            user_uuid=None,
            scopes=frozenset(Scope),
            tenants={},
        )
        estate.secrets["mollie"] = f"test_{secrets.token_hex(15)}"
        account = NewProvider(name=ProviderName.MOLLIE, credential=estate.secrets["mollie"])
        estate.ids["account"] = str((await self._accounts.create(tx, actor, account)).uuid)
        prices = (
            NewPrice(unit_amount=Money(4900, EUR)),
            NewPrice(unit_amount=Money(999, EUR), recurring=Recurrence(Interval.MONTH)),
        )
        new = NewProduct(name="Pro Plan", prices=prices)
        product = await self._products.create(tx, actor, new)
        estate.ids["product"] = str(product.uuid)
        estate.ids["price"], estate.ids["monthly"] = (str(price.uuid) for price in product.prices)
        for name, percentage, is_inclusive in (("exclusive", 19, False), ("inclusive", 21, True)):
            rate = NewTaxRate(
                country="DE",
                name=f"VAT {percentage} %",
                percentage=Percent.of(Decimal(percentage)),
                inclusive=is_inclusive,
            )
            estate.ids[name] = str((await self._tax_rates.create(tx, actor, rate)).uuid)

    async def _events(self, estate: Estate) -> None:
        """What has happened so far is in the feed, and on its way to an endpoint."""
        endpoints = EndpointService(self._vault, webhook_secret, CLOCK, IDS)
        actor = Actor(
            app_uuid=estate.app_uuid,
            id="operator",
            user_uuid=None,
            scopes=frozenset(Scope),
            tenants={},
        )
        async with self.database.begin(estate.app_uuid) as tx:
            new = NewEndpoint(url="https://app.example.com/hooks")
            endpoint = (await endpoints.create(tx, actor, new)).endpoint
        await PublishEvents(self.database, CLOCK, IDS)(estate.app_uuid)
        async with self.database.begin(estate.app_uuid) as tx:
            log = tx.webhook_deliveries.log
            ((delivery, event),) = await log(endpoint.uuid, status=None, after=None, limit=1)
        estate.ids["webhook_endpoint"] = str(endpoint.uuid)
        estate.ids["event"], estate.ids["delivery"] = str(event.uuid), str(delivery.uuid)


async def add_clock(tx: PostgresTx, estate: Estate) -> None:
    """A test clock that nobody lives by."""
    at = datetime(2026, 1, 31, 9, tzinfo=UTC)
    clock = TestClock(
        uuid=IDS.new(), app_uuid=estate.app_uuid, now=at, created_at=at, updated_at=at
    )
    await tx.test_clocks.add(clock)
    estate.ids["test_clock"] = str(clock.uuid)


async def add_key(tx: PostgresTx, estate: Estate, key_type: KeyType, **facts: Any) -> str:
    """Another API key of the app; its secret."""
    secret = f"kontor_{key_type.value}_{IDS.secret()}"
    key = ApiKey(
        uuid=IDS.new(),
        app_uuid=estate.app_uuid,
        key_type=key_type,
        name="a key",
        hint=secret[-4:],
        created_at=CLOCK.now(),
        **facts,
    )
    await tx.apps.add_api_key(key, secret_hash=hash_secret(secret))
    return secret
