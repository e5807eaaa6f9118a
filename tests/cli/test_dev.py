"""`kontor dev` as a whole: real PostgreSQL, real children, real signals."""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.places import open_place
from tests.waiting import eventually, is_gone

FIELDS = {
    "apiUrl", "sandboxUrl", "databaseUrl", "appUuid", "tenantUuid", "otherTenantUuid", "userUuid",
    "paymentProviderUuid", "productUuid", "prices", "taxRates", "tokens", "apiKeys",
    "mollieApiKey", "komojuPaymentProviderUuid", "komojuApiKey", "otherApp", "pids",
}  # fmt: skip
STAYS = FIELDS - {"apiUrl", "sandboxUrl", "databaseUrl", "tokens", "apiKeys", "pids"}

# The last, because only Linux tells a child of its parent's end.
ENDINGS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGKILL] if sys.platform == "linux" else [])]


@contextlib.contextmanager
def dev(directory: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "app.cli.main", "dev", "--data-dir", str(directory)]
    command += ["--port", "0", "--sandbox-port", "0", "--json"]
    with (
        log_of(directory).open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def log_of(directory: Path) -> Path:
    return directory.parent / "stderr.log"


def facts_of(process: "subprocess.Popen[str]", directory: Path) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, log_of(directory).read_text()
    facts: dict[str, Any] = json.loads(line)
    return facts


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    with open_place() as place:
        yield place / "kontor"


@pytest.fixture(scope="module")
def facts(directory: Path) -> Iterator[dict[str, Any]]:
    with dev(directory) as process:
        yield facts_of(process, directory)


def test_one_line_of_json_says_where_everything_is(facts: dict[str, Any]):
    assert set(facts) == FIELDS
    assert set(facts["pids"]) == {"api", "worker", "sandbox", "postgres"}
    assert answers(f"{facts['apiUrl']}/readyz")
    assert answers(f"{facts['sandboxUrl']}/_control/payments")


@pytest.mark.parametrize("child", ["api", "sandbox", "postgres"])
def test_a_killed_part_comes_back_at_the_same_address(facts: dict[str, Any], child: str):
    os.kill(facts["pids"][child], signal.SIGKILL)
    assert eventually(lambda: is_gone(facts["pids"][child]))
    assert eventually(lambda: answers(f"{facts['apiUrl']}/readyz"), within_s=30)
    assert eventually(lambda: answers(f"{facts['sandboxUrl']}/_control/payments"), within_s=30)


@pytest.mark.usefixtures("facts")
def test_a_second_one_on_the_same_directory_is_refused(directory: Path):
    with dev(directory) as second:
        assert second.wait(30) == 1
    assert f"another `kontor dev` already uses {directory}" in log_of(directory).read_text()


def test_however_it_ends_nothing_stays_behind_and_the_next_start_finds_the_demo_again():
    told = []
    with open_place() as place:
        for ending in ENDINGS:
            with dev(place / "kontor") as process:
                told.append(facts_of(process, place / "kontor"))
                process.send_signal(ending)
                assert process.wait(30) == (-ending if ending is signal.SIGKILL else 0)
            for pid in told[-1]["pids"].values():
                assert eventually(functools.partial(is_gone, pid)), ending.name

        with dev(place / "kontor") as process:
            told.append(facts_of(process, place / "kontor"))
    for later in told[1:]:
        assert {name: later[name] for name in STAYS} == {name: told[0][name] for name in STAYS}
