"""An app's billing policy. Without a row the default rules, as old as the app itself."""

from typing import Any, Final

from domain.kernel.ids import AppUuid
from domain.subscriptions.policy import (
    BillingPolicy,
    ChargebackAction,
    FinalAction,
    MissedPeriods,
    default_policy,
)
from infrastructure.postgres.database import Connection

POLICY: Final = """app.app_uuid, app.created_at as app_created_at, policy.time_zone,
    policy.retry_days, policy.grace_days, policy.final_action, policy.missed_periods,
    policy.chargeback_action, policy.minimum_charge_minor,
    policy.created_at as policy_created_at, policy.updated_at as policy_updated_at"""
OF_APP: Final = """apps as app
       left join billing_policies as policy on policy.app_uuid = app.app_uuid"""
"""There may be no policy, but there is an app."""


class PostgresBillingPolicies:
    """Implements `BillingPolicies`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def get(self) -> BillingPolicy:
        row = await self._connection.fetchrow(
            f"select {POLICY} from {OF_APP} where app.app_uuid = $1", self._app_uuid
        )
        assert row is not None, self._app_uuid
        return policy_of(row)

    async def get_for_update(self) -> BillingPolicy:
        # The app's row: there may be none of the policy to lock. Rows that only refer to the app
        # do not wait for this lock.
        await self._connection.execute(
            "select 1 from apps where app_uuid = $1 for no key update", self._app_uuid
        )
        return await self.get()

    async def put(self, policy: BillingPolicy) -> None:
        await self._connection.execute(
            """
            insert into billing_policies (
                app_uuid, time_zone, retry_days, grace_days, final_action, missed_periods,
                chargeback_action, minimum_charge_minor, created_at, updated_at
            )
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            on conflict (app_uuid) do update
               set time_zone = excluded.time_zone, retry_days = excluded.retry_days,
                   grace_days = excluded.grace_days, final_action = excluded.final_action,
                   missed_periods = excluded.missed_periods,
                   chargeback_action = excluded.chargeback_action,
                   minimum_charge_minor = excluded.minimum_charge_minor,
                   updated_at = excluded.updated_at
            """,
            self._app_uuid,
            policy.time_zone,
            policy.retry_days,
            policy.grace_days,
            policy.final_action,
            policy.missed_periods,
            policy.chargeback_action,
            policy.minimum_charge_minor,
            policy.created_at,
            policy.updated_at,
        )


def policy_of(row: Any) -> BillingPolicy:
    """From POLICY."""
    app_uuid = AppUuid(row["app_uuid"])
    if row["time_zone"] is None:
        return default_policy(app_uuid, row["app_created_at"])
    return BillingPolicy(
        app_uuid=app_uuid,
        time_zone=row["time_zone"],
        retry_days=tuple(row["retry_days"]),
        grace_days=row["grace_days"],
        final_action=FinalAction(row["final_action"]),
        missed_periods=MissedPeriods(row["missed_periods"]),
        chargeback_action=ChargebackAction(row["chargeback_action"]),
        minimum_charge_minor=row["minimum_charge_minor"],
        created_at=row["policy_created_at"],
        updated_at=row["policy_updated_at"],
    )
