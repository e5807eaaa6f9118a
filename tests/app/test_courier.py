"""From an event to an app's own server: real PostgreSQL, real HTTP, the reference library."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from app import courier as courier_module
from app.courier import PLACES, Courier
from domain.kernel.errors import DatabaseUnavailable
from domain.kernel.ids import AppUuid
from domain.tenancy.caller import Scope
from domain.webhooks.deliver import DeliverWebhooks
from domain.webhooks.endpoint import WebhookEndpoint, secret_context
from domain.webhooks.endpoint_service import EndpointService
from domain.webhooks.ports import WebhooksTx
from domain.webhooks.publish import PublishEvents
from infrastructure.postgres.database import Database
from infrastructure.postgres.due_work import PostgresDirectory
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.secrets import AesGcmVault, new_key
from infrastructure.system import SystemClock, SystemIds, SystemJitter, webhook_secret
from infrastructure.webhooks.sender import HttpWebhookSender
from tests.make import APP, OTHER_APP, a_uuid, an_actor, an_app
from tests.make_webhooks import SECRET, an_endpoint, an_event
from tests.receiver import Receiver

CLOCK, IDS = SystemClock(), SystemIds()
ACTOR = an_actor(Scope.WEBHOOKS_WRITE)


class Post:
    """Everything between an app's events and its receivers."""

    def __init__(self, tables: Database[PostgresTx], owner: asyncpg.Connection) -> None:
        self.tables, self._owner = tables, owner
        self.vault = AesGcmVault(new_key())
        self.sender = HttpWebhookSender(CLOCK, near=True, timeout_s=5.0)
        self.endpoints = EndpointService(self.vault, webhook_secret, CLOCK, IDS, near_targets=True)
        self.publish = PublishEvents(tables, CLOCK, IDS)

    def courier(self, tables: Any = None, poll_s: float = 0.05) -> Courier:
        deliver = DeliverWebhooks(
            tables or self.tables, self.sender, self.vault, CLOCK, SystemJitter()
        )
        return Courier(deliver, PostgresDirectory(self.tables), CLOCK, poll_s)

    async def register(self, url: str, app_uuid: AppUuid = APP, **said: Any) -> WebhookEndpoint:
        endpoint = an_endpoint(app_uuid=app_uuid, url=url, **said)
        context = secret_context(endpoint.uuid, app_uuid)
        endpoint = replace(endpoint, secret_sealed=self.vault.seal(SECRET, context=context))
        async with self.tables.begin(app_uuid) as tx:
            await tx.webhook_endpoints.add(endpoint)
        return endpoint

    async def happen(self, *events: Any, app_uuid: AppUuid = APP) -> None:
        async with self.tables.begin(app_uuid) as tx:
            await tx.outbox.append(*events)
        while await self.publish(app_uuid):
            pass

    async def retry_now(self) -> None:
        """Nobody waits for a retry, or for a dead courier's claim to lapse."""
        await self._owner.execute(
            "update webhook_deliveries set due_at = now() - interval '1 s' where due_at > now()"
        )

    async def send_everything(self) -> None:
        async with asyncio.timeout(60):
            while await self._pending():
                await self.retry_now()
                await self.courier().round()

    async def _pending(self) -> int:
        return int(
            await self._owner.fetchval(
                "select count(*) from webhook_deliveries where status = 'pending'"
            )
        )

    async def count(self, status: str) -> int:
        query = "select count(*) from webhook_deliveries where status = $1"
        return int(await self._owner.fetchval(query, status))


@pytest.fixture
async def post(clean_database: str) -> AsyncIterator[Post]:
    tables = Database(clean_database, PostgresTx)
    owner = await asyncpg.connect(clean_database)
    post = Post(tables, owner)
    try:
        async with tables.open(), post.sender.open():
            for app_uuid in (APP, OTHER_APP):
                async with tables.begin(app_uuid) as tx:
                    await tx.apps.add(an_app(app_uuid=app_uuid))
            yield post
    finally:
        await owner.close()


