"""Leads a payment session to the next account, and gives the last one up.

Only ever before a payment page has left us. The checkout of the account that is given up expires
in the same transaction; when it is not there yet, its key is taken, so that it never will be.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from domain.checkout.expire_session import ExpireSession
from domain.checkout.session import SessionStatus
from domain.kernel.clock import Clock
from domain.kernel.idempotency import KEY_KEPT, Answer, RequestKey
from domain.kernel.ids import AppUuid, Ids
from domain.orchestration.circuit import CircuitState
from domain.orchestration.payment_session import Try
from domain.orchestration.ports import OrchestrationTx
from domain.orchestration.try_out import key_of
from domain.payments.attempt import AttemptStatus

GIVEN_UP: Final = Answer(422, b'{"refusal":"given up before it began"}')
_UNKNOWN: Final = frozenset({AttemptStatus.SUBMITTING, AttemptStatus.NEEDS_REVIEW})


@dataclass(frozen=True, slots=True)
class FailOver:
    expire: ExpireSession
    clock: Clock
    ids: Ids
    lease: timedelta

    async def __call__(
        self,
        tx: OrchestrationTx,
        session_uuid: UUID,
        failed: Try,
        key: RequestKey,
        tried: Set[UUID],
    ) -> Try | None:
        """The try that is live from now on. None: stay with the one that failed, because nothing
        else is left, or its outcome has become known after all."""
        found = await tx.payment_sessions.lock(session_uuid)
        if found.live.uuid != failed.uuid or not found.decision.may_fail_over:
            return None
        claim = await tx.idempotency.peek(key_of(failed, key))
        if claim is not None and claim.subject_uuid is not None:
            book = await tx.checkout.lock(claim.subject_uuid)
            # The first attempt is the request's own. Once its outcome is known, its page may have
            # been told, and the later attempts are the shopper's.
            first = book.attempts[0]
            is_open = book.session.status is SessionStatus.OPEN
            if not is_open or first.status not in _UNKNOWN:
                return None
        live = await self._next(tx, found.decision.order, failed, tried)
        if live is not None:
            gone = await self.give_up(tx, failed, key)
            await tx.payment_sessions.abandon(
                failed, live, session_uuid=session_uuid, checkout_uuid=gone
            )
        return live

    async def _next(
        self, tx: OrchestrationTx, order: tuple[UUID, ...], failed: Try, tried: Set[UUID]
    ) -> Try | None:
        left, now = [uuid for uuid in order if uuid not in tried], self.clock.now()
        standings = await tx.routing.standing(left)
        left = [uuid for uuid in left if uuid in standings]
        # Another provider's first: it is seldom one account alone that is away.
        left.sort(key=lambda uuid: standings[uuid].account.name is failed.account.name)
        for account_uuid in left:
            standing = standings[account_uuid]
            uuid, health = self.ids.new(), standing.health(now)
            is_probe = health is CircuitState.HALF_OPEN and await tx.routing.lease_probe(
                account_uuid, uuid, now=now, until=now + self.lease
            )
            if health is CircuitState.CLOSED or is_probe:
                return Try(
                    uuid=uuid,
                    number=failed.number + 1,
                    account=standing.account,
                    is_probe=is_probe,
                    created_at=now,
                )
        return None

    async def give_up(self, tx: OrchestrationTx, failed: Try, key: RequestKey) -> UUID | None:
        """The checkout session that has expired for it. None: there is none, and never will be."""
        own, now = key_of(failed, key), self.clock.now()
        claim = await tx.idempotency.claim(own, now=now, until=now, expires_at=now + KEY_KEPT)
        if claim is None:
            await tx.idempotency.finish(own, GIVEN_UP)
            return None
        if claim.subject_uuid is not None:
            await self.expire.expire(tx, claim.subject_uuid)
        return claim.subject_uuid

    async def cancel(self, app_uuid: AppUuid, checkout_uuid: UUID | None) -> None:
        """Best effort, and with no transaction open."""
        if checkout_uuid is not None:
            await self.expire.cancel_payment(app_uuid, checkout_uuid)
