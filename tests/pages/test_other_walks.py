"""Shoppers who pay in a form in the app's own page, at KOMOJU's, and in cash at a shop."""

from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, expect

from tests.pages.visitor import SIZES, Desk, Json, visitor


def page_of(desk: Desk, row: Json) -> str:
    asked = {"sandbox": desk.facts["sandboxUrl"], "token": row["clientAccessToken"]}
    return f"{desk.shop}/pay?{urlencode(asked)}"


@pytest.mark.parametrize("size", SIZES)
async def test_an_embedded_form_is_declined_and_then_paid_without_leaving_the_shop(
    browser: Browser, desk: Desk, size: str
):
    row = desk.opens(uiMode="embedded")
    async with visitor(browser, size, scripts=True) as shopper:
        page = shopper.page
        await page.goto(page_of(desk, row))
        form = page.frame_locator("iframe")
        await expect(form.get_by_text("€58.31").first).to_be_visible()
        await shopper.sees("11-embedded")
        assert await shopper.violations(dark=False) == []
        await form.locator("input[value=failed]").check()
        await form.get_by_role("button").click()
        await page.wait_for_url(f"{desk.shop}/basket")
        await page.goto(page_of(desk, row))
        await expect(form.get_by_text("The last attempt was failed")).to_be_visible()
        await shopper.sees("12-embedded-declined")
        await form.locator("input[value=paid]").check()
        await form.get_by_role("button").click()
        await page.wait_for_url(f"{desk.shop}/thanks")
    after = desk.session(row)
    assert (after["status"], after["paymentStatus"]) == ("complete", "paid")
    assert [attempt["status"] for attempt in after["attempts"]] == ["failed", "paid"]


@pytest.mark.parametrize("size", SIZES)
async def test_a_card_is_declined_at_komoju_and_then_paid(browser: Browser, desk: Desk, size: str):
    row = desk.opens_in_yen()
    async with visitor(browser, size) as shopper:
        page = shopper.page
        await page.goto(row["nextActionUrl"])
        await shopper.sees("13-komoju")
        await page.locator("input[value=failed]").check()
        await page.get_by_role("button").first.click()
        await expect(page.get_by_role("status")).to_contain_text("That attempt failed")
        await page.locator("input[value=paid]").check()
        await page.get_by_role("button").first.click()
        await page.wait_for_url(f"{desk.shop}/thanks")
    after = desk.session(row)
    assert (after["status"], after["paymentStatus"], after["amountTotal"]) == (
        "complete",
        "paid",
        4900,
    )


@pytest.mark.parametrize("size", SIZES)
async def test_cash_is_awaited_and_then_paid_at_a_konbini(browser: Browser, desk: Desk, size: str):
    row = desk.opens_in_yen(paymentMethod="konbini")
    async with visitor(browser, size) as shopper:
        page = shopper.page
        await page.goto(row["nextActionUrl"])
        await shopper.sees("14-konbini")
        await page.locator("input[value=paid]").check()
        await page.get_by_role("button").first.click()
        await page.wait_for_url(f"{desk.shop}/thanks")
        waiting = desk.session(row)
        assert (waiting["status"], waiting["paymentStatus"]) == ("processing", "unpaid")
        await page.goto(row["nextActionUrl"])
        await shopper.sees("15-konbini-voucher")
        await page.locator("input[value=captured]").check()
        await page.get_by_role("button").first.click()
        await expect(page.get_by_text("Nothing more can happen")).to_be_visible()
    after = desk.becomes(row, "complete")
    assert after["paymentStatus"] == "paid"


@pytest.mark.parametrize("size", SIZES)
async def test_a_merchant_lets_us_in(browser: Browser, desk: Desk, size: str):
    account = desk.connects()
    async with visitor(browser, size, scripts=True) as merchant:
        page = merchant.page
        await page.goto(account["nextAction"]["url"])
        await merchant.sees("16-consent")
        assert await merchant.violations() == []
        assert await merchant.fits()
        await page.get_by_role("button", name="Allow").click()
        await page.wait_for_url("**/docs?code=*")
        connected = desk.connected(page.url)
    assert connected["connected"] is True
    assert connected["account"].startswith("org_")


@pytest.mark.parametrize("size", SIZES)
async def test_axe_finds_nothing_in_an_embedded_form(browser: Browser, desk: Desk, size: str):
    row = desk.opens(uiMode="embedded")
    token = row["clientAccessToken"].replace("+", "-").replace("/", "_").rstrip("=")
    async with visitor(browser, size, scripts=True) as shopper:
        await shopper.page.goto(f"{desk.facts['sandboxUrl']}/components/{token}")
        assert await shopper.violations() == []
        assert await shopper.fits()


@pytest.mark.parametrize("size", SIZES)
async def test_axe_finds_nothing_on_komojus_pages(browser: Browser, desk: Desk, size: str):
    row = desk.opens_in_yen(paymentMethod="konbini")
    async with visitor(browser, size, scripts=True) as shopper:
        await shopper.page.goto(row["nextActionUrl"])
        assert await shopper.violations() == []
        assert await shopper.fits()
        await shopper.page.get_by_role("button").first.click()
        await shopper.page.goto(row["nextActionUrl"])
        assert await shopper.violations() == []
        await shopper.page.goto(f"{desk.facts['sandboxUrl']}/komoju")
        assert await shopper.violations() == []
