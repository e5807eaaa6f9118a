"""What checkout needs from outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct

from domain.checkout.book import Book, Sale, Settled
from domain.checkout.order import Ask, Order, OrderFacts
from domain.checkout.session import CheckoutSession
from domain.kernel.events import Event
from domain.kernel.idempotency import Answer, IdempotencyKeys, RequestKey
from domain.kernel.ids import TenantUuid
from domain.kernel.money import Money
from domain.kernel.pages import Page, PageRequest
from domain.ledger.ports import LedgerTx
from domain.payments.attempt import PaymentAttempt
from domain.payments.customer import Customers
from domain.payments.observe_payment import ObserveTx
from domain.payments.repositories import RefundRepository
from domain.payments.sighting import PaymentFile
from domain.tenancy.caller import Caller


class Intent(Struct, frozen=True, kw_only=True):
    """What is committed before the provider is called."""

    session: CheckoutSession
    attempt: PaymentAttempt | None
    """None: the shopper has to tell us something before there can be one."""
    key: RequestKey
    lease_until: datetime
    key_expires_at: datetime
    replaces: datetime | None = None
    """`expires_at` of a lapsed claim under the same key, which this one takes the place of."""


class CheckoutRepository(Protocol):
    async def facts(self, caller: Caller, order: Order, ask: Ask) -> OrderFacts:
        """All that an order is checked against, in one round trip."""
        ...

    async def add(self, intent: Intent) -> CheckoutSession | None:
        """Claim the key, and write session and attempt, in one round trip.

        None: another request claimed the key first; nothing was written.
        """
        ...

    async def open_accepted(self, settled: Settled, key: RequestKey, answer: Answer) -> bool:
        """The usual conclusion of a fresh intent, in one round trip: attempt accepted, payment
        added, session pointed at it, answer kept.

        False, and nothing written: the attempt is no longer waiting (a webhook was faster), or
        the session no longer open.
        """
        ...

    async def get(self, uuid: UUID) -> Book:
        """Raises NotFound."""
        ...

    async def lock(self, uuid: UUID) -> Book:
        """The book, its session's row locked until the transaction ends. Raises NotFound."""
        ...

    async def save(self, before: Book, after: Book) -> None:
        """Write the rows that differ."""
        ...

    async def open_for(self, subscription_uuid: UUID) -> tuple[Book, ...]:
        """The sessions for a subscription that are not over, the newest first."""
        ...

    async def list(
        self, request: PageRequest, *, only: frozenset[TenantUuid] | None, after: UUID | None
    ) -> Page[Book]:
        """Newest first. `after`: those older than this one, without counting."""
        ...


class Purchases(Protocol):
    """Hands over what a sale bought. Runs inside the transaction that settles it."""

    async def deliver(self, tx: Any, sale: Sale) -> Sequence[Event]:
        """`tx` is the same transaction, whole: what is bought lives in slices that checkout does
        not know. Also posts what the sale is, and that its payment was received."""
        ...

    async def owed_again(self, tx: Any, payment_uuid: UUID) -> Mapping[UUID, Money]:
        """By chargeback of the payment, how much stands open on bills because of it."""
        ...

    async def charged_back(
        self, tx: Any, before: PaymentFile, file: PaymentFile, *, at: datetime
    ) -> Sequence[Event]:
        """A bank has taken money back, or given it again, of what a session sold."""
        ...


class CheckoutTx(ObserveTx, LedgerTx, Protocol):
    """The part of a transaction that checkout may touch."""

    @property
    def checkout(self) -> CheckoutRepository: ...
    @property
    def customers(self) -> Customers: ...
    @property
    def refunds(self) -> RefundRepository: ...
    @property
    def idempotency(self) -> IdempotencyKeys: ...
