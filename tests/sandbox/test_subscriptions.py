"""Subscriptions: dates, charges on the clock, and everything that ends one. Nobody is told."""

from datetime import date

import pytest

from app.sandbox.mollie.intervals import nth_date, parse
from tests.sandbox.shop import eventually


@pytest.mark.parametrize(
    ("anchor", "interval", "n", "expected"),
    [
        ("2026-01-31", "1 month", 1, "2026-02-28"),
        ("2026-01-31", "1 month", 2, "2026-03-31"),
        ("2024-01-31", "1 month", 1, "2024-02-29"),
        ("2026-04-30", "1 month", 1, "2026-05-31"),
        ("2026-01-30", "1 month", 1, "2026-02-28"),
        ("2026-01-30", "1 month", 2, "2026-03-30"),
        ("2026-11-15", "3 months", 1, "2027-02-15"),
        ("2024-02-29", "12 months", 1, "2025-02-28"),
        ("2024-02-29", "12 months", 4, "2028-02-29"),
        ("2026-12-28", "1 week", 1, "2027-01-04"),
        ("2026-02-27", "2 days", 1, "2026-03-01"),
    ],
)
def test_dates_follow_the_calendar_and_never_drift(anchor, interval, n, expected):
    assert nth_date(date.fromisoformat(anchor), interval, n).isoformat() == expected


@pytest.mark.parametrize(
    "interval", ["1 year", "13 months", "53 weeks", "366 days", "0 days", "month"]
)
def test_intervals_above_a_year_or_of_another_kind_do_not_exist(interval):
    assert parse(interval) is None


def a_plan(**changes):
    return {
        "amount": {"currency": "EUR", "value": "9.99"},
        "interval": "1 month",
        "description": "Kontor Pro",
        "webhookUrl": "https://shop.example.org/hook",
        "metadata": {"plan": "pro"},
        **changes,
    }


@pytest.fixture
async def subscribed(shop):
    """A customer with a mandate, on the last day of January."""
    await shop.control("clock", now="2026-01-31T12:00:00Z")
    customer, _ = await shop.mandate()
    return f"customers/{customer}/subscriptions"


async def charges(shop, path, id):
    page = await shop.get(f"{path}/{id}/payments")
    return page["_embedded"]["payments"]


async def test_without_a_start_date_it_charges_the_same_day(shop, hooks, subscribed):
    made = await shop.post(subscribed, a_plan())
    assert (made["status"], made["startDate"]) == ("active", "2026-01-31")
    assert "payments" not in made["_links"]

    await shop.advance(hours=2)
    [charge] = await charges(shop, subscribed, made["id"])
    assert charge["status"] == "paid"
    assert charge["subscriptionId"] == made["id"]
    assert charge["description"] == "Kontor Pro"
    assert charge["metadata"] == {"plan": "pro"}
    await eventually(lambda: charge["id"] in hooks.ids)
    assert (await shop.get(f"{subscribed}/{made['id']}"))["nextPaymentDate"] == "2026-02-28"


async def test_with_a_start_date_it_charges_then_and_on_that_day_of_every_month(shop, subscribed):
    made = await shop.post(subscribed, a_plan(startDate="2026-02-28"))
    await shop.control("clock", now="2026-04-29T12:00:00Z")
    dates = [c["createdAt"][:10] for c in await charges(shop, subscribed, made["id"])]
    assert dates == ["2026-04-28", "2026-03-28", "2026-02-28"]


async def test_it_is_completed_when_its_times_are_used_up(shop, subscribed):
    made = await shop.post(subscribed, a_plan(times=2))
    assert made["timesRemaining"] == 2
    await shop.advance(days=90)
    done = await shop.get(f"{subscribed}/{made['id']}")
    assert (done["status"], done["timesRemaining"]) == ("completed", 0)
    assert "nextPaymentDate" not in done
    assert len(await charges(shop, subscribed, made["id"])) == 2


async def test_in_test_mode_it_ends_after_ten_charges(shop, subscribed):
    made = await shop.post(subscribed, a_plan(interval="1 day"))
    await shop.advance(days=40)
    ended = await shop.get(f"{subscribed}/{made['id']}")
    assert ended["status"] == "canceled"
    assert len(await charges(shop, subscribed, made["id"])) == 10


