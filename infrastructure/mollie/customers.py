"""Customers at Mollie: who first payments leave their mandates with."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.kernel.errors import ProviderUnreadable
from domain.payments.answers import Declined
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import NewCustomer
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.listing import Page, find, pages
from infrastructure.mollie.wire import WireCustomer, check_mode, decode, uuid_in
from infrastructure.provider_client import Call

_CUSTOMER: Final = msgspec.json.Decoder(WireCustomer)
_PAGE: Final = msgspec.json.Decoder(Page[WireCustomer])
_MARK: Final = "customer"


class Metadata(Struct, frozen=True):
    customer: UUID
    tenant: UUID


class CreateCustomer(Struct, frozen=True, omit_defaults=True):
    name: str
    metadata: Metadata
    email: str | None = None


class MollieCustomers:
    def __init__(self, client: MollieClient) -> None:
        self._client = client

    async def create(self, account: PaymentProvider, customer: NewCustomer) -> str | Declined:
        body = msgspec.json.encode(
            CreateCustomer(
                name=customer.name,
                metadata=Metadata(customer=customer.uuid, tenant=customer.tenant_uuid),
                email=customer.email,
            )
        )
        call = Call(method="POST", path=("customers",), body=body, key=str(customer.uuid))
        answer = await self._client.act(account, call)
        if isinstance(answer, Declined):
            return answer
        made = decode(_CUSTOMER, answer, "customer")
        check_mode(made.mode, account.mode)
        if uuid_in(made.metadata, _MARK) != customer.uuid:
            raise ProviderUnreadable("mollie answered with another customer than was asked for")
        return made.id

    async def find(self, account: PaymentProvider, uuid: UUID, *, since: datetime) -> str | None:
        listed = pages(self._client, account, ("customers",), _PAGE)
        found = await find(listed, (_MARK, uuid), since=since)
        if found is None:
            return None
        check_mode(found.mode, account.mode)
        return found.id
