"""Webhook endpoints over HTTP: a secret told once, deliveries with their tries, replays, tests."""

import base64
from datetime import timedelta
from typing import Any, Final

import pytest

from domain.webhooks.deliver import DeliverWebhooks
from domain.webhooks.ports import Answered, Parcel, Unanswered
from domain.webhooks.publish import PublishEvents
from infrastructure.secrets import AesGcmVault
from tests.fakes.webhooks import NoJitter
from tests.http.house import CLOCK, IDS, House, Json, code, problems

LIST: Final = "/webhook-endpoints"
URL: Final = "https://app.example.com/mine"
ROW: Final = {
    "uuid", "appUuid", "url", "eventTypes", "description", "status", "disabledReason",
    "failingSince", "secret", "previousSecretExpiresAt", "createdAt", "updatedAt", "deletedAt",
}  # fmt: skip


async def endpoint(house: House, **said: Any) -> Json:
    return await house.ok(house.app.admin, "POST", LIST, {"url": URL} | said)


async def publish(house: House) -> None:
    while await PublishEvents(house.database, CLOCK, IDS)(house.app.app_uuid):
        pass


async def deliveries(house: House, uuid: str, query: str = "") -> list[Json]:
    answer = await house.ask(house.app.admin, "GET", f"{LIST}/{uuid}/deliveries{query}")
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["items"]
    return found


async def test_a_secret_is_told_once_and_is_in_no_table(house: House):
    keyed = {**house.app.admin, "Idempotency-Key": "k"}
    first, again = [await house.ask(keyed, "POST", LIST, {"url": URL}) for _ in range(2)]
    made, repeated = (answer.json()["items"][0] for answer in (first, again))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert made["uuid"] == repeated["uuid"] and repeated["secret"] is None
    path = f"{LIST}/{made['uuid']}"
    keyed["Idempotency-Key"] = "another"
    rolled, rolled_again = [
        (await house.ask(keyed, "POST", f"{path}/secret/roll", {})).json()["items"][0]
        for _ in range(2)
    ]
    secrets = [made["secret"], rolled["secret"]]
    assert all(secret.startswith("whsec_") for secret in secrets) and len(set(secrets)) == 2
    assert rolled_again["secret"] is None
    assert (await house.ok(house.app.admin, "GET", path))["secret"] is None
    rows = ""
    for table in await house.rows():
        for row in await house.connection.fetch(f'select t::text from "{table}" t'):
            rows += row[0] + "\n"
    for secret in secrets:
        plain = base64.b64decode(secret.removeprefix("whsec_"))
        for said in (secret, secret.encode().hex(), plain.hex(), secret.removeprefix("whsec_")):
            assert said not in rows


async def test_an_endpoint_has_the_row(house: House):
    said = {"eventTypes": ["payment.paid"], "description": "Ours"}
    row = await endpoint(house, **said)
    assert set(row) == ROW
    expected = {**said, "url": URL, "status": "enabled", "disabledReason": None}
    assert {name: row[name] for name in expected} == expected
    read = await house.ok(house.app.key("read"), "GET", f"{LIST}/{row['uuid']}")
    assert read == row | {"secret": None}
    listed = (await house.ask(house.app.admin, "GET", LIST)).json()
    assert listed["totalItems"] == 2 and listed["items"][0] == read


async def test_a_change_changes_what_is_sent_and_nothing_else(house: House):
    row = await endpoint(house, description="Ours")
    path = f"{LIST}/{row['uuid']}"
    changed = await house.ok(house.app.admin, "PUT", path, {"eventTypes": ["payment.paid"]})
    differs = {name for name in ROW if changed[name] != row[name]}
    assert differs <= {"eventTypes", "updatedAt", "secret"} and changed["description"] == "Ours"
    emptied = await house.ok(house.app.admin, "PUT", path, {"description": None})
    assert emptied["description"] is None


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"url"}),
        ({"url": ""}, {"url"}),
        ({"url": "http://app.example.com/"}, {"url"}),
        ({"url": "https://127.0.0.1/"}, {"url"}),
        ({"url": "https://app.example.com:25/"}, {"url"}),
        ({"url": URL, "eventTypes": ["payment.paid", "x.y"]}, {"eventTypes[1]"}),
        ({"url": "https://localhost/", "eventTypes": ["x.y"]}, {"url", "eventTypes[0]"}),
        ({"url": URL, "description": "a\nb"}, {"description"}),
        ({"url": URL, "secret": "whsec_mine"}, {"secret"}),
    ],
)
async def test_bad_input_names_the_field(house: House, body: Json, fields: set[str]):
    before = await house.rows()
    answer = await house.ask(house.app.admin, "POST", LIST, body)
    assert code(answer) == "400 [E4000]"
    assert set(problems(answer)) == fields
    assert await house.rows() == before


