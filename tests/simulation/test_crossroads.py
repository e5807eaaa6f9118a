"""Two days at the crossroads; `python -m tests.simulation --crossroads` is the week."""

from collections import Counter
from datetime import timedelta

from tests.database import Databases
from tests.simulation.crossroads import Plan, lived


def test_traffic_moves_away_from_who_is_away_and_comes_back_and_nobody_pays_twice(
    databases: Databases,
):
    plan = Plan(
        seed=1,
        days=2,
        minutes_between=10,
        away_from=timedelta(hours=12),
        away_for=timedelta(hours=6),
    )
    report = lived(databases, plan)
    assert report.found == []
    before, away, later = (
        sum((Counter(given) for name, given in report.shares.items() if name in names), Counter())
        for names in (
            {"day 1 00:00", "day 1 06:00"},
            {"day 1 12:00"},
            {"day 2 06:00", "day 2 12:00", "day 2 18:00"},
        )
    )
    assert before["mollie"] > before["komoju"]
    assert away["mollie"] * 4 < away["komoju"]
    assert later["mollie"] > later["komoju"]
    figures = report.figures
    assert figures["orphans paid"] and figures["by probe"] and figures["faults"] > 10
    assert not figures.get("given up")
