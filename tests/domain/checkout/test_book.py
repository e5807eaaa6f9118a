"""Settling: whatever is seen of payments, in whatever order and however often, one book results."""

from datetime import timedelta
from itertools import permutations
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.catalog.quote import Quote
from domain.checkout.book import Book, Sale, Sighting, settle
from domain.checkout.session import Mode, SessionPaymentStatus, SessionStatus
from domain.payments.answers import MandateStatus, PaymentStatus, RefundStatus, SequenceType
from domain.payments.attempt import AttemptStatus
from domain.payments.payment import PATIENCE
from domain.payments.refund import RefundReason
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds
from tests.make import a_uuid, money
from tests.make_checkout import (
    TOTAL,
    a_book,
    a_seen_mandate,
    a_seen_refund,
    a_sighting,
    an_attempt,
    said,
)

S = PaymentStatus
SECOND_ATTEMPT: Final = a_uuid(59)
FIRST: Final = {"sequence_type": SequenceType.FIRST, "mandate_ref": "mdt_1"}


class Settling:
    """A book over which sightings come."""

    def __init__(self, book: Book) -> None:
        self.book, self.ids = book, FakeIds()
        self.sales: list[Sale] = []
        self.told: list[str] = []

    def see(self, *sightings: Sighting) -> "Settling":
        for sighting in sightings:
            settled = settle(self.book, sighting, ids=self.ids)
            self.book = settled.book
            self.told += [event.type for event in settled.events]
            self.sales += [settled.sale] if settled.sale else []
        return self

    def see_status(self, *statuses: PaymentStatus, **facts: Any) -> "Settling":
        return self.see(*(a_sighting(said(status, **facts)) for status in statuses))


def a_retried_book() -> Book:
    second = an_attempt(uuid=SECOND_ATTEMPT, number=2)
    return a_book(an_attempt(status=AttemptStatus.ACCEPTED), second)


def test_a_payment_that_has_become_another_amount_pays_for_nothing():
    seen = Settling(a_book()).see_status(S.OPEN).see_status(S.PAID, amount=money(1))
    assert seen.book.session.status is SessionStatus.OPEN
    assert seen.book.payments[0].status is S.OPEN
    assert seen.sales == []


def a_free_setup() -> Book:
    """A provider that stores a payment method without a charge is asked for nothing."""
    nothing = Quote(money(0), money(0), money(0))
    return a_book(mode=Mode.SETUP, amount=nothing)


NOTHING: Final = {"amount": money(0), **FIRST}


def test_what_is_stored_for_nothing_moves_no_money():
    book = a_free_setup()
    settled = settle(book, a_sighting(said(S.PAID, **NOTHING)), ids=FakeIds())
    session, (payment,) = settled.book.session, settled.book.payments
    assert (session.status, session.payment_status) == (
        SessionStatus.COMPLETE,
        SessionPaymentStatus.NO_PAYMENT_REQUIRED,
    )
    assert (payment.is_verification, payment.is_surplus) == (True, False)
    assert settled.book.refunds == ()
    assert all(not posting.amounts for posting in settled.postings)
    assert settled.sale is not None
    again = settle(settled.book, a_sighting(said(S.PAID, **NOTHING)), ids=FakeIds())
    assert (again.book.session, again.sale) == (session, None)


def test_what_is_stored_for_nothing_and_too_late_is_owed_to_nobody():
    book = a_free_setup()
    expired = replace(book.session, status=SessionStatus.EXPIRED)
    seen = Settling(replace(book, session=expired)).see_status(S.PAID, **NOTHING)
    (payment,) = seen.book.payments
    assert (payment.is_surplus, seen.book.refunds, seen.sales) == (True, (), [])
    assert seen.book.session.payment_status is SessionPaymentStatus.UNPAID
    assert "payment.surplus_received" not in seen.told


