"""KOMOJU's JSON as it comes: its shapes, and the words that are not ours. Pure: no I/O, no clock.

Unknown fields are passed over. What decides about money (status, amount, currency) is never guessed
at: an unknown value there is ProviderUnreadable, and everything stays as it is.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from domain.kernel.errors import ProviderUnreadable
from domain.kernel.money import EXPONENTS, Money, currency
from domain.payments.ports import ShopperMethod

REASON_CHARS_MAX: Final = 200

# KOMOJU counts in the lowest unit, as we do. Where it and we would disagree on what that is, or we
# do not know the currency at all, it is not taken.
_WITH_CENTS: Final = "USD EUR TWD PLN GBP HKD SGD NZD AUD IDR MYR PHP THB CNY BRL CHF CAD"
_WITHOUT: Final = "JPY KRW VND"
_DECIMALS: Final = dict.fromkeys(_WITH_CENTS.split(" "), 2) | dict.fromkeys(_WITHOUT.split(" "), 0)
CURRENCIES: Final = frozenset(
    code for code, decimals in _DECIMALS.items() if EXPONENTS.get(code) == decimals
)

SLUGS: Final[Mapping[str, str]] = {
    ShopperMethod.CARD: "credit_card",
    ShopperMethod.PAYPAY: "paypay",
    ShopperMethod.KONBINI: "konbini",
    ShopperMethod.BANK_TRANSFER: "bank_transfer",
    ShopperMethod.PAY_EASY: "pay_easy",
}
"""KOMOJU's names of what shoppers may pay with."""
STORABLE: Final = frozenset({ShopperMethod.CARD, ShopperMethod.PAYPAY})
"""What KOMOJU charges again without the shopper; the documentation names no other."""
CASH: Final = frozenset({"konbini", "bank_transfer", "pay_easy"})
"""Paid later and elsewhere; given back by hand, to a bank account that the shopper names."""
_OURS: Final = {slug: ours for ours, slug in SLUGS.items()}

_ID: Final = re.compile(r"\A[A-Za-z0-9]{1,64}\Z", re.ASCII)
_PAGE: Final = re.compile(r"https?://[^\s/]", re.ASCII)
Moment = Annotated[datetime, Meta(tz=True)]
Minor = Annotated[int, Meta(ge=0)]
T = TypeVar("T")


class WireRefund(Struct, frozen=True, kw_only=True):
    id: str
    amount: Minor
    currency: str
    created_at: Moment
    description: str | None = None
    chargeback: bool = False


class WirePayment(Struct, frozen=True, kw_only=True):
    id: str
    status: str
    total: Minor
    """With tax and fee: what the shopper pays."""
    currency: str
    created_at: Moment
    payment_method_fee: Minor | None = None
    customer: str | None = None
    session: str | None = None
    payment_details: Any = None
    payment_deadline: Moment | None = None
    captured_at: Moment | None = None
    metadata: Any = None
    """Whatever it was created with, by us or by somebody else."""
    refunds: list[WireRefund] | None = None

    @property
    def asked_for(self) -> int:
        """Without the fee that some ways to pay cost the shopper on top."""
        return max(self.total - (self.payment_method_fee or 0), 0)

    @property
    def slug(self) -> str | None:
        return text(self.payment_details, "type")


class WireMethod(Struct, frozen=True):
    type: str


class WireSession(Struct, frozen=True, kw_only=True):
    id: str
    mode: str
    status: str
    expired: bool
    amount: Minor
    currency: str
    session_url: str
    created_at: Moment
    completed_at: Moment | None = None
    payment: WirePayment | None = None
    payment_methods: list[WireMethod] = []
    customer_id: str | None = None
    metadata: Any = None

    @property
    def slug(self) -> str | None:
        """How it was paid, or the one way in which it can be."""
        if self.payment is not None:
            return self.payment.slug
        return self.payment_methods[0].type if len(self.payment_methods) == 1 else None


class WireCustomer(Struct, frozen=True, kw_only=True):
    id: str
    source: Any = None
    metadata: Any = None


class Problem(Struct, frozen=True):
    """KOMOJU's error envelope, as far as it is used."""

    code: str
    message: str
    param: str | None = None

    @property
    def reason(self) -> str:
        return self.message[:REASON_CHARS_MAX]


class _Refusal(Struct, frozen=True):
    error: Problem


def decode(decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # The body stays out of the message: it may hold a shopper's name.
        raise ProviderUnreadable(f"komoju's answer is no {what}") from None


_REFUSAL: Final = msgspec.json.Decoder(_Refusal)


def problem_from(body: bytes) -> Problem:
    return decode(_REFUSAL, body, "error that it would send").error


def is_id(id: str) -> bool:
    return _ID.match(id) is not None


def money_from(minor: int, code: str) -> Money:
    if code not in CURRENCIES:
        raise ProviderUnreadable("komoju's answer holds an amount that is none in our currencies")
    return Money(minor, currency(code))


def method_from(slug: str | None) -> str | None:
    return None if slug is None else _OURS.get(slug, slug)


def uuid_in(metadata: Any, name: str) -> UUID | None:
    """Ours, if it is there. Metadata of others may be anything."""
    return uuid_of(text(metadata, name))


def uuid_of(written: str | None) -> UUID | None:
    try:
        return None if written is None else UUID(written)
    except ValueError:
        return None


def text(found: Any, name: str) -> str | None:
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, str) else None


def page_of(url: str) -> str:
    """A shopper's browser is sent there."""
    if _PAGE.match(url) is None:
        raise ProviderUnreadable("komoju's answer links to a checkout that is no web page")
    return url
