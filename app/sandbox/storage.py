"""The worlds on disk: one SQLite table for each stand-in, written through after every change.

A process that is killed loses nothing it has answered for. It is not a database to query.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

_SCHEMA = """
create table if not exists {table} (
    seq integer primary key,
    kind text not null,
    id text not null,
    body blob not null,
    unique (kind, id)
)
"""
_WRITE = """
insert into {table} (kind, id, body) values (?, ?, ?)
on conflict (kind, id) do update set body = excluded.body
"""


class Storage:
    """A file, and one table in it. The table's name is ours, never a caller's."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # keys and links are in it; SQLite's other files follow its mode
        # isolation_level=None: transactions begin and end where this file says so.
        db = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
        # One sandbox per file: a second one would overwrite what the first believes.
        db.execute("pragma locking_mode = exclusive")
        db.execute("pragma journal_mode = wal")
        # Survives a killed process; only a power cut could take the last moments.
        db.execute("pragma synchronous = normal")
        self._use(db, "record")

    def beside(self, table: str) -> "Storage":
        """The same file for another stand-in, which sees nothing of the first."""
        other = Storage.__new__(Storage)
        other._use(self._db, table)
        return other

    def _use(self, db: sqlite3.Connection, table: str) -> None:
        self._db, self._table = db, table
        self._db.execute(_SCHEMA.format(table=table))

    def read(self) -> Iterator[tuple[str, str, bytes]]:
        """Everything, in the order in which it first appeared."""
        yield from self._db.execute(f"select kind, id, body from {self._table} order by seq")

    def write(
        self, changed: Sequence[tuple[str, str, bytes]], removed: Sequence[tuple[str, str]]
    ) -> None:
        self._db.execute("begin immediate")
        self._db.executemany(_WRITE.format(table=self._table), changed)
        self._db.executemany(f"delete from {self._table} where kind = ? and id = ?", removed)
        self._db.execute("commit")

    def clear(self) -> None:
        self._db.execute(f"delete from {self._table}")

    def close(self) -> None:
        self._db.close()
