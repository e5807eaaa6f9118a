"""A server on loopback that answers every request with the same bytes, or misbehaves below HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class ScriptedServer:
    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    """Heads and bodies, as they came in."""
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def scripted_server(script: Script) -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer()
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whoever has had enough hangs up; that is what the tests want to see.
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            server.requests.append(await _one_request(reader))
            server.was_asked.set()
            await script(writer)
        writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()
    server.url = f"http://{host}:{port}"
    try:
        yield server
    finally:
        listening.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running)


async def _one_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + await reader.readexactly(length)


def answer(status: int, body: bytes = b"", *headers: str) -> Script:
    head = [
        f"HTTP/1.1 {status} Whatever",
        "Content-Type: application/hal+json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
    ]
    return raw("\r\n".join(head).encode() + b"\r\n\r\n" + body)


def raw(text: bytes) -> Script:
    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()

    return say


async def silence(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def endless(head: bytes, chunk: bytes, chunks: int, *, pause_s: float = 0) -> Script:
    """Keeps talking until it has said everything or nobody listens."""

    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        for _ in range(chunks):
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return talk
