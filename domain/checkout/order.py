"""An order: what a caller asks for, and everything that it is checked against."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from domain.catalog.quote import Quote, Tax
from domain.checkout.direct import Direct
from domain.checkout.session import Mode, SessionStatus, Terms
from domain.kernel.idempotency import Claim
from domain.kernel.ids import TenantUuid
from domain.kernel.money import Currency, Money
from domain.payments.payment_provider import PaymentProvider, ProviderName
from domain.tenancy.admission import AdmissionFacts
from domain.tenancy.tenant import Tenant

LIFETIME_DEFAULT: Final = timedelta(hours=24)
DOUBLE_CLICK: Final = timedelta(seconds=10)
OWN_KEY: Final = "·"
"""Begins the keys that we make. Given ones are ASCII, so no caller can give one of these."""


class Order(Struct, frozen=True, kw_only=True):
    tenant_uuid: TenantUuid
    provider: ProviderName
    mode: Mode
    session_uuid: UUID | None = None
    """What the session is to be called; None: what it will."""
    account_uuid: UUID | None = None
    """The account to pay at; None: the price's, or the app's default."""
    price_uuid: UUID | None
    tax_rate_uuid: UUID | None
    quantity: int = 1
    subscription_uuid: UUID | None = None
    """The subscription whose payment method a `setup` or `recovery` replaces."""
    bill_uuids: tuple[UUID, ...] = ()
    open_amount: Quote | None = None
    """Of a `recovery`: what is settled, and how much that is. Never a caller's word."""
    direct: Direct | None = None
    """Of mode `direct`: what is asked for instead of a price."""
    parameters: Mapping[str, Any] | None = None
    """Of a direct payment: what else its provider is told, in its own words. They may hold secrets,
    such as a card's token, and are kept in the request alone. None: nothing else."""
    currency: Currency | None
    terms: Terms
    url_fields: tuple[str, str] = ("successUrl", "cancelUrl")
    """What the caller calls the two."""
    lifetime: timedelta = LIFETIME_DEFAULT


class Ask(Struct, frozen=True, kw_only=True):
    """How a request identifies itself, for answering its repeats alike."""

    operation: str
    key: str | None
    """The Idempotency-Key. Without one, the same body within DOUBLE_CLICK is the same request."""
    fingerprint: bytes

    @property
    def stored_key(self) -> str:
        return self.key or f"{OWN_KEY}{self.fingerprint.hex()}"


class PriceFacts(Struct, frozen=True, kw_only=True):
    """As much of a price as an order needs."""

    product_name: str
    unit_amount: Money
    is_recurring: bool
    trial_days: int
    """0 also for a tenant that has tried the product out before."""
    is_archived: bool


class TaxFacts(Struct, frozen=True):
    tax: Tax
    is_archived: bool


class OrderFacts(Struct, frozen=True, kw_only=True):
    """Everything that one read finds out about an order. None: there is no such thing."""

    admission: AdmissionFacts
    allowed_hosts: tuple[str, ...] = ()
    tenant: Tenant | None = None
    clock_is_usable: bool = True
    """False: the tenant's test clock is deleted."""
    account: PaymentProvider | None = None
    price: PriceFacts | None = None
    tax: TaxFacts | None = None
    customer_ref: str | None = None
    claim: Claim | None = None
    """What stands under the request's key."""
    claimed_session_status: SessionStatus | None = None


class PricedOrder(Struct, frozen=True, kw_only=True):
    order: Order
    tenant: Tenant
    account: PaymentProvider
    description: str
    amount: Quote
    trial_days: int = 0
