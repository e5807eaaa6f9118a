"""Banks take money back, and give it again: under each policy, in each state."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.checkout.session import Mode
from domain.kernel.money import Currency
from domain.ledger.posting import Account
from domain.payments.answers import RefundStatus
from domain.payments.request_refund import RequestRefund, WantedRefund
from domain.subscriptions import wishes
from domain.subscriptions.bill import BillStatus, closed
from domain.subscriptions.book import SubscriptionBook
from domain.subscriptions.deliver_purchase import DeliverPurchase
from domain.subscriptions.policy import ChargebackAction
from domain.subscriptions.recover_link import open_amount
from domain.subscriptions.subscription import PauseReason
from domain.subscriptions.wishes import When
from tests.domain.subscriptions.tenancy import Tenancy
from tests.make import APP, money
from tests.make_subscriptions import days_on

A = ChargebackAction


async def two_months(action: ChargebackAction) -> tuple[Tenancy, str]:
    """The second is paid; its payment's reference."""
    tenancy = await Tenancy(chargeback_action=action).started()
    mandates = tenancy.provider.world(tenancy.account).mandates
    mandates["mdt_1"] = replace(mandates["mdt_1"], method="directdebit")
    await tenancy.wait(31)
    ref = await tenancy.pay()
    await tenancy.wait(3)
    return tenancy, ref


async def test_it_is_suspended_and_no_charge_is_made():
    tenancy, ref = await two_months(A.SUSPEND)
    await tenancy.charge_back(ref)
    assert (tenancy.status, tenancy.subscription.pause_reason) == (
        "paused",
        PauseReason.CHARGEBACK,
    )
    assert (tenancy.on(Account.CHARGEBACKS), tenancy.on(Account.RECEIVABLE)) == (11_90, 0)
    await tenancy.wait(60)
    assert len(tenancy.charges) == 2


async def test_when_the_bank_gives_it_again_it_goes_on():
    tenancy, ref = await two_months(A.SUSPEND)
    await tenancy.charge_back(ref)
    await tenancy.reverse_chargeback(ref)
    assert (tenancy.status, tenancy.on(Account.CHARGEBACKS)) == ("active", 0)
    await tenancy.to(tenancy.periods[-1].ends_at)
    assert (tenancy.status, len(tenancy.periods)) == ("collecting", 3)


async def test_when_the_bank_gives_it_again_much_later_a_new_period_begins():
    tenancy, ref = await two_months(A.SUSPEND)
    await tenancy.charge_back(ref)
    await tenancy.wait(90)
    await tenancy.reverse_chargeback(ref)
    assert (tenancy.status, len(tenancy.charges)) == ("collecting", 3)
    assert tenancy.periods[-1].starts_at == tenancy.clock.now()


async def test_it_is_asked_for_again_like_a_charge_that_failed():
    tenancy, ref = await two_months(A.RECOLLECT)
    await tenancy.charge_back(ref, reason="MS03")
    assert (tenancy.status, tenancy.bills[-1].status) == ("past_due", "open")
    assert (tenancy.on(Account.RECEIVABLE), tenancy.on(Account.CHARGEBACKS)) == (11_90, 0)
    await tenancy.wait(3)
    assert (tenancy.status, tenancy.charges[-1].amount.minor) == ("collecting", 11_90)
    await tenancy.pay()
    assert (tenancy.status, tenancy.bills[-1].status) == ("active", "paid")
    assert (tenancy.on(Account.RECEIVABLE), tenancy.on(Account.CASH)) == (0, 23_80)


async def test_what_the_payer_refused_is_not_tried_again():
    tenancy, ref = await two_months(A.RECOLLECT)
    await tenancy.charge_back(ref, reason="MD06")
    await tenancy.wait(6)
    assert (tenancy.status, len(tenancy.charges)) == ("past_due", 2)
    await tenancy.wait(60)
    assert (tenancy.status, tenancy.bills[-1].status) == ("canceled", "uncollectible")


