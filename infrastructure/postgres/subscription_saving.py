"""Writing a subscription's book: the rows that differ, in the order that their keys ask for."""

from collections.abc import Sequence
from functools import cached_property

import msgspec

from domain.kernel.errors import Conflict
from domain.kernel.ids import AppUuid
from domain.kernel.money import Money
from domain.subscriptions.bill import Bill
from domain.subscriptions.book import SubscriptionBook
from domain.subscriptions.subscription import HistoryRow, Period, Subscription
from infrastructure.postgres import subscription_rows as srows
from infrastructure.postgres.database import Connection
from infrastructure.postgres.payment_files import PostgresPaymentFiles, changed


class PostgresSubscriptionSaving:
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    @cached_property
    def _files(self) -> PostgresPaymentFiles:
        return PostgresPaymentFiles(self._connection, self._app_uuid)

    async def add(
        self, book: SubscriptionBook, history: Sequence[HistoryRow], *, opening_balance: Money
    ) -> None:
        subscription = book.subscription
        await self._connection.execute(
            """
            insert into subscriptions (app_uuid, uuid, tenant_uuid, user_uuid,
                   payment_provider_uuid, checkout_session_uuid, product_uuid, price_uuid,
                   tax_rate_uuid, quantity, status, anchor_at, test_clock_uuid, created_at,
                   updated_at, tax_id_country)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            """,
            self._app_uuid,
            subscription.uuid,
            subscription.tenant_uuid,
            subscription.user_uuid,
            subscription.payment_provider_uuid,
            subscription.checkout_session_uuid,
            subscription.product_uuid,
            subscription.price_uuid,
            subscription.tax_rate_uuid,
            subscription.quantity,
            subscription.status,
            subscription.anchor_at,
            subscription.test_clock_uuid,
            subscription.created_at,
            subscription.updated_at,
            subscription.tax_id_country,
        )
        nothing = msgspec.structs.replace(
            book, bills=(), attempts=(), payments=(), refunds=(), chargebacks=()
        )
        await self._rows(nothing, book, history)
        await self._save_subscription(subscription)
        if (change := book.balance - opening_balance).minor:
            await self._change_balance(book, change)

    async def save(
        self, before: SubscriptionBook, after: SubscriptionBook, history: Sequence[HistoryRow]
    ) -> None:
        await self._rows(before, after, history)
        if after.subscription != before.subscription:
            await self._save_subscription(after.subscription)
        if (change := after.balance - before.balance).minor:
            await self._change_balance(after, change)

    async def _rows(
        self, before: SubscriptionBook, after: SubscriptionBook, history: Sequence[HistoryRow]
    ) -> None:
        """A bill before what tries to collect it, and again when it names its payment."""
        known = {bill.uuid for bill in before.bills}
        bills = changed(before.bills, after.bills)
        for bill in bills:
            if bill.uuid not in known and bill.payment_uuid is not None:
                await self._save_bill(msgspec.structs.replace(bill, payment_uuid=None))
            elif bill.uuid not in known:
                await self._save_bill(bill)
        for attempt in changed(before.attempts, after.attempts):
            await self._files.save_attempt(attempt)
        await self._files.save(before, after)
        for bill in bills:
            if bill.uuid in known or bill.payment_uuid is not None:
                await self._save_bill(bill)
        for period in after.new_periods:
            await self._save_period(after.subscription, period)
        for row in history:
            await self._add_history(after.subscription, row)

    async def _save_subscription(self, subscription: Subscription) -> None:
        change = subscription.scheduled_change
        await self._connection.execute(
            """
            update subscriptions
               set mandate_uuid = $3, product_uuid = $4, price_uuid = $5, tax_rate_uuid = $6,
                   quantity = $7, status = $8, anchor_at = $9, anchor_number = $10,
                   trial_ends_at = $11, paid_through = $12, cancel_at = $13, cancel_reason = $14,
                   canceled_at = $15, paused_at = $16, pause_reason = $17, resumes_at = $18,
                   scheduled_change = $19, version = $20, due_at = $21, updated_at = $22
             where app_uuid = $1 and uuid = $2
            """,
            self._app_uuid,
            subscription.uuid,
            subscription.mandate_uuid,
            subscription.product_uuid,
            subscription.price_uuid,
            subscription.tax_rate_uuid,
            subscription.quantity,
            subscription.status,
            subscription.anchor_at,
            subscription.anchor_number,
            subscription.trial_ends_at,
            subscription.paid_through,
            subscription.cancel_at,
            subscription.cancel_reason,
            subscription.canceled_at,
            subscription.paused_at,
            subscription.pause_reason,
            subscription.resumes_at,
            None if change is None else msgspec.to_builtins(change),
            subscription.version,
            subscription.due_at,
            subscription.updated_at,
        )

    async def _save_bill(self, bill: Bill) -> None:
        await self._connection.execute(
            f"""
            insert into bills ({srows.BILL})
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                    $18, $19, $20, $21, $22, $23, $24, $25, $26)
            on conflict (app_uuid, uuid) do update
               set status = excluded.status, open_minor = excluded.open_minor,
                   tries = excluded.tries, first_failed_at = excluded.first_failed_at,
                   next_try_at = excluded.next_try_at, failure_reason = excluded.failure_reason,
                   payment_uuid = excluded.payment_uuid,
                   chargeback_uuid = excluded.chargeback_uuid, closed_at = excluded.closed_at,
                   updated_at = excluded.updated_at
             where bills.app_uuid = $1
            """,
            self._app_uuid,
            bill.uuid,
            bill.subscription_uuid,
            bill.tenant_uuid,
            bill.payment_provider_uuid,
            bill.kind,
            bill.period_number,
            bill.status,
            msgspec.to_builtins(bill.lines),
            bill.amount.total.currency,
            bill.amount.subtotal.minor,
            bill.amount.tax.minor,
            bill.amount.total.minor,
            bill.balance_applied.minor,
            bill.open.minor,
            None if bill.change is None else msgspec.to_builtins(bill.change),
            bill.tries,
            bill.first_failed_at,
            bill.next_try_at,
            bill.failure_reason,
            bill.payment_uuid,
            bill.chargeback_uuid,
            bill.issued_at,
            bill.closed_at,
            bill.created_at,
            bill.updated_at,
        )

    async def _save_period(self, subscription: Subscription, period: Period) -> None:
        """Its end, its payment and what it is worth may still change; nothing else does."""
        await self._connection.execute(
            f"""
            insert into subscription_periods (app_uuid, subscription_uuid, {srows.PERIOD},
                   created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            on conflict (app_uuid, subscription_uuid, number) do update
               set ends_at = excluded.ends_at, payment_uuid = excluded.payment_uuid,
                   subtotal_minor = excluded.subtotal_minor, tax_minor = excluded.tax_minor,
                   total_minor = excluded.total_minor
             where subscription_periods.app_uuid = $1
            """,
            self._app_uuid,
            subscription.uuid,
            period.number,
            period.kind,
            period.starts_at,
            period.ends_at,
            period.bill_uuid,
            period.payment_uuid,
            period.amount.total.currency,
            period.amount.subtotal.minor,
            period.amount.tax.minor,
            period.amount.total.minor,
            subscription.updated_at,
        )

    async def _add_history(self, subscription: Subscription, row: HistoryRow) -> None:
        await self._connection.execute(
            """
            insert into subscription_history (app_uuid, subscription_uuid, number, old_status,
                   new_status, reason, at, recorded_at)
            select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7
              from subscription_history where app_uuid = $1 and subscription_uuid = $2
            """,
            self._app_uuid,
            subscription.uuid,
            row.old_status,
            row.new_status,
            row.reason,
            row.at,
            subscription.updated_at,
        )

    async def _change_balance(self, book: SubscriptionBook, change: Money) -> None:
        """By the difference, so that two subscriptions of a tenant cannot spend the same credit.

        Raises Conflict when it is spent already: the caller begins again.
        """
        tenant_uuid, at = book.subscription.tenant_uuid, book.subscription.updated_at
        done = await self._connection.fetchval(
            """
            update customer_balances set minor = minor + $4, updated_at = $5
             where app_uuid = $1 and tenant_uuid = $2 and currency = $3 and minor >= -$4::bigint
            returning true
            """,
            self._app_uuid,
            tenant_uuid,
            change.currency,
            change.minor,
            at,
        )
        if done:
            return
        if change.minor < 0:
            raise Conflict("the tenant's credit has just been spent")
        await self._connection.execute(
            """
            insert into customer_balances (app_uuid, tenant_uuid, currency, minor, updated_at)
            values ($1, $2, $3, $4, $5)
            on conflict (app_uuid, tenant_uuid, currency) do update
               set minor = customer_balances.minor + excluded.minor,
                   updated_at = excluded.updated_at
             where customer_balances.app_uuid = $1
            """,
            self._app_uuid,
            tenant_uuid,
            change.currency,
            change.minor,
            at,
        )
