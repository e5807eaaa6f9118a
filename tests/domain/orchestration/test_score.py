"""The score: the worked example to its last digit, and what must hold of every score."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.orchestration.circuit import CircuitState
from domain.orchestration.routing_policy import Weights
from domain.orchestration.score import (
    PRIOR,
    Entrant,
    Evidence,
    Score,
    Tally,
    cost,
    latency,
    prudent,
    scores,
)
from tests.make import a_uuid, money
from tests.make_routing import EXAMPLE, EXAMPLE_POLICY, A, B, C, a_fee, evidence, tally


def example(**healths: CircuitState) -> dict[str, Score]:
    entrants = [
        Entrant(
            account_uuid=s.account.uuid,
            evidence=s.evidence,
            health=healths.get(name, CircuitState.CLOSED),
            fee=EXAMPLE_POLICY.fee(s.account.uuid, "EUR"),
        )
        for name, s in zip("ABC", EXAMPLE, strict=True)
    ]
    # The example has no pool: its three accounts are not all that the app has.
    outside = Entrant(account_uuid=a_uuid(9), evidence=POOL, health=CircuitState.CLOSED, fee=None)
    found = scores([*entrants, outside], Weights(), money(4900))
    return {name: found[uuid] for name, uuid in zip("ABC", (A, B, C), strict=True)}


POOL = Evidence(paid=(Tally(), tally(666, 700)))
"""With it, ninety-five of a hundred of the app's payments come to something."""


def test_the_worked_example_comes_out_to_the_last_digit():
    found = example()
    assert [str(found[name].score) for name in "ABC"] == ["84.9", "78.4", "76.2"]
    assert [str(found[n].reliability) for n in "ABC"] == ["0.9250", "0.9402", "0.9024"]
    assert [str(found[n].cost) for n in "ABC"] == ["0.6150", "0.4146", "0.4146"]
    assert [str(found[n].latency) for n in "ABC"] == ["0.9333", "0.7778", "0.7778"]
    assert found["C"].imputed == ("cost", "latency")
    assert found["A"].imputed == found["B"].imputed == ()


def test_an_account_that_is_half_open_counts_half():
    assert str(example(A=CircuitState.HALF_OPEN)["A"].score) == "42.4"


def test_pages_that_do_not_come_lower_what_is_expected_of_payments():
    failing = Evidence(created=(tally(50, 100),), paid=(tally(188, 200),))
    one, other = entrant(0, evidence(188, 200)), entrant(1, failing)
    found = scores([one, other], Weights(), money(4900))
    assert found[other.account_uuid].score < found[one.account_uuid].score


def test_the_narrowest_window_with_enough_outcomes_counts():
    windows = (tally(29, 29), tally(20, 40), tally(500, 900))
    known = Evidence(created=(tally(0, 0),), paid=windows)
    (score,) = scores([entrant(0, known)], Weights(), money(4900)).values()
    assert score.paid == tally(20, 40)


@pytest.mark.parametrize(
    ("fixed", "basis_points", "minor", "told"),
    [(25, 180, 4900, "0.6150"), (0, 0, 1, "1.0000"), (30, 0, 100, "0.0000"), (30, 0, 0, None)],
)
def test_the_fixed_part_of_a_fee_tells_on_small_amounts(fixed, basis_points, minor, told):
    found = cost(a_fee(A, fixed, basis_points), money(minor))
    assert (None if found is None else str(found)) == told


def test_speed_counts_between_half_a_second_and_five():
    assert [str(latency(ms)) for ms in (0, 500, 2750, 5000, 60_000)] == [
        "1.0000", "1.0000", "0.5000", "0.0000", "0.0000"
    ]  # fmt: skip


def test_what_is_known_of_nobody_is_left_out():
    (one, other) = scores(
        [entrant(0, evidence(95, 100)), entrant(1, evidence(90, 100))], Weights(), money(4900)
    ).values()
    assert one.cost is None and one.latency is None and one.imputed == ()
    assert one.score == round(one.reliability * 100, 1) > other.score


def test_little_evidence_is_a_lower_rate():
    assert prudent(tally(0, 0), PRIOR) < prudent(tally(95, 100), PRIOR)
    assert prudent(tally(95, 100), PRIOR) < prudent(tally(9500, 10_000), PRIOR)


def entrant(number: int, known: Evidence, fee: bool = False) -> Entrant:
    uuid = a_uuid(number)
    return Entrant(
        account_uuid=uuid,
        evidence=known,
        health=CircuitState.CLOSED,
        fee=a_fee(uuid, 10 * number, 100) if fee else None,
    )


tallies = st.tuples(st.integers(0, 5000), st.integers(0, 5000)).map(
    lambda drawn: tally(min(drawn), max(drawn))
)
known = st.builds(
    lambda created, paid, ms: Evidence(created=(created,), paid=(paid,), p95_ms=ms),
    tallies,
    tallies,
    st.one_of(st.none(), st.integers(0, 60_000)),
)
fields = st.lists(st.tuples(known, st.booleans()), min_size=1, max_size=6).map(
    lambda drawn: [entrant(number, *one) for number, one in enumerate(drawn)]
)
weights = st.integers(0, 1000).flatmap(
    lambda r: st.integers(0, 1000 - r).map(
        lambda c: Weights(reliability=r, cost=c, latency=1000 - r - c)
    )
)
amounts = st.integers(1, 10**10).map(money)


@given(fields, weights, amounts)
def test_every_score_is_from_nought_to_a_hundred(field, weights, amount):
    for score in scores(field, weights, amount).values():
        assert Decimal(0) <= score.score <= Decimal(100)


@given(fields, weights, amounts, st.randoms())
def test_the_order_of_the_accounts_changes_no_score(field, weights, amount, chance):
    shuffled = list(field)
    chance.shuffle(shuffled)
    assert scores(shuffled, weights, amount) == scores(field, weights, amount)


@given(fields, weights, amounts)
def test_what_is_not_known_is_never_better_than_what_is(field, weights, amount):
    found = list(scores(field, weights, amount).values())
    for name in ("cost", "latency"):
        told = [getattr(s, name) for s in found if name not in s.imputed]
        filled = [getattr(s, name) for s in found if name in s.imputed]
        assert all(value == min(told) for value in filled)
