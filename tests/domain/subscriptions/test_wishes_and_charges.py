"""A wish that meets a charge: whatever the bank then says, the wish stands."""

from datetime import timedelta

import pytest

from domain.ledger.posting import Account
from domain.subscriptions import wishes
from domain.subscriptions.policy import FinalAction
from domain.subscriptions.subscription import access_until
from domain.subscriptions.wishes import When
from tests.domain.subscriptions.tenancy import Tenancy
from tests.make_subscriptions import days_on

RENEWS = days_on(31)
NEXT = days_on(61)


async def collecting() -> Tenancy:
    """The second month's charge is under way."""
    tenancy = await Tenancy().started()
    await tenancy.to(RENEWS)
    assert tenancy.status == "collecting"
    return tenancy


async def past_due() -> Tenancy:
    tenancy = await collecting()
    await tenancy.fail("card_declined")
    return tenancy


async def test_canceled_now_a_charge_that_is_paid_all_the_same_settles_its_bill():
    tenancy = await collecting()
    await tenancy.wish(lambda pen: wishes.cancel(pen, When.NOW))
    assert (tenancy.status, tenancy.bills[-1].status) == ("canceled", "open")
    await tenancy.wait(2)
    await tenancy.pay()
    assert (tenancy.status, tenancy.bills[-1].status) == ("canceled", "paid")
    await tenancy.wait(100)
    assert len(tenancy.charges) == 2


async def test_canceled_now_a_charge_that_fails_leaves_nothing_owed():
    tenancy = await collecting()
    await tenancy.wish(lambda pen: wishes.cancel(pen, When.NOW))
    await tenancy.fail("card_declined")
    assert (tenancy.status, tenancy.bills[-1].status) == ("canceled", "void")
    assert (tenancy.on(Account.RECEIVABLE), tenancy.on(Account.REVENUE)) == (0, -10_00)
    await tenancy.wait(100)
    assert len(tenancy.charges) == 2


async def test_what_is_owed_when_it_is_canceled_is_not_asked_for_any_more():
    tenancy = await past_due()
    await tenancy.wish(lambda pen: wishes.cancel(pen, When.NOW))
    assert (tenancy.status, tenancy.bills[-1].status) == ("canceled", "void")
    await tenancy.wait(30)
    assert len(tenancy.charges) == 2


async def test_canceled_at_the_end_of_the_period_it_is_served_and_not_renewed():
    tenancy = await Tenancy().started()
    await tenancy.wish(lambda pen: wishes.cancel(pen, When.PERIOD_END))
    assert tenancy.status == "active"
    assert access_until(tenancy.subscription, timedelta(days=7)) == RENEWS
    await tenancy.wait(100)
    assert (tenancy.status, tenancy.subscription.canceled_at) == ("canceled", RENEWS)
    assert (len(tenancy.charges), len(tenancy.periods)) == (1, 1)


@pytest.mark.parametrize("outcome", ["paid", "failed"])
async def test_canceled_at_the_end_while_a_charge_is_under_way(outcome: str):
    tenancy = await collecting()
    await tenancy.wish(lambda pen: wishes.cancel(pen, When.PERIOD_END))
    assert tenancy.status == "collecting"
    await (tenancy.pay() if outcome == "paid" else tenancy.fail("card_expired"))
    assert tenancy.status == ("active" if outcome == "paid" else "past_due")
    await tenancy.to(NEXT)
    assert tenancy.status == "canceled"
    assert len(tenancy.periods) == 2


async def test_canceled_on_a_day_in_the_middle():
    tenancy = await Tenancy().started()
    await tenancy.wish(lambda pen: wishes.cancel(pen, days_on(10)))
    await tenancy.wait(9)
    assert tenancy.status == "active"
    await tenancy.wait(2)
    assert (tenancy.status, tenancy.subscription.canceled_at) == ("canceled", days_on(10))


async def test_canceled_on_a_day_while_the_bank_is_still_thinking():
    tenancy = await collecting()
    await tenancy.wish(lambda pen: wishes.cancel(pen, days_on(33)))
    await tenancy.wait(3)
    assert (tenancy.status, tenancy.bills[-1].status) == ("canceled", "open")
    await tenancy.fail()
    assert (tenancy.status, tenancy.bills[-1].status) == ("canceled", "void")


async def test_a_wish_to_cancel_that_was_taken_back_does_nothing():
    tenancy = await Tenancy().started()
    await tenancy.wish(lambda pen: wishes.cancel(pen, When.PERIOD_END))
    await tenancy.wish(wishes.uncancel)
    await tenancy.to(RENEWS)
    assert tenancy.status == "collecting"


