"""Bare charges: what a provider call costs when nothing is around it. An errand for renewals.py.

The request is a real attempt's, without what would make the sandbox tell our API of it.
"""

import asyncio
import json
import time
from typing import Any, Final

import httpx
from msgspec import Struct

from bench.errand import Errand, serve_errands
from infrastructure.system import SystemIds

OURS: Final = frozenset({"webhookUrl", "metadata"})


class Spent(Struct, frozen=True):
    count: int
    seconds: float


class BareCharges(Errand, frozen=True, kw_only=True):
    provider_url: str
    credential: str
    request: str
    """The bytes of an attempt, which are JSON."""
    count: int
    at_once: int

    async def run(self) -> Spent:
        asked: dict[str, Any] = json.loads(self.request)
        body = json.dumps({name: asked[name] for name in asked.keys() - OURS}).encode()
        headers = {
            "Authorization": f"Bearer {self.credential}",
            "Content-Type": "application/json",
        }
        ids, numbers = SystemIds(), iter(range(self.count))
        limits = httpx.Limits(max_connections=self.at_once)
        async with httpx.AsyncClient(
            base_url=self.provider_url, headers=headers, limits=limits, trust_env=False
        ) as client:

            async def charge() -> None:
                for _ in numbers:
                    key = {"Idempotency-Key": str(ids.new())}
                    answer = await client.post("/v2/payments", content=body, headers=key)
                    assert answer.status_code == 201, answer.text

            began = time.monotonic()
            async with asyncio.TaskGroup() as group:
                for _ in range(self.at_once):
                    group.create_task(charge())
            return Spent(self.count, time.monotonic() - began)


if __name__ == "__main__":
    serve_errands(BareCharges)
