"""The program `kontor`. One verb per file; a verb's file is imported only when it is asked for.

Nothing is imported for `kontor --help`, so it answers at once, and one broken verb does not break
the others.
"""

import importlib
from typing import Final

import click

VERBS: Final = {
    "dev": "Run everything on this machine, with demo data.",
    "serve": "Run the API.",
    "worker": "Run the worker: what is due, and what must be told to others.",
    "sandbox": "Run a Mollie that moves no money.",
    "migrate": "Bring the database up to date.",
    "apps": "Create apps; say who may vouch for their users.",
    "keys": "Create API keys.",
    "accounts": "Say what the platform takes of payments through an account.",
    "token": "Print a demo user's token (development only).",
    "audit": "Prove that the books are right, here and at the providers.",
    "doctor": "Check configuration, database, provider credentials and clock.",
    "settings": "List all settings with their values.",
}
"""Each verb is the click command of the same name in the file of the same name, here beside."""


class Verbs(click.Group):
    """A group whose members are imported late."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command = getattr(importlib.import_module(f"app.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.command(cls=Verbs, epilog="Example: kontor dev")
@click.version_option(package_name="kontor")
def main() -> None:
    """Kontor: multi-tenant billing. Each command explains itself with --help."""


if __name__ == "__main__":
    main()
