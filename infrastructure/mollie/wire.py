"""Mollie's JSON into our words and back. Pure: no I/O, no clock.

Unknown fields are passed over. What decides about money (status, amount, kind, mode) is never
guessed at: an unknown value there is ProviderUnreadable, and everything stays as it is.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from domain.kernel.errors import ProviderUnreadable
from domain.kernel.money import EXPONENTS, Money, currency
from domain.payments.answers import (
    CaptureStatus,
    MandateStatus,
    PaymentStatus,
    ProviderCapture,
    ProviderChargeback,
    ProviderMandate,
    ProviderPayment,
    ProviderRefund,
    RefundStatus,
    SequenceType,
)
from domain.payments.payment_provider import ProviderMode

REASON_CHARS_MAX: Final = 200

PAYMENT_STATUS: Final[Mapping[str, PaymentStatus]] = {
    "open": PaymentStatus.OPEN,
    "pending": PaymentStatus.PENDING,
    "authorized": PaymentStatus.AUTHORIZED,
    "paid": PaymentStatus.PAID,
    "failed": PaymentStatus.FAILED,
    "canceled": PaymentStatus.CANCELED,
    "expired": PaymentStatus.EXPIRED,
}
REFUND_STATUS: Final[Mapping[str, RefundStatus]] = {
    "queued": RefundStatus.QUEUED,
    "pending": RefundStatus.PENDING,
    "processing": RefundStatus.PROCESSING,
    "refunded": RefundStatus.REFUNDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.CANCELED,
}
CAPTURE_STATUS: Final[Mapping[str, CaptureStatus]] = {
    "pending": CaptureStatus.PENDING,
    "succeeded": CaptureStatus.SUCCEEDED,
    "failed": CaptureStatus.FAILED,
}
MANDATE_STATUS: Final[Mapping[str, MandateStatus]] = {
    "pending": MandateStatus.PENDING,
    "valid": MandateStatus.VALID,
    "invalid": MandateStatus.INVALID,
}
SEQUENCE_TYPE: Final[Mapping[str, SequenceType]] = {
    "oneoff": SequenceType.ONEOFF,
    "first": SequenceType.FIRST,
    "recurring": SequenceType.RECURRING,
}
# Where our word for a method is not Mollie's.
_METHODS_OF_MOLLIE: Final = {"card": "creditcard"}
_METHODS_OF_OURS: Final = {theirs: ours for ours, theirs in _METHODS_OF_MOLLIE.items()}

_DECIMAL: Final = re.compile(r"(\d{1,15})(?:\.(\d{1,4}))?", re.ASCII)
_PAGE: Final = re.compile(r"https?://[^\s/]", re.ASCII)

# A prefix and a tail of any length; never more than that may enter a path.
REF_PATTERN: Final = r"\A[A-Za-z]{1,10}_[A-Za-z0-9]{1,100}\Z"
Ref = Annotated[str, Meta(pattern=REF_PATTERN)]
Moment = Annotated[datetime, Meta(tz=True)]
T = TypeVar("T")
V = TypeVar("V")


class WireAmount(Struct, frozen=True):
    currency: str
    value: str


class WireLink(Struct, frozen=True):
    href: str


class PaymentLinks(Struct, frozen=True):
    checkout: WireLink | None = None


class WirePayment(Struct, frozen=True, rename="camel", kw_only=True):
    id: Ref
    mode: str
    status: str
    amount: WireAmount
    sequence_type: str
    created_at: Moment
    metadata: Any = None
    """Whatever it was created with, by us or by somebody else."""
    details: Any = None
    status_reason: Any = None
    method: str | None = None
    customer_id: str | None = None
    mandate_id: str | None = None
    is_cancelable: bool = False
    paid_at: Moment | None = None
    amount_refunded: WireAmount | None = None
    amount_charged_back: WireAmount | None = None
    amount_captured: WireAmount | None = None
    capture_mode: str | None = None
    capture_delay: str | None = None
    links: PaymentLinks = msgspec.field(name="_links", default=PaymentLinks())


class WireCapture(Struct, frozen=True, rename="camel", kw_only=True):
    id: Ref
    mode: str
    status: str
    amount: WireAmount
    payment_id: str
    created_at: Moment
    metadata: Any = None


class WireRefund(Struct, frozen=True, rename="camel", kw_only=True):
    id: Ref
    mode: str
    status: str
    amount: WireAmount
    payment_id: str
    created_at: Moment
    metadata: Any = None


class WireChargeback(Struct, frozen=True, rename="camel", kw_only=True):
    id: Ref
    amount: WireAmount
    payment_id: str
    created_at: Moment
    mode: str | None = None
    """Not every version of Mollie's says it: an account's key sees one mode alone."""
    reason: Any = None
    reversed_at: Moment | None = None


class WireMandate(Struct, frozen=True, rename="camel", kw_only=True):
    id: Ref
    mode: str
    status: str
    method: str
    customer_id: str
    details: Any = None


class WireCustomer(Struct, frozen=True, rename="camel", kw_only=True):
    id: Ref
    mode: str
    created_at: Moment
    metadata: Any = None


class Problem(Struct, frozen=True):
    """Mollie's error envelope, as far as it is used."""

    detail: str
    field: str | None = None


