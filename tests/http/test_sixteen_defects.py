"""The rest of the sixteen defects: those about commits, webhooks, HTTP errors, two apps at once.

See tests/domain/subscriptions/test_sixteen_defects.py.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
import pytest

from app.main import build_worker
from app.settings import Settings
from tests.http.house import CLOCK, IDS, Estate, House, Json
from tests.http.street import Street
from tests.http.till import Till

UNCERTAIN: Final = (401, 403, 408, 500, 502, 503)
"""Answers that say nothing about what was asked for."""


async def fault(street: Street, operation: str, kind: str, **how: object) -> None:
    body = {"operation": operation, "kind": kind, **how}
    answer = await street.sandbox.post("/_control/faults", json=body)
    assert answer.is_success, answer.text


async def recovered(street: Street) -> None:
    """A worker takes up what has no answer yet."""
    uuid = await street.house.connection.fetchval(
        "update payment_attempts set due_at = now() - interval '1 s', "
        "lease_until = now() - interval '1 s' where status = 'submitting' returning uuid"
    )
    assert uuid is not None, "no attempt is waiting"
    await street.parts.recover()(street.house.app.app_uuid, uuid)


async def at_the_provider(street: Street) -> list[Json]:
    """The recurring payments that it holds for this app's tenant, the newest first."""
    found = (await street.sandbox.get("/_control/payments")).json()["items"]
    uuid = str(street.house.app.app_uuid)
    return [p for p in found if p["sequenceType"] == "recurring" and uuid in str(p["metadata"])]


@pytest.fixture
async def forgetful(street: Street) -> AsyncIterator[None]:
    """A provider that does not keep the errors that it answered a key with."""
    path = "/_control/settings"
    await street.sandbox.post(path, json={"idempotencyCachesErrors": False})
    yield
    await street.sandbox.post(path, json={"idempotencyCachesErrors": True})


async def test_c_one_subscription_that_cannot_be_billed_keeps_no_other_from_it(
    street: Street, settings: Settings
):
    poisoned, other = await street.subscribed(), await street.subscribed()
    await street.time_passes()
    broken = "update subscriptions set scheduled_change = $2, due_at = $3 where uuid = $1"
    poison, just_now = UUID(poisoned["uuid"]), CLOCK.now() - timedelta(seconds=1)
    await street.house.connection.execute(broken, poison, "[]", just_now)
    worker, _, parts = build_worker(settings)
    async with parts.open():
        for _ in range(2):
            await worker.round()
        assert (await street.now(other))["status"] == "collecting"
        assert len(await street.charges()) == 1
        await street.house.connection.execute(broken, poison, None, just_now)
        await worker.round()
    assert (await street.now(poisoned))["status"] == "collecting"
    assert len(await street.charges()) == 2


async def test_d_a_charge_is_written_down_before_the_provider_is_asked_for_it(street: Street):
    """It is made, and its answer lost: its webhook finds what it is for, before any worker."""
    row = await street.subscribed()
    await fault(street, "createPayment", "truncatedJson")
    await street.days_pass()
    assert await street.charges() == []
    (payment,) = await at_the_provider(street)
    await street.pays({"sessionId": payment["id"]})
    (charge,) = await street.charges()
    assert (charge["paymentId"], charge["status"]) == (payment["id"], "paid")
    row = await street.now(row)
    assert (row["status"], row["currentPeriodNumber"]) == ("active", 2)
    assert row["paymentUuid"] == charge["uuid"]
    await street.worker()
    assert len(await at_the_provider(street)) == 1
    assert await street.has_right_books()


async def test_d_a_charge_that_was_never_made_is_made_once(street: Street):
    row = await street.subscribed()
    await fault(street, "createPayment", "connectionReset")
    await street.days_pass()
    assert (await street.now(row))["status"] == "collecting"
    for _ in range(2):
        await street.worker()
    assert await at_the_provider(street) == []
    await recovered(street)
    await street.bank_says("paid")
    assert (await street.now(row))["status"] == "active"
    assert len(await at_the_provider(street)) == 1


async def test_e_a_charge_that_the_provider_will_not_make_gives_no_period_away(street: Street):
    """Over the maximum, for one: it is a debt that is dunned for, and nothing is half done."""
    row = await street.subscribed()
    paid_through = row["paidThrough"]
    await fault(street, "createPayment", "status", status=422)
    await street.days_pass()
    owing = await street.now(row)
    assert owing["status"] == "past_due"
    assert owing["paidThrough"] < owing["currentPeriodEnd"] and paid_through
    assert owing["accessUntil"] < owing["currentPeriodEnd"]
    bill = (await street.of(row, "bills"))[0]
    assert (bill["status"], bill["amountOpen"], bill["tries"]) == ("open", 9_99, 1)
    assert bill["nextTryAt"] is not None
    statuses = await street.house.connection.fetch(
        "select status from payment_attempts where bill_uuid = $1", UUID(bill["uuid"])
    )
    assert [found["status"] for found in statuses] == ["declined"]
    await street.days_pass(4)
    await street.bank_says("paid")
    assert (await street.now(row))["status"] == "active"
    assert await street.has_right_books()


async def test_f_an_error_of_the_provider_is_never_a_mandate_that_is_gone(street: Street):
    row = await street.subscribed()
    await street.days_pass()
    charge = await street.charge()
    for status in UNCERTAIN:
        await fault(street, "getMandate", "status", status=status)
        await street.pays({"sessionId": charge["paymentId"]})
        (method,) = await street.listed("/payment-methods")
        assert method["status"] == "valid", status
        assert (await street.now(row))["status"] != "canceled", status
    await street.pays({"sessionId": charge["paymentId"]})
    assert (await street.now(row))["status"] == "active"


