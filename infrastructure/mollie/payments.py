"""Payments at Mollie: rendered once, sent as rendered, and read back with suspicion."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.errors import ProviderUnreadable
from domain.kernel.money import Currency
from domain.payments.answers import Declined, ProviderPayment, SequenceType
from domain.payments.payment_details import PaymentDetails
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import NewPayment
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.details import WireAddress, WireLine, address_to, line_to
from infrastructure.mollie.listing import AUDIT_PAGES_MAX, Page, back_to, find, pages
from infrastructure.mollie.parameters import Parameters, on_the_wire
from infrastructure.mollie.wire import (
    WireAmount,
    WirePayment,
    amount_of,
    decode,
    method_of,
    payment_from,
    uuid_in,
)
from infrastructure.provider_client import Call

DESCRIPTION_CHARS_MAX: Final = 255
METADATA_BYTES_MAX: Final = 1024
"""Of JSON, the app's and ours together."""

_PAYMENT: Final = msgspec.json.Decoder(WirePayment)
_PAGE: Final = msgspec.json.Decoder(Page[WirePayment])
_MARK: Final = "attempt"
_WHO_PAYS: Final = frozenset({"customerId", "mandateId"})
_PRIVATE_NAMES: Final = (".local", ".localhost", ".internal", ".test", ".lan", ".home.arpa")


class Metadata(Struct, frozen=True, omit_defaults=True, kw_only=True):
    attempt: UUID
    session: UUID | None = None
    bill: UUID | None = None
    app: UUID
    data: Mapping[str, Any] = {}
    """The app's own, to be read at Mollie's: for us it means nothing."""


class WireFee(Struct, frozen=True):
    amount: WireAmount
    description: str


class CreatePayment(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    amount: WireAmount
    description: str
    sequence_type: SequenceType
    customer_id: str
    mandate_id: str | None = None
    method: str | None = None
    metadata: Metadata
    redirect_url: str | None = None
    webhook_url: str | None = None
    locale: str | None = None
    billing_address: WireAddress | None = None
    shipping_address: WireAddress | None = None
    lines: tuple[WireLine, ...] = ()
    application_fee: WireFee | None = None


class Asked(Struct, frozen=True, rename="camel", kw_only=True):
    """As much of a request as the answer is held against."""

    amount: WireAmount
    sequence_type: SequenceType
    customer_id: str
    mandate_id: str | None = None
    metadata: Metadata


_REQUEST: Final = msgspec.json.Decoder(Asked)


class MolliePayments:
    def __init__(self, client: MollieClient) -> None:
        self._client = client

    def render(self, payment: NewPayment) -> bytes:
        # One fixed method makes a failed try final, and Mollie tells us. With a choice of methods
        # the shopper would go back to choosing, and nobody would hear of it.
        is_recurring = payment.sequence_type is SequenceType.RECURRING
        details = payment.details or PaymentDetails()
        told = msgspec.convert(payment.parameters, Parameters)
        return _encoded(
            CreatePayment(
                amount=amount_of(payment.amount),
                description=payment.description[:DESCRIPTION_CHARS_MAX],
                sequence_type=payment.sequence_type,
                customer_id=payment.customer_ref,
                mandate_id=payment.mandate_ref,
                method=payment.payment_method and method_of(payment.payment_method),
                metadata=_metadata(payment, told),
                # Nobody is there to read, or to be sent back, when a mandate is charged.
                redirect_url=None if is_recurring else payment.return_url,
                webhook_url=webhook_url(self._client, payment.webhook_url),
                locale=None if is_recurring else payment.locale,
                billing_address=address_to(details.billing),
                shipping_address=address_to(details.shipping),
                lines=tuple(line_to(line) for line in details.lines),
                application_fee=_fee(payment),
            ),
            told,
            payment.amount.currency,
        )

    async def create(
        self, account: PaymentProvider, request: bytes, *, key: UUID
    ) -> ProviderPayment | Declined:
        asked = decode(_REQUEST, request, "payment's request")
        call = Call(method="POST", path=("payments",), body=request, key=str(key))
        answer = await self._client.act_once(
            account, call, lambda since: self.find(account, key, since=since)
        )
        if isinstance(answer, ProviderPayment):
            return answer
        if isinstance(answer, Declined):
            return replace(answer, is_gone=answer.is_gone or answer.field in _WHO_PAYS)
        wire = decode(_PAYMENT, answer, "payment")
        if not _is_what_was_asked(wire, asked):
            raise ProviderUnreadable("mollie answered with another payment than was asked for")
        return payment_from(wire, account.mode)

    async def get(self, account: PaymentProvider, ref: str) -> ProviderPayment | None:
        answer = await self._client.read(account, Call(path=("payments", ref)))
        return None if answer is None else _payment(answer, ref, account)

    async def find(
        self, account: PaymentProvider, attempt_uuid: UUID, *, since: datetime
    ) -> ProviderPayment | None:
        listed = pages(self._client, account, ("payments",), _PAGE)
        found = await find(listed, (_MARK, attempt_uuid), since=since)
        return None if found is None else payment_from(found, account.mode)

    async def since(
        self, account: PaymentProvider, since: datetime
    ) -> AsyncIterator[ProviderPayment]:
        listed = pages(self._client, account, ("payments",), _PAGE, AUDIT_PAGES_MAX)
        async for wire in back_to(listed, since):
            yield payment_from(wire, account.mode)

    async def cancel(self, account: PaymentProvider, ref: str) -> ProviderPayment | Declined:
        answer = await self._client.act(account, Call(method="DELETE", path=("payments", ref)))
        return answer if isinstance(answer, Declined) else _payment(answer, ref, account)


def _payment(body: bytes, ref: str, account: PaymentProvider) -> ProviderPayment:
    wire = decode(_PAYMENT, body, "payment")
    if wire.id != ref:
        raise ProviderUnreadable("mollie answered with another payment than was asked for")
    return payment_from(wire, account.mode)


def _fee(payment: NewPayment) -> WireFee | None:
    fee = payment.application_fee
    if fee is None:
        return None
    what = payment.application_fee_description or payment.description
    return WireFee(amount_of(fee), what[:DESCRIPTION_CHARS_MAX])


def _encoded(request: CreatePayment, told: Parameters, currency: Currency) -> bytes:
    if told == Parameters():
        return msgspec.json.encode(request)
    ours = msgspec.to_builtins(request)
    return msgspec.json.encode(ours | on_the_wire(told, currency))


def _metadata(payment: NewPayment, told: Parameters) -> Metadata:
    ours = Metadata(
        attempt=payment.attempt_uuid,
        session=payment.checkout_session_uuid,
        bill=payment.bill_uuid,
        app=payment.app_uuid,
    )
    both = replace(ours, data=told.metadata)
    # Mollie keeps no more: then the app's stays with us alone.
    return both if len(msgspec.json.encode(both)) <= METADATA_BYTES_MAX else ours


def _is_what_was_asked(wire: WirePayment, asked: Asked) -> bool:
    return (
        wire.amount == asked.amount
        and wire.sequence_type == asked.sequence_type
        and wire.customer_id in (None, asked.customer_id)
        and (asked.mandate_id is None or wire.mandate_id in (None, asked.mandate_id))
        and uuid_in(wire.metadata, _MARK) == asked.metadata.attempt
    )


def webhook_url(client: MollieClient, url: str) -> str | None:
    """Mollie refuses a payment whose webhook it cannot reach. Somebody who tries the real test mode
    from a laptop still gets payments: they are looked at from time to time anyway."""
    return None if client.is_real and _is_private(url) else url


def _is_private(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_PRIVATE_NAMES)
