"""Everything that can be wrong with an answer of Mollie's, and the one of our words it becomes."""

import asyncio
import gzip
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest
from msgspec.structs import replace

from domain.kernel.errors import DomainError, ProviderUnavailable, ProviderUnreadable
from domain.kernel.money import Money, currency
from domain.payments.payment_provider import PaymentProvider, ProviderMode
from domain.payments.ports import (
    Declined,
    NewCustomer,
    NewPayment,
    Provider,
    ProviderPayment,
    SequenceType,
)
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.provider import connect
from tests.contract.stages import an_account
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds
from tests.fakes.vault import FakeVault
from tests.infrastructure.scripted_server import (
    Script,
    ScriptedServer,
    answer,
    endless,
    hang_up,
    raw,
    scripted_server,
    silence,
)

TIMEOUT_S: Final = 0.5
BOUND_S: Final = 2.0
SECRET: Final = "test_secretsecretsecretsecretsecret"
IDS: Final = FakeIds()
ORDER: Final = NewPayment(
    attempt_uuid=IDS.new(),
    app_uuid=IDS.new(),
    checkout_session_uuid=IDS.new(),
    amount=Money(49_00, currency("EUR")),
    description="Handbook",
    sequence_type=SequenceType.FIRST,
    customer_ref="cst_1",
    payment_method="card",
    return_url="https://shop.example/thanks",
    webhook_url="https://billing.example/hooks/1",
    locale=None,
)
PAYMENT: Final = {
    "resource": "payment",
    "id": "tr_1",
    "mode": "test",
    "createdAt": "2026-03-20T12:00:00+00:00",
    "amount": {"currency": "EUR", "value": "49.00"},
    "description": "Handbook",
    "method": "creditcard",
    "metadata": {"attempt": str(ORDER.attempt_uuid), "session": "x", "app": "y"},
    "status": "open",
    "customerId": "cst_1",
    "sequenceType": "first",
    "_links": {"checkout": {"href": "https://pay.example/1", "type": "text/html"}},
}


@dataclass
class Setting:
    provider: Provider
    account: PaymentProvider
    server: ScriptedServer

    async def create(self) -> ProviderPayment | Declined:
        request = self.provider.payments.render(ORDER)
        return await self.provider.payments.create(self.account, request, key=ORDER.attempt_uuid)

    async def get(self) -> ProviderPayment | None:
        return await self.provider.payments.get(self.account, "tr_1")


@asynccontextmanager
async def mollie_answers(script: Script, timeout_s: float = TIMEOUT_S) -> AsyncIterator[Setting]:
    """The real client over the real network stack, to a server that follows the script."""
    vault = FakeVault()
    async with scripted_server(script) as server:
        client = MollieClient(server.url, vault, timeout_s)
        async with client.open():
            yield Setting(connect(client), an_account(IDS, vault, SECRET), server)


def payment(**changes: Any) -> bytes:
    return json.dumps({name: v for name, v in {**PAYMENT, **changes}.items() if v != "-"}).encode()


def problem(status: int, detail: str = "No", field: str | None = None) -> bytes:
    blamed = {} if field is None else {"field": field}
    body = {"status": status, "title": "A problem", "detail": detail, **blamed, "_links": {}}
    return json.dumps(body).encode()


async def outcome_of(call: Any) -> Any:
    """What was answered, or the kind of what was raised; and it must not take long."""
    started = time.monotonic()
    try:
        return await call
    except DomainError as error:
        assert SECRET not in str(error)
        # A traceback in the log must not show what a foreign library had to say.
        assert error.__cause__ is None
        assert error.__context__ is None or error.__suppress_context__
        return type(error)
    finally:
        assert time.monotonic() - started < BOUND_S


HTML: Final = b"<html><body>Bad gateway, or a hotel's wireless network</body></html>"
OK_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/hal+json\r\n"
LONG: Final = OK_HEAD + b"Content-Length: 52428800\r\n\r\n"

