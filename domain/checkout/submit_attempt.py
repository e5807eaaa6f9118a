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

    async def __call__(
        self, account: PaymentProvider, attempt: PaymentAttempt
    ) -> ProviderPayment | Declined:
        """Raises ProviderUnavailable and ProviderUnreadable; the attempt then stays waiting."""
        provider = self.providers[account.name]
        now = self.clock.now()
        age = now - attempt.first_submitted_at
        if age >= timedelta(seconds=provider.key_window_s):
            # The provider has forgotten our key: asking again could charge twice. Look instead.
            since = attempt.first_submitted_at
            return await provider.payments.find(account, attempt.uuid, since=since) or LOST
        # The fence: whoever was frozen for so long must not send, another may hold the lease.
        # The clock is read right before the call, never carried over from the claim.
        if now > attempt.lease_until - self.lease / 2:
            raise ProviderUnavailable("the lease on the attempt is nearly over")
        return await provider.payments.create(account, attempt.request, key=attempt.uuid)
