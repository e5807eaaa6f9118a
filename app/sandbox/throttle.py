"""A limit on the calls of one key, when `callsPerSecond` asks for one. In real time, not the
sandbox's: it is there to see how a caller behaves who is told to slow down."""

import math
import time
from collections.abc import Callable


class Throttle:
    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._left: dict[str, tuple[float, float]] = {}  # key -> calls left, counted at

    def wait(self, key: str, per_second: float) -> int | None:
        """None: go on. Otherwise how many seconds to stay away."""
        if per_second <= 0:
            return None
        now, most = self._now(), max(1.0, per_second)
        left, at = self._left.get(key, (most, now))
        left = min(most, left + (now - at) * per_second)
        is_free = left >= 1.0
        self._left[key] = (left - 1.0 if is_free else left, now)
        return None if is_free else math.ceil((1.0 - left) / per_second)
