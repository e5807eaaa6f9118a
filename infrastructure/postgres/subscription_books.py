"""Subscriptions as books: read with what their next step depends on, written row by changed row."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.kernel.errors import NotFound
from domain.kernel.ids import TenantUuid
from domain.kernel.money import Currency, Money
from domain.payments.attempt import PaymentAttempt
from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.subscriptions.bill import Bill
from domain.subscriptions.book import Plan, SubscriptionBook
from domain.subscriptions.policy import BillingPolicy
from domain.subscriptions.start import Grounds
from domain.subscriptions.subscription import Subscription
from infrastructure.postgres import rows
from infrastructure.postgres import subscription_rows as srows
from infrastructure.postgres.billing_policies import (
    OF_APP,
    POLICY,
    PostgresBillingPolicies,
    policy_of,
)
from infrastructure.postgres.subscription_saving import PostgresSubscriptionSaving

_BOOK: Final = f"""
    select {srows.SUBSCRIPTION}, p.*, {srows.TERMS}, {POLICY}, c.now as clock_now,
           b.minor as balance_minor
      from subscriptions s {srows.CURRENT_PERIOD}
      join prices pr on pr.app_uuid = s.app_uuid and pr.uuid = s.price_uuid
      join products po on po.app_uuid = s.app_uuid and po.uuid = s.product_uuid
      left join tax_rates tr on tr.app_uuid = s.app_uuid and tr.uuid = s.tax_rate_uuid
      join {OF_APP} on app.app_uuid = s.app_uuid
      left join test_clocks c on c.app_uuid = s.app_uuid and c.uuid = s.test_clock_uuid
      left join customer_balances b on b.app_uuid = s.app_uuid and b.tenant_uuid = s.tenant_uuid
       and b.currency = pr.currency
     where s.app_uuid = $1 and s.uuid = $2