def events_of(aggregates: int, each: int) -> list[Any]:
    return [
        an_event("payment.paid", aggregate_uuid=a_uuid(700 + place), facts={"number": number})
        for number in range(each)
        for place in range(aggregates)
    ]


def fails_half_the_time(event: dict[str, Any], arrival: int) -> int:
    """Each event once, twice, or not at all before it is taken, in many ways."""
    times = event["data"]["number"] % 3
    return 204 if arrival > times else (500, 302, 429, 404)[(event["sequence"] + arrival) % 4]


async def test_a_receiver_that_fails_half_the_time_hears_everything_in_order(post: Post):
    receiver = Receiver(SECRET, answer=fails_half_the_time)
    async with receiver.open():
        await post.register(receiver.url)
        await post.happen(*events_of(aggregates=6, each=9))
        await post.send_everything()
    assert await post.count("delivered") == 54
    assert len(receiver.received) == 54 * 2
    heard: dict[str, list[int]] = defaultdict(list)
    for event in receiver.received:
        heard[event["aggregateUuid"]].append(event["sequence"])
    assert len(heard) == 6
    for sequences in heard.values():
        assert sequences == sorted(sequences)
        assert set(sequences) == set(range(1, 10))


async def test_several_couriers_at_once_keep_the_order_too(post: Post):
    all_are_here = asyncio.Event()

    def take(_: dict[str, Any], arrival: int) -> int:
        if len(receiver.received) == 20:
            all_are_here.set()
        return 204

    receiver = Receiver(SECRET, answer=take)
    async with receiver.open():
        await post.register(receiver.url)
        stop = asyncio.Event()
        running = [asyncio.create_task(post.courier(poll_s=0.01).run(stop)) for _ in range(3)]
        for number in range(5):
            await post.happen(*events_of(aggregates=4, each=5)[number * 4 : number * 4 + 4])
        async with asyncio.timeout(20):
            await all_are_here.wait()
        stop.set()
        await asyncio.gather(*running)
    heard: dict[str, list[int]] = defaultdict(list)
    for event in receiver.received:
        heard[event["aggregateUuid"]].append(event["sequence"])
    assert set(map(tuple, heard.values())) == {(1, 2, 3, 4, 5)}


async def test_after_a_roll_the_old_secret_verifies_as_well_as_the_new_one(post: Post):
    receiver = Receiver(SECRET)
    async with receiver.open():
        endpoint = await post.register(receiver.url)
        async with post.tables.begin(APP) as tx:
            day = timedelta(days=1)
            rolled = await post.endpoints.roll_secret(tx, ACTOR, endpoint.uuid, day)
        await post.happen(an_event())
        receiver.secrets = [SECRET, rolled.secret]
        await post.send_everything()
        async with post.tables.begin(APP) as tx:
            again = await post.endpoints.roll_secret(tx, ACTOR, endpoint.uuid, timedelta())
        await post.happen(an_event())
        receiver.secrets = [again.secret]
        await post.send_everything()
    told = [event["type"] for event in receiver.received]
    assert told.count("checkout_session.completed") == 2
    assert told.count("webhook_endpoint.secret_rolled") == 2


async def test_what_is_sent_is_what_the_feed_tells_byte_for_byte(post: Post):
    receiver = Receiver(SECRET)
    async with receiver.open():
        await post.register(receiver.url)
        await post.happen(an_event(facts={"amountTotal": 1189, "name": "Bäckerei"}))
        await post.send_everything()
    (sent,) = receiver.received
    async with post.tables.begin(APP) as tx:
        (event,) = await tx.events.after(None, types=(), limit=9)
    assert UUID(sent["id"]) == event.uuid
    assert sent["data"] == event.facts


