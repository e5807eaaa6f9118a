"""What an app says about routing, and what it is told: its policy, decisions, accounts' health."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.jobs import Housekeeping
from domain.orchestration.score import Evidence
from tests.http.crossing import Crossing, crossing
from tests.http.house import CLOCK, IDS, NOBODY, Json, code, problems
from tests.make import a_uuid

__all__ = ["crossing"]

PATHS = ("/routing-policy", "/routing-decisions", "/routing-health")


async def test_an_app_that_has_said_nothing_has_version_0(crossing: Crossing):
    found = await crossing.house.ok(crossing.house.app.admin, "GET", "/routing-policy")
    assert found == {
        "version": 0, "pinnedPaymentProviderUuid": None, "rules": [], "defaultOrder": [],
        "weights": {"reliability": 600, "cost": 250, "latency": 150}, "fees": [],
        "explorationPermille": 0, "createdAt": None,
    }  # fmt: skip


async def test_each_policy_is_another_version_and_the_old_ones_are_kept(crossing: Crossing):
    rule = {"name": "yen", "currencies": ["JPY"], "accounts": [crossing.komoju, crossing.mollie]}
    fee = {
        "paymentProviderUuid": crossing.mollie, "currency": "EUR", "fixed": 25, "basisPoints": 180
    }  # fmt: skip
    one = await crossing.policy(rules=[rule], fees=[fee], explorationPermille=10)
    assert one["version"] == 1
    assert one["rules"][0] == {
        **rule, "paymentMethods": [], "countries": [], "amountFrom": None, "amountTo": None,
        "split": [],
    }  # fmt: skip
    assert one["fees"] == [fee]
    again = await crossing.policy(rules=[rule], fees=[fee], explorationPermille=10)
    assert again == one  # the same again says nothing new
    two = await crossing.policy()
    assert (two["version"], two["rules"]) == (2, [])
    kept = await crossing.rows("select version from routing_policies order by version")
    assert [row["version"] for row in kept] == [1, 2]


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"pinnedPaymentProviderUuid": str(a_uuid(9))}, {"pinnedPaymentProviderUuid"}),
        ({"defaultOrder": ["$mollie", "$mollie"]}, {"defaultOrder"}),
        ({"defaultOrder": ["$other"]}, {"defaultOrder[0]"}),
        ({"weights": {"reliability": 1}}, {"weights"}),
        ({"rules": [{"name": "x"}]}, {"rules[0]"}),
        (
            {"rules": [{"name": "x", "amountTo": 5, "accounts": ["$mollie"]}]},
            {"rules[0].currencies"},
        ),
        (
            {"rules": [{"name": "x", "split": [
                {"paymentProviderUuid": "$mollie", "percent": 60},
                {"paymentProviderUuid": "$komoju", "percent": 41},
            ]}]},
            {"rules[0].split"},
        ),
        ({"fees": [{"paymentProviderUuid": "$other", "currency": "EUR"}]},
         {"fees[0].paymentProviderUuid"}),
        ({"explorationPermille": 51}, {"explorationPermille"}),
    ],
)  # fmt: skip
async def test_a_mistake_in_a_policy_names_the_field_and_changes_nothing(
    crossing: Crossing, said: Json, fields: set[str]
):
    ids = {
        "$mollie": crossing.mollie,
        "$komoju": crossing.komoju,
        "$other": crossing.house.other.ids["account"],
    }
    before = await crossing.house.rows()
    answer = await crossing.house.ask(
        crossing.house.app.admin, "PUT", "/routing-policy", known(said, ids)
    )
    assert (code(answer), problems(answer).keys()) == ("400 [E4000]", fields)
    assert await crossing.house.rows() == before


def known(said: Any, ids: dict[str, str]) -> Any:
    if isinstance(said, dict):
        return {name: known(value, ids) for name, value in said.items()}
    if isinstance(said, list):
        return [known(value, ids) for value in said]
    return ids.get(said, said)


async def test_a_decision_explains_itself(crossing: Crossing):
    rule = {"name": "yen", "currencies": ["JPY"], "accounts": [crossing.komoju]}
    await crossing.policy(rules=[rule])
    row = await crossing.opened()
    decision = await crossing.decision(row)
    assert (decision["strategy"], decision["rule"], decision["policyVersion"]) == ("rule", "yen", 1)
    assert decision["order"] == [crossing.komoju]
    assert (decision["currency"], decision["amount"], decision["country"]) == ("JPY", 1500, "AU")
    candidates = {c["provider"]: c for c in decision["candidates"]}
    assert candidates["komoju"]["eligible"] and candidates["komoju"]["reasons"] == []
    assert candidates["mollie"]["reasons"] == ["not_asked_for"]
    assert [t["state"] for t in decision["tries"]] == ["live"]
    (listed,) = (
        await crossing.house.ask(crossing.house.app.admin, "GET", "/routing-decisions")
    ).json()["items"]
    assert listed == decision


async def test_decisions_are_read_on_from_the_last_one_seen(crossing: Crossing):
    made = [(await crossing.opened())["routing"]["decisionId"] for _ in range(3)]

    async def listed(query: str) -> list[str]:
        admin = crossing.house.app.admin
        page = (await crossing.house.ask(admin, "GET", f"/routing-decisions?{query}")).json()
        return [row["uuid"] for row in page["items"]]

    assert await listed("limit=2") == [made[2], made[1]]
    assert await listed(f"after={made[1]}") == [made[0]]
    assert await listed(f"after={made[0]}") == []


async def test_a_score_is_told_with_what_it_was_made_from(crossing: Crossing):
    await crossing.opened()
    row = await crossing.opened()
    assert row["routing"]["strategy"] == "score"
    decision = await crossing.decision(row)
    selected = next(c for c in decision["candidates"] if c["provider"] ==
                    row["routing"]["selectedProvider"])  # fmt: skip
    assert selected["score"]["score"] == row["routing"]["score"]
    assert selected["score"]["created"]["all"] == pytest.approx(1, abs=0.01)
    other = next(c for c in decision["candidates"] if c != selected)
    assert other["score"]["imputed"] == ["latency"]


async def test_a_stranger_is_told_nothing(crossing: Crossing):
    row = await crossing.opened()
    await crossing.policy(explorationPermille=5)
    app, other = crossing.house.app, crossing.house.other
    decision = f"/routing-decisions/{row['routing']['decisionId']}"
    for path in (*PATHS, decision):
        assert code(await crossing.house.ask(NOBODY, "GET", path)) == "401 [E4010]"
        assert code(await crossing.house.ask(other.admin, "GET", path)) == "401 [E4010]"
        assert code(await crossing.house.ask(app.user("owner"), "GET", path)) == "403 [E4031]"
        theirs = await crossing.house.door.get(other.path(path), headers=dict(other.admin))
        if path == decision:
            assert code(theirs) == "404 [E4040]"
        else:
            assert str(crossing.mollie) not in theirs.text
    reader = app.user("guest", "providers:read")
    body = {"explorationPermille": 6}
    put = await crossing.house.ask(reader, "PUT", "/routing-policy", body)
    assert code(put) == "403 [E4031]"


class Known:
    """Puts outcomes into the tables as they would have come, and reads what routing makes of it."""

    def __init__(self, crossing: Crossing) -> None:
        self._crossing = crossing

    async def call(self, result: str, *, days_ago: float = 0, **said: Any) -> None:
        row = {"method": "card", "currency": "JPY", "took_ms": 100, "is_probe": False}
        row |= said
        await self._crossing.house.connection.execute(
            """
            insert into provider_calls (app_uuid, try_uuid, payment_provider_uuid, method, currency,
                   result, took_ms, at, is_probe)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """,
            self._crossing.house.app.app_uuid,
            IDS.new(),
            self._crossing.mollie,
            row["method"],
            row["currency"],
            result,
            row["took_ms"],
            CLOCK.now() - timedelta(days=days_ago),
            row["is_probe"],
        )

    async def paid(self, status: str, reason: str | None = None, *, days_ago: float = 0) -> None:
        row = await self._crossing.opened(provider="mollie")
        checkout = (await self._crossing.session(row))["checkoutSessionUuid"]
        await self._crossing.house.connection.execute(
            """
            update payments set status = $2, failure_reason = $3, method = 'card',
                   created_at = now() - make_interval(secs => $4)
             where checkout_session_uuid = $1::uuid
            """,
            checkout,
            status,
            reason,
            days_ago * 86_400,
        )

    async def evidence(self, method: str = "card", currency: str = "JPY") -> Evidence:
        providers, at = self._crossing.parts.providers, CLOCK.now()
        async with self._crossing.house.database.begin(self._crossing.house.app.app_uuid) as tx:
            found = await tx.routing.standings((method, currency), providers, at=at)
        return next(s.evidence for s in found if str(s.account.uuid) == self._crossing.mollie)


@pytest.fixture
def outcomes(crossing: Crossing) -> Known:
    return Known(crossing)


def near(value: Decimal) -> Decimal:
    return round(value, 2)


async def test_what_is_a_day_old_counts_half_and_what_is_a_week_old_not_at_all(outcomes: Known):
    for days_ago in (0, 1, 2, 6.9, 7.1):
        await outcomes.call("ok", days_ago=days_ago)
    await outcomes.call("failed", days_ago=1)
    created = (await outcomes.evidence()).created[-1]
    assert near(created.good) == Decimal("1.76")  # 1 + 1/2 + 1/4 + 1/119
    assert near(created.all) == Decimal("2.26")


async def test_windows_go_from_the_same_kind_to_the_whole_account(outcomes: Known):
    await outcomes.call("ok")
    await outcomes.call("ok", currency="EUR")
    await outcomes.call("failed", method="paypay")
    created = (await outcomes.evidence()).created
    assert [(near(t.good), near(t.all)) for t in created] == [(1, 1), (2, 2), (2, 3)]


async def test_busy_and_refused_calls_and_probes_say_nothing_and_failed_ones_nothing_about_speed(
    outcomes: Known,
):
    for took_ms in range(1, 101):
        await outcomes.call("ok", took_ms=took_ms)
    for result in ("busy", "refused"):
        await outcomes.call(result, took_ms=9000)
    for result in ("failed", "unreachable"):
        await outcomes.call(result, took_ms=9000)
        await outcomes.call(result, is_probe=True)
    found = await outcomes.evidence()
    assert found.p95_ms == 95
    assert (round(found.created[0].good), round(found.created[0].all)) == (100, 102)


async def test_only_what_was_paid_or_failed_by_the_providers_fault_counts(outcomes: Known):
    await outcomes.paid("paid")
    await outcomes.paid("authorized")
    await outcomes.paid("failed", "authentication_unavailable_acs")
    for status, reason in (
        ("failed", "insufficient_funds"), ("failed", None), ("open", None), ("expired", None),
        ("canceled", None), ("pending", None),
    ):  # fmt: skip
        await outcomes.paid(status, reason)
    paid = (await outcomes.evidence()).paid[0]
    assert (near(paid.good), near(paid.all)) == (2, 3)


async def test_calls_are_forgotten_when_no_decision_looks_at_them(
    crossing: Crossing, outcomes: Known
):
    for days_ago in (7.9, 8.1):
        await outcomes.call("ok", days_ago=days_ago)
    housekeeping = Housekeeping(crossing.parts.database)
    await housekeeping.claim(crossing.house.app.app_uuid, CLOCK.now())
    assert await crossing.house.count("provider_calls") == 1


async def test_nothing_is_read_of_another_app(crossing: Crossing, outcomes: Known):
    await outcomes.call("ok")
    await crossing.house.connection.execute(
        "update provider_calls set app_uuid = $1, payment_provider_uuid = $2",
        crossing.house.other.app_uuid,
        crossing.house.other.ids["account"],
    )
    assert (await outcomes.evidence()).created[-1].all == 0
