"""Held money: taken in part or whole, once for each key, and never beyond what is held."""

import asyncio
from uuid import UUID

import httpx
import pytest

from app.cli.audit import PROOFS
from app.settings import Settings
from infrastructure.postgres.audit import AuditTx
from infrastructure.postgres.database import Database
from tests.http.house import CLOCK, Json, code, problems
from tests.http.till import Till

KLARNA: Json = {
    "method": "klarna",
    "billingAddress": {
        "givenName": "Anna",
        "familyName": "Jansen",
        "email": "anna@example.com",
        "streetAndNumber": "Lange Poten 1",
        "postalCode": "2511 CL",
        "city": "The Hague",
        "country": "NL",
    },
    "lines": [
        {
            "description": "Oak table",
            "quantity": 1,
            "unitPrice": 100_00,
            "totalAmount": 100_00,
            "vatRate": "21.00",
            "vatAmount": 17_36,
        }
    ],
}


async def capture(till: Till, payment: Json, key: str, **said: object) -> httpx.Response:
    path = f"/payments/{payment['uuid']}/captures"
    who = till.house.app.key("write")
    return await till.house.ask(who, "POST", path, said, Idempotency_Key=key)


async def taken(till: Till, payment: Json, key: str, **said: object) -> Json:
    answer = await capture(till, payment, key, **said)
    assert answer.status_code == 201, answer.text
    row: Json = answer.json()["items"][0]
    return row


async def settled(till: Till, payment: Json) -> Json:
    """A moment later at the provider; and we look."""
    await till.control("/clock", {"advanceSeconds": 1})
    await till.told(payment)
    return await till.get(f"/payments/{payment['uuid']}")


async def cancel(till: Till, payment: Json) -> httpx.Response:
    path = f"/payments/{payment['uuid']}/cancel"
    return await till.house.ask(till.house.app.key("write"), "POST", path)


async def test_what_is_held_is_not_yet_ours(till: Till):
    payment = await till.held()
    assert (payment["status"], payment["amountCaptured"]) == ("authorized", 0)
    session = await till.get(f"/checkout-sessions/{payment['checkoutSessionUuid']}")
    assert (session["status"], session["paymentStatus"]) == ("processing", "unpaid")
    assert await till.books() == {}
    assert code(await till.ask_back(payment, "r")) == "409 [E4090]"


async def test_all_of_it_is_taken_and_sold(till: Till):
    payment = await till.held()
    row = await taken(till, payment, "k")
    assert (row["amount"], row["status"]) == (100_00, "pending")
    assert row["captureId"].startswith("cpt_")
    after = await settled(till, payment)
    assert (after["status"], after["amount"], after["amountCaptured"]) == ("paid", 100_00, 100_00)
    (listed,) = await till.all(f"/payments/{payment['uuid']}/captures")
    assert (listed["uuid"], listed["status"]) == (row["uuid"], "succeeded")
    assert await till.books() == {"cash": 100_00, "revenue": -100_00}
    assert [e for e in await till.events(payment) if e.startswith("capture")] == [
        "capture.requested",
        "capture.accepted",
        "capture.succeeded",
    ]


async def test_of_a_part_only_the_part_is_paid_sold_and_given_back(till: Till):
    payment = await till.held(**(KLARNA | {"method": "creditcard"}))
    await taken(till, payment, "k", amount=30_00)
    after = await settled(till, payment)
    assert (after["status"], after["amount"]) == ("paid", 30_00)
    assert await till.books() == {"cash": 30_00, "revenue": -24_79, "tax": -5_21}
    refused = await till.ask_back(after, "r", amount=30_01)
    assert problems(refused) == {"amount": "3000 EUR in minor units are left of the payment"}
    refund = await till.send(await till.refunded(after, "s"))
    await till.refund_becomes(after, refund["refundId"], "refunded")
    session = await till.get(f"/checkout-sessions/{payment['checkoutSessionUuid']}")
    assert session["paymentStatus"] == "refunded"
    assert await till.books() == {"revenue": -24_79, "refunds": 24_79}


async def test_what_is_taken_piece_by_piece_adds_up_to_what_is_sold(till: Till):
    payment = await till.held(**KLARNA)
    await taken(till, payment, "a", amount=33_33)
    still = await settled(till, payment)
    assert (still["status"], still["amountCaptured"]) == ("authorized", 33_33)
    assert await till.books() == {}
    too_much = await capture(till, payment, "b", amount=66_68)
    assert problems(too_much) == {"amount": "6667 EUR in minor units are left to capture"}
    await taken(till, payment, "c")
    after = await settled(till, payment)
    assert (after["status"], after["amount"]) == ("paid", 100_00)
    assert await till.books() == {"cash": 100_00, "revenue": -82_64, "tax": -17_36}


async def test_of_what_is_let_go_the_part_that_was_taken_stays_paid(till: Till):
    payment = await till.held(**KLARNA)
    await taken(till, payment, "a", amount=40_00)
    await settled(till, payment)
    answer = await cancel(till, payment)
    assert answer.status_code == 200, answer.text
    after = await settled(till, payment)
    assert (after["status"], after["amount"]) == ("paid", 40_00)
    assert (await till.books())["cash"] == 40_00


async def test_nothing_taken_and_let_go_is_canceled(till: Till):
    payment = await till.held()
    assert (await cancel(till, payment)).status_code == 200
    after = await settled(till, payment)
    assert after["status"] == "canceled"
    again = await cancel(till, payment)
    assert again.json()["items"][0]["status"] == "canceled"
    assert await till.books() == {}


