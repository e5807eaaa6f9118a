"""A real browser before real processes. Without Chromium these tests say so, and are skipped."""

import os
import shutil
from collections.abc import Iterator
from typing import Final

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

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
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt install chromium, or name one in KONTOR_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with open_place() as place, running_stack(place) as stack:
        yield stack


@pytest.fixture(scope="session")
def desk(stack: Stack) -> Iterator[Desk]:
    with httpx.Client(base_url=stack.facts["apiUrl"], timeout=15, trust_env=False) as http:
        yield Desk(http, stack.facts)
