"""What a payment session is made of: how it stands, what its lines are, and in which language."""

from datetime import timedelta
from typing import Any, Final

import pytest

from domain.catalog.quote import Quote
from domain.checkout.session import SessionStatus
from domain.orchestration.payment_session import (
    Item,
    Outcome,
    PaymentSession,
    Status,
    Wanted,
    status_of,
)
from domain.orchestration.try_out import closest
from tests.fakes.clock import NOON
from tests.make import APP, TENANT, a_uuid, money

LATER: Final = NOON + timedelta(hours=1)
SESSION: Final = PaymentSession(
    uuid=a_uuid(61),
    app_uuid=APP,
    tenant_uuid=TENANT,
    user_uuid=None,
    order_reference="ORD-1",
    amount=Quote(money(1000), money(190), money(1190)),
    shipping=money(0),
    notes={},
    expires_at=LATER,
    created_at=NOON,
)
PAID: Final = {"checkout_status": SessionStatus.COMPLETE, "paid_minor": 1190}


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ({"checkout_status": SessionStatus.OPEN}, Status.PENDING),
        ({"checkout_status": SessionStatus.PROCESSING}, Status.PROCESSING),
        ({"checkout_status": SessionStatus.EXPIRED}, Status.EXPIRED),
        ({"checkout_status": SessionStatus.FAILED}, Status.FAILED),
        (PAID, Status.SUCCEEDED),
        (PAID | {"refunded_minor": 1}, Status.PARTIALLY_REFUNDED),
        (PAID | {"refunded_minor": 1189}, Status.PARTIALLY_REFUNDED),
        (PAID | {"refunded_minor": 1190}, Status.REFUNDED),
    ],
)
def test_it_stands_as_its_checkout_and_payment_do(outcome: dict[str, Any], status: Status):
    assert status_of(SESSION, Outcome(**outcome), at=LATER) is status


def test_until_there_is_a_checkout_it_waits_and_then_it_has_expired():
    before = LATER - timedelta(seconds=1)
    assert status_of(SESSION, Outcome(), at=before) is Status.PENDING
    assert status_of(SESSION, Outcome(), at=LATER) is Status.EXPIRED


def wanted(*items: Item, shipping: int = 0, tax: int = 0, total: int) -> Wanted:
    return Wanted(
        tenant_uuid=None,
        order_reference="ORD-1",
        payment_method="card",
        locale=None,
        amount=Quote(money(total - tax), money(tax), money(total)),
        shipping=money(shipping),
        items=items,
        success_url="https://shop.example/ok",
        failure_url="https://shop.example/no",
    )


@pytest.mark.parametrize(
    "order",
    [
        wanted(
            Item(name="Headphones", quantity=1, unit_price=money(11900)),
            shipping=995,
            tax=1181,
            total=14076,
        ),
        wanted(
            Item(name="a", quantity=3, unit_price=money(333)),
            Item(name="b", quantity=1, unit_price=money(1)),
            total=1000,
        ),
        wanted(shipping=200, tax=100, total=1500),
        wanted(total=1),
        wanted(shipping=200, total=200),
    ],
)
def test_what_a_provider_is_told_adds_up_to_what_is_paid(order: Wanted):
    lines = order.details.lines
    assert sum(line.unit_price.minor * line.quantity for line in lines) == order.amount.total.minor
    assert all(line.unit_price.minor > 0 for line in lines)


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("de_DE", "de_DE"), ("de_AT", "de_DE"), ("fr_CA", "fr_FR"), ("en_AU", "en_US"),
        ("ja_JP", None), (None, None),
    ],
)  # fmt: skip
def test_a_provider_speaks_the_language_or_guesses(asked: str | None, spoken: str | None):
    assert closest(asked, frozenset({"de_DE", "fr_FR", "fr_BE", "en_GB", "en_US"})) == spoken
