"""The audit of a shop that sold, over the front door, the worker and the sandbox: all is right.

That each proof finds its fault is in tests/infrastructure/test_audit.py.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

import httpx
import pytest

from app.cli.audit import PROOFS
from app.cli.audit_provider import ProviderAudit
from app.main import build_worker
from app.parts import Parts
from app.settings import Settings
from app.worker import Worker
from infrastructure.postgres.audit import AuditTx, Row, apps_with_accounts
from infrastructure.postgres.database import Database
from tests.http.house import CLOCK, House, Json

HOOK: Final = "/api/v1/webhooks/mollie"
WEEK: Final = timedelta(days=7)


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[Worker]:
    worker, _, parts = build_worker(settings)
    async with parts.open():
        yield worker


@pytest.fixture
async def audited(settings: Settings, house: House) -> AsyncIterator[Database[AuditTx]]:
    # The credit that the house begins with is about nothing, and nobody's.
    await house.connection.execute("delete from ledger_postings")
    database = Database(settings.database_url, AuditTx, pool_size=1)
    async with database.open():
        yield database


async def contradictions(database: Database[AuditTx], house: House) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for proof in PROOFS:
        async with database.begin(house.app.app_uuid) as tx:
            if rows := await tx.audit.contradictions(proof, at=CLOCK.now()):
                found[proof.name] = rows
    return found


async def differences(database: Database[AuditTx], settings: Settings, house: House) -> list[Row]:
    parts = Parts(settings)
    async with parts.open():
        audit = ProviderAudit(database, parts.providers, CLOCK)
        async with database.begin(house.app.app_uuid) as tx:
            account = await tx.payment_providers.default(next(iter(parts.providers)))
        assert account is not None
        return await audit.differences(account, WEEK)


async def pay(house: House, sandbox: httpx.AsyncClient, row: Json) -> None:
    path = f"/_control/payments/{row['sessionId']}/status"
    answer = await sandbox.post(path, json={"status": "paid"})
    assert answer.is_success, answer.text
    await told(house, row["sessionId"], row["paymentProviderUuid"])


async def told(house: House, payment: str, account: str) -> None:
    answer = await house.door.post(
        HOOK, params={"paymentProviderUuid": account}, data={"id": payment}
    )
    assert answer.status_code == 200, answer.text


async def refunds_arrive(house: House, sandbox: httpx.AsyncClient) -> None:
    """What was requested is given back, and the provider says so."""
    refunds = await house.connection.fetch(
        """
        select r.provider_ref, p.provider_ref, p.payment_provider_uuid
          from refunds r join payments p on p.uuid = r.payment_uuid
        """
    )
    assert len(refunds) == 2
    for refund, payment, account in refunds:
        path = f"/_control/refunds/{refund}/status"
        answer = await sandbox.post(path, json={"status": "refunded"})
        assert answer.is_success, answer.text
        await told(house, payment, str(account))


async def standing(database: Database[AuditTx], house: House) -> dict[str, int]:
    async with database.begin(house.app.app_uuid) as tx:
        (euro,) = await tx.ledger.balances(tenant_uuid=None, at=None)
    return {account.value: amount for account, amount in euro.amounts.items() if amount}


async def trade(house: House, sandbox: httpx.AsyncClient) -> dict[str, Json]:
    """A sale, a subscription, a payment method, and a payment that came too late."""
    ids = house.app.ids
    setup = {"mode": "setup", "productPriceUuid": ..., "currency": "EUR"}
    monthly = {"mode": "subscription", "productPriceUuid": ids["monthly"]}
    rows = {
        "sale": await house.bought(taxRateUuid=ids["exclusive"], quantity=2),
        "subscription": await house.bought(**monthly, taxRateUuid=ids["inclusive"]),
        "setup": await house.bought(**setup),
        "late": await house.bought(quantity=3),
    }
    await house.ok(house.app.admin, "POST", f"/checkout-sessions/{rows['late']['uuid']}/expire")
    for row in rows.values():
        await pay(house, sandbox, row)
    return rows


async def test_a_shop_that_sold_has_right_books(
    house: House,
    sandbox: httpx.AsyncClient,
    settings: Settings,
    worker: Worker,
    audited: Database[AuditTx],
):
    await trade(house, sandbox)
    assert await contradictions(audited, house) == {}
    while await worker.round():
        pass
    assert await contradictions(audited, house) == {}
    assert await differences(audited, settings, house) == []
    await refunds_arrive(house, sandbox)
    assert await contradictions(audited, house) == {}
    assert await differences(audited, settings, house) == []
    assert await standing(audited, house) == {"cash": 12661, "revenue": -10626, "tax": -2035}
    assert set(await apps_with_accounts(audited)) == {house.app.app_uuid, house.other.app_uuid}


async def test_a_chargeback_that_nobody_told_of_is_found_at_the_provider(
    house: House, sandbox: httpx.AsyncClient, settings: Settings, audited: Database[AuditTx]
):
    rows = await trade(house, sandbox)
    payment = rows["sale"]["sessionId"]
    answer = await sandbox.post(f"/_control/payments/{payment}/chargeback", json={})
    assert answer.is_success, answer.text
    found = await differences(audited, settings, house)
    assert {(row.get("payment"), row["fault"]) for row in found} == {
        (payment, "charged back"),
        (None, "missing here"),
    }
    assert await contradictions(audited, house) == {}
