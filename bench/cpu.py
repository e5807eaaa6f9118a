"""CPU time of processes, as the kernel accounts for it (Linux; steps of 10 ms).

PostgreSQL is many processes: those that live are added up, and those that have ended meanwhile are
in the account of the postmaster, which has waited for them.
"""

import os
from pathlib import Path
from typing import Final

from msgspec import Struct

_MS_PER_TICK: Final = 1000 / os.sysconf("SC_CLK_TCK")


class _Stat(Struct, frozen=True):
    parent: int
    own_ms: float
    reaped_ms: float


def process_ms(pid: int) -> float:
    """User and system time that the process has used so far."""
    return _stat(pid).own_ms


def family_ms(pid: int) -> float:
    """The same of a process and all its children, the ended ones too."""
    first = _stat(pid)
    return first.own_ms + first.reaped_ms + sum(stat.own_ms for stat in _children(pid))


def _children(pid: int) -> list[_Stat]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = _stat(int(entry.name))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended between the two looks
        if stat.parent == pid:
            found.append(stat)
    return found


def _stat(pid: int) -> _Stat:
    # The name in brackets may hold anything; the numbers begin after the last bracket.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    parent, (user, system, reaped_user, reaped_system) = fields[1], fields[11:15]
    own, reaped = int(user) + int(system), int(reaped_user) + int(reaped_system)
    return _Stat(int(parent), own * _MS_PER_TICK, reaped * _MS_PER_TICK)
