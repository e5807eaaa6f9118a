"""A small shop whose books are right, written by hand: each proof of the audit has rows to look at.

One sale with a part given back, a subscription of two periods (one bought at checkout, one charged
and briefly charged back), a verification amount, and credit that was granted and partly used.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from domain.ledger import rules
from domain.ledger.posting import Account, Posting, PostingKind
from tests.fakes.clock import NOON
from tests.make import APP, TENANT, USER, a_uuid, money
from tests.make_ledger import a_fact, a_quote

ACCOUNT: Final = a_uuid(200)
SALE, SALE_SESSION, SALE_ATTEMPT, SALE_PAYMENT, SALE_REFUND = (a_uuid(n) for n in range(210, 215))
SUB, SUB_SESSION, SUB_ATTEMPT, SUB_PAYMENT = (a_uuid(n) for n in range(220, 224))
FIRST_BILL, SECOND_BILL, SECOND_ATTEMPT, SECOND_PAYMENT, CHARGEBACK = (
    a_uuid(n) for n in range(230, 235)
)
SETUP_SESSION, SETUP_ATTEMPT, SETUP_PAYMENT, SETUP_REFUND = (a_uuid(n) for n in range(240, 244))
HELD_SESSION, HELD_ATTEMPT, HELD_PAYMENT, CAPTURE = (a_uuid(n) for n in range(260, 264))
CHANGE_BILL: Final = a_uuid(250)
NEXT_MONTH: Final = NOON + timedelta(days=31)
MONTH_AFTER: Final = NOON + timedelta(days=59)

_KINDS: Final = list(PostingKind)
_BY_TYPE: Final[dict[str, Any]] = {
    "uuid": a_uuid(299),
    "text": "x",
    "character": "EUR",
    "boolean": False,
    "bytea": b"",
    "jsonb": "{}",
    "bigint": 0,
    "integer": 1,
    "timestamp with time zone": NOON,
}
_USUAL: Final[dict[str, dict[str, Any]]] = {
    "checkout_sessions": {
        "status": "complete",
        "payment_status": "paid",
        "mode": "payment",
        "price_uuid": a_uuid(298),
    },
    "payment_providers": {"credential_sealed": b""},
    "payment_attempts": {"status": "accepted"},
    "payments": {"status": "paid", "sequence_type": "oneoff", "paid_at": NOON},
    "refunds": {"status": "refunded", "reason": "requested"},
    "captures": {"status": "succeeded", "amount_minor": 300},
    "bills": {"kind": "period", "status": "paid", "lines": "[]"},
    "subscriptions": {"status": "active", "due_at": MONTH_AFTER},
}


class Books:
    """Rows and postings, as an owner writes them: references are not asked."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def put(self, table: str, **said: Any) -> None:
        """A row, of what the table has: an older schema has less."""
        columns = await self.connection.fetch(
            """
            select attname, format_type(atttypid, null) as type,
                   attnotnull and not atthasdef and attidentity = '' as needed
              from pg_attribute where attrelid = $1::regclass and attnum > 0
            """,
            table,
        )
        known = {row["attname"] for row in columns}
        needed = {row["attname"]: _BY_TYPE[row["type"]] for row in columns if row["needed"]}
        owned = {"app_uuid": APP, "tenant_uuid": TENANT, "payment_provider_uuid": ACCOUNT}
        row = needed | {k: v for k, v in owned.items() if k in needed} | _USUAL.get(table, {})
        row = {name: value for name, value in (row | said).items() if name in known}
        names = ", ".join(row)
        marks = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        await self.connection.execute(
            f"insert into {table} ({names}) values ({marks})", *row.values()
        )

    async def post(self, *postings: Posting) -> None:
        for posting in postings:
            await self.put(
                "ledger_postings",
                uuid=UUID(int=posting.source_uuid.int + (_KINDS.index(posting.kind) + 1) * 2**20),
                kind=posting.kind,
                source_uuid=posting.source_uuid,
                tenant_uuid=posting.tenant_uuid,
                currency=posting.currency,
                happened_at=posting.happened_at,
                facts=msgspec.json.encode(posting.facts).decode(),
                **{account.value: posting.on(account) for account in Account},
            )

    async def pay(self, payment: UUID, attempt: UUID, minor: int, **said: Any) -> None:
        owner = {k: v for k, v in said.items() if k in ("checkout_session_uuid", "bill_uuid")}
        await self.put("payment_attempts", uuid=attempt, **owner)
        await self.put(
            "payments",
            uuid=payment,
            attempt_uuid=attempt,
            provider_ref=f"tr_{payment.hex[-4:]}",
            amount_minor=minor,
            **said,
        )

    async def write(self) -> None:
        await self.connection.execute("set local session_replication_role = replica")
        await self.put("apps", name="Notes")
        await self.put("tenants", uuid=TENANT, name="Bakery")
        await self.put("payment_providers", uuid=ACCOUNT, name="mollie", mode="test")
        await self._sale()
        await self._subscription()
        await self._second_period()
        await self._verification()
        await self._credit()

    async def _sale(self) -> None:
        """11.90, of which 4.00 went back."""
        sold, session = a_quote(1000, 190), {"checkout_session_uuid": SALE_SESSION}
        await self.put("checkout_sessions", uuid=SALE_SESSION)
        await self.put(
            "idempotency_keys",
            caller=f"user:{USER}",
            operation="openCheckoutSession",
            key="k",
            subject_uuid=SALE_SESSION,
        )
        await self.pay(
            SALE_PAYMENT, SALE_ATTEMPT, 1190, tax_minor=190, refunded_minor=400, **session
        )
        await self.put(
            "one_time_payments",
            uuid=SALE,
            payment_uuid=SALE_PAYMENT,
            subtotal_minor=1000,
            tax_minor=190,
            total_minor=1190,
            **session,
        )
        await self.put(
            "refunds",
            uuid=SALE_REFUND,
            payment_uuid=SALE_PAYMENT,
            provider_ref="re_1",
            amount_minor=400,
        )
        await self.post(
            rules.sale_made(a_fact(SALE), sold),
            rules.payment_received(a_fact(SALE_PAYMENT), settles=sold.total, held=money(0)),
            rules.refund_made(a_fact(SALE_REFUND), a_quote(336, 64)),
        )

    async def hold(self) -> None:
        """5.00 were held for a direct payment, and 3.00 of them captured."""
        session = {"checkout_session_uuid": HELD_SESSION}
        await self.put(
            "checkout_sessions",
            uuid=HELD_SESSION,
            mode="direct",
            price_uuid=None,
            subtotal_minor=500,
            total_minor=500,
        )
        await self.pay(HELD_PAYMENT, HELD_ATTEMPT, 300, captured_minor=300, **session)
        await self.put("captures", uuid=CAPTURE, payment_uuid=HELD_PAYMENT, provider_ref="cpt_1")
        await self.post(
            rules.sale_made(a_fact(HELD_SESSION), a_quote(300, 0)),
            rules.payment_received(a_fact(HELD_PAYMENT), settles=money(300), held=money(0)),
        )

    async def bill(self, uuid: UUID, **said: Any) -> None:
        """10.00, and issued in the ledger."""
        usual = {"subscription_uuid": SUB, "subtotal_minor": 1000, "total_minor": 1000}
        await self.put("bills", uuid=uuid, **usual | said)
        await self.post(rules.bill_issued(a_fact(uuid), a_quote(1000, 0)))

    async def period(self, number: int, bill: UUID, starts: datetime, ends: datetime) -> None:
        await self.put(
            "subscription_periods",
            subscription_uuid=SUB,
            number=number,
            starts_at=starts,
            ends_at=ends,
            bill_uuid=bill,
        )

    async def _subscription(self) -> None:
        session = {"checkout_session_uuid": SUB_SESSION}
        await self.put("checkout_sessions", uuid=SUB_SESSION, mode="subscription")
        await self.pay(SUB_PAYMENT, SUB_ATTEMPT, 1000, **session)
        await self.put("subscriptions", uuid=SUB, **session)
        await self.put(
            "subscription_history",
            subscription_uuid=SUB,
            number=1,
            new_status="active",
        )
        await self.bill(FIRST_BILL, period_number=1, payment_uuid=SUB_PAYMENT)
        await self.period(1, FIRST_BILL, NOON, NEXT_MONTH)
        await self.post(
            rules.payment_received(a_fact(SUB_PAYMENT), settles=money(1000), held=money(0))
        )

    async def _second_period(self) -> None:
        """Credit pays for 1.00 of it. The bank took the rest back, and gave it again."""
        await self.bill(
            SECOND_BILL, period_number=2, payment_uuid=SECOND_PAYMENT, balance_applied_minor=100
        )
        await self.period(2, SECOND_BILL, NEXT_MONTH, MONTH_AFTER)
        await self.pay(SECOND_PAYMENT, SECOND_ATTEMPT, 900, bill_uuid=SECOND_BILL)
        await self.put(
            "chargebacks",
            uuid=CHARGEBACK,
            payment_uuid=SECOND_PAYMENT,
            provider_ref="chb_1",
            amount_minor=900,
            reversed_at=MONTH_AFTER,
        )
        await self.post(
            rules.balance_applied(a_fact(SECOND_BILL), money(100)),
            rules.payment_received(a_fact(SECOND_PAYMENT), settles=money(900), held=money(0)),
            rules.chargeback_received(a_fact(CHARGEBACK), money(900)),
            rules.chargeback_reversed(a_fact(CHARGEBACK), money(900), settles=money(0)),
        )

    async def _verification(self) -> None:
        session = {"checkout_session_uuid": SETUP_SESSION}
        await self.put("checkout_sessions", uuid=SETUP_SESSION, mode="setup", price_uuid=None)
        await self.pay(
            SETUP_PAYMENT,
            SETUP_ATTEMPT,
            100,
            is_verification=True,
            refunded_minor=100,
            **session,
        )
        await self.put(
            "refunds",
            uuid=SETUP_REFUND,
            payment_uuid=SETUP_PAYMENT,
            provider_ref="re_2",
            reason="verification",
            amount_minor=100,
        )
        await self.post(
            rules.payment_received(a_fact(SETUP_PAYMENT), settles=money(0), held=money(100)),
            rules.held_given_back(a_fact(SETUP_REFUND), money(100)),
        )

    async def _credit(self) -> None:
        """3.00 for a downgrade, of which 1.00 is used."""
        await self.put("bills", uuid=CHANGE_BILL, subscription_uuid=SUB, kind="change")
        await self.put("customer_balances", minor=200)
        await self.post(rules.balance_granted(a_fact(CHANGE_BILL), a_quote(300, 0)))
