"""The repository of payment provider accounts: what the fake does, PostgreSQL does too."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

import pytest
from msgspec.structs import replace

from domain.kernel.errors import Conflict, NotFound
from domain.kernel.ids import AppUuid
from domain.kernel.pages import PageRequest
from domain.payments.payment_provider import ProviderName
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from tests.fakes.catalog import FakeCatalog, FakeCatalogTx
from tests.fakes.clock import NOON
from tests.make import APP, OTHER_APP, TENANT, an_account, an_app

LATER = NOON + timedelta(days=1)
MOLLIE, KOMOJU = ProviderName.MOLLIE, ProviderName.KOMOJU


class Accounts(Protocol):
    def begin(
        self, app_uuid: AppUuid
    ) -> AbstractAsyncContextManager[FakeCatalogTx | PostgresTx]: ...


@pytest.fixture(params=["fake", "postgres"])
async def accounts(request: pytest.FixtureRequest, clean_database: str) -> AsyncIterator[Accounts]:
    if request.param == "fake":
        yield FakeCatalog()
        return
    database = Database(clean_database, PostgresTx)
    async with database.open():
        for app_uuid in (APP, OTHER_APP):
            async with database.begin(app_uuid) as tx:
                await tx.apps.add(an_app(app_uuid=app_uuid))
        yield database


async def test_an_account_comes_back_with_an_id(accounts: Accounts):
    account = an_account(credential_sealed=bytes(range(256)), verification_amount_minor=100)
    async with accounts.begin(APP) as tx:
        added = await tx.payment_providers.add(account)
    async with accounts.begin(APP) as tx:
        assert await tx.payment_providers.get(account.uuid) == added
        assert await tx.payment_providers.get_for_update(account.uuid) == added
        assert (await tx.payment_providers.page(PageRequest())).items == (added,)
    assert added.id > 0
    assert replace(added, id=0) == account


async def test_everything_that_may_change_is_saved(accounts: Accounts):
    async with accounts.begin(APP) as tx:
        added = await tx.payment_providers.add(an_account())
        after = replace(
            added,
            title="EU",
            is_default=True,
            credential_sealed=b"again",
            credential_hint="9999",
            credential_since=LATER,
            verification_amount_minor=1,
            updated_at=LATER,
        )
        await tx.payment_providers.save(after)
    async with accounts.begin(APP) as tx:
        assert await tx.payment_providers.get(added.uuid) == after


async def test_lists_show_the_newest_in_use_and_count_them_all(accounts: Accounts):
    async with accounts.begin(APP) as tx:
        made = [await tx.payment_providers.add(an_account(title=f"{n}")) for n in range(3)]
        gone = await tx.payment_providers.add(an_account(deleted_at=NOON))
        pages = [await tx.payment_providers.page(PageRequest(n, 2)) for n in range(3)]
        assert await tx.payment_providers.get(gone.uuid) == gone
    assert [page.total for page in pages] == [3, 3, 3]
    assert [account for page in pages for account in page.items] == made[::-1]


async def test_there_is_one_default_of_a_name(accounts: Accounts):
    async with accounts.begin(APP) as tx:
        mollie = await tx.payment_providers.add(an_account(is_default=True))
        komoju = await tx.payment_providers.add(an_account(name=KOMOJU, is_default=True))
    with pytest.raises(Conflict, match="default"):
        async with accounts.begin(APP) as tx:
            await tx.payment_providers.add(an_account(is_default=True))
    async with accounts.begin(APP) as tx:
        assert await tx.payment_providers.default(MOLLIE) == mollie
        assert await tx.payment_providers.default(KOMOJU) == komoju


async def test_what_webhooks_are_signed_with_is_kept(accounts: Accounts):
    account = an_account(name=KOMOJU, webhook_secret_sealed=bytes(range(200)))
    async with accounts.begin(APP) as tx:
        added = await tx.payment_providers.add(account)
        without = replace(added, webhook_secret_sealed=None)
        assert await tx.payment_providers.get(account.uuid) == added
        await tx.payment_providers.save(without)
        assert await tx.payment_providers.get(account.uuid) == without
    assert added.webhook_secret_sealed == bytes(range(200))


async def test_without_a_payment_method_the_oldest_default_is_usual(accounts: Accounts):
    """Where a tenant has one, tests/http/test_komoju_money.py asks."""
    async with accounts.begin(APP) as tx:
        assert await tx.payment_providers.usual(TENANT, None) is None
        await tx.payment_providers.add(an_account())
        oldest = await tx.payment_providers.add(an_account(name=KOMOJU, is_default=True))
        await tx.payment_providers.add(an_account(is_default=True))
        assert await tx.payment_providers.usual(TENANT, None) == oldest
        await tx.payment_providers.save(replace(oldest, deleted_at=NOON, is_default=False))
        usual = await tx.payment_providers.usual(TENANT, None)
        assert usual is not None and usual.name is MOLLIE
    async with accounts.begin(OTHER_APP) as tx:
        assert await tx.payment_providers.usual(TENANT, None) is None


async def test_the_default_is_cleared_and_set_anew(accounts: Accounts):
    async with accounts.begin(APP) as tx:
        first = await tx.payment_providers.add(an_account(is_default=True))
        second = await tx.payment_providers.add(an_account())
        komoju = await tx.payment_providers.add(an_account(name=KOMOJU, is_default=True))
        await tx.payment_providers.clear_default(MOLLIE, at=LATER)
        assert await tx.payment_providers.default(MOLLIE) is None
        await tx.payment_providers.save(replace(second, is_default=True))
    async with accounts.begin(APP) as tx:
        assert await tx.payment_providers.default(MOLLIE) == replace(second, is_default=True)
        assert await tx.payment_providers.default(KOMOJU) == komoju
        assert await tx.payment_providers.get(first.uuid) == replace(
            first, is_default=False, updated_at=LATER
        )


async def test_another_apps_accounts_are_not_there(accounts: Accounts):
    async with accounts.begin(APP) as tx:
        account = await tx.payment_providers.add(an_account(is_default=True))
    async with accounts.begin(OTHER_APP) as tx:
        with pytest.raises(NotFound):
            await tx.payment_providers.get(account.uuid)
        with pytest.raises(NotFound):
            await tx.payment_providers.get_for_update(account.uuid)
        assert await tx.payment_providers.default(MOLLIE) is None
        assert (await tx.payment_providers.page(PageRequest())).total == 0
        await tx.payment_providers.clear_default(MOLLIE, at=LATER)
    async with accounts.begin(APP) as tx:
        assert await tx.payment_providers.default(MOLLIE) == account
