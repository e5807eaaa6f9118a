"""What is wrong with an order as it stands, whatever it costs: all of it, field by field."""

from collections.abc import Iterator
from datetime import datetime

from domain.checkout.hosts import host_mistakes
from domain.checkout.order import Order, OrderFacts
from domain.checkout.session import ANY_METHOD, Mode, UiMode
from domain.kernel.errors import Violation
from domain.payments.answers import SequenceType
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import Provider


def mistakes(
    order: Order, facts: OrderFacts, account: PaymentProvider, provider: Provider, at: datetime
) -> Iterator[Violation]:
    success, cancel = order.url_fields
    urls = {
        success: order.terms.success_url or None,  # nobody comes back from a recurring payment
        cancel: order.terms.cancel_url or None,
        "termsOfServiceUrl": order.terms.terms_of_service_url,
    }
    yield from host_mistakes(urls, facts.allowed_hosts, account)
    yield from _method(order, provider)
    yield from _form(order, provider)
    locale = order.terms.locale
    if locale is not None and locale not in provider.locales:
        yield Violation(f"{order.provider} does not speak this locale", "locale")
    yield from _parameters(order, account, provider, at)


def _method(order: Order, provider: Provider) -> Iterator[Violation]:
    method, field = order.terms.payment_method, "paymentMethod"
    if method == ANY_METHOD:
        return
    if method not in provider.payment_methods:
        yield Violation(f"{order.provider} does not take {method}", field)
    elif _stores(order) and method not in provider.storable_methods:
        message = f"{method} cannot be charged again, as mode {order.mode} needs"
        yield Violation(message, field)


def _stores(order: Order) -> bool:
    """Whether a mandate is to be left behind."""
    if order.direct is not None:
        return order.direct.sequence_type is SequenceType.FIRST
    return order.mode is not Mode.PAYMENT


def _form(order: Order, provider: Provider) -> Iterator[Violation]:
    if order.terms.ui_mode is UiMode.HOSTED:
        return
    if provider.forms is None:
        yield Violation(f"{order.provider} has no form to embed", "uiMode")
    elif order.terms.asks:
        message = "the shopper is asked for details on a page of ours: embed, or collect"
        yield Violation(message, "uiMode")


def _parameters(
    order: Order, account: PaymentProvider, provider: Provider, at: datetime
) -> Iterator[Violation]:
    direct, rules = order.direct, provider.parameters
    if direct is None or rules is None or order.parameters is None:
        return
    amount, kind = direct.amount.total, direct.sequence_type
    yield from rules.mistakes(order.parameters, amount, kind, account=account, at=at)
