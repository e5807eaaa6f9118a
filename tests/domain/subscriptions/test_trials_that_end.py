"""What a trial leads to."""

from datetime import timedelta

from domain.ledger.posting import Account
from domain.payments.answers import MandateStatus
from domain.subscriptions.subscription import access_until
from tests.domain.subscriptions.tenancy import Tenancy
from tests.fakes.clock import NOON
from tests.make_subscriptions import days_on

DAYS = 14


async def test_a_trial_costs_nothing_and_then_the_first_month_is_charged():
    tenancy = Tenancy()
    tenancy.give_mandate()
    await tenancy.start(trial_days=DAYS)
    assert (tenancy.status, tenancy.bills, tenancy.periods[0].number) == ("trialing", [], 0)
    assert access_until(tenancy.subscription, timedelta(0)) == days_on(DAYS)
    await tenancy.wait(DAYS)
    assert (tenancy.status, len(tenancy.charges)) == ("collecting", 1)
    assert [(p.number, p.starts_at) for p in tenancy.periods] == [(0, NOON), (1, days_on(DAYS))]
    await tenancy.pay()
    assert (tenancy.status, tenancy.subscription.paid_through) == ("active", days_on(DAYS + 30))
    assert tenancy.on(Account.CASH) == 11_90


async def test_without_a_payment_method_it_ends_and_nothing_is_owed():
    tenancy = await Tenancy().start(trial_days=DAYS)
    await tenancy.wait(DAYS)
    assert (tenancy.status, tenancy.bills, tenancy.rows.postings) == ("expired", [], [])
    assert tenancy.subscription.due_at is None


async def test_a_method_that_became_invalid_is_none():
    tenancy = Tenancy()
    tenancy.give_mandate(MandateStatus.INVALID)
    await tenancy.start(trial_days=DAYS)
    await tenancy.wait(DAYS)
    assert tenancy.status == "expired"


async def test_what_is_free_goes_on_without_one():
    tenancy = await Tenancy(unit_minor=0).start(trial_days=DAYS)
    await tenancy.wait(DAYS)
    assert tenancy.status == "active"


async def test_credit_that_is_enough_goes_on_without_one():
    tenancy = await Tenancy(credit_minor=20_00).start(trial_days=DAYS)
    await tenancy.wait(DAYS)
    assert (tenancy.status, tenancy.credit) == ("active", 8_10)


async def test_a_method_that_is_still_being_checked_is_waited_for():
    tenancy = Tenancy()
    tenancy.give_mandate(MandateStatus.PENDING)
    await tenancy.start(trial_days=DAYS)
    await tenancy.wait(DAYS + 1)
    assert (tenancy.status, tenancy.charges) == ("past_due", [])
    assert tenancy.bills[0].tries == 0
    tenancy.give_mandate(MandateStatus.VALID)
    await tenancy.wait(0.1)
    assert (tenancy.status, len(tenancy.charges)) == ("collecting", 1)
    await tenancy.pay()
    assert tenancy.status == "active"


async def test_it_is_not_waited_for_longer_than_providers_take():
    tenancy = Tenancy()
    tenancy.give_mandate(MandateStatus.PENDING)
    await tenancy.start(trial_days=DAYS)
    await tenancy.wait(DAYS + 3)
    assert (tenancy.bills[0].failure_reason, tenancy.bills[0].tries) == ("no_payment_method", 1)
    await tenancy.wait(8)
    assert (tenancy.status, tenancy.charges) == ("canceled", [])


async def test_a_first_month_that_cannot_be_charged_is_dunned_for():
    tenancy = Tenancy()
    tenancy.give_mandate()
    await tenancy.start(trial_days=DAYS)
    await tenancy.wait(DAYS)
    await tenancy.fail("card_declined")
    assert tenancy.status == "past_due"
    await tenancy.wait(3)
    await tenancy.pay()
    assert (tenancy.status, tenancy.subscription.paid_through) == ("active", days_on(DAYS + 30))
