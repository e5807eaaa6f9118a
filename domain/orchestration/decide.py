"""Chooses an account for a payment. Pure; chance comes in as a number.

First what is possible at all, then who has the say: a pin, the first rule that matches, the score,
the default order. A score is never bent to force an order.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.errors import ProviderUnavailable, Refused
from domain.orchestration.circuit import Circuit, CircuitState
from domain.orchestration.decision import (
    AWAY,
    OF_HEALTH,
    PASSES,
    Candidate,
    Decision,
    Query,
    Reason,
    Strategy,
)
from domain.orchestration.routing_policy import RoutingPolicy, Rule, Share
from domain.orchestration.score import Entrant, Evidence, Score, scores
from domain.payments.payment_provider import PaymentProvider, ProviderMode
from domain.payments.ports import Providers

DRAWS: Final = 10_000
_PERMILLE: Final = DRAWS // 1000


class Standing(Struct, frozen=True, kw_only=True):
    """An account in use, and how it stands."""

    account: PaymentProvider
    circuit: Circuit | None
    """None: it has never opened."""
    evidence: Evidence = Evidence()

    def health(self, at: datetime) -> CircuitState:
        return (
            CircuitState.CLOSED
            if self.circuit is None
            else self.circuit.health(self.account, at=at)
        )


class Situation(Struct, frozen=True, kw_only=True):
    policy: RoutingPolicy
    standings: tuple[Standing, ...]
    at: datetime


class NoEligibleProvider(Refused):
    """No account can take it. The app's settings can heal that, so a retry is another try."""

    code = "no_eligible_provider"


class _Pool(Struct, frozen=True):
    """Who takes part, and because of what."""

    uuids: tuple[UUID, ...]
    strategy: Strategy | None = None
    """None: whoever is best."""
    rule: Rule | None = None


def decide(
    query: Query, situation: Situation, providers: Providers, *, uuid: UUID, draw: int
) -> Decision:
    """Raises Refused for a pin that is not the app's, NoEligibleProvider, and ProviderUnavailable
    when circuits are all that is in the way."""
    policy = situation.policy
    standings = sorted(situation.standings, key=lambda s: s.account.uuid)
    pool = _pool(query, policy, standings)
    reasons = _reasons(query, pool, standings, providers, situation.at)
    eligible = [s for s in standings if not reasons[s.account.uuid]]
    if not eligible:
        raise _nobody(pool, reasons, standings)
    entrants = [
        Entrant(
            account_uuid=s.account.uuid,
            evidence=s.evidence,
            health=s.health(situation.at),
            fee=policy.fee(s.account.uuid, query.amount.currency),
        )
        for s in eligible
    ]
    ranked = scores(entrants, policy.weights, query.amount) if pool.strategy is None else {}
    strategy, order, has_drawn = _choose(pool, policy, entrants, ranked, draw)
    if strategy is Strategy.FALLBACK:
        ranked = {}
    return Decision(
        uuid=uuid,
        query=query,
        policy_version=policy.version,
        strategy=strategy,
        rule=None if pool.rule is None else pool.rule.name,
        draw=draw if has_drawn else None,
        candidates=tuple(
            Candidate(
                account_uuid=s.account.uuid,
                provider=s.account.name,
                health=s.health(situation.at),
                reasons=reasons[s.account.uuid],
                score=ranked.get(s.account.uuid),
            )
            for s in standings
        ),
        order=order,
        at=situation.at,
    )


def held(situation: Situation, account_uuid: UUID, *, until: datetime) -> Situation:
    """The same, with somebody else's probe under way at that account."""
    standings = tuple(
        replace(s, circuit=replace(s.circuit, probe_until=until))
        if s.account.uuid == account_uuid and s.circuit is not None
        else s
        for s in situation.standings
    )
    return replace(situation, standings=standings)


def _pool(query: Query, policy: RoutingPolicy, standings: Sequence[Standing]) -> _Pool:
    known = {s.account.uuid for s in standings}
    defaults = [s.account for s in standings if s.account.is_default]
    if query.pinned is not None and query.pinned not in known:
        raise Refused("no such payment provider", field="paymentProviderUuid")
    if query.pinned is not None:
        return _Pool((query.pinned,), Strategy.PINNED)
    if query.provider is not None:
        named = tuple(a.uuid for a in defaults if a.name is query.provider)
        return _Pool(named, Strategy.PINNED)
    if policy.pinned is not None:
        return _Pool((policy.pinned,), Strategy.PINNED)
    rule = policy.rule_for(query.amount, query.method, query.country)
    if rule is not None:
        return _Pool(rule.names, Strategy.SPLIT if rule.split else Strategy.RULE, rule)
    return _Pool(policy.default_order or tuple(a.uuid for a in defaults))


