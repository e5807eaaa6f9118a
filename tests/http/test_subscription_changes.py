"""Changing a subscription over the front door: what it would cost, made as quoted, and taken back.

A quote is asked for within seconds of a period's start: all of it is left, to the cent.
"""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.http.house import House, Json, code, problems
from tests.http.street import Street
from tests.make import a_uuid

NOTHING = str(a_uuid(99))
UPGRADE = 49_00 - 9_99


@pytest.fixture
async def subscription(street: Street) -> Json:
    """9.99 a month, paid."""
    return await street.subscribed()


@pytest.fixture
async def team(street: Street) -> str:
    """A price of 49.00 a month."""
    return await priced(street, 49_00)


async def priced(street: Street, amount: int, **said: Any) -> str:
    house, usual = (
        street.house,
        {"currency": "EUR", "recurring": True, "recurringInterval": "month"},
    )
    path = f"/products/{house.app.ids['product']}/prices"
    row = await house.ok(house.app.admin, "POST", path, usual | {"unitAmount": amount} | said)
    return str(row["uuid"])


def of(subscription: Json, what: str) -> str:
    return f"/subscriptions/{subscription['uuid']}/{what}"


async def quotes(street: Street, subscription: Json, **said: Any) -> httpx.Response:
    body = {name: value for name, value in ({"mode": "now_prorated"} | said).items()
            if value is not ...}  # fmt: skip
    return await street.asks("POST", of(subscription, "change-quotes"), body)


async def quoted(street: Street, subscription: Json, **said: Any) -> Json:
    answer = await quotes(street, subscription, **said)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["items"][0])


async def accepts(
    street: Street, subscription: Json, quote: Json | str, **headers: str
) -> httpx.Response:
    text = quote if isinstance(quote, str) else quote["quote"]
    return await street.asks("POST", of(subscription, "changes"), {"quote": text}, **headers)


async def accepted(street: Street, subscription: Json, quote: Json | str) -> Json:
    answer = await accepts(street, subscription, quote)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["items"][0])


def plan(subscription: Json) -> tuple[Any, ...]:
    return tuple(subscription[name] for name in ("productPriceUuid", "taxRateUuid", "quantity"))


async def test_an_upgrade_is_quoted_to_the_cent_and_changes_nothing_yet(
    street: Street, subscription: Json, team: str
):
    before = await street.house.rows()
    quote = await quoted(street, subscription, productPriceUuid=team)
    assert (quote["amountTotal"], quote["amountDue"], quote["credit"]) == (UPGRADE, UPGRADE, 0)
    assert [line["amountTotal"] for line in quote["lines"]] == [-9_99, 49_00]
    assert (quote["startsNewPeriod"], quote["productPriceUuid"]) == (False, team)
    assert quote["lines"][0]["endsAt"] == subscription["currentPeriodEnd"]
    assert await street.house.rows() == before


async def test_it_takes_effect_when_its_charge_is_paid(
    street: Street, subscription: Json, team: str
):
    quote = await quoted(street, subscription, productPriceUuid=team)
    change = await accepted(street, subscription, quote)
    assert (change["outcome"], change["uuid"]) == ("collecting", quote["uuid"])
    assert (change["subscription"]["status"], plan(change["subscription"])) == (
        "collecting",
        plan(subscription),
    )
    charge = await street.bank_says("paid")
    assert charge["amount"] == UPGRADE
    row = await street.now(subscription)
    assert (row["status"], row["productPriceUuid"]) == ("active", team)
    assert (row["amountTotal"], row["version"]) == (49_00, 2)
    assert row["currentPeriodEnd"] == subscription["currentPeriodEnd"]
    bill = (await street.of(row, "bills"))[0]
    assert (bill["uuid"], bill["kind"], bill["status"]) == (quote["uuid"], "change", "paid")
    assert (bill["lines"], bill["periodNumber"]) == (quote["lines"], None)
    assert (await accepted(street, subscription, quote))["outcome"] == "applied"
    assert await street.has_right_books()
    told = await street.told(row)
    assert "subscription.changed" in told and "subscription.renewed" not in told


