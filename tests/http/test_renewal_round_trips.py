"""What a renewal asks of PostgreSQL: counted on the wire by bench/relay.py, nothing is timed."""

from uuid import UUID

from app.settings import Settings
from bench.due_rows import make_due
from bench.renewal_trips import NEEDED, Seen, renewal_counter
from bench.round_trips import Trips
from tests.http.street import Street


async def test_a_renewal_is_a_transaction_before_the_charge_one_after_it_and_one_when_it_is_paid(
    street: Street, settings: Settings
):
    await street.subscribed()
    app_uuid, connection = street.house.app.app_uuid, street.house.connection
    await make_due(connection, app_uuid, NEEDED)
    due = await connection.fetch("select uuid from subscriptions where due_at < now()")
    async with renewal_counter(settings, app_uuid) as counting:
        charge = await counting.charge([row["uuid"] for row in due])
        charges = await street.charges()
        for one in charges:
            said = {"status": "paid"}
            await street.sandbox.post(f"/_control/payments/{one['paymentId']}/status", json=said)
        account = UUID(street.house.app.ids["account"])
        paid = await counting.settle([Seen(account, one["paymentId"]) for one in charges])

    assert charge.before == Trips(statements=12, brackets=2, transactions=1)
    assert charge.provider_calls == 1
    assert charge.after == Trips(statements=9, brackets=2, transactions=1)
    # The payment, and the mandate that it was paid with.
    assert paid.provider_calls == 2
    assert paid.before == Trips(statements=2, brackets=2, transactions=1)
    assert paid.after == Trips(statements=17, brackets=2, transactions=1)
