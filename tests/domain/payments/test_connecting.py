"""Connecting an account by a merchant's consent: states and codes used once, and what stays."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from domain.kernel.errors import (
    Conflict,
    DomainError,
    Forbidden,
    NotFound,
    ProviderUnavailable,
    Refused,
)
from domain.kernel.ids import AppUuid
from domain.payments.access_tokens import AccessTokens
from domain.payments.application_fee import ApplicationFee
from domain.payments.connect import Grant, Merchant
from domain.payments.connect_service import (
    EXCHANGE_TAKES,
    STATE_LIVES,
    Connected,
    ConnectService,
    Exchange,
    Which,
)
from domain.payments.finish_connecting import FinishConnecting
from domain.payments.payment_provider import (
    ConnectedBy,
    Parting,
    PaymentProvider,
    ProviderMode,
    ProviderName,
)
from domain.payments.ports import Provider
from domain.tenancy.caller import Scope
from tests.fakes.clock import FakeClock
from tests.fakes.connect import FLOWERS, FakeConnect
from tests.fakes.grants import FakeGrants
from tests.fakes.ids import FakeIds
from tests.fakes.provider import FakeProvider
from tests.fakes.vault import FakeVault
from tests.make import APP, OTHER_APP, an_account, an_actor

ADMIN = an_actor(Scope.PROVIDERS_WRITE, Scope.PROVIDERS_READ)
READER = an_actor(Scope.PROVIDERS_READ)
MOLLIE, KOMOJU = ProviderName.MOLLIE, ProviderName.KOMOJU
LIVE, TEST = Which(MOLLIE, ProviderMode.LIVE), Which(MOLLIE, ProviderMode.TEST)
BOOKS = replace(FLOWERS, organization_ref="org_2", organization_name="Books")
A_SECOND = timedelta(seconds=1)


class Town:
    def __init__(self) -> None:
        self.clock, self.grants, self.connect = FakeClock(), FakeGrants(), FakeConnect()
        self.vault = FakeVault()
        plain = FakeProvider(self.clock).provider
        able = {name: getattr(plain, name) for name in Provider.__slots__} | {
            "connect": self.connect
        }
        providers = {MOLLIE: Provider(**able), KOMOJU: plain}
        self.service = ConnectService(providers, self.vault, self.clock, FakeIds())
        self.tokens = AccessTokens(
            self.grants, {MOLLIE: self.connect}, self.vault, self.clock, self.clock.pause
        )
        self.finish = FinishConnecting(self.grants, providers, self.vault, self.clock)

    async def does(self, verb: str, which: Which = LIVE, actor: Any = ADMIN, **said: str) -> Any:
        async with self.grants.begin(actor.app_uuid) as tx:
            return await getattr(self.service, verb)(tx, actor, which, **said)

    async def made(self, which: Which = LIVE) -> PaymentProvider:
        account: PaymentProvider = await self.does("create", which)
        return account

    async def asked(self, which: Which = LIVE) -> str:
        """The state that the merchant is sent away with."""
        _, address = await self.does("begin", which)
        return str(address).partition("state=")[2]

    async def brings(self, code: str, state: str, which: Which = LIVE) -> Connected:
        brought = await self.does("bring", which, code=code, state=state)
        if isinstance(brought, Exchange):
            return await self.finish(brought)
        assert isinstance(brought, Connected)
        return brought

    async def deleted(self) -> PaymentProvider:
        gone = replace(self.account, deleted_at=self.clock.now(), is_default=False)
        self.grants.accounts[APP, gone.uuid] = gone
        return gone

    def allows(self, number: int, merchant: Merchant) -> str:
        """The code of another consent, the so manieth."""
        self.connect.codes.add(f"code-{number}")
        self.connect.merchants[f"access-{number}"] = merchant
        return f"code-{number}"

    async def connected(self, code: str = "code-1") -> Connected:
        await self.made()
        return await self.brings(code, await self.asked())

    @property
    def account(self) -> PaymentProvider:
        (account,) = self.grants.of(APP)
        return account

    @property
    def grant(self) -> Grant:
        return self.grants.rows[APP, self.account.uuid]

    def told(self) -> list[str]:
        return [event.type.removeprefix("payment_provider.") for event in self.grants.events]


@pytest.fixture
def town() -> Town:
    return Town()


async def refused(call: Any, field: str | None) -> str:
    with pytest.raises(Refused) as refusal:
        await call
    assert refusal.value.field == field
    return str(refusal.value)


async def test_there_is_one_account_for_each_mode_and_making_it_again_returns_it(town: Town):
    assert await town.does("find") is None
    live, again, test = await town.made(), await town.made(), await town.made(TEST)
    assert (again, test.mode) == (live, ProviderMode.TEST)
    assert live.uuid != test.uuid
    assert (live.connected_by, live.is_connected, live.is_default) == (
        ConnectedBy.OAUTH,
        False,
        False,
    )
    assert str(live.account_ref).startswith("pending_") and live.provider_metadata is None
    assert await town.does("find") == live
    assert town.told() == ["created", "created"]


async def test_a_merchant_who_consents_is_connected(town: Town):
    done = await town.connected()
    account = town.account
    assert (done.account, done.onboarding_url) == (account, None)
    assert (account.is_connected, account.is_default) == (True, True)
    assert (account.account_ref, account.profile_ref) == ("org_1", "pfl_1")
    assert account.provider_metadata == {
        "onboardingStatus": "completed",
        "organizationName": "Flowers",
        "canReceivePayments": True,
        "canReceiveSettlements": True,
        "missingFields": [],
    }
    assert town.connect.asked == ["exchange code-1", "merchant access-1"]
    assert town.told() == ["created", "connected"]


async def test_no_token_state_or_code_is_kept_in_the_open(town: Town):
    await town.made()
    state = await town.asked()
    await town.brings("code-1", state)
    grant = town.grant
    for secret in (state, "code-1"):
        assert secret not in repr(grant) and secret not in repr(town.grants.events)
    assert grant.refresh_sealed is not None and grant.access_sealed is not None
    for sealed, column in ((grant.refresh_sealed, "refresh"), (grant.access_sealed, "access")):
        context = f"{APP}|provider_grants|{column}_token|{town.account.uuid}"
        assert town.vault.open(sealed, context=context).startswith(column)


@pytest.mark.parametrize(
    ("changes", "missing"),
    [({"can_receive_payments": False}, []), ({"profile_refs": ()}, ["profile"])],
)
async def test_one_who_cannot_be_paid_yet_is_sent_on(
    town: Town, changes: dict[str, Any], missing: list[str]
):
    town.connect.merchants["access-1"] = replace(FLOWERS, **changes)
    done = await town.connected()
    assert done.onboarding_url == FLOWERS.onboarding_url
    assert done.account.is_connected
    assert done.account.provider_metadata is not None
    assert done.account.provider_metadata["canReceivePayments"] is False
    assert done.account.provider_metadata["missingFields"] == missing


async def test_bringing_the_same_again_is_answered_alike_and_asks_nobody(town: Town):
    await town.made()
    state = await town.asked()
    first = await town.brings("code-1", state)
    asked = list(town.connect.asked)
    town.clock.advance(STATE_LIVES)
    assert await town.brings("code-1", state) == first
    assert town.connect.asked == asked


async def test_only_the_state_that_was_issued_last_for_this_account_counts(town: Town):
    await town.made()
    await town.made(TEST)
    await refused(town.brings("code-1", "never-issued"), "state")
    old, foreign = await town.asked(), await town.asked(TEST)
    newest = await town.asked()
    for state in (old, foreign, newest.upper(), ""):
        await refused(town.brings("code-1", state), "state")
    assert town.connect.asked == []
    assert (await town.brings("code-1", newest)).account.is_connected


async def test_a_state_of_another_apps_account_is_refused(town: Town):
    await town.made()
    state = await town.asked()
    stranger = replace(ADMIN, app_uuid=OTHER_APP)
    with pytest.raises(NotFound):
        await town.does("bring", actor=stranger, code="code-1", state=state)
    await town.does("create", actor=stranger)
    await town.does("begin", actor=stranger)
    await refused(town.does("bring", actor=stranger, code="code-1", state=state), "state")
    assert town.connect.asked == []


async def test_a_state_is_good_for_ten_minutes(town: Town):
    await town.made()
    state = await town.asked()
    town.clock.advance(STATE_LIVES)
    await refused(town.brings("code-1", state), "state")
    state = await town.asked()
    town.clock.advance(STATE_LIVES - A_SECOND)
    assert (await town.brings("code-1", state)).account.is_connected


async def test_a_state_is_good_for_one_code(town: Town):
    await town.made()
    state = await town.asked()
    await refused(town.brings("a-guess", state), "code")
    await refused(town.brings("code-1", state), "state")
    assert not town.account.is_connected
    assert town.connect.asked == ["exchange a-guess"]


async def test_the_same_code_brought_twice_at_once_is_exchanged_once(town: Town):
    await town.made()
    state = await town.asked()
    town.connect.may_answer.clear()
    first = asyncio.create_task(town.brings("code-1", state))
    await town.connect.is_asked.wait()
    with pytest.raises(Conflict):
        await town.brings("code-1", state)
    town.connect.may_answer.set()
    assert (await first).account.is_connected
    assert town.connect.asked.count("exchange code-1") == 1


async def test_who_dies_after_the_exchange_has_to_begin_again_and_is_told_so(town: Town):
    await town.made()
    state = await town.asked()
    town.connect.may_answer.clear()
    dies = asyncio.create_task(town.brings("code-1", state))
    await town.connect.is_asked.wait()
    dies.cancel()
    await asyncio.gather(dies, return_exceptions=True)
    town.connect.may_answer.set()
    town.clock.advance(EXCHANGE_TAKES)
    assert "begin again" in await refused(town.brings("code-1", state), "code")
    assert not town.account.is_connected
    town.connect.codes.add("code-2")
    assert (await town.brings("code-2", await town.asked())).account.is_connected


async def test_an_exchange_whose_answer_is_lost_says_that_the_code_may_be_used_up(town: Town):
    await town.made()
    town.connect.fails = ProviderUnavailable("no answer")
    with pytest.raises(ProviderUnavailable, match="begin again"):
        await town.brings("code-1", await town.asked())
    assert not town.account.is_connected


async def test_tokens_that_lead_to_nothing_are_revoked(town: Town):
    await town.made()

    async def away(access: str) -> Merchant:
        raise ProviderUnavailable("away")

    town.connect.merchant = away  # type: ignore[method-assign]  # for once
    with pytest.raises(ProviderUnavailable):
        await town.brings("code-1", await town.asked())
    assert town.connect.asked == ["exchange code-1", "revoke refresh"]
    assert town.grant.refresh_sealed is None


async def test_tokens_that_cannot_be_kept_are_revoked_whatever_the_reason(town: Town):
    await town.made()
    brought = await town.does("bring", code="code-1", state=await town.asked())

    def gone(app_uuid: AppUuid) -> Any:
        raise OSError("the database is away")

    town.grants.begin = gone  # type: ignore[method-assign]  # for once
    with pytest.raises(OSError, match="away"):
        await town.finish(brought)
    assert town.connect.asked[-1] == "revoke refresh"


async def test_beginning_again_meanwhile_wins_over_what_was_begun(town: Town):
    await town.made()
    state = await town.asked()
    brought = await town.does("bring", code="code-1", state=state)
    await town.asked()
    with pytest.raises(Conflict):
        await town.finish(brought)
    assert not town.account.is_connected
    assert town.connect.asked[-1] == "revoke refresh"


async def test_disconnecting_meanwhile_wins_too(town: Town):
    await town.made()
    brought = await town.does("bring", code="code-1", state=await town.asked())
    await town.does("disconnect")
    with pytest.raises(Conflict):
        await town.finish(brought)
    assert town.grant.refresh_sealed is None


async def test_a_connected_account_that_is_connected_again_goes_on_meanwhile(town: Town):
    await town.connected()
    before = town.grant
    state = await town.asked()
    await refused(town.brings("a-guess", state), "code")
    assert town.account.is_connected
    assert town.grant.refresh_sealed == before.refresh_sealed
    town.connect.codes.add("code-2")
    again = await town.brings("code-2", await town.asked())
    assert again.account.is_connected
    # What the old token may still be used for is looked for before it is sent again.
    assert town.grant.access_since == before.access_expires_at


async def test_a_disconnected_account_has_nothing_left_and_then_the_provider_is_told(town: Town):
    pending = await town.made()
    await town.brings("code-1", await town.asked())
    over = await town.does("disconnect")
    account, grant = town.account, town.grant
    assert (over.account, over.refresh) == (account, "refresh")
    assert (account.is_connected, account.is_default) == (False, False)
    assert str(account.account_ref).startswith("pending_")
    assert account.account_ref != pending.account_ref
    assert (account.profile_ref, account.provider_metadata) == (None, {})
    assert account.disconnected_because is Parting.APP
    assert (grant.refresh_sealed, grant.access_sealed, grant.state_hash) == (None, None, None)
    assert town.connect.asked[-1] != "revoke refresh"
    await town.service.revoke(over)
    assert town.connect.asked[-1] == "revoke refresh"
    assert town.told() == ["created", "connected", "disconnected"]


async def test_a_token_of_before_a_disconnection_is_reckoned_with_after_the_next_consent(
    town: Town,
):
    """Another process has it in memory, and the provider has not heard that it is over."""
    await town.connected()
    before = await town.tokens(town.account)
    town.connect.fails = ProviderUnavailable("away")
    await town.service.revoke(await town.does("disconnect"))
    town.connect.fails = None
    town.clock.advance(timedelta(minutes=1))
    await town.brings(town.allows(2, FLOWERS), await town.asked())
    assert await town.tokens(town.account) == before
    assert town.grant.access_since == before.expires_at


async def test_a_provider_that_cannot_be_told_is_no_reason_to_stay_connected(town: Town):
    await town.connected()
    town.connect.fails = ProviderUnavailable("away")
    await town.service.revoke(await town.does("disconnect"))
    assert not town.account.is_connected


async def test_disconnecting_twice_changes_nothing_more(town: Town):
    await town.connected()
    first = await town.does("disconnect")
    again = await town.does("disconnect")
    assert (again.account, again.refresh) == (first.account, None)
    assert town.told().count("disconnected") == 1


async def test_another_organisation_may_take_an_unused_account_and_never_a_used_one(town: Town):
    await town.connected()
    await town.does("disconnect")
    town.connect.codes |= {"code-2", "code-3"}
    town.connect.merchants |= {"access-2": BOOKS, "access-3": FLOWERS}
    assert (await town.brings("code-2", await town.asked())).account.account_ref == "org_2"
    town.grants.used.add(town.account.uuid)
    await town.does("disconnect")
    said = await refused(town.brings("code-3", await town.asked()), "code")
    assert "make another account" in said
    assert not town.account.is_connected
    assert town.connect.asked[-1] == "revoke refresh"


async def test_the_consent_of_an_organisation_that_another_takes_the_place_of_is_over(town: Town):
    await town.connected()
    asked = len(town.connect.asked)
    await town.brings(town.allows(2, BOOKS), await town.asked())
    assert town.connect.asked[asked:] == ["exchange code-2", "merchant access-2", "revoke refresh"]
    assert town.account.account_ref == "org_2"


async def test_a_used_account_keeps_its_profile(town: Town):
    """What was asked for in the name of one is not in the lists of another."""
    await town.connected()
    town.grants.used.add(town.account.uuid)
    held = town.grant.refresh_sealed
    other = replace(FLOWERS, profile_refs=("pfl_2",))
    said = await refused(town.brings(town.allows(2, other), await town.asked()), "code")
    assert "make another account" in said
    assert (town.account.profile_ref, town.grant.refresh_sealed) == ("pfl_1", held)
    assert town.connect.asked[-1] == "merchant access-2"  # the tokens may be the same
    await town.does("disconnect")
    await refused(town.brings(town.allows(3, other), await town.asked()), "code")
    later = replace(FLOWERS, profile_refs=("pfl_0", "pfl_1"))
    assert (await town.brings(town.allows(4, later), await town.asked())).account.is_connected
    assert town.account.profile_ref == "pfl_1"


async def test_an_unused_account_takes_the_profile_that_there_is(town: Town):
    await town.connected()
    other = replace(FLOWERS, profile_refs=("pfl_2",))
    await town.brings(town.allows(2, other), await town.asked())
    assert town.account.profile_ref == "pfl_2"


async def test_an_account_without_a_profile_becomes_no_default(town: Town):
    town.connect.merchants["access-1"] = replace(FLOWERS, profile_refs=())
    await town.connected()
    assert (town.account.is_connected, town.account.is_default) == (True, False)
    await town.brings(town.allows(2, FLOWERS), await town.asked())
    assert town.account.is_default


async def test_the_operators_fee_outlives_the_account(town: Town):
    await town.connected()
    fee = ApplicationFee(basis_points=150, fixed_minor={}, description="Ours")
    gone = replace(town.account, application_fee=fee, deleted_at=town.clock.now())
    town.grants.accounts[APP, gone.uuid] = gone
    again = await town.made()
    assert (again.uuid != gone.uuid, again.application_fee) == (True, fee)
    assert (await town.made(TEST)).application_fee is None


async def test_the_consent_of_a_deleted_account_can_be_ended(town: Town):
    await town.connected()
    gone = await town.deleted()
    over = await town.does("disconnect")
    assert (over.account.uuid, over.refresh) == (gone.uuid, "refresh")
    assert (town.account.is_connected, town.grant.refresh_sealed) == (False, None)
    assert town.account.deleted_at == gone.deleted_at
    with pytest.raises(NotFound):
        await town.does("disconnect")


async def test_a_new_account_is_disconnected_before_a_deleted_one(town: Town):
    await town.connected()
    gone = await town.deleted()
    new = await town.made()
    assert (await town.does("disconnect")).account == new
    assert town.grants.rows[APP, gone.uuid].refresh_sealed is not None


async def test_the_same_organisation_may_come_back_to_what_it_has(town: Town):
    await town.connected()
    town.grants.used.add(town.account.uuid)
    await town.does("disconnect")
    town.connect.codes.add("code-2")
    back = await town.brings("code-2", await town.asked())
    assert (back.account.account_ref, back.account.is_default) == ("org_1", True)
    assert back.account.disconnected_because is None


async def test_a_default_that_was_chosen_stays_the_default(town: Town):
    town.grants.accounts[APP, an_account().uuid] = an_account(is_default=True)
    await town.made()
    done = await town.brings("code-1", await town.asked())
    assert not done.account.is_default


@pytest.mark.parametrize("verb", ["find", "create", "begin", "bring", "disconnect"])
async def test_where_accounts_cannot_be_connected_like_this_there_is_nothing(town: Town, verb: str):
    said = {"code": "c", "state": "s"} if verb == "bring" else {}
    with pytest.raises(NotFound):
        await town.does(verb, Which(KOMOJU, ProviderMode.LIVE), **said)


@pytest.mark.parametrize("verb", ["create", "begin", "bring"])
async def test_who_connects_is_told_what_the_operator_has_not_set(town: Town, verb: str):
    town.connect.unset = "KONTOR_X_CONNECT_CLIENT_ID"
    said = {"code": "c", "state": "s"} if verb == "bring" else {}
    assert "KONTOR_X_CONNECT_CLIENT_ID" in await refused(town.does(verb, **said), None)
    assert town.grants.rows == {}


async def test_what_is_connected_is_seen_and_let_go_whatever_the_operator_has_unset(town: Town):
    await town.connected()
    town.connect.unset = "KONTOR_X_CONNECT_CLIENT_ID"
    assert await town.does("find") == town.account
    await town.service.revoke(await town.does("disconnect"))
    assert (town.account.is_connected, town.grant.refresh_sealed) == (False, None)


@pytest.mark.parametrize("verb", ["create", "begin", "bring", "disconnect"])
async def test_reading_alone_connects_nothing(town: Town, verb: str):
    said = {"code": "c", "state": "s"} if verb == "bring" else {}
    with pytest.raises(Forbidden):
        await town.does(verb, actor=READER, **said)


@pytest.mark.parametrize("verb", ["begin", "bring", "disconnect"])
async def test_an_account_that_was_not_made_is_not_found(town: Town, verb: str):
    said = {"code": "c", "state": "s"} if verb == "bring" else {}
    with pytest.raises(DomainError) as error:
        await town.does(verb, **said)
    assert isinstance(error.value, NotFound)
