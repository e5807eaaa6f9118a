"""The feed over HTTP: everything that happened, once, in order, from wherever one stopped."""

from datetime import datetime

from domain.webhooks.event_types import EVENT_TYPES
from domain.webhooks.publish import PublishEvents
from tests.http.house import CLOCK, IDS, NOBODY, House, Json, code, problems

ITEM = {"id", "type", "version", "timestamp", "sequence", "aggregateUuid", "appUuid", "data"}


async def publish(house: House) -> None:
    while await PublishEvents(house.database, CLOCK, IDS)(house.app.app_uuid):
        pass


async def feed(house: House, query: str = "") -> list[Json]:
    answer = await house.ask(house.app.key("read"), "GET", f"/events{query}")
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["items"]
    return found


async def test_an_event_is_told_like_its_webhook(house: House):
    items = await feed(house, "?type=product.created")
    (item,) = items
    assert set(item) == ITEM
    assert item["appUuid"] == str(house.app.app_uuid)
    assert item["aggregateUuid"] == item["data"]["productUuid"] == house.app.ids["product"]
    assert (item["type"], item["version"], item["sequence"]) == ("product.created", 1, 1)
    assert datetime.fromisoformat(item["timestamp"]) <= CLOCK.now()
    assert await house.ok(house.app.admin, "GET", f"/events/{item['id']}") == item


async def test_one_reads_on_from_where_one_stopped(house: House):
    everything = await feed(house, "?limit=100")
    read: list[Json] = []
    while page := await feed(house, "?limit=3" + (f"&after={read[-1]['id']}" if read else "")):
        read += page
    assert read == everything
    await house.ok(house.app.admin, "PUT", f"/products/{house.app.ids['product']}", {"name": "New"})
    assert await feed(house, f"?after={read[-1]['id']}") == []
    await publish(house)
    (new,) = await feed(house, f"?after={read[-1]['id']}")
    assert (new["type"], new["sequence"]) == ("product.updated", 2)


async def test_a_feed_is_an_apps_own(house: House):
    own = {item["id"] for item in await feed(house, "?limit=100")}
    assert house.other.ids["event"] not in own
    path = f"/events?after={house.other.ids['event']}"
    assert problems(await house.ask(house.app.admin, "GET", path)).keys() == {"after"}


async def test_bad_questions_name_the_field(house: House):
    for query, field in (
        ("?after=x", "after"),
        (f"?after={house.app.ids['product']}", "after"),
        ("?type=payment.*", "type"),
        ("?limit=0", "limit"),
    ):
        answer = await house.ask(house.app.admin, "GET", f"/events{query}")
        assert code(answer) == "400 [E4000]", query
        assert set(problems(answer)) == {field}


async def test_what_is_not_published_yet_is_not_found(house: House):
    await house.ok(house.app.admin, "POST", "/products", {"name": "Basic"})
    uuid = await house.connection.fetchval("select uuid from outbox where due_at is not null")
    assert code(await house.ask(house.app.admin, "GET", f"/events/{uuid}")) == "404 [E4040]"
    await publish(house)
    assert (await house.ok(house.app.admin, "GET", f"/events/{uuid}"))["id"] == str(uuid)


async def test_the_types_are_public(house: House):
    answer = await house.door.get("/api/v1/event-types", headers=dict(NOBODY))
    told = answer.json()
    assert told["totalItems"] == len(EVENT_TYPES) >= 30
    assert [item["type"] for item in told["items"]] == [*EVENT_TYPES]
    assert all(set(item) == {"type", "version", "description", "facts"} for item in told["items"])
