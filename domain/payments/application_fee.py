"""What the platform's operator takes of payments made through an account that a merchant connected.

A share of the amount in basis points, rounded half up, and a fixed amount by currency. It is the
operator's money: no app sets it, and none can take it off. The share is of every currency: whether
the provider books a fee in it, the operator has to know.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from domain.kernel.money import Money, half_up

BASIS_POINTS: Final = 10_000
"""The whole of an amount."""


class ApplicationFee(Struct, frozen=True, kw_only=True):
    basis_points: int
    fixed_minor: Mapping[str, int]
    """Minor units by currency. A currency that is not named has none."""
    description: str
    """What the merchant reads on its statement."""

    def of(self, amount: Money, most: Money) -> Money | None:
        """Never more than `most`, which the provider lets be taken of this amount. None: nothing
        is left to take."""
        share = half_up(amount.minor * self.basis_points, BASIS_POINTS)
        wanted = share + self.fixed_minor.get(amount.currency, 0)
        minor = min(wanted, most.minor_in(amount.currency))
        return Money(minor, amount.currency) if minor > 0 else None
