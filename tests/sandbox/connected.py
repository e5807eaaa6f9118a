"""An app and an organisation that has let it in, for tests of Connect."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.sandbox.shop import Json, Shop

BACK = "https://app.example.org/connected?from=mollie"
APP = ("app_kontor", "app-secret")
EVERYTHING = (
    "payments.read payments.write refunds.read refunds.write customers.read customers.write "
    "mandates.read mandates.write subscriptions.read subscriptions.write sessions.read "
    "sessions.write profiles.read organizations.read onboarding.read clients.write"
)


class App:
    """What an app does: asks for consent, exchanges codes, and calls with what it got."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.http = shop, shop.http

    async def register(self) -> None:
        id, secret = APP
        said = {"clientId": id, "clientSecret": secret, "redirectUri": BACK}
        await self.shop.control("oauth/clients", **said)

    async def merchant(self, name: str = "Flowers", **more: Any) -> Json:
        return await self.shop.control("oauth/organizations", name=name, **more)

    def query(self, **changes: str | None) -> dict[str, str]:
        said = {
            "client_id": APP[0],
            "redirect_uri": BACK,
            "state": "s t&te",
            "scope": EVERYTHING,
            "response_type": "code",
            **changes,
        }
        return {name: value for name, value in said.items() if value is not None}

    async def asks(self, **changes: str | None) -> httpx.Response:
        return await self.http.get("/oauth2/authorize", params=self.query(**changes))

    async def answered(
        self, merchant: str, decision: str = "allow", **changes: str | None
    ) -> dict[str, str]:
        """What comes back to the app after somebody has decided on the page."""
        form = {"organization": merchant, "decision": decision, "name": "New shop"}
        params = self.query(**changes)
        answer = await self.http.post("/oauth2/authorize", params=params, data=form)
        assert answer.status_code == 303, answer.text
        return came_back(answer)

    async def code(self, merchant: Json, **changes: str | None) -> str:
        return (await self.answered(merchant["id"], **changes))["code"]

    async def tokens(self, auth: tuple[str, str] | None = APP, **body: str) -> httpx.Response:
        return await self.http.post(
            "/oauth2/tokens",
            data=body,
            auth=auth,
            headers={"Authorization": ""} if not auth else {},
        )

    async def exchanged(self, code: str, **changes: str) -> httpx.Response:
        said = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, **changes}
        return await self.tokens(**said)

    async def refreshed(self, refresh_token: str) -> httpx.Response:
        return await self.tokens(grant_type="refresh_token", refresh_token=refresh_token)

    async def revoked(self, token: str, hint: str) -> httpx.Response:
        said = {"token": token, "token_type_hint": hint}
        return await self.http.request("DELETE", "/oauth2/tokens", json=said, auth=APP)

    async def connected(self, merchant: Json, scope: str = EVERYTHING) -> Json:
        answer = await self.exchanged(await self.code(merchant, scope=scope))
        assert answer.status_code == 200, answer.text
        granted: Json = answer.json()
        return granted

    async def shop_of(self, merchant: Json, scope: str = EVERYTHING) -> Shop:
        granted = await self.connected(merchant, scope)
        return Shop(self.shop.app, granted["access_token"])


def came_back(answer: httpx.Response) -> dict[str, str]:
    address = urlsplit(answer.headers["location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == BACK.partition("?")[0]
    said = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert said.pop("from") == "mollie"
    assert said.pop("state", "s t&te") == "s t&te"
    return said


def profile_of(merchant: Json, place: int = 0) -> str:
    return str(merchant["profiles"][place]["id"])
