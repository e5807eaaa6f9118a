"""The hosted checkout page: tell us who you are, check the order, pay at the provider.

No step needs a script. A form that was taken in leads to the page by a redirect, so going back and
loading again repeats nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.response import Redirect

from app.pages.details_form import DetailsForm, Filled, filled_from, filled_in, told
from app.pages.languages import LANGUAGES, Language, chosen, language
from app.pages.order_view import order_view
from app.pages.render import page
from app.pages.review_view import review_values
from domain.checkout.collect_details import CollectDetails, may_collect
from domain.checkout.collection import AddressRules, Fault, TaxIds
from domain.checkout.continue_payment import ContinuePayment
from domain.checkout.links import Links
from domain.checkout.session import CheckoutSession, Mode, SessionStatus
from domain.checkout.show_checkout import ShowCheckout, Shown
from domain.kernel.clock import Clock
from domain.kernel.ids import AppUuid

Link = tuple[AppUuid, UUID, str]
"""App, session and secret, as they stand in the URL."""


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    show_checkout: ShowCheckout
    continue_payment: ContinuePayment
    collect: CollectDetails
    rules: AddressRules
    tax_ids: TaxIds
    links: Links
    clock: Clock

    async def show(
        self, link: Link, lang: str | None, accepted: str, *, edits: bool
    ) -> Response[str]:
        shown = await self.show_checkout(*link)
        payment = shown.book.newest_payment
        if payment is not None and payment.is_live:
            await self.continue_payment.look(*link)
            shown = await self.show_checkout(*link)
        session = shown.book.session
        speaks = chosen(lang, session.terms.locale, accepted=accepted)
        if self._is_over(shown):
            return self._over(shown, speaks)
        if shown.book.needs_details:
            return self._form(shown, speaks, {})
        if edits and session.collected and may_collect(shown.book, now=self.clock.now()):
            return self._form(shown, speaks, filled_from(session.collected))
        return self._review(shown, speaks)

    async def fill_in(
        self, link: Link, lang: str | None, accepted: str, body: bytes, ip: str | None
    ) -> Response[Any]:
        shown = await self.show_checkout(*link)
        session = shown.book.session
        speaks = chosen(lang, session.terms.locale, accepted=accepted)
        filled = filled_in(body)
        if may_collect(shown.book, now=self.clock.now()):
            if "show" in filled:  # another country or language: nothing is wrong yet
                return self._form(shown, speaks, filled)
            taken = await self.collect(*link, told(filled, session, ip, speaks))
            if isinstance(taken, tuple):
                return self._form(shown, speaks, filled, taken)
        here = f"{self.links.page(session)}?lang={speaks.code}"
        return Redirect(here, status_code=303, headers={"Cache-Control": "no-store"})

    def _form(
        self, shown: Shown, speaks: Language, filled: Filled, faults: Sequence[Fault] = ()
    ) -> Response[str]:
        session = shown.book.session
        form = DetailsForm(self.rules, self.tax_ids, speaks, self._home(shown))
        return page(
            "details.html",
            speaks,
            422 if faults else 200,
            heading=speaks.say("details"),
            cancel_url=session.cancel_url,
            **form.values(session, filled, faults),
            **self._frame(shown, speaks),
        )

    def _review(self, shown: Shown, speaks: Language) -> Response[str]:
        session = shown.book.session
        may_change = may_collect(shown.book, now=self.clock.now())
        change = f"{self.links.page(session)}?lang={speaks.code}&edit=true"
        return page(
            "review.html",
            speaks,
            pay_url=f"{self.links.pay(session)}?total={session.amount.total.minor}",
            cancel_url=self._elsewhere(session, session.cancel_url),
            change_url=change if may_change and session.collected else None,
            **review_values(shown.book, speaks),
            **self._frame(shown, speaks),
        )

    def _frame(self, shown: Shown, speaks: Language) -> dict[str, Any]:
        return {
            "order": order_view(shown, speaks),
            "languages": [language(code) for code in LANGUAGES],
        }

    def _is_over(self, shown: Shown) -> bool:
        session = shown.book.session
        return session.status is not SessionStatus.OPEN or session.expires_at <= self.clock.now()

    def _over(self, shown: Shown, speaks: Language) -> Response[str]:
        session = shown.book.session
        match session.status:
            case SessionStatus.COMPLETE if session.mode is Mode.SETUP:
                word, link, url = "stored", "go_on", session.success_url
            case SessionStatus.COMPLETE:
                word, link, url = "done", "go_on", session.success_url
            case SessionStatus.PROCESSING:
                word, link, url = "under_way", "go_on", session.success_url
            case _:
                word, link, url = "over", "cancel", session.cancel_url
        return page("over.html", speaks, word=word, link=link, url=self._elsewhere(session, url))

    def _elsewhere(self, session: CheckoutSession, url: str) -> str | None:
        """None: the app has no page for it, and ours is where the shopper is already."""
        return None if url == self.links.page(session) else url

    def _home(self, shown: Shown) -> str:
        """Where the shopper may live: as the session's locale says, or where the tax is due."""
        locale, rate = shown.book.session.terms.locale, shown.tax_rate
        guesses = (locale[-2:] if locale else None, rate and rate.country.alpha2, "DE")
        return next(guess for guess in guesses if guess in self.rules.countries())
