"""Choosing an account: who is possible, who has the say, and what is written down of it."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from domain.kernel.errors import ProviderUnavailable, Refused
from domain.orchestration.circuit import Circuit
from domain.orchestration.decide import NoEligibleProvider
from domain.orchestration.decision import Reason, Strategy
from domain.orchestration.routing_policy import RoutingPolicy, Rule, Share
from domain.payments.payment_provider import ProviderMode, ProviderName
from tests.fakes.clock import NOON
from tests.make import a_uuid
from tests.make_routing import (
    EXAMPLE,
    EXAMPLE_POLICY,
    A,
    B,
    C,
    chosen,
    evidence,
    half_open,
    providers,
    standing,
)

KOMOJU = ProviderName.KOMOJU


def policy(**said: Any) -> RoutingPolicy:
    return replace(EXAMPLE_POLICY, **said)


def a_rule(**said: Any) -> Rule:
    return Rule(**{"name": "a rule", **said})


def opened(uuid) -> Circuit:
    return replace(half_open(uuid), open_until=NOON.replace(year=NOON.year + 1))


def test_the_best_score_is_selected_and_every_candidate_is_in_the_record():
    decision = chosen()
    assert (decision.strategy, decision.order) == (Strategy.SCORE, (A, B, C))
    assert decision.policy_version == 3
    assert [c.account_uuid for c in decision.candidates] == [A, B, C]
    assert all(c.score is not None and c.reasons == () for c in decision.candidates)
    assert decision.score_of(A) == decision.candidates[0].score.score > Decimal(80)


def test_the_order_in_which_accounts_are_found_decides_nothing():
    found = [chosen(*standings) for standings in permutations(EXAMPLE)]
    assert all(decision == found[0] for decision in found)


def test_a_half_open_account_is_probed_by_one_and_its_score_stays_the_true_one():
    a = replace(EXAMPLE[0], circuit=half_open(A))
    decision = chosen(a, *EXAMPLE[1:])
    assert (decision.strategy, decision.order) == (Strategy.PROBE, (A, B, C))
    assert decision.score_of(A) < Decimal(50) < decision.score_of(B)


def test_while_another_probes_it_the_next_best_is_selected():
    circuit = replace(half_open(A), probe_uuid=a_uuid(1), probe_until=opened(A).open_until)
    decision = chosen(replace(EXAMPLE[0], circuit=circuit), *EXAMPLE[1:])
    assert (decision.strategy, decision.selected) == (Strategy.SCORE, B)
    assert decision.candidate(A).reasons == (Reason.PROBING,)


@pytest.mark.parametrize(
    ("said", "known", "asked", "reason"),
    [
        ({}, {"payment_methods": frozenset({"konbini"})}, {}, Reason.METHOD),
        ({}, {"currencies": frozenset({"JPY"})}, {}, Reason.CURRENCY),
        ({"circuit": opened(B)}, {}, {}, Reason.OPEN),
        ({"mode": ProviderMode.LIVE}, {}, {"is_on_test_clock": True}, Reason.TEST_CLOCK),
    ],
)
def test_what_cannot_take_it_is_left_out_and_the_record_says_why(said, known, asked, reason):
    a = standing(A, evidence(95, 100), name=ProviderName.MOLLIE)
    decision = chosen(a, standing(B, name=KOMOJU, **said), known=providers(**known), **asked)
    assert (decision.strategy, decision.order) == (Strategy.SINGLE, (A,))
    assert decision.candidate(B).reasons == (reason,)
    assert decision.candidate(B).score is None
    assert decision.score_of(A) is not None


def test_play_money_never_competes_with_the_real_thing():
    live = standing(B, mode=ProviderMode.LIVE)
    with pytest.raises(NoEligibleProvider, match="mixed_modes"):
        chosen(standing(A), live)


@pytest.mark.parametrize(
    ("away", "reason"),
    [({"circuit": opened(B)}, "circuit_open"), ({"is_connected": False}, "not_connected")],
)
def test_play_money_does_not_stand_in_for_a_live_account_that_is_away(away, reason):
    live = standing(B, mode=ProviderMode.LIVE, **away)
    with pytest.raises(NoEligibleProvider, match=f"{reason}, mixed_modes"):
        chosen(standing(A), live)


def test_nobody_who_can_take_it_is_a_refusal_that_says_why_for_each():
    with pytest.raises(NoEligibleProvider, match="Account a0: currency; Account a1: currency"):
        chosen(
            standing(A, name=KOMOJU),
            standing(B, name=KOMOJU),
            known=providers(currencies=frozenset({"JPY"})),
        )
    with pytest.raises(NoEligibleProvider, match="there is none"):
        chosen(standing(A, is_default=False), policy=RoutingPolicy())


def test_when_only_circuits_are_in_the_way_it_is_worth_coming_again():
    with pytest.raises(ProviderUnavailable):
        chosen(standing(A, circuit=opened(A)), standing(B, circuit=opened(B)))


def test_without_a_policy_the_default_accounts_take_part():
    decision = chosen(
        standing(A, evidence(9, 10)),
        standing(B, evidence(10, 10), is_default=False),
        policy=RoutingPolicy(),
    )
    assert decision.order == (A,)
    assert decision.candidate(B).reasons == (Reason.NOT_ASKED_FOR,)


def test_where_nothing_is_known_the_default_order_decides_and_no_score_is_told():
    decision = chosen(standing(A), standing(B), policy=policy(default_order=(B, A), fees=()))
    assert (decision.strategy, decision.order) == (Strategy.FALLBACK, (B, A))
    assert decision.score_of(B) is None


def test_accounts_that_are_as_good_stay_in_the_configured_order():
    same = evidence(95, 100, 700)
    decision = chosen(
        standing(A, same), standing(B, same), policy=policy(default_order=(B, A), fees=())
    )
    assert (decision.strategy, decision.order) == (Strategy.SCORE, (B, A))


def test_a_pin_goes_before_everything_and_leads_nowhere_else():
    ruled = policy(rules=(a_rule(accounts=(A,)),), pinned=C)
    for said, uuid in (({"pinned": B}, B), ({}, C)):
        decision = chosen(policy=ruled, **said)
        assert (decision.strategy, decision.order) == (Strategy.PINNED, (uuid,))
        assert not decision.may_fail_over
        assert decision.score_of(uuid) is None
    named = chosen(standing(A), standing(B, name=KOMOJU), provider=KOMOJU)
    assert named.order == (B,)


def test_a_pin_to_nothing_of_the_apps_is_refused():
    with pytest.raises(Refused) as refused:
        chosen(pinned=a_uuid(9))
    assert refused.value.field == "paymentProviderUuid"


def test_a_pinned_account_that_is_down_is_waited_for():
    with pytest.raises(ProviderUnavailable):
        chosen(replace(EXAMPLE[0], circuit=opened(A)), *EXAMPLE[1:], pinned=A)


def test_the_first_rule_that_matches_names_the_order():
    rules = (
        a_rule(name="yen", currencies=("JPY",), accounts=(C,)),
        a_rule(name="large", currencies=("EUR",), amount_from=4900, accounts=(C, A)),
        a_rule(name="rest", accounts=(B,)),
    )
    large = chosen(policy=policy(rules=rules))
    assert (large.strategy, large.rule, large.order) == (Strategy.RULE, "large", (C, A))
    assert large.candidate(B).reasons == (Reason.NOT_ASKED_FOR,)
    assert large.may_fail_over
    rest = chosen(policy=policy(rules=rules), amount=replace(large.query.amount, minor=4899))
    assert (rest.rule, rest.order) == ("rest", (B,))


@pytest.mark.parametrize(
    ("match", "said", "matches"),
    [
        ({"methods": ("card",)}, {}, True),
        ({"methods": ("konbini",)}, {}, False),
        ({"countries": ("AU",)}, {"country": "AU"}, True),
        ({"countries": ("AU",)}, {"country": None}, False),
        ({"currencies": ("EUR",), "amount_to": 4900}, {}, True),
        ({"currencies": ("EUR",), "amount_to": 4899}, {}, False),
    ],
)
def test_what_a_rule_says_must_all_be_so(match, said, matches):
    decision = chosen(policy=policy(rules=(a_rule(accounts=(C,), **match),)), **said)
    assert (decision.rule == "a rule") is matches


def test_a_rules_list_goes_through_what_is_possible_too():
    ruled = policy(rules=(a_rule(accounts=(A, B)),))
    decision = chosen(replace(EXAMPLE[0], circuit=opened(A)), *EXAMPLE[1:], policy=ruled)
    assert decision.order == (B,)


def test_a_split_follows_its_shares_and_the_rest_is_where_it_leads_next():
    split = a_rule(split=(Share(A, 10), Share(B, 60), Share(C, 30)))
    found = [chosen(policy=policy(rules=(split,)), draw=draw).order for draw in range(10_000)]
    counts = {uuid: sum(order[0] == uuid for order in found) for uuid in (A, B, C)}
    assert counts == {A: 1000, B: 6000, C: 3000}
    assert {order for order in found if order[0] == A} == {(A, B, C)}
    assert chosen(policy=policy(rules=(split,)), draw=17).draw == 17


def test_what_is_not_possible_leaves_its_share_to_the_others():
    split = policy(rules=(a_rule(split=(Share(A, 50), Share(B, 25), Share(C, 25))),))
    standings = (replace(EXAMPLE[0], circuit=opened(A)), *EXAMPLE[1:])
    found = [chosen(*standings, policy=split, draw=d).selected for d in range(10_000)]
    assert (found.count(B), found.count(C)) == (5000, 5000)


def test_exploring_is_off_and_when_on_as_seldom_as_was_said():
    assert all(chosen(draw=d).strategy is Strategy.SCORE for d in range(0, 10_000, 7))
    curious = policy(exploration_permille=50)
    found = [chosen(policy=curious, draw=d) for d in range(10_000)]
    explored = [d for d in found if d.strategy is Strategy.EXPLORATION]
    assert len(explored) == 500
    assert {d.selected for d in explored} == {A, B, C}
    assert all(d.score_of(d.selected) == found[-1].score_of(d.selected) for d in explored)
