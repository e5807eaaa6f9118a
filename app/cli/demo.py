"""The demo of `kontor dev`: two apps with tenants, a catalog and a sandbox account each.

What was made is noted in the data directory, so that a second start finds the same demo again.
Only the tokens are made anew, for another thirty days.
"""

import json
import os
import secrets
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx

from domain.catalog.price import Interval, Recurrence
from domain.catalog.price_service import NewPrice
from domain.catalog.product_service import NewProduct, ProductService
from domain.catalog.tax_rate_service import NewTaxRate, TaxRateService
from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.kernel.money import Currency, Money
from domain.kernel.percent import Percent
from domain.payments.payment_provider import ProviderName
from domain.payments.provider_service import NewProvider, ProviderService
from domain.tenancy.api_key import ApiKey, hash_secret
from domain.tenancy.app import App, JwtIssuer, SigningAlgorithm
from domain.tenancy.caller import Actor, KeyType, Scope
from domain.tenancy.tenant import Membership, Role, Tenant
from infrastructure.identity.dev_tokens import DEV_ISSUER, Demo, DevSigner
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.providers import CREDENTIALS
from infrastructure.secrets import AesGcmVault
from infrastructure.system import SystemClock, SystemIds

TOKENS_LIVE: Final = timedelta(days=30)
EUR: Final = Currency("EUR")
JPY: Final = Currency("JPY")

Facts = dict[str, Any]


async def seed(owner_url: str, sandbox_url: str, api_url: str, state_dir: Path) -> Facts:
    """The demo's part of `kontor dev --json`: `appUuid` to `otherApp`. Made once, then found."""
    database = Database(owner_url, PostgresTx, pool_size=2)
    async with database.open():
        notes = await _noted(database, state_dir / "demo.json")
        if notes is None:
            maker = Maker(database, AesGcmVault((state_dir / "secret.key").read_text().strip()))
            signer = DevSigner.of(state_dir / "token.key")
            notes = await maker.everything(signer.public_pem)
            _note(notes, state_dir / "demo.json")
    await _hook(notes, sandbox_url, api_url)
    return {**notes["shown"], "tokens": _tokens(notes, DevSigner.of(state_dir / "token.key"))}


async def _hook(notes: Facts, sandbox_url: str, api_url: str) -> None:
    """Where KOMOJU calls, as its dashboard is told. Again at each start: ports change."""
    if (komoju := notes.get("komoju")) is None:
        return  # made before there was such an account
    account = notes["shown"]["komojuPaymentProviderUuid"]
    said = {**komoju, "url": f"{api_url}/api/v1/webhooks/komoju?paymentProviderUuid={account}"}
    async with httpx.AsyncClient(base_url=sandbox_url, trust_env=False) as client:
        for known in (await client.get("/komoju/_control/hooks")).json()["items"]:
            if known["key"] == komoju["key"] and known["url"] != said["url"]:
                await client.delete(f"/komoju/_control/hooks/{known['id']}")
        (await client.post("/komoju/_control/hooks", json=said)).raise_for_status()


async def _noted(database: Database[PostgresTx], file: Path) -> Facts | None:
    """What an earlier start has made, if this database still has it."""
    notes = _read(file)
    if notes is None:
        return None
    try:
        async with database.begin(AppUuid(UUID(notes["shown"]["appUuid"]))) as tx:
            await tx.apps.get()
    except NotFound:
        return None
    return notes


def _read(file: Path) -> Facts | None:
    return json.loads(file.read_text()) if file.exists() else None


def _note(notes: Facts, file: Path) -> None:
    unfinished = file.with_suffix(".new")
    unfinished.touch(mode=0o600)  # it has the demo's API keys in it
    unfinished.write_text(json.dumps(notes, indent=2))
    os.replace(unfinished, file)


