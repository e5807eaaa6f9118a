"""The machine's clock and randomness: the one place that reads either."""

import asyncio
import secrets
from datetime import UTC, datetime
from uuid import UUID

import uuid_utils.compat


class SystemClock:
    def now(self) -> datetime:
        """To the millisecond, so that what is answered equals what is stored."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


class SystemIds:
    def new(self) -> UUID:
        return uuid_utils.compat.uuid7()

    def secret(self) -> str:
        return secrets.token_urlsafe(24)  # 192 bits


async def pause(seconds: float) -> None:
    await asyncio.sleep(seconds)
