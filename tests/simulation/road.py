"""The sandboxes of both providers in this process, on virtual time, and the road to them.

A call takes the virtual milliseconds that its provider usually takes; one that is lost takes as
long as our patience. Faults are ordered through the sandboxes' own control planes.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx

from app.sandbox.komoju.objects import Payment as KomojuPayment
from app.sandbox.komoju.objects import Refund
from app.sandbox.komoju.server import komoju_part
from app.sandbox.mollie.objects import Payment as MolliePayment
from app.sandbox.mollie.payment_view import refunded
from app.sandbox.mollie.server import mollie_part
from app.sandbox.part import assembled
from tests.simulation.virtual import VirtualClock

URL: Final = "http://sandbox.test"
CONTROLS: Final = {"mollie": "/_control", "komoju": "/komoju/_control"}
PAGES: Final = {"mollie": "createPayment", "komoju": "createSession"}
_PATHS: Final = {"/v2/payments": "mollie", "/komoju/api/v1/sessions": "komoju"}
USUAL_MS: Final = {"mollie": (250, 900), "komoju": (500, 1600)}
PATIENCE: Final = timedelta(seconds=4.5)
KINDS: Final = ("status", "status", "timeoutBeforeCommit", "timeoutAfterCommit", "truncatedJson",
                "connectionReset")  # fmt: skip


@dataclass
class Weather:
    """How often, of a hundred, a page that is asked for does not come."""

    failing: dict[str, int]
    is_cut: bool = False
    """There is no road at all to one that fails: no connection, and nothing arrives."""
    faults: int = 0


class Road(httpx.AsyncBaseTransport):
    def __init__(self, clock: VirtualClock, chance: random.Random) -> None:
        self._clock, self._chance = clock, chance
        self.weather = Weather({"mollie": 0, "komoju": 0})
        parts = mollie_part(None, URL, None), komoju_part(None, URL, None)
        self._mollie, self._komoju = (part.plane.universe for part in parts)
        for universe in (self._mollie, self._komoju):
            universe.clock = clock
        self._inner = httpx.ASGITransport(app=assembled(parts))  # type: ignore[arg-type]
        self._client = httpx.AsyncClient(transport=self._inner, base_url=URL)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """What our clients send. `aclose` is left out: another process uses the road after it."""
        asked = _PATHS.get(request.url.path) if request.method == "POST" else None
        if asked is not None:
            await self._spoil(asked)
            self._clock.advance(timedelta(milliseconds=self._chance.randint(*USUAL_MS[asked])))
        try:
            return await self._inner.handle_async_request(request)
        except httpx.TimeoutException:
            self._clock.advance(PATIENCE)
            raise

    async def aclose(self) -> None:
        pass

    async def _spoil(self, provider: str) -> None:
        if self._chance.randrange(100) >= self.weather.failing[provider]:
            return
        self.weather.faults += 1
        if self.weather.is_cut:
            raise httpx.ConnectError("no road")
        kind = self._chance.choice(KINDS)
        said = {"operation": PAGES[provider], "kind": kind, "times": 1}
        await self.control(provider, "faults", said)

    async def control(self, provider: str, path: str, said: Mapping[str, Any]) -> bool:
        """False: the sandbox says that it cannot be."""
        answer = await self._client.post(f"{CONTROLS[provider]}/{path}", json=dict(said))
        return answer.is_success

    async def shopper(self, provider: str, ref: str, outcome: str) -> bool:
        """Pays, fails for a reason of the payer's or of the provider's, or not any more."""
        if provider == "komoju":
            end = "paid" if outcome == "paid" else "failed"
            path = f"sessions/{ref.removeprefix('session_')}/shopper"
            return await self.control(provider, path, {"outcome": end})
        said = {"status": "paid" if outcome == "paid" else "failed"}
        if outcome != "paid":
            said["failureReason"] = outcome
        return await self.control(provider, f"payments/{ref}/status", said)

    def held(self) -> Iterator[tuple[str, int]]:
        """Every payment that was paid, by its attempt, and what is left of it for us."""
        for world in self._mollie.worlds.values():
            for payment in world.shelf(MolliePayment).values():
                if payment.status == "paid":
                    left = payment.amount.minor - refunded(world, payment)
                    yield payment.metadata["attempt"], left
        for world in self._komoju.worlds.values():
            for paid in world.shelf(KomojuPayment).values():
                if paid.captured_at is not None:
                    back = sum(refund.amount for refund in world.of(Refund, paid.id))
                    yield paid.metadata["attempt"], paid.total - back
