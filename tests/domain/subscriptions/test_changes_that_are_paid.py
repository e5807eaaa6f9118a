"""What becomes of an accepted change: its charge is paid, or fails, at once or days later.

Lived with a database, a provider and a worker in memory; the books are audited after each step.
"""

import pytest
from msgspec.structs import replace

from domain.kernel.errors import Conflict, NotFound, Refused
from domain.ledger.posting import Account
from domain.payments.answers import PaymentStatus
from domain.subscriptions import advance
from domain.subscriptions.change_quote import ChangeMode, ChangeQuote
from domain.subscriptions.change_service import Outcome
from domain.subscriptions.policy import ChargebackAction
from domain.subscriptions.wishes import When, cancel, pause, resume
from infrastructure.sealed import Sealed
from tests.domain.subscriptions.changing import VAULT, Changing
from tests.fakes.provider_engine import Fault
from tests.make import APP, a_uuid, money
from tests.make_changes import NEXT_PERIOD, NO_BILL, NOW_FULL, NOW_PRORATED


@pytest.fixture
async def life() -> Changing:
    life = Changing()
    await life.started()
    await life.wait(10)
    return life


async def test_an_upgrade_takes_effect_when_its_charge_is_paid(life: Changing):
    assert await life.change(life.team) is Outcome.COLLECTING
    assert (life.status, life.subscription.price_uuid) == ("collecting", life.price.uuid)
    ref = await life.pay()
    assert life.charges[-1].amount == money(24_99)
    assert (life.status, life.subscription.price_uuid) == ("active", life.team.uuid)
    assert life.worth == 73_78
    assert life.bills[-1].status == "paid"
    assert "subscription.changed" in life.told and "subscription.renewed" not in life.told
    assert life.provider.payment(ref).status is PaymentStatus.PAID
    await life.wait(21)
    assert life.charges[-1].amount == money(73_78)
    assert life.on(Account.RECEIVABLE) == 73_78


async def test_if_the_charge_fails_everything_is_as_it_was(life: Changing):
    before = life.subscription
    await life.change(life.team)
    await life.fail("card_declined")
    after = life.subscription
    assert (life.status, after.price_uuid, life.worth) == ("active", life.price.uuid, 36_89)
    assert (after.version, after.due_at) == (before.version, before.due_at)
    bill = life.bills[-1]
    assert (bill.status, bill.failure_reason, bill.open) == ("void", "card_declined", money(0))
    assert life.on(Account.RECEIVABLE) == 0
    assert "subscription.change_failed" in life.told
    charged = len(life.charges)
    await life.wait(20)
    assert len(life.charges) == charged, "a change that failed is not tried again"


async def test_if_the_charge_fails_the_credit_is_there_again():
    life = await Changing().started()
    await life.wait(10)
    assert await life.change(life.lite) is Outcome.APPLIED
    assert life.credit == 12_49
    await life.change(life.team)
    assert (life.credit, life.charges[-1].amount) == (0, money(49_98 - 12_50 - 12_49))
    await life.fail()
    assert (life.credit, life.subscription.price_uuid) == (12_49, life.lite.uuid)


async def test_a_provider_that_declines_changes_nothing_but_the_card(life: Changing):
    life.provider.revoke_mandate("mdt_1")
    assert await life.change(life.team) is Outcome.FAILED
    assert (life.status, life.subscription.price_uuid) == ("active", life.price.uuid)
    assert "mandate.invalid" in life.told


async def test_a_direct_debit_takes_days_and_then_it_counts(life: Changing):
    await life.change(life.team)
    ref = life.live_charge()
    life.provider.settle(ref, PaymentStatus.PENDING)
    await life.hear(ref)
    await life.wait(5)
    assert (life.status, life.subscription.price_uuid) == ("collecting", life.price.uuid)
    await life.pay(ref)
    assert (life.status, life.subscription.price_uuid) == ("active", life.team.uuid)
    assert life.worth == 73_78


async def test_a_debit_that_takes_longer_than_the_period_does_not_stop_the_clock(life: Changing):
    await life.wait(20)
    await life.change(life.team)
    await life.wait(4)
    assert (life.status, len(life.periods)) == ("collecting", 1)
    await life.pay()
    assert (len(life.periods), life.charges[-1].amount) == (2, money(73_78))
    assert life.periods[1].starts_at == life.periods[0].ends_at


