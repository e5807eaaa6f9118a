"""`kontor audit`: what it prints, and what it exits with."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import asyncpg
import pytest
from click.testing import CliRunner, Result

from app.cli.audit import PROOFS
from app.cli.main import main
from domain.payments.ports import credential_context
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.secrets import AesGcmVault, new_key
from tests.infrastructure import right_books as books
from tests.infrastructure.right_books import Books
from tests.make import APP, OTHER_APP, a_uuid, an_account, an_app

KEY = new_key()
NEVER = datetime(2999, 1, 1, tzinfo=UTC)
RIGHT = f"update subscriptions set due_at = '{NEVER}';"
"""Right for as long as anybody runs these tests."""


class Auditor:
    """Whoever types `kontor audit`, with this environment."""

    def __init__(self, url: str, **environment: str) -> None:
        self.url = url
        self._environment = {"KONTOR_DATABASE_URL": url, "KONTOR_SECRET_KEY": None}
        self._environment |= environment

    def asks(self, *words: object) -> Result:
        told = CliRunner().invoke(
            main, ["audit", *(str(word) for word in words)], env=self._environment
        )
        assert "Traceback" not in told.output
        return told

    def plant(self, statements: str) -> None:
        async def execute() -> None:
            connection = await asyncpg.connect(self.url)
            try:
                async with connection.transaction():
                    await connection.execute(statements)
            finally:
                await connection.close()

        asyncio.run(execute())


async def _furnish(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await Books(connection).write()
            await connection.execute(RIGHT)
    finally:
        await connection.close()
    database = Database(url, PostgresTx, pool_size=1)
    async with database.open(), database.begin(OTHER_APP) as tx:
        await tx.apps.add(an_app(app_uuid=OTHER_APP))
        await tx.payment_providers.add(an_account(app_uuid=OTHER_APP))


@pytest.fixture
def auditor(clean_database: str) -> Iterator[Auditor]:
    asyncio.run(_furnish(clean_database))
    yield Auditor(clean_database)


def test_right_books_are_told_line_by_line_for_every_app(auditor: Auditor):
    told = auditor.asks("--offline")
    assert told.exit_code == 0, told.output
    lines = told.stdout.splitlines()
    assert [line for line in lines if line.startswith("app ")] == [
        f"app {APP}",
        f"app {OTHER_APP}",
    ]
    proofs = [line for line in lines if not line.startswith("app ")]
    assert len(proofs) == 2 * len(PROOFS)
    assert all(line.startswith("ok    ") for line in proofs)
    assert {proof.name for proof in PROOFS} <= {line.split()[1] for line in proofs}


def test_a_fault_is_told_with_its_rows(auditor: Auditor):
    auditor.plant("update customer_balances set minor = 201;")
    told = auditor.asks("--offline", "--app", APP)
    assert told.exit_code == 1
    lines = told.stdout.splitlines()
    (at,) = [n for n, line in enumerate(lines) if line.startswith("FAIL")]
    assert lines[at].split()[1] == "customer-balances"
    assert lines[at].endswith("is what the ledger says: 1 row contradicts it")
    row = lines[at + 1].split()
    assert {"currency=EUR", "credit=201", "posted=200"} <= set(row)
    assert f"app {OTHER_APP}" not in lines


def test_one_app_alone_is_not_troubled_by_another(auditor: Auditor):
    auditor.plant("update customer_balances set minor = 201;")
    assert auditor.asks("--offline", "--app", OTHER_APP).exit_code == 0
    assert auditor.asks("--offline").exit_code == 1


def test_many_rows_are_cut_short_for_people_and_whole_for_programs(auditor: Auditor):
    auditor.plant(
        f"""
        insert into ledger_postings (app_uuid, uuid, kind, source_uuid, tenant_uuid, currency,
               cash, held, happened_at)
        select app_uuid, uuidv, 'payment.received', uuidv, tenant_uuid, 'EUR', 1, -1, now()
          from (select app_uuid, gen_random_uuid() as uuidv, tenant_uuid
                  from payments, generate_series(1, 25)
                 where uuid = '{books.SALE_PAYMENT}') p;
        """
    )
    told = auditor.asks("--offline")
    assert "25 rows contradict it" in told.stdout
    assert "... and 5 more: --json shows them all" in told.stdout
    document = json.loads(auditor.asks("--offline", "--json").stdout)
    assert document["isRight"] is False
    (contradicted,) = [proof for proof in document["proofs"] if proof["rows"]]
    assert (contradicted["proof"], len(contradicted["rows"])) == ("postings-have-facts", 25)
    assert contradicted["appUuid"] == str(APP)
    assert contradicted["rows"][0]["kind"] == "payment.received"


def test_a_program_hears_that_all_is_right(auditor: Auditor):
    told = auditor.asks("--offline", "--json")
    document = json.loads(told.stdout)
    assert (told.exit_code, document["isRight"]) == (0, True)
    assert all(proof["rows"] == [] and proof["trouble"] is None for proof in document["proofs"])


def test_an_app_that_is_not_there_is_said(auditor: Auditor):
    told = auditor.asks("--offline", "--app", a_uuid(404))
    assert (told.exit_code, told.stdout) == (1, "")
    assert str(a_uuid(404)) in told.stderr


def test_providers_are_asked_with_the_secret_key_or_not_at_all(auditor: Auditor):
    told = auditor.asks()
    assert (told.exit_code, told.stdout) == (1, "")
    assert "--offline" in told.stderr


def test_a_provider_that_does_not_answer_proves_nothing(auditor: Auditor):
    context = credential_context(books.ACCOUNT, APP)
    sealed = AesGcmVault(KEY).seal("test_auditauditauditauditauditaudi", context=context)
    auditor.plant(f"update payment_providers set credential_sealed = '\\x{sealed.hex()}'")
    away = {"KONTOR_SECRET_KEY": KEY, "KONTOR_MOLLIE_URL": "http://127.0.0.1:1"}
    told = Auditor(auditor.url, **away).asks("--app", APP, "--days", 7)
    assert told.exit_code == 1
    last = told.stdout.splitlines()[-1]
    assert last.startswith("FAIL  provider")
    assert "x (test, ...x) holds what we hold, of the last 7 days" in last
    assert "not compared, mollie could not be reached" in last


def test_a_database_without_tables_is_said(empty_database_url: str):
    told = Auditor(empty_database_url).asks("--offline")
    assert told.exit_code == 1
    assert "kontor migrate" in told.stderr
