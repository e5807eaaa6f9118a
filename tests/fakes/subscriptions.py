"""Subscriptions in memory. tests/contract/test_subscription*.py hold them to PostgreSQL.

Unique keys, checks and references are kept as there: who breaks one hears of it at once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from domain.catalog.quote import Tax
from domain.kernel.errors import Conflict, NotFound
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.money import Money
from domain.kernel.pages import Page, PageRequest
from domain.payments.mandate import Mandate
from domain.subscriptions.bill import Bill, BillKind
from domain.subscriptions.book import Plan, SubscriptionBook
from domain.subscriptions.start import Grounds
from domain.subscriptions.subscription import (
    HistoryRow,
    Period,
    Subscription,
    SubscriptionStatus,
)
from tests.fakes.billing_policies import FakeBillingPolicies
from tests.fakes.checkout_rows import BrokenConstraint, CheckoutRows, changed, newest, one_each
from tests.fakes.payment_rows import files_of, save_papers

_BILL_CHANGES: Final = (
    "status", "open", "tries", "first_failed_at", "next_try_at", "failure_reason",
    "payment_uuid", "chargeback_uuid", "closed_at", "updated_at",
)  # fmt: skip
_PERIOD_CHANGES: Final = ("ends_at", "payment_uuid", "amount")
_NEVER_CHANGES: Final = (
    "uuid", "app_uuid", "tenant_uuid", "user_uuid", "payment_provider_uuid",
    "checkout_session_uuid", "test_clock_uuid", "created_at",
)  # fmt: skip


class FakeSubscriptions:
    def __init__(self, app_uuid: AppUuid, rows: CheckoutRows) -> None:
        self._app_uuid, self._rows = app_uuid, rows

    # Reading.

    async def get(self, uuid: UUID) -> Subscription:
        if uuid not in self._rows.subscriptions:
            raise NotFound("subscription", uuid)
        return self._current(self._rows.subscriptions[uuid])

    def _current(self, stored: Subscription) -> Subscription:
        number = max(n for uuid, n in self._rows.periods if uuid == stored.uuid)
        return replace(stored, current_period=self._rows.periods[stored.uuid, number])

    async def book(
        self, uuid: UUID, *, lock: bool, with_bills: Sequence[UUID] = ()
    ) -> SubscriptionBook:
        subscription, rows = await self.get(uuid), self._rows
        ours = [b for b in rows.bills.values() if b.subscription_uuid == uuid]
        asked = [bill for bill in ours if bill.uuid in with_bills]
        paid_with = {bill.payment_uuid for bill in asked if bill.payment_uuid is not None}
        bills = [b for b in ours if b.is_open or b in asked or b.payment_uuid in paid_with]
        uuids = {bill.uuid for bill in bills}
        attempts = [a for a in rows.attempts.values() if a.bill_uuid in uuids]
        files = files_of(rows, (p for p in rows.payments.values() if p.bill_uuid in uuids))
        clock_uuid = subscription.test_clock_uuid
        currency = rows.prices[subscription.price_uuid].unit_amount.currency
        return SubscriptionBook(
            subscription=subscription,
            plans=self._plans_of(subscription, bills),
            policy=await FakeBillingPolicies(self._app_uuid, rows).get(),
            clock_now=None if clock_uuid is None else rows.clocks[clock_uuid].now,
            bills=tuple(sorted(bills, key=lambda b: b.uuid)),
            attempts=tuple(sorted(attempts, key=lambda a: (a.bill_uuid or a.uuid, a.number))),
            payments=tuple(file.payment for file in files),
            refunds=tuple(refund for file in files for refund in file.refunds),
            chargebacks=tuple(c for file in files for c in file.chargebacks),
            mandates=self._mandates(subscription.payment_provider_uuid, subscription.tenant_uuid),
            balance=self._balance(subscription.tenant_uuid, currency),
        )

    async def grounds(
        self, tenant_uuid: TenantUuid, account_uuid: UUID, plan: tuple[UUID, UUID | None]
    ) -> Grounds:
        if plan[0] not in self._rows.prices:
            raise NotFound("price", plan[0])
        price, tenant = self._rows.prices[plan[0]], self._rows.tenants.get(tenant_uuid)
        clock_uuid = None if tenant is None else tenant.test_clock_uuid
        return Grounds(
            plan=self._plan(*plan),
            trial_days=price.trial_days,
            policy=await FakeBillingPolicies(self._app_uuid, self._rows).get(),
            clock=None if clock_uuid is None else (clock_uuid, self._rows.clocks[clock_uuid].now),
            mandates=self._mandates(account_uuid, tenant_uuid),
            balance=self._balance(tenant_uuid, price.unit_amount.currency),
        )

    async def of_bill(self, bill_uuid: UUID) -> UUID | None:
        bill = self._rows.bills.get(bill_uuid)
        return None if bill is None else bill.subscription_uuid

    async def bill(self, uuid: UUID) -> Bill | None:
        return self._rows.bills.get(uuid)

    async def settled_by(self, payment_uuid: UUID) -> tuple[Bill, ...]:
        taken = {c.uuid for c in self._rows.chargebacks.values() if c.payment_uuid == payment_uuid}
        found = (
            b
            for b in self._rows.bills.values()
            if b.payment_uuid == payment_uuid or b.chargeback_uuid in taken
        )
        return tuple(sorted(found, key=lambda b: b.uuid))

    async def list(
        self,
        request: PageRequest,
        *,
        only: frozenset[TenantUuid] | None,
        status: SubscriptionStatus | None = None,
    ) -> Page[Subscription]:
        return newest(
            (
                self._current(s)
                for s in self._rows.subscriptions.values()
                if (only is None or s.tenant_uuid in only) and status in (None, s.status)
            ),
            request,
        )

    async def periods(self, uuid: UUID, request: PageRequest) -> Page[Period]:
        ours = sorted(n for owner, n in self._rows.periods if owner == uuid)
        return _page([self._rows.periods[uuid, number] for number in reversed(ours)], request)

    async def bills(self, uuid: UUID, request: PageRequest) -> Page[Bill]:
        return newest(
            (b for b in self._rows.bills.values() if b.subscription_uuid == uuid), request
        )

    async def history(self, uuid: UUID, request: PageRequest) -> Page[HistoryRow]:
        return _page(self._rows.history.get(uuid, ())[::-1], request)

    def _plans_of(self, subscription: Subscription, bills: Sequence[Bill]) -> tuple[Plan, ...]:
        changes = [bill.change for bill in bills] + [subscription.scheduled_change]
        wanted = {(c.price_uuid, c.tax_rate_uuid) for c in changes if c is not None}
        wanted.add((subscription.price_uuid, subscription.tax_rate_uuid))
        return tuple(self._plan(*one) for one in sorted(wanted, key=str))

    async def plans(self, wanted: Sequence[tuple[UUID, UUID | None]]) -> tuple[Plan, ...]:
        return tuple(self._plan(*one) for one in wanted if one[0] in self._rows.prices)

    def _plan(self, price_uuid: UUID, tax_rate_uuid: UUID | None) -> Plan:
        price = self._rows.prices[price_uuid]
        rate = None if tax_rate_uuid is None else self._rows.tax_rates[tax_rate_uuid]
        assert price.recurring is not None, "a subscription's price is a recurring one"
        return Plan(
            price_uuid=price_uuid,
            product_uuid=price.product_uuid,
            product_name=self._rows.products[price.product_uuid].name,
            unit_amount=price.unit_amount,
            recurrence=price.recurring,
            tax_rate_uuid=tax_rate_uuid,
            tax=None if rate is None else Tax(rate.percentage, rate.inclusive),
        )

    def _mandates(self, account_uuid: UUID, tenant_uuid: TenantUuid) -> tuple[Mandate, ...]:
        same = (account_uuid, tenant_uuid)
        held = self._rows.mandates.values()
        ours = (m for m in held if (m.payment_provider_uuid, m.tenant_uuid) == same)
        return tuple(sorted(ours, key=lambda m: m.uuid))

    def _balance(self, tenant_uuid: TenantUuid, currency: str) -> Money:
        return self._rows.balances.get((tenant_uuid, currency), Money(0, currency))

    # Writing.

    async def add(
        self, book: SubscriptionBook, history: Sequence[HistoryRow], *, opening_balance: Money
    ) -> None:
        if book.subscription.uuid in self._rows.subscriptions:
            raise BrokenConstraint("two subscriptions with one uuid")
        self._rows.subscriptions[book.subscription.uuid] = book.subscription
        nothing = replace(book, bills=(), attempts=(), payments=(), refunds=(), chargebacks=())
        self._save(nothing, book, history)
        self._change_balance(book, book.balance - opening_balance)

    async def save(
        self, before: SubscriptionBook, after: SubscriptionBook, history: Sequence[HistoryRow]
    ) -> None:
        stored = self._rows.subscriptions[after.subscription.uuid]
        kept = {name: getattr(stored, name) for name in _NEVER_CHANGES}
        if after.subscription != before.subscription:
            self._rows.subscriptions[stored.uuid] = replace(after.subscription, **kept)
        self._save(before, after, history)
        self._change_balance(after, after.balance - before.balance)

    def _save(
        self, before: SubscriptionBook, after: SubscriptionBook, history: Sequence[HistoryRow]
    ) -> None:
        rows, uuid = self._rows, after.subscription.uuid
        for bill in changed(before.bills, after.bills):
            held = rows.bills.get(bill.uuid)
            rows.bills[bill.uuid] = _updated(held, bill, _BILL_CHANGES)
        save_papers(rows, before, after)
        for period in after.new_periods:
            held_period = rows.periods.get((uuid, period.number))
            rows.periods[uuid, period.number] = _updated(held_period, period, _PERIOD_CHANGES)
        rows.history[uuid] = (*rows.history.get(uuid, ()), *history)
        self._check(after)

    def _change_balance(self, book: SubscriptionBook, change: Money) -> None:
        key = (book.subscription.tenant_uuid, change.currency)
        balance = self._rows.balances.get(key, Money(0, change.currency)) + change
        if balance.minor < 0:
            raise Conflict("the tenant's credit has just been spent")
        if change.minor:
            self._rows.balances[key] = balance

    async def claim_trial(self, subscription: Subscription, *, at: datetime) -> bool:
        key = (subscription.tenant_uuid, subscription.product_uuid)
        if key in self._rows.trials:
            return False
        self._rows.trials[key] = subscription.uuid
        return True

    async def postpone(self, uuid: UUID, *, until: datetime) -> None:
        stored = self._rows.subscriptions[uuid]
        if stored.test_clock_uuid is None:
            self._rows.subscriptions[uuid] = replace(stored, due_at=until)

    def _check(self, book: SubscriptionBook) -> None:
        rows, uuid = self._rows, book.subscription.uuid
        from_checkout = [s for s in rows.subscriptions.values() if s.checkout_session_uuid]
        one_each(from_checkout, "checkout_session_uuid")
        bills = [bill for bill in rows.bills.values() if bill.subscription_uuid == uuid]
        of_periods = [bill for bill in bills if bill.kind is BillKind.PERIOD]
        one_each(of_periods, "period_number")
        for bill in bills:
            _need(bill.is_open == (bill.open.minor > 0), f"open, and nothing is: {bill}")
            _need((bill.kind is BillKind.PERIOD) == (bill.period_number is not None), "no number")
            _need(bill.amount.total == bill.amount.subtotal + bill.amount.tax, "wrong sum")
            _need(bill.amount.total.minor >= 0, f"less than nothing: {bill}")
            _need(bill.payment_uuid in (None, *rows.payments), "no such payment")
            _need(bill.chargeback_uuid in (None, *rows.chargebacks), "no such chargeback")
        for attempt in book.attempts:
            _need(attempt.bill_uuid in rows.bills, "an attempt for no bill")
        for period in book.new_periods:
            _need(period.bill_uuid in (None, *rows.bills), "a period of no bill")
            _need(period.payment_uuid in (None, *rows.payments), "a period paid by nothing")
            _need(period.starts_at < period.ends_at, "a period of no length")
        _need(book.subscription.mandate_uuid in (None, *rows.mandates), "no such mandate")


def _updated(held: object, row: object, fields: tuple[str, ...]) -> object:
    return row if held is None else replace(held, **{name: getattr(row, name) for name in fields})


def _need(holds: bool, what: str) -> None:
    if not holds:
        raise BrokenConstraint(what)


def _page(rows: Sequence[object], request: PageRequest) -> Page[object]:
    return Page(tuple(rows[request.offset : request.offset + request.limit]), len(rows))
