"""A subscription that lives on the pure rules alone, and what must hold of it after each step.

Its books are compared with what must hold of every subscription; nothing here knows how the rules
come to their decisions.
"""

from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

from hypothesis import strategies as st
from msgspec.structs import replace

from domain.catalog.price import Interval, Recurrence
from domain.ledger.posting import Account, Posting
from domain.payments.answers import (
    MandateStatus,
    PaymentStatus,
    ProviderChargeback,
    ProviderPayment,
    SequenceType,
)
from domain.payments.attempt import PaymentAttempt
from domain.payments.mandate import Mandate
from domain.payments.payment import ENDED
from domain.payments.sighting import Sighting
from domain.subscriptions.advance import advance, cancel, next_deed
from domain.subscriptions.bill import BillStatus
from domain.subscriptions.book import Plan
from domain.subscriptions.pen import Pen
from domain.subscriptions.policy import BillingPolicy
from domain.subscriptions.record_charge import note
from domain.subscriptions.renew import resume
from domain.subscriptions.start import (
    Grounds,
    Wanted,
    begin,
    start_charged,
    start_paid,
    start_trial,
)
from domain.subscriptions.subscription import (
    MOVES,
    HistoryRow,
    PauseReason,
    Period,
    PeriodKind,
    SubscriptionStatus,
)
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds
from tests.make import APP, TENANT, a_uuid, money
from tests.make_ledger import VAT

S = SubscriptionStatus
ACCOUNT: Final = a_uuid(71)
STEPS_MAX: Final = 500
PAUSABLE: Final = frozenset({S.ACTIVE, S.COLLECTING, S.PAST_DUE})
FINISHED: Final = frozenset({S.CANCELED, S.EXPIRED})

OUTCOMES: Final = (PaymentStatus.PAID, PaymentStatus.FAILED, PaymentStatus.PENDING,
                   PaymentStatus.CANCELED, PaymentStatus.EXPIRED)  # fmt: skip
REASONS: Final = (None, "card_declined", "AM04", "card_expired", "MD07")

_which = st.integers(0, 2)
happenings = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([0, 1, 3, 8, 32, 70])),
    st.tuples(st.just("bank_says"), _which, st.sampled_from(OUTCOMES), st.sampled_from(REASONS)),
    st.tuples(st.just("bank_says"), st.just(0), st.sampled_from(OUTCOMES[:2]), st.none()),
    st.tuples(st.just("bank_takes_back"), _which),
    st.tuples(st.just("bank_gives_again"), _which),
    st.tuples(st.just("wish"), st.sampled_from(["pause", "resume", "cancel", "cancel at the end"])),
)

PLAN: Final = Plan(
    price_uuid=a_uuid(72),
    product_uuid=a_uuid(73),
    product_name="Pro Plan",
    unit_amount=money(9_99),
    recurrence=Recurrence(Interval.MONTH),
    tax_rate_uuid=a_uuid(74),
    tax=VAT,
)


def a_mandate(status: MandateStatus) -> Mandate:
    return Mandate(
        uuid=a_uuid(75),
        app_uuid=APP,
        payment_provider_uuid=ACCOUNT,
        tenant_uuid=TENANT,
        customer_ref="cst_1",
        provider_ref="mdt_1",
        method="creditcard",
        status=status,
        created_at=NOON,
        updated_at=NOON,
    )


def a_policy(**said: Any) -> BillingPolicy:
    return BillingPolicy(**{"app_uuid": APP, "created_at": NOON, "updated_at": NOON} | said)


