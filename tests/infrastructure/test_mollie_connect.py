"""Connect at Mollie, against the sandbox and against servers that answer wrongly: codes, tokens,
where mode and profile are said, and that nothing is made twice when a token takes another's place.
"""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace

from domain.kernel.errors import CredentialRefused, ProviderUnavailable, ProviderUnreadable
from domain.payments.connect_service import Exchange, digest
from domain.payments.finish_connecting import FinishConnecting
from domain.payments.payment_provider import ConnectedBy, ProviderMode, ProviderName
from domain.payments.ports import NewCustomer
from infrastructure.budget import RateBudget
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.connect import SCOPES, MollieApp, MollieConnect, MollieTokenClient
from infrastructure.mollie.provider import connect
from infrastructure.provider_client import Call
from tests.contract.connected_stage import OURS, ConnectedStage, connected_stage
from tests.contract.mollie_stage import SANDBOX_URL
from tests.contract.play import Play, euros
from tests.contract.stages import an_account
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds
from tests.fakes.vault import FakeVault
from tests.infrastructure.scripted_server import answer, scripted_server

OVER_AN_HOUR = timedelta(minutes=61)


class Shop(Play):
    stage: ConnectedStage

    async def tokens_issued(self) -> int:
        """To our account, by the sandbox."""
        shown = await self.stage.control("oauth")
        (grant,) = [g for g in shown["grants"] if g["organizationId"] == self.account.account_ref]
        return len(grant["accessTokens"])

    async def is_shut_out(self) -> None:
        said = {"clientId": OURS.client_id, "organizationId": self.account.account_ref}
        await self.stage.order("oauth/shut-out", **said)

    async def allows(self) -> str:
        """The merchant, once more. Returns the code."""
        allowed = await self.stage.order(
            "oauth/allow",
            clientId=OURS.client_id,
            organizationId=self.account.account_ref,
            scope=SCOPES,
            redirectUri=OURS.redirect_url,
        )
        return str(allowed["code"])

    def is_a_minute_before_orders(self) -> None:
        self.stage.clock.advance(NOON - timedelta(minutes=1) - self.stage.clock.now())

    async def is_carried_on_from(self, elsewhere: MollieClient) -> None:
        """Another process loses the answer to an order, and we ask for it again."""
        order = await self.an_order()
        request = self.provider.payments.render(order)
        await self.stage.lose_answer("create_payment")
        there = connect(elsewhere, self.stage.connection).payments
        with pytest.raises(ProviderUnavailable):
            await there.create(self.account, request, key=order.attempt_uuid)
        await self.send(order)

    def time_passes(self) -> None:
        """On our side alone: what was made before has been sent with an earlier token."""
        self.stage.clock.advance(NOON + timedelta(days=1) - self.stage.clock.now())


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    ids, vault = FakeIds(), FakeVault()
    async with connected_stage(vault) as stage:
        account, other = [await stage.connects(ids, vault) for _ in range(2)]
        yield Shop(stage, ids, account, other)


async def test_a_token_that_is_over_is_renewed_and_the_call_made(shop: Shop):
    payment = await shop.a_paid_payment()
    await shop.stage.advance(OVER_AN_HOUR)
    assert (await shop.look(payment.ref)).ref == payment.ref
    assert await shop.tokens_issued() == 2
    assert (await shop.look(payment.ref)).ref == payment.ref
    assert await shop.tokens_issued() == 2


async def test_a_payment_is_asked_for_with_the_new_token_when_the_old_one_is_over(shop: Shop):
    order = await shop.an_order()
    await shop.stage.advance(OVER_AN_HOUR)
    assert await shop.send(order)
    assert await shop.stage.payments_made() == 1


async def test_a_payment_whose_answer_was_lost_is_not_made_again_with_another_token(shop: Shop):
    """Its key is forgotten with the token that it came with."""
    order = await shop.an_order()
    await shop.stage.lose_answer("create_payment")
    with pytest.raises(ProviderUnavailable):
        await shop.send(order)
    shop.time_passes()
    again = await shop.send(order)
    assert await shop.tokens_issued() == 2
    assert await shop.stage.payments_made() == 1
    assert again == await shop.find(order.attempt_uuid, NOON)


async def test_nor_is_it_when_the_token_is_refused_in_the_middle(shop: Shop):
    order = await shop.an_order()
    await shop.stage.lose_answer("create_payment")
    with pytest.raises(ProviderUnavailable):
        await shop.send(order)
    shop.stage.clock.advance(timedelta(days=1))  # the moment at which the order was drawn
    async with shop.stage.grants.begin(shop.account.app_uuid) as tx:
        grant = await tx.grants.get_for_update(shop.account.uuid)
        assert grant is not None
        later = shop.stage.clock.now() + timedelta(hours=1)
        await tx.grants.save(
            replace(grant, access_since=NOON - timedelta(hours=1), access_expires_at=later)
        )
    await shop.stage.advance(OVER_AN_HOUR)
    await shop.send(order)
    assert await shop.tokens_issued() == 2
    assert await shop.stage.payments_made() == 1


