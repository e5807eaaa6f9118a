"""Proofs that the books are right: each a query for the rows that contradict it.

Each is one statement, so it sees one moment, and runs as the program's role under the app's own
row-level security. Nothing is changed and nothing is repaired: whoever reads the rows decides.
"""

from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from msgspec import Struct

from domain.kernel.ids import AppUuid
from infrastructure.postgres.audit_holdings import PostgresHoldings
from infrastructure.postgres.database import Connection, Database
from infrastructure.postgres.transaction import PostgresTx

QUERY_TIMEOUT_S: Final = 600
"""Proofs read whole tables: they take the time that a request may not."""

Row = dict[str, Any]


class Proof(Struct, frozen=True, kw_only=True):
    name: str
    claim: str
    """What is so when there are no rows."""
    query: str
    """$1 is the app, and $2, if it is named, the present moment."""


class PostgresAudit:
    """The proofs of one app, inside one transaction."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def contradictions(self, proof: Proof, *, at: datetime) -> list[Row]:
        timeout_ms = QUERY_TIMEOUT_S * 1000
        await self._connection.execute(f"set local statement_timeout = {timeout_ms}")
        moment = (at,) if "$2" in proof.query else ()
        found = await self._connection.fetch(
            proof.query, self._app_uuid, *moment, timeout=QUERY_TIMEOUT_S
        )
        return [{name: _plain(value) for name, value in row.items()} for row in found]


class AuditTx(PostgresTx):
    """A transaction of whoever audits."""

    @cached_property
    def audit(self) -> PostgresAudit:
        return PostgresAudit(*self._on)

    @cached_property
    def holdings(self) -> PostgresHoldings:
        return PostgresHoldings(*self._on)


async def apps_with_accounts(database: Database[Any]) -> list[AppUuid]:
    """Those that have, or once had, an account at a provider: no other has had any money."""
    async with database.connection() as connection:
        found = await connection.fetch("select * from apps_with_accounts()")
    return [AppUuid(row[0]) for row in found]


def _plain(value: object) -> object:
    """Sums of bigint are decimals to PostgreSQL, of whole numbers all the same."""
    return int(value) if isinstance(value, Decimal) else value
