"""Everything as real processes, for tests that take parts of it away.

Starts `kontor dev` and ends it by its own pid. It never touches a process that it did not start.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infrastructure.parent_death import dies_with_parent
from tests.waiting import eventually, is_gone

# Small, so that recovery is quick. Two calls to a provider fit into one lease, as by default.
SETTINGS = {
    "KONTOR_PROVIDER_TIMEOUT_S": "1",
    "KONTOR_PROVIDER_CALLS_PER_S": "1000",
    "KONTOR_LEASE_S": "2",
    "KONTOR_WORKER_POLL_S": "0.1",
}

COMMAND = ["dev", "--json", "--port", "0", "--sandbox-port", "0", "--data-dir"]


class Stack:
    """What `kontor dev` said, and its processes."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", said: Path, log: Path, data: Path
    ) -> None:
        self._process, self._said, self._log = process, said, log
        assert eventually(self._has_spoken, within_s=90), log.read_text()[-2000:]
        self.facts: dict[str, Any] = json.loads(said.read_text())
        self.secret_key = (data / "secret.key").read_text().strip()
        self.everybodys = {self.facts["tenantUuid"], self.facts["otherTenantUuid"]}
        """The demo's tenants, which several tests may use."""
        self.tenants = sorted(self.everybodys)
        """All that may owe something, for whoever compares the books."""

    def _has_spoken(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()[-2000:]
        return self._said.read_bytes().endswith(b"\n")

    def pid(self, name: str) -> int:
        """Of the process that runs now: a restarted one is announced on stderr."""
        again = re.findall(
            rf"^kontor: {name} runs again \(pid (\d+)\)", self._log.read_text(), re.M
        )
        return int(again[-1]) if again else int(self.facts["pids"][name])

    def kill(self, name: str) -> int:
        """As the kernel does when memory runs out. Returns whom."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: is_gone(pid)), f"{name} is still there"
        return pid

    def lose(self, *names: str) -> None:
        """Kill them, and wait until the next ones work."""
        killed = {name: self.kill(name) for name in names}
        self.await_return(killed)

    def await_return(self, killed: dict[str, int]) -> None:
        for name, pid in killed.items():
            assert eventually(lambda name=name, pid=pid: self.pid(name) != pid, 60), name
        assert eventually(self.works, within_s=60), self._log.read_text()[-2000:]

    @contextlib.contextmanager
    def nobody_restarts(self) -> Iterator[None]:
        """What is killed in here stays away until the end: the supervisor is held still."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def works(self) -> bool:
        sandbox = f"{self.facts['sandboxUrl']}/_control/clock"
        return _status(f"{self.facts['apiUrl']}/readyz") == 200 == _status(sandbox)


def _status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as problem:
        problem.close()
        return problem.code
    except OSError:
        return 0


@contextlib.contextmanager
def running_stack(place: Path) -> Iterator[Stack]:
    """In a directory that PostgreSQL reaches, see tests/places.py."""
    said, log, data = place / "stdout", place / "stderr.log", place / "data"
    command = [sys.executable, "-m", "app.cli.main", *COMMAND, str(data)]
    environment = {**os.environ, **SETTINGS}
    with said.open("wb") as out, log.open("wb") as err:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=err,
            env=environment,
            preexec_fn=dies_with_parent(signal.SIGTERM),  # a killed test run leaves nothing behind
        )
    try:
        yield Stack(process, said, log, data)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
