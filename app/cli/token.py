"""`kontor token`: a demo user's token. Refuses to work outside of development."""

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from app.settings import BadSetting, load
from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.tenancy.caller import Scope
from domain.tenancy.tenant import Role
from infrastructure.identity.dev_tokens import DEV_ISSUER, Demo, DevSigner
from infrastructure.system import SystemClock

_SCOPES = [scope.value for scope in Scope]


@dataclass(frozen=True)
class _Wanted:
    app_uuid: UUID
    user_uuid: UUID
    tenants: tuple[str, ...]
    scopes: tuple[str, ...]
    days: int
    key_file: Path


@click.command(
    epilog="Example: kontor token --app 0198c5a0-5d1e-7a3b-9c52-0f6f3f0e4a11 "
    "--user 0198c5a2-0a0b-7d44-a1f0-6f1f2d3c4b5a "
    "--tenant 0198c5a3-1c2d-7e55-b2e1-7a2b3c4d5e6f:admin"
)
@click.option("--app", "app_uuid", required=True, type=click.UUID, help="The app's uuid.")
@click.option("--user", "user_uuid", required=True, type=click.UUID, help="The user's uuid.")
@click.option(
    "--tenant",
    "tenants",
    multiple=True,
    metavar="UUID[:ROLE]",
    help="A tenant that the user may act for, as `member` or `admin`; repeat it for more. "
    "Without it the registered memberships count.  [default role: member]",
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([*_SCOPES, "all"]),
    help="What the user may do in the whole app; repeat it for more.",
)
@click.option(
    "--days", default=30, show_default=True, type=click.IntRange(1, 365), help="Days it lives."
)
@click.option(
    "--key-file",
    default=Path(".kontor/token.key"),
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The key to sign with; made when it is not there. Its public half goes beside it, .pub.",
)
def token(**given: Any) -> None:
    """Print a demo user's token (development only)."""
    _need_development()
    wanted = _Wanted(**given)
    signer = _signer(wanted.key_file)
    now = SystemClock().now()
    demo = Demo(
        app_uuid=AppUuid(wanted.app_uuid),
        user_uuid=UserUuid(wanted.user_uuid),
        tenants=dict(map(_seat, wanted.tenants)) if wanted.tenants else None,
        scopes=_SCOPES if "all" in wanted.scopes else wanted.scopes,
        issued_at=now,
        expires_at=now + timedelta(days=wanted.days),
    )
    click.echo(signer.token(demo))


def _need_development() -> None:
    try:
        # Nothing is read from the database, so its address is not asked for.
        settings = load({"KONTOR_DATABASE_URL": "", **os.environ})
    except BadSetting as error:
        raise click.ClickException(str(error)) from None
    if not settings.is_dev:
        raise click.ClickException(
            "demo tokens are for development: set KONTOR_IS_DEV=1 where no real money is"
        )


def _signer(key_file: Path) -> DevSigner:
    is_new = not key_file.exists()
    try:
        signer = DevSigner.of(key_file)
        if is_new:
            public = key_file.with_suffix(".pub")
            public.write_text(signer.public_pem)
            click.echo(
                "A new key. Let the app accept it: kontor apps issuer add --app ... "
                f"--issuer {DEV_ISSUER} --algorithm EdDSA --public-key-file {public}",
                err=True,
            )
        return signer
    except OSError as error:
        raise click.ClickException(f"{key_file}: {error.strerror}") from None
    except ValueError:
        raise click.ClickException(f"{key_file} is not an Ed25519 key in PEM") from None


def _seat(text: str) -> tuple[TenantUuid, Role]:
    uuid, _, role = text.partition(":")
    try:
        return TenantUuid(UUID(uuid)), Role(role or Role.MEMBER)
    except ValueError:
        raise click.BadParameter(
            f"{text} is not UUID, UUID:member or UUID:admin", param_hint="--tenant"
        ) from None
