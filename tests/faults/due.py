"""Time that passes without waiting: what the worker would do later becomes due now.

The sandbox has a clock that can be set; ours is the database's, so the due dates are moved instead.
Leases are left alone: nobody is overtaken while he works.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

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


A_MONTH_AGO = {
    "subscriptions": ("uuid", ("anchor_at", "paid_through", "due_at")),
    "subscription_periods": ("subscription_uuid", ("starts_at", "ends_at")),
    "subscription_history": ("subscription_uuid", ("at",)),
    "bills": ("subscription_uuid", ("issued_at", "closed_at")),
}
"""What a subscription without an open bill remembers, and how its rows are found."""


def a_month_passes(database_url: str, subscription_uuid: str) -> None:
    """For one subscription: its next period begins."""
    uuid, month = UUID(subscription_uuid), "interval '32 days'"
    statements = [
        f"update {table} set {', '.join(f'{c} = {c} - {month}' for c in columns)}"
        f" where {key} = '{uuid}'"
        for table, (key, columns) in A_MONTH_AGO.items()
    ]
    _run(database_url, statements)


def leases_run_out(database_url: str, subscription_uuid: str, lease_s: int) -> None:
    """Those that dead processes hold on a subscription, and on the attempts for its bills."""
    uuid, lease = UUID(subscription_uuid), f"make_interval(secs => {lease_s})"
    _run(
        database_url,
        [
            f"update subscriptions set due_at = due_at - {lease}"
            f" where uuid = '{uuid}' and due_at < now() + {lease}",
            f"update payment_attempts set lease_until = lease_until - {lease},"
            f" due_at = due_at - {lease} where status = 'submitting' and bill_uuid in"
            f" (select uuid from bills where subscription_uuid = '{uuid}')",
        ],
    )


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
