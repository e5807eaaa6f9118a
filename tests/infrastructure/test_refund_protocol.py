"""A refund is made once, whoever dies when: the protocol over PostgreSQL and a strict provider."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.checkout.links import Links
from domain.checkout.record_sighting import RecordSighting
from domain.kernel.errors import RefundTooSoon
from domain.kernel.money import Money
from domain.ledger.posting import PostingKind
from domain.payments.answers import PaymentStatus, ProviderPayment, RefundStatus, SequenceType
from domain.payments.attempt import OwnerKind
from domain.payments.observe_payment import ObservePayment
from domain.payments.payment_provider import PaymentProvider, ProviderName
from domain.payments.refund import Refund, RefundReason
from domain.payments.request_refund import RequestRefund, WantedRefund
from domain.payments.sighting import PaymentFile
from domain.payments.submit_refund import SubmitRefund
from domain.subscriptions.deliver_purchase import DeliverPurchase
from domain.subscriptions.write import WriteBook
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from tests.fakes.clock import FakeClock
from tests.fakes.ids import FakeIds
from tests.fakes.provider import FakeProvider, Fault
from tests.http.paid import EUR, PAID, Paid
from tests.make import APP, TENANT, a_price, a_product, a_tenant, a_uuid, an_account, an_app

LEASE: Final = timedelta(seconds=30)
PART: Final = Money(1000, EUR)
AN_HOUR: Final = timedelta(minutes=61)


@dataclass
class Desk:
    database: Database[PostgresTx]
    clock: FakeClock
    ids: FakeIds
    provider: FakeProvider
    account: PaymentProvider
    payment_uuid: UUID
    ref: str

    async def request(self, amount: Money = PART) -> Refund:
        wanted = WantedRefund(payment_uuid=self.payment_uuid, amount_minor=amount.minor)
        async with self.database.begin(APP) as tx:
            providers = {ProviderName.MOLLIE: self.provider.provider}
            return await RequestRefund(providers, self.clock, self.ids)(tx, wanted)

    async def submit(self, refund: Refund) -> object:
        providers = {ProviderName.MOLLIE: self.provider.provider}
        return await SubmitRefund(self.database, providers, self.clock, LEASE)(APP, refund.uuid)

    async def work(self) -> None:
        """What a worker finds due now."""
        async with self.database.begin(APP) as tx:
            due = await tx.due_work.refunds(self.clock.now())
            refunds = [await tx.refunds.get(uuid) for uuid in due]
        for refund in refunds:
            await self.submit(refund)

    async def look(self) -> PaymentFile:
        providers = {ProviderName.MOLLIE: self.provider.provider}
        write = WriteBook(providers, Links("https://kontor.test"), self.ids)
        recorders = {OwnerKind.SESSION: RecordSighting(DeliverPurchase(write, self.ids), self.ids)}
        observe = ObservePayment(self.database, providers, recorders, self.clock)
        await observe(APP, self.account.uuid, self.ref)
        return await self.file()

    async def file(self) -> PaymentFile:
        async with self.database.begin(APP) as tx:
            return await tx.payments.lock_file(self.payment_uuid)

    def made(self) -> int:
        return len(self.provider.made("refund"))


@pytest.fixture
async def desk(clean_database: str) -> AsyncIterator[Desk]:
    clock, ids = FakeClock(), FakeIds(series=21)
    provider, product = FakeProvider(clock), a_product(uuid=a_uuid(81))
    account = an_account(uuid=a_uuid(82), is_default=True)
    database = Database(clean_database, PostgresTx, pool_size=4)
    names = {"tenant": str(TENANT), "account": str(account.uuid), "price": str(a_uuid(83))}
    async with database.open():
        async with database.begin(APP) as tx:
            await tx.apps.add(an_app())
            await tx.tenants.add(a_tenant())
            account = await tx.payment_providers.add(account)
            await tx.products.add(product)
            await tx.prices.add([a_price(product, uuid=a_uuid(83))])
            await Paid(APP, names, ids, clock.now()).add(tx)
            uuid = UUID(names["payment"])
            payment = await tx.payments.get(uuid)
            await tx.refunds.cancel(UUID(names["refund"]), at=clock.now())
        nothing = Money(0, EUR)
        provider.world(account).payments[payment.provider_ref] = ProviderPayment(
            ref=payment.provider_ref,
            status=PaymentStatus.PAID,
            amount=PAID,
            sequence_type=SequenceType.ONEOFF,
            refunded=nothing,
            charged_back=nothing,
            attempt_uuid=payment.attempt_uuid,
            method="creditcard",
            paid_at=payment.paid_at,
            created_at=payment.created_at,
        )
        yield Desk(database, clock, ids, provider, account, uuid, payment.provider_ref)


async def test_who_dies_before_sending_has_sent_nothing_and_the_next_one_does(desk: Desk):
    refund = await desk.request()
    async with desk.database.begin(APP) as tx:
        now = desk.clock.now()
        assert await tx.refunds.lease(refund.uuid, now=now, until=now + LEASE) is not None
    await desk.work()
    assert desk.made() == 0
    desk.clock.advance(LEASE)
    await desk.work()
    await desk.work()
    assert desk.made() == 1


@pytest.mark.parametrize("away", [LEASE, timedelta(minutes=40), timedelta(hours=5)])
async def test_who_dies_after_sending_has_sent_it_once(desk: Desk, away: timedelta):
    """Within the provider's memory of the key, and long after it."""
    refund = await desk.request()
    async with desk.database.begin(APP) as tx:
        now = desk.clock.now()
        await tx.refunds.lease(refund.uuid, now=now, until=now + LEASE)
    refunds = desk.provider.provider.refunds
    await refunds.create(desk.account, desk.ref, refund.amount, refund_uuid=refund.uuid)
    desk.clock.advance(away)
    await desk.work()
    (_, concluded) = (await desk.file()).refunds
    assert (concluded.status, desk.made()) == (RefundStatus.PENDING, 1)


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.LOST_ANSWER, Fault.UNREADABLE])
async def test_an_answer_that_does_not_come_is_asked_for_again(desk: Desk, fault: Fault):
    await desk.request()
    desk.provider.fail_next("create_refund", fault, times=2)
    for _ in range(3):
        await desk.work()
        desk.clock.advance(timedelta(minutes=1))
    assert desk.made() == 1
    assert (await desk.look()).payment.refunded == PART


