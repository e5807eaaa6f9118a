"""What every payment provider promises: the fake that other tests trust, and the adapters.

Here customers and payments; what recurs and what goes back is in the files beside.
"""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain.kernel.errors import ProviderBusy, ProviderUnavailable, ProviderUnreadable
from domain.kernel.money import Money, currency
from domain.payments.answers import Declined, PaymentStatus, ProviderPayment, SequenceType
from domain.payments.ports import NewCustomer
from tests.contract.play import A_MINUTE, AN_HOUR, Play, euros
from tests.contract.stage import Can

# Customers


async def test_a_customer_asked_for_twice_is_one(play: Play):
    customer = NewCustomer(
        uuid=play.ids.new(), tenant_uuid=play.ids.new(), name="Ada Lovelace", email=None
    )
    first = await play.provider.customers.create(play.account, customer)
    second = await play.provider.customers.create(play.account, customer)

    assert first == second
    # Elsewhere nobody is made: the provider knows a customer by our own uuid.
    assert await play.stage.customers_made() == (1 if play.can(Can.MAKE_CUSTOMERS) else 0)


async def test_a_customer_is_found_again_by_our_uuid(play: Play):
    now = await play.stage.now()
    customer = NewCustomer(
        uuid=play.ids.new(), tenant_uuid=play.ids.new(), name="Ada Lovelace", email=None
    )
    ref = await play.provider.customers.create(play.account, customer)
    await play.a_customer()

    find = play.provider.customers.find
    if not play.can(Can.MAKE_CUSTOMERS):
        # There is nobody to find, and asking anew gives the same: nothing can be made twice.
        assert await find(play.account, customer.uuid, since=now) is None
        assert await play.provider.customers.create(play.account, customer) == ref
        return
    assert await find(play.account, customer.uuid, since=now) == ref
    assert await find(play.account, play.ids.new(), since=now) is None
    assert await find(play.other_account, customer.uuid, since=now) is None
    assert await find(play.account, customer.uuid, since=now + 2 * A_MINUTE) is None


# Payments


async def test_a_new_payment_is_what_was_asked_for(play: Play):
    order = await play.an_order()
    payment = await play.send(order)

    assert isinstance(payment, ProviderPayment)
    assert payment.status is PaymentStatus.OPEN
    assert payment.amount == order.amount
    assert payment.sequence_type is SequenceType.ONEOFF
    assert payment.refunded == payment.charged_back == euros(0)
    assert payment.attempt_uuid == order.attempt_uuid
    assert payment.method == "card"
    assert payment.customer_ref == order.customer_ref
    assert payment.checkout_url is not None
    assert payment.mandate_ref is payment.failure_reason is payment.paid_at is None
    assert abs(payment.created_at - await play.stage.now()) < A_MINUTE
    assert await play.look(payment.ref) == payment


async def test_the_same_order_renders_to_the_same_bytes(play: Play):
    order = await play.an_order()
    assert play.provider.payments.render(order) == play.provider.payments.render(order)


@pytest.mark.parametrize(
    "amount", [euros(1), euros(1_05), Money(900, currency("JPY")), Money(5_00, currency("CHF"))]
)
async def test_an_amount_comes_back_to_the_last_unit(play: Play, amount: Money):
    payment = await play.a_payment(amount=amount)
    assert (await play.look(payment.ref)).amount == amount


async def test_every_locale_and_none_are_taken(play: Play):
    customer_ref = await play.a_customer()
    for locale in [*sorted(play.provider.locales), None]:
        await play.a_payment(customer_ref=customer_ref, locale=locale)


async def test_a_payment_asked_for_twice_is_one(play: Play):
    order = await play.an_order()
    first, second = await play.send(order), await play.send(order)

    assert first == second
    assert await play.stage.payments_made() == 1


