"""A tenant's life with one subscription: the real use cases on a fake database, provider and clock.

A test says what shopper and bank do, and until when time passes; a worker does all that is due on
the way. After every step the books are compared with what must always hold (`audit`).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from app.jobs import Attempts, Looks, Refunds, Renewals
from domain.catalog.price import Price, Recurrence
from domain.catalog.quote import Quote, Tax, quote
from domain.checkout.conclude_attempt import ConcludeAttempt
from domain.checkout.draft import Drafts
from domain.checkout.links import Links
from domain.checkout.ports import Intent
from domain.checkout.record_sighting import RecordSighting
from domain.checkout.session import CheckoutSession, Mode
from domain.kernel.idempotency import RequestKey
from domain.kernel.money import Money
from domain.ledger.posting import Account
from domain.payments.answers import MandateStatus, ProviderMandate, ProviderPayment
from domain.payments.attempt import AttemptStatus, OwnerKind
from domain.payments.observe_payment import ObservePayment
from domain.payments.payment_provider import ProviderName
from domain.payments.recover_attempt import RecoverAttempt
from domain.payments.submit_attempt import SubmitAttempt
from domain.payments.submit_refund import SubmitRefund
from domain.subscriptions.advance_subscription import AdvanceSubscription
from domain.subscriptions.bill import Bill
from domain.subscriptions.conclude_charge import ConcludeCharge
from domain.subscriptions.deliver_purchase import DeliverPurchase
from domain.subscriptions.pen import Pen
from domain.subscriptions.policy import BillingPolicy
from domain.subscriptions.record_charge import RecordCharge
from domain.subscriptions.start import Wanted, begin, start_charged, start_trial
from domain.subscriptions.subscription import Period, Subscription
from domain.subscriptions.write import WriteBook
from tests.domain.subscriptions.audit import audit
from tests.fakes.checkout import FakeCheckout, Moment, nothing_happens
from tests.fakes.checkout_rows import CheckoutRows
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.ids import FakeIds
from tests.fakes.provider import LIVE, FakeProvider
from tests.fakes.provider_world import KnownCustomer
from tests.make import (
    APP,
    TENANT,
    USER,
    a_price,
    a_product,
    a_tax_rate,
    a_tenant,
    an_account,
    money,
)
from tests.make_checkout import a_session
from tests.make_subscriptions import MANDATE, MONTH, a_mandate, a_policy

LEASE: Final = timedelta(seconds=30)
ROUNDS_MAX: Final = 20_000
CUSTOMER: Final = "cst_1"


class Tenancy:
    def __init__(
        self,
        *,
        unit_minor: int = 10_00,
        recurrence: Recurrence = MONTH,
        credit_minor: int = 0,
        moment: Moment = nothing_happens,
        **policy: Any,
    ) -> None:
        self.clock, self.ids = FakeClock(), FakeIds()
        self.database = FakeCheckout(moment)
        self.provider = FakeProvider(self.clock, busy=self.database.is_busy)
        self.opening_credit, self.is_audited = credit_minor, True
        self._furnish(unit_minor, recurrence, a_policy(**policy))
        self._plug_in()

    def _furnish(self, unit_minor: int, recurrence: Recurrence, policy: BillingPolicy) -> None:
        rows, product = self.rows, a_product()
        self.account, self.vat = an_account(is_default=True), a_tax_rate()
        self.price = a_price(product, unit_amount=money(unit_minor), recurring=recurrence)
        rows.tenants[TENANT], rows.accounts[self.account.uuid] = a_tenant(), self.account
        rows.products[product.uuid], rows.tax_rates[self.vat.uuid] = product, self.vat
        rows.prices[self.price.uuid], rows.policy = self.price, policy
        rows.balances[TENANT, "EUR"] = money(self.opening_credit)
        customer = KnownCustomer(CUSTOMER, self.ids.new(), NOON)
        self.provider.world(self.account).customers[CUSTOMER] = customer

    def _plug_in(self) -> None:
        database, clock, ids = self.database, self.clock, self.ids
        providers = {ProviderName.MOLLIE: self.provider.provider}
        links = Links("https://kontor.test")
        self.write = WriteBook(providers, links, ids)
        record_charge = RecordCharge(self.write, ids)
        record = RecordSighting(DeliverPurchase(self.write, ids), ids)
        recorders = {OwnerKind.SESSION: record, OwnerKind.BILL: record_charge}
        self.observe = ObservePayment(database, providers, recorders, clock)
        submit = SubmitAttempt(providers, clock, LEASE)
        conclude_charge = ConcludeCharge(database, record_charge, self.write, clock)
        conclusions = {
            OwnerKind.SESSION: ConcludeAttempt(database, record, clock),
            OwnerKind.BILL: conclude_charge,
        }
        self.drafts = Drafts(providers, links, ids, LEASE)
        self.advance = AdvanceSubscription(
            database, submit, conclude_charge, self.write, clock, ids, LEASE
        )
        recover = RecoverAttempt(database, submit, conclusions, clock, LEASE)
        self.jobs = (
            Attempts(database, recover),
            Renewals(database, self.advance, LEASE),
            Refunds(database, SubmitRefund(database, providers, clock, LEASE)),
            Looks(database, self.observe, clock),
        )

    # What is there.

    @property
    def rows(self) -> CheckoutRows:
        return self.database.of(APP)

    @property
    def subscription(self) -> Subscription:
        (stored,) = self.rows.subscriptions.values()
        return replace(stored, current_period=self.periods[-1])

    @property
    def status(self) -> str:
        return str(self.subscription.status)

    @property
    def periods(self) -> list[Period]:
        return [self.rows.periods[key] for key in sorted(self.rows.periods)]

    @property
    def bills(self) -> list[Bill]:
        return sorted(self.rows.bills.values(), key=lambda bill: bill.uuid)

    @property
    def told(self) -> list[str]:
        return [event.type for event in self.rows.events]

    @property
    def charges(self) -> list[ProviderPayment]:
        """All that was ever asked of the provider without a shopper, the oldest first."""
        known = self.provider.world(self.account).payments.values()
        return [payment for payment in known if payment.sequence_type == "recurring"]

    @property
    def credit(self) -> int:
        return self.rows.balances[TENANT, "EUR"].minor

    def on(self, account: Account) -> int:
        return sum(row.posting.on(account) for row in self.rows.postings)

    # How it begins.

    def give_mandate(
        self, status: MandateStatus = MandateStatus.VALID, ref: str = "mdt_1", uuid: UUID = MANDATE
    ) -> None:
        """Stored long ago."""
        theirs = ProviderMandate(
            ref=ref, customer_ref=CUSTOMER, status=status, method="card", details={}
        )
        self.provider.world(self.account).mandates[ref] = theirs
        self.rows.mandates[uuid] = a_mandate(
            status, uuid=uuid, provider_ref=ref, payment_provider_uuid=self.account.uuid
        )

    async def start(self, *, trial_days: int = 0, quantity: int = 1) -> "Tenancy":
        """Without a checkout; the first charge is still to be answered for."""
        async with self.database.begin(APP) as tx:
            plan = (self.price.uuid, self.vat.uuid)
            grounds = await tx.subscriptions.grounds(TENANT, self.account.uuid, plan)
            wanted = Wanted(
                app_uuid=APP,
                tenant_uuid=TENANT,
                user_uuid=USER,
                payment_provider_uuid=self.account.uuid,
                quantity=quantity,
            )
            pen = begin(wanted, grounds, paid_at=None, real_now=self.clock.now(), ids=self.ids)
            if trial_days:
                start_trial(pen, trial_days)
            else:
                start_charged(pen)
            await self.write.add(tx, grounds, pen)
        await self.to(self.clock.now())
        return self

    async def started(self, **how: Any) -> "Tenancy":
        """With a mandate, and its first period paid."""
        self.give_mandate()
        await self.start(**how)
        await self.pay()
        return self

    async def bought(self) -> "Tenancy":
        """At a checkout, which has paid for the first period and stored the method."""
        plan = quote(self.price.unit_amount, 1, Tax(self.vat.percentage, self.vat.inclusive))
        await self.pay(await self.check_out(Mode.SUBSCRIPTION, plan))
        return self

    async def check_out(self, mode: Mode, amount: Quote, **terms: Any) -> str:
        """A shopper's checkout, up to the provider's page. Returns the payment's reference."""
        now = self.clock.now()
        session: CheckoutSession = a_session(
            uuid=self.ids.new(),
            payment_provider_uuid=self.account.uuid,
            mode=mode,
            price_uuid=self.price.uuid if mode is Mode.SUBSCRIPTION else None,
            tax_rate_uuid=self.vat.uuid if mode is Mode.SUBSCRIPTION else None,
            amount=amount,
            created_at=now,
            updated_at=now,
            expires_at=now + timedelta(days=1),
            **terms,
        )
        attempt = self.drafts.attempt(session, self.account, CUSTOMER, at=now)
        attempt = replace(attempt, lease_until=now, due_at=now)  # a worker takes it up
        key = RequestKey(caller="user:1", operation="open", key=str(session.uuid), fingerprint=b"")
        intent = Intent(
            session=session,
            attempt=attempt,
            key=key,
            lease_until=attempt.lease_until,
            key_expires_at=now + timedelta(days=30),
        )
        async with self.database.begin(APP) as tx:
            await tx.checkout.add(intent)
        await self.work()
        return next(reversed(self.provider.world(self.account).payments), "")

    # What happens.

    async def to(self, moment: datetime) -> None:
        """Time passes, and a worker does what is due when it is due."""
        for _ in range(ROUNDS_MAX):
            await self.work()
            due = self.next_due()
            if due is None or due > moment:
                break
            self.clock.advance(max(due - self.clock.now(), timedelta(seconds=1)))
        else:
            raise AssertionError("there is always something due")
        self.clock.advance(max(moment - self.clock.now(), timedelta(0)))

    async def wait(self, days: float) -> None:
        await self.to(self.clock.now() + timedelta(days=days))

    async def sleep(self, days: float) -> None:
        """No worker for so long; then one catches up with all that is due."""
        self.clock.advance(timedelta(days=days))
        await self.to(self.clock.now())

    async def work(self) -> None:
        for job in self.jobs:
            for task in await job.claim(APP, self.clock.now()):
                await task()
                self.audit()

    def next_due(self) -> datetime | None:
        rows, waiting = self.rows, AttemptStatus.SUBMITTING
        found = [
            *(a.due_at for a in rows.attempts.values() if a.status is waiting),
            *(r.due_at for r in rows.refunds.values() if r.status == "requested"),
            *(s.due_at for s in rows.subscriptions.values() if s.due_at is not None),
            *(p.due_at for p in rows.payments.values() if p.due_at is not None),
        ]
        return min(found, default=None)

    async def hear(self, ref: str) -> None:
        """The provider calls: something about a payment has changed."""
        await self.observe(APP, self.account.uuid, ref)
        self.audit()
        await self.to(self.clock.now())

    def live_charge(self) -> str:
        live = [charge.ref for charge in self.charges if charge.status in LIVE]
        if len(live) != 1:
            raise AssertionError(f"{len(live)} charges are under way")
        return live[0]

    async def pay(self, ref: str | None = None) -> str:
        ref = ref or self.live_charge()
        self.provider.pay(ref)
        await self.hear(ref)
        return ref

    async def fail(self, reason: str = "insufficient_funds", ref: str | None = None) -> str:
        ref = ref or self.live_charge()
        self.provider.fail(ref, reason)
        await self.hear(ref)
        return ref

    async def charge_back(
        self, ref: str, amount: Money | None = None, reason: str | None = "AM04"
    ) -> None:
        self.provider.charge_back(ref, amount, reason)
        await self.hear(ref)

    async def reverse_chargeback(self, ref: str) -> None:
        self.provider.reverse_chargeback(ref)
        await self.hear(ref)

    async def wish(self, wish: Callable[[Pen], None]) -> None:
        """As a request does: lock, write, save."""
        async with self.database.begin(APP) as tx:
            before = await tx.subscriptions.book(self.subscription.uuid, lock=True)
            pen = Pen(before, self.ids, self.clock.now())
            wish(pen)
            await self.write.save(tx, before, pen)
        self.audit()
        await self.to(self.clock.now())

    def add_price(self, **facts: Any) -> Price:
        (product,) = self.rows.products.values()
        price = a_price(product, **{"recurring": MONTH} | facts)
        self.rows.prices[price.uuid] = price
        return price

    def audit(self) -> None:
        if self.is_audited and (broken := list(audit(self.rows, self.opening_credit))):
            raise AssertionError(broken)
