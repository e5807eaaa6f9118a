"""A billing record's money that went back: each record's share of its payment, to the cent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.quote import Quote
from domain.invoices.billing_record import (
    BillingRecord,
    RecordPayment,
    RecordStatus,
    RecordType,
)
from domain.kernel.money import Currency, Money
from tests.fakes.clock import NOON
from tests.make import TENANT, a_uuid

JPY = Currency("JPY")


def yen(minor: int) -> Money:
    return Money(minor, JPY)


def a_payment(
    amount: int, refunded: int = 0, charged_back: int = 0, before: int = 0
) -> RecordPayment:
    return RecordPayment(
        provider_ref="tr_1",
        amount=yen(amount),
        settled_before=yen(before),
        refunded=yen(refunded),
        charged_back=yen(charged_back),
    )


def a_record(total: int, payment: RecordPayment | None, *, credit: int = 0, **said: Any):
    return BillingRecord(
        uuid=a_uuid(1),
        type=RecordType.SUBSCRIPTION,
        tenant_uuid=TENANT,
        payment_provider_uuid=a_uuid(2),
        product_uuid=a_uuid(3),
        price_uuid=a_uuid(4),
        tax_rate_uuid=None,
        units=1,
        amount=Quote(yen(total), yen(0), yen(total)),
        balance_applied=yen(credit),
        payment=payment,
        created_at=NOON,
        updated_at=NOON,
        **said,
    )


@pytest.mark.parametrize(
    ("refunded", "status"),
    [(0, "paid"), (1, "partially_refunded"), (999, "partially_refunded"), (1000, "refunded")],
)
def test_alone_on_its_payment_all_that_went_back_is_its_own(refunded: int, status: str):
    record = a_record(1000, a_payment(1000, refunded))
    assert (record.refunded, record.status) == (yen(refunded), status)


def test_what_credit_has_paid_is_not_what_a_refund_gives_back():
    record = a_record(1000, a_payment(700, 700), credit=300)
    assert (record.refunded, record.status) == (yen(700), RecordStatus.REFUNDED)


def test_what_a_bank_took_comes_before_what_was_refunded():
    record = a_record(1000, a_payment(1000, 400, 600))
    assert (record.refunded, record.charged_back) == (yen(400), yen(600))
    assert record.status is RecordStatus.CHARGED_BACK


@pytest.mark.parametrize("standing", ["open", "void", "uncollectible"])
def test_what_is_owed_again_says_that_first(standing: str):
    record = a_record(1000, a_payment(1000, 0, 1000), standing=RecordStatus(standing))
    assert (record.status, record.charged_back) == (standing, yen(1000))


def test_where_there_was_nothing_to_pay_nothing_went_back():
    for payment in (None, a_payment(0)):
        record = a_record(0, payment)
        assert (record.refunded, record.charged_back, record.status) == (yen(0), yen(0), "paid")


def test_a_small_bill_is_not_refunded_while_a_part_of_its_payment_is():
    record = a_record(1, a_payment(1000, 500))
    assert (record.refunded, record.status) == (yen(1), RecordStatus.PARTIALLY_REFUNDED)


def test_one_yen_that_went_back_of_two_bills_went_back_of_one_of_them():
    records = [a_record(1, a_payment(2, 1, before=before)) for before in (0, 1)]
    assert [record.refunded.minor for record in records] == [1, 0]
    assert [record.status for record in records] == ["partially_refunded", "paid"]


@given(totals=st.lists(st.integers(1, 10**9), min_size=1, max_size=5), data=st.data())
def test_shares_of_a_payment_are_never_more_than_was_paid_and_add_up_to_what_went_back(
    totals: list[int], data: st.DataObject
):
    whole = sum(totals)
    refunded = data.draw(st.integers(0, whole))
    befores = [sum(totals[:place]) for place in range(len(totals))]
    records = [
        a_record(total, a_payment(whole, refunded, before=before))
        for total, before in zip(totals, befores, strict=True)
    ]
    shares = [record.refunded.minor for record in records]
    assert all(0 <= share <= total for share, total in zip(shares, totals, strict=True))
    assert sum(shares) == refunded
    assert (refunded == whole) == all(r.status is RecordStatus.REFUNDED for r in records)
