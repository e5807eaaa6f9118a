"""When money does not come: retries, grace, and what the app's policy says at the end."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain.ledger.posting import Account
from domain.payments.answers import MandateStatus, PaymentStatus
from domain.subscriptions.policy import FinalAction
from domain.subscriptions.replace_method import charge_on
from domain.subscriptions.subscription import PauseReason, access_until
from tests.domain.subscriptions.tenancy import Tenancy
from tests.fakes.clock import NOON
from tests.fakes.provider import Fault
from tests.make_subscriptions import days_on

RENEWS = days_on(31)
"""20 April, noon."""


async def failed_once(reason: str = "card_declined", **policy: object) -> Tenancy:
    """The second month's charge has failed."""
    tenancy = await Tenancy(**policy).started()
    await tenancy.to(RENEWS)
    await tenancy.fail(reason)
    assert tenancy.status == "past_due"
    return tenancy


def days_of_tries(tenancy: Tenancy) -> list[int]:
    return [(charge.created_at - RENEWS).days for charge in tenancy.charges[1:]]


async def fail_on(tenancy: Tenancy, days: int, reason: str = "card_declined") -> None:
    """Every try for so long."""
    end = tenancy.clock.now() + timedelta(days=days)
    while tenancy.clock.now() < end:
        if tenancy.status == "collecting":
            await tenancy.fail(reason)
        await tenancy.wait(1)


async def test_a_charge_that_failed_is_tried_on_the_days_of_the_policy():
    tenancy = await failed_once()
    await fail_on(tenancy, 6)
    assert days_of_tries(tenancy) == [0, 3, 5]
    assert tenancy.bills[-1].tries == 3
    assert tenancy.subscription.paid_through == RENEWS
    grace = timedelta(days=7)
    assert access_until(tenancy.subscription, grace) == RENEWS + grace


@pytest.mark.parametrize("at_try", [1, 2, 3])
async def test_a_later_try_that_is_paid_heals_it(at_try: int):
    tenancy = await failed_once()
    while len(tenancy.charges) < at_try + 2:
        await tenancy.wait(1)
        if tenancy.status == "collecting" and len(tenancy.charges) < at_try + 2:
            await tenancy.fail("card_declined")
    await tenancy.pay()
    assert tenancy.status == "active"
    assert (tenancy.bills[-1].status, tenancy.on(Account.RECEIVABLE)) == ("paid", 0)
    await tenancy.to(tenancy.periods[-1].ends_at)
    assert tenancy.status == "collecting"
    assert tenancy.bills[-1].tries == 0


@pytest.mark.parametrize("reason", ["card_expired", "AC04", "MD06", "MD07"])
async def test_what_will_not_work_again_is_not_tried_again(reason: str):
    tenancy = await failed_once(reason)
    await tenancy.wait(6)
    assert (days_of_tries(tenancy), tenancy.status) == ([0], "past_due")
    await tenancy.wait(2)
    assert (tenancy.status, tenancy.subscription.canceled_at) == ("canceled", days_on(38))


async def test_too_little_money_waits_for_a_payday():
    tenancy = await failed_once("AM04", retry_days=(3, 5, 13))
    await fail_on(tenancy, 14, "AM04")
    assert days_of_tries(tenancy) == [0, 11, 13]  # 1 and 3 May


async def test_the_verdict_of_the_last_failure_counts():
    tenancy = await failed_once("card_declined")
    await tenancy.wait(3)
    await tenancy.fail("card_expired")
    await tenancy.wait(3)
    assert (days_of_tries(tenancy), tenancy.status) == ([0, 3], "past_due")


@pytest.mark.parametrize(
    ("retries", "grace", "days"), [((3,), 10, 10), ((3, 20), 7, 20), ((), 0, 0)]
)
async def test_it_is_given_up_when_retries_and_grace_are_both_over(
    retries: tuple[int, ...], grace: int, days: int
):
    tenancy = await failed_once(retry_days=retries, grace_days=grace) if days else None
    if tenancy is None:
        tenancy = await Tenancy(retry_days=retries, grace_days=grace).started()
        await tenancy.to(RENEWS)
        await tenancy.fail("card_declined")
    await fail_on(tenancy, days + 2)
    assert tenancy.status == "canceled"
    assert tenancy.subscription.canceled_at == RENEWS + timedelta(days=days)


async def test_the_end_is_a_cancellation_and_a_loss():
    tenancy = await failed_once()
    await fail_on(tenancy, 10)
    assert (tenancy.status, tenancy.subscription.cancel_reason) == ("canceled", "unpaid")
    assert tenancy.bills[-1].status == "uncollectible"
    assert (tenancy.on(Account.WRITE_OFFS), tenancy.on(Account.RECEIVABLE)) == (11_90, 0)
    assert tenancy.subscription.due_at is None
    before = len(tenancy.charges)
    await tenancy.wait(100)
    assert len(tenancy.charges) == before


async def test_the_end_is_a_pause_until_somebody_pays():
    tenancy = await failed_once(final_action=FinalAction.PAUSE)
    await fail_on(tenancy, 10)
    assert (tenancy.status, tenancy.subscription.pause_reason) == ("paused", PauseReason.UNPAID)
    assert tenancy.bills[-1].status == "open"
    before = len(tenancy.charges)
    await tenancy.wait(100)
    assert len(tenancy.charges) == before


