"""Every wish in every state: what it does, what it does not, and that twice is once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from msgspec.structs import replace

from domain.kernel.errors import Conflict, Refused
from domain.payments.answers import MandateStatus
from domain.payments.mandate import Mandate
from domain.subscriptions.advance import advance, next_deed
from domain.subscriptions.bill import BillStatus
from domain.subscriptions.collect import fail
from domain.subscriptions.pay_now import pay_now
from domain.subscriptions.pen import Pen
from domain.subscriptions.replace_method import charge_on
from domain.subscriptions.start import (
    Grounds,
    Wanted,
    begin,
    start_charged,
    start_paid,
    start_trial,
)
from domain.subscriptions.subscription import PauseReason, SubscriptionStatus, access_until
from domain.subscriptions.wishes import When, cancel, pause, resume, uncancel
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds
from tests.make import APP, TENANT, a_uuid, money
from tests.make_checkout import ACCOUNT
from tests.make_subscriptions import a_mandate, a_plan, a_policy

S = SubscriptionStatus
DAY: Final = timedelta(days=1)
LATER: Final = NOON + 3 * DAY
GRACE: Final = timedelta(days=7)
PLAN: Final = a_plan(unit_amount=money(9_99), tax_rate_uuid=None, tax=None)
CARD: Final = a_mandate()
IDS: Final = FakeIds(series=8)


def begun(start: Callable[[Pen], None], *, mandates: tuple[Mandate, ...] = (CARD,)) -> Pen:
    grounds = Grounds(
        plan=PLAN,
        trial_days=14,
        policy=a_policy(),
        clock=None,
        mandates=mandates,
        balance=money(0),
    )
    wanted = Wanted(
        app_uuid=APP,
        tenant_uuid=TENANT,
        user_uuid=None,
        payment_provider_uuid=ACCOUNT,
        quantity=1,
    )
    pen = begin(wanted, grounds, paid_at=None, real_now=NOON, ids=IDS)
    start(pen)
    return fresh(pen)


def fresh(pen: Pen, after: timedelta = timedelta(0)) -> Pen:
    """Saved, and taken up again."""
    return Pen(replace(pen.book, new_periods=()), IDS, pen.real_now + after)


def paid(pen: Pen) -> None:
    start_paid(pen, a_uuid(76), PLAN.quote(1))


def renewed(pen: Pen) -> Pen:
    """A period later; its charge is asked for."""
    pen = fresh(pen, pen.subscription.current_period.ends_at - pen.now)
    assert advance(pen)
    return pen


def owing() -> Pen:
    pen = renewed(begun(paid))
    fail(pen, pen.book.open_bills[0], "card_declined", at=pen.now)
    return fresh(pen)


def moved(pen: Pen, to: SubscriptionStatus, **fields: Any) -> Pen:
    pen.change(status=to, **fields)
    return fresh(pen)


def in_state(status: SubscriptionStatus) -> Pen:
    match status:
        case S.INCOMPLETE:
            return begun(start_charged)
        case S.TRIALING:
            return begun(lambda pen: start_trial(pen, 14))
        case S.ACTIVE:
            return begun(paid)
        case S.COLLECTING:
            return fresh(renewed(begun(paid)))
        case S.PAST_DUE:
            return owing()
        case S.PAUSED:
            pen = begun(paid)
            pause(pen)
            return fresh(pen)
        case _:
            return moved(begun(paid), status, canceled_at=NOON)


LIVING: Final = [s for s in S if s not in (S.CANCELED, S.EXPIRED)]
WISHES: Final[dict[str, Callable[[Pen], None]]] = {
    "cancel now": lambda pen: cancel(pen, When.NOW),
    "cancel at the period's end": lambda pen: cancel(pen, When.PERIOD_END),
    "cancel at an instant": lambda pen: cancel(pen, pen.now + DAY),
    "uncancel": uncancel,
    "pause": pause,
    "pause until": lambda pen: pause(pen, pen.now + DAY),
    "resume": resume,
}
REFUSED: Final = {
    (S.INCOMPLETE, "pause"),
    (S.INCOMPLETE, "pause until"),
    (S.TRIALING, "pause"),
    (S.TRIALING, "pause until"),
    *((S.EXPIRED, wish) for wish in WISHES),
    *((S.CANCELED, wish) for wish in WISHES if wish != "cancel now"),
}


@pytest.mark.parametrize("status", list(S))
@pytest.mark.parametrize("wish", list(WISHES))
def test_a_wish_is_done_once_or_refused_and_then_nothing_has_changed(
    status: SubscriptionStatus, wish: str
):
    pen = in_state(status)
    before = pen.book
    if (status, wish) in REFUSED:
        with pytest.raises(Conflict) as refused:
            WISHES[wish](pen)
        assert len(str(refused.value)) > 20
        assert (pen.book, pen.events) == (before, [])
        return
    WISHES[wish](pen)
    again = fresh(pen)
    WISHES[wish](again)
    # A new book differs in nothing, but for what a step notes of periods.
    assert again.book == replace(pen.book, new_periods=())
    assert (again.events, again.postings, again.history, again.charge) == ([], [], [], None)


@pytest.mark.parametrize("status", LIVING)
def test_an_end_now_ends_everything_and_asks_for_nothing(status: SubscriptionStatus):
    pen = in_state(status)
    cancel(pen, When.NOW, "too_expensive")
    subscription = pen.subscription
    assert (subscription.status, subscription.canceled_at) == (S.CANCELED, pen.now)
    assert subscription.cancel_reason == "too_expensive"
    assert access_until(subscription, GRACE) == pen.now
    assert next_deed(pen.book) is None
    assert all(b.status is not BillStatus.OPEN for b in pen.book.bills) or status in (
        S.INCOMPLETE,
        S.COLLECTING,
    )
    assert pen.events[-1].type == "subscription.canceled"


@pytest.mark.parametrize("status", LIVING)
def test_an_end_with_the_period_is_served_to_it_and_comes_by_itself(status: SubscriptionStatus):
    pen = in_state(status)
    ends_at = pen.subscription.current_period.ends_at
    cancel(pen, When.PERIOD_END)
    assert (pen.subscription.status, pen.subscription.cancel_at) == (status, ends_at)
    told = pen.events[-1]
    assert told.type == "subscription.cancel_scheduled"
    assert told.facts["cancelAt"] == ends_at.isoformat()
    reach = access_until(pen.subscription, GRACE)
    assert reach is None or reach <= ends_at
    then = fresh(pen, ends_at - pen.now)
    while advance(then):
        pass
    assert then.subscription.status is S.CANCELED
    assert then.charge is None or status is S.PAST_DUE  # its retries come before
    assert then.subscription.canceled_at == ends_at


def test_an_end_of_a_trial_is_the_trials_end():
    pen = in_state(S.TRIALING)
    cancel(pen, When.PERIOD_END)
    assert pen.subscription.cancel_at == pen.subscription.trial_ends_at == NOON + 14 * DAY


def test_another_instant_or_another_reason_takes_the_place_of_the_first():
    pen = in_state(S.ACTIVE)
    cancel(pen, When.PERIOD_END, "too_expensive")
    cancel(pen, LATER)
    assert (pen.subscription.cancel_at, pen.subscription.cancel_reason) == (LATER, "too_expensive")
    cancel(pen, LATER, "moved_away")
    assert pen.subscription.cancel_reason == "moved_away"
    assert [event.type for event in pen.events] == ["subscription.cancel_scheduled"] * 3


@pytest.mark.parametrize("past", [timedelta(0), DAY])
def test_an_instant_that_is_past_is_refused(past: timedelta):
    for wish, field in ((cancel, "at"), (pause, "resumesAt")):
        with pytest.raises(Refused) as refused:
            wish(in_state(S.ACTIVE), NOON - past)
        assert refused.value.field == field


def test_an_end_taken_back_leaves_no_trace_but_events():
    pen = in_state(S.ACTIVE)
    before = pen.book
    cancel(pen, When.PERIOD_END, "too_expensive")
    uncancel(pen)
    assert pen.book == before
    assert pen.events[-1].type == "subscription.uncanceled"


def test_an_end_that_has_come_cannot_be_taken_back_though_no_worker_has_been_there():
    pen = in_state(S.ACTIVE)
    cancel(pen, LATER)
    late = fresh(pen, 4 * DAY)
    with pytest.raises(Conflict):
        uncancel(late)
    late = fresh(pen, 4 * DAY)
    cancel(late, When.NOW)
    assert (late.subscription.status, late.subscription.canceled_at) == (S.CANCELED, LATER)


def test_a_period_that_is_over_ends_it_now_and_is_not_followed_by_another():
    late = fresh(in_state(S.ACTIVE), 40 * DAY)
    cancel(late, When.PERIOD_END)
    assert (late.subscription.status, late.subscription.canceled_at) == (S.CANCELED, late.now)
    assert (late.charge, len(late.book.bills)) == (None, 1)


@pytest.mark.parametrize("status", [S.ACTIVE, S.COLLECTING, S.PAST_DUE])
def test_a_pause_stops_all_tries_until_it_is_over(status: SubscriptionStatus):
    pen = in_state(status)
    pause(pen, pen.now + 90 * DAY)
    subscription = pen.subscription
    assert (subscription.status, subscription.paused_at) == (S.PAUSED, pen.now)
    assert subscription.pause_reason is PauseReason.REQUESTED
    assert access_until(subscription, GRACE) == subscription.paid_through
    assert all(bill.next_try_at is None for bill in pen.book.open_bills)
    assert next_deed(pen.book) == (pen.now + 90 * DAY, 2)
    told = pen.events[-1]
    assert (told.type, told.facts["reason"]) == ("subscription.paused", "requested")


def test_a_pause_can_be_made_longer_and_endless():
    pen = in_state(S.ACTIVE)
    for resumes_at in (LATER, LATER + DAY, None):
        pause(pen, resumes_at)
        assert pen.subscription.resumes_at == resumes_at
        assert pen.subscription.paused_at == NOON
    assert len(pen.events) == 3
    assert len(pen.history) == 1


@pytest.mark.parametrize("reason", [PauseReason.UNPAID, PauseReason.CHARGEBACK])
def test_a_pause_that_nobody_wished_for_does_not_become_a_wish(reason: PauseReason):
    """It would open what is shut: a pause that is wished for is served to what is paid."""
    pen = moved(in_state(S.ACTIVE), S.PAUSED, pause_reason=reason, paused_at=NOON)
    with pytest.raises(Conflict, match=reason):
        pause(pen)


def test_resumed_inside_what_is_paid_it_goes_on_and_nothing_is_charged():
    pen = in_state(S.PAUSED)
    resume(pen)
    assert (pen.subscription.status, pen.charge) == (S.ACTIVE, None)
    assert pen.subscription.paused_at is pen.subscription.pause_reason is None


def test_resumed_after_what_is_paid_a_new_period_begins_now():
    pen = fresh(in_state(S.PAUSED), 100 * DAY)
    resume(pen)
    assert pen.subscription.status is S.COLLECTING
    period = pen.subscription.current_period
    assert (period.number, period.starts_at) == (2, pen.now)
    assert pen.charge is not None and pen.charge.amount == money(9_99)


def test_resumed_with_something_open_that_is_charged():
    pen = owing()
    pause(pen)
    pen = fresh(pen, DAY)
    resume(pen)
    assert pen.subscription.status is S.COLLECTING
    assert pen.charge is not None and pen.charge.bill.period_number == 2


@pytest.mark.parametrize("after", [DAY, 100 * DAY])
def test_resumed_without_a_method_it_is_past_due_and_not_half_paused(after: timedelta):
    pen = owing() if after == DAY else begun(paid)
    pause(pen)
    pen.book = replace(pen.book, mandates=())
    pen = fresh(pen, after)
    resume(pen)
    assert pen.subscription.status is S.PAST_DUE
    assert pen.subscription.pause_reason is None
    assert next_deed(pen.book) is not None


def test_what_is_open_is_charged_at_once_when_asked():
    pen = owing()
    pay_now(pen)
    assert pen.subscription.status is S.COLLECTING
    assert pen.charge is not None and pen.charge.amount == money(9_99)


@pytest.mark.parametrize("status", [s for s in S if s is not S.PAST_DUE])
def test_where_nothing_is_due_nothing_is_charged(status: SubscriptionStatus):
    pen = in_state(status)
    with pytest.raises(Conflict):
        pay_now(pen)
    assert pen.charge is None


@pytest.mark.parametrize("known", [None, MandateStatus.PENDING, MandateStatus.INVALID])
def test_without_a_valid_method_no_try_is_spent(known: MandateStatus | None):
    pen = owing()
    mandates = () if known is None else (replace(CARD, status=known),)
    pen.book = replace(pen.book, mandates=mandates)
    before = pen.book
    with pytest.raises(Conflict, match="payment method"):
        pay_now(pen)
    assert pen.book == before


def test_another_method_is_tried_at_once():
    pen = owing()
    charge_on(pen, CARD)
    assert pen.subscription.mandate_uuid == CARD.uuid
    assert next_deed(pen.book) == (pen.now, 5)
    assert [event.type for event in pen.events] == ["subscription.payment_method_replaced"]