def _tokens(notes: Facts, signer: DevSigner) -> dict[str, str]:
    now = SystemClock().now()

    def token(app: str, user: str, scopes: list[str]) -> str:
        return signer.token(
            Demo(
                app_uuid=AppUuid(UUID(app)),
                user_uuid=UserUuid(UUID(user)),
                scopes=scopes,
                issued_at=now,
                expires_at=now + TOKENS_LIVE,
            )
        )

    app, users = notes["shown"]["appUuid"], notes["users"]
    other_app = notes["shown"]["otherApp"]["appUuid"]
    return {
        "tenant": token(app, users["tenant"], []),
        "otherTenant": token(app, users["otherTenant"], []),
        "admin": token(app, users["admin"], [scope.value for scope in Scope]),
        "otherApp": token(other_app, users["otherApp"], [scope.value for scope in Scope]),
    }


@dataclass(frozen=True, slots=True)
class Seat:
    tenant_uuid: str
    user_uuid: str


class Maker:
    """Makes the demo through the same services that requests go through."""

    def __init__(self, database: Database[PostgresTx], vault: AesGcmVault) -> None:
        self._database = database
        self._clock, self._ids = SystemClock(), SystemIds()
        self._products = ProductService(self._clock, self._ids)
        self._tax_rates = TaxRateService(self._clock, self._ids)
        self._accounts = ProviderService(vault, CREDENTIALS, self._clock, self._ids)

    async def everything(self, public_pem: str) -> Facts:
        komoju = {"key": f"sk_test_{secrets.token_hex(15)}", "secret": secrets.token_hex(30)}
        shown, users = await self._first_app(public_pem, komoju)
        shown["otherApp"], users["otherApp"] = await self._other_app(public_pem)
        return {"shown": shown, "users": users, "komoju": komoju}

    async def _first_app(
        self, public_pem: str, komoju: dict[str, str]
    ) -> tuple[Facts, dict[str, str]]:
        app_uuid = AppUuid(self._ids.new())
        async with self._database.begin(app_uuid) as tx:
            actor = await self._app(tx, app_uuid, "Demo app", public_pem)
            seat = await self._tenant(tx, app_uuid, "Acme GmbH")
            other = await self._tenant(tx, app_uuid, "Globex BV")
            mollie_key = f"test_{secrets.token_hex(15)}"
            facts: Facts = {
                "appUuid": str(app_uuid),
                "tenantUuid": seat.tenant_uuid,
                "otherTenantUuid": other.tenant_uuid,
                "userUuid": seat.user_uuid,
                "paymentProviderUuid": await self._account(tx, actor, mollie_key),
                "komojuPaymentProviderUuid": await self._komoju(tx, actor, komoju),
                **await self._catalog(tx, actor),
                "taxRates": await self._rates(tx, actor),
                "apiKeys": {t.value: await self._key(tx, app_uuid, t) for t in KeyType},
                "mollieApiKey": mollie_key,
                "komojuApiKey": komoju["key"],
            }
        users = {
            "tenant": seat.user_uuid,
            "otherTenant": other.user_uuid,
            "admin": str(self._ids.new()),
        }
        return facts, users

    async def _other_app(self, public_pem: str) -> tuple[Facts, str]:
        app_uuid = AppUuid(self._ids.new())
        async with self._database.begin(app_uuid) as tx:
            actor = await self._app(tx, app_uuid, "Other app", public_pem)
            seat = await self._tenant(tx, app_uuid, "Initech SARL")
            await self._account(tx, actor, f"test_{secrets.token_hex(15)}")
            catalog = await self._catalog(tx, actor)
        facts = {
            "appUuid": str(app_uuid),
            "tenantUuid": seat.tenant_uuid,
            "productUuid": catalog["productUuid"],
            "prices": {"oneTime": catalog["prices"]["oneTime"]},
        }
        return facts, seat.user_uuid

    async def _app(self, tx: PostgresTx, app_uuid: AppUuid, name: str, pem: str) -> Actor:
        now = self._clock.now()
        await tx.apps.add(App(app_uuid=app_uuid, name=name, created_at=now, updated_at=now))
        await tx.apps.add_issuer(
            JwtIssuer(
                uuid=self._ids.new(),
                app_uuid=app_uuid,
                issuer=DEV_ISSUER,
                algorithm=SigningAlgorithm.EDDSA,
                public_keys=(pem,),
                created_at=now,
            )
        )
        return Actor(
            app_uuid=app_uuid,
            id="operator",
            user_uuid=None,
            scopes=frozenset(Scope),
            tenants={},
        )

    async def _tenant(self, tx: PostgresTx, app_uuid: AppUuid, name: str) -> Seat:
        now = self._clock.now()
        tenant_uuid, user_uuid = TenantUuid(self._ids.new()), UserUuid(self._ids.new())
        await tx.tenants.add(
            Tenant(uuid=tenant_uuid, app_uuid=app_uuid, name=name, created_at=now, updated_at=now)
        )
        await tx.tenants.put_member(
            Membership(
                app_uuid=app_uuid,
                tenant_uuid=tenant_uuid,
                user_uuid=user_uuid,
                role=Role.ADMIN,
                created_at=now,
            )
        )
        return Seat(str(tenant_uuid), str(user_uuid))

    async def _account(self, tx: PostgresTx, actor: Actor, credential: str) -> str:
        new = NewProvider(name=ProviderName.MOLLIE, credential=credential, title="Mollie sandbox")
        return str((await self._accounts.create(tx, actor, new)).uuid)

    async def _komoju(self, tx: PostgresTx, actor: Actor, komoju: dict[str, str]) -> str:
        new = NewProvider(
            name=ProviderName.KOMOJU,
            credential=komoju["key"],
            title="KOMOJU sandbox",
            webhook_secret=komoju["secret"],
        )
        return str((await self._accounts.create(tx, actor, new)).uuid)

    async def _catalog(self, tx: PostgresTx, actor: Actor) -> Facts:
        prices = (
            NewPrice(unit_amount=Money(4900, EUR), nickname="One-time"),
            NewPrice(
                unit_amount=Money(999, EUR),
                recurring=Recurrence(Interval.MONTH),
                nickname="Monthly",
            ),
            NewPrice(
                unit_amount=Money(9900, EUR), recurring=Recurrence(Interval.YEAR), nickname="Yearly"
            ),
            NewPrice(unit_amount=Money(4900, JPY), nickname="One-time, in yen"),
        )
        new = NewProduct(name="Pro Plan", description="Everything, for a whole team", prices=prices)
        product = await self._products.create(tx, actor, new)
        by_name = {price.nickname: str(price.uuid) for price in product.prices}
        return {
            "productUuid": str(product.uuid),
            "prices": {
                "oneTime": by_name["One-time"],
                "monthly": by_name["Monthly"],
                "yearly": by_name["Yearly"],
                "yen": by_name["One-time, in yen"],
            },
        }

    async def _rates(self, tx: PostgresTx, actor: Actor) -> Facts:
        german = NewTaxRate(
            country="DE", name="VAT 19 %", percentage=Percent.of(Decimal(19)), inclusive=False
        )
        dutch = NewTaxRate(
            country="NL", name="btw 21 %", percentage=Percent.of(Decimal(21)), inclusive=True
        )
        return {
            "exclusive19": str((await self._tax_rates.create(tx, actor, german)).uuid),
            "inclusive21": str((await self._tax_rates.create(tx, actor, dutch)).uuid),
        }

    async def _key(self, tx: PostgresTx, app_uuid: AppUuid, key_type: KeyType) -> str:
        secret = f"kontor_{key_type.value}_{self._ids.secret()}"
        key = ApiKey(
            uuid=self._ids.new(),
            app_uuid=app_uuid,
            key_type=key_type,
            name="demo",
            hint=secret[-4:],
            created_at=self._clock.now(),
        )
        await tx.apps.add_api_key(key, secret_hash=hash_secret(secret))
        return secret