async def test_a_second_one_of_the_same_amount_is_made_when_its_hour_has_come(desk: Desk):
    await desk.request()
    await desk.work()
    await desk.request()
    await desk.work()
    assert desk.made() == 1
    desk.clock.advance(AN_HOUR + LEASE)
    await desk.work()
    assert desk.made() == 2
    assert all(asked.operation != "list_refunds" for asked in desk.provider.calls)


async def test_one_that_is_sent_too_soon_all_the_same_is_not_lost(desk: Desk):
    """Somebody has made one of the same amount at the provider, and nobody has told us."""
    refund = await desk.request()
    other = a_uuid(91)
    refunds = desk.provider.provider.refunds
    await refunds.create(desk.account, desk.ref, refund.amount, refund_uuid=other)
    assert isinstance(await desk.submit(refund), RefundTooSoon)
    assert desk.made() == 1
    desk.clock.advance(AN_HOUR)
    await desk.work()
    assert desk.made() == 2


async def test_the_refund_of_an_old_payment_is_followed_to_its_end(desk: Desk):
    desk.clock.advance(timedelta(days=200))
    await desk.request()
    await desk.work()
    followed = (await desk.look()).payment
    assert followed.due_at == desk.clock.now() + timedelta(minutes=2)
    (made,) = desk.provider.made("refund")
    desk.provider.set_refund(made.ref, RefundStatus.REFUNDED)
    desk.clock.advance(timedelta(minutes=2))
    assert (await desk.look()).payment.due_at is None


async def test_a_refund_that_was_made_between_two_looks_at_once_is_found_by_the_next(desk: Desk):
    """The payment's sum knew of it, and the list that was read a moment before did not."""
    refunds = desk.provider.provider.refunds
    await refunds.create(desk.account, desk.ref, PART, refund_uuid=a_uuid(92))
    async with desk.database.begin(APP) as tx:
        file = await tx.payments.lock_file(desk.payment_uuid)
        half_seen = replace(file, payment=replace(file.payment, refunded=PART))
        await tx.payments.save_file(file, half_seen)
    file = await desk.look()
    assert [r.amount for r in file.refunds if r.reason is RefundReason.DASHBOARD] == [PART]


async def test_a_refund_that_comes_back_is_taken_out_of_the_books(desk: Desk):
    refund = await desk.request()
    await desk.work()
    (made,) = desk.provider.made("refund")
    desk.provider.set_refund(made.ref, RefundStatus.REFUNDED)
    await desk.look()
    desk.provider.set_refund(made.ref, RefundStatus.FAILED)
    for _ in range(2):
        desk.clock.advance(timedelta(minutes=1))
        file = await desk.look()
    assert file.payment.refunded == Money(0, EUR)
    async with desk.database.begin(APP) as tx:
        posted = await tx.ledger.of(refund.uuid)
        (balance,) = await tx.ledger.balances(tenant_uuid=None, at=None)
    assert [p.kind for p in posted] == [PostingKind.REFUND_MADE, PostingKind.REFUND_FAILED]
    assert not any(balance.amounts.values())
