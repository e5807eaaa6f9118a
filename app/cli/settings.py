"""`kontor settings`: every setting with its unit, default and current value."""

import os

import click
import msgspec

from app.settings import PREFIX, SECRETS, Settings


@click.command(epilog="Example: kontor settings")
def settings() -> None:
    """List all settings. They come from the environment; secrets are not shown."""
    for field in msgspec.structs.fields(Settings):
        name = PREFIX + field.name.upper()
        click.secho(name, bold=True)
        click.echo(f"  {_description(field.type)}")
        default = "required" if field.required else repr(field.default)
        click.echo(f"  default: {default}   now: {_now(name, field.name)}")


def _description(annotation: object) -> str:
    metadata = getattr(annotation, "__metadata__", ())
    return next((meta.description for meta in metadata if meta.description), "")


def _now(name: str, field: str) -> str:
    if name not in os.environ:
        return "default"
    return "(set, hidden)" if field in SECRETS else os.environ[name]
