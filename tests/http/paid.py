"""A paid payment of a tenant, a refund of a part of it, and the way it was paid: rows alone.

No provider holds them. A test that needs the provider's side buys something.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from domain.catalog.quote import Quote
from domain.checkout.book import Book
from domain.checkout.ports import Intent
from domain.checkout.session import (
    CheckoutSession,
    Mode,
    SessionPaymentStatus,
    SessionStatus,
    Terms,
)
from domain.kernel.idempotency import RequestKey
from domain.kernel.ids import AppUuid, Ids, TenantUuid
from domain.kernel.money import Currency, Money
from domain.orchestration.decide import Situation, Standing, decide
from domain.orchestration.decision import Query
from domain.orchestration.payment_session import PaymentSession, Try
from domain.orchestration.routing_policy import RoutingPolicy
from domain.payments.answers import MandateStatus, PaymentStatus, SequenceType
from domain.payments.attempt import AttemptStatus, PaymentAttempt
from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.payments.refund import Refund, RefundReason
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.providers import clients
from tests.fakes.vault import FakeVault

EUR: Final = Currency("EUR")
PAID: Final = Money(4900, EUR)
A_PART: Final = Money(100, EUR)
TERMS: Final = Terms(
    payment_method="card",
    description="Pro Plan",
    success_url="https://shop.example/thanks",
    cancel_url="https://shop.example/sorry",
)


class Paid:
    """The rows, made from an app's ids; `ids` is told what they are called."""

    def __init__(self, app_uuid: AppUuid, ids: dict[str, str], new: Ids, now: datetime) -> None:
        self._app_uuid, self._ids, self._new = app_uuid, ids, new
        self._tenant_uuid = TenantUuid(UUID(ids["tenant"]))
        self._of_app = {"app_uuid": app_uuid, "payment_provider_uuid": UUID(ids["account"])}
        self._times = {"created_at": now, "updated_at": now}
        self._leased = {"lease_until": now, "first_submitted_at": now}
        self._now = now

    async def add(self, tx: PostgresTx) -> None:
        session = self._session()
        attempt = self._attempt(session)
        key = RequestKey(caller="house", operation="open", key="paid", fingerprint=b"")
        intent = Intent(
            session=session,
            attempt=attempt,
            key=key,
            lease_until=self._now,
            key_expires_at=self._now - timedelta(days=1),
            replaces=None,
        )
        assert await tx.checkout.add(intent) is not None
        added = replace(session, status=SessionStatus.OPEN)  # as all are, at first
        book = Book(session=added, attempts=(attempt,))
        payment, mandate = self._payment(attempt), self._mandate()
        refund = self._refund(payment)
        self._ids |= {
            "payment": str(payment.uuid),
            "refund": str(refund.uuid),
            "payment_method": str(mandate.uuid),
        }
        paid = replace(
            book, session=session, payments=(payment,), refunds=(refund,), mandates=(mandate,)
        )
        await tx.checkout.save(book, paid)
        await self._orchestrated(tx, key, payment)

    async def _orchestrated(self, tx: PostgresTx, key: RequestKey, payment: Payment) -> None:
        """A payment session that the same payment has paid."""
        session = PaymentSession(
            uuid=self._new.new(),
            app_uuid=self._app_uuid,
            tenant_uuid=self._tenant_uuid,
            user_uuid=None,
            order_reference="ORD-0",
            amount=Quote(PAID, Money(0, EUR), PAID),
            shipping=Money(0, EUR),
            notes={"email": None, "phone": None, "shipping": None, "additionalInformation": {}},
            expires_at=self._now + timedelta(days=1),
            created_at=self._now,
        )
        account = await tx.payment_providers.get(payment.payment_provider_uuid)
        query = Query(method="card", amount=PAID)
        standings = (Standing(account=account, circuit=None),)
        situation = Situation(policy=RoutingPolicy(), standings=standings, at=self._now)
        providers = clients(FakeVault(), ("http://m", "http://k"), 1).providers(FakeVault())
        decision = decide(query, situation, providers, uuid=self._new.new(), draw=0)
        live = Try(uuid=self._new.new(), number=1, account=account, created_at=self._now)
        await tx.payment_sessions.add(session, decision, live, key)
        await tx.idempotency.note_subject(key, payment.checkout_session_uuid or UUID(int=0))
        assert await tx.payment_sessions.link(live, key)
        self._ids |= {
            "payment_session": str(session.uuid),
            "routing_decision": str(decision.uuid),
        }

    def _session(self) -> CheckoutSession:
        return CheckoutSession(
            uuid=self._new.new(),
            tenant_uuid=self._tenant_uuid,
            user_uuid=None,
            mode=Mode.PAYMENT,
            status=SessionStatus.COMPLETE,
            payment_status=SessionPaymentStatus.PAID,
            price_uuid=UUID(self._ids["price"]),
            tax_rate_uuid=None,
            quantity=1,
            amount=Quote(PAID, Money(0, EUR), PAID),
            terms=TERMS,
            link_token=self._new.secret(),
            expires_at=self._now + timedelta(days=1),
            due_at=self._now + timedelta(days=1),
            **self._of_app,
            **self._times,
        )

    def _attempt(self, session: CheckoutSession) -> PaymentAttempt:
        return PaymentAttempt(
            uuid=self._new.new(),
            checkout_session_uuid=session.uuid,
            number=1,
            tenant_uuid=self._tenant_uuid,
            status=AttemptStatus.ACCEPTED,
            request=b"{}",
            due_at=self._now,
            **self._of_app,
            **self._leased,
            **self._times,
        )

    def _payment(self, attempt: PaymentAttempt) -> Payment:
        nothing = Money(0, EUR)
        return Payment(
            uuid=self._new.new(),
            provider_ref=f"tr_{attempt.uuid.hex}",
            tenant_uuid=self._tenant_uuid,
            attempt_uuid=attempt.uuid,
            checkout_session_uuid=attempt.checkout_session_uuid,
            sequence_type=SequenceType.FIRST,
            status=PaymentStatus.PAID,
            method="creditcard",
            amount=PAID,
            tax=nothing,
            refunded=nothing,
            charged_back=nothing,
            paid_at=self._now,
            **self._of_app,
            **self._times,
        )

    def _refund(self, payment: Payment) -> Refund:
        return Refund(
            uuid=self._new.new(),
            payment_uuid=payment.uuid,
            reason=RefundReason.REQUESTED,
            amount=A_PART,
            due_at=self._now,
            **self._of_app,
            **self._leased,
            **self._times,
        )

    def _mandate(self) -> Mandate:
        uuid = self._new.new()
        details: dict[str, Any] = {"cardNumber": "6787"}
        return Mandate(
            uuid=uuid,
            tenant_uuid=self._tenant_uuid,
            customer_ref=f"cst_{uuid.hex}",
            provider_ref=f"mdt_{uuid.hex}",
            method="card",
            status=MandateStatus.VALID,
            details=details,
            **self._of_app,
            **self._times,
        )
