"""Refunds, chargebacks and mandates on their own: what the fake does, PostgreSQL does too."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.checkout.book import Book
from domain.kernel.errors import NotFound
from domain.kernel.pages import PageRequest
from domain.payments.answers import MandateStatus, PaymentStatus, RefundStatus
from domain.payments.customer import Customer
from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.subscriptions.subscription import SubscriptionStatus
from tests.contract.shelf import Store, added, book_of, open_shelf, saved
from tests.contract.test_checkout_repository import added as opened
from tests.contract.test_checkout_repository import an_intent
from tests.domain.payments.test_request_refund import a_chargeback, a_refund
from tests.fakes.clock import NOON
from tests.fakes.ids import FakeIds
from tests.make import APP, OTHER_APP, OTHER_TENANT, TENANT, a_uuid, money
from tests.make_checkout import ACCOUNT, a_payment
from tests.make_subscriptions import MANDATE, SUBSCRIPTION, a_mandate, a_subscription_book

IDS = FakeIds(series=33)
LATER = NOON + timedelta(hours=1)
ALL = PageRequest(0, 10)


@pytest.fixture(params=["fake", "postgres"])
async def store(request: pytest.FixtureRequest, clean_database: str) -> AsyncIterator[Store]:
    async with open_shelf(request.param, clean_database) as shelf:
        yield shelf


async def kept(store: Store, *mandates: Mandate, **of_payment: object) -> Payment:
    """A session's payment is paid, and these mandates are seen."""
    intent = an_intent()
    session = await opened(store, intent)
    payment = a_payment(
        attempt_uuid=intent.attempt.uuid,
        checkout_session_uuid=session.uuid,
        status=PaymentStatus.PAID,
        tax=money(0),
        **of_payment,
    )
    before = Book(session=session, attempts=(intent.attempt,))
    customer = Customer(
        uuid=IDS.new(),
        app_uuid=APP,
        payment_provider_uuid=ACCOUNT,
        tenant_uuid=TENANT,
        lease_until=NOON,
        first_submitted_at=NOON,
        created_at=NOON,
        updated_at=NOON,
    )
    async with store.begin(APP) as tx:
        await tx.customers.claim(customer, now=NOON)
        after = replace(before, payments=(payment,), mandates=mandates)
        await tx.checkout.save(before, after)
    return payment


async def seen(store: Store, before: Mandate | None, after: Mandate) -> None:
    async with store.begin(APP) as tx:
        (book,) = (await tx.checkout.list(ALL, only=None, after=None)).items
        known = () if before is None else (before,)
        await tx.checkout.save(
            replace(book, mandates=known), replace(book, mandates=(*known, after))
        )


async def standing(store: Store) -> dict[UUID, tuple[str, bool]]:
    async with store.begin(APP) as tx:
        page = await tx.mandates.list(TENANT, ALL)
    return {m.uuid: (m.status.value, m.is_default) for m in page.items}


def another(uuid: UUID, **said: object) -> Mandate:
    return a_mandate(uuid=uuid, provider_ref=f"mdt_{uuid}", **said)


async def test_refunds_are_listed_newest_first_and_found_one_by_one(store: Store):
    payment = await kept(store)
    refunds = tuple(a_refund(minor) for minor in (100, 200, 300))
    async with store.begin(APP) as tx:
        file = await tx.payments.lock_file(payment.uuid)
        await tx.payments.save_file(file, replace(file, refunds=refunds))
        page = await tx.refunds.list(payment.uuid, PageRequest(0, 2))
        assert (page.total, page.items) == (3, refunds[:0:-1])
        assert await tx.refunds.get(refunds[0].uuid) == refunds[0]
        assert (await tx.refunds.list(a_uuid(98), ALL)).items == ()
        with pytest.raises(NotFound):
            await tx.refunds.get(a_uuid(98))
    async with store.begin(OTHER_APP) as tx:
        with pytest.raises(NotFound):
            await tx.refunds.get(refunds[0].uuid)


async def test_a_refund_is_called_off_only_while_nobody_has_begun_to_send_it(store: Store):
    payment = await kept(store)
    waiting, sent = a_refund(100), a_refund(200)
    async with store.begin(APP) as tx:
        file = await tx.payments.lock_file(payment.uuid)
        await tx.payments.save_file(file, replace(file, refunds=(waiting, sent)))
        assert await tx.refunds.lease(sent.uuid, now=NOON, until=LATER) is not None
    async with store.begin(APP) as tx:
        assert await tx.refunds.cancel(sent.uuid, at=LATER) is None
        canceled = await tx.refunds.cancel(waiting.uuid, at=LATER)
        assert canceled == replace(waiting, status=RefundStatus.CANCELED, updated_at=LATER)
        assert await tx.refunds.cancel(waiting.uuid, at=LATER) is None
        assert await tx.refunds.lease(waiting.uuid, now=LATER, until=LATER) is None


