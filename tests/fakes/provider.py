"""A payment provider in memory, as strict as the real ones: the tests' oracle about money.

tests/contract/test_provider.py holds it to what Mollie does. `ledger` is everything it ever made,
`calls` everything it was asked. Here is what a test arranges; the ports are in the files beside.
"""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from domain.kernel.clock import Clock
from domain.kernel.money import EXPONENTS, Money
from domain.payments.answers import (
    MandateStatus,
    PaymentStatus,
    ProviderChargeback,
    ProviderMandate,
    ProviderPayment,
    RefundStatus,
    SequenceType,
)
from domain.payments.ports import Provider
from tests.fakes.provider_access import FakeAccess
from tests.fakes.provider_engine import LIVE, Asked, Engine, Fault, Made
from tests.fakes.provider_money_back import FakeChargebacks, FakeRefunds
from tests.fakes.provider_payments import FakeCustomers, FakeMandates, FakePayments
from tests.fakes.provider_world import book_money_back

__all__ = ["KEY_WINDOW_S", "LIVE", "Asked", "FakeProvider", "Fault", "Made"]

KEY_WINDOW_S: Final = 3000
REFUND_REPEATABLE_AFTER_S: Final = 3660
CARD: Final = {"cardNumber": "9479", "cardLabel": "Mastercard", "cardExpiryDate": "2039-12-31"}
ACCOUNT: Final = {"consumerAccount": "0000"}
LOCALES: Final = frozenset({"en_US", "en_GB", "de_DE", "nl_NL", "fr_FR"})


class FakeBudget:
    """What a test says: `waits` in seconds, by account."""

    def __init__(self) -> None:
        self.waits: dict[UUID, float] = {}

    def wait_s(self, account_uuid: UUID) -> float:
        return self.waits.get(account_uuid, 0)


class FakeProvider(Engine):
    """`busy` says whether a transaction is open: then it must not be called."""

    def __init__(self, clock: Clock, *, busy: Callable[[], bool] = lambda: False) -> None:
        super().__init__(clock, busy=busy)
        self.mandates_start_as = MandateStatus.VALID
        self.budget = FakeBudget()

    @property
    def provider(self) -> Provider:
        return Provider(
            currencies=frozenset(EXPONENTS),
            customers=FakeCustomers(self),
            payments=FakePayments(self),
            refunds=FakeRefunds(self),
            chargebacks=FakeChargebacks(self),
            mandates=FakeMandates(self),
            access=FakeAccess(self),
            budget=self.budget,
            key_window_s=KEY_WINDOW_S,
            locales=LOCALES,
            refund_repeatable_after_s=REFUND_REPEATABLE_AFTER_S,
        )

    def payment(self, ref: str) -> ProviderPayment:
        return self.world_with(ref).payments[ref]

    def pay(self, ref: str) -> None:
        payment = self.settle(ref, PaymentStatus.PAID, paid_at=self.clock.now())
        if payment.sequence_type is SequenceType.FIRST:
            is_card = payment.method == "card"
            mandate = ProviderMandate(
                ref=self.new_ref("mdt"),
                customer_ref=payment.customer_ref or "",
                status=self.mandates_start_as,
                method="card" if is_card else "directdebit",
                details=CARD if is_card else ACCOUNT,
            )
            world = self.world_with(ref)
            world.mandates[mandate.ref] = mandate
            world.payments[ref] = replace(payment, mandate_ref=mandate.ref)

    def fail(self, ref: str, reason: str = "insufficient_funds") -> None:
        self.settle(ref, PaymentStatus.FAILED, failure_reason=reason)

    def cancel(self, ref: str) -> None:
        self.settle(ref, PaymentStatus.CANCELED)

    def expire(self, ref: str) -> None:
        self.settle(ref, PaymentStatus.EXPIRED)

    def charge_back(self, ref: str, amount: Money | None = None, reason: str | None = None) -> str:
        """The shopper's bank takes money back. A card's mandate does not survive it."""
        world = self.world_with(ref)
        payment = world.payments[ref]
        assert payment.status is PaymentStatus.PAID, f"{ref} is not paid"
        chargeback = ProviderChargeback(
            ref=self.new_ref("chb"),
            payment_ref=ref,
            amount=amount or payment.amount - payment.charged_back,
            reason=reason,
            created_at=self.clock.now(),
        )
        world.chargebacks[chargeback.ref] = chargeback
        book_money_back(world, ref)
        mandate = world.mandates.get(payment.mandate_ref or "")
        if mandate is not None and mandate.method == "card":
            self.set_mandate(mandate.ref, MandateStatus.INVALID)
        return chargeback.ref

    def reverse_chargeback(self, payment_ref: str) -> None:
        """The last one that stands: the money comes again."""
        world = self.world_with(payment_ref)
        standing = [
            chargeback
            for chargeback in world.chargebacks.values()
            if chargeback.payment_ref == payment_ref and chargeback.reversed_at is None
        ]
        last = standing[-1]
        world.chargebacks[last.ref] = replace(last, reversed_at=self.clock.now())
        book_money_back(world, payment_ref)

    def set_mandate(self, ref: str, status: MandateStatus) -> None:
        world = next(w for w in self._worlds.values() if ref in w.mandates)
        world.mandates[ref] = replace(world.mandates[ref], status=status)

    def revoke_mandate(self, ref: str) -> None:
        """From now on it is gone."""
        for world in self._worlds.values():
            world.mandates.pop(ref, None)

    def set_refund(self, ref: str, status: RefundStatus) -> None:
        world = next(w for w in self._worlds.values() if ref in w.refunds)
        refund = world.refunds[ref] = replace(world.refunds[ref], status=status)
        book_money_back(world, refund.payment_ref)
