"""What a change of plan or quantity would cost, worked out once: pure.

A quote is binding. It carries every amount and instant, and what it was worked out from; who
accepts it before it expires gets exactly that, or is told that something has changed meanwhile.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import Struct

from domain.catalog.quote import Quote
from domain.kernel.errors import Conflict, Refused
from domain.kernel.money import Money
from domain.subscriptions.bill import Line, PlanChange
from domain.subscriptions.book import Plan, SubscriptionBook
from domain.subscriptions.period import boundary
from domain.subscriptions.proration import remaining, unused
from domain.subscriptions.subscription import PeriodKind, SubscriptionStatus

_S = SubscriptionStatus

VALID_FOR: Final = timedelta(minutes=15)
SHORTEST_PERIOD: Final = timedelta(seconds=1)
"""Of one that another takes the place of. A test clock stands still between two changes."""


class ChangeMode(StrEnum):
    NOW_PRORATED = "now_prorated"
    """At once. The rest of the period is credited at the old price and charged at the new one;
    with another interval, a new period begins and is charged whole."""
    NOW_FULL = "now_full"
    """At once. A new period begins and is charged whole; nothing is credited."""
    NEXT_PERIOD = "next_period"
    NO_BILL = "no_bill"
    """At once, and free until the next period."""


class Wish(Struct, frozen=True, kw_only=True):
    """What a subscription shall become."""

    plan: Plan
    quantity: int
    mode: ChangeMode


class ChangeQuote(Struct, frozen=True, kw_only=True):
    uuid: UUID
    """Also the uuid of the bill, if there is one: a quote can be accepted once."""
    subscription_uuid: UUID
    version: int
    period_number: int
    """What it was worked out from: a later version, or another period, and it does not hold."""
    mode: ChangeMode
    change: PlanChange
    lines: tuple[Line, ...]
    """Credits are negative. They add up to `amount`, less `credit`. The last is for what begins;
    none: nothing is billed."""
    amount: Quote
    """To be billed."""
    balance_applied: Money
    """As much of it as the tenant's credit pays."""
    credit: Quote
    """What the tenant gets as credit, when the change makes it cheaper."""
    at: datetime
    """The instant that proration counts from, in business time."""
    takes_effect_at: datetime
    expires_at: datetime
    """In real time."""

    @property
    def due(self) -> Money:
        return self.amount.total - self.balance_applied

    @property
    def covers_until(self) -> datetime | None:
        """The end of what is charged for."""
        return self.lines[-1].ends_at if self.lines else None


def quote_change(
    book: SubscriptionBook, wish: Wish, *, uuid: UUID, real_now: datetime
) -> ChangeQuote:
    """Raises Conflict when the subscription's state does not allow it, Refused for a rule."""
    at = max(book.business(real_now), book.subscription.current_period.starts_at)
    need_allowed(book, wish.mode, at)
    _need_possible(book, wish, at)
    lines, restarts_at = _bill(book, wish, at)
    net = _net(lines, book.balance)
    zero = net - net
    subtotal = Money(sum(line.subtotal_minor for line in lines), net.currency)
    nothing = Quote(zero, zero, zero)
    amount = credit = nothing
    if net < zero:
        credit = Quote(zero - subtotal, subtotal - net, zero - net)
    else:  # of a total of nothing, a part may be tax all the same: of another rate
        amount = Quote(subtotal, net - subtotal, net)
    period = book.subscription.current_period
    later = wish.mode is ChangeMode.NEXT_PERIOD
    made = ChangeQuote(
        uuid=uuid,
        subscription_uuid=book.subscription.uuid,
        version=book.subscription.version,
        period_number=period.number,
        mode=wish.mode,
        change=PlanChange(
            price_uuid=wish.plan.price_uuid,
            product_uuid=wish.plan.product_uuid,
            tax_rate_uuid=wish.plan.tax_rate_uuid,
            quantity=wish.quantity,
            restarts_at=restarts_at,
            is_settled=bool(lines) and restarts_at is None,
        ),
        lines=lines,
        amount=amount,
        balance_applied=min(amount.total, book.balance),
        credit=credit,
        at=at,
        takes_effect_at=max(period.ends_at, at) if later else at,
        expires_at=real_now + VALID_FOR,
    )
    need_time(book, made)
    return made


