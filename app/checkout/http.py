"""Checkout sessions over HTTP."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.checkout.schemas import (
    CheckoutSessionBody,
    CheckoutSessionView,
    NextAction,
    OpenedSession,
    TenantCheckoutSessionBody,
    session_view,
)
from app.http.caller import api_key, bearer, bearer_or_key, caller_of
from app.http.desk import Desk, Tx, fingerprint, given_key
from app.http.envelope import ENCODER, Envelope, many, one
from app.http.errors import answer_of, respond
from app.http.pages import After, PageLimit, PageNumber
from domain.checkout.book import Book
from domain.checkout.expire_session import ExpireSession
from domain.checkout.links import Links
from domain.checkout.open_session import OpenSession, Render
from domain.checkout.order import Ask, Order
from domain.kernel.errors import DomainError, NotFound
from domain.kernel.idempotency import Answer
from domain.kernel.ids import AppUuid
from domain.kernel.pages import PageRequest
from domain.payments.payment_provider import provider_named
from domain.tenancy.caller import Actor, Scope

KIND = "checkoutSessions"


@dataclass(frozen=True, slots=True)
class RenderSession:
    """Implements `Render`: the bytes that are sent, and kept for repeats."""

    links: Links

    def opened(self, book: Book) -> Answer:
        row = session_view(book, self.links)
        opened = OpenedSession(row, NextAction(row.next_action_url), row.client_access_token)
        return Answer(200, ENCODER.encode(one(KIND, opened)))

    def refused(self, error: DomainError) -> Answer:
        return answer_of(error)


async def answer_with(
    request: Request[Any, Any, Any],
    order: Order,
    open_session: OpenSession,
    render: Render,
    *,
    operation: str = "openCheckoutSession",
) -> Response[Any]:
    """Open a session for what was ordered, or find the one that the same request has opened."""
    ask = Ask(operation=operation, key=given_key(request), fingerprint=await fingerprint(request))
    opened = await open_session(caller_of(request), order, ask, render)
    return respond(opened.answer, is_replay=opened.is_replay)


class OpenCheckoutSessionController(Controller):
    """The main endpoint, for users and for API keys."""

    path = "/api/v1/apps/{app_uuid:uuid}"
    tags = ("Checkout",)

    @post(
        "/payment-providers/{provider:str}/checkout-sessions",
        operation_id="openCheckoutSession",
        guards=[bearer],
        status_code=200,
    )
    async def open(
        self,
        app_uuid: FromPath[UUID],
        provider: FromPath[str],
        data: JSONBody[TenantCheckoutSessionBody],
        request: Request[Any, Any, Any],
        open_session: NamedDependency[OpenSession],
        links: NamedDependency[Links],
    ) -> Response[Envelope[OpenedSession]]:
        """Open a checkout session. Send the shopper to `nextAction.url`.

        An `Idempotency-Key` makes a repeat safe; without one, the same body within ten seconds
        is a double click and returns the same session.
        """
        order = data.order(data.tenant_uuid, provider_named(provider))
        return await answer_with(request, order, open_session, RenderSession(links))

    @post(
        "/tenants/{tenant_uuid:uuid}/payment-providers/{provider:str}/checkout-sessions",
        operation_id="openTenantCheckoutSession",
        guards=[api_key],
        status_code=200,
    )
    async def open_for_tenant(
        self,
        app_uuid: FromPath[UUID],
        tenant_uuid: FromPath[UUID],
        provider: FromPath[str],
        data: JSONBody[CheckoutSessionBody],
        request: Request[Any, Any, Any],
        open_session: NamedDependency[OpenSession],
        links: NamedDependency[Links],
    ) -> Response[Envelope[OpenedSession]]:
        """The same with an API key of type `write`; the tenant stands in the path."""
        order = data.order(tenant_uuid, provider_named(provider))
        return await answer_with(request, order, open_session, RenderSession(links))


class CheckoutSessionsController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/checkout-sessions"
    tags = ("Checkout",)
    guards = [bearer_or_key]

    @get(operation_id="listCheckoutSessions")
    async def list(
        self,
        app_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        links: NamedDependency[Links],
        page: PageNumber = 0,
        limit: PageLimit = 10,
        after: After = None,
    ) -> Envelope[CheckoutSessionView]:
        """The newest first. A user sees those of its tenants."""
        async with desk.read() as (tx, actor):
            only = actor.visible_tenants(Scope.BILLING_READ)
            found = await tx.checkout.list(PageRequest(page, limit), only=only, after=after)
        return many(KIND, found, lambda book: session_view(book, links))

    @get("/{session_uuid:uuid}", operation_id="getCheckoutSession")
    async def get(
        self,
        app_uuid: FromPath[UUID],
        session_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        links: NamedDependency[Links],
    ) -> Envelope[CheckoutSessionView]:
        """One session, with every attempt to pay for it."""
        async with desk.read() as (tx, actor):
            book = await _visible(tx, actor, session_uuid, Scope.BILLING_READ)
        return one(KIND, session_view(book, links))

    @post("/{session_uuid:uuid}/expire", operation_id="expireCheckoutSession", status_code=200)
    async def expire(
        self,
        app_uuid: FromPath[UUID],
        session_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        links: NamedDependency[Links],
        expire_session: NamedDependency[ExpireSession],
    ) -> Response[Envelope[CheckoutSessionView]]:
        """End an open session. Money that still arrives for it is given back."""
        async with desk.read() as (tx, actor):
            await _visible(tx, actor, session_uuid, Scope.BILLING_WRITE)
        await expire_session.look(AppUuid(app_uuid), session_uuid)

        async def work(tx: Tx, actor: Actor) -> CheckoutSessionView:
            await _visible(tx, actor, session_uuid, Scope.BILLING_WRITE)
            return session_view(await expire_session.expire(tx, session_uuid), links)

        response = await desk.write(work, kind=KIND)
        await expire_session.cancel_payment(AppUuid(app_uuid), session_uuid)
        return response


async def _visible(tx: Tx, actor: Actor, session_uuid: UUID, scope: Scope) -> Book:
    book = await tx.checkout.get(session_uuid)
    try:
        actor.need_tenant(book.session.tenant_uuid, scope)
    except NotFound:
        raise NotFound("checkout session", session_uuid) from None
    return book
