"""A shopper before our page, as a browser without scripts would do it."""

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import httpx

from tests.http.house import House, Json

ASKED = {
    "billingAddressCollection": True,
    "shippingAddressCollection": True,
    "isTaxIdCollectionEnabled": True,
    "collectTermsOfServiceConsent": True,
    "termsOfServiceUrl": "https://localhost/terms",  # not public: nobody is asked
}
JANE = {
    "billing.given_name": "Jane",
    "billing.family_name": "Smith",
    "billing.line1": "Damrak 1",
    "billing.postal_code": "1012 lg",
    "billing.city": "Amsterdam",
    "billing.country": "NL",
    "ship_to_billing": "yes",
    "consent": "yes",
}
NL_BUSINESS = JANE | {"billing.organization_name": "Smith BV", "tax_id": "nl 1234 56782 b12"}


@dataclass
class Shopper:
    house: House
    url: str
    headers: dict[str, str] = field(default_factory=dict)

    async def opens(self, url: str | None = None) -> httpx.Response:
        return await self.house.door.get(url or self.url, headers=self.headers)

    async def fills_in(self, filled: dict[str, str], query: str = "") -> httpx.Response:
        return await self.house.door.post(self.url + query, data=filled, headers=self.headers)

    async def goes_on(self, filled: dict[str, str]) -> httpx.Response:
        """What the form leads to."""
        answer = await self.fills_in(filled)
        assert answer.status_code == 303, words(answer)
        return await self.opens(answer.headers["location"])

    async def pays(self) -> str:
        """The provider's page."""
        answer = await self.opens(f"{self.url}/pay")
        assert answer.status_code == 303, words(answer)
        return answer.headers["location"]

    async def comes_back(self) -> str:
        answer = await self.opens(f"{self.url}/return")
        assert answer.status_code == 303, words(answer)
        return answer.headers["location"]


async def asked(house: House, **said: Any) -> tuple[Json, Shopper]:
    """A session that asks for everything, and whoever stands before its page."""
    row = await house.bought(**{"taxRateUuid": house.app.ids["exclusive"], **ASKED, **said})
    return row, Shopper(house, row["nextActionUrl"])


async def session(house: House, row: Json) -> Json:
    return await house.ok(house.app.user("member"), "GET", f"/checkout-sessions/{row['uuid']}")


def words(answer: httpx.Response) -> str:
    """What a person reads of a page."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def link(answer: httpx.Response, label: str) -> str:
    found = re.search(rf'<a [^>]*href="([^"]*)"[^>]*>{re.escape(label)}', answer.text)
    assert found, words(answer)
    return unescape(found[1])


def inputs(answer: httpx.Response) -> set[str]:
    return set(re.findall(r'<(?:input|select)[^>]* name="([^"]+)"', answer.text))
