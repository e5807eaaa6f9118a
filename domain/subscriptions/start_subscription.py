"""Starts a subscription without a checkout: on trial, on a stored payment method, or for free.

The amount is never the caller's. A trial is once per tenant and product, wherever it was begun; to
give one that the price does not, or a longer one, is the app's to do and no tenant's.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from domain.catalog.price import Price
from domain.checkout.price_order import need_clock
from domain.kernel.clock import Clock
from domain.kernel.errors import Forbidden, Refused
from domain.kernel.ids import Ids, TenantUuid
from domain.payments.answers import MandateStatus
from domain.payments.payment_provider import PaymentProvider
from domain.payments.recover_attempt import RecoverAttempt
from domain.subscriptions.pen import Pen
from domain.subscriptions.ports import SubscriptionsTx
from domain.subscriptions.start import Grounds, Wanted, begin, start_charged, start_trial
from domain.subscriptions.write import WriteBook
from domain.tenancy.caller import Actor, Scope
from domain.tenancy.ports import TenancyTx


class StartTx(SubscriptionsTx, TenancyTx, Protocol):
    """The part of a transaction that starting may touch."""


class NewSubscription(Struct, frozen=True, kw_only=True):
    tenant_uuid: TenantUuid
    price_uuid: UUID
    tax_rate_uuid: UUID | None = None
    quantity: int = 1
    mandate_uuid: UUID | None = None
    """None: the tenant's default, or else its newest valid one."""
    trial_days: int | None = None
    """None: the price's, if the tenant has not tried the product out before. 0: no trial."""


@dataclass(frozen=True, slots=True)
class StartSubscription:
    write: WriteBook
    recover: RecoverAttempt
    clock: Clock
    ids: Ids

    async def __call__(
        self, tx: StartTx, actor: Actor, new: NewSubscription
    ) -> tuple[UUID, Callable[[], Awaitable[object]] | None]:
        """Its uuid, and the charge to be made once the transaction is committed. Raises NotFound
        for what is another's, Forbidden, and Refused for a rule."""
        actor.need_tenant(new.tenant_uuid, Scope.BILLING_WRITE)
        tenant = await tx.tenants.get(new.tenant_uuid)
        price = await self._price(tx, new)
        self._check_trial(actor, new, price)
        account = await self._account(tx, new, price)
        if (clock_uuid := tenant.test_clock_uuid) is not None:
            is_usable = await tx.tenants.clock_is_usable(clock_uuid)
            need_clock(tenant, account, is_usable=is_usable)
        plan = (price.uuid, new.tax_rate_uuid)
        grounds = await tx.subscriptions.grounds(new.tenant_uuid, account.uuid, plan)
        pen = self._blank(actor, new, account, grounds)
        days = grounds.trial_days if new.trial_days is None else new.trial_days
        if days and await tx.subscriptions.claim_trial(pen.subscription, at=pen.now):
            start_trial(pen, days)
        elif new.trial_days:
            raise Refused("the tenant has tried this product out before", field="trialDays")
        else:
            _need_payable(pen)
            start_charged(pen)
        drafted = await self.write.add(tx, grounds, pen)
        if drafted is None:
            return pen.subscription.uuid, None
        _, attempt = drafted
        return pen.subscription.uuid, partial(self.recover, attempt.app_uuid, attempt.uuid)

    async def _price(self, tx: StartTx, new: NewSubscription) -> Price:
        price = await tx.prices.get(new.price_uuid)
        if price.archived_at is not None:
            raise Refused("the price is archived", field="productPriceUuid")
        if price.recurring is None:
            raise Refused("a subscription needs a recurring price", field="productPriceUuid")
        if new.tax_rate_uuid is not None:
            rate = await tx.tax_rates.get(new.tax_rate_uuid)
            if rate.deleted_at is not None:
                raise Refused("the tax rate is archived", field="taxRateUuid")
        return price

    def _check_trial(self, actor: Actor, new: NewSubscription, price: Price) -> None:
        longer = new.trial_days is not None and new.trial_days > price.trial_days
        if longer and not actor.may(Scope.BILLING_WRITE):
            raise Forbidden(f"a longer trial than the price's needs {Scope.BILLING_WRITE}")

    async def _account(self, tx: StartTx, new: NewSubscription, price: Price) -> PaymentProvider:
        if price.payment_provider_uuid is not None:
            account: PaymentProvider | None
            account = await tx.payment_providers.get(price.payment_provider_uuid)
        else:
            account = await tx.payment_providers.usual(new.tenant_uuid, new.mandate_uuid)
        if account is None or account.deleted_at is not None:
            message = "the price's account at the payment provider is not in use"
            raise Refused(message, field="productPriceUuid")
        return account

    def _blank(
        self, actor: Actor, new: NewSubscription, account: PaymentProvider, grounds: Grounds
    ) -> Pen:
        valid = {m.uuid for m in grounds.mandates if m.status is MandateStatus.VALID}
        if new.mandate_uuid is not None and new.mandate_uuid not in valid:
            raise _no_method()
        wanted = Wanted(
            app_uuid=actor.app_uuid,
            tenant_uuid=new.tenant_uuid,
            user_uuid=actor.user_uuid,
            payment_provider_uuid=account.uuid,
            mandate_uuid=new.mandate_uuid,
            tax_id_country=grounds.tax_id_country,
            quantity=new.quantity,
        )
        return begin(wanted, grounds, paid_at=None, real_now=self.clock.now(), ids=self.ids)


def _need_payable(pen: Pen) -> None:
    """What neither is free nor paid by credit needs something to charge."""
    mandate = pen.book.mandate()
    is_valid = mandate is not None and mandate.status is MandateStatus.VALID
    total = pen.book.plan.quote(pen.subscription.quantity).total
    if pen.book.balance < total and not is_valid:
        raise _no_method()


def _no_method() -> Refused:
    return Refused(
        "the tenant has no such valid payment method at the price's account: store one with a "
        "checkout session first",
        field="paymentMethodUuid",
    )
