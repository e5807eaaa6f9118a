"""Everything in KOMOJU's words."""

import random
from datetime import datetime
from typing import Any

from app.sandbox.komoju.clock import maybe, stamp
from app.sandbox.komoju.methods import offered
from app.sandbox.komoju.objects import Customer, Event, Payment, Refund, Session
from app.sandbox.komoju.world import Universe
from app.sandbox.universe import World

Json = dict[str, Any]


def session_url(session: Session, base: str) -> str:
    return f"{base}/sessions/{session.id}"


def render_session(universe: Universe, session: Session, base: str, at: datetime) -> Json:
    world = universe.world(session.key)
    paid = None if session.payment_id is None else world.shelf(Payment)[session.payment_id]
    body: Json = {
        "id": session.id,
        "resource": "session",
        "mode": session.mode,
        "amount": session.amount,
        "currency": session.currency,
        "session_url": session_url(session, base),
        "return_url": session.return_url,
        "default_locale": session.default_locale,
        "payment_methods": [
            {"type": method.slug} for method in offered(session.mode, session.payment_types)
        ],
        "created_at": stamp(session.created_at),
        "cancelled_at": maybe(session.cancelled_at),
        "completed_at": maybe(session.completed_at),
        "status": session.status,
        "expired": session.is_expired(at),
        "merchant": _merchant(session.key),
        "metadata": session.metadata,
        "payment": None if paid is None else render_payment(world, paid),
        "payment_data": session.payment_data,
        "customer_id": session.customer_id if "customer" in session.mode else None,
        "line_items": session.line_items,
        "email": session.email,
    }
    # Shown only where there are any.
    for name in ("payment_data", "customer_id", "line_items", "email"):
        if body[name] is None:
            del body[name]
    return body


def _merchant(key: str) -> Json:
    drawn = random.Random(key).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=25)
    return {"id": "".join(drawn), "resource": "merchant", "name": "Sandbox shop"}


def render_payment(world: World, payment: Payment) -> Json:
    refunds = world.of(Refund, payment.id)
    return {
        "id": payment.id,
        "resource": "payment",
        "status": payment.status,
        "amount": payment.amount,
        "tax": payment.tax,
        "customer": payment.customer_id,
        "payment_deadline": maybe(payment.deadline),
        "payment_details": payment.details,
        "payment_method_fee": payment.fee,
        "total": payment.total,
        "currency": payment.currency,
        "description": payment.description,
        "captured_at": maybe(payment.captured_at),
        "external_order_num": payment.external_order_num,
        "metadata": payment.metadata,
        "created_at": stamp(payment.created_at),
        "amount_refunded": sum(refund.amount for refund in refunds),
        "locale": payment.locale,
        "session": payment.session_id,
        "customer_family_name": None,
        "customer_given_name": None,
        "mcc": payment.mcc,
        "statement_descriptor": payment.statement_descriptor,
        "refunds": [render_refund(refund) for refund in refunds],
        "refund_requests": [],
    }


def render_refund(refund: Refund) -> Json:
    return {
        "id": refund.id,
        "resource": "refund",
        "amount": refund.amount,
        "currency": refund.currency,
        "payment": refund.payment_id,
        "description": refund.description,
        "created_at": stamp(refund.created_at),
        "chargeback": refund.is_chargeback,
    }


def render_customer(customer: Customer) -> Json:
    return {
        "id": customer.id,
        "resource": "customer",
        "email": customer.email,
        "source": customer.source,
        "metadata": customer.metadata,
        "created_at": stamp(customer.created_at),
    }


def render_event(event: Event) -> Json:
    return {
        "id": event.id,
        "type": event.type,
        "resource": "event",
        "data": event.data,
        "created_at": stamp(event.created_at),
        "reason": None,
    }