NOT_AVAILABLE: Final[dict[str, Script]] = {
    "hangs up": hang_up,
    "says nothing": silence,
    "sends one byte a second": endless(LONG, b" ", 60, pause_s=1),
    "stops in the middle": raw(OK_HEAD + b"Content-Length: 1000\r\n\r\n{"),
    "speaks no HTTP": raw(b"SSH-2.0-OpenSSH\r\n\r\n"),
    **{f"says {status}": answer(status, problem(status)) for status in (408, 409, 425, 429)},
    **{f"says {status}": answer(status, HTML) for status in (500, 502, 503, 504)},
    "says 429 with Retry-After": answer(429, problem(429), "Retry-After: 3600"),
}
NO_SENSE: Final[dict[str, Script]] = {
    "refuses the credential": answer(401, problem(401)),
    "forbids": answer(403, problem(403)),
    "redirects": answer(302, b"", "Location: http://127.0.0.1:1/v2/payments"),
    "says 400 about no field": answer(400, problem(400, "This Idempotency-Key has already ...")),
    "says 404 in HTML": answer(404, HTML),
    "says 422 in HTML": answer(422, HTML),
    "is empty": answer(200),
    "says 204": raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "is HTML": answer(200, HTML),
    "is cut JSON": answer(200, payment()[:-20]),
    "is not UTF-8": answer(200, payment().replace(b"creditcard", b"\xff\xfe")),
    "has something after its end": answer(200, payment() + b"\xff"),
    "is a list": answer(200, b"[]"),
    "is null": answer(200, b"null"),
    "has a number for an id": answer(200, payment(id=7)),
    "has no id": answer(200, payment(id="-")),
    "has a path for an id": answer(200, payment(id="tr_1/../x")),
    "has a number for an amount": answer(200, payment(amount=49)),
    "has a float in the amount": answer(200, payment(amount={"currency": "EUR", "value": 49.0})),
    "has too few decimals": answer(200, payment(amount={"currency": "EUR", "value": "49"})),
    "has no status": answer(200, payment(status="-")),
    "has an unknown status": answer(200, payment(status="teleported")),
    "has an unknown kind": answer(200, payment(sequenceType="second")),
    "has a date without a zone": answer(200, payment(createdAt="2026-03-20T12:00:00")),
    "is of the other mode": answer(200, payment(mode="live")),
    "has no mode": answer(200, payment(mode="-")),
    "mixes currencies": answer(200, payment(amountRefunded={"currency": "USD", "value": "1.00"})),
    "links to a script": answer(
        200, payment(_links={"checkout": {"href": "javascript:alert(1)", "type": "text/html"}})
    ),
    "is 50 MB long": endless(LONG, b" " * 65536, 800),
    "is a gzip bomb": answer(200, gzip.compress(bytes(50_000_000)), "Content-Encoding: gzip"),
    "is cut gzip": answer(200, gzip.compress(payment())[:-12], "Content-Encoding: gzip"),
    "is no gzip": answer(200, payment(), "Content-Encoding: gzip"),
    "is in an unknown encoding": answer(200, payment(), "Content-Encoding: br"),
}
NOT_WHAT_WAS_ASKED: Final = {
    "another amount": payment(amount={"currency": "EUR", "value": "49.01"}),
    "another currency": payment(amount={"currency": "USD", "value": "49.00"}),
    "another attempt": payment(metadata={"attempt": str(IDS.new())}),
    "no metadata": payment(metadata=None),
    "text for metadata": payment(metadata=str(ORDER.attempt_uuid)),
    "another kind": payment(sequenceType="oneoff"),
    "another customer": payment(customerId="cst_2"),
}


@pytest.mark.parametrize("fault", NOT_AVAILABLE)
async def test_without_an_answer_nobody_knows_what_happened(fault: str):
    async with mollie_answers(NOT_AVAILABLE[fault]) as setting:
        assert await outcome_of(setting.create()) is ProviderUnavailable
        assert await outcome_of(setting.get()) is ProviderUnavailable


@pytest.mark.parametrize("fault", NO_SENSE)
async def test_an_answer_that_makes_no_sense_is_not_believed(fault: str):
    async with mollie_answers(NO_SENSE[fault]) as setting:
        assert await outcome_of(setting.create()) is ProviderUnreadable
        assert await outcome_of(setting.get()) is ProviderUnreadable


@pytest.mark.parametrize("difference", NOT_WHAT_WAS_ASKED)
async def test_an_answer_about_something_else_is_not_believed(difference: str):
    async with mollie_answers(answer(201, NOT_WHAT_WAS_ASKED[difference])) as setting:
        assert await outcome_of(setting.create()) is ProviderUnreadable


async def test_a_look_at_one_payment_that_shows_another_is_not_believed():
    async with mollie_answers(answer(200, payment(id="tr_2"))) as setting:
        assert await outcome_of(setting.get()) is ProviderUnreadable


@pytest.mark.parametrize("status", [404, 410])
async def test_what_is_gone_is_none_to_a_look_and_a_no_to_an_order(status: int):
    async with mollie_answers(answer(status, problem(status, "No such thing"))) as setting:
        assert await setting.get() is None
        assert await setting.create() == Declined("No such thing")
        assert await setting.provider.payments.cancel(setting.account, "tr_1") == Declined(
            "No such thing"
        )


