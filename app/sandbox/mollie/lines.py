"""Order lines as Mollie checks them: every product, sum and VAT must fit to the cent.

Prices include VAT. Nothing is corrected, only refused, with the figure that was expected.
"""

from collections.abc import Set
from typing import Any, Final

from app.sandbox.mollie.line_details import check_details
from app.sandbox.mollie.money import Amount, rate_points, vat_within
from app.sandbox.mollie.problems import ApiProblem, refused
from app.sandbox.mollie.validation import amount
from app.sandbox.words import words

_KNOWN: Final = words(
    "type description quantity quantityUnit unitPrice totalAmount discountAmount vatRate "
    "vatAmount sku categories imageUrl productUrl recurring"
)
# A session is paid once, by whatever the shopper has: nothing recurs, and no voucher applies.
SESSION_LINE: Final = _KNOWN - {"categories", "recurring"}
_TYPES: Final = words("physical digital shipping_fee discount store_credit gift_card surcharge")
_MAY_BE_NEGATIVE: Final = frozenset({"discount", "store_credit", "gift_card"})
_SKU_MAX: Final = 64


def check_lines(lines: Any, total: Amount, known: Set[str] = _KNOWN) -> list[dict[str, Any]]:
    if not isinstance(lines, list) or not lines:
        raise refused("The 'lines' field should be a list with at least one line", "lines")
    totals, vat = 0, 0
    for position, line in enumerate(lines):
        checked = _Line(position, line, total.currency)
        checked.check_names(known)
        totals += checked.check_total()
        vat += checked.check_vat()
    if totals != total.minor:
        summed = Amount(total.currency, totals).spoken()
        detail = (
            f"The 'amount' field is off. Expected to be {summed} (sum of the line items), "
            f"got {total.spoken()}"
        )
        raise refused(detail, "amount")
    if vat < 0:
        raise refused("The total VAT amount of the lines may not be negative", "lines")
    return lines


class _Line:
    def __init__(self, position: int, line: Any, currency: str) -> None:
        self.position, self.line, self.currency = position, line, currency
        if not isinstance(line, dict):
            raise self.problem("", "A line should be an object")

    def check_names(self, known: Set[str]) -> None:
        line = self.line
        for name in line:
            if name not in known:
                raise self.problem(name, f'Non-existent body parameter "{name}"')
        if not isinstance(line.get("description"), str) or not line["description"]:
            raise self.problem("description", "The 'description' field is missing")
        kind = line.get("type") or "physical"
        if not isinstance(kind, str) or kind not in _TYPES:
            raise self.problem("type", "The 'type' field is invalid")
        sku = line.get("sku")
        if sku is not None and not (isinstance(sku, str) and len(sku) <= _SKU_MAX):
            raise self.problem("sku", f"The 'sku' field is longer than {_SKU_MAX} characters")
        check_details(line, self.currency, self.problem)

    def problem(self, name: str, detail: str) -> ApiProblem:
        field = f"lines.{self.position}" + (f".{name}" if name else "")
        return refused(f"Line item {self.position} is invalid. {detail}", field)

    def amount(self, name: str) -> int | None:
        if self.line.get(name) is None:
            return None
        found = amount(self.line[name], f"lines.{self.position}.{name}")
        if found.currency != self.currency:
            raise self.problem(name, "All lines must have the currency of the payment")
        return found.minor

    def required(self, name: str) -> int:
        if (minor := self.amount(name)) is None:
            raise self.problem(name, f"The '{name}' field is missing")
        return minor

    def off(self, name: str, expected: int, how: str, got: int) -> ApiProblem:
        wanted, given = (Amount(self.currency, minor).spoken() for minor in (expected, got))
        detail = f"The '{name}' field is off. Expected to be {wanted} ({how}), got {given}"
        return self.problem(name, detail)

    def check_total(self) -> int:
        quantity = self.line.get("quantity")
        if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 1:
            raise self.problem("quantity", "The 'quantity' field should be a positive integer")
        price, total = self.required("unitPrice"), self.required("totalAmount")
        discount = self.amount("discountAmount") or 0
        if discount < 0:
            raise self.problem("discountAmount", "The 'discountAmount' field may not be negative")
        if price < 0 and self.line.get("type") not in _MAY_BE_NEGATIVE:
            raise self.problem("unitPrice", "The 'unitPrice' field may not be negative")
        if price > 0 and self.line.get("type") in _MAY_BE_NEGATIVE:
            raise self.problem("unitPrice", "The 'unitPrice' field should be negative")
        if total != (expected := price * quantity - discount):
            spoken = Amount(self.currency, price).spoken()
            how = f"({spoken} × {quantity}) - {Amount(self.currency, discount).spoken()}"
            raise self.off("totalAmount", expected, how, total)
        return total

    def check_vat(self) -> int:
        rate, vat = self.line.get("vatRate"), self.amount("vatAmount")
        if rate is None and vat is None:
            return 0
        points = rate_points(rate) if isinstance(rate, str) else None
        if points is None or points < 0:
            raise self.problem("vatRate", "The 'vatRate' field should be a string like \"21.00\"")
        if vat is None:
            raise self.problem("vatAmount", "The 'vatAmount' field is missing")
        total = self.required("totalAmount")
        if vat != (expected := vat_within(total, points)):
            spoken, percent = Amount(self.currency, total).spoken(), f"{points // 100}"
            percent += f".{points % 100:02}"
            gross = f"{100 + points // 100}.{points % 100:02}"
            how = f"{spoken} × ({percent} / {gross})"
            raise self.off("vatAmount", expected, how, vat)
        return vat