def test_the_providers_answer_opens_the_session():
    seen = Settling(a_book()).see_status(S.OPEN)
    (payment,), session = seen.book.payments, seen.book.session
    assert seen.book.newest.status is AttemptStatus.ACCEPTED
    assert (session.status, session.provider_ref) == (SessionStatus.OPEN, "tr_1")
    assert session.next_action_url == payment.checkout_url == "https://provider.test/tr_1"
    assert (seen.sales, seen.told) == ([], [])


def test_a_payment_completes_its_session_and_sells_once():
    seen = Settling(a_book()).see_status(S.OPEN, S.PAID, S.PAID, S.OPEN, S.PAID)
    session = seen.book.session
    assert (session.status, session.payment_status) == ("complete", "paid")
    assert [sale.payment.provider_ref for sale in seen.sales] == ["tr_1"]
    assert seen.told == ["payment.paid", "checkout_session.completed"]
    assert seen.book.refunds == ()


@pytest.mark.parametrize("status", [S.PENDING, S.AUTHORIZED])
@pytest.mark.parametrize("end", [S.FAILED, S.CANCELED, S.EXPIRED])
def test_a_payment_under_way_holds_the_session_and_gives_it_back(status: S, end: S):
    seen = Settling(a_book()).see_status(S.OPEN, status)
    assert seen.book.session.status is SessionStatus.PROCESSING
    seen.see_status(end)
    assert seen.book.session.status is SessionStatus.OPEN
    assert seen.told[-1] == "checkout_session.reopened"
    assert seen.sales == []


@pytest.mark.parametrize("end", [S.FAILED, S.CANCELED, S.EXPIRED])
def test_a_payment_that_ended_leaves_the_session_open_for_another(end: S):
    seen = Settling(a_book()).see_status(end, failure_reason="card_declined")
    (payment,) = seen.book.payments
    assert seen.book.session.status is SessionStatus.OPEN
    assert (payment.failure_reason, payment.due_at) == ("card_declined", None)


def test_the_session_follows_the_newest_payment():
    seen = Settling(a_retried_book()).see_status(S.FAILED)
    assert seen.book.session.provider_ref is None
    url = "https://provider.test/tr_2"
    seen.see_status(S.OPEN, ref="tr_2", attempt_uuid=SECOND_ATTEMPT, checkout_url=url)
    assert (seen.book.session.provider_ref, seen.book.session.next_action_url) == ("tr_2", url)
    seen.see_status(S.FAILED)
    assert seen.book.session.provider_ref == "tr_2"


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_a_paid_session_points_at_the_payment_that_paid_it(order: tuple[int, ...]):
    sightings = (
        a_sighting(said(S.PAID)),
        a_sighting(said(S.FAILED, ref="tr_2", attempt_uuid=SECOND_ATTEMPT)),
    )
    seen = Settling(a_retried_book()).see(*(sightings[i] for i in order))
    assert seen.book.session.status is SessionStatus.COMPLETE
    assert seen.book.session.provider_ref == "tr_1"


def test_a_setup_gives_its_money_back_once_and_keeps_the_mandate():
    mandate = a_seen_mandate(MandateStatus.VALID)
    paid = a_sighting(said(S.PAID, **FIRST), mandate=mandate)
    seen = Settling(a_book(mode=Mode.SETUP)).see(paid, paid, paid)
    (refund,), (kept,) = seen.book.refunds, seen.book.mandates
    assert (refund.reason, refund.amount) == (RefundReason.VERIFICATION, TOTAL)
    assert (kept.provider_ref, kept.status) == ("mdt_1", MandateStatus.VALID)
    assert len(seen.sales) == 1
    back = a_sighting(
        said(S.PAID, refunded=TOTAL, **FIRST),
        mandate=mandate,
        refunds=(a_seen_refund(refund.uuid, RefundStatus.REFUNDED),),
    )
    seen.see(back)
    assert seen.book.session.payment_status is SessionPaymentStatus.REFUNDED
    assert seen.book.refunds[0].status is RefundStatus.REFUNDED
    assert seen.book.payments[0].due_at is None


