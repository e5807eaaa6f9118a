"""Order lines: to the cent, with the VAT that Mollie computes."""

import pytest

from app.sandbox.mollie.money import minor_units, rate_points, vat_within
from tests.sandbox.shop import a_payment

# What Mollie was seen to expect: total, rate, VAT.
VECTORS = """
100.00 25 20.00
19.99 21 3.47
39.98 21 6.94
-3.90 21 -0.68
698.00 21 121.14
329.99 21 57.27
49.94 26.50 10.46
11.00 19 1.76
-3.95 16 -0.54
-36.50 20 -6.08
31.20 21 5.41
3.95 9 0.33
678.00 23 126.78
299.00 21 51.89
5.14 0.00 0.00
"""


@pytest.mark.parametrize("vector", VECTORS.strip().splitlines())
def test_vat_is_rounded_to_the_nearest_cent(vector):
    total, rate, vat = vector.split()
    assert vat_within(minor_units(total, "EUR"), rate_points(rate)) == minor_units(vat, "EUR")


@pytest.mark.parametrize(("total", "vat"), [(3, 1), (-3, -1), (9, 2)])
def test_a_tie_goes_away_from_zero(total, vat):
    assert vat_within(total, 2000) == vat


def euros(value):
    return {"currency": "EUR", "value": value}


def a_line(**changes):
    return {
        "description": "Seat",
        "quantity": 2,
        "unitPrice": euros("19.99"),
        "totalAmount": euros("39.98"),
        "vatRate": "21.00",
        "vatAmount": euros("6.94"),
        **changes,
    }


async def test_lines_that_fit_come_back_as_they_were_sent(shop):
    discount = a_line(
        type="discount",
        quantity=1,
        unitPrice=euros("-3.90"),
        totalAmount=euros("-3.90"),
        vatAmount=euros("-0.68"),
    )
    lines = [a_line(), discount]
    payment = await shop.pay(amount=euros("36.08"), lines=lines)
    assert payment["lines"] == lines


REFUSALS = [
    ({"vatAmount": euros("6.93")}, "lines.0.vatAmount"),
    ({"vatAmount": None}, "lines.0.vatAmount"),
    ({"vatRate": 21}, "lines.0.vatRate"),
    ({"vatRate": "-21.00"}, "lines.0.vatRate"),
    ({"totalAmount": euros("39.97")}, "lines.0.totalAmount"),
    ({"totalAmount": {"currency": "USD", "value": "39.98"}}, "lines.0.totalAmount"),
    ({"quantity": 0}, "lines.0.quantity"),
    ({"quantity": "2"}, "lines.0.quantity"),
    ({"unitPrice": euros("-19.99"), "totalAmount": euros("-39.98")}, "lines.0.unitPrice"),
    ({"discountAmount": euros("-1.00")}, "lines.0.discountAmount"),
    ({"description": ""}, "lines.0.description"),
    ({"sku": "s" * 65}, "lines.0.sku"),
    ({"colour": "red"}, "lines.0.colour"),
]


@pytest.mark.parametrize(("change", "field"), REFUSALS)
async def test_a_line_that_does_not_fit_is_refused_by_its_place(shop, change, field):
    body = a_payment(amount=euros("39.98"), lines=[a_line(**change)])
    assert (await shop.refused("payments", body))[:2] == (422, field)


async def test_the_refusal_says_which_figure_was_expected(shop):
    body = a_payment(amount=euros("39.97"), lines=[a_line()])
    _, field, detail = await shop.refused("payments", body)
    assert field == "amount"
    assert detail == (
        "The 'amount' field is off. Expected to be €39.98 (sum of the line items), got €39.97"
    )
    body = a_payment(amount=euros("39.98"), lines=[a_line(vatAmount=euros("0.89"))])
    _, _, detail = await shop.refused("payments", body)
    assert "Expected to be €6.94 (€39.98 × (21.00 / 121.00)), got €0.89" in detail
