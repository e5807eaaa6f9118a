"""The app that sends a shopper, and the shopper's browser, on a phone or a desk."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, Page, Route

from tests.architecture.tree import ROOT

SHOTS: Final = ROOT / "build" / "screenshots"
SIZES: Final = {"desktop": (1280, 900), "phone": (390, 844)}
SHOP: Final = "http://localhost:3000"
ALL_FOUR: Final = {
    "billingAddressCollection": True,
    "shippingAddressCollection": True,
    "isTaxIdCollectionEnabled": True,
    "collectTermsOfServiceConsent": True,
    "termsOfServiceUrl": f"{SHOP}/terms",
}
Json = dict[str, Any]


class Desk:
    """The app's backend."""

    def __init__(self, http: httpx.Client, facts: Json) -> None:
        self._http, self.facts = http, facts
        self._bearer = {"Authorization": f"Bearer {facts['tokens']['tenant']}"}
        self._app = f"/api/v1/apps/{facts['appUuid']}"
        self._opened = 0

    def opens(self, **said: Any) -> Json:
        """A checkout session."""
        self._opened += 1
        order = {
            "tenantUuid": self.facts["tenantUuid"],
            "mode": "payment",
            "productPriceUuid": self.facts["prices"]["oneTime"],
            "taxRateUuid": self.facts["taxRates"]["exclusive19"],
            "successUrl": f"{SHOP}/thanks",
            "cancelUrl": f"{SHOP}/basket",
            "clientReferenceId": f"visit-{self._opened}",
            **said,
        }
        path = f"{self._app}/payment-providers/mollie/checkout-sessions"
        answer = self._http.post(path, json=order, headers=self._bearer)
        assert answer.status_code == 200, answer.text
        row: Json = answer.json()["items"][0]["createdCheckoutSession"]
        return row

    def session(self, row: Json) -> Json:
        path = f"{self._app}/checkout-sessions/{row['uuid']}"
        answer = self._http.get(path, headers=self._bearer)
        found: Json = answer.json()["items"][0]
        return found


class Visitor:
    def __init__(self, page: Page, size: str) -> None:
        self.page, self._size = page, size

    def sees(self, name: str) -> None:
        """Keep a picture, for people to look at."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}-{self._size}.png", full_page=True)

    def fills_in(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.get_by_label(name, exact=False).first.fill(value)

    def fits(self) -> bool:
        """Nothing has to be scrolled sideways for."""
        box = self.page.locator("html").bounding_box()
        assert box is not None
        return box["width"] <= SIZES[self._size][0]

    def violations(self) -> list[str]:
        """What axe-core finds on this page. Needs a visitor with scripts."""
        self.page.evaluate(Path(AXE_FILE_PATH).read_text())
        found = self.page.evaluate("axe.run()")
        return [
            f"{broken['id']} ({broken['impact']}): {node['html']}"
            for broken in found["violations"]
            for node in broken["nodes"]
        ]


@contextmanager
def visitor(browser: Browser, size: str = "desktop", *, scripts: bool = False) -> Iterator[Visitor]:
    """Our own pages need no script; `scripts` are for axe, which is one."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        java_script_enabled=scripts,
        bypass_csp=scripts,
        locale="en-GB",
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.route(f"{SHOP}/**", _shop)
    try:
        yield Visitor(page, size)
    finally:
        context.close()


def _shop(route: Route) -> None:
    """The app's own pages: nobody serves them here."""
    route.fulfill(
        content_type="text/html",
        body=f"<!doctype html><html lang=en><title>Shop</title><h1>{route.request.url}</h1>",
    )
