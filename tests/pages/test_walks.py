"""Shoppers walk from the app to our page, to the provider's, and back, by mouse and by keyboard."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.visitor import ALL_FOUR, SHOP, SIZES, Desk, Visitor, visitor


def tells_everything(page: Page) -> None:
    page.get_by_label("Country").first.select_option("NL")
    page.get_by_role("button", name="Show the fields of this country").first.click()
    for label, value in (
        ("First name", "Jane"),
        ("Last name", "Smith"),
        ("Company", "Smith BV"),
        ("Street and number", "Damrak 1"),
        ("Postcode", "1012 LG"),
        ("Town or city", "Amsterdam"),
    ):
        page.get_by_label(label).first.fill(value)
    page.get_by_label("VAT number").fill("NL123456782B12")
    page.get_by_label("I agree to the").check()


def ends_as(page: Page, outcome: str) -> None:
    """On the sandbox's page."""
    page.locator(f"input[value={outcome}]").check()
    page.get_by_role("button").first.click()


@pytest.mark.parametrize("size", SIZES)
def test_a_session_with_all_four_wishes_ends_in_the_shop(browser: Browser, desk: Desk, size: str):
    row = desk.opens(**ALL_FOUR, quantity=2)
    with visitor(browser, size) as shopper:
        page = shopper.page
        page.goto(row["nextActionUrl"])
        shopper.sees("1-details")
        assert shopper.fits()
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("alert")).to_contain_text("First name: please fill this in")
        shopper.sees("2-faults")
        tells_everything(page)
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", name="Please check your order")).to_be_visible()
        expect(page.locator("table")).to_contain_text("Reverse charge")
        shopper.sees("3-review")
        assert shopper.fits()
        page.get_by_role("link", name="Pay €98.00").click()
        shopper.sees("4-provider")
        ends_as(page, "paid")
        page.wait_for_url(f"{SHOP}/thanks")
    after = desk.session(row)
    assert (after["status"], after["paymentStatus"], after["amountTotal"]) == (
        "complete",
        "paid",
        9800,
    )
    assert after["collected"]["billingAddress"]["city"] == "Amsterdam"
    assert after["collected"]["consent"]["url"] == f"{SHOP}/terms"


@pytest.mark.parametrize("size", SIZES)
def test_a_decline_in_between_is_told_and_tried_again(browser: Browser, desk: Desk, size: str):
    row = desk.opens(**ALL_FOUR)
    with visitor(browser, size) as shopper:
        page = shopper.page
        page.goto(row["nextActionUrl"])
        tells_everything(page)
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("link", name="Pay €49.00").click()
        ends_as(page, "failed")
        expect(page.get_by_role("alert")).to_contain_text("Nothing was charged")
        shopper.sees("5-declined")
        page.get_by_role("link", name="Try again").click()
        ends_as(page, "paid")
        page.wait_for_url(f"{SHOP}/thanks")
        page.goto(row["nextActionUrl"])
        shopper.sees("6-over")
    assert [attempt["status"] for attempt in desk.session(row)["attempts"]] == ["failed", "paid"]


def test_the_keyboard_alone_is_enough(browser: Browser, desk: Desk):
    row = desk.opens(collectTermsOfServiceConsent=True, termsOfServiceUrl=f"{SHOP}/terms")
    with visitor(browser) as shopper:
        page, keys = shopper.page, shopper.page.keyboard
        page.goto(row["nextActionUrl"])
        keys.press("Tab")
        expect(page.locator(":focus")).to_have_text("Your details")  # past the header
        keys.press("Enter")
        keys.press("Tab")
        keys.press("Space")
        expect(page.get_by_label("I agree to the")).to_be_checked()
        keys.press("Enter")
        expect(page.get_by_role("heading", name="Please check your order")).to_be_visible()


@pytest.mark.parametrize(
    ("language", "heading"),
    [("Nederlands", "Uw gegevens"), ("Deutsch", "Ihre Angaben"), ("Français", "Vos coordonnées")],
)
def test_another_language_is_one_click_away(
    browser: Browser, desk: Desk, language: str, heading: str
):
    row = desk.opens(**ALL_FOUR)
    with visitor(browser, "phone") as shopper:
        shopper.page.goto(row["nextActionUrl"])
        shopper.page.get_by_role("link", name=language).click()
        expect(shopper.page.get_by_role("heading", name=heading)).to_be_visible()
        shopper.sees(f"7-{language.lower()}")
        assert shopper.fits()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(browser: Browser, desk: Desk, size: str, colours: str):
    row = desk.opens(**ALL_FOUR)
    found: dict[str, list[str]] = {}

    def look(shopper: Visitor, name: str) -> None:
        found[name] = shopper.violations()

    with visitor(browser, size, scripts=True) as shopper:
        page = shopper.page
        page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
        page.goto(row["nextActionUrl"])
        look(shopper, "details")
        page.get_by_role("button", name="Continue").click()
        look(shopper, "faults")
        page.get_by_label("Deliver to the billing address").uncheck()
        look(shopper, "another delivery address")
        page.get_by_label("Deliver to the billing address").check()
        tells_everything(page)
        page.get_by_role("button", name="Continue").click()
        look(shopper, "review")
        page.get_by_role("link", name="Pay €49.00").click()
        look(shopper, "the provider's page")
        ends_as(page, "failed")
        look(shopper, "declined")
        page.get_by_role("link", name="Try again").click()
        ends_as(page, "paid")
        page.goto(row["nextActionUrl"])
        look(shopper, "over")
        page.goto(row["nextActionUrl"] + "x")
        look(shopper, "gone")
        page.goto(f"{desk.facts['apiUrl']}/docs")
        look(shopper, "the documentation")
        page.goto(desk.facts["sandboxUrl"])
        look(shopper, "the sandbox's first page")
    assert {name: broken for name, broken in found.items() if broken} == {}
