"""One good request for every route, by operation id.

A route that is not listed here fails test_every_route.py: whoever adds one says here what a good
request to it looks like, and in test_roles.py who may make it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from litestar import Litestar
from litestar.handlers.http_handlers import HTTPRouteHandler

from tests.http.house import Estate, Json
from tests.make import a_uuid

UNKNOWN: Final = str(a_uuid(99))
Body = Json | None


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    """`/api/v1/apps/{app_uuid}/products`"""
    operation_id: str
    handler: HTTPRouteHandler


@dataclass(frozen=True)
class Example:
    """`names` maps the path's parameters to what the estate knows the row by."""

    names: Mapping[str, str] = field(default_factory=dict)
    body: Body = None
    is_public: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""

    def path(self, route: Route, estate: Estate) -> str:
        known = {name: estate.ids.get(row, row) for name, row in self.names.items()}
        return route.path.format(app_uuid=estate.app_uuid, **known) + self.query

    def sent(self, estate: Estate) -> Any:
        """The body, with the estate's rows in it."""
        return None if self.body is None else {k: _known(v, estate) for k, v in self.body.items()}


def _known(value: Any, estate: Estate) -> Any:
    if isinstance(value, list):
        return [{name: _known(v, estate) for name, v in item.items()} for item in value]
    return estate.ids.get(value[1:], value) if str(value).startswith("$") else value


_URLS: Final = {
    "successUrl": "https://shop.example/thanks",
    "cancelUrl": "https://shop.example/sorry",
}
_PURCHASE: Final[Json] = {"mode": "payment", "productPriceUuid": "$price", **_URLS}
_ASKED: Final[Json] = {
    "description": "Order 1",
    "currency": "EUR",
    "amount": 1000,
    "redirectUrl": "https://shop.example/thanks",
}
_INVOICE: Final[Json] = {
    "type": "oneTimePayment",
    "lineItems": [{"name": "Pro Plan", "price": "$price"}],
}
_ORDER: Final[Json] = {
    "orderReference": "ORD-1",
    "paymentMethod": "card",
    "currency": "EUR",
    "amount": {"total": 11.9, "tax": 1.9},
    "customer": {
        "firstName": "Jane",
        "lastName": "Smith",
        "email": "jane@example.com",
        "billingAddress": {"line1": "Rue 1", "postalCode": "1000", "country": "BE"},
    },
    "redirectUrls": {"success": "https://shop.example/ok", "failure": "https://shop.example/no"},
}
_ASKED_ONCE: Final = {"Idempotency-Key": "a-key"}
_PRICE: Final[Json] = {"unitAmount": 100, "currency": "EUR"}
_RATE: Final[Json] = {"name": "VAT", "percentage": 7, "inclusive": True, "countryCode": "DE"}
_PRODUCT: Final = {"uuid": "product"}
_TENANT: Final = {"tenant_uuid": "tenant"}
_SEAT: Final = {"tenant_uuid": "tenant", "user_uuid": "newcomer"}
_SESSION: Final = {"session_uuid": "session"}
_PAYMENT: Final = {"uuid": "payment"}
_METHOD: Final = {**_TENANT, "uuid": "payment_method"}
_ENDPOINT: Final = {"uuid": "webhook_endpoint"}
_SUBSCRIPTION: Final = {"uuid": "subscription"}
_CONNECTED: Final = {"provider": "mollie"}
_LINK: Final = {"session_uuid": "session", "token": "a-guess"}

