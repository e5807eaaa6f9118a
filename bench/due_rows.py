"""Subscriptions by the thousand, due for their renewal: rows alone, made by one statement.

They are copies of those that were bought, with the same tenants and mandates. What their past was
paid with is left out, so `kontor audit` would complain of them. Their uuids follow one another, as
ours do: random ones would touch every page of an index.
"""

from typing import Final
from uuid import UUID

import asyncpg

_COPIES: Final = """
    with copies as materialized (
        select s.*,
               (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
                   || '70008000' || lpad(to_hex(number), 12, '0'))::uuid as copy_uuid,
               date_trunc('second', $4::timestamptz) - $3 * interval '1 month'
                   - interval '1 hour' as began_at
          from (select *, row_number() over (order by uuid) - 1 as place, count(*) over () as whole
                  from subscriptions
                 where app_uuid = $1 and checkout_session_uuid is not null) s
          join generate_series(0, $2::bigint - 1) as number on number % s.whole = s.place
    ), made as (
        insert into subscriptions (app_uuid, uuid, tenant_uuid, user_uuid, payment_provider_uuid,
               mandate_uuid, product_uuid, price_uuid, tax_rate_uuid, quantity, status, anchor_at,
               paid_through, due_at, created_at, updated_at)
        select app_uuid, copy_uuid, tenant_uuid, user_uuid, payment_provider_uuid,
               mandate_uuid, product_uuid, price_uuid, tax_rate_uuid, quantity, 'active', began_at,
               began_at + interval '1 month', began_at + interval '1 month', began_at, began_at
          from copies
    )
    insert into subscription_periods (app_uuid, subscription_uuid, number, starts_at, ends_at,
           currency, subtotal_minor, tax_minor, total_minor, created_at)
    select c.app_uuid, c.copy_uuid, 1, c.began_at, c.began_at + interval '1 month',
           p.currency, p.subtotal_minor, p.tax_minor, p.total_minor, c.began_at
      from copies c
      join subscription_periods p
        on p.app_uuid = c.app_uuid and p.subscription_uuid = c.uuid and p.number = 1
"""


async def make_due(
    connection: asyncpg.Connection, app_uuid: UUID, count: int, *, periods: int = 1
) -> None:
    """As the database's owner. The first period of each has ended an hour ago, or `periods - 1`
    months before that."""
    async with connection.transaction():
        # As a replica does it: nothing is looked up for a key that is known to be there.
        await connection.execute("set local session_replication_role = replica")
        now = await connection.fetchval("select now()")
        await connection.execute(_COPIES, app_uuid, count, periods, now, timeout=600)
