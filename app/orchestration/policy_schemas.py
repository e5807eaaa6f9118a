"""Routing policies, decisions and the health of accounts, as clients see them."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from app.http.bodies import Body
from app.http.envelope import Timestamp, maybe_stamp
from app.http.fields import AMOUNT_MAX, CurrencyCode
from domain.orchestration.routing_policy import Fee, RoutingPolicy, Rule, Share, Weights
from domain.payments.ports import ShopperMethod

Accounts = Annotated[
    list[UUID], Meta(max_length=20, description="Accounts at payment providers, in order")
]
MinorAmount = Annotated[int, Meta(ge=0, le=AMOUNT_MAX, description="In minor units, included")]


class WeightsBody(Body, frozen=True, kw_only=True):
    """In thousandths: together 1000."""

    reliability: Annotated[int, Meta(ge=0, le=1000, description="How often it works")] = 600
    cost: Annotated[int, Meta(ge=0, le=1000, description="What it takes")] = 250
    latency: Annotated[int, Meta(ge=0, le=1000, description="How soon it answers")] = 150


class FeeBody(Body, frozen=True, kw_only=True):
    """What an account takes of a payment."""

    payment_provider_uuid: UUID
    currency: CurrencyCode
    fixed: Annotated[
        int, Meta(ge=0, le=AMOUNT_MAX, description="In minor units", examples=[25])
    ] = 0
    basis_points: Annotated[
        int, Meta(ge=0, le=10_000, description="Hundredths of a per cent", examples=[180])
    ] = 0


class ShareBody(Body, frozen=True, kw_only=True):
    payment_provider_uuid: UUID
    percent: Annotated[int, Meta(ge=1, le=100, description="Of the payments", examples=[100])]


class RuleBody(Body, frozen=True, kw_only=True):
    """What is left out, or empty, matches everything. It names `accounts`, or a `split`."""

    name: Annotated[
        str, Meta(min_length=1, max_length=100, description="For the record", examples=["Japan"])
    ]
    currencies: Annotated[
        list[CurrencyCode], Meta(max_length=50, description="ISO 4217", examples=[["JPY"]])
    ] = msgspec.field(default_factory=list)
    payment_methods: Annotated[
        list[ShopperMethod], Meta(description="How the shopper pays", examples=[["card"]])
    ] = msgspec.field(default_factory=list)
    countries: Annotated[
        list[Annotated[str, Meta(pattern="^[A-Z]{2}$", max_length=2)]],
        Meta(max_length=250, description="Of the billing address", examples=[["JP"]]),
    ] = msgspec.field(default_factory=list)
    amount_from: MinorAmount | None = None
    amount_to: MinorAmount | None = None
    accounts: Accounts = msgspec.field(default_factory=list)
    split: Annotated[
        list[ShareBody], Meta(max_length=20, description="Shares by chance: together 100")
    ] = msgspec.field(default_factory=list)

    def rule(self) -> Rule:
        return Rule(
            name=self.name,
            currencies=tuple(self.currencies),
            methods=tuple(self.payment_methods),
            countries=tuple(self.countries),
            amount_from=self.amount_from,
            amount_to=self.amount_to,
            accounts=tuple(self.accounts),
            split=tuple(Share(s.payment_provider_uuid, s.percent) for s in self.split),
        )


class RoutingPolicyBody(Body, frozen=True, kw_only=True):
    """The whole policy: what is left out is as if nothing had been said of it."""

    pinned_payment_provider_uuid: Annotated[
        UUID | None, Meta(description="The account for everything, with no fail-over; null: none")
    ] = None
    routing_rules: Annotated[
        list[RuleBody], Meta(max_length=50, description="The first that matches decides")
    ] = msgspec.field(default_factory=list, name="rules")
    default_order: Annotated[
        Accounts,
        Meta(
            description="Who takes part where no rule says it, the preferred first; empty: the "
            "default accounts"
        ),
    ] = msgspec.field(default_factory=list)
    weights: Annotated[WeightsBody, Meta(description="Of the score's parts")] = WeightsBody()
    fees: Annotated[list[FeeBody], Meta(max_length=200, description="What accounts take")] = (
        msgspec.field(default_factory=list)
    )
    exploration_permille: Annotated[
        int,
        Meta(
            ge=0,
            le=50,
            description="How many of a thousand choices by score go to any healthy account",
        ),
    ] = 0

    def policy(self) -> RoutingPolicy:
        weights = self.weights
        return RoutingPolicy(
            pinned=self.pinned_payment_provider_uuid,
            rules=tuple(rule.rule() for rule in self.routing_rules),
            default_order=tuple(self.default_order),
            weights=Weights(
                reliability=weights.reliability, cost=weights.cost, latency=weights.latency
            ),
            fees=tuple(
                Fee(
                    account_uuid=fee.payment_provider_uuid,
                    currency=fee.currency,
                    fixed_minor=fee.fixed,
                    basis_points=fee.basis_points,
                )
                for fee in self.fees
            ),
            exploration_permille=self.exploration_permille,
        )


class WeightsView(Struct, frozen=True, rename="camel"):
    reliability: int
    cost: int
    latency: int


class FeeView(Struct, frozen=True, rename="camel"):
    payment_provider_uuid: UUID
    currency: str
    fixed: int
    basis_points: int


class ShareView(Struct, frozen=True, rename="camel"):
    payment_provider_uuid: UUID
    percent: int


class RuleView(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str
    currencies: list[str]
    payment_methods: list[str]
    countries: list[str]
    amount_from: int | None
    amount_to: int | None
    accounts: list[UUID]
    split: list[ShareView]


class RoutingPolicyView(Struct, frozen=True, kw_only=True, rename="camel"):
    version: int
    pinned_payment_provider_uuid: UUID | None
    rules: list[RuleView]
    default_order: list[UUID]
    weights: WeightsView
    fees: list[FeeView]
    exploration_permille: int
    created_at: Timestamp | None
    """Null while the app has said nothing."""


def policy_view(policy: RoutingPolicy) -> RoutingPolicyView:
    weights = policy.weights
    return RoutingPolicyView(
        version=policy.version,
        pinned_payment_provider_uuid=policy.pinned,
        rules=[_rule_view(rule) for rule in policy.rules],
        default_order=list(policy.default_order),
        weights=WeightsView(weights.reliability, weights.cost, weights.latency),
        fees=[
            FeeView(fee.account_uuid, fee.currency, fee.fixed_minor, fee.basis_points)
            for fee in policy.fees
        ],
        exploration_permille=policy.exploration_permille,
        created_at=maybe_stamp(policy.created_at),
    )


def _rule_view(rule: Rule) -> RuleView:
    return RuleView(
        name=rule.name,
        currencies=list(rule.currencies),
        payment_methods=list(rule.methods),
        countries=list(rule.countries),
        amount_from=rule.amount_from,
        amount_to=rule.amount_to,
        accounts=list(rule.accounts),
        split=[ShareView(share.account_uuid, share.percent) for share in rule.split],
    )
