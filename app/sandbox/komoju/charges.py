"""Charges on a saved customer, without a shopper. What one comes to is settled as it is made:
`recurringOutcomes` one after the other, and `recurringOutcome` when they are used up.
"""

from typing import Any, Final

from app.sandbox.komoju.calls import Answer, Call
from app.sandbox.komoju.life import settle
from app.sandbox.komoju.objects import Customer, Payment
from app.sandbox.komoju.problems import ApiProblem, missing, refused
from app.sandbox.komoju.validation import (
    currency,
    flag,
    known_only,
    metadata,
    required_number,
    text,
    url,
    whole_number,
)
from app.sandbox.komoju.view import render_payment
from app.sandbox.komoju.world import Outcome, Settings
from app.sandbox.words import words

_FIELDS: Final = words(
    "amount currency customer payment_details external_order_num metadata capture tax "
    "description return_url cancel_url locale fraud_details statement_descriptor mcc"
)


def create_payment(call: Call) -> Answer:
    body = call.body
    known_only(body, _FIELDS)
    # A charge of nothing would be no charge; sessions may ask for 0, in mode `customer`.
    amount, money = required_number(body, "amount", 1), currency(body)
    for name in ("return_url", "cancel_url"):
        url(body, name)
    customer = _charged(call)
    payment = Payment(
        id=call.universe.new_id(),
        key=call.world.key,
        created_at=call.at,
        amount=amount,
        currency=money,
        tax=whole_number(body, "tax", 0) or 0,
        status="pending",
        method=str((customer.source or {})["type"]),
        details=customer.source or {},
        customer_id=customer.id,
        description=text(body, "description"),
        # Said to be unique, never that a second one is refused. It is taken: a shop that charges
        # twice has to see two charges here.
        external_order_num=text(body, "external_order_num"),
        locale=text(body, "locale"),
        mcc=text(body, "mcc"),
        statement_descriptor=text(body, "statement_descriptor"),
        metadata=metadata(body),
        is_manual=not flag(body, "capture", True),
    )
    call.universe.put(payment)
    return _decided(call, payment)


def _charged(call: Call) -> Customer:
    body: dict[str, Any] = call.body
    if body.get("payment_details") is not None:
        message = "Either a customer or payment_details, and this sandbox takes no details of cards"
        raise refused(message, "payment_details")
    if (id := text(body, "customer")) is None:
        raise missing("customer")
    customer = call.world.shelf(Customer).get(id)
    if customer is None or customer.deleted_at is not None:
        raise refused(f"There is no customer {id}", "customer")
    if customer.source is None:
        raise refused(f"Nothing is saved for customer {id}", "customer")
    return customer


def _decided(call: Call, payment: Payment) -> Answer:
    planned = _next_outcome(call.universe.settings)
    if planned.outcome == "failed":
        # The attempt stays, to be found by its external_order_num, and is told as an event; that
        # the caller hears of it by a 402 is how the error table reads.
        settle(call.universe, payment, "failed", call.at)
        code = planned.code or call.universe.settings.recurring_failure_code
        raise ApiProblem(402, "The payment was declined", code=code)
    if planned.outcome == "pending":
        return Answer(render_payment(call.world, payment), 202)
    status = "authorized" if payment.is_manual else "captured"
    return Answer(render_payment(call.world, settle(call.universe, payment, status, call.at)))


def _next_outcome(settings: Settings) -> Outcome:
    if not settings.recurring_outcomes:
        return Outcome(settings.recurring_outcome)
    planned = settings.recurring_outcomes.pop(0)
    return planned if isinstance(planned, Outcome) else Outcome(planned)
