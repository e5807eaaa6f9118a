"""Captures at Mollie: take held money, or let go of it."""

from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.kernel.errors import ProviderUnreadable
from domain.payments.answers import Declined, ProviderCapture
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import NewCapture
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.listing import Page, pages
from infrastructure.mollie.wire import WireAmount, WireCapture, amount_of, capture_from, decode
from infrastructure.provider_client import Call

_CAPTURE: Final = msgspec.json.Decoder(WireCapture)
_PAGE: Final = msgspec.json.Decoder(Page[WireCapture])


class Metadata(Struct, frozen=True):
    capture: UUID


class CreateCapture(Struct, frozen=True, omit_defaults=True):
    amount: WireAmount
    metadata: Metadata
    description: str | None = None


class MollieCaptures:
    def __init__(self, client: MollieClient) -> None:
        self._client = client

    async def create(
        self, account: PaymentProvider, payment_ref: str, capture: NewCapture
    ) -> ProviderCapture | Declined:
        wanted = CreateCapture(
            amount_of(capture.amount), Metadata(capture.uuid), capture.description
        )
        call = Call(
            method="POST",
            path=("payments", payment_ref, "captures"),
            body=msgspec.json.encode(wanted),
            key=str(capture.uuid),
        )
        answer = await self._client.act(account, call)
        if isinstance(answer, Declined):
            return answer
        made = capture_from(decode(_CAPTURE, answer, "capture"), account.mode)
        asked = (payment_ref, capture.amount, capture.uuid)
        if (made.payment_ref, made.amount, made.capture_uuid) != asked:
            raise ProviderUnreadable("mollie answered with another capture than was asked for")
        return made

    async def list(self, account: PaymentProvider, payment_ref: str) -> tuple[ProviderCapture, ...]:
        path = ("payments", payment_ref, "captures")
        return tuple(
            [
                capture_from(wire, account.mode)
                async for page in pages(self._client, account, path, _PAGE)
                for wire in page
            ]
        )

    async def release(self, account: PaymentProvider, payment_ref: str) -> Declined | None:
        path = ("payments", payment_ref, "release-authorization")
        answer = await self._client.act(account, Call(method="POST", path=path))
        return answer if isinstance(answer, Declined) else None
