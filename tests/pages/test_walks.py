"""Shoppers walk from the app to our page, to the provider's, and back, by mouse and by keyboard."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.pages.visitor import SIZES, Desk, Visitor, visitor


async def tells_everything(page: Page) -> None:
    await page.get_by_label("Country").first.select_option("NL")
    await page.get_by_role("button", name="Show the fields of this country").first.click()
    for label, value in (
        ("First name", "Jane"),
        ("Last name", "Smith"),
        ("Company", "Smith BV"),
        ("Street and number", "Damrak 1"),
        ("Postcode", "1012 LG"),
        ("Town or city", "Amsterdam"),
    ):
        await page.get_by_label(label).first.fill(value)
    await page.get_by_label("VAT number").fill("NL123456782B12")
    await page.get_by_label("I agree to the").check()


async def ends_as(page: Page, outcome: str) -> None:
    """On the sandbox's page."""
    await page.locator(f"input[value={outcome}]").check()
    await page.get_by_role("button").first.click()


@pytest.mark.parametrize("size", SIZES)
async def test_a_session_with_all_four_wishes_ends_in_the_shop(
    browser: Browser, desk: Desk, size: str
):
    row = desk.opens(**desk.all_four, quantity=2)
    async with visitor(browser, size) as shopper:
        page = shopper.page
        await page.goto(row["nextActionUrl"])
        await shopper.sees("1-details")
        await page.get_by_role("button", name="Continue").click()
        await expect(page.get_by_role("alert")).to_contain_text("First name: please fill this in")
        await shopper.sees("2-faults")
        await tells_everything(page)
        await page.get_by_role("button", name="Continue").click()
        await expect(page.get_by_role("heading", name="Please check your order")).to_be_visible()
        await expect(page.locator("table")).to_contain_text("Reverse charge")
        await shopper.sees("3-review")
        await page.get_by_role("link", name="Pay €98.00").click()
        await shopper.sees("4-provider")
        await ends_as(page, "paid")
        await page.wait_for_url(f"{desk.shop}/thanks")
    after = desk.session(row)
    assert (after["status"], after["paymentStatus"], after["amountTotal"]) == (
        "complete",
        "paid",
        9800,
    )
    assert after["collected"]["billingAddress"]["city"] == "Amsterdam"
    assert after["collected"]["consent"]["url"] == f"{desk.shop}/terms"


@pytest.mark.parametrize("size", SIZES)
async def test_a_decline_in_between_is_told_and_tried_again(
    browser: Browser, desk: Desk, size: str
):
    row = desk.opens(**desk.all_four)
    async with visitor(browser, size) as shopper:
        page = shopper.page
        await page.goto(row["nextActionUrl"])
        await tells_everything(page)
        await page.get_by_role("button", name="Continue").click()
        await page.get_by_role("link", name="Pay €49.00").click()
        await ends_as(page, "failed")
        await expect(page.get_by_role("alert")).to_contain_text("Nothing was charged")
        await shopper.sees("5-declined")
        await page.get_by_role("link", name="Try again").click()
        await ends_as(page, "paid")
        await page.wait_for_url(f"{desk.shop}/thanks")
        await page.goto(row["nextActionUrl"])
        await shopper.sees("6-over")
    assert [attempt["status"] for attempt in desk.session(row)["attempts"]] == ["failed", "paid"]


async def test_the_keyboard_alone_is_enough(browser: Browser, desk: Desk):
    row = desk.opens(collectTermsOfServiceConsent=True, termsOfServiceUrl=f"{desk.shop}/terms")
    async with visitor(browser) as shopper:
        page, keys = shopper.page, shopper.page.keyboard
        await page.goto(row["nextActionUrl"])
        await keys.press("Tab")
        await expect(page.locator(":focus")).to_have_text("Your details")  # past the header
        await keys.press("Enter")
        await keys.press("Tab")
        await keys.press("Space")
        await expect(page.get_by_label("I agree to the")).to_be_checked()
        await keys.press("Enter")
        await expect(page.get_by_role("heading", name="Please check your order")).to_be_visible()


async def test_enter_in_any_field_goes_on(browser: Browser, desk: Desk):
    row = desk.opens(**desk.all_four)
    async with visitor(browser) as shopper:
        page = shopper.page
        await page.goto(row["nextActionUrl"])
        await tells_everything(page)
        await page.get_by_label("Last name").first.press("Enter")
        await expect(page.get_by_role("heading", name="Please check your order")).to_be_visible()


