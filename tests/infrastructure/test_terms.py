"""Terms are hashed as they are read at that moment, and not waited for."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from infrastructure.terms import BYTES_MAX, HttpTermsReader
from tests.infrastructure.scripted_server import answer, scripted_server

TERMS = b"<h1>Terms</h1> Be kind. \xf0\x9f\x98\x80"


@asynccontextmanager
async def a_reader(**said: Any) -> AsyncIterator[HttpTermsReader]:
    reader = HttpTermsReader(**{"near": True, "within_s": 2.0, **said})
    async with reader.open():
        yield reader


async def test_the_hash_is_of_the_bytes_that_were_sent():
    async with scripted_server(answer(200, TERMS)) as server, a_reader() as reader:
        assert await reader.sha256(server.url) == hashlib.sha256(TERMS).hexdigest()
    assert b"accept-encoding: identity" in server.requests[0].lower()


async def test_a_redirect_is_followed_to_what_it_leads_to():
    async with scripted_server(answer(200, TERMS)) as there:
        moved = answer(301, b"", f"Location: {there.url}/terms")
        async with scripted_server(moved) as here, a_reader() as reader:
            assert await reader.sha256(here.url) == hashlib.sha256(TERMS).hexdigest()


async def test_redirects_in_a_circle_come_to_an_end():
    async with scripted_server(answer(302, b"", "Location: /")) as server, a_reader() as reader:
        assert await reader.sha256(server.url) is None
    assert len(server.requests) == 4


@pytest.mark.parametrize("status", [204, 401, 404, 500])
async def test_what_is_no_page_has_no_hash(status: int):
    async with scripted_server(answer(status, TERMS)) as server, a_reader() as reader:
        assert await reader.sha256(server.url) is None


async def test_what_is_longer_than_any_terms_has_no_hash():
    endless = answer(200, b"x" * (BYTES_MAX + 1))
    async with scripted_server(endless) as server, a_reader() as reader:
        assert await reader.sha256(server.url) is None


async def test_whoever_does_not_answer_is_not_waited_for():
    async def silent(_: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with scripted_server(silent) as server, a_reader(within_s=0.05) as reader:
        assert await reader.sha256(server.url) is None


async def test_nobody_there_is_no_error():
    async with scripted_server(answer(200, TERMS)) as server:
        pass
    async with a_reader() as reader:
        assert await reader.sha256(server.url) is None


@pytest.mark.parametrize("url", ["http://a b", "ftp://x.example", "https://[", "", "javascript:1"])
async def test_nonsense_is_not_asked_for(url: str):
    async with a_reader() as reader:
        assert await reader.sha256(url) is None


async def test_private_addresses_are_not_reached_also_by_a_redirect():
    async with scripted_server(answer(200, TERMS)) as server, a_reader(near=False) as reader:
        assert await reader.sha256(server.url) is None
    assert server.requests == []


async def test_who_asks_again_within_a_minute_hears_the_same_and_nobody_else_is_asked():
    async with scripted_server(answer(200, TERMS)) as server, a_reader() as reader:
        asked = [reader.sha256(server.url) for _ in range(20)]
        assert set(await asyncio.gather(*asked)) == {hashlib.sha256(TERMS).hexdigest()}
        assert await reader.sha256(server.url) == hashlib.sha256(TERMS).hexdigest()
    assert len(server.requests) == 1


async def test_whoever_goes_away_takes_the_answer_from_nobody():
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow(writer: asyncio.StreamWriter) -> None:
        started.set()
        await go_on.wait()
        await answer(200, TERMS)(writer)

    async with scripted_server(slow) as server, a_reader() as reader:
        leaves = asyncio.create_task(reader.sha256(server.url))
        await started.wait()
        stays = asyncio.create_task(reader.sha256(server.url))
        leaves.cancel()
        go_on.set()
        assert await stays == hashlib.sha256(TERMS).hexdigest()


async def test_a_place_within_the_terms_is_not_sent():
    async with scripted_server(answer(200, TERMS)) as server, a_reader() as reader:
        assert await reader.sha256(f"{server.url}/terms#refunds") is not None
    assert server.requests[0].startswith(b"GET /terms HTTP/1.1")
