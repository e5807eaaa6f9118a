"""A price: an amount for one unit of a product, once or every so often.

What it costs, in which currency and how often never changes: whoever bought at this price can
always be told what it was. A new amount is a new price.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.kernel.errors import Conflict
from domain.kernel.events import Event
from domain.kernel.ids import AppUuid
from domain.kernel.money import Money

UNIT_AMOUNT_MAX: Final = 9_999_999_999
"""99,999,999.99 in a currency with cents. See quote.py for what that leaves room for."""

INTERVAL_COUNT_MAX: Final = 365
TRIAL_DAYS_MAX: Final = 730


class Interval(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Recurrence(Struct, frozen=True):
    """Every `count` intervals: (month, 3) is a quarter."""

    interval: Interval
    count: int = 1


class Price(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    product_uuid: UUID
    payment_provider_uuid: UUID | None = None
    """The account that it is paid to; None: the app's default account."""
    product_price_id: str | None = None
    """The app's own name for it, or a provider's."""
    unit_amount: Money
    recurring: Recurrence | None = None
    trial_days: int = 0
    nickname: str | None = None
    lookup_key: str | None = None
    """Finds the price without knowing its uuid. One active price of an app has it."""
    metadata: Mapping[str, object] = {}
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None

    def need_active(self) -> None:
        if self.archived_at is not None:
            raise Conflict("the price is archived")


def archive(price: Price, *, at: datetime) -> Price:
    """An archived price is left as it is."""
    if price.archived_at is not None:
        return price
    return replace(price, archived_at=at, updated_at=at)


def price_event(what: str, price: Price, *, at: datetime) -> Event:
    facts = {
        "priceUuid": str(price.uuid),
        "productUuid": str(price.product_uuid),
        "unitAmount": price.unit_amount.minor,
        "currency": price.unit_amount.currency,
    }
    return Event(type=f"price.{what}", aggregate_uuid=price.uuid, at=at, facts=facts)
