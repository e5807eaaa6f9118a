"""One-time payments: what paid sessions in `payment` mode left behind."""

from typing import Any

from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.pages import Page, PageRequest
from domain.payments.one_time_payment import OneTimePayment
from infrastructure.postgres.database import Connection
from infrastructure.postgres.rows import quoted


class PostgresOneTimePayments:
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def add(self, purchase: OneTimePayment) -> None:
        amount = purchase.amount
        await self._connection.execute(
            """
            insert into one_time_payments (app_uuid, uuid, tenant_uuid, user_uuid,
                   payment_provider_uuid, checkout_session_uuid, payment_uuid, product_uuid,
                   price_uuid, tax_rate_uuid, units, currency, subtotal_minor, tax_minor,
                   total_minor, paid_at, created_at, updated_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                    $18)
            """,
            self._app_uuid,
            purchase.uuid,
            purchase.tenant_uuid,
            purchase.user_uuid,
            purchase.payment_provider_uuid,
            purchase.checkout_session_uuid,
            purchase.payment_uuid,
            purchase.product_uuid,
            purchase.price_uuid,
            purchase.tax_rate_uuid,
            purchase.units,
            amount.total.currency,
            amount.subtotal.minor,
            amount.tax.minor,
            amount.total.minor,
            purchase.paid_at,
            purchase.created_at,
            purchase.updated_at,
        )

    async def list(self, tenant_uuid: TenantUuid, request: PageRequest) -> Page[OneTimePayment]:
        found = await self._connection.fetch(
            """
            select uuid, tenant_uuid, user_uuid, payment_provider_uuid, checkout_session_uuid,
                   payment_uuid, product_uuid, price_uuid, tax_rate_uuid, units, currency,
                   subtotal_minor, tax_minor, total_minor, paid_at, created_at, updated_at
              from one_time_payments
             where app_uuid = $1 and tenant_uuid = $2
             order by uuid desc limit $3 offset $4
            """,
            self._app_uuid,
            tenant_uuid,
            request.limit,
            request.offset,
        )
        total = await self._connection.fetchval(
            "select count(*) from one_time_payments where app_uuid = $1 and tenant_uuid = $2",
            self._app_uuid,
            tenant_uuid,
        )
        return Page(tuple(self._purchase(row) for row in found), total)

    def _purchase(self, row: Any) -> OneTimePayment:
        return OneTimePayment(
            uuid=row["uuid"],
            app_uuid=self._app_uuid,
            tenant_uuid=TenantUuid(row["tenant_uuid"]),
            user_uuid=row["user_uuid"],
            payment_provider_uuid=row["payment_provider_uuid"],
            checkout_session_uuid=row["checkout_session_uuid"],
            payment_uuid=row["payment_uuid"],
            product_uuid=row["product_uuid"],
            price_uuid=row["price_uuid"],
            tax_rate_uuid=row["tax_rate_uuid"],
            units=row["units"],
            amount=quoted(row),
            paid_at=row["paid_at"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )
