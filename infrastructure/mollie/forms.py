"""Mollie's sessions, in beta: what its Components pay in a page of the app's."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from domain.kernel.errors import ProviderUnreadable
from domain.payments.answers import Declined, FormStatus, ProviderForm, SequenceType
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import NewPayment
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.details import WireAddress, WireLine, address_to, line_to
from infrastructure.mollie.payments import DESCRIPTION_CHARS_MAX, Metadata, webhook_url
from infrastructure.mollie.wire import (
    Ref,
    WireAmount,
    amount_of,
    check_mode,
    decode,
    money_from,
    uuid_in,
)
from infrastructure.provider_client import Call

_STATUS: Final[Mapping[str, FormStatus]] = {
    "open": FormStatus.OPEN,
    "completed": FormStatus.COMPLETED,
    "expired": FormStatus.EXPIRED,
}


class OfPayment(Struct, frozen=True, rename="camel", omit_defaults=True):
    webhook_url: str | None = None


class CreateSession(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """It knows no method, no locale and no cancelUrl: those are the form's own."""

    amount: WireAmount
    description: str
    lines: tuple[WireLine, ...]
    redirect_url: str
    customer_id: str
    sequence_type: SequenceType
    metadata: Metadata
    payment: OfPayment
    billing_address: WireAddress | None = None
    shipping_address: WireAddress | None = None


class WireSession(Struct, frozen=True, rename="camel", kw_only=True):
    id: Ref
    mode: str
    status: str
    amount: WireAmount
    client_access_token: Annotated[str, Meta(min_length=1, max_length=8_000)]
    metadata: Any = None


class _Asked(Struct, frozen=True):
    amount: WireAmount
    metadata: Metadata


_REQUEST: Final = msgspec.json.Decoder(_Asked)
_SESSION: Final = msgspec.json.Decoder(WireSession)


class MollieForms:
    """Implements `FormsPort`."""

    def __init__(self, client: MollieClient) -> None:
        self._client = client

    def render(self, payment: NewPayment) -> bytes:
        assert payment.details is not None and payment.return_url is not None
        return msgspec.json.encode(
            CreateSession(
                amount=amount_of(payment.amount),
                description=payment.description[:DESCRIPTION_CHARS_MAX],
                lines=tuple(line_to(line) for line in payment.details.lines),
                redirect_url=payment.return_url,
                customer_id=payment.customer_ref,
                sequence_type=payment.sequence_type,
                metadata=Metadata(
                    attempt=payment.attempt_uuid,
                    session=payment.checkout_session_uuid,
                    app=payment.app_uuid,
                ),
                payment=OfPayment(webhook_url(self._client, payment.webhook_url)),
                billing_address=address_to(payment.details.billing),
                shipping_address=address_to(payment.details.shipping),
            )
        )

    async def create(
        self, account: PaymentProvider, request: bytes, *, key: UUID
    ) -> ProviderForm | Declined:
        asked = decode(_REQUEST, request, "session's request")
        call = Call(method="POST", path=("sessions",), body=request, key=str(key))
        answer = await self._client.act(account, call)
        if isinstance(answer, Declined):
            return answer
        wire = decode(_SESSION, answer, "session")
        mark = uuid_in(wire.metadata, "attempt")
        if wire.amount != asked.amount or mark != asked.metadata.attempt:
            raise ProviderUnreadable("mollie answered with another session than was asked for")
        return _form(wire, account)

    async def get(self, account: PaymentProvider, ref: str) -> ProviderForm | None:
        answer = await self._client.read(account, Call(path=("sessions", ref)))
        return None if answer is None else _form(decode(_SESSION, answer, "session"), account)


def _form(wire: WireSession, account: PaymentProvider) -> ProviderForm:
    check_mode(wire.mode, account.mode)
    if (status := _STATUS.get(wire.status)) is None:
        raise ProviderUnreadable("mollie's answer holds an unknown session status")
    return ProviderForm(
        ref=wire.id,
        status=status,
        amount=money_from(wire.amount),
        attempt_uuid=uuid_in(wire.metadata, "attempt"),
        client_token=wire.client_access_token,
    )
