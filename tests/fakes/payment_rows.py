"""Attempts, payments and all that hangs on them in memory; checkout and subscriptions write them.

The contracts of both books hold them to what PostgreSQL does, unique constraints and all.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from msgspec.structs import replace

from domain.kernel.errors import NotFound
from domain.kernel.ids import TenantUuid
from domain.kernel.money import Money
from domain.kernel.pages import Page, PageRequest
from domain.payments.answers import MandateStatus, RefundStatus
from domain.payments.attempt import AttemptStatus, Owner, PaymentAttempt
from domain.payments.chargeback import Chargeback
from domain.payments.mandate import Mandate, usual
from domain.payments.payment import Payment
from domain.payments.refund import Refund, RefundReason
from domain.payments.repositories import KnownMoney
from domain.payments.sighting import PaymentFile
from tests.fakes.checkout_rows import CheckoutRows, changed, newest, one_each

T = TypeVar("T")


class Papers(Protocol):
    """A book's part that is about payments."""

    @property
    def attempts(self) -> tuple[PaymentAttempt, ...]: ...
    @property
    def payments(self) -> tuple[Payment, ...]: ...
    @property
    def refunds(self) -> tuple[Refund, ...]: ...
    @property
    def chargebacks(self) -> tuple[Chargeback, ...]: ...
    @property
    def mandates(self) -> tuple[Mandate, ...]: ...


def files_of(rows: CheckoutRows, payments: Iterable[Payment]) -> tuple[PaymentFile, ...]:
    return tuple(_file_of(rows, payment) for payment in sorted(payments, key=lambda p: p.uuid))


def _file_of(rows: CheckoutRows, payment: Payment) -> PaymentFile:
    refunds = (r for r in rows.refunds.values() if r.payment_uuid == payment.uuid)
    chargebacks = (c for c in rows.chargebacks.values() if c.payment_uuid == payment.uuid)
    same = (payment.payment_provider_uuid, payment.mandate_ref)
    mandates = (
        m for m in rows.mandates.values() if (m.payment_provider_uuid, m.provider_ref) == same
    )
    return PaymentFile(
        payment=payment,
        refunds=tuple(sorted(refunds, key=lambda r: r.uuid)),
        chargebacks=tuple(sorted(chargebacks, key=lambda c: c.uuid)),
        mandate=next(mandates, None),
    )


def save_papers(rows: CheckoutRows, before: Papers, after: Papers) -> None:
    """The rows that differ; of a row that is there, only what PostgreSQL updates."""
    for attempt in changed(before.attempts, after.attempts):
        _write(rows.attempts, attempt, "status", "decline_reason", "updated_at")
    _save_files(rows, before, after)


class Files(Protocol):
    @property
    def payments(self) -> tuple[Payment, ...]: ...
    @property
    def refunds(self) -> tuple[Refund, ...]: ...
    @property
    def chargebacks(self) -> tuple[Chargeback, ...]: ...
    @property
    def mandates(self) -> tuple[Mandate, ...]: ...


def _save_files(rows: CheckoutRows, before: Files, after: Files) -> None:
    for mandate in changed(before.mandates, after.mandates):
        _save_mandate(rows, mandate)
    for payment in changed(before.payments, after.payments):
        rows.payments[payment.uuid] = payment
    for refund in changed(before.refunds, after.refunds):
        _write(rows.refunds, refund, "status", "provider_ref", "decline_reason", "updated_at")
    for chargeback in changed(before.chargebacks, after.chargebacks):
        _write(rows.chargebacks, chargeback, "reversed_at", "updated_at")
    check_papers(rows)


def _write(table: dict[UUID, T], row: T, *fields: str) -> None:
    uuid: UUID = row.uuid  # type: ignore[attr-defined]
    held = table.get(uuid)
    table[uuid] = row if held is None else replace(held, **{f: getattr(row, f) for f in fields})


def _save_mandate(rows: CheckoutRows, mandate: Mandate) -> None:
    """An older look never undoes what is known since. The first valid one becomes the default."""
    same = (mandate.payment_provider_uuid, mandate.provider_ref)
    theirs = [m for m in rows.mandates.values() if _customer(m) == _customer(mandate)]
    held = next((m for m in theirs if (m.payment_provider_uuid, m.provider_ref) == same), None)
    if held is not None and held.updated_at > mandate.updated_at:
        mandate = held
    elif held is not None:
        is_default = held.is_default and mandate.status is not MandateStatus.INVALID
        kept = {"uuid": held.uuid, "created_at": held.created_at, "is_default": is_default}
        mandate = replace(mandate, **kept)
    has_default = any(m.is_default for m in theirs if m.uuid != mandate.uuid)
    if mandate.status is MandateStatus.VALID and not has_default:
        mandate = replace(mandate, is_default=True)
    rows.mandates[mandate.uuid] = mandate


