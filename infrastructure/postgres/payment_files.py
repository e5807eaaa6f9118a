"""Payments with all that hangs on them, and attempts: read in batches, written row by changed row.

Checkout sessions and subscriptions keep their books with it.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from domain.kernel.ids import AppUuid, TenantUuid
from domain.payments.answers import MandateStatus
from domain.payments.attempt import PaymentAttempt
from domain.payments.capture import Capture
from domain.payments.chargeback import Chargeback
from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.payments.refund import Refund
from domain.payments.sighting import PaymentFile
from infrastructure.postgres import rows
from infrastructure.postgres.database import Connection

T = TypeVar("T")


class Papers(Protocol):
    """What is written together: a book's part that is about payments."""

    @property
    def payments(self) -> tuple[Payment, ...]: ...
    @property
    def refunds(self) -> tuple[Refund, ...]: ...
    @property
    def chargebacks(self) -> tuple[Chargeback, ...]: ...
    @property
    def mandates(self) -> tuple[Mandate, ...]: ...


class PostgresPaymentFiles:
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def of(self, payments: Sequence[Payment]) -> tuple[PaymentFile, ...]:
        """One statement a table, and none where there can be nothing."""
        if not payments:
            return ()
        refunds, chargebacks = await self.money_back(payments)
        captures = await self._captures([p.uuid for p in payments if p.captured is not None])
        mandates = await self._mandates({p.mandate_ref for p in payments if p.mandate_ref})
        return tuple(
            PaymentFile(
                payment=payment,
                captures=tuple(c for c in captures if c.payment_uuid == payment.uuid),
                refunds=tuple(r for r in refunds if r.payment_uuid == payment.uuid),
                chargebacks=tuple(c for c in chargebacks if c.payment_uuid == payment.uuid),
                mandate=mandates.get((payment.payment_provider_uuid, payment.mandate_ref)),
            )
            for payment in payments
        )

    async def money_back(
        self, payments: Sequence[Payment]
    ) -> tuple[tuple[Refund, ...], tuple[Chargeback, ...]]:
        """By payment, each the oldest first."""
        if not payments:
            return (), ()
        uuids = [payment.uuid for payment in payments]
        refunds = await self._connection.fetch(
            f"""
            select {rows.REFUND} from refunds
             where app_uuid = $1 and payment_uuid = any($2) order by payment_uuid, uuid
            """,
            self._app_uuid,
            uuids,
        )
        chargebacks = await self._connection.fetch(
            f"""
            select {rows.CHARGEBACK} from chargebacks
             where app_uuid = $1 and payment_uuid = any($2) order by payment_uuid, uuid
            """,
            self._app_uuid,
            uuids,
        )
        return (
            tuple(rows.refund_of(row) for row in refunds),
            tuple(rows.chargeback_of(row) for row in chargebacks),
        )

    async def _captures(self, payment_uuids: list[UUID]) -> tuple[Capture, ...]:
        if not payment_uuids:
            return ()
        found = await self._connection.fetch(
            f"""
            select {rows.CAPTURE} from captures
             where app_uuid = $1 and payment_uuid = any($2) order by payment_uuid, uuid
            """,
            self._app_uuid,
            payment_uuids,
        )
        return tuple(rows.capture_of(row) for row in found)

    async def _mandates(self, refs: set[str]) -> dict[tuple[UUID, str | None], Mandate]:
        if not refs:
            return {}
        found = await self._connection.fetch(
            f"select {rows.MANDATE} from mandates where app_uuid = $1 and provider_ref = any($2)",
            self._app_uuid,
            list(refs),
        )
        mandates = (rows.mandate_of(row) for row in found)
        return {(m.payment_provider_uuid, m.provider_ref): m for m in mandates}

    async def save(self, before: Papers, after: Papers) -> None:
        """Write the rows that differ; a mandate first, it is referred to."""
        for mandate in changed(before.mandates, after.mandates):
            await self._save_mandate(mandate)
        for payment in changed(before.payments, after.payments):
            await self._save_payment(payment)
        for refund in changed(before.refunds, after.refunds):
            await self._save_refund(refund)
        for chargeback in changed(before.chargebacks, after.chargebacks):
            await self._save_chargeback(chargeback)

    async def save_captures(self, before: tuple[Capture, ...], after: tuple[Capture, ...]) -> None:
        """After their payments. A subscription's charges have none."""
        for capture in changed(before, after):
            await self._save_capture(capture)

    async def save_attempt(self, attempt: PaymentAttempt) -> None:
        await self._connection.execute(
            f"""
            insert into payment_attempts ({rows.ATTEMPT})
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            on conflict (app_uuid, uuid) do update
               set status = excluded.status, decline_reason = excluded.decline_reason,
                   updated_at = excluded.updated_at
             where payment_attempts.app_uuid = $1
            """,
            self._app_uuid,
            attempt.uuid,
            attempt.checkout_session_uuid,
            attempt.bill_uuid,
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
                    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)
            on conflict (app_uuid, uuid) do update
               set is_surplus = excluded.is_surplus, status = excluded.status,
                   method = excluded.method, tax_minor = excluded.tax_minor,
                   amount_minor = excluded.amount_minor, captured_minor = excluded.captured_minor,
                   refunded_minor = excluded.refunded_minor,
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
            payment.bill_uuid,
            payment.is_surplus,
            payment.is_verification,
            payment.sequence_type,
            payment.status,
            payment.method,
            payment.amount.currency,
            payment.amount.minor,
            None if payment.captured is None else payment.captured.minor,
            payment.tax.minor,
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

    async def _save_capture(self, capture: Capture) -> None:
        await self._connection.execute(
            f"""
            insert into captures ({rows.CAPTURE})
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            on conflict (app_uuid, uuid) do update
               set status = excluded.status, provider_ref = excluded.provider_ref,
                   decline_reason = excluded.decline_reason, updated_at = excluded.updated_at
             where captures.app_uuid = $1
            """,
            self._app_uuid,
            capture.uuid,
            capture.payment_provider_uuid,
            capture.payment_uuid,
            capture.status,
            capture.provider_ref,
            capture.amount.currency,
            capture.amount.minor,
            capture.description,
            capture.decline_reason,
            capture.first_submitted_at,
            capture.tries,
            capture.lease_until,
            capture.due_at,
            capture.created_at,
            capture.updated_at,
        )

    async def _save_refund(self, refund: Refund) -> None:
        await self._connection.execute(
            f"""
            insert into refunds ({rows.REFUND})
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
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
            refund.description,
            refund.decline_reason,
            refund.first_submitted_at,
            refund.tries,
            refund.lease_until,
            refund.due_at,
            refund.created_at,
            refund.updated_at,
        )

    async def _save_mandate(self, mandate: Mandate) -> None:
        """An older look never undoes what is known since."""
        of = (self._app_uuid, mandate.payment_provider_uuid, mandate.tenant_uuid)
        if mandate.status is MandateStatus.VALID:
            await lock_customer(self._connection, *of)
        await self._connection.execute(
            f"""
            insert into mandates ({rows.MANDATE})
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            on conflict (app_uuid, payment_provider_uuid, provider_ref) do update
               set status = excluded.status, method = excluded.method,
                   is_default = mandates.is_default and excluded.status <> 'invalid',
                   details = excluded.details, updated_at = excluded.updated_at
             where mandates.app_uuid = $1 and mandates.updated_at <= excluded.updated_at
            """,
            self._app_uuid,
            mandate.uuid,
            mandate.payment_provider_uuid,
            mandate.tenant_uuid,
            mandate.customer_ref,
            mandate.provider_ref,
            mandate.method,
            mandate.status,
            mandate.is_default,
            dict(mandate.details),
            mandate.created_at,
            mandate.updated_at,
        )
        if mandate.status is MandateStatus.VALID:
            await self._connection.execute(
                """
                update mandates set is_default = true
                 where app_uuid = $1 and payment_provider_uuid = $2 and provider_ref = $4
                   and status = 'valid'
                   and not exists (select from mandates d
                                    where d.app_uuid = $1 and d.payment_provider_uuid = $2
                                      and d.tenant_uuid = $3 and d.is_default)
                """,
                *of,
                mandate.provider_ref,
            )

    async def _save_chargeback(self, chargeback: Chargeback) -> None:
        await self._connection.execute(
            f"""
            insert into chargebacks ({rows.CHARGEBACK})
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            on conflict (app_uuid, payment_provider_uuid, provider_ref) do update
               set reversed_at = excluded.reversed_at, updated_at = excluded.updated_at
             where chargebacks.app_uuid = $1
            """,
            self._app_uuid,
            chargeback.uuid,
            chargeback.payment_provider_uuid,
            chargeback.payment_uuid,
            chargeback.provider_ref,
            chargeback.amount.currency,
            chargeback.amount.minor,
            chargeback.reason,
            chargeback.received_at,
            chargeback.reversed_at,
            chargeback.created_at,
            chargeback.updated_at,
        )


async def lock_customer(
    connection: Connection, app_uuid: AppUuid, account_uuid: UUID, tenant_uuid: TenantUuid
) -> None:
    """Whoever chooses a tenant's default mandate at an account holds its customer's row, so that
    there are never two. The last of all locks: after sessions, subscriptions and payments."""
    await connection.execute(
        """
        select from customers
         where app_uuid = $1 and payment_provider_uuid = $2 and tenant_uuid = $3 for update
        """,
        app_uuid,
        account_uuid,
        tenant_uuid,
    )


def changed(before: tuple[T, ...], after: tuple[T, ...]) -> list[T]:
    return [row for row in after if row not in before]