def test_a_setup_that_somebody_has_refunded_already_is_complete_and_refunds_nothing():
    gone = a_sighting(said(S.PAID, refunded=TOTAL, **FIRST))
    seen = Settling(a_book(mode=Mode.SETUP)).see(gone)
    assert seen.book.refunds == ()
    assert seen.book.session.status is SessionStatus.COMPLETE
    assert seen.book.session.payment_status is SessionPaymentStatus.REFUNDED


@pytest.mark.parametrize("status", [SessionStatus.EXPIRED, SessionStatus.FAILED])
def test_money_for_a_session_that_is_over_goes_back_once(status: SessionStatus):
    seen = Settling(a_book(status=status)).see_status(S.OPEN, S.PAID, S.PAID)
    (payment,), (refund,) = seen.book.payments, seen.book.refunds
    assert payment.is_surplus
    assert (refund.reason, refund.amount) == (RefundReason.SURPLUS, TOTAL)
    assert seen.sales == []
    assert seen.book.session.status is status
    assert seen.told == ["payment.paid", "payment.surplus_received"]


@pytest.mark.parametrize("second_for", ["the same attempt", "another attempt"])
@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_two_paid_payments_sell_once_and_one_goes_back(order: tuple[int, ...], second_for: str):
    is_retry = second_for == "another attempt"
    of_second = {"ref": "tr_2", **({"attempt_uuid": SECOND_ATTEMPT} if is_retry else {})}
    sightings = (
        a_sighting(said(S.OPEN)),
        a_sighting(said(S.PAID)),
        a_sighting(said(S.OPEN, **of_second)),
        a_sighting(said(S.PAID, **of_second)),
    )
    seen = Settling(a_retried_book() if is_retry else a_book())
    seen.see(*(sightings[i] for i in order)).see(*sightings)
    surplus = [p for p in seen.book.payments if p.is_surplus]
    assert seen.book.session.status is SessionStatus.COMPLETE
    assert len(seen.sales) == len(surplus) == len(seen.book.refunds) == 1
    assert seen.book.refunds[0].payment_uuid == surplus[0].uuid
    assert seen.sales[0].payment.uuid != surplus[0].uuid


@pytest.mark.parametrize(
    "foreign",
    [
        a_sighting(said(S.PAID, amount=money(1))),
        a_sighting(said(S.PAID, amount=money(TOTAL.minor, "USD"))),
        a_sighting(said(S.PAID), account_uuid=a_uuid(99)),
    ],
    ids=["one cent", "another currency", "another account"],
)
def test_a_payment_that_nobody_asked_for_pays_for_nothing(foreign: Sighting):
    book = a_book()
    assert settle(book, foreign, ids=FakeIds()).book == book


def test_a_mandate_may_come_days_after_the_money():
    book = a_book(mode=Mode.SUBSCRIPTION)
    late = {"sequence_type": SequenceType.FIRST}
    seen = Settling(book).see(a_sighting(said(S.PAID, **late)))
    assert seen.book.session.status is SessionStatus.COMPLETE
    assert seen.book.payments[0].due_at is not None
    pending = a_seen_mandate(MandateStatus.PENDING)
    seen.see(a_sighting(said(S.PAID, **FIRST), mandate=pending, after_s=3600))
    assert seen.book.payments[0].due_at is not None
    valid = a_seen_mandate(MandateStatus.VALID)
    seen.see(a_sighting(said(S.PAID, **FIRST), mandate=valid, after_s=300_000))
    (mandate,), (payment,) = seen.book.mandates, seen.book.payments
    assert mandate.status is MandateStatus.VALID
    assert payment.due_at is None
    assert len(seen.sales) == 1


