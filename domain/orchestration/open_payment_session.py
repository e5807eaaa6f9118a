"""Opens a payment session: decide, try, and try elsewhere while nobody knows where to pay.

A try is a checkout session under a key of its own, so a repeat or a crash resumes it and asks its
provider under the same key. When a try fails technically, the next account gets one, and the one
before is given up: its checkout expires in the same transaction. Should its payment exist after all
and be paid, an expired checkout sells nothing, and the money goes back by itself.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.checkout.open_session import Opened, OpenSession
from domain.checkout.order import Ask
from domain.kernel.clock import Clock
from domain.kernel.errors import (
    Conflict,
    DomainError,
    Invalid,
    KeyReused,
    NotFound,
    ProviderUnavailable,
    ProviderUnreadable,
    Refused,
    StillRunning,
    Violation,
)
from domain.kernel.idempotency import KEY_KEPT, Answer, Claim, RequestKey, need_same
from domain.kernel.ids import Ids, TenantUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.orchestration.choose_account import ChooseAccount
from domain.orchestration.circuit import CallResult
from domain.orchestration.decide import NoEligibleProvider
from domain.orchestration.decision import Decision
from domain.orchestration.fail_over import FailOver
from domain.orchestration.payment_session import (
    Outcome,
    PaymentSession,
    Told,
    Try,
    Undertaking,
    Wanted,
)
from domain.orchestration.ports import OrchestrationTx
from domain.orchestration.record_call import call_of, record, result_of
from domain.orchestration.try_out import Page, RenderTry, key_of, order_for, page_in
from domain.tenancy.admission import admit
from domain.tenancy.caller import Actor, Caller, Scope

KEY_HEADER: Final = "Idempotency-Key"
PROVIDERS_MAX: Final = 2
"""For one request."""


class Render(Protocol):
    """How answers look. They are kept with the work, so they are made inside it."""

    def opened(self, told: Told) -> Answer: ...
    def refused(self, error: DomainError) -> Answer: ...


class _Work(Struct, frozen=True, kw_only=True):
    """What a request is about, and holds the key of."""

    caller: Caller
    wanted: Wanted
    key: RequestKey
    session: PaymentSession
    decision: Decision
    live: Try

    @property
    def kind(self) -> tuple[str, str]:
        return self.wanted.payment_method, self.wanted.amount.total.currency


@dataclass(frozen=True, slots=True)
class OpenPaymentSession:
    unit_of_work: UnitOfWork[OrchestrationTx]
    open_session: OpenSession
    choose: ChooseAccount
    fail_over: FailOver
    clock: Clock
    ids: Ids
    lease: timedelta

    async def __call__(self, caller: Caller, wanted: Wanted, ask: Ask, render: Render) -> Opened:
        """Raises Invalid, NotFound, Refused, KeyReused, StillRunning, ProviderUnavailable,
        ProviderUnreadable. After the last three a retry with the same key carries on."""
        started_at, tried = self.clock.now(), set[UUID]()
        work = await self._begin(caller, wanted, ask, render)
        while isinstance(work, _Work):
            tried.add(work.live.account.uuid)
            since = self.clock.now()
            try:
                page, is_call = await self._try(work)
            except (ProviderUnavailable, ProviderUnreadable) as error:
                # A second try takes as long as the first at most: both end within the lease.
                is_early = self.clock.now() < started_at + self.lease / 3
                may_go_on = is_early and len(tried) < PROVIDERS_MAX
                live = await self._elsewhere(work, error, since, tried if may_go_on else None)
                if live is None:
                    raise
                work = replace(work, live=live)
            except (StillRunning, KeyReused, Invalid):
                await self._let_go(work)
                raise
            except (NotFound, Conflict, Refused) as refusal:
                return await self._conclude(work, refusal, render)
            else:
                return await self._conclude(work, page, render, since if is_call else None)
        return work

    async def _begin(
        self, caller: Caller, wanted: Wanted, ask: Ask, render: Render
    ) -> Opened | _Work:
        """One transaction: the key is ours, an account is chosen, and it is all written down."""
        refusal: DomainError
        async with self.unit_of_work.begin(caller.app_uuid) as tx:
            now = self.clock.now()
            actor = admit(caller, await tx.admissions.facts(caller), at=now)
            tenant_uuid = _tenant(actor, wanted)
            if ask.key is None:
                raise Invalid([Violation("is required: one for each order", KEY_HEADER)])
            key = RequestKey(
                caller=actor.id, operation=ask.operation, key=ask.key, fingerprint=ask.fingerprint
            )
            until = now + self.lease
            claim = await tx.idempotency.claim(key, now=now, until=until, expires_at=now + KEY_KEPT)
            try:
                if claim is not None:
                    again = await self._again(tx, claim, key)
                    if isinstance(again, Opened):
                        return again
                    session, decision, live = again.session, again.decision, again.live
                else:
                    session = _drafted(actor, tenant_uuid, wanted, uuid=self.ids.new(), at=now)
                    decision, live = await self.choose(tx, session, wanted)
                    await tx.payment_sessions.add(session, decision, live, key)
                return _Work(
                    caller=caller,
                    wanted=wanted,
                    key=key,
                    session=session,
                    decision=decision,
                    live=live,
                )
            except (StillRunning, KeyReused, NoEligibleProvider):
                raise  # not an answer for good: nothing of it is kept
            except (NotFound, Conflict, Refused) as error:
                refusal = error
            await tx.idempotency.finish(key, render.refused(refusal))
        raise refusal

    async def _again(
        self, tx: OrchestrationTx, claim: Claim, key: RequestKey
    ) -> Opened | Undertaking:
        """The key is known: answer as before, or carry on where the first request died."""
        need_same(claim, key)
        if claim.answer is not None:
            return Opened(claim.answer, is_replay=True)
        now = self.clock.now()
        if not await tx.idempotency.renew(key, now=now, until=now + self.lease):
            raise StillRunning("a request with this Idempotency-Key is still running")
        assert claim.subject_uuid is not None
        found = await tx.payment_sessions.lock(claim.subject_uuid)
        if found.session.expires_at <= now:
            # What has become of its checkout, should there be one, is what became of the session.
            await tx.payment_sessions.link(found.live, key_of(found.live, key))
            raise Conflict("the payment session has expired")
        return found

    async def _try(self, work: _Work) -> tuple[Page | Refused, bool]:
        """And whether anybody was asked: what is known already tells nothing of the provider."""
        provider = self.choose.providers[work.live.account.name]
        order = order_for(work.wanted, work.session, work.live, provider, at=self.clock.now())
        own = key_of(work.live, work.key)
        ask = Ask(operation=own.operation, key=own.key, fingerprint=own.fingerprint)
        opened = await self.open_session(work.caller, order, ask, RenderTry())
        return page_in(opened.answer), not opened.is_replay

    async def _elsewhere(
        self, work: _Work, error: DomainError, since: datetime, tried: set[UUID] | None
    ) -> Try | None:
        """The next account's try. None: there is none, and the key is free for a retry."""
        now, account = self.clock.now(), work.live.account
        call = call_of(work.live, work.kind, result_of(error), since=since, at=now)
        async with self.unit_of_work.begin(work.session.app_uuid) as tx:
            await record(tx.routing, account, call)
        async with self.unit_of_work.begin(work.session.app_uuid) as tx:
            live = None
            if tried is not None:
                failed = replace(work.live, failure=error.code)
                live = await self.fail_over(tx, work.session.uuid, failed, work.key, tried)
            if live is None:
                # A worker may find its page, and somebody pay it, with no repeat of this request.
                await tx.payment_sessions.link(work.live, key_of(work.live, work.key))
                await tx.idempotency.release(work.key, at=now)
        return live

    async def _conclude(
        self, work: _Work, page: Page | DomainError, render: Render, since: datetime | None = None
    ) -> Opened:
        """Tell where to pay, unless this try was given up meanwhile. `since`: when it was asked."""
        now, live = self.clock.now(), work.live
        async with self.unit_of_work.begin(work.session.app_uuid) as tx:
            failure = page.code if isinstance(page, DomainError) else None
            if await tx.payment_sessions.link(live, key_of(live, work.key), failure=failure):
                if since is not None:
                    call = call_of(live, work.kind, CallResult.OK, since=since, at=now)
                    await record(tx.routing, live.account, call)
                answer = render.refused(page) if isinstance(page, DomainError) else None
                if isinstance(page, Page):
                    answer = render.opened(_told(work, page))
                assert answer is not None
                return Opened(await tx.idempotency.finish(work.key, answer))
            orphan = await self.fail_over.give_up(tx, live, work.key)
        await self.fail_over.cancel(work.session.app_uuid, orphan)
        raise StillRunning("this payment session is being carried on elsewhere")

    async def _let_go(self, work: _Work) -> None:
        async with self.unit_of_work.begin(work.session.app_uuid) as tx:
            await tx.idempotency.release(work.key, at=self.clock.now())


