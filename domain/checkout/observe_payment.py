"""Reads a payment at its provider and takes in what it says.

The shopper's return, the webhook and the worker's own look all end here. The answer to a create
call is the only other way in; both end in book.py's `settle`.
"""

from dataclasses import dataclass
from uuid import UUID

from domain.checkout.book import Settled, Sighting
from domain.checkout.ports import CheckoutTx
from domain.checkout.record_sighting import RecordSighting
from domain.kernel.clock import Clock
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import PaymentStatus, ProviderPayment, Providers


@dataclass(frozen=True, slots=True)
class ObservePayment:
    unit_of_work: UnitOfWork[CheckoutTx]
    providers: Providers
    record: RecordSighting
    clock: Clock

    async def __call__(
        self, app_uuid: AppUuid, account_uuid: UUID, payment_ref: str
    ) -> Settled | None:
        """None: the provider knows no such payment, or it is not one that we asked for.

        Raises NotFound for an account that the app does not have, and what the ports raise.
        """
        async with self.unit_of_work.begin(app_uuid) as tx:
            account = await tx.payment_providers.get(account_uuid)
            wants_refunds = await tx.refunds.are_awaited(account_uuid, payment_ref)
        sighting = await self._look(account, payment_ref, wants_refunds)
        if sighting is None or sighting.payment.attempt_uuid is None:
            return None
        async with self.unit_of_work.begin(app_uuid) as tx:
            session_uuid = await tx.checkout.session_of_attempt(sighting.payment.attempt_uuid)
            if session_uuid is None:
                return None
            settled = await self.record(tx, session_uuid, sighting)
        return settled if settled.book.payment_in(sighting) else None

    async def _look(
        self, account: PaymentProvider, ref: str, wants_refunds: bool
    ) -> Sighting | None:
        """The instant is taken before the first look.

        Refunds are read before the payment: nothing of it is older than what settles them.
        """
        provider, at = self.providers[account.name], self.clock.now()
        refunds = await provider.refunds.list(account, ref) if wants_refunds else ()
        payment = await provider.payments.get(account, ref)
        if payment is None:
            return None
        mandate = None
        if _has_mandate(payment):
            assert payment.customer_ref is not None and payment.mandate_ref is not None
            mandate = await provider.mandates.get(
                account, payment.customer_ref, payment.mandate_ref
            )
        return Sighting(
            account_uuid=account.uuid, payment=payment, mandate=mandate, refunds=refunds, at=at
        )


def _has_mandate(payment: ProviderPayment) -> bool:
    return (
        payment.status is PaymentStatus.PAID
        and payment.customer_ref is not None
        and payment.mandate_ref is not None
    )
