"""What `kontor dev` needs before it starts: a directory for itself, a key, two ports."""

import socket
from pathlib import Path

import pytest

from app.cli.dev_directory import Unusable, choose_ports, ephemeral, opened


def test_a_directory_serves_one_at_a_time(tmp_path: Path):
    with opened(tmp_path / "here"):
        with pytest.raises(Unusable, match="another `kontor dev` already uses"):
            opened(tmp_path / "here").__enter__()
        with opened(tmp_path / "elsewhere"):
            pass
    with opened(tmp_path / "here"):
        pass


def test_the_key_stays_the_same_and_private(tmp_path: Path):
    with opened(tmp_path / "here") as directory:
        key = directory.secret_key()
    with opened(tmp_path / "here") as directory:
        assert directory.secret_key() == key
        assert (directory.path / "secret.key").stat().st_mode & 0o077 == 0
    assert key.startswith("1:")


def test_an_ephemeral_directory_is_gone_afterwards():
    with ephemeral() as directory:
        (directory.path / "something").write_text("left")
    assert not directory.path.exists()


def test_a_taken_port_is_named_together_with_the_way_out():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unusable, match=f"port {port} .* choose another with --sandbox-port N"):
            choose_ports(0, port)


def test_free_ports_differ():
    port, sandbox_port = choose_ports(0, 0)
    assert 0 not in (port, sandbox_port)
    assert port != sandbox_port


def test_the_same_port_cannot_be_used_twice():
    with pytest.raises(Unusable, match="both 4711"):
        choose_ports(4711, 4711)
