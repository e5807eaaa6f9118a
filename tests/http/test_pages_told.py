"""A page that was told, or may be paid, stays its session's; and whose fault a silence is."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

from domain.kernel.errors import ProviderUnavailable
from tests.http.crossing import ORDER, Crossing, crossing
from tests.http.house import problems
from tests.http.test_fail_over import LOST
from tests.http.test_fail_over_crashes import Merchant

__all__ = ["crossing"]


async def test_a_page_that_was_told_is_not_given_up_while_its_shopper_tries_again(
    crossing: Crossing,
):
    """The first process is told late, by when a second one asks, too; and that one fails."""
    order = [crossing.mollie, crossing.komoju]
    await crossing.policy(rules=[{"name": "order", "accounts": order}])
    opening = crossing.parts.open_payment_session()
    is_there, thaw = asyncio.Event(), asyncio.Event()
    told: list[Any] = []

    async def slowly(*said: Any) -> Any:
        is_there.set()
        await thaw.wait()
        return await opening.open_session(*said)

    async def overtaken(*said: Any) -> Any:
        if told:
            return await opening.open_session(*said)
        thaw.set()
        told.append(await running)
        await declined_and_tried_again(crossing, told[0])
        raise ProviderUnavailable("mollie did not answer in time")

    slow = Merchant(crossing, replace(opening, open_session=slowly), "k")  # type: ignore[arg-type]
    running = asyncio.create_task(slow.asks())
    await is_there.wait()
    await slow.lapse()
    fast = replace(opening, open_session=overtaken)  # type: ignore[arg-type]
    with suppress(ProviderUnavailable):
        await Merchant(crossing, fast, "k").asks()
    assert await crossing.tries(told[0]) == [("mollie", "live")]


async def declined_and_tried_again(crossing: Crossing, session: Any) -> None:
    """And nobody knows yet what came of the second payment."""
    checkout = await crossing.checkout(await crossing.session(session))
    ref = checkout["sessionId"]
    await crossing.sandbox.post(f"/_control/payments/{ref}/status", json={"status": "failed"})
    await crossing.house.door.post(
        "/api/v1/webhooks/mollie",
        params={"paymentProviderUuid": crossing.mollie},
        data={"id": ref},
    )
    await crossing.breaks("mollie", **LOST | {"times": 1})
    assert (await crossing.house.door.get(checkout["retryUrl"])).status_code == 503


async def test_what_is_paid_on_a_page_that_a_worker_found_pays_the_session(crossing: Crossing):
    await crossing.breaks("mollie", **LOST | {"times": 1})
    assert (await crossing.post("k", provider="mollie")).status_code in (502, 503)
    await crossing.mends("mollie")
    await crossing.recovers()
    (found,) = await crossing.rows("select provider_ref from checkout_sessions")
    await crossing.mollie_pays(found["provider_ref"])
    (row,) = await crossing.rows("select uuid from payment_sessions")
    session = await crossing.session({"sessionId": str(row["uuid"])})
    assert session["status"] == "SUCCEEDED"
    await crossing.refunded(session, "r")


async def test_what_is_paid_on_a_page_that_nobody_lived_to_link_pays_the_session(
    crossing: Crossing,
):
    row = await crossing.opened(provider="mollie")
    await crossing.house.connection.execute(
        "update payment_session_attempts set checkout_session_uuid = null"
    )
    assert (await crossing.session(row))["status"] == "PENDING"
    assert (await crossing.shopper_pays(row))["status"] == "SUCCEEDED"


async def test_a_dead_process_of_ours_is_no_fault_of_the_provider(crossing: Crossing):
    order = [crossing.mollie, crossing.komoju]
    await crossing.policy(rules=[{"name": "order", "accounts": order}])
    await crossing.opened(provider="mollie")
    # It died while it made the tenant's customer.
    await crossing.house.connection.execute(
        "update customers set provider_ref = null, lease_until = now() + interval '30 s'"
    )
    rows = await asyncio.gather(*(crossing.opened() for _ in range(5)))
    assert {row["routing"]["selectedProvider"] for row in rows} == {"komoju"}
    assert (await crossing.health())["mollie"] == "closed"


async def test_a_number_with_thousands_of_digits_is_read_or_refused(crossing: Crossing):
    body = b'{"amount": 1500.' + b"0" * 5000 + b"}"
    row = await crossing.opened()
    await crossing.shopper_pays(row)
    headers = {**crossing.house.app.admin, "Content-Type": "application/json"}
    answer = await crossing.house.door.post(
        f"/api/v1/sessions/{row['sessionId']}/refunds",
        content=body,
        headers=headers | {"Idempotency-Key": "r"},
    )
    assert answer.status_code in (201, 400)


async def test_a_country_has_two_letters_and_no_line_break(crossing: Crossing):
    address = ORDER["customer"]["billingAddress"] | {"country": "AU\n"}
    answer = await crossing.post(customer=ORDER["customer"] | {"billingAddress": address})
    assert problems(answer).keys() == {"customer.billingAddress.country"}
