"""Makers for tests of routing: accounts at two providers, what is known of them, and orders."""

import dataclasses
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from domain.orchestration.circuit import Circuit
from domain.orchestration.decide import DRAWS, Situation, Standing, decide
from domain.orchestration.decision import Decision, Query
from domain.orchestration.routing_policy import Fee, RoutingPolicy
from domain.orchestration.score import Evidence, Tally
from domain.payments.payment_provider import PaymentProvider, ProviderName
from domain.payments.ports import Providers
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.provider import FakeProvider
from tests.make import a_uuid, an_account, money

A, B, C = (a_uuid(0xA0 + n) for n in range(3))
DECISION: Final = a_uuid(0xD0)
_USUAL: Final = FakeProvider(FakeClock()).provider


def providers(**komoju: Any) -> Providers:
    """All take everything; the second one what is said."""
    return {
        ProviderName.MOLLIE: _USUAL,
        ProviderName.KOMOJU: dataclasses.replace(_USUAL, **komoju),
    }


def account(uuid: UUID, **said: Any) -> PaymentProvider:
    usual = {"uuid": uuid, "title": f"Account {uuid.hex[-2:]}", "is_default": True}
    return replace(an_account(), **{**usual, **said})


def tally(good: int, all: int) -> Tally:
    return Tally(Decimal(good), Decimal(all))


def evidence(good: int = 0, all: int = 0, p95_ms: int | None = None) -> Evidence:
    """Of payments; every page that was asked for was given."""
    return Evidence(created=(tally(all, all),), paid=(tally(good, all),), p95_ms=p95_ms)


def standing(
    uuid: UUID, known: Evidence | None = None, circuit: Circuit | None = None, **said: Any
) -> Standing:
    return Standing(account=account(uuid, **said), circuit=circuit, evidence=known or Evidence())


def half_open(uuid: UUID) -> Circuit:
    return Circuit(account_uuid=uuid, opens=1, open_until=NOON, changed_at=NOON)


def a_fee(uuid: UUID, fixed: int, basis_points: int, currency: str = "EUR") -> Fee:
    return Fee(account_uuid=uuid, currency=currency, fixed_minor=fixed, basis_points=basis_points)


EXAMPLE: Final = (
    standing(A, evidence(188, 200, 800)),
    standing(B, evidence(96, 100, 1500), is_default=False),
    standing(C, is_default=False),
)
"""Two that are known, and a new one: of an order of 49.00 EUR."""
EXAMPLE_POLICY: Final = RoutingPolicy(
    version=3, default_order=(A, B, C), fees=(a_fee(A, 25, 180), a_fee(B, 30, 290))
)


def chosen(
    *standings: Standing,
    policy: RoutingPolicy = EXAMPLE_POLICY,
    draw: int = DRAWS - 1,
    known: Providers | None = None,
    **said: Any,
) -> Decision:
    query: Any = {"method": "card", "amount": money(4900), **said}
    situation = Situation(policy=policy, standings=standings or EXAMPLE, at=NOON)
    return decide(Query(**query), situation, known or providers(), uuid=DECISION, draw=draw)
