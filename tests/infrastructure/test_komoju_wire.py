"""KOMOJU's words into ours: which state a session and what is in it are, how much went back."""

from datetime import UTC, datetime
from itertools import product
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from domain.catalog.quote import Tax
from domain.kernel.errors import ProviderUnreadable
from domain.kernel.money import EXPONENTS, Money, currency
from domain.kernel.percent import Percent
from domain.payments.address import Address
from domain.payments.answers import (
    MandateStatus,
    PaymentStatus,
    ProviderPayment,
    RefundStatus,
    SequenceType,
)
from domain.payments.payment_details import PaymentDetails, PaymentLine
from infrastructure.komoju.details import LIFETIME_MAX_S, charge_for, session_for
from infrastructure.komoju.mandates import mandate_from
from infrastructure.komoju.notices import WireEvent, notice_from
from infrastructure.komoju.refs import Ref, parsed, ref_of
from infrastructure.komoju.states import (
    STATUS,
    chargebacks_in,
    from_payment,
    from_session,
    refunds_in,
    session_status,
    whole_of,
)
from infrastructure.komoju.wire import (
    CURRENCIES,
    SLUGS,
    WireCustomer,
    WirePayment,
    WireRefund,
    WireSession,
    money_from,
)
from tests.infrastructure.komoju_setting import CHARGE, IDS, ORDER, PAYMENT, SESSION

S = PaymentStatus
AT: Final = datetime(2026, 3, 20, 12, 4, tzinfo=UTC)
YEN: Final = currency("JPY")


def a_payment(**changes: Any) -> WirePayment:
    return msgspec.convert({**PAYMENT, **changes}, WirePayment)


def a_session(payment: WirePayment | None = None, **changes: Any) -> WireSession:
    return replace(msgspec.convert({**SESSION, **changes}, WireSession), payment=payment)


def seen(payment: WirePayment | None = None, **changes: Any) -> ProviderPayment:
    return from_session(a_session(payment, **changes))


@pytest.mark.parametrize(
    ("status", "expired", "inside", "slug", "expected"),
    [
        ("pending", False, None, "credit_card", S.OPEN),
        ("pending", False, "failed", "credit_card", S.OPEN),
        ("pending", False, "pending", "credit_card", S.OPEN),
        ("pending", False, "cancelled", "credit_card", S.OPEN),
        ("pending", False, "captured", "credit_card", S.PAID),
        ("pending", True, None, "credit_card", S.EXPIRED),
        ("pending", True, "failed", "credit_card", S.EXPIRED),
        ("pending", True, "pending", "credit_card", S.PENDING),
        ("pending", True, "captured", "credit_card", S.PAID),
        ("expired", True, None, "credit_card", S.EXPIRED),
        ("cancelled", False, None, "credit_card", S.CANCELED),
        ("cancelled", False, "pending", "credit_card", S.PENDING),
        ("cancelled", False, "captured", "credit_card", S.PAID),
        ("completed", False, "authorized", "konbini", S.PENDING),
        ("completed", False, "authorized", "credit_card", S.AUTHORIZED),
        ("completed", False, "captured", "konbini", S.PAID),
        ("completed", False, "refunded", "credit_card", S.PAID),
        ("completed", False, "expired", "konbini", S.EXPIRED),
        ("completed", False, "cancelled", "konbini", S.CANCELED),
        ("completed", False, "failed", "credit_card", S.FAILED),
        ("completed", False, "pending", "credit_card", S.PENDING),
    ],
)
def test_a_session_and_what_is_in_it_are_one_state(
    status: str, expired: bool, inside: str | None, slug: str, expected: PaymentStatus
):
    paid = None if inside is None else a_payment(status=inside, payment_details={"type": slug})
    now = seen(paid, status=status, expired=expired)
    assert now.status is expected
    assert (now.checkout_url is not None) is (expected is S.OPEN)
    assert (now.paid_at is not None) is (expected is S.PAID)


@pytest.mark.parametrize(
    ("status", "expired", "inside"),
    list(product(("pending", "cancelled", "completed", "expired"), (False, True), STATUS)),
)
def test_money_that_was_taken_is_always_seen(status: str, expired: bool, inside: str):
    """And nothing is over for us while money may still come of it."""
    paid = a_payment(status=inside)
    now = session_status(a_session(paid, status=status, expired=expired))
    if inside in ("captured", "refunded"):
        assert now is S.PAID
    elif inside in ("pending", "authorized"):
        assert now in (S.OPEN, S.PENDING, S.AUTHORIZED)
    else:
        assert now is not S.PAID


