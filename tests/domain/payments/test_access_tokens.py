"""Access tokens: kept, renewed by one alone, and never for an account that shuts us out."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain.kernel.errors import CredentialRefused, ProviderUnavailable, ProviderUnreadable
from domain.payments.access_tokens import AHEAD, KEPT_MAX, LEASE, AccessTokens, granted
from domain.payments.connect import Grant, Tokens
from domain.payments.payment_provider import (
    ConnectedBy,
    Parting,
    PaymentProvider,
    ProviderName,
)
from tests.fakes.clock import FakeClock
from tests.fakes.connect import FakeConnect
from tests.fakes.grants import FakeGrants
from tests.fakes.vault import FakeVault
from tests.make import APP, a_uuid, an_account

AN_HOUR = timedelta(hours=1)
A_SECOND = timedelta(seconds=1)
FIRST = Tokens(access="access-0", refresh="refresh", lives_s=3600)


class World:
    """One account with a token of this moment, and any number of processes."""

    def __init__(self) -> None:
        self.clock, self.grants, self.connect = FakeClock(), FakeGrants(), FakeConnect()
        self.vault = FakeVault()
        self.account = self.connects(1)

    def connects(self, number: int) -> PaymentProvider:
        account = an_account(
            uuid=a_uuid(number),
            credential_sealed=None,
            connected_by=ConnectedBy.OAUTH,
            account_ref=f"org_{number}",
        )
        grant = Grant(app_uuid=APP, payment_provider_uuid=account.uuid)
        self.grants.accounts[APP, account.uuid] = account
        self.grants.rows[APP, account.uuid] = granted(grant, FIRST, self.vault, at=self.clock.now())
        return account

    def process(self) -> AccessTokens:
        connects = {ProviderName.MOLLIE: self.connect}
        return AccessTokens(self.grants, connects, self.vault, self.clock, self.clock.pause)

    @property
    def grant(self) -> Grant:
        return self.grants.rows[APP, self.account.uuid]

    @property
    def renewals(self) -> int:
        return sum(said.startswith("refresh") for said in self.connect.asked)


@pytest.fixture
def world() -> World:
    return World()


async def test_a_token_is_read_once_and_kept(world: World):
    tokens = world.process()
    assert [(await tokens(world.account)).value for _ in range(3)] == ["access-0"] * 3
    assert world.grants.begun == 1
    assert world.connect.asked == []


async def test_a_token_is_renewed_five_minutes_before_its_end_and_not_earlier(world: World):
    tokens = world.process()
    world.clock.advance(AN_HOUR - AHEAD - A_SECOND)
    assert (await tokens(world.account)).value == "access-0"
    world.clock.advance(A_SECOND)
    renewed = await tokens(world.account)
    assert (renewed.value, renewed.since) == ("access-1", world.clock.now())
    assert renewed.expires_at == world.clock.now() + AN_HOUR
    assert (await world.process()(world.account)) == renewed
    assert world.renewals == 1


async def test_of_many_who_need_a_token_one_renews_it_and_the_others_wait_for_it(world: World):
    processes = [world.process() for _ in range(3)]
    world.clock.advance(2 * AN_HOUR)
    world.connect.may_answer.clear()
    both = [process for process in processes for _ in range(2)]
    waiting = [asyncio.create_task(process(world.account)) for process in both]
    await world.connect.is_asked.wait()
    await asyncio.sleep(0)  # all have seen that somebody is at it
    world.connect.may_answer.set()
    assert {token.value for token in await asyncio.gather(*waiting)} == {"access-1"}
    assert world.renewals == 1


async def test_while_the_old_token_is_good_nobody_waits_for_the_new_one(world: World):
    world.clock.advance(AN_HOUR - AHEAD)
    world.connect.may_answer.clear()
    renewing = asyncio.create_task(world.process()(world.account))
    await world.connect.is_asked.wait()
    assert (await world.process()(world.account)).value == "access-0"
    world.connect.may_answer.set()
    assert (await renewing).value == "access-1"


async def test_whoever_waits_too_long_hears_so(world: World):
    world.clock.advance(2 * AN_HOUR)
    world.connect.may_answer.clear()
    renewing = asyncio.create_task(world.process()(world.account))
    await world.connect.is_asked.wait()
    with pytest.raises(ProviderUnavailable):
        await world.process()(world.account)
    assert world.renewals == 1
    world.connect.may_answer.set()
    await renewing


async def test_the_lease_of_one_who_died_lapses_and_another_renews(world: World):
    world.clock.advance(2 * AN_HOUR)
    world.connect.may_answer.clear()
    dies = asyncio.create_task(world.process()(world.account))
    await world.connect.is_asked.wait()
    dies.cancel()
    await asyncio.gather(dies, return_exceptions=True)
    world.connect.may_answer.set()
    with pytest.raises(ProviderUnavailable):
        await world.process()(world.account)
    world.clock.advance(LEASE)
    assert (await world.process()(world.account)).value == "access-1"
    assert world.renewals == 2


async def test_a_late_answer_writes_nothing_over_a_newer_token(world: World):
    world.clock.advance(2 * AN_HOUR)
    world.connect.may_answer.clear()
    late = asyncio.create_task(world.process()(world.account))
    await world.connect.is_asked.wait()
    newer = Tokens(access="access-new", refresh="refresh", lives_s=3600)
    at = world.clock.now()
    world.grants.rows[APP, world.account.uuid] = granted(world.grant, newer, world.vault, at=at)
    held = world.grant
    world.connect.may_answer.set()
    assert (await late).value == "access-new"
    assert world.grant == held


async def test_a_late_no_of_the_provider_shuts_nobody_out(world: World):
    world.clock.advance(2 * AN_HOUR)
    world.connect.is_shut_out = True
    world.connect.may_answer.clear()
    late = asyncio.create_task(world.process()(world.account))
    await world.connect.is_asked.wait()
    newer = Tokens(access="access-new", refresh="another", lives_s=3600)
    at = world.clock.now()
    world.grants.rows[APP, world.account.uuid] = granted(world.grant, newer, world.vault, at=at)
    world.connect.may_answer.set()
    with pytest.raises(CredentialRefused):
        await late
    assert world.grants.accounts[APP, world.account.uuid].is_connected
    assert (await world.process()(world.account)).value == "access-new"


async def test_a_refused_token_is_renewed_whatever_its_end(world: World):
    one, other = world.process(), world.process()
    before = await one(world.account)
    await other(world.account)
    assert (await one(world.account, refused=before.value)).value == "access-1"
    # It heard the same, and finds that it is seen to.
    assert (await other(world.account, refused=before.value)).value == "access-1"
    assert world.renewals == 1


async def test_a_refused_token_may_be_in_use_elsewhere_until_its_time_has_come(world: World):
    one, other = world.process(), world.process()
    before = await one(world.account)
    await other(world.account)
    world.clock.advance(timedelta(minutes=1))
    after = await one(world.account, refused=before.value)
    assert await other(world.account) == before
    assert after.since == before.expires_at - AHEAD
    world.clock.advance(after.since - world.clock.now())
    assert await other(world.account) == after


async def test_a_crowd_that_waits_asks_the_database_as_one(world: World):
    world.clock.advance(2 * AN_HOUR)
    world.connect.may_answer.clear()
    elsewhere = asyncio.create_task(world.process()(world.account))
    await world.connect.is_asked.wait()
    begun, here = world.grants.begun, world.process()
    crowd = [asyncio.create_task(here(world.account)) for _ in range(10)]
    for _ in range(2):  # each looks about, and waits for a moment
        await asyncio.sleep(0)
    world.connect.may_answer.set()
    assert {token.value for token in await asyncio.gather(*crowd, elsewhere)} == {"access-1"}
    assert world.grants.begun - begun < 10


async def test_a_merchant_who_takes_the_consent_back_is_disconnected_once(world: World):
    world.clock.advance(2 * AN_HOUR)
    world.connect.is_shut_out = True
    for process in (world.process(), world.process()):
        with pytest.raises(CredentialRefused):
            await process(world.account)
    account = world.grants.accounts[APP, world.account.uuid]
    assert (account.is_connected, account.disconnected_because) == (False, Parting.MERCHANT)
    assert account.account_ref == "org_1"
    assert (world.grant.refresh_sealed, world.grant.access_sealed) == (None, None)
    (told,) = world.grants.events
    assert (told.type, told.facts["reason"]) == ("payment_provider.disconnected", "merchant")
    assert world.renewals == 1


async def test_an_account_that_is_not_connected_is_let_in_by_no_memory(world: World):
    tokens = world.process()
    await tokens(world.account)
    with pytest.raises(CredentialRefused):
        await tokens(replace(world.account, is_connected=False))


async def test_the_token_of_one_organisation_is_not_used_for_the_next(world: World):
    tokens = world.process()
    await tokens(world.account)
    newer = Tokens(access="access-new", refresh="another", lives_s=3600)
    at = world.clock.now()
    world.grants.rows[APP, world.account.uuid] = granted(world.grant, newer, world.vault, at=at)
    assert (await tokens(replace(world.account, account_ref="org_9"))).value == "access-new"


@pytest.mark.parametrize("error", [ProviderUnavailable("away"), ProviderUnreadable("nonsense")])
async def test_a_renewal_that_fails_is_no_matter_while_the_old_token_is_good(
    world: World, error: ProviderUnavailable
):
    tokens = world.process()
    world.clock.advance(AN_HOUR - AHEAD)
    world.connect.fails = error
    for _ in range(3):
        assert (await tokens(world.account)).value == "access-0"
    assert world.renewals == 1  # the lease keeps everybody from trying again at once
    world.clock.advance(LEASE)
    world.connect.fails = None
    assert (await tokens(world.account)).value == "access-1"


async def test_a_renewal_that_fails_when_there_is_no_token_may_be_tried_again_at_once(
    world: World,
):
    world.clock.advance(2 * AN_HOUR)
    world.connect.fails = ProviderUnavailable("away")
    with pytest.raises(ProviderUnavailable, match="away"):
        await world.process()(world.account)
    world.connect.fails = None
    assert (await world.process()(world.account)).value == "access-1"


async def test_a_refresh_token_that_comes_back_changed_is_kept(world: World):
    world.clock.advance(2 * AN_HOUR)

    async def rotates(refresh: str) -> Tokens:
        return Tokens(access="access-1", refresh="another", lives_s=3600)

    world.connect.refresh = rotates  # type: ignore[method-assign]  # for once
    await world.process()(world.account)
    assert world.grant.refresh_sealed is not None
    assert world.grant.refresh_sealed.endswith(b"another")
    context = f"{APP}|provider_grants|refresh_token|{world.account.uuid}"
    assert world.vault.open(world.grant.refresh_sealed, context=context) == "another"


async def test_what_is_kept_in_memory_is_bounded(world: World):
    tokens = world.process()
    accounts = [world.connects(number) for number in range(1, KEPT_MAX + 2)]
    for account in accounts:
        await tokens(account)
    begun = world.grants.begun
    await tokens(accounts[-1])
    assert world.grants.begun == begun
    await tokens(accounts[0])
    assert world.grants.begun == begun + 1