def _tenant(actor: Actor, wanted: Wanted) -> TenantUuid:
    """Amounts are the app's to name: its tenants' users may not."""
    actor.need(Scope.BILLING_WRITE)
    if wanted.tenant_uuid is not None:
        actor.need_tenant(wanted.tenant_uuid, Scope.BILLING_WRITE)
        return wanted.tenant_uuid
    if len(actor.tenants) != 1:
        raise Invalid([Violation("is required: the caller has not exactly one", "tenantUuid")])
    return next(iter(actor.tenants))


def _drafted(
    actor: Actor, tenant_uuid: TenantUuid, wanted: Wanted, *, uuid: UUID, at: datetime
) -> PaymentSession:
    return PaymentSession(
        uuid=uuid,
        app_uuid=actor.app_uuid,
        tenant_uuid=tenant_uuid,
        user_uuid=actor.user_uuid,
        order_reference=wanted.order_reference,
        amount=wanted.amount,
        shipping=wanted.shipping,
        notes=wanted.notes,
        expires_at=at + wanted.lifetime,
        created_at=at,
    )


def _told(work: _Work, page: Page) -> Told:
    outcome = Outcome(checkout_status=page.status, checkout_url=page.url)
    return Told(
        session=work.session,
        decision=work.decision,
        account_uuid=work.live.account.uuid,
        outcome=outcome,
    )
