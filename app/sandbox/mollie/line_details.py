"""What a line may say beside its sums: unit, addresses, voucher categories, how it recurs.

None of it moves money; it is shown to the shopper, so it is held to its shape.
"""

from collections.abc import Callable
from typing import Any, Final

from app.sandbox.mollie.intervals import parse
from app.sandbox.mollie.problems import ApiProblem
from app.sandbox.mollie.validation import amount, iso_date, text, url, whole_number
from app.sandbox.words import words

CATEGORIES: Final = words("eco gift meal sport_culture additional consume")
_RECURRING: Final = words("interval description amount times startDate")

Problem = Callable[[str, str], ApiProblem]


def check_details(line: dict[str, Any], currency: str, problem: Problem) -> None:
    _renamed(lambda: text(line, "quantityUnit"), "quantityUnit", problem)
    _renamed(lambda: url(line, "imageUrl", "image"), "imageUrl", problem)
    _renamed(lambda: url(line, "productUrl", "product"), "productUrl", problem)
    categories = line.get("categories")
    if categories is not None and not _are_categories(categories):
        raise problem("categories", "The 'categories' field is invalid")
    if line.get("recurring") is not None:
        _check_recurring(line["recurring"], currency, problem)


def _are_categories(given: Any) -> bool:
    return isinstance(given, list) and all(
        isinstance(one, str) and one in CATEGORIES for one in given
    )


def _renamed(read: Callable[[], Any], field: str, problem: Problem) -> Any:
    """A refusal by the name that the field has in the whole body."""
    try:
        return read()
    except ApiProblem as refusal:
        raise problem(field, refusal.detail) from None


def _check_recurring(given: Any, currency: str, problem: Problem) -> None:
    if not isinstance(given, dict):
        raise problem("recurring", "The 'recurring' field should be an object")
    for name in given:
        if name not in _RECURRING:
            raise problem(f"recurring.{name}", f'Non-existent body parameter "{name}"')
    interval = given.get("interval")
    if not isinstance(interval, str) or parse(interval) is None:
        raise problem("recurring.interval", "The interval is invalid")
    _renamed(lambda: text(given, "description"), "recurring.description", problem)
    _renamed(lambda: iso_date(given, "startDate"), "recurring.startDate", problem)
    times = _renamed(lambda: whole_number(given, "times"), "recurring.times", problem)
    if times is not None and times < 1:
        raise problem("recurring.times", "The 'times' field should be at least 1")
    if given.get("amount") is not None:
        found = _renamed(lambda: amount(given["amount"]), "recurring.amount", problem)
        if found.currency != currency:
            raise problem("recurring.amount", "All lines must have the currency of the payment")
