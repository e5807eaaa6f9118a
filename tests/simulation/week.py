"""What was seen at the crossroads, and what must be so when it has come to rest."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from app.cli.audit import PROOFS
from domain.kernel.ids import AppUuid
from domain.orchestration.decision import Decision, Strategy
from tests.simulation.road import Road
from tests.simulation.virtual import BEGINS

_QUARTER: Final = timedelta(hours=6)


class Watch:
    def __init__(self) -> None:
        self.figures: Counter[str] = Counter()
        self.shares: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def opened(self, since: timedelta, row: Any) -> None:
        quarter = int(since / _QUARTER)
        routing = row["routing"]
        name = f"day {quarter // 4 + 1} {quarter % 4 * 6:02}:00"
        self.shares[name][routing["selectedProvider"]] += 1
        self.figures["sessions"] += 1
        self.figures[f"by {routing['strategy']}"] += 1


async def mistakes(
    connection: asyncpg.Connection, road: Road, app_uuid: AppUuid
) -> AsyncIterator[str]:
    """In words; none, if all is well."""
    async for told in _money(connection, road):
        yield told
    async for told in _decisions(connection):
        yield told
    for proof in PROOFS:
        values = [app_uuid, BEGINS + timedelta(days=365)][: 2 if "$2" in proof.query else 1]
        for row in await connection.fetch(proof.query, *values):
            yield f"{proof.name}: {dict(row)}"


async def _money(connection: asyncpg.Connection, road: Road) -> AsyncIterator[str]:
    """By attempt: what the providers hold, what we think they do, and who owes it."""
    held = dict(road.held())
    rows = await connection.fetch(
        """
        select p.attempt_uuid, p.amount_minor, p.refunded_minor, p.is_surplus,
               s.terms->'metadata'->>'paymentSessionUuid' as session
          from payments p join checkout_sessions s on s.uuid = p.checkout_session_uuid
         where p.status = 'paid'
        """
    )
    ours = {str(r["attempt_uuid"]): r["amount_minor"] - r["refunded_minor"] for r in rows}
    for attempt in held.keys() | ours.keys():
        if held.get(attempt) != ours.get(attempt):
            yield f"attempt {attempt}: held {held.get(attempt)}, booked {ours.get(attempt)}"
    charged: Counter[str] = Counter()
    for row in rows:
        left = row["amount_minor"] - row["refunded_minor"]
        charged[row["session"]] += left > 0
        if row["is_surplus"] and left:
            yield f"surplus of session {row['session']} was not given back: {left}"
    for session, times in charged.items():
        if times > 1:
            yield f"session {session} was charged {times} times"


async def _decisions(connection: asyncpg.Connection) -> AsyncIterator[str]:
    """Each session has one, which says why its first try was where it was."""
    rows = await connection.fetch(
        """
        select s.uuid, d.decision,
               array_agg(t.payment_provider_uuid order by t.number) as tried
          from payment_sessions s
          left join routing_decisions d on d.payment_session_uuid = s.uuid
          left join payment_session_attempts t on t.payment_session_uuid = s.uuid
         group by s.uuid, d.decision
        """
    )
    for row in rows:
        if row["decision"] is None:
            yield f"session {row['uuid']} has no decision"
            continue
        decision = msgspec.json.decode(row["decision"], type=Decision)
        for told in _unexplained(decision, row["tried"]):
            yield f"session {row['uuid']}: {told}"


def _unexplained(decision: Decision, tried: list[UUID]) -> list[str]:
    told = []
    eligible = {c.account_uuid for c in decision.candidates if not c.reasons}
    if eligible != set(decision.order):
        told.append("an account was left out, or let in, for no reason")
    if tried[0] != decision.selected or not set(tried) <= eligible:
        told.append("another account was tried than was decided")
    scores = [decision.score_of(uuid) for uuid in decision.order]
    if decision.strategy is Strategy.SCORE and scores != sorted(scores, reverse=True):
        told.append("a lower score was selected")
    return told
