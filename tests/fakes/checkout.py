"""Checkout's repository in memory, and a unit of work with everything that its use cases touch.

tests/contract/test_checkout_repository.py holds it to what PostgreSQL does. A transaction works on
a copy of its app's rows; nothing in it waits, so transactions never overlap.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from msgspec.structs import replace

from domain.catalog.quote import Tax
from domain.checkout.attempt import AttemptStatus, PaymentAttempt, accepted
from domain.checkout.book import Book, Settled
from domain.checkout.order import Ask, Order, OrderFacts, PriceFacts, TaxFacts
from domain.checkout.ports import Intent
from domain.checkout.session import CheckoutSession, SessionStatus
from domain.kernel.errors import NotFound
from domain.kernel.idempotency import Answer, Claim, RequestKey
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.pages import Page, PageRequest
from domain.payments.mandate import Mandate
from domain.payments.payment_provider import PaymentProvider
from domain.tenancy.admission import AdmissionFacts
from domain.tenancy.caller import Caller, KeyCaller
from domain.tenancy.tenant import Tenant
from tests.fakes.catalog import FakeCatalogTx
from tests.fakes.checkout_rows import (
    CheckoutRows,
    CustomerRows,
    DueWorkRows,
    InboxRows,
    KeyRows,
    MandateRows,
    OneTimePaymentRows,
    PaymentRows,
    RefundRows,
    SubscriptionRows,
    key_id,
    one_each,
)

T = TypeVar("T")
Moment = Callable[[str], Awaitable[None]]
"""Told of `before commit` and `after commit`; may raise, as a crash does, and wait after it."""


async def nothing_happens(_: str) -> None: ...


class FakeTenantsOfCheckout:
    def __init__(self, rows: CheckoutRows) -> None:
        self._rows = rows

    async def add(self, tenant: Tenant) -> None:
        self._rows.tenants[tenant.uuid] = tenant


class FakeCheckoutRepository:
    def __init__(self, rows: CheckoutRows) -> None:
        self._rows = rows

    async def facts(self, caller: Caller, order: Order, ask: Ask) -> OrderFacts:
        """For users alone: everybody of the app is admitted."""
        assert not isinstance(caller, KeyCaller), "the fake knows no API keys"
        price = self._rows.prices.get(order.price_uuid) if order.price_uuid else None
        account = self._account(order, price.payment_provider_uuid if price else None)
        claim = self._claim(f"user:{caller.user_uuid}", ask)
        session = (
            self._rows.sessions.get(claim.subject_uuid) if claim and claim.subject_uuid else None
        )
        return OrderFacts(
            admission=AdmissionFacts(app_is_disabled=False),
            tenant=self._rows.tenants.get(order.tenant_uuid),
            account=account,
            price=None if order.price_uuid is None else self._price(order.price_uuid),
            tax=None if order.tax_rate_uuid is None else self._tax(order.tax_rate_uuid),
            customer_ref=None if account is None else self._customer(account, order.tenant_uuid),
            claim=claim,
            claimed_session_status=None if session is None else session.status,
        )

    def _account(self, order: Order, named: UUID | None) -> PaymentProvider | None:
        usable = (
            a
            for a in self._rows.accounts.values()
            if a.name is order.provider and a.deleted_at is None
        )
        return next(
            (a for a in usable if (a.is_default if named is None else a.uuid == named)), None
        )

    def _price(self, uuid: UUID) -> PriceFacts | None:
        price = self._rows.prices.get(uuid)
        if price is None:
            return None
        return PriceFacts(
            product_name=self._rows.products[price.product_uuid].name,
            unit_amount=price.unit_amount,
            is_recurring=price.recurring is not None,
            trial_days=price.trial_days,
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
        self._check()
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
        uuids, refs = {p.uuid for p in payments}, {p.mandate_ref for p in payments}
        return Book(
            session=session,
            attempts=tuple(sorted(attempts, key=lambda a: a.number)),
            payments=tuple(sorted(payments, key=lambda p: p.uuid)),
            refunds=tuple(
                sorted(
                    (r for r in self._rows.refunds.values() if r.payment_uuid in uuids),
                    key=lambda r: r.uuid,
                )
            ),
            mandates=tuple(m for m in self._rows.mandates.values() if m.provider_ref in refs),
        )

    async def session_of_attempt(self, attempt_uuid: UUID) -> UUID | None:
        attempt = self._rows.attempts.get(attempt_uuid)
        return None if attempt is None else attempt.checkout_session_uuid

    async def save(self, before: Book, after: Book) -> None:
        if after.session != before.session:
            self._rows.sessions[after.session.uuid] = after.session
        for attempt in _changed(before.attempts, after.attempts):
            held = self._rows.attempts.get(attempt.uuid)
            self._rows.attempts[attempt.uuid] = (
                attempt
                if held is None
                else replace(
                    held,
                    status=attempt.status,
                    decline_reason=attempt.decline_reason,
                    updated_at=attempt.updated_at,
                )
            )
        for payment in _changed(before.payments, after.payments):
            self._rows.payments[payment.uuid] = payment
        for refund in _changed(before.refunds, after.refunds):
            held_refund = self._rows.refunds.get(refund.uuid)
            self._rows.refunds[refund.uuid] = (
                refund
                if held_refund is None
                else replace(
                    held_refund,
                    status=refund.status,
                    provider_ref=refund.provider_ref,
                    decline_reason=refund.decline_reason,
                    updated_at=refund.updated_at,
                )
            )
        for mandate in _changed(before.mandates, after.mandates):
            self._save_mandate(mandate)
        self._check()

    def _save_mandate(self, mandate: Mandate) -> None:
        same = (mandate.payment_provider_uuid, mandate.provider_ref)
        for held in self._rows.mandates.values():
            if (held.payment_provider_uuid, held.provider_ref) == same:
                mandate = replace(mandate, uuid=held.uuid, created_at=held.created_at)
                break
        self._rows.mandates[mandate.uuid] = mandate

    def _check(self) -> None:
        one_each(self._rows.attempts.values(), "checkout_session_uuid", "number")
        one_each(self._rows.payments.values(), "payment_provider_uuid", "provider_ref")
        one_each((p for p in self._rows.payments.values() if not p.is_surplus), "attempt_uuid")
        one_each(self._rows.refunds.values(), "payment_uuid", "reason")
        made = [r for r in self._rows.refunds.values() if r.provider_ref is not None]
        one_each(made, "payment_provider_uuid", "provider_ref")

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

    async def lease_attempt(
        self, uuid: UUID, *, now: datetime, until: datetime
    ) -> PaymentAttempt | None:
        attempt = self._rows.attempts.get(uuid)
        if attempt is None or attempt.status is not AttemptStatus.SUBMITTING:
            return None
        if attempt.lease_until > now:
            return None
        ours = replace(
            attempt, lease_until=until, due_at=until, tries=attempt.tries + 1, updated_at=now
        )
        self._rows.attempts[uuid] = ours
        return ours

    async def release_attempt(
        self, held: PaymentAttempt, *, now: datetime, due_at: datetime
    ) -> None:
        attempt = self._rows.attempts[held.uuid]
        is_ours = attempt.lease_until == held.lease_until
        if attempt.status is AttemptStatus.SUBMITTING and is_ours:
            freed = replace(attempt, lease_until=now, due_at=due_at, updated_at=now)
            self._rows.attempts[held.uuid] = freed


class FakeCheckoutTx(FakeCatalogTx):
    def __init__(self, rows: CheckoutRows) -> None:
        super().__init__(rows)
        self.tenants = FakeTenantsOfCheckout(rows)
        self.checkout = FakeCheckoutRepository(rows)
        self.customers = CustomerRows(rows)
        self.payments = PaymentRows(rows)
        self.mandates = MandateRows(rows)
        self.refunds = RefundRows(rows)
        self.one_time_payments = OneTimePaymentRows(rows)
        self.subscriptions = SubscriptionRows(rows)
        self.idempotency = KeyRows(rows)
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
            yield FakeCheckoutTx(rows)
        finally:
            self.open -= 1
        await self._moment("before commit")
        self.rows[app_uuid] = rows
        await self._moment("after commit")


def _changed(before: tuple[T, ...], after: tuple[T, ...]) -> list[T]:
    return [row for row in after if row not in before]