class Life:
    """A subscription, the time it lives in, and all that was ever written about it."""

    def __init__(self, start: str, policy: BillingPolicy, mandate: MandateStatus | None) -> None:
        self.ids, self.now = FakeIds(series=9), NOON
        self.history: list[HistoryRow] = []
        self.postings: list[Posting] = []
        self.periods: dict[int, Period] = {}
        self.taken: dict[str, ProviderPayment] = {}
        self.chargebacks: dict[str, ProviderChargeback] = {}
        wanted = Wanted(
            app_uuid=APP, tenant_uuid=TENANT, user_uuid=None, payment_provider_uuid=ACCOUNT,
            quantity=1,
        )  # fmt: skip
        grounds = Grounds(
            plan=PLAN,
            trial_days=14,
            policy=policy,
            clock=None,
            mandates=() if mandate is None else (a_mandate(mandate),),
            balance=money(0),
        )
        pen = begin(wanted, grounds, paid_at=None, real_now=self.now, ids=self.ids)
        match start:
            case "paid":
                start_paid(pen, a_uuid(76), PLAN.quote(1))
            case "trial":
                start_trial(pen, 14)
            case "charged":
                start_charged(pen)
        self.paid_at_checkout = PLAN.quote(1).total.minor if start == "paid" else 0
        self.keep(pen)

    @property
    def status(self) -> SubscriptionStatus:
        return self.book.subscription.status

    def pen(self) -> Pen:
        return Pen(self.book, self.ids, self.now)

    def keep(self, pen: Pen) -> None:
        if pen.charge is not None:
            pen.book = pen.book.with_attempt(self._attempt(pen))
        self.history += pen.history
        self.postings += pen.postings
        for period in pen.book.new_periods:
            self.periods[period.number] = period
        self.book = replace(pen.book, new_periods=())
        self.check()

    def _attempt(self, pen: Pen) -> PaymentAttempt:
        assert pen.charge is not None
        bill = pen.charge.bill
        assert not self.book.is_being_tried(bill) if hasattr(self, "book") else True
        uuid = self.ids.new()
        self.taken[str(uuid)] = ProviderPayment(
            ref=f"tr_{uuid}",
            status=PaymentStatus.OPEN,
            amount=pen.charge.amount,
            sequence_type=SequenceType.RECURRING,
            refunded=money(0),
            charged_back=money(0),
            attempt_uuid=uuid,
            customer_ref="cst_1",
            mandate_ref="mdt_1",
            created_at=self.now,
        )
        return PaymentAttempt(
            uuid=uuid, app_uuid=APP, bill_uuid=bill.uuid, number=1, tenant_uuid=TENANT,
            payment_provider_uuid=ACCOUNT, request=b"", first_submitted_at=self.now,
            lease_until=self.now, due_at=self.now, created_at=self.now, updated_at=self.now,
        )  # fmt: skip

    # What can happen

    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)
        for _ in range(STEPS_MAX):
            pen = self.pen()
            if not advance(pen):
                return
            self.keep(pen)
        raise AssertionError("time does not pass")

    def bank_says(self, which: int, status: PaymentStatus, reason: str | None) -> None:
        """Of any charge, the newest first; what is final stays so, except that money may come."""
        if not self.taken:
            return
        key = sorted(self.taken, reverse=True)[which % len(self.taken)]
        before = self.taken[key]
        if before.status is PaymentStatus.PAID:
            return
        if before.status in ENDED and status is not PaymentStatus.PAID:
            return
        reason = reason if status is PaymentStatus.FAILED else None
        paid_at = self.now if status is PaymentStatus.PAID else None
        self.taken[key] = replace(before, status=status, failure_reason=reason, paid_at=paid_at)
        was, why = self.status, self.book.subscription.pause_reason
        self._see(key)
        if was in FINISHED or (was is S.PAUSED and why is PauseReason.REQUESTED):
            assert self.status is was, "a payment has taken a wish back"
        if was is S.PAUSED and status is not PaymentStatus.PAID:
            assert self.status is was

    def bank_takes_back(self, which: int) -> None:
        paid = [k for k, p in self.taken.items() if p.status is PaymentStatus.PAID]
        paid = [key for key in paid if key not in self.chargebacks]
        if not paid:
            return
        key = sorted(paid)[which % len(paid)]
        payment = self.taken[key]
        self.chargebacks[key] = ProviderChargeback(
            ref=f"chb_{key}", payment_ref=payment.ref, amount=payment.amount, reason="AM04",
            created_at=self.now, reversed_at=None,
        )  # fmt: skip
        self.taken[key] = replace(payment, charged_back=payment.amount)
        was = self.status
        self._see(key)
        if was in FINISHED:
            assert self.status is was

    def bank_gives_again(self, which: int) -> None:
        held = [key for key, c in self.chargebacks.items() if c.reversed_at is None]
        if not held:
            return
        key = sorted(held)[which % len(held)]
        self.chargebacks[key] = replace(self.chargebacks[key], reversed_at=self.now)
        self.taken[key] = replace(self.taken[key], charged_back=money(0))
        was, why = self.status, self.book.subscription.pause_reason
        self._see(key)
        if was in FINISHED or (was is S.PAUSED and why is PauseReason.REQUESTED):
            assert self.status is was, "a bank has taken a wish back"

    def _see(self, key: str) -> None:
        pen, seen = self.pen(), self.chargebacks.get(key)
        sighting = Sighting(
            account_uuid=ACCOUNT,
            payment=self.taken[key],
            chargebacks=() if seen is None else (seen,),
            at=self.now,
        )
        note(pen, sighting)
        self.keep(pen)
        again = self.pen()
        note(again, sighting)
        assert (again.history, again.postings, again.charge) == ([], [], None), "seen twice"

    def wish(self, what: str) -> None:
        pen, status = self.pen(), self.status
        match what:
            case "pause" if status in PAUSABLE:
                pen.change(paused_at=self.now, pause_reason=PauseReason.REQUESTED)
                pen.move(S.PAUSED, "requested", at=self.now)
            case "resume" if status is S.PAUSED:
                resume(pen, "requested", at=self.now)
            case "cancel" if status not in FINISHED:
                cancel(pen, "requested", at=self.now)
            case "cancel at the end" if status not in FINISHED | {S.INCOMPLETE}:
                pen.change(cancel_at=self.book.subscription.current_period.ends_at)
            case _:
                return
        self.keep(pen)

    # What must hold

    def check(self) -> None:
        self._moves()
        self._periods()
        self._money()
        self._not_stuck()

    def _moves(self) -> None:
        assert self.history[0].old_status is None
        for before, after in pairwise(self.history):
            assert after.old_status is before.new_status
            assert after.new_status in MOVES[before.new_status]
        assert self.history[-1].new_status is self.status

    def _periods(self) -> None:
        numbers = sorted(self.periods)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        billed = [bill.period_number for bill in self.book.bills if bill.period_number is not None]
        assert len(billed) == len(set(billed)), "a period has two bills"
        rows = [self.periods[number] for number in numbers]
        for before, after in pairwise(rows):
            assert before.ends_at <= after.starts_at < after.ends_at, "periods overlap"
        for row in rows:
            assert (row.bill_uuid is not None) == (row.kind is PeriodKind.BILLED)

    def _money(self) -> None:
        live = [bill for bill in self.book.bills if self.book.is_being_tried(bill)]
        for bill in live:
            trying = [
                attempt
                for attempt in self.book.attempts_of(bill)
                if self.taken[str(attempt.uuid)].status
                in (PaymentStatus.OPEN, PaymentStatus.PENDING)
            ]
            assert len(trying) <= 1, "two charges for one bill"
        owed = sum(bill.open.minor for bill in self.book.open_bills)
        booked = sum(posting.on(Account.RECEIVABLE) for posting in self.postings)
        # What was paid at a checkout is received there.
        assert booked - self.paid_at_checkout == owed, "books and bills differ"
        for bill in self.book.bills:
            if bill.status is BillStatus.PAID:
                assert bill.payment_uuid is not None or not bill.amount.total.minor

    def _not_stuck(self) -> None:
        due = next_deed(self.book)
        charged = any(self.book.is_being_tried(bill) for bill in self.book.bills)
        match self.status:
            case S.CANCELED | S.EXPIRED:
                assert due is None
                assert all(self.book.is_being_tried(bill) for bill in self.book.open_bills)
            case S.INCOMPLETE | S.COLLECTING:
                assert charged or due is not None, f"{self.status} and nothing will ever happen"
            case S.PAUSED:
                assert self.book.subscription.pause_reason is not None
            case _:
                assert due is not None, f"{self.status} and nothing will ever happen"
