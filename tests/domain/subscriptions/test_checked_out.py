"""What a checkout leads to: a paid period, a trial, a new method, a debt that is settled."""

from typing import Any

from msgspec.structs import replace

from domain.catalog.quote import quote
from domain.checkout.session import Mode
from domain.ledger.posting import Account
from domain.payments.answers import RefundStatus
from domain.subscriptions.policy import FinalAction
from tests.domain.subscriptions.tenancy import Tenancy
from tests.make import money
from tests.make_ledger import a_quote
from tests.make_subscriptions import days_on

VERIFICATION = quote(money(1_00), 1, None)
RENEWS = days_on(31)


async def refunded(tenancy: Tenancy) -> int:
    """The bank has sent all that was to be given back."""
    world = tenancy.provider.world(tenancy.account)
    for refund in list(world.refunds.values()):
        if refund.status is RefundStatus.PENDING:
            tenancy.provider.set_refund(refund.ref, RefundStatus.REFUNDED)
            await tenancy.hear(refund.payment_ref)
    return sum(refund.amount.minor for refund in world.refunds.values())


async def past_due(**policy: Any) -> Tenancy:
    tenancy = await Tenancy(**policy).bought()
    await tenancy.to(RENEWS)
    await tenancy.fail("card_declined")
    return tenancy


async def recovery_of(tenancy: Tenancy) -> str:
    """A link to settle all that is open. Returns the payment's reference."""
    owed = tuple(bill for bill in tenancy.bills if bill.is_open)
    total = sum(bill.open.minor for bill in owed)
    return await tenancy.check_out(
        Mode.RECOVERY,
        a_quote(total, 0),
        subscription_uuid=tenancy.subscription.uuid,
        bill_uuids=tuple(bill.uuid for bill in owed),
    )


async def test_what_was_paid_at_the_checkout_is_the_first_period():
    tenancy = await Tenancy().bought()
    (bill,), (payment,) = tenancy.bills, tenancy.rows.payments.values()
    assert (tenancy.status, bill.status, bill.payment_uuid) == ("active", "paid", payment.uuid)
    assert tenancy.subscription.paid_through == tenancy.periods[0].ends_at
    assert (payment.tax, tenancy.on(Account.CASH)) == (money(1_90), 11_90)
    await tenancy.to(tenancy.periods[0].ends_at)
    (charge,) = tenancy.charges
    assert charge.amount == money(11_90)
    assert charge.mandate_ref == payment.mandate_ref


async def test_the_calendar_counts_from_the_payment_however_late_we_hear_of_it():
    tenancy = Tenancy()
    ref = await tenancy.check_out(Mode.SUBSCRIPTION, a_quote(10_00, 1_90))
    paid_at = tenancy.clock.now()
    tenancy.provider.pay(ref)
    tenancy.clock.advance(days_on(3) - paid_at)
    await tenancy.hear(ref)
    assert tenancy.periods[0].starts_at == paid_at


async def test_a_trial_gives_its_verification_back_and_then_charges():
    tenancy = Tenancy()
    ref = await tenancy.check_out(Mode.SUBSCRIPTION, VERIFICATION, trial_days=14)
    await tenancy.pay(ref)
    assert (tenancy.status, tenancy.on(Account.HELD)) == ("trialing", -1_00)
    assert (await refunded(tenancy), tenancy.on(Account.HELD)) == (1_00, 0)
    await tenancy.to(tenancy.periods[0].ends_at)
    await tenancy.pay()
    assert (tenancy.status, tenancy.on(Account.CASH)) == ("active", 11_90)


async def test_a_second_trial_of_a_product_is_refused_and_its_verification_given_back():
    tenancy = Tenancy()
    first, second = [
        await tenancy.check_out(Mode.SUBSCRIPTION, VERIFICATION, trial_days=14) for _ in range(2)
    ]
    await tenancy.pay(first)
    await tenancy.pay(second)
    statuses = [s.status for s in tenancy.rows.subscriptions.values()]
    assert statuses == ["trialing", "expired"]
    assert (await refunded(tenancy), tenancy.on(Account.HELD)) == (2_00, 0)


async def test_a_new_method_from_a_checkout_is_tried_at_once():
    tenancy = await past_due()
    ref = await tenancy.check_out(
        Mode.SETUP, VERIFICATION, subscription_uuid=tenancy.subscription.uuid
    )
    await tenancy.pay(ref)
    assert (tenancy.status, len(tenancy.charges)) == ("collecting", 2)
    assert tenancy.charges[-1].mandate_ref != tenancy.charges[0].mandate_ref
    await tenancy.pay(tenancy.charges[-1].ref)
    assert tenancy.status == "active"


