"""`kontor migrate`: brings the database up to date."""

import asyncio

import click

from infrastructure.postgres.migrate import upgrade


@click.command(epilog="Example: kontor migrate --database-url postgresql://owner@localhost/kontor")
@click.option(
    "--database-url",
    envvar="KONTOR_DATABASE_URL",
    required=True,
    help="The database, as its owner (KONTOR_DATABASE_URL).",
)
def migrate(database_url: str) -> None:
    """Run the migrations that are missing, all or none. Safe to run from several machines."""
    ran = asyncio.run(upgrade(database_url))
    click.echo(f"{len(ran)} migrations ran." if ran else "Nothing to do: up to date.")
