"""Mandates at KOMOJU: its customers, each of which is one stored way to pay."""

from calendar import monthrange
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from domain.kernel.errors import ProviderUnreadable
from domain.payments.answers import Declined, MandateStatus, ProviderMandate
from domain.payments.payment_provider import PaymentProvider
from infrastructure.komoju.client import KomojuClient
from infrastructure.komoju.wire import WireCustomer, decode, method_from, text
from infrastructure.provider_client import Call

_CUSTOMER: Final = msgspec.json.Decoder(WireCustomer)
UNKNOWN_METHOD: Final = "unknown"


class KomojuMandates:
    def __init__(self, client: KomojuClient) -> None:
        self._client = client

    async def get(
        self, account: PaymentProvider, customer_ref: str, mandate_ref: str
    ) -> ProviderMandate | None:
        answer = await self._client.read(account, Call(path=("customers", mandate_ref)))
        if answer is None:
            return None
        wire = decode(_CUSTOMER, answer, "customer")
        if wire.id != mandate_ref:
            raise ProviderUnreadable("komoju answered with another customer than was asked for")
        # Whether a customer has the metadata of its session is not documented.
        if (text(wire.metadata, "customer") or customer_ref) != customer_ref:
            return None
        return mandate_from(wire, customer_ref)

    async def revoke(
        self, account: PaymentProvider, customer_ref: str, mandate_ref: str
    ) -> Declined | None:
        """Looks first: the id alone would do for somebody else's."""
        if await self.get(account, customer_ref, mandate_ref) is None:
            return None
        call = Call(method="DELETE", path=("customers", mandate_ref))
        answer = await self._client.act(account, call)
        return answer if isinstance(answer, Declined) and not answer.is_gone else None


def mandate_from(wire: WireCustomer, customer_ref: str) -> ProviderMandate:
    """Without anything stored it cannot be charged: not yet, says KOMOJU's own flow."""
    return ProviderMandate(
        ref=wire.id,
        customer_ref=customer_ref,
        status=MandateStatus.PENDING if wire.source is None else MandateStatus.VALID,
        method=method_from(text(wire.source, "type")) or UNKNOWN_METHOD,
        details=dict(_details(wire.source)),
    )


def _details(source: Any) -> Iterator[tuple[str, str]]:
    if (digits := text(source, "last_four_digits")) is not None:
        yield "cardNumber", digits[-4:]
    if (brand := text(source, "brand")) is not None:
        yield "cardLabel", brand.replace("_", " ").title()
    year, month = (source.get("year"), source.get("month")) if isinstance(source, dict) else (0, 0)
    if isinstance(year, int) and isinstance(month, int) and 1 <= month <= 12 and 1 <= year <= 9999:
        yield "cardExpiryDate", f"{year:04}-{month:02}-{monthrange(year, month)[1]:02}"
