"""Relays that sit between the app and its two neighbours and note each round trip, in order.

For counting, never for timing. A round trip to PostgreSQL is what makes the client wait: a simple
query, or a Sync or Flush at the end of a batch. Counted on the wire, so that nothing a driver does
by itself (a reset, a prepare) can hide.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import parse_qs, urlsplit, urlunsplit

from msgspec import Struct

_CHUNK: Final = 65536


class Trip(Struct, frozen=True):
    to: str
    """`database` or `provider`."""
    said: str
    """The SQL, or the first line of the HTTP request."""

    @property
    def opens(self) -> bool:
        return self.to == "database" and self.said.startswith("begin")

    @property
    def is_bracket(self) -> bool:
        """`begin`, `commit` and `rollback` are counted apart from statements."""
        return self.to == "database" and self.said.startswith(("begin", "commit", "rollback"))


Journal = list[Trip]
Watch = Callable[[bytes], None]
"""Is shown every byte that the app sends on one connection."""


class PostgresWatch:
    """Reads the frontend's side of the protocol, as much of it as counting takes."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._pending = bytearray()
        self._has_started = False
        self._statements: dict[bytes, str] = {}
        self._batch = ""

    def __call__(self, sent: bytes) -> None:
        self._pending += sent
        while (message := self._next()) is not None:
            self._read(*message)

    def _next(self) -> tuple[bytes, bytes] | None:
        head = 1 if self._has_started else 0  # the first message has no type
        if len(self._pending) < head + 4:
            return None
        end = head + int.from_bytes(self._pending[head : head + 4])
        if len(self._pending) < end:
            return None
        kind, body = bytes(self._pending[:head]), bytes(self._pending[head + 4 : end])
        del self._pending[:end]
        self._has_started = True
        return kind, body

    def _read(self, kind: bytes, body: bytes) -> None:
        match kind:
            case b"P":
                name, text = body.split(b"\0")[:2]
                self._statements[name] = " ".join(text.decode().split())
                self._batch = f"prepare: {self._statements[name]}"
            case b"B":
                self._batch = self._statements.get(body.split(b"\0")[1], "unknown")
            case b"Q":
                self._journal.append(Trip("database", body.rstrip(b"\0").decode()))
            case b"S" | b"H":
                self._journal.append(Trip("database", self._batch))


class HttpWatch:
    """One request at a time is on a connection, and each begins with its own piece of bytes."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __call__(self, sent: bytes) -> None:
        if sent.startswith((b"GET ", b"POST ", b"DELETE ")):
            self._journal.append(Trip("provider", sent.partition(b" HTTP/")[0].decode()))


@asynccontextmanager
async def watched_database(url: str, journal: Journal) -> AsyncIterator[str]:
    """The URL of the same database, by way of a relay."""
    parts = urlsplit(url)
    directory = parse_qs(parts.query).get("host", [""])[0]
    port = parts.port or 5432
    target = f"{directory}/.s.PGSQL.{port}" if directory else (parts.hostname or "", port)
    async with _relay(target, lambda: PostgresWatch(journal)) as here:
        credentials = parts.netloc.rpartition("@")[0]
        # Encrypted, nothing could be read.
        there = parts._replace(netloc=f"{credentials}@127.0.0.1:{here}", query="sslmode=disable")
        yield urlunsplit(there)


@asynccontextmanager
async def watched_provider(url: str, journal: Journal) -> AsyncIterator[str]:
    parts = urlsplit(url)
    target = (parts.hostname or "", parts.port or 80)
    async with _relay(target, lambda: HttpWatch(journal)) as here:
        yield f"http://127.0.0.1:{here}"


@asynccontextmanager
async def _relay(
    target: str | tuple[str, int], watching: Callable[[], Watch]
) -> AsyncIterator[int]:
    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if isinstance(target, str):
            their_reader, their_writer = await asyncio.open_unix_connection(target)
        else:
            their_reader, their_writer = await asyncio.open_connection(*target)
        await asyncio.gather(
            _pump(reader, their_writer, watching()), _pump(their_reader, writer, _unwatched)
        )

    server = await asyncio.start_server(between, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, watch: Watch) -> None:
    try:
        while sent := await reader.read(_CHUNK):
            watch(sent)
            writer.write(sent)
            await writer.drain()
    except ConnectionError:
        pass  # hung up without a word: the other side is told the same way
    finally:
        writer.close()


def _unwatched(_: bytes) -> None:
    pass
