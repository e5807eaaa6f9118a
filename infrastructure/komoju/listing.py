"""Reads KOMOJU's lists, newest first, page by page.

Says "that is all" only after the last page. Pages are counted from the newest object, so that what
is made meanwhile can show one twice, and can hide none.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Generic, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct

from domain.kernel.errors import ProviderUnavailable, ProviderUnreadable
from domain.payments.payment_provider import PaymentProvider
from infrastructure.komoju.client import KomojuClient
from infrastructure.komoju.wire import decode
from infrastructure.provider_client import Call

PAGE_SIZE: Final = 100
PAGES_MAX: Final = 10
"""Enough for what was tried for one attempt."""
AUDIT_PAGES_MAX: Final = 1000
# KOMOJU's clock is not ours.
CLOCKS_DIFFER: Final = timedelta(minutes=1)

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    page: Annotated[int, Meta(ge=1)]
    last_page: Annotated[int, Meta(ge=0)]
    """Required: a page that does not say whether it is the last is not the last."""
    data: list[T]


class List(Struct, Generic[T], frozen=True, kw_only=True):
    """What is asked for."""

    noun: str
    decoder: msgspec.json.Decoder[Page[T]]
    query: Mapping[str, str]
    pages_max: int


def back_to(since: datetime, noun: str, decoder: msgspec.json.Decoder[Page[T]]) -> List[T]:
    """All that was made then or later."""
    start = since.astimezone(UTC).isoformat(timespec="seconds")
    return List(noun=noun, decoder=decoder, query={"start_time": start}, pages_max=AUDIT_PAGES_MAX)


async def listed(
    client: KomojuClient, account: PaymentProvider, wanted: List[T]
) -> AsyncIterator[T]:
    for number in range(1, wanted.pages_max + 1):
        asked = urlencode({**wanted.query, "per_page": PAGE_SIZE, "page": number})
        body = await client.read(account, Call(path=(wanted.noun,), query=asked))
        if body is None:
            raise ProviderUnreadable("komoju knows nothing to list there")
        page = decode(wanted.decoder, body, f"list of {wanted.noun}")
        if page.page != number:
            raise ProviderUnreadable("komoju answered with another page than was asked for")
        for item in page.data:
            yield item
        if page.page >= page.last_page:
            return
    raise ProviderUnavailable("komoju's list goes on for longer than we can read at once")