async def test_if_the_charge_fails_the_old_plan_is_as_it_was(
    street: Street, subscription: Json, team: str
):
    quote = await quoted(street, subscription, productPriceUuid=team)
    await accepted(street, subscription, quote)
    await street.bank_says("failed", failureReason="card_declined")
    row = await street.now(subscription)
    assert (row["status"], plan(row)) == ("active", plan(subscription))
    assert row["accessUntil"] == subscription["accessUntil"]
    again = await accepted(street, subscription, quote)
    assert (again["outcome"], again["failureReason"]) == ("failed", "card_declined")
    assert await street.has_right_books()
    assert len(await street.charges()) == 1


async def test_a_downgrade_is_made_at_once_and_the_rest_pays_for_what_comes(
    street: Street, subscription: Json
):
    cheap = await priced(street, 1_00)
    quote = await quoted(street, subscription, productPriceUuid=cheap)
    assert (quote["amountTotal"], quote["amountDue"], quote["credit"]) == (0, 0, 8_99)
    change = await accepted(street, subscription, quote)
    assert (change["outcome"], change["subscription"]["productPriceUuid"]) == ("applied", cheap)
    assert (await accepted(street, subscription, quote))["outcome"] == "applied"
    await street.days_pass()
    assert await street.has_right_books()
    assert await street.charges() == []
    (renewal, *_) = await street.of(subscription, "bills")
    assert (renewal["status"], renewal["balanceApplied"], renewal["amountOpen"]) == ("paid", 100, 0)


async def test_to_a_year_a_new_period_begins(street: Street, subscription: Json):
    yearly = await priced(street, 99_00, recurringInterval="year")
    quote = await quoted(street, subscription, productPriceUuid=yearly, mode="now_prorated")
    assert quote["startsNewPeriod"] and quote["amountDue"] == 99_00 - 9_99
    await accepted(street, subscription, quote)
    await street.bank_says("paid")
    row = await street.now(subscription)
    assert (row["currentPeriodNumber"], row["currentPeriodStart"]) == (
        2,
        quote["lines"][1]["startsAt"],
    )
    assert row["paidThrough"] == row["currentPeriodEnd"] == quote["lines"][1]["endsAt"]
    first = (await street.of(row, "periods"))[1]
    assert first["endsAt"] == row["currentPeriodStart"]
    assert await street.has_right_books()


async def test_what_is_scheduled_is_shown_and_can_be_taken_back(
    street: Street, subscription: Json, team: str
):
    quote = await quoted(
        street, subscription, productPriceUuid=team, quantity=3, mode="next_period"
    )
    assert (quote["lines"], quote["amountDue"]) == ([], 0)
    assert quote["takesEffectAt"] == subscription["currentPeriodEnd"]
    for _ in range(2):
        assert (await accepted(street, subscription, quote))["outcome"] == "scheduled"
    waiting = (await street.now(subscription))["scheduledChange"]
    assert (waiting["productPriceUuid"], waiting["quantity"]) == (team, 3)
    path = of(subscription, "scheduled-change")
    for _ in range(2):
        row = await street.house.ok(street.member, "DELETE", path)
        assert row["scheduledChange"] is None and plan(row) == plan(subscription)


async def test_what_is_scheduled_is_billed_with_the_next_period(
    street: Street, subscription: Json, team: str
):
    quote = await quoted(street, subscription, productPriceUuid=team, mode="next_period")
    await accepted(street, subscription, quote)
    await street.days_pass()
    assert (await street.charge())["amount"] == 49_00
    assert (await street.now(subscription))["productPriceUuid"] == team


async def test_with_a_key_a_repeat_gets_the_first_answer(
    street: Street, subscription: Json, team: str
):
    quote = await quoted(street, subscription, productPriceUuid=team)
    first = await accepts(street, subscription, quote, Idempotency_Key="k")
    await street.bank_says("paid")
    again = await accepts(street, subscription, quote, Idempotency_Key="k")
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await quoted(street, subscription, quantity=2)
    reused = await accepts(street, subscription, other, Idempotency_Key="k")
    assert reused.status_code == 422
    assert len(await street.charges()) == 1


