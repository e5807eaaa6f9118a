"""A session and its first attempt, drafted: nothing is written and nobody is asked yet."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from domain.checkout.links import Links
from domain.checkout.order import PricedOrder
from domain.checkout.session import ANY_METHOD, CheckoutSession, Mode, Terms, UiMode
from domain.kernel.ids import Ids
from domain.payments.answers import SequenceType
from domain.payments.attempt import AttemptKind, PaymentAttempt
from domain.payments.payment_details import PaymentDetails, PaymentLine
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import NewPayment, Providers
from domain.tenancy.caller import Actor


@dataclass(frozen=True, slots=True)
class Drafts:
    providers: Providers
    links: Links
    ids: Ids
    lease: timedelta

    def session(self, priced: PricedOrder, actor: Actor, *, at: datetime) -> CheckoutSession:
        order, expires_at = priced.order, at + priced.order.lifetime
        session = CheckoutSession(
            uuid=order.session_uuid or self.ids.new(),
            app_uuid=actor.app_uuid,
            tenant_uuid=order.tenant_uuid,
            user_uuid=actor.user_uuid,
            payment_provider_uuid=priced.account.uuid,
            mode=order.mode,
            price_uuid=order.price_uuid,
            tax_rate_uuid=order.tax_rate_uuid,
            quantity=order.quantity,
            trial_days=priced.trial_days,
            subscription_uuid=order.subscription_uuid,
            bill_uuids=order.bill_uuids,
            amount=priced.amount,
            terms=replace(order.terms, description=priced.description, direct=order.direct),
            link_token=self.ids.secret(),
            expires_at=expires_at,
            due_at=expires_at,
            created_at=at,
            updated_at=at,
        )
        page = self.links.page(session)
        if session.terms.asks:
            session = replace(session, next_action_url=page)
        return replace(session, terms=_returning(session.terms, page))

    def first_attempt(
        self, session: CheckoutSession, priced: PricedOrder, customer_ref: str, *, at: datetime
    ) -> PaymentAttempt:
        asked = self._asked(session, priced.account, customer_ref, at)
        asked = replace(asked, parameters=priced.order.parameters or {})
        # Whoever comes back for another try is on a page of ours already: no form after the first.
        if session.terms.ui_mode is UiMode.HOSTED:
            return self._attempt(session, priced.account, asked, number=1, at=at)
        details = asked.details or PaymentDetails()
        lines = details.lines or (_line(session),)
        asked = replace(asked, details=replace(details, lines=lines))
        forms = self.providers[priced.account.name].forms
        assert forms is not None, priced.account.name
        attempt = self._attempt(session, priced.account, asked, number=1, at=at)
        return replace(attempt, kind=AttemptKind.FORM, request=forms.render(asked))

    def attempt(
        self,
        session: CheckoutSession,
        account: PaymentProvider,
        customer_ref: str,
        *,
        number: int = 1,
        at: datetime,
    ) -> PaymentAttempt:
        """Without anything that only the first is told."""
        asked = self._asked(session, account, customer_ref, at)
        return self._attempt(session, account, asked, number=number, at=at)

    def _attempt(
        self,
        session: CheckoutSession,
        account: PaymentProvider,
        asked: NewPayment,
        *,
        number: int,
        at: datetime,
    ) -> PaymentAttempt:
        return PaymentAttempt(
            uuid=asked.attempt_uuid,
            app_uuid=session.app_uuid,
            checkout_session_uuid=session.uuid,
            number=number,
            payment_provider_uuid=account.uuid,
            tenant_uuid=session.tenant_uuid,
            request=self.providers[account.name].payments.render(asked),
            first_submitted_at=at,
            lease_until=at + self.lease,
            due_at=at + self.lease,
            created_at=at,
            updated_at=at,
        )

    def _asked(
        self, session: CheckoutSession, account: PaymentProvider, customer_ref: str, at: datetime
    ) -> NewPayment:
        direct, method = session.terms.direct, session.terms.payment_method
        wants_mandate = session.mode is not Mode.PAYMENT
        provider, fee = self.providers[account.name], None
        if not session.is_verification:  # which is given back, and a fee is not
            fee = provider.application_fee(account, session.amount.total)
        details = None if session.collected is None else _details(session)
        sequence_type = SequenceType.FIRST if wants_mandate else SequenceType.ONEOFF
        return NewPayment(
            attempt_uuid=self.ids.new(),
            app_uuid=session.app_uuid,
            checkout_session_uuid=session.uuid,
            amount=session.amount.total,
            description=session.terms.description,
            sequence_type=direct.sequence_type if direct else sequence_type,
            customer_ref=customer_ref,
            mandate_ref=direct.mandate_ref if direct else None,
            payment_method=None if method == ANY_METHOD else method,
            return_url=self.links.came_back(session),
            webhook_url=self.links.webhook(account.name, account.uuid),
            # No longer than the session: what is paid after it would have to go back.
            lifetime_s=max(int((session.expires_at - at).total_seconds()), 1),
            locale=session.terms.locale,
            details=direct.details if direct else details,
            application_fee=fee,
            application_fee_description=account.fee_description,
        )


def _returning(terms: Terms, page: str) -> Terms:
    """Whose app has no page for it comes back to ours, which tells how the session stands."""
    success_url, cancel_url = terms.success_url or page, terms.cancel_url or page
    return replace(terms, success_url=success_url, cancel_url=cancel_url)


def _details(session: CheckoutSession) -> PaymentDetails:
    """What the shopper has told us, for the provider to check the payer by, and to show."""
    collected = session.collected
    assert collected is not None
    return PaymentDetails(
        billing=collected.billing_address,
        shipping=collected.shipping_address,
        lines=(_line(session),),
    )


def _line(session: CheckoutSession) -> PaymentLine:
    collected = session.collected
    says_tax = collected is not None and not session.is_verification
    return PaymentLine(
        description=session.terms.description,
        quantity=1,
        unit_price=session.amount.total,
        tax=session.amount.tax,
        tax_rate=collected.tax if collected is not None and says_tax else None,
    )
