"""`kontor dev`: everything on this machine, in one command, with a demo to click through.

For development only: the demo's tokens and keys are printed. What it starts ends with it.
"""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import asyncpg
import click
import httpx

from app.cli.demo import seed
from app.cli.dev_directory import DevDirectory, Unusable, choose_ports, ephemeral, opened
from app.cli.dev_screen import screen
from app.cli.processes import Child, ChildFailed, Children, Program
from infrastructure.embedded_postgres import EmbeddedPostgres, PostgresFailed, PostgresMissing
from infrastructure.postgres.migrate import upgrade

_CONNECT_ID: Final = "app_kontordev"
_CONNECT_SECRET: Final = "a-secret-of-the-sandbox"
_ANSWER_S: Final = 60  # a cold start on a busy machine; normally two seconds
_LOOK_S: Final = 0.1


class Stopped(BaseException):
    """Somebody asked us to end. Not an error, and nothing on the way may swallow it."""


@dataclass(frozen=True)
class Options:
    port: int
    sandbox_port: int
    data_dir: Path | None
    ephemeral: bool
    database_url: str | None
    as_json: bool


@click.command("dev", epilog="Example: kontor dev --port 0 --sandbox-port 0 --ephemeral")
@click.option("--port", default=8000, show_default=True, help="The API's port; 0 picks a free one.")
@click.option("--sandbox-port", default=8001, show_default=True, help="The sandbox's; 0 likewise.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything is kept between starts.  [default: .kontor]",
)
@click.option("--ephemeral", is_flag=True, help="A fresh data directory, removed on exit.")
@click.option("--database-url", help="Use this PostgreSQL instead of an embedded one.")
@click.option(
    "--json", "as_json", is_flag=True, help="One line of JSON once everything answers; logs apart."
)
def dev(**given: Any) -> None:
    """Run PostgreSQL, API, worker and sandbox here, with demo data."""
    options = Options(**given)
    if options.ephemeral and options.data_dir:
        raise click.UsageError("--ephemeral makes a directory of its own: leave out --data-dir")
    try:
        with _stoppable():
            _run(options)
    except Stopped:
        _say("stopped")
    except (Unusable, PostgresFailed, PostgresMissing, ChildFailed) as error:
        raise click.ClickException(str(error)) from None


def _run(options: Options) -> NoReturn:
    ports = choose_ports(options.port, options.sandbox_port)
    place = ephemeral() if options.ephemeral else opened(options.data_dir or Path(".kontor"))
    with contextlib.ExitStack() as resources:
        directory = resources.enter_context(place)
        server = None
        if not (database_url := options.database_url):
            _say("starting PostgreSQL")
            server = resources.enter_context(EmbeddedPostgres(directory.postgres))
            database_url = server.url
        children = resources.enter_context(Children(_say))
        house = House(directory, database_url, ports, children, log_to_files=not options.as_json)
        facts = house.open()
        pids = {**house.pids, "postgres": server.pid if server else None}
        if options.as_json:
            click.echo(json.dumps({**facts, "pids": pids}))
        else:
            click.echo(screen(facts, directory.path / "logs"))
        sys.stdout.flush()
        _keep(children, server)