EXAMPLES: Final[Mapping[str, Example]] = {
    "openCheckoutSession": Example({"provider": "mollie"}, {"tenantUuid": "$tenant", **_PURCHASE}),
    "openTenantCheckoutSession": Example({"provider": "mollie", **_TENANT}, _PURCHASE),
    "listCheckoutSessions": Example(),
    "getCheckoutSession": Example(_SESSION),
    "expireCheckoutSession": Example(_SESSION),
    "listProducts": Example(),
    "createProduct": Example(body={"name": "Basic"}),
    "getProduct": Example(_PRODUCT),
    "updateProduct": Example(_PRODUCT, {"name": "Basic"}),
    "archiveProduct": Example(_PRODUCT),
    "listPrices": Example({"product_uuid": "product"}),
    "createPrice": Example({"product_uuid": "product"}, _PRICE),
    "getPrice": Example({"uuid": "price"}),
    "updatePrice": Example({"uuid": "price"}, {"nickname": "Old"}),
    "archivePrice": Example({"uuid": "price"}),
    "listTaxRates": Example(),
    "createTaxRate": Example(body=_RATE),
    "getTaxRate": Example({"uuid": "exclusive"}),
    "updateTaxRate": Example({"uuid": "exclusive"}, {"name": "Sales tax"}),
    "archiveTaxRate": Example({"uuid": "exclusive"}),
    "listCountries": Example(),
    "listTenants": Example(),
    "createTenant": Example(body={"name": "Initech"}),
    "getTenant": Example(_TENANT),
    "updateTenant": Example(_TENANT, {"name": "Initech"}),
    "putMember": Example(_SEAT, {"role": "admin"}),
    "removeMember": Example(_SEAT),
    "listPaymentProviders": Example(),
    "createPaymentProvider": Example(body={"name": "mollie", "credential": "test_0123456789"}),
    "getPaymentProvider": Example({"uuid": "account"}),
    "updatePaymentProvider": Example({"uuid": "account"}, {"title": "Ours"}),
    "deletePaymentProvider": Example({"uuid": "account"}),
    "listPayments": Example(_TENANT),
    "listOneTimePayments": Example(_TENANT),
    "listSubscriptions": Example(_TENANT),
    "startSubscription": Example(_TENANT, {"productPriceUuid": "$monthly", "trialDays": 0}),
    "listAppSubscriptions": Example(),
    "getSubscription": Example(_SUBSCRIPTION),
    "listSubscriptionPeriods": Example(_SUBSCRIPTION),
    "listSubscriptionBills": Example(_SUBSCRIPTION),
    "listSubscriptionHistory": Example(_SUBSCRIPTION),
    "cancelSubscription": Example(_SUBSCRIPTION, {"when": "period_end"}),
    "uncancelSubscription": Example(_SUBSCRIPTION),
    "pauseSubscription": Example(_SUBSCRIPTION, {}),
    "resumeSubscription": Example(_SUBSCRIPTION),
    "openPaymentLink": Example(_SUBSCRIPTION, _URLS),
    "replacePaymentMethod": Example(_SUBSCRIPTION, {"paymentMethodUuid": "$payment_method"}),
    "retrySubscription": Example({"uuid": "owing"}),
    "quoteSubscriptionChange": Example(_SUBSCRIPTION, {"mode": "now_prorated", "quantity": 2}),
    "changeSubscription": Example(_SUBSCRIPTION, {"quote": "$quote"}),
    "cancelScheduledSubscriptionChange": Example(_SUBSCRIPTION),
    "listPaymentMethods": Example(_TENANT),
    "makePaymentMethodDefault": Example(_METHOD),
    "revokePaymentMethod": Example(_METHOD),
    "revokePaymentMethods": Example({"provider": "mollie", **_TENANT}),
    "listInvoices": Example({"provider": "mollie", **_TENANT}),
    "createInvoice": Example({"provider": "mollie", **_TENANT}, _INVOICE),
    "getPayment": Example(_PAYMENT),
    "listRefunds": Example(_PAYMENT),
    "requestRefund": Example(_PAYMENT, {"amount": 1}, headers={"Idempotency-Key": "a-key"}),
    "listChargebacks": Example(_PAYMENT),
    "openCustomerPayment": Example({"provider": "mollie", **_TENANT}, _ASKED),
    "listCaptures": Example(_PAYMENT),
    "requestCapture": Example(_PAYMENT, {"amount": 1}, headers={"Idempotency-Key": "a-key"}),
    "cancelPayment": Example(_PAYMENT),
    "getRefund": Example({"uuid": "refund"}),
    "cancelRefund": Example({"uuid": "refund"}),
    "openPaymentSession": Example(body={"tenantUuid": "$tenant", **_ORDER}, headers=_ASKED_ONCE),
    "getPaymentSession": Example({"uuid": "payment_session"}),
    "refundPaymentSession": Example(
        {"uuid": "payment_session"}, {"amount": 1}, headers=_ASKED_ONCE
    ),
    "getRoutingPolicy": Example(),
    "replaceRoutingPolicy": Example(body={"explorationPermille": 10}),
    "listRoutingDecisions": Example(),
    "getRoutingDecision": Example({"uuid": "routing_decision"}),
    "getRoutingHealth": Example(),
    "getBillingPolicy": Example(),
    "updateBillingPolicy": Example(body={"graceDays": 3}),
    "getConnectedAccount": Example(_CONNECTED),
    "createConnectedAccount": Example(_CONNECTED),
    "connectAccount": Example(_CONNECTED, query="?connected=false"),
    "disconnectAccount": Example(_CONNECTED),
    "listTestClocks": Example(),
    "createTestClock": Example(body={"now": "2026-01-31T09:00:00Z"}),
    "getTestClock": Example({"uuid": "test_clock"}),
    "deleteTestClock": Example({"uuid": "test_clock"}),
    "advanceTestClock": Example({"uuid": "test_clock"}, {"now": "2026-02-28T09:00:00Z"}),
    "listPostings": Example(),
    "getPosting": Example({"uuid": "posting"}),
    "listLedgerBalances": Example(),
    "listEvents": Example(),
    "getEvent": Example({"uuid": "event"}),
    "listWebhookEndpoints": Example(),
    "createWebhookEndpoint": Example(body={"url": "https://app.example.com/other"}),
    "getWebhookEndpoint": Example(_ENDPOINT),
    "updateWebhookEndpoint": Example(_ENDPOINT, {"description": "Ours"}),
    "deleteWebhookEndpoint": Example(_ENDPOINT),
    "rollWebhookSecret": Example(_ENDPOINT, {}),
    "testWebhookEndpoint": Example(_ENDPOINT),
    "replayEvents": Example(_ENDPOINT, {"eventUuid": "$event"}),
    "listDeliveries": Example(_ENDPOINT),
    "getDelivery": Example({**_ENDPOINT, "delivery_uuid": "delivery"}),
    "listEventTypes": Example(is_public=True),
    "receiveMollieWebhook": Example(is_public=True),
    "receiveKomojuWebhook": Example(is_public=True),
    "returnFromProvider": Example(_LINK, is_public=True),
    "payCheckoutSession": Example(_LINK, is_public=True),
    "openBillingPortal": Example(
        {"provider": "mollie"},
        {"tenantUuid": "$tenant", "defaultReturnUrl": "https://shop.example/account"},
    ),
    "openTenantBillingPortal": Example(
        {"tenant_uuid": "tenant", "provider": "mollie"},
        {"defaultReturnUrl": "https://shop.example/account"},
    ),
    "showBillingPortal": Example({"token": "x"}, is_public=True),
    "cancelInPortal": Example({"token": "x", "uuid": "subscription"}, is_public=True),
    "uncancelInPortal": Example({"token": "x", "uuid": "subscription"}, is_public=True),
    "payInPortal": Example({"token": "x", "uuid": "subscription"}, is_public=True),
    "showCheckoutPage": Example(_LINK, is_public=True),
    "fillInCheckoutPage": Example(_LINK, is_public=True),
    "readCheckoutStyle": Example(is_public=True),
    "readDocs": Example(is_public=True),
    "readOpenapi": Example(is_public=True),
    "livez": Example(is_public=True),
    "readyz": Example(is_public=True),
    "metrics": Example(is_public=True),
}

OF_TOKEN: Final = frozenset({"openPaymentSession", "getPaymentSession", "refundPaymentSession"})
"""Their paths name no app: it is the token's."""
GUARDED: Final = sorted(name for name, example in EXAMPLES.items() if not example.is_public)
PUBLIC: Final = sorted(EXAMPLES.keys() - set(GUARDED))
WITH_BODY: Final = sorted(name for name, example in EXAMPLES.items() if example.body is not None)


def routes(application: Litestar) -> Iterator[Route]:
    """What the application really serves. OPTIONS is answered by the framework alone."""
    for route in application.routes:
        for handler in getattr(route, "route_handlers", [None]):
            assert isinstance(handler, HTTPRouteHandler), f"{route.path}: not an HTTP handler"
            for method in sorted(handler.http_methods - {"OPTIONS"}):
                operation_id = handler.operation_id
                assert isinstance(operation_id, str), f"{method} {route.path}: no operation id"
                yield Route(str(method), route.path_format, operation_id, handler)
