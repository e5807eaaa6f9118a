"""Makers of what tests of events and webhooks begin with."""

from typing import Any, Final

from domain.kernel.events import Event
from domain.webhooks.endpoint import WebhookEndpoint, secret_context
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds
from tests.fakes.vault import FakeVault
from tests.make import APP, a_uuid

SECRET: Final = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OLD_SECRET: Final = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
SESSION, OTHER_SESSION = a_uuid(601), a_uuid(602)

_ids: Final = FakeIds(series=13)


def an_endpoint(**said: Any) -> WebhookEndpoint:
    uuid, app_uuid = said.get("uuid", _ids.new()), said.get("app_uuid", APP)
    usual = {
        "uuid": uuid,
        "app_uuid": app_uuid,
        "url": "https://app.example.com/hooks",
        "secret_sealed": FakeVault().seal(SECRET, context=secret_context(uuid, app_uuid)),
        "created_at": NOON,
        "updated_at": NOON,
    }
    return WebhookEndpoint(**{**usual, **said})


def an_event(what: str = "checkout_session.completed", **said: Any) -> Event:
    usual = {"type": what, "aggregate_uuid": SESSION, "at": NOON, "facts": {"amountTotal": 1189}}
    return Event(**{**usual, **said})