async def test_the_money_that_is_known_to_be_back_is_what_its_rows_add_up_to(store: Store):
    payment = await kept(store, refunded=money(9_99), charged_back=money(9_99))
    refunds = (
        a_refund(100, provider_ref="re_1", status=RefundStatus.REFUNDED),
        a_refund(200, provider_ref="re_2", status=RefundStatus.REFUNDED),
        a_refund(300, provider_ref="re_3", status=RefundStatus.FAILED),
    )
    chargebacks = (a_chargeback(10), a_chargeback(20), a_chargeback(30, reversed_at=NOON))
    async with store.begin(APP) as tx:
        file = await tx.payments.lock_file(payment.uuid)
        after = replace(file, refunds=refunds, chargebacks=chargebacks)
        await tx.payments.save_file(file, after)
        known = await tx.payments.known_money(ACCOUNT, payment.provider_ref)
        assert known is not None
        assert (known.refunded, known.charged_back) == (money(3_00), money(30))
        assert known.refunds_are_awaited is False
        await tx.payments.save_file(after, replace(after, refunds=(*refunds, a_refund(400))))
        asked = await tx.payments.known_money(ACCOUNT, payment.provider_ref)
        assert asked == replace(known, refunds_are_awaited=True)
        assert await tx.payments.known_money(ACCOUNT, "tr_other") is None


async def test_chargebacks_are_listed_newest_first(store: Store):
    payment = await kept(store)
    chargebacks = tuple(a_chargeback(minor) for minor in (1, 2, 3))
    async with store.begin(APP) as tx:
        file = await tx.payments.lock_file(payment.uuid)
        await tx.payments.save_file(file, replace(file, chargebacks=chargebacks))
        page = await tx.chargebacks.list(payment.uuid, PageRequest(1, 2))
    assert (page.total, page.items) == (3, chargebacks[:1])


async def test_the_first_valid_mandate_is_the_default_and_an_invalid_one_is_none(store: Store):
    pending = a_mandate(MandateStatus.PENDING)
    await kept(store, pending)
    assert await standing(store) == {MANDATE: ("pending", False)}
    valid = replace(pending, status=MandateStatus.VALID, updated_at=LATER)
    await seen(store, pending, valid)
    second = another(IDS.new())
    await seen(store, None, second)
    assert await standing(store) == {MANDATE: ("valid", True), second.uuid: ("valid", False)}
    await seen(store, valid, replace(valid, status=MandateStatus.INVALID))
    assert await standing(store) == {MANDATE: ("invalid", False), second.uuid: ("valid", False)}
    third = another(IDS.new())
    await seen(store, None, third)
    assert (await standing(store))[third.uuid] == ("valid", True)


async def test_another_tenants_default_is_no_matter(store: Store):
    theirs = another(IDS.new(), tenant_uuid=OTHER_TENANT)
    await kept(store, a_mandate(), theirs)
    assert await standing(store) == {MANDATE: ("valid", True)}
    async with store.begin(APP) as tx:
        assert (await tx.mandates.get(theirs.uuid)).is_default


async def test_an_older_look_at_a_mandate_does_not_undo_its_end(store: Store):
    pending = a_mandate(MandateStatus.PENDING)
    await kept(store, pending)
    async with store.begin(APP) as tx:
        assert await tx.mandates.end(MANDATE, at=LATER)
        assert not await tx.mandates.end(MANDATE, at=LATER)
    await seen(store, pending, replace(pending, status=MandateStatus.VALID))
    assert await standing(store) == {MANDATE: ("invalid", False)}


async def test_a_default_is_made_in_the_others_place_if_it_is_valid(store: Store):
    second, ended = another(IDS.new()), another(IDS.new())
    await kept(store, a_mandate(), second, ended)
    async with store.begin(APP) as tx:
        await tx.mandates.end(ended.uuid, at=LATER)
        assert await tx.mandates.make_default(second)
        assert not await tx.mandates.make_default(ended)
    assert await standing(store) == {
        MANDATE: ("valid", False),
        second.uuid: ("valid", True),
        ended.uuid: ("invalid", False),
    }


async def test_of_many_that_are_made_the_default_at_once_one_is(store: Store):
    mandates = [another(IDS.new()) for _ in range(5)]
    await kept(store, *mandates)

    async def make(mandate: Mandate) -> None:
        async with store.begin(APP) as tx:
            await tx.mandates.make_default(mandate)

    await asyncio.gather(*(make(mandate) for mandate in mandates))
    assert [is_default for _, is_default in (await standing(store)).values()].count(True) == 1


async def test_a_mandate_names_the_living_subscriptions_that_are_charged_on_it(store: Store):
    second = another(IDS.new())
    await kept(store, a_mandate(), second)
    book = await added(store, a_subscription_book())
    async with store.begin(APP) as tx:  # it names none: the default is charged
        assert await tx.mandates.living_subscriptions(MANDATE) == (SUBSCRIPTION,)
        assert await tx.mandates.living_subscriptions(second.uuid) == ()
        assert await tx.mandates.make_default(second)
        assert await tx.mandates.living_subscriptions(MANDATE) == ()
        assert await tx.mandates.living_subscriptions(second.uuid) == (SUBSCRIPTION,)
        await tx.mandates.end(second.uuid, at=LATER)
        assert await tx.mandates.living_subscriptions(MANDATE) == (SUBSCRIPTION,)
    charged = replace(book.subscription, mandate_uuid=MANDATE)
    after = await saved(store, book, replace(book, subscription=charged))
    async with store.begin(APP) as tx:
        assert await tx.mandates.living_subscriptions(MANDATE) == (SUBSCRIPTION,)
    before = await book_of(store)
    ended = replace(after.subscription, status=SubscriptionStatus.CANCELED)
    await saved(store, before, replace(before, subscription=ended))
    async with store.begin(APP) as tx:
        assert await tx.mandates.living_subscriptions(MANDATE) == ()
