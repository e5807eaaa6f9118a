"""`kontor doctor`: what it finds, and that it says what to do."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
import uvicorn
from click.testing import CliRunner, Result

from app.cli.doctor import clocks
from app.cli.main import main
from app.sandbox.server import create_sandbox
from domain.payments.payment_provider import (
    ConnectedBy,
    Parting,
    PaymentProvider,
    ProviderName,
)
from domain.payments.ports import credential_context
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.secrets import AesGcmVault, new_key
from tests.fakes.clock import NOON
from tests.make import APP, a_uuid, an_account, an_app
from tests.waiting import eventually

CREDENTIAL = "test_doctordoctordoctordoctordoct"
KEY = new_key()


class Patient:
    """Whoever types `kontor doctor`, with this environment."""

    def __init__(self, **environment: str) -> None:
        self._environment = dict.fromkeys(("KONTOR_DATABASE_URL", "KONTOR_SECRET_KEY"))
        self._environment |= {f"KONTOR_{name.upper()}": said for name, said in environment.items()}

    def asks(self, *words: object) -> Result:
        told = CliRunner().invoke(
            main, ["doctor", *(str(word) for word in words)], env=self._environment
        )
        assert "Traceback" not in told.output
        return told

    def hears(self, *words: object) -> dict[str, str]:
        """The first word of each line, by what was looked at."""
        told = self.asks(*words)
        lines = [line.split(maxsplit=1) for line in told.stdout.splitlines()]
        assert told.exit_code == (1 if any(verdict == "FAIL" for verdict, _ in lines) else 0)
        return {line[:12].strip(): f"{verdict} {line[12:]}" for verdict, line in lines}


def connect(url: str, *accounts: PaymentProvider) -> None:
    async def add() -> None:
        database = Database(url, PostgresTx, pool_size=1)
        async with database.open(), database.begin(APP) as tx:
            await tx.apps.add(an_app())
            for account in accounts:
                await tx.payment_providers.add(account)

    asyncio.run(add())


def a_mollie_account(number: int = 41, credential: str = CREDENTIAL, key: str = KEY):
    uuid = a_uuid(number)
    sealed = AesGcmVault(key).seal(credential, context=credential_context(uuid, APP))
    return an_account(
        uuid=uuid, credential_sealed=sealed, title=f"Mollie {number}", is_default=False
    )


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    deaf = httpx.MockTransport(lambda request: httpx.Response(200, request=request))
    sandbox = create_sandbox(webhook_transport=deaf)
    server = uvicorn.Server(uvicorn.Config(sandbox, log_config=None, access_log=False))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        serve = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        serve.start()
        assert eventually(lambda: server.started)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        server.should_exit = True
        serve.join(10)


def test_all_is_well(clean_database):
    heard = Patient(database_url=clean_database, secret_key=KEY).hears()
    assert list(heard) == [
        "settings",
        "secret key",
        "database",
        "isolation",
        "migrations",
        "clock",
    ]
    assert all(verdict.startswith("ok") for verdict in heard.values()), heard


def test_an_app_without_accounts_is_well(clean_database):
    connect(clean_database)
    heard = Patient(database_url=clean_database, secret_key=KEY).hears("--app", APP)
    assert heard["accounts"].startswith("ok")


def test_each_account_is_tried_with_its_own_credential(clean_database, sandbox_url):
    connect(clean_database, a_mollie_account())
    patient = Patient(database_url=clean_database, secret_key=KEY, mollie_url=sandbox_url)
    told = patient.asks("--app", APP)
    assert (told.exit_code, told.stdout.splitlines()[-1]) == (
        0,
        "ok    mollie      Mollie 41 (test, ...abcd) accepts its credential",
    )
    assert CREDENTIAL not in told.output


def test_a_credential_that_the_provider_refuses_is_found(clean_database, sandbox_url):
    connect(clean_database, a_mollie_account(credential="test_is-not-one-of-theirs"))
    patient = Patient(database_url=clean_database, secret_key=KEY, mollie_url=sandbox_url)
    heard = patient.hears("--app", APP)["mollie"]
    assert heard.startswith("FAIL")
    assert "mollie refused our credentials" in heard


def test_a_credential_under_a_key_that_is_gone_is_found(clean_database):
    connect(clean_database, a_mollie_account(key=new_key(7)))
    heard = Patient(database_url=clean_database, secret_key=KEY).hears("--app", APP)
    assert "key version 7 is missing from KONTOR_SECRET_KEY" in heard["mollie"]


def test_a_provider_that_cannot_be_reached_is_found(clean_database):
    connect(clean_database, a_mollie_account())
    nowhere = Patient(database_url=clean_database, secret_key=KEY, mollie_url="http://127.0.0.1:1")
    assert "check KONTOR_MOLLIE_URL" in nowhere.hears("--app", APP)["mollie"]


def a_komoju_account(credential: str, webhook_secret_sealed: bytes | None = b"sealed"):
    uuid = a_uuid(42)
    sealed = AesGcmVault(KEY).seal(credential, context=credential_context(uuid, APP))
    return an_account(
        uuid=uuid,
        name=ProviderName.KOMOJU,
        title="KOMOJU",
        credential_sealed=sealed,
        webhook_secret_sealed=webhook_secret_sealed,
    )


@pytest.mark.parametrize(
    ("credential", "secret", "verdict"),
    [
        ("sk_test_doctor", b"sealed", "ok    KOMOJU (test, ...abcd) accepts its credential"),
        ("sk_test_doctor", None, "FAIL  KOMOJU (test, ...abcd): its webhooks are not believed"),
        ("sk_refused", b"sealed", "FAIL  KOMOJU (test, ...abcd): komoju refused our credentials"),
    ],
)
def test_an_account_at_komoju_is_tried_like_another(
    clean_database, sandbox_url, credential, secret, verdict
):
    connect(clean_database, a_komoju_account(credential, secret))
    komoju_url = f"{sandbox_url}/komoju"
    patient = Patient(database_url=clean_database, secret_key=KEY, komoju_url=komoju_url)
    told = patient.asks("--app", APP).stdout.splitlines()[-1]
    assert " ".join(told.split()).startswith(" ".join(f"{verdict[:6]}komoju {verdict[6:]}".split()))


CONNECT = {
    "mollie_connect_client_id": "app_kontor",
    "mollie_connect_client_secret": "a-secret",
    "mollie_connect_redirect_url": "https://console.example/connected",
}


def a_connected_account(**facts):
    usual = {"account_ref": "org_1", "title": "Flowers", "credential_sealed": None}
    return an_account(connected_by=ConnectedBy.OAUTH, **usual | facts)


@pytest.mark.parametrize(
    ("facts", "settings", "said"),
    [
        (
            {"is_connected": False, "account_ref": "pending_1"},
            CONNECT,
            "ok Flowers (test, pending_1) waits for its merchant to connect it",
        ),
        (
            {"is_connected": False, "disconnected_because": Parting.MERCHANT},
            CONNECT,
            "FAIL Flowers (test, org_1): its merchant has taken the consent back",
        ),
        ({}, {}, "FAIL Flowers (test, org_1): its tokens cannot be renewed"),
        ({}, CONNECT, "FAIL Flowers (test, org_1): the account is not connected"),  # no grant
    ],
)
def test_an_account_that_its_merchant_connects_is_told_apart(
    clean_database, sandbox_url, facts, settings, said
):
    connect(clean_database, a_connected_account(**facts))
    patient = Patient(
        database_url=clean_database, secret_key=KEY, mollie_url=sandbox_url, **settings
    )
    heard = patient.hears("--app", APP)["mollie"]
    assert heard.startswith(said)
    if heard.startswith("FAIL"):
        remedy = "connect it again" if settings else "set KONTOR_MOLLIE_CONNECT_CLIENT_ID"
        assert remedy in heard


def test_an_app_that_is_not_there_is_said(clean_database):
    heard = Patient(database_url=clean_database, secret_key=KEY).hears("--app", APP)
    assert heard["app"].startswith("FAIL")
    assert str(APP) in heard["app"]


def test_a_missing_setting_is_the_only_thing_said():
    heard = Patient().hears()
    assert list(heard) == ["settings"]
    assert "KONTOR_DATABASE_URL is not set" in heard["settings"]


@pytest.mark.parametrize("key", ["", "1:short", "nonsense"])
def test_a_secret_key_that_cannot_seal_is_found(clean_database, key):
    heard = Patient(database_url=clean_database, secret_key=key).hears("--app", APP)
    assert "kontor doctor --new-key" in heard["secret key"]
    assert heard["database"].startswith("ok")
    assert key == "" or key not in heard["secret key"]


def test_a_database_that_is_away_is_found_and_its_password_not_shown():
    patient = Patient(database_url="postgresql://u:hush@127.0.0.1:1/kontor", secret_key=KEY)
    assert patient.hears()["database"].startswith("FAIL does not answer: start it")
    assert "hush" not in patient.asks().output


def test_a_database_without_tables_is_found(empty_database_url):
    heard = Patient(database_url=empty_database_url, secret_key=KEY).hears("--app", APP)
    assert "kontor migrate" in heard["migrations"]
    assert heard["app"].startswith("FAIL")


def test_a_database_that_does_not_exist_is_found(clean_database):
    url = clean_database.replace("kontor", "nobodys", 1)
    heard = Patient(database_url=url, secret_key=KEY).hears()
    assert heard["database"].startswith("FAIL")


@pytest.mark.parametrize(("seconds", "is_well"), [(0, True), (0.9, True), (1.1, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_clocks_may_be_a_second_apart(seconds: float, sign: int, is_well: bool):
    theirs = NOON + sign * timedelta(seconds=seconds)
    assert (clocks(NOON, theirs, NOON).remedy is None) is is_well


def test_the_time_that_a_slow_answer_takes_is_not_held_against_the_clock():
    assert clocks(NOON, NOON + timedelta(seconds=2), NOON + timedelta(seconds=4)).remedy is None


def test_a_fresh_key_can_be_used_at_once(clean_database):
    told = Patient().asks("--new-key")
    heard = Patient(database_url=clean_database, secret_key=told.stdout.strip()).hears()
    assert heard["secret key"].startswith("ok")


def test_a_fresh_key_beside_others_has_the_next_version():
    present = f"{new_key(3)},{new_key(2)}"
    told = Patient(secret_key=present).asks("--new-key")
    assert told.stdout.startswith("4:")
    AesGcmVault(f"{told.stdout.strip()},{present}")


def test_help_has_an_example():
    assert "Example: kontor doctor --app" in Patient().asks("--help").output
