"""What a change of a payment's file means for the ledger: money that went back, and came again.

That a payment has been received is posted by whoever knows what it settles.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.catalog.quote import Quote
from domain.kernel.money import Money
from domain.ledger import rules
from domain.ledger.parts import nothing, part_of
from domain.ledger.ports import Ledger
from domain.ledger.posting import Posting, PostingKind
from domain.ledger.rules import Fact
from domain.payments.answers import RefundStatus
from domain.payments.payment import Payment
from domain.payments.refund import OF_HELD, Refund, RefundReason
from domain.payments.sighting import PaymentFile

_NOTHING: Final[Mapping[UUID, Money]] = {}


def money_back_postings(
    before: PaymentFile | None,
    after: PaymentFile,
    *,
    at: datetime,
    owed_again: Mapping[UUID, Money] = _NOTHING,
) -> tuple[Posting, ...]:
    """Refunds made, and chargebacks received and reversed, since `before`.

    `owed_again`: by chargeback, how much of it stands open on bills. Reversing one settles that.
    """
    return (*_refunds(before, after, at), *_chargebacks(before, after, at, owed_again))


def _refunds(before: PaymentFile | None, after: PaymentFile, at: datetime) -> Iterator[Posting]:
    posted = {r.uuid for r in _made(before)} if before else set()
    gone = gone_of_held = 0
    for refund in sorted(_made(after), key=lambda r: (r.uuid not in posted, r.uuid)):
        fact, is_new = fact_of(after.payment, refund.uuid, at), refund.uuid not in posted
        if _is_of_held(after, refund):
            if is_new:
                yield rules.held_given_back(fact, refund.amount)
            continue
        held = min(refund.amount, _kept(after, refund, gone_of_held))
        sold = refund.amount - held
        if is_new:
            yield rules.refund_made(fact, _part(_sold(after), gone, sold), held=held)
        gone, gone_of_held = gone + sold.minor, gone_of_held + held.minor


async def fallen_through(
    ledger: Ledger, before: PaymentFile, after: PaymentFile, *, at: datetime
) -> tuple[Posting, ...]:
    """Refunds that had been made, and whose money came back to us after all: what was posted for
    them is taken back."""
    made = {refund.uuid for refund in _made(before)}
    fell = [r.uuid for r in after.refunds if r.uuid in made and not r.gives_back]
    if not fell:
        return ()
    posted = await ledger.of(*fell)
    return tuple(
        rules.refund_failed(posting, at=at)
        for posting in posted
        if posting.kind is PostingKind.REFUND_MADE
    )


def _is_of_held(file: PaymentFile, refund: Refund) -> bool:
    return file.is_held or refund.reason in OF_HELD


def _kept(file: PaymentFile, refund: Refund, gone_minor: int) -> Money:
    """Surplus that could not be given back before this refund was asked for: it goes first."""
    fell = sum(
        surplus.amount.minor
        for surplus in _of_surplus(file)
        if not surplus.gives_back and surplus.updated_at <= refund.created_at
    )
    return Money(max(fell - gone_minor, 0), refund.amount.currency)


def _sold(file: PaymentFile) -> Quote:
    """As much of the payment as bought something, whatever became of what is over."""
    payment = file.payment
    over = sum((r.amount for r in _of_surplus(file)), payment.amount - payment.amount)
    total = payment.amount - over
    return Quote(total - payment.tax, payment.tax, total)


def _of_surplus(file: PaymentFile) -> list[Refund]:
    return [r for r in file.refunds if r.reason is RefundReason.SURPLUS]


def _made(file: PaymentFile) -> list[Refund]:
    return [r for r in file.refunds if r.status is RefundStatus.REFUNDED]


def _part(whole: Quote, gone_minor: int, amount: Money) -> Quote:
    """The next part of what was paid, after as much is gone."""
    if gone_minor + amount.minor > whole.total.minor:  # more than was paid: a gift, without tax
        return Quote(amount, Money(0, amount.currency), amount)
    gone = part_of(whole, nothing(amount.currency), Money(gone_minor, amount.currency))
    return part_of(whole, gone, amount)


def _chargebacks(
    before: PaymentFile | None, after: PaymentFile, at: datetime, owed_again: Mapping[UUID, Money]
) -> Iterator[Posting]:
    known = {c.uuid: c for c in before.chargebacks} if before else {}
    for chargeback in after.chargebacks:
        fact, was = fact_of(after.payment, chargeback.uuid, at), known.get(chargeback.uuid)
        if was is None:
            yield rules.chargeback_received(fact, chargeback.amount)
        if chargeback.reversed_at is not None and (was is None or was.reversed_at is None):
            settles = owed_again.get(chargeback.uuid, Money(0, chargeback.amount.currency))
            yield rules.chargeback_reversed(fact, chargeback.amount, settles=settles)


def fact_of(payment: Payment, source_uuid: UUID, at: datetime) -> Fact:
    return Fact(
        source_uuid=source_uuid,
        tenant_uuid=payment.tenant_uuid,
        at=at,
        facts={"paymentUuid": str(payment.uuid)},
    )
