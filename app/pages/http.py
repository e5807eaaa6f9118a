"""The shopper's links: to tell us what a session asks for, to pay (again), and back from the
provider's page."""

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect

from app.http.bodies import any_body
from app.http.caller import public
from app.pages.checkout_page import CheckoutPage
from app.pages.languages import Language, chosen
from app.pages.render import STYLE, STYLE_PATH, page
from domain.checkout.continue_payment import ContinuePayment
from domain.kernel.errors import (
    DomainError,
    NotFound,
    ProviderUnreadable,
    Refused,
    StillRunning,
    Unavailable,
)
from domain.kernel.ids import AppUuid

REFRESH_S: Final = 3
STYLE_KEPT_S: Final = 3600

Lang = Annotated[str | None, QueryParameter(name="lang")]
Total = Annotated[int | None, QueryParameter(name="total")]
Edits = Annotated[bool, QueryParameter(name="edit")]


def accepted(request: Request[Any, Any, Any]) -> str:
    return request.headers.get("accept-language", "")


def spoken(request: Request[Any, Any, Any]) -> Language:
    return chosen(request.query_params.get("lang"), accepted=accepted(request))


def no_such_link(request: Request[Any, Any, Any], _: DomainError) -> Response[str]:
    return page("gone.html", spoken(request), 404, word="gone")


def wait_a_moment(request: Request[Any, Any, Any], _: DomainError) -> Response[str]:
    """The page asks again by itself; nothing is lost meanwhile."""
    speaks, query = spoken(request), request.scope["query_string"].decode()
    text = speaks.say("wait_text", seconds=REFRESH_S)
    # A browser asks again with GET, whatever it has asked with: there is a page at each address.
    again = f"{request.scope['path']}?{query}" if query else request.scope["path"]
    return wait_page(speaks, text, again, is_payment=True)


def wait_page(speaks: Language, text: str, again: str, *, is_payment: bool) -> Response[str]:
    facts = {"refresh_s": REFRESH_S, "text": text, "again": again, "is_payment": is_payment}
    response = page("wait.html", speaks, 503, **facts)
    response.headers["Retry-After"] = str(REFRESH_S)
    return response


class CheckoutStyleController(Controller):
    path = STYLE_PATH
    guards = [public]
    include_in_schema = False

    @get(operation_id="readCheckoutStyle")
    async def read(self) -> Response[str]:
        headers = {
            "Cache-Control": f"public, max-age={STYLE_KEPT_S}",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(STYLE, media_type="text/css", headers=headers)


class CheckoutLinksController(Controller):
    """Public, each link guarded by the secret in it. Not part of the API's schema."""

    path = "/checkout/{app_uuid:uuid}/{session_uuid:uuid}/{token:str}"
    guards = [public]
    include_in_schema = False
    exception_handlers = {
        NotFound: no_such_link,
        Refused: no_such_link,
        StillRunning: wait_a_moment,
        Unavailable: wait_a_moment,
        ProviderUnreadable: wait_a_moment,
    }

    @get("/", operation_id="showCheckoutPage")
    async def show(
        self,
        app_uuid: FromPath[UUID],
        session_uuid: FromPath[UUID],
        token: FromPath[str],
        request: Request[Any, Any, Any],
        checkout_page: NamedDependency[CheckoutPage],
        lang: Lang = None,
        edits: Edits = False,
    ) -> Response[str]:
        """The order, and the form for what the session asks for; or both to be checked."""
        link = (AppUuid(app_uuid), session_uuid, token)
        return await checkout_page.show(link, lang, accepted(request), edits=edits)

    @post(
        "/",
        operation_id="fillInCheckoutPage",
        before_request=any_body,
        status_code=200,
    )
    async def fill_in(
        self,
        app_uuid: FromPath[UUID],
        session_uuid: FromPath[UUID],
        token: FromPath[str],
        request: Request[Any, Any, Any],
        checkout_page: NamedDependency[CheckoutPage],
        lang: Lang = None,
    ) -> Response[Any]:
        """Take in what was filled in; or show the form again, with what is wrong."""
        link = (AppUuid(app_uuid), session_uuid, token)
        body, ip = await request.body(), request.client.host if request.client else None
        return await checkout_page.fill_in(link, lang, accepted(request), body, ip)

    @get("/return", operation_id="returnFromProvider")
    async def came_back(
        self,
        app_uuid: FromPath[UUID],
        session_uuid: FromPath[UUID],
        token: FromPath[str],
        continue_payment: NamedDependency[ContinuePayment],
    ) -> Redirect:
        """Ask the provider, then send the shopper on to the app."""
        url = await continue_payment.came_back(AppUuid(app_uuid), session_uuid, token)
        return Redirect(url, status_code=303, headers={"Cache-Control": "no-store"})

    @get("/pay", operation_id="payCheckoutSession")
    async def pay(
        self,
        app_uuid: FromPath[UUID],
        session_uuid: FromPath[UUID],
        token: FromPath[str],
        continue_payment: NamedDependency[ContinuePayment],
        total: Total = None,
    ) -> Redirect:
        """To the provider's page, through a fresh payment when the last one has ended."""
        link = (AppUuid(app_uuid), session_uuid, token)
        url = await continue_payment.pay(*link, shown_minor=total)
        return Redirect(url, status_code=303, headers={"Cache-Control": "no-store"})