async def test_an_answer_that_is_lost_is_found_again_and_charged_once(life: Changing):
    life.provider.fail_next("create_payment", Fault.LOST_ANSWER)
    assert await life.change(life.team) is Outcome.COLLECTING
    await life.wait(1)
    assert len(life.charges) == 2
    await life.pay()
    assert life.subscription.price_uuid == life.team.uuid


async def test_accepted_twice_it_is_one_change_and_one_charge(life: Changing):
    _, text = await life.quote(life.team)
    assert [await life.accept(text) for _ in range(2)] == [Outcome.COLLECTING] * 2
    await life.pay()
    assert await life.accept(text) is Outcome.APPLIED
    assert len(life.charges) == 2
    _, other = await life.quote(life.lite)
    assert [await life.accept(other) for _ in range(2)] == [Outcome.APPLIED] * 2
    assert life.credit == 49_98 - 12_50


@pytest.mark.parametrize(
    ("mode", "outcome"), [(NO_BILL, Outcome.APPLIED), (NEXT_PERIOD, Outcome.SCHEDULED)]
)
async def test_so_is_one_that_bills_nothing(life: Changing, mode: ChangeMode, outcome: Outcome):
    _, text = await life.quote(life.team, mode)
    assert [await life.accept(text) for _ in range(2)] == [outcome] * 2
    assert life.subscription.version == 2


async def test_after_it_failed_its_quote_is_spent_and_says_so(life: Changing):
    _, text = await life.quote(life.team)
    await life.accept(text)
    await life.fail()
    assert await life.accept(text) is Outcome.FAILED
    assert len(life.charges) == 2


async def test_while_a_change_is_being_paid_there_is_no_other(life: Changing):
    _, other = await life.quote(life.lite, NEXT_PERIOD)
    await life.change(life.team)
    with pytest.raises(Conflict, match="another change"):
        await life.accept(other)
    with pytest.raises(Conflict, match="next period only"):
        await life.quote(life.lite)


async def test_canceled_while_it_is_being_paid_the_money_goes_back(life: Changing):
    await life.change(life.team)
    await life.wish(lambda pen: cancel(pen, When.NOW))
    ref = await life.pay()
    assert (life.status, life.subscription.price_uuid) == ("canceled", life.price.uuid)
    assert life.bills[-1].status == "void"
    (refund,) = life.rows.refunds.values()
    assert (refund.payment_uuid, refund.amount) == (life.payment_uuid(ref), money(24_99))


async def test_when_the_period_it_was_for_is_over_the_money_goes_back(life: Changing):
    """Paused, resumed and renewed while a bank took its time."""
    await life.change(life.yearly)
    ref = life.live_charge()
    await life.wish(pause)
    await life.wait(25)
    await life.wish(resume)
    assert len(life.periods) == 2
    await life.pay(life.charges[-1].ref)
    await life.pay(ref)
    assert (life.status, life.subscription.price_uuid) == ("active", life.price.uuid)
    (refund,) = life.rows.refunds.values()
    assert refund.payment_uuid == life.payment_uuid(ref)


async def test_a_bank_that_takes_a_changes_money_back_does_not_make_it_happen_twice():
    """Owed again, dunned for, and paid: the plan has changed once."""
    life = await Changing(chargeback_action=ChargebackAction.RECOLLECT).started()
    await life.wait(10)
    await life.change(life.yearly)
    ref = await life.pay()
    await life.charge_back(ref, reason="MS03")
    assert (life.status, life.bills[-1].status) == ("past_due", "open")
    life.give_mandate(ref="mdt_2", uuid=a_uuid(92))
    await life.wait(4)
    await life.pay()
    assert (life.status, life.bills[-1].status) == ("active", "paid")
    assert [period.number for period in life.periods] == [1, 2]
    assert life.told.count("subscription.changed") == 1


async def test_what_is_scheduled_is_there_with_the_next_period(life: Changing):
    assert await life.change(life.lite, NEXT_PERIOD, quantity=2) is Outcome.SCHEDULED
    await life.wait(21)
    assert life.charges[-1].amount == money(36_89)
    await life.pay()
    assert (life.subscription.quantity, life.subscription.scheduled_change) == (2, None)
    assert life.periods[-1].starts_at == life.periods[-2].ends_at


