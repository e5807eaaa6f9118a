"""Hands over what a paid session bought: a one-time payment, a subscription, or nothing more.

A `setup` session buys nothing: its mandate and refund are in the session's book already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.catalog.ports import CatalogTx
from domain.catalog.price import Price
from domain.checkout.book import Sale
from domain.checkout.ports import CheckoutTx
from domain.checkout.session import Mode
from domain.kernel.events import Event
from domain.kernel.ids import Ids
from domain.payments.one_time_payment import OneTimePayment
from domain.payments.repositories import OneTimePaymentRepository
from domain.subscriptions.period import period
from domain.subscriptions.subscription import Period, Subscription, Subscriptions


class PurchasesTx(CheckoutTx, CatalogTx, Protocol):
    @property
    def one_time_payments(self) -> OneTimePaymentRepository: ...
    @property
    def subscriptions(self) -> Subscriptions: ...


@dataclass(frozen=True, slots=True)
class DeliverPurchase:
    """Implements checkout's `Purchases` port."""

    ids: Ids

    async def deliver(self, tx: PurchasesTx, sale: Sale) -> Sequence[Event]:
        session = sale.session
        if session.mode is Mode.SETUP:
            return ()
        assert session.price_uuid is not None
        price = await tx.prices.get(session.price_uuid)
        if session.mode is Mode.PAYMENT:
            return await self._one_time_payment(tx, sale, price)
        return await self._subscription(tx, sale, price)

    async def _one_time_payment(self, tx: PurchasesTx, sale: Sale, price: Price) -> Sequence[Event]:
        session, payment = sale.session, sale.payment
        assert payment.paid_at is not None
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
        facts = {"oneTimePaymentUuid": str(purchase.uuid), "tenantUuid": str(session.tenant_uuid)}
        return (_event("one_time_payment.created", sale, purchase.uuid, facts),)

    async def _subscription(self, tx: PurchasesTx, sale: Sale, price: Price) -> Sequence[Event]:
        session, payment = sale.session, sale.payment
        assert payment.paid_at is not None and price.recurring is not None
        starts_at, ends_at = period(payment.paid_at, price.recurring, 1)
        subscription = Subscription(
            uuid=self.ids.new(),
            app_uuid=session.app_uuid,
            tenant_uuid=session.tenant_uuid,
            user_uuid=session.user_uuid,
            payment_provider_uuid=session.payment_provider_uuid,
            checkout_session_uuid=session.uuid,
            product_uuid=price.product_uuid,
            price_uuid=price.uuid,
            tax_rate_uuid=session.tax_rate_uuid,
            quantity=session.quantity,
            anchor_at=payment.paid_at,
            current_period=Period(
                number=1,
                starts_at=starts_at,
                ends_at=ends_at,
                payment_uuid=payment.uuid,
                amount=session.amount,
            ),
            created_at=session.updated_at,
            updated_at=session.updated_at,
        )
        await tx.subscriptions.add(subscription)
        facts = {"subscriptionUuid": str(subscription.uuid), "tenantUuid": str(session.tenant_uuid)}
        return (_event("subscription.started", sale, subscription.uuid, facts),)


def _event(type: str, sale: Sale, uuid: UUID, facts: dict[str, str]) -> Event:
    return Event(type=type, aggregate_uuid=uuid, at=sale.session.updated_at, facts=facts)
