"""What Mollie would say no to in a payment's parameters, said before it is asked.

What depends on the merchant's account (which methods it has, their limits, a mandate's state) is
not here: Mollie's own refusal is passed on.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec

from domain.kernel.errors import Violation
from domain.kernel.money import Money, half_up
from domain.payments.answers import SequenceType
from domain.payments.payment_provider import ConnectedBy, PaymentProvider
from infrastructure.addresses import GoogleAddressRules
from infrastructure.mollie.fees import fee_max
from infrastructure.mollie.parameters import Line, Parameters, PayerAddress, Route

# By name, as Mollie lists them for "Create payment". A new one of Mollie's is a word more here.
_METHODS: Final = (
    "alma applepay bacs bancomatpay bancontact banktransfer belfius billie billink bizum blik "
    "creditcard directdebit eps giftcard ideal in3 kbc klarna mbway mobilepay multibanco mybank "
    "paybybank paypal paysafecard pointofsale przelewy24 riverty satispay swish trustly twint "
    "vipps voucher wero"
)
METHODS: Final = frozenset(_METHODS.split())
_RECURRING: Final = frozenset({"creditcard", "directdebit", "paypal"})
_FREE_FIRST: Final = frozenset({"creditcard", "paypal"})
"""A first payment of nothing makes a mandate with these."""
_NEEDS_LINES: Final = frozenset({"billie", "billink", "in3", "klarna", "riverty", "voucher"})
_NEEDS_ADDRESS: Final = frozenset({"alma", "billie", "billink", "in3", "klarna", "riverty"})
_HELD: Final = frozenset(
    {"applepay", "billie", "creditcard", "klarna", "mobilepay", "riverty", "vipps"}
)
_NEGATIVE: Final = frozenset({"discount", "store_credit", "gift_card"})
_POSTAL: Final = ("street_and_number", "postal_code", "city", "country")
_DELAY: Final = re.compile(r"(\d{1,3}) (hour|day)s?", re.ASCII)
_DELAY_MAX: Final = timedelta(days=7)
_DUE_DAYS_MAX: Final = 100
_RATE: Final = re.compile(r"(\d{1,2}|100)\.(\d{2})", re.ASCII)


class MollieParameters:
    """Implements `ParametersPort`."""

    def mistakes(
        self,
        parameters: Mapping[str, Any],
        amount: Money,
        sequence_type: SequenceType,
        *,
        account: PaymentProvider,
        at: datetime,
    ) -> Iterator[Violation]:
        read = msgspec.convert(parameters, Parameters)
        yield from _methods(read, amount, sequence_type)
        yield from _lines(read.lines, amount)
        yield from _address(read.billing_address, "billingAddress")
        yield from _address(read.shipping_address, "shippingAddress")
        yield from _country(read.restrict_payment_methods_to_country)
        yield from _captures(read, sequence_type)
        yield from _split(read, amount)
        yield from _platform(read, account)
        yield from _dates(read, at.date())
        yield from _card(read, sequence_type)


def _methods(read: Parameters, amount: Money, sequence: SequenceType) -> Iterator[Violation]:
    chosen = frozenset(read.methods)
    if unknown := sorted(chosen - METHODS):
        yield Violation(f"mollie has no method {', '.join(unknown)}", "method")
        return
    if sequence is SequenceType.RECURRING and not chosen <= _RECURRING:
        yield Violation(f"only {', '.join(sorted(_RECURRING))} can be charged again", "method")
    is_free = sequence is SequenceType.FIRST and chosen and chosen <= _FREE_FIRST
    if amount.minor == 0 and not is_free:
        message = "must be 1 at least, but for a first payment with creditcard or paypal"
        yield Violation(message, "amount")
    if len(chosen) != 1:
        return
    if chosen <= _NEEDS_LINES and not read.lines:
        yield Violation(f"is required for {read.methods[0]}", "lines")
    if chosen <= _NEEDS_ADDRESS and read.billing_address is None:
        yield Violation(f"is required for {read.methods[0]}", "billingAddress")


def _lines(lines: tuple[Line, ...], amount: Money) -> Iterator[Violation]:
    if not lines:
        return
    for place, line in enumerate(lines):
        for violation in _line(line):
            yield Violation(violation.message, f"lines[{place}].{violation.field}")
    together = sum(line.total_amount for line in lines)
    if together != amount.minor:
        yield Violation(f"must be {together}, the sum of the lines", "amount")
    if not 0 <= sum(line.vat_amount or 0 for line in lines) <= max(together, 0):
        yield Violation("the VAT of all lines together is below zero, or above the total", "lines")


def _line(line: Line) -> Iterator[Violation]:
    total = line.unit_price * line.quantity - (line.discount_amount or 0)
    if line.total_amount != total:
        message = f"must be {total}: unitPrice x quantity, less discountAmount"
        yield Violation(message, "totalAmount")
    if line.unit_price < 0 and line.type not in _NEGATIVE:
        yield Violation("may be below zero for discounts, credit and gift cards only", "unitPrice")
    if line.unit_price > 0 and line.type in _NEGATIVE:
        yield Violation(f"must not be above zero for a {line.type}", "unitPrice")
    if line.vat_rate is None and line.vat_amount is None:
        return
    rate = _RATE.fullmatch(line.vat_rate or "")
    if rate is None:
        yield Violation('must be written like "21.00"', "vatRate")
    elif line.vat_amount is None:
        yield Violation("is required beside vatRate", "vatAmount")
    else:
        points = int(rate[1] + rate[2])
        vat = half_up(line.total_amount * points, 100_00 + points)
        if line.vat_amount != vat:
            message = f"must be {vat}: as much as {line.vat_rate} % is of totalAmount, rounded"
            yield Violation(message, "vatAmount")


def _address(address: PayerAddress | None, field: str) -> Iterator[Violation]:
    if address is None:
        return
    yield from _country(address.country, f"{field}.country")
    is_postal = all(getattr(address, part) for part in _POSTAL)
    if not address.email and not is_postal:
        message = "must have an email, or streetAndNumber, postalCode, city and country"
        yield Violation(message, field)


def _country(
    code: str | None, field: str = "restrictPaymentMethodsToCountry"
) -> Iterator[Violation]:
    if code is not None and code not in GoogleAddressRules().countries():
        yield Violation("is no ISO 3166 country of two letters", field)


def _captures(read: Parameters, sequence: SequenceType) -> Iterator[Violation]:
    if read.capture_delay is not None:
        if read.capture_mode == "manual":
            yield Violation("is for captureMode automatic", "captureDelay")
        if not timedelta(0) < _delay(read.capture_delay) <= _DELAY_MAX:
            message = 'must be written like "8 hours" or "2 days", and be 7 days at most'
            yield Violation(message, "captureDelay")
    if read.methods == ("riverty",) and read.capture_mode != "manual":
        yield Violation("must be manual for riverty", "captureMode")
    if read.capture_mode != "manual" and read.capture_delay is None:
        return
    if sequence is SequenceType.RECURRING:
        yield Violation("a recurring payment is captured at once", "captureMode")
    if read.methods and not _HELD & set(read.methods):
        yield Violation(f"{', '.join(read.methods)} cannot be captured later", "captureMode")


def _delay(written: str) -> timedelta:
    if (match := _DELAY.fullmatch(written)) is None:
        return timedelta(0)
    count = int(match[1])
    return timedelta(hours=count) if match[2] == "hour" else timedelta(days=count)


def _split(read: Parameters, amount: Money) -> Iterator[Violation]:
    if read.application_fee is not None and read.routing:
        yield Violation("either this or an applicationFee can be given", "routing")
    if sum(route.amount for route in read.routing) > amount.minor:
        yield Violation("its parts are more than the amount", "routing")
    yield from _organizations(read.routing)
    most = fee_max(amount).minor
    if read.application_fee is not None and read.application_fee.amount > most:
        yield Violation(f"must be {max(most, 0)} at most", "applicationFee.amount")


def _platform(read: Parameters, account: PaymentProvider) -> Iterator[Violation]:
    """A payment has one applicationFee, of an account that its merchant has let a platform into,
    and no routing beside it."""
    if account.connected_by is ConnectedBy.API_KEY and read.application_fee is not None:
        message = "can be taken at an account that its merchant connects by consent, and not by key"
        yield Violation(message, "applicationFee")
    if account.application_fee is not None:
        for said, field in ((read.application_fee, "applicationFee"), (read.routing, "routing")):
            if said:
                yield Violation("the platform takes its own fee of this account", field)


def _organizations(routing: tuple[Route, ...]) -> Iterator[Violation]:
    for place, route in enumerate(routing):
        if not route.destination.organization_id.startswith("org_"):
            field = f"routing[{place}].destination.organizationId"
            yield Violation("must be an organisation's id, org_...", field)


def _dates(read: Parameters, today: date) -> Iterator[Violation]:
    if read.due_date is not None and not 1 <= (read.due_date - today).days <= _DUE_DAYS_MAX:
        yield Violation(f"must be from tomorrow to {_DUE_DAYS_MAX} days on", "dueDate")
    born = read.consumer_date_of_birth
    if born is not None and born > today:
        yield Violation("is in the future", "consumerDateOfBirth")


def _card(read: Parameters, sequence: SequenceType) -> Iterator[Violation]:
    if read.card_token is not None and sequence is SequenceType.RECURRING:
        yield Violation("is for oneoff and first payments", "cardToken")
    if not read.store_credentials:
        return
    if read.card_token is None:
        yield Violation("is required to store credentials", "cardToken")
    if read.methods != ("creditcard",):
        yield Violation("must be creditcard to store credentials", "method")
