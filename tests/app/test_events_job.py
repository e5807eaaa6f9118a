"""The job that publishes: everything that waits, and a line in the log for each."""

import pytest
import structlog
from structlog.testing import capture_logs

from app import jobs
from app.jobs import Events
from domain.webhooks.publish import BATCH, PublishEvents
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.ids import FakeIds
from tests.fakes.webhooks import FakeWebhooks
from tests.make import APP
from tests.make_webhooks import an_event


async def test_it_publishes_batch_after_batch_and_logs_each_event(monkeypatch: pytest.MonkeyPatch):
    # One that nobody has used: a logger that has spoken keeps its processors.
    monkeypatch.setattr(jobs, "log", structlog.get_logger("worker"))
    house = FakeWebhooks()
    async with house.begin(APP) as tx:
        await tx.outbox.append(*[an_event("payment.paid") for _ in range(BATCH + 1)])
    job = Events(PublishEvents(house, FakeClock(), FakeIds()))
    with capture_logs() as lines:
        assert await job.claim(APP, NOON) == ()
    assert len(house.rows[APP].feed) == len(lines) == BATCH + 1
    assert lines[-1]["event_type"] == "payment.paid"
    assert (lines[-1]["app"], lines[-1]["sequence"]) == (str(APP), BATCH + 1)
    assert lines[-1]["facts"] == {"amountTotal": 1189}
