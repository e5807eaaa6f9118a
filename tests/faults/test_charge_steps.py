"""kill -9 at each step of a renewal's charge: it ends with one charge, whoever finishes it.

First every worker dies at its step, each over a subscription of its own and while no other worker
lives. Then time passes, and the stack's own worker finishes what they left.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx
import msgspec
import pytest

from app.settings import Settings
from infrastructure.parent_death import dies_with_parent
from tests.faults.charge_steps import (
    AT_PROVIDER,
    AT_PROVIDER_AGAIN,
    FIRST_TRY,
    RECOVERY,
    Step,
)
from tests.faults.due import a_month_passes, leases_run_out
from tests.faults.mollie import Json, Mollie
from tests.faults.mortal_worker import Death
from tests.faults.shop import Shop
from tests.faults.stack import Stack
from tests.waiting import eventually

pytestmark = pytest.mark.xdist_group("processes")

LEASE_S: Final = 600
"""Of those who die. None of them takes up what another has left: only time does that."""


@dataclass(frozen=True)
class Life:
    """Of one subscription: the steps at which its workers die, one after the other."""

    deaths: tuple[Step, ...]
    webhook: bool = False
    """The bank decides, and Mollie says so, before anybody comes to finish the charge."""

    def __str__(self) -> str:
        told = ("a webhook",) if self.webhook else ()
        return ", ".join((*self.deaths, *told))

    @property
    def charges(self) -> int:
        """That the provider holds when all have died."""
        return int(any(step in (*AT_PROVIDER, *AT_PROVIDER_AGAIN) for step in self.deaths))


BEGUN: Final = (Step.INTENT_COMMITTED, Step.SENT)
"""What is recovered: a charge that was never sent, and one whose answer nobody read."""
LIVES: Final = (
    *(Life((step,)) for step in FIRST_TRY),
    *(Life((begun, step)) for begun in BEGUN for step in RECOVERY),
    *(Life((step,), webhook=True) for step in AT_PROVIDER),
    Life((Step.SENT, Step.LEASED_AGAIN), webhook=True),
    Life((Step.SENT, Step.ANSWERED_AGAIN), webhook=True),
    Life((Step.SENT, Step.OUTCOME_COMMITTED_LATE), webhook=True),
)


@dataclass
class Record:
    """What became of a life, as it was seen from outside."""

    shop: Shop
    customer: str
    ends: list[str] = field(default_factory=list)
    charges_at_death: int = 0

    def charges(self) -> list[Json]:
        """All that the provider was asked for beside the first payment."""
        return [
            payment
            for payment in self.shop.mollie.held("payments")
            if payment.get("customerId") == self.customer and payment["sequenceType"] == "recurring"
        ]

    @property
    def subscription(self) -> Json:
        (row,) = self.shop.left("subscriptions")
        return row

    def bills(self) -> list[Json]:
        path = f"{self.shop.app}/subscriptions/{self.subscription['uuid']}/bills"
        items: list[Json] = self.shop.http.get(path, headers=self.shop.headers()).json()["items"]
        return items

    def is_renewed(self) -> bool:
        row = self.subscription
        return (row["status"], row["currentPeriodNumber"]) == ("active", 2)


class Graveyard:
    """The stack without its worker, and those who die in its place."""

    def __init__(self, stack: Stack, mollie: Mollie, http: httpx.Client, settings: Settings):
        self.stack, self.mollie, self.http, self.settings = stack, mollie, http, settings
        self.records: dict[Life, Record] = {}

    def open_all(self) -> None:
        """A subscription for each life, all due at once if they were not left alone."""
        for life in LIVES:
            shop = Shop(self.stack, self.http, self.mollie, str(life)[:100])
            session = shop.open("subscription")
            self.mollie.settle(session["sessionId"], "paid")
            assert shop.becomes(session["uuid"], "complete", "paid")
            paid = self.mollie.payment(session["sessionId"])
            self.records[life] = Record(shop, paid["customerId"])

    def bury_all(self, mortals: "Mortals") -> None:
        for life, record in self.records.items():
            uuid = record.subscription["uuid"]
            a_month_passes(self.settings.database_url, uuid)
            for number, step in enumerate(life.deaths):
                if number:
                    leases_run_out(self.settings.database_url, uuid, LEASE_S)
                record.ends.append(mortals.die(Death(step, self.settings)))
            charges = record.charges()
            record.charges_at_death = len(charges)
            if life.webhook:
                for charge in charges:
                    self.mollie.settle(charge["id"], "paid")

    def finish_all(self) -> None:
        """The stack's worker lives again. Whatever is charged now, the bank says yes to."""
        for record in self.records.values():
            uuid = record.subscription["uuid"]
            leases_run_out(self.settings.database_url, uuid, LEASE_S)
        waiting = list(self.records.values())

        def all_are_renewed() -> bool:
            for charge in self.mollie.held("payments"):
                if charge["status"] == "open":
                    self.mollie.settle(charge["id"], "paid")
            waiting[:] = [record for record in waiting if not record.is_renewed()]
            return not waiting

        eventually(all_are_renewed)

    def audit(self) -> "subprocess.CompletedProcess[str]":
        """What the provider holds, the books of all these tests compare."""
        command = [sys.executable, "-m", "app.cli.main", "audit", "--offline"]
        environment = {**os.environ, "KONTOR_DATABASE_URL": self.settings.database_url}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=30, check=False
        )


