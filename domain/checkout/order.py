"""An order: what a caller asks for, checked against what the app really has.

The amount is never the caller's. It follows from price, quantity and tax rate, here.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import Struct

from domain.catalog.quote import Quote, Tax, quote
from domain.checkout.direct import Direct
from domain.checkout.session import ANY_METHOD, Mode, SessionStatus, Terms, UiMode
from domain.kernel.errors import Invalid, NotFound, Refused, Violation
from domain.kernel.idempotency import Claim
from domain.kernel.ids import TenantUuid
from domain.kernel.money import Currency, Money
from domain.payments.answers import SequenceType
from domain.payments.payment_provider import PaymentProvider, ProviderMode, ProviderName
from domain.payments.ports import Provider
from domain.tenancy.admission import AdmissionFacts
from domain.tenancy.caller import Actor, Scope
from domain.tenancy.tenant import Tenant

LIFETIME_DEFAULT: Final = timedelta(hours=24)
DOUBLE_CLICK: Final = timedelta(seconds=10)
OWN_KEY: Final = "·"
"""Begins the keys that we make. Given ones are ASCII, so no caller can give one of these."""
_NOT_CONNECTED: Final = (
    "nothing can be paid through the payment provider {} now: its merchant must connect it, and "
    "have a profile there"
)
_LOCALHOST: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Order(Struct, frozen=True, kw_only=True):
    tenant_uuid: TenantUuid
    provider: ProviderName
    mode: Mode
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


def price_order(order: Order, facts: OrderFacts, actor: Actor, provider: Provider) -> PricedOrder:
    """Raises NotFound for what is another's, Invalid for what cannot be, Refused for a rule."""
    actor.need_tenant(order.tenant_uuid, Scope.BILLING_WRITE)
    if order.direct is not None:
        actor.need(Scope.BILLING_WRITE)  # amounts are the app's to name, not its tenants' users'
    if facts.tenant is None:
        raise NotFound("tenant", order.tenant_uuid)
    if facts.account is None:
        raise NotFound("payment provider", order.provider)
    if not facts.account.can_be_paid:
        raise Refused(_NOT_CONNECTED.format(facts.account.uuid))
    need_clock(facts.tenant, facts.account, is_usable=facts.clock_is_usable)
    _check_hosts(order, facts.allowed_hosts, facts.account)
    _check_method(order, provider)
    _check_form(order, provider, facts.account)
    description, amount, trial_days = _what_is_paid(order, facts, facts.account, provider)
    return PricedOrder(
        order=order,
        tenant=facts.tenant,
        account=facts.account,
        description=description,
        amount=amount,
        trial_days=trial_days,
    )


def _what_is_paid(
    order: Order, facts: OrderFacts, account: PaymentProvider, provider: Provider
) -> tuple[str, Quote, int]:
    """What the shopper reads, how much it is, and for how many days it is tried out first."""
    if order.mode is Mode.SETUP:
        assert order.currency is not None
        what, amount = _verification(account, provider, order.currency)
        return f"Card verification, {what}", amount, 0
    if order.direct is not None:
        return order.direct.description, order.direct.amount, 0
    if order.open_amount is not None:
        return "What is open", order.open_amount, 0
    price, tax = _price(order, facts), _tax(order, facts)
    count = f"{order.quantity} x " if order.quantity > 1 else ""
    description = f"{count}{order.terms.name or price.product_name}"
    if not price.trial_days:
        return description, quote(price.unit_amount, order.quantity, tax), 0
    what, amount = _verification(account, provider, price.unit_amount.currency)
    return f"{description}: card verification, {what}", amount, price.trial_days


def _verification(
    account: PaymentProvider, provider: Provider, currency: Currency
) -> tuple[str, Quote]:
    if provider.stores_without_charge:
        return "nothing is charged", quote(Money(0, currency), 1, None)
    return "refunded at once", quote(account.verification_amount(currency), 1, None)


