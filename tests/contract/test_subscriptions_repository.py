"""Subscriptions' repository: what the fake does, PostgreSQL does too."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import pytest
from asyncpg import PostgresError
from msgspec.structs import replace

from domain.kernel.errors import Conflict, NotFound
from domain.kernel.pages import PageRequest
from domain.payments.answers import MandateStatus, PaymentStatus, SequenceType
from domain.payments.attempt import PaymentAttempt
from domain.payments.payment import Payment
from domain.subscriptions.bill import BillKind, BillStatus, PlanChange
from domain.subscriptions.book import SubscriptionBook
from domain.subscriptions.policy import ChargebackAction, FinalAction
from domain.subscriptions.subscription import (
    PauseReason,
    PeriodKind,
    SubscriptionStatus,
)
from tests.contract.shelf import (
    OTHER_PRICE,
    PAYMENT,
    STARTED,
    TAX_RATE,
    Store,
    added,
    book_of,
    open_shelf,
    saved,
)
from tests.fakes.checkout_rows import BrokenConstraint
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds
from tests.make import (
    APP,
    OTHER_TENANT,
    TENANT,
    a_uuid,
    money,
)
from tests.make_checkout import ACCOUNT, PRICE, PRODUCT, a_payment, an_attempt
from tests.make_ledger import a_quote
from tests.make_subscriptions import (
    MANDATE,
    MONTH,
    SUBSCRIPTION,
    a_bill,
    a_chargeback,
    a_line,
    a_mandate,
    a_period,
    a_policy,
    a_subscription,
    a_subscription_book,
    days_on,
)

IDS: Final = FakeIds(series=19)
LATER: Final = NOON + timedelta(hours=1)
CHANGE: Final = PlanChange(
    price_uuid=OTHER_PRICE,
    product_uuid=PRODUCT,
    tax_rate_uuid=TAX_RATE,
    quantity=3,
    restarts_at=LATER,
)


@pytest.fixture(params=["fake", "postgres"])
async def store(request: pytest.FixtureRequest, clean_database: str) -> AsyncIterator[Store]:
    async with open_shelf(request.param, clean_database) as opened:
        yield opened


def a_charge(book: SubscriptionBook, **said: Any) -> PaymentAttempt:
    return an_attempt(
        **{"uuid": IDS.new(), "checkout_session_uuid": None, "bill_uuid": book.bills[-1].uuid}
        | said
    )


def its_payment(attempt: PaymentAttempt, **said: Any) -> Payment:
    of = {"attempt_uuid": attempt.uuid, "bill_uuid": attempt.bill_uuid}
    usual = {"uuid": PAYMENT, "checkout_session_uuid": None, "status": PaymentStatus.PAID}
    recurring = {"sequence_type": SequenceType.RECURRING}
    return a_payment(**usual | of | recurring | said)


async def test_what_is_added_comes_back(store: Store):
    subscription = a_subscription(user_uuid=None, quantity=3, tax_rate_uuid=TAX_RATE)
    book = a_subscription_book(subscription)
    found = await added(store, book)
    assert found.subscription == subscription
    assert [plan.price_uuid for plan in found.plans] == [PRICE]
    assert found.plan.tax is not None
    assert (found.plan.product_name, found.plan.recurrence) == ("Pro Plan", MONTH)
    assert (found.bills, found.attempts, found.payments, found.mandates) == ((), (), (), ())
    assert (found.balance, found.clock_now) == (money(0), None)
    async with store.begin(APP) as tx:
        assert await tx.subscriptions.get(SUBSCRIPTION) == subscription
        history = await tx.subscriptions.history(SUBSCRIPTION, PageRequest())
    assert (history.items, history.total) == ((STARTED,), 1)


async def test_every_field_of_a_subscription_comes_back(store: Store):
    before = await added(store)
    mandated = replace(before, mandates=(a_mandate(),))
    changed = replace(
        before.subscription,
        mandate_uuid=MANDATE,
        price_uuid=OTHER_PRICE,
        tax_rate_uuid=TAX_RATE,
        quantity=7,
        status=SubscriptionStatus.PAUSED,
        anchor_at=days_on(1),
        anchor_number=2,
        trial_ends_at=days_on(2),
        paid_through=days_on(3),
        cancel_at=days_on(4),
        cancel_reason="too dear",
        canceled_at=days_on(5),
        paused_at=days_on(6),
        pause_reason=PauseReason.CHARGEBACK,
        resumes_at=days_on(7),
        scheduled_change=CHANGE,
        version=9,
        due_at=days_on(8),
        updated_at=LATER,
    )
    found = await saved(store, before, replace(mandated, subscription=changed))
    assert found.subscription == changed
    assert {(p.price_uuid, p.tax_rate_uuid) for p in found.plans} == {(OTHER_PRICE, TAX_RATE)}
    emptied = replace(
        a_subscription(), current_period=changed.current_period, updated_at=days_on(9)
    )
    again = await saved(store, found, replace(found, subscription=emptied))
    assert again.subscription == emptied


async def test_every_field_of_a_bill_comes_back(store: Store):
    before = await added(store)
    bill = a_bill(
        before.subscription,
        kind=BillKind.CHANGE,
        lines=(a_line(), a_line(subtotal_minor=-5, tax_minor=-1, total_minor=-6)),
        amount=a_quote(9_00, 1_71),
        balance_applied=money(5_00),
        open=money(5_71),
        change=CHANGE,
        tries=2,
        first_failed_at=days_on(1),
        next_try_at=days_on(2),
        failure_reason="AM04",
        issued_at=days_on(3),
    )
    found = await saved(store, before, before.with_bill(bill))
    assert found.bills == (bill,)
    assert {p.price_uuid for p in found.plans} == {PRICE, OTHER_PRICE}
    over = replace(
        bill,
        status=BillStatus.UNCOLLECTIBLE,
        open=money(0),
        tries=3,
        next_try_at=None,
        closed_at=LATER,
        updated_at=LATER,
    )
    again = await saved(store, found, found.with_bill(over))
    assert again.bills == (over,)
    async with store.begin(APP) as tx:
        assert await tx.subscriptions.of_bill(bill.uuid) == SUBSCRIPTION
        assert await tx.subscriptions.of_bill(a_uuid(99)) is None
        assert await tx.subscriptions.bill(bill.uuid) == over


async def test_a_closed_bill_is_in_the_book_only_when_it_is_asked_about(store: Store):
    before = await added(store)
    paid = a_bill(before.subscription, status=BillStatus.PAID, open=money(0), closed_at=NOON)
    still = a_bill(before.subscription, period_number=2)
    await saved(store, before, before.with_bill(paid).with_bill(still))
    assert (await book_of(store)).bills == (still,)
    assert (await book_of(store, SUBSCRIPTION, paid.uuid)).bills == (paid, still)


async def test_a_charge_its_payment_and_its_chargeback_come_back(store: Store):
    start = await added(store)
    bill = a_bill(start.subscription)
    before = await saved(store, start, start.with_bill(bill))
    first, second = a_charge(before), a_charge(before, number=2)
    declined = replace(first, status="declined", decline_reason="no", updated_at=LATER)
    before = await saved(store, before, before.with_attempt(first))
    after = before.with_attempt(declined).with_attempt(second)
    before = await saved(store, before, after)
    assert before.attempts == (declined, second)

    payment = its_payment(second, tax=money(1_90), mandate_ref="mdt_1")
    taken = a_chargeback(payment_uuid=payment.uuid, reason="AM04")
    settled = replace(bill, status=BillStatus.PAID, open=money(0), payment_uuid=payment.uuid)
    period = a_period(payment_uuid=payment.uuid)
    after = replace(
        before.with_bill(settled).with_period(period),
        payments=(payment,),
        chargebacks=(taken,),
        mandates=(a_mandate(),),
    )
    found = await saved(store, before, after)
    assert (found.payments, found.chargebacks) == ((payment,), (taken,))
    assert found.mandates == (a_mandate(is_default=True),)
    assert found.bills == (settled,)
    assert found.subscription.current_period == period
    async with store.begin(APP) as tx:
        assert await tx.subscriptions.settled_by(payment.uuid) == (settled,)
        assert await tx.subscriptions.settled_by(a_uuid(99)) == ()
    owed = replace(settled, status=BillStatus.OPEN, open=money(11_90), chargeback_uuid=taken.uuid)
    again = await saved(store, found, found.with_bill(owed))
    assert again.bills == (owed,)


async def test_what_one_payment_settled_comes_together(store: Store):
    start = await added(store)
    first, second = (a_bill(start.subscription, period_number=number) for number in (1, 2))
    before = await saved(store, start, start.with_bill(first).with_bill(second))
    payment = its_payment(charge := a_charge(before))
    before = await saved(store, before, before.with_attempt(charge))
    paid = [
        replace(bill, status=BillStatus.PAID, open=money(0), payment_uuid=payment.uuid)
        for bill in (first, second)
    ]
    third = a_bill(start.subscription, period_number=3, status=BillStatus.VOID, open=money(0))
    after = before.with_bill(paid[0]).with_bill(paid[1]).with_bill(third)
    await saved(store, before, replace(after, payments=(payment,)))
    assert (await book_of(store)).bills == ()
    assert (await book_of(store, SUBSCRIPTION, first.uuid)).bills == tuple(paid)
    assert (await book_of(store, SUBSCRIPTION, third.uuid)).bills == (third,)


async def test_a_subscription_is_added_with_its_charge(store: Store):
    subscription = a_subscription(status=SubscriptionStatus.INCOMPLETE)
    bill = a_bill(subscription)
    book = a_subscription_book(subscription, mandates=()).with_bill(bill)
    book = book.with_period(a_period(bill_uuid=bill.uuid))
    attempt = a_charge(book)
    found = await added(store, book.with_attempt(attempt))
    assert (found.bills, found.attempts) == ((bill,), (attempt,))


async def test_periods_are_written_beside_the_one_before(store: Store):
    before = await added(store)
    cut = a_period(ends_at=LATER, amount=a_quote(1, 0))
    second = a_period(number=2, kind=PeriodKind.SKIPPED, starts_at=LATER, ends_at=days_on(40))
    found = await saved(store, before, before.with_period(cut).with_period(second))
    assert found.subscription.current_period == second
    async with store.begin(APP) as tx:
        page = await tx.subscriptions.periods(SUBSCRIPTION, PageRequest())
    assert (page.items, page.total) == ((second, cut), 2)


async def test_a_trial_is_period_zero(store: Store):
    trial = a_period(number=0, kind=PeriodKind.TRIAL, amount=a_quote(0, 0))
    subscription = a_subscription(status=SubscriptionStatus.TRIALING, current_period=trial)
    found = await added(store, a_subscription_book(subscription))
    assert found.subscription.current_period == trial


@pytest.mark.parametrize(
    "wrong",
    [
        {"period_number": 1},
        {"period_number": 2, "open": money(0)},
        {"period_number": 2, "status": BillStatus.PAID},
        {"period_number": None},
        {"period_number": 2, "kind": BillKind.CHANGE},
        {"period_number": 2, "amount": a_quote(-5, 1)},
        {"period_number": 2, "payment_uuid": a_uuid(99)},
        {"period_number": 2, "chargeback_uuid": a_uuid(99)},
    ],
)
async def test_a_bill_that_cannot_be_is_refused(store: Store, wrong: dict[str, Any]):
    before = await added(store)
    before = await saved(store, before, before.with_bill(a_bill(before.subscription)))
    with pytest.raises((BrokenConstraint, PostgresError)):
        await saved(store, before, before.with_bill(a_bill(before.subscription, **wrong)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": 2},
        {"number": 1, "status": "accepted"},
        {"number": 2, "bill_uuid": a_uuid(99)},
        {"number": 2, "bill_uuid": None},
        {"number": 2, "checkout_session_uuid": a_uuid(99)},
    ],
)
async def test_a_bill_has_one_waiting_attempt_and_an_attempt_one_owner(
    store: Store, wrong: dict[str, Any]
):
    start = await added(store)
    before = await saved(store, start, start.with_bill(a_bill(start.subscription)))
    before = await saved(store, before, before.with_attempt(a_charge(before)))
    with pytest.raises((BrokenConstraint, PostgresError, AssertionError)):
        await saved(store, before, before.with_attempt(a_charge(before, **wrong)))


async def test_credit_is_spent_once(store: Store):
    """Two subscriptions of a tenant have read the same credit."""
    one = await added(store, a_subscription_book(balance=money(5_00)))
    two = await added(store, a_subscription_book(a_subscription(uuid=a_uuid(87))))
    assert (one.balance, two.balance) == (money(5_00), money(5_00))
    await saved(store, one, replace(one, balance=money(1_00)))
    with pytest.raises(Conflict):
        await saved(store, two, replace(two, balance=money(0)))
    assert (await book_of(store)).balance == money(1_00)
    await saved(store, two, replace(two, balance=money(7_00)))
    assert (await book_of(store)).balance == money(3_00)


async def test_credit_is_each_tenants_own(store: Store):
    await added(store, a_subscription_book(balance=money(5_00)))
    theirs = a_subscription(uuid=a_uuid(87), tenant_uuid=OTHER_TENANT)
    assert (await added(store, a_subscription_book(theirs))).balance == money(0)
    with pytest.raises(Conflict):
        async with store.begin(APP) as tx:
            book = a_subscription_book(a_subscription(uuid=a_uuid(88), tenant_uuid=OTHER_TENANT))
            await tx.subscriptions.add(book, [], opening_balance=money(1))


async def test_a_new_subscription_stands_on_what_the_tenant_has(store: Store):
    before = await added(store, a_subscription_book(balance=money(5_00)))
    second = a_mandate(uuid=a_uuid(89), provider_ref="mdt_2", status=MandateStatus.PENDING)
    await saved(store, before, replace(before, mandates=(a_mandate(), second)))
    policy = a_policy(
        time_zone="Europe/Berlin",
        retry_days=(1, 2),
        grace_days=3,
        final_action=FinalAction.KEEP,
        chargeback_action=ChargebackAction.WRITE_OFF,
        minimum_charge_minor=50,
    )
    async with store.begin(APP) as tx:
        await tx.billing_policies.put(policy)
    async with store.begin(APP) as tx:
        grounds = await tx.subscriptions.grounds(TENANT, ACCOUNT, (PRICE, TAX_RATE))
        others = await tx.subscriptions.grounds(OTHER_TENANT, ACCOUNT, (OTHER_PRICE, None))
        with pytest.raises(NotFound):
            await tx.subscriptions.grounds(TENANT, ACCOUNT, (a_uuid(99), None))
    assert (grounds.plan.price_uuid, grounds.plan.tax_rate_uuid) == (PRICE, TAX_RATE)
    assert (grounds.trial_days, grounds.policy, grounds.clock) == (14, policy, None)
    assert [m.uuid for m in grounds.mandates] == [MANDATE, second.uuid]
    assert grounds.balance == money(5_00)
    assert (others.plan.tax, others.trial_days, others.mandates) == (None, 0, ())
    assert others.balance == money(0)
    assert (await book_of(store)).policy == policy


async def test_a_product_is_tried_out_once_by_a_tenant(store: Store):
    async def claim(**of: Any) -> bool:
        async with store.begin(APP) as tx:
            return await tx.subscriptions.claim_trial(a_subscription(**of), at=NOON)

    assert await claim()
    assert not await claim(uuid=a_uuid(87))
    assert not await claim(uuid=a_uuid(88), price_uuid=OTHER_PRICE)
    assert await claim(uuid=a_uuid(89), tenant_uuid=OTHER_TENANT)
