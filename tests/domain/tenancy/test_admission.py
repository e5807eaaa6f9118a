"""Whom an app lets in: every combination of what a caller claims and what the app knows."""

from datetime import timedelta
from itertools import product

import pytest
from msgspec.structs import replace

from domain.kernel.errors import AppDisabled, Unauthenticated, WrongKeyType
from domain.tenancy.admission import AdmissionFacts, admit
from domain.tenancy.caller import KEY_SCOPES, KeyCaller, KeyType, Scope, UserCaller
from domain.tenancy.tenant import Role
from tests.make import APP, NOON, OTHER_TENANT, TENANT, USER, an_api_key

SECOND = timedelta(seconds=1)
CLAIMED = {TENANT: Role.ADMIN}
REGISTERED = {OTHER_TENANT: Role.MEMBER}


def a_user(**said) -> UserCaller:
    usual = {"app_uuid": APP, "user_uuid": USER, "scopes": frozenset(), "tenants": None}
    return UserCaller(**{**usual, **said})


def a_key(key_type: KeyType = KeyType.WRITE) -> KeyCaller:
    return KeyCaller(app_uuid=APP, key_hash=b"hash", key_type=key_type)


CALLERS = [
    a_user(),
    a_user(tenants=CLAIMED),
    a_user(tenants={}, scopes=frozenset({"catalog:write"})),
    a_key(KeyType.READ),
    a_key(KeyType.WRITE),
]
KEYS = [
    None,
    an_api_key(key_type=KeyType.READ),
    an_api_key(key_type=KeyType.WRITE),
    an_api_key(expires_at=NOON + SECOND),
    an_api_key(expires_at=NOON),
    an_api_key(revoked_at=NOON),
]


def expected_error(caller, disabled, key) -> type[Exception] | None:
    if disabled is None:
        return Unauthenticated
    if isinstance(caller, KeyCaller):
        if key is None or key.revoked_at is not None or key.expires_at == NOON:
            return Unauthenticated
        if key.key_type is not caller.key_type:
            return WrongKeyType
    return AppDisabled if disabled else None


@pytest.mark.parametrize(
    ("caller", "disabled", "key"), list(product(CALLERS, [None, False, True], KEYS))
)
def test_every_combination_is_decided(caller, disabled, key):
    facts = AdmissionFacts(app_is_disabled=disabled, memberships=REGISTERED, api_key=key)
    error = expected_error(caller, disabled, key)
    if error is None:
        actor = admit(caller, facts, at=NOON)
        assert actor.app_uuid == APP
    else:
        with pytest.raises(error) as raised:
            admit(caller, facts, at=NOON)
        assert type(raised.value) is error


def test_the_tokens_tenants_count_when_it_names_any_even_none():
    facts = AdmissionFacts(app_is_disabled=False, memberships=REGISTERED)
    assert admit(a_user(), facts, at=NOON).tenants == REGISTERED
    assert admit(a_user(tenants=CLAIMED), facts, at=NOON).tenants == CLAIMED
    assert admit(a_user(tenants={}), facts, at=NOON).tenants == {}


def test_a_user_acts_under_its_own_name_with_the_tokens_scopes():
    facts = AdmissionFacts(app_is_disabled=False)
    actor = admit(a_user(scopes=frozenset({"catalog:read"})), facts, at=NOON)
    assert (actor.id, actor.user_uuid) == (f"user:{USER}", USER)
    assert actor.may(Scope.CATALOG_READ)
    assert not actor.may(Scope.CATALOG_WRITE)


@pytest.mark.parametrize("key_type", list(KeyType))
def test_a_key_acts_under_its_own_name_with_the_scopes_of_its_type(key_type):
    key = an_api_key(key_type=key_type)
    facts = AdmissionFacts(app_is_disabled=False, memberships=REGISTERED, api_key=key)
    actor = admit(a_key(key_type), facts, at=NOON)
    assert (actor.id, actor.user_uuid, actor.tenants) == (f"key:{key.uuid}", None, {})
    assert actor.scopes == KEY_SCOPES[key_type]


def test_a_dead_key_hears_nothing_of_the_app_being_disabled():
    facts = AdmissionFacts(app_is_disabled=True, api_key=an_api_key(revoked_at=NOON))
    with pytest.raises(Unauthenticated):
        admit(a_key(), facts, at=NOON)


@pytest.mark.parametrize("scope", list(Scope))
def test_a_read_key_may_read_everything_and_write_nothing(scope):
    key = an_api_key(key_type=KeyType.READ)
    facts = AdmissionFacts(app_is_disabled=False, api_key=key)
    actor = admit(a_key(KeyType.READ), facts, at=NOON)
    assert actor.may(scope) is scope.endswith(":read")


def test_a_key_lives_until_the_very_instant_it_expires():
    key = an_api_key(expires_at=NOON)
    assert key.is_alive(NOON - SECOND)
    assert not key.is_alive(NOON)
    assert not replace(key, expires_at=None, revoked_at=NOON).is_alive(NOON - SECOND)
