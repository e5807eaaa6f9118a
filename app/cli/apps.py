"""`kontor apps`: create an app, and say who may vouch for its users. Needs database access."""

from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import click

from app.cli.in_app import finish, in_app, settings
from domain.kernel.ids import AppUuid
from domain.tenancy.app import App, JwtIssuer, SigningAlgorithm
from infrastructure.identity.keys import UnusableKey, from_pem
from infrastructure.system import SystemClock, SystemIds

_PUBLIC_KEYS_MAX = 10  # each of them is tried with each token


@click.group()
def apps() -> None:
    """Create apps; say who may vouch for their users."""


@apps.command("create", epilog='Example: kontor apps create --name "Example Notes"')
@click.option("--name", required=True, help="The product's name, 1 to 200 characters.")
@click.option(
    "--allowed-host",
    "hosts",
    multiple=True,
    help="Where shoppers may be sent back to; repeat it for more. Without it: anywhere.",
)
def create(name: str, hosts: tuple[str, ...]) -> None:
    """Create an app. Prints its uuid."""
    if not 1 <= len(name) <= 200:
        raise click.BadParameter("must have 1 to 200 characters", param_hint="--name")
    for host in hosts:
        if urlsplit(f"//{host}").hostname != host.lower():
            raise click.BadParameter(
                f"{host} is not a host name alone, such as shop.example.com",
                param_hint="--allowed-host",
            )
    now = SystemClock().now()
    app = App(
        app_uuid=AppUuid(SystemIds().new()),
        name=name,
        allowed_hosts=tuple(host.lower() for host in hosts),
        created_at=now,
        updated_at=now,
    )
    finish(_add(app))
    click.echo(app.app_uuid)
    click.echo("Next: kontor apps issuer add --help, kontor keys create --help", err=True)


@apps.group()
def issuer() -> None:
    """Say who may vouch for an app's users."""


@issuer.command(
    "add",
    epilog="Example: kontor apps issuer add --app 0198c5a0-5d1e-7a3b-9c52-0f6f3f0e4a11 "
    "--issuer https://login.example.com/ --algorithm RS256 "
    "--jwks-url https://login.example.com/.well-known/jwks.json",
)
@click.option("--app", "app_uuid", required=True, type=click.UUID, help="The app's uuid.")
@click.option("--issuer", "name", required=True, help="The `iss` of its tokens, letter by letter.")
@click.option(
    "--algorithm",
    required=True,
    type=click.Choice([algorithm.value for algorithm in SigningAlgorithm]),
    help="What it signs with. A token signed with anything else is refused.",
)
@click.option("--jwks-url", help="Where its public keys are published.")
@click.option(
    "--public-key-file",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Instead of a URL: a public key in PEM; repeat it for more.",
)
def add(
    app_uuid: UUID, name: str, algorithm: str, jwks_url: str | None, files: tuple[Path, ...]
) -> None:
    """Accept tokens of an issuer. Prints the uuid of the registration."""
    if (jwks_url is None) is not bool(files):
        raise click.UsageError("give either --jwks-url or --public-key-file")
    if not 1 <= len(name) <= 255:
        raise click.BadParameter("must have 1 to 255 characters", param_hint="--issuer")
    if jwks_url is not None:
        _check_url(jwks_url)
    registered = JwtIssuer(
        uuid=SystemIds().new(),
        app_uuid=AppUuid(app_uuid),
        issuer=name,
        algorithm=SigningAlgorithm(algorithm),
        jwks_url=jwks_url,
        public_keys=_keys(files, SigningAlgorithm(algorithm)),
        created_at=SystemClock().now(),
    )
    finish(_register(registered))
    click.echo(registered.uuid)


def _keys(files: tuple[Path, ...], algorithm: SigningAlgorithm) -> tuple[str, ...]:
    if len(files) > _PUBLIC_KEYS_MAX:
        raise click.UsageError(f"give {_PUBLIC_KEYS_MAX} public keys at most")
    keys: tuple[str, ...] = ()
    for file in files:
        try:
            pem = file.read_text()
            from_pem(pem, algorithm)
        except (OSError, UnicodeDecodeError):
            raise click.ClickException(f"{file} cannot be read as text") from None
        except UnusableKey as error:
            raise click.ClickException(f"{file}: {error}") from None
        keys += (pem,)
    return keys


def _check_url(url: str) -> None:
    """Who can change the keys on the way can be any user: the way must be https."""
    try:
        parts = urlsplit(url)
        is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        has_port = parts.port != 0
    except ValueError:
        raise click.BadParameter("is not a URL", param_hint="--jwks-url") from None
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_local and settings().is_dev)
    if not (is_safe and parts.hostname and has_port) or parts.username is not None:
        raise click.BadParameter(
            "must be an https URL (http only for localhost, with KONTOR_IS_DEV=1)",
            param_hint="--jwks-url",
        )


async def _add(app: App) -> None:
    async with in_app(app.app_uuid) as tx:
        await tx.apps.add(app)


async def _register(registered: JwtIssuer) -> None:
    async with in_app(registered.app_uuid) as tx:
        await tx.apps.get()
        await tx.apps.add_issuer(registered)
