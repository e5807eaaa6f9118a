"""Numbering events, and putting them on their way to those who want them."""

import json
from datetime import timedelta

from domain.webhooks.endpoint import DisabledReason, EndpointStatus
from domain.webhooks.event_types import TEST
from domain.webhooks.public_event import payload
from domain.webhooks.publish import BATCH, PublishEvents
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.ids import FakeIds
from tests.fakes.webhooks import FakeWebhooks
from tests.make import APP
from tests.make_webhooks import OTHER_SESSION, SESSION, an_endpoint, an_event

LATER = NOON + timedelta(hours=1)


async def published(house: FakeWebhooks, *events, endpoints=()):
    async with house.begin(APP) as tx:
        for endpoint in endpoints:
            await tx.webhook_endpoints.add(endpoint)
        await tx.outbox.append(*events)
    return await PublishEvents(house, FakeClock(LATER), FakeIds(series=3))(APP)


async def test_positions_count_the_app_and_sequences_the_aggregate():
    house = FakeWebhooks()
    first = await published(house, an_event(), an_event(aggregate_uuid=OTHER_SESSION), an_event())
    second = await published(house, an_event(aggregate_uuid=OTHER_SESSION), an_event())
    assert [event.position for event in first + second] == [1, 2, 3, 4, 5]
    told = [(e.aggregate_uuid == SESSION, e.sequence) for e in first + second]
    assert told == [(True, 1), (False, 1), (True, 2), (False, 2), (True, 3)]


async def test_a_batch_is_bounded_and_the_rest_comes_next():
    house = FakeWebhooks()
    first = await published(house, *[an_event() for _ in range(BATCH + 1)])
    assert len(first) == BATCH
    (last,) = await published(house)
    assert (last.position, last.sequence) == (BATCH + 1, BATCH + 1)
    assert await published(house) == []


async def test_an_event_goes_to_every_enabled_endpoint_that_wants_it():
    house = FakeWebhooks()
    everything = an_endpoint()
    payments = an_endpoint(event_types=("payment.paid", "payment.failed"))
    off = an_endpoint(status=EndpointStatus.DISABLED, disabled_reason=DisabledReason.BY_HAND)
    paid, completed = an_event("payment.paid"), an_event()
    events = await published(house, paid, completed, endpoints=(everything, payments, off))
    sent = {(d.webhook_endpoint_uuid, d.event_uuid) for d in house.rows[APP].deliveries.values()}
    assert sent == {
        (everything.uuid, events[0].uuid),
        (everything.uuid, events[1].uuid),
        (payments.uuid, events[0].uuid),
    }


async def test_a_test_goes_to_the_endpoint_that_asked_and_to_no_other():
    house = FakeWebhooks()
    asking, other = an_endpoint(event_types=("payment.paid",)), an_endpoint()
    test = an_event(TEST, aggregate_uuid=asking.uuid)
    await published(house, test, endpoints=(asking, other))
    (delivery,) = house.rows[APP].deliveries.values()
    assert delivery.webhook_endpoint_uuid == asking.uuid


async def test_of_one_aggregate_only_the_first_is_due():
    house = FakeWebhooks()
    elsewhere = an_event(aggregate_uuid=OTHER_SESSION)
    await published(house, an_event(), an_event(), elsewhere, endpoints=[an_endpoint()])
    due = [delivery.due_at for delivery in house.rows[APP].deliveries.values()]
    assert due == [LATER, None, LATER]


async def test_the_payload_says_what_happened_when_and_in_which_order():
    (event,) = await published(FakeWebhooks(), an_event(at=NOON))
    assert json.loads(payload(event, APP)) == {
        "id": str(event.uuid),
        "type": "checkout_session.completed",
        "version": 1,
        "timestamp": "2026-03-20T12:00:00.000Z",
        "sequence": 1,
        "aggregateUuid": str(SESSION),
        "appUuid": str(APP),
        "data": {"amountTotal": 1189},
    }


async def test_an_event_that_nobody_listed_is_published_all_the_same():
    (event,) = await published(FakeWebhooks(), an_event("nobody.listed_it"))
    assert json.loads(payload(event, APP))["version"] == 1