def _check_method(order: Order, provider: Provider) -> None:
    method, field = order.terms.payment_method, "paymentMethod"
    if method == ANY_METHOD:
        return
    if method not in provider.payment_methods:
        raise Invalid([Violation(f"{order.provider} does not take {method}", field)])
    if _stores(order) and method not in provider.storable_methods:
        message = f"{method} cannot be charged again, as mode {order.mode} needs"
        raise Invalid([Violation(message, field)])


def _check_form(order: Order, provider: Provider, account: PaymentProvider) -> None:
    if order.terms.ui_mode is UiMode.HOSTED:
        return
    if provider.forms is None:
        raise Invalid([Violation(f"{order.provider} has no form to embed", "uiMode")])
    if order.terms.asks:
        message = "the shopper is asked for details on a page of ours: embed, or collect"
        raise Invalid([Violation(message, "uiMode")])
    if account.application_fee is not None and order.mode is not Mode.SETUP:
        # No fee can be taken of what is paid in a form, and the operator's is not to be got around.
        raise Refused("the platform takes a fee of this account: no form there", field="uiMode")


def _stores(order: Order) -> bool:
    """Whether a mandate is to be left behind."""
    if order.direct is not None:
        return order.direct.sequence_type is SequenceType.FIRST
    return order.mode is not Mode.PAYMENT


def need_clock(tenant: Tenant, account: PaymentProvider, *, is_usable: bool) -> None:
    """Months that pass in seconds are for test accounts alone."""
    if tenant.test_clock_uuid is None:
        return
    if account.mode is ProviderMode.LIVE:
        message = "a tenant on a test clock cannot pay at a live account"
        raise Refused(message, field="tenantUuid")
    if not is_usable:
        raise Refused("the tenant's test clock is deleted", field="tenantUuid")


def _price(order: Order, facts: OrderFacts) -> PriceFacts:
    price = facts.price
    if price is None:
        raise NotFound("price", order.price_uuid)
    if price.is_archived:
        raise Refused("the price is archived", field="productPriceUuid")
    if price.is_recurring is not (order.mode is Mode.SUBSCRIPTION):
        wanted = "a recurring" if order.mode is Mode.SUBSCRIPTION else "a one-time"
        raise Refused(f"mode {order.mode} needs {wanted} price", field="productPriceUuid")
    if order.currency not in (None, price.unit_amount.currency):
        message = f"the price is in {price.unit_amount.currency}"
        raise Refused(message, field="currency")
    if price.unit_amount.minor == 0 and not price.trial_days:
        raise Refused("the price is free: there is nothing to pay", field="productPriceUuid")
    return price


def _tax(order: Order, facts: OrderFacts) -> Tax | None:
    if order.tax_rate_uuid is None:
        return None
    if facts.tax is None:
        raise NotFound("tax rate", order.tax_rate_uuid)
    if facts.tax.is_archived:
        raise Refused("the tax rate is archived", field="taxRateUuid")
    return facts.tax.tax


def _check_hosts(order: Order, allowed: tuple[str, ...], account: PaymentProvider) -> None:
    success, cancel = order.url_fields
    urls = {
        success: order.terms.success_url or None,  # nobody comes back from a recurring payment
        cancel: order.terms.cancel_url or None,
        "termsOfServiceUrl": order.terms.terms_of_service_url,
    }
    need_hosts(urls, allowed, account)


def need_hosts(
    urls: Mapping[str, str | None], allowed: tuple[str, ...], account: PaymentProvider
) -> None:
    """Where an app sends its shoppers, by field. Raises Invalid."""
    violations = []
    for field, url in urls.items():
        if url is None:
            continue
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if parts.scheme == "http" and (
            host not in _LOCALHOST or account.mode is not ProviderMode.TEST
        ):
            message = "must be https (http is for localhost, with a test account)"
            violations.append(Violation(message, field))
        elif allowed and host not in allowed:
            violations.append(Violation("this host is not on the app's list", field))
    if violations:
        raise Invalid(violations)
