"""The circuit breaker: what opens it, for how long, and who finds out whether it may close."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.orchestration.circuit import (
    OPEN_MAX,
    CallResult,
    Circuit,
    CircuitState,
    ProviderCall,
    Recent,
    after,
)
from tests.fakes.clock import NOON
from tests.make import a_uuid
from tests.make_routing import A, account

ACCOUNT: Final = account(A)
SECOND: Final = timedelta(seconds=1)
CLOSED: Final = Circuit(account_uuid=A, changed_at=NOON - timedelta(days=1))
WORDS: Final = {"o": "ok", "f": "failed", "u": "unreachable", "b": "busy"}
PROBE: Final = a_uuid(77)


def call(result: str, at: datetime = NOON, uuid: UUID | None = None) -> ProviderCall:
    return ProviderCall(
        try_uuid=uuid or a_uuid(1),
        account_uuid=A,
        method="card",
        currency="EUR",
        result=CallResult(result),
        took_ms=1,
        at=at,
    )


def lived(story: str, every: timedelta = SECOND) -> Circuit:
    """A letter is a result, the last one just now."""
    circuit, recent = CLOSED, list[Recent]()
    for number, letter in enumerate(story):
        now = call(WORDS[letter], NOON + number * every)
        recent.insert(0, Recent(now.result, now.at))
        circuit = after(circuit, ACCOUNT, now, recent)
    return circuit


@pytest.mark.parametrize(
    ("story", "is_open"),
    [
        ("ffff", False), ("fffff", True), ("offfo", False), ("offfof", True), ("oooff", False),
        ("ooofff", True),
        ("uu", False), ("uuu", True), ("uuou", False), ("uubu", True), ("ouuu", True),
        ("fuufo", False), ("fuuff", True), ("bbbbbbbb", False), ("oooooooooo", False),
    ],
)  # fmt: skip
def test_it_opens_when_half_of_five_fail_or_three_in_a_row_are_not_reached(story, is_open):
    assert (lived(story).open_until is not None) is is_open


def test_failures_that_are_a_minute_apart_do_not_open_it():
    assert lived("fffff", every=timedelta(seconds=20)).open_until is None
    assert lived("uuu", every=timedelta(hours=1)).open_until is not None


def opened(times: int = 1) -> Circuit:
    circuit = lived("uuu")
    for _ in range(times - 1):
        circuit = after(held(circuit), ACCOUNT, call("failed", uuid=PROBE), [])
    return circuit


def held(circuit: Circuit) -> Circuit:
    return replace(circuit, probe_uuid=PROBE, probe_until=NOON + timedelta(minutes=1))


def test_it_stays_open_for_half_a_minute_and_twice_as_long_each_time_up_to_five():
    lasts = []
    for times in range(1, 8):
        circuit = opened(times)
        assert circuit.open_until is not None
        lasts.append((circuit.open_until - circuit.changed_at).total_seconds())
    assert lasts == [30, 60, 120, 240, 300, 300, 300]
    assert OPEN_MAX.total_seconds() == 300


def test_then_it_is_half_open_and_while_its_probe_runs_it_is_nobody_elses():
    circuit = opened()
    until = circuit.open_until
    assert until is not None
    assert circuit.health(ACCOUNT, at=until - SECOND) is CircuitState.OPEN
    assert circuit.health(ACCOUNT, at=until) is CircuitState.HALF_OPEN
    leased = replace(circuit, probe_uuid=PROBE, probe_until=until + SECOND)
    assert leased.health(ACCOUNT, at=until) is CircuitState.PROBING
    assert (
        leased.health(ACCOUNT, at=until + SECOND) is CircuitState.HALF_OPEN
    )  # its holder has died


def test_a_probe_that_goes_well_closes_it_and_it_begins_anew():
    closed = after(held(opened(4)), ACCOUNT, call("ok", uuid=PROBE), [])
    assert closed.health(ACCOUNT, at=NOON) is CircuitState.CLOSED
    assert closed.opens == 0


def test_a_probe_that_is_told_to_wait_says_nothing():
    circuit = after(held(opened()), ACCOUNT, call("busy", uuid=PROBE), [])
    assert circuit == opened()


def test_what_others_hear_while_it_is_open_changes_nothing():
    circuit = held(opened())
    for result in ("ok", "failed", "unreachable", "busy"):
        assert after(circuit, ACCOUNT, call(result), [Recent(CallResult(result), NOON)]) == circuit


def test_a_refused_credential_waits_for_another_and_for_no_timer():
    circuit = after(CLOSED, ACCOUNT, call("refused"), [])
    years_later = NOON + timedelta(days=4000)
    assert circuit.health(ACCOUNT, at=years_later) is CircuitState.MISCONFIGURED
    again = replace(ACCOUNT, credential_sealed=b"sealed anew")
    assert circuit.health(again, at=NOON) is CircuitState.CLOSED
