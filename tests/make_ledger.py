"""Makers of facts and postings."""

from typing import Any, Final
from uuid import UUID

from domain.catalog.quote import Quote, Tax, quote
from domain.kernel.percent import Percent
from domain.ledger.posting import Account, Posting
from domain.ledger.rules import Fact
from tests.fakes.clock import NOON
from tests.make import TENANT, a_uuid, money

VAT: Final = Tax(Percent(190_000), inclusive=False)
SOLD: Final = quote(money(9_99), 1, VAT)
"""9.99 EUR and 1.90 EUR tax."""


def a_fact(source: int | UUID = 71, **said: Any) -> Fact:
    uuid = source if isinstance(source, UUID) else a_uuid(source)
    usual = {"source_uuid": uuid, "tenant_uuid": TENANT, "at": NOON}
    return Fact(**usual | said)


def a_quote(net: int, tax: int, code: str = "EUR") -> Quote:
    return Quote(money(net, code), money(tax, code), money(net + tax, code))


def standing(*postings: Posting) -> dict[Account, int]:
    """What is left on the accounts after all of them."""
    sums = {account: sum(p.on(account) for p in postings) for account in Account}
    return {account: amount for account, amount in sums.items() if amount}
