"""The billing portal's pages: what a tenant has, and what it may do about it.

Whoever holds the pass is an actor like one with a token: admitted in the transaction that does the
work, so a disabled app's portal is closed at once.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog
from litestar import Response

from app.http.desk import Tx
from app.http.errors import answer_of
from app.pages.languages import LANGUAGES, chosen, language
from app.pages.portal_view import portal_values
from app.pages.render import page
from domain.checkout.book import Book
from domain.checkout.links import Links
from domain.checkout.open_session import OpenSession
from domain.checkout.order import Ask
from domain.kernel.clock import Clock
from domain.kernel.errors import Conflict, DomainError, Invalid, Refused, StillRunning
from domain.kernel.idempotency import Answer
from domain.kernel.unit_of_work import UnitOfWork
from domain.subscriptions.portal import PortalPass, PortalService
from domain.subscriptions.recover_link import Link, LinkTerms, RecoverLink
from domain.subscriptions.wish_service import WishService
from domain.subscriptions.wishes import When
from domain.tenancy.admission import admit
from domain.tenancy.caller import Actor

log = structlog.get_logger("portal")

OPERATION: Final = "payInPortal"
PROBLEM: Final = "pay"
"""What the portal's address says when it has something to tell."""
CANCEL_REASON: Final = "canceled_in_portal"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RenderLink:
    """Implements `Render`: the answer that is kept is the address of our page."""

    links: Links

    def opened(self, book: Book) -> Answer:
        return Answer(303, self.links.page(book.session).encode())

    def refused(self, error: DomainError) -> Answer:
        return answer_of(error)


@dataclass(frozen=True, slots=True)
class PortalPages:
    unit_of_work: UnitOfWork[Tx]
    portals: PortalService
    wishes: WishService
    recover_link: RecoverLink
    open_session: OpenSession
    links: Links
    clock: Clock

    def address(self, token: str) -> str:
        return f"{self.links.public_url}/portal/{token}"

    async def show(
        self, token: str, lang: str | None, accepted: str, *, has_problem: bool
    ) -> Response[str]:
        held = self.portals.open(token)
        speaks = chosen(lang, accepted=accepted)
        portal = await self._as_actor(held, lambda tx, actor: self.portals.show(tx, actor, held))
        return page(
            "portal.html",
            speaks,
            languages=[language(code) for code in LANGUAGES],
            here=self.address(token),
            return_url=held.return_url,
            problem=speaks.say("pay_problem") if has_problem else None,
            **portal_values(portal, speaks),
        )

    async def cancel(self, token: str, uuid: UUID) -> str:
        async def wish(tx: Tx, actor: Actor) -> None:
            await self.wishes.cancel(tx, actor, uuid, When.PERIOD_END, reason=CANCEL_REASON)

        return await self._wish(token, wish)

    async def uncancel(self, token: str, uuid: UUID) -> str:
        async def wish(tx: Tx, actor: Actor) -> None:
            await self.wishes.uncancel(tx, actor, uuid)

        return await self._wish(token, wish)

    async def _wish(self, token: str, wish: Callable[[Tx, Actor], Awaitable[None]]) -> str:
        """What cannot be done any more, the page that follows shows."""
        with suppress(Conflict):
            await self._as_actor(self.portals.open(token), wish)
        return self.address(token)

    async def pay(self, token: str, uuid: UUID) -> str:
        """Our page for it; or back to the portal, which says that it could not be."""
        held = self.portals.open(token)
        try:
            url = await self._page_to_pay(held, uuid)
        except (Refused, Invalid, Conflict) as refusal:
            if isinstance(refusal, StillRunning):
                raise
            log.warning("portal_payment_refused", app=str(held.app_uuid), reason=str(refusal))
            url = None
        return url or f"{self.address(token)}?problem={PROBLEM}"

    async def _page_to_pay(self, held: PortalPass, uuid: UUID) -> str | None:
        link = await self._look(held, uuid)
        for outdated in link.outdated:
            await self.recover_link.end(held.app_uuid, outdated)
        if link.outdated:
            link = await self._look(held, uuid)
        if link.standing is not None:
            return self.links.page(link.standing.session)
        if link.refusal is not None:
            raise link.refusal
        ask = Ask(operation=OPERATION, key=None, fingerprint=link.fingerprint)
        render = RenderLink(self.links)
        opened = await self.open_session(held.caller, link.order, ask, render)
        return opened.answer.body.decode() if opened.answer.status == 303 else None

    async def _look(self, held: PortalPass, uuid: UUID) -> Link:
        terms = LinkTerms(success_url=held.return_url, cancel_url=held.return_url)
        return await self._as_actor(
            held, lambda tx, actor: self.recover_link.look(tx, actor, uuid, terms)
        )

    async def _as_actor(self, held: PortalPass, work: Callable[[Any, Actor], Awaitable[T]]) -> T:
        async with self.unit_of_work.begin(held.app_uuid) as tx:
            facts = await tx.admissions.facts(held.caller)
            return await work(tx, admit(held.caller, facts, at=self.clock.now()))
