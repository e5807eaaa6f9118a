"""What the client for Mollie sends, what it keeps, and what one account may learn of another."""

import asyncio
import gzip
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from domain.kernel.errors import (
    CredentialRefused,
    ProviderNotAsked,
    ProviderUnavailable,
    StillRunning,
)
from domain.payments.access_tokens import AccessToken
from domain.payments.payment_provider import ConnectedBy, PaymentProvider, ProviderMode
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.provider import connect
from tests.contract.stages import an_account
from tests.fakes.vault import FakeVault
from tests.infrastructure.mollie_setting import (
    IDS,
    ORDER,
    SECRET,
    TIMEOUT_S,
    mollie_answers,
    outcome_of,
    payment,
)
from tests.infrastructure.scripted_server import answer, scripted_server, silence


async def test_a_gzipped_answer_is_read():
    packed = answer(200, gzip.compress(payment()), "Content-Encoding: gzip")
    async with mollie_answers(packed) as setting:
        seen = await setting.get()
    assert seen is not None and seen.ref == "tr_1"


async def test_one_account_learns_nothing_from_the_answers_to_another():
    script = answer(200, payment(), "Set-Cookie: session=one; Path=/")
    async with mollie_answers(script) as setting:
        await setting.get()
        await setting.get()
    assert len(setting.server.requests) == 2
    assert not any(b"cookie" in request.lower() for request in setting.server.requests)


async def test_the_request_is_sent_as_it_was_rendered():
    async with mollie_answers(answer(201, payment())) as setting:
        await setting.create()
        rendered = setting.provider.payments.render(ORDER)
    head, _, body = setting.server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")

    assert body == rendered
    assert lines[0] == "post /v2/payments http/1.1"
    assert f"authorization: bearer {SECRET}" in lines
    assert f"idempotency-key: {ORDER.attempt_uuid}" in lines
    assert "content-type: application/json" in lines


@pytest.mark.parametrize(
    ("rotated", "first"),
    [
        (None, b"POST"),
        (-timedelta(minutes=1), b"POST"),
        (timedelta(0), b"GET"),
        (timedelta(hours=1), b"GET"),
    ],
)
async def test_what_may_have_been_sent_with_an_earlier_key_is_looked_for_first(
    rotated: timedelta | None, first: bytes
):
    """Whether Mollie knows an Idempotency-Key again that came with another key is not said."""
    drawn_at = datetime.fromtimestamp((ORDER.attempt_uuid.int >> 80) / 1000, UTC)
    async with mollie_answers(answer(503)) as setting:
        since = None if rotated is None else drawn_at + rotated
        setting.account = replace(setting.account, credential_since=since)
        with pytest.raises(ProviderUnavailable):
            await setting.create()
    (request,) = setting.server.requests
    assert request.partition(b" ")[0] == first


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with mollie_answers(answer(200, payment())) as setting:
        assert await setting.get() is not None


async def test_a_credential_of_the_other_mode_is_not_even_sent():
    async with mollie_answers(answer(200, payment(mode="live"))) as setting:
        live = replace(setting.account, mode=ProviderMode.LIVE)
        call = setting.provider.payments.get(live, "tr_1")
        assert await outcome_of(call) is CredentialRefused
    assert setting.server.requests == []


@pytest.mark.parametrize(
    "ref", ["", ".", "../profiles", "tr_1/refunds", "tr_1?x=1", "tr_1\n", "tr"]
)
async def test_a_reference_cannot_bend_the_path(ref: str):
    async with mollie_answers(answer(200, payment())) as setting:
        assert await setting.provider.payments.get(setting.account, ref) is None
        assert await setting.provider.mandates.get(setting.account, "cst_1", ref) is None
    assert setting.server.requests == []


async def test_a_credential_is_unsealed_once_and_again_when_it_was_changed():
    vault = FakeVault()
    async with scripted_server(answer(200, payment())) as server:
        client = MollieClient(server.url, vault, TIMEOUT_S)
        payments = connect(client).payments
        account = an_account(IDS, vault, SECRET)
        async with client.open():
            await payments.get(account, "tr_1")
            await payments.get(account, "tr_1")
            assert vault.opened == 1
            context = account.credential_sealed.partition(b"\n")[0].decode()
            sealed = vault.seal("test_another", context=context)
            await payments.get(replace(account, credential_sealed=sealed), "tr_1")
    assert vault.opened == 2
    assert b"test_another" in server.requests[-1]


async def test_a_caller_that_gives_up_is_not_held():
    async with mollie_answers(silence, timeout_s=30) as setting:
        task = asyncio.create_task(setting.get())
        await setting.server.was_asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_token_that_another_request_holds_on_to_is_no_silence_of_the_providers():
    async def held(account: PaymentProvider, *, refused: str | None = None) -> AccessToken:
        raise StillRunning("another request is working on the same thing")

    async with mollie_answers(answer(200, payment())) as setting:
        client = MollieClient(setting.server.url, FakeVault(), TIMEOUT_S)
        client.tokens = held  # type: ignore[assignment]
        account = replace(setting.account, connected_by=ConnectedBy.OAUTH)
        async with client.open():
            with pytest.raises(ProviderNotAsked):
                await connect(client).payments.get(account, "tr_1")
    assert setting.server.requests == []
