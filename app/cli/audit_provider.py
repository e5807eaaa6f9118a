"""Holds an account's payments, refunds and chargebacks against its provider's own lists.

What is on its way to us is no difference: a call whose answer is not recorded yet, and a payment
that we look at again by ourselves. Only looks; repairs nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.kernel.clock import Clock
from domain.kernel.money import Money
from domain.payments.answers import ProviderChargeback, ProviderPayment, ProviderRefund
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import Provider, Providers
from infrastructure.postgres.audit import AuditTx, Row
from infrastructure.postgres.audit_holdings import (
    HeldChargeback,
    HeldPayment,
    HeldRefund,
    Since,
)
from infrastructure.postgres.database import Database

MARGIN: Final = timedelta(days=1)
"""What we have noted since then may be a little older at the provider."""
LOOKS_ARE_LATE: Final = timedelta(minutes=10)
NO_MONEY_BACK: Final = frozenset({"failed", "canceled", "declined"})


@dataclass(frozen=True, slots=True)
class Lists:
    """All that the provider holds since then."""

    payments: tuple[ProviderPayment, ...]
    refunds: tuple[ProviderRefund, ...]
    chargebacks: tuple[ProviderChargeback, ...]

    @property
    def payment_refs(self) -> set[str]:
        own = {payment.ref for payment in self.payments}
        refunded = {refund.payment_ref for refund in self.refunds}
        return own | refunded | {chargeback.payment_ref for chargeback in self.chargebacks}


@dataclass(frozen=True, slots=True)
class ProviderAudit:
    database: Database[AuditTx]
    providers: Providers
    clock: Clock

    async def differences(self, account: PaymentProvider, reach: timedelta) -> list[Row]:
        """Raises ProviderUnavailable and ProviderUnreadable: then nothing is proven."""
        provider = self.providers[account.name]
        now = self.clock.now()
        since = Since(account.uuid, now - reach)
        lists = await _lists(provider, account, since.at - MARGIN)
        # Theirs first, and then ours: what we lack now was there before we looked.
        async with self.database.begin(account.app_uuid) as tx:
            payments = await tx.holdings.payments(since, lists.payment_refs)
            refunds = await tx.holdings.refunds(since, lists.refunds)
            refs = {chargeback.ref for chargeback in lists.chargebacks}
            chargebacks = await tx.holdings.chargebacks(since, refs)
            attempts = {p.attempt_uuid for p in lists.payments if p.attempt_uuid is not None}
            under_way = await tx.holdings.attempts_under_way(attempts)
        comparison = Comparison(provider, account, now)
        ours = {payment.ref: payment for payment in payments}
        strange = [p for p in lists.payments if p.ref not in ours and p.attempt_uuid is not None]
        return [
            *(
                _missing_here("payment", p.ref, p)
                for p in strange
                if p.attempt_uuid not in under_way
            ),
            *await comparison.payments(ours, lists),
            *await comparison.refunds(refunds, lists, ours),
            *await comparison.chargebacks(chargebacks, lists, ours),
        ]


async def _lists(provider: Provider, account: PaymentProvider, at: datetime) -> Lists:
    return Lists(
        payments=tuple([seen async for seen in provider.payments.since(account, at)]),
        refunds=tuple([seen async for seen in provider.refunds.since(account, at)]),
        chargebacks=tuple([seen async for seen in provider.chargebacks.since(account, at)]),
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs is read again before it is told: it may have changed since the list was."""

    provider: Provider
    account: PaymentProvider
    now: datetime

    def is_awaited(self, due_at: datetime | None) -> bool:
        """We look by ourselves, and are not late."""
        return due_at is not None and due_at > self.now - LOOKS_ARE_LATE

    async def payments(self, ours: dict[str, HeldPayment], lists: Lists) -> list[Row]:
        rows: list[Row] = []
        listed = {payment.ref: payment for payment in lists.payments}
        for held in ours.values():
            seen = listed.get(held.ref)
            if self.is_awaited(held.due_at) or (seen and not any(_of_payment(held, seen))):
                continue
            seen = await self.provider.payments.get(self.account, held.ref)
            rows += (
                [_missing_there("payment", held.ref)] if seen is None else _of_payment(held, seen)
            )
        return rows

    async def refunds(
        self, held: Iterable[HeldRefund], lists: Lists, payments: dict[str, HeldPayment]
    ) -> list[Row]:
        rows: list[Row] = []
        ours = list(held)
        known = {refund.ref for refund in ours} | {refund.uuid for refund in ours}
        for seen in lists.refunds:
            payment = payments.get(seen.payment_ref)
            is_ours = payment is not None and not self.is_awaited(payment.due_at)
            if is_ours and seen.ref not in known and seen.refund_uuid not in known:
                rows.append(_missing_here("refund", seen.ref, seen))
        listed = {seen.ref: seen for seen in lists.refunds}
        for refund in ours:
            if refund.ref is None or self.is_awaited(refund.due_at):
                continue
            found = listed.get(refund.ref) or await self._refund(refund)
            if found is not None:
                rows += _of_refund(refund, found)
            elif refund.status not in NO_MONEY_BACK:
                rows.append(_missing_there("refund", refund.ref))
        return rows

    async def _refund(self, held: HeldRefund) -> ProviderRefund | None:
        found = await self.provider.refunds.list(self.account, held.payment_ref)
        return next((seen for seen in found if seen.ref == held.ref), None)

    async def chargebacks(
        self, held: Iterable[HeldChargeback], lists: Lists, payments: dict[str, HeldPayment]
    ) -> list[Row]:
        rows: list[Row] = []
        ours = {chargeback.ref: chargeback for chargeback in held}
        for seen in lists.chargebacks:
            payment = payments.get(seen.payment_ref)
            is_ours = payment is not None and not self.is_awaited(payment.due_at)
            if is_ours and seen.ref not in ours:
                rows.append(_missing_here("chargeback", seen.ref, seen))
        listed = {seen.ref: seen for seen in lists.chargebacks}
        for chargeback in ours.values():
            if self.is_awaited(chargeback.due_at):
                continue
            found = listed.get(chargeback.ref) or await self._chargeback(chargeback)
            if found is None:
                rows.append(_missing_there("chargeback", chargeback.ref))
            else:
                rows += _of_chargeback(chargeback, found)
        return rows

    async def _chargeback(self, held: HeldChargeback) -> ProviderChargeback | None:
        found = await self.provider.chargebacks.list(self.account, held.payment_ref)
        return next((seen for seen in found if seen.ref == held.ref), None)


