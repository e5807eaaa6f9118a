"""Brings a subscription up to the present: renews it, retries, ends it, whatever is due.

It stops after one charge: what is due beyond that is due still, and the next look finds it. A
charge is three steps: the book with the attempt is committed, the provider is asked with no
transaction open, and what it says is written down. Dying in between loses nothing and charges
nothing twice: see recover_attempt.py.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.errors import (
    DomainError,
    ProviderBusy,
    ProviderUnavailable,
    ProviderUnreadable,
)
from domain.kernel.ids import AppUuid, Ids
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.attempt import PaymentAttempt
from domain.payments.payment_provider import PaymentProvider
from domain.payments.submit_attempt import SubmitAttempt
from domain.subscriptions.advance import advance
from domain.subscriptions.conclude_charge import ConcludeCharge
from domain.subscriptions.pen import Pen
from domain.subscriptions.ports import SubscriptionsTx
from domain.subscriptions.write import WriteBook

DEEDS_MAX: Final = 500
"""In one transaction. Only skipped periods come in such numbers: years of a daily plan."""


@dataclass(frozen=True, slots=True)
class AdvanceSubscription:
    unit_of_work: UnitOfWork[SubscriptionsTx]
    submit: SubmitAttempt
    conclude: ConcludeCharge
    write: WriteBook
    clock: Clock
    ids: Ids
    lease: timedelta

    async def __call__(self, app_uuid: AppUuid, uuid: UUID) -> DomainError | None:
        """What a provider kept it from, if it did: the attempt is then carried on later."""
        try:
            wanted = await self._step(app_uuid, uuid)
        except ProviderBusy as busy:
            await self._postpone(app_uuid, uuid, busy)
            return busy
        if wanted is None:
            return None
        account, attempt = wanted
        try:
            answer = await self.submit(account, attempt)
        except (ProviderUnavailable, ProviderUnreadable) as error:
            await self.conclude.release(attempt)
            return error
        await self.conclude.answered(attempt, answer)
        return None

    async def _step(
        self, app_uuid: AppUuid, uuid: UUID
    ) -> tuple[PaymentProvider, PaymentAttempt] | None:
        """All that is due, up to the first charge."""
        async with self.unit_of_work.begin(app_uuid) as tx:
            before = await tx.subscriptions.book(uuid, lock=True)
            pen = Pen(before, self.ids, self.clock.now())
            for _ in range(DEEDS_MAX):
                if pen.charge is not None or not advance(pen):
                    break
            wanted = await self.write.save(tx, before, pen, lease=self.lease)
            if wanted is not None:
                self._need_budget(wanted[0])
        return wanted

    def _need_budget(self, account: PaymentProvider) -> None:
        """An account that is asked too much is left alone: nothing is written, nothing sent."""
        wait_s = self.submit.providers[account.name].budget.wait_s(account.uuid)
        if wait_s > 1:
            raise ProviderBusy("the account's budget is used up", retry_after_s=int(wait_s) + 1)

    async def _postpone(self, app_uuid: AppUuid, uuid: UUID, busy: ProviderBusy) -> None:
        until = self.clock.now() + timedelta(seconds=busy.retry_after_s)
        async with self.unit_of_work.begin(app_uuid) as tx:
            await tx.subscriptions.postpone(uuid, until=until)
