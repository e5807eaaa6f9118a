"""Opens a checkout session: intent, call, conclusion; and the same answer for the same request.

Round trips before the provider is called: one that reads everything, one that writes the intent.
Dying anywhere in between loses nothing: see recover_attempt.py.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from msgspec import Struct

from domain.checkout.book import Book, settle
from domain.checkout.conclude_attempt import Also, ConcludeAttempt
from domain.checkout.draft import Drafts
from domain.checkout.order import (
    DOUBLE_CLICK,
    OWN_KEY,
    Ask,
    Order,
    OrderFacts,
)
from domain.checkout.ports import CheckoutTx, Intent
from domain.checkout.price_order import price_order
from domain.checkout.session import CheckoutSession, SessionStatus
from domain.kernel.clock import Clock, Pause
from domain.kernel.errors import (
    Conflict,
    DomainError,
    NotFound,
    ProviderNotAsked,
    ProviderUnavailable,
    ProviderUnreadable,
    Refused,
    StillRunning,
)
from domain.kernel.idempotency import KEY_KEPT, Answer, Claim, RequestKey, keep, need_same
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.answers import PaymentStatus, ProviderPayment, Submitted
from domain.payments.attempt import AttemptStatus, PaymentAttempt
from domain.payments.ensure_customer import EnsureCustomer
from domain.payments.payment_provider import PaymentProvider
from domain.payments.sighting import Sighting
from domain.payments.submit_attempt import SubmitAttempt
from domain.tenancy.admission import admit
from domain.tenancy.caller import Actor, Caller
from domain.tenancy.tenant import Tenant

DOUBLE_CLICK_WAIT: Final = timedelta(seconds=5)
"""How long the second click waits for the first one's answer."""
FIRST_CALL_WITHIN: Final = timedelta(seconds=5)
"""Creating a customer may take so long that the payment's call would end after ten seconds."""
LOOK_EVERY_S: Final = 0.2


class Render(Protocol):
    """How answers look. They are kept with the work, so they are made inside it."""

    def opened(self, book: Book) -> Answer: ...
    def refused(self, error: DomainError) -> Answer: ...


class Opened(Struct, frozen=True):
    answer: Answer
    is_replay: bool = False


class _Written(Struct, frozen=True):
    """The intent is committed."""

    session: CheckoutSession
    attempt: PaymentAttempt
    account: PaymentProvider
    key: RequestKey


class _Waiting(Struct, frozen=True):
    """Written. The shopper has to tell us something before anybody is asked for money."""

    session: CheckoutSession
    key: RequestKey


class _NoCustomer(Struct, frozen=True):
    account: PaymentProvider
    tenant: Tenant


class _Held(Struct, frozen=True):
    """The key is taken."""

    claim: Claim | None
    key: RequestKey


