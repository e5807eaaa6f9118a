"""What every payment provider promises about refunds and chargebacks."""

import pytest

from domain.kernel.errors import ProviderUnavailable, ProviderUnreadable, RefundTooSoon
from domain.payments.answers import (
    Declined,
    MandateStatus,
    PaymentStatus,
    ProviderPayment,
    ProviderRefund,
    RefundStatus,
)
from tests.contract.play import A_MINUTE, AN_HOUR, Play, euros
from tests.contract.stage import Can


async def test_a_refund_shows_in_the_list_and_on_the_payment(play: Play):
    payment = await play.a_paid_payment()
    uuid = play.ids.new()
    refund = await play.refund(payment.ref, euros(9_00), uuid)

    assert isinstance(refund, ProviderRefund)
    is_slow = play.can(Can.REFUND_SLOWLY)
    assert refund.status is (RefundStatus.PENDING if is_slow else RefundStatus.REFUNDED)
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

    if not play.can(Can.TAKE_REPEATED_REFUNDS_FOR_MISTAKES):
        assert isinstance(await play.refund(payment.ref, euros(9_00), uuid), ProviderRefund)
        assert (await play.look(payment.ref)).refunded == euros(18_00)
        return
    with pytest.raises(RefundTooSoon):
        await play.refund(payment.ref, euros(9_00), uuid)
    await play.stage.advance(AN_HOUR + A_MINUTE)
    assert isinstance(await play.refund(payment.ref, euros(9_00), uuid), ProviderRefund)


async def test_a_failed_refund_gives_nothing_back(play: Play):
    payment = await play.a_paid_payment()
    refund = await play.a_refund(payment.ref, payment.amount)
    if not play.can(Can.REFUND_SLOWLY):
        assert refund.status is RefundStatus.REFUNDED  # for good: there is nothing left to fail
        assert (await play.look(payment.ref)).refunded == payment.amount
        return
    await play.stage.set_refund(refund.ref, RefundStatus.FAILED)

    (seen,) = await play.provider.refunds.list(play.account, payment.ref)
    assert (seen.ref, seen.status) == (refund.ref, RefundStatus.FAILED)
    assert (await play.look(payment.ref)).refunded == euros(0)


async def test_a_refund_goes_on_by_itself(play: Play):
    payment = await play.a_paid_payment()
    refund = await play.a_refund(payment.ref, payment.amount)
    if play.can(Can.REFUND_SLOWLY):
        await play.stage.set_refund(refund.ref, RefundStatus.PROCESSING)
        await play.stage.set_refund(refund.ref, RefundStatus.REFUNDED)

    (seen,) = await play.provider.refunds.list(play.account, payment.ref)
    assert seen.status is RefundStatus.REFUNDED
    assert (await play.look(payment.ref)).refunded == payment.amount


async def test_the_refunds_of_an_unknown_payment_are_not_an_empty_list(play: Play):
    with pytest.raises(ProviderUnreadable):
        await play.provider.refunds.list(play.account, "tr_unknown")


async def test_a_chargeback_stands_beside_the_status(play: Play):
    payment = await play.a_paid_payment()
    await play.stage.charge_back(payment.ref, euros(9_00))
    seen = await play.look(payment.ref)
    assert (seen.status, seen.charged_back) == (PaymentStatus.PAID, euros(9_00))

    await play.stage.charge_back(payment.ref)
    assert (await play.look(payment.ref)).charged_back == payment.amount


async def test_all_refunds_are_listed_back_to_a_moment(play: Play):
    payment, other = await play.a_paid_payment(), await play.a_paid_payment()
    old = await play.a_refund(payment.ref, euros(1_00))
    await play.stage.advance(AN_HOUR)
    since = (await play.stage.now()).replace(microsecond=0)
    new = await play.a_refund(other.ref, euros(2_00))

    listed = play.provider.refunds.since
    assert [seen async for seen in listed(play.account, since)] == [new]
    assert [seen async for seen in listed(play.account, since - 2 * AN_HOUR)] == [new, old]
    assert [seen async for seen in listed(play.other_account, since)] == []
    assert (old.payment_ref, new.payment_ref) == (payment.ref, other.ref)
    assert abs(new.created_at - await play.stage.now()) < A_MINUTE


