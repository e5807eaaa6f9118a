"""The Mollie sandbox inside this process, on virtual time; and whoever plays bank and shopper.

It is the program of `kontor sandbox` behind its own wire format, without sockets: a clock that
stands still, and deeds in one order, are what the same seed needs for the same books.
"""

import asyncio
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
import msgspec

from app.sandbox.mollie.api import Api
from app.sandbox.mollie.money import Amount
from app.sandbox.mollie.notify import after_attempt
from app.sandbox.mollie.objects import FINAL, Chargeback, Delivery, Mandate, Payment, Refund
from app.sandbox.mollie.outcomes import run_due
from app.sandbox.mollie.payment_view import charged_back, refunded
from app.sandbox.mollie.refund_life import change_refund
from app.sandbox.mollie.refunds import charge_back, new_refund, reverse_chargeback
from app.sandbox.mollie.settling import settle
from app.sandbox.mollie.world import Outcome, Universe
from app.sandbox.record import Attempt
from tests.simulation.fate import Fate
from tests.simulation.virtual import VirtualClock

CARD_REASONS: Final = ("insufficient_funds", "insufficient_funds", "card_declined",
                       "refused_by_issuer", "card_expired", "possible_fraud")  # fmt: skip
DEBIT_REASONS: Final = ("AM04", "AM04", "MS03", "AC04", "MD01", "MD06")
CHARGEBACK_REASONS: Final = ("MD06", "AM04", "MD01", None)
DISPUTED_FOR: Final = timedelta(days=400)
"""After that no bank gives anything again."""


