"""When an account does not answer: another is tried, and nobody ever pays twice."""

import asyncio
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from app.main import build
from app.settings import Settings
from domain.payments.submit_refund import SubmitRefund
from tests.http.crossing import Crossing, crossing
from tests.http.house import Json, code
from tests.http.lifespan import running

__all__ = ["crossing"]

LOST: Final = {"kind": "truncatedJson"}
"""It is done, and we cannot read that it is."""


@pytest.fixture(params=["mollie", "komoju"])
async def first(request: Any, crossing: Crossing) -> str:
    """The provider that is asked before the other."""
    order = [crossing.mollie, crossing.komoju]
    await crossing.policy(defaultOrder=order if request.param == "mollie" else order[::-1])
    return str(request.param)


def other(provider: str) -> str:
    return "komoju" if provider == "mollie" else "mollie"


async def test_a_technical_failure_leads_to_the_other_account(crossing: Crossing, first: str):
    await crossing.breaks(first)
    row = await crossing.opened()
    assert row["routing"]["selectedProvider"] == other(first)
    assert row["routing"]["strategy"] == "fallback"  # as it was decided
    assert await crossing.tries(row) == [(first, "abandoned"), (other(first), "live")]
    decision = await crossing.decision(row)
    assert [t["failure"] for t in decision["tries"]] == ["provider_unavailable", None]
    assert len(decision["order"]) == 2 and decision["sessionId"] == row["sessionId"]
    await crossing.mends(first)
    assert (await crossing.shopper_pays(row))["status"] == "SUCCEEDED"


async def test_what_is_paid_at_the_account_that_was_given_up_goes_back_and_is_told(
    crossing: Crossing, first: str
):
    await crossing.breaks(first, **LOST)
    row = await crossing.opened()
    assert row["routing"]["selectedProvider"] == other(first)
    orphan = await crossing.orphan(row, first)
    # Somebody pays it all the same, before we have heard of it; and the other one, too.
    await crossing.mends(first)
    await crossing.recovers_without_canceling()
    await crossing.orphan_is_paid(orphan, first)
    assert (await crossing.shopper_pays(row))["status"] == "SUCCEEDED"

    payments = await crossing.rows(
        "select uuid, is_surplus, status from payments order by is_surplus"
    )
    assert [(p["is_surplus"], p["status"]) for p in payments] == [(False, "paid"), (True, "paid")]
    told = await crossing.rows("select type from outbox where aggregate_uuid = $1", payments[1][0])
    assert "payment.surplus_received" in {event["type"] for event in told}
    await sent_back(crossing)
    refunds = await crossing.rows("select payment_uuid, reason, amount_minor from refunds")
    assert [tuple(r) for r in refunds] == [(payments[1][0], "surplus", 1500)]
    assert await crossing.held_at_providers() == 1500
    assert await crossing.shop.has_right_books()
    assert (await crossing.session(row))["status"] == "SUCCEEDED"


async def sent_back(crossing: Crossing) -> None:
    parts = crossing.parts
    submit = SubmitRefund(parts.database, parts.providers, parts.clock, parts.lease)
    for refund in await crossing.rows("select uuid from refunds where status = 'requested'"):
        await submit(crossing.house.app.app_uuid, refund["uuid"])
    await crossing.shop.looks()


async def test_a_worker_calls_off_what_was_given_up_and_leads_nobody_there(
    crossing: Crossing, first: str
):
    await crossing.breaks(first, **LOST)
    row = await crossing.opened()
    orphan = await crossing.orphan(row, first)
    await crossing.mends(first)
    await crossing.recovers()
    checkout = await crossing.house.ok(
        crossing.house.app.admin, "GET", f"/checkout-sessions/{orphan}"
    )
    assert (checkout["status"], checkout["nextActionUrl"]) == ("expired", None)
    led = await crossing.house.door.get(checkout["retryUrl"])
    assert (led.status_code, led.headers["Location"]) == (303, "https://shop.example/no")
    assert await crossing.is_called_off(orphan, first)


