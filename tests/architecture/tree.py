"""The project as the architecture tests read it: its files, and the parsed ones of the program."""

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PROGRAM: Final = ("app", "domain", "infrastructure", "piccolo_migrations")
_HIDDEN_BUT_OURS: Final = {".ci", ".github", ".gitignore"}
_NOT_OURS: Final = {"__pycache__", "node_modules", "dist", "build"}


def project_files() -> Iterator[Path]:
    """Everything that somebody wrote, relative to the root; not what tools leave beside it."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if _is_ours(name)]
        for name in names:
            if _is_ours(name):
                yield (Path(folder) / name).relative_to(ROOT)


def _is_ours(name: str) -> bool:
    if name.startswith("."):
        return name in _HIDDEN_BUT_OURS
    return name not in _NOT_OURS and not name.endswith(".egg-info")


def python_files(*folders: str) -> list[Path]:
    return sorted(
        path for path in project_files() if path.suffix == ".py" and path.parts[0] in folders
    )


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, with its full name."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