async def test_nor_by_one_who_heard_401_while_another_goes_on_with_the_old_token(shop: Shop):
    elsewhere = another_process(shop)
    async with elsewhere.open():
        shop.is_a_minute_before_orders()
        old = await elsewhere.tokens(shop.account)
        shop.stage.clock.advance(timedelta(seconds=30))
        await shop.stage.client.tokens(shop.account, refused=old.value)
        shop.stage.clock.advance(timedelta(seconds=30))
        await shop.is_carried_on_from(elsewhere)
    assert await shop.stage.payments_made() == 1


async def test_nor_after_another_consent_when_the_old_one_could_not_be_revoked(shop: Shop):
    elsewhere, stage = another_process(shop), shop.stage
    finish = FinishConnecting(
        stage.grants, {ProviderName.MOLLIE: shop.provider}, FakeVault(), stage.clock
    )
    async with elsewhere.open():
        shop.is_a_minute_before_orders()
        await elsewhere.tokens(shop.account)
        async with stage.grants.begin(shop.account.app_uuid) as tx:
            grant = await tx.grants.get_for_update(shop.account.uuid)
            assert grant is not None
            code = await shop.allows()
            hashes = {"state_hash": b"state", "code_hash": digest(code)}
            await tx.grants.save(replace(grant.without_tokens(), **hashes))
        await finish(Exchange(account=shop.account, code=code, state_hash=b"state"))
        stage.clock.advance(timedelta(minutes=1))
        await shop.is_carried_on_from(elsewhere)
    assert await stage.payments_made() == 1


def another_process(shop: Shop) -> MollieClient:
    """Same database, same Mollie, its own memory."""
    stage = shop.stage
    client = MollieClient(SANDBOX_URL, FakeVault(), 10, stage.transport, budget=RateBudget(10_000))
    client.tokens = stage.tokens()
    return client


async def test_a_customer_and_a_refund_are_not_made_twice_either(shop: Shop):
    new = NewCustomer(
        uuid=shop.ids.new(), tenant_uuid=shop.ids.new(), name="Ada", email="ada@example.org"
    )
    payment = await shop.a_paid_payment()
    refund_uuid, customers = shop.ids.new(), await shop.stage.customers_made()
    await shop.stage.lose_answer("create_customer")
    with pytest.raises(ProviderUnavailable):
        await shop.provider.customers.create(shop.account, new)
    await shop.stage.lose_answer("create_refund")
    with pytest.raises(ProviderUnavailable):
        await shop.refund(payment.ref, euros(100), refund_uuid)
    shop.time_passes()
    assert isinstance(await shop.provider.customers.create(shop.account, new), str)
    refund = await shop.refund(payment.ref, euros(100), refund_uuid)
    (listed,) = await shop.provider.refunds.list(shop.account, payment.ref)
    assert refund == listed
    assert await shop.stage.customers_made() == customers + 1


async def test_a_merchant_who_shuts_us_out_is_not_asked_for_anything_more(shop: Shop):
    payment = await shop.a_paid_payment()
    await shop.is_shut_out()
    for _ in range(2):
        with pytest.raises(CredentialRefused):
            await shop.look(payment.ref)
    account = shop.stage.grants.accounts[shop.account.app_uuid, shop.account.uuid]
    assert not account.is_connected
    other = await shop.provider.payments.get(shop.other_account, payment.ref)
    assert other is None  # and the other merchant's account goes on


async def test_a_code_is_good_once_and_its_second_use_ends_what_the_first_has_led_to(shop: Shop):
    merchant = shop.account.account_ref
    code, connection = await shop.allows(), shop.stage.connection
    tokens = await connection.exchange(code)
    assert tokens is not None and tokens.lives_s == 3600
    assert (await connection.merchant(tokens.access)).organization_ref == merchant
    assert await connection.exchange(code) is None
    assert await connection.refresh(tokens.refresh) is None
    assert await connection.exchange("auth_aguess") is None
    await connection.revoke(tokens.refresh)


async def test_a_revoked_token_opens_nothing(shop: Shop):
    connection = shop.stage.connection
    tokens = await connection.exchange(await shop.allows())
    assert tokens is not None
    for _ in range(2):
        await connection.revoke(tokens.refresh)
    assert await connection.refresh(tokens.refresh) is None
    with pytest.raises(CredentialRefused):
        await connection.merchant(tokens.access)


