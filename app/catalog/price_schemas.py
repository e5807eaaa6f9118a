"""Prices as clients see them: what may be sent, and the row that comes back."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from app.http.bodies import Body
from app.http.envelope import Timestamp, maybe_stamp, stamp
from app.http.fields import (
    CurrencyCode,
    ExternalId,
    Metadata,
    check_currency,
    check_metadata,
)
from domain.catalog.price import (
    INTERVAL_COUNT_MAX,
    TRIAL_DAYS_MAX,
    UNIT_AMOUNT_MAX,
    Interval,
    Price,
    Recurrence,
)
from domain.catalog.price_service import NewPrice, PriceChange, PriceEdit, PriceFacts
from domain.kernel.errors import Violation
from domain.kernel.money import Currency, Money

UnitAmount = Annotated[
    int,
    Meta(
        ge=0,
        le=UNIT_AMOUNT_MAX,
        description="In minor units: 999 is 9.99 EUR, and 999 JPY",
        examples=[999],
    ),
]
IntervalCount = Annotated[
    int,
    Meta(
        ge=1,
        le=INTERVAL_COUNT_MAX,
        description="Every how many intervals: 3 with `month` is a quarter",
        examples=[1],
    ),
]
TrialDays = Annotated[
    int,
    Meta(ge=0, le=TRIAL_DAYS_MAX, description="Days without charge at the start", examples=[14]),
]
Nickname = Annotated[
    str,
    Meta(min_length=1, max_length=200, description="A name for your own eyes", examples=["Yearly"]),
]
LookupKey = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        description="Finds the price without its uuid; one active price of the app has it",
        examples=["pro_monthly"],
    ),
]


class CreatePriceBody(Body, frozen=True, kw_only=True):
    """`recurring` needs `recurringInterval`; a trial needs `recurring`."""

    unit_amount: UnitAmount
    currency: CurrencyCode
    recurring: bool = False
    recurring_interval: Interval | None = None
    recurring_interval_count: IntervalCount | None = None
    trial_days: TrialDays = 0
    payment_provider_uuid: UUID | None = None
    product_price_id: ExternalId | None = None
    nickname: Nickname | None = None
    lookup_key: LookupKey | None = None
    metadata: Metadata = field(default_factory=dict)

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_currency(given.get("currency"), "currency")
        yield from check_metadata(given.get("metadata"))
        recurring, interval = given.get("recurring"), given.get("recurring_interval", UNSET)
        if recurring is True and interval is None:
            yield Violation("is required for a recurring price", "recurringInterval")
        if recurring is not False:
            return
        for name, public in _ONLY_RECURRING.items():
            if given.get(name):
                yield Violation("is for recurring prices only", public)

    def new(self) -> NewPrice:
        recurring = None
        if self.recurring_interval is not None:
            recurring = Recurrence(self.recurring_interval, self.recurring_interval_count or 1)
        return NewPrice(
            unit_amount=Money(self.unit_amount, Currency(self.currency)),
            recurring=recurring,
            trial_days=self.trial_days,
            payment_provider_uuid=self.payment_provider_uuid,
            product_price_id=self.product_price_id,
            nickname=self.nickname,
            lookup_key=self.lookup_key,
            metadata=self.metadata,
        )


_ONLY_RECURRING = {
    "recurring_interval": "recurringInterval",
    "recurring_interval_count": "recurringIntervalCount",
    "trial_days": "trialDays",
}


class UpdatePriceBody(Body, frozen=True, kw_only=True):
    """Send what is to change. What the price costs may be repeated, and never differ."""

    unit_amount: UnitAmount | UnsetType = UNSET
    currency: CurrencyCode | UnsetType = UNSET
    recurring: bool | UnsetType = UNSET
    recurring_interval: Interval | UnsetType | None = UNSET
    recurring_interval_count: IntervalCount | UnsetType | None = UNSET
    trial_days: TrialDays | UnsetType = UNSET
    payment_provider_uuid: UUID | UnsetType | None = UNSET
    product_price_id: ExternalId | UnsetType | None = UNSET
    nickname: Nickname | UnsetType | None = UNSET
    lookup_key: LookupKey | UnsetType | None = UNSET
    metadata: Metadata | UnsetType = UNSET

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_metadata(given.get("metadata"))

    def edit(self) -> PriceEdit:
        return PriceEdit(
            facts=PriceFacts(
                unit_amount=self.unit_amount,
                currency=self.currency,
                recurring=self.recurring,
                recurring_interval=self.recurring_interval,
                recurring_interval_count=self.recurring_interval_count,
            ),
            change=PriceChange(
                trial_days=self.trial_days,
                payment_provider_uuid=self.payment_provider_uuid,
                product_price_id=self.product_price_id,
                nickname=self.nickname,
                lookup_key=self.lookup_key,
                metadata=self.metadata,
            ),
        )


class PriceView(Struct, frozen=True, kw_only=True, rename="camel"):
    uuid: UUID
    app_uuid: UUID
    product_price_id: str | None
    product_uuid: UUID
    payment_provider_uuid: UUID | None
    currency: CurrencyCode
    unit_amount: UnitAmount
    recurring: bool
    recurring_interval: Interval | None
    recurring_interval_count: int | None
    trial_days: int
    nickname: str | None
    lookup_key: str | None
    metadata: dict[str, Any]
    created_at: Timestamp
    updated_at: Timestamp
    archived_at: Timestamp | None

    @classmethod
    def of(cls, price: Price) -> "PriceView":
        every = price.recurring
        return cls(
            uuid=price.uuid,
            app_uuid=price.app_uuid,
            product_price_id=price.product_price_id,
            product_uuid=price.product_uuid,
            payment_provider_uuid=price.payment_provider_uuid,
            currency=price.unit_amount.currency,
            unit_amount=price.unit_amount.minor,
            recurring=every is not None,
            recurring_interval=None if every is None else every.interval,
            recurring_interval_count=None if every is None else every.count,
            trial_days=price.trial_days,
            nickname=price.nickname,
            lookup_key=price.lookup_key,
            metadata=dict(price.metadata),
            created_at=stamp(price.created_at),
            updated_at=stamp(price.updated_at),
            archived_at=maybe_stamp(price.archived_at),
        )