async def test_what_never_began_never_will(crossing: Crossing):
    """The customer could not be made, so there was no checkout to expire: its key is taken."""
    await crossing.policy(defaultOrder=[crossing.mollie, crossing.komoju])
    fault = {"operation": "createCustomer", "kind": "status", "status": 503, "times": 1}
    await crossing.sandbox.post("/_control/faults", json=fault)
    row = await crossing.opened()
    assert await crossing.tries(row) == [("mollie", "abandoned"), ("komoju", "live")]
    assert await crossing.house.count("checkout_sessions") == 1
    keys = await crossing.rows(
        "select subject_uuid, answer_status from idempotency_keys where operation like '%Try'"
        " order by created_at, answer_status"
    )
    assert {(key["subject_uuid"] is None, key["answer_status"]) for key in keys} == {
        (True, 422), (False, 200)
    }  # fmt: skip


async def test_when_both_fail_the_same_key_carries_on(crossing: Crossing, first: str):
    await crossing.breaks(first)
    await crossing.breaks(other(first))
    failed = await crossing.post("k")
    assert code(failed) == "503 [E5030]" and "Retry-After" in failed.headers
    (session,) = await crossing.rows("select uuid from payment_sessions")
    shown: Json = {"sessionId": str(session["uuid"])}
    assert (await crossing.session(shown))["status"] == "PENDING"
    assert await crossing.tries(shown) == [(first, "abandoned"), (other(first), "live")]

    await crossing.mends(other(first))
    row = await crossing.opened("k")
    assert row["sessionId"] == shown["sessionId"]
    assert row["routing"]["selectedProvider"] == other(first)
    assert await crossing.tries(row) == [(first, "abandoned"), (other(first), "live")]
    assert len(await crossing.rows("select 1 from checkout_sessions where status = 'open'")) == 1


async def test_a_retry_may_go_back_to_the_first(crossing: Crossing, first: str):
    await crossing.breaks(first)
    await crossing.breaks(other(first))
    assert (await crossing.post("k")).status_code == 503
    await crossing.mends(first)
    row = await crossing.opened("k")
    assert await crossing.tries(row) == [
        (first, "abandoned"), (other(first), "abandoned"), (first, "live")
    ]  # fmt: skip


@pytest.mark.parametrize("pin", ["provider", "paymentProviderUuid", "policy"])
async def test_a_pinned_account_that_is_down_is_waited_for(
    crossing: Crossing, first: str, pin: str
):
    uuid = crossing.mollie if first == "mollie" else crossing.komoju
    said: Json = {}
    if pin == "policy":
        await crossing.policy(pinnedPaymentProviderUuid=uuid)
    else:
        said = {pin: first if pin == "provider" else uuid}
    await crossing.breaks(first, **LOST)
    assert (await crossing.post("k", **said)).status_code in (502, 503)
    await crossing.mends(first)
    row = await crossing.opened("k", **said)
    assert row["routing"] | {"decisionId": ""} == {
        "selectedProvider": first, "score": None, "strategy": "pinned", "decisionId": ""
    }  # fmt: skip
    assert await crossing.tries(row) == [(first, "live")]
    # Asked for again under the same key: there is one of it.
    assert len(await crossing.rows("select 1 from payment_attempts")) == 1
    assert await crossing.pages_made(first) == 1


@pytest.mark.parametrize(("status", "result"), [(429, "busy"), (401, "refused"), (500, "failed")])
async def test_no_answer_of_any_kind_leads_on(
    crossing: Crossing, first: str, status: int, result: str
):
    await crossing.breaks(first, status=status)
    row = await crossing.opened()
    assert row["routing"]["selectedProvider"] == other(first)
    calls = await crossing.rows("select result from provider_calls order by at, try_uuid")
    assert [call["result"] for call in calls] == [result, "ok"]
    health = (await crossing.health())[first]
    assert health == ("misconfigured" if status == 401 else "closed")


async def test_a_refused_credential_waits_until_it_is_given_again(crossing: Crossing, first: str):
    await crossing.breaks(first, status=401)
    await crossing.opened()
    await crossing.mends(first)
    row = await crossing.opened()
    assert row["routing"]["selectedProvider"] == other(first)
    candidates = {c["provider"]: c for c in (await crossing.decision(row))["candidates"]}
    assert candidates[first]["reasons"] == ["misconfigured"]
    uuid = crossing.mollie if first == "mollie" else crossing.komoju
    secret = crossing.house.app.secrets["mollie"] if first == "mollie" else crossing.shop.key
    path = f"/payment-providers/{uuid}"
    await crossing.house.ok(crossing.house.app.admin, "PUT", path, {"credential": secret})
    assert (await crossing.health())[first] == "closed"


