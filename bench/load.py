"""The load: a fixed number of connections, each with one request at a time, for a fixed time.

Plain sockets and nothing else, so that it takes little from the server's cores.
"""

import asyncio
import re
import time
from collections.abc import Iterator
from itertools import count, islice
from statistics import quantiles
from typing import Final

from msgspec import Struct

from bench.errand import Errand, serve_errands
from bench.request import Request

REQUESTS_MAX: Final = 200_000
_LENGTH: Final = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


class Pace(Struct, frozen=True, kw_only=True):
    series: str
    """Makes the marks of this round different from those of all others."""
    seconds: float
    connections: int = 32

    def marks(self) -> Iterator[str]:
        return (f"{self.series}-{number}" for number in islice(count(), REQUESTS_MAX))


class Outcome(Struct, frozen=True, kw_only=True):
    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    complaint: str = ""
    """The first answer that was none."""

    @classmethod
    def of(cls, taken_s: list[float], seconds: float, complaint: str = "") -> "Outcome":
        cuts = quantiles(taken_s, n=100) if len(taken_s) > 1 else [0.0] * 99
        return cls(
            requests=len(taken_s),
            seconds=seconds,
            p50_ms=cuts[49] * 1000,
            p99_ms=cuts[98] * 1000,
            complaint=complaint,
        )


class Load(Errand, frozen=True, kw_only=True):
    host: str
    port: int
    request: Request
    pace: Pace

    async def run(self) -> Outcome:
        marks = self.pace.marks()
        taken_s: list[float] = []
        started = time.perf_counter()
        talks = [
            self._talk(marks, started + self.pace.seconds, taken_s)
            for _ in range(self.pace.connections)
        ]
        complaints = await asyncio.gather(*talks)
        return Outcome.of(
            taken_s, time.perf_counter() - started, next(filter(None, complaints), "")
        )

    async def _talk(self, marks: Iterator[str], until: float, taken_s: list[float]) -> str:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            for mark in marks:
                started = time.perf_counter()
                if started >= until:
                    break
                writer.write(self._bytes(mark))
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                taken_s.append(time.perf_counter() - started)
                if not head.startswith(b"HTTP/1.1 2"):
                    return (head + body).decode(errors="replace")
        finally:
            writer.close()
        return ""

    def _bytes(self, mark: str) -> bytes:
        body = self.request.body_for(mark)
        headers = {
            "Host": self.host,
            "Content-Length": str(len(body)),
            **self.request.headers_for(mark),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{self.request.method} {self.request.path} HTTP/1.1\r\n{lines}\r\n".encode() + body


if __name__ == "__main__":
    serve_errands(Load)
