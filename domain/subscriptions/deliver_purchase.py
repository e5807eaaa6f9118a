"""Hands over what a paid session bought: a one-time payment, a subscription, a way to pay for one.

Posts what was sold and what its payment settles. A verification amount is posted by checkout: it
settles nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from domain.checkout.book import Sale
from domain.checkout.session import Mode
from domain.kernel.events import Event
from domain.kernel.ids import Ids
from domain.kernel.money import Money
from domain.ledger import rules
from domain.ledger.posting import Posting
from domain.payments.mandate import Mandate
from domain.payments.one_time_payment import OneTimePayment
from domain.payments.postings import fact_of
from domain.payments.sighting import PaymentFile
from domain.subscriptions.pen import Pen
from domain.subscriptions.ports import SubscriptionsTx
from domain.subscriptions.replace_method import replace_method, settle_open
from domain.subscriptions.start import Wanted, begin, refuse_trial, start_paid, start_trial
from domain.subscriptions.take_back import note_chargebacks, owed_again
from domain.subscriptions.write import WriteBook


@dataclass(frozen=True, slots=True)
class DeliverPurchase:
    """Implements checkout's `Purchases`. Events of subscriptions are told by their own pen."""

    write: WriteBook
    ids: Ids

    async def deliver(self, tx: SubscriptionsTx, sale: Sale) -> Sequence[Event]:
        match sale.session.mode:
            case Mode.PAYMENT:
                return await self._one_time_payment(tx, sale)
            case Mode.SUBSCRIPTION:
                await self._subscription(tx, sale)
            case Mode.DIRECT:
                await self._direct(tx, sale)
            case Mode.SETUP | Mode.RECOVERY if sale.session.subscription_uuid is not None:
                await self._new_method(tx, sale, sale.session.subscription_uuid)
            case _:
                pass  # its mandate and refund are in the session's book already
        return ()

    async def owed_again(self, tx: SubscriptionsTx, payment_uuid: UUID) -> Mapping[UUID, Money]:
        """Read under the subscription's lock: a charge may be settling the same bills."""
        bills = await tx.subscriptions.settled_by(payment_uuid)
        if not bills:
            return {}
        subscription_uuid, uuids = bills[0].subscription_uuid, [bill.uuid for bill in bills]
        book = await tx.subscriptions.book(subscription_uuid, lock=True, with_bills=uuids)
        return owed_again(book.bills)

    async def charged_back(
        self, tx: SubscriptionsTx, before: PaymentFile, file: PaymentFile, *, at: datetime
    ) -> Sequence[Event]:
        bills = await tx.subscriptions.settled_by(file.payment.uuid)
        if bills:  # all of one subscription
            uuids = [bill.uuid for bill in bills]
            book = await tx.subscriptions.book(
                bills[0].subscription_uuid, lock=True, with_bills=uuids
            )
            pen = Pen(book, self.ids, at)
            note_chargebacks(pen, before, file)
            await self.write.save(tx, book, pen)
        return ()

    async def _one_time_payment(self, tx: SubscriptionsTx, sale: Sale) -> Sequence[Event]:
        session, payment = sale.session, sale.payment
        assert payment.paid_at is not None and session.price_uuid is not None
        price = await tx.prices.get(session.price_uuid)
        purchase = OneTimePayment(
            uuid=self.ids.new(),
            app_uuid=session.app_uuid,
            tenant_uuid=session.tenant_uuid,
            user_uuid=session.user_uuid,
            payment_provider_uuid=session.payment_provider_uuid,
            checkout_session_uuid=session.uuid,
            payment_uuid=payment.uuid,
            product_uuid=price.product_uuid,
            price_uuid=price.uuid,
            tax_rate_uuid=session.tax_rate_uuid,
            units=session.quantity,
            amount=session.amount,
            paid_at=payment.paid_at,
            created_at=session.updated_at,
            updated_at=session.updated_at,
        )
        await tx.one_time_payments.add(purchase)
        at = session.updated_at
        sold = rules.sale_made(fact_of(payment, purchase.uuid, at), session.amount)
        await tx.ledger.append(sold, _received(sale, at))
        facts = {"oneTimePaymentUuid": str(purchase.uuid), "tenantUuid": str(session.tenant_uuid)}
        return (
            Event(
                type="one_time_payment.created", aggregate_uuid=purchase.uuid, at=at, facts=facts
            ),
        )

    async def _direct(self, tx: SubscriptionsTx, sale: Sale) -> None:
        """What it is for, the app knows: nothing of ours is handed over."""
        at = sale.session.updated_at
        sold = rules.sale_made(fact_of(sale.payment, sale.session.uuid, at), sale.sold)
        await tx.ledger.append(sold, _received(sale, at))

    async def _subscription(self, tx: SubscriptionsTx, sale: Sale) -> None:
        session, payment, collected = sale.session, sale.payment, sale.session.collected
        assert session.price_uuid is not None
        account_uuid = session.payment_provider_uuid
        plan = (session.price_uuid, session.tax_rate_uuid)
        grounds = await tx.subscriptions.grounds(session.tenant_uuid, account_uuid, plan)
        mandate = _as_known(sale.file, grounds.mandates).mandate
        wanted = Wanted(
            app_uuid=session.app_uuid,
            tenant_uuid=session.tenant_uuid,
            user_uuid=session.user_uuid,
            payment_provider_uuid=account_uuid,
            checkout_session_uuid=session.uuid,
            mandate_uuid=None if mandate is None else mandate.uuid,
            tax_id_country=None if collected is None else collected.taxed_in,
            quantity=session.quantity,
        )
        now, paid_at = session.updated_at, payment.paid_at
        pen = begin(wanted, grounds, paid_at=paid_at, real_now=now, ids=self.ids)
        if not session.trial_days:
            start_paid(pen, payment.uuid, session.amount)
            pen.post(_received(sale, pen.subscription.anchor_at))
        elif await tx.subscriptions.claim_trial(pen.subscription, at=pen.now):
            start_trial(pen, session.trial_days)
        else:
            refuse_trial(pen)
        await self.write.add(tx, grounds, pen)

    async def _new_method(self, tx: SubscriptionsTx, sale: Sale, subscription_uuid: UUID) -> None:
        session = sale.session
        before = await tx.subscriptions.book(
            subscription_uuid, lock=True, with_bills=session.bill_uuids
        )
        pen, file = Pen(before, self.ids, session.updated_at), _as_known(sale.file, before.mandates)
        if session.mode is Mode.RECOVERY:
            settle_open(pen, file, session.bill_uuids)
        else:
            replace_method(pen, file)
        await self.write.save(tx, before, pen)


def _as_known(file: PaymentFile, mandates: Sequence[Mandate]) -> PaymentFile:
    """A provider may name a mandate that it has given before: then it is the one that we have."""
    if file.mandate is None:
        return file
    ref = file.mandate.provider_ref
    return replace(file, mandate=next((m for m in mandates if m.provider_ref == ref), file.mandate))


def _received(sale: Sale, at: datetime) -> Posting:
    nothing = sale.payment.amount - sale.payment.amount
    fact = fact_of(sale.payment, sale.payment.uuid, at)
    return rules.payment_received(fact, settles=sale.payment.amount, held=nothing)