def _customer(mandate: Mandate) -> tuple[UUID, UUID]:
    return mandate.payment_provider_uuid, mandate.tenant_uuid


def check_papers(rows: CheckoutRows) -> None:
    of_sessions = [a for a in rows.attempts.values() if a.checkout_session_uuid is not None]
    of_bills = [a for a in rows.attempts.values() if a.bill_uuid is not None]
    assert len(of_sessions) + len(of_bills) == len(rows.attempts), "an attempt has one owner"
    one_each(of_sessions, "checkout_session_uuid", "number")
    one_each(of_bills, "bill_uuid", "number")
    waiting = AttemptStatus.SUBMITTING
    one_each((a for a in of_bills if a.status is waiting), "bill_uuid")
    one_each(rows.payments.values(), "payment_provider_uuid", "provider_ref")
    one_each((p for p in rows.payments.values() if not p.is_surplus), "attempt_uuid")
    once = (RefundReason.VERIFICATION, RefundReason.SURPLUS)
    of_ours = [r for r in rows.refunds.values() if r.reason in once]
    standing = (r for r in of_ours if r.status is not RefundStatus.DECLINED)
    one_each(standing, "payment_uuid", "reason")
    made = [r for r in rows.refunds.values() if r.provider_ref is not None]
    one_each(made, "payment_provider_uuid", "provider_ref")
    one_each(rows.chargebacks.values(), "payment_provider_uuid", "provider_ref")


class FakeAttempts:
    def __init__(self, rows: CheckoutRows) -> None:
        self._rows = rows

    async def owner(self, uuid: UUID) -> Owner | None:
        attempt = self._rows.attempts.get(uuid)
        return None if attempt is None else attempt.owner

    async def lease(self, uuid: UUID, *, now: datetime, until: datetime) -> PaymentAttempt | None:
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

    async def release(self, held: PaymentAttempt, *, now: datetime, due_at: datetime) -> None:
        attempt = self._rows.attempts[held.uuid]
        is_ours = attempt.lease_until == held.lease_until
        if attempt.status is AttemptStatus.SUBMITTING and is_ours:
            freed = replace(attempt, lease_until=now, due_at=due_at, updated_at=now)
            self._rows.attempts[held.uuid] = freed


class PaymentRows:
    def __init__(self, rows: CheckoutRows) -> None:
        self._rows = rows

    async def list(
        self, tenant_uuid: TenantUuid, request: PageRequest, *, after: UUID | None
    ) -> Page[Payment]:
        ours = [p for p in self._rows.payments.values() if p.tenant_uuid == tenant_uuid]
        if after is None:
            return newest(ours, request)
        older = newest((p for p in ours if p.uuid < after), PageRequest(0, request.limit))
        return Page(older.items, 0)

    async def get(self, uuid: UUID) -> Payment:
        if uuid not in self._rows.payments:
            raise NotFound("payment", uuid)
        return self._rows.payments[uuid]

    async def ref_of(self, account_uuid: UUID, attempt_uuid: UUID) -> str | None:
        of = (account_uuid, attempt_uuid, False)
        for p in self._rows.payments.values():
            if (p.payment_provider_uuid, p.attempt_uuid, p.is_surplus) == of:
                return p.provider_ref
        return None

    async def known_money(self, account_uuid: UUID, payment_ref: str) -> KnownMoney | None:
        for payment in self._rows.payments.values():
            if (payment.payment_provider_uuid, payment.provider_ref) == (account_uuid, payment_ref):
                return _known(_file_of(self._rows, payment))
        return None

    async def lock_file(self, uuid: UUID) -> PaymentFile:
        return _file_of(self._rows, await self.get(uuid))

    async def save_file(self, before: PaymentFile, after: PaymentFile) -> None:
        _save_files(self._rows, _AsFiles(before), _AsFiles(after))


