"""Apps, issuers, keys, tenants and members in a real PostgreSQL, and nobody else's."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain.kernel.errors import Conflict, NotFound
from domain.kernel.pages import PageRequest
from domain.tenancy.admission import AdmissionFacts
from domain.tenancy.app import JwtIssuer, SigningAlgorithm
from domain.tenancy.caller import KeyCaller, KeyType, UserCaller
from domain.tenancy.tenant import Membership, Role
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from tests.make import (
    APP,
    NOON,
    OTHER_APP,
    OTHER_TENANT,
    OTHER_USER,
    TENANT,
    USER,
    a_tenant,
    a_uuid,
    an_api_key,
    an_app,
)

HASH = b"\x01" * 32


@pytest.fixture
async def database(clean_database):
    """Two apps, of which the second has nothing but its name."""
    database = Database(clean_database, PostgresTx, pool_size=2)
    async with database.open():
        for app in (an_app(allowed_hosts=("shop.example.com",)), an_app(app_uuid=OTHER_APP)):
            async with database.begin(app.app_uuid) as tx:
                await tx.apps.add(app)
        yield database


def an_issuer(**said) -> JwtIssuer:
    usual = {"uuid": a_uuid(41), "app_uuid": APP, "issuer": "https://login.example.com"}
    keys = {"algorithm": SigningAlgorithm.ES256, "public_keys": ("PEM",), "created_at": NOON}
    return JwtIssuer(**{**usual, **keys, **said})


def a_member(**said) -> Membership:
    usual = {"app_uuid": APP, "tenant_uuid": TENANT, "user_uuid": USER, "role": Role.MEMBER}
    return Membership(**{**usual, "created_at": NOON, **said})


def a_user(app_uuid=APP, tenants=None) -> UserCaller:
    return UserCaller(app_uuid=app_uuid, user_uuid=USER, scopes=frozenset(), tenants=tenants)


def a_key_caller(key_hash: bytes = HASH) -> KeyCaller:
    return KeyCaller(app_uuid=APP, key_hash=key_hash, key_type=KeyType.WRITE)


async def test_an_app_comes_back_as_it_was_saved(database):
    changed = an_app(name="New", is_disabled=True, updated_at=NOON + timedelta(hours=1))
    async with database.begin(APP) as tx:
        assert await tx.apps.get() == an_app(allowed_hosts=("shop.example.com",))
        await tx.apps.save(changed)
    async with database.begin(APP) as tx:
        assert await tx.apps.get() == changed


async def test_an_app_that_is_not_there_is_not_found(database):
    async with database.begin(USER) as tx:
        with pytest.raises(NotFound):
            await tx.apps.get()
        with pytest.raises(NotFound):
            await tx.apps.save(an_app())


async def test_issuers_come_back_and_their_names_are_taken_once(database):
    jwks = an_issuer(
        uuid=a_uuid(42), issuer="b", jwks_url="https://example.com/jwks", public_keys=()
    )
    async with database.begin(APP) as tx:
        await tx.apps.add_issuer(an_issuer())
        await tx.apps.add_issuer(jwks)
    async with database.begin(APP) as tx:
        assert await tx.apps.issuers() == (an_issuer(), jwks)
    async with database.begin(OTHER_APP) as tx:
        assert await tx.apps.issuers() == ()
    with pytest.raises(Conflict):
        async with database.begin(APP) as tx:
            await tx.apps.add_issuer(an_issuer(uuid=a_uuid(43)))


async def test_an_api_key_is_found_by_its_hash_until_told_otherwise(database):
    async with database.begin(APP) as tx:
        await tx.apps.add_api_key(an_api_key(), secret_hash=HASH)
        await tx.apps.add_api_key(an_api_key(uuid=a_uuid(32)), secret_hash=b"other")
        facts = await tx.admissions.facts(a_key_caller())
        assert facts == AdmissionFacts(app_is_disabled=False, api_key=an_api_key())

        revoked = replace(an_api_key(), revoked_at=NOON, expires_at=NOON)
        await tx.apps.save_api_key(revoked)
        assert await tx.apps.api_key(revoked.uuid) == revoked
        assert (await tx.admissions.facts(a_key_caller())).api_key == revoked


async def test_an_unknown_key_is_told_from_an_unknown_app(database):
    async with database.begin(APP) as tx:
        facts = await tx.admissions.facts(a_key_caller(b"unknown"))
        assert facts == AdmissionFacts(app_is_disabled=False)
        with pytest.raises(NotFound):
            await tx.apps.api_key(a_uuid(99))
        with pytest.raises(NotFound):
            await tx.apps.save_api_key(an_api_key())
    async with database.begin(USER) as tx:
        assert await tx.admissions.facts(a_key_caller()) == AdmissionFacts(app_is_disabled=None)
        assert await tx.admissions.facts(a_user()) == AdmissionFacts(app_is_disabled=None)


async def test_a_key_of_one_app_is_unknown_to_the_other(database):
    async with database.begin(APP) as tx:
        await tx.apps.add_api_key(an_api_key(), secret_hash=HASH)
    async with database.begin(OTHER_APP) as tx:
        facts = await tx.admissions.facts(replace(a_key_caller(), app_uuid=OTHER_APP))
        assert facts == AdmissionFacts(app_is_disabled=False)


async def test_a_users_memberships_are_read_unless_the_token_names_its_tenants(database):
    async with database.begin(APP) as tx:
        await tx.tenants.add(a_tenant())
        await tx.tenants.add(a_tenant(uuid=OTHER_TENANT))
        await tx.tenants.put_member(a_member())
        await tx.tenants.put_member(a_member(tenant_uuid=OTHER_TENANT, role=Role.ADMIN))
        await tx.tenants.put_member(a_member(user_uuid=OTHER_USER))

        registered = {TENANT: Role.MEMBER, OTHER_TENANT: Role.ADMIN}
        assert (await tx.admissions.facts(a_user())).memberships == registered
        assert (await tx.admissions.facts(a_user(tenants={}))).memberships == {}
    async with database.begin(OTHER_APP) as tx:
        facts = await tx.admissions.facts(a_user(OTHER_APP))
        assert facts == AdmissionFacts(app_is_disabled=False)


async def test_a_tenant_comes_back_as_it_was_saved(database):
    tenant = a_tenant(email="a@example.com", metadata={"plan": "x", "deep": {"n": [1, None]}})
    async with database.begin(APP) as tx:
        await tx.tenants.add(tenant)
    async with database.begin(APP) as tx:
        assert await tx.tenants.get(TENANT) == tenant
        await tx.tenants.save(a_tenant(name="New"))
        assert await tx.tenants.get(TENANT) == a_tenant(name="New")
        with pytest.raises(NotFound):
            await tx.tenants.save(a_tenant(uuid=OTHER_TENANT))


async def test_two_changes_of_one_tenant_wait_for_each_other(database):
    async def change_email() -> None:
        async with database.begin(APP) as tx:
            tenant = await tx.tenants.get_for_update(TENANT)
            await tx.tenants.save(replace(tenant, email="a@example.com"))

    async with database.begin(APP) as tx:
        await tx.tenants.add(a_tenant())
    async with database.begin(APP) as tx:
        tenant = await tx.tenants.get_for_update(TENANT)
        other = asyncio.create_task(change_email())
        for _ in range(50):  # time enough for the other, did it not have to wait
            await tx.tenants.get(TENANT)
        assert not other.done()
        await tx.tenants.save(replace(tenant, name="New"))
    await other
    async with database.begin(APP) as tx:
        assert await tx.tenants.get(TENANT) == a_tenant(name="New", email="a@example.com")


async def test_two_apps_may_use_the_same_tenant_uuid_and_see_only_their_own(database):
    theirs = a_tenant(app_uuid=OTHER_APP, name="Theirs")
    async with database.begin(APP) as tx:
        await tx.tenants.add(a_tenant())
        with pytest.raises(Conflict):
            await tx.tenants.add(a_tenant(name="Again"))
    async with database.begin(OTHER_APP) as tx:
        with pytest.raises(NotFound):
            await tx.tenants.get(TENANT)
        await tx.tenants.add(theirs)
        assert (await tx.tenants.list(PageRequest(), only=None)).items == (theirs,)
    async with database.begin(APP) as tx:
        assert await tx.tenants.get(TENANT) == a_tenant()


async def test_a_list_is_paged_oldest_first_and_always_counted(database):
    tenants = [
        a_tenant(uuid=a_uuid(100 - n), created_at=NOON + timedelta(seconds=n)) for n in range(5)
    ]
    async with database.begin(APP) as tx:
        for tenant in reversed(tenants):
            await tx.tenants.add(tenant)

        async def pages(page: int, only=None):
            found = await tx.tenants.list(PageRequest(page, 2), only=only)
            return list(found.items), found.total

        assert await pages(0) == (tenants[:2], 5)
        assert await pages(2) == (tenants[4:], 5)
        assert await pages(9) == ([], 5)
        assert await pages(0, frozenset({tenants[3].uuid, USER})) == ([tenants[3]], 1)
        assert await pages(0, frozenset()) == ([], 0)


async def test_members_come_and_go(database):
    async with database.begin(APP) as tx:
        await tx.tenants.add(a_tenant())
        assert await tx.tenants.member(TENANT, USER) is None
        await tx.tenants.put_member(a_member())
        later = NOON + timedelta(hours=1)
        await tx.tenants.put_member(a_member(role=Role.ADMIN, created_at=later))
        assert await tx.tenants.member(TENANT, USER) == a_member(role=Role.ADMIN)
        assert await tx.tenants.remove_member(TENANT, USER) == a_member(role=Role.ADMIN)
        with pytest.raises(NotFound):
            await tx.tenants.remove_member(TENANT, USER)


async def test_nobody_joins_a_tenant_that_is_not_there(database):
    with pytest.raises(NotFound):
        async with database.begin(APP) as tx:
            await tx.tenants.put_member(a_member())
