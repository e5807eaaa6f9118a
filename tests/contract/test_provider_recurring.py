"""What every payment provider promises about mandates, and about charging them."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain.kernel.errors import ProviderUnavailable
from domain.payments.answers import (
    Declined,
    MandateStatus,
    PaymentStatus,
    ProviderPayment,
    SequenceType,
)
from tests.contract.play import Play
from tests.contract.stage import Can


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
    if not play.can(Can.DECIDE_MANDATES_LATER):
        paid = await play.a_first_payment()  # and can be charged at once
        assert isinstance(await play.send(await play.a_charge(paid)), ProviderPayment)
        return
    await play.stage.new_mandates_wait()
    paid = await play.a_first_payment()
    assert paid.customer_ref is not None and paid.mandate_ref is not None
    get = play.provider.mandates.get

    waiting = await get(play.account, paid.customer_ref, paid.mandate_ref)
    await play.stage.set_mandate(paid.mandate_ref, MandateStatus.VALID)
    ready = await get(play.account, paid.customer_ref, paid.mandate_ref)

    assert waiting is not None and ready is not None
    assert (waiting.status, ready.status) == (MandateStatus.PENDING, MandateStatus.VALID)


async def test_a_valid_mandate_can_be_charged_without_the_shopper(play: Play):
    first = await play.a_first_payment()
    chosen = None if play.can(Can.CHOOSE_A_MANDATE) else first.mandate_ref
    payment = await play.a_payment(
        sequence_type=SequenceType.RECURRING,
        customer_ref=first.customer_ref,
        mandate_ref=chosen,
    )
    assert payment.checkout_url is None
    assert payment.mandate_ref == first.mandate_ref

    await play.stage.pay(payment.ref)
    assert (await play.look(payment.ref)).status is PaymentStatus.PAID


async def test_a_charge_without_a_valid_mandate_is_declined(play: Play):
    never = await play.an_order(sequence_type=SequenceType.RECURRING)
    assert isinstance(await play.send(never), Declined)

    first = await play.a_first_payment()
    await play.stage.charge_back(first.ref)
    no_more = replace(never, attempt_uuid=play.ids.new(), customer_ref=first.customer_ref)
    assert isinstance(await play.send(no_more), Declined)


async def test_a_charge_names_the_mandate_and_the_bill(play: Play):
    first = await play.a_first_payment()
    order = await play.a_charge(first)
    payment = await play.send(order)

    assert isinstance(payment, ProviderPayment)
    assert (payment.status, payment.checkout_url) == (PaymentStatus.OPEN, None)
    assert (payment.customer_ref, payment.mandate_ref) == (first.customer_ref, first.mandate_ref)
    assert (payment.sequence_type, payment.method) == (SequenceType.RECURRING, "card")
    assert payment.attempt_uuid == order.attempt_uuid
    assert await play.look(payment.ref) == payment
    assert await play.find(order.attempt_uuid) == payment
    assert await play.send(order) == payment


async def test_a_charge_takes_the_mandate_that_it_names_and_not_a_newer_one(play: Play):
    old = await play.a_first_payment()
    new = await play.a_paid_payment(sequence_type=SequenceType.FIRST, customer_ref=old.customer_ref)
    assert new.mandate_ref != old.mandate_ref

    charged = await play.send(await play.a_charge(old))
    assert isinstance(charged, ProviderPayment)
    assert charged.mandate_ref == old.mandate_ref


@pytest.mark.parametrize("reason", ["insufficient_funds", "card_expired"])
async def test_a_failed_charge_says_why(play: Play, reason: str):
    first = await play.a_first_payment()
    if not play.can(Can.FAIL_CHARGES_LATER):
        await play.stage.next_charge_fails(reason)
        charge = await play.send(order := await play.a_charge(first))
        assert isinstance(charge, ProviderPayment)
        assert (charge.status, charge.failure_reason) == (PaymentStatus.FAILED, reason)
        # Only this answer has the reason. To be asked again is to be told again.
        assert (await play.look(charge.ref)).status is PaymentStatus.FAILED
        assert await play.send(order) == charge
        return
    charge = await play.send(await play.a_charge(first))
    assert isinstance(charge, ProviderPayment)
    await play.stage.fail(charge.ref, reason)

    seen = await play.look(charge.ref)
    assert (seen.status, seen.failure_reason) == (PaymentStatus.FAILED, reason)


async def test_a_direct_debit_takes_days_and_may_fail_for_the_banks_reason(play: Play):
    if not play.can(Can.DEBIT_ACCOUNTS):
        order = await play.an_order(payment_method="ideal", sequence_type=SequenceType.FIRST)
        assert isinstance(await play.send(order), Declined)
        return
    first = await play.a_first_payment(payment_method="ideal")
    assert first.customer_ref is not None and first.mandate_ref is not None
    mandate = await play.provider.mandates.get(play.account, first.customer_ref, first.mandate_ref)
    assert mandate is not None
    assert (mandate.method, set(mandate.details)) == ("directdebit", {"consumerAccount"})

    charge = await play.send(await play.a_charge(first))
    assert isinstance(charge, ProviderPayment)
    assert (charge.status, charge.method) == (PaymentStatus.PENDING, "directdebit")
    await play.stage.advance(timedelta(days=2))
    assert (await play.look(charge.ref)).status is PaymentStatus.PENDING

    await play.stage.fail(charge.ref, "AM04")
    seen = await play.look(charge.ref)
    assert (seen.status, seen.failure_reason) == (PaymentStatus.FAILED, "AM04")


async def test_a_revoked_mandate_is_gone_however_often_it_is_revoked(play: Play):
    first = await play.a_first_payment()
    assert first.customer_ref is not None and first.mandate_ref is not None
    mandates = play.provider.mandates
    named = (first.customer_ref, first.mandate_ref)

    for somebody_elses in ((play.other_account, *named), (play.account, "cst_other", named[1])):
        assert await mandates.revoke(*somebody_elses) is None
    assert await mandates.get(play.account, *named) is not None

    assert await mandates.revoke(play.account, *named) is None
    assert await mandates.get(play.account, *named) is None
    assert await mandates.revoke(play.account, *named) is None
    assert await mandates.revoke(play.account, named[0], "mdt_unknown") is None


async def test_a_charge_of_a_mandate_that_cannot_be_charged_is_declined_as_gone(play: Play):
    first = await play.a_first_payment()
    assert first.customer_ref is not None and first.mandate_ref is not None
    invalid = await play.a_charge(first)
    orders = [unknown := await play.a_charge(first, mandate_ref="mdt_unknown")]
    if play.can(Can.DECIDE_MANDATES_LATER):
        await play.stage.set_mandate(first.mandate_ref, MandateStatus.INVALID)
        orders = [invalid, unknown]

    for order in orders:
        answer = await play.send(order)
        assert isinstance(answer, Declined) and answer.is_gone

    revoked = replace(invalid, attempt_uuid=play.ids.new())
    await play.provider.mandates.revoke(play.account, first.customer_ref, first.mandate_ref)
    answer = await play.send(revoked)
    assert isinstance(answer, Declined) and answer.is_gone


async def test_a_revocation_whose_answer_is_lost_is_asked_for_again(play: Play):
    first = await play.a_first_payment()
    assert first.customer_ref is not None and first.mandate_ref is not None
    revoke = play.provider.mandates.revoke
    await play.stage.lose_answer("revoke_mandate")
    with pytest.raises(ProviderUnavailable):
        await revoke(play.account, first.customer_ref, first.mandate_ref)
    assert await revoke(play.account, first.customer_ref, first.mandate_ref) is None
