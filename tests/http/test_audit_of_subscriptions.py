"""The audit of subscriptions that live: renewed, dunned, charged back, given up. All is right.

Time passes by moving a subscription's past further back: its next step is due at once.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import httpx
import pytest

from app.cli.audit import PROOFS
from app.main import build_worker
from app.settings import Settings
from app.worker import Worker
from infrastructure.postgres.audit import AuditTx, Row
from infrastructure.postgres.database import Database
from tests.http.house import CLOCK, House, Json

HOOK: Final = "/api/v1/webhooks/mollie"
# Every column of business time, by table, and how its rows are found by the subscription's uuid.
BUSINESS_TIME: Final = {
    "subscriptions": ("uuid", ["anchor_at", "paid_through", "paused_at", "due_at"]),
    "subscription_periods": ("subscription_uuid", ["starts_at", "ends_at"]),
    "subscription_history": ("subscription_uuid", ["at"]),
    "bills": ("subscription_uuid", ["issued_at", "closed_at", "first_failed_at", "next_try_at"]),
}


@dataclass(frozen=True)
class Life:
    """One monthly subscription, bought and paid for today."""

    house: House
    sandbox: httpx.AsyncClient
    worker: Worker
    audited: Database[AuditTx]
    session: Json

    async def passes(self, days: int) -> None:
        """The worker does what has become due."""
        for table, (key, columns) in BUSINESS_TIME.items():
            moved = ", ".join(f"{column} = {column} - $1::interval" for column in columns)
            await self.house.connection.execute(
                f"update {table} set {moved} where {key} in (select uuid from subscriptions)",
                timedelta(days=days),
            )
        await self.works()

    async def works(self) -> None:
        while await self.worker.round():
            pass

    async def newest(self) -> str:
        ref: str = await self.house.connection.fetchval(
            "select provider_ref from payments order by created_at desc, uuid desc limit 1"
        )
        return ref

    async def bank(self, action: str, ref: str, **body: str) -> None:
        answer = await self.sandbox.post(f"/_control/payments/{ref}/{action}", json=body)
        assert answer.is_success, answer.text
        account = {"paymentProviderUuid": self.session["paymentProviderUuid"]}
        answer = await self.house.door.post(HOOK, params=account, data={"id": ref})
        assert answer.status_code == 200, answer.text

    async def has_a_new_card(self) -> None:
        """As good as one: the bank takes the old one again."""
        ref = await self.house.connection.fetchval("select provider_ref from mandates")
        path = f"/_control/mandates/{ref}/status"
        assert (await self.sandbox.post(path, json={"status": "valid"})).is_success
        await self.house.connection.execute(
            "update mandates set status = 'valid'; "
            "update bills set next_try_at = now() where status = 'open'; "
            "update subscriptions set due_at = now();"
        )
        await self.works()

    async def status(self) -> str:
        status: str = await self.house.connection.fetchval("select status from subscriptions")
        return status

    async def contradictions(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for proof in PROOFS:
            async with self.audited.begin(self.house.app.app_uuid) as tx:
                if rows := await tx.audit.contradictions(proof, at=CLOCK.now()):
                    found[proof.name] = rows
        return found


@pytest.fixture
async def life(house: House, sandbox: httpx.AsyncClient, settings: Settings) -> AsyncIterator[Life]:
    await house.connection.execute("delete from ledger_postings")  # the house's own credit
    told = await sandbox.post("/_control/settings", json={"recurringOutcome": "open"})
    assert told.is_success, told.text
    bought = {"mode": "subscription", "productPriceUuid": house.app.ids["monthly"]}
    session = await house.bought(**bought, taxRateUuid=house.app.ids["exclusive"])
    worker, _, parts = build_worker(settings)
    database = Database(settings.database_url, AuditTx, pool_size=1)
    async with parts.open(), database.open():
        life = Life(house, sandbox, worker, database, session)
        await life.bank("status", session["sessionId"], status="paid")
        await life.works()
        yield life
    await sandbox.post("/_control/settings", json={"recurringOutcome": "paid"})


async def test_a_renewal_is_right_before_and_after_its_money_has_come(life: Life):
    await life.passes(32)
    assert await life.status() == "collecting"
    assert await life.contradictions() == {}
    await life.bank("status", await life.newest(), status="paid")
    assert await life.status() == "active"
    assert await life.contradictions() == {}


async def test_a_renewal_that_fails_and_is_paid_later_is_right(life: Life):
    await life.passes(32)
    await life.bank("status", await life.newest(), status="failed")
    assert await life.status() == "past_due"
    assert await life.contradictions() == {}
    await life.passes(4)
    await life.bank("status", await life.newest(), status="paid")
    assert await life.status() == "active"
    assert await life.contradictions() == {}


async def test_a_debt_that_is_given_up_is_right(life: Life):
    await life.passes(32)
    for days in (4, 4, 4, 30):
        await life.bank("status", await life.newest(), status="failed")
        assert await life.contradictions() == {}
        await life.passes(days)
    assert await life.status() == "canceled"
    assert await life.contradictions() == {}


@pytest.mark.parametrize("action", ["suspend", "recollect", "write_off"])
async def test_a_chargeback_is_right_before_and_after_it_is_reversed(life: Life, action: str):
    policy = {"chargebackAction": action}
    answer = await life.house.ask(life.house.app.admin, "PUT", "/billing-policy", policy)
    assert answer.is_success, answer.text
    await life.passes(32)
    charge = await life.newest()
    await life.bank("status", charge, status="paid")
    await life.bank("chargeback", charge)
    await life.works()
    assert await life.contradictions() == {}
    await life.bank("chargeback/reverse", charge)
    await life.works()
    assert await life.contradictions() == {}


async def test_a_bill_that_is_paid_again_after_a_chargeback_is_right(life: Life):
    policy = {"chargebackAction": "recollect"}
    answer = await life.house.ask(life.house.app.admin, "PUT", "/billing-policy", policy)
    assert answer.is_success, answer.text
    await life.passes(32)
    charge = await life.newest()
    await life.bank("status", charge, status="paid")
    await life.bank("chargeback", charge)
    assert await life.status() == "past_due"
    await life.has_a_new_card()
    again = await life.newest()
    assert again != charge
    await life.bank("status", again, status="paid")
    assert await life.status() == "active"
    assert await life.contradictions() == {}
