"""What one app has, and the repositories around checkout: customers, purchases, keys, work.

They promise what the ports promise, and keep the unique constraints that PostgreSQL keeps.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from msgspec import field
from msgspec.structs import replace

from domain.checkout.session import CheckoutSession, SessionStatus
from domain.kernel.errors import NotFound
from domain.kernel.idempotency import Answer, Claim, RequestKey
from domain.kernel.ids import TenantUuid
from domain.kernel.money import Money
from domain.kernel.pages import Page, PageRequest
from domain.ledger.posting import RecordedPosting
from domain.payments.answers import RefundStatus
from domain.payments.attempt import AttemptStatus, PaymentAttempt
from domain.payments.chargeback import Chargeback
from domain.payments.customer import Customer
from domain.payments.mandate import Mandate
from domain.payments.one_time_payment import OneTimePayment
from domain.payments.payment import Payment
from domain.payments.refund import Refund
from domain.subscriptions import test_clock
from domain.subscriptions.bill import Bill
from domain.subscriptions.policy import BillingPolicy
from domain.subscriptions.subscription import HistoryRow, Period, Subscription
from domain.tenancy.tenant import Tenant
from domain.webhooks.inbox import Message, Outcome
from infrastructure.postgres.due_work import DuePayment
from tests.fakes.catalog import Rows

T = TypeVar("T")
KeyId = tuple[str, str, str]


class BrokenConstraint(AssertionError):
    """What PostgreSQL would refuse with a unique violation."""


class CheckoutRows(Rows):
    """What one app has, with all that hangs on checkout."""

    tenants: dict[UUID, Tenant] = field(default_factory=dict)
    sessions: dict[UUID, CheckoutSession] = field(default_factory=dict)
    attempts: dict[UUID, PaymentAttempt] = field(default_factory=dict)
    payments: dict[UUID, Payment] = field(default_factory=dict)
    refunds: dict[UUID, Refund] = field(default_factory=dict)
    chargebacks: dict[UUID, Chargeback] = field(default_factory=dict)
    mandates: dict[UUID, Mandate] = field(default_factory=dict)
    customers: dict[UUID, Customer] = field(default_factory=dict)
    keys: dict[KeyId, Claim] = field(default_factory=dict)
    one_time_payments: dict[UUID, OneTimePayment] = field(default_factory=dict)
    subscriptions: dict[UUID, Subscription] = field(default_factory=dict)
    periods: dict[tuple[UUID, int], Period] = field(default_factory=dict)
    bills: dict[UUID, Bill] = field(default_factory=dict)
    history: dict[UUID, tuple[HistoryRow, ...]] = field(default_factory=dict)
    trials: dict[tuple[UUID, UUID], UUID] = field(default_factory=dict)
    """By tenant and product: the subscription that tried it out."""
    balances: dict[tuple[UUID, str], Money] = field(default_factory=dict)
    """By tenant and currency."""
    policy: BillingPolicy | None = None
    clocks: dict[UUID, test_clock.TestClock] = field(default_factory=dict)
    messages: dict[UUID, Message] = field(default_factory=dict)
    outcomes: dict[UUID, Outcome] = field(default_factory=dict)
    postings: list[RecordedPosting] = field(default_factory=list)


def one_each(rows: Iterable[T], *names: str) -> None:
    """A unique constraint over these fields."""
    seen: set[tuple[object, ...]] = set()
    for row in rows:
        key = tuple(getattr(row, name) for name in names)
        if key in seen:
            raise BrokenConstraint(f"two {type(row).__name__}s with the same {names}: {key}")
        seen.add(key)


def key_id(key: RequestKey) -> KeyId:
    return key.caller, key.operation, key.key


def changed(before: tuple[T, ...], after: tuple[T, ...]) -> list[T]:
    return [row for row in after if row not in before]


def newest(rows: Iterable[T], request: PageRequest) -> Page[T]:
    found = sorted(rows, key=lambda row: row.uuid, reverse=True)  # type: ignore[attr-defined]
    end = request.offset + request.limit
    return Page(tuple(found[request.offset : end]), len(found))


class CustomerRows:
    def __init__(self, rows: CheckoutRows) -> None:
        self._rows = rows

    def _find(self, account_uuid: UUID, tenant_uuid: TenantUuid) -> Customer | None:
        wanted = (account_uuid, tenant_uuid)
        return next(
            (
                c
                for c in self._rows.customers.values()
                if (c.payment_provider_uuid, c.tenant_uuid) == wanted
            ),
            None,
        )

    async def claim(self, new: Customer, *, now: datetime) -> tuple[Customer, bool]:
        known = self._find(new.payment_provider_uuid, new.tenant_uuid)
        if known is None:
            self._rows.customers[new.uuid] = new
            return new, True
        if known.provider_ref is not None or known.lease_until > now:
            return known, False
        ours = replace(known, lease_until=new.lease_until, updated_at=new.created_at)
        self._rows.customers[known.uuid] = ours
        return ours, True

    async def adopt(self, uuid: UUID, provider_ref: str, *, at: datetime) -> None:
        known = self._rows.customers[uuid]
        if known.provider_ref is None:
            adopted = replace(known, provider_ref=provider_ref, updated_at=at)
            self._rows.customers[uuid] = adopted

    async def release(self, uuid: UUID, *, at: datetime) -> None:
        known = self._rows.customers[uuid]
        if known.provider_ref is None:
            self._rows.customers[uuid] = replace(known, lease_until=at, updated_at=at)

    async def forget(
        self, account_uuid: UUID, tenant_uuid: TenantUuid, *, known_before: datetime, new_uuid: UUID
    ) -> None:
        known = self._find(account_uuid, tenant_uuid)
        if known and known.provider_ref is not None and known.updated_at <= known_before:
            del self._rows.customers[known.uuid]
            self._rows.customers[new_uuid] = replace(
                known,
                uuid=new_uuid,
                provider_ref=None,
                lease_until=known_before,
                first_submitted_at=known_before,
                updated_at=known_before,
            )

    async def reference(self, account_uuid: UUID, tenant_uuid: TenantUuid) -> str:
        known = self._find(account_uuid, tenant_uuid)
        if known is None or known.provider_ref is None:
            raise NotFound("customer of tenant", tenant_uuid)
        return known.provider_ref


class OneTimePaymentRows:
    def __init__(self, rows: CheckoutRows) -> None:
        self._rows = rows

    async def add(self, purchase: OneTimePayment) -> None:
        self._rows.one_time_payments[purchase.uuid] = purchase
        one_each(self._rows.one_time_payments.values(), "checkout_session_uuid")
        one_each(self._rows.one_time_payments.values(), "payment_uuid")

    async def list(self, tenant_uuid: TenantUuid, request: PageRequest) -> Page[OneTimePayment]:
        ours = (p for p in self._rows.one_time_payments.values() if p.tenant_uuid == tenant_uuid)
        return newest(ours, request)


class KeyRows:
    def __init__(self, rows: CheckoutRows) -> None:
        self._rows = rows

    async def claim(
        self, key: RequestKey, *, now: datetime, until: datetime, expires_at: datetime
    ) -> Claim | None:
        held = self._rows.keys.get(key_id(key))
        if held is not None and held.expires_at > now:
            return held
        ours = Claim(
            fingerprint=key.fingerprint, answer=None, lease_until=until, expires_at=expires_at
        )
        self._rows.keys[key_id(key)] = ours
        return None

    async def peek(self, key: RequestKey) -> Claim | None:
        return self._rows.keys.get(key_id(key))

    async def renew(self, key: RequestKey, *, now: datetime, until: datetime) -> bool:
        held = self._rows.keys.get(key_id(key))
        if held is None or held.answer is not None or held.lease_until > now:
            return False
        self._rows.keys[key_id(key)] = replace(held, lease_until=until)
        return True

    async def note_subject(self, key: RequestKey, subject_uuid: UUID) -> None:
        held = self._rows.keys.get(key_id(key))
        if held is not None:
            self._rows.keys[key_id(key)] = replace(held, subject_uuid=subject_uuid)

    async def finish(self, key: RequestKey, answer: Answer) -> Answer:
        held = self._rows.keys.get(key_id(key))
        if held is None:
            return answer
        self._rows.keys[key_id(key)] = replace(held, answer=held.answer or answer)
        return held.answer or answer

    async def release(self, key: RequestKey, *, at: datetime) -> None:
        held = self._rows.keys.get(key_id(key))
        if held is not None and held.answer is None:
            self._rows.keys[key_id(key)] = replace(held, lease_until=at)

    async def forget_expired(self, *, now: datetime) -> None:
        for name in [n for n, held in self._rows.keys.items() if held.expires_at <= now]:
            del self._rows.keys[name]


class InboxRows:
    def __init__(self, rows: CheckoutRows) -> None:
        self._rows = rows

    async def add(self, message: Message) -> bool:
        same = (message.payment_provider_uuid, message.event_id)
        known = {(m.payment_provider_uuid, m.event_id) for m in self._rows.messages.values()}
        if message.event_id is not None and same in known:
            return False
        self._rows.messages[message.uuid] = message
        return True

    async def done(self, uuid: UUID, outcome: Outcome, *, at: datetime) -> None:
        self._rows.outcomes[uuid] = outcome

    async def postpone(self, uuid: UUID, *, due_at: datetime) -> None:
        if uuid not in self._rows.outcomes:
            self._rows.messages[uuid] = replace(self._rows.messages[uuid], due_at=due_at)


class DueWorkRows:
    """Claims of due rows, as a worker makes them."""

    def __init__(self, rows: CheckoutRows) -> None:
        self._rows = rows

    async def messages(self, now: datetime, until: datetime) -> list[Message]:
        waiting = (m for m in self._rows.messages.values() if m.uuid not in self._rows.outcomes)
        found = [replace(m, due_at=until, tries=m.tries + 1) for m in waiting if m.due_at <= now]
        self._rows.messages.update((m.uuid, m) for m in found)
        return found

    async def payments(self, now: datetime, until: datetime) -> list[DuePayment]:
        found = [p for p in self._rows.payments.values() if p.due_at and p.due_at <= now]
        self._rows.payments.update((p.uuid, replace(p, due_at=until)) for p in found)
        return [DuePayment(p.payment_provider_uuid, p.provider_ref) for p in found]

    async def sessions(self, now: datetime, until: datetime) -> list[UUID]:
        is_open = (s for s in self._rows.sessions.values() if s.status is SessionStatus.OPEN)
        found = [s for s in is_open if s.due_at <= now]
        self._rows.sessions.update((s.uuid, replace(s, due_at=until)) for s in found)
        return [s.uuid for s in found]

    async def subscriptions(self, now: datetime, until: datetime) -> list[UUID]:
        in_real_time = (s for s in self._rows.subscriptions.values() if s.test_clock_uuid is None)
        found = [s for s in in_real_time if s.due_at is not None and s.due_at <= now]
        self._rows.subscriptions.update((s.uuid, replace(s, due_at=until)) for s in found)
        return [s.uuid for s in found]

    async def test_clocks(self, now: datetime, until: datetime) -> list[UUID]:
        found = [c for c in self._rows.clocks.values() if c.due_at is not None and c.due_at <= now]
        self._rows.clocks.update((c.uuid, replace(c, due_at=until)) for c in found)
        return [c.uuid for c in found]

    async def postpone_payment(self, account_uuid: UUID, ref: str, *, due_at: datetime) -> None:
        for payment in self._rows.payments.values():
            if (payment.payment_provider_uuid, payment.provider_ref) == (account_uuid, ref):
                self._rows.payments[payment.uuid] = replace(payment, due_at=due_at)
                return

    async def attempts(self, now: datetime) -> list[UUID]:
        waiting = AttemptStatus.SUBMITTING
        return [
            a.uuid for a in self._rows.attempts.values() if a.status is waiting and a.due_at <= now
        ]

    async def refunds(self, now: datetime) -> list[UUID]:
        waiting = RefundStatus.REQUESTED
        return [
            r.uuid for r in self._rows.refunds.values() if r.status is waiting and r.due_at <= now
        ]