async def test_when_the_bank_gives_it_again_nothing_is_owed_any_more():
    tenancy, ref = await two_months(A.RECOLLECT)
    await tenancy.charge_back(ref, reason="MS03")
    await tenancy.wait(1)
    await tenancy.reverse_chargeback(ref)
    assert (tenancy.status, tenancy.bills[-1].status) == ("active", "paid")
    assert (tenancy.on(Account.RECEIVABLE), tenancy.on(Account.CHARGEBACKS)) == (0, 0)
    await tenancy.wait(10)
    assert len(tenancy.charges) == 2


async def test_a_part_that_is_taken_is_a_part_that_is_asked_for():
    tenancy, ref = await two_months(A.RECOLLECT)
    await tenancy.charge_back(ref, money(4_00), "MS03")
    await tenancy.wait(3)
    assert tenancy.charges[-1].amount.minor == 4_00
    await tenancy.pay()
    assert (tenancy.status, tenancy.on(Account.CASH)) == ("active", 23_80)


async def test_it_is_let_go():
    tenancy, ref = await two_months(A.WRITE_OFF)
    await tenancy.charge_back(ref)
    assert (tenancy.status, tenancy.bills[-1].status) == ("active", "paid")
    assert tenancy.on(Account.CHARGEBACKS) == 11_90
    await tenancy.reverse_chargeback(ref)
    assert tenancy.on(Account.CHARGEBACKS) == 0


@pytest.mark.parametrize("action", list(A))
async def test_what_has_ended_stays_ended(action: ChargebackAction):
    tenancy, ref = await two_months(action)
    await tenancy.wish(lambda pen: wishes.cancel(pen, When.NOW))
    await tenancy.charge_back(ref)
    assert (tenancy.status, tenancy.on(Account.RECEIVABLE)) == ("canceled", 0)
    await tenancy.reverse_chargeback(ref)
    assert (tenancy.status, tenancy.on(Account.CHARGEBACKS)) == ("canceled", 0)


@pytest.mark.parametrize("action", list(A))
async def test_a_customers_pause_stands(action: ChargebackAction):
    tenancy, ref = await two_months(action)
    await tenancy.wish(wishes.pause)
    await tenancy.charge_back(ref)
    assert (tenancy.status, tenancy.subscription.pause_reason) == (
        "paused",
        PauseReason.REQUESTED,
    )
    await tenancy.wait(20)
    assert len(tenancy.charges) == 2
    await tenancy.reverse_chargeback(ref)
    assert (tenancy.status, tenancy.subscription.pause_reason) == (
        "paused",
        PauseReason.REQUESTED,
    )


@pytest.mark.parametrize("action", list(A))
@pytest.mark.parametrize("outcome", ["paid", "failed"])
async def test_last_months_money_is_taken_while_this_months_is_collected(
    action: ChargebackAction, outcome: str
):
    tenancy, ref = await two_months(action)
    await tenancy.to(tenancy.periods[-1].ends_at)
    assert tenancy.status == "collecting"
    under_way = tenancy.live_charge()
    await tenancy.charge_back(ref, reason="MS03")
    assert len(tenancy.charges) == 3
    await (tenancy.pay(under_way) if outcome == "paid" else tenancy.fail("AC04", under_way))
    owed = 11_90 * ((action is A.RECOLLECT) + (outcome == "failed"))
    assert tenancy.on(Account.RECEIVABLE) == owed
    await tenancy.wait(5)
    if action is A.SUSPEND:
        assert (tenancy.status, len(tenancy.charges)) == ("paused", 3)
    elif action is A.RECOLLECT:
        assert (tenancy.status, tenancy.charges[-1].amount.minor) == ("collecting", owed)
    else:
        assert tenancy.status == ("active" if outcome == "paid" else "past_due")


