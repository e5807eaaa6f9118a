"""Tax rates and countries as clients see them: what may be sent, and the rows that come back."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from app.http.bodies import Body
from app.http.envelope import Timestamp, maybe_stamp, stamp
from app.http.fields import ExternalId
from domain.catalog.tax_rate import Country, TaxRate
from domain.catalog.tax_rate_service import (
    NewTaxRate,
    TaxRateChange,
    TaxRateEdit,
    TaxRateFacts,
)
from domain.kernel.errors import Violation
from domain.kernel.percent import Percent

# `float` is msgspec's word for a JSON number; a Decimal would let strings in, and be published as
# one. The shortest form of a double has the very digits that were sent (up to 15 of them), so a
# percentage comes and goes unharmed; in between it is an exact Percent.
Percentage = Annotated[
    float,
    Meta(
        ge=0,
        le=100,
        description="A number with at most 4 decimals, kept exactly",
        examples=[19, 8.1],
    ),
]
RateName = Annotated[
    str, Meta(min_length=1, max_length=100, description="On invoices", examples=["VAT 19%"])
]
CountryCode = Annotated[
    str,
    Meta(
        pattern="^[A-Z]{2}$",
        description="ISO 3166-1 alpha-2, instead of `countryUuid`",
        examples=["DE"],
    ),
]
State = Annotated[
    str, Meta(min_length=1, max_length=100, description="A part of the country", examples=["BE"])
]
Jurisdiction = Annotated[
    str,
    Meta(min_length=1, max_length=100, description="Who levies the tax", examples=["Berlin"]),
]
Description = Annotated[
    str, Meta(max_length=500, description="For your own eyes", examples=["German VAT"])
]


class CreateTaxRateBody(Body, frozen=True, kw_only=True):
    """The country is told by `countryUuid` or by `countryCode`."""

    name: RateName
    percentage: Percentage
    inclusive: bool
    country_uuid: UUID | None = None
    country_code: CountryCode | None = None
    tax_rate_id: ExternalId | None = None
    payment_provider_uuid: UUID | None = None
    state: State | None = None
    jurisdiction: Jurisdiction | None = None
    description: Description | None = None

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from _check_percentage(given.get("percentage"))
        if "country_uuid" not in given or "country_code" not in given:
            return
        both = [given["country_uuid"], given["country_code"]]
        if both.count(None) == len(both):
            yield Violation("is required, or countryCode", "countryUuid")
        elif None not in both:
            yield Violation("must be left out when countryUuid is there", "countryCode")

    def new(self) -> NewTaxRate:
        country = self.country_uuid or self.country_code
        assert country is not None
        return NewTaxRate(
            name=self.name,
            percentage=_percent(self.percentage),
            inclusive=self.inclusive,
            country=country,
            tax_rate_id=self.tax_rate_id,
            payment_provider_uuid=self.payment_provider_uuid,
            state=self.state,
            jurisdiction=self.jurisdiction,
            description=self.description,
        )


class UpdateTaxRateBody(Body, frozen=True, kw_only=True):
    """Send what is to change. Percentage, inclusiveness and country may be repeated, and never
    differ."""

    name: RateName | UnsetType = UNSET
    percentage: Percentage | UnsetType = UNSET
    inclusive: bool | UnsetType = UNSET
    country_uuid: UUID | UnsetType = UNSET
    country_code: CountryCode | UnsetType = UNSET
    tax_rate_id: ExternalId | UnsetType | None = UNSET
    payment_provider_uuid: UUID | UnsetType | None = UNSET
    state: State | UnsetType | None = UNSET
    jurisdiction: Jurisdiction | UnsetType | None = UNSET
    description: Description | UnsetType | None = UNSET

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from _check_percentage(given.get("percentage"))

    def edit(self) -> TaxRateEdit:
        percentage = self.percentage
        return TaxRateEdit(
            facts=TaxRateFacts(
                percentage=percentage if percentage is UNSET else _percent(percentage),
                inclusive=self.inclusive,
                country_uuid=self.country_uuid,
                country_code=self.country_code,
            ),
            change=TaxRateChange(
                name=self.name,
                tax_rate_id=self.tax_rate_id,
                payment_provider_uuid=self.payment_provider_uuid,
                state=self.state,
                jurisdiction=self.jurisdiction,
                description=self.description,
            ),
        )


def _percent(number: float) -> Percent:
    return Percent.of(Decimal(repr(number)))


def _number(percent: Percent) -> float:
    exact = percent.decimal()
    return int(exact) if exact == int(exact) else float(exact)


def _check_percentage(value: object) -> Iterator[Violation]:
    if isinstance(value, float):
        try:
            _percent(value)
        except ValueError as error:
            yield Violation(str(error), "percentage")


class CountryView(Struct, frozen=True, kw_only=True, rename="camel"):
    id: int
    uuid: UUID
    name: str
    alpha2: str
    alpha3: str
    created_at: Timestamp
    updated_at: Timestamp
    deleted_at: Timestamp | None

    @classmethod
    def of(cls, country: Country) -> "CountryView":
        return cls(
            id=country.id,
            uuid=country.uuid,
            name=country.name,
            alpha2=country.alpha2,
            alpha3=country.alpha3,
            created_at=stamp(country.created_at),
            updated_at=stamp(country.updated_at),
            deleted_at=maybe_stamp(country.deleted_at),
        )


class TaxRateView(Struct, frozen=True, kw_only=True, rename="camel"):
    id: int
    uuid: UUID
    tax_rate_id: str | None
    app_uuid: UUID
    payment_provider_uuid: UUID | None
    country_uuid: UUID
    name: str
    percentage: Percentage
    inclusive: bool
    state: str | None
    jurisdiction: str | None
    description: str | None
    created_at: Timestamp
    updated_at: Timestamp
    deleted_at: Timestamp | None
    country: CountryView

    @classmethod
    def of(cls, rate: TaxRate) -> "TaxRateView":
        return cls(
            id=rate.id,
            uuid=rate.uuid,
            tax_rate_id=rate.tax_rate_id,
            app_uuid=rate.app_uuid,
            payment_provider_uuid=rate.payment_provider_uuid,
            country_uuid=rate.country.uuid,
            name=rate.name,
            percentage=_number(rate.percentage),
            inclusive=rate.inclusive,
            state=rate.state,
            jurisdiction=rate.jurisdiction,
            description=rate.description,
            created_at=stamp(rate.created_at),
            updated_at=stamp(rate.updated_at),
            deleted_at=maybe_stamp(rate.deleted_at),
            country=CountryView.of(rate.country),
        )
