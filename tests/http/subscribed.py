"""A tenant's subscription as rows, for tests that ask who may do what with it.

No provider knows its payment method. A test that needs the provider's side buys something.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from domain.kernel.ids import TenantUuid
from domain.subscriptions.advance import advance
from domain.subscriptions.pen import Pen
from domain.subscriptions.start import Wanted, begin, start_paid
from domain.subscriptions.subscription import SubscriptionStatus
from domain.subscriptions.write import with_due
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from tests.http.house import CLOCK, IDS, Estate, House

A_PERIOD: Final = timedelta(days=32)


async def subscribe(database: Database[PostgresTx], estate: Estate, *, owes: bool = False) -> str:
    """The tenant subscribes to the monthly price. `owes`: its second period is unpaid."""
    now, ids = CLOCK.now(), estate.ids
    tenant_uuid, account_uuid = TenantUuid(UUID(ids["tenant"])), UUID(ids["account"])
    async with database.begin(estate.app_uuid) as tx:
        plan = (UUID(ids["monthly"]), None)
        grounds = await tx.subscriptions.grounds(tenant_uuid, account_uuid, plan)
        wanted = Wanted(
            app_uuid=estate.app_uuid,
            tenant_uuid=tenant_uuid,
            user_uuid=None,
            payment_provider_uuid=account_uuid,
            quantity=1,
        )
        begun_at = now - A_PERIOD if owes else now
        pen = begin(wanted, grounds, paid_at=begun_at, real_now=now, ids=IDS)
        start_paid(pen, UUID(ids["payment"]), pen.book.plan.quote(1))
        if owes:
            _fall_due(pen)
        balance = grounds.balance
        await tx.subscriptions.add(with_due(pen.book), pen.history, opening_balance=balance)
    return str(pen.subscription.uuid)


def _fall_due(pen: Pen) -> None:
    """The renewal finds nothing to charge."""
    pen.book = replace(pen.book, mandates=())
    assert advance(pen)
    assert pen.subscription.status is SubscriptionStatus.PAST_DUE


async def owe(house: House) -> str:
    """Another subscription that owes, and a payment method to try."""
    await revive(house)
    return await subscribe(house.database, house.app, owes=True)


async def revive(house: House) -> None:
    """A charge has told that the provider does not know the payment method."""
    await house.connection.execute("update mandates set status = 'valid'")


async def quote_a_change(house: House, estate: Estate) -> str:
    """For the estate's subscription: a second seat, and no bill for it."""
    path = estate.path(f"/subscriptions/{estate.ids['subscription']}/change-quotes")
    body = {"mode": "no_bill", "quantity": 2}
    answer = await house.door.post(path, json=body, headers=dict(estate.admin))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["items"][0]["quote"])
