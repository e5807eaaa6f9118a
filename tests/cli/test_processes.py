"""Children are kept running, and none is left behind, however we end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.processes import ChildFailed, Children, Program
from tests.waiting import eventually, is_gone

FOREVER = "import time\nprint('up', flush=True)\ntime.sleep(600)"
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FOREVER


def program(code: str, log: Path, name: str = "standin") -> Program:
    return Program(name, [sys.executable, "-c", code], dict(os.environ), log)


def says_up(log: Path) -> bool:
    return log.exists() and "up" in log.read_text()


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
def children(reports: list[str]) -> Iterator[Children]:
    with Children(reports.append) as children:
        yield children


def test_leaving_ends_all_children(tmp_path: Path):
    with Children(print) as children:
        one = children.start(program(FOREVER, tmp_path / "one.log"))
        other = children.start(program(FOREVER, tmp_path / "other.log"))
        assert one.is_running
    assert (one.is_running, other.is_running) == (False, False)
    assert one.ending == "was ended by SIGTERM"


def test_a_child_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("app.cli.processes._STOP_S", 0.2)
    with Children(print) as children:
        child = children.start(program(STUBBORN, tmp_path / "log"))
        assert eventually(lambda: says_up(tmp_path / "log"))
    assert child.ending == "was ended by SIGKILL"


def test_a_child_that_dies_is_reported_and_started_again_at_once(
    tmp_path: Path, children: Children, reports: list[str]
):
    child = children.start(program(FOREVER, tmp_path / "log"))
    first = child.pid
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: not child.is_running)

    children.revive()

    assert child.is_running
    assert child.pid != first
    assert reports == [
        f"standin (pid {first}) was ended by SIGKILL; starting it again now",
        f"standin runs again (pid {child.pid})",
    ]


def test_a_child_that_keeps_dying_is_not_started_in_a_hurry(
    tmp_path: Path, children: Children, reports: list[str]
):
    child = children.start(program("raise SystemExit(3)", tmp_path / "log"))
    for _ in range(2):
        assert eventually(lambda: not child.is_running)
        children.revive()
    assert eventually(lambda: not child.is_running)
    third = child.pid

    children.revive()
    children.revive()

    assert child.pid == third
    assert reports[-1] == f"standin (pid {third}) stopped with status 3; starting it again in 0.5 s"


def test_waiting_ends_when_the_child_answers(tmp_path: Path, children: Children):
    child = children.start(program(FOREVER, tmp_path / "log"))
    children.wait_for(child, lambda: says_up(tmp_path / "log"), within_s=15)


def test_waiting_for_a_dead_child_shows_its_last_words(tmp_path: Path, children: Children):
    child = children.start(program("raise SystemExit('no luck today')", tmp_path / "log"))
    with pytest.raises(ChildFailed, match=r"standin stopped with status 1(.|\n)*no luck today"):
        children.wait_for(child, lambda: False, within_s=15)


def test_waiting_is_bounded(tmp_path: Path, children: Children):
    child = children.start(program(FOREVER, tmp_path / "log"))
    with pytest.raises(ChildFailed, match=r"standin did not answer within 0\.1 s"):
        children.wait_for(child, lambda: False, within_s=0.1)


SUPERVISOR = """
import os, sys, time
from pathlib import Path
from app.cli.processes import Children, Program
with Children(print) as children:
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    print(children.start(Program("standin", command, dict(os.environ))).pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_killed_supervisor_leaves_no_child():
    command = [sys.executable, "-c", SUPERVISOR]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        supervisor.kill()
    assert eventually(lambda: is_gone(child))
