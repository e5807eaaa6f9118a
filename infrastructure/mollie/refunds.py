"""Refunds at Mollie.

Mollie takes a second refund of the same amount on the same payment within an hour for a mistake
and answers 409. It says 409 as well while a call under the same key is still running, and nothing
but the wording tells the two apart: both are RefundTooSoon, since waiting costs nothing.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.kernel.errors import ProviderUnreadable, RefundTooSoon
from domain.kernel.money import Money
from domain.payments.answers import Declined, ProviderRefund
from domain.payments.payment_provider import PaymentProvider
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.listing import AUDIT_PAGES_MAX, Page, back_to, pages
from infrastructure.mollie.wire import WireAmount, WireRefund, amount_of, decode, refund_from
from infrastructure.provider_client import Call

_REFUND: Final = msgspec.json.Decoder(WireRefund)
_PAGE: Final = msgspec.json.Decoder(Page[WireRefund])


class Metadata(Struct, frozen=True):
    refund: UUID


class CreateRefund(Struct, frozen=True):
    amount: WireAmount
    metadata: Metadata


class MollieRefunds:
    def __init__(self, client: MollieClient) -> None:
        self._client = client

    async def create(
        self, account: PaymentProvider, payment_ref: str, amount: Money, *, refund_uuid: UUID
    ) -> ProviderRefund | Declined:
        body = msgspec.json.encode(CreateRefund(amount_of(amount), Metadata(refund_uuid)))
        path = ("payments", payment_ref, "refunds")
        call = Call(
            method="POST", path=path, body=body, key=str(refund_uuid), on_conflict=RefundTooSoon
        )
        answer = await self._client.act(account, call)
        if isinstance(answer, Declined):
            return answer
        wire = decode(_REFUND, answer, "refund")
        refund = refund_from(wire, account.mode)
        asked = (payment_ref, amount, refund_uuid)
        if (refund.payment_ref, refund.amount, refund.refund_uuid) != asked:
            raise ProviderUnreadable("mollie answered with another refund than was asked for")
        return refund

    async def since(
        self, account: PaymentProvider, since: datetime
    ) -> AsyncIterator[ProviderRefund]:
        listed = pages(self._client, account, ("refunds",), _PAGE, AUDIT_PAGES_MAX)
        async for wire in back_to(listed, since):
            yield refund_from(wire, account.mode)

    async def list(self, account: PaymentProvider, payment_ref: str) -> tuple[ProviderRefund, ...]:
        path = ("payments", payment_ref, "refunds")
        return tuple(
            [
                refund_from(wire, account.mode)
                async for page in pages(self._client, account, path, _PAGE)
                for wire in page
            ]
        )
