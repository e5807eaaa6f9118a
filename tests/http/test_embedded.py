"""Sessions paid in a form of the provider's, in a page of the app's: opened, followed, found."""

from typing import Any
from uuid import UUID

import pytest

from tests.http.house import Json, code, problems
from tests.http.till import HOOK, Till

EMBEDDED: Json = {"uiMode": "embedded"}


async def opened(till: Till, **said: Any) -> Json:
    answer = await till.house.buy(**(EMBEDDED | said))
    assert answer.status_code == 200, answer.text
    item: Json = answer.json()["items"][0]
    return item


async def in_form(till: Till, row: Json, status: str) -> str:
    """As the shopper in the form. The newest payment made in it; nobody is told."""
    ref = next(a["sessionId"] for a in row["attempts"] if a["sessionId"].startswith("sess_"))
    body = {"status": status, "method": "creditcard"}
    await till.control(f"/sessions/{ref}/status", body)
    found = (await till.sandbox.get("/_control/payments")).json()
    return str(found["items"][0]["id"])


async def forms_at_mollie(till: Till) -> int:
    return len((await till.sandbox.get("/_control/sessions")).json()["items"])


async def told(till: Till, row: Json, ref: str) -> None:
    answer = await till.house.door.post(
        HOOK, params={"paymentProviderUuid": row["paymentProviderUuid"]}, data={"id": ref}
    )
    assert answer.json()["received"] is True


async def session(till: Till, row: Json) -> Json:
    return await till.get(f"/checkout-sessions/{row['uuid']}")


async def comes_back(till: Till, row: Json) -> str:
    back = await till.house.door.get(row["retryUrl"].removesuffix("/pay") + "/return")
    return str(back.headers["location"])


async def test_the_answer_has_what_the_form_needs_beside_the_row(till: Till):
    item = await opened(till)
    row = item["createdCheckoutSession"]
    assert item["clientAccessToken"]
    assert row["clientAccessToken"] == item["clientAccessToken"]
    assert (row["uiMode"], row["status"], row["paymentStatus"]) == ("embedded", "open", "unpaid")
    assert row["sessionId"].startswith("sess_")
    assert (item["nextAction"]["url"], row["nextActionUrl"]) == (None, None)
    assert (await session(till, row))["clientAccessToken"] == item["clientAccessToken"]


async def test_mollie_is_told_amount_lines_customer_and_kind(till: Till):
    ids = till.house.app.ids
    item = await opened(till, taxRateUuid=ids["exclusive"], quantity=2)
    ref = item["createdCheckoutSession"]["sessionId"]
    secret = till.house.app.secrets["mollie"]
    found = (
        await till.sandbox.get(f"/v2/sessions/{ref}", headers={"Authorization": f"Bearer {secret}"})
    ).json()
    total = {"currency": "EUR", "value": "116.62"}
    assert found["amount"] == total
    assert [line["totalAmount"] for line in found["lines"]] == [total]
    assert found["customerId"].startswith("cst_")
    assert found["sequenceType"] == "oneoff"
    assert "paymentProviderUuid=" in found["payment"]["webhookUrl"]


@pytest.mark.parametrize("who", ["webhook", "shopper"])
async def test_it_is_paid_whoever_tells_us(till: Till, who: str):
    row = (await opened(till))["createdCheckoutSession"]
    ref = await in_form(till, row, "paid")
    if who == "webhook":
        await told(till, row, ref)
    else:
        assert await comes_back(till, row) == row["successUrl"]
    after = await session(till, row)
    assert (after["status"], after["paymentStatus"]) == ("complete", "paid")
    assert after["sessionId"] == ref
    assert after["clientAccessToken"] is None
    assert await till.books() == {"cash": 49_00, "revenue": -49_00}


async def test_a_decline_leaves_it_open_and_the_next_try_pays(till: Till):
    row = (await opened(till))["createdCheckoutSession"]
    await told(till, row, await in_form(till, row, "failed"))
    declined = await session(till, row)
    assert declined["status"] == "open"
    assert [a["status"] for a in declined["attempts"]] == ["failed"]
    assert declined["clientAccessToken"]
    ref = await in_form(till, row, "paid")
    assert await comes_back(till, row) == row["successUrl"]
    after = await session(till, row)
    assert [a["status"] for a in after["attempts"]] == ["failed", "paid"]
    assert (after["status"], after["sessionId"]) == ("complete", ref)
    assert (await till.books())["cash"] == 49_00
    assert await till.statuses("refunds") == []


async def test_a_subscription_begins_with_its_first_payment_in_the_form(till: Till):
    monthly = till.house.app.ids["monthly"]
    row = (await opened(till, mode="subscription", productPriceUuid=monthly))[
        "createdCheckoutSession"
    ]
    await told(till, row, await in_form(till, row, "paid"))
    assert (await session(till, row))["status"] == "complete"
    assert await till.statuses("subscriptions") == ["active"]
    assert await till.statuses("mandates") == ["valid"]


async def test_paid_twice_in_it_is_given_back_once(till: Till):
    """Mollie ends a paid form; this one is paid by hand, with the form's own metadata."""
    row = (await opened(till))["createdCheckoutSession"]
    first = await in_form(till, row, "paid")
    await told(till, row, first)
    secret = {"Authorization": f"Bearer {till.house.app.secrets['mollie']}"}
    seen = (await till.sandbox.get(f"/v2/payments/{first}", headers=secret)).json()
    body = {
        "amount": seen["amount"],
        "description": "again",
        "redirectUrl": "https://shop.example",
        "method": "creditcard",
        "metadata": seen["metadata"],
    }
    again = (await till.sandbox.post("/v2/payments", json=body, headers=secret)).json()["id"]
    await till.control(f"/payments/{again}/status", {"status": "paid"})
    await told(till, row, again)
    await told(till, row, again)
    assert await till.statuses("refunds") == ["requested"]
    assert (await till.books())["held"] == -49_00
    assert (await session(till, row))["status"] == "complete"


