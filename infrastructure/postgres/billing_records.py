"""Billing records: one-time payments and bills, read as one list. Nothing is copied.

Each of the two is read along an index of its own, the newest first, and no further than the page
reaches; what a payment has given back is looked up for the rows of the page alone.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from domain.invoices.billing_record import (
    BillingRecord,
    RecordPayment,
    RecordStatus,
    RecordType,
)
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.money import Currency, Money
from domain.kernel.pages import Page, PageRequest
from domain.payments.payment_provider import ProviderName
from domain.payments.refund import FELL_THROUGH
from domain.subscriptions.bill import Line, Sold
from infrastructure.postgres.database import Connection
from infrastructure.postgres.rows import quoted

_NEWEST: Final = UUID(int=2**128 - 1)
"""Above every uuid: as a bound, and not as a case of its own, the index begins with it."""

_OF: Final = """
    app_uuid = $1 and tenant_uuid = $2 and payment_provider_uuid in
    (select uuid from payment_providers where app_uuid = $1 and name = $3)
"""
# A bill that was paid once keeps its payment, also when a bank has taken that back.
_WAS_PAID: Final = "(status = 'paid' or payment_uuid is not null)"

_LIST: Final = f"""
    with records as (
        (select 'oneTimePayment' as type, uuid, payment_provider_uuid, payment_uuid,
                product_uuid, price_uuid, tax_rate_uuid, units, null::uuid as subscription_uuid,
                null::jsonb as lines, null::jsonb as change, 'paid' as status, currency,
                subtotal_minor, tax_minor, total_minor, 0::bigint as balance_applied_minor,
                created_at, updated_at
           from one_time_payments where {_OF} and uuid < $4
          order by uuid desc limit $5::bigint + $6::bigint)
        union all
        (select 'subscription', uuid, payment_provider_uuid, payment_uuid,
                null, null, null, null, subscription_uuid,
                lines, change, status, currency, subtotal_minor, tax_minor,
                total_minor, balance_applied_minor, created_at, updated_at
           from bills where {_OF} and {_WAS_PAID} and uuid < $4
          order by uuid desc limit $5::bigint + $6::bigint)
        order by uuid desc limit $5 offset $6
    )
    select r.*, p.provider_ref, p.amount_minor, p.charged_back_minor,
           back.refunded_minor, back.surplus_minor, earlier.settled_minor,
           coalesce(r.change, case when s.uuid is not null then jsonb_build_object(
               'product_uuid', s.product_uuid, 'price_uuid', s.price_uuid,
               'tax_rate_uuid', s.tax_rate_uuid) end) as plan
      from records r
      left join payments p on p.app_uuid = $1 and p.tenant_uuid = $2 and p.uuid = r.payment_uuid
      left join subscriptions s
        on s.app_uuid = $1 and s.uuid = r.subscription_uuid and s.version = 1
      left join lateral (
               select coalesce(sum(amount_minor) filter (where reason = 'surplus'), 0)::bigint
                          as surplus_minor,
                      coalesce(sum(amount_minor) filter (
                          where reason <> 'surplus' and provider_ref is not null), 0)::bigint
                          as refunded_minor
                 from refunds
                where app_uuid = $1 and payment_uuid = p.uuid and status <> all($7)
               ) back on true
      left join lateral (
               select coalesce(sum(total_minor - balance_applied_minor), 0)::bigint
                          as settled_minor
                 from bills
                where app_uuid = $1 and payment_uuid = p.uuid and uuid < r.uuid
               ) earlier on true
     order by r.uuid desc
"""
_COUNT: Final = f"""
    select (select count(*) from one_time_payments where {_OF})
           + (select count(*) from bills where {_OF} and {_WAS_PAID})
"""


class PostgresBillingRecords:
    """Implements `BillingRecords`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def list(
        self,
        tenant_uuid: TenantUuid,
        provider: ProviderName,
        request: PageRequest,
        *,
        after: UUID | None,
    ) -> Page[BillingRecord]:
        of = (self._app_uuid, tenant_uuid, provider)
        found = await self._connection.fetch(
            _LIST,
            *of,
            after or _NEWEST,
            request.limit,
            0 if after else request.offset,
            list(FELL_THROUGH),
        )
        total = 0 if after else await self._connection.fetchval(_COUNT, *of)
        return Page(tuple(_record_of(row, tenant_uuid) for row in found), total)


def _record_of(row: Any, tenant_uuid: TenantUuid) -> BillingRecord:
    lines = msgspec.convert(row["lines"] or [], tuple[Line, ...])
    return BillingRecord(
        uuid=row["uuid"],
        type=RecordType(row["type"]),
        tenant_uuid=tenant_uuid,
        payment_provider_uuid=row["payment_provider_uuid"],
        subscription_uuid=row["subscription_uuid"],
        amount=quoted(row),
        balance_applied=Money(row["balance_applied_minor"], Currency(row["currency"])),
        standing=RecordStatus(row["status"]),
        payment=_payment_of(row),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        **(_billed(lines, row["plan"]) if lines else _bought(row)),
    )


def _bought(row: Any) -> dict[str, Any]:
    names = ("product_uuid", "price_uuid", "tax_rate_uuid", "units")
    return {name: row[name] for name in names}


def _billed(lines: Sequence[Line], plan: Any) -> dict[str, Any]:
    """What the bill is for is its last line that sells something; credits stand before it.

    Lines of before did not say it: then it is what the bill changes to, or what the subscription
    has sold ever since.
    """
    charged = next((line for line in reversed(lines) if line.sold is not None), lines[-1])
    sold = charged.sold or (None if plan is None else msgspec.convert(plan, Sold))
    return {
        "product_uuid": sold and sold.product_uuid,
        "price_uuid": sold and sold.price_uuid,
        "tax_rate_uuid": sold and sold.tax_rate_uuid,
        "units": charged.quantity,
        "paid_from": charged.starts_at,
        "paid_until": charged.ends_at,
    }


def _payment_of(row: Any) -> RecordPayment | None:
    """Money that was too much is not part of what the payment has settled."""
    if row["provider_ref"] is None:
        return None
    currency = Currency(row["currency"])
    return RecordPayment(
        provider_ref=row["provider_ref"],
        amount=Money(row["amount_minor"] - row["surplus_minor"], currency),
        settled_before=Money(row["settled_minor"], currency),
        refunded=Money(row["refunded_minor"], currency),
        charged_back=Money(row["charged_back_minor"], currency),
    )