async def test_f_nor_is_one_that_answers_a_charge(street: Street, forgetful: None):
    row = await street.subscribed()
    await fault(street, "createPayment", "status", status=UNCERTAIN[0])
    await street.days_pass()
    for status in UNCERTAIN[1:]:
        await fault(street, "createPayment", "status", status=status)
        await recovered(street)
        (method,) = await street.listed("/payment-methods")
        assert (method["status"], (await street.now(row))["status"]) == ("valid", "collecting")
    await recovered(street)
    await street.bank_says("paid")
    assert (await street.now(row))["status"] == "active"
    assert len(await at_the_provider(street)) == 1


async def test_f_a_mandate_that_the_provider_says_is_gone_ends_no_subscription(street: Street):
    row = await street.subscribed()
    (method,) = await street.listed("/payment-methods")
    path = f"/_control/mandates/{method['paymentMethodId']}/status"
    assert (await street.sandbox.post(path, json={"status": "invalid"})).is_success
    await street.days_pass()
    (method,) = await street.listed("/payment-methods")
    assert (method["status"], (await street.now(row))["status"]) == ("invalid", "past_due")


async def test_g_two_bills_for_one_period_are_stopped_by_a_unique_constraint(street: Street):
    """Nothing of ours is numbered by counting: a period's bill is kept apart by its key."""
    row = await street.subscribed()
    await street.time_passes()
    advance, app_uuid = street.parts.advance(), street.house.app.app_uuid
    await asyncio.gather(*(advance(app_uuid, UUID(row["uuid"])) for _ in range(4)))
    bills = await street.of(row, "bills")
    assert [bill["periodNumber"] for bill in bills] == [2, 1]
    assert len(await at_the_provider(street)) == 1
    columns = [
        found["column_name"]
        for found in await street.house.connection.fetch(
            "select column_name from information_schema.columns where table_name = 'bills'"
        )
    ]
    copied = ", ".join("$2::uuid" if name == "uuid" else f'"{name}"' for name in columns)
    named = ", ".join(f'"{name}"' for name in columns)
    with pytest.raises(asyncpg.UniqueViolationError) as violation:
        await street.house.connection.execute(
            f"insert into bills ({named}) select {copied} from bills where uuid = $1",
            UUID(bills[0]["uuid"]),
            IDS.new(),
        )
    assert violation.value.constraint_name == "bills_period_key"


async def test_i_a_refund_is_followed_from_wherever_it_is_born_to_its_end(till: Till):
    payment = await till.sold()
    for amount, born in ((1_00, "queued"), (2_00, "pending")):
        await till.control("/settings", {"balanceShort": born == "queued"})
        refund = await till.send(await till.refunded(payment, born, amount=amount))
        assert refund["status"] == born
        for status in ("processing", "refunded"):
            await till.refund_becomes(payment, refund["refundId"], status)
            assert (await till.get(f"/refunds/{refund['uuid']}"))["status"] == status


async def test_i_a_refund_that_was_made_in_the_dashboard_is_imported(till: Till):
    payment = await till.sold()
    made = await till.in_dashboard(payment, "10.00")
    for status in ("processing", "refunded"):
        await till.refund_becomes(payment, made["id"], status)
        (refund,) = await till.all(f"/payments/{payment['uuid']}/refunds")
        assert (refund["reason"], refund["amount"]) == ("dashboard", 10_00)
        assert (refund["status"], refund["refundId"]) == (status, made["id"])


async def test_o_two_apps_with_two_keys_and_two_currencies_never_meet(
    house: House, sandbox: httpx.AsyncClient
):
    """Bought at the same moment, in one process."""
    yen = await in_yen(house, house.other)
    bought = await asyncio.gather(
        *(buys(house, house.app) for _ in range(3)),
        *(buys(house, house.other, productPriceUuid=yen) for _ in range(3)),
    )
    for session, estate in zip(bought, [house.app] * 3 + [house.other] * 3, strict=True):
        stranger = house.other if estate is house.app else house.app
        own = await look(sandbox, estate, session)
        assert own.status_code == 200
        currency = "EUR" if estate is house.app else "JPY"
        value = "49.00" if estate is house.app else "5000"
        assert own.json()["amount"] == {"currency": currency, "value": value}
        assert (await look(sandbox, stranger, session)).status_code == 404


async def in_yen(house: House, estate: Estate) -> str:
    path = estate.path(f"/products/{estate.ids['product']}/prices")
    body = {"unitAmount": 5000, "currency": "JPY"}
    answer = await house.door.post(path, json=body, headers=dict(estate.admin))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["items"][0]["uuid"])


async def buys(house: House, estate: Estate, **said: Any) -> Json:
    path = estate.path("/payment-providers/mollie/checkout-sessions")
    headers = dict(estate.user("member"))
    answer = await house.door.post(path, json=estate.order(**said), headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["items"][0]["createdCheckoutSession"])


async def look(sandbox: httpx.AsyncClient, estate: Estate, session: Json) -> httpx.Response:
    headers = {"Authorization": f"Bearer {estate.secrets['mollie']}"}
    return await sandbox.get(f"/v2/payments/{session['sessionId']}", headers=headers)