async def test_a_link_settles_what_is_open_and_stores_the_method():
    tenancy = await past_due()
    ref = await recovery_of(tenancy)
    await tenancy.pay(ref)
    assert (tenancy.status, tenancy.bills[-1].status) == ("active", "paid")
    (payment,) = [p for p in tenancy.rows.payments.values() if p.provider_ref == ref]
    assert (payment.tax, payment.is_surplus) == (money(1_90), False)
    assert tenancy.on(Account.CASH) == 23_80
    await tenancy.to(tenancy.periods[-1].ends_at)
    assert tenancy.charges[-1].mandate_ref == payment.mandate_ref


async def test_a_link_ends_a_pause_for_debts():
    tenancy = await past_due(final_action=FinalAction.PAUSE, retry_days=())
    await tenancy.wait(8)
    assert tenancy.status == "paused"
    await tenancy.pay(await recovery_of(tenancy))
    assert (tenancy.status, tenancy.on(Account.RECEIVABLE)) == ("active", 0)


async def two_bills_open() -> Tenancy:
    tenancy = Tenancy(unit_minor=1_00, minimum_charge_minor=2_00)
    tenancy.give_mandate()
    await tenancy.start()
    await tenancy.to(RENEWS)
    await tenancy.fail("card_declined")
    assert [bill.status for bill in tenancy.bills] == ["open", "open"]
    return tenancy


async def test_a_link_for_two_bills_settles_both():
    tenancy = await two_bills_open()
    await tenancy.pay(await recovery_of(tenancy))
    assert (tenancy.status, [b.status for b in tenancy.bills]) == ("active", ["paid"] * 2)


async def test_what_was_settled_otherwise_meanwhile_is_given_back():
    """One of the two bills that the link was made for is settled before it is paid."""
    tenancy = await two_bills_open()
    both = await recovery_of(tenancy)
    await tenancy.pay(
        await tenancy.check_out(
            Mode.RECOVERY,
            a_quote(1_19, 0),
            subscription_uuid=tenancy.subscription.uuid,
            bill_uuids=(tenancy.bills[0].uuid,),
        )
    )
    assert [bill.status for bill in tenancy.bills] == ["paid", "open"]
    await tenancy.pay(both)
    assert (tenancy.status, [b.status for b in tenancy.bills]) == ("active", ["paid"] * 2)
    assert (await refunded(tenancy), tenancy.on(Account.HELD)) == (1_19, 0)
    assert tenancy.on(Account.CASH) == 2_38
    (payment,) = [p for p in tenancy.rows.payments.values() if p.provider_ref == both]
    assert (payment.is_surplus, payment.tax) == (False, money(19))


async def test_a_link_and_the_charge_that_was_under_way_are_not_both_kept():
    tenancy = await past_due()
    ref = await recovery_of(tenancy)
    await tenancy.wait(2.9)
    await tenancy.to(days_on(34))
    under_way = tenancy.charges[-1].ref
    assert tenancy.status == "collecting"
    await tenancy.pay(ref)
    assert (tenancy.status, tenancy.bills[-1].status) == ("active", "paid")
    await tenancy.pay(under_way)
    assert (await refunded(tenancy), tenancy.on(Account.HELD)) == (11_90, 0)
    assert (tenancy.status, tenancy.on(Account.CASH)) == ("active", 23_80)


async def test_a_link_for_what_ended_meanwhile_gives_all_back():
    tenancy = await past_due()
    ref = await recovery_of(tenancy)
    await tenancy.to(days_on(31 + 8))
    for _ in range(20):
        if tenancy.status == "collecting":
            await tenancy.fail("card_expired", tenancy.charges[-1].ref)
        await tenancy.wait(0.5)
    assert tenancy.status == "canceled"
    await tenancy.pay(ref)
    assert tenancy.status == "canceled"
    assert (await refunded(tenancy), tenancy.on(Account.HELD)) == (11_90, 0)


async def test_a_second_payment_for_one_charge_is_given_back():
    tenancy = await Tenancy().bought()
    await tenancy.to(RENEWS)
    first = await tenancy.pay()
    world = tenancy.provider.world(tenancy.account)
    known = world.payments[first]
    world.payments["tr_twice"] = replace(known, ref="tr_twice")
    await tenancy.hear("tr_twice")
    assert (await refunded(tenancy), tenancy.on(Account.CASH)) == (11_90, 23_80)
    (twice,) = [p for p in tenancy.rows.payments.values() if p.provider_ref == "tr_twice"]
    assert twice.is_surplus
    assert tenancy.status == "active"


async def test_what_the_bank_sends_back_of_a_refund_is_held_again():
    tenancy = Tenancy()
    await tenancy.pay(await tenancy.check_out(Mode.SUBSCRIPTION, VERIFICATION, trial_days=14))
    assert await refunded(tenancy) == 1_00
    (refund,) = tenancy.provider.world(tenancy.account).refunds.values()
    tenancy.provider.set_refund(refund.ref, RefundStatus.FAILED)
    await tenancy.hear(refund.payment_ref)
    assert (tenancy.on(Account.CASH), tenancy.on(Account.HELD)) == (1_00, -1_00)