class Mortals:
    """Processes that live for one death each."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def die(self, death: Death) -> str:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(msgspec.json.encode(death) + b"\n")
        stdin.flush()
        return msgspec.json.decode(stdout.readline(), type=str)


@contextmanager
def open_mortals() -> Iterator[Mortals]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.mortal_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=dies_with_parent(9),
    )
    with process:
        yield Mortals(process)


@pytest.fixture(scope="module")
def mortals() -> Iterator[Mortals]:
    with open_mortals() as mortals:
        yield mortals


@pytest.fixture(scope="module")
def graveyard(
    mortals: Mortals, stack: Stack, http: httpx.Client, _bank: Mollie, books: None
) -> Iterator[Graveyard]:
    """Everybody has died, and everything is finished."""
    facts = stack.facts
    settings = Settings(
        database_url=facts["databaseUrl"],
        database_pool_size=2,
        public_url=facts["apiUrl"],
        mollie_url=facts["sandboxUrl"],
        secret_key=stack.secret_key,
        lease_s=LEASE_S,
    )
    graveyard = Graveyard(stack, _bank, http, settings)
    _bank.settings(recurringOutcome="open")  # until somebody has died
    try:
        graveyard.open_all()
        with stack.nobody_restarts():
            killed = {"worker": stack.kill("worker")}
            graveyard.bury_all(mortals)
        stack.await_return(killed)
        graveyard.finish_all()
    finally:
        _bank.settings(recurringOutcome="paid")
        _bank.behave()
    yield graveyard


@pytest.mark.parametrize("life", LIVES, ids=str)
def test_a_charge_whose_workers_were_killed_is_made_once(graveyard: Graveyard, life: Life):
    record = graveyard.records[life]
    assert record.ends == ["killed"] * len(life.deaths)
    assert record.charges_at_death == life.charges

    assert record.is_renewed(), record.subscription
    (charge,) = record.charges()
    first, second = sorted(record.shop.left("payments"), key=lambda row: row["createdAt"])
    assert (second["paymentId"], second["status"]) == (charge["id"], "paid")
    bill, _ = record.bills()
    assert (bill["periodNumber"], bill["status"]) == (2, "paid")
    assert (bill["paymentUuid"], bill["amountTotal"]) == (second["uuid"], first["amount"])


def test_when_all_is_finished_the_books_are_right(graveyard: Graveyard):
    audit = graveyard.audit()
    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert "FAIL" not in audit.stdout
