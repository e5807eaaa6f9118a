"""A call as it comes in over HTTP, and how it goes out again, or does not."""

from dataclasses import dataclass, replace

from litestar.types import Receive, Scope, Send

from app.sandbox import faults
from app.sandbox.bodies import BYTES_MAX
from app.sandbox.faults import Fault


@dataclass(frozen=True, slots=True)
class Incoming:
    method: str
    path: str  # below the API's own prefix
    query: str
    headers: dict[str, str]
    body: bytes
    base: str  # scheme and host that links must carry


@dataclass(frozen=True, slots=True)
class Outgoing:
    status: int
    body: bytes
    replayed: bool = False
    retry_after: int | None = None

    def halved(self) -> "Outgoing":
        return replace(self, body=self.body[: len(self.body) // 2])


async def read_call(
    scope: Scope, receive: Receive, prefix: str, public_url: str | None
) -> Incoming:
    headers = {name.decode("latin-1"): raw.decode("latin-1") for name, raw in scope["headers"]}
    body = b""
    while len(body) <= BYTES_MAX:
        message = await receive()
        if message["type"] != "http.request":
            break
        body += message["body"]
        if not message.get("more_body"):
            break
    host = headers.get("host", "localhost")
    return Incoming(
        method=str(scope.get("method", "")),
        path=str(scope["path"]).removeprefix(prefix).strip("/"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
        base=public_url or f"{scope['scheme']}://{host}",
    )


async def send_answer(send: Send, outgoing: Outgoing, *headers: tuple[bytes, bytes]) -> None:
    sent = [*headers, (b"cache-control", b"no-store")]
    if outgoing.status != 204:
        sent.append((b"content-length", str(len(outgoing.body)).encode()))
    if outgoing.retry_after is not None:
        sent.append((b"retry-after", str(outgoing.retry_after).encode()))
    await send({"type": "http.response.start", "status": outgoing.status, "headers": sent})
    await send({"type": "http.response.body", "body": outgoing.body, "more_body": False})


async def lose_answer(scope: Scope, receive: Receive, fault: Fault | None, seconds: float) -> None:
    """Give no answer: at once, or after having kept the caller waiting."""
    kind = "connectionReset" if fault is None else fault.kind
    if kind in faults.HANGS and not faults.is_in_process(receive):
        await faults.hang(receive, seconds)
    faults.order_cut(scope, kind)
