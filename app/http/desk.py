"""The desk: where a request gets its transaction. Only an admitted caller gets one.

`read` is one transaction. `write` is one transaction that also keeps the answer under the
request's idempotency key, so that work and answer are stored together or not at all.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar, cast
from uuid import UUID

import msgspec
from litestar import Request, Response

from app.http.caller import caller_of
from app.http.envelope import ENCODER, Envelope, one
from app.http.errors import answer_of, respond
from domain.invoices.ports import InvoicesTx
from domain.kernel.clock import Clock
from domain.kernel.errors import (
    Conflict,
    Invalid,
    KeyReused,
    NotFound,
    ProviderUnavailable,
    ProviderUnreadable,
    Refused,
    StillRunning,
    Violation,
)
from domain.kernel.idempotency import KEY_KEPT, Answer, Claim, RequestKey, keep, need_same
from domain.kernel.ids import TenantUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.ledger.ports import LedgerTx
from domain.orchestration.ports import OrchestrationTx
from domain.payments.connect import ConnectTx
from domain.payments.repositories import PaymentsTx
from domain.subscriptions.ports import SubscriptionsTx
from domain.tenancy.admission import admit
from domain.tenancy.caller import Actor, Caller, Scope
from domain.tenancy.ports import TenancyTx
from domain.webhooks.ports import WebhooksTx

T = TypeVar("T")
Call = Callable[[], Awaitable[object]]

KEY_HEADER: Final = "Idempotency-Key"
CALL_LEASE: Final = timedelta(seconds=30)
"""How long a request may be busy with a provider before its repeat is told how things stand."""


class Tx(
    TenancyTx,
    SubscriptionsTx,
    OrchestrationTx,
    PaymentsTx,
    ConnectTx,
    InvoicesTx,
    LedgerTx,
    WebhooksTx,
    Protocol,
):
    """All that a request's transaction offers; services ask for their own part of it."""


