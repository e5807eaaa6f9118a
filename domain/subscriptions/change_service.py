"""Changing a subscription: a binding quote first, then its acceptance.

Authorization is the first line of each method.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from domain.kernel.clock import Clock
from domain.kernel.errors import Conflict, Refused
from domain.kernel.ids import Ids
from domain.payments.recover_attempt import RecoverAttempt
from domain.subscriptions.accept_change import accept_change, is_accepted, unschedule
from domain.subscriptions.bill import Bill, BillStatus
from domain.subscriptions.book import Plan, SubscriptionBook
from domain.subscriptions.change_quote import ChangeMode, ChangeQuote, Wish, quote_change
from domain.subscriptions.own import need_own
from domain.subscriptions.pen import Pen
from domain.subscriptions.ports import SubscriptionsTx
from domain.subscriptions.subscription import Subscription
from domain.subscriptions.write import WriteBook
from domain.tenancy.caller import Actor, Scope

T = TypeVar("T")


class Asked(Struct, frozen=True, kw_only=True):
    """What is UNSET stays."""

    mode: ChangeMode
    price_uuid: UUID | UnsetType = UNSET
    tax_rate_uuid: UUID | UnsetType | None = UNSET
    quantity: int | UnsetType = UNSET


class QuoteSeal(Protocol):
    """Makes quotes that nobody else can make, and reads them again."""

    def seal(self, facts: ChangeQuote, *, context: str) -> str: ...

    def open(self, text: str, *, context: str) -> ChangeQuote | None:
        """None: it is not a quote that was made for this context."""
        ...


class Outcome(StrEnum):
    APPLIED = "applied"
    SCHEDULED = "scheduled"
    COLLECTING = "collecting"
    """It takes effect when its charge is paid."""
    FAILED = "failed"
    """Its charge was not paid: everything is as it was."""


def outcome_of(subscription: Subscription, bill: Bill | None) -> Outcome:
    if bill is None:
        waits = subscription.scheduled_change is not None
        return Outcome.SCHEDULED if waits else Outcome.APPLIED
    match bill.status:
        case BillStatus.PAID:
            return Outcome.APPLIED
        case BillStatus.OPEN:
            return Outcome.COLLECTING
        case _:
            return Outcome.FAILED


@dataclass(frozen=True, slots=True)
class ChangeService:
    seal: QuoteSeal
    write: WriteBook
    recover: RecoverAttempt
    clock: Clock
    ids: Ids

    async def quote(
        self, tx: SubscriptionsTx, actor: Actor, uuid: UUID, asked: Asked
    ) -> tuple[ChangeQuote, str]:
        """The quote, and its sealed text. Changes nothing."""
        book = await self._book(tx, actor, uuid, lock=False)
        wish = Wish(
            plan=await self._plan(tx, book, asked),
            quantity=_or(asked.quantity, book.subscription.quantity),
            mode=asked.mode,
        )
        quote = quote_change(book, wish, uuid=self.ids.new(), real_now=self.clock.now())
        return quote, self.seal.seal(quote, context=_context(book.subscription))

    async def accept(
        self, tx: SubscriptionsTx, actor: Actor, uuid: UUID, text: str
    ) -> tuple[UUID, Callable[[], Awaitable[object]] | None]:
        """The quote's uuid, and the charge to be made when the transaction is committed.

        A quote that is accepted twice is one change.
        """
        before = await self._book(tx, actor, uuid, lock=True)
        quote = self.seal.open(text, context=_context(before.subscription))
        if quote is None:
            raise Refused("is not a quote for this subscription", field="quote")
        change = quote.change
        plans = await tx.subscriptions.plans([(change.price_uuid, change.tax_rate_uuid)])
        pen = Pen(replace(before, plans=before.plans + plans), self.ids, self.clock.now())
        if is_accepted(pen, quote) or await tx.subscriptions.bill(quote.uuid) is not None:
            return quote.uuid, None
        accept_change(pen, quote)
        drafted = await self.write.save(tx, before, pen)
        if drafted is None:
            return quote.uuid, None
        _, attempt = drafted
        return quote.uuid, lambda: self.recover(attempt.app_uuid, attempt.uuid)

    async def unschedule(self, tx: SubscriptionsTx, actor: Actor, uuid: UUID) -> Subscription:
        before = await self._book(tx, actor, uuid, lock=True)
        pen = Pen(before, self.ids, self.clock.now())
        unschedule(pen)
        await self.write.save(tx, before, pen)
        return pen.subscription

    async def _book(
        self, tx: SubscriptionsTx, actor: Actor, uuid: UUID, *, lock: bool
    ) -> SubscriptionBook:
        """A subscription of another tenant is not there."""
        await need_own(tx, actor, uuid, Scope.BILLING_WRITE)
        return await tx.subscriptions.book(uuid, lock=lock)

    async def _plan(self, tx: SubscriptionsTx, book: SubscriptionBook, asked: Asked) -> Plan:
        """Raises NotFound for what is another's, Refused for a rule."""
        now = book.subscription
        price_uuid = _or(asked.price_uuid, now.price_uuid)
        tax_rate_uuid = _or(asked.tax_rate_uuid, now.tax_rate_uuid)
        price = await tx.prices.get(price_uuid)
        if price.archived_at is not None and price_uuid != now.price_uuid:
            raise Refused("the price is archived", field="productPriceUuid")
        if price.recurring is None:
            raise Refused("the price is not a recurring one", field="productPriceUuid")
        if price.payment_provider_uuid not in (None, now.payment_provider_uuid):
            raise Refused("the price is paid to another account", field="productPriceUuid")
        if tax_rate_uuid is not None and tax_rate_uuid != now.tax_rate_uuid:
            rate = await tx.tax_rates.get(tax_rate_uuid)
            if rate.deleted_at is not None:
                raise Refused("the tax rate is archived", field="taxRateUuid")
        found = await tx.subscriptions.plans([(price_uuid, tax_rate_uuid)])
        if not found:
            raise Conflict("the price has just gone")
        return book.as_charged(found[0])


def _or(asked: T | UnsetType, now: T) -> T:
    return now if isinstance(asked, UnsetType) else asked


def _context(subscription: Subscription) -> str:
    return f"{subscription.app_uuid}|subscriptions|change|{subscription.uuid}"