@dataclass(frozen=True, slots=True)
class OpenSession:
    unit_of_work: UnitOfWork[CheckoutTx]
    ensure_customer: EnsureCustomer
    drafts: Drafts
    submit: SubmitAttempt
    conclude: ConcludeAttempt
    clock: Clock
    pause: Pause

    async def __call__(self, caller: Caller, order: Order, ask: Ask, render: Render) -> Opened:
        """Raises Invalid, NotFound, Refused, KeyReused, StillRunning, ProviderUnavailable,
        ProviderUnreadable. After the last two a retry with the same key carries on."""
        if order.provider not in self.drafts.providers:
            raise NotFound("payment provider", order.provider)
        started_at = self.clock.now()
        while True:
            step = await self._intend(caller, order, ask, render)
            match step:
                case Opened():
                    return step
                case _Written():
                    return await self._call(step, render)
                case _NoCustomer():
                    await self.ensure_customer(step.account, step.tenant)
                    if self.clock.now() >= started_at + FIRST_CALL_WITHIN:
                        raise ProviderUnavailable("the provider is slow: nothing was asked of it")
                case _Held(claim=None) if ask.key is not None:
                    continue  # taken between two statements, and committed by now: by which body?
                case _Held():
                    found = await self._repeat(caller.app_uuid, step, ask, render)
                    if found is not None:
                        return found
                    if self.clock.now() >= started_at + DOUBLE_CLICK_WAIT:
                        raise StillRunning("the same request is still running")
                    await self.pause(LOOK_EVERY_S)

    async def _intend(
        self, caller: Caller, order: Order, ask: Ask, render: Render
    ) -> Opened | _Written | _NoCustomer | _Held:
        """The first transaction. A refusal is an answer, and is kept under the key as one."""
        refusal: DomainError
        async with self.unit_of_work.begin(caller.app_uuid) as tx:
            now = self.clock.now()
            facts = await tx.checkout.facts(caller, order, ask)
            actor = admit(caller, facts.admission, at=now)
            key = RequestKey(
                caller=actor.id,
                operation=ask.operation,
                key=ask.stored_key,
                fingerprint=ask.fingerprint,
            )
            if (claim := _standing(facts, ask, now)) is not None:
                return _Held(claim, key)
            try:
                step = await self._write(tx, order, facts, actor, key)
                if not isinstance(step, _Waiting):
                    return step
                answer = render.opened(Book(session=step.session, attempts=()))
                return Opened(await tx.idempotency.finish(step.key, answer))
            except (NotFound, Conflict, Refused) as error:
                refusal = error
            if ask.key is not None:
                await keep(tx.idempotency, key, render.refused(refusal), now=now)
        raise refusal

    async def _write(
        self, tx: CheckoutTx, order: Order, facts: OrderFacts, actor: Actor, key: RequestKey
    ) -> _Written | _Waiting | _NoCustomer | _Held:
        now = self.clock.now()
        provider = self.drafts.providers[order.provider]
        priced = price_order(order, facts, actor, provider, at=now)
        if facts.customer_ref is None:
            return _NoCustomer(priced.account, priced.tenant)
        draft = self.drafts.session(priced, actor, at=now)
        attempt = None
        if not draft.terms.asks:
            attempt = self.drafts.first_attempt(draft, priced, facts.customer_ref, at=now)
        kept = DOUBLE_CLICK if key.key.startswith(OWN_KEY) else KEY_KEPT
        intent = Intent(
            session=draft,
            attempt=attempt,
            key=key,
            lease_until=now + self.drafts.lease,
            key_expires_at=now + kept,
            replaces=facts.claim.expires_at if facts.claim else None,
        )
        session = await tx.checkout.add(intent)
        if session is None:
            return _Held(None, key)
        if attempt is None:
            return _Waiting(session, key)
        return _Written(session, attempt, priced.account, key)

    async def _call(self, written: _Written, render: Render) -> Opened:
        """No transaction is open. Whatever is raised here, the intent stays."""
        attempt = written.attempt
        try:
            answer = await self.submit(written.account, attempt)
        except (ProviderUnavailable, ProviderUnreadable):
            await self.conclude.release(attempt, _let_go(written.key, self.clock.now()))
            raise
        if isinstance(answer, ProviderPayment):
            opened = await self._accept(written, answer, render)
            if opened is not None:
                return opened
        return await self._finish(attempt, answer, written.key, render)

    async def _accept(
        self, written: _Written, answer: ProviderPayment, render: Render
    ) -> Opened | None:
        """The usual end, in one round trip. None: somebody else has concluded the attempt."""
        before = Book(session=written.session, attempts=(written.attempt,))
        sighting = Sighting(account_uuid=written.account.uuid, payment=answer, at=self.clock.now())
        settled = settle(before, sighting, ids=self.drafts.ids)
        if answer.status is not PaymentStatus.OPEN or not settled.book.payments:
            return None
        kept = render.opened(settled.book)
        async with self.unit_of_work.begin(written.session.app_uuid) as tx:
            if await tx.checkout.open_accepted(settled, written.key, kept):
                return Opened(kept)
        return None

    async def _finish(
        self,
        attempt: PaymentAttempt,
        answer: Submitted,
        key: RequestKey,
        render: Render,
    ) -> Opened:
        kept: list[Answer] = []

        async def also(tx: CheckoutTx, book: Book) -> None:
            if book.attempts[0].status is AttemptStatus.NEEDS_REVIEW:
                return
            kept.append(await tx.idempotency.finish(key, _answer(book, render)))

        await self.conclude(attempt, answer, also)
        if not kept:
            raise _contradicted()
        return Opened(kept[0])

    async def _repeat(
        self, app_uuid: AppUuid, held: _Held, ask: Ask, render: Render
    ) -> Opened | None:
        """Answer a request that was made before. None: wait for it."""
        claim, key = held.claim, held.key
        if claim is None:
            return None
        need_same(claim, key)
        if claim.answer is not None:
            return Opened(claim.answer, is_replay=True)
        if claim.lease_until > self.clock.now():
            if ask.key is None:
                return None
            raise StillRunning("a request with this Idempotency-Key is still running")
        return await self._resume(app_uuid, claim, key, render)

    async def _resume(
        self, app_uuid: AppUuid, claim: Claim, key: RequestKey, render: Render
    ) -> Opened:
        """The first request died, or never learned the outcome: carry its attempt on."""
        assert claim.subject_uuid is not None
        now = self.clock.now()
        async with self.unit_of_work.begin(app_uuid) as tx:
            book = await tx.checkout.lock(claim.subject_uuid)
            first = book.attempts[0]  # the request's own; later ones are a shopper's
            if first.status is AttemptStatus.NEEDS_REVIEW:
                raise _contradicted()
            if first.status is not AttemptStatus.SUBMITTING:
                return Opened(await tx.idempotency.finish(key, _answer(book, render)))
            account = await tx.payment_providers.get(book.session.payment_provider_uuid)
            if self.submit.is_forgotten(account, first):
                # Looking through the provider's list may take longer than a request may.
                raise ProviderNotAsked("a worker is looking the payment up")
            until = now + self.drafts.lease
            attempt = await tx.attempts.lease(first.uuid, now=now, until=until)
        if attempt is None:
            raise StillRunning("this checkout is being carried on right now")
        return await self._call(_Written(book.session, attempt, account, key), render)


def _standing(facts: OrderFacts, ask: Ask, now: datetime) -> Claim | None:
    """The claim that still counts. A double click counts only while its session is open."""
    claim = facts.claim
    if claim is None or claim.expires_at <= now:
        return None
    if ask.key is None and facts.claimed_session_status is not SessionStatus.OPEN:
        return None
    return claim


def _answer(book: Book, render: Render) -> Answer:
    first = book.attempts[0]
    if first.status is AttemptStatus.DECLINED:
        reason = first.decline_reason or "no reason given"
        return render.refused(Refused(f"the payment provider refused the payment: {reason}"))
    return render.opened(book)


def _contradicted() -> ProviderUnreadable:
    return ProviderUnreadable("the payment provider contradicted what was asked of it")


def _let_go(key: RequestKey, now: datetime) -> Also:
    async def also(tx: CheckoutTx, _: Book) -> None:
        await tx.idempotency.release(key, at=now)

    return also
