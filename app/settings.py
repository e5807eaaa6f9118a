"""Settings, all from the environment. Each has a unit, a default and a reason to exist."""

import os
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct


class Settings(Struct, frozen=True, kw_only=True):
    """`database_url` is KONTOR_DATABASE_URL, and so on. `kontor settings` prints them all."""

    database_url: Annotated[
        str, Meta(description="PostgreSQL to work with; a member of the role kontor_app suffices")
    ]
    database_pool_size: Annotated[
        int, Meta(ge=1, le=200, description="connections per process")
    ] = 10
    public_url: Annotated[
        str, Meta(description="where shoppers and providers reach this API, without a final slash")
    ] = "http://127.0.0.1:8000"
    secret_key: Annotated[
        str,
        Meta(
            description="seals credentials: `version:base64 of 32 bytes`, newest first, separated "
            "by commas. `kontor doctor --new-key` prints one"
        ),
    ] = ""
    mollie_url: Annotated[str, Meta(description="Mollie's API, or the sandbox's address")] = (
        "https://api.mollie.com"
    )
    mollie_connect_client_id: Annotated[
        str, Meta(description="the app that merchants let in at Mollie (Connect): `app_...`")
    ] = ""
    mollie_connect_client_secret: Annotated[str, Meta(description="that app's secret")] = ""
    mollie_connect_redirect_url: Annotated[
        str,
        Meta(
            description="where Mollie sends merchants back to with `code` and `state`, exactly as "
            "it is registered there: a page that finishes the connecting with both"
        ),
    ] = ""
    mollie_connect_authorize_url: Annotated[
        str, Meta(description="Mollie's page that asks merchants, or the sandbox's")
    ] = "https://my.mollie.com/oauth2/authorize"
    komoju_url: Annotated[str, Meta(description="KOMOJU's API, or the sandbox's address of it")] = (
        "https://komoju.com"
    )
    provider_timeout_s: Annotated[
        float,
        Meta(
            gt=0,
            le=4.5,
            description="seconds for one call to a provider; opening a session makes two at most",
        ),
    ] = 4.5
    provider_calls_per_s: Annotated[
        float,
        Meta(
            ge=1,
            le=10_000,
            description="calls a second to one account at a provider, from one process; fewer "
            "while the provider says that it is too much",
        ),
    ] = 20.0
    lease_s: Annotated[
        int,
        Meta(
            ge=1,
            le=600,
            description="seconds after which work that a dead process held is taken up by another",
        ),
    ] = 30
    worker_poll_s: Annotated[
        float, Meta(gt=0, le=60, description="seconds between two looks for due work")
    ] = 0.5
    webhook_targets_private: Annotated[
        bool,
        Meta(
            description="development: events may be sent to http and private addresses; never set "
            "this where strangers may register webhook endpoints"
        ),
    ] = False
    trusted_proxies: Annotated[
        str,
        Meta(
            description="whose X-Forwarded-For is believed: addresses and networks, separated by "
            "commas. The shopper's address is kept with a consent, so name your proxies and no more"
        ),
    ] = "127.0.0.1,::1"
    host: Annotated[str, Meta(description="address that `kontor serve` listens on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="port of `kontor serve`")] = 8000
    is_dev: Annotated[
        bool,
        Meta(
            description="development: `kontor token` works, and issuers may be at http://localhost"
        ),
    ] = False


SECRETS = frozenset({"database_url", "secret_key", "mollie_connect_client_secret"})
PREFIX = "KONTOR_"


class BadSetting(ValueError):
    """Says which variable is wrong, and how."""


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Raises BadSetting."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        name = PREFIX + field.name.upper()
        if (text := environment.get(name)) is None:
            if field.required:
                raise BadSetting(f"{name} is not set")
            continue
        try:
            values[field.name] = msgspec.convert(text, field.type, strict=False)
        except msgspec.ValidationError as error:
            raise BadSetting(f"{name}: {str(error).replace('`', '')}") from None
    return Settings(**values)