def test_a_mandate_that_never_comes_is_not_waited_for_for_ever():
    seen = Settling(a_book(mode=Mode.SUBSCRIPTION))
    seen.see(a_sighting(said(S.PAID, sequence_type=SequenceType.FIRST)))
    looks = 0
    while (due_at := seen.book.payments[0].due_at) is not None:
        after_s = int((due_at - NOON).total_seconds())
        paid = said(S.PAID, sequence_type=SequenceType.FIRST)
        seen.see(a_sighting(paid, after_s=after_s))
        looks += 1
    assert looks <= 3 + PATIENCE // timedelta(hours=6)


def test_a_look_that_was_overtaken_does_not_undo_a_mandate():
    valid, pending = (a_seen_mandate(s) for s in (MandateStatus.VALID, MandateStatus.PENDING))
    seen = Settling(a_book(mode=Mode.SUBSCRIPTION)).see(
        a_sighting(said(S.PAID, **FIRST), mandate=valid, after_s=120),
        a_sighting(said(S.PAID, **FIRST), mandate=pending, after_s=60),
    )
    assert [mandate.status for mandate in seen.book.mandates] == [MandateStatus.VALID]


def test_a_refund_that_failed_makes_the_session_paid_again():
    seen = Settling(a_book(mode=Mode.SETUP)).see_status(S.PAID)
    refund = seen.book.refunds[0].uuid
    going = a_seen_refund(refund, RefundStatus.PENDING)
    seen.see(a_sighting(said(S.PAID, refunded=TOTAL), refunds=(going,), after_s=100))
    assert seen.book.session.payment_status is SessionPaymentStatus.REFUNDED
    failed = a_seen_refund(refund, RefundStatus.FAILED)
    seen.see(a_sighting(said(S.PAID), refunds=(failed,), after_s=200))
    assert seen.book.session.payment_status is SessionPaymentStatus.PAID
    assert seen.book.refunds[0].status is RefundStatus.FAILED
    assert seen.told[-2:] == ["payment.refunded_amount_changed", "refund.failed"]
    assert seen.book.session.updated_at == NOON + timedelta(seconds=200)


# By property: a provider's life, looked at in any order.

LIVES: Final = (
    (S.OPEN, S.PAID),
    (S.OPEN, S.PENDING, S.PAID),
    (S.OPEN, S.PENDING, S.AUTHORIZED, S.PAID),
    (S.OPEN, S.AUTHORIZED, S.EXPIRED),
    (S.OPEN, S.PENDING, S.FAILED),
    (S.OPEN, S.CANCELED),
    (S.OPEN, S.EXPIRED),
)
BACK: Final = (RefundStatus.PENDING, RefundStatus.PROCESSING, RefundStatus.REFUNDED)
MANDATES: Final = (None, MandateStatus.PENDING, MandateStatus.VALID)


def a_life(statuses: tuple[PaymentStatus, ...], mode: Mode) -> list[dict[str, Any]]:
    """What a look would find, moment after moment."""
    sequence = SequenceType.ONEOFF if mode is Mode.PAYMENT else SequenceType.FIRST
    moments: list[dict[str, Any]] = [
        {"status": status, "sequence_type": sequence} for status in statuses
    ]
    if statuses[-1] is S.PAID:
        if sequence is SequenceType.FIRST:
            moments += [{**moments[-1], "mandate": status} for status in MANDATES[1:]]
        moments += [{**moments[-1], "refund": status} for status in BACK]
    return [{**moment, "after_s": 60 * number} for number, moment in enumerate(moments)]


def look(moment: dict[str, Any], book: Book) -> Sighting:
    """A refund is there only once we have asked for it."""
    facts: dict[str, Any] = {"sequence_type": moment["sequence_type"]}
    refunds, mandate = (), None
    if "refund" in moment and book.refunds:
        facts["refunded"] = TOTAL
        refunds = (a_seen_refund(book.refunds[0].uuid, moment["refund"]),)
    if "mandate" in moment:
        facts["mandate_ref"] = "mdt_1"
        mandate = a_seen_mandate(moment["mandate"])
    payment = said(moment["status"], **facts)
    return a_sighting(payment, after_s=moment["after_s"], mandate=mandate, refunds=refunds)