async def test_what_was_unscheduled_never_comes(life: Changing):
    await life.change(life.lite, NEXT_PERIOD)
    async with life.database.begin(APP) as tx:
        await life.service.unschedule(tx, life.actor, life.subscription.uuid)
    await life.wait(21)
    assert life.subscription.price_uuid == life.price.uuid
    assert life.charges[-1].amount == money(36_89)


async def test_another_interval_is_counted_from_where_the_month_ends(life: Changing):
    await life.change(life.yearly, NEXT_PERIOD)
    await life.wait(21)
    await life.pay()
    month, year = life.periods
    assert (year.starts_at, year.ends_at) == (month.ends_at, month.ends_at.replace(year=2027))


async def test_the_end_of_the_month_comes_back_after_a_scheduled_change():
    """Begun on 31 March: the same interval keeps its calendar."""
    life = Changing()
    await life.wait(11)
    await life.started()
    await life.change(life.team, NEXT_PERIOD)
    for _ in range(2):
        await life.wait(31)
        await life.pay()
    assert [p.ends_at.strftime("%d.%m.") for p in life.periods] == ["30.04.", "31.05.", "30.06."]


async def test_a_change_in_a_trial_is_what_is_charged_when_it_ends():
    for mode in (NOW_PRORATED, NEXT_PERIOD):
        life = Changing()
        life.give_mandate()
        await life.start(trial_days=14)
        await life.change(life.team, mode)
        assert (life.status, life.charges) == ("trialing", [])
        await life.wait(15)
        assert life.charges[-1].amount == money(73_78)
        assert life.subscription.price_uuid == life.team.uuid


async def test_who_tries_it_out_and_chooses_the_free_plan_needs_no_card():
    life = Changing()
    free = life.add_price(unit_amount=money(0))
    await life.start(trial_days=14)
    await life.change(free, NEXT_PERIOD)
    await life.wait(15)
    assert (life.status, life.worth) == ("active", 0)


async def test_one_that_waits_for_a_pause_to_end_is_made_then(life: Changing):
    await life.change(life.yearly, NEXT_PERIOD)
    await life.wish(pause)
    await life.wait(40)
    await life.wish(resume)
    assert life.charges[-1].amount == money(368_90)
    await life.pay()
    assert life.subscription.current_period.starts_at == life.clock.now()


async def test_a_change_that_was_paid_is_not_undone_by_an_end(life: Changing):
    await life.change(life.team, NOW_FULL)
    await life.pay()
    assert life.charges[-1].amount == money(73_78)
    await life.wish(lambda pen: advance.cancel(pen, "requested", at=pen.now))
    assert life.subscription.price_uuid == life.team.uuid


# Who asks, and for what


async def test_a_quote_is_for_its_own_subscription_alone(life: Changing):
    quote, text = await life.quote(life.team)
    other = Changing()
    other.ids.new()  # its subscription has another uuid
    await other.started()
    for stolen in (text, text[:-8] + "AAAAAAA=", text[8:], "", "x" * 9000, "\u00e4"):
        with pytest.raises(Refused) as refusal:
            await other.accept(stolen)
        assert refusal.value.field == "quote"
    context = f"{a_uuid(9)}|subscriptions|change|{quote.subscription_uuid}"
    elsewhere = Sealed(VAULT, ChangeQuote).seal(
        replace(quote, expires_at=quote.expires_at), context=context
    )
    with pytest.raises(Refused):
        await life.accept(elsewhere)
    assert len(life.charges) == 1


async def test_what_cannot_be_changed_to_is_named(life: Changing):
    archived = life.add_price(archived_at=life.clock.now())
    once = life.add_price(recurring=None)
    elsewhere = life.add_price(payment_provider_uuid=a_uuid(99))
    dollars = life.add_price(unit_amount=money(1, "USD"))
    for price in (archived, once, elsewhere, dollars):
        with pytest.raises(Refused) as refusal:
            await life.quote(price)
        assert refusal.value.field == "productPriceUuid"
    with pytest.raises(NotFound):
        await life.quote(price_uuid=a_uuid(99))
    with pytest.raises(NotFound):
        await life.quote(tax_rate_uuid=a_uuid(99))


async def test_what_it_has_stays_even_when_it_is_out_of_sale(life: Changing):
    stored = life.rows.prices[life.price.uuid]
    life.rows.prices[life.price.uuid] = replace(stored, archived_at=life.clock.now())
    quote, _ = await life.quote(quantity=2)
    assert quote.amount.total == money(24_99)
