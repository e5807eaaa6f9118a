"""A real browser before real processes. Without Chromium these tests say so, and are skipped."""

import os
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.async_api import Browser, async_playwright

from tests.faults.stack import Stack, running_stack
from tests.pages.visitor import Desk
from tests.places import open_place

CHROMIUM: Final = os.environ.get("KONTOR_TEST_CHROMIUM") or shutil.which("chromium")
QUIET: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
"""As root, without a screen, and without asking its maker for anything."""


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt install chromium, or name one in KONTOR_TEST_CHROMIUM")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with open_place() as place, running_stack(place) as stack:
        yield stack


class Shop(BaseHTTPRequestHandler):
    """The app's own pages, where shoppers come from and go to. On one of them a form is embedded:
    `/pay?sandbox=...&token=...`."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        text = f"<!doctype html><html lang=en><title>Shop</title><main><h1>{parts.path}</h1>"
        if parts.path == "/pay":
            asked = {name: escape(values[0]) for name, values in parse_qs(parts.query).items()}
            text += f'<script src="{asked["sandbox"]}/components/stand-in.js"></script>'
            text += f'<div data-client-access-token="{asked["token"]}"></div>'
        body = f"{text}</main>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def shop() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def desk(stack: Stack, shop: str) -> Iterator[Desk]:
    with httpx.Client(base_url=stack.facts["apiUrl"], timeout=15, trust_env=False) as http:
        yield Desk(http, stack.facts, shop)
