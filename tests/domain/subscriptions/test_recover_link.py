"""What a pay-and-replace link is for: all that is open, with its share of the tax."""

import pytest
from msgspec.structs import replace

from domain.catalog.quote import Quote, Tax, quote
from domain.kernel.money import Currency
from domain.kernel.percent import Percent
from domain.subscriptions.recover_link import open_amount
from tests.make import money
from tests.make_subscriptions import a_bill, a_subscription

EUR = Currency("EUR")
VAT = Tax(Percent(19_0000), inclusive=False)


@pytest.mark.parametrize(
    ("unit", "open_minor", "tax"),
    [(10_00, 11_90, 1_90), (10_00, 5_95, 95), (9_99, 1, 0), (9_99, 11_88, 1_90)],
)
def test_of_a_bill_that_is_partly_paid_a_part_of_the_tax_is_open(unit, open_minor, tax):
    bill = a_bill(a_subscription(), amount=quote(money(unit), 1, VAT))
    bill = replace(bill, open=money(open_minor))
    expected = Quote(money(open_minor - tax), money(tax), money(open_minor))
    assert open_amount([bill], EUR) == expected


def test_bills_are_added_up():
    bills = [a_bill(a_subscription(), amount=quote(money(n), 1, VAT)) for n in (10_00, 20_00)]
    assert open_amount(bills, EUR) == Quote(money(30_00), money(5_70), money(35_70))