def _of_payment(held: HeldPayment, seen: ProviderPayment) -> Iterator[Row]:
    told = _Told("payment", held.ref, held.currency)
    yield from told.unless_same("status", held.status, seen.status.value)
    yield from told.unless_equal("amount", held.amount_minor, seen.worth)
    yield from told.unless_equal("refunded", held.refunded_minor, seen.refunded)
    yield from told.unless_equal("charged back", held.charged_back_minor, seen.charged_back)


def _of_refund(held: HeldRefund, seen: ProviderRefund) -> Iterator[Row]:
    told = _Told("refund", seen.ref, held.currency)
    yield from told.unless_same("status", held.status, seen.status.value)
    yield from told.unless_equal("amount", held.amount_minor, seen.amount)


def _of_chargeback(held: HeldChargeback, seen: ProviderChargeback) -> Iterator[Row]:
    told = _Told("chargeback", seen.ref, held.currency)
    yield from told.unless_equal("amount", held.amount_minor, seen.amount)
    is_reversed = seen.reversed_at is not None
    yield from told.unless_same("reversed", str(held.is_reversed), str(is_reversed))


@dataclass(frozen=True, slots=True)
class _Told:
    what: str
    ref: str
    currency: str

    def unless_same(self, fault: str, ours: str, theirs: str) -> Iterator[Row]:
        if ours != theirs:
            yield {self.what: self.ref, "fault": fault, "ours": ours, "theirs": theirs}

    def unless_equal(self, fault: str, minor: int, seen: Money) -> Iterator[Row]:
        theirs = f"{seen.minor} {seen.currency}"
        yield from self.unless_same(fault, f"{minor} {self.currency}", theirs)


def _missing_here(
    what: str, ref: str, seen: ProviderPayment | ProviderRefund | ProviderChargeback
) -> Row:
    theirs = f"{seen.amount.minor} {seen.amount.currency}"
    return {what: ref, "fault": "missing here", "ours": None, "theirs": theirs}


def _missing_there(what: str, ref: str) -> Row:
    return {what: ref, "fault": "missing there", "ours": ref, "theirs": None}
