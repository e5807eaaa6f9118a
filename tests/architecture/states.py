"""Draws docs/states: every lifecycle that the domain has as a table of moves, as a diagram.

`python -m tests.architecture.states --write` after a change of such a table.
"""

import importlib
import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Final

from tests.architecture.tree import ROOT, parsed, python_files

STATES: Final = ROOT / "docs" / "states"
TABLE: Final = "MOVES"

Moves = Mapping[StrEnum, frozenset[StrEnum]]


def drawn() -> dict[Path, str]:
    """Every diagram's file, and the text that belongs into it."""
    return {STATES / f"{_name(module)}.md": _page(module) for module in _lifecycles()}


def _lifecycles() -> Iterator[ModuleType]:
    for path in python_files("domain"):
        if any(getattr(n, "id", None) == TABLE for n in _assigned(path)):
            yield importlib.import_module(".".join(path.with_suffix("").parts))


def _assigned(path: Path) -> Iterator[object]:
    return (getattr(node, "target", None) for node in parsed(path).body)


def _name(module: ModuleType) -> str:
    return module.__name__.removeprefix("domain.").replace(".", "-").replace("_", "-")


def _page(module: ModuleType) -> str:
    assert module.__doc__ is not None
    file = f"{module.__name__.replace('.', '/')}.py"
    return (
        f"# {module.__doc__.splitlines()[0]}\n\n"
        f"Drawn from `{TABLE}` in [`{file}`](../../{file}); do not edit. After a change of the "
        "table:\n`.venv/bin/python -m tests.architecture.states --write`\n\n"
        f"```mermaid\n{_diagram(getattr(module, TABLE))}```\n"
    )


def _diagram(moves: Moves) -> str:
    first = next(iter(moves))  # a lifecycle's table begins where the life begins
    lines = ["stateDiagram-v2", f"    [*] --> {first}"]
    for old, reachable in moves.items():
        lines += [f"    {old} --> {new}" for new in moves if new in reachable]
        if not reachable:
            lines.append(f"    {old} --> [*]")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.architecture.states --write")
    for file, text in drawn().items():
        file.write_text(text)
        print(f"wrote {file.relative_to(ROOT)}")