@pytest.mark.parametrize("status", [400, 405, 413, 415, 422])
async def test_a_no_names_the_reason_and_the_field(status: int):
    long_reason = "The amount is higher than the maximum. " * 20
    script = answer(status, problem(status, long_reason, "amount"))
    async with mollie_answers(script) as setting:
        assert await setting.create() == Declined(long_reason[:200], "amount")
        assert await outcome_of(setting.get()) is ProviderUnreadable


async def test_a_port_where_nobody_listens_is_unavailable():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        vault = FakeVault()
        client = MollieClient(f"http://127.0.0.1:{nobody.getsockname()[1]}", vault, TIMEOUT_S)
        async with client.open():
            account = an_account(IDS, vault, SECRET)
            call = connect(client).payments.get(account, "tr_1")
            assert await outcome_of(call) is ProviderUnavailable


async def test_a_server_without_tls_is_unavailable_to_a_client_that_wants_it():
    vault = FakeVault()
    async with scripted_server(raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        client = MollieClient(server.url.replace("http:", "https:"), vault, TIMEOUT_S)
        async with client.open():
            call = connect(client).payments.get(an_account(IDS, vault, SECRET), "tr_1")
            assert await outcome_of(call) is ProviderUnavailable


@pytest.mark.parametrize("fault", ["is 50 MB long", "is a gzip bomb"])
async def test_a_body_without_end_is_read_to_the_limit_and_no_further(fault: str):
    async with mollie_answers(NO_SENSE[fault], timeout_s=30) as setting:
        assert await outcome_of(setting.get()) is ProviderUnreadable


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


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with mollie_answers(answer(200, payment())) as setting:
        assert await setting.get() is not None


async def test_a_credential_of_the_other_mode_is_not_even_sent():
    async with mollie_answers(answer(200, payment(mode="live"))) as setting:
        live = replace(setting.account, mode=ProviderMode.LIVE)
        call = setting.provider.payments.get(live, "tr_1")
        assert await outcome_of(call) is ProviderUnreadable
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


CUSTOMER: Final = NewCustomer(uuid=IDS.new(), tenant_uuid=IDS.new(), name="Ada", email=None)
REFUND_UUID: Final = IDS.new()
A_CUSTOMER: Final = {
    "id": "cst_1",
    "mode": "test",
    "createdAt": "2026-03-20T12:00:00+00:00",
    "metadata": {"customer": str(CUSTOMER.uuid)},
}
A_REFUND: Final = {
    "id": "re_1",
    "mode": "test",
    "status": "pending",
    "paymentId": "tr_1",
    "amount": {"currency": "EUR", "value": "49.00"},
    "metadata": {"refund": str(REFUND_UUID)},
}


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "live"},
        {"metadata": {"customer": str(IDS.new())}},
        {"metadata": []},
        {"id": None},
    ],
)
async def test_another_customer_than_was_asked_for_is_not_believed(changes: dict[str, Any]):
    async with mollie_answers(answer(201, json.dumps({**A_CUSTOMER, **changes}).encode())) as on:
        call = on.provider.customers.create(on.account, CUSTOMER)
        assert await outcome_of(call) is ProviderUnreadable
    async with mollie_answers(answer(201, json.dumps(A_CUSTOMER).encode())) as on:
        assert await on.provider.customers.create(on.account, CUSTOMER) == "cst_1"


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "live"},
        {"paymentId": "tr_2"},
        {"amount": {"currency": "EUR", "value": "49.01"}},
        {"amount": {"currency": "USD", "value": "49.00"}},
        {"metadata": {"refund": str(IDS.new())}},
        {"status": "vanished"},
    ],
)
async def test_another_refund_than_was_asked_for_is_not_believed(changes: dict[str, Any]):
    async with mollie_answers(answer(201, json.dumps({**A_REFUND, **changes}).encode())) as on:
        call = on.provider.refunds.create(on.account, "tr_1", ORDER.amount, refund_uuid=REFUND_UUID)
        assert await outcome_of(call) is ProviderUnreadable


@pytest.mark.parametrize("fault", [*NOT_AVAILABLE, *NO_SENSE])
async def test_no_list_is_taken_for_a_list_without_it(fault: str):
    script = {**NOT_AVAILABLE, **NO_SENSE}[fault]
    async with mollie_answers(script) as setting:
        call = setting.provider.payments.find(setting.account, ORDER.attempt_uuid, since=NOON)
        assert await outcome_of(call) in (ProviderUnavailable, ProviderUnreadable)


async def test_a_caller_that_gives_up_is_not_held():
    async with mollie_answers(silence, timeout_s=30) as setting:
        task = asyncio.create_task(setting.get())
        await setting.server.was_asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
