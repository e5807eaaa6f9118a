"""How much of a payment Mollie lets a platform take: the amount less 0.35 and less 6 % of it.

The 0.35 are minor units here, whatever the currency: where a unit has no hundredths that is more
than Mollie keeps, and a fee is refused for being too high, never for being too low.
"""

from typing import Final

from domain.kernel.money import Money

KEPT_PERCENT: Final = 6
KEPT_MINOR: Final = 35


def fee_max(amount: Money) -> Money:
    """Rounded down. Below zero: nothing can be taken."""
    most = (amount.minor * (100 - KEPT_PERCENT) - 100 * KEPT_MINOR) // 100
    return Money(most, amount.currency)
