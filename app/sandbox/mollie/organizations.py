"""The endpoints of an organisation: itself, how far it has come, its profiles, and invitations."""

from typing import Any, Final

from app.sandbox.mollie.access import organization_of, profiles_of
from app.sandbox.mollie.calls import Answer, Call
from app.sandbox.mollie.clock import stamp
from app.sandbox.mollie.connect_objects import CONNECT, ClientLink, Organization, Profile
from app.sandbox.mollie.countries import COUNTRIES
from app.sandbox.mollie.hal import PAGING, documentation, link, listing, page_link
from app.sandbox.mollie.problems import ApiProblem, refused
from app.sandbox.mollie.validation import iso_date, known_only, locale, required_text, text
from app.sandbox.words import words

_CLIENT_LINK: Final = words(
    "owner name address registrationNumber vatNumber legalEntity registrationOffice "
    "incorporationDate"
)
_OWNER: Final = words("email givenName familyName locale")
_ADDRESS: Final = words("country streetAndNumber postalCode city")


def own(call: Call) -> Organization:
    assert call.access is not None
    return organization_of(call.universe, call.access)


def get_organization(call: Call) -> Answer:
    known_only(call)
    organization = own(call)
    if call.ids[0] not in ("me", organization.id):
        raise ApiProblem(404, f"No organization exists with token {call.ids[0]}.")
    body = {
        "resource": "organization",
        "id": organization.id,
        "name": organization.name,
        "email": organization.email,
        "locale": "en_US",
        "address": {
            "streetAndNumber": "Keizersgracht 126",
            "postalCode": "1015 CW",
            "city": "Amsterdam",
            "country": "NL",
        },
        "registrationNumber": "30204462",
        "vatNumber": "NL815839091B01",
        "vatRegulation": None,
        "_links": {
            "self": link(call.base, f"organizations/{organization.id}"),
            "dashboard": page_link(f"{call.base}/"),
            "documentation": documentation("get-current-organization"),
        },
    }
    return Answer(200, body)


def get_onboarding(call: Call) -> Answer:
    known_only(call)
    if call.ids[0] != "me":
        raise ApiProblem(404, f"Nothing exists at /v2/{call.path}")
    organization = own(call)
    body = {
        "resource": "onboarding",
        "name": organization.name,
        "status": organization.onboarding,
        "canReceivePayments": organization.can_receive_payments,
        "canReceiveSettlements": organization.can_receive_settlements,
        "signedUpAt": stamp(organization.created_at),
        "_links": {
            "self": link(call.base, "onboarding/me"),
            "dashboard": page_link(f"{call.base}/"),
            "organization": link(call.base, f"organizations/{organization.id}"),
            "documentation": documentation("get-onboarding-status"),
        },
    }
    return Answer(200, body)


def list_profiles(call: Call) -> Answer:
    known_only(call, query=PAGING)
    found = profiles_of(call.universe, own(call).id)
    body = listing(
        call, "profiles", found, lambda one: render_profile(one, "live", call.base), "list-profiles"
    )
    return Answer(200, body)


def get_own_profile(call: Call) -> Answer:
    """For a token: any of its organisation's, by its id; `me` is what only an API key has."""
    known_only(call)
    wanted = call.ids[0]
    if wanted == "me":
        raise ApiProblem(403, "The current profile can only be read with an API key")
    for profile in profiles_of(call.universe, own(call).id):
        if profile.id == wanted:
            return Answer(200, render_profile(profile, call.world.mode, call.base))
    raise ApiProblem(404, f"No profile exists with token {wanted}.")


def render_profile(profile: Profile, mode: str, base: str) -> dict[str, Any]:
    return {
        "resource": "profile",
        "id": profile.id,
        "mode": mode,
        "name": profile.name,
        "website": profile.website,
        "email": profile.email,
        "phone": "+31208202070",
        "businessCategory": "OTHER_MERCHANDISE",
        "status": "verified",
        "createdAt": stamp(profile.created_at),
        "_links": {
            "self": link(base, f"profiles/{profile.id}"),
            "dashboard": page_link(f"{base}/"),
            "payments": link(base, f"payments?profileId={profile.id}"),
            "methods": link(base, f"methods?profileId={profile.id}"),
            "refunds": link(base, f"refunds?profileId={profile.id}"),
            "chargebacks": link(base, f"chargebacks?profileId={profile.id}"),
            "documentation": documentation("get-profile"),
        },
    }


def create_client_link(call: Call) -> Answer:
    known_only(call, body=_CLIENT_LINK)
    body = call.body
    # Mollie's own client only sends a token of the app's maker here, never a merchant's.
    if call.access is not None and call.access.client_id is not None:
        raise ApiProblem(403, "Invitations are made with an organization access token")
    owner, where = _part(body, "owner", _OWNER), _part(body, "address", _ADDRESS)
    for name in ("email", "givenName", "familyName"):
        _required(owner, "owner", name)
    locale(owner)
    if _required(where, "address", "country") not in COUNTRIES:
        raise refused("The 'country' field is invalid", "address.country")
    for name in ("registrationNumber", "vatNumber", "legalEntity", "registrationOffice"):
        text(body, name)
    iso_date(body, "incorporationDate")
    invitation = ClientLink(
        id=call.universe.new_id("cl"),
        key=CONNECT,
        created_at=call.at,
        name=required_text(body, "name"),
        email=owner["email"],
    )
    call.universe.put(invitation)
    href = f"{call.base}/dashboard/client-link/{invitation.id}"
    links = {
        "self": link(call.base, f"client-links/{invitation.id}"),
        "clientLink": page_link(href),
        "documentation": documentation("create-client-link"),
    }
    return Answer(201, {"resource": "client-link", "id": invitation.id, "_links": links})


def _part(body: dict[str, Any], name: str, known: frozenset[str]) -> dict[str, Any]:
    part = body.get(name)
    if not isinstance(part, dict):
        raise refused(f"The '{name}' field is missing", name)
    for inner in part:
        if inner not in known:
            field = f"{name}.{inner}"
            raise refused(f'Non-existent body parameter "{field}" for this API call.', field)
    for inner in known & part.keys():
        if part[inner] is not None and not isinstance(part[inner], str):
            raise refused(f"The '{inner}' field should be a string", f"{name}.{inner}")
    return part


def _required(part: dict[str, Any], name: str, inner: str) -> str:
    value = part.get(inner)
    if not value:
        raise refused(f"The '{inner}' field is missing", f"{name}.{inner}")
    return str(value)
