"""Where shoppers may be sent: https, to a host that the app knows, and no lookalike of that."""

from typing import Any, Final

import pytest

from domain.tenancy.caller import KeyType
from tests.http.house import Builder, House, code, problems

FIELDS: Final = ("successUrl", "cancelUrl", "termsOfServiceUrl")

NO_ADDRESS: Final = [
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\tscript:alert(1)",
    "javascript://shop.example/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "ftp://shop.example/",
    "blob:https://shop.example/x",
    "about:blank",
    "",
    " ",
    "/thanks",
    "thanks",
    "?a=b",
    "#top",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example\\",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https://",
    "https://?a",
    "https:\\\\evil.example",
    "https://shop.example\\@evil.example/",
    "https://user@shop.example/",
    "https://shop.example:pw@evil.example/",
    "https://shop.example@evil.example/",
    "https://shop.example%40evil.example@x/",
    "https://shop.example/\r\nLocation: https://evil.example",
    "https://shop.example/\n",
    "\nhttps://shop.example/",
    " https://shop.example/",
    "https://shop.example/ x",
    "https://shop.example/\tx",
    "https://shop.example/\x7f",
    "https://shop.exa\u200bmple/",
    "https://sh\u043ep.example/",
    "https://shop\u3002example/",
    "https://shop.example/\u00e4",
    "https://shop.example:99999/",
    "https://shop.example:x/",
    "https://[::1/",
    "https://shop.example/<script>",
    'https://shop.example/"onload="x',
    "https://shop.example/" + "x" * 2049,
]

NOT_ON_THE_LIST: Final = [
    "https://evil.example/",
    "https://shop.example.evil.example/",
    "https://evilshop.example/",
    "https://notshop.example/",
    "https://sub.shop.example/",
    "https://example/",
    "https://shop.example./",
    "https://evil.example/shop.example",
    "https://evil.example#shop.example",
    "https://evil.example?shop.example",
    "https://evil.example/?https://shop.example/",
    "https://127.0.0.1/",
    "https://xn--shp-qla.example/",
    "https://shop.example%2eevil.example/",
]

FINE: Final = [
    "https://shop.example",
    "https://SHOP.example/thanks",
    "https://shop.example:8443/thanks?a=1&b=%20#done",
    "https://shop.example/{CHECKOUT_SESSION_UUID}",
    "https://second.example/thanks",
]


@pytest.fixture
async def picky(builder: Builder, house: House) -> House:
    """The house, where the app has a list of hosts."""
    await house.connection.execute(
        "update apps set allowed_hosts = $1 where app_uuid = $2",
        ["shop.example", "second.example"],
        house.app.app_uuid,
    )
    return house


async def refused(house: House, url: str, fields: tuple[str, ...]) -> None:
    before = await house.rows()
    answer = await house.buy(**dict.fromkeys(fields, url))
    assert code(answer) == "400 [E4000]", (url, answer.text)
    assert problems(answer).keys() == set(fields)
    assert await house.rows() == before


@pytest.mark.parametrize("url", NO_ADDRESS)
async def test_what_is_no_safe_address_is_refused_wherever_it_stands(house: House, url: str):
    await refused(house, url, FIELDS)


@pytest.mark.parametrize("value", [None, 1, [], {}, ["https://shop.example"]])
async def test_what_is_no_text_is_refused_too(house: House, value: Any):
    answer = await house.buy(successUrl=value)
    assert problems(answer).keys() == {"successUrl"}


@pytest.mark.parametrize("url", NOT_ON_THE_LIST)
async def test_a_host_that_the_app_has_not_listed_is_refused(picky: House, url: str):
    await refused(picky, url, ("successUrl", "cancelUrl"))


@pytest.mark.parametrize("url", FINE)
async def test_a_host_that_the_app_has_listed_is_fine(picky: House, url: str):
    row = await picky.bought(successUrl=url)
    assert row["successUrl"] == url


async def test_one_bad_host_does_not_excuse_the_other(picky: House):
    answer = await picky.buy(successUrl="https://a.evil/", cancelUrl="http://b.evil/")
    assert problems(answer).keys() == {"successUrl", "cancelUrl"}


async def test_without_a_list_any_https_host_is_fine(house: House):
    assert (await house.buy(successUrl="https://anywhere.example/")).status_code == 200


@pytest.mark.parametrize(
    "url", ["http://localhost:3000/ok", "http://127.0.0.1/ok", "http://[::1]:8000/ok"]
)
async def test_a_developers_own_machine_may_speak_http_with_a_test_account(house: House, url: str):
    assert (await house.buy(successUrl=url)).status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://127.1/",
        "http://2130706433/",
        "http://0.0.0.0/",
        "http://192.168.0.1/",
    ],
)
async def test_http_is_for_a_developers_own_machine_alone(house: House, url: str):
    await refused(house, url, ("successUrl", "cancelUrl"))


async def test_with_a_live_account_http_is_for_nobody(house: House):
    live = {"name": "mollie", "credential": "live_0123456789"}
    made = await house.ok(house.app.admin, "POST", "/payment-providers", live)
    path = f"/payment-providers/{made['uuid']}"
    await house.ok(house.app.admin, "PUT", path, {"isDefault": True})
    await refused(house, "http://localhost:3000/", ("successUrl", "cancelUrl"))


async def test_the_key_variant_knows_the_same_rules(picky: House):
    body = picky.app.order(tenantUuid=..., successUrl="https://evil.example/", cancelUrl="x:y")
    path = f"/tenants/{picky.app.ids['tenant']}/payment-providers/mollie/checkout-sessions"
    answer = await picky.ask(picky.app.key(KeyType.WRITE.value), "POST", path, body)
    assert problems(answer).keys() == {"cancelUrl"}
    body["cancelUrl"] = body["successUrl"]
    answer = await picky.ask(picky.app.key(KeyType.WRITE.value), "POST", path, body)
    assert problems(answer).keys() == {"successUrl", "cancelUrl"}