class House:
    """The three programs, what they are told, and the order in which they start."""

    def __init__(
        self,
        directory: DevDirectory,
        database_url: str,
        ports: tuple[int, int],
        children: Children,
        log_to_files: bool,
    ) -> None:
        self._directory, self._database_url = directory, database_url
        self._port, self._sandbox_port = ports
        self._children, self._log_to_files = children, log_to_files
        self._api_url = f"http://127.0.0.1:{self._port}"
        self._sandbox_url = f"http://127.0.0.1:{self._sandbox_port}"
        # There is no page to finish on: code and state stand in the address bar, to be pasted.
        self._came_back_url = f"{self._api_url}/docs"
        self.pids: dict[str, int] = {}

    def open(self) -> dict[str, Any]:
        """Start everything and wait until it answers. Returns what the demo consists of."""
        state = str(self._directory.sandbox_state)
        sandbox = self._start("sandbox", "--port", str(self._sandbox_port), "--state", state)
        _say("bringing the database up to date")
        asyncio.run(_migrate(self._database_url))
        # Both wait for nothing but the schema, so they start while the demo is made.
        api = self._start("api", "--host", "127.0.0.1", "--port", str(self._port), verb="serve")
        self._start("worker")
        self._wait_for(sandbox, f"{self._sandbox_url}/_control/payments")
        asyncio.run(_register(self._sandbox_url, self._came_back_url))
        seeding = seed(self._database_url, self._sandbox_url, self._api_url, self._directory.path)
        demo = asyncio.run(seeding)
        self._wait_for(api, f"{self._api_url}/readyz")
        self._children.must_all_run()
        return {
            "apiUrl": self._api_url,
            "sandboxUrl": self._sandbox_url,
            "databaseUrl": self._database_url,
            **demo,
        }

    def _start(self, name: str, *arguments: str, verb: str | None = None) -> Child:
        # -P: the folder that we are called from may have an `app` of its own.
        command = [sys.executable, "-P", "-m", "app.cli.main", verb or name, *arguments]
        log = self._directory.log_of(name) if self._log_to_files else None
        child = self._children.start(Program(name, command, self._environment(), log))
        self.pids[name] = child.pid
        return child

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "KONTOR_DATABASE_URL": self._database_url,
            "KONTOR_PUBLIC_URL": self._api_url,
            "KONTOR_MOLLIE_URL": self._sandbox_url,
            "KONTOR_MOLLIE_CONNECT_CLIENT_ID": _CONNECT_ID,
            "KONTOR_MOLLIE_CONNECT_CLIENT_SECRET": _CONNECT_SECRET,
            "KONTOR_MOLLIE_CONNECT_REDIRECT_URL": self._came_back_url,
            "KONTOR_MOLLIE_CONNECT_AUTHORIZE_URL": f"{self._sandbox_url}/oauth2/authorize",
            "KONTOR_KOMOJU_URL": f"{self._sandbox_url}/komoju",
            "KONTOR_SECRET_KEY": self._directory.secret_key(),
            "KONTOR_HOST": "127.0.0.1",
            "KONTOR_PORT": str(self._port),
            "KONTOR_IS_DEV": "1",
            "KONTOR_WEBHOOK_TARGETS_PRIVATE": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def _wait_for(self, child: Child, address: str) -> None:
        self._children.wait_for(child, lambda: _answers(address), _ANSWER_S)


def _keep(children: Children, server: EmbeddedPostgres | None) -> NoReturn:
    while True:
        if server is not None and not server.is_running:
            _say(f"postgres (pid {server.pid}) ended; starting it again")
            server.start()
            _say(f"postgres runs again (pid {server.pid})")
        children.revive()
        time.sleep(_LOOK_S)


async def _migrate(database_url: str) -> None:
    try:
        connection = await asyncpg.connect(database_url, timeout=10)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unusable(f"the database cannot be reached: {error}") from None
    await connection.close()
    await upgrade(database_url)


async def _register(sandbox_url: str, came_back_url: str) -> None:
    """The app that merchants of the sandbox let in. Again at each start: ports change."""
    said = {
        "clientId": _CONNECT_ID,
        "clientSecret": _CONNECT_SECRET,
        "redirectUri": came_back_url,
    }
    async with httpx.AsyncClient(base_url=sandbox_url, trust_env=False) as client:
        answer = await client.post("/_control/oauth/clients", json=said)
    if not answer.is_success:
        raise Unusable(f"the sandbox did not take our app: {answer.text}")


def _answers(address: str) -> bool:
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.netloc, timeout=2)
    try:
        connection.request("GET", place.path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Turn the signals that end a program into Stopped, once; then nothing disturbs the ending."""
    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # it is, under nohup
        signals.append(signal.SIGHUP)

    def stop(*_: object) -> NoReturn:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(line: str) -> None:
    click.echo(f"kontor: {line}", err=True)
