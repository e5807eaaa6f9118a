"""Payment sessions through the front door: asked for, answered, paid and given back."""

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest

from domain.payments.submit_refund import SubmitRefund
from tests.http.crossing import ORDER, PATH, Crossing, crossing
from tests.http.house import NOBODY, Json, code, problems
from tests.make import a_uuid

__all__ = ["crossing"]

ANSWERED = {"sessionId", "checkoutUrl", "status", "routing", "expiresAt", "createdAt"}
UNKNOWN = str(a_uuid(99))


async def test_an_order_is_answered_with_where_to_pay_it(crossing: Crossing):
    row = await crossing.opened()
    assert row.keys() == ANSWERED
    assert row["status"] == "PENDING" and row["checkoutUrl"].startswith("http")
    assert row["routing"].keys() == {"selectedProvider", "score", "strategy", "decisionId"}
    assert row["routing"]["strategy"] == "fallback" and row["routing"]["score"] is None
    told = await crossing.session(row)
    assert {name: told[name] for name in ANSWERED} == row
    assert told["amount"] == {"total": 1500, "shipping": 200, "tax": 100}
    assert (told["refunded"], told["currency"], told["orderReference"]) == (
        0,
        "JPY",
        "ORD-2024-001",
    )


async def test_the_checkout_behind_it_is_of_the_amount_and_names_the_session(crossing: Crossing):
    urls = {"success": "https://shop.example/{CHECKOUT_SESSION_UUID}", "failure": "https://a.b/c"}
    row = await crossing.opened(redirectUrls=urls, provider="mollie")
    checkout = await crossing.checkout(await crossing.session(row))
    assert (checkout["mode"], checkout["amountTotal"], checkout["amountTax"]) == (
        "direct", 1500, 100
    )  # fmt: skip
    assert checkout["metadata"] == {"paymentSessionUuid": row["sessionId"]}
    assert checkout["clientReferenceId"] == "ORD-2024-001"
    assert checkout["successUrl"] == f"https://shop.example/{row['sessionId']}"
    assert checkout["locale"] == "en_US"  # Mollie speaks no en_AU
    made = await crossing.at_mollie(checkout["sessionId"])
    assert made["amount"] == {"currency": "JPY", "value": "1500"}
    assert sum(int(line["totalAmount"]["value"]) for line in made["lines"]) == 1500


async def test_it_is_paid_and_given_back_in_parts(crossing: Crossing):
    row = await crossing.opened()
    assert (await crossing.shopper_pays(row))["status"] == "SUCCEEDED"
    half = await crossing.refunded(row, "one", amount=500, reason="REQUESTED_BY_CUSTOMER")
    assert half.keys() == {
        "refundId", "sessionId", "status", "amount", "currency", "reason", "createdAt"
    }  # fmt: skip
    assert (half["status"], half["amount"], half["currency"]) == ("PENDING", 500, "JPY")
    await settled(crossing)
    told = await crossing.session(row)
    assert (told["status"], told["refunded"]) == ("PARTIALLY_REFUNDED", 500)
    assert (await crossing.refunded(row, "two"))["amount"] == 1000  # what is left
    await settled(crossing)
    told = await crossing.session(row)
    assert (told["status"], told["refunded"], told["checkoutUrl"]) == ("REFUNDED", 1500, None)
    assert code(await crossing.refund(row, "three")) == "409 [E4090]"


async def settled(crossing: Crossing) -> None:
    """Refunds are sent, and the provider has carried them out."""
    parts = crossing.parts
    submit = SubmitRefund(parts.database, parts.providers, parts.clock, parts.lease)
    waiting = await crossing.rows("select uuid from refunds where status = 'requested'")
    for refund in waiting:
        await submit(crossing.house.app.app_uuid, refund["uuid"])
    await crossing.shop.looks()


