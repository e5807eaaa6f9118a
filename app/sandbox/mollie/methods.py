"""The payment methods of the sandbox: limits, how long a payment may stay open, what recurs.

`GET /v2/methods` shows them. The list is closed here although Mollie's grows.
"""

from datetime import timedelta
from typing import Any, Final

from msgspec import Struct

from app.sandbox.mollie.calls import Answer, Call
from app.sandbox.mollie.hal import documentation, link
from app.sandbox.mollie.money import Amount, minor_units
from app.sandbox.mollie.problems import ApiProblem, refused
from app.sandbox.mollie.validation import LOCALES, known_only
from app.sandbox.words import words

ANY_CURRENCY: Final[frozenset[str]] = frozenset()
SEQUENCES: Final = frozenset({"oneoff", "first", "recurring"})
# When the shopper still has to choose, or the table below says nothing.
OPEN_FOR: Final = timedelta(minutes=15)


class Method(Struct, frozen=True):
    id: str
    description: str
    currencies: frozenset[str] = frozenset({"EUR"})
    minimum: int = 1  # cents of a euro; other currencies have no limit here but zero
    maximum: int | None = 5_000_000
    open_for: timedelta = OPEN_FOR
    sequences: frozenset[str] = frozenset({"oneoff", "first"})
    mandate: str | None = "directdebit"  # what a first payment leaves behind
    zero_first: bool = False
    cancelable: bool = False
    needs_lines: bool = False
    needs_address: bool = False


def _method(id: str, description: str, **facts: Any) -> Method:
    return Method(id, description, **facts)


_ONE_OFF: Final = frozenset({"oneoff"})
_HOUR: Final = timedelta(hours=1)
_TWO_DAYS: Final = timedelta(hours=48)
_LATER: Final = {"sequences": _ONE_OFF, "mandate": None, "needs_address": True}

METHODS: Final = {
    method.id: method
    for method in (
        _method("ideal", "iDEAL"),
        _method(
            "creditcard",
            "Card",
            currencies=ANY_CURRENCY,
            maximum=200_000,
            open_for=timedelta(minutes=30),
            sequences=SEQUENCES,
            mandate="creditcard",
            zero_first=True,
        ),
        _method(
            "paypal",
            "PayPal",
            currencies=ANY_CURRENCY,
            maximum=None,
            open_for=timedelta(hours=72),
            sequences=SEQUENCES,
            mandate="paypal",
            zero_first=True,
        ),
        _method(
            "directdebit",
            "SEPA Direct Debit",
            sequences=frozenset({"recurring"}),
            mandate=None,
            cancelable=True,
        ),
        _method("bancontact", "Bancontact", minimum=2, open_for=_HOUR),
        _method(
            "banktransfer",
            "Bank transfer",
            maximum=100_000_000,
            open_for=timedelta(days=12),
            sequences=_ONE_OFF,
            mandate=None,
            cancelable=True,
        ),
        _method("applepay", "Apple Pay", currencies=ANY_CURRENCY, mandate="creditcard"),
        _method("belfius", "Belfius Pay Button", open_for=_HOUR),
        _method("eps", "eps", open_for=_HOUR),
        _method("kbc", "KBC/CBC Payment Button", open_for=_HOUR),
        _method("mybank", "MyBank", open_for=timedelta(minutes=45)),
        _method("trustly", "Trustly"),
        _method("wero", "Wero"),
        _method("bizum", "Bizum", sequences=_ONE_OFF, mandate=None),
        _method("satispay", "Satispay", sequences=_ONE_OFF, mandate=None),
        _method("multibanco", "Multibanco", sequences=_ONE_OFF, mandate=None),
        _method("mbway", "MB WAY", sequences=_ONE_OFF, mandate=None),
        _method("bancomatpay", "BANCOMAT Pay", sequences=_ONE_OFF, mandate=None),
        _method("paysafecard", "paysafecard", sequences=_ONE_OFF, mandate=None),
        _method("giftcard", "Gift cards", sequences=_ONE_OFF, mandate=None),
        _method("pointofsale", "Point of sale", sequences=_ONE_OFF, mandate=None),
        _method(
            "przelewy24",
            "Przelewy24",
            currencies=frozenset({"EUR", "PLN"}),
            open_for=_HOUR,
            sequences=_ONE_OFF,
            mandate=None,
        ),
        _method("blik", "BLIK", currencies=frozenset({"EUR", "PLN"}), sequences=_ONE_OFF),
        _method("swish", "Swish", currencies=frozenset({"SEK"}), sequences=_ONE_OFF),
        _method("twint", "TWINT", currencies=frozenset({"CHF"}), sequences=_ONE_OFF),
        _method("vipps", "Vipps", currencies=frozenset({"NOK"}), sequences=_ONE_OFF),
        _method("mobilepay", "MobilePay", currencies=frozenset({"DKK"}), sequences=_ONE_OFF),
        _method("bacs", "Bacs Direct Debit", currencies=frozenset({"GBP"}), sequences=_ONE_OFF),
        _method("paybybank", "Pay by Bank", currencies=frozenset({"EUR", "GBP"})),
        _method(
            "klarna",
            "Klarna",
            currencies=ANY_CURRENCY,
            open_for=_TWO_DAYS,
            needs_lines=True,
            **_LATER,
        ),
        _method("in3", "iDEAL in3", open_for=_TWO_DAYS, needs_lines=True, **_LATER),
        _method("billie", "Billie", needs_lines=True, **_LATER),
        _method("riverty", "Riverty", needs_lines=True, **_LATER),
        _method("billink", "Billink", needs_lines=True, **_LATER),
        _method("alma", "Alma", **_LATER),
        _method(
            "voucher",
            "Vouchers",
            open_for=timedelta(hours=2),
            sequences=_ONE_OFF,
            mandate=None,
            needs_lines=True,
        ),
    )
}


