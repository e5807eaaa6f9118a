"""Refunds at KOMOJU: made is given back, there is nothing in between.

A refund has no metadata, so its description is our uuid. Cash is given back to a bank account, by
hand, in KOMOJU's dashboard; and where the shopper paid in another currency, only all of it can be:
what a part comes to there is KOMOJU's to say.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.kernel.errors import ProviderUnreadable
from domain.kernel.money import Money
from domain.payments.answers import Declined, ProviderRefund
from domain.payments.payment_provider import PaymentProvider
from infrastructure.komoju.client import KomojuClient, key_of
from infrastructure.komoju.money_back import MoneyBack
from infrastructure.komoju.refs import Ref, parsed
from infrastructure.komoju.states import refunds_in
from infrastructure.komoju.wire import CASH, WirePayment, decode
from infrastructure.provider_client import Call

_PAYMENT: Final = msgspec.json.Decoder(WirePayment)


class CreateRefund(Struct, frozen=True, omit_defaults=True):
    description: str
    amount: int | None = None
    """None: all that is left."""


class KomojuRefunds:
    def __init__(self, client: KomojuClient) -> None:
        self._client, self._held = client, MoneyBack(client)

    async def create(
        self, account: PaymentProvider, payment_ref: str, amount: Money, *, refund_uuid: UUID
    ) -> ProviderRefund | Declined:
        ref = parsed(payment_ref)
        found = await self._held.payment(account, payment_ref)
        if ref is None or found is None:
            return Declined("komoju has nothing of that reference", is_gone=True)
        payment, whole = found
        if payment is None:
            return Declined("nothing has been paid that could be given back")
        if (made := _of(payment, whole, ref, refund_uuid)) is not None:
            return made
        if (objection := _objection(payment, whole, amount)) is not None:
            return objection
        in_full = payment.currency != whole.currency
        body = CreateRefund(str(refund_uuid), None if in_full else amount.minor)
        call = Call(
            method="POST",
            path=("payments", payment.id, "refund"),
            body=msgspec.json.encode(body),
            key=key_of("refund", refund_uuid),
        )
        answer = await self._client.act(account, call)
        if isinstance(answer, Declined):
            return answer
        after = decode(_PAYMENT, answer, "payment")
        made = _of(after, whole, ref, refund_uuid)
        if after.id != payment.id or made is None or made.amount != amount:
            raise ProviderUnreadable("komoju answered with another refund than was asked for")
        return made

    async def since(
        self, account: PaymentProvider, since: datetime
    ) -> AsyncIterator[ProviderRefund]:
        async for payment, whole, ref in self._held.changed_since(account, since):
            for refund in refunds_in(payment, whole, ref):
                if refund.created_at >= since:
                    yield refund

    async def list(self, account: PaymentProvider, payment_ref: str) -> tuple[ProviderRefund, ...]:
        payment, whole, ref = await self._held.known(account, payment_ref)
        return () if payment is None else refunds_in(payment, whole, ref)


def _of(payment: WirePayment, whole: Money, ref: Ref, uuid: UUID) -> ProviderRefund | None:
    found = refunds_in(payment, whole, ref)
    return next((refund for refund in found if refund.refund_uuid == uuid), None)


def _objection(payment: WirePayment, whole: Money, amount: Money) -> Declined | None:
    if payment.slug in CASH:
        return Declined(
            f"what was paid by {payment.slug} goes back to a bank account, by hand: ask the payer "
            "for one, and make a refund request in KOMOJU's dashboard"
        )
    if payment.currency != whole.currency and (amount != whole or payment.refunds):
        return Declined(
            f"it was paid in {payment.currency}: only the whole of it is given back from here. "
            "Give a part back in KOMOJU's dashboard",
            "amount",
        )
    return None
