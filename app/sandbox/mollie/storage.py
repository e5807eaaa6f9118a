"""The world on disk: one SQLite table, written through after every change.

A process that is killed loses nothing it has answered for. It is not a database to query.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

_SCHEMA = """
create table if not exists record (
    seq integer primary key,
    kind text not null,
    id text not null,
    body blob not null,
    unique (kind, id)
)
"""
_WRITE = """
insert into record (kind, id, body) values (?, ?, ?)
on conflict (kind, id) do update set body = excluded.body
"""


class Storage:
    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # keys and links are in it; SQLite's other files follow its mode
        # isolation_level=None: transactions begin and end where this file says so.
        self._db = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
        # One sandbox per file: a second one would overwrite what the first believes.
        self._db.execute("pragma locking_mode = exclusive")
        self._db.execute("pragma journal_mode = wal")
        # Survives a killed process; only a power cut could take the last moments.
        self._db.execute("pragma synchronous = normal")
        self._db.execute(_SCHEMA)

    def read(self) -> Iterator[tuple[str, str, bytes]]:
        """Everything, in the order in which it first appeared."""
        yield from self._db.execute("select kind, id, body from record order by seq")

    def write(
        self, changed: Sequence[tuple[str, str, bytes]], removed: Sequence[tuple[str, str]]
    ) -> None:
        self._db.execute("begin immediate")
        self._db.executemany(_WRITE, changed)
        self._db.executemany("delete from record where kind = ? and id = ?", removed)
        self._db.execute("commit")

    def clear(self) -> None:
        self._db.execute("delete from record")

    def close(self) -> None:
        self._db.close()
