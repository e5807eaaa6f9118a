"""The program `kontor`: every command says what it does and shows an example."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from app.cli.main import VERBS, main


def paths(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words that lead to each command below a verb, the verb itself included."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            member = command.get_command(context, name)
            assert member is not None
            yield from paths(member, (*path, name))
    else:
        yield path


@pytest.mark.parametrize("verb", VERBS)
def test_each_command_explains_itself_with_an_example(verb: str):
    command = main.get_command(click.Context(main), verb)
    assert command is not None
    for path in paths(command, (verb,)):
        shown = CliRunner().invoke(main, [*path, "--help"])
        assert shown.exit_code == 0, shown.output
        assert f"Example: kontor {' '.join(path)}" in " ".join(shown.output.split())


def test_an_unknown_command_is_refused_by_name():
    shown = CliRunner().invoke(main, ["serv"])
    assert shown.exit_code == 2
    assert "serv" in shown.output
