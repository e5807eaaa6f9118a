"""Shoppers of a simulated world: they open checkouts, insist, pay, fail, try again or go away."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.checkout.book import Book
from domain.checkout.open_session import Opened
from domain.checkout.order import Ask, Order
from domain.checkout.session import Mode, Terms
from domain.kernel.errors import Conflict, DomainError, Refused
from domain.kernel.idempotency import Answer
from domain.payments.payment_provider import ProviderName
from domain.subscriptions.recover_link import open_amount
from tests.simulation.deeds import Deeds, Interrupted
from tests.simulation.shops import EUR, YEN, Customer

PLANS: Final = ("monthly", "plus", "yearly", "weekly", "yen", "tried")
WEIGHTS: Final = (38, 20, 8, 6, 12, 16)
TRIES_MAX: Final = 5
PAGES_MIN: Final = {"card": (1, 3, 12, 40), "paypal": (1, 12, 300, 1300, 2000)}
"""How long a shopper thinks. A page of PayPal's is there for days, a card's for half an hour."""
_MINUTE: Final = timedelta(minutes=1)


class Page(Struct, frozen=True):
    """What the shopper is led to."""

    session: UUID
    token: str
    ref: str


class Render:
    def opened(self, book: Book) -> Answer:
        session = book.session
        page = Page(session.uuid, session.link_token, session.provider_ref or "")
        return Answer(200, msgspec.json.encode(page))

    def refused(self, error: DomainError) -> Answer:
        return Answer(422, str(error).encode())


class Shoppers:
    def __init__(self, deeds: Deeds) -> None:
        self._deeds, self._bank = deeds, deeds.world.bank

    async def subscribe(self, who: Customer) -> None:
        plan = who.chance.choices(PLANS, WEIGHTS)[0]
        yen = plan == "yen"
        rate = "JP" if yen else who.chance.choice(("DE", "NL", None))
        order = self._order(
            who,
            Mode.SUBSCRIPTION,
            price_uuid=who.shop.prices[plan],
            tax_rate_uuid=rate and who.shop.rates[rate],
            quantity=who.chance.choice((1, 1, 1, 2, 3)),
        )
        await self._open(who, order, "ideal" if who.method == "ideal" and not yen else None)

    async def buy_once(self, who: Customer) -> None:
        order = self._order(
            who,
            Mode.PAYMENT,
            price_uuid=who.shop.prices["once"],
            tax_rate_uuid=who.shop.rates["DE"],
            quantity=who.chance.randint(1, 3),
        )
        await self._open(who, order)

    async def change_method(self, who: Customer, subscription: UUID, currency: str) -> None:
        known = YEN if currency == YEN else EUR
        order = self._order(who, Mode.SETUP, subscription_uuid=subscription, currency=known)
        await self._open(who, order)

    async def pay_open(self, who: Customer, subscription: UUID) -> None:
        """Pay and replace, for all that a charge would be for."""
        async with self._deeds.parts.database.begin(who.shop.app_uuid) as tx:
            book = await tx.subscriptions.book(subscription, lock=False)
        amount = book.collectable_amount
        if not amount.minor:
            return
        order = self._order(
            who,
            Mode.RECOVERY,
            subscription_uuid=subscription,
            bill_uuids=tuple(bill.uuid for bill in book.collectable),
            open_amount=open_amount(book.collectable, amount.currency),
        )
        await self._open(who, order)

    def _order(self, who: Customer, mode: Mode, **said: Any) -> Order:
        nothing: dict[str, Any] = {"price_uuid": None, "tax_rate_uuid": None, "currency": None}
        terms = Terms(
            payment_method="paypal" if who.method == "paypal" else "card",
            description="",
            success_url="https://app.test/thanks",
            cancel_url="https://app.test/basket",
        )
        fixed = {
            "tenant_uuid": who.uuid,
            "provider": ProviderName.MOLLIE,
            "mode": mode,
            "terms": terms,
        }
        return Order(**(nothing | fixed | said))

    async def _open(self, who: Customer, order: Order, method: str | None = None) -> None:
        if method is not None:
            order = replace(order, terms=replace(order.terms, payment_method=method))
        who.asked += 1
        key = f"{who.number}-{who.asked}"
        ask = Ask(operation="open", key=key, fingerprint=key.encode())
        await self._insist(who, order, ask, TRIES_MAX)

    async def _insist(self, who: Customer, order: Order, ask: Ask, tries: int) -> None:
        """With the same key, until there is an answer, or it is not worth the trouble."""
        deeds = self._deeds

        async def ask_for_it() -> Opened:
            return await deeds.parts.open_session()(who.shop.caller, order, ask, Render())

        try:
            opened = await deeds.do(ask_for_it)
        except (Interrupted, Conflict):
            if tries > 1:
                late = who.chance.choice((_MINUTE, 10 * _MINUTE, 70 * _MINUTE))
                at = deeds.clock.now() + late
                deeds.plan(at, lambda: self._insist(who, order, ask, tries - 1))
            return
        except Refused:
            deeds.figures["refused"] += 1
            return
        if opened.answer.status == 200:
            page = msgspec.json.decode(opened.answer.body, type=Page)
            deeds.figures["checkouts"] += 1
            waits = PAGES_MIN["paypal" if who.method == "paypal" else "card"]
            at = deeds.clock.now() + who.chance.choice(waits) * _MINUTE
            deeds.plan(at, lambda: self._decide(who, page))

    async def _decide(self, who: Customer, page: Page) -> None:
        """Nine of ten pay in the end."""
        payment = self._bank.payment(page.ref)
        if payment.customer_id is not None:
            self._bank.bad_payers[payment.customer_id] = who.fails
        drawn = 0 if self._deeds.world.fate.is_kind else who.chance.randrange(100)
        late = who.chance.choice((0, 0, 0, 2, 50)) * timedelta(hours=1)
        if drawn < 85:
            mandate_after = late if payment.method == "paypal" else timedelta(0)
            self._bank.shop(page.ref, "paid", mandate_after=mandate_after)
        elif drawn < 95:
            self._bank.shop(page.ref, "failed")
            at = self._deeds.clock.now() + 2 * _MINUTE
            self._deeds.plan(at, lambda: self._try_again(who, page))
        # else: the page is closed, and the payment expires

    async def _try_again(self, who: Customer, page: Page) -> None:
        deeds, app_uuid = self._deeds, who.shop.app_uuid

        async def follow() -> str:
            pay = deeds.parts.continue_payment().pay
            return await pay(app_uuid, page.session, page.token)

        try:
            await deeds.do(follow)
        except (Interrupted, Conflict):
            return
        async with deeds.parts.database.begin(app_uuid) as tx:
            session = (await tx.checkout.get(page.session)).session
        if session.provider_ref not in (None, page.ref):
            self._bank.shop(session.provider_ref or "", "paid")
