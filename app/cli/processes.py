"""Child processes that are kept running, and end with us: what `kontor dev` stands on.

Not a service manager: for production there are systemd and containers. Everything here happens in
the main thread, because on Linux a child is bound to the life of the thread that started it.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from infrastructure.parent_death import dies_with_parent

_STOP_S: Final = 10  # what a child gets between SIGTERM and SIGKILL
_QUICK_S: Final = 5  # a life shorter than this was no success
_PAUSES_S: Final = (0, 0, 0.5, 1, 2, 5)  # before the next start, by quick deaths in a row
_POLL_S: Final = 0.05


class ChildFailed(Exception):
    """A child ended, or did not answer, before everything ran. The message has its last words."""


@dataclass(frozen=True)
class Program:
    """What to run. Without a log file it writes to our stderr, never to our stdout."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path | None = None

    def last_words(self) -> str:
        if self.log is None:
            return "see its log above"
        lines = self.log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"the end of {self.log}:", *(f"  {line}" for line in lines)])


class Child:
    """One program, started again and again under the same name and address."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._quick_deaths = 0
        self._is_mourned = False
        self._spawn()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        status = self._process.returncode
        if status < 0:
            return f"was ended by {signal.Signals(-status).name}"
        return f"stopped with status {status}"

    def revive(self, report: Callable[[str], None]) -> None:
        """Start it again if it died: at once, but with pauses when it keeps dying quickly."""
        if self.is_running:
            return
        now = time.monotonic()
        if not self._is_mourned:
            self._is_mourned = True
            lived_long = now - self._started_at >= _QUICK_S
            self._quick_deaths = 0 if lived_long else self._quick_deaths + 1
            pause = _PAUSES_S[min(self._quick_deaths, len(_PAUSES_S) - 1)]
            self._start_at = now + pause
            soon = f"in {pause} s" if pause else "now"
            report(f"{self.program.name} (pid {self.pid}) {self.ending}; starting it again {soon}")
        if now >= self._start_at:
            self._spawn()
            report(f"{self.program.name} runs again (pid {self.pid})")

    def terminate(self) -> None:
        self._process.terminate()  # does nothing to a process that has ended

    def end_by(self, deadline: float) -> None:
        try:
            self._process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _spawn(self) -> None:
        self._started_at = time.monotonic()
        self._is_mourned = False
        log = self.program.log
        output = os.dup(sys.stderr.fileno()) if log is None else os.open(log, _APPEND, 0o600)
        try:
            self._process = subprocess.Popen(
                self.program.command,
                env=self.program.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C in the terminal is for us; we stop it in order
                preexec_fn=dies_with_parent(signal.SIGKILL),
            )
        finally:
            os.close(output)


_APPEND: Final = os.O_CREAT | os.O_WRONLY | os.O_APPEND


class Children:
    """All children: `with Children(report) as children: ...` leaves none behind."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._children: list[Child] = []

    def __enter__(self) -> "Children":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in self._children:
            child.terminate()
        deadline = time.monotonic() + _STOP_S
        for child in self._children:
            child.end_by(deadline)

    def start(self, program: Program) -> Child:
        if program.log is not None:
            program.log.unlink(missing_ok=True)  # a run's log begins with the run
        child = Child(program)
        self._children.append(child)
        return child

    def revive(self) -> None:
        """Look once after everybody; call it often."""
        for child in self._children:
            child.revive(self._report)

    def wait_for(self, child: Child, answers: Callable[[], bool], within_s: float) -> None:
        """Raises ChildFailed when it, or any other child, ends before it answers."""
        deadline = time.monotonic() + within_s
        while True:
            self.must_all_run()
            if answers():
                return
            if time.monotonic() > deadline:
                program = child.program
                raise ChildFailed(
                    f"{program.name} did not answer within {within_s:g} s; {program.last_words()}"
                )
            time.sleep(_POLL_S)

    def must_all_run(self) -> None:
        for child in self._children:
            if not child.is_running:
                program = child.program
                raise ChildFailed(f"{program.name} {child.ending}; {program.last_words()}")
