"""Money that went back without us: refunds made at Mollie, and what banks take and give again.

Whatever was paid for: something bought once, the first period of a subscription, or a renewal.
"""

from collections.abc import AsyncIterator
from typing import Final

import pytest

from tests.http.house import CLOCK, Json
from tests.http.till import Till

SOLD: Final = {"cash": 5831, "revenue": -4900, "tax": -931}
MONTH: Final = {"cash": 1189, "revenue": -999, "tax": -190}
TWO_MONTHS: Final = {account: 2 * amount for account, amount in MONTH.items()}
KINDS: Final = ("once", "first", "renewal")


async def paid(till: Till, kind: str) -> tuple[Json, dict[str, int], dict[str, int]]:
    """The payment, what the books say then, and what it alone is in them."""
    if kind == "once":
        return await till.sold(), SOLD, SOLD
    payment = await till.subscribed()
    if kind == "first":
        return payment, MONTH, MONTH
    return await till.renewed(), TWO_MONTHS, MONTH


def moved(books: dict[str, int], **by: int) -> dict[str, int]:
    after = {name: books.get(name, 0) + by.get(name, 0) for name in books.keys() | by.keys()}
    return {name: amount for name, amount in after.items() if amount}


async def subscription(till: Till) -> tuple[str, str | None]:
    row = await till.house.connection.fetchrow("select status, pause_reason from subscriptions")
    return row["status"], row["pause_reason"]


@pytest.fixture
async def in_another_hour(till: Till) -> AsyncIterator[Till]:
    """Its clock may be moved: it is put right again."""
    yield till
    await till.control("/clock", {"now": CLOCK.now().isoformat()})


@pytest.mark.parametrize("kind", KINDS)
async def test_a_refund_made_at_mollie_is_found_and_booked(till: Till, kind: str):
    payment, books, of_it = await paid(till, kind)
    assert await till.books() == books
    made = await till.in_dashboard(payment, f"{of_it['cash'] / 100:.2f}")
    await till.told(payment)
    (found,) = await till.all(f"/payments/{payment['uuid']}/refunds")
    assert (found["reason"], found["refundId"]) == ("dashboard", made["id"])
    assert (found["status"], found["amount"]) == ("pending", of_it["cash"])
    assert await till.books() == books  # until it is with the shopper
    await till.refund_becomes(payment, made["id"], "refunded")
    await till.told(payment)
    (done,) = await till.all(f"/payments/{payment['uuid']}/refunds")
    assert done["status"] == "refunded"
    back = {"cash": -of_it["cash"], "refunds": -of_it["revenue"], "tax": -of_it["tax"]}
    assert await till.books() == moved(books, **back)
    events = await till.events(payment)
    assert [events.count(f"refund.{what}") for what in ("found", "refunded")] == [1, 1]
    assert (await till.get(f"/payments/{payment['uuid']}"))["amountRefunded"] == of_it["cash"]


@pytest.mark.parametrize("kind", KINDS)
async def test_two_refunds_of_the_same_part_are_both_booked(in_another_hour: Till, kind: str):
    till = in_another_hour
    payment, books, of_it = await paid(till, kind)
    whole, part = of_it["cash"], of_it["cash"] // 2
    for n in range(2):
        made = await till.in_dashboard(payment, f"{part / 100:.2f}")
        await till.refund_becomes(payment, made["id"], "refunded")
        assert len(await till.all(f"/payments/{payment['uuid']}/refunds")) == n + 1
        await till.control("/clock", {"advanceSeconds": 3700})
    rest = whole - 2 * part
    after = await till.books()
    assert after.get("cash", 0) == books["cash"] - 2 * part
    # What is left of the tax is the part of it that is still paid for.
    assert abs(books["tax"] - of_it["tax"] - after.get("tax", 0)) <= rest
    assert (await till.refunded(payment, "rest"))["amount"] == rest


async def test_a_refund_that_comes_to_nothing_is_not_booked(till: Till):
    payment = await till.sold()
    made = await till.in_dashboard(payment, "10.00")
    await till.refund_becomes(payment, made["id"], "processing")
    assert (await till.get(f"/payments/{payment['uuid']}"))["amountRefunded"] == 1000
    await till.refund_becomes(payment, made["id"], "failed")
    assert (await till.get(f"/payments/{payment['uuid']}"))["amountRefunded"] == 0
    assert await till.books() == SOLD
    assert (await till.events(payment))[-1] == "refund.failed"
    assert (await till.refunded(payment, "k"))["amount"] == SOLD["cash"]