async def test_paused_while_collecting_and_then_paid_it_stays_paused_and_paid():
    tenancy = await collecting()
    await tenancy.wish(wishes.pause)
    assert (tenancy.status, tenancy.subscription.due_at) == ("paused", None)
    await tenancy.wait(1)
    await tenancy.pay()
    assert (tenancy.status, tenancy.bills[-1].status) == ("paused", "paid")
    assert tenancy.subscription.paid_through == NEXT
    assert access_until(tenancy.subscription, timedelta(days=7)) == NEXT
    await tenancy.wait(100)
    assert len(tenancy.charges) == 2


async def test_paused_while_collecting_a_failure_waits_for_the_end_of_the_pause():
    tenancy = await collecting()
    await tenancy.wish(wishes.pause)
    await tenancy.fail("card_declined")
    assert (tenancy.status, tenancy.bills[-1].status) == ("paused", "open")
    await tenancy.wait(50)
    assert (tenancy.status, len(tenancy.charges)) == ("paused", 2)
    await tenancy.wish(wishes.resume)
    assert (tenancy.status, len(tenancy.charges)) == ("collecting", 3)
    await tenancy.pay()
    assert tenancy.bills[1].status == "paid"


async def test_resumed_while_the_charge_is_still_under_way_no_other_is_made():
    tenancy = await collecting()
    await tenancy.wish(wishes.pause)
    await tenancy.wish(wishes.resume)
    assert (tenancy.status, len(tenancy.charges)) == ("collecting", 2)
    await tenancy.pay()
    assert tenancy.status == "active"


async def test_resumed_before_the_period_is_over_what_was_paid_is_used_up():
    tenancy = await Tenancy().started()
    await tenancy.wait(5)
    await tenancy.wish(wishes.pause)
    await tenancy.wait(5)
    await tenancy.wish(wishes.resume)
    assert (tenancy.status, len(tenancy.charges)) == ("active", 1)
    await tenancy.to(RENEWS)
    assert (tenancy.status, tenancy.periods[-1].starts_at) == ("collecting", RENEWS)


async def test_resumed_long_after_a_new_period_begins_on_that_day():
    tenancy = await Tenancy().started()
    await tenancy.wait(5)
    await tenancy.wish(lambda pen: wishes.pause(pen, days_on(100)))
    await tenancy.to(days_on(99))
    assert (tenancy.status, len(tenancy.charges)) == ("paused", 1)
    await tenancy.to(days_on(101))
    assert (tenancy.status, len(tenancy.charges)) == ("collecting", 2)
    (first, second) = tenancy.periods
    assert (first.ends_at, second.starts_at) == (RENEWS, days_on(100))
    await tenancy.pay()
    await tenancy.to(second.ends_at)
    assert tenancy.periods[-1].starts_at == second.ends_at


async def test_past_due_and_paused_nothing_is_tried_until_it_goes_on():
    tenancy = await past_due()
    await tenancy.wish(wishes.pause)
    await tenancy.wait(60)
    assert (tenancy.status, len(tenancy.charges)) == ("paused", 2)
    await tenancy.wish(wishes.resume)
    assert (tenancy.status, tenancy.charges[-1].amount.minor) == ("collecting", 11_90)
    await tenancy.fail("card_declined")
    assert tenancy.status == "past_due"


async def test_a_pause_is_ended_by_a_cancellation_and_by_nothing_else():
    tenancy = await past_due()
    await tenancy.wish(wishes.pause)
    await tenancy.wish(lambda pen: wishes.cancel(pen, When.NOW))
    assert (tenancy.status, tenancy.bills[-1].status) == ("canceled", "void")
    assert tenancy.on(Account.RECEIVABLE) == 0


async def test_resumed_by_somebody_a_pause_for_debts_asks_for_the_debt():
    tenancy = await Tenancy(final_action=FinalAction.PAUSE, retry_days=()).started()
    await tenancy.to(RENEWS)
    await tenancy.fail("card_declined")
    await tenancy.wait(8)
    assert tenancy.status == "paused"
    await tenancy.wish(wishes.resume)
    assert (tenancy.status, tenancy.charges[-1].amount.minor) == ("collecting", 11_90)
    await tenancy.pay()
    assert (tenancy.status, tenancy.periods[-1].ends_at) == ("active", NEXT)


async def test_a_trial_that_is_canceled_costs_nothing():
    tenancy = Tenancy()
    tenancy.give_mandate()
    await tenancy.start(trial_days=14)
    await tenancy.wish(lambda pen: wishes.cancel(pen, When.PERIOD_END))
    await tenancy.wait(30)
    assert (tenancy.status, tenancy.charges, tenancy.bills) == ("canceled", [], [])
    assert tenancy.subscription.canceled_at == days_on(14)


async def test_canceled_before_its_first_charge_is_paid_the_money_goes_back():
    tenancy = Tenancy()
    tenancy.give_mandate()
    await tenancy.start()
    await tenancy.wish(lambda pen: wishes.cancel(pen, When.NOW))
    assert tenancy.status == "canceled"
    await tenancy.pay()
    assert (tenancy.status, tenancy.bills[0].status) == ("canceled", "void")
    assert len(tenancy.provider.made("refund")) == 1
