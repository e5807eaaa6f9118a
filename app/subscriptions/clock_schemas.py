"""Test clocks as clients see them."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from app.http.bodies import Body
from app.http.envelope import Timestamp, maybe_stamp, stamp
from app.http.fields import check_line
from domain.kernel.errors import Violation
from domain.subscriptions.test_clock import ClockStatus, TestClock
from domain.subscriptions.test_clock_service import NewClock

Moment = Annotated[
    datetime, Meta(tz=True, extra_json_schema={"examples": ["2026-01-31T09:00:00.000Z"]})
]
Name = Annotated[
    str,
    Meta(min_length=1, max_length=200, description="For your own eyes", examples=["A year on"]),
]


class CreateTestClockBody(Body, frozen=True, kw_only=True):
    now: Annotated[Moment, Meta(description="What it shows first, past or future: 2000 to 2099")]
    name: Name | None = None

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_line(given.get("name"), "name")

    def new(self) -> NewClock:
        return NewClock(now=self.now, name=self.name)


class AdvanceTestClockBody(Body, frozen=True, kw_only=True):
    now: Annotated[
        Moment,
        Meta(
            description="What it is to show in the end: later than now, by five years at most",
            extra_json_schema={"examples": ["2027-01-31T09:00:00.000Z"]},
        ),
    ]


class TestClockView(Struct, frozen=True, kw_only=True, rename="camel"):
    uuid: UUID
    app_uuid: UUID
    name: str | None
    status: ClockStatus
    now: Timestamp
    advancing_to: Timestamp | None
    failure: str | None
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, clock: TestClock) -> "TestClockView":
        return cls(
            uuid=clock.uuid,
            app_uuid=clock.app_uuid,
            name=clock.name,
            status=clock.status,
            now=stamp(clock.now),
            advancing_to=maybe_stamp(clock.advancing_to),
            failure=clock.failure,
            created_at=stamp(clock.created_at),
            updated_at=stamp(clock.updated_at),
        )
