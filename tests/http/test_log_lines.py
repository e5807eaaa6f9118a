"""What `kontor serve` writes: one line of JSON per request, and never a secret in any of them."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from app.settings import SECRETS, Settings
from tests.http.house import House, Json
from tests.waiting import eventually

CANARY: Final = "test_canary0log0canary0log0canary"
ROOT: Final = Path(__file__).parents[2]
IDS: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Served:
    url: str
    log: Path

    def lines(self) -> list[Json]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def of(self, request_id: str) -> list[Json]:
        """The lines of one request, the access line among them."""

        def found() -> list[Json]:
            return [line for line in self.lines() if line.get("request_id") == request_id]

        assert eventually(lambda: any(line["event"] == "request" for line in found()))
        return found()


@pytest.fixture(scope="module")
def served(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The program as it is run for real, over this run's database and sandbox."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = ("database_url", "secret_key", "mollie_url", "public_url")
    environment = {f"KONTOR_{name.upper()}": getattr(settings, name) for name in told}
    log = tmp_path_factory.mktemp("served") / "stderr"
    command = [sys.executable, "-m", "app.cli.main", "serve", "--port", str(port)]
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stderr=stderr) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            assert eventually(lambda: process.poll() is not None or answers(url), within_s=60)
            assert process.poll() is None, log.read_text()
            yield Served(url, log)
        finally:
            process.terminate()
            process.wait(30)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def outside(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, trust_env=False, timeout=15) as client:
        yield client


def test_a_request_is_one_line_that_can_be_read_by_a_machine(
    served: Served, outside: httpx.Client, house: House
):
    path = house.app.path(f"/products/{house.app.ids['product']}?page=canary")
    answer = outside.get(path, headers={**house.app.admin, "X-Request-Id": "one-line"})
    assert answer.status_code == 200
    (line,) = served.of("one-line")
    assert line["app"] == str(house.app.app_uuid)
    assert (line["method"], line["status"]) == ("GET", 200)
    assert line["route"] == "/api/v1/apps/{app_uuid}/products/{uuid}"
    assert 0 < line["duration_ms"] < 15_000
    assert line["level"] == "info" and line["timestamp"].endswith("Z")
    assert "canary" not in json.dumps(line)


def test_a_request_outside_any_app_has_its_line(served: Served, outside: httpx.Client):
    (line,) = served.of(outside.get("/livez").headers["X-Request-Id"])
    assert (line["route"], line["status"], line["app"]) == ("/livez", 200, None)


def test_a_request_whose_app_the_token_names_has_it_in_its_line(
    house: House, served: Served, outside: httpx.Client
):
    path = f"/api/v1/sessions/{house.app.ids['product']}"
    for who, app in ((house.app.admin, str(house.app.app_uuid)), ({}, None)):
        line = served.of(outside.get(path, headers=dict(who)).headers["X-Request-Id"])[-1]
        assert (line["route"], line["app"]) == ("/api/v1/sessions/{uuid}", app)


@pytest.mark.parametrize("path", ["/nothing/canary", "/api/v1/apps/x/products"])
def test_a_request_that_leads_nowhere_has_its_line(
    served: Served, outside: httpx.Client, path: str
):
    (line,) = served.of(outside.get(path).headers["X-Request-Id"])
    assert (line["route"], line["status"], line["app"]) == ("none", 404, None)


def test_a_refused_credential_says_why_in_the_log_alone(
    served: Served, outside: httpx.Client, house: House
):
    answer = outside.get(house.app.path("/products"), headers={"Authorization": "Bearer a.b.c"})
    lines = served.of(answer.headers["X-Request-Id"])
    assert [line["event"] for line in lines] == ["unauthenticated", "request"]
    assert lines[0]["reason"] and lines[0]["reason"] not in answer.text


def test_no_secret_is_in_any_line(
    served: Served, outside: httpx.Client, house: House, settings: Settings
):
    """Through successes, refusals and faults of a provider alike."""
    admin, member = house.app.admin, house.app.user("member")
    address = "canary@person.example"

    def send(who: Any, method: str, path: str, body: Any = None) -> httpx.Response:
        return outside.request(method, house.app.path(path), headers=dict(who), json=body)

    keys = [house.app.key("read"), house.app.key("write"), house.app.key("read", "write")]
    heard = [send(key, "GET", "/products") for key in keys]
    account = {"name": "mollie", "credential": CANARY}
    heard.append(send(admin, "POST", "/payment-providers", account))
    heard.append(send(admin, "POST", "/payment-providers", account | {"mode": "live"}))
    heard.append(send(admin, "POST", "/payment-providers", account | {"title": 1}))
    heard.append(send(admin, "POST", "/tenants", {"name": "x", "email": address}))
    heard.append(send(admin, "POST", "/tenants", {"name": "", "email": address + " "}))
    path = "/payment-providers/mollie/checkout-sessions"
    heard.append(send(member, "POST", path, house.app.order()))
    row = heard[-1].json()["items"][0]["createdCheckoutSession"]
    link = row["retryUrl"].removeprefix(settings.public_url)
    heard.append(outside.get(link))
    heard.append(outside.get(link.replace("/pay", "/return")))
    hook = f"/api/v1/webhooks/mollie?paymentProviderUuid={house.app.ids['account']}"
    heard.append(outside.post(hook, data={"id": row["sessionId"]}))
    assert {answer.status_code for answer in heard} <= {200, 201, 303, 400, 401}
    for answer in heard:
        served.of(answer.headers["X-Request-Id"])
    secrets = [
        CANARY,
        address,
        link.split("/")[-2],
        *house.app.secrets.values(),
        *(getattr(settings, name) for name in SECRETS),
        *(who["Authorization"].split(".")[-1] for who in (admin, member)),
    ]
    log = served.log.read_text()
    assert [secret for secret in secrets if secret in log] == []


def test_a_line_cannot_be_broken_or_forged(served: Served, outside: httpx.Client, house: House):
    forged = '{"event": "forged"}'
    nasty = house.app.path(f"/payment-providers/%0a{forged}%1b[31m/checkout-sessions")
    headers = {"User-Agent": forged, "X-Forwarded-For": "canary", **house.app.admin}
    answer = outside.post(nasty, json=house.app.order(), headers=headers)
    assert answer.status_code == 404
    (line,) = served.of(answer.headers["X-Request-Id"])
    assert "forged" not in json.dumps(line) and "canary" not in json.dumps(line)


def test_every_line_is_json_and_names_its_request(served: Served):
    for line in served.lines():
        assert {"event", "level", "timestamp"} <= line.keys(), line
    for line in served.lines():
        if line["event"] == "request":
            assert line["request_id"] and not IDS.search(line["route"])
