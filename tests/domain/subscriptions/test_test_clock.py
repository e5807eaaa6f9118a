"""Test clocks: where they can go, who may move them, and when they can be given up."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain.kernel.errors import Conflict, Forbidden, NotFound, Refused
from domain.kernel.pages import PageRequest
from domain.subscriptions import test_clock
from domain.subscriptions.test_clock_service import NewClock
from domain.tenancy.caller import Scope
from tests.domain.subscriptions.by_clock import (
    BACKEND,
    CLOCK,
    JANUARY_31,
    ByClock,
    a_clock,
    days,
)
from tests.fakes.clock import NOON
from tests.make import APP, an_actor

READER = an_actor(Scope.BILLING_READ)


def test_it_goes_on_and_never_back():
    clock = a_clock()
    for to in (JANUARY_31, JANUARY_31 - days(1)):
        with pytest.raises(Refused) as refused:
            test_clock.set_off(clock, to, at=NOON)
        assert refused.value.field == "now"
    going = test_clock.set_off(clock, JANUARY_31 + days(1), at=NOON)
    assert (going.status, going.now, going.target) == ("advancing", JANUARY_31, going.advancing_to)
    assert going.due_at == NOON
    assert test_clock.moved(going, JANUARY_31 - days(1), at=NOON).now == JANUARY_31


def test_it_goes_five_years_at_once_and_not_to_the_end_of_time():
    clock, leap = a_clock(), test_clock.LEAP_MAX
    assert test_clock.set_off(clock, JANUARY_31 + leap, at=NOON).target == JANUARY_31 + leap
    last = a_clock(now=test_clock.LATEST - days(1))
    far = datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-12)))
    for one, to in ((clock, JANUARY_31 + leap + days(1)), (last, last.now + days(2)), (clock, far)):
        with pytest.raises(Refused, match="too far"):
            test_clock.set_off(one, to, at=NOON)


def test_one_that_is_on_its_way_is_not_sent_elsewhere():
    going = test_clock.set_off(a_clock(), JANUARY_31 + days(1), at=NOON)
    with pytest.raises(Conflict, match="wait until it is ready"):
        test_clock.set_off(going, JANUARY_31 + days(2), at=NOON)
    there = test_clock.arrived(going, at=NOON)
    assert (there.status, there.now, there.due_at) == ("ready", JANUARY_31 + days(1), None)


async def test_it_is_made_shown_and_told_of():
    life = ByClock()
    berlin = timezone(timedelta(hours=1))
    async with life.database.begin(APP) as tx:
        new = NewClock(now=datetime(2027, 1, 31, 10, tzinfo=berlin), name="A year on")
        made = await life.service.create(tx, BACKEND, new)
    assert (made.now, made.now.tzinfo, made.name) == (JANUARY_31, UTC, "A year on")
    async with life.database.begin(APP) as tx:
        assert await life.service.get(tx, READER, made.uuid) == made
        assert (await life.service.list(tx, READER, PageRequest())).total == 2
    assert life.told == ["test_clock.created"]


@pytest.mark.parametrize("year", [1999, 2100, 9999])
async def test_it_begins_in_our_times(year: int):
    life = ByClock()
    far_west = timezone(timedelta(hours=-12))
    async with life.database.begin(APP) as tx:
        with pytest.raises(Refused) as refused:
            now = datetime(year, 12, 31, tzinfo=far_west)
            await life.service.create(tx, BACKEND, NewClock(now=now))
    assert refused.value.field == "now"


async def test_who_may_only_read_moves_none():
    life = ByClock()
    async with life.database.begin(APP) as tx:
        for work in (
            life.service.create(tx, READER, NewClock(now=NOON)),
            life.service.advance(tx, READER, CLOCK, JANUARY_31 + days(1)),
            life.service.delete(tx, READER, CLOCK),
            life.service.get(tx, an_actor(), CLOCK),
            life.service.list(tx, an_actor(), PageRequest()),
        ):
            with pytest.raises(Forbidden):
                await work


async def test_one_that_subscriptions_live_by_is_not_given_up():
    life = ByClock()
    await life.started()
    async with life.database.begin(APP) as tx:
        with pytest.raises(Conflict, match="cancel them first"):
            await life.service.delete(tx, BACKEND, CLOCK)
    life.decides = lambda ref: life.provider.fail(ref, "card_expired")
    await life.set_off(JANUARY_31 + days(90))
    async with life.database.begin(APP) as tx:
        with pytest.raises(Conflict, match="advancing"):
            await life.service.delete(tx, BACKEND, CLOCK)
    await life.work_once()
    assert life.status == "canceled"
    async with life.database.begin(APP) as tx:
        gone = await life.service.delete(tx, BACKEND, CLOCK)
    assert gone.deleted_at == life.clock.now()
    async with life.database.begin(APP) as tx:
        with pytest.raises(NotFound):
            await life.service.get(tx, BACKEND, CLOCK)
        assert (await life.service.list(tx, BACKEND, PageRequest())).total == 0