def decode(decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # The body stays out of the message: it may hold a shopper's name.
        raise ProviderUnreadable(f"mollie's answer is no {what}") from None


_PROBLEM: Final = msgspec.json.Decoder(Problem)


def problem_from(body: bytes) -> tuple[str, str | None]:
    """The reason of a 4xx, and the field to blame."""
    problem = decode(_PROBLEM, body, "error that it would send")
    return problem.detail[:REASON_CHARS_MAX], problem.field


def amount_of(money: Money) -> WireAmount:
    assert money.minor >= 0, money
    exponent = EXPONENTS[money.currency]
    if exponent == 0:
        return WireAmount(money.currency, str(money.minor))
    digits = str(money.minor).rjust(exponent + 1, "0")
    return WireAmount(money.currency, f"{digits[:-exponent]}.{digits[-exponent:]}")


def money_from(amount: WireAmount) -> Money:
    """Exact, or ProviderUnreadable: never rounded, and with the currency's own decimals."""
    match = _DECIMAL.fullmatch(amount.value)
    exponent = EXPONENTS.get(amount.currency)
    if match is None or exponent is None or len(match[2] or "") != exponent:
        raise ProviderUnreadable("mollie's answer holds an amount that is none in our currencies")
    return Money(int(match[1] + (match[2] or "")), currency(amount.currency))


def method_of(ours: str) -> str:
    return _METHODS_OF_MOLLIE.get(ours, ours)


def payment_from(wire: WirePayment, mode: ProviderMode) -> ProviderPayment:
    amount = money_from(wire.amount)
    check_mode(wire.mode, mode)
    return ProviderPayment(
        ref=wire.id,
        status=_known(PAYMENT_STATUS, wire.status, "payment status"),
        amount=amount,
        sequence_type=_known(SEQUENCE_TYPE, wire.sequence_type, "sequence type"),
        refunded=_part(wire.amount_refunded, amount),
        charged_back=_part(wire.amount_charged_back, amount),
        captured=_captured(wire, amount),
        attempt_uuid=uuid_in(wire.metadata, "attempt"),
        method=None if wire.method is None else _METHODS_OF_OURS.get(wire.method, wire.method),
        checkout_url=_page(wire.links.checkout),
        customer_ref=wire.customer_id,
        mandate_ref=wire.mandate_id,
        failure_reason=_failure_reason(wire),
        is_cancelable=wire.is_cancelable,
        paid_at=_utc(wire.paid_at),
        created_at=wire.created_at.astimezone(UTC),
    )


def refund_from(wire: WireRefund, mode: ProviderMode) -> ProviderRefund:
    check_mode(wire.mode, mode)
    return ProviderRefund(
        ref=wire.id,
        status=_known(REFUND_STATUS, wire.status, "refund status"),
        amount=money_from(wire.amount),
        refund_uuid=uuid_in(wire.metadata, "refund"),
        payment_ref=wire.payment_id,
        created_at=wire.created_at.astimezone(UTC),
    )


def capture_from(wire: WireCapture, mode: ProviderMode) -> ProviderCapture:
    check_mode(wire.mode, mode)
    return ProviderCapture(
        ref=wire.id,
        status=_known(CAPTURE_STATUS, wire.status, "capture status"),
        amount=money_from(wire.amount),
        capture_uuid=uuid_in(wire.metadata, "capture"),
        payment_ref=wire.payment_id,
        created_at=wire.created_at.astimezone(UTC),
    )


def chargeback_from(wire: WireChargeback, mode: ProviderMode) -> ProviderChargeback:
    check_mode(wire.mode or mode, mode)
    return ProviderChargeback(
        ref=wire.id,
        payment_ref=wire.payment_id,
        amount=money_from(wire.amount),
        reason=_text(wire.reason, "code"),
        created_at=wire.created_at.astimezone(UTC),
        reversed_at=_utc(wire.reversed_at),
    )


def mandate_from(wire: WireMandate, mode: ProviderMode) -> ProviderMandate:
    check_mode(wire.mode, mode)
    details = {
        name: value
        for name in ("cardNumber", "cardLabel", "cardExpiryDate")
        if (value := _text(wire.details, name)) is not None
    }
    for name in ("cardNumber", "consumerAccount"):
        if (number := _text(wire.details, name)) is not None:
            details[name] = number[-4:]
    return ProviderMandate(
        ref=wire.id,
        customer_ref=wire.customer_id,
        status=_known(MANDATE_STATUS, wire.status, "mandate status"),
        method=_METHODS_OF_OURS.get(wire.method, wire.method),
        details=details,
    )


def check_mode(said: str, mode: ProviderMode) -> None:
    """Play money must never pay for the real thing."""
    if said != mode:
        raise ProviderUnreadable(f"mollie's answer is not of the account's mode, {mode}")


def uuid_in(metadata: Any, name: str) -> UUID | None:
    """Ours, if it is there. Metadata of others may be anything."""
    text = _text(metadata, name)
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None


def _failure_reason(wire: WirePayment) -> str | None:
    """What the bank said comes before what Mollie makes of it."""
    return (
        _text(wire.details, "failureReason")
        or _text(wire.details, "bankReasonCode")
        or _text(wire.status_reason, "code")
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)


def _text(found: Any, name: str) -> str | None:
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, str) else None


def _part(amount: WireAmount | None, whole: Money) -> Money:
    if amount is None:
        return Money(0, whole.currency)
    part = money_from(amount)
    if part.currency != whole.currency:
        raise ProviderUnreadable("mollie's answer mixes two currencies in one payment")
    return part


def _captured(wire: WirePayment, whole: Money) -> Money | None:
    """Only of what is captured apart: others are taken whole, whatever Mollie says of them.

    Paid, and nothing captured: that contradicts itself, and money hangs on it.
    """
    if wire.capture_mode != "manual" and wire.capture_delay is None:
        return None
    captured = _part(wire.amount_captured, whole)
    if wire.status == "paid" and not 0 < captured.minor <= whole.minor:
        raise ProviderUnreadable("mollie's answer is paid, but not by what was captured")
    return captured


def _page(link: WireLink | None) -> str | None:
    """A shopper's browser is sent there."""
    if link is None:
        return None
    if _PAGE.match(link.href) is None:
        raise ProviderUnreadable("mollie's answer links to a checkout that is no web page")
    return link.href


def _known(words: Mapping[str, V], word: str, what: str) -> V:
    if (known := words.get(word)) is None:
        raise ProviderUnreadable(f"mollie's answer holds an unknown {what}")
    return known
