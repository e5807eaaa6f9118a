"""The books read back: postings in their order, balances, and who sees whose."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.catalog.quote import Quote
from domain.kernel.ids import TenantUuid
from domain.ledger import rules
from infrastructure.postgres.ddl import APP_SETTING, ROLE
from tests.http.house import CLOCK, IDS, Estate, Headers, House, Json, code, problems
from tests.make import a_uuid, money
from tests.make_ledger import SOLD, a_quote

POSTINGS, BALANCES = "/ledger/postings", "/ledger/balances"
YEARS_AGO = datetime.fromisoformat("2020-01-01T00:00:00+00:00")


def fact(estate: Estate, at: datetime, tenant: str = "tenant", **facts: str) -> rules.Fact:
    return rules.Fact(
        source_uuid=IDS.new(),
        tenant_uuid=TenantUuid(UUID(estate.ids[tenant])),
        at=at,
        facts=facts,
    )


@pytest.fixture
async def books(house: House) -> House:
    """After the credit that every tenant has: a sale, its money, and the neighbour's surplus."""
    day = timedelta(days=1)
    async with house.database.begin(house.app.app_uuid) as tx:
        await tx.ledger.append(
            rules.sale_made(fact(house.app, YEARS_AGO), SOLD),
            rules.payment_received(
                fact(house.app, YEARS_AGO + day, paymentUuid="p"),
                settles=SOLD.total,
                held=money(0),
            ),
            rules.payment_received(
                fact(house.app, YEARS_AGO + 2 * day, "other_tenant"),
                settles=money(0, "JPY"),
                held=money(100, "JPY"),
            ),
        )
    return house


async def listed(house: House, query: str = "", who: Headers | None = None) -> list[Json]:
    answer = await house.ask(who or house.app.admin, "GET", POSTINGS + query)
    assert answer.status_code == 200, answer.text
    page: Json = answer.json()
    assert (page["kind"], page["itemsLength"]) == ("postings", len(page["items"]))
    items: list[Json] = page["items"]
    return items


async def kinds(house: House, query: str = "", who: Headers | None = None) -> list[str]:
    return [item["kind"] for item in await listed(house, query, who)]


def entries(item: Json, name: str = "entries") -> dict[str, int]:
    return {entry["account"]: entry["amount"] for entry in item[name] if entry["amount"]}


async def test_a_posting_shows_the_accounts_that_it_moves(books: House):
    items = await listed(books)
    assert [item["kind"] for item in items] == [
        "balance.granted",
        "sale.made",
        "payment.received",
        "payment.received",
    ]
    received = items[2]
    assert received["entries"] == [
        {"account": "receivable", "amount": -1189},
        {"account": "cash", "amount": 1189},
    ]
    assert (received["currency"], received["facts"]) == ("EUR", {"paymentUuid": "p"})
    assert received["happenedAt"] == "2020-01-02T00:00:00.000Z"
    assert received["recordedAt"] > received["happenedAt"]
    assert received["tenantUuid"] == books.app.ids["tenant"]
    assert received["appUuid"] == str(books.app.app_uuid)
    assert await books.ok(books.app.admin, "GET", f"{POSTINGS}/{received['uuid']}") == received


async def test_a_reader_goes_on_where_it_stopped(books: House):
    everything = await listed(books)
    read = await listed(books, "?limit=3")
    read += await listed(books, f"?limit=3&after={read[-1]['uuid']}")
    assert read == everything
    assert await listed(books, f"?after={read[-1]['uuid']}") == []
    unknown = await books.ask(books.app.admin, "GET", f"{POSTINGS}?after={a_uuid(404)}")
    assert code(unknown) == "404 [E4040]"


async def test_postings_are_narrowed_down(books: House):
    neighbour = books.app.ids["other_tenant"]
    assert await kinds(books, f"?tenantUuid={neighbour}") == ["payment.received"]
    assert await kinds(books, "?account=revenue") == ["balance.granted", "sale.made"]
    assert await kinds(books, "?kind=sale.made") == ["sale.made"]
    january = "?from=2020-01-02T00:00:00Z&to=2020-01-03T01:00:00%2B01:00"
    assert await kinds(books, january) == ["payment.received"]
    assert await kinds(books, "?to=2020-01-01T00:00:00.000Z") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("account=bank", "account"),
        ("kind=gift", "kind"),
        ("from=yesterday", "from"),
        ("from=2020-01-01T00:00:00", "from"),
        ("to=2020-01-01", "to"),
        ("after=1", "after"),
        ("tenantUuid=x", "tenantUuid"),
        ("limit=101", "limit"),
    ],
)
async def test_a_parameter_that_makes_no_sense_is_named(house: House, query: str, field: str):
    answer = await house.ask(house.app.admin, "GET", f"{POSTINGS}?{query}")
    assert code(answer) == "400 [E4000]"
    assert set(problems(answer)) == {field}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"])
async def test_the_ends_of_time_are_moments_too(books: House, moment: str):
    for path in (f"{POSTINGS}?from={moment}&to={moment}", f"{BALANCES}?at={moment}"):
        answer = await books.ask(books.app.admin, "GET", path)
        assert answer.status_code == 200 or code(answer) == "400 [E4000]", answer.text