@pytest.mark.parametrize(
    ("language", "heading"),
    [("Nederlands", "Uw gegevens"), ("Deutsch", "Ihre Angaben"), ("Français", "Vos coordonnées")],
)
async def test_another_language_is_one_click_away_and_loses_nothing(
    browser: Browser, desk: Desk, language: str, heading: str
):
    row = desk.opens(**desk.all_four)
    async with visitor(browser, "phone") as shopper:
        page = shopper.page
        await page.goto(row["nextActionUrl"])
        await page.locator("[id='billing.family_name']").fill("Lovelace")
        await page.get_by_role("button", name=language).click()
        await expect(page.get_by_role("heading", name=heading)).to_be_visible()
        await expect(page.locator("[id='billing.family_name']")).to_have_value("Lovelace")
        await shopper.sees(f"7-{language.lower()}")


@pytest.mark.parametrize("size", SIZES)
async def test_a_customer_cancels_in_the_portal_and_thinks_again(
    browser: Browser, desk: Desk, size: str
):
    tenant = desk.subscribes(f"Portal on a {size}")
    async with visitor(browser, size) as customer:
        page = customer.page
        await page.goto(desk.portal(tenant))
        await customer.sees("8-portal")
        await page.get_by_text("Cancel the subscription").click()
        await customer.sees("9-portal-sure")
        await page.get_by_role("button", name="Yes, cancel it").click()
        await expect(page.get_by_text("Ends on")).to_be_visible()
        await customer.sees("10-portal-canceled")
        await page.get_by_role("button", name="Keep it after all").click()
        await expect(page.get_by_text("Renews on")).to_be_visible()
        await page.get_by_role("button", name="Replace the payment method").click()
        await page.get_by_role("link", name="Check the card with €1.00").click()
        await ends_as(page, "paid")
        await page.wait_for_url(f"{desk.shop}/account")


@pytest.mark.parametrize("size", SIZES)
async def test_axe_finds_nothing_in_the_portal(browser: Browser, desk: Desk, size: str):
    tenant = desk.subscribes(f"Axe on a {size}")
    async with visitor(browser, size, scripts=True) as customer:
        await customer.page.goto(desk.portal(tenant))
        await customer.page.get_by_text("Cancel the subscription").click()
        assert await customer.violations() == []
        assert await customer.fits()


@pytest.mark.parametrize("size", SIZES)
async def test_axe_finds_nothing_on_any_page_of_a_shopper(browser: Browser, desk: Desk, size: str):
    row = desk.opens(**desk.all_four)
    found: dict[str, list[str]] = {}

    async def look(shopper: Visitor, name: str) -> None:
        found[name] = await shopper.violations()
        if not await shopper.fits():
            found[name].append("wider than the screen")

    async with visitor(browser, size, scripts=True) as shopper:
        page = shopper.page
        await page.goto(row["nextActionUrl"])
        await look(shopper, "details")
        await page.get_by_role("button", name="Continue").click()
        await look(shopper, "faults")
        await page.get_by_label("Deliver to the billing address").uncheck()
        await look(shopper, "another delivery address")
        await page.get_by_label("Deliver to the billing address").check()
        await tells_everything(page)
        await page.get_by_role("button", name="Continue").click()
        await look(shopper, "review")
        await page.get_by_role("link", name="Pay €49.00").click()
        await look(shopper, "the provider's page")
        await ends_as(page, "failed")
        await look(shopper, "declined")
        await page.get_by_role("link", name="Try again").click()
        await ends_as(page, "paid")
        await page.goto(row["nextActionUrl"])
        await look(shopper, "over")
        await page.goto(row["nextActionUrl"] + "x")
        await look(shopper, "gone")
        await page.goto(desk.facts["sandboxUrl"])
        await look(shopper, "the sandbox's first page")
    assert {name: broken for name, broken in found.items() if broken} == {}


async def test_axe_finds_nothing_in_the_documentation(browser: Browser, desk: Desk):
    async with visitor(browser, scripts=True) as reader:
        await reader.page.goto(f"{desk.facts['apiUrl']}/docs")
        assert await reader.violations(dark=False) == []