async def test_an_account_that_fails_and_fails_is_not_asked_until_a_probe_goes_well(
    crossing: Crossing, first: str
):
    await crossing.breaks(first)
    await crossing.opens_the_circuit(first)
    assert (await crossing.health())[first] == "open"
    row = await crossing.opened()
    assert await crossing.tries(row) == [(other(first), "live")]
    assert row["routing"]["strategy"] == "single"
    await crossing.half_opens()
    probe = await crossing.opened()
    assert probe["routing"]["strategy"] == "probe"
    assert await crossing.tries(probe) == [(first, "abandoned"), (other(first), "live")]
    assert (await crossing.health())[first] == "open"  # for twice as long
    await crossing.mends(first)
    await crossing.half_opens()
    probe = await crossing.opened()
    assert (probe["routing"]["strategy"], probe["routing"]["selectedProvider"]) == ("probe", first)
    assert (await crossing.health())[first] == "closed"


async def test_two_that_meet_a_half_open_circuit_are_one_probe(crossing: Crossing, first: str):
    await crossing.breaks(first)
    await crossing.opens_the_circuit(first)
    await crossing.mends(first)
    await crossing.half_opens()
    rows = await asyncio.gather(*(crossing.opened() for _ in range(4)))
    strategies = sorted(row["routing"]["strategy"] for row in rows)
    assert strategies.count("probe") == 1, strategies
    assert len(await crossing.rows("select 1 from payment_session_attempts where is_probe")) == 1


async def test_when_all_circuits_are_open_it_is_worth_coming_again(crossing: Crossing, first: str):
    await crossing.breaks("mollie")
    await crossing.breaks("komoju")
    for _ in range(5):
        assert (await crossing.post()).status_code == 503
    assert set((await crossing.health()).values()) == {"open"}
    before = await crossing.house.rows()
    refused = await crossing.post("k")
    assert code(refused) == "503 [E5030]" and "Retry-After" in refused.headers
    assert await crossing.house.rows() == before
    await crossing.mends("mollie")
    await crossing.mends("komoju")
    await crossing.half_opens()
    await crossing.opened("k")


async def test_no_two_tries_of_a_session_are_ever_live(crossing: Crossing):
    row = await crossing.opened()
    with pytest.raises(asyncpg.UniqueViolationError, match="payment_session_attempts_live_key"):
        await crossing.house.connection.execute(
            """
            insert into payment_session_attempts (app_uuid, uuid, payment_session_uuid, number,
                   payment_provider_uuid, state, is_probe, created_at, updated_at)
            select app_uuid, gen_random_uuid(), payment_session_uuid, number + 1,
                   payment_provider_uuid, state, is_probe, created_at, updated_at
              from payment_session_attempts where payment_session_uuid = $1
            """,
            UUID(row["sessionId"]),
        )


async def test_nobody_may_change_what_was_decided(crossing: Crossing):
    await crossing.opened()
    database = crossing.house.database
    for table in ("routing_decisions", "routing_policies"):
        for verb in (f"update {table} set created_at = created_at", f"delete from {table}"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with database.begin(crossing.house.app.app_uuid) as tx:
                    await tx.apps._connection.execute(verb)


async def test_a_provider_that_says_nothing_for_too_long_is_given_up(
    crossing: Crossing, settings: Settings
):
    await crossing.policy(defaultOrder=[crossing.mollie, crossing.komoju])
    await crossing.breaks("mollie", kind="timeoutAfterCommit")
    app = build(replace(settings, provider_timeout_s=0.3))
    async with running(app), crossing.at(app):
        row = await crossing.opened()
        assert row["routing"]["selectedProvider"] == "komoju"
    assert await crossing.tries(row) == [("mollie", "abandoned"), ("komoju", "live")]
    (call, _) = await crossing.rows("select took_ms from provider_calls order by at")
    assert call["took_ms"] >= 250
