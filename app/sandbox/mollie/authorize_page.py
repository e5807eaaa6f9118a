"""The page on which an organisation lets an app in, or does not; and the link that invites one.

Stands for Mollie's login too: whoever opens it says which organisation they are. It is shown every
time, `approval_prompt` or not. Only what cannot be answered to the app is told on the page.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec.structs import replace

from app.sandbox.mollie.access import new_organization, organizations
from app.sandbox.mollie.connect_life import allow, shut_out
from app.sandbox.mollie.connect_objects import ClientLink, OAuthClient, Organization
from app.sandbox.mollie.html import page, see_other
from app.sandbox.mollie.plane import AnyRequest, Plane
from app.sandbox.mollie.scopes import SCOPES

Page = Response[str] | Response[bytes]
LINK_LIVES: Final = timedelta(days=30)
_NEW: Final = "new"
_FORM_BYTES_MAX: Final = 4_000
_NAME_MAX: Final = 100


class Unanswerable(Exception):
    """Nobody can be sent back: the app or its address is not known."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the app wants, as far as it could be read; `error` says what is wrong with it."""

    client: OAuthClient
    redirect_uri: str | None  # as it was given
    state: str | None
    scopes: tuple[str, ...]
    forced: bool
    wanted: str | None  # the organisation that a client link was made for
    error: tuple[str, str] | None

    def back(self, **said: str) -> str:
        parts = urlsplit(self.redirect_uri or self.client.redirect_uri)
        answer = {**said, **({} if self.state is None else {"state": self.state})}
        query = "&".join(part for part in (parts.query, urlencode(answer)) if part)
        return urlunsplit(parts._replace(query=query))

    def refusal(self, error: str, description: str) -> str:
        return self.back(error=error, error_description=description)


def _asked(plane: Plane, request: AnyRequest) -> Asked:
    query = parse_qs(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    said = {name: values[-1] for name, values in query.items()}
    client = plane.universe.find(OAuthClient, said.get("client_id", ""))
    if client is None:
        raise Unanswerable("There is no app with this client_id. Register it first.")
    redirect_uri = said.get("redirect_uri")
    if redirect_uri not in (None, client.redirect_uri):
        raise Unanswerable("The redirect_uri is not the one that the app is registered with.")
    scopes = tuple(dict.fromkeys(said.get("scope", "").split()))
    repeated = [name for name, values in query.items() if len(values) > 1]
    return Asked(
        client=client,
        redirect_uri=redirect_uri,
        state=said.get("state") or None,
        scopes=scopes,
        forced=said.get("approval_prompt") == "force",
        wanted=said.get("organization"),
        error=_error(said, scopes, repeated),
    )


def _error(
    said: dict[str, str], scopes: tuple[str, ...], repeated: list[str]
) -> tuple[str, str] | None:
    if repeated:
        return "invalid_request", f"The {repeated[0]} parameter is given twice"
    if not said.get("state"):
        return "invalid_request", "The state parameter is required"
    if (kind := said.get("response_type")) != "code":
        known = "unsupported_response_type" if kind else "invalid_request"
        return known, "The response_type parameter should be code"
    if said.get("approval_prompt", "auto") not in ("auto", "force"):
        return "invalid_request", "The approval_prompt parameter should be auto or force"
    if not scopes:
        return "invalid_scope", "The scope parameter is required"
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        return "invalid_scope", f"The scope {unknown[0]} is unknown"
    return None


def _problem(detail: str, status: int = 400) -> Page:
    return page("problem.html", status=status, title="This cannot be allowed", detail=detail)


def _consent(plane: Plane, asked: Asked, problem: str | None = None) -> Page:
    known = list(organizations(plane.universe))
    return page(
        "authorize.html",
        status=200 if problem is None else 422,
        client=asked.client,
        scopes=[scope.rpartition(".") for scope in asked.scopes],
        organizations=known,
        chosen=asked.wanted or (known[0].id if known else _NEW),
        back=asked.client.redirect_uri,
        problem=problem,
    )


@get("/oauth2/authorize")
async def show_consent(request: AnyRequest, plane: NamedDependency[Plane]) -> Page:
    await plane.finish()
    try:
        asked = _asked(plane, request)
    except Unanswerable as problem:
        return _problem(str(problem))
    if asked.error is not None:
        return see_other(asked.refusal(*asked.error))
    return _consent(plane, asked)


@post("/oauth2/authorize", status_code=200)
async def decide_consent(request: AnyRequest, plane: NamedDependency[Plane]) -> Page:
    written = (await request.body())[:_FORM_BYTES_MAX].decode("utf-8", "replace")
    form = {name: values[-1] for name, values in parse_qs(written).items()}
    plane.begin()
    try:
        asked = _asked(plane, request)
    except Unanswerable as problem:
        return _problem(str(problem))
    if asked.error is not None:
        return see_other(asked.refusal(*asked.error))
    if form.get("decision") == "deny":
        return see_other(asked.refusal("access_denied", "The user denied the request"))
    if form.get("decision") != "allow":
        return _consent(plane, asked, "Choose: allow or deny.")
    if (organization := _organization(plane, form)) is None:
        return _consent(plane, asked, "Choose an organisation, or name a new one.")
    if asked.forced:
        # With `force`, a new authorization ends those before it.
        shut_out(plane.universe, asked.client.id, organization.id)
    grant = allow(plane.universe, asked.client, organization, asked.scopes, asked.redirect_uri)
    await plane.finish()
    return see_other(asked.back(code=grant.id))


def _organization(plane: Plane, form: dict[str, str]) -> Organization | None:
    wanted = form.get("organization", "")
    if wanted != _NEW:
        return plane.universe.find(Organization, wanted)
    name = form.get("name", "").strip()[:_NAME_MAX]
    return new_organization(plane.universe, name, "owner@example.org") if name else None


@get("/dashboard/client-link/{link_id:str}")
async def follow_client_link(
    link_id: FromPath[str], request: AnyRequest, plane: NamedDependency[Plane]
) -> Page:
    """The invited one signs up by coming here, and is asked for consent like anybody else."""
    at = plane.begin()
    invitation = plane.universe.find(ClientLink, link_id)
    if invitation is None or at >= invitation.created_at + LINK_LIVES:
        return _problem("The invitation does not exist, or is older than 30 days.", 404)
    if invitation.organization_id is None:
        joined = replace(
            new_organization(plane.universe, invitation.name, invitation.email),
            onboarding="needs-data",
            can_receive_payments=False,
            can_receive_settlements=False,
        )
        plane.universe.put(joined)
        invitation = replace(invitation, organization_id=joined.id)
        plane.universe.put(invitation)
    await plane.finish()
    said = dict(request.query_params)
    query = {**said, "response_type": "code", "organization": invitation.organization_id}
    return see_other(f"/oauth2/authorize?{urlencode(query)}")


ROUTES: Final[tuple[Any, ...]] = (show_consent, decide_consent, follow_client_link)
