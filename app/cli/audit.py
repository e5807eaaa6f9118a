"""`kontor audit`: do the books balance, and do they say what the providers say? It changes nothing.

One line for each proof; under one that does not hold, the rows that contradict it. What to do about
each is in the runbook.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg
import click
import msgspec
from msgspec import Struct

from app.cli.audit_provider import ProviderAudit
from app.cli.in_app import finish, settings
from app.parts import mollie_app
from domain.kernel.errors import ProviderUnavailable, ProviderUnreadable
from domain.kernel.ids import AppUuid
from domain.kernel.pages import PageRequest
from domain.payments.payment_provider import Parting, PaymentProvider
from infrastructure.postgres import audit_ledger, audit_payments, audit_subscriptions
from infrastructure.postgres.audit import AuditTx, Row, apps_with_accounts
from infrastructure.postgres.database import Database
from infrastructure.providers import clients
from infrastructure.secrets import AesGcmVault, BadKeys, CannotOpen
from infrastructure.system import SystemClock, pause

PROOFS: Final = (*audit_ledger.PROOFS, *audit_payments.PROOFS, *audit_subscriptions.PROOFS)
ROWS_SHOWN: Final = 20
ACCOUNTS_MAX: Final = 1000


class Wanted(Struct, frozen=True, kw_only=True):
    app_uuid: UUID | None
    asks_providers: bool
    days: int


class Outcome(Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of one proof."""

    app_uuid: UUID
    proof: str
    claim: str
    rows: list[Row] = []
    trouble: str | None = None
    """Why it could be neither proven nor contradicted."""

    @property
    def is_proven(self) -> bool:
        return not self.rows and self.trouble is None

    def lines(self) -> list[str]:
        if self.is_proven:
            return [f"ok    {self.proof:<25}{self.claim}"]
        count = "1 row contradicts it"
        if len(self.rows) > 1:
            count = f"{len(self.rows)} rows contradict it"
        shown = [f"      {_words(row)}" for row in self.rows[:ROWS_SHOWN]]
        if len(self.rows) > ROWS_SHOWN:
            shown.append(f"      ... and {len(self.rows) - ROWS_SHOWN} more: --json shows them all")
        return [f"FAIL  {self.proof:<25}{self.claim}: {self.trouble or count}", *shown]


@click.command(epilog="Example: kontor audit --app 0198c5a0-5d1e-7a3b-9c52-0f6f3f0e4a11 --days 7")
@click.option(
    "--app",
    "app_uuid",
    type=click.UUID,
    help="This app alone; without it, every app with an account.",
)
@click.option(
    "--provider/--offline",
    "asks_providers",
    default=True,
    help="Whether to compare with the payment providers' own lists.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 366),
    default=30,
    show_default=True,
    help="How far back the providers' lists are read.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, with all rows.")
def audit(app_uuid: UUID | None, asks_providers: bool, days: int, as_json: bool) -> None:
    """Prove that the books are right, or show the rows that say otherwise.

    Exits with 1 when a proof does not hold, or could not be tried.
    """
    wanted = Wanted(app_uuid=app_uuid, asks_providers=asks_providers, days=days)
    outcomes = finish(_tell(wanted, as_json))
    if as_json:
        is_right = all(outcome.is_proven for outcome in outcomes)
        click.echo(msgspec.json.encode({"isRight": is_right, "proofs": outcomes}))
    if not all(outcome.is_proven for outcome in outcomes):
        raise SystemExit(1)


async def _tell(wanted: Wanted, as_json: bool) -> list[Outcome]:
    """Each outcome is told at once: the next one may take a while."""
    outcomes: list[Outcome] = []
    try:
        async for outcome in _outcomes(wanted):
            if not as_json:
                if not outcomes or outcomes[-1].app_uuid != outcome.app_uuid:
                    click.echo(f"app {outcome.app_uuid}")
                click.echo("\n".join(outcome.lines()))
            outcomes.append(outcome)
    except (asyncpg.UndefinedFunctionError, asyncpg.UndefinedColumnError):
        raise click.ClickException("the database is not up to date: run `kontor migrate`") from None
    return outcomes


async def _outcomes(wanted: Wanted) -> AsyncIterator[Outcome]:
    found = settings()
    database = Database(found.database_url, AuditTx, pool_size=1)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(database.open())
        provider_audit = None
        if wanted.asks_providers:
            vault, addresses = _vault(found.secret_key), (found.mollie_url, found.komoju_url)
            connections = clients(
                vault, addresses, found.provider_timeout_s, mollie_app=mollie_app(found)
            )
            connections.keep_tokens(database, vault, clock, pause)
            await stack.enter_async_context(connections.open())
            provider_audit = ProviderAudit(database, connections.providers(vault), clock)
        for app_uuid in await _apps(database, wanted.app_uuid):
            for proof in PROOFS:
                async with database.begin(app_uuid) as tx:
                    rows = await tx.audit.contradictions(proof, at=clock.now())
                yield Outcome(app_uuid=app_uuid, proof=proof.name, claim=proof.claim, rows=rows)
            if provider_audit is not None:
                for account in await _accounts(database, app_uuid):
                    yield await _compared(provider_audit, account, timedelta(days=wanted.days))


def _vault(secret_key: str) -> AesGcmVault:
    try:
        return AesGcmVault(secret_key)
    except BadKeys as error:
        raise click.ClickException(f"{error}; --offline does without") from None


async def _apps(database: Database[AuditTx], wanted: UUID | None) -> list[AppUuid]:
    if wanted is None:
        return await apps_with_accounts(database)
    async with database.begin(AppUuid(wanted)) as tx:
        return [(await tx.apps.get()).app_uuid]


async def _accounts(database: Database[AuditTx], app_uuid: AppUuid) -> list[PaymentProvider]:
    async with database.begin(app_uuid) as tx:
        found = await tx.payment_providers.page(PageRequest(0, ACCOUNTS_MAX))
    # One that waits for its merchant, or that its app has let go, cannot be asked, and need not be.
    return [
        account
        for account in found.items
        if account.is_connected or account.disconnected_because is Parting.MERCHANT
    ]


async def _compared(
    provider_audit: ProviderAudit, account: PaymentProvider, reach: timedelta
) -> Outcome:
    rows: list[Row] = []
    trouble = None
    try:
        rows = await provider_audit.differences(account, reach)
    except (ProviderUnavailable, ProviderUnreadable, CannotOpen) as error:
        trouble = f"not compared, {error}"
    name = f"{account.title} ({account.mode}, {account.known_by})"
    return Outcome(
        app_uuid=account.app_uuid,
        proof="provider",
        claim=f"{name} holds what we hold, of the last {reach.days} days",
        rows=rows,
        trouble=trouble,
    )


def _words(row: Row) -> str:
    return " ".join(f"{name}={'-' if value is None else value}" for name, value in row.items())
