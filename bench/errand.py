"""Errands: what the bench has a process of its own do, asked and answered in lines of JSON.

A process of its own, so that its CPU can be told from everybody else's.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import uvloop
from msgspec import Struct

from infrastructure.parent_death import dies_with_parent

ResultT = TypeVar("ResultT")


class Errand(Struct, frozen=True, kw_only=True):
    async def run(self) -> Any: ...


class ErrandFailed(Exception):
    """The process ended instead of answering. The message has its last words."""


def serve_errands(kind: type[Errand]) -> None:
    """Do what the lines of stdin say, one after the other, until there are no more."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for line in sys.stdin.buffer:
            result = runner.run(msgspec.json.decode(line, type=kind).run())
            sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
            sys.stdout.buffer.flush()


class Runner:
    """The other end: `runner.do(errand, Result)`."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process, self._log = process, log

    @property
    def pid(self) -> int:
        return self._process.pid

    def do(self, errand: Errand, result: type[ResultT]) -> ResultT:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(msgspec.json.encode(errand) + b"\n")
        stdin.flush()
        if not (line := stdout.readline()):
            raise ErrandFailed(self._log.read_text(errors="replace")[-2000:])
        return msgspec.json.decode(line, type=result)


@contextmanager
def runner(module: str, directory: Path) -> Iterator[Runner]:
    """`python -m module`, for as long as the block lasts."""
    log = directory / f"{module}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            preexec_fn=dies_with_parent(9),
        )
    with process:  # closes its stdin, which ends it, and waits
        yield Runner(process, log)
