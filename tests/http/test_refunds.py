"""Money that the app gives back: how much may go, once for each key, and who may ask for it."""

import asyncio

from tests.http.house import code, problems
from tests.http.till import Till

WHOLE = 5831


async def test_without_an_amount_all_that_is_left_is_given_back(till: Till):
    payment = await till.sold()
    refund = await till.refunded(payment, "k", description="Goodwill")
    assert (refund["amount"], refund["currency"]) == (WHOLE, "EUR")
    assert (refund["status"], refund["reason"]) == ("requested", "requested")
    assert (refund["description"], refund["refundId"]) == ("Goodwill", None)
    assert refund["scheduledAt"] == refund["createdAt"]
    sent = await till.send(refund)
    assert (sent["status"], sent["scheduledAt"]) == ("pending", None)
    await till.refund_becomes(payment, sent["refundId"], "refunded")
    assert (await till.get(f"/refunds/{refund['uuid']}"))["status"] == "refunded"
    after = await till.get(f"/payments/{payment['uuid']}")
    assert (after["status"], after["amountRefunded"]) == ("paid", WHOLE)
    session = await till.get(f"/checkout-sessions/{payment['checkoutSessionUuid']}")
    assert session["paymentStatus"] == "refunded"
    assert await till.books() == {"revenue": -4900, "refunds": 4900}
    assert (await till.events(payment))[-4:] == [
        "refund.requested",
        "refund.accepted",
        "payment.refunded_amount_changed",
        "refund.refunded",
    ]


async def test_parts_add_up_and_more_than_is_left_is_refused(till: Till):
    payment = await till.sold()
    first = await till.refunded(payment, "a", amount=1000)
    second = await till.refunded(payment, "b", amount=4000)
    refused = await till.ask_back(payment, "c", amount=832)
    assert code(refused) == "422 [E4220]"
    assert problems(refused) == {"amount": "831 EUR in minor units are left of the payment"}
    rest = await till.refunded(payment, "d")
    assert rest["amount"] == 831
    nothing = await till.ask_back(payment, "e")
    assert problems(nothing) == {"amount": "0 EUR in minor units are left of the payment"}
    for refund in (first, second, rest):
        sent = await till.send(refund)
        await till.refund_becomes(payment, sent["refundId"], "refunded")
    assert await till.books() == {"revenue": -4900, "refunds": 4900}
    listed = await till.all(f"/payments/{payment['uuid']}/refunds")
    assert [refund["amount"] for refund in listed] == [1000, 4000, 831]


async def test_a_part_leaves_the_session_paid(till: Till):
    payment = await till.sold()
    sent = await till.send(await till.refunded(payment, "k", amount=1000))
    await till.refund_becomes(payment, sent["refundId"], "refunded")
    session = await till.get(f"/checkout-sessions/{payment['checkoutSessionUuid']}")
    assert session["paymentStatus"] == "paid"
    tax = round(931 * 1000 / WHOLE)
    assert await till.books() == {
        "cash": WHOLE - 1000,
        "revenue": -4900,
        "refunds": 1000 - tax,
        "tax": -931 + tax,
    }


async def test_one_key_gives_back_once(till: Till):
    payment = await till.sold()
    first = await till.ask_back(payment, "k", amount=1000)
    again = await till.ask_back(payment, "k", amount=1000)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    other = await till.ask_back(payment, "k", amount=2000)
    assert other.status_code == 422
    assert len(await till.all(f"/payments/{payment['uuid']}/refunds")) == 1


async def test_without_a_key_nothing_is_given_back(till: Till):
    payment = await till.sold()
    house, before = till.house, await till.house.rows()
    path = f"/payments/{payment['uuid']}/refunds"
    answer = await house.ask(house.app.admin, "POST", path, {"amount": 1})
    assert code(answer) == "400 [E4000]"
    assert problems(answer).keys() == {"Idempotency-Key"}
    assert await house.rows() == before


