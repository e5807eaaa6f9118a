"""The real sender on the real network stack: what it signs, what it bears, where it never goes."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook, WebhookVerificationError

from domain.webhooks import targets
from domain.webhooks.ports import Answered, Parcel, Unanswered
from infrastructure.system import SystemClock, webhook_secret
from infrastructure.webhooks import sender as sender_module
from infrastructure.webhooks.sender import EXCERPT_MAX, HttpWebhookSender
from tests.domain.webhooks.test_targets import NOWHERE, UNSAFE_ADDRESSES
from tests.infrastructure.scripted_server import (
    Script,
    answer,
    endless,
    hang_up,
    raw,
    scripted_server,
    silence,
)
from tests.make import a_uuid
from tests.make_webhooks import OLD_SECRET, SECRET

OK = answer(204)
CLOCK = SystemClock()


def a_parcel(url: str, **said: Any) -> Parcel:
    usual = {
        "url": url,
        "event_uuid": a_uuid(1),
        "sent_at": CLOCK.now(),
        "body": '{"type":"payment.paid","data":{"who":"Bäckerei"}}'.encode(),
        "secrets": (SECRET,),
    }
    return Parcel(**{**usual, **said})


@asynccontextmanager
async def a_sender(**said: Any) -> AsyncIterator[HttpWebhookSender]:
    sender = HttpWebhookSender(CLOCK, **{"near": True, "timeout_s": 5.0, **said})
    async with sender.open():
        yield sender


async def heard(script: Script, **said: Any) -> tuple[Answered | Unanswered, list[bytes]]:
    """What the sender makes of a receiver that follows the script, and what the receiver got."""
    async with scripted_server(script) as server, a_sender(**said) as sender:
        return await sender.send(a_parcel(f"{server.url}/hooks?x=1")), server.requests


def parsed(request: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    pairs = (field.split(": ", 1) for field in fields)
    return line, {name.lower(): value for name, value in pairs}, body


@pytest.fixture
def verify():
    def check(secret: str, headers: dict[str, str], body: bytes) -> Any:
        return Webhook(secret).verify(body, headers)

    return check


async def test_a_webhook_is_verified_by_the_reference_library(verify):
    answered, (request,) = await heard(OK)
    line, headers, body = parsed(request)
    assert answered == Answered(status=204, excerpt="")
    assert line == "POST /hooks?x=1 HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == str(a_uuid(1))
    assert verify(SECRET, headers, body)["data"] == {"who": "Bäckerei"}
    for broken in (body + b" ", body.replace(b"paid", b"void")):
        with pytest.raises(WebhookVerificationError):
            verify(SECRET, headers, broken)
    with pytest.raises(WebhookVerificationError):
        verify(OLD_SECRET, headers, body)
    with pytest.raises(WebhookVerificationError):
        verify(SECRET, {**headers, "webhook-id": str(a_uuid(2))}, body)


async def test_two_living_secrets_make_two_signatures_and_either_verifies(verify):
    async with scripted_server(OK) as server, a_sender() as sender:
        await sender.send(a_parcel(server.url, secrets=(SECRET, OLD_SECRET)))
    _, headers, body = parsed(server.requests[0])
    first, second = headers["webhook-signature"].split(" ")
    assert first.startswith("v1,") and second.startswith("v1,") and first != second
    for secret in (SECRET, OLD_SECRET):
        verify(secret, headers, body)


def test_a_fresh_secret_is_one_that_the_reference_library_takes():
    one, other = webhook_secret(), webhook_secret()
    assert one != other and one.startswith("whsec_") and len(one) == len("whsec_") + 44
    Webhook(one).sign("id", CLOCK.now(), "body")


@pytest.mark.parametrize("status", [200, 201, 301, 302, 307, 308, 404, 410, 429, 500, 503])
async def test_an_answer_is_what_it_says(status: int):
    answered, requests = await heard(answer(status, b"hello", "Location: http://127.0.0.1:1/"))
    assert answered == Answered(status=status, excerpt="hello")
    assert len(requests) == 1


async def test_a_redirect_is_never_followed():
    async with scripted_server(OK) as elsewhere:
        location = f"Location: {elsewhere.url}/"
        for status in (301, 302, 303, 307, 308):
            answered, _ = await heard(answer(status, b"", location))
            assert isinstance(answered, Answered) and answered.status == status
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [("120", 120), ("0", 0), ("-1", None), ("soon", None), ("1e9", None), ("9" * 400, None)],
)
async def test_retry_after_is_understood_or_was_not_said(said: str, wait_s: int | None):
    answered, _ = await heard(answer(503, b"", f"Retry-After: {said}"))
    assert isinstance(answered, Answered)
    assert answered.retry_after == (None if wait_s is None else timedelta(seconds=wait_s))


async def test_retry_after_may_be_a_date():
    at = CLOCK.now() + timedelta(hours=2)
    answered, _ = await heard(answer(503, b"", f"Retry-After: {format_datetime(at, usegmt=True)}"))
    assert isinstance(answered, Answered) and answered.retry_after is not None
    assert timedelta(hours=1, minutes=59) < answered.retry_after <= timedelta(hours=2)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (hang_up, "connection broke"),
        (raw(b"not http at all\r\n\r\n"), "connection broke"),
        (raw(b""), "connection broke"),
        (raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n"), "connection broke"),
    ],
)
async def test_what_is_no_answer_is_said_in_our_words(script: Script, reason: str):
    answered, _ = await heard(script)
    assert isinstance(answered, Unanswered)
    assert reason in answered.reason and "127.0.0.1" not in answered.reason


async def test_who_is_silent_is_not_waited_for():
    answered, _ = await heard(silence, timeout_s=0.2)
    assert answered == Unanswered("no answer within 0.2 s")


async def test_a_head_that_dribbles_is_not_waited_for():
    dribble = endless(b"HTTP/1.1 200 OK\r\n", b"a", 100, pause_s=0.05)
    answered, _ = await heard(dribble, timeout_s=0.3)
    assert answered == Unanswered("no answer within 0.3 s")


async def test_a_body_without_an_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n"
    answered, _ = await heard(endless(head, b"a" * 65536, 1600))
    assert answered == Answered(status=200, excerpt="a" * EXCERPT_MAX)
    monkeypatch.setattr(sender_module, "BODY_WITHIN_S", 0.2)
    began = time.monotonic()
    answered, _ = await heard(endless(head, b"b", 1000, pause_s=0.05))
    assert isinstance(answered, Answered) and answered.status == 200
    assert time.monotonic() - began < 3


async def test_an_excerpt_has_nothing_that_breaks_a_line_or_a_table():
    answered, _ = await heard(answer(500, b"a\x00b\x1b[31m\xff\nc\rd"))
    assert answered == Answered(status=500, excerpt="a b [31m\ufffd\nc d")


async def test_a_packed_answer_is_not_unpacked():
    answered, _ = await heard(answer(200, b"\x1f\x8b" + b"\x00" * 50, "Content-Encoding: gzip"))
    assert isinstance(answered, Answered) and answered.status == 200


async def test_nobody_there_is_said_in_our_words():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with a_sender() as sender:
        answered = await sender.send(a_parcel(f"http://127.0.0.1:{port}/"))
    assert answered == Unanswered("nobody accepts connections there")


def a_certificate(place: Path, name: str) -> Path:
    """For this name, signed by itself, with its key; one file for both."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(CLOCK.now() - timedelta(days=1))
    builder = builder.not_valid_after(CLOCK.now() + timedelta(days=1))
    alternative = x509.SubjectAlternativeName([x509.DNSName(name)])
    certificate = builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    own = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = place / "receiver.pem"
    file.write_bytes(own + certificate.public_bytes(Encoding.PEM))
    return file


