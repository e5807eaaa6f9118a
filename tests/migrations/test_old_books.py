"""What was sold before there were bills and a ledger stands in both after the upgrade."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app.cli.audit import PROOFS
from domain.kernel.pages import PageRequest
from domain.payments.payment_provider import ProviderName
from infrastructure.postgres.audit import AuditTx
from infrastructure.postgres.database import Database
from infrastructure.postgres.migrate import upgrade
from infrastructure.postgres.transaction import PostgresTx
from tests.fakes.clock import NOON
from tests.infrastructure.right_books import ACCOUNT, Books
from tests.make import APP, TENANT, a_uuid

BEFORE = "2026-11-21T00:11:00"
PRICE, PRODUCT, SUBSCRIPTION, OVER = a_uuid(301), a_uuid(302), a_uuid(303), a_uuid(304)
THEN = NOON - timedelta(days=365)
MONTH_LATER, LONG_AFTER = THEN + timedelta(days=31), NOON + timedelta(days=365_000)
SOLD = {"subtotal_minor": 1000, "tax_minor": 190, "total_minor": 1190}


class OldBooks(Books):
    """Sales as they were written before: sessions, payments, what they left behind."""

    async def write(self) -> None:
        await self.connection.execute("set session_replication_role = replica")
        await self.put("apps", name="Notes")
        await self.put("tenants", uuid=TENANT, name="Bakery")
        await self.put("payment_providers", uuid=ACCOUNT, name="mollie", mode="test")
        await self.put("products", uuid=PRODUCT, name="Notes Pro")
        await self.put("prices", uuid=PRICE, product_uuid=PRODUCT, trial_days=0)
        once = await self.sell("payment", 1)
        await self.put("one_time_payments", **once, **SOLD, product_uuid=PRODUCT, paid_at=NOON)
        monthly = await self.sell("subscription", 2, mandate_ref="mdt_1")
        await self.put("mandates", provider_ref="mdt_1", status="valid", uuid=a_uuid(330))
        await self.subscribe(monthly, SUBSCRIPTION, LONG_AFTER)
        over = await self.sell("subscription", 4)
        await self.subscribe(over, OVER, MONTH_LATER)
        setup = await self.sell("setup", 3, refunded_minor=1190)
        await self.put(
            "refunds",
            payment_uuid=setup["payment_uuid"],
            amount_minor=1190,
            provider_ref="re_1",
            reason="verification",
        )
        await self.connection.execute("set session_replication_role = origin")

    async def sell(self, mode: str, number: int, **said: Any) -> dict[str, Any]:
        session, attempt, payment = (a_uuid(n * 10 + number) for n in (31, 32, 34))
        price = None if mode == "setup" else PRICE
        row = {"uuid": session, "mode": mode, "price_uuid": price, "currency": "EUR", **SOLD}
        await self.put("checkout_sessions", **row)
        await self.pay(payment, attempt, 1190, checkout_session_uuid=session, **said)
        return {"checkout_session_uuid": session, "payment_uuid": payment}

    async def subscribe(self, sale: dict[str, Any], uuid: UUID, ends_at: datetime) -> None:
        session = sale["checkout_session_uuid"]
        await self.put(
            "subscriptions",
            uuid=uuid,
            checkout_session_uuid=session,
            product_uuid=PRODUCT,
            price_uuid=PRICE,
            due_at=None,
            anchor_at=THEN,
        )
        await self.put(
            "subscription_periods",
            subscription_uuid=uuid,
            starts_at=THEN,
            ends_at=ends_at,
            payment_uuid=sale["payment_uuid"],
            **SOLD,
        )


async def test_an_upgrade_brings_old_sales_into_the_books(empty_database_url: str):
    await upgrade(empty_database_url, BEFORE)
    connection = await asyncpg.connect(empty_database_url)
    async with connection.transaction():
        await OldBooks(connection).write()

    await upgrade(empty_database_url)

    row = await connection.fetchrow("select * from subscriptions where uuid = $1", SUBSCRIPTION)
    assert (row["due_at"], row["paid_through"]) == (LONG_AFTER, LONG_AFTER)
    assert row["mandate_uuid"] == a_uuid(330)
    bill = await connection.fetchrow(
        "select * from bills where subscription_uuid = $1", row["uuid"]
    )
    assert (bill["period_number"], bill["status"], bill["total_minor"]) == (1, "paid", 1190)
    await connection.close()
    assert await contradictions(empty_database_url) == {}


async def test_months_that_passed_before_the_upgrade_are_never_billed(empty_database_url: str):
    await upgrade(empty_database_url, BEFORE)
    connection = await asyncpg.connect(empty_database_url)
    async with connection.transaction():
        await OldBooks(connection).write()

    await upgrade(empty_database_url)

    row = await connection.fetchrow("select * from subscriptions where uuid = $1", OVER)
    skipped = await connection.fetchrow(
        "select * from subscription_periods where subscription_uuid = $1 and number = 2", OVER
    )
    assert (skipped["kind"], skipped["starts_at"], skipped["total_minor"]) == (
        "skipped",
        MONTH_LATER,
        0,
    )
    assert row["paid_through"] == MONTH_LATER
    assert (row["anchor_at"], row["anchor_number"]) == (skipped["ends_at"], 3)
    assert row["due_at"] == skipped["ends_at"] > MONTH_LATER
    begun = await connection.fetchval(
        "select at from subscription_history where subscription_uuid = $1", OVER
    )
    assert begun == THEN
    await connection.close()


async def test_old_bills_stay_as_they_are_and_are_read_with_what_they_sold_where_that_is_known(
    empty_database_url: str,
):
    await upgrade(empty_database_url, "2026-11-29T00:23:00")
    connection = await asyncpg.connect(empty_database_url)
    books, same, other = Books(connection), a_uuid(350), a_uuid(351)
    usual, change_to, tax_rate = {"product_uuid": PRODUCT, "price_uuid": PRICE}, a_uuid(305), 306
    lines = json.dumps([a_line("Unused"), a_line("Pro")])
    period = {"period_number": 1, "lines": lines}
    change = {"product_uuid": str(change_to), "price_uuid": str(change_to), "tax_rate_uuid": None}
    billed = {"kind": "change", "lines": lines, "change": json.dumps({**change, "quantity": 2})}
    async with connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await books.put("apps", name="Notes")
        await books.put("payment_providers", uuid=ACCOUNT, name="mollie", mode="test")
        await books.put("subscriptions", uuid=same, **usual, tax_rate_uuid=a_uuid(tax_rate))
        await books.put("subscriptions", uuid=other, **usual, version=2)
        await books.put("bills", uuid=a_uuid(360), subscription_uuid=same, **period)
        await books.put("bills", uuid=a_uuid(361), subscription_uuid=other, **period)
        await books.put("bills", uuid=a_uuid(362), subscription_uuid=other, **billed)
    before = await connection.fetch("select * from bills order by uuid")

    await upgrade(empty_database_url)

    assert await connection.fetch("select * from bills order by uuid") == before
    await connection.close()
    database = Database(empty_database_url, PostgresTx, pool_size=1)
    async with database.open(), database.begin(APP) as tx:
        listed = await tx.billing_records.list(
            TENANT, ProviderName.MOLLIE, PageRequest(0, 10), after=None
        )
    told = [(r.product_uuid, r.price_uuid, r.tax_rate_uuid) for r in reversed(listed.items)]
    assert told == [
        (PRODUCT, PRICE, a_uuid(tax_rate)),
        (None, None, None),
        (change_to, change_to, None),
    ]


def a_line(description: str) -> dict[str, Any]:
    amounts = {"subtotal_minor": 0, "tax_minor": 0, "total_minor": 0}
    between = {"starts_at": THEN.isoformat(), "ends_at": MONTH_LATER.isoformat()}
    return {"description": description, "quantity": 1, **amounts, **between}


async def contradictions(url: str) -> dict[str, Any]:
    database = Database(url, AuditTx, pool_size=1)
    found = {}
    async with database.open():
        for proof in PROOFS:
            async with database.begin(APP) as tx:
                found[proof.name] = await tx.audit.contradictions(proof, at=NOON)
    return {name: rows for name, rows in found.items() if rows}