async def test_while_the_form_is_open_nothing_else_can_be_paid_and_afterwards_our_page_can(
    till: Till,
):
    row = (await opened(till))["createdCheckoutSession"]
    wait = await till.house.door.get(row["retryUrl"])
    assert wait.status_code == 503
    await till.control(f"/sessions/{row['sessionId']}/status", {"status": "expired"})
    again = await till.house.door.get(row["retryUrl"])
    assert again.status_code == 303
    after = await session(till, row)
    assert again.headers["location"] == after["nextActionUrl"]
    assert after["sessionId"].startswith("tr_")


async def test_one_that_was_paid_and_nobody_said_so_does_not_expire(till: Till):
    row = (await opened(till))["createdCheckoutSession"]
    await in_form(till, row, "paid")
    await till.house.connection.execute("update checkout_sessions set expires_at = now()")
    await till.parts.expire.by_time(till.house.app.app_uuid, UUID(row["uuid"]))
    assert (await session(till, row))["status"] == "complete"


async def test_what_is_paid_after_the_session_has_ended_goes_back(till: Till):
    row = (await opened(till))["createdCheckoutSession"]
    await till.house.ok(till.house.app.admin, "POST", f"/checkout-sessions/{row['uuid']}/expire")
    await told(till, row, await in_form(till, row, "paid"))
    assert (await session(till, row))["status"] == "expired"
    assert await till.statuses("refunds") == ["requested"]


async def other_try(till: Till, row: Json, like: str, status: str) -> str:
    """Another payment with the form's metadata, as if made in it; and we are told."""
    secret = {"Authorization": f"Bearer {till.house.app.secrets['mollie']}"}
    seen = (await till.sandbox.get(f"/v2/payments/{like}", headers=secret)).json()
    body = {
        "amount": seen["amount"],
        "description": "another try",
        "redirectUrl": "https://shop.example",
        "method": "creditcard",
        "metadata": seen["metadata"],
    }
    ref = str((await till.sandbox.post("/v2/payments", json=body, headers=secret)).json()["id"])
    await till.control(f"/payments/{ref}/status", {"status": status})
    await told(till, row, ref)
    return ref


async def test_a_later_try_that_fails_ends_nothing_while_an_earlier_one_is_under_way(till: Till):
    row = (await opened(till))["createdCheckoutSession"]
    first = await in_form(till, row, "failed")
    await told(till, row, first)
    pending = await other_try(till, row, first, "pending")
    await other_try(till, row, first, "failed")
    assert (await session(till, row))["status"] == "processing"
    await till.control(f"/sessions/{row['sessionId']}/status", {"status": "expired"})
    attempts = len((await session(till, row))["attempts"])
    await till.house.door.get(row["retryUrl"])
    assert len((await session(till, row))["attempts"]) == attempts
    await till.control(f"/payments/{pending}/status", {"status": "paid"})
    await told(till, row, pending)
    assert (await session(till, row))["status"] == "complete"
    assert await till.statuses("refunds") == []


async def test_when_the_last_try_under_way_fails_the_shopper_may_pay_again(till: Till):
    row = (await opened(till))["createdCheckoutSession"]
    first = await in_form(till, row, "failed")
    await told(till, row, first)
    pending = await other_try(till, row, first, "pending")
    await other_try(till, row, first, "failed")
    await till.control(f"/payments/{pending}/status", {"status": "failed"})
    await told(till, row, pending)
    assert (await session(till, row))["status"] == "open"


async def test_the_same_key_opens_one_form(till: Till):
    first = await till.house.buy(**EMBEDDED)
    again = await till.house.buy(**EMBEDDED)  # a double click
    assert again.content == first.content
    assert len(await till.statuses("payment_attempts")) == 1


async def test_a_lost_answer_is_asked_for_again_under_the_same_key(till: Till):
    await opened(till, quantity=2)  # makes the customer
    await till.control("/faults", {"operation": "createSession", "kind": "truncatedJson"})
    before = await forms_at_mollie(till)
    lost = await till.house.buy(**EMBEDDED)
    assert lost.status_code in (502, 503)
    found = await till.house.buy(**EMBEDDED)
    assert found.status_code == 200, found.text
    assert found.json()["items"][0]["clientAccessToken"]
    assert await forms_at_mollie(till) == before + 1
    assert len(await till.statuses("checkout_sessions")) == 2


async def test_a_refusal_of_mollies_ends_it(till: Till):
    await till.control("/faults", {"operation": "createSession", "kind": "status", "status": 422})
    answer = await till.house.buy(**EMBEDDED)
    assert code(answer) == "422 [E4220]"
    assert await till.statuses("checkout_sessions") == ["failed"]


@pytest.mark.parametrize(
    "said",
    [
        {"billingAddressCollection": True},
        {"collectTermsOfServiceConsent": True, "termsOfServiceUrl": "https://shop.example/terms"},
    ],
)
async def test_details_are_collected_on_our_page_or_not_at_all(till: Till, said: Json):
    before = await till.house.rows()
    answer = await till.house.buy(**(EMBEDDED | said))
    assert code(answer) == "400 [E4000]"
    assert problems(answer).keys() == {"uiMode"}
    assert await till.house.rows() == before
