"""From a caller to an actor: what an app says to a credential, as one pure function.

The facts come from one read inside the transaction that will do the work, so a disabled app, a
revoked key and a removed member are out at once. A token that names its tenants itself is believed
until it expires: its issuer has said so.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from domain.kernel.errors import AppDisabled, Unauthenticated, WrongKeyType
from domain.kernel.ids import TenantUuid
from domain.tenancy.api_key import ApiKey
from domain.tenancy.caller import KEY_SCOPES, Actor, Caller, KeyCaller
from domain.tenancy.tenant import Role


class AdmissionFacts(Struct, frozen=True, kw_only=True):
    app_is_disabled: bool | None
    """None: there is no such app."""
    memberships: Mapping[TenantUuid, Role] = {}
    """Those registered for the user; empty for an API key."""
    api_key: ApiKey | None = None
    """The key with the caller's hash, if the app has it."""


class Admissions(Protocol):
    async def facts(self, caller: Caller) -> AdmissionFacts: ...


def admit(caller: Caller, facts: AdmissionFacts, *, at: datetime) -> Actor:
    """Raises Unauthenticated, WrongKeyType or AppDisabled."""
    if facts.app_is_disabled is None:
        raise Unauthenticated("no such app")
    actor = (
        _key_actor(caller, facts, at)
        if isinstance(caller, KeyCaller)
        else Actor(
            app_uuid=caller.app_uuid,
            id=f"user:{caller.user_uuid}",
            user_uuid=caller.user_uuid,
            scopes=caller.scopes,
            tenants=facts.memberships if caller.tenants is None else caller.tenants,
        )
    )
    if facts.app_is_disabled:
        raise AppDisabled("App Is Disabled")
    return actor


def _key_actor(caller: KeyCaller, facts: AdmissionFacts, at: datetime) -> Actor:
    key = facts.api_key
    if key is None or not key.is_alive(at):
        raise Unauthenticated("no such API key, or expired, or revoked")
    if key.key_type is not caller.key_type:
        raise WrongKeyType(f"a {key.key_type} key was announced as {caller.key_type}")
    return Actor(
        app_uuid=caller.app_uuid,
        id=f"key:{key.uuid}",
        user_uuid=None,
        scopes=KEY_SCOPES[key.key_type],
        tenants={},
    )
