"""A percentage with at most four decimals, kept exactly as an integer of ten-thousandths."""

from decimal import Decimal
from typing import Final

from msgspec import Struct

SCALE: Final = 10_000
"""Ten-thousandths in one per cent: 19 % is 190_000."""

HUNDRED: Final = 100 * SCALE


class Percent(Struct, frozen=True):
    e4: int

    @classmethod
    def of(cls, value: Decimal) -> "Percent":
        """Raises ValueError when the value is not a number or has more than four decimals."""
        if not value.is_finite():
            raise ValueError("must be a number")
        scaled = value * SCALE
        if scaled != scaled.to_integral_value():
            raise ValueError("must have at most 4 decimals")
        return cls(int(scaled))

    def decimal(self) -> Decimal:
        """19 for 190_000, 8.1 for 81_000: no trailing zeros, never an exponent."""
        whole, rest = divmod(self.e4, SCALE)
        if not rest:
            return Decimal(whole)
        return Decimal(f"{whole}.{rest:04d}".rstrip("0"))