@pytest.mark.parametrize("seconds", [-1, 604_801, "3600", None])
async def test_an_old_secret_lives_a_week_at_most(house: House, seconds: object):
    path = f"{LIST}/{house.app.ids['webhook_endpoint']}/secret/roll"
    body = {"previousSecretLifetimeSeconds": seconds}
    assert code(await house.ask(house.app.admin, "POST", path, body)) == "400 [E4000]"


async def test_what_is_disabled_hears_nothing_until_it_is_enabled_again(house: House):
    uuid = house.app.ids["webhook_endpoint"]
    off = await house.ok(house.app.admin, "PUT", f"{LIST}/{uuid}", {"status": "disabled"})
    assert (off["status"], off["disabledReason"]) == ("disabled", "by_hand")
    assert {d["status"] for d in await deliveries(house, uuid)} == {"failed"}
    for path, body in (("test", ...), ("replays", {"eventUuid": house.app.ids["event"]})):
        answer = await house.ask(house.app.admin, "POST", f"{LIST}/{uuid}/{path}", body)
        assert code(answer) == "409 [E4090]"
    count = await house.count("webhook_deliveries")
    await publish(house)
    assert await house.count("webhook_deliveries") == count
    on = await house.ok(house.app.admin, "PUT", f"{LIST}/{uuid}", {"status": "enabled"})
    assert (on["status"], on["disabledReason"], on["failingSince"]) == ("enabled", None, None)


async def test_a_deleted_endpoint_can_be_read_and_nothing_else(house: House):
    uuid = house.app.ids["webhook_endpoint"]
    path = f"{LIST}/{uuid}"
    gone = await house.ok(house.app.admin, "DELETE", path)
    assert gone["deletedAt"] and gone["disabledReason"] == "deleted"
    assert await house.ok(house.app.admin, "GET", path) == gone
    assert await house.ok(house.app.admin, "DELETE", path) == gone
    assert (await house.ask(house.app.admin, "GET", LIST)).json()["totalItems"] == 0
    for method, where, body in (
        ("PUT", "", {"status": "enabled"}),
        ("POST", "/secret/roll", {}),
        ("POST", "/test", ...),
        ("POST", "/replays", {"eventUuid": house.app.ids["event"]}),
    ):
        assert code(await house.ask(house.app.admin, method, path + where, body)) == "409 [E4090]"
    assert {d["status"] for d in await deliveries(house, uuid)} == {"failed"}


async def test_a_test_goes_to_one_endpoint_whatever_its_filter(house: House):
    asking = await endpoint(house, eventTypes=["payment.paid"])
    answer = await house.ask(house.app.admin, "POST", f"{LIST}/{asking['uuid']}/test")
    assert answer.status_code == 202
    await publish(house)
    (sent,) = await deliveries(house, asking["uuid"])
    assert sent["eventType"] == "webhook_endpoint.test"
    others = await deliveries(house, house.app.ids["webhook_endpoint"], "?limit=100")
    assert "webhook_endpoint.test" not in {d["eventType"] for d in others}


class Answers:
    """A sender whose receivers say this, one after the other."""

    def __init__(self, *answers: Answered | Unanswered) -> None:
        self._answers = list(answers)

    async def send(self, parcel: Parcel) -> Answered | Unanswered:
        return self._answers.pop(0)


