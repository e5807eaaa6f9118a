"""Checkout's repositories: what the fake does, PostgreSQL does too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.catalog.quote import Quote
from domain.checkout.book import Book, Settled, settle
from domain.checkout.order import Ask, Order, OrderFacts
from domain.checkout.ports import Intent
from domain.checkout.session import CheckoutSession, Mode, SessionPaymentStatus, SessionStatus
from domain.kernel.errors import NotFound
from domain.kernel.idempotency import Answer, RequestKey
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.pages import PageRequest
from domain.payments.answers import MandateStatus, PaymentStatus, RefundStatus
from domain.payments.attempt import AttemptStatus, Owner, OwnerKind, accepted, declined
from domain.payments.chargeback import Chargeback
from domain.payments.customer import Customer
from domain.payments.payment_provider import ProviderName
from domain.payments.refund import conclude
from domain.payments.repositories import KnownMoney
from domain.tenancy.caller import UserCaller
from domain.webhooks.inbox import Message, Outcome
from infrastructure.postgres.database import Database
from infrastructure.postgres.transaction import PostgresTx
from tests.fakes.checkout import FakeCheckout, FakeCheckoutTx
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds
from tests.make import (
    APP,
    OTHER_APP,
    OTHER_TENANT,
    TENANT,
    USER,
    a_price,
    a_product,
    a_tenant,
    a_uuid,
    an_account,
    an_app,
    money,
)
from tests.make_checkout import (
    ACCOUNT,
    LEASE,
    PRICE,
    PRODUCT,
    TERMS,
    a_seen_mandate,
    a_seen_refund,
    a_session,
    a_sighting,
    an_attempt,
    said,
)

IDS: Final = FakeIds(series=11)
LATER: Final = NOON + timedelta(hours=1)
ANSWER: Final = Answer(200, b'{"kind":"checkoutSessions"}')
EVERYONE: Final = None


class Store(Protocol):
    def begin(
        self, app_uuid: AppUuid
    ) -> AbstractAsyncContextManager[FakeCheckoutTx | PostgresTx]: ...


@pytest.fixture(params=["fake", "postgres"])
async def store(request: pytest.FixtureRequest, clean_database: str) -> AsyncIterator[Store]:
    if request.param == "fake":
        fake = FakeCheckout()
        await furnish(fake)
        yield fake
        return
    database = Database(clean_database, PostgresTx, pool_size=20)
    async with database.open():
        for app_uuid in (APP, OTHER_APP):
            async with database.begin(app_uuid) as tx:
                await tx.apps.add(an_app(app_uuid=app_uuid))
        await furnish(database)
        yield database


async def furnish(store: Store) -> None:
    product = a_product(uuid=PRODUCT)
    async with store.begin(APP) as tx:
        for uuid in (TENANT, OTHER_TENANT):
            await tx.tenants.add(a_tenant(uuid=uuid))
        await tx.payment_providers.add(an_account(uuid=ACCOUNT, is_default=True))
        await tx.products.add(product)
        await tx.prices.add([a_price(product, uuid=PRICE)])


def a_key(key: str = "key-1", fingerprint: bytes = b"\x01" * 32) -> RequestKey:
    caller = f"user:{USER}"
    return RequestKey(caller=caller, operation="open", key=key, fingerprint=fingerprint)


def an_intent(key: str = "key-1", *, replaces: datetime | None = None, **of: Any) -> Intent:
    session = a_session(**{"uuid": IDS.new()} | of)
    attempt = an_attempt(uuid=IDS.new(), checkout_session_uuid=session.uuid)
    return Intent(
        session=session,
        attempt=attempt,
        key=a_key(key),
        lease_until=attempt.lease_until,
        key_expires_at=NOON + timedelta(days=30),
        replaces=replaces,
    )


async def added(store: Store, intent: Intent) -> CheckoutSession:
    async with store.begin(APP) as tx:
        session = await tx.checkout.add(intent)
    assert session is not None
    return session


def session_owner(session: CheckoutSession) -> Owner:
    return Owner(OwnerKind.SESSION, session.uuid)


async def book_of(store: Store, uuid: UUID) -> Book:
    async with store.begin(APP) as tx:
        return await tx.checkout.get(uuid)


async def facts_for(store: Store, key: str = "key-1") -> OrderFacts:
    caller = UserCaller(app_uuid=APP, user_uuid=USER, scopes=frozenset(), tenants=None)
    order = Order(
        tenant_uuid=TENANT,
        provider=ProviderName.MOLLIE,
        mode=Mode.PAYMENT,
        price_uuid=PRICE,
        tax_rate_uuid=None,
        currency=None,
        terms=TERMS,
    )
    ask = Ask(operation="open", key=key, fingerprint=b"\x01" * 32)
    async with store.begin(APP) as tx:
        return await tx.checkout.facts(caller, order, ask)


def settled(intent: Intent, status: PaymentStatus = PaymentStatus.OPEN, **facts: Any) -> Settled:
    book = Book(session=intent.session, attempts=(intent.attempt,))
    payment = said(status, **{"attempt_uuid": intent.attempt.uuid} | facts)
    return settle(book, a_sighting(payment), ids=IDS)


async def test_what_is_added_comes_back(store: Store):
    terms = replace(TERMS, locale="de_DE", client_reference_id="42", metadata={"a": [1, None]})
    intent = an_intent(terms=terms, quantity=3, user_uuid=None)
    session = await added(store, intent)
    assert session.id > 0
    assert session == replace(intent.session, id=session.id)
    assert await book_of(store, session.uuid) == Book(session=session, attempts=(intent.attempt,))


async def test_an_order_finds_its_account_price_and_claim(store: Store):
    facts = await facts_for(store)
    assert facts.account is not None and facts.tenant is not None and facts.price is not None
    assert (facts.account.uuid, facts.tenant.uuid) == (ACCOUNT, TENANT)
    assert (facts.price.unit_amount, facts.price.is_recurring) == (money(9_99), False)
    assert (facts.claim, facts.customer_ref, facts.tax) == (None, None, None)
    intent = an_intent()
    await added(store, intent)
    facts = await facts_for(store)
    assert facts.claim is not None
    assert facts.claim.subject_uuid == intent.session.uuid
    assert (facts.claim.answer, facts.claim.lease_until) == (None, NOON + LEASE)
    assert facts.claimed_session_status is SessionStatus.OPEN


async def test_of_twenty_requests_with_one_key_one_is_written(store: Store):
    intents = [an_intent() for _ in range(20)]

    async def add(intent: Intent) -> CheckoutSession | None:
        async with store.begin(APP) as tx:
            return await tx.checkout.add(intent)

    made = [s for s in await asyncio.gather(*map(add, intents)) if s is not None]
    assert len(made) == 1
    async with store.begin(APP) as tx:
        page = await tx.checkout.list(PageRequest(0, 100), only=EVERYONE, after=None)
        owners = [await tx.attempts.owner(i.attempt.uuid) for i in intents]
    assert [book.session for book in page.items] == made
    assert [owner for owner in owners if owner is not None] == [session_owner(made[0])]


async def test_twenty_requests_with_twenty_keys_are_all_written(store: Store):
    sessions = await asyncio.gather(*(added(store, an_intent(f"key-{n}")) for n in range(20)))
    assert len({session.id for session in sessions}) == 20


async def test_a_claim_is_replaced_only_by_who_saw_it(store: Store):
    first = an_intent()
    await added(store, first)
    async with store.begin(APP) as tx:
        assert await tx.checkout.add(an_intent()) is None
        assert await tx.checkout.add(an_intent(replaces=LATER)) is None
    second = replace(an_intent(replaces=first.key_expires_at), key_expires_at=LATER)
    await added(store, second)
    async with store.begin(APP) as tx:
        assert await tx.checkout.add(an_intent(replaces=first.key_expires_at)) is None
    claim = (await facts_for(store)).claim
    assert claim is not None
    assert (claim.subject_uuid, claim.expires_at) == (second.session.uuid, LATER)


async def test_accepting_opens_the_session_in_one_go(store: Store):
    intent = an_intent()
    session = await added(store, intent)
    expected = settled(intent)
    async with store.begin(APP) as tx:
        assert await tx.checkout.open_accepted(expected, a_key(), ANSWER)
    book = await book_of(store, session.uuid)
    (payment,) = book.payments
    assert payment == expected.book.payments[0]
    assert book.newest.status is AttemptStatus.ACCEPTED
    assert (book.session.provider_ref, book.session.next_action_url) == (
        "tr_1",
        "https://provider.test/tr_1",
    )
    claim = (await facts_for(store)).claim
    assert claim is not None
    assert claim.answer == ANSWER


@pytest.mark.parametrize("what", ["webhook", "expired", "declined"])
async def test_accepting_writes_nothing_when_something_was_faster(store: Store, what: str):
    intent = an_intent()
    session = await added(store, intent)
    async with store.begin(APP) as tx:
        before = await tx.checkout.lock(session.uuid)
        attempt, over = before.newest, replace(before.session, status=SessionStatus.EXPIRED)
        after = {
            "webhook": settle(
                before, a_sighting(said(PaymentStatus.OPEN, attempt_uuid=attempt.uuid)), ids=IDS
            ).book,
            "expired": replace(before, session=over),
            "declined": before.with_attempt(declined(attempt, "no", at=LATER)),
        }[what]
        await tx.checkout.save(before, after)
    was = await book_of(store, session.uuid)
    async with store.begin(APP) as tx:
        assert not await tx.checkout.open_accepted(settled(intent), a_key(), ANSWER)
    assert await book_of(store, session.uuid) == was
    claim = (await facts_for(store)).claim
    assert claim is not None
    assert claim.answer is None


async def test_an_answer_never_lands_under_another_requests_claim(store: Store):
    first = an_intent()
    await added(store, first)
    await added(store, an_intent(replaces=first.key_expires_at))
    async with store.begin(APP) as tx:
        assert await tx.checkout.open_accepted(settled(first), a_key(), ANSWER)
    claim = (await facts_for(store)).claim
    assert claim is not None
    assert claim.answer is None


async def test_the_first_answer_stays(store: Store):
    await added(store, an_intent())
    other = Answer(422, b"no")
    async with store.begin(APP) as tx:
        assert await tx.idempotency.finish(a_key(), ANSWER) == ANSWER
        assert await tx.idempotency.finish(a_key(), other) == ANSWER
        assert await tx.idempotency.finish(a_key("unknown"), other) == other
    claim = (await facts_for(store)).claim
    assert claim is not None
    assert claim.answer == ANSWER


async def test_a_claim_is_looked_at_without_being_taken(store: Store):
    async with store.begin(APP) as tx:
        assert await tx.idempotency.peek(a_key()) is None
    intent = an_intent()
    await added(store, intent)
    async with store.begin(APP) as tx:
        claim = await tx.idempotency.peek(a_key())
    assert claim is not None
    assert (claim.subject_uuid, claim.answer) == (intent.session.uuid, None)


async def test_a_claim_is_taken_over_once_its_lease_is_over_and_by_one_alone(store: Store):
    intent = an_intent()
    await added(store, intent)
    over, later = intent.lease_until, intent.lease_until + timedelta(seconds=30)
    early = over - timedelta(seconds=1)
    async with store.begin(APP) as tx:
        assert not await tx.idempotency.renew(a_key(), now=early, until=later)
        assert await tx.idempotency.renew(a_key(), now=over, until=later)
        assert not await tx.idempotency.renew(a_key(), now=over, until=later)
        assert not await tx.idempotency.renew(a_key("unknown"), now=over, until=later)
        await tx.idempotency.finish(a_key(), ANSWER)
        assert not await tx.idempotency.renew(a_key(), now=later, until=later)


async def test_a_whole_book_is_saved_and_comes_back(store: Store):
    intent = an_intent("key-1", mode=Mode.SETUP, amount=Quote(money(1_00), money(0), money(1_00)))
    session = await added(store, intent)
    facts = {"amount": money(1_00), "mandate_ref": "mdt_1", "attempt_uuid": intent.attempt.uuid}
    mandate = a_seen_mandate(MandateStatus.PENDING, details={"cardNumber": "9479"})
    async with store.begin(APP) as tx:
        before = await tx.checkout.lock(session.uuid)
        paid = a_sighting(said(PaymentStatus.PAID, **facts), mandate=mandate)
        after = settle(before, paid, ids=IDS).book
        await tx.checkout.save(before, after)
    assert await book_of(store, session.uuid) == after
    assert after.session.status is SessionStatus.COMPLETE
    assert (len(after.payments), len(after.refunds), len(after.mandates)) == (1, 1, 1)
    async with store.begin(APP) as tx:
        before = await tx.checkout.lock(session.uuid)
        back = a_seen_refund(after.refunds[0].uuid, RefundStatus.REFUNDED, amount=money(1_00))
        valid = a_seen_mandate(MandateStatus.VALID)
        refunded = said(PaymentStatus.PAID, refunded=money(1_00), **facts)
        seen = a_sighting(refunded, mandate=valid, refunds=(back,), after_s=3600)
        last = settle(before, seen, ids=IDS).book
        await tx.checkout.save(before, last)
    (first_valid,) = last.mandates
    last = replace(last, mandates=(replace(first_valid, is_default=True),))
    assert await book_of(store, session.uuid) == last
    assert last.session.payment_status is SessionPaymentStatus.REFUNDED
    assert last.mandates[0].status is MandateStatus.VALID


async def test_a_second_attempt_is_added_beside_the_first(store: Store):
    session = await added(store, an_intent())
    second = an_attempt(uuid=IDS.new(), checkout_session_uuid=session.uuid, number=2)
    async with store.begin(APP) as tx:
        before = await tx.checkout.lock(session.uuid)
        first = accepted(before.newest, at=NOON)
        await tx.checkout.save(before, before.with_attempt(first).with_attempt(second))
        assert await tx.attempts.owner(second.uuid) == session_owner(session)
    assert [a.number for a in (await book_of(store, session.uuid)).attempts] == [1, 2]


async def test_sessions_are_listed_newest_first_by_page_and_by_cursor(store: Store):
    sessions = [await added(store, an_intent(f"key-{n}")) for n in range(4)]
    sessions.append(await added(store, an_intent("other", tenant_uuid=OTHER_TENANT)))
    newest = [session.uuid for session in reversed(sessions)]
    async with store.begin(APP) as tx:
        page = await tx.checkout.list(PageRequest(1, 2), only=EVERYONE, after=None)
        rest = await tx.checkout.list(PageRequest(0, 3), only=EVERYONE, after=newest[1])
        own = await tx.checkout.list(
            PageRequest(), only=frozenset({TenantUuid(OTHER_TENANT)}), after=None
        )
        none = await tx.checkout.list(PageRequest(), only=frozenset(), after=None)
    assert ([b.session.uuid for b in page.items], page.total) == (newest[2:4], 5)
    assert [b.session.uuid for b in rest.items] == newest[2:5]
    assert ([b.session.uuid for b in own.items], own.total) == ([newest[0]], 1)
    assert (none.items, none.total) == ((), 0)


async def test_another_apps_session_is_not_found(store: Store):
    intent = an_intent()
    await added(store, intent)
    async with store.begin(OTHER_APP) as tx:
        for read in (tx.checkout.get, tx.checkout.lock):
            with pytest.raises(NotFound):
                await read(intent.session.uuid)
        assert await tx.attempts.owner(intent.attempt.uuid) is None


async def test_a_waiting_attempt_is_leased_by_one_at_a_time(store: Store):
    intent = an_intent()
    await added(store, intent)

    async def lease(now: datetime) -> object:
        async with store.begin(APP) as tx:
            return await tx.attempts.lease(intent.attempt.uuid, now=now, until=now + LEASE)

    assert await lease(NOON + LEASE / 2) is None
    after = NOON + LEASE
    taken = [a for a in await asyncio.gather(*(lease(after) for _ in range(10))) if a is not None]
    assert taken == [
        replace(
            intent.attempt,
            tries=2,
            lease_until=after + LEASE,
            due_at=after + LEASE,
            updated_at=after,
        )
    ]


async def test_only_the_holder_ends_a_lease(store: Store):
    intent = an_intent()
    session = await added(store, intent)
    after = NOON + LEASE
    async with store.begin(APP) as tx:
        held = await tx.attempts.lease(intent.attempt.uuid, now=after, until=after + LEASE)
        assert held is not None
        await tx.attempts.release(intent.attempt, now=after, due_at=after)
    assert (await book_of(store, session.uuid)).newest == held
    async with store.begin(APP) as tx:
        await tx.attempts.release(held, now=after, due_at=LATER)
    freed = (await book_of(store, session.uuid)).newest
    assert (freed.lease_until, freed.due_at) == (after, LATER)


async def test_a_concluded_attempt_is_nobodys_to_take(store: Store):
    intent = an_intent()
    session = await added(store, intent)
    async with store.begin(APP) as tx:
        before = await tx.checkout.lock(session.uuid)
        await tx.checkout.save(before, before.with_attempt(declined(before.newest, "no", at=NOON)))
        uuid = intent.attempt.uuid
        assert await tx.attempts.lease(uuid, now=LATER, until=LATER + LEASE) is None
        await tx.attempts.release(intent.attempt, now=LATER, due_at=LATER)
    assert (await book_of(store, session.uuid)).newest.due_at == intent.attempt.due_at


def a_customer(at: datetime = NOON) -> Customer:
    return Customer(
        uuid=IDS.new(),
        app_uuid=APP,
        payment_provider_uuid=ACCOUNT,
        tenant_uuid=TENANT,
        lease_until=at + LEASE,
        first_submitted_at=at,
        created_at=at,
        updated_at=at,
    )


async def claim_customer(store: Store, at: datetime = NOON) -> tuple[Customer, bool]:
    async with store.begin(APP) as tx:
        return await tx.customers.claim(a_customer(at), now=at)


async def test_of_twenty_who_need_a_customer_one_makes_it(store: Store):
    claims = await asyncio.gather(*(claim_customer(store) for _ in range(20)))
    assert [is_ours for _, is_ours in claims].count(True) == 1
    assert len({customer.uuid for customer, _ in claims}) == 1


async def test_a_customer_that_the_provider_lost_is_made_anew_under_another_key(store: Store):
    first, _ = await claim_customer(store)
    async with store.begin(APP) as tx:
        await tx.customers.adopt(first.uuid, "cst_1", at=NOON)
        earlier = NOON - timedelta(seconds=1)
        await tx.customers.forget(ACCOUNT, TENANT, known_before=earlier, new_uuid=UUID(int=76))
        assert await tx.customers.reference(ACCOUNT, TENANT) == "cst_1"
        await tx.customers.forget(ACCOUNT, TENANT, known_before=LATER, new_uuid=UUID(int=77))
    again, is_ours = await claim_customer(store, LATER)
    assert (again.uuid, again.provider_ref, is_ours) == (UUID(int=77), None, True)
    assert again.first_submitted_at == LATER


async def test_a_customer_keeps_its_identity_through_leases_and_adoption(store: Store):
    first, _ = await claim_customer(store)
    again, is_ours = await claim_customer(store, LATER)
    assert is_ours
    assert (again.uuid, again.first_submitted_at) == (first.uuid, NOON)
    async with store.begin(APP) as tx:
        with pytest.raises(NotFound):
            await tx.customers.reference(ACCOUNT, TENANT)
        await tx.customers.release(first.uuid, at=LATER)
    assert (await claim_customer(store, LATER))[1]
    async with store.begin(APP) as tx:
        await tx.customers.adopt(first.uuid, "cst_1", at=LATER)
        await tx.customers.adopt(first.uuid, "cst_2", at=LATER)
        await tx.customers.release(first.uuid, at=NOON)
        assert await tx.customers.reference(ACCOUNT, TENANT) == "cst_1"
    known, is_ours = await claim_customer(store, LATER + timedelta(days=1))
    assert (known.provider_ref, is_ours) == ("cst_1", False)
    assert (await facts_for(store)).customer_ref == "cst_1"


async def a_surplus(store: Store) -> Book:
    """A session that had expired when its money came."""
    intent = an_intent()
    session = await added(store, intent)
    async with store.begin(APP) as tx:
        before = await tx.checkout.lock(session.uuid)
        over = replace(before, session=replace(session, status=SessionStatus.EXPIRED))
        paid = said(PaymentStatus.PAID, attempt_uuid=intent.attempt.uuid)
        after = settle(over, a_sighting(paid), ids=IDS).book
        await tx.checkout.save(before, after)
    return after


async def test_a_refund_is_leased_by_one_at_a_time_until_it_is_made(store: Store):
    (refund,) = (await a_surplus(store)).refunds
    now = NOON + timedelta(minutes=2)

    async def lease(at: datetime) -> object:
        async with store.begin(APP) as tx:
            return await tx.refunds.lease(refund.uuid, now=at, until=at + LEASE)

    taken = [r for r in await asyncio.gather(*(lease(now) for _ in range(10))) if r is not None]
    assert taken == [
        replace(
            refund,
            tries=1,
            first_submitted_at=now,
            lease_until=now + LEASE,
            due_at=now + LEASE,
            updated_at=now,
        )
    ]
    async with store.begin(APP) as tx:
        await tx.refunds.release(refund.uuid, now=now, due_at=LATER)
        assert (await tx.payments.get(refund.payment_uuid)).uuid == refund.payment_uuid
    assert await lease(now) is not None


async def known_money(store: Store, account_uuid: UUID, ref: str) -> KnownMoney | None:
    async with store.begin(APP) as tx:
        return await tx.payments.known_money(account_uuid, ref)


async def test_refunds_are_awaited_until_they_are_settled(store: Store):
    before = await a_surplus(store)
    (refund,) = before.refunds
    known = money(0)
    for status in (RefundStatus.PENDING, RefundStatus.FAILED):
        awaited = KnownMoney(known, money(0), refunds_are_awaited=True)
        assert await known_money(store, ACCOUNT, "tr_1") == awaited
        known = refund.amount
        async with store.begin(APP) as tx:
            held = await tx.checkout.lock(before.session.uuid)
            seen = conclude(held.refunds[0], a_seen_refund(refund.uuid, status), at=LATER)
            await tx.checkout.save(held, held.with_refund(seen))
    settled = KnownMoney(money(0), money(0), refunds_are_awaited=False)
    assert await known_money(store, ACCOUNT, "tr_1") == settled
    async with store.begin(APP) as tx:
        assert await tx.refunds.lease(refund.uuid, now=LATER, until=LATER) is None


async def test_nothing_is_known_of_a_payment_that_was_not_seen(store: Store):
    await a_surplus(store)
    assert await known_money(store, ACCOUNT, "tr_2") is None
    assert await known_money(store, a_uuid(99), "tr_1") is None


async def test_a_payments_file_is_saved_by_itself_and_comes_back(store: Store):
    (payment,) = (await a_surplus(store)).payments
    taken = Chargeback(
        uuid=IDS.new(),
        app_uuid=APP,
        payment_provider_uuid=ACCOUNT,
        payment_uuid=payment.uuid,
        provider_ref="chb_1",
        amount=money(5_00),
        reason="AM04",
        received_at=NOON,
        created_at=NOON,
        updated_at=NOON,
    )
    async with store.begin(APP) as tx:
        before = await tx.payments.lock_file(payment.uuid)
        moved = replace(before.payment, refunded=money(1), charged_back=money(5_00), due_at=LATER)
        after = replace(before, payment=moved, chargebacks=(taken,))
        await tx.payments.save_file(before, after)
    assert await known_money(store, ACCOUNT, "tr_1") == KnownMoney(money(0), money(5_00), True)
    async with store.begin(APP) as tx:
        assert await tx.payments.lock_file(payment.uuid) == after
        given_again = replace(taken, reversed_at=LATER, updated_at=LATER)
        await tx.payments.save_file(after, replace(after, chargebacks=(given_again,)))
    async with store.begin(APP) as tx:
        assert (await tx.payments.lock_file(payment.uuid)).chargebacks == (given_again,)
        assert (await tx.chargebacks.list(payment.uuid, PageRequest())).items == (given_again,)
        assert (await tx.payments.get(payment.uuid)) == moved
    assert await known_money(store, ACCOUNT, "tr_1") == KnownMoney(money(0), money(0), True)


async def test_a_payment_of_another_app_is_not_found(store: Store):
    (payment,) = (await a_surplus(store)).payments
    async with store.begin(OTHER_APP) as tx:
        for read in (tx.payments.get, tx.payments.lock_file):
            with pytest.raises(NotFound):
                await read(payment.uuid)
        assert await tx.payments.known_money(ACCOUNT, "tr_1") is None


async def test_due_work_is_handed_out_once_and_comes_back(store: Store):
    book = await a_surplus(store)
    waiting = an_intent("key-2")
    await added(store, waiting)
    now, until = NOON + timedelta(days=1), NOON + timedelta(days=1, minutes=1)
    async with store.begin(APP) as tx:
        assert await tx.due_work.attempts(NOON) == []
        assert await tx.due_work.attempts(now) == [waiting.attempt.uuid]
        assert await tx.due_work.refunds(now) == [book.refunds[0].uuid]
    for at, expected in ((NOON, 0), (now, 1), (now, 0), (until, 1)):
        async with store.begin(APP) as tx:
            sessions = await tx.due_work.sessions(at, at + timedelta(minutes=1))
            payments = await tx.due_work.payments(at, at + timedelta(minutes=1))
        assert sessions == [waiting.session.uuid] * expected, at
        assert [p.provider_ref for p in payments] == ["tr_1"] * expected, at


async def test_a_message_is_handed_out_until_it_is_done(store: Store):
    message = Message(
        uuid=IDS.new(),
        app_uuid=APP,
        payment_provider_uuid=ACCOUNT,
        provider_ref="tr_1",
        due_at=NOON,
        received_at=NOON,
    )
    async with store.begin(APP) as tx:
        await tx.inbox.add(message)
    for tries in (1, 2):
        async with store.begin(APP) as tx:
            found = await tx.due_work.messages(NOON, LATER)
            assert found == [replace(message, tries=tries, due_at=LATER)]
            await tx.inbox.postpone(message.uuid, due_at=NOON)
    async with store.begin(APP) as tx:
        await tx.inbox.done(message.uuid, Outcome.OBSERVED, at=LATER)
        await tx.inbox.postpone(message.uuid, due_at=NOON)
        assert await tx.due_work.messages(LATER, LATER) == []


async def test_an_event_of_an_account_is_taken_in_once(store: Store):
    def message(**said: Any) -> Message:
        usual = {
            "uuid": IDS.new(),
            "app_uuid": APP,
            "payment_provider_uuid": ACCOUNT,
            "provider_ref": "session_1",
            "event_id": "event 1",
            "due_at": NOON,
            "received_at": NOON,
        }
        return Message(**usual | said)

    async with store.begin(APP) as tx:
        first = message()
        assert await tx.inbox.add(first)
        assert not await tx.inbox.add(message())
        assert not await tx.inbox.add(message(provider_ref="session_2"))
    async with store.begin(APP) as tx:
        await tx.inbox.done(first.uuid, Outcome.OBSERVED, at=NOON)
        assert not await tx.inbox.add(message())
        assert await tx.inbox.add(message(event_id="event 2"))
        # What has no id may say the same any number of times.
        assert [await tx.inbox.add(message(event_id=None)) for _ in range(2)] == [True, True]
        found = await tx.due_work.messages(NOON, LATER)
        assert [m.event_id for m in found].count(None) == 2


async def test_an_attempts_payment_is_known_by_its_reference(store: Store):
    intent = an_intent()
    await added(store, intent)
    opened = settled(intent)
    (payment,) = opened.book.payments
    async with store.begin(APP) as tx:
        await tx.checkout.open_accepted(opened, intent.key, Answer(200, b"{}"))
    async with store.begin(APP) as tx:
        assert await tx.payments.ref_of(ACCOUNT, payment.attempt_uuid) == payment.provider_ref
        assert await tx.payments.ref_of(a_uuid(99), payment.attempt_uuid) is None
        assert await tx.payments.ref_of(ACCOUNT, a_uuid(99)) is None
    async with store.begin(OTHER_APP) as tx:
        assert await tx.payments.ref_of(ACCOUNT, payment.attempt_uuid) is None


async def test_ten_workers_never_get_the_same_row(store: Store):
    sessions = [await added(store, an_intent(f"key-{n}")) for n in range(30)]
    now = NOON + timedelta(days=2)

    async def claim() -> list[UUID]:
        async with store.begin(APP) as tx:
            return await tx.due_work.sessions(now, now + LEASE)

    batches = await asyncio.gather(*(claim() for _ in range(10)))
    claimed = [uuid for batch in batches for uuid in batch]
    assert len(claimed) == len(set(claimed))
    # Rows that another one held were left for the next round.
    claimed += await claim()
    claimed += await claim()
    assert sorted(claimed) == sorted(session.uuid for session in sessions)


async def test_nobody_elses_rows_are_due(store: Store):
    await added(store, an_intent())
    now = NOON + timedelta(days=2)
    async with store.begin(OTHER_APP) as tx:
        assert await tx.due_work.attempts(now) == []
        assert await tx.due_work.sessions(now, now) == []


async def test_a_crash_in_the_middle_leaves_nothing(store: Store):
    with pytest.raises(ZeroDivisionError):
        async with store.begin(APP) as tx:
            await tx.checkout.add(an_intent())
            raise ZeroDivisionError
    assert (await facts_for(store)).claim is None
