"""The machine's clock and randomness: the one place that reads either."""

import asyncio
import base64
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


class SystemChance:
    def draw(self, below: int) -> int:
        return secrets.randbelow(below)


class SystemJitter:
    def permille(self, within: int) -> int:
        return secrets.randbelow(2 * within + 1) - within


def webhook_secret() -> str:
    """`whsec_` and 32 random bytes, as Standard Webhooks writes secrets."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


async def pause(seconds: float) -> None:
    await asyncio.sleep(seconds)
