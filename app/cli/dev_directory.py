"""What `kontor dev` finds or makes before anything runs: its directory, its key, its ports."""

import base64
import contextlib
import fcntl
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infrastructure.embedded_postgres import cluster_of


class Unusable(Exception):
    """The directory or a port cannot be used. The message says what to do."""


@dataclass(frozen=True)
class DevDirectory:
    """The names inside of a data directory."""

    path: Path

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def sandbox_state(self) -> Path:
        return self.path / "sandbox.sqlite"

    def log_of(self, name: str) -> Path:
        logs = self.path / "logs"
        logs.mkdir(exist_ok=True)
        return logs / f"{name}.log"

    def secret_key(self) -> str:
        """What seals credentials in this directory's database; made once."""
        file = self.path / "secret.key"
        if not file.exists():
            unfinished = file.with_suffix(".new")
            unfinished.touch(mode=0o600)
            key = base64.b64encode(secrets.token_bytes(32)).decode()
            unfinished.write_text(f"1:{key}\n")
            unfinished.rename(file)
        return file.read_text().strip()


@contextlib.contextmanager
def opened(path: Path) -> Iterator[DevDirectory]:
    """The data directory, for us alone. What is in it stays there."""
    if not path.exists():
        path.mkdir(parents=True)
        # Run by root, PostgreSQL works as `nobody` and must get through; nobody needs to look.
        path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    try:
        lock = (path / "lock").open("w")
    except OSError as error:
        raise Unusable(f"the data directory {path} cannot be used: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unusable(
                f"another `kontor dev` already uses {path}: stop it, or choose another directory "
                "with --data-dir DIR, or --ephemeral"
            ) from None
        yield DevDirectory(path.absolute())


@contextlib.contextmanager
def ephemeral() -> Iterator[DevDirectory]:
    """A fresh data directory that is gone afterwards, wherever PostgreSQL had to keep its part."""
    path = Path(tempfile.mkdtemp(prefix="kontor-dev-"))
    try:
        path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        with opened(path) as directory:
            yield directory
    finally:
        shutil.rmtree(cluster_of(path / "postgres"), ignore_errors=True)
        shutil.rmtree(path, ignore_errors=True)


def choose_ports(port: int, sandbox_port: int) -> tuple[int, int]:
    """The two ports, 0 replaced by free ones; raises Unusable for a taken one."""
    if port == sandbox_port != 0:
        raise Unusable(f"--port and --sandbox-port are both {port}: choose another for one of them")
    # Both are held until both are known, so that they differ.
    with _bound(port, "--port") as api, _bound(sandbox_port, "--sandbox-port") as sandbox:
        return api.getsockname()[1], sandbox.getsockname()[1]


def _bound(port: int, option: str) -> socket.socket:
    probe = socket.socket()
    # As a server does: connections of a server that has just ended do not count.
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", port))
    except OSError as error:
        probe.close()
        raise Unusable(
            f"port {port} cannot be used ({os.strerror(error.errno or 0)}): choose another with "
            f"{option} N, or let {option} 0 pick a free one"
        ) from None
    return probe
