"""Charges, methods and answers that cross each other on the way."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain.checkout.session import Mode
from domain.payments.answers import MandateStatus, PaymentStatus, SequenceType
from domain.subscriptions.replace_method import charge_on
from tests.domain.subscriptions.tenancy import Tenancy
from tests.fakes.provider import Fault
from tests.make import money
from tests.make_ledger import a_quote
from tests.make_subscriptions import MANDATE, days_on

RENEWS = days_on(31)


async def test_a_method_given_meanwhile_does_not_die_with_the_old_one():
    """The charge on the old one was asked for before, and is answered after."""
    tenancy = await Tenancy().started()
    tenancy.provider.fail_next("create_payment", Fault.UNAVAILABLE)
    await tenancy.to(RENEWS)
    assert (tenancy.status, len(tenancy.charges)) == ("collecting", 1)
    newer = tenancy.ids.new()
    tenancy.clock.advance(timedelta(seconds=1))
    tenancy.give_mandate(ref="mdt_2", uuid=newer)
    tenancy.rows.mandates[newer] = replace(
        tenancy.rows.mandates[newer], created_at=tenancy.clock.now()
    )
    await tenancy.wish(lambda pen: charge_on(pen, tenancy.rows.mandates[newer]))
    tenancy.provider.revoke_mandate("mdt_1")
    await tenancy.wait(0.1)
    assert tenancy.status == "past_due"
    assert tenancy.rows.mandates[newer].status is MandateStatus.VALID
    await tenancy.wait(3)
    assert (tenancy.status, tenancy.charges[-1].mandate_ref) == ("collecting", "mdt_2")


async def lost_and_tried_again() -> Tenancy:
    """The first try never came back from the provider; the second is under way."""
    tenancy = await Tenancy().started()
    tenancy.provider.fail_next("create_payment", Fault.UNAVAILABLE, times=50)
    await tenancy.to(RENEWS + timedelta(hours=3))
    tenancy.provider._faults.clear()
    assert tenancy.status == "past_due"
    await tenancy.wait(3)
    assert (tenancy.status, len(tenancy.charges)) == ("collecting", 2)
    return tenancy


async def appears(tenancy: Tenancy, status: PaymentStatus) -> None:
    """The first try was made after all, says the provider."""
    second = tenancy.charges[-1]
    attempts = (a for a in tenancy.rows.attempts.values() if a.uuid != second.attempt_uuid)
    lost = max(attempts, key=lambda a: a.uuid)
    ghost = replace(second, ref="tr_ghost", attempt_uuid=lost.uuid, status=status)
    tenancy.provider.world(tenancy.account).payments["tr_ghost"] = ghost
    await tenancy.hear("tr_ghost")


async def test_a_declined_charge_whose_failed_payment_turns_up_has_failed_once():
    tenancy = await Tenancy().started()
    tenancy.provider.fail_next("create_payment", Fault.DECLINED)
    await tenancy.to(RENEWS)
    assert (tenancy.status, tenancy.bills[-1].tries) == ("past_due", 1)
    before = tenancy.bills[-1]
    await appears(tenancy, PaymentStatus.FAILED)
    assert tenancy.bills[-1] == before
    assert tenancy.rows.payments


async def test_a_lost_charge_that_has_failed_says_nothing_about_the_one_under_way():
    tenancy = await lost_and_tried_again()
    under_way = tenancy.charges[-1].ref
    await appears(tenancy, PaymentStatus.FAILED)
    assert tenancy.status == "collecting"
    await tenancy.wait(0.1)
    await tenancy.pay(under_way)
    assert (tenancy.status, tenancy.bills[-1].status) == ("active", "paid")


async def test_a_lost_charge_that_was_paid_and_the_one_under_way_are_not_both_kept():
    tenancy = await lost_and_tried_again()
    under_way = tenancy.charges[-1].ref
    tenancy.is_audited = False  # the provider holds two charges at once, and we know it now
    await appears(tenancy, PaymentStatus.PAID)
    assert (tenancy.status, tenancy.bills[-1].status) == ("active", "paid")
    tenancy.is_audited = True
    await tenancy.pay(under_way)
    (refund,) = tenancy.provider.world(tenancy.account).refunds.values()
    assert (refund.payment_ref, refund.amount) == (under_way, money(11_90))


async def test_a_charge_that_nobody_can_explain_waits_alone_until_somebody_can():
    tenancy = await Tenancy().started()
    for operation in ("create_payment", "find_payment"):
        tenancy.provider.fail_next(operation, Fault.UNREADABLE, times=5000)
    await tenancy.to(RENEWS + timedelta(days=10))
    assert "payment_attempt.needs_review" not in tenancy.told
    assert (tenancy.status, len(tenancy.provider.made("payment"))) == ("collecting", 2)
    looks = [asked for asked in tenancy.provider.calls if asked.operation == "find_payment"]
    assert len(looks) < 10 * 24 + 20
    tenancy.provider._faults.clear()
    await tenancy.wait(0.1)
    await tenancy.pay()
    assert (tenancy.status, len(tenancy.provider.made("payment"))) == ("active", 2)


async def test_one_busy_moment_after_a_long_downtime_sets_no_charge_aside():
    tenancy = await Tenancy().started()
    tenancy.provider.fail_next("create_payment", Fault.LOST_ANSWER)
    tenancy.clock.advance(RENEWS - tenancy.clock.now())
    await tenancy.work()
    tenancy.provider.fail_next("find_payment", Fault.BUSY)
    await tenancy.sleep(2)
    await tenancy.wait(0.1)
    await tenancy.pay()
    assert tenancy.status == "active"


async def test_its_own_method_is_the_only_one_that_is_charged():
    tenancy = await Tenancy().started()
    tenancy.give_mandate(ref="mdt_2", uuid=tenancy.ids.new())
    await tenancy.wish(lambda pen: charge_on(pen, tenancy.rows.mandates[MANDATE]))
    tenancy.give_mandate(MandateStatus.INVALID)
    await tenancy.to(RENEWS)
    assert (tenancy.status, len(tenancy.charges)) == ("past_due", 1)


async def test_a_method_that_is_known_is_not_told_again():
    """The answer is lost, and the charge is paid when we first hear of it."""
    tenancy = await Tenancy().bought()
    assert tenancy.told.count("mandate.valid") == 1
    tenancy.provider.fail_next("create_payment", Fault.LOST_ANSWER)
    await tenancy.to(RENEWS)
    await tenancy.pay()
    assert (tenancy.status, tenancy.told.count("mandate.valid")) == ("active", 1)


@pytest.mark.parametrize("mode", [Mode.SETUP, Mode.RECOVERY])
async def test_the_same_method_given_again_for_a_subscription_is_the_same_mandate(mode: Mode):
    tenancy = await Tenancy().bought()
    (mandate,) = tenancy.rows.mandates.values()
    await tenancy.to(RENEWS)
    await tenancy.fail("card_declined")
    ref = await tenancy.check_out(
        mode,
        a_quote(11_90, 0),
        subscription_uuid=tenancy.subscription.uuid,
        bill_uuids=(tenancy.bills[-1].uuid,),
    )
    tenancy.provider.pay(ref)
    world = tenancy.provider.world(tenancy.account)
    world.payments[ref] = replace(world.payments[ref], mandate_ref=mandate.provider_ref)
    await tenancy.hear(ref)
    assert tenancy.subscription.mandate_uuid == mandate.uuid
    assert len(tenancy.rows.mandates) == 1


async def test_the_same_method_at_a_second_checkout_is_the_same_mandate():
    """Providers may give the mandate that they have, for an account that they know."""
    tenancy = await Tenancy().bought()
    (mandate,) = tenancy.rows.mandates.values()
    ref = await tenancy.check_out(Mode.SUBSCRIPTION, a_quote(10_00, 1_90))
    tenancy.provider.pay(ref)
    world = tenancy.provider.world(tenancy.account)
    world.payments[ref] = replace(world.payments[ref], mandate_ref=mandate.provider_ref)
    await tenancy.hear(ref)
    mandates = {s.mandate_uuid for s in tenancy.rows.subscriptions.values()}
    assert (len(tenancy.rows.subscriptions), mandates) == (2, {mandate.uuid})


@pytest.mark.parametrize("amount", [1, 11_89, 100_00])
async def test_a_payment_of_another_amount_pays_no_bill_with_it(amount: int):
    """Whoever may make payments at the account can write our reference into one."""
    tenancy = await Tenancy().started()
    await tenancy.to(RENEWS)
    real = tenancy.charges[-1]
    false = replace(
        real,
        ref="tr_false",
        amount=money(amount),
        status=PaymentStatus.PAID,
        sequence_type=SequenceType.ONEOFF,
    )
    tenancy.provider.world(tenancy.account).payments["tr_false"] = false
    await tenancy.hear("tr_false")
    await tenancy.pay(real.ref)
    assert (tenancy.status, tenancy.bills[-1].status) == ("active", "paid")
    refunds = tenancy.provider.world(tenancy.account).refunds.values()
    assert [(r.payment_ref, r.amount.minor) for r in refunds] == [("tr_false", amount)]


async def test_the_method_that_was_charged_ends_and_not_the_one_that_is_charged_now():
    tenancy = Tenancy()
    other = tenancy.ids.new()
    tenancy.give_mandate(ref="mdt_10", uuid=other)
    tenancy.give_mandate()
    named = tenancy.rows.mandates[MANDATE]
    tenancy.rows.mandates[MANDATE] = replace(named, is_default=True)
    await tenancy.start()
    await tenancy.pay()
    tenancy.provider.fail_next("create_payment", Fault.UNAVAILABLE)
    await tenancy.to(RENEWS)
    assert [charge.mandate_ref for charge in tenancy.charges] == ["mdt_1"]
    tenancy.rows.mandates[MANDATE] = named
    tenancy.rows.mandates[other] = replace(tenancy.rows.mandates[other], is_default=True)
    tenancy.provider.revoke_mandate("mdt_1")
    await tenancy.wait(0.1)
    assert tenancy.rows.mandates[MANDATE].status is MandateStatus.INVALID
    assert tenancy.rows.mandates[other].status is MandateStatus.VALID
