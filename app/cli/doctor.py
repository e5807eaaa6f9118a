"""`kontor doctor`: is everything that Kontor stands on as it should be? It changes nothing.

One line for each thing that was looked at; what is wrong says what to do about it. Secrets and
addresses are never shown.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import click

from app.parts import mollie_app
from app.settings import BadSetting, Settings, load
from domain.kernel.errors import (
    DatabaseUnavailable,
    NotFound,
    ProviderUnavailable,
    ProviderUnreadable,
)
from domain.kernel.ids import AppUuid
from domain.kernel.pages import PageRequest
from domain.payments.payment_provider import ConnectedBy, Parting, PaymentProvider
from domain.payments.ports import Provider
from infrastructure.postgres.database import Database
from infrastructure.postgres.readiness import PostgresReadiness
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.providers import clients
from infrastructure.secrets import AesGcmVault, BadKeys, CannotOpen, new_key
from infrastructure.system import SystemClock, pause

CLOCKS_DIFFER_MAX: Final = timedelta(seconds=1)
"""Leases and expiries compare our time with the database's."""

_NEW_KEY: Final = "put what `kontor doctor --new-key` prints into KONTOR_SECRET_KEY"


@dataclass(frozen=True, slots=True)
class Finding:
    subject: str
    text: str
    remedy: str | None = None
    """What to do; None: nothing, it is as it should be."""

    def __str__(self) -> str:
        if self.remedy is None:
            return f"ok    {self.subject:<12}{self.text}"
        return f"FAIL  {self.subject:<12}{self.text}: {self.remedy}"


@click.command(epilog="Example: kontor doctor --app 0198c5a0-5d1e-7a3b-9c52-0f6f3f0e4a11")
@click.option(
    "--app",
    "app_uuid",
    type=click.UUID,
    help="Also ask the payment providers of this app, with each account's own credential.",
)
@click.option(
    "--new-key",
    "wants_key",
    is_flag=True,
    help="Print a fresh key for KONTOR_SECRET_KEY, and look at nothing.",
)
def doctor(app_uuid: UUID | None, wants_key: bool) -> None:
    """Check configuration, database, provider credentials and clock.

    Exits with 1 when something is wrong.
    """
    if wants_key:
        _print_key(os.environ.get("KONTOR_SECRET_KEY", ""))
        return
    if not asyncio.run(_examine(app_uuid)):
        raise SystemExit(1)


def _print_key(present: str) -> None:
    versions = [int(found) for found in re.findall(r"(?:^|,)\s*(\d+):", present)]
    click.echo(new_key(max(versions, default=0) + 1))
    if versions:
        click.echo("Put it before the others, with a comma between them.", err=True)


async def _examine(app_uuid: UUID | None) -> bool:
    """Tell each finding at once: the next one may take a while."""
    is_well = True
    async for finding in _findings(app_uuid):
        click.echo(finding)
        is_well = is_well and finding.remedy is None
    return is_well


async def _findings(app_uuid: UUID | None) -> AsyncIterator[Finding]:
    try:
        settings = load()
    except BadSetting as error:
        yield Finding("settings", str(error), "`kontor settings` explains each of them")
        return
    yield Finding("settings", "can be read")
    vault, finding = _vault(settings)
    yield finding
    database = Database(settings.database_url, PostgresTx, pool_size=1)
    async with database.open():
        finding = await _answers(database)
        yield finding
        if finding.remedy is not None:
            return
        async for finding in _database(database):
            yield finding
        if app_uuid is not None and vault is not None:
            async for finding in _accounts(settings, database, vault, AppUuid(app_uuid)):
                yield finding


def _vault(settings: Settings) -> tuple[AesGcmVault | None, Finding]:
    if not settings.secret_key:
        return None, Finding("secret key", "is not set", _NEW_KEY)
    try:
        vault = AesGcmVault(settings.secret_key)
    except BadKeys as error:
        return None, Finding("secret key", str(error), f"correct it, or {_NEW_KEY}")
    return vault, Finding("secret key", "seals and opens")


async def _answers(database: Database[Any]) -> Finding:
    try:
        async with database.connection():
            return Finding("database", "answers")
    except DatabaseUnavailable as error:
        return _unreachable(error.__cause__)


