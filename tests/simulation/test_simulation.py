"""A short simulation: more than a year of half a dozen tenants. `make simulate` is the long one.

Whatever it finds, `make simulate ARGS="--seed ..."` finds again and shows.
"""

import asyncio

import uvloop

from tests.database import Databases
from tests.simulation.simulation import Plan, Report, Simulation


def lived(databases: Databases, plan: Plan, name: str) -> Report:
    name = f"{databases.run}_simulated_{name}"
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        url = runner.run(databases.create(name, databases.template))
        try:
            return runner.run(Simulation(plan, url, lambda _: None).run())
        finally:
            runner.run(databases.drop(name))


def test_a_year_of_bad_luck_leaves_right_books(databases: Databases):
    report = lived(databases, Plan(seed=1, tenants=6, days=380, wish_every_days=30), "year")
    assert report.found == []
    met = {name for name, count in report.figures.items() if count}
    assert {"renewals", "change", "refund", "chargeback", "kills", "lost", "recovery"} <= met


def test_the_same_seed_gives_the_same_books(databases: Databases):
    plan = Plan(seed=2, tenants=3, days=35, wish_every_days=6)
    first, again = (lived(databases, plan, name) for name in ("once", "again"))
    other = lived(databases, Plan(3, 3, 35, 6), "other")
    assert first.figures == again.figures
    assert first.digest == again.digest != other.digest
