"""One set of processes for a test run (one for each of pytest-xdist's workers), and its tools."""

from collections.abc import Iterator

import httpx
import pytest

from tests.faults.books import Books
from tests.faults.mollie import Mollie
from tests.faults.shop import Shop
from tests.faults.stack import Stack, running_stack
from tests.places import open_place

# The slowest answer that a caller is promised, and a little for a busy machine.
PATIENCE_S = 12
# The API closes a connection that rests for five seconds; ours must be given up earlier.
BRIEF = httpx.Limits(keepalive_expiry=2)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with open_place() as place, running_stack(place) as stack:
        yield stack


@pytest.fixture(scope="session")
def http(stack: Stack) -> Iterator[httpx.Client]:
    address = stack.facts["apiUrl"]
    with httpx.Client(base_url=address, timeout=PATIENCE_S, limits=BRIEF) as client:
        yield client


@pytest.fixture(scope="session")
def _bank(stack: Stack) -> Iterator[Mollie]:
    facts = stack.facts
    with httpx.Client(base_url=facts["sandboxUrl"], timeout=PATIENCE_S, limits=BRIEF) as client:
        yield Mollie(client, facts["mollieApiKey"], facts["appUuid"])


@pytest.fixture
def mollie(_bank: Mollie) -> Iterator[Mollie]:
    """The sandbox; its faults, webhooks and settings are everybody's, so they are put back."""
    yield _bank
    _bank.behave()


@pytest.fixture
def shop(stack: Stack, http: httpx.Client, mollie: Mollie, request: pytest.FixtureRequest) -> Shop:
    """A tenant for this test alone."""
    return Shop(stack, http, mollie, request.node.name[:100])


@pytest.fixture(scope="session")
def _accounts(stack: Stack, http: httpx.Client, _bank: Mollie) -> Iterator[Books]:
    accounts = Books(stack, http, _bank)
    yield accounts
    accounts.reopen()
    assert accounts.differences_in_the_end() == []


@pytest.fixture(scope="module")
def books(_accounts: Books) -> Iterator[None]:
    """Compared after the file: nothing is lost or there twice, every cent is accounted for."""
    yield
    assert _accounts.differences_in_the_end() == []
    _accounts.close()