async def test_the_oldest_profile_is_the_first_and_the_page_asks_for_what_is_needed(shop: Shop):
    shown = await shop.stage.control("oauth")
    (merchant,) = [o for o in shown["organizations"] if o["id"] == shop.account.account_ref]
    assert shop.account.profile_ref == merchant["profiles"][0]["id"]
    address = urlsplit(shop.stage.connection.address("a state&more"))
    assert parse_qs(address.query) == {
        "client_id": [OURS.client_id],
        "redirect_uri": [OURS.redirect_url],
        "state": ["a state&more"],
        "scope": [SCOPES],
        "response_type": ["code"],
    }
    assert "+" not in address.query


def test_the_setting_that_is_not_there_is_named():
    def unset(**said: str) -> str | None:
        client = MollieClient("http://x", FakeVault(), 1)
        tokens = MollieTokenClient("http://x", FakeVault(), 1)
        return MollieConnect(client, tokens, MollieApp(**said)).unset_setting()

    assert unset() == "KONTOR_MOLLIE_CONNECT_CLIENT_ID"
    assert unset(client_id="app_1") == "KONTOR_MOLLIE_CONNECT_CLIENT_SECRET"
    said = {"client_id": "app_1", "client_secret": "s"}
    assert unset(**said) == "KONTOR_MOLLIE_CONNECT_REDIRECT_URL"
    assert unset(**said, redirect_url="https://x") is None


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"{}", ProviderUnreadable),
        (200, b'{"access_token":"a b","refresh_token":"r","expires_in":1}', ProviderUnreadable),
        (200, b'{"access_token":"a","refresh_token":"r","expires_in":0}', ProviderUnreadable),
        (400, b'{"error":"invalid_grant"}', None),
        (400, b'{"error":"invalid_request"}', ProviderUnreadable),
        (400, b"<html>", ProviderUnreadable),
        (401, b'{"error":"invalid_client"}', ProviderUnreadable),
        (403, b"", ProviderUnreadable),
        (404, b"<html>", ProviderUnreadable),
        (429, b"", ProviderUnavailable),
        (500, b"", ProviderUnavailable),
    ],
)
async def test_what_the_token_endpoint_says(
    status: int, body: bytes, expected: type[Exception] | None
):
    app = MollieApp(client_id="app_1", client_secret="s3cret", redirect_url="https://x")
    async with scripted_server(answer(status, body)) as server:
        tokens = MollieTokenClient(server.url, FakeVault(), 5)
        async with tokens.open():
            connection = MollieConnect(MollieClient(server.url, FakeVault(), 5), tokens, app)
            if expected is None:
                assert await connection.refresh("refresh_1") is None
            else:
                with pytest.raises(expected) as error:
                    await connection.refresh("refresh_1")
                assert "s3cret" not in str(error.value) and "refresh_1" not in str(error.value)
    assert server.requests[0].startswith(b"POST /oauth2/tokens ")


TESTMODE, PROFILE = {"testmode": True}, {"profileId": "pfl_1"}


@pytest.mark.parametrize(
    ("call", "test", "live"),
    [
        (
            Call(path=("payments",), query="limit=1"),
            "limit=1&profileId=pfl_1&testmode=true",
            "limit=1&profileId=pfl_1",
        ),
        (Call(path=("payments", "tr_1")), "testmode=true", ""),
        (Call(path=("customers",)), "testmode=true", ""),
        (Call(path=("payments", "tr_1", "refunds")), "testmode=true", ""),
        (
            Call(method="POST", path=("payments",), body=b'{"a":1}'),
            {**PROFILE, **TESTMODE, "a": 1},
            {**PROFILE, "a": 1},
        ),
        (
            Call(method="POST", path=("customers",), body=b'{"a":1}'),
            {**TESTMODE, "a": 1},
            {"a": 1},
        ),
        (Call(method="DELETE", path=("payments", "tr_1")), TESTMODE, None),
        (Call(method="POST", path=("payments",), body=b"{}"), {**PROFILE, **TESTMODE}, PROFILE),
    ],
)
def test_mode_and_profile_are_said_where_a_token_has_to_say_them(call: Call, test: Any, live: Any):
    client, ids, vault = MollieClient("http://x", FakeVault(), 1), FakeIds(), FakeVault()
    by_key = an_account(ids, vault, "test_1")
    account = replace(
        by_key, connected_by=ConnectedBy.OAUTH, credential_sealed=None, profile_ref="pfl_1"
    )

    def said(mode: ProviderMode) -> Any:
        sent = client.addressed(replace(account, mode=mode), call)
        assert sent == client.addressed(replace(account, mode=mode), call)
        if call.method == "GET":
            return sent.query
        return None if sent.body is None else json.loads(sent.body)

    assert client.addressed(by_key, call) is call
    assert (said(ProviderMode.TEST), said(ProviderMode.LIVE)) == (test, live)
