"""The shopper's links: to pay (again), and back from the provider's page."""

from pathlib import Path
from typing import Any, Final
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from app.http.caller import public
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

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
)

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

REFRESH_S: Final = 3


def page(template: str, status: int, **values: object) -> Response[str]:
    html = _TEMPLATES.get_template(template).render(**values)
    return Response(html, status_code=status, media_type="text/html", headers=SECURITY_HEADERS)


def no_such_link(_: Request[Any, Any, Any], __: DomainError) -> Response[str]:
    return page("gone.html", 404)


def wait_a_moment(_: Request[Any, Any, Any], error: DomainError) -> Response[str]:
    """The page asks again by itself; nothing is lost meanwhile."""
    response = page("wait.html", 503, refresh_s=REFRESH_S)
    response.headers["Retry-After"] = str(REFRESH_S)
    return response


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
    ) -> Redirect:
        """To the provider's page, through a fresh payment when the last one has ended."""
        url = await continue_payment.pay(AppUuid(app_uuid), session_uuid, token)
        return Redirect(url, status_code=303, headers={"Cache-Control": "no-store"})