async def test_a_certificate_must_be_trusted_and_be_for_the_name(tmp_path: Path):
    file = a_certificate(tmp_path, "receiver.example.com")
    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    here.load_cert_chain(file)
    trust = ssl.create_default_context(cafile=file)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    async def sent(port: int, name: str, trust: ssl.SSLContext | None) -> Answered | Unanswered:
        async with a_sender(lookup=leads_to("127.0.0.1"), trust=trust) as sender:
            return await sender.send(a_parcel(f"https://{name}:{port}/"))

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=here) as server:
        port = server.sockets[0].getsockname()[1]
        fine = await sent(port, "receiver.example.com", trust)
        wrong = [
            await sent(port, "receiver.example.com", None),
            await sent(port, "other.example.com", trust),
        ]
    assert fine == Answered(status=204, excerpt="")
    for answered in wrong:
        assert isinstance(answered, Unanswered) and answered.reason.startswith("TLS failed")


async def test_a_name_that_does_not_exist_is_said_in_our_words():
    def nothing(*_: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with a_sender(near=False, lookup=nothing) as sender:
        answered = await sender.send(a_parcel("https://gone.example.com/"))
    assert answered == Unanswered("the name could not be looked up")


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch):
    async with scripted_server(OK) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        answered, requests = await heard(OK)
    assert isinstance(answered, Answered) and len(requests) == 1
    assert proxy.requests == []


