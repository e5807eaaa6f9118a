"""Any change, at any second, between any prices: what must hold of every quote."""

from datetime import timedelta
from typing import Final

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.catalog.price import Interval, Recurrence
from domain.catalog.quote import Tax
from domain.kernel.errors import Conflict, Refused
from domain.kernel.percent import Percent
from domain.ledger.posting import Account
from domain.ledger.rules import bill_voided
from domain.payments.answers import MandateStatus, PaymentStatus
from domain.subscriptions.accept_change import accept_change, unschedule
from domain.subscriptions.book import Plan
from domain.subscriptions.change_quote import ChangeMode, ChangeQuote, Wish, quote_change
from domain.subscriptions.policy import ChargebackAction
from tests.domain.subscriptions.life import OUTCOMES, Life, a_policy, happenings
from tests.fakes.clock import NOON
from tests.make import a_uuid, money
from tests.make_changes import PLANS, TEAM, a_running_book, accepted, plan_now, quoted
from tests.make_ledger import a_fact, standing
from tests.make_subscriptions import A_MONTH_ON

SECONDS: Final = (A_MONTH_ON - NOON) // timedelta(seconds=1)

taxes = st.none() | st.builds(
    Tax, st.builds(Percent, st.integers(0, 1_000_000)), inclusive=st.booleans()
)
recurrences = st.builds(Recurrence, st.sampled_from(Interval), st.integers(1, 3))


def plans(number: int, code: str) -> st.SearchStrategy[Plan]:
    return st.builds(
        lambda minor, tax, recurrence: replace(
            TEAM,
            price_uuid=a_uuid(number),
            unit_amount=money(minor, code),
            tax=tax,
            recurrence=recurrence,
        ),
        st.integers(0, 10_000_000),
        taxes,
        st.just(TEAM.recurrence) | recurrences,
    )


cases = st.sampled_from(["EUR", "JPY"]).flatmap(
    lambda code: st.tuples(plans(91, code), plans(92, code), st.integers(0, 1_000_000))
)
quantities = st.integers(1, 10_000)
instants = st.integers(0, SECONDS - 1).map(lambda s: NOON + timedelta(seconds=s))


def a_book(old: Plan, new: Plan, quantity: int, credit: int):
    book = a_running_book(old, quantity)
    balance = money(credit, old.unit_amount.currency)
    return replace(book, plans=(old, new), balance=balance)


@given(cases, st.sampled_from(ChangeMode), quantities, quantities, instants)
def test_the_lines_add_up_and_something_is_billed_or_credited_and_never_both(
    case: tuple[Plan, Plan, int], mode: ChangeMode, before: int, after: int, at
):
    old, new, credit = case
    quote = quoted(a_book(old, new, before, credit), new, mode, quantity=after, at=at)
    for part, amount in (
        ("subtotal_minor", quote.amount.subtotal.minor - quote.credit.subtotal.minor),
        ("tax_minor", quote.amount.tax.minor - quote.credit.tax.minor),
        ("total_minor", quote.amount.total.minor - quote.credit.total.minor),
    ):
        assert sum(getattr(line, part) for line in quote.lines) == amount
    for whole in (quote.amount, quote.credit, *(_whole(line) for line in quote.lines)):
        assert whole.subtotal + whole.tax == whole.total
    assert quote.amount.total.minor >= 0 and quote.credit.total.minor >= 0
    assert not (quote.amount.total.minor and quote.credit.total.minor)
    assert 0 <= quote.due.minor <= quote.amount.total.minor
    paid = old.quote(before).total
    assert not paid < quote.credit.total, "more is given back than was paid"


def _whole(line):
    return type(TEAM.quote(1))(
        money(line.subtotal_minor), money(line.tax_minor), money(line.total_minor)
    )


@settings(max_examples=50)
@given(cases, quantities, quantities, instants, st.integers(0, SECONDS))
def test_there_and_back_costs_what_the_time_between_costs(
    case: tuple[Plan, Plan, int], before: int, after: int, at, stay: int
):
    """Never less than nothing, and in the same second exactly nothing."""
    old, new, _ = case
    assume(old.recurrence == new.recurrence == TEAM.recurrence)
    back_at = at + timedelta(seconds=stay)
    assume(back_at < A_MONTH_ON)
    book = a_book(old, new, before, 10**15)
    there = accepted(book, quoted(book, new, quantity=after, at=at)).book
    back = accepted(there, quoted(there, old, quantity=before, at=back_at)).book
    cost = book.balance.minor - back.balance.minor
    assert back.subscription.current_period.amount == book.subscription.current_period.amount
    if not stay:
        assert cost == 0
    elif not new.quote(after).total < old.quote(before).total:
        assert cost >= -1, "a cent of rounding, and no gain"