@pytest.mark.parametrize("key", [None, "the same"])
async def test_accepted_by_many_at_once_it_is_one_charge(
    street: Street, subscription: Json, team: str, key: str | None
):
    quote = await quoted(street, subscription, productPriceUuid=team)
    headers = {} if key is None else {"Idempotency_Key": key}
    answers = await asyncio.gather(
        *(accepts(street, subscription, quote, **headers) for _ in range(5))
    )
    statuses = {answer.status_code for answer in answers}
    assert statuses <= ({200} if key is None else {200, 409}) and 200 in statuses
    assert len(await street.charges()) == 1
    await street.bank_says("paid")
    row = await street.now(subscription)
    assert (row["productPriceUuid"], row["version"]) == (team, 2)


async def test_a_charge_that_the_provider_never_answered_is_made_once_by_a_worker(
    street: Street, subscription: Json, team: str
):
    fault = {"operation": "createPayment", "kind": "status", "status": 503}
    assert (await street.sandbox.post("/_control/faults", json=fault)).is_success
    quote = await quoted(street, subscription, productPriceUuid=team)
    assert (await accepted(street, subscription, quote))["outcome"] == "collecting"
    assert await street.charges() == []
    attempt = await street.house.connection.fetchval(
        "update payment_attempts set due_at = now() - interval '1 s', "
        "lease_until = now() - interval '1 s' where status = 'submitting' returning uuid"
    )
    await street.parts.recover()(street.house.app.app_uuid, attempt)
    await street.bank_says("paid")
    assert (await street.now(subscription))["productPriceUuid"] == team


async def test_canceled_while_it_is_being_paid_its_money_goes_back(
    street: Street, subscription: Json, team: str
):
    quote = await quoted(street, subscription, productPriceUuid=team)
    await accepted(street, subscription, quote)
    await street.wishes(subscription, "cancel", when="now")
    charge = await street.bank_says("paid")
    row = await street.now(subscription)
    assert (row["status"], plan(row)) == ("canceled", plan(subscription))
    path = f"/payments/{charge['uuid']}/refunds"
    (refund,) = (await street.asks("GET", path)).json()["items"]
    assert (refund["reason"], refund["amount"]) == ("surplus", UPGRADE)
    assert await street.has_right_books()


# What is refused, and changes nothing

BAD_QUOTES: dict[str, tuple[Json, str | None]] = {
    "nothing to change": ({}, None),
    "no mode": ({"mode": ..., "quantity": 2}, "mode"),
    "an unknown mode": ({"mode": "tomorrow", "quantity": 2}, "mode"),
    "no seat": ({"quantity": 0}, "quantity"),
    "too many seats": ({"quantity": 10_001}, "quantity"),
    "half a seat": ({"quantity": 1.5}, "quantity"),
    "seats in words": ({"quantity": "2"}, "quantity"),
    "no seats said": ({"quantity": None}, "quantity"),
    "no uuid": ({"productPriceUuid": "pro"}, "productPriceUuid"),
    "no price": ({"productPriceUuid": None}, "productPriceUuid"),
    "a rate in percent": ({"taxRateUuid": 19}, "taxRateUuid"),
    "an amount": ({"quantity": 2, "amount": 1}, "amount"),
}


async def test_a_bad_question_is_told_which_field_is_wrong(street: Street, subscription: Json):
    before = await street.house.rows()
    for what, (said, field) in BAD_QUOTES.items():
        answer = await quotes(street, subscription, **said)
        assert answer.status_code == 400, what
        assert list(problems(answer)) == [field], what
    assert await street.house.rows() == before