async def test_a_bank_takes_back_what_was_bought_once_and_gives_it_again(till: Till):
    payment = await till.sold()
    await till.charged_back(payment, amount={"currency": "EUR", "value": "50.00"}, reason="AC04")
    assert await till.books() == moved(SOLD, cash=-5000, chargebacks=5000)
    (taken,) = await till.all(f"/payments/{payment['uuid']}/chargebacks")
    assert (taken["amount"], taken["reason"], taken["reversedAt"]) == (5000, "AC04", None)
    assert (await till.get(f"/payments/{payment['uuid']}"))["amountChargedBack"] == 5000
    await till.charged_back(payment)
    assert await till.books() == moved(SOLD, cash=-5831, chargebacks=5831)
    await till.given_again(payment)
    await till.told(payment)
    assert await till.books() == moved(SOLD, cash=-5000, chargebacks=5000)
    assert (await till.get(f"/payments/{payment['uuid']}"))["amountChargedBack"] == 5000
    await till.given_again(payment)
    assert await till.books() == SOLD
    events = await till.events(payment)
    assert [events.count(f"chargeback.{what}") for what in ("received", "reversed")] == [2, 2]
    listed = await till.all(f"/payments/{payment['uuid']}/chargebacks")
    assert all(chargeback["reversedAt"] for chargeback in listed)


@pytest.mark.parametrize("kind", ["first", "renewal"])
async def test_a_subscription_is_suspended_until_the_bank_gives_the_money_again(
    till: Till, kind: str
):
    payment, books, _ = await paid(till, kind)
    await till.charged_back(payment)
    assert await subscription(till) == ("paused", "chargeback")
    assert await till.books() == moved(books, cash=-1189, chargebacks=1189)
    await till.given_again(payment)
    assert await subscription(till) == ("active", None)
    assert await till.books() == books


@pytest.mark.parametrize("kind", ["first", "renewal"])
async def test_the_money_is_asked_for_again_unless_the_bank_gives_it_first(till: Till, kind: str):
    await till.chargebacks_are("recollect")
    payment, books, _ = await paid(till, kind)
    await till.charged_back(payment)
    assert await subscription(till) == ("past_due", None)
    assert (await till.statuses("bills"))[-1] == "open"
    assert await till.books() == moved(books, cash=-1189, receivable=1189)
    await till.given_again(payment)
    assert await subscription(till) == ("active", None)
    assert (await till.statuses("bills"))[-1] == "paid"
    assert await till.books() == books


@pytest.mark.parametrize("kind", ["first", "renewal"])
async def test_what_is_lost_is_let_go_and_the_subscription_goes_on(till: Till, kind: str):
    await till.chargebacks_are("write_off")
    payment, books, _ = await paid(till, kind)
    await till.charged_back(payment, amount={"currency": "EUR", "value": "5.00"})
    assert await subscription(till) == ("active", None)
    assert set(await till.statuses("bills")) == {"paid"}
    assert await till.books() == moved(books, cash=-500, chargebacks=500)
    await till.given_again(payment)
    assert await till.books() == books


async def test_part_of_a_payment_is_asked_for_again(till: Till):
    await till.chargebacks_are("recollect")
    payment = await till.subscribed()
    await till.charged_back(payment, amount={"currency": "EUR", "value": "5.00"})
    assert await till.books() == moved(MONTH, cash=-500, receivable=500)
    await till.given_again(payment)
    assert await till.books() == MONTH


SETUP: Final = {"mode": "setup", "productPriceUuid": ..., "taxRateUuid": ..., "currency": "EUR"}


async def test_what_a_bank_leaves_of_a_verification_goes_back(till: Till):
    payment = await till.sold(**SETUP)
    (whole,) = await till.all(f"/payments/{payment['uuid']}/refunds")
    await till.charged_back(payment, amount={"currency": "EUR", "value": "0.33"})
    assert (await till.send(whole))["status"] == "declined"
    for _ in range(2):
        await till.told(payment)
        first, rest = sorted(await till.all(f"/payments/{payment['uuid']}/refunds"), key=by_age)
        assert (first["status"], first["amount"]) == ("declined", 100)
        assert (rest["reason"], rest["amount"]) == ("verification", 67)
    made = await till.send(rest)
    await till.refund_becomes(payment, made["refundId"], "refunded")
    assert (await till.get(f"/payments/{payment['uuid']}"))["amountRefunded"] == 67
    assert await till.books() == {"held": -33, "chargebacks": 33}


def by_age(row: Json) -> str:
    return str(row["createdAt"]) + str(row["uuid"])
