"""The posting rules: which accounts each kind of money fact moves. Pure, and nowhere else.

A fact of nothing (a bill of zero) makes a posting without amounts, which the ledger leaves out.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.catalog.quote import Quote
from domain.kernel.ids import TenantUuid
from domain.kernel.money import Currency, Money
from domain.ledger.parts import nothing, part_of
from domain.ledger.posting import Account, Posting, PostingKind

_A, _K = Account, PostingKind
Side = Mapping[Account, Money]


class Fact(Struct, frozen=True, kw_only=True):
    """What a posting is about. `source_uuid` is the row of the fact, see each rule."""

    source_uuid: UUID
    tenant_uuid: TenantUuid
    at: datetime
    """In business time."""
    facts: Mapping[str, str] = {}


def bill_issued(fact: Fact, amount: Quote) -> Posting:
    """Source: the bill. The tenant owes it, wherever the money will come from."""
    return _owed(_K.BILL_ISSUED, fact, amount)


def sale_made(fact: Fact, amount: Quote) -> Posting:
    """Source: the one-time payment, or the session of a direct payment. Its money arrives with
    `payment_received`."""
    return _owed(_K.SALE_MADE, fact, amount)


def payment_received(fact: Fact, *, settles: Money, held: Money) -> Posting:
    """Source: the payment. What settles something owed, and what is not ours to keep."""
    return _posted(
        _K.PAYMENT_RECEIVED,
        fact,
        debit={_A.CASH: settles + held},
        credit={_A.RECEIVABLE: settles, _A.HELD: held},
    )


def bill_voided(fact: Fact, amount: Quote, rest: Money, *, credit_back: Money) -> Posting:
    """Source: the bill. `rest` is what nobody has paid of it, `credit_back` what the tenant's
    credit had paid and is given again: neither was ever revenue."""
    gone = rest + credit_back
    settled = part_of(amount, nothing(rest.currency), amount.total - gone)
    unpaid = part_of(amount, settled, gone)
    return _posted(
        _K.BILL_VOIDED,
        fact,
        debit={_A.REVENUE: unpaid.subtotal, _A.TAX: unpaid.tax},
        credit={_A.RECEIVABLE: rest, _A.CUSTOMER_BALANCE: credit_back},
    )


def bill_written_off(fact: Fact, rest: Money) -> Posting:
    """Source: the bill. It stays revenue, and is lost."""
    return _posted(
        _K.BILL_WRITTEN_OFF, fact, debit={_A.WRITE_OFFS: rest}, credit={_A.RECEIVABLE: rest}
    )


def bill_reopened(fact: Fact, amount: Money) -> Posting:
    """Source: the chargeback after which the tenant owes it again."""
    return _posted(
        _K.BILL_REOPENED, fact, debit={_A.RECEIVABLE: amount}, credit={_A.CHARGEBACKS: amount}
    )


def balance_granted(fact: Fact, amount: Quote) -> Posting:
    """Source: the bill of a change that made something paid cheaper. `amount` is positive."""
    return _posted(
        _K.BALANCE_GRANTED,
        fact,
        debit={_A.REVENUE: amount.subtotal, _A.TAX: amount.tax},
        credit={_A.CUSTOMER_BALANCE: amount.total},
    )


def paid_twice(fact: Fact, amount: Money) -> Posting:
    """Source: the chargeback that was reversed after its bill had been paid again. The money that
    came back becomes the tenant's credit."""
    return _posted(
        _K.BALANCE_GRANTED,
        fact,
        debit={_A.CHARGEBACKS: amount},
        credit={_A.CUSTOMER_BALANCE: amount},
    )


def balance_applied(fact: Fact, amount: Money) -> Posting:
    """Source: the bill that the tenant's credit pays for, wholly or in part."""
    return _posted(
        _K.BALANCE_APPLIED,
        fact,
        debit={_A.CUSTOMER_BALANCE: amount},
        credit={_A.RECEIVABLE: amount},
    )


def refund_made(fact: Fact, part: Quote, *, held: Money | None = None) -> Posting:
    """Source: the refund, of something sold. `part` comes from `part_of`; `held` is what went back
    with it of money that was never ours to keep."""
    of_held = held or part.total - part.total
    return _posted(
        _K.REFUND_MADE,
        fact,
        debit={_A.REFUNDS: part.subtotal, _A.TAX: part.tax, _A.HELD: of_held},
        credit={_A.CASH: part.total + of_held},
    )


def held_given_back(fact: Fact, amount: Money) -> Posting:
    """Source: the refund, of a verification amount or of surplus."""
    return _posted(_K.REFUND_MADE, fact, debit={_A.HELD: amount}, credit={_A.CASH: amount})


def refund_failed(made: Posting, *, at: datetime) -> Posting:
    """Source: the refund. Takes back what was posted for it."""
    assert made.kind is _K.REFUND_MADE, made.kind
    back = {account: -amount for account, amount in made.amounts.items()}
    return replace(made, kind=_K.REFUND_FAILED, amounts=back, happened_at=at)


def chargeback_received(fact: Fact, amount: Money) -> Posting:
    """Source: the chargeback."""
    return _posted(
        _K.CHARGEBACK_RECEIVED, fact, debit={_A.CHARGEBACKS: amount}, credit={_A.CASH: amount}
    )


def chargeback_reversed(fact: Fact, amount: Money, *, settles: Money) -> Posting:
    """Source: the chargeback. The bank has given the money back after all.

    `settles`: as much of it as pays for the bill that was opened again meanwhile; usually zero.
    """
    return _posted(
        _K.CHARGEBACK_REVERSED,
        fact,
        debit={_A.CASH: amount},
        credit={_A.CHARGEBACKS: amount - settles, _A.RECEIVABLE: settles},
    )


def _owed(kind: PostingKind, fact: Fact, amount: Quote) -> Posting:
    return _posted(
        kind,
        fact,
        debit={_A.RECEIVABLE: amount.total},
        credit={_A.REVENUE: amount.subtotal, _A.TAX: amount.tax},
    )


def _posted(kind: PostingKind, fact: Fact, *, debit: Side, credit: Side) -> Posting:
    currency: Currency = next(iter(debit.values())).currency
    moved = {account: amount.minor_in(currency) for account, amount in debit.items()}
    moved |= {account: -amount.minor_in(currency) for account, amount in credit.items()}
    return Posting(
        kind=kind,
        source_uuid=fact.source_uuid,
        tenant_uuid=fact.tenant_uuid,
        currency=currency,
        amounts={account: amount for account, amount in moved.items() if amount},
        happened_at=fact.at,
        facts=fact.facts,
    )
