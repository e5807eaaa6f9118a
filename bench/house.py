"""What is measured: PostgreSQL as careful as in production, the sandbox, and one API process.

All of it on this machine, in a directory that is gone afterwards.
"""

import asyncio
import http.client
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import msgspec
from msgspec.structs import asdict

from app.cli.demo import seed
from app.cli.dev_directory import DevDirectory, choose_ports, ephemeral
from app.cli.processes import Child, Children, Program
from app.settings import PREFIX, Settings
from bench.request import PRODUCTS, Facts, checkout, new_product
from infrastructure.embedded_postgres import DEV, EmbeddedPostgres
from infrastructure.postgres.migrate import upgrade

PRODUCTION_LIKE: Final = {
    **DEV,
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",  # or a checkpoint would fall into this round or that
}
_ANSWER_S: Final = 30


@dataclass(frozen=True)
class House:
    settings: Settings
    facts: Facts
    directory: Path
    postgres_pid: int
    api_pid: int
    sandbox_pid: int


@contextmanager
def open_house() -> Iterator[House]:
    """From the main thread: everything ends with it."""
    port, sandbox_port = choose_ports(0, 0)
    with (
        ephemeral() as directory,
        EmbeddedPostgres(directory.postgres, PRODUCTION_LIKE) as postgres,
        Children(_complain) as children,
    ):
        settings = _settings(directory, postgres.url, port, sandbox_port)
        sandbox = _start(children, "sandbox", directory.path, settings, sandbox_port)
        asyncio.run(upgrade(postgres.url))
        children.wait_for(sandbox, lambda: _answers(sandbox_port, "/_control/payments"), _ANSWER_S)
        seeding = seed(postgres.url, settings.mollie_url, settings.public_url, directory.path)
        facts = msgspec.convert(asyncio.run(seeding), Facts)
        api = _start(children, "serve", directory.path, settings, port)
        children.wait_for(api, lambda: _answers(port, "/readyz"), _ANSWER_S)
        _stock(settings, facts)
        yield House(settings, facts, directory.path, postgres.pid, api.pid, sandbox.pid)


def _settings(directory: DevDirectory, database_url: str, port: int, sandbox_port: int) -> Settings:
    return Settings(
        database_url=database_url,
        public_url=f"http://127.0.0.1:{port}",
        mollie_url=f"http://127.0.0.1:{sandbox_port}",
        provider_calls_per_s=10_000,
        secret_key=directory.secret_key(),
        port=port,
    )


def _start(children: Children, verb: str, directory: Path, settings: Settings, port: int) -> Child:
    log = directory / f"{verb}.log"
    return children.start(_program(verb, settings, log, "--port", str(port)))


def _program(verb: str, settings: Settings, log: Path, *arguments: str) -> Program:
    ours = {PREFIX + name.upper(): str(value) for name, value in asdict(settings).items()}
    command = [sys.executable, "-P", "-m", "app.cli.main", verb, *arguments]
    return Program(verb, command, {**os.environ, **ours}, log)


@contextmanager
def workers(house: House, count: int) -> Iterator[list[int]]:
    """So many, of whom each is a process; their pids."""
    with Children(_complain) as children:
        started = [
            children.start(
                _program("worker", house.settings, house.directory / f"worker-{number}.log")
            )
            for number in range(count)
        ]
        yield [worker.pid for worker in started]
        children.must_all_run()


def _stock(settings: Settings, facts: Facts) -> None:
    """Fill the first page of the list, and buy once: from then on the customer exists."""
    products = [new_product(facts)] * PRODUCTS
    with httpx.Client(base_url=settings.public_url, trust_env=False) as client:
        for number, request in enumerate([*products, checkout(facts, has_key=True)]):
            mark = f"stock-{number}"
            client.post(
                request.path, headers=request.headers_for(mark), content=request.body_for(mark)
            ).raise_for_status()


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _complain(line: str) -> None:
    print(f"bench: {line}", file=sys.stderr)