def test_a_deadline_means_a_voucher_whatever_the_method_is_called():
    paid = a_payment(
        status="authorized",
        payment_details={"type": "new_cash"},
        payment_deadline="2026-03-23T21:00:00+09:00",
    )
    assert seen(paid, status="completed").status is S.PENDING


def test_what_is_completed_by_nothing_is_only_a_stored_customer():
    now = seen(mode="customer", amount=0, status="completed", customer_id="cus1")
    assert (now.status, now.amount, now.mandate_ref) == (S.PAID, Money(0, YEN), "cus1")
    with pytest.raises(ProviderUnreadable):
        seen(status="completed")


def test_a_customer_is_no_mandate_before_the_shopper_is_done():
    assert seen(mode="customer", customer_id="cus1").mandate_ref is None


@pytest.mark.parametrize(
    ("wrong", "what"),
    [({"status": "x"}, "status"), ({"mode": "x"}, "mode"), ({"currency": "XTS"}, "amount")],
)
def test_the_unknown_is_not_guessed_at(wrong: dict[str, str], what: str):
    with pytest.raises(ProviderUnreadable, match=what):
        seen(**wrong)


def test_an_unknown_payment_status_is_not_guessed_at():
    with pytest.raises(ProviderUnreadable, match="status"):
        seen(a_payment(status="x"))


def test_everything_else_of_a_session_comes_over():
    paid = a_payment(customer="cus1")
    now = seen(paid, status="completed", mode="customer_payment", customer_id="cus1")
    assert (now.ref, now.sequence_type, now.method) == ("session_ses1", SequenceType.FIRST, "card")
    assert (now.attempt_uuid, now.customer_ref) == (ORDER.attempt_uuid, ORDER.customer_ref)
    assert (now.mandate_ref, now.created_at) == ("cus1", AT)
    assert now.is_cancelable is False
    assert from_payment(paid) == now  # a list tells the same


@pytest.mark.parametrize("metadata", [None, [], "x", {"attempt": 7}, {"attempt": "x"}])
def test_other_peoples_metadata_may_be_anything(metadata: Any):
    assert seen(metadata=metadata).attempt_uuid is None
    assert from_payment(a_payment(metadata=metadata)).attempt_uuid is None


@pytest.mark.parametrize("fee", [0, 190, None])
def test_a_fee_is_not_what_we_asked_for(fee: int | None):
    paid = a_payment(total=4900 + (fee or 0), payment_method_fee=fee)
    assert seen(paid, status="completed").amount == Money(4900, YEN)


@pytest.mark.parametrize("total", [0, 4899, 4901])
def test_another_amount_than_was_asked_for_is_not_believed(total: int):
    with pytest.raises(ProviderUnreadable, match="another amount"):
        seen(a_payment(total=total), status="completed")
    # What came to nothing may be anything.
    assert seen(a_payment(total=total, status="failed")).status is S.OPEN


def test_in_another_currency_the_session_is_what_counts():
    paid = a_payment(currency="VND", total=810_000)
    assert seen(paid, status="completed").amount == Money(4900, YEN)


# Money that goes back


def a_refund(amount: int, *, chargeback: bool = False, code: str = "JPY") -> WireRefund:
    id = IDS.new().hex
    return WireRefund(
        id=id, amount=amount, currency=code, created_at=AT, chargeback=chargeback, description=id
    )


def gone(payment: WirePayment, whole: Money) -> int:
    ref = ref_of(payment)
    made, taken = refunds_in(payment, whole, ref), chargebacks_in(payment, whole, ref)
    return sum(one.amount.minor for one in (*made, *taken))


def test_refunds_and_chargebacks_are_told_apart():
    mine, bank = a_refund(900), a_refund(1000, chargeback=True)
    paid = replace(a_payment(), refunds=[mine, bank])
    now = seen(paid, status="completed")
    assert (now.refunded, now.charged_back) == (Money(900, YEN), Money(1000, YEN))
    (refund,), ref = refunds_in(paid, now.amount, ref_of(paid)), "session_ses1"
    assert (refund.ref, refund.status, refund.payment_ref) == (mine.id, RefundStatus.REFUNDED, ref)
    assert refund.refund_uuid is not None and refund.refund_uuid.hex == mine.id
    (chargeback,) = chargebacks_in(paid, now.amount, ref_of(paid))
    assert (chargeback.ref, chargeback.payment_ref) == (bank.id, ref)
    assert chargeback.reversed_at is None