async def test_a_key_is_remembered_for_longer_than_the_window(play: Play):
    order = await play.an_order()
    first = await play.send(order)
    await play.stage.advance(timedelta(seconds=play.provider.key_window_s))
    assert await play.send(order) == first

    # Past it the same question makes another payment: that is what the window is there for.
    await play.stage.advance(AN_HOUR)
    second = await play.send(order)
    assert isinstance(first, ProviderPayment) and isinstance(second, ProviderPayment)
    assert first.ref != second.ref


async def test_other_bytes_under_a_used_key_stop_everything(play: Play):
    order = await play.an_order()
    await play.send(order)

    with pytest.raises(ProviderUnreadable):
        await play.send(replace(order, amount=euros(50_00)))
    assert await play.stage.payments_made() == 1


async def test_a_provider_that_is_away_has_made_nothing(play: Play):
    order = await play.an_order()
    await play.stage.be_away("create_payment")

    with pytest.raises(ProviderUnavailable):
        await play.send(order)
    assert await play.stage.payments_made() == 0
    assert isinstance(await play.send(order), ProviderPayment)


async def test_a_lost_answer_is_had_by_asking_again(play: Play):
    order = await play.an_order()
    await play.stage.lose_answer("create_payment")

    with pytest.raises(ProviderUnavailable):
        await play.send(order)
    again = await play.send(order)
    assert isinstance(again, ProviderPayment)
    assert again.attempt_uuid == order.attempt_uuid
    assert await play.stage.payments_made() == 1


async def test_a_garbled_answer_is_had_by_asking_again(play: Play):
    order = await play.an_order()
    await play.stage.garble_answer("create_payment")

    with pytest.raises(ProviderUnreadable):
        await play.send(order)
    assert isinstance(await play.send(order), ProviderPayment)
    assert await play.stage.payments_made() == 1


async def test_a_payment_whose_answer_was_lost_is_found_by_its_attempt(play: Play):
    order = await play.an_order()
    since = await play.stage.now()
    await play.stage.lose_answer("create_payment")
    with pytest.raises(ProviderUnavailable):
        await play.send(order)
    await play.stage.advance(2 * AN_HOUR)
    await play.a_payment()

    found = await play.find(order.attempt_uuid, since)
    if not play.can(Can.LIST_WHAT_IS_UNPAID):
        # Nobody has learned where it could be paid, so it does no harm. What was paid is found.
        assert found is None
        paid = await play.a_paid_payment()
        assert paid.attempt_uuid is not None
        assert await play.find(paid.attempt_uuid, since) == paid
        assert await play.find(paid.attempt_uuid, await play.stage.now() + 2 * A_MINUTE) is None
        return

    assert found is not None
    assert found.attempt_uuid == order.attempt_uuid
    assert await play.find(play.ids.new(), since) is None
    assert await play.find(order.attempt_uuid, since + 2 * A_MINUTE) is None


async def test_a_payment_is_found_behind_more_newer_ones_than_fit_on_a_page(play: Play):
    order = await play.an_order()
    since = await play.stage.now()
    await play.send(order)
    for _ in range(255):
        await play.a_payment(customer_ref=order.customer_ref)
    if not play.can(Can.LIST_WHAT_IS_UNPAID):
        paid = await play.a_paid_payment()
        listed = play.provider.payments.since(play.account, since)
        assert [seen async for seen in listed] == [paid]  # the 255 are in no list
        return

    found = await play.find(order.attempt_uuid, since)
    assert found is not None and found.attempt_uuid == order.attempt_uuid


async def test_an_unknown_payment_is_none(play: Play):
    payment = await play.a_payment()
    get = play.provider.payments.get

    assert await get(play.account, "tr_unknown") is None
    assert await get(play.account, "../customers") is None
    assert await get(play.other_account, payment.ref) is None


async def test_a_payment_for_an_unknown_customer_is_declined(play: Play):
    order = await play.an_order(customer_ref="cst_unknown")
    answer = await play.send(order)

    if not play.can(Can.KNOW_STRANGERS):
        assert isinstance(answer, ProviderPayment)  # to it, a customer is a name that we gave
        assert answer.customer_ref == "cst_unknown"
        return
    assert isinstance(answer, Declined)
    assert answer.reason
    assert await play.stage.payments_made() == 0


