"""One part of a simulated world, in a process of its own, which is told its errand in JSON."""

import asyncio
import sys
from pathlib import Path

import msgspec
import uvloop
from msgspec import Struct

from tests.simulation.simulation import Plan, Report, Simulation


class Errand(Struct, frozen=True):
    plan: Plan
    database_url: str
    report: str
    """The file to leave the report in."""


def live(errand: Errand) -> Report:
    def tell(line: str) -> None:
        print(f"part {errand.plan.part}  {line}", flush=True)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(Simulation(errand.plan, errand.database_url, tell).run())


if __name__ == "__main__":
    errand = msgspec.json.decode(sys.argv[1], type=Errand)
    Path(errand.report).write_bytes(msgspec.json.encode(live(errand)))