async def balances(house: House, query: str = "", who: Headers | None = None) -> dict[str, Any]:
    answer = await house.ask(who or house.app.admin, "GET", BALANCES + query)
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert all(len(item["accounts"]) == 9 for item in items)
    return {item["currency"]: entries(item, "accounts") for item in items}


async def test_balances_are_exact_by_currency(books: House):
    euro = {"cash": 1189, "revenue": 1, "tax": -190, "customer_balance": -1000}
    yen = {"cash": 100, "held": -100}
    assert await balances(books) == {"EUR": euro, "JPY": yen}
    tenant = f"?tenantUuid={books.app.ids['tenant']}"
    assert await balances(books, tenant) == {"EUR": euro}
    first_day = {"receivable": 1189, "revenue": -999, "tax": -190}
    assert await balances(books, f"{tenant}&at=2020-01-01T12:00:00Z") == {"EUR": first_day}
    assert await balances(books, "?at=2019-01-01T00:00:00Z") == {}


async def test_large_sums_keep_every_cent(books: House):
    async with books.database.begin(books.app.app_uuid) as tx:
        large = Quote(money(9 * 10**18), money(0), money(9 * 10**18))
        await tx.ledger.append(
            *(rules.sale_made(fact(books.app, CLOCK.now()), large) for _ in range(3))
        )
    assert (await balances(books))["EUR"]["receivable"] == 27 * 10**18


async def test_who_acts_for_a_tenant_sees_its_books_alone(books: House):
    member = books.app.user("member")
    own, other = books.app.ids["tenant"], books.app.ids["other_tenant"]
    for path in (POSTINGS, BALANCES):
        assert code(await books.ask(member, "GET", path)) == "403 [E4031]"
        assert (await books.ask(member, "GET", f"{path}?tenantUuid={own}")).status_code == 200
        foreign = await books.ask(member, "GET", f"{path}?tenantUuid={other}")
        unknown = await books.ask(member, "GET", f"{path}?tenantUuid={a_uuid(404)}")
        assert code(foreign) == code(unknown) == "404 [E4040]"
    (theirs,) = await listed(books, f"?tenantUuid={other}")
    foreign = await books.ask(member, "GET", f"{POSTINGS}/{theirs['uuid']}")
    assert code(foreign) == "404 [E4040]"
    mine = (await listed(books, f"?tenantUuid={own}", member))[0]
    assert await books.ok(member, "GET", f"{POSTINGS}/{mine['uuid']}") == mine


async def test_a_cursor_of_somebody_else_tells_nothing(books: House):
    """Neither that the posting is there, nor what comes after it."""
    (theirs,) = await listed(books, f"?tenantUuid={books.app.ids['other_tenant']}")
    query = f"?tenantUuid={books.app.ids['tenant']}&after="
    member = books.app.user("member")
    foreign = await books.ask(member, "GET", f"{POSTINGS}{query}{theirs['uuid']}")
    unknown = await books.ask(member, "GET", f"{POSTINGS}{query}{a_uuid(404)}")
    assert code(foreign) == code(unknown) == "404 [E4040]"


async def test_a_tenant_that_is_not_there_has_no_books(books: House):
    path = f"?tenantUuid={a_uuid(404)}"
    for books_of in (POSTINGS, BALANCES):
        assert code(await books.ask(books.app.admin, "GET", books_of + path)) == "404 [E4040]"


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger_postings set cash = cash + 1, held = held - 1",
        "update ledger_postings set happened_at = now()",
        "delete from ledger_postings",
        "truncate ledger_postings",
    ],
)
async def test_the_program_can_neither_change_nor_remove_a_posting(books: House, statement: str):
    connection = books.connection
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with connection.transaction():
            await connection.execute(f"set local role {ROLE}")
            await connection.execute(f"set local {APP_SETTING} = '{books.app.app_uuid}'")
            await connection.execute(statement)


@pytest.mark.parametrize(
    ("amounts", "rule"),
    [
        ("cash, held) values (1, 1", "ledger_postings_balance_check"),
        ("cash, held) values (1, -2", "ledger_postings_balance_check"),
        ("cash, held) values (0, 0", "ledger_postings_moves_check"),
    ],
)
async def test_the_database_takes_no_posting_that_does_not_balance(
    books: House, amounts: str, rule: str
):
    """Not even of the owner."""
    columns, values = amounts.split(") values (")
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await books.connection.execute(
            f"""
            insert into ledger_postings (app_uuid, uuid, kind, source_uuid, tenant_uuid, currency,
                   happened_at, {columns})
            values ($1, $2, 'sale.made', $2, $3, 'EUR', now(), {values})
            """,
            books.app.app_uuid,
            IDS.new(),
            UUID(books.app.ids["tenant"]),
        )
    assert refused.value.constraint_name == rule


async def test_the_same_bill_of_two_apps_is_two_facts(books: House):
    same = rules.bill_issued(fact(books.app, YEARS_AGO), a_quote(1, 0))
    async with books.database.begin(books.app.app_uuid) as tx:
        await tx.ledger.append(same)
    assert await kinds(books, "?kind=bill.issued") == ["bill.issued"]
    here = books.app.path(f"{POSTINGS}?kind=bill.issued")
    answer = await books.door.get(here, headers=dict(books.other.admin))
    assert code(answer) == "401 [E4010]"
