"""`make simulate`: years of many tenants, with everything that can go wrong, from one seed.

Prints the seed first, and at the end what the audit finds and a digest of the books. Exit status 1
when anything is found: the same seed finds it again.
"""

import argparse
import asyncio
import cProfile
import hashlib
import pstats
import secrets
import signal
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from infrastructure.embedded_postgres import PostgresFailed, PostgresMissing
from infrastructure.parent_death import dies_with_parent
from tests.database import Databases, choose, serving
from tests.places import open_place
from tests.simulation import crossroads
from tests.simulation.part import Errand, live
from tests.simulation.simulation import Plan, Report

DAYS_A_YEAR: Final = 365
PARTS: Final = 2
"""Side by side. Another number is another world."""


class PartFailed(Exception):
    """It has ended without a report; what was wrong, it has said itself."""


def main() -> int:
    said = _arguments()
    if said.crossroads:
        return _crossroads(crossroads.Plan(said.seed, said.days or 7))
    days = said.days or round(said.years * DAYS_A_YEAR)
    plan = Plan(said.seed, said.tenants, days, said.wish_every, parts=PARTS)
    again = f'make simulate ARGS="{_given(said)}"'
    print(f"seed {plan.seed}: {plan.tenants} tenants, {days} days; again: {again}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leaves through the `with` blocks
    try:
        with serving(choose()) as databases:
            reports = (_profiled if said.profile else _side_by_side)(plan, databases)
    except (PostgresFailed, PostgresMissing, PartFailed) as problem:
        print(f"simulate: {problem}; {again} does the same", file=sys.stderr)
        return 2
    return _tell(reports, again)


def _crossroads(plan: crossroads.Plan) -> int:
    print(f"seed {plan.seed}: {plan.days} days at the crossroads", flush=True)
    with serving(choose()) as databases:
        report = crossroads.lived(databases, plan)
    print(", ".join(f"{name} {count}" for name, count in sorted(report.figures.items())))
    for quarter, given in report.shares.items():
        print(quarter, ", ".join(f"{name} {count}" for name, count in sorted(given.items())))
    print("\n".join(f"FOUND {told}" for told in report.found) or "nothing is wrong")
    return 1 if report.found else 0


def _tell(reports: list[Report], again: str) -> int:
    figures: Counter[str] = Counter()
    for report in reports:
        figures.update(report.figures)
    print(", ".join(f"{name} {count}" for name, count in sorted(figures.items())))
    found = [told for report in reports for told in report.found]
    print("\n".join(f"FOUND {told}" for told in found) or "kontor audit finds nothing")
    digest = hashlib.sha256("".join(report.digest for report in reports).encode())
    print(f"digest of the books: {digest.hexdigest()[:16]}")
    if found:
        print(f"again: {again}")
    return 1 if found else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation",
        description="Simulate years of billing, with faults, and audit the books.",
        epilog="Example: python -m tests.simulation --seed 7 --tenants 50 --years 1",
    )
    drawn = secrets.randbelow(1_000_000)
    parser.add_argument("--seed", type=int, default=drawn, help="of everything (default: drawn)")
    parser.add_argument("--tenants", type=int, default=1000, help="(default: 1000)")
    parser.add_argument("--years", type=float, default=3, help="(default: 3)")
    parser.add_argument("--days", type=int, help="instead of years")
    parser.add_argument(
        "--wish-every", type=int, default=75, help="days, on average and tenant (default: 75)"
    )
    parser.add_argument(
        "--crossroads",
        action="store_true",
        help="instead, a week of payment sessions: three accounts, one provider away for a while",
    )
    parser.add_argument("--profile", action="store_true", help="and print where the time goes")
    return parser.parse_args()


def _given(said: argparse.Namespace) -> str:
    length = f"--days {said.days}" if said.days else f"--years {said.years:g}"
    return f"--seed {said.seed} --tenants {said.tenants} {length} --wish-every {said.wish_every}"


def _side_by_side(plan: Plan, databases: Databases) -> list[Report]:
    with open_place() as place, ExitStack() as resources:
        errands = [_errand(replace(plan, part=part), databases, place) for part in range(PARTS)]
        processes = [resources.enter_context(_process(errand)) for errand in errands]
        resources.callback(lambda: [process.terminate() for process in processes])
        ended = [process.wait() for process in processes]
        if any(ended):
            raise PartFailed("a part of the world ended early")
        found = [Path(errand.report).read_bytes() for errand in errands]
    return [msgspec.json.decode(report, type=Report) for report in found]


def _errand(plan: Plan, databases: Databases, place: Path) -> Errand:
    name = f"{databases.run}_part{plan.part}"
    url = asyncio.run(databases.create(name, databases.template))
    return Errand(plan, url, str(place / f"report{plan.part}.json"))


def _process(errand: Errand) -> "subprocess.Popen[bytes]":
    said = msgspec.json.encode(errand).decode()
    command = [sys.executable, "-m", "tests.simulation.part", said]
    return subprocess.Popen(command, preexec_fn=dies_with_parent(signal.SIGTERM))


def _profiled(plan: Plan, databases: Databases) -> list[Report]:
    """One part of the world, in this process."""
    with open_place() as place, cProfile.Profile() as profile:
        report = live(_errand(plan, databases, place))
    pstats.Stats(profile).sort_stats("tottime").print_stats(35)
    pstats.Stats(profile).sort_stats("cumtime").print_stats(60)
    return [report]


if __name__ == "__main__":
    sys.exit(main())
