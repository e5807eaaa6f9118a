"""Feed, endpoints and deliveries: what the fakes do, PostgreSQL does too."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.kernel.errors import Invalid, NotFound
from domain.kernel.events import Event
from domain.kernel.ids import AppUuid
from domain.kernel.pages import PageRequest
from domain.webhooks.delivery import Delivery, DeliveryStatus, Try
from domain.webhooks.endpoint import DisabledReason, EndpointStatus, WebhookEndpoint
from domain.webhooks.event_types import TEST
from domain.webhooks.ports import Period
from domain.webhooks.public_event import PublicEvent, numbered
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds
from tests.fakes.webhooks import FakeWebhooks, FakeWebhooksTx
from tests.make import APP, OTHER_APP, a_uuid, an_app
from tests.make_webhooks import OTHER_SESSION, SESSION, an_endpoint, an_event

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LATER = NOON + MINUTE
IDS = FakeIds(series=14)
PENDING, DELIVERED, FAILED = DeliveryStatus


class House(Protocol):
    def begin(
        self, app_uuid: AppUuid
    ) -> AbstractAsyncContextManager[FakeWebhooksTx | PostgresTx]: ...


@pytest.fixture(params=["fake", "postgres"])
async def house(request: pytest.FixtureRequest, clean_database: str) -> AsyncIterator[House]:
    if request.param == "fake":
        yield FakeWebhooks()
        return
    database = Database(clean_database, PostgresTx)
    async with database.open():
        for app_uuid in (APP, OTHER_APP):
            async with database.begin(app_uuid) as tx:
                await tx.apps.add(an_app(app_uuid=app_uuid))
        yield database


async def published(
    house: House, *events: Event, app_uuid: AppUuid = APP, limit: int = 100
) -> list[PublicEvent]:
    async with house.begin(app_uuid) as tx:
        await tx.outbox.append(*events)
    async with house.begin(app_uuid) as tx:
        waiting = await tx.events.unpublished(limit)
        assert waiting is not None
        found = numbered(waiting.events, position=waiting.position, sequences=waiting.sequences)
        if found:
            await tx.events.publish(found, at=LATER)
    return found


async def registered(house: House, **said: object) -> WebhookEndpoint:
    endpoint = an_endpoint(**said)
    async with house.begin(APP) as tx:
        await tx.webhook_endpoints.add(endpoint)
    return endpoint


async def sent(house: House, endpoint: WebhookEndpoint, *events: PublicEvent) -> list[Delivery]:
    deliveries = [
        Delivery(
            uuid=IDS.new(),
            app_uuid=APP,
            webhook_endpoint_uuid=endpoint.uuid,
            event_uuid=event.uuid,
            aggregate_uuid=event.aggregate_uuid,
            created_at=NOON,
        )
        for event in events
    ]
    async with house.begin(APP) as tx:
        await tx.webhook_endpoints.get_for_update(endpoint.uuid)
        await tx.webhook_deliveries.add(deliveries, at=NOON)
    return deliveries


async def claimed(
    house: House, rooms: dict[UUID, int], *, now=NOON, until=LATER
) -> list[tuple[Delivery, PublicEvent]]:
    async with house.begin(APP) as tx:
        return list(await tx.webhook_deliveries.claim(rooms, now=now, until=until))


async def settle(house: House, delivery: Delivery, status: DeliveryStatus = DELIVERED) -> bool:
    async with house.begin(APP) as tx:
        await tx.webhook_endpoints.get_for_update(delivery.webhook_endpoint_uuid)
        return await tx.webhook_deliveries.settle(delivery, status, at=NOON)


async def test_events_come_in_the_order_in_which_they_were_written(house: House):
    events = [an_event("payment.paid", facts={"number": n}, at=NOON - n * DAY) for n in range(30)]
    found = await published(house, *events)
    assert [event.facts["number"] for event in found] == list(range(30))
    async with house.begin(APP) as tx:
        assert list(await tx.events.after(None, types=(), limit=100)) == found
        assert await tx.events.get(found[3].uuid) == found[3]


async def test_counting_goes_on_where_it_stood_and_each_app_counts_for_itself(house: House):
    await published(house, an_event(), an_event(aggregate_uuid=OTHER_SESSION))
    (third,) = await published(house, an_event())
    (elsewhere,) = await published(house, an_event(), app_uuid=OTHER_APP)
    assert (third.position, third.sequence) == (3, 2)
    assert (elsewhere.position, elsewhere.sequence) == (1, 1)
    assert await published(house) == []


async def test_a_batch_is_bounded(house: House):
    assert len(await published(house, an_event(), an_event(), an_event(), limit=2)) == 2
    assert len(await published(house, limit=2)) == 1


async def test_what_is_not_published_is_not_there(house: House):
    async with house.begin(APP) as tx:
        await tx.outbox.append(an_event())
        waiting = await tx.events.unpublished(10)
    assert waiting is not None
    (unpublished,) = waiting.events
    async with house.begin(APP) as tx:
        assert await tx.events.after(None, types=(), limit=10) == ()
        with pytest.raises(NotFound):
            await tx.events.get(unpublished.uuid)
        with pytest.raises(Invalid):
            await tx.events.after(unpublished.uuid, types=(), limit=10)


async def test_one_reads_on_after_an_event_and_may_ask_for_types(house: House):
    names = ["payment.paid", "payment.failed", "payment.paid", "bill.paid"]
    first, second, third, fourth = await published(house, *[an_event(name) for name in names])
    async with house.begin(APP) as tx:
        assert await tx.events.after(first.uuid, types=(), limit=2) == (second, third)
        assert await tx.events.after(fourth.uuid, types=(), limit=2) == ()
        assert await tx.events.after(None, types=["payment.paid"], limit=9) == (first, third)
        assert await tx.events.after(first.uuid, types=["payment.paid"], limit=9) == (third,)
        with pytest.raises(Invalid) as caught:
            await tx.events.after(a_uuid(404), types=(), limit=9)
    assert [violation.field for violation in caught.value.violations] == ["after"]


async def test_the_events_of_a_period_are_those_that_happened_in_it_without_tests(house: House):
    times = [NOON - MINUTE, NOON, NOON + MINUTE, NOON + 2 * MINUTE]
    found = await published(house, *[an_event(at=at) for at in times], an_event(TEST, at=NOON))
    period = Period(NOON, NOON + 2 * MINUTE)
    async with house.begin(APP) as tx:
        assert list(await tx.events.of_period(period, types=(), limit=9)) == found[1:3]
        assert list(await tx.events.of_period(period, types=(), limit=1)) == found[1:2]
        assert await tx.events.of_period(period, types=["bill.paid"], limit=9) == ()


async def test_an_endpoint_comes_back_as_it_was_and_as_it_was_saved(house: House):
    endpoint = await registered(house, event_types=("payment.paid",), description="ours")
    changed = replace(
        endpoint,
        url="https://other.example.com/",
        event_types=(),
        description=None,
        secret_sealed=b"new",
        previous_secret_sealed=b"old",
        previous_secret_expires_at=LATER,
        status=EndpointStatus.DISABLED,
        disabled_reason=DisabledReason.FAILING,
        failing_since=NOON,
        updated_at=LATER,
    )
    async with house.begin(APP) as tx:
        assert await tx.webhook_endpoints.get(endpoint.uuid) == endpoint
        await tx.webhook_endpoints.save(changed)
    async with house.begin(APP) as tx:
        assert await tx.webhook_endpoints.get_for_update(endpoint.uuid) == changed
        with pytest.raises(NotFound):
            await tx.webhook_endpoints.get(a_uuid(404))
    async with house.begin(OTHER_APP) as tx:
        with pytest.raises(NotFound):
            await tx.webhook_endpoints.get(endpoint.uuid)


async def test_pages_leave_out_the_deleted_and_sending_the_disabled_too(house: House):
    first, second, third = [await registered(house) for _ in range(3)]
    off = {"status": EndpointStatus.DISABLED, "disabled_reason": DisabledReason.BY_HAND}
    async with house.begin(APP) as tx:
        await tx.webhook_endpoints.save(replace(first, deleted_at=NOON, **off))
        await tx.webhook_endpoints.save(replace(second, **off))
        page = await tx.webhook_endpoints.page(PageRequest(0, 1))
        assert (page.items, page.total) == ((third,), 2)
        assert await tx.webhook_endpoints.count() == 2
        assert [e.uuid for e in await tx.webhook_endpoints.enabled()] == [third.uuid]
        assert [e.uuid for e in await tx.webhook_endpoints.enabled_for_update()] == [third.uuid]


async def test_only_the_first_of_a_line_is_claimed_and_the_next_when_it_is_settled(house: House):
    endpoint = await registered(house)
    events = await published(house, an_event(), an_event(), an_event(aggregate_uuid=OTHER_SESSION))
    first, second, other = await sent(house, endpoint, *events)
    rooms = {endpoint.uuid: 9}
    found = await claimed(house, rooms)
    assert [(d.uuid, d.tries, d.due_at) for d, _ in found] == [
        (first.uuid, 1, LATER),
        (other.uuid, 1, LATER),
    ]
    assert [event for _, event in found] == [events[0], events[2]]
    assert await claimed(house, rooms) == []
    assert await settle(house, found[0][0])
    assert [d.uuid for d, _ in await claimed(house, rooms)] == [second.uuid]


async def test_what_comes_later_stands_in_line_behind_what_waits_for_its_retry(house: House):
    endpoint = await registered(house)
    first, second = await published(house, an_event(), an_event())
    await sent(house, endpoint, first)
    rooms = {endpoint.uuid: 9}
    ((delivery, _),) = await claimed(house, rooms)
    async with house.begin(APP) as tx:
        await tx.webhook_deliveries.postpone(delivery, due_at=NOON + DAY)
    await sent(house, endpoint, second, first)
    assert await claimed(house, rooms, now=LATER) == []
    ((again, _),) = await claimed(house, rooms, now=NOON + DAY)
    assert (again.uuid, again.tries) == (delivery.uuid, 2)
    assert await settle(house, again, FAILED)
    ((following, event),) = await claimed(house, rooms)
    assert event == second
    assert await settle(house, following)
    assert [event for _, event in await claimed(house, rooms)] == [first]


async def test_a_claim_has_room_for_so_many_of_each_endpoint(house: House):
    endpoints = [await registered(house) for _ in range(3)]
    events = await published(house, *[an_event(aggregate_uuid=a_uuid(700 + n)) for n in range(5)])
    for endpoint in endpoints:
        await sent(house, endpoint, *events)
    rooms = {endpoints[0].uuid: 1, endpoints[1].uuid: 3}
    found = [delivery.webhook_endpoint_uuid for delivery, _ in await claimed(house, rooms)]
    assert sorted(found) == sorted([endpoints[0].uuid] + [endpoints[1].uuid] * 3)


async def test_a_lapsed_claim_settles_and_postpones_nothing(house: House):
    endpoint = await registered(house)
    await sent(house, endpoint, *await published(house, an_event()))
    rooms = {endpoint.uuid: 9}
    ((old, _),) = await claimed(house, rooms)
    ((new, _),) = await claimed(house, rooms, now=LATER, until=LATER + MINUTE)
    assert new.tries == 2
    assert not await settle(house, old)
    async with house.begin(APP) as tx:
        await tx.webhook_deliveries.postpone(old, due_at=NOON)
    assert await claimed(house, rooms, now=LATER) == []
    assert await settle(house, new)
    assert not await settle(house, new)


async def test_giving_up_ends_all_that_is_pending_for_an_endpoint_and_nothing_else(house: House):
    endpoint, other = await registered(house), await registered(house)
    events = await published(house, an_event(), an_event())
    await sent(house, endpoint, *events)
    await sent(house, other, *events)
    async with house.begin(APP) as tx:
        await tx.webhook_deliveries.give_up(endpoint.uuid, at=LATER)
        found = await tx.webhook_deliveries.log(endpoint.uuid, status=None, after=None, limit=9)
    assert {(d.status, d.due_at, d.settled_at) for d, _ in found} == {(FAILED, None, LATER)}
    assert [d.webhook_endpoint_uuid for d, _ in await claimed(house, {endpoint.uuid: 9})] == []
    assert len(await claimed(house, {other.uuid: 9})) == 1


async def test_one_can_tell_what_is_on_its_way(house: House):
    endpoint, other = await registered(house), await registered(house)
    first, second = await published(house, an_event(), an_event(aggregate_uuid=OTHER_SESSION))
    await sent(house, endpoint, first, second)
    uuids = [first.uuid, second.uuid, a_uuid(404)]
    found = await claimed(house, {endpoint.uuid: 9})
    await settle(house, found[0][0])
    async with house.begin(APP) as tx:
        assert await tx.webhook_deliveries.pending(endpoint.uuid, uuids) == {second.uuid}
        assert await tx.webhook_deliveries.pending(other.uuid, uuids) == frozenset()


async def test_the_log_is_newest_first_and_tells_every_try(house: House):
    endpoint = await registered(house)
    events = await published(house, *[an_event(aggregate_uuid=a_uuid(700 + n)) for n in range(4)])
    deliveries = await sent(house, endpoint, *events)
    newest = [delivery.uuid for delivery in reversed(deliveries)]
    found = await claimed(house, {endpoint.uuid: 1})
    delivery, event = found[0]
    tries = (
        Try(number=1, tried_at=NOON, duration_ms=3, http_status=500, excerpt="oh\nno"),
        Try(number=2, tried_at=LATER, duration_ms=0, error="no answer within 15 s"),
    )
    async with house.begin(APP) as tx:
        for made in tries:
            await tx.webhook_deliveries.add_try(delivery.uuid, made)
    await settle(house, delivery)
    async with house.begin(APP) as tx:
        log = tx.webhook_deliveries.log

        async def uuids(**said: object) -> list[UUID]:
            usual = {"status": None, "after": None, "limit": 9}
            return [d.uuid for d, _ in await log(endpoint.uuid, **{**usual, **said})]

        assert await uuids() == newest
        assert await uuids(limit=2) == newest[:2]
        assert await uuids(after=newest[1]) == newest[2:]
        assert await uuids(status=DELIVERED) == [delivery.uuid]
        assert await uuids(status=PENDING, after=newest[0]) == newest[1:3]
        with pytest.raises(Invalid):
            await uuids(after=a_uuid(404))
        settled, told = await tx.webhook_deliveries.get(endpoint.uuid, delivery.uuid)
        assert (settled.status, settled.settled_at, told) == (DELIVERED, NOON, event)
        assert await tx.webhook_deliveries.tries(delivery.uuid) == tries
        with pytest.raises(NotFound):
            await tx.webhook_deliveries.get(a_uuid(404), delivery.uuid)


async def test_what_was_done_long_ago_is_forgotten_with_its_tries(house: House):
    endpoint = await registered(house)
    events = await published(house, an_event(), an_event(aggregate_uuid=OTHER_SESSION))
    await sent(house, endpoint, *events)
    (done, _), (pending, _) = await claimed(house, {endpoint.uuid: 9})
    async with house.begin(APP) as tx:
        made = Try(number=1, tried_at=NOON, duration_ms=1, http_status=204)
        await tx.webhook_deliveries.add_try(done.uuid, made)
    await settle(house, done)
    async with house.begin(APP) as tx:
        await tx.webhook_deliveries.forget(settled_before=NOON)
        assert len(await tx.webhook_deliveries.tries(done.uuid)) == 1
        await tx.webhook_deliveries.forget(settled_before=LATER)
        assert await tx.webhook_deliveries.tries(done.uuid) == ()
        left = await tx.webhook_deliveries.log(endpoint.uuid, status=None, after=None, limit=9)
        assert [d.uuid for d, _ in left] == [pending.uuid]
        assert (await tx.events.get(done.event_uuid)).aggregate_uuid == SESSION
