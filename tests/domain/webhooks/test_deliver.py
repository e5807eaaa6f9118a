"""Claim, send, record: the schedule, the line, the secrets, and what ends an endpoint."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from domain.webhooks.deliver import LEASE, DeliverWebhooks
from domain.webhooks.delivery import RETRIES, TRIES_MAX, DeliveryStatus, Try, next_try_at
from domain.webhooks.endpoint import (
    FAILING_MAX,
    DisabledReason,
    WebhookEndpoint,
    secret_context,
)
from domain.webhooks.ports import Answered, Unanswered
from domain.webhooks.publish import PublishEvents
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.ids import FakeIds
from tests.fakes.vault import FakeVault
from tests.fakes.webhooks import FakeReceiver, FakeWebhooks, NoJitter, Rows
from tests.make import APP
from tests.make_webhooks import OLD_SECRET, OTHER_SESSION, SECRET, an_endpoint, an_event

BAD = Answered(status=500, excerpt="oh no")
SECOND = timedelta(seconds=1)


class House:
    def __init__(self) -> None:
        self.webhooks = FakeWebhooks()
        self.receiver = FakeReceiver(self.webhooks)
        self.clock = FakeClock()
        self.deliver = DeliverWebhooks(
            self.webhooks, self.receiver, FakeVault(), self.clock, NoJitter()
        )
        self._publish = PublishEvents(self.webhooks, self.clock, FakeIds(series=3))

    @property
    def rows(self) -> Rows:
        return self.webhooks.rows[APP]

    async def happen(self, *events: Any, endpoint: WebhookEndpoint | None = None) -> None:
        async with self.webhooks.begin(APP) as tx:
            if endpoint is not None:
                await tx.webhook_endpoints.add(endpoint)
            await tx.outbox.append(*events)
        while await self._publish(APP):
            pass

    async def claim(self):
        return await self.deliver.claim(APP, lambda _: 4)

    async def round(self) -> int:
        """Sends what is due now."""
        return len([await self.deliver(claimed) for claimed in await self.claim()])

    def statuses(self) -> list[str]:
        return [delivery.status.value for delivery in self.rows.deliveries.values()]

    def waits(self) -> list[timedelta | None]:
        due = [delivery.due_at for delivery in self.rows.deliveries.values()]
        return [None if at is None else at - self.clock.now() for at in due]


@pytest.fixture
def house() -> House:
    return House()


async def test_what_arrives_is_done_and_the_next_in_line_follows(house: House):
    await house.happen(an_event(), an_event(), endpoint=an_endpoint())
    assert [await house.round() for _ in range(3)] == [1, 1, 0]
    assert house.statuses() == ["delivered", "delivered"]


async def test_the_retries_are_those_of_standard_webhooks(house: House):
    await house.happen(an_event(), endpoint=an_endpoint())
    house.receiver.answers = [BAD] * TRIES_MAX
    began, waits = house.clock.now(), []
    while await house.round():
        (wait,) = house.waits()
        if wait is not None:
            waits.append(wait)
            house.clock.advance(wait - SECOND)
            assert await house.round() == 0
            house.clock.advance(SECOND)
    assert tuple(waits) == RETRIES
    assert house.clock.now() - began == timedelta(hours=75, minutes=35, seconds=5)
    assert house.statuses() == ["failed"]
    assert [made.number for _, made in house.rows.tries] == list(range(1, 11))


@pytest.mark.parametrize(("permille", "seconds"), [(-200, 240), (0, 300), (200, 360), (7, 302)])
def test_a_retry_comes_up_to_a_fifth_earlier_or_later(permille: int, seconds: int):
    at = next_try_at(2, at=NOON, jitter_permille=permille, retry_after=None)
    assert at is not None
    assert (at - NOON) // SECOND == seconds


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        (timedelta(seconds=1), timedelta(seconds=5)),
        (timedelta(hours=3), timedelta(hours=3)),
        (timedelta(days=9), timedelta(hours=24)),
    ],
)
async def test_a_receiver_may_ask_for_more_time_up_to_a_day(
    house: House, asked: timedelta, waits: timedelta
):
    await house.happen(an_event(), endpoint=an_endpoint())
    house.receiver.answers = [Answered(status=429, excerpt="", retry_after=asked)]
    await house.round()
    assert house.waits() == [waits]


@pytest.mark.parametrize("status", [100, 199, 301, 302, 304, 400, 404, 429, 500, 503, 599])
async def test_only_2xx_is_a_success(house: House, status: int):
    await house.happen(an_event(), endpoint=an_endpoint())
    house.receiver.answers = [Answered(status=status, excerpt="")]
    await house.round()
    assert house.statuses() == ["pending"]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_2xx_is_a_success(house: House, status: int):
    await house.happen(an_event(), endpoint=an_endpoint())
    house.receiver.answers = [Answered(status=status, excerpt="")]
    await house.round()
    assert house.statuses() == ["delivered"]


async def test_what_fails_holds_up_its_own_line_and_no_other(house: House):
    other = an_event(aggregate_uuid=OTHER_SESSION)
    await house.happen(an_event(), an_event(), other, endpoint=an_endpoint())
    house.receiver.answers = [BAD]
    assert [await house.round() for _ in range(2)] == [2, 0]
    assert house.statuses() == ["pending", "pending", "delivered"]
    house.clock.advance(timedelta(seconds=5))
    assert [await house.round() for _ in range(3)] == [1, 1, 0]
    assert house.statuses() == ["delivered"] * 3


async def test_what_is_given_up_lets_the_next_one_go_on(house: House):
    await house.happen(an_event(), an_event(), endpoint=an_endpoint())
    house.receiver.answers = [BAD] * TRIES_MAX
    for wait in (*RETRIES, timedelta()):
        await house.round()
        house.clock.advance(wait)
    await house.round()
    assert house.statuses() == ["failed", "delivered"]


async def test_every_try_of_an_event_has_its_id_and_its_bytes_and_a_time_of_its_own(house: House):
    await house.happen(an_event(), endpoint=an_endpoint())
    house.receiver.answers = [BAD, Unanswered("nobody accepts connections there")]
    for _ in range(3):
        await house.round()
        house.clock.advance(timedelta(minutes=5))
    first, second, third = house.receiver.parcels
    assert first.event_uuid == second.event_uuid == third.event_uuid
    assert first.body == second.body == third.body
    assert first.sent_at < second.sent_at < third.sent_at


async def test_each_try_is_written_down(house: House):
    await house.happen(an_event(), endpoint=an_endpoint())
    house.receiver.answers = [BAD, Unanswered("no answer within 15 s")]
    for _ in range(3):
        await house.round()
        house.clock.advance(timedelta(minutes=5))
    told = [(t.number, t.http_status, t.error, t.excerpt) for _, t in house.rows.tries]
    assert told == [
        (1, 500, None, "oh no"),
        (2, None, "no answer within 15 s", ""),
        (3, 204, None, ""),
    ]


async def test_the_old_secret_signs_until_its_time_is_over(house: House):
    endpoint = an_endpoint()
    context = secret_context(endpoint.uuid, APP)
    rolled = replace(
        endpoint,
        previous_secret_sealed=FakeVault().seal(OLD_SECRET, context=context),
        previous_secret_expires_at=NOON + timedelta(hours=1),
    )
    await house.happen(an_event(), an_event(), endpoint=rolled)
    await house.round()
    house.clock.advance(timedelta(hours=1))
    await house.round()
    assert [p.secrets for p in house.receiver.parcels] == [(SECRET, OLD_SECRET), (SECRET,)]


async def test_a_claim_lapses_and_the_late_comer_neither_sends_nor_settles(house: House):
    await house.happen(an_event(), endpoint=an_endpoint())
    (slow,) = await house.claim()
    assert await house.claim() == ()
    house.clock.advance(LEASE)
    (quick,) = await house.claim()
    assert quick.delivery.tries == 2
    assert await house.deliver(slow) is None
    assert house.receiver.parcels == []
    async with house.webhooks.begin(APP) as tx:
        settled = await tx.webhook_deliveries.settle(
            slow.delivery, DeliveryStatus.FAILED, at=house.clock.now()
        )
    assert not settled
    await house.deliver(quick)
    assert house.statuses() == ["delivered"]


async def test_gone_disables_at_once_and_says_so(house: House):
    endpoint = an_endpoint()
    await house.happen(an_event(), an_event(), endpoint=endpoint)
    house.receiver.answers = [Answered(status=410, excerpt="")]
    (claimed,) = await house.claim()
    outcome = await house.deliver(claimed)
    assert outcome is not None and outcome.is_disabled
    after = house.rows.endpoints[endpoint.uuid]
    assert (after.status.value, after.disabled_reason) == ("disabled", DisabledReason.GONE)
    assert house.statuses() == ["failed", "failed"]
    (said,) = house.rows.waiting
    assert (said.type, said.facts) == (
        "webhook_endpoint.disabled",
        {"webhookEndpointUuid": str(endpoint.uuid), "reason": "gone"},
    )


async def test_five_days_without_a_success_disable_and_a_success_begins_them_anew(house: House):
    endpoint = an_endpoint()
    await house.happen(an_event(), endpoint=endpoint)
    house.receiver.answers = [BAD]
    await house.round()
    house.clock.advance(FAILING_MAX - SECOND)
    house.receiver.answers = [BAD]
    await house.round()
    assert house.rows.endpoints[endpoint.uuid].failing_since == NOON
    house.clock.advance(timedelta(minutes=5))
    await house.round()
    assert house.rows.endpoints[endpoint.uuid].failing_since is None

    await house.happen(an_event())
    house.receiver.answers = [BAD, BAD]
    await house.round()
    house.clock.advance(FAILING_MAX)
    await house.round()
    after = house.rows.endpoints[endpoint.uuid]
    assert after.disabled_reason is DisabledReason.FAILING
    assert [event.type for event in house.rows.waiting] == ["webhook_endpoint.disabled"]


async def test_a_failure_that_comes_after_the_end_changes_nothing(house: House):
    endpoint = an_endpoint()
    two = (an_event(), an_event(aggregate_uuid=OTHER_SESSION))
    await house.happen(*two, endpoint=endpoint)
    first, second = await house.claim()
    house.receiver.answers = [Answered(status=410, excerpt=""), BAD]
    await house.deliver(first)
    disabled = house.rows.endpoints[endpoint.uuid]
    await house.deliver(second)
    assert house.rows.endpoints[endpoint.uuid] == disabled
    assert house.statuses() == ["failed", "failed"]


def test_a_try_without_a_status_is_neither_a_success_nor_gone():
    made = Try(number=1, tried_at=NOON, duration_ms=3, error="no answer within 15 s")
    assert not made.is_success and not made.is_gone
