"""Accounts at payment providers: sealed, rotated, one default, let go."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain.kernel.errors import Conflict, Forbidden, Invalid, Refused
from domain.kernel.pages import PageRequest
from domain.payments.payment_provider import (
    ConnectedBy,
    PaymentProvider,
    ProviderMode,
    ProviderName,
)
from domain.payments.ports import credential_context, webhook_secret_context
from domain.payments.provider_service import NewProvider, ProviderChange, ProviderService
from domain.tenancy.caller import Scope
from infrastructure.providers import CREDENTIALS
from tests.fakes.catalog import FakeCatalog
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.ids import FakeIds
from tests.fakes.vault import FakeVault
from tests.make import APP, an_account, an_actor

ADMIN = an_actor(Scope.PROVIDERS_WRITE)
READER = an_actor(Scope.PROVIDERS_READ)
CLOCK = FakeClock(NOON + timedelta(hours=1))
VAULT = FakeVault()
ACCOUNTS = ProviderService(VAULT, CREDENTIALS, CLOCK, FakeIds())
MOLLIE, KOMOJU = ProviderName.MOLLIE, ProviderName.KOMOJU
KEY = "test_dHar4XY7LxsDOtmnkVtj"


def types(catalog: FakeCatalog) -> list[str]:
    return [event.type for event in catalog.rows[APP].events]


def opened(account: PaymentProvider) -> str:
    context = credential_context(account.uuid, account.app_uuid)
    return VAULT.open(account.credential_sealed, context=context)


async def test_a_credential_is_sealed_for_its_row_and_only_hinted_at():
    catalog = FakeCatalog()
    async with catalog.begin(APP) as tx:
        made = await ACCOUNTS.create(tx, ADMIN, NewProvider(name=MOLLIE, credential=KEY))
    assert opened(made) == KEY
    assert (made.credential_hint, made.mode, made.title) == (
        "kVtj",
        ProviderMode.TEST,
        "Mollie (test)",
    )
    assert types(catalog) == ["payment_provider.created"]
    assert KEY not in str(catalog.rows[APP].events)


async def test_the_first_account_of_a_name_is_the_default():
    async with FakeCatalog().begin(APP) as tx:
        first = await ACCOUNTS.create(tx, ADMIN, NewProvider(name=MOLLIE, credential=KEY))
        second = await ACCOUNTS.create(tx, ADMIN, NewProvider(name=MOLLIE, credential=KEY))
        new = NewProvider(name=KOMOJU, credential="sk_123456789012", mode=ProviderMode.TEST)
        other = await ACCOUNTS.create(tx, ADMIN, new)
    assert [a.is_default for a in (first, second, other)] == [True, False, True]


@pytest.mark.parametrize(
    ("name", "credential", "mode", "field"),
    [
        (MOLLIE, KEY, ProviderMode.LIVE, "mode"),
        (MOLLIE, "access_dHar4XY7LxsDOt", None, "credential"),
        (KOMOJU, "sk_123456789012", None, "mode"),
        (KOMOJU, "pk_123456789012", ProviderMode.LIVE, "credential"),
        (KOMOJU, "sk_test_123456789012", ProviderMode.LIVE, "mode"),
    ],
)
async def test_a_credential_of_the_wrong_kind_is_invalid(
    name: ProviderName, credential: str, mode: ProviderMode | None, field: str
):
    async with FakeCatalog().begin(APP) as tx:
        with pytest.raises(Invalid) as caught:
            new = NewProvider(name=name, credential=credential, mode=mode)
            await ACCOUNTS.create(tx, ADMIN, new)
    assert [violation.field for violation in caught.value.violations] == [field]
    assert credential not in str(caught.value)


async def test_rotation_replaces_the_credential_and_nothing_else():
    catalog = FakeCatalog()
    async with catalog.begin(APP) as tx:
        before = await ACCOUNTS.create(tx, ADMIN, NewProvider(name=MOLLIE, credential=KEY))
        change = ProviderChange(credential="test_9999999999999")
        after = await ACCOUNTS.update(tx, ADMIN, before.uuid, change)
    assert opened(after) == "test_9999999999999"
    assert (after.credential_hint, after.title, after.is_default) == ("9999", before.title, True)
    assert (before.credential_since, after.credential_since) == (None, after.updated_at)
    assert types(catalog)[1:] == ["payment_provider.credential_rotated"]


@pytest.mark.parametrize("lacks", [{"is_connected": False}, {"profile_ref": None}])
async def test_what_cannot_be_paid_does_not_become_the_default_and_may_stay_it(
    lacks: dict[str, object],
):
    usual = {"connected_by": ConnectedBy.OAUTH, "credential_sealed": None, "profile_ref": "pfl_1"}
    account = an_account(**usual | lacks)
    async with FakeCatalog().begin(APP) as tx:
        await tx.payment_providers.add(account)
        with pytest.raises(Refused) as refusal:
            await ACCOUNTS.update(tx, ADMIN, account.uuid, ProviderChange(is_default=True))
        await tx.payment_providers.save(replace(account, is_default=True))
        change = ProviderChange(title="EU", is_default=True)
        assert (await ACCOUNTS.update(tx, ADMIN, account.uuid, change)).title == "EU"
    assert refusal.value.field == "isDefault"


SECRET = "a-long-and-random-secret"


def secret_of(account: PaymentProvider) -> str:
    context = webhook_secret_context(account.uuid, account.app_uuid)
    assert account.webhook_secret_sealed is not None
    return VAULT.open(account.webhook_secret_sealed, context=context)


async def test_a_webhook_secret_is_sealed_apart_from_the_credential():
    catalog = FakeCatalog()
    new = NewProvider(name=KOMOJU, credential="sk_test_123456789012", webhook_secret=SECRET)
    async with catalog.begin(APP) as tx:
        made = await ACCOUNTS.create(tx, ADMIN, new)
        rolled = await ACCOUNTS.update(
            tx, ADMIN, made.uuid, ProviderChange(webhook_secret="another-secret")
        )
        gone = await ACCOUNTS.update(tx, ADMIN, made.uuid, ProviderChange(webhook_secret=None))
        renamed = await ACCOUNTS.update(tx, ADMIN, made.uuid, ProviderChange(title="Ours"))
    assert (secret_of(made), secret_of(rolled)) == (SECRET, "another-secret")
    assert opened(rolled) == "sk_test_123456789012"
    assert gone.webhook_secret_sealed is renamed.webhook_secret_sealed is None
    assert SECRET not in str(catalog.rows[APP].events)


async def test_where_nothing_is_signed_there_is_no_secret():
    async with FakeCatalog().begin(APP) as tx:
        account = await ACCOUNTS.create(tx, ADMIN, NewProvider(name=MOLLIE, credential=KEY))
        new = NewProvider(name=MOLLIE, credential=KEY, webhook_secret=SECRET)
        for wish in (
            ACCOUNTS.create(tx, ADMIN, new),
            ACCOUNTS.update(tx, ADMIN, account.uuid, ProviderChange(webhook_secret=SECRET)),
        ):
            with pytest.raises(Invalid) as caught:
                await wish
            assert [v.field for v in caught.value.violations] == ["webhookSecret"]


async def test_a_key_that_tells_its_mode_is_believed():
    async with FakeCatalog().begin(APP) as tx:
        new = NewProvider(name=KOMOJU, credential="sk_live_123456789012")
        account = await ACCOUNTS.create(tx, ADMIN, new)
        assert account.mode is ProviderMode.LIVE
        change = ProviderChange(credential="sk_123456789012")  # this one does not tell
        assert opened(await ACCOUNTS.update(tx, ADMIN, account.uuid, change)) == "sk_123456789012"
        with pytest.raises(Refused, match="account is live"):
            other = ProviderChange(credential="sk_test_123456789012")
            await ACCOUNTS.update(tx, ADMIN, account.uuid, other)


async def test_a_test_account_never_becomes_a_live_one():
    account = an_account()
    async with FakeCatalog().begin(APP) as tx:
        await tx.payment_providers.add(account)
        with pytest.raises(Refused, match="account is test") as caught:
            change = ProviderChange(credential="live_9999999999999")
            await ACCOUNTS.update(tx, ADMIN, account.uuid, change)
    assert caught.value.field == "credential"


async def test_the_default_moves_and_is_never_two():
    catalog = FakeCatalog()
    async with catalog.begin(APP) as tx:
        first = await ACCOUNTS.create(tx, ADMIN, NewProvider(name=MOLLIE, credential=KEY))
        second = await ACCOUNTS.create(tx, ADMIN, NewProvider(name=MOLLIE, credential=KEY))
        await ACCOUNTS.update(tx, ADMIN, second.uuid, ProviderChange(is_default=True))
        assert await tx.payment_providers.default(MOLLIE) == await tx.payment_providers.get(
            second.uuid
        )
        assert not (await tx.payment_providers.get(first.uuid)).is_default
        with pytest.raises(Refused) as caught:
            await ACCOUNTS.update(tx, ADMIN, second.uuid, ProviderChange(is_default=False))
    assert caught.value.field == "isDefault"


async def test_deleting_the_default_chooses_no_other_by_itself():
    catalog = FakeCatalog()
    async with catalog.begin(APP) as tx:
        first = await ACCOUNTS.create(tx, ADMIN, NewProvider(name=MOLLIE, credential=KEY))
        await ACCOUNTS.create(tx, ADMIN, NewProvider(name=MOLLIE, credential=KEY))
        gone = await ACCOUNTS.delete(tx, ADMIN, first.uuid)
        assert await ACCOUNTS.delete(tx, ADMIN, first.uuid) == gone
        assert await ACCOUNTS.get(tx, READER, first.uuid) == gone
        assert (await ACCOUNTS.page(tx, READER, PageRequest())).total == 1
        assert await tx.payment_providers.default(MOLLIE) is None
        with pytest.raises(Conflict, match="deleted"):
            await ACCOUNTS.update(tx, ADMIN, first.uuid, ProviderChange(title="Back"))
    assert (gone.deleted_at, gone.is_default) == (CLOCK.now(), False)
    assert types(catalog)[2:] == ["payment_provider.deleted"]


async def test_a_change_to_what_is_there_already_says_nothing():
    catalog, account = FakeCatalog(), an_account(is_default=True)
    async with catalog.begin(APP) as tx:
        before = await tx.payment_providers.add(account)
        change = ProviderChange(title=account.title, is_default=True)
        assert await ACCOUNTS.update(tx, ADMIN, account.uuid, change) == before
    assert types(catalog) == []


async def test_reading_needs_a_scope_and_writing_another():
    account = an_account()
    async with FakeCatalog().begin(APP) as tx:
        await tx.payment_providers.add(account)
        nobody = an_actor(Scope.CATALOG_WRITE)
        with pytest.raises(Forbidden):
            await ACCOUNTS.get(tx, nobody, account.uuid)
        with pytest.raises(Forbidden):
            await ACCOUNTS.page(tx, nobody, PageRequest())
        with pytest.raises(Forbidden):
            await ACCOUNTS.create(tx, READER, NewProvider(name=MOLLIE, credential=KEY))
        with pytest.raises(Forbidden):
            await ACCOUNTS.update(tx, READER, account.uuid, ProviderChange())
        with pytest.raises(Forbidden):
            await ACCOUNTS.delete(tx, READER, account.uuid)
