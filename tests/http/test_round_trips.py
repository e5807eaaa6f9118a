"""The budget of the main endpoint: how often it goes to PostgreSQL before and after its call.

Counted on the wire by bench/relay.py, with everything warm; nothing here is timed.
"""

import pytest

from app.settings import Settings
from bench.relay import PostgresWatch, Trip
from bench.request import Facts, checkout, listing, payment_session
from bench.round_trips import Count, Trips, counter
from tests.http.house import House


def facts_of(house: House) -> Facts:
    app = house.app
    return Facts(
        app_uuid=str(app.app_uuid),
        tenant_uuid=app.ids["tenant"],
        user_uuid=app.ids["member"],
        prices={"oneTime": app.ids["price"]},
        tax_rates={"exclusive19": app.ids["exclusive"]},
        tokens={"tenant": app.token("member")},
        mollie_api_key=app.secrets["mollie"],
    )


@pytest.mark.parametrize("has_key", [True, False], ids=["with a key", "without a key"])
async def test_a_checkout_reads_once_and_writes_once_then_calls_then_concludes_in_one_transaction(
    house: House, settings: Settings, has_key: bool
):
    async with counter(settings) as counting:
        count = await counting.count(checkout(facts_of(house), has_key=has_key), "test")

    assert count.before.statements <= 2
    assert count.before.transactions == 1
    assert count.provider_calls == 1
    assert count.after.transactions == 1
    assert count.after.statements == 1
    assert count.is_within_budget


async def test_a_payment_session_costs_a_checkout_and_what_it_decides_and_concludes(
    house: House, settings: Settings
):
    """Before the call: admission, claim, two reads and one write of its own; then the checkout's
    read and write. After it: the checkout's conclusion; link, outcome and answer."""
    facts, token = facts_of(house), house.app.token("member", "billing:write")
    async with counter(settings) as counting:
        count = await counting.count(payment_session(facts, token), "test")

    assert count.provider_calls == 1
    assert (count.before.statements, count.before.transactions) == (7, 2)
    assert (count.after.statements, count.after.transactions) == (4, 2)


async def test_a_page_of_products_is_read_in_one_transaction_however_many_there_are(
    house: House, settings: Settings
):
    async with counter(settings) as counting:
        count = await counting.count(listing(facts_of(house)), "test")

    assert count.before == Trips(statements=2, brackets=2, transactions=1)
    assert count.provider_calls == 0


def said(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4) + body


def test_a_round_trip_is_what_the_client_waits_for_however_its_bytes_arrive():
    journal: list[Trip] = []
    watch = PostgresWatch(journal)
    sent = (
        said(b"", b"\0\3\0\0user\0app\0\0")
        + said(b"Q", b"begin; set local a.b = 'c'\0")
        + said(b"P", b"one\0select\n  $1\0\0\0")
        + said(b"D", b"Sone\0")
        + said(b"H", b"")
        + said(b"B", b"\0one\0\0\0")
        + said(b"E", b"\0\0\0\0\0")
        + said(b"S", b"")
        + said(b"Q", b"commit\0")
    )
    for byte in sent:
        watch(bytes([byte]))

    assert [trip.said for trip in journal] == [
        "begin; set local a.b = 'c'",
        "prepare: select $1",
        "select $1",
        "commit",
    ]


def test_a_third_statement_before_the_call_and_a_second_transaction_after_it_break_the_budget():
    def ran(*said: str) -> list[Trip]:
        return [Trip("provider" if s == "call" else "database", s) for s in said]

    good = ran("begin", "read", "write", "commit", "call", "begin", "write", "commit")
    third = ran("begin", "read", "read", "write", "commit", "call", "begin", "write", "commit")
    second = ran("begin", "read", "commit", "call", "begin", "commit", "begin", "commit")

    assert [Count.of(j).is_within_budget for j in (good, third, second)] == [True, False, False]
