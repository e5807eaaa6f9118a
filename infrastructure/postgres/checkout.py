"""Sessions as books, with all that hangs on them: read whole, written row by changed row."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.checkout.attempt import PaymentAttempt
from domain.checkout.book import Book
from domain.checkout.session import CheckoutSession
from domain.kernel.errors import NotFound
from domain.kernel.ids import TenantUuid
from domain.kernel.pages import Page, PageRequest
from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.payments.refund import Refund
from infrastructure.postgres import rows
from infrastructure.postgres.opening import PostgresOpening


class PostgresCheckout(PostgresOpening):
    """Implements `CheckoutRepository`."""

    async def get(self, uuid: UUID) -> Book:
        return await self._book(uuid, "")

    async def lock(self, uuid: UUID) -> Book:
        return await self._book(uuid, "for update")

    async def session_of_attempt(self, attempt_uuid: UUID) -> UUID | None:
        uuid: UUID | None = await self._connection.fetchval(
            "select checkout_session_uuid from payment_attempts where app_uuid = $1 and uuid = $2",
            self._app_uuid,
            attempt_uuid,
        )
        return uuid

    async def _book(self, uuid: UUID, lock: str) -> Book:
        row = await self._connection.fetchrow(
            f"""
            select {rows.SESSION} from checkout_sessions
             where app_uuid = $1 and uuid = $2 {lock}
            """,
            self._app_uuid,
            uuid,
        )
        if row is None:
            raise NotFound("checkout session", uuid)
        (book,) = await self._books([row])
        return book

    async def _books(self, found: Sequence[Any]) -> tuple[Book, ...]:
        """What hangs on these sessions, one statement a table."""
        uuids = [row["uuid"] for row in found]
        attempts = await self._connection.fetch(
            f"""
            select {rows.ATTEMPT} from payment_attempts
             where app_uuid = $1 and checkout_session_uuid = any($2) order by number
            """,
            self._app_uuid,
            uuids,
        )
        payments = await self._connection.fetch(
            f"""
            select {rows.PAYMENT} from payments
             where app_uuid = $1 and checkout_session_uuid = any($2) order by uuid
            """,
            self._app_uuid,
            uuids,
        )
        refunds = await self._refunds([row["uuid"] for row in payments])
        mandates = await self._mandates(
            [row["mandate_ref"] for row in payments if row["mandate_ref"]]
        )
        return tuple(
            _assemble(rows.session_of(row), attempts, payments, refunds, mandates) for row in found
        )

    async def _refunds(self, payments: list[UUID]) -> tuple[Refund, ...]:
        if not payments:
            return ()
        found = await self._connection.fetch(
            f"""
            select {rows.REFUND} from refunds
             where app_uuid = $1 and payment_uuid = any($2) order by uuid
            """,
            self._app_uuid,
            payments,
        )
        return tuple(rows.refund_of(row) for row in found)

    async def _mandates(self, refs: list[str]) -> tuple[Mandate, ...]:
        if not refs:
            return ()
        found = await self._connection.fetch(
            f"""
            select {rows.MANDATE} from mandates
             where app_uuid = $1 and provider_ref = any($2) order by uuid
            """,
            self._app_uuid,
            refs,
        )
        return tuple(rows.mandate_of(row) for row in found)

    async def list(
        self, request: PageRequest, *, only: frozenset[TenantUuid] | None, after: UUID | None
    ) -> Page[Book]:
        found = await self._connection.fetch(
            f"""
            select {rows.SESSION} from checkout_sessions
             where app_uuid = $1 and ($2::uuid[] is null or tenant_uuid = any($2))
               and ($3::uuid is null or uuid < $3)
             order by uuid desc limit $4 offset $5
            """,
            self._app_uuid,
            None if only is None else list(only),
            after,
            request.limit,
            0 if after else request.offset,
        )
        total = 0
        if after is None:
            total = await self._connection.fetchval(
                """
                select count(*) from checkout_sessions
                 where app_uuid = $1 and ($2::uuid[] is null or tenant_uuid = any($2))
                """,
                self._app_uuid,
                None if only is None else list(only),
            )
        return Page(await self._books(found), total)

    async def save(self, before: Book, after: Book) -> None:
        if after.session != before.session:
            await self._save_session(after.session)
        for attempt in _changed(before.attempts, after.attempts):
            await self._save_attempt(attempt)
        for payment in _changed(before.payments, after.payments):
            await self._save_payment(payment)
        for refund in _changed(before.refunds, after.refunds):
            await self._save_refund(refund)
        for mandate in _changed(before.mandates, after.mandates):
            await self._save_mandate(mandate)

    async def _save_session(self, session: CheckoutSession) -> None:
        await self._connection.execute(
            """
            update checkout_sessions
               set status = $3, payment_status = $4, provider_ref = $5, next_action_url = $6,
                   due_at = $7, updated_at = $8
             where app_uuid = $1 and uuid = $2
            """,
            self._app_uuid,
            session.uuid,
            session.status,
            session.payment_status,
            session.provider_ref,
            session.next_action_url,
            session.due_at,
            session.updated_at,
        )

    async def _save_attempt(self, attempt: PaymentAttempt) -> None:
        await self._connection.execute(
            f"""
            insert into payment_attempts ({rows.ATTEMPT})
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            on conflict (app_uuid, uuid) do update
               set status = excluded.status, decline_reason = excluded.decline_reason,
                   updated_at = excluded.updated_at
             where payment_attempts.app_uuid = $1
            """,
            self._app_uuid,
            attempt.uuid,
            attempt.checkout_session_uuid,
            attempt.number,
            attempt.payment_provider_uuid,
            attempt.tenant_uuid,
            attempt.status,
            attempt.request,
            attempt.decline_reason,
            attempt.first_submitted_at,
            attempt.tries,
            attempt.lease_until,
            attempt.due_at,
            attempt.created_at,
            attempt.updated_at,
        )

    async def _save_payment(self, payment: Payment) -> None:
        await self._connection.execute(
            f"""
            insert into payments ({rows.PAYMENT})
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                    $18, $19, $20, $21, $22, $23)
            on conflict (app_uuid, uuid) do update
               set is_surplus = excluded.is_surplus, status = excluded.status,
                   method = excluded.method, refunded_minor = excluded.refunded_minor,
                   charged_back_minor = excluded.charged_back_minor,
                   failure_reason = excluded.failure_reason, checkout_url = excluded.checkout_url,
                   customer_ref = excluded.customer_ref, mandate_ref = excluded.mandate_ref,
                   paid_at = excluded.paid_at, due_at = excluded.due_at,
                   updated_at = excluded.updated_at
             where payments.app_uuid = $1
            """,
            self._app_uuid,
            payment.uuid,
            payment.payment_provider_uuid,
            payment.provider_ref,
            payment.tenant_uuid,
            payment.attempt_uuid,
            payment.checkout_session_uuid,
            payment.is_surplus,
            payment.sequence_type,
            payment.status,
            payment.method,
            payment.amount.currency,
            payment.amount.minor,
            payment.refunded.minor,
            payment.charged_back.minor,
            payment.failure_reason,
            payment.checkout_url,
            payment.customer_ref,
            payment.mandate_ref,
            payment.paid_at,
            payment.due_at,
            payment.created_at,
            payment.updated_at,
        )

    async def _save_refund(self, refund: Refund) -> None:
        await self._connection.execute(
            f"""
            insert into refunds ({rows.REFUND})
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            on conflict (app_uuid, uuid) do update
               set status = excluded.status, provider_ref = excluded.provider_ref,
                   decline_reason = excluded.decline_reason, updated_at = excluded.updated_at
             where refunds.app_uuid = $1
            """,
            self._app_uuid,
            refund.uuid,
            refund.payment_provider_uuid,
            refund.payment_uuid,
            refund.reason,
            refund.status,
            refund.provider_ref,
            refund.amount.currency,
            refund.amount.minor,
            refund.decline_reason,
            refund.first_submitted_at,
            refund.tries,
            refund.lease_until,
            refund.due_at,
            refund.created_at,
            refund.updated_at,
        )

    async def _save_mandate(self, mandate: Mandate) -> None:
        await self._connection.execute(
            f"""
            insert into mandates ({rows.MANDATE})
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            on conflict (app_uuid, payment_provider_uuid, provider_ref) do update
               set status = excluded.status, method = excluded.method,
                   details = excluded.details, updated_at = excluded.updated_at
             where mandates.app_uuid = $1
            """,
            self._app_uuid,
            mandate.uuid,
            mandate.payment_provider_uuid,
            mandate.tenant_uuid,
            mandate.customer_ref,
            mandate.provider_ref,
            mandate.method,
            mandate.status,
            dict(mandate.details),
            mandate.created_at,
            mandate.updated_at,
        )

    async def lease_attempt(
        self, uuid: UUID, *, now: datetime, until: datetime
    ) -> PaymentAttempt | None:
        row = await self._connection.fetchrow(
            f"""
            update payment_attempts
               set lease_until = $4, due_at = $4, tries = tries + 1, updated_at = $3
             where app_uuid = $1 and uuid = $2 and status = 'submitting' and lease_until <= $3
            returning {rows.ATTEMPT}
            """,
            self._app_uuid,
            uuid,
            now,
            until,
        )
        return None if row is None else rows.attempt_of(row)

    async def release_attempt(
        self, held: PaymentAttempt, *, now: datetime, due_at: datetime
    ) -> None:
        await self._connection.execute(
            """
            update payment_attempts set lease_until = $3, due_at = $4, updated_at = $3
             where app_uuid = $1 and uuid = $2 and status = 'submitting' and lease_until = $5
            """,
            self._app_uuid,
            held.uuid,
            now,
            due_at,
            held.lease_until,
        )


def _assemble(
    session: CheckoutSession,
    attempts: Sequence[Any],
    payments: Sequence[Any],
    refunds: tuple[Refund, ...],
    mandates: tuple[Mandate, ...],
) -> Book:
    own = tuple(
        rows.payment_of(row) for row in payments if row["checkout_session_uuid"] == session.uuid
    )
    uuids, refs = {p.uuid for p in own}, {p.mandate_ref for p in own}
    return Book(
        session=session,
        attempts=tuple(
            rows.attempt_of(row) for row in attempts if row["checkout_session_uuid"] == session.uuid
        ),
        payments=own,
        refunds=tuple(r for r in refunds if r.payment_uuid in uuids),
        mandates=tuple(m for m in mandates if m.provider_ref in refs),
    )


def _changed(before: tuple[Any, ...], after: tuple[Any, ...]) -> list[Any]:
    return [row for row in after if row not in before]
