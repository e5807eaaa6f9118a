"""Reads Mollie's lists, newest first, page by page, back to a moment.

Says "not there" only after having read that far. Follows a link by its cursor alone: wherever it
may point, the next page is asked of the host and path that the first one came from.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.kernel.errors import ProviderUnavailable, ProviderUnreadable
from domain.payments.payment_provider import PaymentProvider
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.wire import (
    WireChargeback,
    WireCustomer,
    WireLink,
    WirePayment,
    WireRefund,
    decode,
    uuid_in,
)
from infrastructure.provider_client import Call

PAGE_SIZE: Final = 250
PAGES_MAX: Final = 40
"""Enough to find what was asked for an hour ago."""
AUDIT_PAGES_MAX: Final = 1000
# Mollie's clock is not ours, and its timestamps have whole seconds.
CLOCKS_DIFFER: Final = timedelta(minutes=1)

T = TypeVar("T")
Found = TypeVar("Found", WirePayment, WireCustomer)
Dated = TypeVar("Dated", WirePayment, WireRefund, WireChargeback)


class PageLinks(Struct, frozen=True):
    next: WireLink | None
    """Required: a page that does not say whether it is the last is not the last."""


class Page(Struct, Generic[T], frozen=True):
    embedded: dict[str, list[T]] = msgspec.field(name="_embedded")
    links: PageLinks = msgspec.field(name="_links")


async def pages(
    client: MollieClient,
    account: PaymentProvider,
    path: tuple[str, ...],
    decoder: msgspec.json.Decoder[Page[T]],
    pages_max: int = PAGES_MAX,
) -> AsyncIterator[list[T]]:
    query = {"limit": str(PAGE_SIZE)}
    for _ in range(pages_max):
        body = await client.read(account, Call(path=path, query=urlencode(query)))
        if body is None:
            raise ProviderUnreadable("mollie knows nothing to list there")
        page = decode(decoder, body, f"list of {path[-1]}")
        if (items := page.embedded.get(path[-1])) is None:
            raise ProviderUnreadable(f"mollie's answer is no list of {path[-1]}")
        yield items
        if page.links.next is None:
            return
        query["from"] = _cursor(page.links.next)
    raise ProviderUnavailable("mollie's list goes on for longer than we can read at once")


async def find(
    listed: AsyncIterator[list[Found]], mark: tuple[str, UUID], *, since: datetime
) -> Found | None:
    """The object whose metadata holds our uuid under our name, made at `since` or later."""
    name, uuid = mark
    async for items in listed:
        for item in items:
            if item.created_at < since - CLOCKS_DIFFER:
                return None
            if uuid_in(item.metadata, name) == uuid:
                return item
    return None


async def back_to(listed: AsyncIterator[list[Dated]], moment: datetime) -> AsyncIterator[Dated]:
    """All that was made then or later, by Mollie's clock."""
    async for items in listed:
        for item in items:
            if item.created_at < moment:
                return
            yield item


def _cursor(link: WireLink) -> str:
    try:
        cursors = parse_qs(urlsplit(link.href).query).get("from", [])
    except ValueError:
        cursors = []
    if len(cursors) != 1:
        raise ProviderUnreadable("mollie's answer links to a next page without saying which")
    return cursors[0]
