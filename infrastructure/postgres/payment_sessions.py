"""Payment sessions and their tries. How one stands is read from its live try's checkout."""

from typing import Any, Final
from uuid import UUID

from domain.catalog.quote import Quote
from domain.checkout.session import SessionStatus
from domain.kernel.errors import NotFound
from domain.kernel.idempotency import RequestKey
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.money import Currency, Money
from domain.orchestration.decision import Decision
from domain.orchestration.payment_session import (
    Outcome,
    PaymentSession,
    Told,
    Try,
    Undertaking,
)
from infrastructure.postgres.database import Connection
from infrastructure.postgres.payment_providers import ACCOUNT_COLUMNS, account_of
from infrastructure.postgres.routing_rows import decision_of, try_of

_SESSION: Final = """
    s.uuid as session_uuid, s.tenant_uuid, s.user_uuid, s.order_reference, s.currency,
    s.shipping_minor, s.tax_minor, s.total_minor, s.notes, s.expires_at,
    s.created_at as session_created_at, d.decision
"""

_ADD: Final = """
    with session as (
        insert into payment_sessions (app_uuid, uuid, tenant_uuid, user_uuid, order_reference,
               currency, shipping_minor, tax_minor, total_minor, notes, expires_at, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ), decision as (
        insert into routing_decisions (app_uuid, uuid, payment_session_uuid, decision, created_at)
        values ($1, $13, $2, $14, $12)
    ), attempt as (
        insert into payment_session_attempts (app_uuid, uuid, payment_session_uuid, number,
               payment_provider_uuid, state, is_probe, created_at, updated_at)
        values ($1, $15, $2, $16, $17, $18, $19, $12, $12)
    )
    update idempotency_keys set subject_uuid = $2
     where app_uuid = $1 and caller = $20 and operation = $21 and key = $22
"""


class PostgresPaymentSessions:
    """Implements `PaymentSessions`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def add(
        self, session: PaymentSession, decision: Decision, live: Try, key: RequestKey
    ) -> None:
        await self._connection.execute(
            _ADD,
            self._app_uuid,
            session.uuid,
            session.tenant_uuid,
            session.user_uuid,
            session.order_reference,
            session.amount.total.currency,
            session.shipping.minor,
            session.amount.tax.minor,
            session.amount.total.minor,
            session.notes,
            session.expires_at,
            session.created_at,
            decision.uuid,
            decision,
            live.uuid,
            live.number,
            live.account.uuid,
            live.state,
            live.is_probe,
            key.caller,
            key.operation,
            key.key,
        )

    async def lock(self, uuid: UUID) -> Undertaking:
        row = await self._connection.fetchrow(
            f"""
            select {_SESSION}, a.*, t.uuid as try_uuid, t.number, t.state, t.is_probe, t.failure,
                   t.created_at as try_created_at
              from payment_sessions s
              join routing_decisions d on d.app_uuid = $1 and d.payment_session_uuid = s.uuid
              join payment_session_attempts t
                on t.app_uuid = $1 and t.payment_session_uuid = s.uuid and t.state = 'live'
              join (select {ACCOUNT_COLUMNS} from payment_providers where app_uuid = $1) a
                on a.uuid = t.payment_provider_uuid
             where s.app_uuid = $1 and s.uuid = $2
               for update of s, t
            """,
            self._app_uuid,
            uuid,
        )
        if row is None:
            raise NotFound("session", uuid)
        return Undertaking(
            session=_session(row, self._app_uuid),
            decision=decision_of(row["decision"]),
            live=try_of(row, account_of(row)),
        )

    async def get(self, uuid: UUID) -> Told:
        row = await self._connection.fetchrow(
            f"""
            select {_SESSION}, t.payment_provider_uuid, c.uuid as checkout_uuid, c.status,
                   c.next_action_url, t.failure, p.uuid as payment_uuid, p.amount_minor,
                   p.refunded_minor
              from payment_sessions s
              join routing_decisions d on d.app_uuid = $1 and d.payment_session_uuid = s.uuid
              join payment_session_attempts t
                on t.app_uuid = $1 and t.payment_session_uuid = s.uuid and t.state = 'live'
              left join checkout_sessions c
                on c.app_uuid = $1 and c.uuid = coalesce(t.checkout_session_uuid, t.uuid)
              left join payments p
                on p.app_uuid = $1 and p.checkout_session_uuid = c.uuid
               and p.status = 'paid' and not p.is_surplus
             where s.app_uuid = $1 and s.uuid = $2
            """,
            self._app_uuid,
            uuid,
        )
        if row is None:
            raise NotFound("session", uuid)
        return Told(
            session=_session(row, self._app_uuid),
            decision=decision_of(row["decision"]),
            account_uuid=row["payment_provider_uuid"],
            outcome=_outcome(row),
        )

    async def link(self, live: Try, key: RequestKey, *, failure: str | None = None) -> bool:
        done = await self._connection.fetchval(
            """
            update payment_session_attempts
               set failure = $6, checkout_session_uuid = (
                       select subject_uuid from idempotency_keys
                        where app_uuid = $1 and caller = $3 and operation = $4 and key = $5)
             where app_uuid = $1 and uuid = $2 and state = 'live'
            returning true
            """,
            self._app_uuid,
            live.uuid,
            key.caller,
            key.operation,
            key.key,
            failure,
        )
        return done is not None

    async def abandon(
        self, old: Try, new: Try, *, session_uuid: UUID, checkout_uuid: UUID | None
    ) -> None:
        # Two statements: the index that lets one live is looked at row by row.
        await self._connection.execute(
            """
            update payment_session_attempts
               set state = 'abandoned', failure = $3, checkout_session_uuid = $4, updated_at = $5
             where app_uuid = $1 and uuid = $2
            """,
            self._app_uuid,
            old.uuid,
            old.failure,
            checkout_uuid,
            new.created_at,
        )
        await self._connection.execute(
            """
            insert into payment_session_attempts (app_uuid, uuid, payment_session_uuid, number,
                   payment_provider_uuid, state, is_probe, created_at, updated_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
            """,
            self._app_uuid,
            new.uuid,
            session_uuid,
            new.number,
            new.account.uuid,
            new.state,
            new.is_probe,
            new.created_at,
        )


def _session(row: Any, app_uuid: AppUuid) -> PaymentSession:
    currency = Currency(row["currency"])
    total, tax = Money(row["total_minor"], currency), Money(row["tax_minor"], currency)
    return PaymentSession(
        uuid=row["session_uuid"],
        app_uuid=app_uuid,
        tenant_uuid=TenantUuid(row["tenant_uuid"]),
        user_uuid=row["user_uuid"],
        order_reference=row["order_reference"],
        amount=Quote(total - tax, tax, total),
        shipping=Money(row["shipping_minor"], currency),
        notes=row["notes"],
        expires_at=row["expires_at"],
        created_at=row["session_created_at"],
    )


def _outcome(row: Any) -> Outcome:
    if row["checkout_uuid"] is None:
        return Outcome(failure=row["failure"])
    return Outcome(
        checkout_uuid=row["checkout_uuid"],
        checkout_status=SessionStatus(row["status"]),
        checkout_url=row["next_action_url"],
        payment_uuid=row["payment_uuid"],
        paid_minor=row["amount_minor"] or 0,
        refunded_minor=row["refunded_minor"] or 0,
    )
