"""What must be so when a simulated world has come to rest: `kontor audit` finds nothing, the money
at the provider is ours to the cent, and nobody was charged twice. And a digest of the books."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any, Final

import asyncpg
import msgspec

from app.cli.audit import PROOFS
from app.cli.audit_provider import ProviderAudit
from infrastructure.postgres.audit import AuditTx
from infrastructure.postgres.database import Database
from tests.simulation.deeds import Deeds
from tests.simulation.shops import Shop

ROWS_SHOWN: Final = 5

BOOKS: Final = (
    """select t.name, kind, currency, receivable, cash, revenue, tax, refunds, chargebacks,
              write_offs, customer_balance, held, happened_at
         from ledger_postings l join tenants t on t.uuid = l.tenant_uuid order by l.id""",
    """select t.name, kind, period_number, status, b.total_minor, b.tax_minor, open_minor,
              balance_applied_minor, tries, issued_at, closed_at
         from bills b join tenants t on t.uuid = b.tenant_uuid order by b.uuid""",
    """select t.name, p.number, p.kind, p.starts_at, p.ends_at
         from subscription_periods p join subscriptions s on s.uuid = p.subscription_uuid
         join tenants t on t.uuid = s.tenant_uuid order by s.uuid, p.number""",
    """select t.name, status, quantity, anchor_at, paid_through, cancel_at, canceled_at, due_at
         from subscriptions s join tenants t on t.uuid = s.tenant_uuid order by s.uuid""",
)

MET: Final = """
    select 'subscriptions ' || status as what, count(*) as times from subscriptions group by status
    union all select 'bills ' || status, count(*) from bills group by status
    union all select 'periods ' || kind, count(*) from subscription_periods group by kind
    union all select 'surplus payments', count(*) from payments where is_surplus
    union all select 'refunds ' || reason, count(*) from refunds group by reason
    union all select 'attempts ' || status, count(*) from payment_attempts group by status
    order by 1
"""


async def all_found(
    deeds: Deeds, shops: list[Shop], database_url: str, reach: timedelta
) -> list[str]:
    found = [told async for told in _audited(deeds, shops, database_url, reach)]
    connection = await asyncpg.connect(database_url)
    try:
        for shop in shops:
            found += [told async for told in _cash(connection, deeds, shop)]
        found += [told async for told in _periods(connection)]
    finally:
        await connection.close()
    return [*found, *_charged_twice(deeds)]


async def _audited(
    deeds: Deeds, shops: list[Shop], database_url: str, reach: timedelta
) -> AsyncIterator[str]:
    database, parts = Database(database_url, AuditTx, pool_size=1), deeds.parts
    providers = ProviderAudit(database, parts.providers, parts.clock)
    async with database.open():
        for number, shop in enumerate(shops):
            for proof in PROOFS:
                async with database.begin(shop.app_uuid) as tx:
                    rows = await tx.audit.contradictions(proof, at=parts.clock.now())
                for told in _shown(f"app {number}: audit: {proof.name}", rows):
                    yield told
            async with database.begin(shop.app_uuid) as tx:
                account = await tx.payment_providers.get(shop.account_uuid)
            rows = await providers.differences(account, reach)
            for told in _shown(f"app {number}: audit: provider", rows):
                yield told


def _shown(what: str, rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows[:ROWS_SHOWN]:
        yield f"{what}: {' '.join(f'{name}={value}' for name, value in row.items())}"
    if len(rows) > ROWS_SHOWN:
        yield f"{what}: and {len(rows) - ROWS_SHOWN} more"


async def _cash(connection: asyncpg.Connection, deeds: Deeds, shop: Shop) -> AsyncIterator[str]:
    theirs: Counter[str] = Counter()
    for payment, left in deeds.world.bank.paid():
        if payment.key == shop.key:
            theirs[payment.amount.currency] += left
    rows = await connection.fetch(
        "select currency, sum(cash) from ledger_postings where app_uuid = $1 group by currency",
        shop.app_uuid,
    )
    ours = Counter({currency: int(cash) for currency, cash in rows})
    for currency in ours.keys() | theirs.keys():
        if ours[currency] != theirs[currency]:
            yield f"{shop.key}: our cash is {ours[currency]} {currency}, theirs {theirs[currency]}"


async def _periods(connection: asyncpg.Connection) -> AsyncIterator[str]:
    rows = await connection.fetch(
        """select subscription_uuid, period_number, count(*) from bills where kind = 'period'
            group by subscription_uuid, period_number having count(*) > 1"""
    )
    for row in rows:
        yield f"period {row[1]} of {row[0]} has {row[2]} bills"


def _charged_twice(deeds: Deeds) -> Iterator[str]:
    """By the provider's word: charges for a bill of which nothing has ever gone back."""
    whole: defaultdict[str, list[str]] = defaultdict(list)
    for payment, left in deeds.world.bank.paid():
        bill = payment.metadata.get("bill")
        if bill is None or left < payment.amount.minor:
            continue
        if deeds.world.bank.was_taken_back(payment):
            continue  # given again after it was collected anew: one of the two is credit now
        whole[bill].append(payment.id)
    for bill, refs in whole.items():
        if len(refs) > 1:
            yield f"bill {bill} is paid by {', '.join(refs)}"


async def met(database_url: str) -> dict[str, int]:
    """What has come about, for whoever wonders whether a fault was met at all."""
    connection = await asyncpg.connect(database_url)
    try:
        return dict(map(tuple, await connection.fetch(MET)))
    finally:
        await connection.close()


async def digest(database_url: str) -> str:
    """Of what is in the books; of nothing that only names it."""
    seen = hashlib.sha256()
    connection = await asyncpg.connect(database_url)
    try:
        for query in BOOKS:
            for row in await connection.fetch(query):
                seen.update(msgspec.json.encode(tuple(row)))
    finally:
        await connection.close()
    return seen.hexdigest()[:16]