async def test_only_what_is_paid_is_given_back_and_no_more_than_that(crossing: Crossing):
    row = await crossing.opened()
    assert code(await crossing.refund(row, "early")) == "409 [E4090]"
    await crossing.shopper_pays(row)
    before = await crossing.house.rows("idempotency_keys")
    assert problems(await crossing.refund(row, None)).keys() == {"Idempotency-Key"}
    assert problems(await crossing.refund(row, "a", amount=1501)).keys() == {"amount"}
    for wrong in (0, -1, 0.5, 1e-9, "x"):
        answer = await crossing.refund(row, f"w{wrong}", amount=wrong)
        assert (code(answer), problems(answer).keys()) == ("400 [E4000]", {"amount"}), wrong
    member = crossing.house.app.user("member", "billing:write")
    assert code(await crossing.refund(row, "b", who=member)) == "403 [E4031]"
    assert await crossing.house.rows("idempotency_keys") == before


async def test_a_repeat_gets_the_very_same_bytes(crossing: Crossing):
    first = await crossing.post("k")
    rows = await crossing.house.rows()
    again = await crossing.post("k")
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert code(await crossing.post("k", orderReference="another")) == "422 [E4220]"
    assert await crossing.house.rows() == rows


async def test_two_at_once_are_one_session_and_one_call(crossing: Crossing):
    answers = await asyncio.gather(*(crossing.post("k") for _ in range(5)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 200 and set(statuses) <= {200, 409}
    assert len({a.content for a in answers if a.status_code == 200}) == 1
    for table in ("payment_sessions", "checkout_sessions", "payments", "payment_attempts"):
        assert await crossing.house.count(table) == 1, table
    assert (await crossing.post("k")).status_code == 200


async def test_a_key_is_needed(crossing: Crossing):
    before = await crossing.house.rows()
    assert problems(await crossing.post(None)).keys() == {"Idempotency-Key"}
    assert code(await crossing.post("x" * 256)) == "400 [E4000]"
    assert await crossing.house.rows() == before


@pytest.mark.parametrize(
    ("currency", "amount", "items"),
    [
        ("AUD", '{"total": 140.76, "shipping": 9.95, "tax": 11.81}', "[[119, 1]]"),
        ("EUR", '{"total": 0.30, "shipping": 0.1, "tax": 0.1}', "[[0.1, 1]]"),
        ("EUR", '{"total": 1000.01}', "[]"),
        ("EUR", '{"total": 140.7600000000, "tax": 1e-2}', "[[140.75, 1]]"),
        ("EUR", '{"total": 1.2E1, "shipping": 2}', "[[3.3333e0, 3]]"),
        ("JPY", '{"total": 1500.0, "tax": 100}', "[[7e2, 2]]"),
        ("JPY", '{"total": 1}', "[]"),
    ],
)
async def test_amounts_are_read_to_the_cent(
    crossing: Crossing, currency: str, amount: str, items: str
):
    answer = await crossing.raw(said(currency, amount, items))
    if "3.3333" in items:
        assert problems(answer) == {"orderItems[0].unitPrice": "has more decimals than EUR has"}
        return
    assert answer.status_code == 200, answer.text
    told = (await crossing.raw_session(answer.json())).decode()
    total = json.loads(amount, parse_float=str, parse_int=str)["total"]
    wanted = {"140.7600000000": "140.76", "0.30": "0.30", "1500.0": "1500"}.get(total, total)
    assert f'"total":{wanted},' in told


@pytest.mark.parametrize(
    ("currency", "amount", "items", "field"),
    [
        ("EUR", '{"total": 1.001}', "[]", "amount.total"),
        ("EUR", '{"total": 140.76000000000000000000000000000001}', "[]", "amount.total"),
        ("EUR", '{"total": 1e-999999999}', "[]", "amount.total"),
        ("EUR", '{"total": 1e999999999}', "[]", "amount.total"),
        ("EUR", '{"total": "NaN"}', "[]", "amount.total"),
        ("EUR", '{"total": 0}', "[]", "amount.total"),
        ("EUR", '{"total": -1}', "[]", "amount.total"),
        ("EUR", '{"total": 100000000}', "[]", "amount.total"),
        ("EUR", '{"total": 1, "shipping": -0.01}', "[]", "amount.shipping"),
        ("EUR", '{"total": 1, "tax": 0.001}', "[]", "amount.tax"),
        ("EUR", '{"total": 1, "tax": 0.6, "shipping": 0.5}', "[]", "amount.total"),
        ("EUR", '{"total": 0.31, "shipping": 0.1, "tax": 0.1}', "[[0.1, 1]]", "amount.total"),
        ("AUD", '{"total": 140.75, "shipping": 9.95, "tax": 11.81}', "[[119, 1]]", "amount.total"),
        ("JPY", '{"total": 1.5}', "[]", "amount.total"),
        ("JPY", '{"total": 1500, "tax": 0.5}', "[]", "amount.tax"),
        ("JPY", '{"total": 1500}', "[[750.5, 2]]", "orderItems[0].unitPrice"),
        ("JPY", '{"total": true}', "[]", "amount.total"),
    ],
)
async def test_what_is_finer_than_a_cent_or_does_not_add_up_names_the_field(
    crossing: Crossing, currency: str, amount: str, items: str, field: str
):
    before = await crossing.house.rows()
    answer = await crossing.raw(said(currency, amount, items))
    assert code(answer) == "400 [E4000]"
    assert problems(answer).keys() == {field}
    assert await crossing.house.rows() == before


def said(currency: str, amount: str, items: str) -> bytes:
    """A body whose amounts are written as they stand here."""
    body = ORDER | {"currency": currency, "amount": "AMOUNT", "orderItems": "ITEMS"}
    pairs = json.loads(items, parse_float=str, parse_int=str)
    lines = ",".join(
        f'{{"name": "x", "unitPrice": {price}, "quantity": {quantity}}}'
        for price, quantity in pairs
    )
    text = json.dumps(body).replace('"AMOUNT"', amount).replace('"ITEMS"', f"[{lines}]")
    return text.encode()


async def test_every_mistake_is_listed_at_once(crossing: Crossing):
    body: dict[str, Any] = {
        "orderReference": ...,
        "paymentMethod": "cash",
        "colour": "red",
        "amount": {"total": 1.5, "vat": 1},
        "customer": {**ORDER["customer"], "lastName": ..., "billingAddress": {"country": "aus"}},
        "redirectUrls": {"success": "javascript:alert(1)", "failure": "https://a.b"},
        "provider": "mollie",
        "paymentProviderUuid": crossing.komoju,
        "expiresInSeconds": 10,
    }
    body["customer"] = {k: v for k, v in body["customer"].items() if v is not ...}
    before = await crossing.house.rows()
    answer = await crossing.post(**body)
    assert problems(answer).keys() == {
        "orderReference", "paymentMethod", "colour", "amount.vat", "customer.lastName",
        "customer.billingAddress.line1", "customer.billingAddress.country",
        "redirectUrls.success", "paymentProviderUuid", "expiresInSeconds",
    }  # fmt: skip
    assert await crossing.house.rows() == before


async def test_where_a_shopper_is_sent_must_be_on_the_apps_list(crossing: Crossing):
    await crossing.house.connection.execute("update apps set allowed_hosts = '{shop.example}'")
    assert (await crossing.post()).status_code == 200
    urls = {"success": "https://evil.example/", "failure": "https://shop.example/"}
    assert problems(await crossing.post(redirectUrls=urls)).keys() == {"redirectUrls.success"}


async def test_who_has_one_tenant_need_not_name_it_and_others_must(crossing: Crossing):
    app = crossing.house.app
    row = await crossing.opened()
    assert (await crossing.session(row))["tenantUuid"] == app.ids["tenant"]
    admin = app.admin
    assert problems(await crossing.post(who=admin)).keys() == {"tenantUuid"}
    assert (await crossing.post(who=admin, tenantUuid=app.ids["tenant"])).status_code == 200


async def test_a_stranger_gets_nothing(crossing: Crossing):
    app, other = crossing.house.app, crossing.house.other
    row = await crossing.opened()
    await crossing.shopper_pays(row)
    before = await crossing.house.rows()
    mine = {"tenantUuid": app.ids["tenant"]}
    for who in (NOBODY, app.key("write"), {"Authorization": "Bearer garbage"}):
        assert code(await crossing.post(who=who)) == "401 [E4010]"
        assert code(await crossing.refund(row, "k", who=who)) == "401 [E4010]"
    # A tenant's own user names no amounts, and another app's administrator none here.
    assert code(await crossing.post(who=app.user("member"))) == "403 [E4031]"
    assert code(await crossing.post(who=app.user("member", "billing:read"))) == "403 [E4031]"
    assert code(await crossing.post("n", who=other.admin, **mine)) == "404 [E4040]"
    assert code(await crossing.refund(row, "k", who=other.admin)) == "404 [E4040]"
    pinned = await crossing.post(
        who=other.admin, tenantUuid=other.ids["tenant"], paymentProviderUuid=crossing.komoju
    )
    assert (code(pinned), problems(pinned).keys()) == ("422 [E4220]", {"paymentProviderUuid"})
    for who in (other.admin, app.user("neighbour"), app.user("guest")):
        for uuid in (row["sessionId"], UNKNOWN):
            found = await crossing.house.door.get(f"{PATH}/{uuid}", headers=dict(who))
            assert code(found) == "404 [E4040]"
    assert (await crossing.session(row, app.user("owner")))["sessionId"] == row["sessionId"]
    after = await crossing.house.rows("idempotency_keys")
    assert after == {name: n for name, n in before.items() if name != "idempotency_keys"}


async def test_a_session_that_ends_unpaid_has_expired(crossing: Crossing):
    row: Json = await crossing.opened()
    path = f"/checkout-sessions/{(await crossing.session(row))['checkoutSessionUuid']}/expire"
    await crossing.house.ok(crossing.house.app.admin, "POST", path)
    told = await crossing.session(row)
    assert (told["status"], told["checkoutUrl"]) == ("EXPIRED", None)


async def test_one_shopper_method_that_no_account_takes_is_refused_and_may_heal(
    crossing: Crossing,
):
    answer = await crossing.post("k", paymentMethod="konbini", provider="mollie")
    assert code(answer) == "422 [E4220]"
    assert "method" in problems(answer)[None]
    before = await crossing.house.count("idempotency_keys")
    again = await crossing.post("k", paymentMethod="konbini")  # another body: nothing was kept
    assert again.status_code == 200, again.text
    assert again.json()["routing"]["selectedProvider"] == "komoju"
    assert await crossing.house.count("idempotency_keys") == before + 2


async def test_the_providers_considered_no_is_for_good_and_leads_nowhere_else(crossing: Crossing):
    await crossing.policy(defaultOrder=[crossing.mollie, crossing.komoju])
    fault = {"operation": "createPayment", "kind": "status", "status": 422, "times": 1}
    await crossing.sandbox.post("/_control/faults", json=fault)
    answer = await crossing.post("k")
    assert code(answer) == "422 [E4220]"
    assert (await crossing.post("k")).content == answer.content
    (session,) = await crossing.rows("select uuid from payment_sessions")
    assert len(await crossing.rows("select 1 from payment_session_attempts")) == 1
    told = await crossing.session({"sessionId": str(session["uuid"])})
    assert told["status"] == "FAILED"
    (call,) = await crossing.rows("select result from provider_calls")
    assert call["result"] == "ok"
    assert UUID(told["sessionId"]) == session["uuid"]


async def test_a_customer_who_is_refused_ends_the_session(crossing: Crossing):
    fault = {"operation": "createCustomer", "kind": "status", "status": 422, "times": 1}
    await crossing.sandbox.post("/_control/faults", json=fault)
    assert code(await crossing.post(provider="mollie")) == "422 [E4220]"
    (session,) = await crossing.rows("select uuid from payment_sessions")
    told = await crossing.session({"sessionId": str(session["uuid"])})
    assert (told["status"], told["checkoutSessionUuid"]) == ("FAILED", None)
