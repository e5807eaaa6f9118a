"""Payments, and what became of their money; inside a session checkout.py reads them."""

from datetime import datetime
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.money import Currency, Money
from domain.kernel.pages import Page, PageRequest
from domain.payments.capture import Capture
from domain.payments.chargeback import Chargeback
from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.payments.refund import FELL_THROUGH, SETTLED, Refund
from domain.payments.repositories import KnownMoney
from domain.payments.sighting import PaymentFile
from infrastructure.postgres import rows
from infrastructure.postgres.database import Connection
from infrastructure.postgres.intents import Intents, OfPayment
from infrastructure.postgres.payment_files import PostgresPaymentFiles


class PostgresPayments:
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def list(
        self, tenant_uuid: TenantUuid, request: PageRequest, *, after: UUID | None
    ) -> Page[Payment]:
        found = await self._connection.fetch(
            f"""
            select {rows.PAYMENT} from payments
             where app_uuid = $1 and tenant_uuid = $2 and ($3::uuid is null or uuid < $3)
             order by uuid desc limit $4 offset $5
            """,
            self._app_uuid,
            tenant_uuid,
            after,
            request.limit,
            0 if after else request.offset,
        )
        total = 0
        if after is None:
            total = await self._connection.fetchval(
                "select count(*) from payments where app_uuid = $1 and tenant_uuid = $2",
                self._app_uuid,
                tenant_uuid,
            )
        return Page(tuple(rows.payment_of(row) for row in found), total)

    async def get(self, uuid: UUID) -> Payment:
        return await self._one(uuid, "")

    async def lock_file(self, uuid: UUID) -> PaymentFile:
        payment = await self._one(uuid, "for update")
        (file,) = await self._files.of([payment])
        return file

    async def save_file(self, before: PaymentFile, after: PaymentFile) -> None:
        await self._files.save(_papers(before), _papers(after))
        await self._files.save_captures(before.captures, after.captures)

    async def ref_of(self, account_uuid: UUID, attempt_uuid: UUID) -> str | None:
        ref: str | None = await self._connection.fetchval(
            """
            select provider_ref from payments
             where app_uuid = $1 and payment_provider_uuid = $2 and attempt_uuid = $3
               and not is_surplus
            """,
            self._app_uuid,
            account_uuid,
            attempt_uuid,
        )
        return ref

    async def known_money(self, account_uuid: UUID, payment_ref: str) -> KnownMoney | None:
        row = await self._connection.fetchrow(
            """
            select p.currency,
                   (select coalesce(sum(r.amount_minor), 0)::bigint from refunds r
                     where r.app_uuid = $1 and r.payment_uuid = p.uuid
                       and r.provider_ref is not null and r.status <> all($5)) as refunded_minor,
                   (select coalesce(sum(c.amount_minor), 0)::bigint from chargebacks c
                     where c.app_uuid = $1 and c.payment_uuid = p.uuid
                       and c.reversed_at is null) as charged_back_minor,
                   exists (select from refunds r
                            where r.app_uuid = $1 and r.payment_uuid = p.uuid
                              and r.status <> all($4)) as refunds_are_awaited
              from payments p
             where p.app_uuid = $1 and p.payment_provider_uuid = $2 and p.provider_ref = $3
            """,
            self._app_uuid,
            account_uuid,
            payment_ref,
            list(SETTLED),
            list(FELL_THROUGH),
        )
        if row is None:
            return None
        currency = Currency(row["currency"])
        return KnownMoney(
            Money(row["refunded_minor"], currency),
            Money(row["charged_back_minor"], currency),
            row["refunds_are_awaited"],
        )

    async def _one(self, uuid: UUID, lock: str) -> Payment:
        row = await self._connection.fetchrow(
            f"select {rows.PAYMENT} from payments where app_uuid = $1 and uuid = $2 {lock}",
            self._app_uuid,
            uuid,
        )
        if row is None:
            raise NotFound("payment", uuid)
        return rows.payment_of(row)

    @cached_property
    def _files(self) -> PostgresPaymentFiles:
        return PostgresPaymentFiles(self._connection, self._app_uuid)


class _Papers(NamedTuple):
    payments: tuple[Payment, ...]
    refunds: tuple[Refund, ...]
    chargebacks: tuple[Chargeback, ...]
    mandates: tuple[Mandate, ...]


def _papers(file: PaymentFile) -> _Papers:
    mandates = () if file.mandate is None else (file.mandate,)
    return _Papers((file.payment,), file.refunds, file.chargebacks, mandates)


class PostgresChargebacks(OfPayment[Chargeback]):
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        super().__init__(connection, app_uuid, "chargebacks", rows.CHARGEBACK, rows.chargeback_of)


class PostgresCaptures(Intents[Capture]):
    """Implements `CaptureRepository`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        super().__init__(connection, app_uuid, "captures", rows.CAPTURE, rows.capture_of)


class PostgresRefunds(Intents[Refund]):
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        super().__init__(connection, app_uuid, "refunds", rows.REFUND, rows.refund_of)

    async def cancel(self, uuid: UUID, *, at: datetime) -> Refund | None:
        row = await self.connection.fetchrow(
            f"""
            update refunds set status = 'canceled', updated_at = $3
             where app_uuid = $1 and uuid = $2 and status = 'requested' and tries = 0
            returning {rows.REFUND}
            """,
            self.app_uuid,
            uuid,
            at,
        )
        return None if row is None else rows.refund_of(row)
