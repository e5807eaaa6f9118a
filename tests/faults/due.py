"""Time that passes without waiting: what the worker would do later becomes due now.

The sandbox has a clock that can be set; ours is the database's, so the due dates are moved instead.
Leases are left alone: nobody is overtaken while he works.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import asyncpg

from tests.waiting import eventually

PUT_OFF = ("inbox", "refunds", "payment_attempts")


def eventually_in_time(database_url: str, holds: Callable[[], bool]) -> bool:
    """`eventually`, where nothing that is tried again waits for its next try."""

    def holds_now() -> bool:
        _run(database_url, [f"update {table} set due_at = now()" + _LATER for table in PUT_OFF])
        return holds()

    return eventually(holds_now)


def payment_is_due(database_url: str, payment_id: str) -> None:
    """The worker would look at it after two minutes."""
    assert payment_id.isidentifier()
    moved = f"update payments set due_at = now(){_LATER} and provider_ref = '{payment_id}'"
    assert _run(database_url, [moved]) == ["UPDATE 1"]


_LATER = " where due_at > now()"


def _run(database_url: str, statements: list[str]) -> list[str]:
    async def run() -> list[str]:
        connection = await asyncpg.connect(database_url)
        try:
            return [await connection.execute(statement) for statement in statements]
        finally:
            await connection.close()

    # A thread of its own: the one of the tests has a loop that must not be replaced.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run()).result()