def _need_possible(book: SubscriptionBook, wish: Wish, at: datetime) -> None:
    subscription, plan = book.subscription, book.plan
    if wish.plan.unit_amount.currency != plan.unit_amount.currency:
        message = f"the subscription is in {plan.unit_amount.currency}"
        raise Refused(message, field="productPriceUuid")
    now = (plan.price_uuid, plan.tax_rate_uuid, subscription.quantity)
    if (wish.plan.price_uuid, wish.plan.tax_rate_uuid, wish.quantity) == now:
        raise Refused("the subscription is like that already")
    is_over = subscription.current_period.ends_at <= at
    if is_over and wish.mode is not ChangeMode.NEXT_PERIOD:
        raise Conflict("the next period is about to begin: ask again in a moment")


def need_allowed(book: SubscriptionBook, mode: ChangeMode, at: datetime) -> None:
    """Raises Conflict when the subscription's state does not allow it, as it is now."""
    subscription, status = book.subscription, book.subscription.status
    has_ended = subscription.cancel_at is not None and subscription.cancel_at <= at
    if has_ended or subscription.has_ended:
        raise Conflict("the subscription has ended: start a new one")
    if status is _S.INCOMPLETE:
        raise Conflict("the subscription is incomplete: wait until its first charge is paid")
    if mode is not ChangeMode.NEXT_PERIOD and status not in (_S.ACTIVE, _S.TRIALING):
        raise Conflict(f"the subscription is {status}: it can be changed for the next period only")


def need_time(book: SubscriptionBook, quote: ChangeQuote) -> None:
    """Nobody pays for what comes after an end that is wished for. Raises Conflict."""
    ends_at, until = book.subscription.cancel_at, quote.covers_until
    if ends_at is not None and until is not None and ends_at < until:
        ends = ends_at.isoformat(timespec="seconds")
        raise Conflict(f"the subscription ends on {ends}, before what this would bill: uncancel it")


def _bill(
    book: SubscriptionBook, wish: Wish, at: datetime
) -> tuple[tuple[Line, ...], datetime | None]:
    """The lines, and when a new period begins, if one does."""
    period, full = book.subscription.current_period, wish.plan.quote(wish.quantity)
    free = wish.mode in (ChangeMode.NEXT_PERIOD, ChangeMode.NO_BILL)
    if free or book.subscription.status is _S.TRIALING:
        return (), None
    goes_on = wish.plan.recurrence == book.plan.recurrence and not _waits_for_calendar(book)
    if wish.mode is ChangeMode.NOW_PRORATED and goes_on:
        rest = remaining(full, period.starts_at, period.ends_at, at)
        return (*_credit(book, at), _line(wish, rest, at, period.ends_at)), None
    starts_at = max(at, period.starts_at + SHORTEST_PERIOD)
    ends_at = boundary(starts_at, wish.plan.recurrence, 1, book.zone)
    credit = _credit(book, at) if wish.mode is ChangeMode.NOW_PRORATED else ()
    return (*credit, _line(wish, full, starts_at, ends_at)), starts_at


def _waits_for_calendar(book: SubscriptionBook) -> bool:
    """The plan has another interval already, and the period that is running is of the old one."""
    return book.subscription.current_period.number < book.subscription.anchor_number


def _credit(book: SubscriptionBook, at: datetime) -> tuple[Line, ...]:
    """For the rest of what was paid for. Nothing was for a trial, a skipped period, or one whose
    bill is still owed or was given up."""
    period = book.subscription.current_period
    owed = any(bill.uuid == period.bill_uuid for bill in book.open_bills)
    if period.kind is not PeriodKind.BILLED or owed:
        return ()
    rest = unused(period.amount, period.starts_at, period.ends_at, at)
    line = Line(
        description=f"Unused: {book.plan.product_name}",
        quantity=book.subscription.quantity,
        subtotal_minor=-rest.subtotal.minor,
        tax_minor=-rest.tax.minor,
        total_minor=-rest.total.minor,
        starts_at=at,
        ends_at=period.ends_at,
    )
    return (line,)


def _line(wish: Wish, amount: Quote, starts_at: datetime, ends_at: datetime) -> Line:
    return Line(
        description=wish.plan.product_name,
        sold=wish.plan.sold,
        quantity=wish.quantity,
        subtotal_minor=amount.subtotal.minor,
        tax_minor=amount.tax.minor,
        total_minor=amount.total.minor,
        starts_at=starts_at,
        ends_at=ends_at,
    )


def _net(lines: tuple[Line, ...], like: Money) -> Money:
    return Money(sum(line.total_minor for line in lines), like.currency)
