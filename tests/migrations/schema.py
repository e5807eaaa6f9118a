"""Writes docs/schema.sql: what a database looks like once every migration has run.

`python -m tests.migrations.schema --write` after each new migration. Reads a database and changes
nothing in it; what differs between servers and does not matter is left out.
"""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from infrastructure.embedded_postgres import TEST, EmbeddedPostgres
from infrastructure.postgres.migrate import upgrade
from infrastructure.postgres_binaries import find_binaries
from tests.places import open_place

SCHEMA: Final = Path(__file__).parents[2] / "docs" / "schema.sql"
HEAD: Final = """\
-- What the migrations add up to: generated, never run, never edited.
-- After a new migration: .venv/bin/python -m tests.migrations.schema --write
-- `schema_owner` stands for whoever ran the migrations.

"""
# Settings of pg_dump's own session, its two guards against forged dumps, and its headings.
_NOISE: Final = re.compile(r"(SET |SELECT pg_catalog\.set_config|\\(un)?restrict |--)")
_OWNER: Final = re.compile(r"^(CREATE POLICY directory ON .* TO )\S+( USING .*)$", re.MULTILINE)
_BLANK_LINES: Final = re.compile(r"\n{3,}")


def dumped(database_url: str) -> str:
    """The schema of a database, the same text for the same schema on every machine."""
    arguments = ["--schema-only", "--no-owner", f"--dbname={database_url}"]
    # PGPORT, PGOPTIONS and their like in our environment are about some other server.
    environment = {name: v for name, v in os.environ.items() if not name.startswith("PG")}
    done = subprocess.run(
        [find_binaries() / "pg_dump", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return HEAD + _normalised(done.stdout)


def _normalised(dump: str) -> str:
    kept = "\n".join(line for line in dump.splitlines() if not _NOISE.match(line))
    named = _OWNER.sub(r"\1schema_owner\2", kept).replace("public.", "")
    return _BLANK_LINES.sub("\n\n", named).strip() + "\n"


def _fresh() -> str:
    with open_place() as place, EmbeddedPostgres(place / "pg", TEST) as server:
        asyncio.run(upgrade(server.url))
        return dumped(server.url)


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.migrations.schema --write")
    SCHEMA.write_text(_fresh())
    print(f"wrote {SCHEMA.relative_to(Path.cwd())}")
