"""The billing portal: apps ask for a link to it, and customers look after their subscriptions."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Redirect
from msgspec import Meta, Struct

from app.checkout.schemas import NextAction
from app.http.bodies import Body, any_body
from app.http.caller import bearer, bearer_or_key, public
from app.http.desk import Desk
from app.http.envelope import Envelope, one
from app.http.fields import Url, check_url
from app.pages.http import REFRESH_S, Lang, accepted, spoken, wait_page
from app.pages.portal import PROBLEM, PortalPages
from app.pages.render import page
from domain.kernel.errors import (
    DomainError,
    Forbidden,
    NotFound,
    ProviderUnreadable,
    StillRunning,
    Unauthenticated,
    Unavailable,
    Violation,
)
from domain.kernel.ids import TenantUuid
from domain.payments.payment_provider import ProviderName, provider_named
from domain.subscriptions.portal import PortalService, Wanted

KIND: Final = "billingPortal"


Problem = Annotated[str | None, QueryParameter(name="problem")]


class PortalBody(Body, kw_only=True, frozen=True, rename="camel"):
    """Where the customer goes from the portal."""

    default_return_url: Annotated[
        Url,
        Meta(
            description="where the customer goes back to; on one of the app's hosts",
            examples=["https://app.example.com/account"],
        ),
    ]

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_url(given.get("default_return_url"), "defaultReturnUrl")

    def wanted(self, tenant_uuid: UUID, provider: ProviderName) -> Wanted:
        return Wanted(
            tenant_uuid=TenantUuid(tenant_uuid),
            provider=provider,
            return_url=self.default_return_url,
        )


class TenantPortalBody(PortalBody, kw_only=True, frozen=True, rename="camel"):
    """Which tenant the customer acts for, and where it goes from the portal."""

    tenant_uuid: Annotated[UUID, Meta(description="the tenant; the caller belongs to it")]


class PortalLink(Struct, frozen=True, rename="camel"):
    next_action: NextAction


class BillingPortalsController(Controller):
    """For apps: a link to give to a customer."""

    path = "/api/v1/apps/{app_uuid:uuid}"
    tags = ("Billing portal",)

    @post(
        "/payment-providers/{provider:str}/billing-portals",
        operation_id="openBillingPortal",
        guards=[bearer],
        status_code=200,
    )
    async def open(
        self,
        app_uuid: FromPath[UUID],
        provider: FromPath[str],
        data: JSONBody[TenantPortalBody],
        desk: NamedDependency[Desk],
        portals: NamedDependency[PortalService],
        portal_pages: NamedDependency[PortalPages],
    ) -> Envelope[PortalLink]:
        """A link to the tenant's billing portal, for an hour. Send the user to `nextAction.url`."""
        wanted = data.wanted(data.tenant_uuid, provider_named(provider))
        return await _open(desk, portals, portal_pages, wanted)

    @post(
        "/tenants/{tenant_uuid:uuid}/payment-providers/{provider:str}/billing-portals",
        operation_id="openTenantBillingPortal",
        guards=[bearer_or_key],
        status_code=200,
    )
    async def open_for(
        self,
        app_uuid: FromPath[UUID],
        tenant_uuid: FromPath[UUID],
        provider: FromPath[str],
        data: JSONBody[PortalBody],
        desk: NamedDependency[Desk],
        portals: NamedDependency[PortalService],
        portal_pages: NamedDependency[PortalPages],
    ) -> Envelope[PortalLink]:
        """The same, with the tenant in the path; also with an API key."""
        wanted = data.wanted(tenant_uuid, provider_named(provider))
        return await _open(desk, portals, portal_pages, wanted)


async def _open(
    desk: Desk, portals: PortalService, pages: PortalPages, wanted: Wanted
) -> Envelope[PortalLink]:
    """A pass changes nothing and is kept nowhere: a repeat is given another."""
    async with desk.read() as (tx, actor):
        made = await portals.admit(tx, desk.caller, actor, wanted)
    return one(KIND, PortalLink(NextAction(pages.address(made))))


def closed(request: Request[Any, Any, Any], _: DomainError) -> Response[str]:
    return page("gone.html", spoken(request), 404, word="portal_gone")


def wait(request: Request[Any, Any, Any], _: DomainError) -> Response[str]:
    """Back to the portal, which shows what has become of it."""
    speaks = spoken(request)
    text = speaks.say("wait_portal", seconds=REFRESH_S)
    again = f"/portal/{request.path_params['token']}/?lang={speaks.code}"
    return wait_page(speaks, text, again, is_payment=False)


class PortalController(Controller):
    """For customers: public, guarded by the pass in the link. Not part of the API's schema."""

    path = "/portal/{token:str}"
    guards = [public]
    include_in_schema = False
    exception_handlers = {
        NotFound: closed,
        Forbidden: closed,
        Unauthenticated: closed,
        StillRunning: wait,
        Unavailable: wait,
        ProviderUnreadable: wait,
    }

    @get("/", operation_id="showBillingPortal")
    async def show(
        self,
        token: FromPath[str],
        request: Request[Any, Any, Any],
        portal_pages: NamedDependency[PortalPages],
        lang: Lang = None,
        problem: Problem = None,
    ) -> Response[str]:
        """Subscriptions, payment methods and payments."""
        has_problem = problem == PROBLEM
        return await portal_pages.show(token, lang, accepted(request), has_problem=has_problem)

    @post(
        "/subscriptions/{uuid:uuid}/cancel",
        operation_id="cancelInPortal",
        before_request=any_body,
        status_code=303,
    )
    async def cancel(
        self,
        token: FromPath[str],
        uuid: FromPath[UUID],
        portal_pages: NamedDependency[PortalPages],
        lang: Lang = None,
    ) -> Redirect:
        """At the end of what is paid for."""
        return _see(await portal_pages.cancel(token, uuid), lang)

    @post(
        "/subscriptions/{uuid:uuid}/uncancel",
        operation_id="uncancelInPortal",
        before_request=any_body,
        status_code=303,
    )
    async def uncancel(
        self,
        token: FromPath[str],
        uuid: FromPath[UUID],
        portal_pages: NamedDependency[PortalPages],
        lang: Lang = None,
    ) -> Redirect:
        return _see(await portal_pages.uncancel(token, uuid), lang)

    @post(
        "/subscriptions/{uuid:uuid}/pay",
        operation_id="payInPortal",
        before_request=any_body,
        status_code=303,
    )
    async def pay(
        self,
        token: FromPath[str],
        uuid: FromPath[UUID],
        portal_pages: NamedDependency[PortalPages],
        lang: Lang = None,
    ) -> Redirect:
        """Pay what is open, if anything is, with a payment method that replaces the old one."""
        return _see(await portal_pages.pay(token, uuid), lang)


def _see(url: str, lang: str | None) -> Redirect:
    """To a page of ours: another address could not be reached from a form (see render.py)."""
    there = f"{url}{'&' if '?' in url else '?'}lang={lang}" if lang else url
    return Redirect(there, status_code=303, headers={"Cache-Control": "no-store"})
