"""Fixtures that every test may use, and the run's PostgreSQL (tests/database.py says which)."""

import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from hypothesis import settings

from tests.database import Cleaner, Databases, choose, serving

# The same examples in every run: a failure is somebody's change, never bad luck.
settings.register_profile("kontor", derandomize=True, deadline=None, database=None)
settings.load_profile("kontor")


class RunsDatabases:
    """Starts the run's server when it is first needed. Workers are told; they start nothing."""

    def __init__(self, config: pytest.Config) -> None:
        self._resources = contextlib.ExitStack()
        told: dict[str, Any] = getattr(config, "workerinput", {})
        self._databases = Databases(*told["kontor_databases"]) if told else None
        if not told:
            self._kind = choose()
            print(f"PostgreSQL for tests: {self._kind}", flush=True)

    @property
    def databases(self) -> Databases:
        if self._databases is None:
            self._databases = self._resources.enter_context(serving(self._kind))
        return self._databases

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """pytest-xdist is about to start a worker."""
        node.workerinput["kontor_databases"] = self.databases.server_url, self.databases.run

    def pytest_unconfigure(self) -> None:
        self._resources.close()


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(RunsDatabases(config), "kontor-databases")


@pytest.fixture(scope="session")
def databases(pytestconfig: pytest.Config) -> Databases:
    plugin = pytestconfig.pluginmanager.get_plugin("kontor-databases")
    assert isinstance(plugin, RunsDatabases)
    return plugin.databases


@pytest.fixture(scope="session")
async def database_url(databases: Databases) -> str:
    """The owner's URL of this process's own migrated database, shared by all its tests."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return await databases.create(f"{databases.run}_{worker}", databases.template)


@pytest.fixture(scope="session")
async def _cleaner(database_url: str) -> AsyncIterator[Cleaner]:
    connection = await asyncpg.connect(database_url)
    try:
        yield Cleaner(connection)
    finally:
        await connection.close()


@pytest.fixture
async def clean_database(database_url: str, _cleaner: Cleaner) -> AsyncIterator[str]:
    """`database_url`, with nothing but the migrations' own rows, and emptied afterwards."""
    yield database_url
    await _cleaner.clean()


@pytest.fixture
async def empty_database_url(databases: Databases) -> AsyncIterator[str]:
    """A fresh database without any table, dropped afterwards."""
    name = f"{databases.run}_{secrets.token_hex(4)}"
    yield await databases.create(name)
    await databases.drop(name)
