"""The repository of merchants' consents: what the fake does, PostgreSQL does too."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.kernel.errors import Conflict
from domain.kernel.ids import AppUuid
from domain.payments.application_fee import ApplicationFee
from domain.payments.connect import Grant
from domain.payments.customer import Customer
from domain.payments.payment_provider import (
    ConnectedBy,
    Parting,
    PaymentProvider,
    ProviderMode,
    ProviderName,
)
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from tests.fakes.clock import NOON
from tests.fakes.grants import FakeConnectTx, FakeGrants
from tests.make import APP, OTHER_APP, TENANT, a_tenant, a_uuid, an_account, an_app

LATER = NOON + timedelta(days=1)
MOLLIE, TEST, LIVE = ProviderName.MOLLIE, ProviderMode.TEST, ProviderMode.LIVE
FEE = ApplicationFee(basis_points=150, fixed_minor={"EUR": 25, "JPY": 30}, description="Ours")


class Grants(Protocol):
    def begin(
        self, app_uuid: AppUuid
    ) -> AbstractAsyncContextManager[FakeConnectTx | PostgresTx]: ...

    async def uses(self, account: PaymentProvider) -> None:
        """A tenant becomes a customer there."""
        ...


class InMemory(FakeGrants):
    async def uses(self, account: PaymentProvider) -> None:
        self.used.add(account.uuid)


class InPostgres(Database[PostgresTx]):
    async def uses(self, account: PaymentProvider) -> None:
        new = Customer(
            uuid=a_uuid(77),
            app_uuid=APP,
            payment_provider_uuid=account.uuid,
            tenant_uuid=TENANT,
            lease_until=NOON,
            first_submitted_at=NOON,
            created_at=NOON,
            updated_at=NOON,
        )
        async with self.begin(APP) as tx:
            await tx.tenants.add(a_tenant())
            await tx.customers.claim(new, now=NOON)


@pytest.fixture(params=["fake", "postgres"])
async def grants(request: pytest.FixtureRequest, clean_database: str) -> AsyncIterator[Grants]:
    if request.param == "fake":
        yield InMemory()
        return
    database = InPostgres(clean_database, PostgresTx)
    async with database.open():
        for app_uuid in (APP, OTHER_APP):
            async with database.begin(app_uuid) as tx:
                await tx.apps.add(an_app(app_uuid=app_uuid))
        yield database


async def made(grants: Grants, app_uuid: AppUuid = APP, **facts: Any) -> PaymentProvider:
    pending: dict[str, Any] = {
        "app_uuid": app_uuid,
        "credential_sealed": None,
        "connected_by": ConnectedBy.OAUTH,
        "is_connected": False,
        "account_ref": "pending_1",
    }
    account = an_account(**pending | facts)
    async with grants.begin(app_uuid) as tx:
        account = await tx.payment_providers.add(account)
        await tx.grants.add(Grant(app_uuid=app_uuid, payment_provider_uuid=account.uuid))
    return account


async def test_a_grant_comes_back_with_all_that_was_saved(grants: Grants):
    account = await made(grants)
    whole = Grant(
        app_uuid=APP,
        payment_provider_uuid=account.uuid,
        state_hash=b"state",
        state_issued_at=NOON,
        code_hash=b"code",
        code_used_at=NOON + timedelta(seconds=1),
        finished_at=NOON + timedelta(seconds=2),
        organization_ref="org_1",
        profile_ref="pfl_1",
        onboarding_url="https://provider.example/",
        refresh_sealed=bytes(range(256)),
        access_sealed=b"access",
        access_since=NOON + timedelta(seconds=3),
        access_expires_at=LATER,
        lease_until=NOON + timedelta(seconds=4),
        fence=7,
    )
    async with grants.begin(APP) as tx:
        assert await tx.grants.get(account.uuid) == Grant(
            app_uuid=APP, payment_provider_uuid=account.uuid
        )
        await tx.grants.save(whole)
    async with grants.begin(APP) as tx:
        assert await tx.grants.get_for_update(account.uuid) == whole
        await tx.grants.save(whole.without_tokens())
    async with grants.begin(APP) as tx:
        left = await tx.grants.get(account.uuid)
    assert left is not None
    assert (left.refresh_sealed, left.access_sealed, left.lease_until) == (None, None, None)
    assert (left.organization_ref, left.profile_ref, left.fence) == ("org_1", "pfl_1", 8)
    assert left.access_expires_at == LATER  # another process may have it in memory until then


async def test_an_account_comes_back_with_all_that_its_merchant_brought(grants: Grants):
    account = await made(grants)
    connected = replace(
        account,
        is_connected=True,
        is_default=True,
        account_ref="org_1",
        profile_ref="pfl_1",
        provider_metadata={"canReceivePayments": True, "missingFields": []},
        disconnected_because=Parting.MERCHANT,
        application_fee=FEE,
        updated_at=LATER,
    )
    async with grants.begin(APP) as tx:
        await tx.payment_providers.save(connected)
    async with grants.begin(APP) as tx:
        assert await tx.payment_providers.get(account.uuid) == connected
        assert await tx.payment_providers.default(MOLLIE) == connected
        assert await tx.grants.account(MOLLIE, TEST, lock=True) == connected


async def test_an_app_has_one_account_of_each_kind_that_is_not_deleted(grants: Grants):
    account = await made(grants)
    with pytest.raises(Conflict):
        await made(grants)
    live = await made(grants, mode=LIVE)
    async with grants.begin(APP) as tx:
        await tx.payment_providers.add(an_account())
        assert await tx.grants.account(MOLLIE, TEST) == account
        assert await tx.grants.account(MOLLIE, LIVE) == live
        assert await tx.grants.account(ProviderName.KOMOJU, TEST) is None
        await tx.payment_providers.save(replace(account, deleted_at=LATER))
    async with grants.begin(APP) as tx:
        assert await tx.grants.account(MOLLIE, TEST) is None
    again = await made(grants)
    async with grants.begin(APP) as tx:
        assert await tx.grants.account(MOLLIE, TEST) == again


async def test_making_an_account_that_there_is_leaves_the_transaction_as_it_was(grants: Grants):
    account = await made(grants)
    async with grants.begin(APP) as tx:
        with pytest.raises(Conflict):
            await tx.payment_providers.add(replace(account, uuid=a_uuid(99)))
        assert await tx.grants.account(MOLLIE, TEST) == account


async def test_of_deleted_accounts_the_newest_is_found_or_the_newest_that_lets_us_in(
    grants: Grants,
):
    gone = [await deleted(grants, await made(grants, uuid=a_uuid(n))) for n in (91, 92, 93)]
    await made(grants)
    async with grants.begin(APP) as tx:
        assert await tx.grants.deleted_account(MOLLIE, TEST) == gone[2]
        assert await tx.grants.deleted_account(MOLLIE, LIVE) is None
        assert await tx.grants.deleted_account(MOLLIE, TEST, with_tokens=True) is None
        for account in gone[:2]:
            await tx.grants.save(with_tokens(account))
        assert await tx.grants.deleted_account(MOLLIE, TEST, with_tokens=True) == gone[1]
    async with grants.begin(OTHER_APP) as tx:
        assert await tx.grants.deleted_account(MOLLIE, TEST) is None


async def deleted(grants: Grants, account: PaymentProvider) -> PaymentProvider:
    gone = replace(account, deleted_at=LATER)
    async with grants.begin(APP) as tx:
        await tx.payment_providers.save(gone)
    return gone


def with_tokens(account: PaymentProvider) -> Grant:
    return Grant(
        app_uuid=APP,
        payment_provider_uuid=account.uuid,
        refresh_sealed=b"refresh",
        access_sealed=b"access",
        access_since=NOON,
        access_expires_at=LATER,
    )


async def test_another_apps_grants_do_not_exist_here(grants: Grants):
    account = await made(grants)
    async with grants.begin(OTHER_APP) as tx:
        assert await tx.grants.get(account.uuid) is None
        assert await tx.grants.get_for_update(account.uuid) is None
        assert await tx.grants.account(MOLLIE, TEST) is None
    async with grants.begin(APP) as tx:
        assert await tx.grants.get(UUID(int=1)) is None


async def test_an_account_is_used_once_somebody_is_a_customer_there(grants: Grants):
    account = await made(grants)
    async with grants.begin(APP) as tx:
        assert not await tx.grants.account_is_used(account.uuid)
    await grants.uses(account)
    async with grants.begin(APP) as tx:
        assert await tx.grants.account_is_used(account.uuid)