def essence(book: Book) -> object:
    """All that does not depend on when we looked."""
    session = book.session
    return (
        (session.status, session.payment_status, session.provider_ref),
        [attempt.status for attempt in book.attempts],
        [(p.status, p.is_surplus, p.refunded, p.mandate_ref, p.due_at) for p in book.payments],
        [(r.reason, r.amount, r.status) for r in book.refunds],
        [(m.provider_ref, m.status) for m in book.mandates],
    )


@given(
    statuses=st.sampled_from(LIVES),
    mode=st.sampled_from(Mode),
    is_over=st.booleans(),
    draw=st.data(),
)
def test_any_order_of_looks_ends_in_the_same_book(
    statuses: tuple[PaymentStatus, ...], mode: Mode, is_over: bool, draw: st.DataObject
):
    life = a_life(statuses, mode)
    book = a_book(mode=mode, status=SessionStatus.EXPIRED if is_over else SessionStatus.OPEN)
    shuffled, in_order = Settling(book), Settling(book)
    looks = draw.draw(st.lists(st.sampled_from(range(len(life))), max_size=12))
    # What is seen last is seen after our own doing, too: a refund needs a payment.
    for index in [*looks, len(life) - 1, len(life) - 1]:
        shuffled.see(look(life[index], shuffled.book))
    for moment in [*life, life[-1]]:
        in_order.see(look(moment, in_order.book))
    assert essence(shuffled.book) == essence(in_order.book)

    is_paid = statuses[-1] is S.PAID
    assert len(shuffled.sales) == (is_paid and not is_over)
    assert len(shuffled.book.refunds) == (is_paid and (is_over or mode is Mode.SETUP))
    assert shuffled.told.count("checkout_session.completed") == len(shuffled.sales)
    assert shuffled.told.count("payment.paid") == is_paid
    taken = TOTAL.minor if is_paid else 0
    given_back = sum(refund.amount.minor for refund in shuffled.book.refunds)
    earns = bool(shuffled.sales) and mode is not Mode.SETUP
    assert taken - given_back == (TOTAL.minor if earns else 0)
    assert shuffled.book.payments[0].due_at is None


PAYMENTS: Final = (
    {"ref": "tr_1"},
    {"ref": "tr_2"},
    {"ref": "tr_3", "attempt_uuid": SECOND_ATTEMPT},
    {"ref": "tr_4", "attempt_uuid": SECOND_ATTEMPT},
)


@given(
    st.lists(
        st.tuples(st.sampled_from(PAYMENTS), st.sampled_from(PaymentStatus)),
        min_size=1,
        max_size=25,
    ),
    st.sampled_from(Mode),
    st.sampled_from([SessionStatus.OPEN, SessionStatus.EXPIRED, SessionStatus.FAILED]),
)
def test_whatever_comes_one_payment_sells_and_the_others_go_back(
    seen: list[tuple[dict[str, Any], PaymentStatus]], mode: Mode, status: SessionStatus
):
    retried = a_retried_book()
    session = replace(a_book(mode=mode, status=status).session)
    settling = Settling(replace(retried, session=session))
    for number, (facts, payment_status) in enumerate(seen):
        settling.see(a_sighting(said(payment_status, **facts), after_s=number))
    paid = [p for p in settling.book.payments if p.status is S.PAID]
    surplus = [p for p in paid if p.is_surplus]
    sells = len(paid) - len(surplus)
    assert len(settling.sales) == sells
    assert sells <= (status is SessionStatus.OPEN)
    reasons = {p.uuid: RefundReason.SURPLUS for p in surplus}
    if sells and mode is Mode.SETUP:
        reasons[settling.sales[0].payment.uuid] = RefundReason.VERIFICATION
    assert {r.payment_uuid: r.reason for r in settling.book.refunds} == reasons
    assert len(settling.book.refunds) == len(reasons)
