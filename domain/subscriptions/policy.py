"""An app's billing policy: its clock, and what it does about money that does not come.

A policy rules what happens next. Periods that were made, and charges that were tried, are facts:
another time zone or other retry days do not move them.
"""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import Final, Protocol
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct

from domain.kernel.errors import Violation
from domain.kernel.ids import AppUuid

RETRIES_MAX: Final = 10
RETRY_DAY_MAX: Final = 60
GRACE_DAYS_MAX: Final = 60
MINIMUM_CHARGE_MAX: Final = 100_000

_NO_PLACE: Final = frozenset({"Factory", "localtime", "posixrules"})
"""Listed among the zones, but what they mean depends on the machine."""


class FinalAction(StrEnum):
    """When the last retry has failed, and grace is over."""

    CANCEL = "cancel"
    PAUSE = "pause"
    KEEP = "keep"
    """Write the debt off, and go on."""


class MissedPeriods(StrEnum):
    """Periods that were over before anybody came to bill them."""

    BILL = "bill"
    SKIP = "skip"


class ChargebackAction(StrEnum):
    SUSPEND = "suspend"
    RECOLLECT = "recollect"
    WRITE_OFF = "write_off"


class BillingPolicy(Struct, frozen=True, kw_only=True):
    app_uuid: AppUuid
    time_zone: str = "UTC"
    """An IANA name: days and months are counted on its calendar."""
    retry_days: tuple[int, ...] = (3, 5, 7)
    """When a charge that failed is tried again, in days after the first failure."""
    grace_days: int = 7
    """How long access goes on after an unpaid period began."""
    final_action: FinalAction = FinalAction.CANCEL
    missed_periods: MissedPeriods = MissedPeriods.BILL
    chargeback_action: ChargebackAction = ChargebackAction.SUSPEND
    minimum_charge_minor: int = 0
    """What is owed below this waits for the next bill: a charge would cost more than it brings."""
    created_at: datetime
    updated_at: datetime

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


def default_policy(app_uuid: AppUuid, at: datetime) -> BillingPolicy:
    """What rules an app that has said nothing."""
    return BillingPolicy(app_uuid=app_uuid, created_at=at, updated_at=at)


def mistakes(policy: BillingPolicy) -> Iterator[Violation]:
    """All that is wrong with a policy, by the public names of its fields."""
    if policy.time_zone not in _zones():
        yield Violation("must be an IANA time zone, such as Europe/Berlin", "timeZone")
    if why := _retry_mistake(policy.retry_days):
        yield Violation(why, "retryDays")
    if not 0 <= policy.grace_days <= GRACE_DAYS_MAX:
        yield Violation(f"must be from 0 to {GRACE_DAYS_MAX}", "graceDays")
    if not 0 <= policy.minimum_charge_minor <= MINIMUM_CHARGE_MAX:
        yield Violation(f"must be from 0 to {MINIMUM_CHARGE_MAX}", "minimumCharge")


def _retry_mistake(days: tuple[int, ...]) -> str | None:
    if len(days) > RETRIES_MAX:
        return f"must be {RETRIES_MAX} days at most"
    if any(not 1 <= day <= RETRY_DAY_MAX for day in days):
        return f"must each be from 1 to {RETRY_DAY_MAX}"
    if any(later <= day for day, later in pairwise(days)):
        return "must grow, each later than the one before"
    return None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_PLACE


class BillingPolicies(Protocol):
    async def get(self) -> BillingPolicy:
        """The app's own, or the default."""
        ...

    async def get_for_update(self) -> BillingPolicy:
        """Nobody else can change it before this transaction ends."""
        ...

    async def put(self, policy: BillingPolicy) -> None:
        """From now on the app has this one."""
        ...
