"""What tenants of a simulated world wish, and what banks and merchants do to them, now and then."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from domain.kernel.errors import Conflict, NotFound, Refused
from domain.kernel.pages import PageRequest
from domain.payments.answers import PaymentStatus
from domain.payments.payment import Payment
from domain.payments.request_refund import RequestRefund, WantedRefund
from domain.subscriptions.change_quote import ChangeMode, ChangeQuote
from domain.subscriptions.change_service import Asked, ChangeService
from domain.subscriptions.start_subscription import NewSubscription, StartSubscription
from domain.subscriptions.subscription import Subscription, SubscriptionStatus
from domain.subscriptions.wish_service import Charge, WishService
from domain.subscriptions.wishes import When
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.sealed import Sealed
from tests.simulation.checkouts import Shoppers
from tests.simulation.deeds import HALF_A_DAY, Deeds, Interrupted
from tests.simulation.shops import Customer

_S = SubscriptionStatus

USUAL: Final = {
    "change": 26,
    "unschedule": 3,
    "cancel": 4,
    "cancel_at_end": 8,
    "pause": 8,
    "refund": 12,
    "dashboard_refund": 7,
    "chargeback": 10,
    "give_again": 6,
    "change_method": 7,
    "charge_on": 3,
    "buy_once": 8,
    "subscribe": 3,
    "start": 4,
}
WEIGHTS: Final = {
    _S.PAST_DUE: {
        "pay_open": 45,
        "pay_now": 15,
        "change_method": 12,
        "charge_on": 8,
        "cancel": 8,
        "change": 5,
        "pause": 5,
    },
    _S.PAUSED: {"resume": 50, "pay_open": 20, "give_again": 10, "cancel": 8, "refund": 5},
    _S.INCOMPLETE: {"cancel": 1, "buy_once": 1},
}


class Wishes:
    def __init__(self, deeds: Deeds) -> None:
        self._deeds, self._shoppers = deeds, Shoppers(deeds)
        self._bank = deeds.world.bank

    async def act(self, who: Customer) -> None:
        """One wish, for one of the tenant's subscriptions."""
        deeds = self._deeds
        async with deeds.parts.database.begin(who.shop.app_uuid) as tx:
            found = await tx.subscriptions.list(PageRequest(0, 10), only=frozenset({who.uuid}))
        living = [one for one in found.items if not one.has_ended]
        if not living:
            await self._shoppers.subscribe(who)
            return
        one = who.chance.choice(living)
        weights = WEIGHTS.get(one.status, USUAL)
        wish = who.chance.choices(list(weights), list(weights.values()))[0]
        if one.cancel_at is not None and wish in ("change", "cancel_at_end"):
            wish = "uncancel"
        deeds.figures[wish] += 1
        try:
            await getattr(self, f"_{wish}")(who, one)
        except Interrupted:
            deeds.figures["interrupted"] += 1
        except (Conflict, Refused, NotFound):
            deeds.figures["refused"] += 1

    # With a checkout

    async def _subscribe(self, who: Customer, _: Subscription) -> None:
        await self._shoppers.subscribe(who)

    async def _buy_once(self, who: Customer, _: Subscription) -> None:
        await self._shoppers.buy_once(who)

    async def _change_method(self, who: Customer, one: Subscription) -> None:
        currency = one.current_period.amount.total.currency
        await self._shoppers.change_method(who, one.uuid, currency)

    async def _pay_open(self, who: Customer, one: Subscription) -> None:
        await self._shoppers.pay_open(who, one.uuid)

    async def _start(self, who: Customer, _: Subscription) -> None:
        """On the method that is there already."""
        draw, shop = who.chance, who.shop
        new = NewSubscription(
            tenant_uuid=who.uuid,
            price_uuid=shop.prices[draw.choice(("monthly", "yearly", "weekly", "tried"))],
            tax_rate_uuid=shop.rates["DE"],
        )

        async def start(tx: PostgresTx) -> Charge | None:
            begin = StartSubscription(*self._tools())
            _, charge = await begin(tx, shop.actor, new)
            return charge

        await self._wish(who, start)

    # At once

    def _tools(self) -> tuple[Any, ...]:
        parts = self._deeds.parts
        return parts.write, parts.recover(), parts.clock, parts.ids

    async def _wish(self, who: Customer, wish: Callable[[PostgresTx], Awaitable[Any]]) -> None:
        """In a transaction; the charge that comes of it by whoever is there first."""
        deeds = self._deeds

        async def do() -> Charge | None:
            async with deeds.parts.database.begin(who.shop.app_uuid) as tx:
                charge: Charge | None = await wish(tx)
                return charge

        charge = await deeds.do(do)
        if charge is not None and who.chance.randrange(2):
            await deeds.do(charge)

    async def _ask(self, who: Customer, what: str, *said: Any, **more: Any) -> None:
        async def ask(tx: PostgresTx) -> Charge | None:
            method = getattr(WishService(*self._tools()), what)
            charge: Charge | None = await method(tx, who.shop.actor, *said, **more)
            return charge

        await self._wish(who, ask)

    async def _cancel(self, who: Customer, one: Subscription) -> None:
        await self._ask(who, "cancel", one.uuid, When.NOW)

    async def _cancel_at_end(self, who: Customer, one: Subscription) -> None:
        await self._ask(who, "cancel", one.uuid, When.PERIOD_END)

    async def _uncancel(self, who: Customer, one: Subscription) -> None:
        await self._ask(who, "uncancel", one.uuid)

    async def _pause(self, who: Customer, one: Subscription) -> None:
        days = who.chance.choice((None, 10, 45))
        resumes_at = None if days is None else self._deeds.clock.now() + timedelta(days=days)
        await self._ask(who, "pause", one.uuid, resumes_at=resumes_at)

    async def _resume(self, who: Customer, one: Subscription) -> None:
        await self._ask(who, "resume", one.uuid)

    async def _pay_now(self, who: Customer, one: Subscription) -> None:
        await self._ask(who, "pay_now", one.uuid)

    async def _charge_on(self, who: Customer, one: Subscription) -> None:
        """Another of the tenant's methods, if there is one."""
        async with self._deeds.parts.database.begin(who.shop.app_uuid) as tx:
            found = await tx.mandates.list(who.uuid, PageRequest(0, 10))
        if found.items:
            await self._ask(who, "charge_on", one.uuid, who.chance.choice(found.items).uuid)

    async def _change(self, who: Customer, one: Subscription) -> None:
        draw, shop = who.chance, who.shop
        yen = one.current_period.amount.total.currency == "JPY"
        plan = draw.choice(("yen", "yen plus") if yen else ("monthly", "plus", "yearly", "weekly"))
        asked = Asked(
            mode=draw.choice(list(ChangeMode)),
            price_uuid=shop.prices[plan],
            tax_rate_uuid=shop.rates[draw.choice(("JP",) if yen else ("DE", "NL"))],
            quantity=draw.choice((1, 1, 2, 3)),
        )
        parts = self._deeds.parts
        changes = ChangeService(Sealed(parts.vault, ChangeQuote), *self._tools())
        async with parts.database.begin(shop.app_uuid) as tx:
            _, text = await changes.quote(tx, shop.actor, one.uuid, asked)

        async def accept(tx: PostgresTx) -> Charge | None:
            _, charge = await changes.accept(tx, shop.actor, one.uuid, text)
            return charge

        await self._wish(who, accept)

    async def _unschedule(self, who: Customer, one: Subscription) -> None:
        async def unschedule(tx: PostgresTx) -> None:
            changes = ChangeService(Sealed(self._deeds.parts.vault, ChangeQuote), *self._tools())
            await changes.unschedule(tx, who.shop.actor, one.uuid)

        await self._wish(who, unschedule)

    # Money that goes back

    async def _paid(self, who: Customer) -> Payment | None:
        async with self._deeds.parts.database.begin(who.shop.app_uuid) as tx:
            found = await tx.payments.list(who.uuid, PageRequest(0, 4), after=None)
        paid = [payment for payment in found.items if payment.status is PaymentStatus.PAID]
        return who.chance.choice(paid) if paid else None

    async def _refund(self, who: Customer, _: Subscription) -> None:
        parts, payment = self._deeds.parts, await self._paid(who)
        if payment is None:
            return
        part = who.chance.choice((None, 2, 3))
        amount = None if part is None else payment.amount.minor // part
        request = RequestRefund(parts.providers, parts.clock, parts.ids)
        wanted = WantedRefund(payment_uuid=payment.uuid, amount_minor=amount)

        async def do() -> None:
            async with parts.database.begin(who.shop.app_uuid) as tx:
                await request(tx, wanted)

        await self._deeds.do(do)
        if who.chance.randrange(6) == 0:
            at = self._deeds.clock.now() + HALF_A_DAY
            self._deeds.plan(at, lambda: self._fail_refund(payment))

    async def _fail_refund(self, payment: Payment) -> None:
        self._bank.fail_a_refund(payment.provider_ref)

    async def _dashboard_refund(self, who: Customer, _: Subscription) -> None:
        payment = await self._paid(who)
        if payment is not None:
            self._bank.refund(payment.provider_ref, who.chance.choice((1, 2, 4)))

    async def _chargeback(self, who: Customer, _: Subscription) -> None:
        payment = await self._paid(who)
        if payment is not None:
            self._bank.take_back(payment.provider_ref, who.chance.choice((1, 1, 1, 3)))

    async def _give_again(self, who: Customer, _: Subscription) -> None:
        async with self._deeds.parts.database.begin(who.shop.app_uuid) as tx:
            found = await tx.payments.list(who.uuid, PageRequest(0, 10), after=None)
        for payment in found.items:
            if payment.charged_back.minor and self._bank.give_again(payment.provider_ref):
                return