def _known(file: PaymentFile) -> KnownMoney:
    """As far as we have heard of it in full."""
    refunds = [r for r in file.refunds if r.provider_ref is not None and r.gives_back]
    standing = [c for c in file.chargebacks if c.reversed_at is None]
    nothing = Money(0, file.payment.amount.currency)
    return KnownMoney(
        sum((refund.amount for refund in refunds), nothing),
        sum((chargeback.amount for chargeback in standing), nothing),
        any(not refund.is_settled for refund in file.refunds),
    )


class _AsFiles:
    """One file, as a book has many."""

    def __init__(self, file: PaymentFile) -> None:
        self.payments, self.refunds = (file.payment,), file.refunds
        self.chargebacks = file.chargebacks
        self.mandates = () if file.mandate is None else (file.mandate,)


class MandateRows:
    def __init__(self, rows: CheckoutRows) -> None:
        self._rows = rows

    async def list(self, tenant_uuid: TenantUuid, request: PageRequest) -> Page[Mandate]:
        ours = (m for m in self._rows.mandates.values() if m.tenant_uuid == tenant_uuid)
        return newest(ours, request)

    async def get(self, uuid: UUID) -> Mandate:
        if uuid not in self._rows.mandates:
            raise NotFound("payment method", uuid)
        return self._rows.mandates[uuid]

    async def make_default(self, mandate: Mandate) -> bool:
        if (await self.get(mandate.uuid)).status is not MandateStatus.VALID:
            return False
        for other in list(self._rows.mandates.values()):
            if _customer(other) == _customer(mandate):
                is_default = other.uuid == mandate.uuid
                self._rows.mandates[other.uuid] = replace(other, is_default=is_default)
        return True

    async def end(self, uuid: UUID, *, at: datetime) -> bool:
        mandate = await self.get(uuid)
        if mandate.status is MandateStatus.INVALID:
            return False
        self._rows.mandates[uuid] = replace(
            mandate, status=MandateStatus.INVALID, is_default=False, updated_at=at
        )
        return True

    async def living_subscriptions(self, uuid: UUID) -> tuple[UUID, ...]:
        mandate = await self.get(uuid)
        known = sorted(self._rows.mandates.values(), key=lambda m: m.uuid)
        chosen = usual([m for m in known if _customer(m) == _customer(mandate)])
        found = (
            s.uuid
            for s in self._rows.subscriptions.values()
            if (s.payment_provider_uuid, s.tenant_uuid) == _customer(mandate)
            and (s.mandate_uuid or (chosen and chosen.uuid)) == uuid
            and not s.has_ended
        )
        return tuple(sorted(found))


class ChargebackRows:
    def __init__(self, rows: CheckoutRows) -> None:
        self._rows = rows

    async def list(self, payment_uuid: UUID, request: PageRequest) -> Page[Chargeback]:
        ours = (c for c in self._rows.chargebacks.values() if c.payment_uuid == payment_uuid)
        return newest(ours, request)


class RefundRows:
    def __init__(self, rows: CheckoutRows) -> None:
        self._rows = rows

    async def get(self, uuid: UUID) -> Refund:
        if uuid not in self._rows.refunds:
            raise NotFound("refund", uuid)
        return self._rows.refunds[uuid]

    async def list(self, payment_uuid: UUID, request: PageRequest) -> Page[Refund]:
        ours = (r for r in self._rows.refunds.values() if r.payment_uuid == payment_uuid)
        return newest(ours, request)

    async def cancel(self, uuid: UUID, *, at: datetime) -> Refund | None:
        refund = self._rows.refunds.get(uuid)
        if refund is None or refund.status is not RefundStatus.REQUESTED or refund.tries:
            return None
        canceled = replace(refund, status=RefundStatus.CANCELED, updated_at=at)
        self._rows.refunds[uuid] = canceled
        return canceled

    async def lease(self, uuid: UUID, *, now: datetime, until: datetime) -> Refund | None:
        refund = self._rows.refunds.get(uuid)
        if refund is None or refund.status is not RefundStatus.REQUESTED:
            return None
        if refund.lease_until > now:
            return None
        ours = replace(
            refund,
            lease_until=until,
            due_at=until,
            tries=refund.tries + 1,
            updated_at=now,
            first_submitted_at=refund.first_submitted_at if refund.tries else now,
        )
        self._rows.refunds[uuid] = ours
        return ours

    async def release(self, uuid: UUID, *, now: datetime, due_at: datetime) -> None:
        refund = self._rows.refunds[uuid]
        if refund.status is RefundStatus.REQUESTED:
            freed = replace(refund, lease_until=now, due_at=due_at, updated_at=now)
            self._rows.refunds[uuid] = freed