def offered(amount: Amount, sequence: str) -> list[Method]:
    """What a shopper may choose from for this amount."""
    return [m for m in METHODS.values() if fits(m, amount, sequence)]


def fits(method: Method, amount: Amount, sequence: str) -> bool:
    if sequence not in method.sequences:
        return False
    if method.currencies and amount.currency not in method.currencies:
        return False
    if amount.minor == 0:
        return sequence == "first" and method.zero_first
    if amount.currency != "EUR":
        return True
    return method.minimum <= amount.minor and (
        method.maximum is None or amount.minor <= method.maximum
    )


def render(call: Call, method: Method) -> dict[str, Any]:
    image = f"https://www.mollie.com/external/icons/payment-methods/{method.id}"
    maximum = None if method.maximum is None else Amount("EUR", method.maximum).json()
    return {
        "resource": "method",
        "id": method.id,
        "description": method.description,
        "minimumAmount": Amount("EUR", method.minimum).json(),
        "maximumAmount": maximum,
        "image": {
            "size1x": f"{image}.png",
            "size2x": f"{image}%402x.png",
            "svg": f"{image}.svg",
        },
        "status": "activated",
        "_links": {
            "self": link(call.base, f"methods/{method.id}"),
            "documentation": documentation("get-method"),
        },
    }


_FILTERS: Final = words(
    "sequenceType locale amount[value] amount[currency] billingCountry includeWallets "
    "orderLineCategories include resource"
)


def list_methods(call: Call) -> Answer:
    known_only(call, query=_FILTERS)
    sequence, locale = call.query.get("sequenceType", "oneoff"), call.query.get("locale")
    if sequence not in SEQUENCES:
        raise ApiProblem(400, "The sequence type is invalid", "sequenceType")
    if locale is not None and locale not in LOCALES:
        raise ApiProblem(400, "The locale is invalid", "locale")
    asked = _asked_amount(call.query)
    if asked is None:
        found = [
            m
            for m in METHODS.values()
            if sequence in m.sequences and (not m.currencies or "EUR" in m.currencies)
        ]
    else:
        found = offered(asked, sequence)
    body = {
        "count": len(found),
        "_embedded": {"methods": [render(call, method) for method in found]},
        "_links": {
            "self": link(call.base, call.path),
            "documentation": documentation("list-methods"),
        },
    }
    return Answer(200, body)


def _asked_amount(query: dict[str, str]) -> Amount | None:
    value, currency = query.get("amount[value]"), query.get("amount[currency]")
    if value is None and currency is None:
        return None
    minor = None if value is None or currency is None else minor_units(value, currency)
    if minor is None or currency is None:
        raise refused("The amount contains an invalid value", "amount")
    return Amount(currency, minor)


def get_method(call: Call) -> Answer:
    known_only(call, query=_FILTERS | {"currency"})
    if (method := METHODS.get(call.ids[0])) is None:
        raise ApiProblem(404, f"No method exists with token {call.ids[0]}.")
    return Answer(200, render(call, method))
