"""`kontor apps`, `kontor keys`, `kontor token`: what the operator types, against a database."""

import asyncio
from uuid import UUID

import asyncpg
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec

from app.cli.main import main
from domain.tenancy.api_key import hash_secret
from domain.tenancy.app import JwtIssuer, SigningAlgorithm
from infrastructure.identity.claims import parse
from infrastructure.identity.dev_tokens import DEV_ISSUER
from infrastructure.identity.keys import from_pem, is_signed
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from tests.fakes.issuer import pem
from tests.make import APP, TENANT, USER


class Operator:
    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment

    def types(self, *words: object) -> str:
        """What the command printed. It must have succeeded."""
        result = CliRunner().invoke(main, [str(word) for word in words], env=self._environment)
        assert result.exit_code == 0, result.output
        return result.stdout.strip()

    def is_refused(self, *words: object) -> str:
        """The last line of what the command complained about."""
        result = CliRunner().invoke(main, [str(word) for word in words], env=self._environment)
        assert result.exit_code in (1, 2), result.output
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        return result.stderr.strip().splitlines()[-1]


@pytest.fixture
def operator(clean_database: str) -> Operator:
    return Operator({"KONTOR_DATABASE_URL": clean_database, "KONTOR_IS_DEV": "1"})


@pytest.fixture
def app_uuid(operator: Operator) -> str:
    return operator.types("apps", "create", "--name", "Example Notes")


def stored(url: str, query: str) -> list[asyncpg.Record]:
    async def fetch() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(query)
        finally:
            await connection.close()

    return asyncio.run(fetch())


def issuers_of(url: str, app_uuid: str) -> tuple[JwtIssuer, ...]:
    async def read() -> tuple[JwtIssuer, ...]:
        database = Database(url, PostgresTx, pool_size=1)
        async with database.open(), database.begin(UUID(app_uuid)) as tx:
            return await tx.apps.issuers()

    return asyncio.run(read())


def test_an_app_is_created_and_named(operator, clean_database):
    printed = operator.types("apps", "create", "--name", "Notes", "--allowed-host", "Shop.example")
    [row] = stored(clean_database, "select app_uuid, name, is_disabled, allowed_hosts from apps")
    assert str(row["app_uuid"]) == printed
    assert (row["name"], row["is_disabled"], row["allowed_hosts"]) == (
        "Notes",
        False,
        ["shop.example"],
    )


@pytest.mark.parametrize("host", ["https://shop.example", "shop.example:8000", "a/b", "", "u@h"])
def test_an_allowed_host_is_a_host_alone(operator, host):
    said = operator.is_refused("apps", "create", "--name", "x", "--allowed-host", host)
    assert "is not a host name" in said


def test_an_issuer_publishes_its_keys_or_gives_them(operator, app_uuid, clean_database, tmp_path):
    key = tmp_path / "key.pub"
    key.write_text(pem(ec.generate_private_key(ec.SECP256R1())))
    add = ("apps", "issuer", "add", "--app", app_uuid, "--algorithm")
    url = "https://login.example.com/jwks"
    operator.types(*add, "RS256", "--issuer", "a", "--jwks-url", url)
    operator.types(*add, "ES256", "--issuer", "b", "--public-key-file", key)
    first, second = issuers_of(clean_database, app_uuid)
    assert (first.issuer, first.algorithm, first.jwks_url) == ("a", SigningAlgorithm.RS256, url)
    assert (second.jwks_url, second.public_keys) == (None, (key.read_text(),))

    assert "already" in operator.is_refused(*add, "RS256", "--issuer", "a", "--jwks-url", url)
    both = ("--jwks-url", url, "--public-key-file", key)
    assert "either" in operator.is_refused(*add, "ES256", "--issuer", "c", *both)
    assert "either" in operator.is_refused(*add, "ES256", "--issuer", "c")
    wrong = operator.is_refused(*add, "RS256", "--issuer", "c", "--public-key-file", key)
    assert "RS256 takes a public key of the kind RSA" in wrong


