"""The documents say what is so: their commands run, their names exist, their drawings are new."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import asyncpg
import click
import pytest
from litestar import Litestar

from app.cli.main import main
from app.main import build
from app.sandbox.server import create_sandbox
from app.settings import Settings, load
from infrastructure.secrets import new_key
from tests.architecture.shell_blocks import (
    SAYS,
    blocks,
    commands,
    kontor_calls,
    make_targets,
    requests,
)
from tests.architecture.states import STATES, drawn
from tests.architecture.tree import ROOT, project_files, python_files
from tests.places import open_place

README: Final = ROOT / "README.md"
STORIES: Final = ("Five minutes with curl", "A year in two minutes", "Who may call")
DOCUMENTS: Final = sorted(path for path in project_files() if path.suffix == ".md")
LINK: Final = re.compile(r"(?:\]\(|src=\")(?!https?:|#)([^)#\"]+)")
ROUTE_PART: Final = re.compile(r"\{\w+:(\w+)\}")
ANY: Final = re.compile(r"\$\w+|\$\{[^}]*\}")
CODE: Final = ("domain", "infrastructure")
SECTIONS: Final = ("Context", "Decision", "Alternatives", "Enforced by")


def documents() -> Iterator[tuple[str, str]]:
    for path in DOCUMENTS:
        yield str(path), (ROOT / path).read_text()


def test_every_link_between_documents_leads_somewhere():
    broken = [
        f"{name} -> {link}"
        for name, text in documents()
        for link in LINK.findall(text)
        if not (ROOT / name).parent.joinpath(link).exists()
    ]
    assert broken == []


def test_every_make_target_that_a_document_names_exists():
    exist = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for _, text in documents() for target in make_targets(text)}
    assert named <= exist
    assert {"dev", "test"} <= named


def test_every_kontor_command_that_a_document_names_exists():
    calls = [(name, words) for name, text in documents() for words in kontor_calls(text) if words]
    assert len(calls) >= 10
    assert [f"{name}: {problem}" for name, words in calls if (problem := _unknown(words))] == []


def _unknown(words: list[str]) -> str | None:
    """What of a call does not exist; None when all of it does."""
    command: click.Command = main
    context = click.Context(main)
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-"):
            found = command.get_command(context, word)
            if found is None:
                return f"no command {word} in kontor {' '.join(words)}"
            command = found
        elif word.startswith("-") and word.partition("=")[0] not in _options(command):
            return f"no option {word} in kontor {' '.join(words)}"
    return None


def _options(command: click.Command) -> set[str]:
    return {"--help", "--version"} | {option for p in command.params for option in p.opts}


def test_every_setting_that_a_document_names_exists():
    settings = {f"KONTOR_{field.upper()}" for field in Settings.__struct_fields__}
    named = {found for _, text in documents() for found in re.findall(r"\bKONTOR_[A-Z_]+\b", text)}
    assert named - settings <= {"KONTOR_TEST_DATABASE_URL"}


def test_every_route_that_a_documents_commands_ask_for_exists():
    environment = {"KONTOR_DATABASE_URL": "postgresql://nowhere", "KONTOR_SECRET_KEY": new_key()}
    programs = {"API": routes(build(load(environment))), "SANDBOX": routes(create_sandbox())}
    asked = [
        request
        for path in DOCUMENTS
        for block in blocks(ROOT / path)
        for command in commands(block)
        for request in requests(command)
    ]
    assert len(asked) > 10
    unknown = [
        request
        for request in asked
        if not any(
            pattern.fullmatch(ANY.sub("x", request.path)) and request.method in methods
            for pattern, methods in programs[request.program]
        )
    ]
    assert unknown == []


def routes(program: Litestar) -> list[tuple[re.Pattern[str], set[str]]]:
    return [
        (re.compile(ROUTE_PART.sub("[A-Za-z0-9_-]+", route.path)), getattr(route, "methods", set()))
        for route in program.routes
    ]


@contextlib.contextmanager
def kontor_dev(place: Path) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "app.cli.main", "dev", "--data-dir", str(place / ".kontor")]
    command += ["--port", "0", "--sandbox-port", "0", "--json"]
    with (
        (place / "dev.log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")), reason="the story needs bash and curl"
)
def test_the_readmes_story_runs_as_it_is_told():
    told = [block for story in STORIES for block in blocks(README, under=story)]
    story = "\n".join(["set -euo pipefail", *told])
    with open_place() as place, kontor_dev(place) as facts:
        story = story.replace("http://127.0.0.1:8000", facts["apiUrl"])
        story = story.replace("http://127.0.0.1:8001", facts["sandboxUrl"])
        story = story.replace(".venv/bin/python", sys.executable)
        story = story.replace(".venv/bin/kontor", f"{sys.executable} -m app.cli.main")
        done = subprocess.run(
            ["bash", "-c", story],
            capture_output=True,
            text=True,
            timeout=90,
            cwd=place,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [says for block in told for says in SAYS.findall(block)]


def test_the_drawings_of_states_are_those_of_the_tables():
    there = {path: path.read_text() for path in STATES.glob("*.md")}
    assert there == drawn(), "draw anew: .venv/bin/python -m tests.architecture.states --write"


def test_each_decision_is_told_in_the_same_four_parts():
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    numbers = [path.name[:5] for path in decisions]
    assert numbers == [f"{place:04d}-" for place in range(1, len(decisions) + 1)]
    for path in decisions:
        headings = re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE)
        assert tuple(headings) == SECTIONS, path.name


def test_the_runbooks_log_events_and_metrics_are_those_of_the_program():
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    program = "".join((ROOT / path).read_text() for path in python_files("app", *CODE))
    table = runbook.partition("| Log event |")[2].partition("\n\n")[0]
    named = re.findall(r"^\| `(\w+)`", table, re.MULTILINE)
    named += re.findall(r"\bkontor_(?:request)\w+", runbook)
    assert len(named) > 10
    assert [name for name in named if f'"{name}"' not in program] == []


async def test_the_runbooks_statements_run(clean_database: str):
    statements = re.findall(r"```sql\n(.*?)```", (ROOT / "docs/runbook.md").read_text(), re.DOTALL)
    assert len(statements) > 4
    connection = await asyncpg.connect(clean_database)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def test_the_files_that_documents_name_exist():
    named = [
        (name, path)
        for name, text in documents()
        for path in re.findall(r"`((?:app|domain|infrastructure|tests|docs)/[\w/.-]+)`", text)
    ]
    assert [(name, path) for name, path in named if not (ROOT / path).exists()] == []
