"""`kontor keys`: API keys of an app. A key is shown once; only its hash is kept."""

from datetime import timedelta
from uuid import UUID

import click
from msgspec.structs import replace

from app.cli.in_app import finish, in_app
from domain.kernel.ids import AppUuid
from domain.tenancy.api_key import ApiKey, hash_secret
from domain.tenancy.caller import KeyType
from infrastructure.system import SystemClock, SystemIds


@click.group()
def keys() -> None:
    """Create and revoke API keys. To rotate: create, switch over, revoke the old one."""


@keys.command(
    "create",
    epilog="Example: kontor keys create --app 0198c5a0-5d1e-7a3b-9c52-0f6f3f0e4a11 --type write "
    "--name backend --expires-in-days 365",
)
@click.option("--app", "app_uuid", required=True, type=click.UUID, help="The app's uuid.")
@click.option(
    "--type",
    "key_type",
    required=True,
    type=click.Choice([key_type.value for key_type in KeyType]),
    help="`read` for GET, `write` for everything else.",
)
@click.option("--name", required=True, help="Who uses it, for your own eyes.")
@click.option(
    "--expires-in-days",
    "days",
    type=click.IntRange(1, 3650),
    help="Days until it ends by itself. Without it: never.",
)
def create(app_uuid: UUID, key_type: str, name: str, days: int | None) -> None:
    """Create an API key. Prints the secret, this once."""
    if not 1 <= len(name) <= 200:
        raise click.BadParameter("must have 1 to 200 characters", param_hint="--name")
    now, ids = SystemClock().now(), SystemIds()
    secret = f"kontor_{key_type}_{ids.secret()}"
    key = ApiKey(
        uuid=ids.new(),
        app_uuid=AppUuid(app_uuid),
        key_type=KeyType(key_type),
        name=name,
        hint=secret[-4:],
        expires_at=None if days is None else now + timedelta(days=days),
        created_at=now,
    )
    finish(_add(key, hash_secret(secret)))
    click.echo(secret)
    click.echo(f"Keep it: it cannot be shown again. To revoke it: key {key.uuid}", err=True)


@keys.command(
    "revoke",
    epilog="Example: kontor keys revoke --app 0198c5a0-5d1e-7a3b-9c52-0f6f3f0e4a11 "
    "--key 0198c5a1-77aa-7c01-8d10-5b1e8e2f9c33",
)
@click.option("--app", "app_uuid", required=True, type=click.UUID, help="The app's uuid.")
@click.option(
    "--key", "key_uuid", required=True, type=click.UUID, help="The key's uuid, not its secret."
)
def revoke(app_uuid: UUID, key_uuid: UUID) -> None:
    """End an API key at once."""
    finish(_revoke(AppUuid(app_uuid), key_uuid))
    click.echo(f"key {key_uuid} is revoked")


async def _add(key: ApiKey, secret_hash: bytes) -> None:
    async with in_app(key.app_uuid) as tx:
        await tx.apps.get()
        await tx.apps.add_api_key(key, secret_hash=secret_hash)


async def _revoke(app_uuid: AppUuid, key_uuid: UUID) -> None:
    async with in_app(app_uuid) as tx:
        key = await tx.apps.api_key(key_uuid)
        if key.revoked_at is None:
            await tx.apps.save_api_key(replace(key, revoked_at=SystemClock().now()))
