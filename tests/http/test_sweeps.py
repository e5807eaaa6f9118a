"""What nobody has told us is found in the provider's lists: no webhook comes in these tests."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.kernel.errors import NotFound, ProviderUnavailable, ProviderUnreadable
from domain.payments.payment_provider import ProviderName
from domain.payments.sweep_account import SWEEP_EVERY
from tests.http.house import CLOCK, Json
from tests.http.till import Till

NAMES = [ProviderName.MOLLIE]


async def sweep(till: Till) -> object:
    account = UUID(till.house.app.ids["account"])
    return await till.parts.sweep()(till.house.app.app_uuid, account)


async def swept(till: Till) -> tuple[datetime, datetime]:
    row = await till.house.connection.fetchrow(
        "select swept_until, sweep_due_at from payment_providers where uuid = $1",
        UUID(till.house.app.ids["account"]),
    )
    return row["swept_until"], row["sweep_due_at"]


async def asked(till: Till, operation: str) -> int:
    answer = await till.sandbox.get("/_control/requests")
    items: list[Json] = answer.json()["items"]
    return sum(item["operation"] == operation for item in items)


async def test_a_refund_made_at_the_provider_is_found_without_a_webhook(till: Till):
    payment = await till.sold()
    made = await till.in_dashboard(payment, "10.00")
    assert await sweep(till) is None
    (found,) = await till.all(f"/payments/{payment['uuid']}/refunds")
    assert (found["refundId"], found["reason"], found["amount"]) == (made["id"], "dashboard", 1000)


async def test_a_chargeback_and_its_reversal_are_found_without_a_webhook(till: Till):
    payment = await till.subscribed()
    books = await till.books()
    await till.control(f"/payments/{payment['paymentId']}/chargeback")
    assert await sweep(till) is None
    (taken,) = await till.all(f"/payments/{payment['uuid']}/chargebacks")
    assert (taken["amount"], taken["reversedAt"]) == (1189, None)
    await till.control(f"/payments/{payment['paymentId']}/chargeback/reverse")
    assert await sweep(till) is None
    (given,) = await till.all(f"/payments/{payment['uuid']}/chargebacks")
    assert given["reversedAt"] is not None
    assert await till.books() == books


async def test_once_a_day_old_chargebacks_are_read_again_for_their_reversal(till: Till):
    payment = await till.sold()
    await till.control(f"/payments/{payment['paymentId']}/chargeback")
    await sweep(till)
    await till.control(f"/payments/{payment['paymentId']}/chargeback/reverse")
    # As if all until tomorrow had been read: the next sweep is the first of another day.
    account, tomorrow = (
        UUID(till.house.app.ids["account"]),
        CLOCK.now() + timedelta(days=1, hours=1),
    )
    async with till.house.database.begin(till.house.app.app_uuid) as tx:
        await tx.sweeps.done(account, until=tomorrow, due_at=tomorrow)
    assert await sweep(till) is None
    (given,) = await till.all(f"/payments/{payment['uuid']}/chargebacks")
    assert given["reversedAt"] is not None


async def test_a_payment_whose_creator_never_learned_of_it_is_taken_in(till: Till):
    await till.house.bought(clientReferenceId="its customer is made here")
    await till.control("/faults", {"operation": "createPayment", "kind": "timeoutAfterCommit"})
    assert (await till.house.buy()).status_code == 503
    (newest, *_) = (await till.sandbox.get("/_control/payments")).json()["items"]
    assert await sweep(till) is None
    assert (await till.payment_with(newest["id"]))["status"] == "open"


async def test_what_is_known_is_not_looked_at_again(till: Till):
    payment = await till.sold()
    await till.in_dashboard(payment, "10.00")
    await till.control(f"/payments/{payment['paymentId']}/chargeback")
    await sweep(till)
    looks = await asked(till, "getPayment")
    assert await sweep(till) is None
    assert await asked(till, "getPayment") == looks


async def test_what_others_make_at_the_same_account_is_left_alone(till: Till):
    key = {"Authorization": f"Bearer {till.house.app.secrets['mollie']}"}
    payment = {
        "amount": {"currency": "EUR", "value": "5.00"},
        "description": "A shop of somebody else's",
        "redirectUrl": "https://elsewhere.example",
        "method": "creditcard",
    }
    theirs = (await till.sandbox.post("/v2/payments", json=payment, headers=key)).json()
    await till.control(f"/payments/{theirs['id']}/status", {"status": "paid"})
    await till.in_dashboard({"paymentId": theirs["id"]}, "1.00")
    await till.control(f"/payments/{theirs['id']}/chargeback")
    before = await till.house.rows("payment_providers")
    looks = await asked(till, "getPayment")
    assert await sweep(till) is None
    assert await till.house.rows("payment_providers") == before
    assert await asked(till, "getPayment") == looks


async def test_a_sweep_that_was_kept_from_its_end_begins_again_where_it_began(till: Till):
    payment = await till.sold()
    await till.in_dashboard(payment, "10.00")
    before = await swept(till)
    await till.control("/faults", {"operation": "listAllRefunds", "kind": "status", "status": 503})
    assert isinstance(await sweep(till), ProviderUnavailable)
    await till.control("/faults", {"operation": "listAllRefunds", "kind": "truncatedJson"})
    assert isinstance(await sweep(till), ProviderUnreadable)
    assert await swept(till) == before
    began = CLOCK.now()
    assert await sweep(till) is None
    until, due_at = await swept(till)
    assert began <= until <= CLOCK.now()
    assert due_at == until + SWEEP_EVERY
    assert len(await till.all(f"/payments/{payment['uuid']}/refunds")) == 1


async def test_another_apps_account_is_not_there_to_be_swept(till: Till):
    stranger = UUID(till.house.other.ids["account"])
    with pytest.raises(NotFound):
        await till.parts.sweep()(till.house.app.app_uuid, stranger)


async def test_an_account_is_due_an_hour_after_it_was_made_and_claimed_once(till: Till):
    house, account = till.house, UUID(till.house.app.ids["account"])
    due_at = (await swept(till))[1]
    until = due_at + timedelta(minutes=10)
    async with house.database.begin(house.app.app_uuid) as tx:
        assert await tx.due_work.accounts(NAMES, due_at - timedelta(seconds=1), until) == []
        assert await tx.due_work.accounts(NAMES, due_at, until) == [account]
        assert await tx.due_work.accounts(NAMES, due_at, until) == []
        assert await tx.due_work.accounts(NAMES, until, until + timedelta(minutes=10)) == [account]
    due = await till.parts.directory.apps_with_due_sweeps(due_at + timedelta(minutes=20))
    assert {house.app.app_uuid, house.other.app_uuid} <= set(due)


async def test_a_deleted_account_is_not_swept(till: Till):
    house = till.house
    account = house.app.ids["account"]
    answer = await house.ask(house.app.admin, "DELETE", f"/payment-providers/{account}")
    assert answer.status_code == 200, answer.text
    long_after = CLOCK.now() + timedelta(days=1)
    async with house.database.begin(house.app.app_uuid) as tx:
        assert await tx.due_work.accounts(NAMES, long_after, long_after + SWEEP_EVERY) == []


async def test_an_account_at_a_provider_that_is_not_plugged_in_is_left_alone(till: Till):
    house = till.house
    new = {"name": "komoju", "credential": "sk_test_1234567890", "mode": "test"}
    await house.ok(house.app.admin, "POST", "/payment-providers", new)
    later = CLOCK.now() + timedelta(days=1)
    async with house.database.begin(house.app.app_uuid) as tx:
        claimed = await tx.due_work.accounts(NAMES, later, later + SWEEP_EVERY)
    assert claimed == [UUID(house.app.ids["account"])]


async def test_the_next_sweep_of_a_day_reads_only_what_is_new(till: Till):
    payment = await till.sold()
    await till.control(f"/payments/{payment['paymentId']}/chargeback")
    await sweep(till)
    await till.control(f"/payments/{payment['paymentId']}/chargeback/reverse")
    account, soon = UUID(till.house.app.ids["account"]), CLOCK.now() + timedelta(hours=2)
    if soon.date() != CLOCK.now().date():
        soon = CLOCK.now()  # shortly before midnight all that is new is what is read anyway
    async with till.house.database.begin(till.house.app.app_uuid) as tx:
        await tx.sweeps.done(account, until=soon, due_at=soon)
    looks = await asked(till, "getPayment")
    await sweep(till)
    assert await asked(till, "getPayment") == looks or soon <= CLOCK.now()