async def test_what_cannot_be_changed_to_is_named(street: Street, subscription: Json):
    house = street.house
    archived = await priced(street, 5_00)
    await house.ok(house.app.admin, "DELETE", f"/prices/{archived}")
    dollars = await priced(street, 5_00, currency="USD")
    for price in (archived, dollars, house.app.ids["price"]):
        answer = await quotes(street, subscription, productPriceUuid=price)
        assert (answer.status_code, list(problems(answer))) == (422, ["productPriceUuid"])
    for price in (NOTHING, house.other.ids["monthly"]):
        assert code(await quotes(street, subscription, productPriceUuid=price)) == "404 [E4040]"
    for rate in (NOTHING, house.other.ids["exclusive"]):
        assert code(await quotes(street, subscription, taxRateUuid=rate)) == "404 [E4040]"
    same = await quotes(street, subscription, quantity=1)
    assert same.status_code == 422 and list(problems(same)) == [None]


async def test_a_text_that_is_no_quote_for_this_subscription_changes_nothing(
    street: Street, subscription: Json
):
    text = (await quoted(street, subscription, quantity=2))["quote"]
    other = await street.subscribed()
    before = await street.house.rows()
    middle = len(text) // 2
    tampered = text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :]
    for row, stolen in ((other, text), (subscription, tampered), (subscription, "quote")):
        answer = await accepts(street, row, stolen)
        assert (answer.status_code, list(problems(answer))) == (422, ["quote"])
    for bad in ({}, {"quote": ""}, {"quote": None}, {"quote": "x" * 8193}):
        answer = await street.asks("POST", of(subscription, "changes"), bad)
        assert (answer.status_code, list(problems(answer))) == (400, ["quote"])
    assert await street.house.rows() == before


async def test_a_quote_that_something_has_come_after_is_told_so(
    street: Street, subscription: Json, team: str
):
    quote = await quoted(street, subscription, productPriceUuid=team)
    await accepted(
        street, subscription, await quoted(street, subscription, quantity=2, mode="no_bill")
    )
    before = await street.house.rows()
    answer = await accepts(street, subscription, quote)
    assert answer.status_code == 409 and "changed since" in problems(answer)[None]
    assert await street.house.rows() == before


async def test_one_that_has_ended_cannot_be_changed(street: Street, subscription: Json):
    quote = await quoted(street, subscription, quantity=2, mode="no_bill")
    await street.wishes(subscription, "cancel", when="now")
    for answer in (
        await accepts(street, subscription, quote),
        await quotes(street, subscription, quantity=2),
    ):
        assert answer.status_code == 409 and "ended" in problems(answer)[None]


async def test_a_reader_is_told_that_it_is_not_theirs_to_change_and_a_stranger_nothing(
    street: Street, subscription: Json, house: House
):
    quote = await quoted(street, subscription, quantity=2)
    before = await house.rows()
    asked = (
        ("POST", "change-quotes", {"mode": "no_bill", "quantity": 2}),
        ("POST", "changes", {"quote": quote["quote"]}),
        ("DELETE", "scheduled-change", ...),
    )
    for method, path, body in asked:
        reader = house.app.user("guest", "billing:read")
        answer = await house.ask(reader, method, of(subscription, path), body)
        assert code(answer) == "403 [E4031]"
        for who in (house.app.user("neighbour"), house.app.user("guest")):
            answer = await house.ask(who, method, of(subscription, path), body)
            assert code(answer) == "404 [E4040]"
    assert await house.rows() == before


async def test_it_can_be_followed_in_the_history_and_the_feed(
    street: Street, subscription: Json, team: str, house: House
):
    quote = await quoted(street, subscription, productPriceUuid=team)
    await accepted(street, subscription, quote)
    await street.bank_says("paid")
    history = [
        (row["oldStatus"], row["newStatus"]) for row in await street.of(subscription, "history")
    ]
    assert history[:2] == [("collecting", "active"), ("active", "collecting")]
    kinds = await house.connection.fetch(
        "select kind from ledger_postings where source_uuid = $1", UUID(quote["uuid"])
    )
    assert [row["kind"] for row in kinds] == ["bill.issued"]
