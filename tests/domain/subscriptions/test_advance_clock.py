"""A test clock that moves on: what is due happens in order, each thing at its own instant."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.kernel.errors import ProviderUnavailable
from domain.ledger.posting import Account
from domain.payments.answers import MandateStatus
from domain.subscriptions import wishes
from domain.subscriptions.wishes import When
from tests.domain.subscriptions.by_clock import JANUARY_31, ByClock, days
from tests.domain.subscriptions.tenancy import CUSTOMER, LEASE
from tests.fakes.provider import Fault
from tests.make import APP, a_uuid

BERLIN = ZoneInfo("Europe/Berlin")
A_YEAR_ON = datetime(2028, 1, 31, 9, tzinfo=UTC)


async def a_year(life: ByClock) -> ByClock:
    await life.started()
    await life.advance_to(A_YEAR_ON)
    return life


async def test_a_year_of_a_monthly_plan_renews_twelve_times_at_the_end_of_each_month():
    life = await a_year(ByClock())
    started_at = life.clock.now()
    starts = [period.starts_at.astimezone(BERLIN) for period in life.periods]
    assert [(at.month, at.day, at.hour) for at in starts] == [
        (1, 31, 10), (2, 28, 10), (3, 31, 10), (4, 30, 10), (5, 31, 10), (6, 30, 10), (7, 31, 10),
        (8, 31, 10), (9, 30, 10), (10, 31, 10), (11, 30, 10), (12, 31, 10), (1, 31, 10),
    ]  # fmt: skip
    assert len(life.charges) == len(life.bills) == 13
    assert {bill.status for bill in life.bills} == {"paid"}
    assert (life.status, life.now, life.test_clock.status) == ("active", A_YEAR_ON, "ready")
    assert life.on(Account.CASH) == 13 * 11_90
    assert life.on(Account.RECEIVABLE) == 0
    assert life.clock.now() - started_at < timedelta(minutes=1)


async def test_what_happens_by_the_clock_happened_at_its_instants_in_the_books():
    life = await a_year(ByClock())
    starts = [period.starts_at for period in life.periods]
    assert life.shown == starts[1:]  # each charge was decided before time went on
    assert [bill.issued_at for bill in life.bills] == starts
    assert [bill.closed_at for bill in life.bills] == starts
    (history,) = life.rows.history.values()
    assert [row.at for row in history if row.reason == "charge_sent"] == starts[1:]
    assert {row.posting.happened_at for row in life.rows.postings} == set(starts)


async def test_it_is_told_when_it_sets_off_and_when_it_has_arrived():
    life = await a_year(ByClock())
    told = [event for event in life.rows.events if event.type.startswith("test_clock.")]
    assert [event.type for event in told] == ["test_clock.advancing", "test_clock.ready"]
    assert told[-1].facts["now"] == A_YEAR_ON.isoformat()
    assert life.test_clock.due_at is None


async def test_nothing_is_due_on_the_way_and_it_is_there_at_once():
    life = ByClock()
    await life.started()
    await life.advance_to(JANUARY_31 + days(27))
    assert (len(life.periods), life.now) == (1, JANUARY_31 + days(27))


async def test_a_charge_that_fails_is_dunned_over_the_clocks_days_and_recovers():
    life = ByClock(retry_days=(3, 5))
    await life.started()
    await life.advance_to(datetime(2027, 5, 1, tzinfo=UTC))
    declined = []

    def bank(ref: str) -> None:
        if len(declined) < 2:
            declined.append(ref)
            life.provider.fail(ref, "card_declined")
        else:
            life.provider.pay(ref)

    life.decides = bank
    life.shown.clear()
    await life.advance_to(datetime(2027, 6, 8, tzinfo=UTC))
    due = datetime(2027, 5, 31, 8, tzinfo=UTC)
    assert life.shown == [due, due + days(3), due + days(5)]
    assert (life.status, life.bills[-1].status) == ("active", "paid")
    assert life.bills[-1].first_failed_at == due
    assert life.bills[-1].closed_at == due + days(5)
    assert life.periods[-1].starts_at == due


async def test_debts_that_nobody_pays_end_it_when_grace_is_over():
    life = ByClock(retry_days=(3,), grace_days=7)
    await life.started()
    life.decides = lambda ref: life.provider.fail(ref, "card_declined")
    await life.advance_to(JANUARY_31 + days(60))
    assert life.status == "canceled"
    assert life.subscription.canceled_at == datetime(2027, 3, 7, 9, tzinfo=UTC)
    assert len(life.charges) == 3
    assert life.on(Account.RECEIVABLE) == 0


async def test_a_trial_ends_by_the_clock_with_its_first_charge():
    life = ByClock()
    life.give_mandate()
    await life.start(trial_days=14)
    assert (life.status, life.charges) == ("trialing", [])
    await life.advance_to(JANUARY_31 + days(13))
    assert life.status == "trialing"
    await life.advance_to(JANUARY_31 + days(15))
    assert (life.status, len(life.charges)) == ("active", 1)
    assert life.shown == [datetime(2027, 2, 14, 9, tzinfo=UTC)]


async def test_an_end_that_was_wished_for_comes_with_the_period_and_nothing_is_charged():
    life = ByClock()
    await life.started()
    await life.wish(lambda pen: wishes.cancel(pen, When.PERIOD_END))
    await life.advance_to(A_YEAR_ON)
    assert life.status == "canceled"
    assert life.subscription.canceled_at == datetime(2027, 2, 28, 9, tzinfo=UTC)
    assert len(life.charges) == 1


async def test_a_wish_is_made_at_what_the_clock_shows():
    life = ByClock()
    await life.started()
    await life.advance_to(JANUARY_31 + days(10))
    await life.wish(lambda pen: wishes.cancel(pen, When.NOW))
    assert life.subscription.canceled_at == JANUARY_31 + days(10)


async def test_subscriptions_of_one_clock_are_brought_forward_together():
    life = ByClock()
    life.is_audited = False  # it looks at one subscription
    await life.started()
    await life.advance_to(JANUARY_31 + days(10))
    await life.start()
    life.provider.pay(life.live_charge())
    await life.observe(APP, life.account.uuid, life.charges[-1].ref)
    life.shown.clear()
    await life.advance_to(JANUARY_31 + days(100))
    assert life.shown == sorted(life.shown)
    assert [(at.month, at.day) for at in life.shown] == [
        (2, 28), (3, 10), (3, 31), (4, 10), (4, 30), (5, 10)
    ]  # fmt: skip


async def test_a_provider_that_is_away_stops_time_until_it_is_back():
    life = ByClock()
    await life.started()
    await life.set_off(A_YEAR_ON)
    life.provider.fail_next("create_payment", Fault.UNAVAILABLE)
    (said,) = await life.work_once()
    assert isinstance(said, ProviderUnavailable)
    stopped = life.test_clock
    assert (stopped.status, stopped.now) == ("advancing", life.periods[-1].starts_at)
    assert stopped.failure == str(said)
    assert await life.work_once() == []
    life.clock.advance(timedelta(seconds=10))
    await life.work_once()
    assert (life.test_clock.status, life.test_clock.failure) == ("ready", None)
    assert len(life.charges) == len(life.periods) == 13
    assert life.shown == [period.starts_at for period in life.periods[1:]]


async def test_a_provider_that_has_too_much_to_do_is_asked_again_when_it_says():
    life = ByClock()
    await life.started()
    await life.set_off(A_YEAR_ON)
    life.provider.fail_next("create_payment", Fault.BUSY)
    await life.work_once()
    assert life.test_clock.status == "advancing"
    due_at = life.test_clock.due_at
    assert due_at is not None and due_at > life.clock.now()
    life.clock.advance(timedelta(seconds=10))
    await life.work_once()
    assert (life.test_clock.status, len(life.charges)) == ("ready", 13)


def by_debit(life: ByClock) -> None:
    """A bank that takes days over every charge."""
    life.give_mandate(ref="mdt_2", uuid=a_uuid(92))
    world = life.provider.world(life.account)
    (theirs,) = [m for m in world.mandates.values() if m.ref == "mdt_2"]
    assert (theirs.customer_ref, theirs.status) == (CUSTOMER, MandateStatus.VALID)
    life.decides = lambda ref: None


async def test_a_bank_that_takes_days_is_not_waited_for_and_catches_up_by_itself():
    life = ByClock()
    await life.started()
    by_debit(life)
    to = JANUARY_31 + days(70)
    began_at = life.clock.now()
    await life.advance_to(to)
    assert life.clock.now() - began_at < timedelta(seconds=10)
    assert (life.status, life.now, len(life.charges)) == ("collecting", to, 2)
    assert life.test_clock.due_at is None
    life.decides = life.provider.pay
    life.provider.pay(life.live_charge())
    await life.observe(APP, life.account.uuid, life.charges[-1].ref)
    assert life.bills[-1].closed_at == to
    assert life.test_clock.due_at is not None  # the next period began long ago
    await life.work_once()
    assert (life.status, life.now, len(life.periods)) == ("active", to, 3)
    assert life.periods[-1].starts_at == datetime(2027, 3, 31, 8, tzinfo=UTC)
    assert (life.test_clock.due_at, life.test_clock.status) == (None, "ready")


async def test_whoever_has_lost_the_clock_to_another_leaves_it_alone():
    life = ByClock()
    await life.started()
    await life.set_off(A_YEAR_ON)
    (task,) = await life.clocks.claim(APP, life.clock.now())
    life.clock.advance(LEASE)
    (other,) = await life.clocks.claim(APP, life.clock.now())
    before = life.test_clock
    assert await task() is None
    assert (life.test_clock, len(life.charges)) == (before, 1)
    await other()
    assert (life.test_clock.status, len(life.charges)) == ("ready", 13)


async def test_a_long_way_is_gone_in_parts_so_that_others_get_their_turn():
    life = ByClock()
    await life.started()
    await life.set_off(JANUARY_31 + days(5 * 365))
    await life.work_once()
    half_way = life.test_clock
    assert (half_way.status, len(life.charges)) == ("advancing", 51)
    assert half_way.due_at is not None and half_way.due_at <= life.clock.now()
    await life.work_once()
    assert (life.test_clock.status, len(life.charges)) == ("ready", 60)


class Killed(Exception):
    pass


class Death:
    """Comes at one commit, before or after it."""

    def __init__(self, when: str) -> None:
        self._when, self.commits, self.comes_at = when, 0, 0

    async def __call__(self, which: str) -> None:
        if which == self._when:
            self.commits += 1
            if self.commits == self.comes_at:
                raise Killed


def books(life: ByClock) -> object:
    (history,) = life.rows.history.values()
    postings = (row.posting for row in life.rows.postings)
    return (
        life.now,
        [(p.number, p.starts_at, p.ends_at) for p in life.periods],
        [(b.period_number, b.status, b.issued_at, b.closed_at, b.tries) for b in life.bills],
        [charge.amount for charge in life.charges],
        [(row.old_status, row.new_status, row.reason, row.at) for row in history],
        [(posting.kind, posting.happened_at, posting.amounts) for posting in postings],
    )


async def two_months(death: Death, comes_at: int = 0) -> ByClock:
    """In which one charge fails, and a worker dies."""
    life = ByClock(moment=death, retry_days=(3, 5))
    await life.started()
    failed: list[str] = []

    def bank(ref: str) -> None:
        if failed:
            life.provider.pay(ref)
        else:
            failed.append(ref)
            life.provider.fail(ref, "card_declined")

    life.decides = bank
    await life.set_off(JANUARY_31 + days(70))
    death.commits, death.comes_at = 0, comes_at
    for _ in range(20):
        try:
            await life.work_once()
        except Killed:
            life.clock.advance(2 * LEASE)
        if life.test_clock.status == "ready":
            return life
    raise AssertionError(f"it never arrives: {life.test_clock}")


@pytest.mark.parametrize("when", ["before commit", "after commit"])
async def test_killed_anywhere_on_the_way_it_ends_with_the_same_books(when: str):
    undisturbed = Death(when)
    expected = books(await two_months(undisturbed))
    assert undisturbed.commits > 20
    for comes_at in range(1, undisturbed.commits + 1):
        life = await two_months(Death(when), comes_at)
        assert books(life) == expected, f"killed {when} {comes_at}"
