"""The shopper's links when something else happens at the same moment."""

import asyncio
from typing import Final

import pytest
from msgspec.structs import replace

from domain.checkout.book import Book
from domain.checkout.session import SessionStatus
from domain.kernel.errors import NotFound, StillRunning
from domain.payments.answers import PaymentStatus
from tests.fakes.provider import Fault
from tests.faults.world import World
from tests.make import APP

PAGE: Final = "https://provider.test/checkout/"


class Shop(World):
    """One session that is open at the provider; everything goes well."""

    def __init__(self) -> None:
        super().__init__(seed=1)
        self.is_quiet = True

    async def open(self) -> None:
        self.somebody_opens()
        await self.finish_tasks()

    @property
    def book(self) -> Book:
        rows = self.database.of(APP)
        (session,) = rows.sessions.values()
        return Book(session=session, attempts=tuple(rows.attempts.values()))

    async def pay_link(self) -> str:
        session = self.book.session
        return await self.shopper.pay(APP, session.uuid, session.link_token)

    async def return_link(self) -> str:
        session = self.book.session
        return await self.shopper.came_back(APP, session.uuid, session.link_token)


async def test_while_it_can_be_paid_the_link_leads_to_the_same_page():
    shop = Shop()
    await shop.open()
    ref = shop.book.session.provider_ref
    assert [await shop.pay_link() for _ in range(3)] == [f"{PAGE}{ref}"] * 3
    assert len(shop.provider.made("payment")) == 1


@pytest.mark.parametrize("end", ["fail", "cancel", "expire"])
async def test_after_an_end_it_leads_to_a_fresh_payment(end: str):
    shop = Shop()
    await shop.open()
    first = shop.book.session.provider_ref
    getattr(shop.provider, end)(first)
    url = await shop.pay_link()
    assert url.startswith(PAGE)
    assert not url.endswith(f"/{first}")
    assert shop.book.session.provider_ref == url.removeprefix(PAGE)
    assert [attempt.number for attempt in shop.book.attempts] == [1, 2]


async def test_coming_back_needs_no_webhook():
    shop = Shop()
    await shop.open()
    assert await shop.return_link() == shop.book.session.cancel_url
    shop.provider.pay(shop.book.session.provider_ref or "")
    assert await shop.return_link() == shop.book.session.success_url
    assert shop.book.session.status is SessionStatus.COMPLETE
    assert await shop.pay_link() == shop.book.session.success_url


async def test_a_session_that_ends_meanwhile_gets_no_fresh_payment():
    shop = Shop()
    await shop.open()
    shop.provider.fail(shop.book.session.provider_ref or "")
    await shop.return_link()
    shop.stops = {"after commit"}  # the click has read the session, and stands still
    click = asyncio.create_task(shop.pay_link())
    await asyncio.sleep(0)
    over = replace(shop.book.session, status=SessionStatus.EXPIRED)
    shop.database.of(APP).sessions[over.uuid] = over
    shop.thaw()
    with pytest.raises(StillRunning):
        await click
    assert len(shop.book.attempts) == 1
    assert await shop.pay_link() == over.cancel_url


async def test_a_session_past_its_time_is_not_paid_any_more():
    shop = Shop()
    await shop.open()
    shop.clock.advance(shop.book.session.expires_at - shop.clock.now())
    assert await shop.pay_link() == shop.book.session.cancel_url
    assert len(shop.provider.made("payment")) == 1


async def test_a_link_without_its_secret_does_not_exist():
    shop = Shop()
    await shop.open()
    for link in (shop.shopper.pay, shop.shopper.came_back):
        with pytest.raises(NotFound):
            await link(APP, shop.book.session.uuid, "guess")


async def test_a_decline_of_the_second_payment_leaves_the_session_open():
    shop = Shop()
    await shop.open()
    shop.provider.fail(shop.book.session.provider_ref or "")
    shop.provider.fail_next("create_payment", Fault.DECLINED)
    assert await shop.pay_link() == shop.book.session.cancel_url
    assert shop.book.session.status is SessionStatus.OPEN
    assert (await shop.pay_link()).startswith(PAGE)
    statuses = [payment.status for payment in shop.payments_at_the_provider()]
    assert statuses == [PaymentStatus.FAILED, PaymentStatus.OPEN]
