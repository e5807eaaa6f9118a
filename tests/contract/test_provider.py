"""What every payment provider promises: the fake that other tests trust, and Mollie's adapter."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.kernel.errors import ProviderUnavailable, ProviderUnreadable
from domain.kernel.money import Money, currency
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import (
    Declined,
    MandateStatus,
    NewCustomer,
    NewPayment,
    PaymentStatus,
    Provider,
    ProviderPayment,
    ProviderRefund,
    RefundStatus,
    SequenceType,
)
from tests.contract.stages import STAGES, Stage, an_account, open_stage
from tests.fakes.ids import FakeIds
from tests.fakes.vault import FakeVault

A_MINUTE = timedelta(minutes=1)
AN_HOUR = timedelta(hours=1)


def euros(minor: int) -> Money:
    return Money(minor, currency("EUR"))


@dataclass
class Play:
    """A stage, and an app with its accounts that acts on it."""

    stage: Stage
    ids: FakeIds
    account: PaymentProvider
    other_account: PaymentProvider

    @property
    def provider(self) -> Provider:
        return self.stage.provider

    async def a_customer(self) -> str:
        customer = NewCustomer(
            uuid=self.ids.new(),
            tenant_uuid=self.ids.new(),
            name="Ada Lovelace",
            email="ada@example.org",
        )
        ref = await self.provider.customers.create(self.account, customer)
        assert isinstance(ref, str)
        return ref

    async def an_order(self, **changes: Any) -> NewPayment:
        if "customer_ref" not in changes:
            changes["customer_ref"] = await self.a_customer()
        order = NewPayment(
            attempt_uuid=self.ids.new(),
            app_uuid=self.account.app_uuid,
            checkout_session_uuid=self.ids.new(),
            amount=euros(49_00),
            description="Handbook",
            sequence_type=SequenceType.ONEOFF,
            customer_ref="",
            payment_method="card",
            return_url="https://shop.example/thanks",
            webhook_url="https://billing.example/hooks/1",
            locale="de_DE",
        )
        return replace(order, **changes)

    async def send(self, order: NewPayment) -> ProviderPayment | Declined:
        request = self.provider.payments.render(order)
        return await self.provider.payments.create(self.account, request, key=order.attempt_uuid)

    async def a_payment(self, **changes: Any) -> ProviderPayment:
        payment = await self.send(await self.an_order(**changes))
        assert isinstance(payment, ProviderPayment), payment
        return payment

    async def a_paid_payment(self, **changes: Any) -> ProviderPayment:
        payment = await self.a_payment(**changes)
        await self.stage.pay(payment.ref)
        return await self.look(payment.ref)

    async def look(self, ref: str) -> ProviderPayment:
        seen = await self.provider.payments.get(self.account, ref)
        assert seen is not None
        return seen

    async def find(self, attempt_uuid: UUID, since: Any = None) -> ProviderPayment | None:
        since = since or await self.stage.now() - AN_HOUR
        return await self.provider.payments.find(self.account, attempt_uuid, since=since)

    async def refund(
        self, payment_ref: str, amount: Money, uuid: UUID | None = None
    ) -> ProviderRefund | Declined:
        return await self.provider.refunds.create(
            self.account, payment_ref, amount, refund_uuid=uuid or self.ids.new()
        )

    async def a_refund(self, payment_ref: str, amount: Money) -> ProviderRefund:
        refund = await self.refund(payment_ref, amount)
        assert isinstance(refund, ProviderRefund), refund
        return refund


@pytest.fixture(params=sorted(STAGES))
async def play(request: pytest.FixtureRequest) -> AsyncIterator[Play]:
    ids, vault = FakeIds(), FakeVault()
    async with open_stage(request.param, vault) as stage:
        account = an_account(ids, vault, "test_oneoneoneoneoneoneoneoneoneone")
        other = an_account(ids, vault, "test_twotwotwotwotwotwotwotwotwotwo")
        yield Play(stage, ids, account, other)


# Customers


async def test_a_customer_asked_for_twice_is_one(play: Play):
    customer = NewCustomer(
        uuid=play.ids.new(), tenant_uuid=play.ids.new(), name="Ada Lovelace", email=None
    )
    first = await play.provider.customers.create(play.account, customer)
    second = await play.provider.customers.create(play.account, customer)

    assert first == second
    assert await play.stage.customers_made() == 1


async def test_a_customer_is_found_again_by_our_uuid(play: Play):
    now = await play.stage.now()
    customer = NewCustomer(
        uuid=play.ids.new(), tenant_uuid=play.ids.new(), name="Ada Lovelace", email=None
    )
    ref = await play.provider.customers.create(play.account, customer)
    await play.a_customer()

    find = play.provider.customers.find
    assert await find(play.account, customer.uuid, since=now) == ref
    assert await find(play.account, play.ids.new(), since=now) is None
    assert await find(play.other_account, customer.uuid, since=now) is None
    assert await find(play.account, customer.uuid, since=now + 2 * A_MINUTE) is None


# Payments


async def test_a_new_payment_is_what_was_asked_for(play: Play):
    order = await play.an_order()
    payment = await play.send(order)

    assert isinstance(payment, ProviderPayment)
    assert payment.status is PaymentStatus.OPEN
    assert payment.amount == order.amount
    assert payment.sequence_type is SequenceType.ONEOFF
    assert payment.refunded == payment.charged_back == euros(0)
    assert payment.attempt_uuid == order.attempt_uuid
    assert payment.method == "card"
    assert payment.customer_ref == order.customer_ref
    assert payment.checkout_url is not None
    assert payment.mandate_ref is payment.failure_reason is payment.paid_at is None
    assert abs(payment.created_at - await play.stage.now()) < A_MINUTE
    assert await play.look(payment.ref) == payment


async def test_the_same_order_renders_to_the_same_bytes(play: Play):
    order = await play.an_order()
    assert play.provider.payments.render(order) == play.provider.payments.render(order)


@pytest.mark.parametrize(
    "amount", [euros(1), euros(1_05), Money(900, currency("JPY")), Money(5_00, currency("CHF"))]
)
async def test_an_amount_comes_back_to_the_last_unit(play: Play, amount: Money):
    payment = await play.a_payment(amount=amount)
    assert (await play.look(payment.ref)).amount == amount


async def test_every_locale_and_none_are_taken(play: Play):
    customer_ref = await play.a_customer()
    for locale in [*sorted(play.provider.locales), None]:
        await play.a_payment(customer_ref=customer_ref, locale=locale)


async def test_a_payment_asked_for_twice_is_one(play: Play):
    order = await play.an_order()
    first, second = await play.send(order), await play.send(order)

    assert first == second
    assert await play.stage.payments_made() == 1


async def test_a_key_is_remembered_for_longer_than_the_window(play: Play):
    order = await play.an_order()
    first = await play.send(order)
    await play.stage.advance(timedelta(seconds=play.provider.key_window_s))
    assert await play.send(order) == first

    # Past it the same question makes another payment: that is what the window is there for.
    await play.stage.advance(AN_HOUR)
    second = await play.send(order)
    assert isinstance(first, ProviderPayment) and isinstance(second, ProviderPayment)
    assert first.ref != second.ref


async def test_other_bytes_under_a_used_key_stop_everything(play: Play):
    order = await play.an_order()
    await play.send(order)

    with pytest.raises(ProviderUnreadable):
        await play.send(replace(order, amount=euros(50_00)))
    assert await play.stage.payments_made() == 1


async def test_a_provider_that_is_away_has_made_nothing(play: Play):
    order = await play.an_order()
    await play.stage.be_away("create_payment")

    with pytest.raises(ProviderUnavailable):
        await play.send(order)
    assert await play.stage.payments_made() == 0
    assert isinstance(await play.send(order), ProviderPayment)


async def test_a_lost_answer_is_had_by_asking_again(play: Play):
    order = await play.an_order()
    await play.stage.lose_answer("create_payment")

    with pytest.raises(ProviderUnavailable):
        await play.send(order)
    again = await play.send(order)
    assert isinstance(again, ProviderPayment)
    assert again.attempt_uuid == order.attempt_uuid
    assert await play.stage.payments_made() == 1


async def test_a_garbled_answer_is_had_by_asking_again(play: Play):
    order = await play.an_order()
    await play.stage.garble_answer("create_payment")

    with pytest.raises(ProviderUnreadable):
        await play.send(order)
    assert isinstance(await play.send(order), ProviderPayment)
    assert await play.stage.payments_made() == 1


async def test_a_payment_whose_answer_was_lost_is_found_by_its_attempt(play: Play):
    order = await play.an_order()
    since = await play.stage.now()
    await play.stage.lose_answer("create_payment")
    with pytest.raises(ProviderUnavailable):
        await play.send(order)
    await play.stage.advance(2 * AN_HOUR)
    await play.a_payment()

    found = await play.find(order.attempt_uuid, since)

    assert found is not None
    assert found.attempt_uuid == order.attempt_uuid
    assert await play.find(play.ids.new(), since) is None
    assert await play.find(order.attempt_uuid, since + 2 * A_MINUTE) is None


async def test_a_payment_is_found_behind_more_newer_ones_than_fit_on_a_page(play: Play):
    order = await play.an_order()
    since = await play.stage.now()
    await play.send(order)
    for _ in range(255):
        await play.a_payment(customer_ref=order.customer_ref)

    found = await play.find(order.attempt_uuid, since)
    assert found is not None and found.attempt_uuid == order.attempt_uuid


async def test_an_unknown_payment_is_none(play: Play):
    payment = await play.a_payment()
    get = play.provider.payments.get

    assert await get(play.account, "tr_unknown") is None
    assert await get(play.account, "../customers") is None
    assert await get(play.other_account, payment.ref) is None


async def test_a_payment_for_an_unknown_customer_is_declined(play: Play):
    order = await play.an_order(customer_ref="cst_unknown")
    answer = await play.send(order)

    assert isinstance(answer, Declined)
    assert answer.reason
    assert await play.stage.payments_made() == 0


async def test_a_paid_payment_says_when(play: Play):
    payment = await play.a_paid_payment()

    assert payment.status is PaymentStatus.PAID
    assert payment.paid_at is not None
    assert abs(payment.paid_at - await play.stage.now()) < A_MINUTE
    assert payment.checkout_url is None
    assert payment.mandate_ref is None
    assert payment.refunded == payment.charged_back == euros(0)


async def test_a_failed_payment_says_why(play: Play):
    payment = await play.a_payment()
    await play.stage.fail(payment.ref, "insufficient_funds")
    seen = await play.look(payment.ref)

    assert (seen.status, seen.failure_reason) == (PaymentStatus.FAILED, "insufficient_funds")
    assert seen.checkout_url is None


async def test_an_expired_payment_can_no_longer_be_paid(play: Play):
    payment = await play.a_payment()
    await play.stage.expire(payment.ref)
    seen = await play.look(payment.ref)

    assert (seen.status, seen.checkout_url) == (PaymentStatus.EXPIRED, None)


async def test_a_payment_is_canceled_once_and_only_if_it_can_be(play: Play):
    card = await play.a_payment()
    transfer = await play.a_payment(payment_method="banktransfer")
    cancel = play.provider.payments.cancel
    assert (card.is_cancelable, transfer.is_cancelable) == (False, True)

    canceled = await cancel(play.account, transfer.ref)

    assert isinstance(canceled, ProviderPayment)
    assert canceled.status is PaymentStatus.CANCELED
    assert await play.look(transfer.ref) == canceled
    assert isinstance(await cancel(play.account, transfer.ref), Declined)
    assert isinstance(await cancel(play.account, card.ref), Declined)
    assert isinstance(await cancel(play.account, "tr_unknown"), Declined)
    assert (await play.look(card.ref)).status is PaymentStatus.OPEN


async def test_a_chargeback_stands_beside_the_status(play: Play):
    payment = await play.a_paid_payment()
    await play.stage.charge_back(payment.ref, euros(9_00))
    seen = await play.look(payment.ref)
    assert (seen.status, seen.charged_back) == (PaymentStatus.PAID, euros(9_00))

    await play.stage.charge_back(payment.ref)
    assert (await play.look(payment.ref)).charged_back == payment.amount


# Mandates


async def test_a_paid_first_payment_leaves_a_mandate(play: Play):
    payment = await play.a_payment(sequence_type=SequenceType.FIRST)
    assert (payment.sequence_type, payment.mandate_ref) == (SequenceType.FIRST, None)
    await play.stage.pay(payment.ref)
    paid = await play.look(payment.ref)
    assert paid.customer_ref is not None and paid.mandate_ref is not None

    get = play.provider.mandates.get
    mandate = await get(play.account, paid.customer_ref, paid.mandate_ref)

    assert mandate is not None
    assert (mandate.ref, mandate.customer_ref) == (paid.mandate_ref, paid.customer_ref)
    assert (mandate.status, mandate.method) == (MandateStatus.VALID, "card")
    assert set(mandate.details) == {"cardNumber", "cardLabel", "cardExpiryDate"}
    assert len(mandate.details["cardNumber"]) == 4
    assert await get(play.account, paid.customer_ref, "mdt_unknown") is None
    assert await get(play.account, "cst_unknown", paid.mandate_ref) is None
    assert await get(play.other_account, paid.customer_ref, paid.mandate_ref) is None


async def test_a_mandate_may_have_to_wait(play: Play):
    await play.stage.new_mandates_wait()
    paid = await play.a_paid_payment(sequence_type=SequenceType.FIRST)
    assert paid.customer_ref is not None and paid.mandate_ref is not None
    get = play.provider.mandates.get

    waiting = await get(play.account, paid.customer_ref, paid.mandate_ref)
    await play.stage.set_mandate(paid.mandate_ref, MandateStatus.VALID)
    ready = await get(play.account, paid.customer_ref, paid.mandate_ref)

    assert waiting is not None and ready is not None
    assert (waiting.status, ready.status) == (MandateStatus.PENDING, MandateStatus.VALID)


async def test_a_valid_mandate_can_be_charged_without_the_shopper(play: Play):
    first = await play.a_paid_payment(sequence_type=SequenceType.FIRST)
    payment = await play.a_payment(
        sequence_type=SequenceType.RECURRING, customer_ref=first.customer_ref
    )
    assert payment.checkout_url is None
    assert payment.mandate_ref == first.mandate_ref

    await play.stage.pay(payment.ref)
    assert (await play.look(payment.ref)).status is PaymentStatus.PAID


async def test_a_charge_without_a_valid_mandate_is_declined(play: Play):
    never = await play.an_order(sequence_type=SequenceType.RECURRING)
    assert isinstance(await play.send(never), Declined)

    first = await play.a_paid_payment(sequence_type=SequenceType.FIRST)
    await play.stage.charge_back(first.ref)
    no_more = replace(never, attempt_uuid=play.ids.new(), customer_ref=first.customer_ref)
    assert isinstance(await play.send(no_more), Declined)


# Refunds


async def test_a_refund_shows_in_the_list_and_on_the_payment(play: Play):
    payment = await play.a_paid_payment()
    uuid = play.ids.new()
    refund = await play.refund(payment.ref, euros(9_00), uuid)

    assert isinstance(refund, ProviderRefund)
    assert refund.status is RefundStatus.PENDING
    assert (refund.amount, refund.refund_uuid) == (euros(9_00), uuid)
    assert await play.provider.refunds.list(play.account, payment.ref) == (refund,)
    seen = await play.look(payment.ref)
    assert (seen.status, seen.refunded) == (PaymentStatus.PAID, euros(9_00))


async def test_a_refund_asked_for_twice_is_one(play: Play):
    payment = await play.a_paid_payment()
    uuid = play.ids.new()
    await play.stage.lose_answer("create_refund")
    with pytest.raises(ProviderUnavailable):
        await play.refund(payment.ref, payment.amount, uuid)

    first = await play.refund(payment.ref, payment.amount, uuid)
    assert await play.refund(payment.ref, payment.amount, uuid) == first
    assert await play.stage.refunds_made() == 1


async def test_no_more_is_refunded_than_was_paid(play: Play):
    unpaid, paid = await play.a_payment(), await play.a_paid_payment()
    await play.a_refund(paid.ref, euros(40_00))

    assert isinstance(await play.refund(unpaid.ref, euros(1_00)), Declined)
    assert isinstance(await play.refund(paid.ref, euros(9_01)), Declined)
    assert isinstance(await play.refund("tr_unknown", euros(1_00)), Declined)
    assert await play.stage.refunds_made() == 1


async def test_the_same_amount_again_has_to_wait_an_hour(play: Play):
    payment = await play.a_paid_payment()
    await play.a_refund(payment.ref, euros(9_00))
    uuid = play.ids.new()

    with pytest.raises(ProviderUnavailable):
        await play.refund(payment.ref, euros(9_00), uuid)
    await play.stage.advance(AN_HOUR + A_MINUTE)
    assert isinstance(await play.refund(payment.ref, euros(9_00), uuid), ProviderRefund)


async def test_a_failed_refund_gives_nothing_back(play: Play):
    payment = await play.a_paid_payment()
    refund = await play.a_refund(payment.ref, payment.amount)
    await play.stage.set_refund(refund.ref, RefundStatus.FAILED)

    (seen,) = await play.provider.refunds.list(play.account, payment.ref)
    assert (seen.ref, seen.status) == (refund.ref, RefundStatus.FAILED)
    assert (await play.look(payment.ref)).refunded == euros(0)


async def test_a_refund_goes_on_by_itself(play: Play):
    payment = await play.a_paid_payment()
    refund = await play.a_refund(payment.ref, payment.amount)
    await play.stage.set_refund(refund.ref, RefundStatus.PROCESSING)
    await play.stage.set_refund(refund.ref, RefundStatus.REFUNDED)

    (seen,) = await play.provider.refunds.list(play.account, payment.ref)
    assert seen.status is RefundStatus.REFUNDED
    assert (await play.look(payment.ref)).refunded == payment.amount


async def test_the_refunds_of_an_unknown_payment_are_not_an_empty_list(play: Play):
    with pytest.raises(ProviderUnreadable):
        await play.provider.refunds.list(play.account, "tr_unknown")
