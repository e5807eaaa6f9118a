"""What an order comes to. The amount is never the caller's: it follows from price, quantity and
tax rate."""

from datetime import datetime
from typing import Final

from domain.catalog.quote import Quote, Tax, quote
from domain.checkout.order import Order, OrderFacts, PricedOrder, PriceFacts
from domain.checkout.order_mistakes import mistakes
from domain.checkout.session import Mode, UiMode
from domain.kernel.errors import Invalid, NotFound, Refused
from domain.kernel.money import Currency, Money
from domain.payments.payment_provider import PaymentProvider, ProviderMode
from domain.payments.ports import Provider
from domain.tenancy.caller import Actor, Scope
from domain.tenancy.tenant import Tenant

_NOT_CONNECTED: Final = (
    "nothing can be paid through the payment provider {} now: its merchant must connect it, and "
    "have a profile there"
)


def price_order(
    order: Order, facts: OrderFacts, actor: Actor, provider: Provider, *, at: datetime
) -> PricedOrder:
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
    if order.parameters is not None and provider.parameters is None:
        raise NotFound("payments at", order.provider)
    if found := list(mistakes(order, facts, facts.account, provider, at)):
        raise Invalid(found)
    if _takes_fee_of_form(order, facts.account):
        # No fee can be taken of what is paid in a form, and the operator's is not to be got around.
        raise Refused("the platform takes a fee of this account: no form there", field="uiMode")
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


def _takes_fee_of_form(order: Order, account: PaymentProvider) -> bool:
    is_form = order.terms.ui_mode is UiMode.EMBEDDED
    return is_form and account.application_fee is not None and order.mode is not Mode.SETUP
