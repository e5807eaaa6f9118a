"""An app's webhook endpoints. Secrets are sealed before they come here."""

from typing import Any, Final
from uuid import UUID

from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid
from domain.kernel.pages import Page, PageRequest
from domain.webhooks.endpoint import DisabledReason, EndpointStatus, WebhookEndpoint
from infrastructure.postgres.database import Connection

_COLUMNS: Final = """
    app_uuid, uuid, url, event_types, description, secret_sealed, previous_secret_sealed,
    previous_secret_expires_at, status, disabled_reason, failing_since, created_at, updated_at,
    deleted_at
"""


class PostgresWebhookEndpoints:
    """Implements `WebhookEndpoints`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def add(self, endpoint: WebhookEndpoint) -> None:
        await self._connection.execute(
            """
            insert into webhook_endpoints (
                app_uuid, uuid, url, event_types, description, secret_sealed,
                previous_secret_sealed, previous_secret_expires_at, status, disabled_reason,
                failing_since, created_at, updated_at, deleted_at
            )
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $13, $12, $14)
            """,
            *_values(endpoint),
            endpoint.created_at,
            endpoint.deleted_at,
        )

    async def count(self) -> int:
        # Two that are registered at once could pass the limit together; it is no promise.
        count: int = await self._connection.fetchval(
            "select count(*) from webhook_endpoints where app_uuid = $1 and deleted_at is null",
            self._app_uuid,
        )
        return count

    async def get(self, uuid: UUID) -> WebhookEndpoint:
        row = await self._connection.fetchrow(
            f"select {_COLUMNS} from webhook_endpoints where app_uuid = $1 and uuid = $2",
            self._app_uuid,
            uuid,
        )
        return _found(uuid, row)

    async def get_for_update(self, uuid: UUID) -> WebhookEndpoint:
        row = await self._connection.fetchrow(
            f"""
            select {_COLUMNS} from webhook_endpoints
             where app_uuid = $1 and uuid = $2
               for no key update
            """,
            self._app_uuid,
            uuid,
        )
        return _found(uuid, row)

    async def page(self, request: PageRequest) -> Page[WebhookEndpoint]:
        found = await self._connection.fetch(
            f"""
            select {_COLUMNS} from webhook_endpoints
             where app_uuid = $1 and deleted_at is null
             order by uuid desc limit $2 offset $3
            """,
            self._app_uuid,
            request.limit,
            request.offset,
        )
        return Page(tuple(_endpoint_of(row) for row in found), await self.count())

    async def enabled(self) -> tuple[WebhookEndpoint, ...]:
        found = await self._connection.fetch(
            f"""
            select {_COLUMNS} from webhook_endpoints
             where app_uuid = $1 and status = 'enabled'
             order by uuid
            """,
            self._app_uuid,
        )
        return tuple(_endpoint_of(row) for row in found)

    async def enabled_for_update(self) -> tuple[WebhookEndpoint, ...]:
        found = await self._connection.fetch(
            f"""
            select {_COLUMNS} from webhook_endpoints
             where app_uuid = $1 and status = 'enabled'
             order by uuid
               for no key update
            """,
            self._app_uuid,
        )
        return tuple(_endpoint_of(row) for row in found)

    async def save(self, endpoint: WebhookEndpoint) -> None:
        await self._connection.execute(
            """
            update webhook_endpoints
               set url = $3, event_types = $4, description = $5, secret_sealed = $6,
                   previous_secret_sealed = $7, previous_secret_expires_at = $8, status = $9,
                   disabled_reason = $10, failing_since = $11, updated_at = $12, deleted_at = $13
             where app_uuid = $1 and uuid = $2
            """,
            *_values(endpoint),
            endpoint.deleted_at,
        )


def _values(endpoint: WebhookEndpoint) -> tuple[object, ...]:
    """Up to `updated_at`."""
    return (
        endpoint.app_uuid,
        endpoint.uuid,
        endpoint.url,
        list(endpoint.event_types),
        endpoint.description,
        endpoint.secret_sealed,
        endpoint.previous_secret_sealed,
        endpoint.previous_secret_expires_at,
        endpoint.status,
        endpoint.disabled_reason,
        endpoint.failing_since,
        endpoint.updated_at,
    )


def _found(uuid: UUID, row: Any) -> WebhookEndpoint:
    if row is None:
        raise NotFound("webhook endpoint", uuid)
    return _endpoint_of(row)


def _endpoint_of(row: Any) -> WebhookEndpoint:
    reason = row["disabled_reason"]
    return WebhookEndpoint(
        uuid=row["uuid"],
        app_uuid=AppUuid(row["app_uuid"]),
        url=row["url"],
        event_types=tuple(row["event_types"]),
        description=row["description"],
        secret_sealed=row["secret_sealed"],
        previous_secret_sealed=row["previous_secret_sealed"],
        previous_secret_expires_at=row["previous_secret_expires_at"],
        status=EndpointStatus(row["status"]),
        disabled_reason=None if reason is None else DisabledReason(reason),
        failing_since=row["failing_since"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        deleted_at=row["deleted_at"],
    )