async def test_a_failed_charge_leaves_it_active_and_is_not_repeated(shop, subscribed):
    await shop.control("settings", recurringOutcome="failed")
    made = await shop.post(subscribed, a_plan())
    await shop.advance(days=20)
    assert [c["status"] for c in await charges(shop, subscribed, made["id"])] == ["failed"]
    assert (await shop.get(f"{subscribed}/{made['id']}"))["status"] == "active"


@pytest.mark.parametrize(
    ("reason", "status"), [("refused_by_issuer", "canceled"), ("insufficient_funds", "active")]
)
async def test_two_refused_direct_debits_end_it_but_an_empty_account_does_not(shop, reason, status):
    customer, _ = await shop.mandate(method="ideal")
    path = f"customers/{customer}/subscriptions"
    await shop.control("settings", recurringOutcome="failed", recurringFailureReason=reason)
    made = await shop.post(path, a_plan(interval="1 day"))
    await shop.advance(days=3)
    assert (await shop.get(f"{path}/{made['id']}"))["status"] == status


async def test_it_waits_for_a_pending_mandate(shop):
    await shop.control("settings", mandateDelaySeconds=86_400)
    customer, _ = await shop.mandate()
    path = f"customers/{customer}/subscriptions"
    made = await shop.post(path, a_plan())
    assert made["status"] == "pending"
    await shop.advance(days=2)
    assert (await shop.get(f"{path}/{made['id']}"))["status"] == "active"
    assert len(await charges(shop, path, made["id"])) == 1


async def test_it_ends_with_its_mandate(shop, subscribed):
    made = await shop.post(subscribed, a_plan())
    mandates = subscribed.replace("subscriptions", "mandates")
    [mandate] = (await shop.get(mandates))["_embedded"]["mandates"]
    await shop.call("DELETE", f"{mandates}/{mandate['id']}")
    assert (await shop.get(f"{subscribed}/{made['id']}"))["status"] == "canceled"


async def test_a_canceled_one_charges_no_more_and_cannot_be_changed(shop, subscribed):
    made = await shop.post(subscribed, a_plan())
    path = f"{subscribed}/{made['id']}"
    answer = await shop.call("DELETE", path)
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    assert answer.json()["canceledAt"]
    await shop.advance(days=60)
    assert await charges(shop, subscribed, made["id"]) == []
    assert (await shop.call("PATCH", path, json={"times": 3})).status_code == 422


async def test_a_new_interval_counts_from_the_last_charge(shop, subscribed):
    made = await shop.post(subscribed, a_plan())
    await shop.advance(hours=2)
    path = f"{subscribed}/{made['id']}"
    changed = await shop.call("PATCH", path, json={"interval": "1 week"})
    assert changed.json()["nextPaymentDate"] == "2026-02-07"
    late = {"startDate": "2026-03-01"}
    assert (await shop.refused(path, late, "PATCH"))[:2] == (422, "startDate")
    moved = {"nextPaymentDate": "2026-03-01"}
    assert (await shop.refused(path, moved, "PATCH"))[:2] == (422, "nextPaymentDate")


REFUSALS = [
    ({"interval": "1 year"}, "interval"),
    ({"interval": None}, "interval"),
    ({"amount": None}, "amount"),
    ({"description": None}, "description"),
    ({"startDate": "2026-01-30"}, "startDate"),
    ({"startDate": "tomorrow"}, "startDate"),
    ({"times": 0}, "times"),
    ({"method": "ideal"}, "method"),
    ({"method": "directdebit"}, "customerId"),
    ({"mandateId": "mdt_unknown"}, "mandateId"),
    ({"method": "creditcard", "mandateId": "mdt_unknown"}, "mandateId"),
    ({"testmode": True}, "testmode"),
]


@pytest.mark.parametrize(("change", "field"), REFUSALS)
async def test_bad_input_is_refused_by_the_name_of_its_field(shop, subscribed, change, field):
    assert (await shop.refused(subscribed, a_plan(**change)))[:2] == (422, field)


async def test_a_description_is_used_once_at_a_time(shop, subscribed):
    made = await shop.post(subscribed, a_plan())
    status, _, detail = await shop.refused(subscribed, a_plan())
    assert status == 422
    assert "same description already exists" in detail
    await shop.call("DELETE", f"{subscribed}/{made['id']}")
    await shop.post(subscribed, a_plan())


async def test_all_subscriptions_of_a_key_are_listed(shop, subscribed):
    made = await shop.post(subscribed, a_plan())
    page = await shop.get("subscriptions")
    assert [one["id"] for one in page["_embedded"]["subscriptions"]] == [made["id"]]