async def test_the_debt_is_written_off_and_it_goes_on():
    tenancy = await failed_once(final_action=FinalAction.KEEP)
    await fail_on(tenancy, 9)
    assert (tenancy.status, tenancy.bills[-1].status) == ("active", "uncollectible")
    assert tenancy.on(Account.WRITE_OFFS) == 11_90
    await tenancy.to(days_on(61))
    assert (tenancy.status, len(tenancy.periods)) == ("collecting", 3)
    assert tenancy.charges[-1].amount.minor == 11_90
    await tenancy.pay()
    assert tenancy.status == "active"


async def test_money_that_comes_after_all_heals_what_was_given_up_as_past_due():
    """The bank said no, and then it says paid."""
    tenancy = await failed_once()
    late = tenancy.charges[-1].ref
    world = tenancy.provider.world(tenancy.account)
    known = world.payments[late]
    world.payments[late] = replace(known, status=PaymentStatus.PAID, paid_at=tenancy.clock.now())
    await tenancy.hear(late)
    assert (tenancy.status, tenancy.bills[-1].status) == ("active", "paid")
    await tenancy.wait(10)
    assert len(tenancy.charges) == 2


async def test_nothing_to_charge_is_a_failure_that_nobody_was_asked_about():
    tenancy = await Tenancy().started()
    tenancy.rows.mandates.clear()
    await tenancy.to(RENEWS)
    assert (tenancy.status, len(tenancy.charges)) == ("past_due", 1)
    assert tenancy.bills[-1].failure_reason == "no_payment_method"
    await tenancy.wait(8)
    assert tenancy.status == "canceled"


async def test_a_new_method_is_charged_at_once():
    tenancy = await failed_once("card_expired")
    await tenancy.wait(2)
    uuid = tenancy.ids.new()
    tenancy.give_mandate(ref="mdt_2", uuid=uuid)
    await tenancy.wish(lambda pen: charge_on(pen, tenancy.rows.mandates[uuid]))
    assert tenancy.charges[-1].mandate_ref == "mdt_2"
    await tenancy.pay()
    assert tenancy.status == "active"


async def test_a_provider_that_says_no_is_a_failure_like_another():
    tenancy = await Tenancy().started()
    tenancy.provider.fail_next("create_payment", Fault.DECLINED)
    await tenancy.to(RENEWS)
    assert (tenancy.status, tenancy.bills[-1].failure_reason) == (
        "past_due",
        "declined_by_provider",
    )
    await tenancy.wait(3)
    assert tenancy.status == "collecting"
    await tenancy.pay()
    assert tenancy.status == "active"


@pytest.mark.parametrize(
    ("code", "retried"), [("insufficient_funds", True), ("card_expired", False)]
)
async def test_a_banks_no_counts_for_what_the_bank_says(code: str, retried: bool):
    tenancy = await Tenancy().started()
    tenancy.provider.decline_code = code
    tenancy.provider.fail_next("create_payment", Fault.DECLINED)
    await tenancy.to(RENEWS)
    bill = tenancy.bills[-1]
    assert (tenancy.status, bill.failure_reason, bill.tries) == ("past_due", code, 1)
    assert (bill.next_try_at is not None) is retried


async def test_a_mandate_that_is_gone_is_never_asked_again():
    tenancy = await Tenancy().started()
    tenancy.provider.revoke_mandate("mdt_1")
    await tenancy.to(RENEWS)
    (mandate,) = tenancy.rows.mandates.values()
    assert (tenancy.status, mandate.status) == ("past_due", MandateStatus.INVALID)
    assert "mandate.invalid" in tenancy.told
    asked = len(tenancy.provider.calls)
    await tenancy.wait(6)
    assert len(tenancy.provider.calls) == asked


async def test_a_charge_that_was_lost_on_the_way_is_looked_for_and_then_tried_again():
    tenancy = await Tenancy().started()
    tenancy.provider.fail_next("create_payment", Fault.UNAVAILABLE, times=50)
    await tenancy.to(RENEWS + timedelta(minutes=30))
    assert (tenancy.status, len(tenancy.charges)) == ("collecting", 1)
    await tenancy.to(RENEWS + timedelta(hours=3))
    assert tenancy.status == "past_due"
    tenancy.provider._faults.clear()
    await tenancy.wait(3)
    await tenancy.pay()
    assert (tenancy.status, len(tenancy.charges)) == ("active", 2)


async def test_an_answer_that_got_lost_is_found_by_asking_again():
    tenancy = await Tenancy().started()
    tenancy.provider.fail_next("create_payment", Fault.LOST_ANSWER, times=3)
    await tenancy.to(RENEWS + timedelta(minutes=30))
    assert len(tenancy.charges) == 2
    await tenancy.pay()
    assert (tenancy.status, len(tenancy.rows.payments)) == ("active", 2)


async def test_an_account_that_is_asked_too_much_is_left_alone_for_a_moment():
    tenancy = await Tenancy().started()
    tenancy.provider.budget.waits[tenancy.account.uuid] = 60
    await tenancy.to(RENEWS)
    assert (tenancy.status, len(tenancy.bills), len(tenancy.charges)) == ("active", 1, 1)
    tenancy.provider.budget.waits.clear()
    await tenancy.to(RENEWS + timedelta(minutes=2))
    assert (tenancy.status, len(tenancy.charges)) == ("collecting", 2)


async def test_a_first_charge_that_fails_was_never_a_subscription():
    tenancy = Tenancy()
    tenancy.give_mandate()
    await tenancy.start()
    assert (tenancy.status, access_until(tenancy.subscription, timedelta(days=7))) == (
        "incomplete",
        None,
    )
    await tenancy.fail()
    assert (tenancy.status, tenancy.bills[0].status) == ("expired", "void")
    assert tenancy.on(Account.REVENUE) == 0
    assert tenancy.bills[0].issued_at == NOON