class DiesOnce:
    """A unit of work whose process is gone when the answer is to be recorded."""

    def __init__(self, tables: Database[PostgresTx], receiver: Receiver) -> None:
        self._tables, self._receiver = tables, receiver

    def begin(self, app_uuid: AppUuid) -> AbstractAsyncContextManager[WebhooksTx]:
        return self._begin(app_uuid)

    @asynccontextmanager
    async def _begin(self, app_uuid: AppUuid) -> AsyncIterator[WebhooksTx]:
        if self._receiver.received:
            raise DatabaseUnavailable("gone")
        async with self._tables.begin(app_uuid) as tx:
            yield tx


async def test_who_dies_after_sending_is_followed_by_another_with_the_same_id(post: Post):
    receiver = Receiver(SECRET)
    async with receiver.open():
        await post.register(receiver.url)
        await post.happen(an_event(), an_event())
        assert await post.courier(DiesOnce(post.tables, receiver)).round() == 1
        assert await post.count("delivered") == 0
        await post.send_everything()
    assert sorted(receiver.arrivals.values()) == [1, 2]
    assert [event["sequence"] for event in receiver.received] == [1, 1, 2]
    assert await post.count("delivered") == 2


async def test_any_number_of_dead_endpoints_leaves_the_living_ones_their_places(
    post: Post, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(courier_module, "GRACE_S", 0.05)
    dead, alive = Receiver(SECRET, answer=lambda *_: 0), Receiver(SECRET)
    async with dead.open(), alive.open():
        for _ in range(PLACES + 8):
            await post.register(dead.url, OTHER_APP, failing_since=CLOCK.now())
        await post.happen(*events_of(aggregates=3, each=2), app_uuid=OTHER_APP)
        stop = asyncio.Event()
        running = asyncio.create_task(post.courier().run(stop))
        await dead.was_called.wait()
        await post.register(alive.url)
        await post.happen(an_event())
        async with asyncio.timeout(10):
            await alive.was_called.wait()
        stop.set()
        await running
    # Nobody was sent two at once.
    assert len(dead.received) <= PLACES + 8


async def test_apps_take_turns_when_there_are_too_few_places(
    post: Post, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(courier_module, "PLACES", 1)
    receiver = Receiver(SECRET, answer=lambda *_: 500)
    async with receiver.open():
        for app_uuid in (APP, OTHER_APP):
            await post.register(receiver.url, app_uuid, failing_since=CLOCK.now())
            await post.happen(*events_of(aggregates=4, each=1), app_uuid=app_uuid)
        courier = post.courier()
        while len(receiver.received) < 6:
            await courier.round()
    apps = [event["appUuid"] for event in receiver.received][:6]
    assert apps[0] != apps[1]
    assert apps == apps[:2] * 3


async def test_a_courier_that_is_to_stop_leaves_what_hangs_to_the_next(
    post: Post, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(courier_module, "GRACE_S", 0.05)
    receiver = Receiver(SECRET, answer=lambda _, arrival: 0 if arrival == 1 else 204)
    async with receiver.open():
        await post.register(receiver.url)
        await post.happen(an_event())
        stop = asyncio.Event()
        running = asyncio.create_task(post.courier().run(stop))
        await receiver.was_called.wait()
        stop.set()
        async with asyncio.timeout(10):
            await running
        await post.send_everything()
    assert list(receiver.arrivals.values()) == [2]


async def test_a_poisoned_delivery_stops_no_other(post: Post):
    receiver = Receiver(SECRET)
    async with receiver.open():
        bad, good = await post.register(receiver.url), await post.register(receiver.url)
        async with post.tables.begin(APP) as tx:
            await tx.webhook_endpoints.save(replace(bad, secret_sealed=b"not sealed by us"))
        await post.happen(an_event())
        assert await post.courier().round() == 2
    assert len(receiver.received) == 1
    async with post.tables.begin(APP) as tx:
        ((delivery, _),) = await tx.webhook_deliveries.log(
            good.uuid, status=None, after=None, limit=9
        )
    assert delivery.status == "delivered"
