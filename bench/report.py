"""The figures as a table, the machine's facts, and the verdict about the budgets."""

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from msgspec import Struct

from bench.load import Outcome
from bench.round_trips import READS_AND_WRITES_BEFORE_MAX, TRANSACTIONS_AFTER, Count


class Measured(Struct, frozen=True, kw_only=True):
    """One round of one case."""

    outcome: Outcome
    python_ms: float
    """CPU of the API's process, or of the bare loop's."""
    postgres_ms: float
    sandbox_ms: float

    def of_one(self, total_ms: float) -> float:
        return total_ms / max(self.outcome.requests, 1)


def table(rounds: Mapping[str, Sequence[Measured]]) -> str:
    """Medians of the rounds."""
    lines = [
        "| case | requests/s | p50 ms | p99 ms | CPU ms: Python | PostgreSQL | sandbox |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, measured in rounds.items():
        cells = [
            f"{median(m.outcome.requests / m.outcome.seconds for m in measured):.0f}",
            f"{median(m.outcome.p50_ms for m in measured):.1f}",
            f"{median(m.outcome.p99_ms for m in measured):.1f}",
            f"{median(m.of_one(m.python_ms) for m in measured):.2f}",
            f"{median(m.of_one(m.postgres_ms) for m in measured):.2f}",
            f"{median(m.of_one(m.sandbox_ms) for m in measured):.2f}",
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def trips_table(counts: Mapping[str, Count]) -> str:
    lines = [
        "| round trips | statements before the call | begin, commit | calls | statements after "
        "| begin, commit |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, count in counts.items():
        before, after = count.before, count.after
        numbers = (before.statements, before.brackets, count.provider_calls)
        rest = (after.statements, after.brackets)
        lines.append(f"| {name} | {' | '.join(str(n) for n in (*numbers, *rest))} |")
    return "\n".join(lines)


def machine(postgres_version: object) -> str:
    return (
        f"{os.cpu_count()} cores ({_processor()}), Python {platform.python_version()}, "
        f"PostgreSQL {postgres_version}, {platform.system()} {platform.release()}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def verdict(checkouts: Mapping[str, Count]) -> str:
    """One line; `is_within_budget` of each decides the exit status."""
    budget = (
        f"at most {READS_AND_WRITES_BEFORE_MAX} statements before the provider call, "
        f"{TRANSACTIONS_AFTER} transaction after it"
    )
    broken = [name for name, count in checkouts.items() if not count.is_within_budget]
    return f"over budget: {', '.join(broken)} ({budget})" if broken else f"within budget: {budget}"
