"""How much of a part of something sold is tax, so that all parts together are the whole.

Each part takes the tax up to and including it, rounded half up, less what the parts before it
took. Rounding each part by itself would lose or find a cent over many small refunds.
"""

from collections.abc import Iterable

from domain.catalog.quote import Quote
from domain.kernel.money import Currency, Money, half_up
from domain.ledger.posting import Account, Posting, PostingKind

_REFUNDS = frozenset({PostingKind.REFUND_MADE, PostingKind.REFUND_FAILED})


def nothing(currency: Currency) -> Quote:
    zero = Money(0, currency)
    return Quote(zero, zero, zero)


def part_of(whole: Quote, before: Quote, amount: Money) -> Quote:
    """The next `amount` of a whole of which `before` is gone.

    Parts before may have been taken back, in any order: what is left always adds up.
    """
    gone = before.total + amount
    assert amount.minor >= 0 and not whole.total < gone, (whole, before, amount)
    if not amount.minor:
        return nothing(amount.currency)
    left = Quote(
        whole.subtotal - before.subtotal, whole.tax - before.tax, whole.total - before.total
    )
    if amount == left.total:  # also of a change to another rate, whose tax can be below zero
        return left
    exact = half_up(whole.tax.minor * gone.minor, whole.total.minor) - before.tax.minor
    least = max(0, amount.minor - left.subtotal.minor)
    most = min(amount.minor, left.tax.minor)
    tax = Money(min(max(exact, least), most), amount.currency)
    return Quote(amount - tax, tax, amount)


def refunded(postings: Iterable[Posting], currency: Currency) -> Quote:
    """What the refunds among these postings have given back, and did not take back again."""
    made = [posting for posting in postings if posting.kind in _REFUNDS]
    net = Money(sum(posting.on(Account.REFUNDS) for posting in made), currency)
    tax = Money(sum(posting.on(Account.TAX) for posting in made), currency)
    return Quote(net, tax, net + tax)
