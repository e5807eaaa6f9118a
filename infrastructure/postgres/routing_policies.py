"""An app's routing policies: a row for every version, and the last one rules."""

from domain.kernel.ids import AppUuid
from domain.orchestration.routing_policy import RoutingPolicy
from infrastructure.postgres.database import Connection
from infrastructure.postgres.routing_rows import policy_of


class PostgresRoutingPolicies:
    """Implements `RoutingPolicies`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def current(self) -> RoutingPolicy:
        found = await self._connection.fetchval(
            """
            select policy from routing_policies
             where app_uuid = $1 order by version desc limit 1
            """,
            self._app_uuid,
        )
        return policy_of(found)

    async def lock(self) -> RoutingPolicy:
        # The app's row: there may be no policy to lock. Rows that only refer to the app do not
        # wait for this lock.
        await self._connection.execute(
            "select 1 from apps where app_uuid = $1 for no key update", self._app_uuid
        )
        return await self.current()

    async def add(self, policy: RoutingPolicy) -> None:
        await self._connection.execute(
            """
            insert into routing_policies (app_uuid, version, policy, created_at)
            values ($1, $2, $3, $4)
            """,
            self._app_uuid,
            policy.version,
            policy,
            policy.created_at,
        )