@pytest.mark.parametrize(
    "url",
    ["http://login.example.com/jwks", "ftp://x/", "https://", "https://u:p@x/", "https://x:port/"],
)
def test_keys_come_over_https_alone(operator, app_uuid, url):
    add = ("apps", "issuer", "add", "--app", app_uuid, "--issuer", "a", "--algorithm", "RS256")
    assert "--jwks-url" in operator.is_refused(*add, "--jwks-url", url)


def test_nobody_vouches_for_an_app_that_is_not_there(operator):
    add = ("apps", "issuer", "add", "--app", APP, "--issuer", "a", "--algorithm", "RS256")
    assert str(APP) in operator.is_refused(*add, "--jwks-url", "https://login.example.com/")
    create = ("keys", "create", "--app", APP, "--type", "read", "--name", "x")
    assert str(APP) in operator.is_refused(*create)


def test_a_key_is_shown_once_and_only_its_hash_is_kept(operator, app_uuid, clean_database):
    create = ("keys", "create", "--app", app_uuid, "--name", "backend", "--type")
    secret = operator.types(*create, "write", "--expires-in-days", "30")
    other = operator.types(*create, "write")
    assert secret != other
    rows = stored(clean_database, "select *, expires_at - created_at as life from api_keys")
    [row] = [row for row in rows if row["secret_hash"] == hash_secret(secret)]
    assert (row["key_type"], row["name"], row["life"].days) == ("write", "backend", 30)
    assert row["hint"] == secret[-4:]
    assert secret not in str(rows)

    operator.types("keys", "revoke", "--app", app_uuid, "--key", row["uuid"])
    operator.types("keys", "revoke", "--app", app_uuid, "--key", row["uuid"])
    revoked = stored(clean_database, "select uuid from api_keys where revoked_at is not null")
    assert [found["uuid"] for found in revoked] == [row["uuid"]]


def test_a_key_that_is_not_there_cannot_be_revoked(operator, app_uuid):
    assert str(USER) in operator.is_refused("keys", "revoke", "--app", app_uuid, "--key", USER)


def test_a_demo_token_is_signed_with_the_key_of_the_file(tmp_path):
    developer = Operator({"KONTOR_IS_DEV": "1"})
    key = tmp_path / "token.key"
    words = (
        "token",
        "--app",
        APP,
        "--user",
        USER,
        "--tenant",
        f"{TENANT}:admin",
        "--key-file",
        key,
    )
    first = parse(developer.types(*words, "--scope", "billing:read"))
    again = parse(developer.types(*words, "--scope", "all"))
    public = from_pem(key.with_suffix(".pub").read_text(), SigningAlgorithm.EDDSA)
    for token in (first, again):
        assert is_signed(SigningAlgorithm.EDDSA, public, token.signed, token.signature)
    assert first.claims.iss == DEV_ISSUER
    assert first.claims.exp - first.claims.iat == 30 * 24 * 3600
    assert first.claims.scope == ["billing:read"]
    assert "tenants:write" in again.claims.scope


def test_demo_tokens_are_refused_where_real_money_is(tmp_path):
    said = Operator({"KONTOR_IS_DEV": "0"}).is_refused("token", "--app", APP, "--user", USER)
    assert "KONTOR_IS_DEV=1" in said


@pytest.mark.parametrize("tenant", ["x", f"{TENANT}:owner", f"{TENANT}:"[:-2]])
def test_a_tenant_of_a_demo_token_is_a_uuid_with_a_role(tmp_path, tenant):
    words = ("token", "--app", APP, "--user", USER, "--tenant", tenant)
    developer = Operator({"KONTOR_IS_DEV": "1"})
    assert "--tenant" in developer.is_refused(*words, "--key-file", tmp_path / "token.key")


def test_a_missing_setting_is_said_in_one_line(monkeypatch):
    monkeypatch.delenv("KONTOR_DATABASE_URL", raising=False)
    said = Operator({}).is_refused("apps", "create", "--name", "x")
    assert said == "Error: KONTOR_DATABASE_URL is not set"