@settings(max_examples=50)
@given(cases, quantities, quantities, instants)
def test_a_change_that_fails_leaves_the_ledger_as_if_it_had_never_been(
    case: tuple[Plan, Plan, int], before: int, after: int, at
):
    old, new, credit = case
    book = a_book(old, new, before, credit)
    quote = quoted(book, new, quantity=after, at=at)
    assume(quote.due.minor)
    pen = accepted(book, quote)
    (bill,) = pen.book.open_bills
    voided = bill_voided(
        a_fact(bill.uuid), bill.amount, bill.open, credit_back=bill.balance_applied
    )
    assert standing(*pen.postings, voided) == {}


@given(st.sampled_from(PLANS[1:]), st.sampled_from(ChangeMode), instants, st.integers(0, 899))
def test_whenever_it_is_accepted_it_is_what_was_quoted(
    plan: Plan, mode: ChangeMode, at, later: int
):
    book = a_running_book(credit=5_00)
    quote = quoted(book, plan, mode, at=at)
    pen = accepted(book, quote, at + timedelta(seconds=later))
    charged = 0 if pen.charge is None else pen.charge.amount.minor
    assert charged == quote.due.minor
    used = quote.balance_applied if charged or quote.amount.total.minor else money(0)
    assert pen.book.balance == money(5_00) - used + quote.credit.total
    assert sum(standing(*pen.postings).values()) == 0
    if not charged and mode is not ChangeMode.NEXT_PERIOD:
        assert plan_now(pen.book) == (plan.price_uuid, plan.tax_rate_uuid, 1)


class ChangingLife(Life):
    """One whose plan is changed, too."""

    asked: ChangeQuote | None = None

    def ask(self, plan: Plan, quantity: int, mode: ChangeMode) -> None:
        wish = Wish(plan=plan, quantity=quantity, mode=mode)
        try:
            self.asked = quote_change(self.book, wish, uuid=self.ids.new(), real_now=self.now)
        except (Conflict, Refused):
            self.asked = None

    def change(self, plan: Plan, quantity: int, mode: ChangeMode) -> None:
        self.ask(plan, quantity, mode)
        self.accept()

    def accept(self) -> None:
        if self.asked is None:
            return
        pen = self.pen()
        pen.book = replace(pen.book, plans=(*pen.book.plans, *PLANS))
        try:
            accept_change(pen, self.asked)
        except (Conflict, Refused):
            return
        self.asked = None
        self.keep(pen)

    def unschedule(self) -> None:
        pen = self.pen()
        unschedule(pen)
        self.keep(pen)

    def _money(self) -> None:
        owed = sum(bill.open.minor for bill in self.book.open_bills)
        booked = sum(posting.on(Account.RECEIVABLE) for posting in self.postings)
        assert booked - self.paid_at_checkout == owed, "books and bills differ"
        credit = -sum(posting.on(Account.CUSTOMER_BALANCE) for posting in self.postings)
        assert self.book.balance.minor == credit >= 0
        for bill in self.book.bills:
            assert sum(line.total_minor for line in bill.lines) == bill.amount.total.minor
            trying = [
                self.taken[str(attempt.uuid)].status for attempt in self.book.attempts_of(bill)
            ]
            under_way = [s for s in trying if s in (PaymentStatus.OPEN, PaymentStatus.PENDING)]
            assert len(under_way) <= 1, "two charges for one bill"


wishes = st.tuples(st.sampled_from(PLANS), st.integers(1, 3), st.sampled_from(ChangeMode))
changes: st.SearchStrategy[tuple[object, ...]] = st.one_of(
    wishes.map(lambda wish: ("change", *wish)),
    wishes.map(lambda wish: ("ask", *wish)),
    st.sampled_from([("accept",), ("unschedule",)]),
)
paid: st.SearchStrategy[tuple[object, ...]] = st.tuples(
    st.just("bank_says"), st.integers(0, 1), st.sampled_from(OUTCOMES[:2]), st.none()
)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["paid", "trial", "charged"]),
    st.sampled_from(ChargebackAction),
    st.lists(st.one_of(changes, paid, happenings), min_size=5, max_size=25),
)
def test_whatever_is_changed_and_whatever_happens_the_books_agree(
    start: str, action: ChargebackAction, story: list[tuple[object, ...]]
):
    life = ChangingLife(start, a_policy(chargeback_action=action), MandateStatus.VALID)
    for what, *how in story:
        getattr(life, str(what))(*how)
