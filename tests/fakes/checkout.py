"""Checkout's repository in memory, and a unit of work with everything that its use cases touch.

tests/contract/test_checkout_repository.py holds it to what PostgreSQL does. A transaction works on
a copy of its app's rows; nothing in it waits, so transactions never overlap.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from uuid import UUID

from msgspec.structs import replace

from domain.catalog.quote import Tax
from domain.checkout.book import Book, Settled
from domain.checkout.order import Ask, Order, OrderFacts, PriceFacts, TaxFacts
from domain.checkout.ports import Intent
from domain.checkout.session import CheckoutSession, SessionStatus
from domain.kernel.errors import NotFound
from domain.kernel.idempotency import Answer, Claim, RequestKey
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.pages import Page, PageRequest
from domain.payments.attempt import AttemptStatus, accepted
from domain.payments.payment_provider import PaymentProvider
from domain.tenancy.admission import AdmissionFacts
from domain.tenancy.caller import Caller, KeyCaller
from domain.tenancy.tenant import Tenant
from tests.fakes.billing_policies import FakeBillingPolicies
from tests.fakes.catalog import FakeCatalogTx
from tests.fakes.checkout_rows import (
    CheckoutRows,
    CustomerRows,
    DueWorkRows,
    InboxRows,
    KeyRows,
    OneTimePaymentRows,
    key_id,
)
from tests.fakes.clocks import FakeClocks
from tests.fakes.ledger import FakeLedger
from tests.fakes.payment_rows import (
    ChargebackRows,
    FakeAttempts,
    MandateRows,
    PaymentRows,
    RefundRows,
    check_papers,
    files_of,
    save_papers,
)
from tests.fakes.subscriptions import FakeSubscriptions

T = TypeVar("T")
Moment = Callable[[str], Awaitable[None]]
"""Told of `before commit` and `after commit`; may raise, as a crash does, and wait after it."""


async def nothing_happens(_: str) -> None: ...


class FakeTenantsOfCheckout:
    def __init__(self, rows: CheckoutRows) -> None:
        self._rows = rows

    async def add(self, tenant: Tenant) -> None:
        self._rows.tenants[tenant.uuid] = tenant

    async def get(self, uuid: TenantUuid) -> Tenant:
        return self._rows.tenants[uuid]


class FakeCheckoutRepository:
    def __init__(self, rows: CheckoutRows) -> None:
        self._rows = rows

    async def facts(self, caller: Caller, order: Order, ask: Ask) -> OrderFacts:
        """For users alone: everybody of the app is admitted."""
        assert not isinstance(caller, KeyCaller), "the fake knows no API keys"
        price = self._rows.prices.get(order.price_uuid) if order.price_uuid else None
        named = price.payment_provider_uuid if price else None
        account = self._account(order, order.account_uuid or named)
        claim = self._claim(f"user:{caller.user_uuid}", ask)
        session = (
            self._rows.sessions.get(claim.subject_uuid) if claim and claim.subject_uuid else None
        )
        return OrderFacts(
            admission=AdmissionFacts(app_is_disabled=False),
            tenant=self._rows.tenants.get(order.tenant_uuid),
            clock_is_usable=self._clock_is_usable(order.tenant_uuid),
            account=account,
            price=self._price(order),
            tax=None if order.tax_rate_uuid is None else self._tax(order.tax_rate_uuid),
            customer_ref=None if account is None else self._customer(account, order.tenant_uuid),
            claim=claim,
            claimed_session_status=None if session is None else session.status,
        )

    def _clock_is_usable(self, tenant_uuid: TenantUuid) -> bool:
        tenant = self._rows.tenants.get(tenant_uuid)
        if tenant is None or tenant.test_clock_uuid is None:
            return True
        return self._rows.clocks[tenant.test_clock_uuid].deleted_at is None

    def _account(self, order: Order, named: UUID | None) -> PaymentProvider | None:
        usable = (
            a
            for a in self._rows.accounts.values()
            if a.name is order.provider and a.deleted_at is None
        )
        return next(
            (a for a in usable if (a.is_default if named is None else a.uuid == named)), None
        )

    def _price(self, order: Order) -> PriceFacts | None:
        price = None if order.price_uuid is None else self._rows.prices.get(order.price_uuid)
        if price is None:
            return None
        is_tried = (order.tenant_uuid, price.product_uuid) in self._rows.trials
        return PriceFacts(
            product_name=self._rows.products[price.product_uuid].name,
            unit_amount=price.unit_amount,
            is_recurring=price.recurring is not None,
            trial_days=0 if is_tried else price.trial_days,
            is_archived=price.archived_at is not None,
        )

    def _tax(self, uuid: UUID) -> TaxFacts | None:
        rate = self._rows.tax_rates.get(uuid)
        if rate is None:
            return None
        return TaxFacts(Tax(rate.percentage, rate.inclusive), rate.deleted_at is not None)

    def _customer(self, account: PaymentProvider, tenant_uuid: TenantUuid) -> str | None:
        wanted = (account.uuid, tenant_uuid)
        for customer in self._rows.customers.values():
            if (customer.payment_provider_uuid, customer.tenant_uuid) == wanted:
                return customer.provider_ref
        return None

    def _claim(self, caller: str, ask: Ask) -> Claim | None:
        return self._rows.keys.get((caller, ask.operation, ask.stored_key))

    async def add(self, intent: Intent) -> CheckoutSession | None:
        name = key_id(intent.key)
        held = self._rows.keys.get(name)
        if held is not None and held.expires_at != intent.replaces:
            return None
        self._rows.keys[name] = Claim(
            fingerprint=intent.key.fingerprint,
            answer=None,
            lease_until=intent.lease_until,
            expires_at=intent.key_expires_at,
            subject_uuid=intent.session.uuid,
        )
        session = replace(intent.session, id=len(self._rows.sessions) + 1)
        self._rows.sessions[session.uuid] = session
        if intent.attempt is not None:
            self._rows.attempts[intent.attempt.uuid] = intent.attempt
        return session

    async def open_accepted(self, settled: Settled, key: RequestKey, answer: Answer) -> bool:
        session, (payment,) = settled.book.session, settled.book.payments
        attempt = self._rows.attempts.get(payment.attempt_uuid)
        stored = self._rows.sessions.get(session.uuid)
        if attempt is None or attempt.status is not AttemptStatus.SUBMITTING:
            return False
        if stored is None or stored.status is not SessionStatus.OPEN:
            return False
        at = payment.created_at
        self._rows.attempts[attempt.uuid] = accepted(attempt, at=at)
        self._rows.payments[payment.uuid] = payment
        self._rows.sessions[session.uuid] = replace(
            stored,
            provider_ref=payment.provider_ref,
            next_action_url=payment.checkout_url,
            updated_at=at,
        )
        held = self._rows.keys.get(key_id(key))
        if held is not None and held.subject_uuid == session.uuid:
            self._rows.keys[key_id(key)] = replace(held, answer=answer)
        check_papers(self._rows)
        return True

    async def get(self, uuid: UUID) -> Book:
        if uuid not in self._rows.sessions:
            raise NotFound("checkout session", uuid)
        return self._book(self._rows.sessions[uuid])

    async def lock(self, uuid: UUID) -> Book:
        return await self.get(uuid)

    def _book(self, session: CheckoutSession) -> Book:
        attempts = [
            a for a in self._rows.attempts.values() if a.checkout_session_uuid == session.uuid
        ]
        payments = [
            p for p in self._rows.payments.values() if p.checkout_session_uuid == session.uuid
        ]
        files = files_of(self._rows, payments)
        return Book(
            session=session,
            attempts=tuple(sorted(attempts, key=lambda a: a.number)),
            payments=tuple(file.payment for file in files),
            refunds=tuple(refund for file in files for refund in file.refunds),
            chargebacks=tuple(c for file in files for c in file.chargebacks),
            mandates=tuple({f.mandate.uuid: f.mandate for f in files if f.mandate}.values()),
        )

    async def save(self, before: Book, after: Book) -> None:
        if after.session != before.session:
            self._rows.sessions[after.session.uuid] = after.session
        save_papers(self._rows, before, after)

    async def list(
        self, request: PageRequest, *, only: frozenset[TenantUuid] | None, after: UUID | None
    ) -> Page[Book]:
        found = [s for s in self._rows.sessions.values() if only is None or s.tenant_uuid in only]
        found.sort(key=lambda s: s.uuid, reverse=True)
        if after is not None:
            older = [s for s in found if s.uuid < after][: request.limit]
            return Page(tuple(self._book(s) for s in older), 0)
        shown = found[request.offset : request.offset + request.limit]
        return Page(tuple(self._book(s) for s in shown), len(found))


class FakeCheckoutTx(FakeCatalogTx):
    def __init__(self, app_uuid: AppUuid, rows: CheckoutRows) -> None:
        super().__init__(rows)
        self.tenants = FakeTenantsOfCheckout(rows)
        self.checkout = FakeCheckoutRepository(rows)
        self.customers = CustomerRows(rows)
        self.attempts = FakeAttempts(rows)
        self.payments = PaymentRows(rows)
        self.mandates = MandateRows(rows)
        self.refunds = RefundRows(rows)
        self.chargebacks = ChargebackRows(rows)
        self.one_time_payments = OneTimePaymentRows(rows)
        self.billing_policies = FakeBillingPolicies(app_uuid, rows)
        self.subscriptions = FakeSubscriptions(app_uuid, rows)
        self.test_clocks = FakeClocks(rows)
        self.idempotency = KeyRows(rows)
        self.ledger = FakeLedger(rows)
        self.inbox = InboxRows(rows)
        self.due_work = DueWorkRows(rows)


class FakeCheckout:
    """A unit of work. `rows` is what is committed, by app."""

    def __init__(self, moment: Moment = nothing_happens) -> None:
        self.rows: dict[AppUuid, CheckoutRows] = {}
        self.open = 0
        self._moment = moment

    def is_busy(self) -> bool:
        return self.open > 0

    def of(self, app_uuid: AppUuid) -> CheckoutRows:
        return self.rows.setdefault(app_uuid, CheckoutRows())

    @asynccontextmanager
    async def begin(self, app_uuid: AppUuid) -> AsyncIterator[FakeCheckoutTx]:
        rows = self.of(app_uuid).snapshot()
        self.open += 1
        try:
            yield FakeCheckoutTx(app_uuid, rows)
        finally:
            self.open -= 1
        await self._moment("before commit")
        self.rows[app_uuid] = rows
        await self._moment("after commit")