async def test_a_chargeback_says_what_was_taken_back_and_when(play: Play):
    payment = await play.a_paid_payment()
    chargebacks = play.provider.chargebacks
    assert await chargebacks.list(play.account, payment.ref) == ()
    await play.stage.charge_back(payment.ref, euros(9_00))
    await play.stage.advance(AN_HOUR)
    since = (await play.stage.now()).replace(microsecond=0)
    await play.stage.charge_back(payment.ref)

    second, first = await chargebacks.list(play.account, payment.ref)
    assert (first.amount, second.amount) == (euros(9_00), payment.amount - euros(9_00))
    assert first.ref != second.ref
    assert first.payment_ref == second.payment_ref == payment.ref
    assert first.reason is first.reversed_at is None
    assert abs(second.created_at - await play.stage.now()) < A_MINUTE
    assert [seen async for seen in chargebacks.since(play.account, since)] == [second]
    everything = [seen async for seen in chargebacks.since(play.account, since - 2 * AN_HOUR)]
    assert everything == [second, first]
    assert [seen async for seen in chargebacks.since(play.other_account, since)] == []


async def test_a_reversed_chargeback_gives_the_money_back_to_us(play: Play):
    payment = await play.a_paid_payment()
    await play.stage.charge_back(payment.ref, euros(9_00))
    await play.stage.charge_back(payment.ref, euros(10_00))
    if not play.can(Can.REVERSE_CHARGEBACKS):
        # Nobody says so when it happens; nor is an old list read again for it.
        assert play.provider.chargebacks_change is False
        assert (await play.look(payment.ref)).charged_back == euros(19_00)
        return
    await play.stage.reverse_chargeback(payment.ref)

    second, first = await play.provider.chargebacks.list(play.account, payment.ref)
    assert first.reversed_at is None
    assert second.reversed_at is not None
    assert abs(second.reversed_at - await play.stage.now()) < A_MINUTE
    assert (await play.look(payment.ref)).charged_back == euros(9_00)


async def test_a_direct_debits_chargeback_has_the_banks_reason_and_spares_the_mandate(play: Play):
    method = "ideal" if play.can(Can.DEBIT_ACCOUNTS) else "card"
    first = await play.a_first_payment(payment_method=method)
    charge = await play.send(await play.a_charge(first))
    assert isinstance(charge, ProviderPayment)
    await play.stage.pay(charge.ref)
    if not play.can(Can.DEBIT_ACCOUNTS):
        await play.stage.charge_back(charge.ref, reason="fraud")
        (seen,) = await play.provider.chargebacks.list(play.account, charge.ref)
        assert (seen.reason, seen.payment_ref) == (None, charge.ref)  # it is told by no code
        return
    await play.stage.charge_back(charge.ref, reason="MD06")

    (seen,) = await play.provider.chargebacks.list(play.account, charge.ref)
    assert seen.reason == "MD06"
    assert isinstance(await play.send(await play.a_charge(first)), ProviderPayment)


async def test_a_cards_chargeback_ends_its_mandate(play: Play):
    first = await play.a_first_payment()
    assert first.customer_ref is not None and first.mandate_ref is not None
    await play.stage.charge_back(first.ref)

    mandate = await play.provider.mandates.get(play.account, first.customer_ref, first.mandate_ref)
    ends = play.can(Can.END_CARDS_BY_CHARGEBACK)
    left = MandateStatus.INVALID if ends else MandateStatus.VALID
    assert mandate is not None and mandate.status is left


async def test_the_chargebacks_of_an_unknown_payment_are_not_an_empty_list(play: Play):
    with pytest.raises(ProviderUnreadable):
        await play.provider.chargebacks.list(play.account, "tr_unknown")