async def test_what_is_paid_or_being_taken_is_not_called_off(till: Till):
    payment = await till.held()
    await till.control("/settings", {"captureOutcome": "pending"})
    await taken(till, payment, "k")
    assert "a capture of the payment is under way" in (await cancel(till, payment)).text
    await till.control("/settings", {"captureOutcome": "succeeded"})
    paid = await till.becomes(await till.asked(), "paid")
    answer = await cancel(till, paid)
    assert code(answer) == "409 [E4090]"
    assert "give it back with a refund" in answer.text


async def test_an_open_one_that_the_method_does_not_let_be_canceled_says_so(till: Till):
    payment = await till.asked()
    answer = await cancel(till, payment)
    assert code(answer) == "422 [E4220]"
    transfer = await till.asked(method="banktransfer")
    assert (await cancel(till, transfer)).json()["items"][0]["status"] == "canceled"


async def test_one_key_takes_once(till: Till):
    payment = await till.held(**KLARNA)
    first = await capture(till, payment, "k", amount=10_00)
    again = await capture(till, payment, "k", amount=10_00)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert (await capture(till, payment, "k", amount=20_00)).status_code == 422
    assert len(await till.all(f"/payments/{payment['uuid']}/captures")) == 1


async def test_without_a_key_nothing_is_taken(till: Till):
    payment = await till.held()
    who, path = till.house.app.key("write"), f"/payments/{payment['uuid']}/captures"
    answer = await till.house.ask(who, "POST", path, {})
    assert problems(answer).keys() == {"Idempotency-Key"}
    assert await till.all(path) == []


async def test_of_many_who_want_all_of_it_one_gets_it(till: Till):
    payment = await till.held(**KLARNA)
    answers = await asyncio.gather(*(capture(till, payment, f"k{n}") for n in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, *[422] * 5]
    assert (await settled(till, payment))["status"] == "paid"
    assert (await till.books())["cash"] == 100_00


async def test_a_lost_answer_is_asked_for_again_and_takes_once(till: Till):
    payment = await till.held(**KLARNA)
    await till.control("/faults", {"operation": "createCapture", "kind": "truncatedJson"})
    row = await taken(till, payment, "k", amount=40_00)
    assert (row["status"], row["captureId"]) == ("requested", None)
    submit = till.parts.submit_capture()
    await till.house.connection.execute("update captures set lease_until = now() - interval '1 s'")
    await submit(till.house.app.app_uuid, UUID(row["uuid"]))
    after = await settled(till, payment)
    assert after["amountCaptured"] == 40_00
    (listed,) = await till.all(f"/payments/{payment['uuid']}/captures")
    assert listed["status"] == "succeeded"


async def test_past_the_keys_window_it_is_looked_for_before_it_is_sent(till: Till):
    payment = await till.held(**KLARNA)
    await till.control("/faults", {"operation": "createCapture", "kind": "truncatedJson"})
    row = await taken(till, payment, "k", amount=40_00)
    await till.house.connection.execute(
        "update captures set lease_until = now() - interval '2 h',"
        " first_submitted_at = now() - interval '2 h'"
    )
    await till.control("/clock", {"advanceSeconds": 1})
    await till.parts.submit_capture()(till.house.app.app_uuid, UUID(row["uuid"]))
    assert (await settled(till, payment))["amountCaptured"] == 40_00
    (listed,) = await till.all(f"/payments/{payment['uuid']}/captures")
    assert listed["captureId"].startswith("cpt_")


async def test_one_that_failed_may_be_asked_for_again(till: Till):
    payment = await till.held(**KLARNA)
    await till.control("/settings", {"captureOutcome": "failed"})
    await taken(till, payment, "a")
    assert (await settled(till, payment))["status"] == "authorized"
    await till.control("/settings", {"captureOutcome": "succeeded"})
    await taken(till, payment, "b")
    assert (await settled(till, payment))["status"] == "paid"
    rows = await till.all(f"/payments/{payment['uuid']}/captures")
    assert [row["status"] for row in rows] == ["failed", "succeeded"]


async def test_one_that_was_made_at_mollie_is_found(till: Till):
    payment = await till.held(**KLARNA)
    answer = await till.sandbox.post(
        f"/v2/payments/{payment['paymentId']}/captures",
        json={"amount": {"currency": "EUR", "value": "25.00"}},
        headers={"Authorization": f"Bearer {till.house.app.secrets['mollie']}"},
    )
    assert answer.status_code == 201, answer.text
    assert (await settled(till, payment))["amountCaptured"] == 25_00
    refused = await capture(till, payment, "k", amount=75_01)
    assert problems(refused) == {"amount": "7500 EUR in minor units are left to capture"}


@pytest.mark.parametrize("status", ["open", "paid"])
async def test_what_holds_nothing_cannot_be_captured(till: Till, status: str):
    payment = await till.asked()
    if status == "paid":
        await till.becomes(payment, status)
    answer = await capture(till, payment, "k")
    assert code(answer) == "409 [E4090]"
    assert await till.all(f"/payments/{payment['uuid']}/captures") == []


async def test_the_audit_finds_nothing_after_all_of_it(till: Till, settings: Settings):
    await till.house.connection.execute("delete from ledger_postings")
    part = await till.held()
    await taken(till, part, "a", amount=30_00)
    await settled(till, part)
    pieces = await till.held(**KLARNA)
    await taken(till, pieces, "b", amount=33_33)
    await settled(till, pieces)
    await cancel(till, await till.held(description="let go"))
    await till.becomes(await till.asked(description="whole"), "paid")
    await till.becomes(await till.asked(description="failed"), "failed")
    database = Database(settings.database_url, AuditTx, pool_size=1)
    async with database.open():
        for proof in PROOFS:
            async with database.begin(till.house.app.app_uuid) as tx:
                assert await tx.audit.contradictions(proof, at=CLOCK.now()) == [], proof.name
