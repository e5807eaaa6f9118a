"""Writes down what came of asking an account for a page, and moves its circuit accordingly."""

from datetime import datetime

from domain.kernel.errors import (
    CredentialRefused,
    DomainError,
    ProviderBusy,
    ProviderNotAsked,
    ProviderUnreachable,
)
from domain.orchestration.circuit import CallResult, ProviderCall, after
from domain.orchestration.payment_session import Try
from domain.orchestration.ports import RoutingLedger
from domain.payments.payment_provider import PaymentProvider

_RESULTS = (
    (ProviderBusy, CallResult.BUSY),
    (ProviderNotAsked, CallResult.BUSY),
    (CredentialRefused, CallResult.REFUSED),
    (ProviderUnreachable, CallResult.UNREACHABLE),
)


def result_of(error: DomainError) -> CallResult:
    """Of what a provider's port raises: all else is a technical failure."""
    return next((r for kind, r in _RESULTS if isinstance(error, kind)), CallResult.FAILED)


def call_of(
    made: Try, kind: tuple[str, str], result: CallResult, *, since: datetime, at: datetime
) -> ProviderCall:
    """`kind`: what was to be paid with, and in which currency."""
    method, currency = kind
    return ProviderCall(
        try_uuid=made.uuid,
        account_uuid=made.account.uuid,
        method=method,
        currency=currency,
        result=result,
        took_ms=int((at - since).total_seconds() * 1000),
        is_probe=made.is_probe,
        at=at,
    )


async def record(routing: RoutingLedger, account: PaymentProvider, call: ProviderCall) -> None:
    """Inside the caller's transaction. What goes well as always costs one statement."""
    await routing.add_call(call)
    if call.result in (CallResult.OK, CallResult.BUSY) and not call.is_probe:
        return
    circuit = await routing.lock_circuit(account.uuid)
    moved = after(circuit, account, call, await routing.recent(circuit))
    if moved != circuit:
        await routing.save_circuit(moved)
