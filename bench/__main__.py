"""`make bench`: what a checkout, a list of products and a renewal cost, beside the same work bare.

Prints tables and a verdict; one question alone is asked by its name. Exit status 1 when a budget of
round trips is broken; how fast it was decides nothing, for that depends on the machine.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import asyncpg

from bench import renewal_memory, renewals
from bench.bare import BareLoop
from bench.cpu import family_ms, process_ms
from bench.errand import ErrandFailed, Runner, runner
from bench.house import House, open_house
from bench.load import Load, Outcome, Pace
from bench.report import Measured, machine, table, trips_table, verdict
from bench.request import Request, checkout, listing
from bench.round_trips import Count, CountErrand

ROUNDS: Final = 3
QUICK_S: Final = 0.3
QUESTIONS: Final = ("requests", "renewals")


@dataclass(frozen=True)
class Case:
    name: str
    run: Callable[[Pace], Outcome]
    python_pid: int


def main() -> int:
    arguments = _arguments()
    seconds = QUICK_S if arguments.quick else arguments.seconds
    others = os.getloadavg()[0]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leaves through the `with` blocks
    try:
        with ExitStack() as resources:
            house = resources.enter_context(open_house())
            print(machine(asyncio.run(_told(house, "show server_version"))), end="\n\n")
            status = 0
            if "requests" in arguments.questions:
                status = _bench(house, resources, seconds)
            if "renewals" in arguments.questions:
                _bench_renewals(house, quick=arguments.quick)
        print(f"load average before the start: {others:.1f} (other work makes every figure worse)")
        return status
    except ErrandFailed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure a checkout, a list of products and renewals, beside the same bare.",
        epilog="Example: python -m bench --quick renewals",
    )
    parser.add_argument(
        "questions", nargs="*", default=QUESTIONS, help=f"of {', '.join(QUESTIONS)} (default: all)"
    )
    parser.add_argument(
        "--seconds", type=float, default=4, help="of load per case and round (default: 4)"
    )
    parser.add_argument("--quick", action="store_true", help="under a minute in all; rough")
    arguments = parser.parse_args()
    if unknown := set(arguments.questions) - set(QUESTIONS):
        parser.error(f"no such question: {', '.join(sorted(unknown))}")
    return arguments


def _bench(house: House, resources: ExitStack, seconds: float) -> int:
    def start(module: str) -> Runner:
        return resources.enter_context(runner(module, house.directory))

    counts = start("bench.round_trips").do(
        CountErrand(settings=house.settings, facts=house.facts), dict[str, Count]
    )
    rounds = _measured(house, _cases(house, start("bench.load"), start("bench.bare")), seconds)
    checkouts = {f"checkout, {name}": count for name, count in counts.items() if name != "list"}
    print(table(rounds), end="\n\n")
    print(trips_table({**checkouts, "list of products": counts["list"]}), end="\n\n")
    print(verdict(checkouts), end="\n\n")
    return 0 if all(count.is_within_budget for count in checkouts.values()) else 1


def _bench_renewals(house: House, *, quick: bool) -> None:
    print(renewals.table(renewals.measure(house, quick=quick)), end="\n\n")
    print(renewal_memory.table(renewal_memory.measure(house, quick=quick)), end="\n\n")


def _cases(house: House, load: Runner, bare: Runner) -> list[Case]:
    settings, facts = house.settings, house.facts

    def served(name: str, request: Request) -> Case:
        def run(pace: Pace) -> Outcome:
            errand = Load(host=settings.host, port=settings.port, request=request, pace=pace)
            return load.do(errand, Outcome)

        return Case(name, run, house.api_pid)

    def looped(name: str, what: str) -> Case:
        def run(pace: Pace) -> Outcome:
            errand = BareLoop(what=what, settings=settings, facts=facts, pace=pace)
            return bare.do(errand, Outcome)

        return Case(name, run, bare.pid)

    return [
        served("checkout, with key", checkout(facts, has_key=True)),
        served("checkout, without key", checkout(facts, has_key=False)),
        looped("checkout, bare loop", "checkout"),
        served("list of products", listing(facts)),
        looped("list of products, bare loop", "list"),
    ]


def _measured(house: House, cases: list[Case], seconds: float) -> dict[str, list[Measured]]:
    """Interleaved: a noisy minute spoils one round of each case, not all rounds of one."""
    for number, case in enumerate(cases):
        _round(house, case, Pace(series=f"warm-{number}", seconds=min(seconds, 1)))
    # What autovacuum would have done within a minute: plans made on empty tables are forgotten.
    asyncio.run(_told(house, "vacuum analyze"))
    rounds: dict[str, list[Measured]] = {case.name: [] for case in cases}
    for turn in range(ROUNDS):
        for number, case in enumerate(cases):
            pace = Pace(series=f"{turn}-{number}", seconds=seconds)
            rounds[case.name].append(_round(house, case, pace))
    return rounds


def _round(house: House, case: Case, pace: Pace) -> Measured:
    def spent() -> tuple[float, float, float]:
        return (
            process_ms(case.python_pid),
            family_ms(house.postgres_pid),
            process_ms(house.sandbox_pid),
        )

    before = spent()
    outcome = case.run(pace)
    python_ms, postgres_ms, sandbox_ms = (b - a for a, b in zip(before, spent(), strict=True))
    if outcome.complaint:
        raise ErrandFailed(f"{case.name}: an answer was no success: {outcome.complaint}")
    return Measured(
        outcome=outcome, python_ms=python_ms, postgres_ms=postgres_ms, sandbox_ms=sandbox_ms
    )


async def _told(house: House, statement: str) -> object:
    """What the database answers, in one value."""
    connection = await asyncpg.connect(house.settings.database_url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


if __name__ == "__main__":
    sys.exit(main())
