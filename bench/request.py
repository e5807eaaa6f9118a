"""The requests that are measured: the main endpoint, and the list of products."""

from typing import Any, Final

import msgspec
from msgspec import Struct

_MARK: Final = "@mark@"
PRODUCTS: Final = 10


class Facts(Struct, frozen=True, rename="camel"):
    """What of the demo is needed; see app/cli/demo.py."""

    app_uuid: str
    tenant_uuid: str
    user_uuid: str
    prices: dict[str, str]
    tax_rates: dict[str, str]
    tokens: dict[str, str]
    mollie_api_key: str


class Request(Struct, frozen=True, kw_only=True):
    """One kind of request. Each one sent carries a mark of its own, or it would be a repeat."""

    method: str
    path: str
    headers: dict[str, str]
    body: str = ""
    has_key: bool = False

    def headers_for(self, mark: str) -> dict[str, str]:
        return {**self.headers, "Idempotency-Key": mark} if self.has_key else self.headers

    def body_for(self, mark: str) -> bytes:
        return self.body.replace(_MARK, mark).encode()


def checkout(facts: Facts, *, has_key: bool) -> Request:
    """Mode payment, with a tax rate, as a user of the tenant."""
    body: dict[str, Any] = {
        "tenantUuid": facts.tenant_uuid,
        "mode": "payment",
        "productPriceUuid": facts.prices["oneTime"],
        "taxRateUuid": facts.tax_rates["exclusive19"],
        "successUrl": "https://shop.example/thanks?session={CHECKOUT_SESSION_UUID}",
        "cancelUrl": "https://shop.example/cart",
        "clientReferenceId": _MARK,
    }
    return _opening(facts, body, has_key=has_key)


def payment_session(facts: Facts, token: str) -> Request:
    """An order of the app's own, which `token` may bill for."""
    body = {
        "tenantUuid": facts.tenant_uuid,
        "orderReference": _MARK,
        "paymentMethod": "card",
        "currency": "EUR",
        "amount": {"total": 49.0},
        "customer": {
            "firstName": "Jane",
            "lastName": "Smith",
            "email": "jane@example.com",
            "billingAddress": {"line1": "Rue 1", "postalCode": "1000", "country": "BE"},
        },
        "redirectUrls": {
            "success": "https://shop.example/thanks",
            "failure": "https://shop.example/cart",
        },
    }
    return Request(
        method="POST",
        path="/api/v1/sessions",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        body=msgspec.json.encode(body).decode(),
        has_key=True,
    )


def subscription(facts: Facts) -> Request:
    """The first payment of a monthly one."""
    body = {
        "tenantUuid": facts.tenant_uuid,
        "mode": "subscription",
        "productPriceUuid": facts.prices["monthly"],
        "successUrl": "https://shop.example/thanks?session={CHECKOUT_SESSION_UUID}",
        "cancelUrl": "https://shop.example/cart",
    }
    return _opening(facts, body, has_key=True)


def _opening(facts: Facts, body: dict[str, Any], *, has_key: bool) -> Request:
    return Request(
        method="POST",
        path=f"/api/v1/apps/{facts.app_uuid}/payment-providers/mollie/checkout-sessions",
        headers=_headers(facts.tokens["tenant"]),
        body=msgspec.json.encode(body).decode(),
        has_key=has_key,
    )


def listing(facts: Facts) -> Request:
    return Request(
        method="GET",
        path=f"/api/v1/apps/{facts.app_uuid}/products?limit={PRODUCTS}",
        headers=_headers(facts.tokens["tenant"]),
    )


def new_product(facts: Facts) -> Request:
    """A product as the list is to show them: three prices and an image."""
    prices: list[dict[str, Any]] = [
        {"unitAmount": 4900, "currency": "EUR"},
        {"unitAmount": 999, "currency": "EUR", "recurring": True, "recurringInterval": "month"},
        {"unitAmount": 9900, "currency": "EUR", "recurring": True, "recurringInterval": "year"},
    ]
    body = {
        "name": f"Product {_MARK}",
        "description": "Everything, for a whole team",
        "prices": prices,
        "images": [{"url": "https://shop.example/product.png"}],
    }
    return Request(
        method="POST",
        path=f"/api/v1/apps/{facts.app_uuid}/products",
        headers=_headers(facts.tokens["admin"]),
        body=msgspec.json.encode(body).decode(),
    )


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
