"""Reads an account's lists at its provider for what nobody has told us.

Webhooks get lost, and some things have no other sign: a refund or a chargeback that was made
without us, a payment whose creator died before it could write down the answer. What is found is
looked at like what a webhook names; the lists themselves are not believed either.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar
from uuid import UUID

from msgspec import Struct

from domain.kernel.clock import Clock
from domain.kernel.errors import ProviderUnavailable, ProviderUnreadable
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.accounts import AccountsTx
from domain.payments.answers import ProviderChargeback, ProviderPayment, ProviderRefund
from domain.payments.observe_payment import ObservePayment
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import Providers

SWEEP_EVERY: Final = timedelta(hours=1)
"""Three calls an hour and account, if little happens: far below any provider's limit."""
OVERLAP: Final = timedelta(hours=1)
"""What was made just before a sweep may have come into the lists after it."""
DISPUTED_FOR: Final = timedelta(days=540)
"""A reversal is not listed anew: it changes the chargeback where it stands. So once a day the list
is read back this far, where there are reversals: 13 months to object to a direct debit (SEPA core
rulebook), and half a year for the banks to agree."""
BATCH: Final = 500
"""Objects that are held in memory at once."""

T = TypeVar("T")


class Batch(Struct, frozen=True):
    payments: tuple[ProviderPayment, ...] = ()
    refunds: tuple[ProviderRefund, ...] = ()
    chargebacks: tuple[ProviderChargeback, ...] = ()


class Sweeps(Protocol):
    async def swept_until(self, account_uuid: UUID) -> datetime:
        """All that was made before then has been looked for."""
        ...

    async def untold(self, account_uuid: UUID, batch: Batch) -> frozenset[str]:
        """References of the payments of which the lists say what we do not know: payments with a
        mark of ours; and refunds, chargebacks and reversals of payments that we have."""
        ...

    async def done(self, account_uuid: UUID, *, until: datetime, due_at: datetime) -> None: ...


class SweepTx(AccountsTx, Protocol):
    @property
    def sweeps(self) -> Sweeps: ...


@dataclass(frozen=True, slots=True)
class SweepAccount:
    unit_of_work: UnitOfWork[SweepTx]
    providers: Providers
    observe: ObservePayment
    clock: Clock

    async def __call__(
        self, app_uuid: AppUuid, account_uuid: UUID
    ) -> ProviderUnavailable | ProviderUnreadable | None:
        """Returns what the provider kept it from: the next sweep begins at the same instant."""
        now = self.clock.now()
        async with self.unit_of_work.begin(app_uuid) as tx:
            account = await tx.payment_providers.get(account_uuid)
            swept_until = await tx.sweeps.swept_until(account_uuid)
        try:
            async for batch in self._batches(account, swept_until, now):
                async with self.unit_of_work.begin(app_uuid) as tx:
                    untold = await tx.sweeps.untold(account_uuid, batch)
                for ref in sorted(untold):
                    await self.observe(app_uuid, account_uuid, ref)
        except (ProviderUnavailable, ProviderUnreadable) as error:
            return error
        async with self.unit_of_work.begin(app_uuid) as tx:
            await tx.sweeps.done(account_uuid, until=now, due_at=now + SWEEP_EVERY)
        return None

    async def _batches(
        self, account: PaymentProvider, swept_until: datetime, now: datetime
    ) -> AsyncIterator[Batch]:
        provider, since = self.providers[account.name], swept_until - OVERLAP
        async for payments in _in_batches(provider.payments.since(account, since)):
            yield Batch(payments=payments)
        async for refunds in _in_batches(provider.refunds.since(account, since)):
            yield Batch(refunds=refunds)
        looks_far = provider.chargebacks_change and swept_until.date() != now.date()
        taken_since = min(since, now - DISPUTED_FOR) if looks_far else since
        async for taken in _in_batches(provider.chargebacks.since(account, taken_since)):
            yield Batch(chargebacks=taken)


async def _in_batches(listed: AsyncIterator[T]) -> AsyncIterator[tuple[T, ...]]:
    batch: list[T] = []
    async for item in listed:
        batch.append(item)
        if len(batch) == BATCH:
            yield tuple(batch)
            batch = []
    if batch:
        yield tuple(batch)
