"""An app's billing policy as clients see it."""

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from app.http.bodies import Body
from app.http.envelope import Timestamp, stamp
from domain.subscriptions.policy import (
    GRACE_DAYS_MAX,
    MINIMUM_CHARGE_MAX,
    RETRIES_MAX,
    RETRY_DAY_MAX,
    BillingPolicy,
    ChargebackAction,
    FinalAction,
    MissedPeriods,
)
from domain.subscriptions.policy_service import PolicyChange

TimeZone = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern="^[A-Za-z0-9_+/-]+$",
        description="An IANA name; days and months are counted on its calendar",
        examples=["Europe/Berlin"],
    ),
]
RetryDays = Annotated[
    list[Annotated[int, Meta(ge=1, le=RETRY_DAY_MAX)]],
    Meta(
        max_length=RETRIES_MAX,
        description="When a failed charge is tried again, in days after the first failure, "
        "growing. Empty: never",
        examples=[[3, 5, 7]],
    ),
]
GraceDays = Annotated[
    int,
    Meta(
        ge=0,
        le=GRACE_DAYS_MAX,
        description="How many days access goes on after an unpaid period began",
        examples=[7],
    ),
]
MinimumCharge = Annotated[
    int,
    Meta(
        ge=0,
        le=MINIMUM_CHARGE_MAX,
        description="What is owed below this, in minor units, waits for the next bill",
        examples=[0],
    ),
]


class UpdatePolicyBody(Body, frozen=True, kw_only=True):
    """Send what is to change. It rules what happens next; periods that have begun stay."""

    time_zone: TimeZone | UnsetType = UNSET
    retry_days: RetryDays | UnsetType = UNSET
    grace_days: GraceDays | UnsetType = UNSET
    final_action: FinalAction | UnsetType = UNSET
    missed_periods: MissedPeriods | UnsetType = UNSET
    chargeback_action: ChargebackAction | UnsetType = UNSET
    minimum_charge: MinimumCharge | UnsetType = UNSET

    def change(self) -> PolicyChange:
        days = self.retry_days
        return PolicyChange(
            time_zone=self.time_zone,
            retry_days=days if days is UNSET else tuple(days),
            grace_days=self.grace_days,
            final_action=self.final_action,
            missed_periods=self.missed_periods,
            chargeback_action=self.chargeback_action,
            minimum_charge_minor=self.minimum_charge,
        )


class BillingPolicyView(Struct, frozen=True, kw_only=True, rename="camel"):
    app_uuid: UUID
    time_zone: TimeZone
    retry_days: RetryDays
    grace_days: GraceDays
    final_action: FinalAction
    missed_periods: MissedPeriods
    chargeback_action: ChargebackAction
    minimum_charge: MinimumCharge
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, policy: BillingPolicy) -> "BillingPolicyView":
        return cls(
            app_uuid=policy.app_uuid,
            time_zone=policy.time_zone,
            retry_days=list(policy.retry_days),
            grace_days=policy.grace_days,
            final_action=policy.final_action,
            missed_periods=policy.missed_periods,
            chargeback_action=policy.chargeback_action,
            minimum_charge=policy.minimum_charge_minor,
            created_at=stamp(policy.created_at),
            updated_at=stamp(policy.updated_at),
        )
