"""A routing decision as it is kept: every candidate, why or why not, and what it was judged by."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from domain.kernel.money import Money
from domain.orchestration.circuit import CircuitState
from domain.orchestration.score import Score
from domain.payments.payment_provider import ProviderName


class Strategy(StrEnum):
    """What the choice followed from, in the order of authority."""

    PINNED = "pinned"
    """The request, or the app's policy, names the account."""
    RULE = "rule"
    SPLIT = "split"
    SINGLE = "single"
    """Nothing else was eligible."""
    PROBE = "probe"
    """The one request that finds out whether an account answers again."""
    EXPLORATION = "exploration"
    SCORE = "score"
    FALLBACK = "fallback"
    """Nothing was known of any account: the policy's order, or the oldest."""


class Reason(StrEnum):
    """Why an account was not eligible."""

    NOT_ASKED_FOR = "not_asked_for"
    """The pin, the rule or the default order names others."""
    NOT_CONNECTED = "not_connected"
    """Its merchant does not let us in: to be connected, or connected again."""
    METHOD = "method"
    CURRENCY = "currency"
    TEST_CLOCK = "test_clock"
    """A live account, and a tenant for whom months pass in seconds."""
    MIXED_MODES = "mixed_modes"
    """Test and live accounts are candidates together: play money must not pay for real things."""
    OPEN = "circuit_open"
    PROBING = "circuit_probing"
    MISCONFIGURED = "misconfigured"
    """Its credential was refused. Give it again, or another one."""


OF_HEALTH = {
    CircuitState.OPEN: Reason.OPEN,
    CircuitState.PROBING: Reason.PROBING,
    CircuitState.MISCONFIGURED: Reason.MISCONFIGURED,
}
PASSES = frozenset({Reason.OPEN, Reason.PROBING})
"""Goes away by itself."""
AWAY = PASSES | {Reason.MISCONFIGURED, Reason.NOT_CONNECTED}
"""It could take the payment, were it well."""


class Query(Struct, frozen=True, kw_only=True):
    """What is to be paid, as far as routing looks at it."""

    method: str
    amount: Money
    country: str | None = None
    pinned: UUID | None = None
    provider: ProviderName | None = None
    """The default account of this provider, and no other."""
    is_on_test_clock: bool = False


class Candidate(Struct, frozen=True, kw_only=True):
    account_uuid: UUID
    provider: ProviderName
    health: CircuitState
    reasons: tuple[Reason, ...] = ()
    """Why not; none: it was eligible."""
    score: Score | None = None
    """None where it was not compared."""


class Decision(Struct, frozen=True, kw_only=True):
    uuid: UUID
    query: Query
    policy_version: int
    strategy: Strategy
    rule: str | None = None
    draw: int | None = None
    """Of ten thousand; None: chance had no say."""
    candidates: tuple[Candidate, ...]
    order: tuple[UUID, ...]
    """The eligible ones, the selected first: where a technical failure leads next."""
    at: datetime

    @property
    def selected(self) -> UUID:
        return self.order[0]

    def candidate(self, account_uuid: UUID) -> Candidate:
        return next(c for c in self.candidates if c.account_uuid == account_uuid)

    def score_of(self, account_uuid: UUID) -> Decimal | None:
        """Its own, whatever it was selected for."""
        score = self.candidate(account_uuid).score
        return None if score is None else score.score

    @property
    def may_fail_over(self) -> bool:
        return self.strategy is not Strategy.PINNED
