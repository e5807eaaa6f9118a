"""A checkout session: one try to buy, or to store a payment method. Its life is a table."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.catalog.quote import Quote
from domain.checkout.collection import Asks, Collected
from domain.checkout.direct import Direct
from domain.kernel.errors import Conflict
from domain.kernel.events import Event
from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.payments.payment_details import PaymentDetails


class Mode(StrEnum):
    SETUP = "setup"
    PAYMENT = "payment"
    SUBSCRIPTION = "subscription"
    RECOVERY = "recovery"
    """Settles what a subscription has open, with a payment method that replaces the old one."""
    DIRECT = "direct"
    """Asks for an amount of the app's own, and sells nothing of the catalogue."""


class UiMode(StrEnum):
    HOSTED = "hosted"
    """The shopper pays on a page of the provider's."""
    EMBEDDED = "embedded"
    """The shopper pays in a form of the provider's, in a page of the app's."""


class SessionStatus(StrEnum):
    OPEN = "open"
    PROCESSING = "processing"
    """A payment is under way at the provider, and the shopper cannot speed it up."""
    COMPLETE = "complete"
    EXPIRED = "expired"
    FAILED = "failed"
    """The provider refused the first payment for good."""


class SessionPaymentStatus(StrEnum):
    UNPAID = "unpaid"
    PAID = "paid"
    REFUNDED = "refunded"
    NO_PAYMENT_REQUIRED = "no_payment_required"


_S = SessionStatus

MOVES: Final[Mapping[SessionStatus, frozenset[SessionStatus]]] = {
    _S.OPEN: frozenset({_S.PROCESSING, _S.COMPLETE, _S.EXPIRED, _S.FAILED}),
    # Back to open: the payment under way failed after all, and the shopper may try again.
    # Or to an end, where the app wanted this one payment.
    _S.PROCESSING: frozenset({_S.OPEN, _S.COMPLETE, _S.EXPIRED, _S.FAILED}),
    _S.COMPLETE: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.FAILED: frozenset(),
}

SESSION_UUID_MARK: Final = "{CHECKOUT_SESSION_UUID}"
ANY_METHOD: Final = "any"
"""The payer chooses at the provider."""


class IllegalMove(Conflict):
    """Asked for something that the session's state does not allow."""

    code = "illegal_session_move"

    def __init__(self, old: SessionStatus, new: SessionStatus) -> None:
        super().__init__(f"the checkout session is {old}; it cannot become {new}")


class Terms(Struct, frozen=True, kw_only=True):
    """What was asked for, kept as given."""

    payment_method: str
    """Our word for it, or ANY_METHOD."""
    description: str
    """What the shopper reads at the provider."""
    name: str | None = None
    """What the app calls it for its shopper; None: as the product is called."""
    success_url: str = ""
    cancel_url: str = ""
    """Where the shopper goes in the end. Empty in an order: to the session's own page."""
    terms_of_service_url: str | None = None
    collect_terms_of_service_consent: bool = False
    billing_address_collection: bool = False
    shipping_address_collection: bool = False
    is_tax_id_collection_enabled: bool = False
    is_tax_id_collection_required: bool = False
    client_reference_id: str | None = None
    locale: str | None = None
    metadata: Mapping[str, object] = {}
    ui_mode: UiMode = UiMode.HOSTED
    direct: Direct | None = None
    """Of mode `direct`: what is asked for instead of a price."""

    @property
    def without_addresses(self) -> "Terms":
        """What sold nothing needs none. (What the shopper told our page goes after a month.)"""
        if self.direct is None:
            return self
        return replace(self, direct=replace(self.direct, details=PaymentDetails()))

    @property
    def asks(self) -> Asks:
        """What the shopper is asked for before the first payment."""
        return Asks(
            billing_address=self.billing_address_collection,
            shipping_address=self.shipping_address_collection,
            tax_id=self.is_tax_id_collection_enabled,
            consent=self.collect_terms_of_service_consent,
        )


class CheckoutSession(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    id: int = 0
    """Given by the database; 0 before."""
    tenant_uuid: TenantUuid
    user_uuid: UserUuid | None
    payment_provider_uuid: UUID
    mode: Mode
    status: SessionStatus = SessionStatus.OPEN
    payment_status: SessionPaymentStatus = SessionPaymentStatus.UNPAID
    price_uuid: UUID | None
    tax_rate_uuid: UUID | None
    quantity: int
    trial_days: int = 0
    """How long the subscription is tried out before it costs anything."""
    subscription_uuid: UUID | None = None
    """The subscription whose payment method this replaces, if there is one already."""
    bill_uuids: tuple[UUID, ...] = ()
    """What a `recovery` settles."""
    amount: Quote
    terms: Terms
    link_token: str
    """Makes the shopper's links unguessable."""
    collected: Collected | None = None
    """What the shopper has told us before the first payment, if the terms ask for anything."""
    provider_ref: str | None = None
    """The newest payment's reference; None until the provider has answered."""
    next_action_url: str | None = None
    expires_at: datetime
    due_at: datetime
    """When to try to expire it: `expires_at`, later when the provider could not be asked."""
    created_at: datetime
    updated_at: datetime

    @property
    def is_verification(self) -> bool:
        """The payment only proves that the method works, and is given back."""
        return self.mode is Mode.SETUP or self.trial_days > 0

    @property
    def success_url(self) -> str:
        return self.terms.success_url.replace(SESSION_UUID_MARK, str(self.uuid))

    @property
    def cancel_url(self) -> str:
        return self.terms.cancel_url.replace(SESSION_UUID_MARK, str(self.uuid))


def move(
    session: CheckoutSession, to: SessionStatus, *, at: datetime
) -> tuple[CheckoutSession, tuple[Event, ...]]:
    """Raises IllegalMove. Moving to where it is changes nothing."""
    if to is session.status:
        return session, ()
    if to not in MOVES[session.status]:
        raise IllegalMove(session.status, to)
    name = "completed" if to is _S.COMPLETE else "reopened" if to is _S.OPEN else str(to)
    after = replace(session, status=to, updated_at=at)
    if to in (_S.EXPIRED, _S.FAILED):
        after = replace(after, terms=after.terms.without_addresses)
    return after, (event(session, name, at=at),)


def event(session: CheckoutSession, what: str, *, at: datetime) -> Event:
    facts = {
        "checkoutSessionUuid": str(session.uuid),
        "tenantUuid": str(session.tenant_uuid),
        "mode": session.mode,
        "currency": session.amount.total.currency,
        "amountTotal": session.amount.total.minor,
    }
    return Event(type=f"checkout_session.{what}", aggregate_uuid=session.uuid, at=at, facts=facts)
