"""Reading Mollie's lists: page by page, back to a moment, and never anywhere else."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import httpx
import pytest

from domain.kernel.errors import ProviderUnavailable, ProviderUnreadable
from domain.payments.answers import ProviderPayment
from domain.payments.payment_provider import PaymentProvider
from infrastructure.budget import RateBudget
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.listing import AUDIT_PAGES_MAX, PAGES_MAX
from infrastructure.mollie.provider import connect
from tests.contract.stages import an_account
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds
from tests.fakes.vault import FakeVault

IDS: Final = FakeIds(series=3)
OURS: Final = IDS.new()
HOST: Final = "mollie.test"
A_SECOND: Final = timedelta(seconds=1)
Answer = Callable[[httpx.Request], dict[str, Any]]


def payment(number: int, attempt: UUID | None = None, **changes: Any) -> dict[str, Any]:
    """The one with the number 0 was made at noon, each further one a second earlier."""
    return {
        "id": f"tr_{number}",
        "mode": "test",
        "status": "open",
        "createdAt": (NOON - timedelta(seconds=number)).isoformat(),
        "amount": {"currency": "EUR", "value": "1.00"},
        "sequenceType": "oneoff",
        "metadata": {"attempt": str(attempt or IDS.new())},
        **changes,
    }


def page(payments: list[dict[str, Any]], next_url: str | None = None) -> dict[str, Any]:
    link = None if next_url is None else {"href": next_url, "type": "application/hal+json"}
    return {"_embedded": {"payments": payments}, "_links": {"next": link}}


@dataclass
class Archive:
    answer: Answer
    account: PaymentProvider
    client: MollieClient
    asked: list[httpx.URL] = field(default_factory=list)

    async def find(self, since: timedelta = timedelta(days=1)) -> ProviderPayment | None:
        return await connect(self.client).payments.find(self.account, OURS, since=NOON - since)


@asynccontextmanager
async def an_archive(answer: Answer) -> AsyncIterator[Archive]:
    vault = FakeVault()

    def serve(request: httpx.Request) -> httpx.Response:
        archive.asked.append(request.url)
        return httpx.Response(200, content=json.dumps(answer(request)).encode())

    transport = httpx.MockTransport(serve)
    client = MollieClient(f"https://{HOST}", vault, 5, transport, budget=RateBudget(100_000))
    archive = Archive(answer, an_account(IDS, vault, "test_x"), client)
    async with client.open():
        yield archive


def many_pages(ours_on: int, next_host: str = HOST) -> Answer:
    """Each page has one payment; ours is on the page of that number."""

    def answer(request: httpx.Request) -> dict[str, Any]:
        number = int(request.url.params.get("from", "tr_0").removeprefix("tr_"))
        link = f"https://{next_host}/v2/elsewhere?from=tr_{number + 1}&limit=7"
        return page([payment(number, OURS if number == ours_on else None)], link)

    return answer


async def test_a_payment_is_found_on_a_later_page():
    async with an_archive(many_pages(ours_on=30)) as archive:
        found = await archive.find()
    assert found is not None and found.ref == "tr_30"
    assert len(archive.asked) == 31


async def test_a_link_leads_to_the_next_page_and_never_to_another_host_or_path():
    async with an_archive(many_pages(ours_on=2, next_host="evil.test")) as archive:
        assert await archive.find() is not None
    assert {(url.host, url.path) for url in archive.asked} == {(HOST, "/v2/payments")}
    assert [dict(url.params) for url in archive.asked] == [
        {"limit": "250"},
        {"limit": "250", "from": "tr_1"},
        {"limit": "250", "from": "tr_2"},
    ]


async def test_reading_stops_a_minute_before_the_moment():
    async with an_archive(many_pages(ours_on=500)) as archive:
        assert await archive.find(since=timedelta(seconds=-50)) is None
    assert len(archive.asked) == 12


async def test_a_list_that_was_not_read_to_the_end_proves_nothing():
    async with an_archive(many_pages(ours_on=PAGES_MAX)) as archive:
        with pytest.raises(ProviderUnavailable):
            await archive.find()
    assert len(archive.asked) == PAGES_MAX


async def test_an_audit_reads_back_to_its_moment_and_not_a_page_further():
    async with an_archive(many_pages(ours_on=0)) as archive:
        listed = connect(archive.client).payments.since(archive.account, NOON - 60 * A_SECOND)
        refs = [payment.ref async for payment in listed]
    assert refs == [f"tr_{number}" for number in range(61)]
    assert len(archive.asked) == 62


async def test_an_audit_that_stops_halfway_is_no_audit():
    async with an_archive(many_pages(ours_on=0)) as archive:
        listed = connect(archive.client).payments.since(archive.account, NOON - timedelta(days=1))
        with pytest.raises(ProviderUnavailable):
            async for _ in listed:
                pass
    assert len(archive.asked) == AUDIT_PAGES_MAX


@pytest.mark.parametrize("what", ["refunds", "chargebacks"])
async def test_what_went_back_is_audited_at_the_top_of_mollies_tree(what: str):
    went_back = {
        "id": "xx_1",
        "mode": "test",
        "status": "refunded",
        "paymentId": "tr_1",
        "amount": {"currency": "EUR", "value": "1.00"},
        "createdAt": NOON.isoformat(),
    }
    listed_page = {"_embedded": {what: [went_back]}, "_links": {"next": None}}
    async with an_archive(lambda _: listed_page) as archive:
        listed = getattr(connect(archive.client), what).since(archive.account, NOON)
        assert [one.ref async for one in listed] == ["xx_1"]
    assert [url.path for url in archive.asked] == [f"/v2/{what}"]


async def test_an_end_of_the_list_is_an_answer():
    async with an_archive(lambda _: page([payment(1)])) as archive:
        assert await archive.find() is None


async def test_strange_payments_of_others_are_passed_over():
    others = [
        payment(1, status="teleported"),
        payment(2, amount={"currency": "INR", "value": "1.000"}),
        payment(3, metadata="ours? no"),
        payment(4, metadata=None),
        payment(5, sequenceType="second"),
        payment(6, OURS),
    ]
    async with an_archive(lambda _: page(others)) as archive:
        found = await archive.find()
    assert found is not None and found.ref == "tr_6"


@pytest.mark.parametrize(
    "nonsense",
    [
        {},
        {"_embedded": {}, "_links": {"next": None}},
        {"_embedded": {"customers": []}, "_links": {"next": None}},
        {"_embedded": {"payments": []}, "_links": {}},
        {"_embedded": {"payments": []}},
        {"_embedded": {"payments": [{"id": "tr_1"}]}, "_links": {"next": None}},
        page([], f"https://{HOST}/v2/payments"),
        page([], f"https://{HOST}/v2/payments?from=a&from=b"),
        page([], "https://[/v2/payments?from=a"),
        page([payment(1, OURS, mode="live")]),
    ],
)
async def test_half_a_list_is_not_taken_for_a_whole_one(nonsense: dict[str, Any]):
    async with an_archive(lambda _: nonsense) as archive:
        with pytest.raises(ProviderUnreadable):
            await archive.find()
