"""A world for the checkout's protocol: everything in one process, and one seed decides it all.

Turn by turn the seed lets somebody act (a caller, a shopper, a worker, time), and lets calls fail,
answers get lost, commits crash and processes die. `settle_down` is the quiet that follows.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from app.jobs import Attempts, Expiry, Looks, Messages, Refunds
from domain.catalog.price import Interval, Recurrence
from domain.checkout.book import Book
from domain.checkout.conclude_attempt import ConcludeAttempt
from domain.checkout.continue_payment import ContinuePayment
from domain.checkout.draft import Drafts
from domain.checkout.expire_session import ExpireSession
from domain.checkout.links import Links
from domain.checkout.open_session import Opened, OpenSession
from domain.checkout.order import Ask, Order
from domain.checkout.record_sighting import RecordSighting
from domain.checkout.session import Mode, Terms
from domain.kernel.errors import DomainError
from domain.kernel.idempotency import Answer
from domain.kernel.ids import AppUuid
from domain.payments.answers import MandateStatus, ProviderPayment, RefundStatus
from domain.payments.attempt import AttemptStatus, OwnerKind
from domain.payments.ensure_customer import EnsureCustomer
from domain.payments.observe_payment import ObservePayment
from domain.payments.payment_provider import ProviderName
from domain.payments.recover_attempt import RecoverAttempt
from domain.payments.submit_attempt import SubmitAttempt
from domain.payments.submit_refund import SubmitRefund
from domain.subscriptions.deliver_purchase import DeliverPurchase
from domain.subscriptions.write import WriteBook
from domain.tenancy.caller import Scope, UserCaller
from domain.webhooks.receive import ReceiveMessage
from tests.fakes.checkout import FakeCheckout
from tests.fakes.clock import FakeClock
from tests.fakes.ids import FakeIds
from tests.fakes.provider import KEY_WINDOW_S, LIVE
from tests.faults.flaky_provider import FlakyProvider
from tests.make import APP, TENANT, USER, a_price, a_product, a_tenant, an_account, money

LEASE: Final = timedelta(seconds=30)
TURNS: Final = 150
CALLER: Final = UserCaller(
    app_uuid=APP, user_uuid=USER, scopes=frozenset({Scope.BILLING_WRITE}), tenants=None
)
# Chosen around the lease and its fence; and some hours.
JUMPS_S: Final = (0, 0, 1, 1, 2, 5, 12, 16, 31, 31, 45, 120, 700, 3700, 7200)


class Crash(Exception):
    """The process dies here."""


class Render:
    """Answers that tell two states of a session apart."""

    def opened(self, book: Book) -> Answer:
        facts = (book.session.uuid, book.session.status, book.session.next_action_url)
        return Answer(200, msgspec.json.encode(facts))

    def refused(self, error: DomainError) -> Answer:
        return Answer(422, str(error).encode())


class Hook(Struct, frozen=True):
    ref: str
    at: datetime


class World:
    def __init__(self, seed: int, make_submit: Callable[..., Any] = SubmitAttempt) -> None:
        self.random, self.clock, self.ids = Random(seed), FakeClock(), FakeIds()
        self.database = FakeCheckout(self._moment)
        self.is_quiet, self.answers = False, dict[str, list[Answer]]()
        self.tasks: set[asyncio.Task[object]] = set()
        self._started = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._frozen: list[asyncio.Future[None]] = []
        """Processes that stand still while their leases run out."""
        self.stops: set[str] = set()
        """Where a script lets the next one stand still: see `stop_at`."""
        self.failures: list[BaseException] = []
        self._hooks: list[Hook] = []
        self._plug_in(make_submit)
        self._furnish()

    def _plug_in(self, make_submit: Callable[..., Any]) -> None:
        database, clock, ids = self.database, self.clock, self.ids
        self.provider = FlakyProvider(self)
        providers = {ProviderName.MOLLIE: self.provider.provider}
        links = Links("https://kontor.test")
        record = RecordSighting(DeliverPurchase(WriteBook(providers, links, ids), ids), ids)
        observe = ObservePayment(database, providers, {OwnerKind.SESSION: record}, clock)
        submit = make_submit(providers, clock, LEASE)
        conclude = ConcludeAttempt(database, record, clock)
        drafts = Drafts(providers, links, ids, LEASE)
        customer = EnsureCustomer(database, providers, clock, ids, self._pause, LEASE)
        self.open_session = OpenSession(
            database, customer, drafts, submit, conclude, clock, self._pause
        )
        self.shopper = ContinuePayment(database, customer, observe, drafts, submit, conclude, clock)
        self.expire = ExpireSession(database, observe, providers, clock)
        self.receive = ReceiveMessage(database, self, observe, clock, ids)
        self.recover = RecoverAttempt(database, submit, {OwnerKind.SESSION: conclude}, clock, LEASE)
        self.jobs = (
            Messages(database, self.receive, LEASE),
            Attempts(database, self.recover),
            Refunds(database, SubmitRefund(database, providers, clock, LEASE)),
            Looks(database, observe, clock),
            Expiry(database, self.expire, LEASE),
        )

    def _furnish(self) -> None:
        rows = self.database.of(APP)
        account, product = an_account(is_default=True), a_product()
        once = a_price(product, unit_amount=money(20_00))
        monthly = a_price(product, recurring=Recurrence(Interval.MONTH, 1))
        tried_out = a_price(product, recurring=Recurrence(Interval.MONTH, 1), trial_days=14)
        rows.tenants[TENANT], rows.accounts[account.uuid] = a_tenant(), account
        rows.products[product.uuid] = product
        rows.prices.update((price.uuid, price) for price in (once, monthly, tried_out))
        self.account = account
        self._wares = (
            (Mode.SETUP, None),
            (Mode.PAYMENT, once.uuid),
            (Mode.SUBSCRIPTION, monthly.uuid),
            (Mode.SUBSCRIPTION, tried_out.uuid),
        )

    # Chance, and the gates at which it lets go of whoever waits.

    def happens(self, percent: int) -> bool:
        return not self.is_quiet and self.random.randrange(100) < percent

    async def _moment(self, what: str) -> None:
        if self.happens(2):
            raise Crash(what)
        if what == "after commit" and self.happens(15):
            await self._wait_in(self._frozen)
        await self.stop_at(what)

    async def stop_at(self, what: str) -> None:
        if what in self.stops:
            self.stops.remove(what)
            await self._wait_in(self._frozen)

    async def wait(self) -> None:
        if not self.is_quiet:
            await self._wait_in(self._waiting)

    async def _wait_in(self, room: list[asyncio.Future[None]]) -> None:
        gate = asyncio.get_running_loop().create_future()
        room.append(gate)
        await gate

    async def _pause(self, seconds: float) -> None:
        if self.is_quiet:
            self.clock.advance(timedelta(seconds=seconds))
        await self.wait()
        await asyncio.sleep(0)

    def _let_go(self, room: list[asyncio.Future[None]]) -> None:
        room[:] = [gate for gate in room if not gate.done()]
        if room:
            room.pop(self.random.randrange(len(room))).set_result(None)

    def start(self, work: Awaitable[object]) -> None:
        async def guarded() -> object:
            try:
                return await work
            except (Crash, DomainError):
                return None

        self._started += 1
        task = asyncio.create_task(guarded(), name=f"{self._started:06}")
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failures.append(error)

    # The port that asks across apps.

    async def app_of_account(self, account_uuid: UUID) -> AppUuid | None:
        return APP

    async def apps_with_due_work(self, at: datetime) -> tuple[AppUuid, ...]:
        return (APP,)

    # Turns.

    async def turn(self) -> None:
        turns = (
            (6, self.somebody_opens),
            (40, self._somebody_goes_on),
            (5, self.thaw),
            (12, self._a_worker_starts),
            (5, self._a_shopper_decides),
            (8, self._a_shopper_clicks),
            (8, self._time_passes),
            (8, self._a_webhook_comes),
            (3, self._the_bank_moves),
            (2, self._the_app_expires_a_session),
            (3, self._a_process_dies),
        )
        acts = [act for weight, act in turns for _ in range(weight)]
        self.random.choice(acts)()
        for _ in range(6):
            await asyncio.sleep(0)

    def _somebody_goes_on(self) -> None:
        self._let_go(self._waiting)

    def thaw(self) -> None:
        self._let_go(self._frozen)

    def somebody_opens(self) -> None:
        ware = self.random.randrange(len(self._wares))
        key, (mode, price_uuid) = f"key-{ware}", self._wares[ware]
        order = Order(
            tenant_uuid=TENANT,
            provider=ProviderName.MOLLIE,
            mode=mode,
            price_uuid=price_uuid,
            tax_rate_uuid=None,
            currency=money(0).currency,
            terms=Terms(
                payment_method="card",
                description="",
                success_url="https://app.test/ok",
                cancel_url="https://app.test/no",
            ),
        )
        fingerprint = hashlib.sha256(key.encode()).digest()
        ask = Ask(operation="openCheckoutSession", key=key, fingerprint=fingerprint)

        async def open_it() -> None:
            opened: Opened = await self.open_session(CALLER, order, ask, Render())
            self.answers.setdefault(key, []).append(opened.answer)

        self.start(open_it())

    def _a_worker_starts(self) -> None:
        self.start(self._work_on(self.random.choice(self.jobs)))

    async def _work_on(self, job: Any) -> None:
        for task in await job.claim(APP, self.clock.now()):
            self.start(task())

    def payments_at_the_provider(self) -> list[ProviderPayment]:
        return list(self.provider.world(self.account).payments.values())

    def _a_shopper_decides(self) -> None:
        live = [p for p in self.payments_at_the_provider() if p.status in LIVE]
        if live:
            ref = self.random.choice(live).ref
            fate = self.random.choice(("pay", "pay", "pay", "fail", "cancel", "expire"))
            self.provider.mandates_start_as = self.random.choice(
                (MandateStatus.PENDING, MandateStatus.VALID)
            )
            getattr(self.provider, fate)(ref)
            self._call_back(ref)

    def _call_back(self, ref: str) -> None:
        calls = self.random.choice((0, 1, 1, 2))
        for _ in range(calls):
            late = timedelta(seconds=self.random.choice((0, 0, 30, 3600)))
            self._hooks.append(Hook(ref, self.clock.now() + late))

    def _a_webhook_comes(self) -> None:
        due = [hook for hook in self._hooks if hook.at <= self.clock.now()]
        if due:
            hook = self.random.choice(due)
            self._hooks.remove(hook)
            self.start(self._hear(hook.ref))

    async def _hear(self, ref: str) -> None:
        message = await self.receive.store(self.account.uuid, ref)
        assert message is not None
        await self.receive.act(message)

    def _a_shopper_clicks(self) -> None:
        sessions = list(self.database.of(APP).sessions.values())
        if sessions:
            session = self.random.choice(sessions)
            link = self.random.choice((self.shopper.pay, self.shopper.came_back))
            self.start(link(APP, session.uuid, session.link_token))

    def _the_app_expires_a_session(self) -> None:
        sessions = list(self.database.of(APP).sessions.values())
        if sessions:
            self.start(self._expire(self.random.choice(sessions).uuid))

    async def _expire(self, uuid: UUID) -> None:
        await self.expire.look(APP, uuid)
        async with self.database.begin(APP) as tx:
            await self.expire.expire(tx, uuid)
        await self.expire.cancel_payment(APP, uuid)

    def _the_bank_moves(self) -> None:
        world = self.provider.world(self.account)
        going = [r for r in world.refunds.values() if r.status is RefundStatus.PENDING]
        for known in going:
            status = self.random.choice((RefundStatus.REFUNDED, RefundStatus.FAILED))
            self.provider.set_refund(known.ref, status)
            self._call_back(known.payment_ref)

    def _a_process_dies(self) -> None:
        if self.tasks:
            self.random.choice(sorted(self.tasks, key=lambda task: task.get_name())).cancel()

    def _time_passes(self) -> None:
        now, forgotten = self.clock.now(), timedelta(seconds=KEY_WINDOW_S)
        edges = [
            a.first_submitted_at + forgotten + timedelta(seconds=self.random.choice((-3, -1, 1)))
            for a in self.database.of(APP).attempts.values()
            if a.status is AttemptStatus.SUBMITTING
        ]
        ahead = [edge for edge in edges if edge > now]
        if ahead and self.random.randrange(3) == 0:
            self.clock.advance(self.random.choice(ahead) - now)
        else:
            self.clock.advance(timedelta(seconds=self.random.choice(JUMPS_S)))

    # The quiet phase.

    async def settle_down(self) -> None:
        """No more faults; the provider and the bank come to their ends; workers do what is due."""
        self.is_quiet = True
        self.provider._faults.clear()
        await self.finish_tasks()
        for _ in range(200):
            self._let_the_provider_end()
            for job in self.jobs:
                for task in await job.claim(APP, self.clock.now()):
                    self.start(task())
                await self.finish_tasks()
            due = self.next_due()
            if due is None:
                return
            self.clock.advance(max(due - self.clock.now(), timedelta(seconds=1)))
        raise AssertionError("there is always something due")

    async def finish_tasks(self) -> None:
        for room in (self._waiting, self._frozen):
            for gate in room:
                if not gate.done():
                    gate.set_result(None)
            room.clear()
        while self.tasks:
            await asyncio.wait(self.tasks)

    def _let_the_provider_end(self) -> None:
        world = self.provider.world(self.account)
        for payment in list(world.payments.values()):
            is_old = self.clock.now() - payment.created_at > timedelta(minutes=30)
            if payment.status in LIVE and is_old:
                self.provider.expire(payment.ref)
        for known in list(world.refunds.values()):
            if known.status is RefundStatus.PENDING:
                self.provider.set_refund(known.ref, RefundStatus.REFUNDED)
        for mandate in list(world.mandates.values()):
            if mandate.status is MandateStatus.PENDING:
                self.provider.set_mandate(mandate.ref, MandateStatus.VALID)

    def next_due(self) -> datetime | None:
        rows = self.database.of(APP)
        waiting = [
            *(a.due_at for a in rows.attempts.values() if a.status == "submitting"),
            *(r.due_at for r in rows.refunds.values() if r.status is RefundStatus.REQUESTED),
            *(s.due_at for s in rows.sessions.values() if s.status == "open"),
            *(p.due_at for p in rows.payments.values() if p.due_at is not None),
            *(m.due_at for m in rows.messages.values() if m.uuid not in rows.outcomes),
        ]
        return min(waiting, default=None)
