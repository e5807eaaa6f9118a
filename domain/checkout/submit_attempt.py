"""Asks the provider for the payment of an attempt: fence, window, call. Writes nothing.

The caller holds the attempt's lease, and no transaction is open.
"""

from dataclasses import dataclass
from datetime import timedelta

from domain.checkout.attempt import PaymentAttempt
from domain.kernel.clock import Clock
from domain.kernel.errors import ProviderUnavailable
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import Declined, ProviderPayment, Providers

LOST = Declined("the provider never received the request")


@dataclass(frozen=True, slots=True)
class SubmitAttempt:
    providers: Providers
    clock: Clock
    lease: timedelta

    def is_forgotten(self, account: PaymentProvider, attempt: PaymentAttempt) -> bool:
        """Whether the provider no longer knows our key, so that nothing may be sent under it."""
        age = self.clock.now() - attempt.first_submitted_at
        return age >= timedelta(seconds=self.providers[account.name].key_window_s)

    async def __call__(
        self, account: PaymentProvider, attempt: PaymentAttempt
    ) -> ProviderPayment | Declined:
        """Raises ProviderUnavailable and ProviderUnreadable; the attempt then stays waiting."""
        provider = self.providers[account.name]
        if self.is_forgotten(account, attempt):
            # The provider has forgotten our key: asking again could charge twice. Look instead.
            since = attempt.first_submitted_at
            return await provider.payments.find(account, attempt.uuid, since=since) or LOST
        # The fence: whoever was frozen for so long must not send, another may hold the lease.
        # The clock is read right before the call, never carried over from the claim.
        if self.clock.now() > attempt.lease_until - self.lease / 2:
            raise ProviderUnavailable("the lease on the attempt is nearly over")
        return await provider.payments.create(account, attempt.request, key=attempt.uuid)