class Postbox:
    """In the courier's place: keeps which payments Mollie would have sent word of, for the deeds
    to bring it."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self.letters: list[str] = []
        self.moved = asyncio.Event()

    def carry(self, delivery: Delivery, due: datetime) -> None:
        self.letters.append(delivery.payment_id)
        answered = Attempt(due, self._universe.clock.now(), 200)
        self._universe.put(after_attempt(delivery, answered))

    async def carry_urgent(self) -> None:
        """Nothing is: only another mode of webhooks has letters that come before an answer."""


class Bank:
    def __init__(self, clock: VirtualClock, fate: Fate, chance: random.Random) -> None:
        self._fate, self._chance, self._clock = fate, chance, clock
        self.universe = Universe()
        self.universe.clock = clock  # type: ignore[assignment]  # the same two questions
        self.postbox = Postbox(self.universe)
        self._api = Api(self.universe, self.postbox, None)  # type: ignore[arg-type]
        self.bad_payers: dict[str, int] = {}
        """How often, of a hundred, a charge of this customer fails."""
        self.charges = self.failures = 0

    def transport(self) -> httpx.AsyncBaseTransport:
        return _Wire(self)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self._fate.call(is_answered=False)
        if request.method == "POST" and request.url.path == "/v2/payments":
            self._plan(msgspec.json.decode(request.content))
        response = await _asked(self._api, request)
        self._fate.call(is_answered=True)
        return response

    def _plan(self, wanted: dict[str, Any]) -> None:
        """What the next charge comes to, and how long a bank takes over it."""
        if wanted["sequenceType"] != "recurring":
            return
        self.charges += 1
        settings, draw = self.universe.settings, self._chance
        method = self.universe.find(Mandate, wanted["mandateId"]).method
        reasons = DEBIT_REASONS if method == "directdebit" else CARD_REASONS
        fails = draw.randrange(100) < self.bad_payers.get(wanted["customerId"], 3)
        fails = fails and not self._fate.is_kind
        self.failures += fails
        settings.recurring_outcomes = [
            Outcome("failed", draw.choice(reasons)) if fails else Outcome("paid")
        ]
        settings.debit_delay_seconds = draw.randint(1, 3) * 86_400

    def happen(self) -> None:
        """All that is due by now."""
        run_due(self.universe, self.postbox.carry)
        self.universe.commit()

    # Shoppers

    def open_payments(self) -> Iterator[Payment]:
        return (p for p in self._payments() if p.status not in FINAL and p.sequence_type == "first")

    def payment(self, ref: str) -> Payment:
        found = self.universe.find(Payment, ref)
        assert found is not None, ref
        return found

    def shop(self, ref: str, status: str, *, mandate_after: timedelta = timedelta(0)) -> None:
        """The shopper pays, fails or goes away."""
        self.universe.settings.mandate_delay_seconds = int(mandate_after.total_seconds())
        payment = self.payment(ref)
        if payment.status == "open":
            reason = "card_declined" if status == "failed" else None
            settle(self.universe, payment, status, self._clock.now(), reason)
        self.happen()

    # Money that goes back without us

    def take_back(self, ref: str, part: int) -> bool:
        """A bank does, all of it or one in `part`."""
        payment = self.payment(ref)
        left = self._left(payment)
        if payment.status != "paid" or left // part < 1:
            return False
        amount = Amount(payment.amount.currency, left // part)
        charge_back(self.universe, payment, amount, self._chance.choice(CHARGEBACK_REASONS))
        self.happen()
        return True

    def give_again(self, ref: str) -> bool:
        payment = self.payment(ref)
        since = self._clock.now() - DISPUTED_FOR
        standing = [
            c
            for c in self._of(Chargeback, payment)
            if c.reversed_at is None and c.created_at > since
        ]
        if not standing:
            return False
        reverse_chargeback(self.universe, payment, standing[-1])
        self.happen()
        return True

    def refund(self, ref: str, part: int) -> bool:
        """In Mollie's dashboard."""
        payment = self.payment(ref)
        amount = Amount(payment.amount.currency, self._left(payment) // part)
        twice = any(refund.amount == amount for refund in self._of(Refund, payment))
        if payment.status != "paid" or amount.minor < 1 or twice:
            return False
        new_refund(self.universe, payment, amount, description="Goodwill")
        # Nobody is told of a refund that is merely made: what we learn, we learn later.
        self.happen()
        return True

    def fail_a_refund(self, ref: str) -> bool:
        going = [r for r in self._of(Refund, self.payment(ref)) if r.status == "processing"]
        if not going:
            return False
        change_refund(self.universe, going[-1], "failed", self._clock.now())
        self.happen()
        return True

    def _left(self, payment: Payment) -> int:
        world = self.universe.world(payment.key)
        return payment.amount.minor - refunded(world, payment) - charged_back(world, payment)

    def _of(self, kind: Any, payment: Payment) -> list[Any]:
        return self.universe.world(payment.key).of(kind, payment.id)

    # The truth, for whoever compares

    def _payments(self) -> Iterator[Payment]:
        for world in self.universe.worlds.values():
            yield from world.shelf(Payment).values()

    def was_taken_back(self, payment: Payment) -> bool:
        """By a bank, whether it was reversed or not."""
        return bool(self._of(Chargeback, payment))

    def paid(self) -> Iterator[tuple[Payment, int]]:
        """Every paid payment, and what is left of it for us."""
        for payment in self._payments():
            if payment.status == "paid":
                world = self.universe.world(payment.key)
                done = (r for r in world.of(Refund, payment.id) if r.status == "refunded")
                back = sum(r.amount.minor for r in done) + charged_back(world, payment)
                yield payment, payment.amount.minor - back


class _Wire(httpx.AsyncBaseTransport):
    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._bank.answer(request)


async def _asked(api: Api, request: httpx.Request) -> httpx.Response:
    """One call, in the words of ASGI."""
    sent: list[Any] = []
    scope: Any = {
        "type": "http",
        "method": request.method,
        "path": request.url.path,
        "query_string": request.url.query,
        "scheme": "http",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": request.content, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await api(scope, receive, send)
    start, body = sent
    return httpx.Response(start["status"], headers=start["headers"], content=body["body"])
