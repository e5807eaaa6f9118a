"""What `POST /sessions` accepts."""

from datetime import timedelta
from typing import Any, Final

from app.sandbox.komoju.calls import Call
from app.sandbox.komoju.methods import METHODS, SLUGS
from app.sandbox.komoju.objects import Customer, Session
from app.sandbox.komoju.problems import refused
from app.sandbox.komoju.validation import (
    LOCALES,
    currency,
    known_only,
    metadata,
    one_of,
    required_number,
    text,
    url,
    whole_number,
)
from app.sandbox.words import words

LIFETIME_MAX: Final = 86_400
_MODES: Final = frozenset({"payment", "customer", "customer_payment"})
_FIELDS: Final = words(
    "mode amount currency return_url email expires_in_seconds external_customer_id "
    "payment_types default_locale line_items metadata payment_data customer_id fraud_details"
)
_PAYMENT_DATA: Final = words(
    "capture amount currency external_order_num name name_kana mcc intent statement_descriptor "
    "platform_details billing_address shipping_address"
)
_LINE_ITEM: Final = words("amount description quantity image external_product_num")


def read_session(call: Call) -> Session:
    body = call.body
    known_only(body, _FIELDS)
    mode = one_of(body, "mode", _MODES) or "payment"
    lifetime = whole_number(body, "expires_in_seconds", 1, LIFETIME_MAX) or LIFETIME_MAX
    amount, money = required_number(body, "amount", 0), currency(body)
    return Session(
        id=call.universe.new_id(),
        key=call.world.key,
        created_at=call.at,
        mode=mode,
        amount=amount,
        currency=money,
        expires_at=call.at + timedelta(seconds=lifetime),
        return_url=url(body, "return_url"),
        email=text(body, "email"),
        external_customer_id=text(body, "external_customer_id"),
        payment_types=_payment_types(body, mode),
        # Which one it is when nobody says is not written down; its examples have Japanese.
        default_locale=one_of(body, "default_locale", LOCALES) or "ja",
        line_items=_line_items(body),
        metadata=metadata(body),
        payment_data=_payment_data(body, mode, amount, money),
        customer_id=_customer(call, mode),
    )


def _payment_types(body: dict[str, Any], mode: str) -> tuple[str, ...]:
    given = body.get("payment_types")
    if given is None:
        return ()
    if not isinstance(given, list) or not given or not all(isinstance(s, str) for s in given):
        raise refused("payment_types must be a list of names", "payment_types")
    for slug in given:
        if slug not in SLUGS:
            raise refused(f"There is no payment type {slug}", "payment_types")
        if slug not in METHODS:
            raise refused(f"The payment type {slug} is not active", "payment_types")
        if "customer" in mode and not METHODS[slug].keeps:
            raise refused(f"The payment type {slug} cannot be saved", "payment_types")
    return tuple(given)


def _line_items(body: dict[str, Any]) -> list[dict[str, Any]] | None:
    """For show: whether they must add up to the amount is not documented, so they need not."""
    items = body.get("line_items")
    if items is None:
        return None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise refused("line_items must be a list of objects", "line_items")
    for item in items:
        known_only(item, _LINE_ITEM, "line_items.")
        whole_number(item, "amount", 0)
        whole_number(item, "quantity", 1)
        for name in ("description", "external_product_num"):
            text(item, name)
        url(item, "image")
    return [{"quantity": 1, **item} for item in items]


def _payment_data(
    body: dict[str, Any], mode: str, amount: int, money: str
) -> dict[str, Any] | None:
    given = body.get("payment_data")
    if given is None:
        return None
    # Ignored or refused is not documented; refused, so that nobody relies on it.
    if mode == "customer":
        raise refused("payment_data is not a parameter of mode customer", "payment_data")
    if not isinstance(given, dict):
        raise refused("payment_data must be an object", "payment_data")
    known_only(given, _PAYMENT_DATA, "payment_data.")
    one_of(given, "capture", frozenset({"auto", "manual"}))
    for name in ("external_order_num", "name", "name_kana", "mcc", "statement_descriptor"):
        text(given, name)
    # What a second amount would mean is not documented; only the same one is safe.
    if given.get("amount", amount) != amount or given.get("currency", money) != money:
        raise refused("payment_data must have the amount of the session", "payment_data")
    return given


def _customer(call: Call, mode: str) -> str | None:
    given = text(call.body, "customer_id")
    if given is None:
        return None
    if "customer" not in mode:
        raise refused("customer_id is not a parameter of mode payment", "customer_id")
    customer = call.world.shelf(Customer).get(given)
    if customer is None or customer.deleted_at is not None:
        raise refused(f"There is no customer {given}", "customer_id")
    return given
