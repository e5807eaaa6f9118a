"""A sandbox with a state file forgets nothing: not when stopped, not when killed."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from app.cli.sandbox import sandbox as command
from app.sandbox.mollie.server import create_sandbox
from tests.sandbox.connected import App
from tests.sandbox.shop import Hooks, Shop, a_payment, eventually, running
from tests.sandbox.test_captures import authorized
from tests.sandbox.test_sessions import a_session, component_of

ROOT = Path(__file__).parents[2]
START = "from app.cli.sandbox import sandbox; sandbox()"
KEY = {"Idempotency-Key": "order-7"}
HEADERS = {"Authorization": "Bearer test_shop"}


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The program in a process of its own, and where it says that it listens."""
    arguments = [sys.executable, "-c", START, "--port", "0", "--json", *options]
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, json.loads(process.stdout.readline())["sandboxUrl"]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def test_everything_is_there_after_a_restart(tmp_path):
    state, hooks = tmp_path / "state" / "mollie.sqlite3", Hooks()
    hooks.answers = [500]
    app = create_sandbox(state, webhook_transport=hooks)
    async with running(app), (shop := Shop(app)).http:
        customer, mandate = await shop.mandate()
        await eventually(lambda: len(hooks.ids) == 1)
        payment = await shop.post("payments", a_payment(), **KEY)
        await shop.control("settings", recurringOutcome="failed")
        await shop.control("webhooks", mode="duplicate")
        await shop.control("faults", operation="createCustomer", kind="status")
        await shop.advance(seconds=30)
        log = await shop.held("requests")

    app = create_sandbox(state, webhook_transport=hooks)
    async with running(app), (shop := Shop(app)).http:
        assert await shop.held("requests") == log
        assert await shop.get(f"payments/{payment['id']}") == payment
        assert await shop.get(f"customers/{customer}/mandates/{mandate['id']}") == mandate
        repeated = await shop.call("POST", "payments", json=a_payment(), headers=KEY)
        assert repeated.headers["idempotent-replayed"] == "true"
        settings = (await shop.http.get("/_control/settings")).json()
        assert settings["recurringOutcome"] == "failed"
        assert (await shop.http.get("/_control/clock")).json()["offsetSeconds"] == 30
        assert (await shop.call("POST", "customers", json={})).status_code == 503
        assert (await shop.http.get(payment["_links"]["checkout"]["href"])).status_code == 200

        # The delivery that failed before is tried again at its time.
        await shop.advance(seconds=30)
        await eventually(lambda: len(hooks.ids) == 2)
        await shop.advance(minutes=20)
        assert (await shop.get(f"payments/{payment['id']}"))["status"] == "expired"


async def test_sessions_captures_and_connections_are_there_after_a_restart(tmp_path):
    state = tmp_path / "mollie.sqlite3"
    sandbox = create_sandbox(state)
    async with running(sandbox), (shop := Shop(sandbox)).http:
        app = App(shop)
        await app.register()
        merchant = await app.merchant()
        tokens = await app.connected(merchant)
        code = await app.code(merchant)
        session = await shop.post("sessions", a_session())
        path = await authorized(shop)
        await shop.post(f"{path}/captures", {})
        connected = (await shop.http.get("/_control/oauth")).json()

    sandbox = create_sandbox(state)
    async with running(sandbox), (shop := Shop(sandbox)).http:
        app = App(shop)
        assert (await shop.http.get("/_control/oauth")).json() == connected
        async with (theirs := Shop(sandbox, tokens["access_token"])).http:
            assert (await theirs.get("organizations/me"))["id"] == merchant["id"]
        assert (await app.refreshed(tokens["refresh_token"])).status_code == 200
        assert (await app.exchanged(code)).status_code == 200
        assert (await app.exchanged(code)).status_code == 400
        assert (await shop.http.get(component_of(session))).status_code == 200
        await shop.advance(minutes=16)
        assert (await shop.get(path))["amountCaptured"]["value"] == "49.00"
        assert (await shop.get(f"sessions/{session['id']}"))["status"] == "expired"


async def test_a_reset_empties_the_file_too(tmp_path):
    state = tmp_path / "mollie.sqlite3"
    app = create_sandbox(state)
    async with running(app), (shop := Shop(app)).http:
        await shop.pay()
        await shop.control("reset")
    app = create_sandbox(state)
    async with running(app), (shop := Shop(app)).http:
        assert await shop.held("payments") == []