def test_a_refund_of_the_dashboard_is_nobodys():
    paid = replace(a_payment(), refunds=[replace(a_refund(1), description="Sorry!")])
    (refund,) = refunds_in(paid, Money(4900, YEN), ref_of(paid))
    assert refund.refund_uuid is None


def test_a_refund_in_a_third_currency_makes_no_sense():
    paid = replace(a_payment(), refunds=[a_refund(1, code="EUR")])
    with pytest.raises(ProviderUnreadable):
        seen(paid, status="completed")


AMOUNTS: Final = some.integers(min_value=1, max_value=2**31 - 1)


@given(whole=AMOUNTS, base=AMOUNTS, cuts=some.lists(some.integers(1, 2**31), max_size=8))
def test_shares_lose_nothing_and_give_nothing_away(whole: int, base: int, cuts: list[int]):
    """However odd the rate, and into however many parts it is given back."""
    edges = sorted({cut % (base + 1) for cut in cuts} - {0})
    parts = [high - low for low, high in zip([0, *edges], [*edges, base], strict=True)]
    refunds = [a_refund(part, code="USD") for part in parts if part]
    session = a_session(replace(a_payment(currency="USD", total=base), refunds=refunds))
    session = replace(session, amount=whole)
    assert session.payment is not None
    assert gone(session.payment, whole_of(session)) == whole
    some_gone = replace(session.payment, refunds=refunds[:-1])
    assert 0 <= gone(some_gone, whole_of(session)) <= whole


@given(amount=AMOUNTS, part=AMOUNTS)
def test_in_our_own_currency_a_share_is_the_refund(amount: int, part: int):
    paid = replace(a_payment(total=amount), refunds=[a_refund(min(part, amount))])
    assert gone(paid, Money(amount, YEN)) == min(part, amount)


def test_more_than_was_paid_cannot_go_back():
    paid = replace(a_payment(), refunds=[a_refund(4900), a_refund(190)])
    assert gone(paid, Money(4900, YEN)) == 4900


# Currencies, references, mandates, events


def test_we_and_komoju_count_alike():
    assert {"JPY", "KRW", "EUR", "USD", "TWD"} <= CURRENCIES
    for code in CURRENCIES:
        assert EXPONENTS[code] == (0 if code in ("JPY", "KRW", "VND") else 2)
        assert money_from(7, code) == Money(7, currency(code))


@pytest.mark.parametrize("code", ["HUF", "ISK", "XTS", "", "jpy"])
def test_a_currency_that_komoju_does_not_take_is_none(code: str):
    with pytest.raises(ProviderUnreadable):
        money_from(7, code)


@given(id=some.from_regex(r"\A[a-z0-9]{25}\Z"), kind=some.sampled_from(["session", "payment"]))
def test_a_reference_says_which_kind_it_is_of(id: str, kind: str):
    assert parsed(f"{kind}_{id}") == Ref(kind, id)  # type: ignore[arg-type]  # one of the two
    assert str(parsed(f"{kind}_{id}")) == f"{kind}_{id}"


@given(some.text(max_size=40))
def test_any_text_is_a_reference_or_is_not(text: str):
    found = parsed(text)
    assert found is None or str(found) == text


def test_a_stored_card_is_recognised_by_a_person():
    source = {"type": "credit_card", "brand": "visa", "last_four_digits": "4242"}
    card = mandate_from(WireCustomer(id="c", source=source | {"month": 2, "year": 2028}), "us")
    assert (card.ref, card.customer_ref, card.status) == ("c", "us", MandateStatus.VALID)
    assert card.method == "card"
    assert card.details == {
        "cardNumber": "4242",
        "cardLabel": "Visa",
        "cardExpiryDate": "2028-02-29",
    }
    assert mandate_from(WireCustomer(id="c"), "us").status is MandateStatus.PENDING


@pytest.mark.parametrize(
    "source",
    [{}, [], "x", {"month": 13, "year": 2028}, {"month": "2", "year": None}, {"brand": 7}],
)
def test_of_a_strange_card_nothing_is_told(source: Any):
    assert mandate_from(WireCustomer(id="c", source=source), "us").details == {}


