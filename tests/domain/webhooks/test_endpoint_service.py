"""Webhook endpoints: registered, changed, rolled, tested, let go; and events sent again."""

from datetime import timedelta
from typing import Any

import pytest

from domain.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from domain.kernel.pages import PageRequest
from domain.tenancy.caller import Scope
from domain.webhooks.endpoint import EndpointStatus, WebhookEndpoint, secret_context
from domain.webhooks.endpoint_service import (
    ENDPOINTS_MAX,
    EndpointChange,
    EndpointService,
    NewEndpoint,
)
from domain.webhooks.event_types import TEST
from domain.webhooks.ports import Period
from domain.webhooks.publish import PublishEvents
from domain.webhooks.replay import ReplayEvents
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.ids import FakeIds
from tests.fakes.vault import FakeVault
from tests.fakes.webhooks import FakeWebhooks
from tests.make import APP, a_uuid, an_actor
from tests.make_webhooks import OLD_SECRET, SECRET, an_event

ADMIN, READER = an_actor(Scope.WEBHOOKS_WRITE), an_actor(Scope.WEBHOOKS_READ)
CLOCK, VAULT = FakeClock(NOON + timedelta(hours=1)), FakeVault()
NEW = NewEndpoint(url="https://app.example.com/hooks")
DAY = timedelta(days=1)


def a_service(*secrets: str, near: bool = False) -> EndpointService:
    left = list(secrets or [SECRET] * 50)
    return EndpointService(VAULT, lambda: left.pop(0), CLOCK, FakeIds(series=4), near)


SERVICE = a_service()


@pytest.fixture
def house() -> FakeWebhooks:
    return FakeWebhooks()


async def registered(house: FakeWebhooks, **said: Any) -> WebhookEndpoint:
    async with house.begin(APP) as tx:
        return (await SERVICE.create(tx, ADMIN, NewEndpoint(**{"url": NEW.url, **said}))).endpoint


async def published(house: FakeWebhooks, *events: Any) -> list[str]:
    async with house.begin(APP) as tx:
        await tx.outbox.append(*events)
    told = await PublishEvents(house, CLOCK, FakeIds(series=len(house.rows[APP].feed) + 20))(APP)
    return [event.type for event in told]


def statuses(house: FakeWebhooks) -> list[str]:
    return [d.status.value for d in house.rows[APP].deliveries.values()]


def opened(sealed: bytes, endpoint: WebhookEndpoint) -> str:
    return VAULT.open(sealed, context=secret_context(endpoint.uuid, APP))


async def test_a_secret_is_sealed_for_its_row_and_told_once(house: FakeWebhooks):
    async with house.begin(APP) as tx:
        made = await SERVICE.create(tx, ADMIN, NEW)
    assert made.secret == SECRET == opened(made.endpoint.secret_sealed, made.endpoint)
    assert SECRET not in str(house.rows[APP].waiting)
    assert [event.type for event in house.rows[APP].waiting] == ["webhook_endpoint.created"]


async def test_an_address_is_in_no_event(house: FakeWebhooks):
    endpoint = await registered(house, url="https://app.example.com/hooks/my-own-secret")
    async with house.begin(APP) as tx:
        await SERVICE.update(tx, ADMIN, endpoint.uuid, EndpointChange(description="x"))
        await SERVICE.delete(tx, ADMIN, endpoint.uuid)
    assert len(house.rows[APP].waiting) == 3
    assert "my-own-secret" not in str(house.rows[APP].waiting)


async def test_a_wrong_address_and_unknown_types_are_all_told_at_once(house: FakeWebhooks):
    new = NewEndpoint(url="http://10.0.0.1/", event_types=("payment.paid", "payment.*", "x"))
    async with house.begin(APP) as tx:
        with pytest.raises(Invalid) as caught:
            await SERVICE.create(tx, ADMIN, new)
    assert [v.field for v in caught.value.violations] == ["eventTypes[1]", "eventTypes[2]", "url"]