async def test_of_many_who_want_all_of_it_one_gets_it(till: Till):
    payment = await till.sold()
    answers = await asyncio.gather(*(till.ask_back(payment, f"k{n}") for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]
    assert len(await till.all(f"/payments/{payment['uuid']}/refunds")) == 1


async def test_what_is_not_paid_cannot_be_given_back(till: Till):
    session = await till.house.bought()
    payment = await till.payment_with(session["sessionId"])
    answer = await till.ask_back(payment, "k")
    assert code(answer) == "409 [E4090]"
    assert "only what is paid" in str(problems(answer)[None])


async def test_a_second_one_of_the_same_amount_waits_for_an_hour(till: Till):
    payment = await till.sold()
    first = await till.send(await till.refunded(payment, "a", amount=1000))
    second = await till.refunded(payment, "b", amount=1000)
    third = await till.refunded(payment, "c", amount=1000)
    other = await till.refunded(payment, "d", amount=1001)
    assert other["scheduledAt"] == other["createdAt"]
    assert first["createdAt"] < second["createdAt"] < second["scheduledAt"] < third["scheduledAt"]
    due = await till.house.connection.fetch(
        "select due_at - created_at as wait from refunds where app_uuid = $1 and payment_uuid = $2"
        " order by uuid",
        till.house.app.app_uuid,
        payment["uuid"],
    )
    minutes = [row["wait"].total_seconds() / 60 for row in due]
    assert minutes[1] >= 61 and minutes[2] >= 122 and minutes[3] == 0


async def test_a_refund_that_waits_can_be_called_off_and_one_that_is_sent_cannot(till: Till):
    payment = await till.sold()
    sent = await till.send(await till.refunded(payment, "a", amount=1000))
    waiting = await till.refunded(payment, "b", amount=1000)
    admin = till.house.app.admin
    for _ in range(2):
        row = await till.house.ok(admin, "DELETE", f"/refunds/{waiting['uuid']}")
        assert (row["status"], row["scheduledAt"]) == ("canceled", None)
    assert (await till.events(payment)).count("refund.canceled") == 1
    late = await till.house.ask(admin, "DELETE", f"/refunds/{sent['uuid']}")
    assert code(late) == "409 [E4090]"
    assert (await till.send(waiting))["refundId"] is None
    assert (await till.refunded(payment, "c"))["amount"] == WHOLE - 1000


async def test_what_a_bank_has_taken_is_not_left(till: Till):
    payment = await till.sold()
    await till.charged_back(payment, amount={"currency": "EUR", "value": "50.00"})
    assert (await till.refunded(payment, "a"))["amount"] == WHOLE - 5000
    await till.given_again(payment)
    assert (await till.refunded(payment, "b"))["amount"] == 5000


async def test_a_refund_that_the_provider_declines_leaves_the_money_with_us(till: Till):
    payment = await till.sold()
    refund = await till.refunded(payment, "k")
    # Somebody was faster at the provider, and nobody has told us.
    await till.in_dashboard(payment, "1.00")
    declined = await till.send(refund)
    assert declined["status"] == "declined"
    assert declined["declineReason"]
    await till.told(payment)
    assert (await till.refunded(payment, "l"))["amount"] == WHOLE - 100


async def test_a_tenants_people_see_what_went_back_and_others_do_not(till: Till):
    payment = await till.sold()
    refund = await till.refunded(payment, "k", amount=1)
    house = till.house
    paths = (
        f"/payments/{payment['uuid']}",
        f"/payments/{payment['uuid']}/refunds",
        f"/payments/{payment['uuid']}/chargebacks",
        f"/refunds/{refund['uuid']}",
    )
    for path in paths:
        for who in (house.app.user("member"), house.app.key("read")):
            assert (await house.ask(who, "GET", path)).status_code == 200, path
        for who in (house.app.user("neighbour"), house.app.user("guest", "catalog:read")):
            assert code(await house.ask(who, "GET", path)) == "404 [E4040]", path
    for who in (house.app.user("owner"), house.app.user("guest", "refunds:read", "billing:write")):
        asked = await house.ask(who, "POST", paths[1], {}, Idempotency_Key="x")
        assert code(asked) == "403 [E4031]"
        assert code(await house.ask(who, "DELETE", paths[3])) == "403 [E4031]"