def _reasons(
    query: Query,
    pool: _Pool,
    standings: Sequence[Standing],
    providers: Providers,
    at: datetime,
) -> Mapping[UUID, tuple[Reason, ...]]:
    found = {s.account.uuid: _why_not(query, pool, s, providers, at) for s in standings}
    # Who is only away now is a candidate all the same: an outage must not bring in play money.
    modes = {s.account.mode for s in standings if AWAY.issuperset(found[s.account.uuid])}
    if len(modes) > 1:
        return {
            uuid: (*reasons, Reason.MIXED_MODES) if AWAY.issuperset(reasons) else reasons
            for uuid, reasons in found.items()
        }
    return found


def _why_not(
    query: Query, pool: _Pool, standing: Standing, providers: Providers, at: datetime
) -> tuple[Reason, ...]:
    account = standing.account
    provider = providers[account.name]
    health = standing.health(at)
    reasons = (
        (Reason.NOT_ASKED_FOR, account.uuid not in pool.uuids),
        (Reason.NOT_CONNECTED, not account.can_be_paid),
        (Reason.METHOD, query.method not in provider.payment_methods),
        (Reason.CURRENCY, query.amount.currency not in provider.currencies),
        (Reason.TEST_CLOCK, query.is_on_test_clock and account.mode is ProviderMode.LIVE),
    )
    why = tuple(reason for reason, holds in reasons if holds)
    return (*why, OF_HEALTH[health]) if health in OF_HEALTH else why


def _nobody(
    pool: _Pool, reasons: Mapping[UUID, tuple[Reason, ...]], standings: Sequence[Standing]
) -> NoEligibleProvider | ProviderUnavailable:
    asked = [s for s in standings if s.account.uuid in pool.uuids]
    if any(PASSES.issuperset(reasons[s.account.uuid]) for s in asked):
        return ProviderUnavailable("the payment providers have not answered lately: try again")
    told = "; ".join(f"{s.account.title}: {', '.join(reasons[s.account.uuid])}" for s in asked)
    return NoEligibleProvider(f"no payment provider can take this ({told or 'there is none'})")


def _choose(
    pool: _Pool,
    policy: RoutingPolicy,
    entrants: Sequence[Entrant],
    ranked: Mapping[UUID, Score],
    draw: int,
) -> tuple[Strategy, tuple[UUID, ...], bool]:
    """How, in which order, and whether chance had a say."""
    preferred = [uuid for uuid in pool.uuids if uuid in {e.account_uuid for e in entrants}]
    match pool.strategy:
        case Strategy.SPLIT:
            assert pool.rule is not None
            return Strategy.SPLIT, _drawn(pool.rule.split, preferred, draw), True
        case Strategy.PINNED | Strategy.RULE as strategy:
            return strategy, tuple(preferred), False
        case _ if len(preferred) == 1:
            return Strategy.SINGLE, tuple(preferred), False
    is_founded = any(score.is_founded for score in ranked.values())
    if is_founded:
        preferred.sort(key=lambda uuid: -ranked[uuid].score)  # a stable sort: ties stay in order
    healths = {e.account_uuid: e.health for e in entrants}
    probes = [uuid for uuid in preferred if healths[uuid] is CircuitState.HALF_OPEN]
    if probes:
        return Strategy.PROBE, _first(probes[0], preferred), False
    if not is_founded:
        return Strategy.FALLBACK, tuple(preferred), False
    draws = policy.exploration_permille * _PERMILLE
    if draw < draws:
        explored = preferred[draw * len(preferred) // draws]
        return Strategy.EXPLORATION, _first(explored, preferred), True
    return Strategy.SCORE, tuple(preferred), draws > 0


def _first(uuid: UUID, others: Sequence[UUID]) -> tuple[UUID, ...]:
    return (uuid, *(other for other in others if other != uuid))


def _drawn(split: Sequence[Share], eligible: Sequence[UUID], draw: int) -> tuple[UUID, ...]:
    """By its share among those that are eligible; then those with the larger shares."""
    shares = [share for share in split if share.account_uuid in eligible]
    place = draw * sum(share.percent for share in shares) // DRAWS
    reached, chosen = 0, shares[-1]
    for share in shares:
        reached += share.percent
        if place < reached:
            chosen = share
            break
    by_size = sorted(shares, key=lambda share: -share.percent)
    return _first(chosen.account_uuid, [share.account_uuid for share in by_size])