class Trap:
    """A listener on loopback that counts who comes, on IPv4 and IPv6, on one port."""

    def __init__(self) -> None:
        self.connections = 0
        self.port = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Trap"]:
        def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            writer.transport.abort()

        async with await asyncio.start_server(count, "127.0.0.1", 0) as four:
            self.port = four.sockets[0].getsockname()[1]
            if not socket.has_ipv6:
                yield self
                return
            async with await asyncio.start_server(count, "::1", self.port):
                yield self


@pytest.fixture
async def trap(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Trap]:
    """Its port is one that webhooks may be sent to: only the address keeps them away."""
    async with Trap().open() as trap:
        monkeypatch.setattr(targets, "PORTS", frozenset({443, 8443, trap.port}))
        yield trap


def leads_to(*addresses: str):
    """A lookup that answers with these addresses, whatever the name."""

    def lookup(host: str, port: int, _: object) -> list[Any]:
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                socket.IPPROTO_TCP,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in addresses
        ]

    return lookup


def refused(answered: Answered | Unanswered) -> bool:
    return isinstance(answered, Unanswered) and answered.reason.startswith("not sent:")


async def test_the_trap_would_notice(trap: Trap):
    async with a_sender() as sender:
        await sender.send(a_parcel(f"http://127.0.0.1:{trap.port}/"))
        await sender.send(a_parcel(f"http://[::1]:{trap.port}/"))
    assert trap.connections == 2


async def test_a_name_that_leads_inside_is_not_connected_to(trap: Trap):
    url = f"https://innocent.example.com:{trap.port}/"
    for address in UNSAFE_ADDRESSES:
        async with a_sender(near=False, lookup=leads_to(address)) as sender:
            assert refused(await sender.send(a_parcel(url))), address
    assert trap.connections == 0


async def test_one_bad_address_among_good_ones_is_enough(trap: Trap):
    url = f"https://innocent.example.com:{trap.port}/"
    for mixed in (("8.8.8.8", "127.0.0.1"), ("2606:4700::1", "::1"), ("127.0.0.1", "8.8.8.8")):
        async with a_sender(near=False, lookup=leads_to(*mixed)) as sender:
            assert refused(await sender.send(a_parcel(url))), mixed
    assert trap.connections == 0


async def test_an_address_written_out_is_not_connected_to(trap: Trap):
    urls = [*NOWHERE, *(f"https://[{a}]:{trap.port}/" for a in UNSAFE_ADDRESSES if ":" in a)]
    urls += [f"https://{a}:{trap.port}/" for a in UNSAFE_ADDRESSES if ":" not in a]
    async with a_sender(near=False) as sender:
        for url in urls:
            assert refused(await sender.send(a_parcel(url))), url
    assert trap.connections == 0


async def test_what_looks_fine_to_one_reader_is_still_checked_when_the_socket_is_made(
    trap: Trap, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sender_module, "target_mistake", lambda *_, **__: None)
    async with a_sender(near=False, lookup=leads_to("127.0.0.1"), timeout_s=1.0) as sender:
        for host in ("127.0.0.1", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "127.1", "2130706433"):
            answered = await sender.send(a_parcel(f"http://{host}:{trap.port}/"))
            assert isinstance(answered, Unanswered), host
    assert trap.connections == 0


async def test_a_name_is_looked_up_and_checked_at_every_attempt(trap: Trap):
    """Rebinding: harmless when it is looked at, and inside when it is used."""
    answers = [leads_to("127.0.0.1"), leads_to("::1"), leads_to("0.0.0.0")]
    asked = []

    def rebinding(host: str, port: int, family: Any) -> list[Any]:
        asked.append(host)
        return answers[len(asked) - 1](host, port, family)

    url = f"https://innocent.example.com:{trap.port}/"
    async with a_sender(near=False, lookup=rebinding) as sender:
        assert [refused(await sender.send(a_parcel(url))) for _ in range(3)] == [True] * 3
    assert len(asked) == 3
    assert trap.connections == 0


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to(trap: Trap):
    async with a_sender(lookup=leads_to("127.0.0.1")) as sender:
        await sender.send(a_parcel(f"http://nowhere.example.com:{trap.port}/"))
    assert trap.connections == 1
