"""How fast an account at a provider may be called: a token bucket for each, in this process.

Its rate is halved when the provider says that it is too much (429), and comes back with successes.
Waits a moment when that will do, and refuses at once when it will not: nobody queues for long.
It knows no provider, and nothing of other processes.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.kernel.errors import ProviderBusy

CALLS_PER_S: Final = 20.0
PATIENCE_S: Final = 1.0
"""A call that would have to wait for longer is refused."""
SLOWEST_PER_S: Final = 1.0
RESTORED: Final = 0.5
"""Calls a second that an account wins back with every second of calls that went well."""


@dataclass(slots=True)
class Bucket:
    rate: float
    tokens: float
    at_s: float
    """Counted up to here. In the future: the provider wants to be left alone until then."""

    def fill(self, now_s: float) -> None:
        if now_s > self.at_s:
            filled = self.tokens + (now_s - self.at_s) * self.rate
            self.tokens, self.at_s = min(filled, max(self.rate, 1.0)), now_s

    def wait_s(self, now_s: float) -> float:
        self.fill(now_s)
        return max(0.0, self.at_s - now_s) + max(0.0, 1.0 - self.tokens) / self.rate


class RateBudget:
    """`now` and `pause` are for tests."""

    def __init__(
        self,
        calls_per_s: float = CALLS_PER_S,
        *,
        now: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        assert calls_per_s >= SLOWEST_PER_S, calls_per_s
        self._fastest, self._now, self._pause = calls_per_s, now, pause
        self._buckets: dict[UUID, Bucket] = {}

    def wait_s(self, account_uuid: UUID) -> float:
        """Seconds until a call could go out; 0: now."""
        bucket = self._buckets.get(account_uuid)
        return 0.0 if bucket is None else bucket.wait_s(self._now())

    async def take(self, account_uuid: UUID) -> None:
        """Before every call. Raises ProviderBusy when it is not to be made."""
        bucket = self._bucket(account_uuid)
        wait_s = bucket.wait_s(self._now())
        if wait_s > PATIENCE_S:
            raise _busy(wait_s)
        bucket.tokens -= 1.0  # below zero: those who come later wait for longer
        if wait_s > 0:
            await self._pause(wait_s)
            # While this one slept, another heard that it is too much.
            if (closed_s := bucket.at_s - self._now()) > 0:
                bucket.tokens += 1.0
                raise _busy(closed_s)

    def went_well(self, account_uuid: UUID) -> None:
        bucket = self._bucket(account_uuid)
        bucket.rate = min(self._fastest, bucket.rate + RESTORED / bucket.rate)

    def was_too_much(self, account_uuid: UUID, *, retry_after_s: int) -> None:
        """The provider said so. Calls that were already out when it first did count as one."""
        bucket, now_s = self._bucket(account_uuid), self._now()
        bucket.fill(now_s)
        if bucket.at_s <= now_s:
            bucket.rate = max(SLOWEST_PER_S, bucket.rate / 2)
            bucket.tokens = min(bucket.tokens, 1.0)
        bucket.at_s = max(bucket.at_s, now_s + retry_after_s)

    def _bucket(self, account_uuid: UUID) -> Bucket:
        if (bucket := self._buckets.get(account_uuid)) is None:
            bucket = Bucket(self._fastest, self._fastest, self._now())
            self._buckets[account_uuid] = bucket
        return bucket


def _busy(wait_s: float) -> ProviderBusy:
    return ProviderBusy(
        "too many calls to the payment provider for this account: try again later",
        retry_after_s=math.ceil(wait_s),
    )
