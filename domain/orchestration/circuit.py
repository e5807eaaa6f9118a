"""A circuit breaker for one account: keeps shoppers away from a provider that does not answer.

Pure. It opens on technical failures alone, never on a payer's decline; half a minute later one
request is let through as a probe, and its result closes the circuit or opens it for twice as long.
A refused credential has no timer: it waits for another credential.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.payments.payment_provider import PaymentProvider

WINDOW: Final = timedelta(seconds=60)
RESULTS_MIN: Final = 5
"""Of these in the window, half or more must have failed. It is looked at when one fails."""
UNREACHABLE_MAX: Final = 3
"""In a row, however far apart."""
OPEN_FIRST: Final = timedelta(seconds=30)
OPEN_MAX: Final = timedelta(minutes=5)


class CallResult(StrEnum):
    """What came of asking a provider for a payment page."""

    OK = "ok"
    """It gave a page, or a considered no."""
    FAILED = "failed"
    """No answer in time, a 5xx, or an answer that makes no sense."""
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    """Our credential was."""
    BUSY = "busy"
    """Too much was asked of the account, or we kept ourselves from asking: says nothing about the
    provider's health."""


FAILURES: Final = frozenset({CallResult.FAILED, CallResult.UNREACHABLE})


class CircuitState(StrEnum):
    CLOSED = "closed"
    HALF_OPEN = "half_open"
    """The next request may be the probe."""
    PROBING = "probing"
    """The probe is under way."""
    OPEN = "open"
    MISCONFIGURED = "misconfigured"


class ProviderCall(Struct, frozen=True, kw_only=True):
    try_uuid: UUID
    account_uuid: UUID
    method: str
    currency: str
    result: CallResult
    took_ms: int
    """All calls together that one payment page needed."""
    is_probe: bool = False
    """It only tells whether the account is back: an outage is not held against it for days."""
    at: datetime


class Recent(Struct, frozen=True):
    result: CallResult
    at: datetime


class Circuit(Struct, frozen=True, kw_only=True):
    account_uuid: UUID
    opens: int = 0
    """How often in a row it has opened."""
    open_until: datetime | None = None
    """None: it is closed."""
    probe_uuid: UUID | None = None
    """The try that is the probe."""
    probe_until: datetime | None = None
    """When its lease is over: whoever held it has died."""
    refused_credential: bytes | None = None
    """A digest of the sealed credential that the provider refused."""
    changed_at: datetime

    def health(self, account: PaymentProvider, *, at: datetime) -> CircuitState:
        if self.refused_credential == digest_of(account):
            return CircuitState.MISCONFIGURED
        if self.open_until is None:
            return CircuitState.CLOSED
        if at < self.open_until:
            return CircuitState.OPEN
        is_held = self.probe_until is not None and at < self.probe_until
        return CircuitState.PROBING if is_held else CircuitState.HALF_OPEN


def digest_of(account: PaymentProvider) -> bytes:
    """Changes whenever a credential is given, be it the same one; and with every change of an
    account that a merchant connects."""
    seen = account.credential_sealed or account.updated_at.isoformat().encode()
    return hashlib.sha256(seen).digest()


def after(
    circuit: Circuit, account: PaymentProvider, call: ProviderCall, recent: Sequence[Recent]
) -> Circuit:
    """`recent`: results since the circuit last changed, this one first, then ever older ones."""
    if call.result is CallResult.REFUSED:
        return _closed(circuit, at=call.at, refused=digest_of(account))
    if call.try_uuid == circuit.probe_uuid:
        if call.result in FAILURES:
            return _opened(circuit, at=call.at)
        if call.result is CallResult.OK:
            return _closed(circuit, at=call.at)
        return replace(circuit, probe_uuid=None, probe_until=None)
    is_open = circuit.open_until is not None  # a call from before that tells nothing new
    if is_open or call.result not in FAILURES or not _trips(recent, at=call.at):
        return circuit
    return _opened(circuit, at=call.at)


def _trips(recent: Sequence[Recent], *, at: datetime) -> bool:
    technical = [r for r in recent if r.result in FAILURES or r.result is CallResult.OK]
    unreachable = list(takewhile(lambda r: r.result is CallResult.UNREACHABLE, technical))
    if len(unreachable) >= UNREACHABLE_MAX:
        return True
    window = [r for r in technical if r.at > at - WINDOW]
    failed = sum(r.result in FAILURES for r in window)
    return len(window) >= RESULTS_MIN and 2 * failed >= len(window)


def _opened(circuit: Circuit, *, at: datetime) -> Circuit:
    lasts = min(OPEN_FIRST * (1 << min(circuit.opens, 10)), OPEN_MAX)
    return Circuit(
        account_uuid=circuit.account_uuid,
        opens=circuit.opens + 1,
        open_until=at + lasts,
        refused_credential=circuit.refused_credential,
        changed_at=at,
    )


def _closed(circuit: Circuit, *, at: datetime, refused: bytes | None = None) -> Circuit:
    return Circuit(account_uuid=circuit.account_uuid, refused_credential=refused, changed_at=at)