@pytest.mark.parametrize(
    ("type", "about", "ref", "has_attempt"),
    [
        ("payment.captured", {"id": "p", "session": "s"}, "session_s", False),
        ("payment.failed", {"id": "p", "session": None}, "payment_p", False),
        ("customer.updated", {"id": "c", "metadata": SESSION["metadata"]}, None, True),
    ],
)
def test_an_event_is_about_ids_alone(type: str, about: Any, ref: str | None, has_attempt: bool):
    notice = notice_from(WireEvent("e", type, about))
    assert notice is not None
    assert (notice.event_id, notice.payment_ref) == ("e", ref)
    assert (notice.attempt_uuid is not None) is has_attempt


# What is asked for


def written(thing: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(thing))


def test_a_payment_of_nothing_stores_a_customer():
    asked = written(
        session_for(replace(ORDER, sequence_type=SequenceType.FIRST, amount=Money(0, YEN)))
    )
    assert (asked["mode"], asked["amount"]) == ("customer", 0)
    assert "payment_data" not in asked and "line_items" not in asked


def test_a_first_payment_stores_one_too():
    asked = written(session_for(replace(ORDER, sequence_type=SequenceType.FIRST)))
    assert asked["mode"] == "customer_payment"
    assert asked["payment_data"]["external_order_num"] == str(ORDER.attempt_uuid)


def test_a_session_says_who_it_is_for_and_no_more():
    asked = written(session_for(ORDER))
    assert asked["external_customer_id"] == ORDER.customer_ref
    assert asked["metadata"] == {
        "attempt": str(ORDER.attempt_uuid),
        "app": str(ORDER.app_uuid),
        "customer": ORDER.customer_ref,
        "session": str(ORDER.checkout_session_uuid),
    }
    assert all(len(name) <= 30 for name in asked["metadata"])
    assert asked["line_items"] == [{"description": "Handbook", "amount": 4900, "quantity": 1}]


@pytest.mark.parametrize(
    ("locale", "theirs"), [("ja_JP", "ja"), ("ko_KR", "ko"), ("en_GB", "en"), (None, "en")]
)
def test_komoju_speaks_three_languages(locale: str | None, theirs: str):
    assert written(session_for(replace(ORDER, locale=locale)))["default_locale"] == theirs


@pytest.mark.parametrize("ours", sorted(SLUGS))
def test_a_way_to_pay_has_komojus_name(ours: str):
    asked = written(session_for(replace(ORDER, payment_method=ours)))
    assert asked["payment_types"] == [SLUGS[ours]]


@pytest.mark.parametrize(
    ("lifetime_s", "seconds"), [(300, 300), (90_000, LIFETIME_MAX_S), (None, LIFETIME_MAX_S)]
)
def test_no_session_is_asked_for_that_is_longer_than_a_day(lifetime_s: int | None, seconds: int):
    session = session_for(replace(ORDER, lifetime_s=lifetime_s))
    assert session.expires_in_seconds == seconds


def test_addresses_and_lines_are_told():
    home = Address(
        given_name="Ada",
        family_name="Lovelace",
        line1="1 Street",
        city="Chiyoda",
        postal_code="100-0001",
        state="Tokyo",
        country="JP",
    )
    line = PaymentLine(
        description="Handbook",
        quantity=1,
        unit_price=ORDER.amount,
        tax=Money(445, YEN),
        tax_rate=Tax(Percent(100_000), inclusive=True),
    )
    details = PaymentDetails(billing=home, lines=(line,))
    asked = written(session_for(replace(ORDER, details=details)))
    assert asked["payment_data"]["name"] == "Ada Lovelace"
    assert asked["payment_data"]["billing_address"] == {
        "zipcode": "100-0001",
        "street_address1": "1 Street",
        "city": "Chiyoda",
        "state": "Tokyo",
        "country": "JP",
    }
    assert sum(one["amount"] for one in asked["line_items"]) == 4900


def test_a_charge_names_the_customer_and_the_bill():
    asked = written(charge_for(CHARGE))
    assert asked.keys() == {
        "amount", "currency", "customer", "description", "external_order_num", "metadata",
    }  # fmt: skip
    assert (asked["customer"], asked["metadata"]["bill"]) == ("cus1", str(CHARGE.bill_uuid))
