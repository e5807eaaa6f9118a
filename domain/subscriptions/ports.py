"""What subscriptions need from outside."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.catalog.ports import CatalogTx
from domain.checkout.ports import CheckoutTx
from domain.kernel.ids import TenantUuid
from domain.kernel.money import Money
from domain.kernel.pages import Page, PageRequest
from domain.payments.repositories import OneTimePaymentRepository
from domain.subscriptions.bill import Bill
from domain.subscriptions.book import Plan, SubscriptionBook
from domain.subscriptions.policy import BillingPolicies
from domain.subscriptions.start import Grounds
from domain.subscriptions.subscription import (
    HistoryRow,
    Period,
    Subscription,
    SubscriptionStatus,
)
from domain.subscriptions.test_clock import TestClocks


class Subscriptions(Protocol):
    async def add(
        self, book: SubscriptionBook, history: Sequence[HistoryRow], *, opening_balance: Money
    ) -> None:
        """A new one, with its periods and bills.

        `opening_balance`: the tenant's credit before it. Raises Conflict, as `save` does.
        """
        ...

    async def get(self, uuid: UUID) -> Subscription:
        """Raises NotFound."""
        ...

    async def book(
        self, uuid: UUID, *, lock: bool, with_bills: Sequence[UUID] = ()
    ) -> SubscriptionBook:
        """With `lock`, the subscription's row is locked until the transaction ends.

        `with_bills`: these too, open or not, with their attempts and payments, and what else the
        same payments settled. Raises NotFound.
        """
        ...

    async def open_amounts(self, uuids: Collection[UUID]) -> Mapping[UUID, int]:
        """In minor units, by subscription: what stands open on its bills. None is left out."""
        ...

    async def of_bill(self, bill_uuid: UUID) -> UUID | None:
        """The subscription that the bill is of."""
        ...

    async def save(
        self, before: SubscriptionBook, after: SubscriptionBook, history: Sequence[HistoryRow]
    ) -> None:
        """Write the rows that differ, and the moves.

        Raises Conflict when the tenant's credit has been spent by another meanwhile.
        """
        ...

    async def claim_trial(self, subscription: Subscription, *, at: datetime) -> bool:
        """False: the tenant has tried this product out before."""
        ...

    async def grounds(
        self, tenant_uuid: TenantUuid, account_uuid: UUID, plan: tuple[UUID, UUID | None]
    ) -> Grounds:
        """What a new subscription to this price, with this tax rate, stands on.

        Raises NotFound.
        """
        ...

    async def postpone(self, uuid: UUID, *, until: datetime) -> None:
        """Leave it alone for a moment: nothing about it has changed.

        One on a test clock stays as it is: that is in another time, and is postponed itself.
        """
        ...

    async def bill(self, uuid: UUID) -> Bill | None: ...

    async def plans(self, wanted: Sequence[tuple[UUID, UUID | None]]) -> tuple[Plan, ...]:
        """Of these prices with these tax rates; those that there are."""
        ...

    async def settled_by(self, payment_uuid: UUID) -> tuple[Bill, ...]:
        """The bills that a payment settled, and those that a chargeback of it opened again, paid
        again or not."""
        ...

    async def list(
        self,
        request: PageRequest,
        *,
        only: frozenset[TenantUuid] | None,
        status: SubscriptionStatus | None = None,
    ) -> Page[Subscription]:
        """Newest first. `only`: of these tenants; None: of all."""
        ...

    async def periods(self, uuid: UUID, request: PageRequest) -> Page[Period]: ...
    async def bills(self, uuid: UUID, request: PageRequest) -> Page[Bill]: ...
    async def history(self, uuid: UUID, request: PageRequest) -> Page[HistoryRow]: ...


class SubscriptionsTx(CheckoutTx, CatalogTx, Protocol):
    """The part of a transaction that subscriptions may touch."""

    @property
    def one_time_payments(self) -> OneTimePaymentRepository: ...
    @property
    def subscriptions(self) -> Subscriptions: ...
    @property
    def billing_policies(self) -> BillingPolicies: ...
    @property
    def test_clocks(self) -> TestClocks: ...
