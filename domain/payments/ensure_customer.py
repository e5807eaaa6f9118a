"""One customer per tenant and account, however many requests race to make it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from domain.kernel.clock import Clock, Pause
from domain.kernel.errors import ProviderNotAsked, ProviderUnavailable, ProviderUnreadable, Refused
from domain.kernel.ids import Ids
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.answers import Declined
from domain.payments.customer import Customer, Customers
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import NewCustomer, Providers
from domain.tenancy.tenant import Tenant

PATIENCE: Final = timedelta(seconds=4)
"""How long to wait for another request that is creating the same customer."""
LOOK_EVERY_S: Final = 0.2


class CustomersTx(Protocol):
    @property
    def customers(self) -> Customers: ...


@dataclass(frozen=True, slots=True)
class EnsureCustomer:
    unit_of_work: UnitOfWork[CustomersTx]
    providers: Providers
    clock: Clock
    ids: Ids
    pause: Pause
    lease: timedelta

    async def __call__(self, account: PaymentProvider, tenant: Tenant) -> str:
        """The provider's reference of the tenant's customer, created if need be.

        Raises ProviderUnavailable, ProviderUnreadable, or Refused when the provider says no.
        """
        give_up_at = self.clock.now() + PATIENCE
        while True:
            customer, is_ours = await self._claim(account, tenant)
            if customer.provider_ref is not None:
                return customer.provider_ref
            if is_ours:
                return await self._create(account, tenant, customer)
            if self.clock.now() >= give_up_at:
                raise ProviderNotAsked("another request is still creating the customer")
            await self.pause(LOOK_EVERY_S)

    async def _claim(self, account: PaymentProvider, tenant: Tenant) -> tuple[Customer, bool]:
        now = self.clock.now()
        new = Customer(
            uuid=self.ids.new(),
            app_uuid=account.app_uuid,
            payment_provider_uuid=account.uuid,
            tenant_uuid=tenant.uuid,
            lease_until=now + self.lease,
            first_submitted_at=now,
            created_at=now,
            updated_at=now,
        )
        async with self.unit_of_work.begin(account.app_uuid) as tx:
            return await tx.customers.claim(new, now=now)

    async def _create(self, account: PaymentProvider, tenant: Tenant, customer: Customer) -> str:
        try:
            answer = await self._ask(account, tenant, customer)
        except (ProviderUnavailable, ProviderUnreadable):
            async with self.unit_of_work.begin(account.app_uuid) as tx:
                await tx.customers.release(customer.uuid, at=self.clock.now())
            raise
        if isinstance(answer, Declined):
            async with self.unit_of_work.begin(account.app_uuid) as tx:
                await tx.customers.release(customer.uuid, at=self.clock.now())
            raise Refused(f"the payment provider refused the customer: {answer.reason}")
        async with self.unit_of_work.begin(account.app_uuid) as tx:
            await tx.customers.adopt(customer.uuid, answer, at=self.clock.now())
        return answer

    async def _ask(
        self, account: PaymentProvider, tenant: Tenant, customer: Customer
    ) -> str | Declined:
        provider = self.providers[account.name]
        now = self.clock.now()
        if now > customer.lease_until - self.lease / 2:
            raise ProviderNotAsked("the lease on the customer is nearly over")
        # Past the provider's memory of our key, asking again would make a second customer.
        if now - customer.first_submitted_at >= timedelta(seconds=provider.key_window_s):
            since = customer.first_submitted_at
            found = await provider.customers.find(account, customer.uuid, since=since)
            if found is not None:
                return found
        new = NewCustomer(
            uuid=customer.uuid, tenant_uuid=tenant.uuid, name=tenant.name, email=tenant.email
        )
        return await provider.customers.create(account, new)
