"""Children that do not outlive the process that started them, however that process dies.

Linux only: elsewhere there is no such request, and whoever starts again cleans up instead. The
kernel watches the THREAD that started the child, so start children from the main thread.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def dies_with_parent(signal_number: int) -> Callable[[], None] | None:
    """A `preexec_fn` for subprocess: the child gets this signal when its parent dies."""
    if sys.platform != "linux":
        return None
    # Both are fetched here: between fork and exec as little as possible may happen.
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal_number)
        # The parent may have died before the kernel was asked; then nobody would ever tell us.
        if os.getppid() != parent:
            os._exit(1)

    return ask
