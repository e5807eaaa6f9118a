"""What an app says about where its payments go. Never changed: each PUT is another version."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from msgspec import Struct

from domain.kernel.errors import Violation
from domain.kernel.money import Money
from domain.payments.payment_provider import PaymentProvider

WHOLE: Final = 1000
"""What weights add up to."""
PERCENT: Final = 100


class Weights(Struct, frozen=True, kw_only=True):
    """In thousandths."""

    reliability: int = 600
    cost: int = 250
    latency: int = 150


class Fee(Struct, frozen=True, kw_only=True):
    """What a payment costs at an account: a fixed part in minor units, and a part of the amount."""

    account_uuid: UUID
    currency: str
    fixed_minor: int
    basis_points: int


class Share(Struct, frozen=True):
    account_uuid: UUID
    percent: int


class Rule(Struct, frozen=True, kw_only=True):
    """The first that matches decides. What is empty, or None, matches everything."""

    name: str
    currencies: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    """Of the billing address."""
    amount_from: int | None = None
    amount_to: int | None = None
    """In minor units, both included; only with a single currency."""
    accounts: tuple[UUID, ...] = ()
    """In order; or else `split`."""
    split: tuple[Share, ...] = ()

    def matches(self, amount: Money, method: str, country: str | None) -> bool:
        return (
            (not self.currencies or amount.currency in self.currencies)
            and (not self.methods or method in self.methods)
            and (not self.countries or country in self.countries)
            and (self.amount_from is None or amount.minor >= self.amount_from)
            and (self.amount_to is None or amount.minor <= self.amount_to)
        )

    @property
    def names(self) -> tuple[UUID, ...]:
        return self.accounts or tuple(share.account_uuid for share in self.split)


class RoutingPolicy(Struct, frozen=True, kw_only=True):
    version: int = 0
    """0: the app has said nothing."""
    pinned: UUID | None = None
    """The account for everything: nothing else is then looked at."""
    rules: tuple[Rule, ...] = ()
    default_order: tuple[UUID, ...] = ()
    """Which accounts take part where no rule says it, the preferred first. Empty: those that are
    the default of their provider."""
    weights: Weights = Weights()
    fees: tuple[Fee, ...] = ()
    exploration_permille: int = 0
    created_at: datetime | None = None

    def fee(self, account_uuid: UUID, currency: str) -> Fee | None:
        wanted = (account_uuid, currency)
        return next((f for f in self.fees if (f.account_uuid, f.currency) == wanted), None)

    def rule_for(self, amount: Money, method: str, country: str | None) -> Rule | None:
        return next((rule for rule in self.rules if rule.matches(amount, method, country)), None)


class RoutingPolicies(Protocol):
    async def current(self) -> RoutingPolicy: ...

    async def lock(self) -> RoutingPolicy:
        """The current one, while nobody else makes another."""
        ...

    async def add(self, policy: RoutingPolicy) -> None: ...


def mistakes(
    policy: RoutingPolicy, accounts: Mapping[UUID, PaymentProvider]
) -> Iterator[Violation]:
    """What no type can say. `accounts`: those of the app that are in use."""
    for field, uuid in _named(policy):
        if uuid not in accounts:
            yield Violation("no such payment provider", field)
    weights = policy.weights
    if weights.reliability + weights.cost + weights.latency != WHOLE:
        yield Violation(f"must add up to {WHOLE}", "weights")
    if len(set(policy.default_order)) < len(policy.default_order):
        yield Violation("names an account twice", "defaultOrder")
    if _modes(policy.default_order, accounts) > 1:
        yield Violation("mixes test and live accounts", "defaultOrder")
    if len({(fee.account_uuid, fee.currency) for fee in policy.fees}) < len(policy.fees):
        yield Violation("names an account and a currency twice", "fees")
    for index, rule in enumerate(policy.rules):
        yield from _rule_mistakes(rule, f"rules[{index}]", accounts)


def _rule_mistakes(
    rule: Rule, field: str, accounts: Mapping[UUID, PaymentProvider]
) -> Iterator[Violation]:
    if bool(rule.accounts) is bool(rule.split):
        yield Violation("needs either accounts or a split", field)
    if len(set(rule.names)) < len(rule.names):
        yield Violation("names an account twice", field)
    if _modes(rule.names, accounts) > 1:
        yield Violation("mixes test and live accounts", field)
    if rule.split and sum(share.percent for share in rule.split) != PERCENT:
        yield Violation(f"must add up to {PERCENT}", f"{field}.split")
    has_amount = rule.amount_from is not None or rule.amount_to is not None
    if has_amount and len(rule.currencies) != 1:
        yield Violation("amounts need exactly one currency", f"{field}.currencies")


def _named(policy: RoutingPolicy) -> Iterator[tuple[str, UUID]]:
    if policy.pinned is not None:
        yield "pinnedPaymentProviderUuid", policy.pinned
    for index, uuid in enumerate(policy.default_order):
        yield f"defaultOrder[{index}]", uuid
    for index, fee in enumerate(policy.fees):
        yield f"fees[{index}].paymentProviderUuid", fee.account_uuid
    for index, rule in enumerate(policy.rules):
        for place, uuid in enumerate(rule.names):
            yield f"rules[{index}].{'accounts' if rule.accounts else 'split'}[{place}]", uuid


def _modes(uuids: tuple[UUID, ...], accounts: Mapping[UUID, PaymentProvider]) -> int:
    return len({accounts[uuid].mode for uuid in uuids if uuid in accounts})
