"""Asks the provider for the payment of an attempt: fence, window, call. Writes nothing.

The caller holds the attempt's lease, and no transaction is open.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from domain.kernel.clock import Clock
from domain.kernel.errors import ProviderNotAsked, ProviderUnavailable
from domain.payments.answers import Declined, Submitted
from domain.payments.attempt import AttemptKind, PaymentAttempt
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import Providers

LOST = Declined("the provider never received the request")

LOOK_TWICE_WITHIN: Final = timedelta(minutes=15)
"""A payment is taken for lost only when two looks, so far apart, find nothing: the provider's list
may lag behind what it has done."""


@dataclass(frozen=True, slots=True)
class SubmitAttempt:
    providers: Providers
    clock: Clock
    lease: timedelta

    def is_forgotten(self, account: PaymentProvider, attempt: PaymentAttempt) -> bool:
        """Whether the provider no longer knows our key, so that nothing may be sent under it."""
        age = self.clock.now() - attempt.first_submitted_at
        return age >= timedelta(seconds=self.providers[account.name].key_window_s)

    def _may_yet_appear(self, account: PaymentProvider, attempt: PaymentAttempt) -> bool:
        key_window = timedelta(seconds=self.providers[account.name].key_window_s)
        age = self.clock.now() - attempt.first_submitted_at
        return age < key_window + LOOK_TWICE_WITHIN

    async def __call__(self, account: PaymentProvider, attempt: PaymentAttempt) -> Submitted:
        """Raises ProviderUnavailable and ProviderUnreadable; the attempt then stays waiting."""
        provider = self.providers[account.name]
        if self.is_forgotten(account, attempt):
            # The provider has forgotten our key: asking again could charge twice. Look instead.
            since = attempt.first_submitted_at
            found = await provider.payments.find(account, attempt.uuid, since=since)
            if found is None and self._may_yet_appear(account, attempt):
                raise ProviderUnavailable("the charge is not in the provider's list yet")
            return found or LOST
        # The fence: whoever was frozen for so long must not send, another may hold the lease.
        # The clock is read right before the call, never carried over from the claim.
        if self.clock.now() > attempt.lease_until - self.lease / 2:
            raise ProviderNotAsked("the lease on the attempt is nearly over")
        if attempt.kind is AttemptKind.FORM:
            assert provider.forms is not None, account.name
            return await provider.forms.create(account, attempt.request, key=attempt.uuid)
        return await provider.payments.create(account, attempt.request, key=attempt.uuid)
