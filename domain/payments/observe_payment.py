"""Reads a payment at its provider and takes in what it says.

The shopper's return, the webhook and the worker's own look all end here. The answer to a create
call is the only other way in; both end with whoever keeps the book of what the payment is for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from msgspec.structs import replace

from domain.kernel.clock import Clock
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.accounts import AccountsTx
from domain.payments.answers import PaymentStatus, ProviderPayment
from domain.payments.attempt import OwnerKind, PaymentAttempts
from domain.payments.payment import Payment
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import Providers
from domain.payments.repositories import KnownMoney, PaymentRepository
from domain.payments.sighting import Sighting


class ObserveTx(AccountsTx, Protocol):
    @property
    def payments(self) -> PaymentRepository: ...
    @property
    def attempts(self) -> PaymentAttempts: ...


class Recorder(Protocol):
    """Writes a sighting into the book of what the payment is for."""

    async def __call__(self, tx: Any, owner_uuid: UUID, sighting: Sighting, /) -> Payment | None:
        """Inside the caller's transaction, which is whole: books live in slices that this one
        does not know. None: the payment is not one that was asked for."""
        ...


Recorders = Mapping[OwnerKind, Recorder]


@dataclass(frozen=True, slots=True)
class ObservePayment:
    unit_of_work: UnitOfWork[ObserveTx]
    providers: Providers
    recorders: Recorders
    clock: Clock

    async def __call__(
        self, app_uuid: AppUuid, account_uuid: UUID, payment_ref: str
    ) -> Payment | None:
        """None: the provider knows no such payment, or it is not one that we asked for.

        Raises NotFound for an account that the app does not have, and what the ports raise.
        """
        async with self.unit_of_work.begin(app_uuid) as tx:
            account = await tx.payment_providers.get(account_uuid)
            known = await tx.payments.known_money(account_uuid, payment_ref)
        sighting = await self._look(account, payment_ref, known)
        if sighting is None or sighting.payment.attempt_uuid is None:
            return None
        async with self.unit_of_work.begin(app_uuid) as tx:
            owner = await tx.attempts.owner(sighting.payment.attempt_uuid)
            if owner is None:
                return None
            return await self.recorders[owner.kind](tx, owner.uuid, sighting)

    async def _look(
        self, account: PaymentProvider, ref: str, known: KnownMoney | None
    ) -> Sighting | None:
        """The instant is taken before the first look.

        Refunds and chargebacks are read before the payment: nothing of it is older than what
        settles them. They are read only when something is known, or seen, to have changed.
        """
        provider, at = self.providers[account.name], self.clock.now()
        payment = None
        if known is None or not known.refunds_are_awaited:
            payment = await provider.payments.get(account, ref)
            if payment is None:
                return None
        sighting = None
        if payment is None or _money_moved(payment, known):
            refunds = await provider.refunds.list(account, ref)
            chargebacks = await provider.chargebacks.list(account, ref)
            payment = await provider.payments.get(account, ref)
            if payment is None:
                return None
            sighting = Sighting(
                account_uuid=account.uuid,
                payment=payment,
                refunds=refunds,
                chargebacks=chargebacks,
                at=at,
            )
        sighting = sighting or Sighting(account_uuid=account.uuid, payment=payment, at=at)
        if payment.captured is not None and provider.captures is not None:
            captures = await provider.captures.list(account, ref)
            sighting = replace(sighting, captures=captures)
        return await self._with_mandate(account, sighting)

    async def _with_mandate(self, account: PaymentProvider, sighting: Sighting) -> Sighting:
        payment = sighting.payment
        if payment.status is not PaymentStatus.PAID:
            return sighting
        if payment.customer_ref is None or payment.mandate_ref is None:
            return sighting
        mandate = await self.providers[account.name].mandates.get(
            account, payment.customer_ref, payment.mandate_ref
        )
        return replace(sighting, mandate=mandate, mandate_is_gone=mandate is None)


def _money_moved(payment: ProviderPayment, known: KnownMoney | None) -> bool:
    if known is None:
        return payment.refunded.minor > 0 or payment.charged_back.minor > 0
    if known.charged_back.minor > 0:  # a reversal is a date in the list, whatever the sum says
        return True
    return (payment.refunded, payment.charged_back) != (known.refunded, known.charged_back)
