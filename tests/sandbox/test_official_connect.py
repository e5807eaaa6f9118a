"""Mollie's own client holds, captures, opens sessions and connects accounts, as if with Mollie."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from litestar import Litestar
from mollie import ClientSDK, Security, models

from tests.sandbox.connected import APP, BACK, App, profile_of
from tests.sandbox.shop import URL, Shop
from tests.sandbox.test_captures import KLARNA

PAYMENT = {
    "amount": {"currency": "EUR", "value": "49.00"},
    "description": "Kontor Pro",
    "redirect_url": "https://shop.example.org/back",
    "webhook_url": "https://shop.example.org/hook",
}
LINE = {
    "description": "Kontor Pro",
    "quantity": 1,
    "unit_price": {"currency": "EUR", "value": "49.00"},
    "total_amount": {"currency": "EUR", "value": "49.00"},
}
SESSION = {
    "amount": PAYMENT["amount"],
    "description": "Order 7",
    "lines": [LINE],
    "redirect_url": "https://shop.example.org/back",
    "metadata": {"order": "7"},
    "payment": {"webhook_url": "https://shop.example.org/hook"},
}


@asynccontextmanager
async def client_of(sandbox: Litestar, **options) -> AsyncIterator[ClientSDK]:
    transport = httpx.ASGITransport(app=sandbox)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        # No retries: with them a refused call would be made again under a new key.
        yield ClientSDK(server_url=URL, async_client=client, retry_config=None, **options)


@pytest.fixture
async def mollie(sandbox):
    async with client_of(sandbox, security=Security(api_key="test_shop")) as client:
        yield client


@pytest.fixture
async def app(shop: Shop) -> App:
    app = App(shop)
    await app.register()
    return app


async def held(mollie, shop, **changes):
    request = {**PAYMENT, "capture_mode": "manual", "method": "creditcard", **changes}
    made = await mollie.payments.create_async(payment_request=request, idempotency_key="hold")
    await shop.settle(made.id, "authorized")
    return made.id


async def test_money_is_held_captured_in_parts_and_the_rest_released(mollie, shop):
    address = KLARNA["billingAddress"]
    billing = {
        "given_name": address["givenName"],
        "family_name": address["familyName"],
        "street_and_number": address["streetAndNumber"],
        "postal_code": address["postalCode"],
        **{name: address[name] for name in ("email", "city", "country")},
    }
    id = await held(mollie, shop, method="klarna", lines=[LINE], billing_address=billing)
    payment = await mollie.payments.get_async(payment_id=id)
    assert (payment.status, payment.amount_captured.value) == ("authorized", "0.00")
    assert payment.capture_before is not None

    capture = await mollie.captures.create_async(
        payment_id=id,
        entity_capture={"amount": {"currency": "EUR", "value": "19.00"}, "description": "Box 1"},
        idempotency_key="box-1",
    )
    assert capture.status == "pending"
    await shop.advance(seconds=1)
    again = await mollie.captures.get_async(payment_id=id, capture_id=capture.id)
    assert (again.status, again.description) == ("succeeded", "Box 1")
    page = await mollie.captures.list_async(payment_id=id)
    assert [one.id for one in page.result.embedded.captures] == [capture.id]

    await mollie.payments.release_authorization_async(payment_id=id, idempotency_key="release")
    await shop.advance(seconds=1)
    paid = await mollie.payments.get_async(payment_id=id)
    assert (paid.status, paid.amount_captured.value) == ("paid", "19.00")


async def test_a_capture_that_is_too_much_reaches_the_client_with_its_field(mollie, shop):
    id = await held(mollie, shop)
    with pytest.raises(models.ErrorResponse) as refused:
        await mollie.captures.create_async(
            payment_id=id,
            entity_capture={"amount": {"currency": "EUR", "value": "49.01"}},
            idempotency_key="too-much",
        )
    assert (refused.value.data.status, refused.value.data.field) == (422, "amount")


async def test_a_session_is_opened_paid_and_read(mollie, shop):
    made = await mollie.checkout_sessions.create_async(
        session_request=SESSION, idempotency_key="session"
    )
    assert (made.status, made.metadata) == ("open", {"order": "7"})
    await shop.control(f"sessions/{made.id}/status", status="paid")
    done = await mollie.checkout_sessions.get_async(session_id=made.id)
    assert done.status == "completed"
    assert done.completed_at is not None


async def test_a_session_that_is_off_by_a_cent_is_refused(mollie):
    with pytest.raises(models.ErrorResponse) as refused:
        await mollie.checkout_sessions.create_async(
            session_request={**SESSION, "amount": {"currency": "EUR", "value": "49.01"}},
            idempotency_key="session",
        )
    assert (refused.value.data.status, refused.value.data.field) == (422, "amount")


async def tokens_of(mollie, app, merchant):
    return await mollie.oauth.generate_async(
        security=models.OauthGenerateTokensSecurity(username=APP[0], password=APP[1]),
        request_body={
            "grant_type": "authorization_code",
            "code": await app.code(merchant),
            "redirect_uri": BACK,
        },
    )


async def test_tokens_are_given_refreshed_and_revoked(mollie, app):
    secret = models.OauthGenerateTokensSecurity(username=APP[0], password=APP[1])
    tokens = await tokens_of(mollie, app, await app.merchant())
    assert tokens.expires_in == 3600
    fresh = await mollie.oauth.generate_async(
        security=secret,
        request_body={"grant_type": "refresh_token", "refresh_token": tokens.refresh_token},
    )
    assert fresh.refresh_token == tokens.refresh_token
    await mollie.oauth.revoke_async(
        security=models.OauthRevokeTokensSecurity(username=APP[0], password=APP[1]),
        request_body={"token_type_hint": "refresh_token", "token": tokens.refresh_token},
    )
    with pytest.raises(models.APIError) as refused:
        await mollie.oauth.generate_async(
            security=secret,
            request_body={"grant_type": "refresh_token", "refresh_token": tokens.refresh_token},
        )
    assert refused.value.status_code == 400
    assert "invalid_grant" in refused.value.body


async def test_an_app_works_in_the_account_that_let_it_in(sandbox, mollie, app):
    merchant = await app.merchant()
    profile = profile_of(merchant)
    tokens = await tokens_of(mollie, app, merchant)
    security = Security(o_auth=tokens.access_token)
    async with client_of(sandbox, security=security, profile_id=profile, testmode=True) as theirs:
        assert (await theirs.organizations.get_current_async()).id == merchant["id"]
        assert (await theirs.onboarding.get_async()).status == "completed"
        profiles = await theirs.profiles.list_async()
        assert [one.id for one in profiles.result.embedded.profiles] == [profile]

        fee = {"amount": {"currency": "EUR", "value": "1.00"}, "description": "Kontor"}
        payment = await theirs.payments.create_async(
            payment_request={**PAYMENT, "application_fee": fee}, idempotency_key="payment"
        )
        assert (payment.mode, payment.profile_id) == ("test", profile)
        assert (await theirs.payments.get_async(payment_id=payment.id)).id == payment.id
        listed = await theirs.payments.list_async()
        assert [one.id for one in listed.result.embedded.payments] == [payment.id]

        session = await theirs.checkout_sessions.create_async(
            session_request=SESSION, idempotency_key="session"
        )
        assert (session.mode, session.profile_id) == ("test", profile)
        read = await theirs.checkout_sessions.get_async(session_id=session.id)
        assert read.mode == "test"

        id = await held(theirs, app.shop)
        request = {"testmode": True}
        await theirs.captures.create_async(
            payment_id=id, entity_capture=request, idempotency_key="capture"
        )


async def test_the_maker_of_an_app_invites_a_merchant(sandbox):
    security = Security(advanced_access_token="access_own")
    async with client_of(sandbox, security=security) as own:
        link = await own.client_links.create_async(
            client_link_request={
                "owner": {"email": "a@example.org", "given_name": "Ada", "family_name": "Byron"},
                "name": "Engines",
                "address": {"country": "GB"},
            },
            idempotency_key="link",
        )
    assert "/dashboard/client-link/" in link.links.client_link.href


async def test_a_permission_that_was_not_given_is_missed_by_the_client(sandbox, app):
    reader = (await app.shop_of(await app.merchant(), "payments.read")).key
    async with client_of(sandbox, security=Security(o_auth=reader)) as theirs:
        with pytest.raises(models.APIError) as refused:
            await theirs.customers.create_async(entity_customer={}, idempotency_key="customer")
    assert refused.value.status_code == 403
