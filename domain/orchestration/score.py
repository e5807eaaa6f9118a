"""How suitable an account is for a payment, from 0 to 100: reliability, cost and speed weighed.

Pure, and exact decimals throughout. The number compares accounts at one moment; it is no
probability that a payer succeeds. What is not known never helps: it counts as the worst of what is
known about the others.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from uuid import UUID

from msgspec import Struct

from domain.kernel.money import Money
from domain.orchestration.circuit import CircuitState
from domain.orchestration.routing_policy import Fee, Weights

SAMPLE_MIN: Final = 30
"""With fewer outcomes a wider window is looked through."""
PRIOR: Final = Decimal("0.95")
PRIOR_WEIGHT: Final = 20
FAST_MS: Final = 500
SLOW_MS: Final = 5000
DEAR: Final = Decimal("0.06")
"""The part of an amount that a fee may take before it is as dear as can be."""
HEALTHY: Final[Mapping[CircuitState, Decimal]] = {
    CircuitState.CLOSED: Decimal(1),
    CircuitState.HALF_OPEN: Decimal("0.5"),
}
_ZERO, _ONE = Decimal(0), Decimal(1)


class Tally(Struct, frozen=True):
    """Outcomes, those of yesterday counting half."""

    good: Decimal = _ZERO
    all: Decimal = _ZERO


class Evidence(Struct, frozen=True, kw_only=True):
    """What has come of an account's payments in seven days. Tallies from the narrowest window to
    the widest: its method and currency, its method, all of the account."""

    created: tuple[Tally, ...] = (Tally(),)
    """Payment pages: given, of those asked for."""
    paid: tuple[Tally, ...] = (Tally(),)
    """Payments: paid, of those that were paid or failed by the provider's own fault."""
    p95_ms: int | None = None
    """Of the calls that were answered."""


class Entrant(Struct, frozen=True, kw_only=True):
    account_uuid: UUID
    evidence: Evidence
    health: CircuitState
    fee: Fee | None


class Score(Struct, frozen=True, kw_only=True):
    """With all that it was made from."""

    account_uuid: UUID
    score: Decimal
    created: Tally
    paid: Tally
    reliability: Decimal
    cost: Decimal | None
    latency: Decimal | None
    imputed: tuple[str, ...]
    """Components that are the worst known of the others."""

    @property
    def is_founded(self) -> bool:
        """Anything at all is known of the account."""
        known = {"cost": self.cost, "latency": self.latency}
        return bool(self.created.all or self.paid.all) or any(
            value is not None and name not in self.imputed for name, value in known.items()
        )


def scores(entrants: Sequence[Entrant], weights: Weights, amount: Money) -> dict[UUID, Score]:
    prior = _pooled(entrant.evidence.paid[-1] for entrant in entrants)
    costs = {e.account_uuid: cost(e.fee, amount) for e in entrants}
    latencies = {e.account_uuid: latency(e.evidence.p95_ms) for e in entrants}
    worst = {"cost": _worst(costs), "latency": _worst(latencies)}
    return {e.account_uuid: _score(e, weights, prior, (costs, latencies), worst) for e in entrants}


def _score(
    entrant: Entrant,
    weights: Weights,
    prior: Decimal,
    known: tuple[Mapping[UUID, Decimal | None], Mapping[UUID, Decimal | None]],
    worst: Mapping[str, Decimal | None],
) -> Score:
    uuid = entrant.account_uuid
    created, paid = _narrowest(entrant.evidence.created), _narrowest(entrant.evidence.paid)
    # A call is expected to come through: how many do lowers what is expected of payments.
    reliable = prudent(created, _ONE) * prudent(paid, prior)
    costs, latencies = known
    own = {"cost": costs[uuid], "latency": latencies[uuid]}
    filled = {name: worst[name] if value is None else value for name, value in own.items()}
    beside = ((weights.cost, filled["cost"]), (weights.latency, filled["latency"]))
    parts = [(weights.reliability, reliable), *((w, v) for w, v in beside if v is not None)]
    total = sum(weight for weight, _ in parts)
    weighed = sum((weight * value for weight, value in parts), _ZERO) / total if total else _ZERO
    return Score(
        account_uuid=uuid,
        score=rounded(100 * HEALTHY.get(entrant.health, _ZERO) * weighed, "0.1"),
        created=created,
        paid=paid,
        reliability=rounded(reliable, "0.0001"),
        cost=filled["cost"],
        latency=filled["latency"],
        imputed=tuple(n for n, v in own.items() if v is None and filled[n] is not None),
    )


def prudent(tally: Tally, prior: Decimal) -> Decimal:
    """The lower end of what the rate may be: little evidence, lower rate."""
    n = tally.all + PRIOR_WEIGHT
    mean = (tally.good + PRIOR_WEIGHT * prior) / n
    return max(mean - (max(mean * (1 - mean), _ZERO) / (n + 1)).sqrt(), _ZERO)


def cost(fee: Fee | None, amount: Money) -> Decimal | None:
    if fee is None or not amount.minor:
        return None
    taken = Decimal(fee.fixed_minor) + Decimal(fee.basis_points * amount.minor) / 10_000
    return rounded(_clamped(1 - taken / amount.minor / DEAR), "0.0001")


def latency(p95_ms: int | None) -> Decimal | None:
    if p95_ms is None:
        return None
    return rounded(_clamped(1 - Decimal(p95_ms - FAST_MS) / (SLOW_MS - FAST_MS)), "0.0001")


def rounded(value: Decimal, step: str) -> Decimal:
    return value.quantize(Decimal(step), ROUND_HALF_UP)


def _pooled(tallies: Iterable[Tally]) -> Decimal:
    """What the app's payments come to on the whole, where that says anything."""
    known = list(tallies)
    n = sum((tally.all for tally in known), _ZERO)
    return sum((tally.good for tally in known), _ZERO) / n if n >= SAMPLE_MIN else PRIOR


def _narrowest(windows: Sequence[Tally]) -> Tally:
    return next((tally for tally in windows if tally.all >= SAMPLE_MIN), windows[-1])


def _worst(values: Mapping[UUID, Decimal | None]) -> Decimal | None:
    return min((value for value in values.values() if value is not None), default=None)


def _clamped(value: Decimal) -> Decimal:
    return min(max(value, _ZERO), _ONE)
