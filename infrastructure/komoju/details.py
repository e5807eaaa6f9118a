"""What is asked of KOMOJU, in its words: a session for a shopper, a charge on a customer. Pure."""

from typing import Final
from uuid import UUID

from msgspec import Struct

from domain.payments.address import Address
from domain.payments.answers import SequenceType
from domain.payments.payment_details import PaymentDetails
from domain.payments.ports import NewPayment
from infrastructure.komoju.wire import SLUGS

LIFETIME_MAX_S: Final = 86_400
DESCRIPTION_CHARS_MAX: Final = 255
LOCALES: Final = {"ja_JP": "ja", "ko_KR": "ko", "en_US": "en", "en_GB": "en"}


class Metadata(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Its keys may have thirty letters; its values are strings."""

    attempt: UUID
    app: UUID
    customer: str
    session: UUID | None = None
    bill: UUID | None = None


class WireAddress(Struct, frozen=True, omit_defaults=True, kw_only=True):
    zipcode: str | None = None
    street_address1: str
    street_address2: str | None = None
    city: str | None = None
    state: str | None = None
    country: str


class LineItem(Struct, frozen=True, kw_only=True):
    description: str
    amount: int
    quantity: int


class PaymentData(Struct, frozen=True, omit_defaults=True, kw_only=True):
    external_order_num: UUID
    """The attempt's uuid: what the payments of a session are found by."""
    name: str | None = None
    billing_address: WireAddress | None = None
    shipping_address: WireAddress | None = None


class CreateSession(Struct, frozen=True, omit_defaults=True, kw_only=True):
    mode: str
    amount: int
    currency: str
    return_url: str | None = None
    expires_in_seconds: int = LIFETIME_MAX_S
    external_customer_id: str
    payment_types: tuple[str, ...] = ()
    default_locale: str
    line_items: tuple[LineItem, ...] = ()
    payment_data: PaymentData | None = None
    metadata: Metadata


class CreateCharge(Struct, frozen=True, omit_defaults=True, kw_only=True):
    amount: int
    currency: str
    customer: str | None = None
    description: str
    external_order_num: UUID
    metadata: Metadata


def session_for(payment: NewPayment) -> CreateSession:
    mode = _mode(payment)
    stores_only = mode == "customer"
    method = payment.payment_method
    details = payment.details or PaymentDetails()
    return CreateSession(
        mode=mode,
        amount=payment.amount.minor,
        currency=payment.amount.currency,
        return_url=payment.return_url,
        expires_in_seconds=min(payment.lifetime_s or LIFETIME_MAX_S, LIFETIME_MAX_S),
        external_customer_id=payment.customer_ref,
        # One way to pay, as for every provider: what the shopper chose in the app.
        payment_types=() if method is None else (SLUGS.get(method, method),),
        default_locale=LOCALES.get(payment.locale or "", "en"),
        line_items=() if stores_only else _lines(payment, details),
        payment_data=None if stores_only else _payment_data(payment, details),
        metadata=_metadata(payment),
    )


def charge_for(payment: NewPayment) -> CreateCharge:
    return CreateCharge(
        amount=payment.amount.minor,
        currency=payment.amount.currency,
        customer=payment.mandate_ref,
        description=payment.description[:DESCRIPTION_CHARS_MAX],
        external_order_num=payment.attempt_uuid,
        metadata=_metadata(payment),
    )


def _mode(payment: NewPayment) -> str:
    if payment.sequence_type is SequenceType.ONEOFF:
        return "payment"
    return "customer_payment" if payment.amount.minor else "customer"


def _metadata(payment: NewPayment) -> Metadata:
    return Metadata(
        attempt=payment.attempt_uuid,
        app=payment.app_uuid,
        customer=payment.customer_ref,
        session=payment.checkout_session_uuid,
        bill=payment.bill_uuid,
    )


def _lines(payment: NewPayment, details: PaymentDetails) -> tuple[LineItem, ...]:
    """For show, and adding up to the amount."""
    if not details.lines:
        description = payment.description[:DESCRIPTION_CHARS_MAX]
        return (LineItem(description=description, amount=payment.amount.minor, quantity=1),)
    return tuple(
        LineItem(
            description=line.description[:DESCRIPTION_CHARS_MAX],
            amount=line.unit_price.minor,
            quantity=line.quantity,
        )
        for line in details.lines
    )


def _payment_data(payment: NewPayment, details: PaymentDetails) -> PaymentData:
    payer = details.billing or details.shipping
    return PaymentData(
        external_order_num=payment.attempt_uuid,
        name=None if payer is None else f"{payer.given_name} {payer.family_name}",
        billing_address=_address(details.billing),
        shipping_address=_address(details.shipping),
    )


def _address(address: Address | None) -> WireAddress | None:
    if address is None:
        return None
    return WireAddress(
        zipcode=address.postal_code,
        street_address1=address.line1,
        street_address2=address.line2,
        city=address.city,
        state=address.state,
        country=address.country,
    )
