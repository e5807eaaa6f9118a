"""What we know of an account's payments, refunds and chargebacks, to be held against its provider's
own lists: those that the lists name, and those that we made since."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from domain.kernel.ids import AppUuid
from domain.payments.answers import ProviderRefund
from infrastructure.postgres.database import Connection


class Since(Struct, frozen=True):
    account_uuid: UUID
    at: datetime


class HeldPayment(Struct, frozen=True):
    uuid: UUID
    ref: str
    status: str
    currency: str
    amount_minor: int
    refunded_minor: int
    charged_back_minor: int
    due_at: datetime | None
    """When we look at it anyway; None: no more."""


class HeldRefund(Struct, frozen=True):
    uuid: UUID
    ref: str | None
    payment_ref: str
    status: str
    currency: str
    amount_minor: int
    due_at: datetime | None
    """As of its payment."""


class HeldChargeback(Struct, frozen=True):
    ref: str
    payment_ref: str
    currency: str
    amount_minor: int
    is_reversed: bool
    due_at: datetime | None


class PostgresHoldings:
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def payments(self, since: Since, refs: Collection[str]) -> list[HeldPayment]:
        found = await self._connection.fetch(
            """
            select uuid, provider_ref, status, currency, amount_minor, refunded_minor,
                   charged_back_minor, due_at
              from payments
             where app_uuid = $1 and payment_provider_uuid = $2
               and (provider_ref = any($3) or created_at >= $4)
             order by uuid
            """,
            self._app_uuid,
            since.account_uuid,
            list(refs),
            since.at,
        )
        return [HeldPayment(*row) for row in found]

    async def refunds(self, since: Since, seen: Collection[ProviderRefund]) -> list[HeldRefund]:
        """By our uuid as well: before its answer has come, a refund has no reference."""
        found = await self._connection.fetch(
            """
            select r.uuid, r.provider_ref, p.provider_ref, r.status, r.currency, r.amount_minor,
                   p.due_at
              from refunds r join payments p on p.app_uuid = $1 and p.uuid = r.payment_uuid
             where r.app_uuid = $1 and r.payment_provider_uuid = $2
               and (r.uuid = any($3) or r.provider_ref = any($4) or r.created_at >= $5)
             order by r.uuid
            """,
            self._app_uuid,
            since.account_uuid,
            [refund.refund_uuid for refund in seen if refund.refund_uuid],
            [refund.ref for refund in seen],
            since.at,
        )
        return [HeldRefund(*row) for row in found]

    async def chargebacks(self, since: Since, refs: Collection[str]) -> list[HeldChargeback]:
        found = await self._connection.fetch(
            """
            select c.provider_ref, p.provider_ref, c.currency, c.amount_minor,
                   c.reversed_at is not null, p.due_at
              from chargebacks c join payments p on p.app_uuid = $1 and p.uuid = c.payment_uuid
             where c.app_uuid = $1 and c.payment_provider_uuid = $2
               and (c.provider_ref = any($3) or c.received_at >= $4)
             order by c.uuid
            """,
            self._app_uuid,
            since.account_uuid,
            list(refs),
            since.at,
        )
        return [HeldChargeback(*row) for row in found]

    async def attempts_under_way(self, uuids: Collection[UUID]) -> frozenset[UUID]:
        """Those of which the provider may have a payment that we shall hear of."""
        found = await self._connection.fetch(
            """
            select uuid from payment_attempts
             where app_uuid = $1 and uuid = any($2) and status = 'submitting'
            """,
            self._app_uuid,
            list(uuids),
        )
        return frozenset(row[0] for row in found)
