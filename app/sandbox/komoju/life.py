"""What a payment may become, and everything that follows from it.

The control plane, the hosted page, the API and the clock all go through here.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from app.sandbox.happenings import Carry, happen
from app.sandbox.komoju.methods import METHODS, Method, scrubbed
from app.sandbox.komoju.money import exchanged, rate
from app.sandbox.komoju.notify import tell_customer, tell_payment
from app.sandbox.komoju.objects import Customer, Payment, Refund, Session
from app.sandbox.komoju.world import Universe
from app.sandbox.record import Record

MOVES: Final[dict[str, frozenset[str]]] = {
    "pending": frozenset({"authorized", "captured", "cancelled", "expired", "failed"}),
    "authorized": frozenset({"captured", "cancelled", "expired"}),
    # `refunded` comes of refunds alone.
    "captured": frozenset(),
    "refunded": frozenset(),
    "cancelled": frozenset(),
    "expired": frozenset(),
    "failed": frozenset(),
}


class IllegalMove(Exception):
    def __init__(self, payment: Payment, status: str) -> None:
        possible = ", ".join(sorted(MOVES[payment.status])) or "nothing else"
        super().__init__(
            f"Payment {payment.id} is {payment.status} and cannot become {status}; "
            f"it can become: {possible}."
        )


def attempt(universe: Universe, session: Session, method: Method, at: datetime) -> Payment:
    """The payment that a shopper begins; one left pending before is gone on with."""
    begun = universe.world(session.key).shelf(Payment).get(session.payment_id or "")
    asked = session.payment_data or {}
    amount, currency = _to_be_paid(universe, session)
    payment = Payment(
        id=universe.new_id() if begun is None else begun.id,
        key=session.key,
        created_at=at if begun is None else begun.created_at,
        amount=amount,
        currency=currency,
        fee=universe.settings.payment_method_fees.get(method.slug, 0),
        status="pending",
        method=method.slug,
        details=scrubbed(method, session.email),
        session_id=session.id,
        customer_id=session.customer_id if "customer" in session.mode else None,
        external_order_num=asked.get("external_order_num"),
        locale=session.default_locale,
        mcc=asked.get("mcc"),
        statement_descriptor=asked.get("statement_descriptor"),
        metadata=session.metadata,
        is_manual=asked.get("capture") == "manual",
    )
    universe.put(payment)
    universe.put(replace(session, payment_id=payment.id))
    return payment


def _to_be_paid(universe: Universe, session: Session) -> tuple[int, str]:
    """In another currency than the session's, when the shopper is offered that."""
    to, at_rate = universe.settings.dcc_currency, rate(universe.settings.dcc_rate)
    if to is None or to == session.currency or at_rate is None:
        return session.amount, session.currency
    return exchanged(session.amount, session.currency, to, at_rate), to


def pay(universe: Universe, payment: Payment, at: datetime) -> Payment:
    """All that the shopper can do: for cash that is to take a voucher."""
    if METHODS[payment.method].is_cash:
        deadline = at + timedelta(days=universe.settings.deadline_days)
        return settle(universe, replace(payment, deadline=deadline), "authorized", at)
    return settle(universe, payment, "authorized" if payment.is_manual else "captured", at)


def settle(universe: Universe, payment: Payment, status: str, at: datetime) -> Payment:
    if status not in MOVES[payment.status]:
        raise IllegalMove(payment, status)
    captured_at = at if status == "captured" else payment.captured_at
    moved = replace(payment, status=status, captured_at=captured_at)
    universe.put(moved)
    saved = _session_follows(universe, moved, at)
    tell_payment(universe, moved, f"payment.{status}", at)
    if saved is not None:
        tell_customer(universe, saved, "customer.updated", at)
    return moved


def _session_follows(universe: Universe, payment: Payment, at: datetime) -> Customer | None:
    """A session is completed by money that is held or taken; answers whom it has saved.

    Also one that has run out meanwhile: the payment had begun in time. Not one that was cancelled:
    the money is taken all the same, and whoever cancelled has to look.
    """
    session = universe.world(payment.key).shelf(Session).get(payment.session_id or "")
    if session is None or session.status != "pending":
        return None
    if payment.status in ("authorized", "captured"):
        universe.put(replace(session, status="completed", completed_at=at, payment_id=payment.id))
        return save_source(universe, session, payment.details)
    # A failed attempt is no payment of the session: it shows none until there is another.
    universe.put(replace(session, payment_id=None))
    return None


def save_customer(universe: Universe, session: Session, method: Method, at: datetime) -> None:
    """What a session of mode `customer` comes to: nothing is paid."""
    universe.put(replace(session, status="completed", completed_at=at))
    saved = save_source(universe, session, scrubbed(method, session.email))
    if saved is not None:
        tell_customer(universe, saved, "customer.updated", at)


def save_source(universe: Universe, session: Session, source: dict[str, Any]) -> Customer | None:
    if "customer" not in session.mode or session.customer_id is None:
        return None
    customer = universe.find(Customer, session.customer_id)
    # Deleted meanwhile: nothing is kept of somebody who is to be forgotten.
    if customer is None or customer.deleted_at is not None:
        return None
    saved = replace(customer, source=source, email=customer.email or session.email)
    universe.put(saved)
    return saved


def refundable(universe: Universe, payment: Payment) -> int:
    """What is left. The method's fee is not given back: the API has no way to ask for it."""
    refunds = universe.world(payment.key).of(Refund, payment.id)
    return payment.total - payment.fee - sum(refund.amount for refund in refunds)


def give_back(
    universe: Universe,
    payment: Payment,
    amount: int,
    description: str | None = None,
    *,
    is_chargeback: bool = False,
) -> Payment:
    """Money that goes back, asked for or taken; there is nothing in between."""
    at = universe.clock.now()
    refund = Refund(
        id=universe.new_id(),
        key=payment.key,
        created_at=at,
        payment_id=payment.id,
        amount=amount,
        currency=payment.currency,
        description=description,
        is_chargeback=is_chargeback,
    )
    universe.put(refund)
    is_all = refundable(universe, payment) <= 0
    if is_all:
        payment = replace(payment, status="refunded")
        universe.put(payment)
    tell_payment(universe, payment, "payment.refund.created", at)
    if is_all:
        tell_payment(universe, payment, "payment.refunded", at)
    return payment


def _deadline(universe: Universe, payment: Payment, at: datetime) -> None:
    settle(universe, payment, "expired", at)


_HAPPENS: Final[dict[type[Record], Callable[[Any, Any, datetime], None]]] = {Payment: _deadline}


def run_due(universe: Universe, carry: Carry) -> None:
    happen(universe, _HAPPENS, carry)
