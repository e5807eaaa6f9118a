"""A stage: where the provider contract is played, with everybody else's parts in it.

It also says what its provider can do beyond what all of them can. A test of such a thing says what
is so where it is not there.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from domain.kernel.money import Money
from domain.payments.answers import MandateStatus, RefundStatus
from domain.payments.ports import Provider


class Can(StrEnum):
    """What not every provider can."""

    MAKE_CUSTOMERS = "it makes customers, and knows the ones that it has made"
    FAIL_FOR_GOOD = "a payment that fails is over; elsewhere the shopper tries again in it"
    LIST_WHAT_IS_UNPAID = "its lists have payments that nobody has begun to pay"
    CANCEL_CARDS_NEVER = "a card's payment cannot be called off, and a transfer's can"
    REFUND_SLOWLY = "a refund is made first, and comes to something later"
    TAKE_REPEATED_REFUNDS_FOR_MISTAKES = "the same amount is refunded once an hour"
    REVERSE_CHARGEBACKS = "a bank gives back what it had taken"
    END_CARDS_BY_CHARGEBACK = "a card that was charged back cannot be charged any more"
    DEBIT_ACCOUNTS = "bank accounts are debited, for which banks have reasons of their own"
    DECIDE_MANDATES_LATER = "a mandate waits, is granted, is taken away"
    CHOOSE_A_MANDATE = "a charge that names no mandate takes one that fits"
    FAIL_CHARGES_LATER = "a charge is made first, and fails for a reason that is kept with it"
    KNOW_STRANGERS = "a payment for a customer that it has not made is refused"


class Stage(Protocol):
    provider: Provider
    can: frozenset[Can]

    async def now(self) -> datetime: ...
    async def advance(self, by: timedelta) -> None: ...
    async def pay(self, ref: str) -> None: ...
    async def fail(self, ref: str, reason: str) -> None: ...
    async def expire(self, ref: str) -> None: ...
    async def charge_back(
        self, ref: str, amount: Money | None = None, reason: str | None = None
    ) -> None: ...
    async def reverse_chargeback(self, payment_ref: str) -> None: ...
    async def set_refund(self, ref: str, status: RefundStatus) -> None: ...
    async def set_mandate(self, ref: str, status: MandateStatus) -> None: ...
    async def new_mandates_wait(self) -> None: ...
    async def next_charge_fails(self, reason: str) -> None:
        """As it is made."""
        ...

    async def be_away(self, operation: str) -> None:
        """The next such call does nothing and is not answered."""
        ...

    async def be_busy(self, operation: str) -> None:
        """The next such call does nothing, and is told to come again in seven seconds."""
        ...

    async def lose_answer(self, operation: str) -> None:
        """The next such call is done, and not answered."""
        ...

    async def garble_answer(self, operation: str) -> None:
        """The next such call is done, and answered with nonsense."""
        ...

    async def payments_made(self) -> int: ...
    async def customers_made(self) -> int: ...
    async def refunds_made(self) -> int: ...
