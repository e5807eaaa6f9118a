"""Payments at KOMOJU: a session for a shopper, a payment for a charge on a saved customer.

Rendered once, sent as rendered, and read back with suspicion. There is no list of sessions: one
whose making was not answered is asked for again under its key. After that it is found by what was
paid in it; if nothing was, it does no harm, since nobody has learned its address.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.errors import ProviderUnreadable
from domain.payments.answers import Declined, PaymentStatus, ProviderPayment, SequenceType
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import NewPayment
from infrastructure.komoju.client import KomojuClient, key_of
from infrastructure.komoju.details import CreateCharge, CreateSession, charge_for, session_for
from infrastructure.komoju.listing import CLOCKS_DIFFER, PAGES_MAX, List, Page, back_to, listed
from infrastructure.komoju.refs import parsed, ref_of
from infrastructure.komoju.states import from_payment, from_session, payment_status
from infrastructure.komoju.wire import CURRENCIES, WirePayment, WireSession, decode, uuid_in
from infrastructure.provider_client import Call

_PAYMENT: Final = msgspec.json.Decoder(WirePayment)
_SESSION: Final = msgspec.json.Decoder(WireSession)
_PAGE: Final = msgspec.json.Decoder(Page[WirePayment])
_MARK: Final = "attempt"
_MAY_BE_CALLED_OFF: Final = frozenset({"pending", "authorized"})
# Of several payments for one attempt, which tells most: a shopper may try again and again.
_TELLS: Final = (
    PaymentStatus.PAID,
    PaymentStatus.AUTHORIZED,
    PaymentStatus.PENDING,
    PaymentStatus.OPEN,
)


class _Kind(Struct, frozen=True):
    mode: str | None = None


_KIND: Final = msgspec.json.Decoder(_Kind)
_NEW_SESSION: Final = msgspec.json.Decoder(CreateSession)
_NEW_CHARGE: Final = msgspec.json.Decoder(CreateCharge)


class KomojuPayments:
    def __init__(self, client: KomojuClient) -> None:
        self._client = client

    def render(self, payment: NewPayment) -> bytes:
        is_charge = payment.sequence_type is SequenceType.RECURRING
        return msgspec.json.encode(charge_for(payment) if is_charge else session_for(payment))

    async def create(
        self, account: PaymentProvider, request: bytes, *, key: UUID
    ) -> ProviderPayment | Declined:
        if decode(_KIND, request, "payment's request").mode is None:
            return await self._charge(account, request, key)
        asked = decode(_NEW_SESSION, request, "session's request")
        if asked.currency not in CURRENCIES:
            return Declined(f"komoju takes no payments in {asked.currency}", "currency")
        call = Call(method="POST", path=("sessions",), body=request, key=key_of("session", key))
        answer = await self._client.act(account, call)
        if isinstance(answer, Declined):
            return answer
        made = decode(_SESSION, answer, "session")
        told = (made.mode, made.amount, made.currency, uuid_in(made.metadata, _MARK))
        if told != (asked.mode, asked.amount, asked.currency, asked.metadata.attempt):
            raise ProviderUnreadable("komoju answered with another session than was asked for")
        return from_session(made)

    async def _charge(
        self, account: PaymentProvider, request: bytes, key: UUID
    ) -> ProviderPayment | Declined:
        asked = decode(_NEW_CHARGE, request, "charge's request")
        if asked.customer is None:
            return Declined("komoju charges nobody who is not named", "customer", is_gone=True)
        call = Call(method="POST", path=("payments",), body=request, key=key_of("charge", key))
        answer = await self._client.act(account, call)
        if isinstance(answer, Declined):
            if answer.code is not None:
                return await self._failed(account, asked, answer)
            return replace(answer, is_gone=answer.is_gone or answer.field == "customer")
        made = decode(_PAYMENT, answer, "payment")
        told = (made.customer, made.asked_for, made.currency, uuid_in(made.metadata, _MARK))
        if told != (asked.customer, asked.amount, asked.currency, asked.metadata.attempt):
            raise ProviderUnreadable("komoju answered with another payment than was asked for")
        return from_payment(made)

    async def _failed(
        self, account: PaymentProvider, asked: CreateCharge, answer: Declined
    ) -> ProviderPayment | Declined:
        """A charge that the payer's bank refused is a payment that failed, if KOMOJU has kept one;
        why it did is in this answer alone."""
        for made in await self._for(account, asked.metadata.attempt):
            seen = from_payment(made)
            if seen.status is PaymentStatus.FAILED:
                return replace(seen, failure_reason=answer.code)
        return answer

    async def get(self, account: PaymentProvider, ref: str) -> ProviderPayment | None:
        held = await self.held(account, ref)
        return None if held is None else _seen(held)

    async def held(self, account: PaymentProvider, ref: str) -> WireSession | WirePayment | None:
        """What one of our references stands for. None: there is no such thing."""
        asked = parsed(ref)
        if asked is None:
            return None
        answer = await self._client.read(account, Call(path=(f"{asked.kind}s", asked.id)))
        if answer is None:
            return None
        found: WireSession | WirePayment
        if asked.kind == "session":
            found = decode(_SESSION, answer, "session")
        else:
            found = decode(_PAYMENT, answer, "payment")
        if found.id != asked.id:
            raise ProviderUnreadable(f"komoju answered with another {asked.kind} than asked for")
        return found

    async def find(
        self, account: PaymentProvider, attempt_uuid: UUID, *, since: datetime
    ) -> ProviderPayment | None:
        """Only by what was paid, or was begun to be: a session by itself is in no list."""
        found = [
            payment
            for payment in await self._for(account, attempt_uuid)
            if payment.created_at >= since - CLOCKS_DIFFER
        ]
        if not found:
            return None
        found.sort(key=_rank)
        return await self.get(account, str(ref_of(found[0])))

    async def _for(self, account: PaymentProvider, attempt_uuid: UUID) -> list[WirePayment]:
        """All that was paid, or tried to be, for an attempt of ours; the newest first."""
        wanted = List(
            noun="payments",
            decoder=_PAGE,
            query={"external_order_num": str(attempt_uuid)},
            pages_max=PAGES_MAX,
        )
        return [
            payment
            async for payment in listed(self._client, account, wanted)
            if uuid_in(payment.metadata, _MARK) == attempt_uuid
        ]

    async def since(
        self, account: PaymentProvider, since: datetime
    ) -> AsyncIterator[ProviderPayment]:
        """A session's payment is told as the list has it; a look at its reference tells the rest:
        what was asked for, where the shopper paid in another currency."""
        wanted = back_to(since, "payments", _PAGE)
        async for payment in listed(self._client, account, wanted):
            if payment.created_at < since:
                return
            if payment.currency in CURRENCIES:
                yield from_payment(payment)
            elif (seen := await self.get(account, str(ref_of(payment)))) is not None:
                yield seen

    async def cancel(self, account: PaymentProvider, ref: str) -> ProviderPayment | Declined:
        """Closes the page, and calls back what the shopper has begun there, or waits for cash."""
        held = await self.held(account, ref)
        if held is None:
            return Declined("komoju has nothing of that reference", is_gone=True)
        is_closed = False
        if isinstance(held, WireSession) and _seen(held).status is PaymentStatus.OPEN:
            answer = await self._call_off(account, "sessions", held.id)
            if isinstance(answer, Declined):
                return answer
            held, is_closed = decode(_SESSION, answer, "session"), True
        begun = held.payment if isinstance(held, WireSession) else held
        if begun is None or begun.status not in _MAY_BE_CALLED_OFF:
            return _seen(held) if is_closed else Declined("there is nothing left to cancel")
        answer = await self._call_off(account, "payments", begun.id)
        if isinstance(answer, Declined):
            return answer
        return await self.get(account, ref) or Declined("it is gone", is_gone=True)

    async def _call_off(self, account: PaymentProvider, noun: str, id: str) -> bytes | Declined:
        path = (noun, id, "cancel")
        return await self._client.act(account, Call(method="POST", path=path))


def _rank(payment: WirePayment) -> int:
    status = payment_status(payment)
    return _TELLS.index(status) if status in _TELLS else len(_TELLS)


def _seen(held: WireSession | WirePayment) -> ProviderPayment:
    return from_session(held) if isinstance(held, WireSession) else from_payment(held)