@dataclass(frozen=True, slots=True)
class Desk:
    unit_of_work: UnitOfWork[Tx]
    clock: Clock
    request: Request[Any, Any, Any]

    @property
    def caller(self) -> Caller:
        return caller_of(self.request)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[tuple[Tx, Actor]]:
        async with self.unit_of_work.begin(self.caller.app_uuid) as tx:
            facts = await tx.admissions.facts(self.caller)
            yield tx, admit(self.caller, facts, at=self.clock.now())

    @asynccontextmanager
    async def tenant(self, tenant_uuid: UUID, scope: Scope) -> AsyncIterator[Tx]:
        """To read what belongs to one tenant. Raises NotFound when it is not the caller's."""
        async with self.read() as (tx, actor):
            actor.need_tenant(TenantUuid(tenant_uuid), scope)
            await tx.tenants.get(TenantUuid(tenant_uuid))
            yield tx

    async def write(
        self, work: Callable[[Tx, Actor], Awaitable[T]], *, kind: str, status: int = 200
    ) -> Response[Envelope[T]]:
        """Do `work`, which returns the view to answer with. A repeat gets the first answer."""

        async def enveloped(tx: Tx, actor: Actor) -> Envelope[T]:
            return one(kind, await work(tx, actor))

        return await self.write_bare(enveloped, status=status)

    async def write_bare(
        self, work: Callable[[Tx, Actor], Awaitable[T]], *, status: int = 200
    ) -> Response[T]:
        """The same for the routes whose answers have no envelope."""
        key: RequestKey | None = None
        try:
            async with self.read() as (tx, actor):
                key = await self.key(actor)
                if key is not None and (held := await self._claim(tx, key)) is not None:
                    return replayed(key, held)
                answer = Answer(status, ENCODER.encode(await work(tx, actor)))
                if key is not None:
                    await tx.idempotency.finish(key, answer)
        except (StillRunning, KeyReused):
            raise
        except (NotFound, Conflict, Refused) as refusal:
            # The work is rolled back; a refusal is an answer all the same, and is kept as one.
            if key is not None:
                await self._keep(key, answer_of(refusal))
            raise
        return cast(Response[T], respond(answer))

    async def carry_out(
        self,
        intend: Callable[[Tx, Actor], Awaitable[tuple[UUID, Call | None]]],
        tell: Callable[[Tx, UUID], Awaitable[T]],
        *,
        kind: str,
        status: int = 200,
        is_repeatable: bool = False,
    ) -> Response[Envelope[T]]:
        """Work that asks a provider. `intend` writes it down and names the row that it is about;
        its call is made with no transaction open; `tell` is the view of the row as it then is, and
        is kept under the request's key.

        A repeat hears 409 while the call is under way. After a crash, or an outcome that the
        provider did not say, workers carry on, and a repeat is told what has become of it. Work
        that nobody carries on `is_repeatable`: the outcome is then told as unknown, and a repeat
        does it again.
        """
        key: RequestKey | None = None
        call: Call | None = None
        try:
            async with self.read() as (tx, actor):
                key = await self.key(actor)
                held = None if key is None else await self._claim(tx, key, lease=CALL_LEASE)
                if held is not None:
                    assert key is not None
                    if held.answer is not None or held.subject_uuid is None or self._runs(held):
                        return replayed(key, held)
                    need_same(held, key)
                    subject = held.subject_uuid
                if held is None or is_repeatable:
                    subject, call = await intend(tx, actor)
                    if key is not None and held is None:
                        await tx.idempotency.note_subject(key, subject)
        except (StillRunning, KeyReused):
            raise
        except (NotFound, Conflict, Refused) as refusal:
            if key is not None:
                await self._keep(key, answer_of(refusal))
            raise
        try:
            if call is not None:
                await call()
        except (ProviderUnavailable, ProviderUnreadable):
            if is_repeatable:
                await self._let_go(key)
                raise
        except (NotFound, Conflict, Refused) as refusal:
            await self._finish(key, answer_of(refusal))
            raise
        async with self.unit_of_work.begin(self.caller.app_uuid) as tx:
            answer = Answer(status, ENCODER.encode(one(kind, await tell(tx, subject))))
            if key is not None:
                answer = await tx.idempotency.finish(key, answer)
        return cast(Response[Envelope[T]], respond(answer))

    async def _finish(self, key: RequestKey | None, answer: Answer) -> None:
        if key is not None:
            async with self.unit_of_work.begin(self.caller.app_uuid) as tx:
                await tx.idempotency.finish(key, answer)

    async def _let_go(self, key: RequestKey | None) -> None:
        if key is not None:
            async with self.unit_of_work.begin(self.caller.app_uuid) as tx:
                await tx.idempotency.release(key, at=self.clock.now())

    def _runs(self, held: Claim) -> bool:
        return held.lease_until > self.clock.now()

    def need_key(self) -> None:
        """For what must not be done twice. Raises Invalid."""
        if given_key(self.request) is None:
            raise Invalid([Violation("is required: one for each thing to be done", KEY_HEADER)])

    async def key(self, actor: Actor) -> RequestKey | None:
        key = given_key(self.request)
        if key is None or self.request.method != "POST":
            return None
        return RequestKey(
            caller=actor.id,
            operation=str(self.request.route_handler.operation_id),
            key=key,
            fingerprint=await fingerprint(self.request),
        )

    async def _claim(
        self, tx: Tx, key: RequestKey, *, lease: timedelta = timedelta(0)
    ) -> Claim | None:
        now = self.clock.now()
        return await tx.idempotency.claim(
            key, now=now, until=now + lease, expires_at=now + KEY_KEPT
        )

    async def _keep(self, key: RequestKey, answer: Answer) -> None:
        async with self.unit_of_work.begin(self.caller.app_uuid) as tx:
            await keep(tx.idempotency, key, answer, now=self.clock.now())


def given_key(request: Request[Any, Any, Any]) -> str | None:
    """The Idempotency-Key. Raises Invalid."""
    key = request.headers.get("idempotency-key")
    if key is not None and not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        message = "must be 1 to 255 printable ASCII characters"
        raise Invalid([Violation(message, KEY_HEADER)])
    return key


async def fingerprint(request: Request[Any, Any, Any]) -> bytes:
    """SHA-256 of method, path and canonical body (keys sorted, white space gone)."""
    body = await request.body()
    try:
        canonical = msgspec.json.encode(msgspec.json.decode(body), order="sorted") if body else b""
    except msgspec.DecodeError:
        raise Invalid([Violation("the body is not JSON")]) from None
    head = f"{request.method} {request.url.path}\n".encode()
    return hashlib.sha256(head + canonical).digest()


def replayed(key: RequestKey, held: Claim) -> Response[Any]:
    """What a repeated key hears. Raises KeyReused before StillRunning."""
    need_same(held, key)
    if held.answer is None:
        raise StillRunning("a request with this Idempotency-Key is still running")
    return respond(held.answer, is_replay=True)
