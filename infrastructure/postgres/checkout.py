"""Sessions as books, with all that hangs on them: read whole, written row by changed row."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec

from domain.checkout.book import Book
from domain.checkout.session import CheckoutSession
from domain.kernel.errors import NotFound
from domain.kernel.ids import TenantUuid
from domain.kernel.pages import Page, PageRequest
from domain.payments.sighting import PaymentFile
from infrastructure.postgres import rows
from infrastructure.postgres.opening import PostgresOpening
from infrastructure.postgres.payment_files import PostgresPaymentFiles, changed


class PostgresCheckout(PostgresOpening):
    """Implements `CheckoutRepository`."""

    @cached_property
    def _files(self) -> PostgresPaymentFiles:
        return PostgresPaymentFiles(self._connection, self._app_uuid)

    async def get(self, uuid: UUID) -> Book:
        return await self._book(uuid, "")

    async def lock(self, uuid: UUID) -> Book:
        return await self._book(uuid, "for update")

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
        files = await self._files.of([rows.payment_of(row) for row in payments])
        return tuple(_assemble(rows.session_of(row), attempts, files) for row in found)

    async def open_for(self, subscription_uuid: UUID) -> tuple[Book, ...]:
        found = await self._connection.fetch(
            f"""
            select {rows.SESSION} from checkout_sessions
             where app_uuid = $1 and subscription_uuid = $2 and status in ('open', 'processing')
               and tenant_uuid = (select s.tenant_uuid from subscriptions s
                                   where s.app_uuid = $1 and s.uuid = $2)
             order by uuid desc
            """,
            self._app_uuid,
            subscription_uuid,
        )
        return await self._books(found)

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
        for attempt in changed(before.attempts, after.attempts):
            await self._files.save_attempt(attempt)
        await self._files.save(before, after)
        await self._files.save_captures(before.captures, after.captures)

    async def _save_session(self, session: CheckoutSession) -> None:
        await self._connection.execute(
            """
            update checkout_sessions
               set status = $3, payment_status = $4, provider_ref = $5, next_action_url = $6,
                   due_at = $7, updated_at = $8, subtotal_minor = $9, tax_minor = $10,
                   total_minor = $11, collected = $12, terms = $13
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
            session.amount.subtotal.minor,
            session.amount.tax.minor,
            session.amount.total.minor,
            None if session.collected is None else msgspec.to_builtins(session.collected),
            msgspec.to_builtins(session.terms),
        )


def _assemble(
    session: CheckoutSession, attempts: Sequence[Any], files: Sequence[PaymentFile]
) -> Book:
    own = [file for file in files if file.payment.checkout_session_uuid == session.uuid]
    return Book(
        session=session,
        attempts=tuple(
            rows.attempt_of(row) for row in attempts if row["checkout_session_uuid"] == session.uuid
        ),
        payments=tuple(file.payment for file in own),
        captures=tuple(capture for file in own for capture in file.captures),
        refunds=tuple(refund for file in own for refund in file.refunds),
        chargebacks=tuple(chargeback for file in own for chargeback in file.chargebacks),
        mandates=tuple({f.mandate.uuid: f.mandate for f in own if f.mandate}.values()),
    )
