"""`kontor sandbox`: the stand-ins of Mollie and KOMOJU as a program of their own.

Binds the port itself, so that a taken one is one line and a free one is known before it is told.
"""

import json
import socket
import sqlite3
from pathlib import Path

import click
import uvicorn
from litestar import Litestar

from app.sandbox.server import create_sandbox

# Open connections get this long when the program is told to stop.
_STOP_WITHIN_SECONDS = 1


class _Announcing(uvicorn.Server):
    """A server that says once where it listens."""

    def __init__(self, config: uvicorn.Config, announcement: str) -> None:
        super().__init__(config)
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            click.echo(self._announcement)


@click.command(
    "sandbox",
    epilog="Example: kontor sandbox --port 0 --state .kontor/mollie.sqlite3 --json",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8001,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 picks a free one.",
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="SQLite file that keeps their worlds; without it everything is forgotten at the end.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON once it listens.")
def sandbox(host: str, port: int, state: Path | None, as_json: bool) -> None:
    """Run a Mollie and a KOMOJU that move no money: APIs, hosted payment pages, control planes.

    Mollie's API is at /v2 and its control plane at /_control; KOMOJU's are at /komoju/api/v1 and
    /komoju/_control. The addresses / and /komoju say how to use them.
    """
    app = _open(state)
    bound = _bind(host, port)
    shown_host = f"[{host}]" if ":" in host else host
    url = f"http://{shown_host}:{bound.getsockname()[1]}"
    plain = (
        f"The Mollie sandbox listens on {url}, KOMOJU's on {url}/komoju "
        "(no money moves; stop them with Ctrl-C)."
    )
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        lifespan="on",
        timeout_graceful_shutdown=_STOP_WITHIN_SECONDS,
    )
    server = _Announcing(config, json.dumps({"sandboxUrl": url}) if as_json else plain)
    try:
        server.run(sockets=[bound])
    except KeyboardInterrupt:
        return  # uvicorn has already stopped cleanly and only passes the signal on


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as problem:
        bound.close()
        reason = problem.strerror or str(problem)
        raise click.ClickException(
            f"Cannot listen on {host}:{port}: {reason}. Choose another with --port, or --port 0."
        ) from None
    bound.set_inheritable(False)
    return bound


def _open(state: Path | None) -> Litestar:
    try:
        return create_sandbox(state_path=state)
    except (sqlite3.Error, OSError) as problem:
        raise click.ClickException(
            f"Cannot use the state file {state}: {problem}. Is another sandbox using it?"
        ) from None