async def test_a_paid_payment_says_when(play: Play):
    payment = await play.a_paid_payment()

    assert payment.status is PaymentStatus.PAID
    assert payment.paid_at is not None
    assert abs(payment.paid_at - await play.stage.now()) < A_MINUTE
    assert payment.checkout_url is None
    assert payment.mandate_ref is None
    assert payment.refunded == payment.charged_back == euros(0)


async def test_a_failed_payment_says_why(play: Play):
    payment = await play.a_payment()
    await play.stage.fail(payment.ref, "insufficient_funds")
    seen = await play.look(payment.ref)

    if not play.can(Can.FAIL_FOR_GOOD):
        assert seen == payment  # as if nothing had been tried
        await play.stage.pay(payment.ref)
        assert (await play.look(payment.ref)).status is PaymentStatus.PAID
        return
    assert (seen.status, seen.failure_reason) == (PaymentStatus.FAILED, "insufficient_funds")
    assert seen.checkout_url is None


async def test_an_expired_payment_can_no_longer_be_paid(play: Play):
    payment = await play.a_payment()
    await play.stage.expire(payment.ref)
    seen = await play.look(payment.ref)

    assert (seen.status, seen.checkout_url) == (PaymentStatus.EXPIRED, None)


async def test_a_payment_is_canceled_once_and_only_if_it_can_be(play: Play):
    never = play.can(Can.CANCEL_CARDS_NEVER)
    card = await (play.a_payment() if never else play.a_paid_payment())
    transfer = await play.a_payment(payment_method="banktransfer" if never else "bank_transfer")
    cancel = play.provider.payments.cancel
    assert (card.is_cancelable, transfer.is_cancelable) == (False, True)

    canceled = await cancel(play.account, transfer.ref)

    assert isinstance(canceled, ProviderPayment)
    assert canceled.status is PaymentStatus.CANCELED
    assert await play.look(transfer.ref) == canceled
    assert isinstance(await cancel(play.account, transfer.ref), Declined)
    assert isinstance(await cancel(play.account, card.ref), Declined)
    assert isinstance(await cancel(play.account, "tr_unknown"), Declined)
    assert await play.look(card.ref) == card


async def test_a_provider_that_is_busy_has_made_nothing_and_says_when_to_come_again(play: Play):
    order = await play.an_order()
    await play.stage.be_busy("create_payment")

    with pytest.raises(ProviderBusy) as busy:
        await play.send(order)
    assert busy.value.retry_after_s == 7
    assert await play.stage.payments_made() == 0


async def test_who_is_let_in_is_told_nothing(play: Play):
    await play.provider.access.check(play.account)


async def test_a_budget_is_asked_without_being_spent(play: Play):
    await play.a_payment()
    assert play.provider.budget.wait_s(play.account.uuid) == 0
    assert play.provider.budget.wait_s(play.ids.new()) == 0


async def test_all_that_is_held_is_listed_back_to_a_moment(play: Play):
    before = await play.a_paid_payment()
    await play.stage.advance(AN_HOUR)
    since = (await play.stage.now()).replace(microsecond=0)
    first = await play.a_paid_payment(sequence_type=SequenceType.FIRST)
    await play.stage.advance(AN_HOUR)
    is_listed = play.can(Can.LIST_WHAT_IS_UNPAID)
    second = await (play.a_payment() if is_listed else play.a_paid_payment())

    listed = play.provider.payments.since
    assert [seen async for seen in listed(play.account, since)] == [second, first]
    everything = [seen async for seen in listed(play.account, since - 2 * AN_HOUR)]
    assert everything == [second, first, before]
    assert [seen async for seen in listed(play.other_account, since - AN_HOUR)] == []


async def test_a_listing_that_breaks_off_says_so(play: Play):
    await play.a_payment()
    await play.stage.be_away("list_payments")
    with pytest.raises(ProviderUnavailable):
        async for _ in play.provider.payments.since(play.account, await play.stage.now()):
            pass
