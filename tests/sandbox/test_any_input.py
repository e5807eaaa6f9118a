"""Whatever is sent, the answer is a success or a refusal that names the reason; never a crash."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sandbox.mollie import payment_input
from app.sandbox.mollie.bodies import parse_body
from app.sandbox.mollie.calls import Answer, Call
from app.sandbox.mollie.captures import create_capture
from app.sandbox.mollie.connect_objects import Access
from app.sandbox.mollie.customers import create_customer
from app.sandbox.mollie.mandates import create_mandate
from app.sandbox.mollie.objects import Payment
from app.sandbox.mollie.organizations import create_client_link
from app.sandbox.mollie.payments import create_payment
from app.sandbox.mollie.problems import ApiProblem
from app.sandbox.mollie.refunds import create_refund
from app.sandbox.mollie.sessions import create_session
from app.sandbox.mollie.settling import settle
from app.sandbox.mollie.subscriptions import create_subscription
from app.sandbox.mollie.world import Universe
from tests.sandbox.shop import a_payment
from tests.sandbox.test_sessions import a_session

NEAR_MISSES = st.sampled_from(
    ["EUR", "10.00", "first", "recurring", "klarna", "1 month", "2026-02-30", "https://[::1/", "\0"]
)
NAMES_INSIDE = ["value", "currency", "type", "email", "country", "webhookUrl", "interval", "x"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | NEAR_MISSES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES_INSIDE), inner, max_size=3)
    ),
    max_leaves=8,
)
LINE_FIELDS = [
    "type",
    "description",
    "quantity",
    "unitPrice",
    "totalAmount",
    "discountAmount",
    "vatRate",
    "vatAmount",
    "sku",
    "categories",
    "quantityUnit",
    "imageUrl",
    "recurring",
]
SESSION_FIELDS = [
    "amount",
    "description",
    "redirectUrl",
    "billingAddress",
    "requiredCustomerDetails",
    "customerId",
    "sequenceType",
    "metadata",
    "payment",
]
LINES = st.lists(st.dictionaries(st.sampled_from(LINE_FIELDS), VALUES), max_size=2)


def a_call(universe, body, *ids):
    world, at = universe.world("test_shop"), universe.clock.now()
    return Call(universe, world, at, "http://mollie.test", "payments", ids, {}, body)


def answers(endpoint, call):
    try:
        answer = endpoint(call)
    except ApiProblem as problem:
        assert problem.status in (400, 404, 409, 410, 422)
        assert problem.detail
    else:
        assert isinstance(answer, Answer)
        msgspec.json.encode(answer.body)


@given(st.dictionaries(st.sampled_from(sorted(payment_input.CREATE)), VALUES), LINES)
def test_a_payment_is_made_or_refused(changes, lines):
    answers(create_payment, a_call(Universe(), {**a_payment(lines=lines or None), **changes}))


@pytest.mark.parametrize(
    ("endpoint", "fields"),
    [
        (create_mandate, "method consumerName consumerAccount signatureDate mandateReference"),
        (create_subscription, "amount interval description times startDate method mandateId"),
    ],
)
@given(st.data())
def test_what_belongs_to_a_customer_is_made_or_refused(endpoint, fields, data):
    body = data.draw(st.dictionaries(st.sampled_from(fields.split()), VALUES))
    universe = Universe()
    made = create_customer(a_call(universe, {})).body
    answers(endpoint, a_call(universe, body, made["id"]))


@given(st.dictionaries(st.sampled_from(["amount", "description", "metadata"]), VALUES))
def test_a_refund_is_made_or_refused(body):
    universe = Universe()
    made = create_payment(a_call(universe, a_payment())).body
    answers(create_refund, a_call(universe, body, made["id"]))


@given(st.dictionaries(st.sampled_from(SESSION_FIELDS), VALUES), LINES)
def test_a_session_is_opened_or_refused(changes, lines):
    body = {**a_session(), **({"lines": lines} if lines else {}), **changes}
    answers(create_session, a_call(Universe(), body))


@given(st.dictionaries(st.sampled_from(["amount", "description", "metadata"]), VALUES))
def test_a_capture_is_made_or_refused(body):
    universe = Universe()
    held = a_payment(captureMode="manual", method="creditcard")
    made = create_payment(a_call(universe, held)).body
    payment = universe.find(Payment, made["id"])
    settle(universe, payment, "authorized", universe.clock.now())
    answers(create_capture, a_call(universe, body, made["id"]))


@given(st.dictionaries(st.sampled_from(["owner", "name", "address", "vatNumber"]), VALUES))
def test_an_invitation_is_made_or_refused(body):
    universe = Universe()
    call = replace(a_call(universe, body), access=Access(account="access_own"))
    answers(create_client_link, call)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_body_or_a_refusal(raw):
    for content_type in ("application/json", "application/x-www-form-urlencoded", "text/plain"):
        try:
            assert isinstance(parse_body(raw, content_type), dict)
        except ApiProblem as problem:
            assert problem.status in (400, 415)
