"""Where KOMOJU tells of money that went back: inside of payments, and in its list of events.

There is no list of refunds. Events are read back to a moment instead, for which payments had one,
however old those are; the payments themselves are then read, since events may come twice and out of
order.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from domain.kernel.errors import ProviderUnreadable
from domain.kernel.money import Money
from domain.payments.payment_provider import PaymentProvider
from infrastructure.komoju.client import KomojuClient
from infrastructure.komoju.listing import Page, back_to, listed
from infrastructure.komoju.payments import KomojuPayments
from infrastructure.komoju.refs import Ref, named_in, parsed
from infrastructure.komoju.states import whole_of
from infrastructure.komoju.wire import Moment, WirePayment, WireSession, money_from

_TELL_OF_IT: Final = frozenset({"payment.refund.created", "payment.refunded"})


class WireEvent(Struct, frozen=True, kw_only=True):
    type: str
    created_at: Moment
    data: Any = None


_EVENTS: Final = msgspec.json.Decoder(Page[WireEvent])


class MoneyBack:
    def __init__(self, client: KomojuClient) -> None:
        self._client, self._payments = client, KomojuPayments(client)

    async def payment(
        self, account: PaymentProvider, ref: str
    ) -> tuple[WirePayment | None, Money] | None:
        """What was paid, and how much was asked for. None: there is no such thing at all."""
        held = await self._payments.held(account, ref)
        if held is None:
            return None
        if isinstance(held, WireSession):
            return held.payment, whole_of(held)
        return held, money_from(held.asked_for, held.currency)

    async def known(
        self, account: PaymentProvider, ref: str
    ) -> tuple[WirePayment | None, Money, Ref]:
        """Raises ProviderUnreadable when there is none: that is not the same as no refunds."""
        found, asked = await self.payment(account, ref), parsed(ref)
        if found is None or asked is None:
            raise ProviderUnreadable("komoju knows nothing of that reference")
        return *found, asked

    async def changed_since(
        self, account: PaymentProvider, since: datetime
    ) -> AsyncIterator[tuple[WirePayment, Money, Ref]]:
        """Payments of which money went back then or later, the one that was last first."""
        told = listed(self._client, account, back_to(since, "events", _EVENTS))
        seen: set[str] = set()
        async for event in told:
            if event.created_at < since:
                return
            ref = named_in(event.data)
            if event.type not in _TELL_OF_IT or ref is None or str(ref) in seen:
                continue
            seen.add(str(ref))
            found = await self.payment(account, str(ref))
            if found is not None and found[0] is not None:
                yield found[0], found[1], ref