async def test_the_money_of_a_checkout_is_taken_back_too():
    tenancy = await Tenancy(chargeback_action=A.RECOLLECT).bought()
    (ref,) = tenancy.provider.world(tenancy.account).payments
    await tenancy.wait(3)
    await tenancy.charge_back(ref, reason="MS03")
    assert (tenancy.status, tenancy.bills[0].status) == ("past_due", "open")
    await tenancy.reverse_chargeback(ref)
    assert (tenancy.status, tenancy.bills[0].status) == ("active", "paid")
    assert tenancy.on(Account.CHARGEBACKS) == 0
    assert tenancy.periods[0].ends_at == days_on(31)


async def test_what_was_paid_again_and_then_given_again_was_paid_twice():
    """Recollected and paid; and then the bank gives the first payment back after all."""
    tenancy, ref = await two_months(A.RECOLLECT)
    await tenancy.charge_back(ref, reason="MS03")
    await tenancy.wait(3)
    await tenancy.pay()
    await tenancy.reverse_chargeback(ref)
    await tenancy.wait(1)
    assert tenancy.status == "active"
    assert tenancy.on(Account.CHARGEBACKS) == 0
    assert tenancy.on(Account.CUSTOMER_BALANCE) == -11_90  # credit for the next bill


async def test_surplus_that_could_not_be_given_back_is_given_back_first_when_the_app_asks():
    tenancy = await Tenancy(chargeback_action=A.RECOLLECT, retry_days=()).started()
    ref = tenancy.charges[0].ref
    await tenancy.to(days_on(31))
    await tenancy.fail("card_expired")
    await tenancy.charge_back(ref, reason="AC04")
    both = [bill for bill in tenancy.bills if bill.is_open]
    link = await tenancy.check_out(
        Mode.RECOVERY,
        open_amount(both, Currency("EUR")),
        subscription_uuid=tenancy.subscription.uuid,
        bill_uuids=tuple(bill.uuid for bill in both),
    )
    await tenancy.reverse_chargeback(ref)
    await tenancy.pay(link)
    (surplus,) = tenancy.provider.world(tenancy.account).refunds
    tenancy.provider.set_refund(surplus, RefundStatus.FAILED)
    await tenancy.hear(link)
    assert tenancy.on(Account.HELD) == -11_90
    (payment,) = (p for p in tenancy.rows.payments.values() if p.provider_ref == link)
    await tenancy.wait(1)
    async with tenancy.database.begin(APP) as tx:
        wanted = WantedRefund(payment_uuid=payment.uuid, amount_minor=17_85)
        await RequestRefund(tenancy.write.providers, tenancy.clock, tenancy.ids)(tx, wanted)
    await tenancy.wait(0.1)
    *_, asked_for = tenancy.provider.world(tenancy.account).refunds
    tenancy.provider.set_refund(asked_for, RefundStatus.REFUNDED)
    await tenancy.hear(link)
    assert (tenancy.on(Account.HELD), tenancy.on(Account.REFUNDS)) == (0, 5_00)
    assert tenancy.on(Account.TAX) == -2 * 1_90 + 95


async def test_what_another_settled_before_the_lock_was_ours_is_not_owed_again():
    tenancy = await Tenancy(chargeback_action=A.RECOLLECT).bought()
    (ref,) = tenancy.provider.world(tenancy.account).payments
    await tenancy.charge_back(ref)
    (payment,) = tenancy.rows.payments.values()
    deliver = DeliverPurchase(tenancy.write, tenancy.ids)
    async with tenancy.database.begin(APP) as tx:
        assert list((await deliver.owed_again(tx, payment.uuid)).values()) == [money(11_90)]
        lock = tx.subscriptions.book

        async def settled_meanwhile(uuid: UUID, **how: Any) -> SubscriptionBook:
            book = await lock(uuid, **how)
            paid = [closed(b, BillStatus.PAID, at=tenancy.clock.now()) for b in book.bills]
            return replace(book, bills=tuple(paid))

        tx.subscriptions.book = settled_meanwhile  # type: ignore[method-assign]
        assert await deliver.owed_again(tx, payment.uuid) == {}
