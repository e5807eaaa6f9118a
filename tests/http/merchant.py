"""A merchant of the sandbox's, who lets an app in on Mollie's page, and what the app does."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.http.house import House, Json

ACCOUNTS: Final = "/payment-providers/mollie/accounts"
OUR_APP: Final = {
    "clientId": "app_kontor",
    "clientSecret": "our-apps-own-secret",
    "redirectUri": "https://console.example/connected",
}


@dataclass(frozen=True)
class Merchant:
    house: House
    sandbox: httpx.AsyncClient
    organization: str

    @classmethod
    async def of(cls, house: House, sandbox: httpx.AsyncClient) -> "Merchant":
        await sandbox.post("/_control/oauth/clients", json=OUR_APP)
        return cls(house, sandbox, await founded(sandbox, "Flowers"))

    async def asks(self, method: str, query: str = "mode=test", **said: Any) -> httpx.Response:
        """The app's admin."""
        path = f"{ACCOUNTS}?{query}"
        return await self.house.ask(said.pop("who", self.house.app.admin), method, path, **said)

    async def gets(self, method: str, query: str = "mode=test") -> Json:
        answer = await self.asks(method, query)
        assert answer.status_code in (200, 201), answer.text
        item: Json = answer.json()["items"][0]
        return item

    async def consents(self, address: str, organization: str | None = None) -> dict[str, str]:
        """On Mollie's page. Returns what comes back to the redirect URL."""
        form = {"organization": organization or self.organization, "decision": "allow"}
        answer = await self.sandbox.post(address, data=form)
        assert answer.status_code == 303, answer.text
        back = urlsplit(answer.headers["location"])
        assert f"{back.scheme}://{back.netloc}{back.path}" == OUR_APP["redirectUri"]
        return {name: values[0] for name, values in parse_qs(back.query).items()}

    async def begins(self, organization: str | None = None) -> str:
        """The query that finishes what is begun here."""
        asked = await self.gets("PUT", "mode=test&connected=false")
        came = await self.consents(asked["nextAction"]["url"], organization)
        return f"mode=test&connected=true&code={came['code']}&state={came['state']}"

    async def connects(self) -> Json:
        """The app's account in test mode, which is used for all that is sold from then on."""
        await self.gets("POST")
        row = await self.gets("PUT", await self.begins())
        self.house.app.ids["account"] = row["uuid"]
        path = f"/payment-providers/{row['uuid']}"
        await self.house.ok(self.house.app.admin, "PUT", path, {"isDefault": True})
        return row

    async def shuts_us_out(self) -> None:
        said = {"clientId": OUR_APP["clientId"], "organizationId": self.organization}
        answer = await self.sandbox.post("/_control/oauth/shut-out", json=said)
        assert answer.json()["revoked"] > 0

    async def becomes(self, status: str) -> None:
        path = f"/_control/oauth/organizations/{self.organization}/onboarding"
        assert (await self.sandbox.post(path, json={"status": status})).is_success

    async def grants(self) -> list[Json]:
        """What the sandbox knows of our app at the merchant's, the newest first."""
        shown = (await self.sandbox.get("/_control/oauth")).json()["grants"]
        return [grant for grant in shown if grant["organizationId"] == self.organization]


async def founded(sandbox: httpx.AsyncClient, name: str) -> str:
    """Another organisation of the sandbox's."""
    answer = await sandbox.post("/_control/oauth/organizations", json={"name": name})
    return str(answer.json()["id"])