async def test_a_delivery_tells_every_try(house: House, settings):
    row = await endpoint(house)
    path = f"{LIST}/{row['uuid']}/replays"
    body = {"eventUuid": house.app.ids["event"]}
    answer = await house.ask(house.app.admin, "POST", path, body)
    assert answer.status_code == 202
    assert answer.json()["items"] == [{"webhookEndpointUuid": row["uuid"], "deliveries": 1}]
    answers = Answers(Unanswered("no answer within 15 s"), Answered(status=204, excerpt="thanks"))
    vault = AesGcmVault(settings.secret_key)
    deliver = DeliverWebhooks(house.database, answers, vault, CLOCK, NoJitter())
    for _ in range(2):
        await house.connection.execute(
            "update webhook_deliveries set due_at = now() - interval '1 s' where due_at > now()"
        )
        (claimed,) = await deliver.claim(
            house.app.app_uuid, lambda e: int(str(e.uuid) == row["uuid"])
        )
        await deliver(claimed)
    (listed,) = await deliveries(house, row["uuid"])
    assert listed["isReplay"] and (listed["status"], listed["tries"]) == ("delivered", 2)
    where = f"{LIST}/{row['uuid']}/deliveries/{listed['uuid']}"
    told = await house.ok(house.app.key("read"), "GET", where)
    tries = told.pop("log")
    assert told == listed
    facts = ("number", "httpStatus", "error", "responseExcerpt")
    assert [tuple(made[name] for name in facts) for made in tries] == [
        (1, None, "no answer within 15 s", ""),
        (2, 204, None, "thanks"),
    ]


async def test_deliveries_are_read_on_newest_first(house: House):
    uuid = house.app.ids["webhook_endpoint"]
    everything = [d["uuid"] for d in await deliveries(house, uuid, "?limit=100")]
    first = [d["uuid"] for d in await deliveries(house, uuid, "?limit=2")]
    second = [d["uuid"] for d in await deliveries(house, uuid, f"?limit=2&after={first[1]}")]
    assert len(everything) > 4 and first + second == everything[:4]
    assert await deliveries(house, uuid, "?status=delivered") == []
    for query in ("?status=lost", f"?after={uuid}", "?limit=101", "?after=x"):
        answer = await house.ask(house.app.admin, "GET", f"{LIST}/{uuid}/deliveries{query}")
        assert code(answer) == "400 [E4000]", query
    other = f"{LIST}/{(await endpoint(house))['uuid']}/deliveries/{everything[0]}"
    assert code(await house.ask(house.app.admin, "GET", other)) == "404 [E4040]"


async def test_a_period_is_sent_again_in_order_and_once(house: House):
    row = await endpoint(house, eventTypes=["product.created", "price.created"])
    now = CLOCK.now()
    body = {
        "from": (now - timedelta(hours=1)).isoformat(),
        "to": (now + timedelta(hours=1)).isoformat(),
    }
    path = f"{LIST}/{row['uuid']}/replays"
    again = [await house.ask(house.app.admin, "POST", path, body) for _ in range(2)]
    assert [answer.json()["items"][0]["deliveries"] for answer in again] == [3, 0]
    sent = [d["eventType"] for d in await deliveries(house, row["uuid"])]
    assert sent == ["price.created", "price.created", "product.created"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "eventUuid"),
        ({"eventUuid": "0198c5a0-5d1e-7a3b-9c52-000000000052", "to": "2026-01-01T00:00:00Z"},
         "eventUuid"),
        ({"from": "2026-01-01T00:00:00Z"}, "to"),
        ({"to": "2026-01-01T00:00:00Z"}, "from"),
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "to"),
        ({"from": "2026-01-01T00:00:00", "to": "2026-01-02T00:00:00Z"}, "from"),
    ],
)  # fmt: skip
async def test_a_replay_is_of_one_event_or_of_a_period(house: House, body: Json, field: str):
    path = f"{LIST}/{house.app.ids['webhook_endpoint']}/replays"
    answer = await house.ask(house.app.admin, "POST", path, body)
    assert code(answer) == "400 [E4000]"
    assert set(problems(answer)) == {field}


async def test_the_other_apps_events_cannot_be_sent_here(house: House):
    path = f"{LIST}/{house.app.ids['webhook_endpoint']}/replays"
    for uuid in (house.other.ids["event"], house.other.ids["delivery"]):
        answer = await house.ask(house.app.admin, "POST", path, {"eventUuid": uuid})
        assert code(answer) == "404 [E4040]"


async def test_an_app_has_so_many_endpoints_and_no_more(house: House):
    for _ in range(19):
        await endpoint(house)
    assert code(await house.ask(house.app.admin, "POST", LIST, {"url": URL})) == "422 [E4220]"
