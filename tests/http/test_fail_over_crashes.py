"""The process that opens a payment session dies, at any instant, while its first account fails.

Every commit has an instant before and one after it: at each of them a process dies once. The same
key then carries on, and in the end one page is told, one payment is kept, and no money is lost.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest

from app.orchestration.schemas import PaymentSessionBody
from app.orchestration.views import RenderSession
from app.parts import Parts
from app.settings import Settings
from domain.checkout.order import Ask
from domain.kernel.ids import AppUuid, UserUuid
from domain.orchestration.open_payment_session import OpenPaymentSession
from domain.tenancy.caller import UserCaller
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from tests.http.crossing import ORDER, Crossing, crossing
from tests.http.house import Json
from tests.http.test_fail_over import LOST, sent_back

__all__ = ["crossing"]

POINTS_MAX: Final = 60


class Died(BaseException):
    """The process has."""


class MortalDatabase(Database[PostgresTx]):
    dies_at = 0
    """So many instants from now; 0: not at all."""

    @asynccontextmanager
    async def begin(self, app_uuid: AppUuid) -> AsyncIterator[PostgresTx]:
        async with super().begin(app_uuid) as tx:
            yield tx
            self._point()
        self._point()

    def _point(self) -> None:
        self.dies_at -= 1
        if self.dies_at == 0:
            raise Died


class MortalParts(Parts):
    def plug_in(self, settings: Settings) -> None:
        super().plug_in(settings)
        self.mortal = MortalDatabase(settings.database_url, PostgresTx, pool_size=2)
        self.database = self.mortal


@pytest.fixture
async def mortal(settings: Settings) -> AsyncIterator[MortalParts]:
    parts = MortalParts(settings)
    async with parts.open():
        yield parts


class Merchant:
    """Asks under one key until it is told where to pay."""

    def __init__(self, crossing: Crossing, open_session: OpenPaymentSession, key: str) -> None:
        self._crossing, self._open = crossing, open_session
        self._ask = Ask(operation="openPaymentSession", key=key, fingerprint=b"the same")

    async def asks(self) -> Json:
        app = self._crossing.house.app
        caller = UserCaller(
            app_uuid=app.app_uuid,
            user_uuid=UserUuid(UUID(app.ids["member"])),
            scopes=frozenset({"billing:write"}),
            tenants=None,
        )
        wanted = msgspec.convert(ORDER, PaymentSessionBody).wanted()
        opened = await self._open(caller, wanted, self._ask, RenderSession())
        answer: Json = msgspec.json.decode(opened.answer.body)
        assert opened.answer.status == 200, answer
        return answer

    async def lapse(self) -> None:
        """Time enough that whatever the dead process held is nobody's."""
        past = "lease_until = now() - interval '1 s'"
        await self._crossing.house.connection.execute(f"update idempotency_keys set {past}")
        await self._crossing.house.connection.execute(f"update payment_attempts set {past}")


@pytest.mark.parametrize("workers_are_fast", [False, True])
@pytest.mark.parametrize("first", ["mollie", "komoju"])
async def test_whenever_it_dies_one_page_is_told_and_one_payment_is_kept(
    crossing: Crossing, mortal: MortalParts, first: str, workers_are_fast: bool
):
    order = [crossing.mollie, crossing.komoju]
    await crossing.policy(
        rules=[{"name": "order", "accounts": order if first == "mollie" else order[::-1]}]
    )
    for point in range(1, POINTS_MAX):
        await crossing.house.connection.execute("delete from routing_circuits")
        await crossing.breaks(first, **LOST | {"times": 1})
        merchant = Merchant(crossing, mortal.open_payment_session(), f"key {point}")
        mortal.mortal.dies_at = point
        try:
            row = await merchant.asks()
        except Died:
            died = point
            await merchant.lapse()
            if workers_are_fast:
                await crossing.recovers()
            row = await merchant.asks()
        mortal.mortal.dies_at = 0
        await is_told_of_one_page(crossing, row)
        assert await merchant.asks() == row
        await crossing.mends(first)
        if died < point:
            break
    assert 10 < died < POINTS_MAX - 1
    await everything_is_paid(crossing)


async def is_told_of_one_page(crossing: Crossing, row: Json) -> None:
    found: list[Any] = await crossing.rows(
        """
        select s.uuid, s.status, s.next_action_url, t.state
          from checkout_sessions s
          left join payment_session_attempts t on t.checkout_session_uuid = s.uuid
         where s.terms->'metadata'->>'paymentSessionUuid' = $1
        """,
        row["sessionId"],
    )
    live = [s for s in found if s["state"] == "live"]
    assert [s["next_action_url"] for s in live] == [row["checkoutUrl"]]
    assert all(s["status"] == "expired" for s in found if s["state"] != "live")
    tries = await crossing.tries(row)
    assert [state for _, state in tries].count("live") == 1 and len(tries) <= 2


async def everything_is_paid(crossing: Crossing) -> None:
    """Also what nobody was led to: all but one payment a session goes back."""
    await crossing.recovers_without_canceling()
    sessions = await crossing.rows("select uuid from payment_sessions")
    payments = await crossing.rows(
        "select p.provider_ref, a.name from payments p"
        " join payment_providers a on a.uuid = p.payment_provider_uuid where p.status = 'open'"
    )
    assert len(payments) > len(sessions)
    for payment in payments:
        if payment["name"] == "mollie":
            await crossing.mollie_pays(payment["provider_ref"])
        else:
            await pays_if_it_can(crossing, payment["provider_ref"])
    await crossing.shop.tell_all()
    await crossing.shop.looks()
    kept = await crossing.rows("select 1 from payments where status = 'paid' and not is_surplus")
    assert len(kept) == len(sessions)
    await sent_back(crossing)
    await sent_back(crossing)
    assert await crossing.held_at_providers() == 1500 * len(sessions)
    assert await crossing.shop.has_right_books()


async def pays_if_it_can(crossing: Crossing, ref: str) -> None:
    """Workers have called some of them off."""
    path = f"/komoju/_control/sessions/{ref.removeprefix('session_')}/shopper"
    answer = await crossing.sandbox.post(path, json={"outcome": "paid"})
    assert answer.is_success or "is over" in answer.text, answer.text