async def test_a_change_to_a_wrong_address_is_refused_too(house: FakeWebhooks):
    endpoint = await registered(house)
    async with house.begin(APP) as tx:
        with pytest.raises(Invalid):
            await SERVICE.update(
                tx, ADMIN, endpoint.uuid, EndpointChange(url="https://localhost/hooks")
            )


async def test_development_may_send_to_this_machine(house: FakeWebhooks):
    async with house.begin(APP) as tx:
        new = NewEndpoint(url="http://127.0.0.1:3000/hooks")
        with pytest.raises(Invalid):
            await SERVICE.create(tx, ADMIN, new)
        assert (await a_service(near=True).create(tx, ADMIN, new)).endpoint.url == new.url


async def test_an_app_has_only_so_many(house: FakeWebhooks):
    for _ in range(ENDPOINTS_MAX):
        endpoint = await registered(house)
    with pytest.raises(Refused):
        await registered(house)
    async with house.begin(APP) as tx:
        await SERVICE.delete(tx, ADMIN, endpoint.uuid)
    await registered(house)


async def test_rolling_keeps_the_secret_before_for_a_while_and_no_older_one(house: FakeWebhooks):
    endpoint = await registered(house)
    service = a_service(OLD_SECRET, "whsec_third")
    async with house.begin(APP) as tx:
        once = (await service.roll_secret(tx, ADMIN, endpoint.uuid, DAY)).endpoint
        twice = (await service.roll_secret(tx, ADMIN, endpoint.uuid, timedelta())).endpoint
    now = CLOCK.now()
    assert [opened(s, once) for s in once.sealed_secrets(now)] == [OLD_SECRET, SECRET]
    assert [opened(s, once) for s in once.sealed_secrets(now + DAY)] == [OLD_SECRET]
    assert [opened(s, twice) for s in twice.sealed_secrets(now)] == ["whsec_third"]


async def test_disabling_gives_up_what_is_pending_and_enabling_begins_anew(house: FakeWebhooks):
    endpoint = await registered(house)
    await published(house, an_event())
    async with house.begin(APP) as tx:
        off = await SERVICE.update(
            tx, ADMIN, endpoint.uuid, EndpointChange(status=EndpointStatus.DISABLED)
        )
        assert set(statuses(house)) == {"failed"}
        with pytest.raises(Conflict):
            await SERVICE.test(tx, ADMIN, endpoint.uuid)
        again = await SERVICE.update(
            tx, ADMIN, endpoint.uuid, EndpointChange(status=EndpointStatus.ENABLED)
        )
    assert (off.disabled_reason, again.disabled_reason) == ("by_hand", None)
    assert await published(house) == ["webhook_endpoint.disabled", "webhook_endpoint.updated"]


async def test_enabling_clears_what_it_failed_before(house: FakeWebhooks):
    endpoint = await registered(house)
    async with house.begin(APP) as tx:
        failing = await tx.webhook_endpoints.get(endpoint.uuid)
        for status in (EndpointStatus.DISABLED, EndpointStatus.ENABLED):
            after = await SERVICE.update(tx, ADMIN, failing.uuid, EndpointChange(status=status))
    assert after.failing_since is None


async def test_a_change_that_changes_nothing_says_nothing(house: FakeWebhooks):
    endpoint = await registered(house)
    before = len(house.rows[APP].waiting)
    async with house.begin(APP) as tx:
        same = EndpointChange(url=endpoint.url, status=EndpointStatus.ENABLED)
        assert await SERVICE.update(tx, ADMIN, endpoint.uuid, same) == endpoint
    assert len(house.rows[APP].waiting) == before


