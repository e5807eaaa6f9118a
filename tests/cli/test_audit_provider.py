"""Our payments, refunds and chargebacks against the provider's own lists."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import asyncpg
import pytest
from msgspec.structs import replace

from app.cli.audit_provider import ProviderAudit
from domain.kernel.errors import ProviderUnavailable
from domain.payments.answers import (
    PaymentStatus,
    ProviderChargeback,
    ProviderPayment,
    ProviderRefund,
    RefundStatus,
)
from domain.payments.payment_provider import PaymentProvider, ProviderName
from infrastructure.postgres.audit import AuditTx, Row
from infrastructure.postgres.database import Database
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.provider import FakeProvider, Fault
from tests.fakes.provider_world import World
from tests.infrastructure import right_books as books
from tests.infrastructure.right_books import Books
from tests.make import a_uuid, an_account, money
from tests.make_checkout import said

LATER: Final = NOON + timedelta(days=62)
REACH: Final = timedelta(days=90)
REFS: Final = {
    payment: f"tr_{payment.hex[-4:]}"
    for payment in (
        books.SALE_PAYMENT,
        books.SUB_PAYMENT,
        books.SECOND_PAYMENT,
        books.SETUP_PAYMENT,
    )
}
SALE: Final = REFS[books.SALE_PAYMENT]


class Desk:
    """Right books, and a provider that holds the same."""

    def __init__(self, database: Database[AuditTx], connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.account: PaymentProvider = an_account(uuid=books.ACCOUNT)
        self.fake = FakeProvider(FakeClock(NOON))
        providers = {ProviderName.MOLLIE: self.fake.provider}
        self.audit = ProviderAudit(database, providers, FakeClock(LATER))

    @property
    def world(self) -> World:
        return self.fake.world(self.account)

    def hold(self, ref: str, minor: int, **facts: Any) -> None:
        amount = {"amount": money(minor), "attempt_uuid": a_uuid(999)}
        self.world.payments[ref] = said(PaymentStatus.PAID, ref=ref, **amount | facts)

    def hold_refund(self, ref: str, payment_ref: str, minor: int, **facts: Any) -> None:
        usual = {"status": RefundStatus.REFUNDED, "refund_uuid": None, "created_at": NOON}
        self.world.refunds[ref] = ProviderRefund(
            ref=ref, payment_ref=payment_ref, amount=money(minor), **usual | facts
        )

    def hold_chargeback(self, ref: str, payment_ref: str, minor: int, **facts: Any) -> None:
        self.world.chargebacks[ref] = ProviderChargeback(
            ref=ref, payment_ref=payment_ref, amount=money(minor), created_at=NOON, **facts
        )

    def see(self, ref: str, **changes: Any) -> None:
        payment: ProviderPayment = self.world.payments[ref]
        self.world.payments[ref] = replace(payment, **changes)

    async def finds(self) -> list[Row]:
        return await self.audit.differences(self.account, REACH)

    async def note(self, statement: str) -> None:
        async with self.connection.transaction():
            await self.connection.execute(statement)


@pytest.fixture
async def desk(clean_database: str) -> AsyncIterator[Desk]:
    database = Database(clean_database, AuditTx, pool_size=1)
    connection = await asyncpg.connect(clean_database)
    try:
        async with connection.transaction():
            await Books(connection).write()
        async with database.open():
            desk = Desk(database, connection)
            desk.hold(SALE, 1190, refunded=money(400))
            desk.hold(REFS[books.SUB_PAYMENT], 1000)
            desk.hold(REFS[books.SECOND_PAYMENT], 900)
            desk.hold(REFS[books.SETUP_PAYMENT], 100, refunded=money(100))
            desk.hold_refund("re_1", SALE, 400, refund_uuid=books.SALE_REFUND)
            desk.hold_refund("re_2", REFS[books.SETUP_PAYMENT], 100)
            desk.hold_chargeback("chb_1", REFS[books.SECOND_PAYMENT], 900, reversed_at=NOON)
            yield desk
    finally:
        await connection.close()


async def test_the_same_here_and_there_is_no_difference(desk: Desk):
    assert await desk.finds() == []
    assert {asked.operation for asked in desk.fake.calls} == {
        "list_payments",
        "list_all_refunds",
        "list_all_chargebacks",
    }


@pytest.mark.parametrize(
    ("changes", "fault", "ours", "theirs"),
    [
        ({"status": PaymentStatus.FAILED}, "status", "paid", "failed"),
        ({"amount": money(1189)}, "amount", "1190 EUR", "1189 EUR"),
        ({"amount": money(1190, "USD")}, "amount", "1190 EUR", "1190 USD"),
        ({"refunded": money(500)}, "refunded", "400 EUR", "500 EUR"),
        ({"charged_back": money(1)}, "charged back", "0 EUR", "1 EUR"),
    ],
)
async def test_a_payment_that_is_otherwise_there_is_told(
    desk: Desk, changes: dict[str, Any], fault: str, ours: str, theirs: str
):
    desk.see(SALE, **changes)
    assert await desk.finds() == [{"payment": SALE, "fault": fault, "ours": ours, "theirs": theirs}]


async def test_a_payment_that_we_look_at_by_ourselves_is_not_told_yet(desk: Desk):
    desk.see(SALE, status=PaymentStatus.FAILED)
    await desk.note(f"update payments set due_at = '{LATER}' where provider_ref = '{SALE}'")
    assert await desk.finds() == []
    late = LATER - timedelta(minutes=11)
    await desk.note(f"update payments set due_at = '{late}' where provider_ref = '{SALE}'")
    assert [row["fault"] for row in await desk.finds()] == ["status"]


async def test_a_payment_for_us_that_we_do_not_have_is_told(desk: Desk):
    desk.hold("tr_lost", 500)
    desk.hold("tr_of_others", 700, attempt_uuid=None)
    assert await desk.finds() == [
        {"payment": "tr_lost", "fault": "missing here", "ours": None, "theirs": "500 EUR"}
    ]


async def test_a_payment_whose_answer_is_on_its_way_is_not_told(desk: Desk):
    desk.hold("tr_new", 500, attempt_uuid=books.SALE_ATTEMPT)
    assert [row["fault"] for row in await desk.finds()] == ["missing here"]
    await desk.note(
        f"update payment_attempts set status = 'submitting' where uuid = '{books.SALE_ATTEMPT}'"
    )
    assert await desk.finds() == []


async def test_a_payment_that_the_provider_does_not_know_is_told(desk: Desk):
    del desk.world.payments[SALE], desk.world.refunds["re_1"]
    await desk.note("delete from refunds where provider_ref = 're_1'")
    assert await desk.finds() == [
        {"payment": SALE, "fault": "missing there", "ours": SALE, "theirs": None}
    ]


async def test_a_payment_that_is_older_there_is_asked_for_by_itself(desk: Desk):
    desk.see(SALE, created_at=LATER - REACH - timedelta(days=2))
    assert await desk.finds() == []
    assert "get_payment" in {asked.operation for asked in desk.fake.calls}


async def test_refunds_are_compared_one_by_one(desk: Desk):
    desk.hold_refund("re_1", SALE, 400, status=RefundStatus.FAILED)
    desk.hold_refund("re_3", SALE, 100)
    desk.hold_refund("re_of_others", "tr_of_others", 100)
    desk.world.refunds.pop("re_2")
    assert await desk.finds() == [
        {"refund": "re_3", "fault": "missing here", "ours": None, "theirs": "100 EUR"},
        {"refund": "re_1", "fault": "status", "ours": "refunded", "theirs": "failed"},
        {"refund": "re_2", "fault": "missing there", "ours": "re_2", "theirs": None},
    ]


async def test_a_refund_that_is_being_asked_for_is_not_told(desk: Desk):
    await desk.note(
        "update refunds set status = 'requested', provider_ref = null where provider_ref = 're_1'"
    )
    assert await desk.finds() == []


async def test_a_refund_that_fell_through_need_not_be_there(desk: Desk):
    desk.world.refunds.pop("re_1")
    await desk.note("update refunds set status = 'canceled' where provider_ref = 're_1'")
    assert await desk.finds() == []


async def test_chargebacks_are_compared_one_by_one(desk: Desk):
    desk.hold_chargeback("chb_1", REFS[books.SECOND_PAYMENT], 900)
    desk.hold_chargeback("chb_2", SALE, 790)
    desk.hold_chargeback("chb_of_others", "tr_of_others", 1)
    assert await desk.finds() == [
        {"chargeback": "chb_2", "fault": "missing here", "ours": None, "theirs": "790 EUR"},
        {"chargeback": "chb_1", "fault": "reversed", "ours": "True", "theirs": "False"},
    ]
    del desk.world.chargebacks["chb_1"], desk.world.chargebacks["chb_2"]
    assert await desk.finds() == [
        {"chargeback": "chb_1", "fault": "missing there", "ours": "chb_1", "theirs": None}
    ]


@pytest.mark.parametrize("operation", ["list_payments", "list_all_refunds", "list_all_chargebacks"])
async def test_without_the_providers_lists_nothing_is_proven(desk: Desk, operation: str):
    desk.fake.fail_next(operation, Fault.UNAVAILABLE)
    with pytest.raises(ProviderUnavailable):
        await desk.finds()