"""


class PostgresSubscriptionBooks(PostgresSubscriptionSaving):
    """The books' half of `Subscriptions`; the lists are in subscriptions.py."""

    async def book(
        self, uuid: UUID, *, lock: bool, with_bills: Sequence[UUID] = ()
    ) -> SubscriptionBook:
        if lock:
            await self._lock(uuid)
        row = await self._connection.fetchrow(_BOOK, self._app_uuid, uuid)
        if row is None:
            raise NotFound("subscription", uuid)
        subscription = srows.subscription_of(row)
        currency = Currency(row["plan_currency"])
        bills = await self._bills(uuid, with_bills)
        attempts, payments = await self._tries(bills)
        refunds, chargebacks = await self._files.money_back(payments)
        return SubscriptionBook(
            subscription=subscription,
            plans=(srows.plan_of(row), *await self._plans_to_come(subscription, bills)),
            policy=policy_of(row),
            clock_now=row["clock_now"],
            bills=bills,
            attempts=attempts,
            payments=payments,
            refunds=refunds,
            chargebacks=chargebacks,
            mandates=await self._mandates(
                subscription.payment_provider_uuid, subscription.tenant_uuid
            ),
            balance=Money(row["balance_minor"] or 0, currency),
        )

    async def _lock(self, uuid: UUID) -> None:
        """By a statement of its own. One that waits for the row finds it as it has become, but what
        is joined to it as it was before the wait."""
        await self._connection.execute(
            "select from subscriptions where app_uuid = $1 and uuid = $2 for update",
            self._app_uuid,
            uuid,
        )

    async def grounds(
        self, tenant_uuid: TenantUuid, account_uuid: UUID, plan: tuple[UUID, UUID | None]
    ) -> Grounds:
        row = await self._connection.fetchrow(
            f"""
            {srows.PLAN}
              left join tax_rates tr on tr.app_uuid = pr.app_uuid and tr.uuid = $3
             where pr.app_uuid = $1 and pr.uuid = $2
            """,
            self._app_uuid,
            *plan,
        )
        if row is None:
            raise NotFound("price", plan[0])
        tenant = await self._connection.fetchrow(
            """
            select c.uuid, c.now,
                   (select cs.collected ->> 'taxed_in' from checkout_sessions cs
                     where cs.app_uuid = $1 and cs.tenant_uuid = $2 and cs.status = 'complete'
                       and cs.collected ->> 'tax_id' is not null
                     order by cs.uuid desc limit 1) as tax_id_country
              from tenants t
              left join test_clocks c on c.app_uuid = t.app_uuid and c.uuid = t.test_clock_uuid
             where t.app_uuid = $1 and t.uuid = $2
            """,
            self._app_uuid,
            tenant_uuid,
        )
        if tenant is None:
            raise NotFound("tenant", tenant_uuid)
        found = srows.plan_of(row)
        return Grounds(
            plan=found,
            trial_days=row["trial_days"],
            policy=await self._policy(),
            clock=None if tenant["uuid"] is None else (tenant["uuid"], tenant["now"]),
            mandates=await self._mandates(account_uuid, tenant_uuid),
            balance=await self._balance(tenant_uuid, found.unit_amount.currency),
            tax_id_country=tenant["tax_id_country"],
        )

    async def of_bill(self, bill_uuid: UUID) -> UUID | None:
        uuid: UUID | None = await self._connection.fetchval(
            "select subscription_uuid from bills where app_uuid = $1 and uuid = $2",
            self._app_uuid,
            bill_uuid,
        )
        return uuid

    async def bill(self, uuid: UUID) -> Bill | None:
        row = await self._connection.fetchrow(
            f"select {srows.BILL} from bills where app_uuid = $1 and uuid = $2",
            self._app_uuid,
            uuid,
        )
        return None if row is None else srows.bill_of(row)

    async def settled_by(self, payment_uuid: UUID) -> tuple[Bill, ...]:
        found = await self._connection.fetch(
            f"""
            select {srows.BILL} from bills
             where app_uuid = $1
               and (payment_uuid = $2
                    or chargeback_uuid in (select uuid from chargebacks
                                            where app_uuid = $1 and payment_uuid = $2))
             order by uuid
            """,
            self._app_uuid,
            payment_uuid,
        )
        return tuple(srows.bill_of(row) for row in found)

    async def claim_trial(self, subscription: Subscription, *, at: datetime) -> bool:
        # The subscription's own row comes later in the transaction; its key is not deferrable.
        taken = await self._connection.fetchval(
            """
            insert into trials (app_uuid, tenant_uuid, product_uuid, subscription_uuid, started_at)
            values ($1, $2, $3, $4, $5)
            on conflict (app_uuid, tenant_uuid, product_uuid) do nothing
            returning true
            """,
            self._app_uuid,
            subscription.tenant_uuid,
            subscription.product_uuid,
            subscription.uuid,
            at,
        )
        return bool(taken)

    async def postpone(self, uuid: UUID, *, until: datetime) -> None:
        await self._connection.execute(
            """
            update subscriptions set due_at = $3
             where app_uuid = $1 and uuid = $2 and test_clock_uuid is null
            """,
            self._app_uuid,
            uuid,
            until,
        )

    async def _policy(self) -> BillingPolicy:
        return await PostgresBillingPolicies(self._connection, self._app_uuid).get()

    async def _balance(self, tenant_uuid: TenantUuid, currency: Currency) -> Money:
        minor = await self._connection.fetchval(
            """
            select minor from customer_balances
             where app_uuid = $1 and tenant_uuid = $2 and currency = $3
            """,
            self._app_uuid,
            tenant_uuid,
            currency,
        )
        return Money(minor or 0, currency)

    async def _bills(self, uuid: UUID, also: Sequence[UUID]) -> tuple[Bill, ...]:
        found = await self._connection.fetch(
            f"""
            select {srows.BILL} from bills
             where app_uuid = $1 and subscription_uuid = $2
               and (status = 'open' or uuid = any($3)
                    or payment_uuid in (select payment_uuid from bills
                                         where app_uuid = $1 and uuid = any($3)))
             order by uuid
            """,
            self._app_uuid,
            uuid,
            list(also),
        )
        return tuple(srows.bill_of(row) for row in found)

    async def _tries(
        self, bills: Sequence[Bill]
    ) -> tuple[tuple[PaymentAttempt, ...], tuple[Payment, ...]]:
        """Attempts and payments of these bills. Most books have no bill, and cost nothing here."""
        if not bills:
            return (), ()
        uuids = [bill.uuid for bill in bills]
        attempts = await self._connection.fetch(
            f"""
            select {rows.ATTEMPT} from payment_attempts
             where app_uuid = $1 and bill_uuid = any($2) order by bill_uuid, number
            """,
            self._app_uuid,
            uuids,
        )
        payments = await self._connection.fetch(
            f"""
            select {rows.PAYMENT} from payments
             where app_uuid = $1 and bill_uuid = any($2) order by uuid
            """,
            self._app_uuid,
            uuids,
        )
        return (
            tuple(rows.attempt_of(row) for row in attempts),
            tuple(rows.payment_of(row) for row in payments),
        )

    async def _mandates(self, account_uuid: UUID, tenant_uuid: TenantUuid) -> tuple[Mandate, ...]:
        found = await self._connection.fetch(
            f"""
            select {rows.MANDATE} from mandates
             where app_uuid = $1 and payment_provider_uuid = $2 and tenant_uuid = $3
             order by uuid
            """,
            self._app_uuid,
            account_uuid,
            tenant_uuid,
        )
        return tuple(rows.mandate_of(row) for row in found)

    async def _plans_to_come(
        self, subscription: Subscription, bills: Sequence[Bill]
    ) -> tuple[Plan, ...]:
        """Those of changes that wait to take effect."""
        changes = [bill.change for bill in bills if bill.change is not None]
        if subscription.scheduled_change is not None:
            changes.append(subscription.scheduled_change)
        wanted = {(change.price_uuid, change.tax_rate_uuid) for change in changes}
        wanted -= {(subscription.price_uuid, subscription.tax_rate_uuid)}
        return await self.plans(sorted(wanted, key=str)) if wanted else ()

    async def plans(self, wanted: Sequence[tuple[UUID, UUID | None]]) -> tuple[Plan, ...]:
        """Of these prices with these tax rates."""
        found: Sequence[Any] = await self._connection.fetch(
            f"""
            {srows.PLAN}
              join unnest($2::uuid[], $3::uuid[]) as wanted (price_uuid, tax_rate_uuid)
                on pr.uuid = wanted.price_uuid
              left join tax_rates tr
                on tr.app_uuid = pr.app_uuid and tr.uuid = wanted.tax_rate_uuid
             where pr.app_uuid = $1
            """,
            self._app_uuid,
            [price_uuid for price_uuid, _ in wanted],
            [tax_rate_uuid for _, tax_rate_uuid in wanted],
        )
        return tuple(srows.plan_of(row) for row in found)
