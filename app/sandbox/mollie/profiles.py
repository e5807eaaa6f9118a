"""The profile behind an API key."""

from app.sandbox.mollie.calls import Answer, Call
from app.sandbox.mollie.hal import documentation, link, page_link
from app.sandbox.mollie.organizations import get_own_profile
from app.sandbox.mollie.problems import ApiProblem
from app.sandbox.mollie.validation import known_only


def get_profile(call: Call) -> Answer:
    if call.access is not None:
        return get_own_profile(call)
    known_only(call)
    id = call.world.profile_id
    if call.ids[0] not in ("me", id):
        raise ApiProblem(404, f"No profile exists with token {call.ids[0]}.")
    body = {
        "resource": "profile",
        "id": id,
        "mode": call.world.mode,
        "name": "Sandbox shop",
        "website": "https://shop.example.org",
        "email": "shop@example.org",
        "phone": "+31208202070",
        "businessCategory": "OTHER_MERCHANDISE",
        "status": "verified",
        "createdAt": "2024-01-01T00:00:00+00:00",
        "_links": {
            "self": link(call.base, f"profiles/{id}"),
            "dashboard": page_link(f"{call.base}/"),
            "documentation": documentation("get-current-profile"),
        },
    }
    return Answer(200, body)
