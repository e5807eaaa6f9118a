"""One key, one effect, one answer.

A key belongs to an app, a caller and an operation. The first request with it claims it; its
answer is kept and given again to the same request. A crashed request's claim lapses with its
lease, and the next request with the key carries on.
"""

from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from msgspec import Struct

from domain.kernel.errors import KeyReused

KEY_KEPT: Final = timedelta(days=30)


class RequestKey(Struct, frozen=True, kw_only=True):
    caller: str
    """Who asks: `user:<uuid>` or `key:<uuid>`."""
    operation: str
    """The route's operation id."""
    key: str
    fingerprint: bytes
    """SHA-256 of method, path and canonical body."""


class Answer(Struct, frozen=True):
    """What was sent, byte for byte."""

    status: int
    body: bytes


class Claim(Struct, frozen=True, kw_only=True):
    """What is on record under a key."""

    fingerprint: bytes
    answer: Answer | None
    lease_until: datetime
    expires_at: datetime
    subject_uuid: UUID | None = None
    """The row that the unfinished request was making; a retry resumes it."""


def need_same(held: Claim, key: RequestKey) -> None:
    """Raises KeyReused when the key was used with another request."""
    if held.fingerprint != key.fingerprint:
        raise KeyReused("this Idempotency-Key was used with another request")


class IdempotencyKeys(Protocol):
    async def claim(
        self, key: RequestKey, *, now: datetime, until: datetime, expires_at: datetime
    ) -> Claim | None:
        """None: the key is now ours. Otherwise what stands under it.

        Waits for a transaction that is claiming the same key, at most the lock timeout;
        raises StillRunning after that.
        """
        ...

    async def peek(self, key: RequestKey) -> Claim | None:
        """What stands under it, if anything does."""
        ...

    async def renew(self, key: RequestKey, *, now: datetime, until: datetime) -> bool:
        """Take over an unfinished claim whose lease is over. False: it is not ours to take."""
        ...

    async def note_subject(self, key: RequestKey, subject_uuid: UUID) -> None:
        """The row that the request under the key is making."""
        ...

    async def finish(self, key: RequestKey, answer: Answer) -> Answer:
        """Keep the answer, unless one is kept already. Returns the one that stands."""
        ...

    async def release(self, key: RequestKey, *, at: datetime) -> None:
        """End the lease of an unfinished claim: the next request with the key carries on."""
        ...

    async def forget_expired(self, *, now: datetime) -> None: ...


async def keep(keys: IdempotencyKeys, key: RequestKey, answer: Answer, *, now: datetime) -> None:
    """Answer a key for good, unless somebody else has taken it. For answers that no work goes
    with: the claim has no lease to hold."""
    if await keys.claim(key, now=now, until=now, expires_at=now + KEY_KEPT) is None:
        await keys.finish(key, answer)
