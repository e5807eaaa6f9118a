"""Who may call an endpoint, as OpenAPI says it. It follows from the route's guard alone."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from app.docs.endpoints import Endpoint
from app.http.caller import api_key, bearer, bearer_of_app, bearer_or_key, public

SCHEMES: Final[Mapping[str, Mapping[str, str]]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of one of the app's issuers; its `aud` is the app's uuid, its "
        "`sub` the user. `tenants` or the registered memberships say whom it bills, `scope` what "
        "it may do in the whole app.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "An API key of the app, together with `x-client-id` and `x-api-key-type`.",
    },
    "clientId": {
        "type": "apiKey",
        "in": "header",
        "name": "x-client-id",
        "description": "The app's uuid, the same as in the path.",
    },
    "apiKeyType": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key-type",
        "description": "`read` for GET, `write` for everything else; keys are of one type.",
    },
}

_BEARER: Final[Mapping[str, list[str]]] = {"bearer": []}
_KEY: Final[Mapping[str, list[str]]] = {"apiKey": [], "clientId": [], "apiKeyType": []}

# One entry of a list suffices; all members of an entry are needed together.
_BY_GUARD: Final[Mapping[Callable[..., Any], list[Mapping[str, list[str]]]]] = {
    public: [],
    bearer: [_BEARER],
    bearer_of_app: [_BEARER],
    api_key: [_KEY],
    bearer_or_key: [_BEARER, _KEY],
}


def security_of(endpoint: Endpoint) -> list[Mapping[str, list[str]]]:
    return _BY_GUARD[endpoint.guard]
