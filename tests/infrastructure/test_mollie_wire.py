"""Mollie's words into ours and back: amounts to the last unit, statuses by the table."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.kernel.errors import ProviderUnreadable
from domain.kernel.money import EXPONENTS, Money, currency
from domain.payments.answers import (
    MandateStatus,
    PaymentStatus,
    ProviderChargeback,
    ProviderPayment,
    RefundStatus,
    SequenceType,
)
from domain.payments.payment_provider import ProviderMode
from domain.payments.ports import NewPayment
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.payments import MolliePayments
from infrastructure.mollie.wire import (
    MANDATE_STATUS,
    PAYMENT_STATUS,
    REFUND_STATUS,
    SEQUENCE_TYPE,
    WireAmount,
    WireChargeback,
    WireMandate,
    WirePayment,
    WireRefund,
    amount_of,
    chargeback_from,
    mandate_from,
    money_from,
    payment_from,
    problem_from,
    refund_from,
)
from tests.fakes.ids import FakeIds
from tests.fakes.vault import FakeVault

TEST: Final = ProviderMode.TEST
IDS: Final = FakeIds(series=2)
LEAST: Final = {
    "id": "tr_1",
    "mode": "test",
    "status": "open",
    "createdAt": "2026-03-20T12:00:00+00:00",
    "amount": {"currency": "EUR", "value": "49.00"},
    "sequenceType": "oneoff",
}


def seen(**changes: Any) -> ProviderPayment:
    return payment_from(msgspec.convert({**LEAST, **changes}, WirePayment), TEST)


# Amounts


@pytest.mark.parametrize("code", sorted(EXPONENTS))
@given(minor=some.integers(min_value=0, max_value=10**15 - 1))
def test_every_amount_of_every_currency_survives_the_journey(code: str, minor: int):
    money = Money(minor, currency(code))
    wire = amount_of(money)

    assert money_from(wire) == money
    whole, _, decimals = wire.value.partition(".")
    assert whole == "0" or not whole.startswith("0")
    assert len(decimals) == EXPONENTS[code]


@pytest.mark.parametrize(
    ("money", "written"),
    [
        (Money(5, currency("EUR")), "0.05"),
        (Money(0, currency("EUR")), "0.00"),
        (Money(1_000_00, currency("USD")), "1000.00"),
        (Money(900, currency("JPY")), "900"),
        (Money(0, currency("ISK")), "0"),
        (Money(12_345, currency("HUF")), "123.45"),
    ],
)
def test_amounts_are_written_with_the_decimals_of_their_currency(money: Money, written: str):
    assert amount_of(money) == WireAmount(money.currency, written)


@pytest.mark.parametrize(
    ("code", "written"),
    [
        *[("EUR", text) for text in ("", "10", "10.", "10.0", "10.000", ".10", "1,000.00", "1e3")],
        *[("EUR", text) for text in ("-1.00", "+1.00", " 1.00", "1.00\n", "NaN", "١.٠٠", "1_0.00")],
        *[("JPY", text) for text in ("900.00", "900.", "9 00")],
        ("XXX", "1.00"),
        ("eur", "1.00"),
        ("EUR", "1" * 16 + ".00"),
    ],
)
def test_an_amount_written_in_any_other_way_is_not_guessed_at(code: str, written: str):
    with pytest.raises(ProviderUnreadable):
        money_from(WireAmount(code, written))


@given(some.text(max_size=20), some.sampled_from(sorted(EXPONENTS)))
def test_no_text_at_all_makes_the_amount_reader_stumble(written: str, code: str):
    wire = WireAmount(code, written)
    try:
        money = money_from(wire)
    except ProviderUnreadable:
        return
    assert money_from(amount_of(money)) == money


# Words


def test_every_status_of_mollies_has_one_of_ours():
    assert {word: seen(status=word).status for word in PAYMENT_STATUS} == PAYMENT_STATUS
    assert set(PAYMENT_STATUS.values()) == set(PaymentStatus)
    assert set(MANDATE_STATUS.values()) == set(MandateStatus)
    assert set(SEQUENCE_TYPE.values()) == set(SequenceType)
    ours_alone = {RefundStatus.REQUESTED, RefundStatus.DECLINED}
    assert set(REFUND_STATUS.values()) == set(RefundStatus) - ours_alone


def test_an_unknown_status_is_not_guessed_at():
    refund = WireRefund(
        id="re_1",
        mode="test",
        status="?",
        amount=WireAmount("EUR", "1.00"),
        payment_id="tr_1",
        created_at=datetime(2026, 3, 20, tzinfo=UTC),
    )
    mandate = WireMandate(
        id="mdt_1", mode="test", status="?", method="creditcard", customer_id="cst_1"
    )
    with pytest.raises(ProviderUnreadable):
        seen(status="shipped")
    with pytest.raises(ProviderUnreadable):
        refund_from(refund, TEST)
    with pytest.raises(ProviderUnreadable):
        mandate_from(mandate, TEST)


def test_what_is_new_and_harmless_passes():
    payment = seen(
        method="telepathy",
        resource="payment",
        captureMode="instant",
        details={"wallet": "moon", "failureReason": 7},
        _links={"self": {"href": "x", "type": "y"}, "teleport": None},
    )
    assert payment.method == "telepathy"
    assert payment.failure_reason is payment.checkout_url is None


@pytest.mark.parametrize("details", [None, [], {}, "none", 0])
def test_details_may_be_of_any_shape(details: Any):
    assert seen(details=details).failure_reason is None


@pytest.mark.parametrize(
    "written",
    ["2024-03-20T09:13:37+00:00", "2024-03-20T09:13:37.0Z", "2024-03-20T10:13:37+01:00"],
)
def test_timestamps_come_in_several_forms_and_mean_utc(written: str):
    payment = seen(createdAt=written, paidAt=written)
    moment = datetime(2024, 3, 20, 9, 13, 37, tzinfo=UTC)

    assert payment.created_at == payment.paid_at == moment
    assert payment.created_at.tzinfo is UTC


def test_money_that_went_back_is_zero_until_it_is_mentioned():
    untouched = seen()
    assert untouched.refunded == untouched.charged_back == Money(0, currency("EUR"))

    touched = seen(
        amountRefunded={"currency": "EUR", "value": "9.00"},
        amountChargedBack={"currency": "EUR", "value": "40.00"},
        amountRemaining={"currency": "EUR", "value": "40.00"},
    )
    assert (touched.refunded.minor, touched.charged_back.minor) == (9_00, 40_00)


UUID_TEXT: Final = "0195b8f2-6c00-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        ({"attempt": UUID_TEXT, "more": 1}, UUID_TEXT),
        *[({"attempt": other}, None) for other in ("x", "", 7, None, [UUID_TEXT], UUID_TEXT[:-1])],
        *[(other, None) for other in (None, {}, [], [UUID_TEXT], UUID_TEXT, 7, 7.5, True)],
    ],
)
def test_only_metadata_of_ours_names_an_attempt(metadata: Any, found: str | None):
    attempt_uuid = seen(metadata=metadata).attempt_uuid
    assert (None if attempt_uuid is None else str(attempt_uuid)) == found


def test_a_failed_debit_says_what_the_bank_said():
    details = {"bankReasonCode": "AM04", "bankReason": "Insufficient funds"}
    assert seen(status="failed", details=details).failure_reason == "AM04"


@pytest.mark.parametrize(
    ("details", "status_reason", "reason"),
    [
        ({"failureReason": "card_expired"}, {"code": "declined"}, "card_expired"),
        ({"bankReasonCode": "AC04"}, {"code": "declined"}, "AC04"),
        ({}, {"code": "declined", "message": "It was declined"}, "declined"),
        (None, {"code": 7}, None),
        (None, "declined", None),
    ],
)
def test_the_most_specific_reason_of_a_failure_counts(
    details: Any, status_reason: Any, reason: str | None
):
    failed = seen(status="failed", details=details, statusReason=status_reason)
    assert failed.failure_reason == reason


A_CHARGEBACK: Final = {
    "id": "chb_1",
    "paymentId": "tr_1",
    "amount": {"currency": "EUR", "value": "9.00"},
    "createdAt": "2026-03-20T12:00:00+00:00",
}


def taken_back(**changes: Any) -> ProviderChargeback:
    return chargeback_from(msgspec.convert({**A_CHARGEBACK, **changes}, WireChargeback), TEST)


def test_a_chargeback_may_say_little():
    bare = taken_back()
    assert (bare.ref, bare.payment_ref, bare.amount.minor) == ("chb_1", "tr_1", 9_00)
    assert bare.reason is bare.reversed_at is None
    assert taken_back(reason=None, reversedAt=None, mode="test") == bare

    told = taken_back(
        reason={"code": "AC04", "description": "x"}, reversedAt="2026-03-21T12:00:00Z"
    )
    assert (told.reason, told.reversed_at) == ("AC04", datetime(2026, 3, 21, 12, tzinfo=UTC))


@pytest.mark.parametrize("reason", ["AC04", [], {}, {"code": 4}])
def test_a_reason_in_another_form_is_none(reason: Any):
    assert taken_back(reason=reason).reason is None


def test_a_chargeback_of_the_other_mode_is_not_believed():
    with pytest.raises(ProviderUnreadable):
        taken_back(mode="live")


def test_a_mandate_shows_no_more_than_a_person_recognises():
    wire = WireMandate(
        id="mdt_1",
        mode="test",
        status="valid",
        method="directdebit",
        customer_id="cst_1",
        details={
            "consumerName": "T. TEST",
            "consumerAccount": "NL55INGB0000004321",
            "consumerBic": "INGBNL2A",
            "cardNumber": "5555444433332222",
            "cardFingerprint": "fHB3CCKx9REkz8fPplT8N4nq",
        },
    )
    assert mandate_from(wire, TEST).details == {"consumerAccount": "4321", "cardNumber": "2222"}


def test_a_problem_is_cut_to_a_length_that_fits_a_log_line():
    reason, field = problem_from(b'{"status":422,"detail":"' + b"x" * 999 + b'","field":"amount"}')
    assert (len(reason), field) == (200, "amount")


# The request


def rendered(base_url: str = "https://api.mollie.com", **changes: Any) -> dict[str, Any]:
    order = NewPayment(
        **{
            "attempt_uuid": IDS.new(),
            "app_uuid": IDS.new(),
            "checkout_session_uuid": IDS.new(),
            "amount": Money(49_00, currency("EUR")),
            "description": "Handbook",
            "sequence_type": SequenceType.FIRST,
            "customer_ref": "cst_1",
            "payment_method": "card",
            "return_url": "http://127.0.0.1:3000/thanks",
            "webhook_url": "https://billing.example/hooks/1?x=1",
            "locale": None,
            **changes,
        }
    )
    payments = MolliePayments(MollieClient(base_url, FakeVault(), 1))
    request: dict[str, Any] = msgspec.json.decode(payments.render(order))
    return request


def test_a_request_says_what_mollie_has_to_know_and_nothing_else():
    attempt, session, app = IDS.new(), IDS.new(), IDS.new()
    request = rendered(attempt_uuid=attempt, checkout_session_uuid=session, app_uuid=app)

    assert request == {
        "amount": {"currency": "EUR", "value": "49.00"},
        "description": "Handbook",
        "sequenceType": "first",
        "customerId": "cst_1",
        "method": "creditcard",
        "metadata": {"attempt": str(attempt), "session": str(session), "app": str(app)},
        "redirectUrl": "http://127.0.0.1:3000/thanks",
        "webhookUrl": "https://billing.example/hooks/1?x=1",
    }


def test_a_request_carries_the_shoppers_language_if_it_is_known():
    assert rendered(locale="nl_NL")["locale"] == "nl_NL"


def test_a_method_that_has_no_other_name_is_passed_on():
    assert rendered(payment_method="banktransfer")["method"] == "banktransfer"


def test_a_long_description_is_cut_where_mollie_would_cut_it():
    assert rendered(description="ü" * 300)["description"] == "ü" * 255


def test_nobody_is_sent_back_from_a_charge_on_a_mandate():
    charge = rendered(sequence_type=SequenceType.RECURRING, locale="nl_NL")
    assert not {"redirectUrl", "locale"} & charge.keys()


def test_a_charge_names_its_mandate_and_its_bill():
    attempt, bill, app = IDS.new(), IDS.new(), IDS.new()
    charge = rendered(
        attempt_uuid=attempt,
        checkout_session_uuid=None,
        bill_uuid=bill,
        app_uuid=app,
        sequence_type=SequenceType.RECURRING,
        mandate_ref="mdt_1",
        payment_method=None,
        return_url=None,
    )
    assert charge == {
        "amount": {"currency": "EUR", "value": "49.00"},
        "description": "Handbook",
        "sequenceType": "recurring",
        "customerId": "cst_1",
        "mandateId": "mdt_1",
        "metadata": {"attempt": str(attempt), "bill": str(bill), "app": str(app)},
        "webhookUrl": "https://billing.example/hooks/1?x=1",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"bill_uuid": IDS.new()},
        {"checkout_session_uuid": None},
        {"mandate_ref": "mdt_1"},
    ],
)
def test_a_payment_has_one_owner_and_a_shopper_or_a_mandate(changes: dict[str, Any]):
    with pytest.raises(AssertionError):
        rendered(**changes)


PRIVATE: Final = [
    "http://127.0.0.1:8000/hooks",
    "http://localhost:8000/hooks",
    "http://[::1]/hooks",
    "http://10.1.2.3/hooks",
    "https://192.168.1.10/hooks",
    "http://api/hooks",
    "http://laptop.local/hooks",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_mollie_is_not_told_of_a_webhook_that_it_could_not_reach(url: str):
    assert "webhookUrl" not in rendered(webhook_url=url)


@pytest.mark.parametrize("url", PRIVATE)
def test_a_sandbox_reaches_what_is_next_to_it(url: str):
    assert rendered("http://127.0.0.1:8001", webhook_url=url)["webhookUrl"] == url
