"""Everything that can be wrong with an answer of Mollie's, and the one of our words it becomes."""

import gzip
import json
import socket
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest
from msgspec.structs import replace

from domain.kernel.errors import (
    CredentialRefused,
    ProviderUnavailable,
    ProviderUnreachable,
    ProviderUnreadable,
)
from domain.payments.answers import Declined, SequenceType
from domain.payments.ports import NewCustomer
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.provider import connect
from tests.contract.stages import an_account
from tests.fakes.clock import NOON
from tests.fakes.vault import FakeVault
from tests.infrastructure.mollie_setting import (
    IDS,
    ORDER,
    SECRET,
    SHORT_S,
    mollie_answers,
    outcome_of,
    payment,
    problem,
)
from tests.infrastructure.scripted_server import (
    Script,
    answer,
    endless,
    hang_up,
    raw,
    scripted_server,
    silence,
)

HTML: Final = b"<html><body>Bad gateway, or a hotel's wireless network</body></html>"
OK_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/hal+json\r\n"
LONG: Final = OK_HEAD + b"Content-Length: 52428800\r\n\r\n"

TOO_SLOW: Final[dict[str, Script]] = {
    "says nothing": silence,
    "sends one byte a second": endless(LONG, b" ", 60, pause_s=1),
}
NOT_AVAILABLE: Final[dict[str, Script]] = {
    "hangs up": hang_up,
    "stops in the middle": raw(OK_HEAD + b"Content-Length: 1000\r\n\r\n{"),
    "speaks no HTTP": raw(b"SSH-2.0-OpenSSH\r\n\r\n"),
    **{f"says {status}": answer(status, problem(status)) for status in (408, 409, 425)},
    **{f"says {status}": answer(status, HTML) for status in (500, 502, 503, 504)},
}
SHUT_OUT: Final[dict[str, Script]] = {
    "refuses the credential": answer(401, problem(401)),
    "forbids": answer(403, problem(403)),
}
NO_SENSE: Final[dict[str, Script]] = {
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


@pytest.mark.parametrize("fault", TOO_SLOW)
async def test_an_answer_is_waited_for_only_so_long(fault: str):
    async with mollie_answers(TOO_SLOW[fault], SHORT_S) as setting:
        assert await outcome_of(setting.create()) is ProviderUnavailable
        assert await outcome_of(setting.get()) is ProviderUnavailable


@pytest.mark.parametrize("fault", SHUT_OUT)
async def test_a_refused_credential_is_told_from_nonsense(fault: str):
    async with mollie_answers(SHUT_OUT[fault]) as setting:
        assert await outcome_of(setting.create()) is CredentialRefused
        assert await outcome_of(setting.get()) is CredentialRefused


@pytest.mark.parametrize("fault", NO_SENSE)
async def test_an_answer_that_makes_no_sense_is_not_believed(fault: str):
    async with mollie_answers(NO_SENSE[fault]) as setting:
        assert await outcome_of(setting.create()) is ProviderUnreadable
        assert await outcome_of(setting.get()) is ProviderUnreadable


@pytest.mark.parametrize("difference", NOT_WHAT_WAS_ASKED)
async def test_an_answer_about_something_else_is_not_believed(difference: str):
    async with mollie_answers(answer(201, NOT_WHAT_WAS_ASKED[difference])) as setting:
        assert await outcome_of(setting.create()) is ProviderUnreadable


async def test_a_charge_of_another_mandate_than_was_asked_for_is_not_believed():
    """One that is not mentioned is taken for the one that was asked for."""
    charge = replace(ORDER, sequence_type=SequenceType.RECURRING, mandate_ref="mdt_1")
    for mandate_ref in ("mdt_2", "mdt_1", None):
        body = payment(sequenceType="recurring", mandateId=mandate_ref)
        async with mollie_answers(answer(201, body)) as setting:
            payments = setting.provider.payments
            request = payments.render(charge)
            said = await outcome_of(
                payments.create(setting.account, request, key=charge.attempt_uuid)
            )
            assert (said is ProviderUnreadable) == (mandate_ref == "mdt_2")


@pytest.mark.parametrize(
    ("field", "is_gone"), [("customerId", True), ("mandateId", True), ("amount", False)]
)
async def test_a_charge_that_is_refused_says_whether_the_mandate_is_to_blame(
    field: str, is_gone: bool
):
    script = answer(422, problem(422, "No", field))
    async with mollie_answers(script) as setting:
        assert await setting.create() == Declined("No", field, is_gone=is_gone)


async def test_a_look_at_one_payment_that_shows_another_is_not_believed():
    async with mollie_answers(answer(200, payment(id="tr_2"))) as setting:
        assert await outcome_of(setting.get()) is ProviderUnreadable


@pytest.mark.parametrize("status", [404, 410])
async def test_what_is_gone_is_none_to_a_look_and_a_no_to_an_order(status: int):
    async with mollie_answers(answer(status, problem(status, "No such thing"))) as setting:
        assert await setting.get() is None
        assert await setting.create() == Declined("No such thing", is_gone=True)
        assert await setting.provider.payments.cancel(setting.account, "tr_1") == Declined(
            "No such thing", is_gone=True
        )


@pytest.mark.parametrize("status", [400, 405, 413, 415, 422])
async def test_a_no_names_the_reason_and_the_field(status: int):
    long_reason = "The amount is higher than the maximum. " * 20
    script = answer(status, problem(status, long_reason, "amount"))
    async with mollie_answers(script) as setting:
        assert await setting.create() == Declined(long_reason[:200], "amount")
        assert await outcome_of(setting.get()) is ProviderUnreadable


async def test_a_port_where_nobody_listens_is_unreachable():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        vault = FakeVault()
        client = MollieClient(f"http://127.0.0.1:{nobody.getsockname()[1]}", vault, SHORT_S)
        async with client.open():
            account = an_account(IDS, vault, SECRET)
            call = connect(client).payments.get(account, "tr_1")
            assert await outcome_of(call) is ProviderUnreachable


async def test_a_server_without_tls_is_unavailable_to_a_client_that_wants_it():
    vault = FakeVault()
    async with scripted_server(raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        client = MollieClient(server.url.replace("http:", "https:"), vault, SHORT_S)
        async with client.open():
            call = connect(client).payments.get(an_account(IDS, vault, SECRET), "tr_1")
            assert await outcome_of(call) is ProviderUnavailable


class Torrent(httpx.AsyncByteStream):
    """A megabyte a piece, as long as somebody reads."""

    taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.taken += 1
            yield bytes(1 << 20)


async def test_a_body_without_end_is_read_to_the_limit_and_no_further():
    torrent, vault = Torrent(), FakeVault()
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=torrent))
    client = MollieClient("http://mollie.test", vault, 30, transport)
    async with client.open():
        call = connect(client).payments.get(an_account(IDS, vault, SECRET), "tr_1")
        assert await outcome_of(call) is ProviderUnreadable
    assert torrent.taken == 2


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
    "createdAt": "2026-03-20T12:00:00+00:00",
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
        {"createdAt": None},
    ],
)
async def test_another_refund_than_was_asked_for_is_not_believed(changes: dict[str, Any]):
    async with mollie_answers(answer(201, json.dumps({**A_REFUND, **changes}).encode())) as on:
        call = on.provider.refunds.create(on.account, "tr_1", ORDER.amount, refund_uuid=REFUND_UUID)
        assert await outcome_of(call) is ProviderUnreadable


@pytest.mark.parametrize("fault", [*NOT_AVAILABLE, *SHUT_OUT, *NO_SENSE])
async def test_no_list_is_taken_for_a_list_without_it(fault: str):
    script = {**NOT_AVAILABLE, **SHUT_OUT, **NO_SENSE}[fault]
    async with mollie_answers(script) as setting:
        call = setting.provider.payments.find(setting.account, ORDER.attempt_uuid, since=NOON)
        assert issubclass(await outcome_of(call), ProviderUnavailable | ProviderUnreadable)
