"""Rows of routing into what they are."""

from decimal import Decimal
from typing import Any

import msgspec

from domain.orchestration.circuit import Circuit
from domain.orchestration.decision import Decision
from domain.orchestration.payment_session import Try, TryState
from domain.orchestration.routing_policy import RoutingPolicy
from domain.orchestration.score import Evidence, Tally
from domain.payments.payment_provider import PaymentProvider

WINDOWS = ("narrow", "wider", "widest")
CIRCUIT = """payment_provider_uuid, opens, open_until, probe_uuid, probe_until, refused_credential,
    changed_at"""


def policy_of(found: Any) -> RoutingPolicy:
    return RoutingPolicy() if found is None else msgspec.convert(found, RoutingPolicy)


def decision_of(found: Any) -> Decision:
    return msgspec.convert(found, Decision)


def circuit_of(row: Any) -> Circuit | None:
    """From CIRCUIT; None where the join found nothing."""
    if row["changed_at"] is None:
        return None
    return Circuit(
        account_uuid=row["payment_provider_uuid"],
        opens=row["opens"],
        open_until=row["open_until"],
        probe_uuid=row["probe_uuid"],
        probe_until=row["probe_until"],
        refused_credential=row["refused_credential"],
        changed_at=row["changed_at"],
    )


def evidence_of(row: Any) -> Evidence:
    return Evidence(
        created=tuple(_tally(row, f"created_{window}") for window in WINDOWS),
        paid=tuple(_tally(row, f"paid_{window}") for window in WINDOWS),
        p95_ms=row["p95_ms"],
    )


def _tally(row: Any, name: str) -> Tally:
    return Tally(row[f"{name}_good"] or Decimal(0), row[f"{name}_all"] or Decimal(0))


def try_of(row: Any, account: PaymentProvider) -> Try:
    """From a row whose columns are `try_uuid` and so on."""
    return Try(
        uuid=row["try_uuid"],
        number=row["number"],
        account=account,
        state=TryState(row["state"]),
        is_probe=row["is_probe"],
        failure=row["failure"],
        created_at=row["try_created_at"],
    )
