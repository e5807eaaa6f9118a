"""What is to be paid for a subscription, over HTTP: links to pay, other methods, another try."""

from typing import Any, Final
from uuid import UUID

from litestar import Controller, Request, Response, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.checkout.http import KIND as SESSIONS
from app.checkout.http import RenderSession
from app.checkout.schemas import NextAction, OpenedSession, session_view
from app.http.caller import bearer_or_key, caller_of
from app.http.desk import Call, Desk, Tx, fingerprint, given_key
from app.http.envelope import Envelope
from app.http.errors import respond
from app.subscriptions.http import KIND, shown
from app.subscriptions.schemas import SubscriptionView
from app.subscriptions.wish_schemas import PaymentLinkBody, ReplacePaymentMethodBody
from domain.checkout.book import Book
from domain.checkout.links import Links
from domain.checkout.open_session import OpenSession
from domain.checkout.order import Ask
from domain.kernel.errors import StillRunning
from domain.kernel.ids import AppUuid
from domain.payments.answers import PaymentStatus
from domain.subscriptions.recover_link import Link, RecoverLink
from domain.subscriptions.wish_service import WishService
from domain.tenancy.caller import Actor

OPERATION: Final = "openPaymentLink"


class CollectingController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/subscriptions/{uuid:uuid}"
    tags = ("Subscriptions",)
    guards = (bearer_or_key,)

    @post("/payment-links", operation_id=OPERATION, status_code=200)
    async def open_link(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        data: JSONBody[PaymentLinkBody],
        request: Request[Any, Any, Any],
        desk: NamedDependency[Desk],
        recover_link: NamedDependency[RecoverLink],
        open_session: NamedDependency[OpenSession],
        links: NamedDependency[Links],
    ) -> Response[Envelope[OpenedSession]]:
        """A page to pay what is open, and to give the payment method that is charged from then on.

        Send the shopper to `nextAction.url`. With nothing open the session is a `setup`, else a
        `recovery` over all that is open. While one is open for the same bills, asking again
        returns that one, whatever the addresses; when something else is open, it is replaced.
        """
        app = AppUuid(app_uuid)
        async with desk.read() as (tx, actor):
            link = await recover_link.look(tx, actor, uuid, data.terms())
        if link.outdated:
            for outdated in link.outdated:
                await recover_link.end(app, outdated)
            async with desk.read() as (tx, actor):
                link = await recover_link.look(tx, actor, uuid, data.terms())
        told = await _told(desk, link, links)
        if told is not None:
            return told
        key = given_key(request)
        print_of = link.fingerprint if key is None else await fingerprint(request)
        ask = Ask(operation=OPERATION, key=key, fingerprint=print_of)
        opened = await open_session(caller_of(request), link.order, ask, RenderSession(links))
        response: Response[Any] = respond(opened.answer, is_replay=opened.is_replay)
        return response

    @put("/payment-method", operation_id="replacePaymentMethod")
    async def replace_method(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        data: JSONBody[ReplacePaymentMethodBody],
        desk: NamedDependency[Desk],
        subscription_wishes: NamedDependency[WishService],
    ) -> Response[Envelope[SubscriptionView]]:
        """Charge another stored method from now on. What waits for a retry is tried at once."""

        async def work(tx: Tx, actor: Actor) -> SubscriptionView:
            mandate_uuid = data.payment_method_uuid
            await subscription_wishes.charge_on(tx, actor, uuid, mandate_uuid)
            return await shown(tx, uuid)

        return await desk.write(work, kind=KIND)

    @post("/retry", operation_id="retrySubscription", status_code=200)
    async def retry(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        subscription_wishes: NamedDependency[WishService],
    ) -> Response[Envelope[SubscriptionView]]:
        """Charge what is open now, without waiting for the next try. It is `collecting` then."""

        async def intend(tx: Tx, actor: Actor) -> tuple[UUID, Call | None]:
            return uuid, await subscription_wishes.pay_now(tx, actor, uuid)

        return await desk.carry_out(intend, shown, kind=KIND)


async def _told(desk: Desk, link: Link, links: Links) -> Response[Envelope[OpenedSession]] | None:
    """What needs no new session, kept under the request's key. None: one is to be opened, or the
    request's key is about one that is being opened."""
    if link.standing is None and link.refusal is None:
        return None

    async def work(tx: Tx, actor: Actor) -> OpenedSession:
        if link.standing is None:
            assert link.refusal is not None
            raise link.refusal
        return _opened(link.standing, links)

    try:
        return await desk.write(work, kind=SESSIONS)
    except StillRunning:
        return None


def _opened(book: Book, links: Links) -> OpenedSession:
    """The provider's page while that can be paid; else ours, which opens another."""
    payment = book.newest_payment
    is_payable = payment is not None and payment.status is PaymentStatus.OPEN
    url = book.session.next_action_url if is_payable else links.pay(book.session)
    return OpenedSession(session_view(book, links), NextAction(url))
