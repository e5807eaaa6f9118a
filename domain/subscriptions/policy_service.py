"""Reading and changing an app's billing policy. A change with a mistake in it changes nothing."""

from dataclasses import dataclass
from typing import Protocol

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from domain.kernel.change import given
from domain.kernel.clock import Clock
from domain.kernel.errors import Invalid
from domain.kernel.events import Event, Outbox
from domain.subscriptions.policy import (
    BillingPolicies,
    BillingPolicy,
    ChargebackAction,
    FinalAction,
    MissedPeriods,
    mistakes,
)
from domain.tenancy.caller import Actor, Scope


class PoliciesTx(Protocol):
    @property
    def billing_policies(self) -> BillingPolicies: ...
    @property
    def outbox(self) -> Outbox: ...


class PolicyChange(Struct, frozen=True, kw_only=True):
    time_zone: str | UnsetType = UNSET
    retry_days: tuple[int, ...] | UnsetType = UNSET
    grace_days: int | UnsetType = UNSET
    final_action: FinalAction | UnsetType = UNSET
    missed_periods: MissedPeriods | UnsetType = UNSET
    chargeback_action: ChargebackAction | UnsetType = UNSET
    minimum_charge_minor: int | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class PolicyService:
    clock: Clock

    async def get(self, tx: PoliciesTx, actor: Actor) -> BillingPolicy:
        actor.need(Scope.BILLING_READ)
        return await tx.billing_policies.get()

    async def update(self, tx: PoliciesTx, actor: Actor, change: PolicyChange) -> BillingPolicy:
        """Rules what happens from now on: periods and retries that are planned stay as they are."""
        actor.need(Scope.BILLING_WRITE)
        before = await tx.billing_policies.get_for_update()
        after = replace(before, **given(change))
        if wrong := list(mistakes(after)):
            raise Invalid(wrong)
        if after == before:
            return before
        after = replace(after, updated_at=self.clock.now())
        await tx.billing_policies.put(after)
        await tx.outbox.append(_updated(after))
        return after


def _updated(policy: BillingPolicy) -> Event:
    facts = {
        "timeZone": policy.time_zone,
        "retryDays": policy.retry_days,
        "graceDays": policy.grace_days,
        "finalAction": policy.final_action,
        "missedPeriods": policy.missed_periods,
        "chargebackAction": policy.chargeback_action,
        "minimumCharge": policy.minimum_charge_minor,
    }
    return Event(
        type="billing_policy.updated",
        aggregate_uuid=policy.app_uuid,
        at=policy.updated_at,
        facts=facts,
    )
