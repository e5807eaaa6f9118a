"""`kontor accounts`: what the platform's operator takes of payments through an app's account.

The operator's money, so no app can set it. Only of accounts that their merchants have connected.
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import click
from msgspec.structs import replace

from app.cli.in_app import finish, in_app
from domain.kernel.errors import Refused
from domain.kernel.ids import AppUuid
from domain.kernel.money import EXPONENTS
from domain.payments.application_fee import BASIS_POINTS, ApplicationFee
from domain.payments.payment_provider import ConnectedBy
from infrastructure.system import SystemClock

_MINOR_MAX: Final = 1_000_000


@click.group()
def accounts() -> None:
    """Say what the platform takes of payments through an account."""


@accounts.command(
    "fee",
    epilog="Example: kontor accounts fee --app 0198c5a0-5d1e-7a3b-9c52-0f6f3f0e4a11 "
    "--account 0198c5a0-5d1e-7a3b-9c52-0f6f3f0e4a12 --basis-points 150 --fixed EUR=25 "
    '--description "Platform fee"',
)
@click.option("--app", "app_uuid", required=True, type=click.UUID, help="The app's uuid.")
@click.option("--account", required=True, type=click.UUID, help="The payment provider's uuid.")
@click.option(
    "--basis-points",
    type=click.IntRange(0, BASIS_POINTS),
    default=0,
    show_default=True,
    help="Of the amount: 150 is 1.5 %. Rounded half up.",
)
@click.option(
    "--fixed",
    "fixed",
    multiple=True,
    metavar="CURRENCY=MINOR",
    help="Minor units on top, for payments in this currency; repeat it for more.",
)
@click.option("--description", required=True, help="What the merchant reads: 1 to 255 characters.")
def fee(
    app_uuid: UUID, account: UUID, basis_points: int, fixed: tuple[str, ...], description: str
) -> None:
    """Take a fee of every payment asked for from now on. Prints it.

    It is never more than the provider lets a platform take of an amount, and nothing is taken where
    that is less than one minor unit, or of small amounts that only verify a payment method.
    """
    if not basis_points and not fixed:
        raise click.UsageError("give --basis-points or --fixed; `kontor accounts no-fee` ends it")
    if not 1 <= len(description) <= 255:
        raise click.BadParameter("must have 1 to 255 characters", param_hint="--description")
    new = ApplicationFee(
        basis_points=basis_points, fixed_minor=_fixed(fixed), description=description
    )
    finish(_set(AppUuid(app_uuid), account, new))
    amounts = [f"{minor} {currency}" for currency, minor in new.fixed_minor.items()]
    click.echo(" + ".join([f"{new.basis_points} basis points", *amounts]))


@accounts.command(
    "no-fee",
    epilog="Example: kontor accounts no-fee --app 0198c5a0-5d1e-7a3b-9c52-0f6f3f0e4a11 "
    "--account 0198c5a0-5d1e-7a3b-9c52-0f6f3f0e4a12",
)
@click.option("--app", "app_uuid", required=True, type=click.UUID, help="The app's uuid.")
@click.option("--account", required=True, type=click.UUID, help="The payment provider's uuid.")
def no_fee(app_uuid: UUID, account: UUID) -> None:
    """Take nothing of payments that are asked for from now on."""
    finish(_set(AppUuid(app_uuid), account, None))
    click.echo("no fee")


def _fixed(given: tuple[str, ...]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for said in given:
        currency, _, minor = said.partition("=")
        is_number = minor.isascii() and minor.isdigit() and 0 < int(minor) <= _MINOR_MAX
        if currency not in EXPONENTS or not is_number or currency in found:
            raise click.BadParameter(
                f"{said} is not a currency and minor units such as EUR=25, each currency once",
                param_hint="--fixed",
            )
        found[currency] = int(minor)
    return found


async def _set(app_uuid: AppUuid, uuid: UUID, new: ApplicationFee | None) -> None:
    async with in_app(app_uuid) as tx:
        before = await tx.payment_providers.get_for_update(uuid)
        if before.connected_by is not ConnectedBy.OAUTH:
            raise Refused("the account is connected by its key: no fee can be taken there")
        changed = replace(before, application_fee=new, updated_at=SystemClock().now())
        await tx.payment_providers.save(changed)
