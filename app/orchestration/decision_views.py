"""A routing decision, and how an account stands, as clients see them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from app.http.envelope import Timestamp, maybe_stamp, stamp
from domain.orchestration.circuit import CircuitState
from domain.orchestration.decide import Standing
from domain.orchestration.decision import Candidate, Decision, Reason, Strategy
from domain.orchestration.payment_session import Try, TryState
from domain.orchestration.ports import KeptDecision
from domain.orchestration.score import Score, Tally

Rate = Annotated[
    Decimal,
    Meta(extra_json_schema={"examples": [0.925]}),
]


class OutcomesView(Struct, frozen=True):
    """Weighed: what is a day old counts half."""

    good: Rate
    all: Rate


class ScoreView(Struct, frozen=True, kw_only=True, rename="camel"):
    score: Rate
    created: OutcomesView
    paid: OutcomesView
    reliability: Rate
    cost: Rate | None
    latency: Rate | None
    imputed: list[str]


class CandidateView(Struct, frozen=True, kw_only=True, rename="camel"):
    payment_provider_uuid: UUID
    provider: str
    health: CircuitState
    eligible: bool
    reasons: list[Reason]
    score: ScoreView | None


class SessionTryView(Struct, frozen=True, kw_only=True, rename="camel"):
    number: int
    payment_provider_uuid: UUID
    state: TryState
    is_probe: bool
    failure: str | None
    created_at: Timestamp


class RoutingDecisionView(Struct, frozen=True, kw_only=True, rename="camel"):
    uuid: UUID
    session_id: UUID
    strategy: Strategy
    rule: str | None
    draw: int | None
    policy_version: int
    payment_method: str
    currency: str
    amount: int
    country: str | None
    order: list[UUID]
    candidates: list[CandidateView]
    tries: list[SessionTryView]
    created_at: Timestamp


class AccountHealthView(Struct, frozen=True, kw_only=True, rename="camel"):
    payment_provider_uuid: UUID
    provider: str
    title: str
    health: CircuitState
    open_until: Timestamp | None
    created: OutcomesView
    paid: OutcomesView
    p95_ms: int | None


def decision_view(kept: KeptDecision) -> RoutingDecisionView:
    decision: Decision = kept.decision
    query = decision.query
    return RoutingDecisionView(
        uuid=decision.uuid,
        session_id=kept.session_uuid,
        strategy=decision.strategy,
        rule=decision.rule,
        draw=decision.draw,
        policy_version=decision.policy_version,
        payment_method=query.method,
        currency=query.amount.currency,
        amount=query.amount.minor,
        country=query.country,
        order=list(decision.order),
        candidates=[_candidate(candidate) for candidate in decision.candidates],
        tries=[_try(one) for one in kept.tries],
        created_at=stamp(decision.at),
    )


def health_view(standing: Standing, *, at: datetime) -> AccountHealthView:
    account, circuit, evidence = standing.account, standing.circuit, standing.evidence
    health = standing.health(at)
    is_open = circuit is not None and health is CircuitState.OPEN
    return AccountHealthView(
        payment_provider_uuid=account.uuid,
        provider=account.name,
        title=account.title,
        health=health,
        open_until=maybe_stamp(circuit.open_until) if is_open and circuit is not None else None,
        created=_outcomes(evidence.created[-1]),
        paid=_outcomes(evidence.paid[-1]),
        p95_ms=evidence.p95_ms,
    )


def _candidate(candidate: Candidate) -> CandidateView:
    return CandidateView(
        payment_provider_uuid=candidate.account_uuid,
        provider=candidate.provider,
        health=candidate.health,
        eligible=not candidate.reasons,
        reasons=list(candidate.reasons),
        score=None if candidate.score is None else _score(candidate.score),
    )


def _score(score: Score) -> ScoreView:
    return ScoreView(
        score=score.score,
        created=_outcomes(score.created),
        paid=_outcomes(score.paid),
        reliability=score.reliability,
        cost=score.cost,
        latency=score.latency,
        imputed=list(score.imputed),
    )


def _outcomes(tally: Tally) -> OutcomesView:
    return OutcomesView(tally.good, tally.all)


def _try(one: Try) -> SessionTryView:
    return SessionTryView(
        number=one.number,
        payment_provider_uuid=one.account.uuid,
        state=one.state,
        is_probe=one.is_probe,
        failure=one.failure,
        created_at=stamp(one.created_at),
    )
