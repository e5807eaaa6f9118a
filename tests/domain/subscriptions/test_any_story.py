"""Any story of a tenant, told through the real use cases: wishes, banks, time, and bad luck.

Processes die before and after a commit, answers get lost, webhooks do not come or come twice. After
each step the books must agree, and in the end nobody may have paid for anything twice.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from msgspec.structs import replace

from domain.catalog.quote import quote
from domain.checkout.session import Mode
from domain.kernel.errors import DomainError
from domain.ledger.posting import Account
from domain.payments.answers import MandateStatus, PaymentStatus, RefundStatus
from domain.subscriptions import wishes
from domain.subscriptions.pay_now import pay_now
from domain.subscriptions.pen import Pen
from domain.subscriptions.policy import ChargebackAction, FinalAction, MissedPeriods
from domain.subscriptions.wishes import When
from tests.domain.subscriptions.tenancy import Tenancy
from tests.fakes.provider import LIVE, Fault
from tests.make import TENANT, money
from tests.make_ledger import a_quote

VERIFICATION: Final = quote(money(1_00), 1, None)
POLICIES: Final = st.fixed_dictionaries(
    {
        "retry_days": st.sampled_from([(), (1,), (3, 5, 7)]),
        "grace_days": st.sampled_from([0, 7]),
        "final_action": st.sampled_from(FinalAction),
        "missed_periods": st.sampled_from(MissedPeriods),
        "chargeback_action": st.sampled_from(ChargebackAction),
        "minimum_charge_minor": st.sampled_from([0, 0, 0, 20_00]),
        "credit_minor": st.sampled_from([0, 0, 5_00, 30_00]),
        "time_zone": st.sampled_from(["UTC", "Europe/Berlin"]),
    }
)
DEATHS: Final = st.sampled_from(["before commit", "after commit"])
FAULTS: Final = st.tuples(
    st.sampled_from(["create_payment", "get_payment", "find_payment", "create_refund"]),
    st.sampled_from([Fault.UNAVAILABLE, Fault.LOST_ANSWER, Fault.UNREADABLE, Fault.BUSY]),
    st.integers(1, 3),
)
WISHES: Final[dict[str, Callable[[Pen], None]]] = {
    "pause": wishes.pause,
    "pause for a month": lambda pen: wishes.pause(pen, pen.now + timedelta(days=31)),
    "resume": wishes.resume,
    "uncancel": wishes.uncancel,
    "pay now": pay_now,
    "cancel now": lambda pen: wishes.cancel(pen, When.NOW),
    "cancel later": lambda pen: wishes.cancel(pen, When.PERIOD_END),
    "cancel in a week": lambda pen: wishes.cancel(pen, pen.now + timedelta(days=7)),
}
which = st.integers(0, 3)


class Crash(Exception):
    """The process dies here."""


class AnyStory(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._deaths: list[str] = []

    async def _moment(self, what: str) -> None:
        if what in self._deaths:
            self._deaths.remove(what)
            raise Crash(what)

    def _live(self, part: Coroutine[Any, Any, object]) -> None:
        """Until it is over, or until the process dies."""
        with suppress(Crash, DomainError):
            self._loop.run_until_complete(part)
        self.tenancy.audit()

    @initialize(policy=POLICIES, how=st.sampled_from(["trial", "bought", "charged", "tried out"]))
    def begin(self, policy: dict[str, Any], how: str) -> None:
        tenancy = self.tenancy = Tenancy(moment=self._moment, **policy)
        if how in ("charged", "trial"):
            tenancy.give_mandate()
        parts = {
            "bought": tenancy.bought,
            "charged": tenancy.start,
            "trial": lambda: tenancy.start(trial_days=14),
            "tried out": self._try_out,
        }
        self._live(parts[how]())

    async def _try_out(self) -> None:
        ref = await self.tenancy.check_out(Mode.SUBSCRIPTION, VERIFICATION, trial_days=14)
        await self.tenancy.pay(ref)

    @rule(days=st.sampled_from([3, 8, 31, 0.05, 1]), with_a_worker=st.booleans())
    def time_passes(self, days: float, with_a_worker: bool) -> None:
        self._live(self.tenancy.wait(days) if with_a_worker else self.tenancy.sleep(days))

    @precondition(lambda self: self.tenancy.rows.subscriptions)
    @rule(outcome=st.sampled_from(["card_declined", "paid", "AM04", "unknown"]))
    def a_period_ends(self, outcome: str) -> None:
        self._live(self.tenancy.to(self.tenancy.subscription.current_period.ends_at))
        for ref in self._refs(*LIVE) if outcome != "unknown" else ():
            says = self.tenancy.pay(ref) if outcome == "paid" else self.tenancy.fail(outcome, ref)
            self._live(says)

    def _refs(self, *statuses: PaymentStatus) -> list[str]:
        known = self.tenancy.provider.world(self.tenancy.account).payments.values()
        return [payment.ref for payment in known if payment.status in statuses]

    @precondition(lambda self: self._refs(*LIVE))
    @rule(which=which, is_told=st.booleans())
    def the_bank_pays(self, which: int, is_told: bool) -> None:
        refs = self._refs(*LIVE)
        self.tenancy.provider.pay(ref := refs[which % len(refs)])
        if is_told:
            self._live(self.tenancy.hear(ref))

    @precondition(lambda self: self._refs(*LIVE))
    @rule(which=which, is_told=st.booleans(), reason=st.sampled_from(["AM04", "AC04", "MS03"]))
    def the_bank_says_no(self, which: int, is_told: bool, reason: str) -> None:
        refs = self._refs(*LIVE)
        self.tenancy.provider.fail(ref := refs[which % len(refs)], reason)
        if is_told:
            self._live(self.tenancy.hear(ref))

    @precondition(lambda self: self._refs(PaymentStatus.PAID))
    @rule(which=which)
    def we_hear_it_twice(self, which: int) -> None:
        refs = self._refs(PaymentStatus.PAID)
        for _ in range(2):
            self._live(self.tenancy.hear(refs[which % len(refs)]))

    @precondition(lambda self: self._unharmed() or self._taken())
    @rule(which=which, gives=st.booleans(), survives=st.booleans())
    def the_bank_takes_it_back_or_gives_it_again(
        self, which: int, gives: bool, survives: bool
    ) -> None:
        taken, unharmed = self._taken(), self._unharmed()
        if taken and (gives or not unharmed):
            self._live(self.tenancy.reverse_chargeback(taken[which % len(taken)]))
            return
        mandates = self.tenancy.provider.world(self.tenancy.account).mandates
        for ref, mandate in mandates.items() if survives else ():
            mandates[ref] = replace(mandate, method="directdebit")
        self._live(self.tenancy.charge_back(unharmed[which % len(unharmed)], reason="MS03"))

    def _unharmed(self) -> list[str]:
        """Paid, and none of it has gone back."""
        known = self.tenancy.provider.world(self.tenancy.account).payments.values()
        paid = [p for p in known if p.status is PaymentStatus.PAID]
        return [p.ref for p in paid if not p.refunded.minor + p.charged_back.minor]

    def _taken(self) -> list[str]:
        held = self.tenancy.provider.world(self.tenancy.account).chargebacks.values()
        return [c.payment_ref for c in held if c.reversed_at is None]

    @precondition(lambda self: self.tenancy.rows.subscriptions)
    @rule(what=st.sampled_from(list(WISHES)))
    def the_customer_wishes(self, what: str) -> None:
        self._live(self.tenancy.wish(WISHES[what]))

    @precondition(lambda self: self.tenancy.rows.subscriptions)
    @rule(mode=st.sampled_from([Mode.SETUP, Mode.RECOVERY]))
    def the_customer_gets_a_link(self, mode: Mode) -> None:
        owed = [bill for bill in self.tenancy.bills if bill.is_open]
        total = sum(bill.open.minor for bill in owed)
        amount = a_quote(total, 0) if mode is Mode.RECOVERY else VERIFICATION
        if amount.total.minor:
            uuids = tuple(bill.uuid for bill in owed) if mode is Mode.RECOVERY else ()
            uuid = self.tenancy.subscription.uuid
            link = {"subscription_uuid": uuid, "bill_uuids": uuids}
            self._live(self.tenancy.check_out(mode, amount, **link))

    @rule(luck=st.one_of(DEATHS, FAULTS, st.sampled_from(MandateStatus)))
    def bad_luck(self, luck: object) -> None:
        """Something will go wrong next time; or all mandates are what they have not been."""
        provider = self.tenancy.provider
        match luck:
            case (str(operation), kind, times):
                provider.fail_next(operation, kind, times=times)
            case MandateStatus():
                for ref in provider.world(self.tenancy.account).mandates:
                    provider.set_mandate(ref, luck)
            case _:
                self._deaths = [str(luck)]

    def teardown(self) -> None:
        if hasattr(self, "tenancy"):
            self._deaths.clear()
            self.tenancy.provider._faults.clear()
            self._loop.run_until_complete(self._settle_down())
            self._nothing_is_left()
        self._loop.close()

    async def _settle_down(self) -> None:
        """Shoppers who did not pay never will, charges do not come through, refunds do."""
        tenancy = self.tenancy
        world = tenancy.provider.world(tenancy.account)
        for _ in range(3):
            for ref in self._refs(*LIVE):
                tenancy.provider.expire(ref)
                await tenancy.hear(ref)
            for refund in list(world.refunds.values()):
                if refund.status is RefundStatus.PENDING:
                    tenancy.provider.set_refund(refund.ref, RefundStatus.REFUNDED)
            await tenancy.wait(1)

    def _nothing_is_left(self) -> None:
        tenancy, rows = self.tenancy, self.tenancy.rows
        there = tenancy.provider.world(tenancy.account).payments
        here = {p.provider_ref: p for p in rows.payments.values()}
        if any(a.status == "needs_review" for a in rows.attempts.values()):
            return  # a person has been told to look
        assert {r: p.status for r, p in there.items() if p.status not in LIVE} == {
            ref: payment.status for ref, payment in here.items() if not payment.is_live
        }
        if rows.chargebacks or any(not r.is_settled for r in rows.refunds.values()):
            return
        assert tenancy.on(Account.HELD) == 0
        kept = sum(
            bill.amount.total.minor - bill.balance_applied.minor
            for bill in rows.bills.values()
            if bill.payment_uuid is not None
        )
        assert tenancy.on(Account.CASH) == kept, "somebody has paid twice, or for nothing"
        assert rows.balances[TENANT, "EUR"].minor >= 0


AnyStory.TestCase.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None, derandomize=True
)
TestAnyStory = AnyStory.TestCase
