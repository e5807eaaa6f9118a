"""Waiting for other processes: on a condition and bounded, never for a fixed time."""

import os
import time
from collections.abc import Callable
from pathlib import Path


def eventually(holds: Callable[[], bool], within_s: float = 30) -> bool:
    """Whether it came to hold in time: `assert eventually(lambda: ...)`."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_gone(pid: int) -> bool:
    """Whether this process runs no more. A zombie only waits for whoever adopted it."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat").read_text()
    except ProcessLookupError:
        return True
    except FileNotFoundError:  # no /proc here; or it has gone just now, as the next look will say
        return False
    return stat.rpartition(")")[2].split()[0] == "Z"
