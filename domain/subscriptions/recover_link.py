"""A pay-and-replace link: one hosted first payment that settles what is open on a subscription and
stores the payment method that is charged from then on. With nothing open, it stores that alone.

There is one such link per subscription and purpose: asking again while it is open finds it, whoever
asked first and with whatever addresses to return to. When something else is open meanwhile, it is
ended and another takes its place. Two that were opened in the same instant do no harm: what is paid
twice is given back.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from msgspec import Struct

from domain.catalog.quote import Quote
from domain.checkout.book import Book
from domain.checkout.expire_session import ExpireSession
from domain.checkout.order import LIFETIME_DEFAULT, Order
from domain.checkout.session import CheckoutSession, IllegalMove, Mode, SessionStatus, Terms
from domain.kernel.clock import Clock
from domain.kernel.errors import Conflict
from domain.kernel.ids import AppUuid
from domain.kernel.money import Currency, Money, half_up
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.payment_provider import ProviderName
from domain.subscriptions.bill import Bill
from domain.subscriptions.book import SubscriptionBook
from domain.subscriptions.own import need_own
from domain.subscriptions.ports import SubscriptionsTx
from domain.tenancy.caller import Actor, Scope


class LinkTerms(Struct, frozen=True, kw_only=True):
    """What the caller says of a link."""

    success_url: str
    cancel_url: str
    locale: str | None = None
    lifetime: timedelta = LIFETIME_DEFAULT


class Link(Struct, frozen=True, kw_only=True):
    """How things stand with a subscription's link."""

    order: Order
    """What to open when there is none."""
    standing: Book | None = None
    """The session that is open for it already."""
    outdated: tuple[UUID, ...] = ()
    """Sessions for what is not what is open now."""
    refusal: Conflict | None = None

    @property
    def fingerprint(self) -> bytes:
        """The same for all that would settle the same."""
        bills = sorted(str(uuid) for uuid in self.order.bill_uuids)
        return sha256("|".join((str(self.order.subscription_uuid), *bills)).encode()).digest()


@dataclass(frozen=True, slots=True)
class RecoverLink:
    unit_of_work: UnitOfWork[SubscriptionsTx]
    expire: ExpireSession
    clock: Clock

    async def look(self, tx: SubscriptionsTx, actor: Actor, uuid: UUID, terms: LinkTerms) -> Link:
        """Raises NotFound for another tenant's subscription."""
        await need_own(tx, actor, uuid, Scope.BILLING_WRITE)
        book = await tx.subscriptions.book(uuid, lock=False)
        account = await tx.payment_providers.get(book.subscription.payment_provider_uuid)
        order = _order(book, terms, account.name)
        if book.subscription.has_ended:
            ended = Conflict(f"the subscription is {book.subscription.status}: nothing is open")
            return Link(order=order, refusal=ended)
        found = await tx.checkout.open_for(uuid)
        sessions = [f for f in found if f.session.mode is order.mode and self._counts(f.session)]
        standing = next((f for f in sessions if _settles(f, order)), None)
        outdated = tuple(
            f.session.uuid
            for f in sessions
            if f.session.status is SessionStatus.OPEN and not _settles(f, order)
        )
        return Link(order=order, standing=standing, outdated=outdated)

    def _counts(self, session: CheckoutSession) -> bool:
        """It is being paid, or can be."""
        is_over = session.status is SessionStatus.OPEN and session.expires_at <= self.clock.now()
        return not is_over

    async def end(self, app_uuid: AppUuid, session_uuid: UUID) -> None:
        """Unless it is being paid, or was paid just now: then that counts."""
        await self.expire.look(app_uuid, session_uuid)
        with suppress(IllegalMove):
            async with self.unit_of_work.begin(app_uuid) as tx:
                await self.expire.expire(tx, session_uuid)
            await self.expire.cancel_payment(app_uuid, session_uuid)


def _settles(found: Book, order: Order) -> bool:
    session = found.session
    if set(session.bill_uuids) != set(order.bill_uuids):
        return False
    return order.open_amount is None or session.amount.total == order.open_amount.total


def _order(book: SubscriptionBook, terms: LinkTerms, provider: ProviderName) -> Order:
    subscription, bills = book.subscription, book.collectable
    return Order(
        tenant_uuid=subscription.tenant_uuid,
        provider=provider,
        mode=Mode.RECOVERY if bills else Mode.SETUP,
        account_uuid=subscription.payment_provider_uuid,
        price_uuid=None,
        tax_rate_uuid=None,
        subscription_uuid=subscription.uuid,
        bill_uuids=tuple(bill.uuid for bill in bills),
        open_amount=open_amount(bills, book.balance.currency) if bills else None,
        currency=book.balance.currency,
        terms=Terms(
            payment_method="card",
            description="",
            success_url=terms.success_url,
            cancel_url=terms.cancel_url,
            locale=terms.locale,
        ),
        lifetime=terms.lifetime,
    )


def open_amount(bills: Iterable[Bill], currency: Currency) -> Quote:
    """What is open on bills, with its share of their tax, rounded half up per bill."""
    tax = total = Money(0, currency)
    for bill in bills:
        share = half_up(bill.amount.tax.minor * bill.open.minor, bill.amount.total.minor)
        tax, total = tax + Money(share, currency), total + bill.open
    return Quote(total - tax, tax, total)
