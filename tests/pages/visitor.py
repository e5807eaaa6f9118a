"""The app that sends a shopper, and the shopper's browser, on a phone or a desk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, Page

from tests.architecture.tree import ROOT
from tests.waiting import eventually

SHOTS: Final = ROOT / "build" / "screenshots"
SIZES: Final = {"desktop": (1280, 900), "phone": (390, 844)}
AXE: Final = Path(AXE_FILE_PATH).read_text()
Json = dict[str, Any]


class Desk:
    """The app's backend."""

    def __init__(self, http: httpx.Client, facts: Json, shop: str) -> None:
        self._http, self.facts, self.shop = http, facts, shop
        self.all_four = {
            "billingAddressCollection": True,
            "shippingAddressCollection": True,
            "isTaxIdCollectionEnabled": True,
            "collectTermsOfServiceConsent": True,
            "termsOfServiceUrl": f"{shop}/terms",
        }
        self._bearer = {"Authorization": f"Bearer {facts['tokens']['tenant']}"}
        self._admin = {"Authorization": f"Bearer {facts['tokens']['admin']}"}
        self._app = f"/api/v1/apps/{facts['appUuid']}"
        self._opened = 0

    def opens(
        self, caller: dict[str, str] | None = None, provider: str = "mollie", **said: Any
    ) -> Json:
        """A checkout session."""
        self._opened += 1
        order = {
            "tenantUuid": self.facts["tenantUuid"],
            "mode": "payment",
            "productPriceUuid": self.facts["prices"]["oneTime"],
            "taxRateUuid": self.facts["taxRates"]["exclusive19"],
            "successUrl": f"{self.shop}/thanks",
            "cancelUrl": f"{self.shop}/basket",
            "clientReferenceId": f"visit-{self._opened}",
            **said,
        }
        path = f"{self._app}/payment-providers/{provider}/checkout-sessions"
        answer = self._http.post(path, json=order, headers=caller or self._bearer)
        assert answer.status_code == 200, answer.text
        row: Json = answer.json()["items"][0]["createdCheckoutSession"]
        return row

    def subscribes(self, name: str) -> str:
        """A tenant of its own with a paid subscription; its uuid."""
        admin = self._admin
        tenant: str = self._made("/tenants", {"name": name})["uuid"]
        monthly = self.facts["prices"]["monthly"]
        order = {"tenantUuid": tenant, "mode": "subscription", "productPriceUuid": monthly}
        row = self.opens(admin, **order)
        bank = f"{self.facts['sandboxUrl']}/_control/payments/{row['sessionId']}/status"
        httpx.post(bank, json={"status": "paid"}, trust_env=False).raise_for_status()
        self._http.get(f"{row['retryUrl'].removesuffix('/pay')}/return")
        return tenant

    def portal(self, tenant: str) -> str:
        body = {"tenantUuid": tenant, "defaultReturnUrl": f"{self.shop}/account"}
        path = f"{self._app}/payment-providers/mollie/billing-portals"
        answer = self._http.post(path, json=body, headers=self._admin)
        assert answer.status_code == 200, answer.text
        url: str = answer.json()["items"][0]["nextAction"]["url"]
        return url

    def opens_in_yen(self, **said: Any) -> Json:
        """A session at KOMOJU."""
        yen = self.facts["prices"]["yen"]
        return self.opens(provider="komoju", productPriceUuid=yen, taxRateUuid=None, **said)

    def connects(self) -> Json:
        """The account that a merchant is to let us in at."""
        self._http.post(self._accounts, headers=self._admin)
        return self._put(connected="false")

    def connected(self, url: str) -> Json:
        """With what the merchant came back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        return self._put(connected="true", code=asked["code"], state=asked["state"])

    @property
    def _accounts(self) -> str:
        return f"{self._app}/payment-providers/mollie/accounts?mode=test"

    def _put(self, **query: str) -> Json:
        answer = self._http.put(
            self._accounts, params={"mode": "test", **query}, headers=self._admin
        )
        assert answer.status_code == 200, answer.text
        row: Json = answer.json()["items"][0]
        return row

    def _made(self, path: str, body: Json) -> Json:
        answer = self._http.post(f"{self._app}{path}", json=body, headers=self._admin)
        assert answer.status_code == 201, answer.text
        row: Json = answer.json()["items"][0]
        return row

    def session(self, row: Json) -> Json:
        path = f"{self._app}/checkout-sessions/{row['uuid']}"
        answer = self._http.get(path, headers=self._bearer)
        found: Json = answer.json()["items"][0]
        return found

    def becomes(self, row: Json, status: str) -> Json:
        """The session, once a webhook has brought it there."""
        assert eventually(lambda: self.session(row)["status"] == status), self.session(row)
        return self.session(row)


class Visitor:
    def __init__(self, page: Page, size: str) -> None:
        self.page, self._size = page, size

    async def sees(self, name: str) -> None:
        """Keep a picture, for people to look at."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=SHOTS / f"{name}-{self._size}.png", full_page=True)

    async def fits(self) -> bool:
        """Nothing has to be scrolled sideways for. Needs a visitor with scripts."""
        width = await self.page.evaluate("document.documentElement.scrollWidth")
        return bool(width <= SIZES[self._size][0])

    async def violations(self, *, dark: bool = True) -> list[str]:
        """What axe-core finds on this page, by day and by night. Needs a visitor with scripts."""
        await self.page.evaluate(AXE)
        found = await self.page.evaluate("axe.run({resultTypes: ['violations']})")
        broken_rules = found["violations"]
        if dark:
            await self.page.emulate_media(color_scheme="dark")
            at_night = await self.page.evaluate("axe.run({runOnly: ['color-contrast']})")
            await self.page.emulate_media(color_scheme="light")
            broken_rules += at_night["violations"]
        return [
            f"{broken['id']} ({broken['impact']}): {node['html']}"
            for broken in broken_rules
            for node in broken["nodes"]
        ]


@asynccontextmanager
async def visitor(
    browser: Browser, size: str = "desktop", *, scripts: bool = False
) -> AsyncIterator[Visitor]:
    """Our own pages need no script; `scripts` are for axe, which is one."""
    width, height = SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        java_script_enabled=scripts,
        bypass_csp=scripts,
        locale="en-GB",
    )
    context.set_default_timeout(15_000)
    try:
        yield Visitor(await context.new_page(), size)
    finally:
        await context.close()