def _unreachable(cause: BaseException | None) -> Finding:
    match cause:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            text, remedy = "refuses the user", "correct user and password in KONTOR_DATABASE_URL"
        case asyncpg.InvalidCatalogNameError():
            text, remedy = "has no such database", "create it, then run `kontor migrate`"
        case asyncpg.PostgresError():
            text = "does not let us work as the role kontor_app"
            remedy = "run `kontor migrate` as its owner, and make the user a member of the role"
        case _:
            text, remedy = "does not answer", "start it, or correct KONTOR_DATABASE_URL"
    return Finding("database", text, remedy)


async def _database(database: Database[Any]) -> AsyncIterator[Finding]:
    readiness = PostgresReadiness(database)
    if await readiness.database():
        yield Finding("isolation", "row-level security binds us")
    else:
        remedy = "the role kontor_app must own no table and have neither SUPERUSER nor BYPASSRLS"
        yield Finding("isolation", "row-level security does not bind us", remedy)
    if await readiness.migrations():
        yield Finding("migrations", "are up to date")
    else:
        remedy = "run `kontor migrate`; if that finds nothing to do, this program is too old"
        yield Finding("migrations", "are not those of this program", remedy)
    clock = SystemClock()
    async with database.connection() as connection:
        before = clock.now()
        theirs = await connection.fetchval("select clock_timestamp()")
        yield clocks(before, theirs, clock.now())


def clocks(before: datetime, theirs: datetime, after: datetime) -> Finding:
    """`theirs` was read between the other two, which are ours."""
    apart = max(before - theirs, theirs - after, timedelta())
    if apart <= CLOCKS_DIFFER_MAX:
        return Finding("clock", "agrees with the database's")
    text = f"is {apart.total_seconds():.1f} s away from the database's"
    return Finding("clock", text, "let NTP set the clocks of both machines")


async def _accounts(
    settings: Settings, database: Database[PostgresTx], vault: AesGcmVault, app_uuid: AppUuid
) -> AsyncIterator[Finding]:
    try:
        async with database.begin(app_uuid) as tx:
            await tx.apps.get()
            found = await tx.payment_providers.page(PageRequest(0, 100))
    except NotFound:
        yield Finding("app", f"there is no {app_uuid}", "`kontor apps create` prints uuids")
        return
    except (DatabaseUnavailable, asyncpg.PostgresError):
        yield Finding("app", "cannot be read", "correct the database first")
        return
    if not found.items:
        yield Finding("accounts", "none is connected yet")
    addresses = settings.mollie_url, settings.komoju_url
    connections = clients(
        vault, addresses, settings.provider_timeout_s, mollie_app=mollie_app(settings)
    )
    connections.keep_tokens(database, vault, SystemClock(), pause)
    providers = connections.providers(vault)
    async with connections.open():
        for account in found.items:
            yield await _account(providers[account.name], account)


def _consent(provider: Provider, account: PaymentProvider, name: str) -> Finding | None:
    """None: its merchant has let us in, as far as we know."""
    unset = None if provider.connect is None else provider.connect.unset_setting()
    if unset is not None:
        return Finding(account.name, f"{name}: its tokens cannot be renewed", f"set {unset}")
    if account.is_connected:
        return None
    if account.disconnected_because is Parting.MERCHANT:
        text = f"{name}: its merchant has taken the consent back"
        return Finding(account.name, text, "have the merchant connect it again")
    return Finding(account.name, f"{name} waits for its merchant to connect it")


async def _account(provider: Provider, account: PaymentProvider) -> Finding:
    name = f"{account.title} ({account.mode}, {account.known_by})"
    what, anew = "its credential", "give the account a valid credential"
    if account.connected_by is ConnectedBy.OAUTH:
        what, anew = "its token", "have its merchant connect it again"
        if (finding := _consent(provider, account, name)) is not None:
            return finding
    setting = f"KONTOR_{account.name.upper()}_URL"
    try:
        await provider.access.check(account)
    except CannotOpen as error:
        return Finding(account.name, f"{name}: {error}", f"if the key is lost for good, {anew}")
    except ProviderUnreadable as error:
        remedy = f"{anew}, and check {setting}"
        return Finding(account.name, f"{name}: {error}", remedy)
    except ProviderUnavailable as error:
        return Finding(account.name, f"{name}: {error}", f"try again; check {setting}")
    if provider.notices is not None and account.webhook_secret_sealed is None:
        remedy = "give the account the webhookSecret that was typed at the provider"
        return Finding(account.name, f"{name}: its webhooks are not believed", remedy)
    return Finding(account.name, f"{name} accepts {what}")
