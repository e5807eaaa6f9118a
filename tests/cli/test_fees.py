"""`kontor accounts`: the fee that the operator takes, set and ended at a database."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from domain.payments.application_fee import ApplicationFee
from domain.payments.payment_provider import ConnectedBy
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from tests.cli.test_operator_commands import Operator
from tests.make import APP, a_uuid, an_account, an_app

BY_KEY = an_account(uuid=a_uuid(41))
CONNECTED = an_account(
    uuid=a_uuid(42),
    connected_by=ConnectedBy.OAUTH,
    credential_sealed=None,
    account_ref="org_1",
)
FEE = ("accounts", "fee", "--app", APP, "--account", CONNECTED.uuid)
SAID = ("--description", "Platform fee")


def within(url: str, work: Callable[[PostgresTx], Awaitable[object]]) -> object:
    async def run() -> object:
        database = Database(url, PostgresTx, pool_size=1)
        async with database.open(), database.begin(APP) as tx:
            return await work(tx)

    return asyncio.run(run())


@pytest.fixture
def operator(clean_database: str) -> Operator:
    async def add(tx: PostgresTx) -> None:
        await tx.apps.add(an_app())
        for account in (BY_KEY, CONNECTED):
            await tx.payment_providers.add(account)

    within(clean_database, add)
    return Operator({"KONTOR_DATABASE_URL": clean_database})


def fee_in(url: str) -> object:
    async def read(tx: PostgresTx) -> object:
        return (await tx.payment_providers.get(CONNECTED.uuid)).application_fee

    return within(url, read)


def test_a_fee_is_set_replaced_and_ended(operator: Operator, clean_database: str):
    said = operator.types(
        *FEE, "--basis-points", 150, "--fixed", "EUR=25", "--fixed", "JPY=30", *SAID
    )
    assert said == "150 basis points + 25 EUR + 30 JPY"
    assert fee_in(clean_database) == ApplicationFee(
        basis_points=150, fixed_minor={"EUR": 25, "JPY": 30}, description="Platform fee"
    )
    assert operator.types(*FEE, "--basis-points", 5, *SAID) == "5 basis points"
    assert operator.types("accounts", "no-fee", *FEE[2:]) == "no fee"
    assert fee_in(clean_database) is None


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--basis-points", 10_001),
        ("--basis-points", -1),
        ("--basis-points", "1.5"),
        ("--fixed", "EUR"),
        ("--fixed", "EUR=0"),
        ("--fixed", "EUR=0.25"),
        ("--fixed", "EUR=-1"),
        ("--fixed", "eur=25"),
        ("--fixed", "XXX=25"),
        ("--fixed", "EUR=25", "--fixed", "EUR=30"),
        ("--fixed", "EUR=1000001"),
    ],
)
def test_a_fee_that_cannot_be_meant_is_refused(
    operator: Operator, clean_database: str, words: tuple[object, ...]
):
    operator.is_refused(*FEE, *words, *SAID)
    assert fee_in(clean_database) is None


@pytest.mark.parametrize("description", ["", "x" * 256])
def test_a_fee_says_what_it_is(operator: Operator, description: str):
    operator.is_refused(*FEE, "--basis-points", 1, "--description", description)


def test_no_fee_is_taken_where_no_merchant_has_let_us_in(operator: Operator):
    path = ("accounts", "fee", "--app", APP, "--account", BY_KEY.uuid)
    assert "by its key" in operator.is_refused(*path, "--basis-points", 1, *SAID)
    unknown = ("accounts", "fee", "--app", APP, "--account", a_uuid(99))
    assert "no payment provider" in operator.is_refused(*unknown, "--basis-points", 1, *SAID)
