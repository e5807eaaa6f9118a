"""What a caller hears when too much is being asked of an account at a provider: when to come again.

The handlers alone, without the rest of the API.
"""

from typing import Final

import httpx
import pytest
from litestar import Litestar, get
from litestar.params import FromPath

from app.http.errors import domain_error
from domain.kernel.errors import DomainError, ProviderBusy, ProviderUnavailable, RefundTooSoon

ERRORS: Final = {
    "busy": ProviderBusy("too many calls for this account", retry_after_s=42),
    "away": ProviderUnavailable("it did not answer"),
    "soon": RefundTooSoon("the same refund was made within the hour"),
}


@get("/{name:str}")
async def fails(name: FromPath[str]) -> None:
    raise ERRORS[name]


@pytest.mark.parametrize(("name", "wait_s"), [("busy", "42"), ("away", "2"), ("soon", "2")])
async def test_a_503_says_when_to_come_again(name: str, wait_s: str):
    api = Litestar([fails], exception_handlers={DomainError: domain_error}, openapi_config=None)
    transport = httpx.ASGITransport(app=api)  # type: ignore[arg-type]  # Litestar is
    async with httpx.AsyncClient(transport=transport, base_url="http://kontor.test") as caller:
        answer = await caller.get(f"/{name}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, wait_s)
    assert answer.json()["errors"][0]["code"] == "[E5030]"
