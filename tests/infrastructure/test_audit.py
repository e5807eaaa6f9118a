"""The audit's proofs: right books contradict none of them, and each finds the fault that it is for.

Faults are planted as an owner with every right would, and undone with the transaction.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import asyncpg
import pytest
from msgspec import Struct

from domain.ledger import rules
from infrastructure.postgres import audit_ledger, audit_payments, audit_subscriptions
from infrastructure.postgres.audit import PostgresAudit, Proof, Row
from infrastructure.postgres.ddl import APP_SETTING, ROLE
from tests.fakes.clock import NOON
from tests.infrastructure import right_books as books
from tests.infrastructure.right_books import Books
from tests.make import APP, OTHER_APP, OTHER_TENANT, TENANT, a_uuid, money
from tests.make_ledger import a_fact

PROOFS: Final = (*audit_ledger.PROOFS, *audit_payments.PROOFS, *audit_subscriptions.PROOFS)
NAMED: Final = {proof.name: proof for proof in PROOFS}
NOW: Final = books.NEXT_MONTH + timedelta(days=2)
HIDE_CHECKS: Final = """
    alter table ledger_postings drop constraint ledger_postings_balance_check;
"""


@pytest.fixture
async def shop(clean_database: str) -> AsyncIterator[Books]:
    connection = await asyncpg.connect(clean_database)
    transaction = connection.transaction()
    await transaction.start()
    try:
        shop = Books(connection)
        await shop.write()
        await shop.hold()
        yield shop
    finally:
        await transaction.rollback()
        await connection.close()


async def found(shop: Books, proof: Proof) -> list[Row]:
    return await PostgresAudit(shop.connection, APP).contradictions(proof, at=NOW)


class Fault(Struct, frozen=True):
    """`statements` break the books; `row` is what the proof then says, and all it says."""

    proof: str
    statements: str
    row: dict[str, Any]

    def __str__(self) -> str:
        return self.proof


def changed(table: str, uuid: object, **said: object) -> str:
    settings = ", ".join(f"{name} = {_sql(value)}" for name, value in said.items())
    return f"update {table} set {settings} where uuid = '{uuid}';"


def unposted(kind: str, source: object) -> str:
    return f"delete from ledger_postings where kind = '{kind}' and source_uuid = '{source}';"


def gone(table: str, uuid: object) -> str:
    return f"delete from {table} where uuid = '{uuid}';"


def _sql(value: object) -> str:
    if value is None or isinstance(value, int):
        return str(value).replace("None", "null").lower()
    return f"'{value}'"


FAULTS: Final = [
    Fault(
        "accounts-add-up",
        HIDE_CHECKS
        + f"update ledger_postings set cash = cash + 1 where source_uuid = '{books.SALE_PAYMENT}';",
        {"currency": "EUR", "off": 1},
    ),
    Fault(
        "postings-have-facts",
        gone("refunds", books.SETUP_REFUND),
        {"kind": "refund.made", "source_uuid": books.SETUP_REFUND},
    ),
    Fault(
        "postings-have-facts",
        gone("bills", books.CHANGE_BILL),
        {"kind": "balance.granted", "source_uuid": books.CHANGE_BILL},
    ),
    Fault(
        "sales-are-posted",
        unposted("sale.made", books.SALE),
        {"uuid": books.SALE, "total_minor": 1190, "posted_total": None},
    ),
    Fault(
        "sales-are-posted",
        f"update ledger_postings set revenue = -900, tax = -100 "
        f"where source_uuid = '{books.FIRST_BILL}';",
        {"what": "bill", "uuid": books.FIRST_BILL, "tax_minor": 0, "posted_tax": 100},
    ),
    Fault(
        "sales-are-posted",
        changed("one_time_payments", books.SALE, tenant_uuid=OTHER_TENANT),
        {"uuid": books.SALE, "total_minor": 1190, "posted_total": 1190},
    ),
    Fault(
        "payments-are-posted",
        unposted("payment.received", books.SUB_PAYMENT),
        {"payment_uuid": books.SUB_PAYMENT, "amount_minor": 1000, "posted": None},
    ),
    Fault(
        "payments-are-posted",
        changed("payments", books.SUB_PAYMENT, status="failed"),
        {"payment_uuid": books.SUB_PAYMENT, "status": "failed", "posted": 1000},
    ),
    Fault(
        "cash-per-payment",
        unposted("refund.made", books.SALE_REFUND),
        {"payment_uuid": books.SALE_PAYMENT, "expected": 790, "posted": 1190},
    ),
    Fault(
        "cash-per-payment",
        changed("chargebacks", books.CHARGEBACK, reversed_at=None),
        {"payment_uuid": books.SECOND_PAYMENT, "expected": 0, "posted": 900},
    ),
    Fault(
        "held-per-payment",
        unposted("refund.made", books.SETUP_REFUND),
        {"payment_uuid": books.SETUP_PAYMENT, "expected": 0, "posted": -100},
    ),
    Fault(
        "held-per-payment",
        changed("payments", books.SUB_PAYMENT, is_surplus=True),
        {"payment_uuid": books.SUB_PAYMENT, "expected": -1000, "posted": 0},
    ),
    Fault(
        "tax-given-back",
        f"update ledger_postings set refunds = 100, tax = 300 "
        f"where source_uuid = '{books.SALE_REFUND}';",
        {"payment_uuid": books.SALE_PAYMENT, "tax_minor": 190, "given_back": 300},
    ),
    Fault(
        "tax-given-back",
        f"update ledger_postings set cash = -1190, refunds = 1126 "
        f"where source_uuid = '{books.SALE_REFUND}';",
        {"payment_uuid": books.SALE_PAYMENT, "tax_minor": 190, "given_back": 64},
    ),
    Fault(
        "customer-balances",
        "update customer_balances set minor = 201;",
        {"tenant_uuid": TENANT, "currency": "EUR", "credit": 201, "posted": 200},
    ),
    Fault(
        "customer-balances",
        "delete from customer_balances;",
        {"tenant_uuid": TENANT, "currency": "EUR", "credit": 0, "posted": 200},
    ),
    Fault(
        "one-purpose",
        gone("one_time_payments", books.SALE),
        {"payment_uuid": books.SALE_PAYMENT, "purposes": ""},
    ),
    Fault(
        "one-purpose",
        changed("payments", books.SUB_PAYMENT, is_surplus=True),
        {"payment_uuid": books.SUB_PAYMENT, "purposes": "surplus, bill"},
    ),
    Fault(
        "sales-are-paid",
        changed("payments", books.SALE_PAYMENT, amount_minor=1189),
        {"one_time_payment_uuid": books.SALE, "total_minor": 1190, "amount_minor": 1189},
    ),
    Fault(
        "sessions-are-delivered",
        gone("subscriptions", books.SUB),
        {"checkout_session_uuid": books.SUB_SESSION, "is_subscription": False},
    ),
    Fault(
        "sessions-are-delivered",
        changed("checkout_sessions", books.SALE_SESSION, status="expired"),
        {"checkout_session_uuid": books.SALE_SESSION, "is_sale": True},
    ),
    Fault(
        "attempts-end",
        changed("payment_attempts", books.SALE_ATTEMPT, status="submitting"),
        {"attempt_uuid": books.SALE_ATTEMPT, "status": "submitting"},
    ),
    Fault(
        "attempts-end",
        changed("payment_attempts", books.SALE_ATTEMPT, status="needs_review", created_at=NOW),
        {"attempt_uuid": books.SALE_ATTEMPT, "status": "needs_review"},
    ),
    Fault(
        "attempts-match-payments",
        gone("payments", books.SETUP_PAYMENT),
        {"attempt_uuid": books.SETUP_ATTEMPT, "status": "accepted", "payment_uuid": None},
    ),
    Fault(
        "attempts-match-payments",
        changed("payment_attempts", books.SALE_ATTEMPT, status="declined"),
        {"attempt_uuid": books.SALE_ATTEMPT, "payment_uuid": books.SALE_PAYMENT},
    ),
    Fault(
        "attempts-match-payments",
        changed("payments", books.SALE_PAYMENT, tenant_uuid=OTHER_TENANT),
        {"attempt_uuid": books.SALE_ATTEMPT, "payment_uuid": books.SALE_PAYMENT},
    ),
    Fault(
        "refunds-end",
        changed("refunds", books.SALE_REFUND, status="requested"),
        {"refund_uuid": books.SALE_REFUND, "amount_minor": 400},
    ),
    Fault(
        "refunds-fit",
        changed("refunds", books.SALE_REFUND, amount_minor=1191),
        {"payment_uuid": books.SALE_PAYMENT, "amount_minor": 1190, "refunds": 1191},
    ),
    Fault(
        "captures-end",
        changed("captures", books.CAPTURE, status="requested"),
        {"capture_uuid": books.CAPTURE, "amount_minor": 300},
    ),
    Fault(
        "captures-fit",
        changed("captures", books.CAPTURE, amount_minor=299),
        {"payment_uuid": books.HELD_PAYMENT, "amount_minor": 300, "captures": 299},
    ),
    Fault(
        "money-goes-back",
        changed("refunds", books.SETUP_REFUND, status="declined"),
        {"payment_uuid": books.SETUP_PAYMENT, "to_give_back": 100, "refunds": 0},
    ),
    Fault(
        "money-back-is-known",
        changed("payments", books.SALE_PAYMENT, charged_back_minor=1),
        {"payment_uuid": books.SALE_PAYMENT, "charged_back_minor": 1, "chargebacks": 0},
    ),
    Fault(
        "keys-lead-somewhere",
        gone("checkout_sessions", books.SALE_SESSION),
        {"subject_uuid": books.SALE_SESSION, "keys": 1},
    ),
    Fault(
        "keys-lead-somewhere",
        "insert into idempotency_keys select app_uuid, caller, operation, 'k2', fingerprint, "
        "subject_uuid, null, null, lease_until, created_at, expires_at from idempotency_keys;",
        {"subject_uuid": books.SALE_SESSION, "keys": 2},
    ),
    Fault(
        "sessions-are-paid-once",
        "insert into payment_sessions (app_uuid, uuid, tenant_uuid, order_reference, currency, "
        "shipping_minor, tax_minor, total_minor, notes, expires_at, created_at) "
        f"select app_uuid, '{books.SALE}', tenant_uuid, 'ORD-1', 'EUR', 0, 0, 1190, '{{}}', "
        f"created_at, created_at from payments where uuid = '{books.SALE_PAYMENT}';"
        "insert into payment_session_attempts (app_uuid, uuid, payment_session_uuid, number, "
        "payment_provider_uuid, checkout_session_uuid, state, is_probe, created_at, updated_at) "
        f"select app_uuid, '{books.SALE}', '{books.SALE}', 1, payment_provider_uuid, "
        "checkout_session_uuid, 'abandoned', false, created_at, created_at "
        f"from payments where uuid = '{books.SALE_PAYMENT}';",
        {"payment_session_uuid": books.SALE, "live": 0, "sold_elsewhere": 1},
    ),
    Fault(
        "receivable-is-open",
        unposted("payment.received", books.SALE_PAYMENT),
        {"tenant_uuid": TENANT, "currency": "EUR", "open": 0, "posted": 1190},
    ),
    Fault(
        "receivable-per-bill",
        changed("bills", books.FIRST_BILL, payment_uuid=None),
        {"bill_uuid": books.FIRST_BILL, "open": 0, "posted": 1000},
    ),
    Fault(
        "payments-settle-bills",
        changed("bills", books.FIRST_BILL, balance_applied_minor=1),
        {"payment_uuid": books.SUB_PAYMENT, "settles": 999, "posted": 1000},
    ),
    Fault(
        "paid-bills-have-money",
        changed("payments", books.SECOND_PAYMENT, status="failed"),
        {"bill_uuid": books.SECOND_BILL, "payment_status": "failed"},
    ),
    Fault(
        "paid-bills-have-money",
        changed("bills", books.SECOND_BILL, payment_uuid=None),
        {"bill_uuid": books.SECOND_BILL, "payment_status": None},
    ),
    Fault(
        "periods-follow",
        "update subscription_periods set starts_at = starts_at - interval '1 s' where number = 2;",
        {"subscription_uuid": books.SUB, "number": 2, "fault": "overlap"},
    ),
    Fault(
        "periods-follow",
        "update subscription_periods set starts_at = starts_at + interval '1 s' where number = 2;",
        {"subscription_uuid": books.SUB, "number": 2, "fault": "gap"},
    ),
    Fault(
        "periods-follow",
        "update subscription_periods set number = 3 where number = 2;",
        {"subscription_uuid": books.SUB, "number": 3, "fault": "number"},
    ),
    Fault(
        "periods-have-bills",
        "update subscription_periods set bill_uuid = null where number = 2;",
        {"number": 2, "bill_of_period": None, "bill_uuid": books.SECOND_BILL},
    ),
    Fault(
        "periods-have-bills",
        "delete from subscription_periods where number = 2;",
        {"number": 2, "bill_of_period": None, "bill_uuid": books.SECOND_BILL},
    ),
    Fault(
        "collecting-is-under-way",
        changed("subscriptions", books.SUB, status="collecting"),
        {"subscription_uuid": books.SUB, "status": "collecting"},
    ),
    Fault(
        "nobody-is-forgotten",
        changed("subscriptions", books.SUB, due_at=None),
        {"subscription_uuid": books.SUB, "due_at": None},
    ),
    Fault(
        "nobody-is-forgotten",
        changed("subscriptions", books.SUB, due_at=books.NEXT_MONTH),
        {"subscription_uuid": books.SUB, "due_at": books.NEXT_MONTH},
    ),
    Fault(
        "history-is-complete",
        changed("subscriptions", books.SUB, status="past_due"),
        {"subscription_uuid": books.SUB, "status": "past_due", "new_status": "active"},
    ),
    Fault(
        "history-is-complete",
        "update subscription_history set old_status = 'paused';",
        {"subscription_uuid": books.SUB, "old_status": "paused"},
    ),
]


@pytest.mark.parametrize("proof", PROOFS, ids=[proof.name for proof in PROOFS])
async def test_right_books_contradict_nothing(shop: Books, proof: Proof):
    assert await found(shop, proof) == []


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_fault_is_found_and_nothing_else(shop: Books, fault: Fault):
    await shop.connection.execute(fault.statements)
    (row,) = await found(shop, NAMED[fault.proof])
    assert {name: row[name] for name in fault.row} == fault.row


def test_every_proof_has_a_fault_that_it_finds():
    assert {fault.proof for fault in FAULTS} == set(NAMED)
    assert len(NAMED) == len(PROOFS)


NO_FAULTS: Final = [
    (
        "attempts-end",
        changed("payment_attempts", books.SALE_ATTEMPT, status="submitting", created_at=NOW),
    ),
    ("refunds-end", changed("refunds", books.SALE_REFUND, status="requested", created_at=NOW)),
    ("captures-end", changed("captures", books.CAPTURE, status="requested", created_at=NOW)),
    (
        "captures-fit",
        changed("captures", books.CAPTURE, amount_minor=299)
        + changed("payments", books.HELD_PAYMENT, due_at=NOW),
    ),
    ("refunds-fit", changed("refunds", books.SALE_REFUND, amount_minor=1191, reason="dashboard")),
    (
        "money-goes-back",
        changed("refunds", books.SETUP_REFUND, status="declined")
        + changed("payments", books.SETUP_PAYMENT, paid_at=NOW),
    ),
    (
        "money-back-is-known",
        changed("payments", books.SALE_PAYMENT, charged_back_minor=1, due_at=NOW),
    ),
    (
        "attempts-match-payments",
        changed("payment_attempts", books.SALE_ATTEMPT, status="declined")
        + changed("payments", books.SALE_PAYMENT, is_surplus=True),
    ),
    (
        "collecting-is-under-way",
        changed("subscriptions", books.SUB, status="collecting")
        + changed("payments", books.SECOND_PAYMENT, status="pending"),
    ),
    (
        "collecting-is-under-way",
        changed("subscriptions", books.SUB, status="collecting")
        + changed("payment_attempts", books.SECOND_ATTEMPT, status="submitting"),
    ),
    (
        "nobody-is-forgotten",
        changed("subscriptions", books.SUB, test_clock_uuid=books.SUB, due_at=NOON),
    ),
    ("nobody-is-forgotten", changed("subscriptions", books.SUB, status="canceled", due_at=None)),
    (
        "keys-lead-somewhere",
        "insert into idempotency_keys select app_uuid, caller, 'expireCheckoutSession', key, "
        "fingerprint, subject_uuid, null, null, lease_until, created_at, expires_at "
        "from idempotency_keys;",
    ),
    ("nobody-is-forgotten", changed("subscriptions", books.SUB, due_at=NOON, updated_at=NOW)),
    (
        "periods-follow",
        "update subscription_periods set starts_at = starts_at + interval '1 day' "
        "where number = 2;"
        "insert into subscription_history (app_uuid, subscription_uuid, number, old_status, "
        "new_status, reason, at, recorded_at) "
        "select app_uuid, subscription_uuid, 2, 'paused', 'active', 'requested', starts_at, now() "
        "from subscription_periods where number = 2;",
    ),
    (
        "receivable-is-open",
        unposted("payment.received", books.SUB_PAYMENT)
        + changed("bills", books.FIRST_BILL, open_minor=1000, status="open"),
    ),
]


@pytest.mark.parametrize(("proof", "statements"), NO_FAULTS)
async def test_what_is_on_its_way_is_no_fault(shop: Books, proof: str, statements: str):
    await shop.connection.execute(statements)
    assert await found(shop, NAMED[proof]) == []


async def test_a_bill_that_a_chargeback_opened_again_is_right(shop: Books):
    await shop.connection.execute(
        changed("chargebacks", books.CHARGEBACK, reversed_at=None)
        + unposted("chargeback.reversed", books.CHARGEBACK)
        + changed(
            "bills",
            books.SECOND_BILL,
            status="open",
            open_minor=900,
            chargeback_uuid=books.CHARGEBACK,
        )
        + changed("payments", books.SECOND_PAYMENT, charged_back_minor=900)
    )
    await shop.post(rules.bill_reopened(a_fact(books.CHARGEBACK), money(900)))
    for proof in PROOFS:
        assert await found(shop, proof) == [], proof.name


async def test_what_was_paid_too_much_is_held_and_goes_back(shop: Books):
    """1.00 of the second period's payment found nothing to settle."""
    await shop.connection.execute(
        changed("payments", books.SECOND_PAYMENT, amount_minor=1000)
        + f"update ledger_postings set cash = 1000, held = -100 "
        f"where kind = 'payment.received' and source_uuid = '{books.SECOND_PAYMENT}';"
    )
    (row,) = await found(shop, audit_payments.MONEY_GOES_BACK)
    assert (row["payment_uuid"], row["to_give_back"]) == (books.SECOND_PAYMENT, 100)

    back = {"payment_uuid": books.SECOND_PAYMENT, "provider_ref": "re_9", "reason": "surplus"}
    await shop.put("refunds", uuid=a_uuid(291), amount_minor=100, **back)
    await shop.post(rules.held_given_back(a_fact(291), money(100)))
    await shop.connection.execute(changed("payments", books.SECOND_PAYMENT, refunded_minor=100))
    for proof in PROOFS:
        assert await found(shop, proof) == [], proof.name


async def test_the_proofs_run_as_the_program_and_see_one_app(shop: Books):
    """Row-level security and the role's rights let each proof read what it needs, and no more."""
    await shop.connection.execute("delete from one_time_payments")
    audit = PostgresAudit(shop.connection, APP)
    other = PostgresAudit(shop.connection, OTHER_APP)
    assert await other.contradictions(audit_payments.ONE_PURPOSE, at=NOW) == []
    await shop.connection.execute(f"set local role {ROLE}")
    for app_uuid, rows in ((APP, 1), (OTHER_APP, 0)):
        await shop.connection.execute(f"set local {APP_SETTING} = '{app_uuid}'")
        for proof in PROOFS:
            await audit.contradictions(proof, at=NOW)
        assert len(await audit.contradictions(audit_payments.ONE_PURPOSE, at=NOW)) == rows
