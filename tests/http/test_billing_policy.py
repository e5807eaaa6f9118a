"""The billing policy through the front door."""

from typing import Any, Final

import pytest

from tests.http.house import NOBODY, House, Json, code, problems

PATH: Final = "/billing-policy"
DEFAULTS: Final[Json] = {
    "timeZone": "UTC",
    "retryDays": [3, 5, 7],
    "graceDays": 7,
    "finalAction": "cancel",
    "missedPeriods": "bill",
    "chargebackAction": "suspend",
    "minimumCharge": 0,
}
OWN: Final[Json] = {
    "timeZone": "Europe/Berlin",
    "retryDays": [1, 14],
    "graceDays": 0,
    "finalAction": "pause",
    "missedPeriods": "skip",
    "chargebackAction": "recollect",
    "minimumCharge": 250,
}


async def policy(house: House) -> Json:
    return await house.ok(house.app.admin, "GET", PATH)


async def test_an_app_that_has_said_nothing_has_the_defaults(house: House):
    answer = await house.ask(house.app.admin, "GET", PATH)
    assert answer.json()["kind"] == "billingPolicies"
    row = await policy(house)
    assert row.keys() == DEFAULTS.keys() | {"appUuid", "createdAt", "updatedAt"}
    assert DEFAULTS.items() <= row.items()
    assert row["appUuid"] == str(house.app.app_uuid)


async def test_what_is_sent_changes_and_the_rest_stays(house: House):
    after = await house.ok(house.app.admin, "PUT", PATH, OWN)
    assert OWN.items() <= after.items()
    assert await policy(house) == after
    again = await house.ok(house.app.key("write"), "PUT", PATH, {"graceDays": 5})
    assert again == after | {"graceDays": 5, "updatedAt": again["updatedAt"]}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"timeZone": "Europe/Atlantis"}, "timeZone"),
        ({"timeZone": "../../etc/passwd"}, "timeZone"),
        ({"timeZone": "Europe/Berlin\n"}, "timeZone"),
        ({"timeZone": None}, "timeZone"),
        ({"retryDays": [3, 3]}, "retryDays"),
        ({"retryDays": [0]}, "retryDays"),
        ({"retryDays": [61]}, "retryDays"),
        ({"retryDays": list(range(1, 12))}, "retryDays"),
        ({"retryDays": [1.5]}, "retryDays"),
        ({"retryDays": 3}, "retryDays"),
        ({"graceDays": -1}, "graceDays"),
        ({"graceDays": 61}, "graceDays"),
        ({"finalAction": "delete"}, "finalAction"),
        ({"missedPeriods": ""}, "missedPeriods"),
        ({"chargebackAction": "sue"}, "chargebackAction"),
        ({"minimumCharge": -1}, "minimumCharge"),
        ({"color": "red"}, "color"),
    ],
)
async def test_a_mistake_names_the_field_and_changes_nothing(
    house: House, said: dict[str, Any], field: str
):
    before = await house.rows()
    answer = await house.ask(house.app.admin, "PUT", PATH, OWN | said)
    assert answer.status_code == 400, answer.text
    assert {name.split("[")[0].split(".")[0] for name in problems(answer)} == {field}
    assert await house.rows() == before


async def test_a_stranger_gets_nothing(house: House):
    await house.ok(house.app.admin, "PUT", PATH, OWN)
    for method, body in (("GET", ...), ("PUT", {"graceDays": 1})):
        nobody = await house.ask(NOBODY, method, PATH, body)
        assert code(nobody) == "401 [E4010]"
        neighbour = await house.ask(house.other.admin, method, PATH, body)
        assert neighbour.status_code in (401, 404), neighbour.text
        member = await house.ask(house.app.user("owner"), method, PATH, body)
        assert code(member) == "403 [E4031]"
    assert OWN.items() <= (await policy(house)).items()
    theirs = await house.door.get(house.other.path(PATH), headers=house.other.admin)
    assert DEFAULTS.items() <= theirs.json()["items"][0].items()