async def test_a_deleted_endpoint_is_found_by_its_uuid_alone_and_changes_no_more(
    house: FakeWebhooks,
):
    endpoint = await registered(house)
    async with house.begin(APP) as tx:
        gone = await SERVICE.delete(tx, ADMIN, endpoint.uuid)
        assert await SERVICE.delete(tx, ADMIN, endpoint.uuid) == gone
        assert await SERVICE.get(tx, READER, endpoint.uuid) == gone
        assert (await SERVICE.page(tx, READER, PageRequest())).total == 0
        with pytest.raises(Conflict):
            await SERVICE.update(tx, ADMIN, endpoint.uuid, EndpointChange(description="x"))
        with pytest.raises(Conflict):
            await SERVICE.roll_secret(tx, ADMIN, endpoint.uuid, DAY)
        with pytest.raises(Conflict):
            await ReplayEvents(CLOCK, FakeIds()).one(tx, ADMIN, endpoint.uuid, a_uuid(1))


async def test_a_test_is_an_event_about_the_endpoint(house: FakeWebhooks):
    endpoint = await registered(house)
    async with house.begin(APP) as tx:
        await SERVICE.test(tx, ADMIN, endpoint.uuid)
    (said,) = (event for event in house.rows[APP].waiting if event.type == TEST)
    assert said.aggregate_uuid == endpoint.uuid


async def test_a_reader_changes_nothing_and_a_stranger_reads_nothing(house: FakeWebhooks):
    endpoint = await registered(house)
    async with house.begin(APP) as tx:
        attempts = (
            SERVICE.create(tx, READER, NEW),
            SERVICE.update(tx, READER, endpoint.uuid, EndpointChange(description="x")),
            SERVICE.roll_secret(tx, READER, endpoint.uuid, DAY),
            SERVICE.test(tx, READER, endpoint.uuid),
            SERVICE.delete(tx, READER, endpoint.uuid),
            ReplayEvents(CLOCK, FakeIds()).one(tx, READER, endpoint.uuid, a_uuid(1)),
            SERVICE.get(tx, an_actor(), endpoint.uuid),
            SERVICE.page(tx, an_actor(), PageRequest()),
        )
        for attempt in attempts:
            with pytest.raises(Forbidden):
                await attempt


async def test_one_event_is_sent_again_whatever_the_filter_says(house: FakeWebhooks):
    await published(house, an_event())
    (event,) = house.rows[APP].feed
    endpoint = await registered(house, event_types=("payment.paid",))
    async with house.begin(APP) as tx:
        replays = ReplayEvents(CLOCK, FakeIds(series=5))
        assert await replays.one(tx, ADMIN, endpoint.uuid, event.uuid) == 1
        assert await replays.one(tx, ADMIN, endpoint.uuid, event.uuid) == 0  # on its way already
        with pytest.raises(NotFound):
            await replays.one(tx, ADMIN, endpoint.uuid, a_uuid(1))
    (delivery,) = house.rows[APP].deliveries.values()
    assert delivery.is_replay and delivery.event_uuid == event.uuid


async def test_of_a_period_all_that_passes_the_filter_is_sent_again_and_no_test(
    house: FakeWebhooks,
):
    endpoint = await registered(house, event_types=("payment.paid",))
    await published(
        house,
        an_event("payment.paid", at=NOON - DAY),
        an_event("payment.paid", at=NOON),
        an_event("payment.failed", at=NOON),
        an_event("payment.paid", at=NOON + DAY),
        an_event(TEST, aggregate_uuid=endpoint.uuid),
    )
    house.rows[APP].deliveries.clear()
    async with house.begin(APP) as tx:
        replays = ReplayEvents(CLOCK, FakeIds(series=5))
        period = Period(NOON, NOON + DAY)
        assert await replays.of_period(tx, ADMIN, endpoint.uuid, period) == 1


async def test_a_replay_is_bounded(house: FakeWebhooks, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("domain.webhooks.replay.REPLAYS_MAX", 2)
    endpoint = await registered(house)
    await published(house, an_event(), an_event(), an_event())
    async with house.begin(APP) as tx:
        with pytest.raises(Refused):
            period = Period(NOON, NOON + DAY)
            await ReplayEvents(CLOCK, FakeIds()).of_period(tx, ADMIN, endpoint.uuid, period)