async def test_a_killed_sandbox_has_kept_every_answer_it_gave(tmp_path):
    state = str(tmp_path / "mollie.sqlite3")
    answered = []
    with started("--state", state) as (process, url):
        async with httpx.AsyncClient(base_url=url, headers=HEADERS, trust_env=False) as http:
            for n in range(20):
                body = a_payment(description=str(n), webhookUrl=None)
                answer = await http.post("/v2/payments", json=body)
                answered.append(answer.json()["id"])
            process.send_signal(signal.SIGKILL)
            process.wait()

    with started("--state", state) as (_, url):
        async with httpx.AsyncClient(base_url=url, headers=HEADERS, trust_env=False) as http:
            held = (await http.get("/_control/payments")).json()["items"]
    assert [payment["id"] for payment in held] == answered[::-1]


async def test_a_webhook_that_was_due_when_killed_arrives_after_the_restart(tmp_path):
    state, arrived = str(tmp_path / "mollie.sqlite3"), asyncio.Event()

    async def receive(reader, writer):
        await reader.readuntil(b"id=tr_")
        arrived.set()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with started("--state", state) as (process, url):
        async with httpx.AsyncClient(base_url=url, headers=HEADERS, trust_env=False) as http:
            hook = f"http://127.0.0.1:{port}/hook"
            paid = (await http.post("/v2/payments", json=a_payment(webhookUrl=hook))).json()
            await http.post(f"/_control/payments/{paid['id']}/status", json={"status": "paid"})
            process.send_signal(signal.SIGKILL)
            process.wait()

    server = await asyncio.start_server(receive, "127.0.0.1", port)
    async with server:
        with started("--state", state) as (_, url):
            async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
                await http.post("/_control/clock", json={"advanceSeconds": 60})
                async with asyncio.timeout(15):
                    await arrived.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_within_two_seconds_even_while_a_caller_waits(number):
    fault = {"operation": "any", "kind": "timeoutBeforeCommit"}
    with started() as (process, url):
        async with httpx.AsyncClient(base_url=url, headers=HEADERS, trust_env=False) as http:
            await http.post("/_control/faults", json=fault)
            waiting = asyncio.create_task(http.get("/v2/payments", timeout=10))
            async with asyncio.timeout(5):
                while not (await http.get("/_control/requests")).json()["items"]:
                    pass
            process.send_signal(number)
            code = await asyncio.to_thread(process.wait, 2)
            with pytest.raises(httpx.HTTPError):
                await waiting
        assert process.stdout is not None
        assert process.stdout.read() == ""
    assert code in (0, -number)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("timeoutBeforeCommit", httpx.ReadTimeout),
        ("timeoutAfterCommit", httpx.ReadTimeout),
        ("connectionReset", httpx.TransportError),
    ],
)
async def test_over_a_real_connection_faults_are_what_they_say(kind, error):
    with started() as (_, url):
        async with httpx.AsyncClient(base_url=url, headers=HEADERS, trust_env=False) as http:
            await http.post("/_control/faults", json={"operation": "any", "kind": kind})
            with pytest.raises(error):
                await http.get("/v2/payments", timeout=0.3)
            assert (await http.get("/v2/payments")).status_code == 200


async def test_a_hanging_answer_ends_in_a_closed_connection():
    with started() as (_, url):
        async with httpx.AsyncClient(base_url=url, headers=HEADERS, trust_env=False) as http:
            await http.post("/_control/settings", json={"hangSeconds": 0})
            fault = {"operation": "any", "kind": "timeoutBeforeCommit"}
            await http.post("/_control/faults", json=fault)
            with pytest.raises(httpx.TransportError):
                await http.get("/v2/payments")


async def test_one_program_stands_in_for_both_providers():
    with started() as (_, url):
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            assert (await http.get("/v2/payments", headers=HEADERS)).status_code == 200
            key = httpx.BasicAuth("sk_test_shop", "")
            body = {"amount": 4900, "currency": "JPY"}
            made = await http.post("/komoju/api/v1/sessions", json=body, auth=key)
            assert (await http.get(made.json()["session_url"])).status_code == 200


def test_a_taken_port_is_one_line_that_names_it():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(command, ["--port", port])
    assert result.exit_code == 1
    assert port in result.output
    assert result.output.count("\n") == 1


def test_a_state_file_belongs_to_one_sandbox_at_a_time(tmp_path):
    state = str(tmp_path / "mollie.sqlite3")
    with started("--state", state):
        result = CliRunner().invoke(command, ["--port", "0", "--state", state])
    assert result.exit_code == 1
    assert "Is another sandbox using it?" in result.output


def test_the_help_has_an_example():
    result = CliRunner().invoke(command, ["--help"])
    assert "Example: kontor sandbox" in result.output
