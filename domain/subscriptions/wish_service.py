"""What callers may ask of a subscription that there is: book, wish, save. In the caller's
transaction; a charge that comes of it is made when that is committed, by whoever is told of it.

Authorization is the first line of each method.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.errors import Forbidden, Refused
from domain.kernel.ids import Ids
from domain.payments.answers import MandateStatus
from domain.payments.recover_attempt import RecoverAttempt
from domain.subscriptions import wishes
from domain.subscriptions.own import need_own
from domain.subscriptions.pay_now import pay_now
from domain.subscriptions.pen import Pen
from domain.subscriptions.ports import SubscriptionsTx
from domain.subscriptions.replace_method import charge_on
from domain.subscriptions.subscription import PauseReason
from domain.subscriptions.wishes import When
from domain.subscriptions.write import WriteBook
from domain.tenancy.caller import Actor, Scope

Charge = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class WishService:
    """Each method returns the charge to be made once the transaction is committed, if there is
    one. Nobody need make it: a worker does otherwise."""

    write: WriteBook
    recover: RecoverAttempt
    clock: Clock
    ids: Ids

    async def cancel(
        self,
        tx: SubscriptionsTx,
        actor: Actor,
        uuid: UUID,
        when: When | datetime,
        *,
        reason: str | None = None,
    ) -> Charge | None:
        pen = await self._pen(tx, actor, uuid)
        return await self._keep(tx, pen, lambda: wishes.cancel(pen, when, reason))

    async def uncancel(self, tx: SubscriptionsTx, actor: Actor, uuid: UUID) -> Charge | None:
        pen = await self._pen(tx, actor, uuid)
        return await self._keep(tx, pen, lambda: wishes.uncancel(pen))

    async def pause(
        self, tx: SubscriptionsTx, actor: Actor, uuid: UUID, *, resumes_at: datetime | None
    ) -> Charge | None:
        pen = await self._pen(tx, actor, uuid)
        return await self._keep(tx, pen, lambda: wishes.pause(pen, resumes_at))

    async def resume(self, tx: SubscriptionsTx, actor: Actor, uuid: UUID) -> Charge | None:
        """Whom a chargeback has suspended cannot let themselves in again."""
        pen = await self._pen(tx, actor, uuid)
        suspended = pen.subscription.pause_reason is PauseReason.CHARGEBACK
        if suspended and not actor.may(Scope.BILLING_WRITE):
            raise Forbidden(f"a chargeback suspended it: this needs {Scope.BILLING_WRITE}")
        return await self._keep(tx, pen, lambda: wishes.resume(pen))

    async def pay_now(self, tx: SubscriptionsTx, actor: Actor, uuid: UUID) -> Charge | None:
        pen = await self._pen(tx, actor, uuid)
        return await self._keep(tx, pen, lambda: pay_now(pen))

    async def charge_on(
        self, tx: SubscriptionsTx, actor: Actor, uuid: UUID, mandate_uuid: UUID
    ) -> Charge | None:
        """Another of the tenant's methods. What waits for a retry is tried at once."""
        pen = await self._pen(tx, actor, uuid)
        wishes.need_living(pen)
        found = (m for m in pen.book.mandates if m.uuid == mandate_uuid)
        mandate = next((m for m in found if m.status is MandateStatus.VALID), None)
        if mandate is None:
            raise Refused(
                "is not a valid payment method of the tenant at the subscription's account",
                field="paymentMethodUuid",
            )
        if pen.subscription.mandate_uuid == mandate.uuid:
            return None
        return await self._keep(tx, pen, lambda: charge_on(pen, mandate))

    async def _pen(self, tx: SubscriptionsTx, actor: Actor, uuid: UUID) -> Pen:
        """A subscription of another tenant is not there."""
        await need_own(tx, actor, uuid, Scope.BILLING_WRITE)
        book = await tx.subscriptions.book(uuid, lock=True)
        return Pen(book, self.ids, self.clock.now())

    async def _keep(self, tx: SubscriptionsTx, pen: Pen, wish: Callable[[], None]) -> Charge | None:
        before = pen.book
        wish()
        drafted = await self.write.save(tx, before, pen)
        if drafted is None:
            return None
        _, attempt = drafted
        return partial(self.recover, attempt.app_uuid, attempt.uuid)
