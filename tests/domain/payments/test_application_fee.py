"""What the platform takes: whole minor units, never below zero, never above what may be taken."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.kernel.money import Money, currency
from domain.payments.application_fee import ApplicationFee
from infrastructure.mollie.fees import fee_max
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeProvider
from tests.make import an_account

FEE = ApplicationFee(basis_points=150, fixed_minor={"EUR": 25}, description="Platform fee")
AMOUNTS = st.integers(0, 10**12)
CURRENCIES = st.sampled_from(["EUR", "JPY", "CHF"])


def taken(fee: ApplicationFee, minor: int, code: str = "EUR") -> int:
    amount = Money(minor, currency(code))
    found = fee.of(amount, fee_max(amount))
    return 0 if found is None else found.minor


@given(
    minor=AMOUNTS,
    code=CURRENCIES,
    basis_points=st.integers(0, 10_000),
    fixed=st.integers(0, 10**6),
)
def test_a_fee_is_never_more_than_mollie_lets_be_taken_and_never_nothing(
    minor: int, code: str, basis_points: int, fixed: int
):
    fee = ApplicationFee(
        basis_points=basis_points, fixed_minor={code: fixed}, description="Platform fee"
    )
    amount = Money(minor, currency(code))
    found = fee.of(amount, fee_max(amount))
    if found is None:
        return
    assert type(found.minor) is int and found.currency == amount.currency
    assert found.minor >= 1
    whole = Decimal(1) if code == "JPY" else Decimal("0.01")
    said = amount.minor * whole
    assert found.minor * whole <= said - (Decimal("0.35") + said * Decimal("0.06"))


@pytest.mark.parametrize(
    ("minor", "expected"),
    [
        (10_000, 175),  # 1.50 and 0.25
        (33, 0),  # nothing may be taken
        (37, 0),
        (38, 0),
        (39, 1),
        (60, 21),  # 0.25 and 0.01, but 0.21 is all that may be taken
        (5_033, 100),  # 0.75495: half up to 0.75
        (5_100, 102),  # 0.765: half up to 0.77
    ],
)
def test_the_share_is_rounded_half_up_and_held_to_the_maximum(minor: int, expected: int):
    assert taken(FEE, minor) == expected


def test_a_fixed_amount_is_of_its_own_currency_alone():
    assert taken(FEE, 10_000, "CHF") == 150
    assert taken(FEE, 10_000, "JPY") == 150
    assert taken(replace(FEE, basis_points=0), 10_000, "JPY") == 0


def test_a_provider_that_lets_nothing_be_taken_takes_nothing():
    provider, amount = FakeProvider(FakeClock()).provider, Money(10_000, currency("EUR"))
    assert provider.application_fee(an_account(application_fee=FEE), amount) is None
