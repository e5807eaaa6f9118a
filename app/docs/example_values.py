"""The documentation's examples: one consistent little world, by the names of fields.

A value that depends on whose field it is stands under its owner.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.docs import payment_examples, routing_examples
from app.docs.account_examples import ACCOUNT, ACCOUNTS

Json = Any


def uuid_of(number: int) -> str:
    return f"0198c5a0-5d1e-7a3b-9c52-{number:012x}"


_PRODUCT, _PRICE, _RATE, _COUNTRY = (uuid_of(n) for n in (0x21, 0x22, 0x23, 0x24))
_SESSION, _PAYMENT = uuid_of(0x31), uuid_of(0x32)
_ENDPOINT, _EVENT = uuid_of(0x51), uuid_of(0x52)
_SUBSCRIPTION, _BILL = uuid_of(0x34), uuid_of(0x38)
_NOW: Final = "2026-01-01T00:00:00.000Z"

BY_NAME: Final[Mapping[str, Json]] = payment_examples.BY_NAME | {
    "appUuid": uuid_of(0x01),
    "tenantUuid": uuid_of(0x11),
    "userUuid": uuid_of(0x12),
    "paymentProviderUuid": ACCOUNT,
    "productUuid": _PRODUCT,
    "productPriceUuid": _PRICE,
    "priceUuid": _PRICE,
    "taxRateUuid": _RATE,
    "countryUuid": _COUNTRY,
    "checkoutSessionUuid": _SESSION,
    "sessionUuid": _SESSION,
    "paymentUuid": _PAYMENT,
    "after": _PAYMENT,
    "provider": "mollie",
    "id": 1,
    "totalItems": 1,
    "itemsLength": 1,
    "createdAt": _NOW,
    "updatedAt": _NOW,
    "paidAt": "2026-01-01T00:02:11.000Z",
    "expiresAt": "2026-01-02T00:00:00.000Z",
    "currentPeriodStart": "2026-01-01T00:02:11.000Z",
    "currentPeriodEnd": "2026-02-01T00:02:11.000Z",
    "currentPeriodNumber": 1,
    "archivedAt": None,
    "deletedAt": None,
    "failureReason": None,
    "currency": "EUR",
    "amount": 1189,
    "amountSubtotal": 999,
    "amountTax": 190,
    "amountTotal": 1189,
    "amountRefunded": 0,
    "amountChargedBack": 0,
    "quantity": 1,
    "units": 1,
    "sessionId": "tr_7UhSN1zuXS",
    "paymentId": "tr_7UhSN1zuXS",
    "paymentUrl": "https://my.mollie.com/dashboard/payments/tr_7UhSN1zuXS",
    "invoiceId": None,
    "invoiceUrl": None,
    "subscriptionId": _SUBSCRIPTION,
    "customerId": "cst_8wmqcHMN4U",
    "paymentMethodId": "mdt_h3gAaD5zP",
    "clientReferenceId": "order-1001",
    "locale": "de_DE",
    "method": "creditcard",
    "nextActionUrl": "https://www.mollie.com/checkout/select-issuer/card/7UhSN1zuXS",
    "retryUrl": f"https://billing.example.com/checkout/{uuid_of(0x01)}/{_SESSION}/kT9x/pay",
    "successUrl": "https://app.example.com/billing/success?session={CHECKOUT_SESSION_UUID}",
    "cancelUrl": "https://app.example.com/billing/cancel",
    "defaultReturnUrl": "https://app.example.com/account",
    "termsOfServiceUrl": "https://app.example.com/terms",
    "givenName": "Jane",
    "familyName": "Smith",
    "organizationName": "Smith BV",
    "line1": "Damrak 1",
    "line2": None,
    "postalCode": "1012 LG",
    "city": "Amsterdam",
    "state": None,
    "contentSha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "consentedAt": "2026-01-01T00:01:40.000Z",
    "collectedAt": "2026-01-01T00:01:40.000Z",
    "ip": "198.51.100.7",
    "metadata": {"team": "growth"},
    "recurring": True,
    "recurringInterval": "month",
    "recurringIntervalCount": 1,
    "trialDays": 0,
    "details": {"cardLabel": "Visa", "cardNumber": "6787", "cardExpiryDate": "2030-01-31"},
    "sequenceType": "first",
    "nickname": "Monthly",
    "lookupKey": "pro_monthly",
    "productId": "pro",
    "productPriceId": "pro-monthly",
    "taxRateId": "de-vat",
    "shippable": False,
    "packageDimensionHeight": None,
    "packageDimensionWidth": None,
    "packageDimensionLength": None,
    "packageDimensionWeight": None,
    "alpha2": "DE",
    "alpha3": "DEU",
    "country": None,
    "credentialHint": "...w9Xk",
    "isDefault": True,
    "isSurplus": False,
    "refundId": None,
    "declineReason": None,
    "scheduledAt": _NOW,
    "chargebackId": "chb_xFzwUN4ci8",
    "receivedAt": "2026-01-15T08:00:00.000Z",
    "reversedAt": None,
    "connected": True,
    "eventUuid": _EVENT,
    "webhookEndpointUuid": _ENDPOINT,
    "deliveryUuid": uuid_of(0x53),
    "aggregateUuid": _SESSION,
    "eventType": "checkout_session.completed",
    "type": "checkout_session.completed",
    "eventTypes": ["checkout_session.completed", "payment.paid"],
    "disabledReason": None,
    "failingSince": None,
    "previousSecretExpiresAt": None,
    "sequence": 2,
    "version": 1,
    "tries": 1,
    "nextTryAt": None,
    "settledAt": "2026-01-01T00:02:12.000Z",
    "timestamp": "2026-01-01T00:02:11.000Z",
    "triedAt": "2026-01-01T00:02:12.000Z",
    "durationMs": 84,
    "httpStatus": 204,
    "error": None,
    "responseExcerpt": "",
    "isReplay": False,
    "received": True,
    "paymentStatus": "unpaid",
    "paymentMethod": "card",
    "verificationAmount": 100,
    "subscriptionUuid": _SUBSCRIPTION,
    "billUuid": _BILL,
    "paymentMethodUuid": uuid_of(0x33),
    "testClockUuid": None,
    "periodNumber": 1,
    "balanceApplied": 0,
    "amountOpen": 0,
    "startsNewPeriod": False,
    "quote": "YWJvdXQgNjAwIGNoYXJhY3RlcnM",
    "closedAt": "2026-01-01T00:02:11.000Z",
    "issuedAt": "2026-01-01T00:02:11.000Z",
    "startsAt": "2026-01-01T00:02:11.000Z",
    "endsAt": "2026-02-01T00:02:11.000Z",
    "accessUntil": "2026-02-08T00:02:11.000Z",
    "paidThrough": "2026-02-01T00:02:11.000Z",
    "trialEndsAt": None,
    "cancelAt": None,
    "cancelReason": None,
    "canceledAt": None,
    "pausedAt": None,
    "pauseReason": None,
    "resumesAt": None,
    "scheduledChange": None,
    "timeZone": "Europe/Berlin",
    "retryDays": [3, 5, 7],
    "graceDays": 7,
    "finalAction": "cancel",
    "missedPeriods": "bill",
    "chargebackAction": "suspend",
    "minimumCharge": 0,
    "from": _NOW,
    "to": "2026-02-01T00:00:00.000Z",
    "at": "2026-02-01T00:00:00.000Z",
    "happenedAt": "2026-01-01T00:02:11.000Z",
    "recordedAt": "2026-01-01T00:02:11.000Z",
    "account": "cash",
    "sourceUuid": _PAYMENT,
}

_MOLLIE: Final = {"name": "mollie", "mode": "test"}
_ANY_ACCOUNT: Final = {"paymentProviderUuid": None}
_VAT: Final = {"name": "VAT 19 %", "description": "German VAT"}
_BAKERY: Final = {"name": "Example Bakery Ltd", "email": "billing@example.com"}
_PRO_PLAN: Final = {"name": "Pro Plan", "description": "Everything, for a whole team"}

_REST: Final = {"startsAt": "2026-01-16T12:02:11.000Z", "endsAt": "2026-02-01T00:02:11.000Z"}
_SECOND_SEAT: Final[Mapping[str, Json]] = {
    "lines": [
        {
            "description": description,
            "quantity": quantity,
            "amountSubtotal": subtotal,
            "amountTax": tax,
            "amountTotal": subtotal + tax,
            **_REST,
        }
        for description, quantity, subtotal, tax in (
            ("Unused: Pro Plan", 1, -500, -95),
            ("Pro Plan", 2, 999, 190),
        )
    ],
    "amountSubtotal": 499,
    "amountTax": 95,
    "amountTotal": 594,
    "amountDue": 594,
    "credit": 0,
}

_OTHERS: Final = routing_examples.BY_OWNER | payment_examples.BY_OWNER | dict(ACCOUNTS)
BY_OWNER: Final[Mapping[str, Mapping[str, Json]]] = _OTHERS | {
    "CheckoutSession": {"uuid": _SESSION, "status": "open", "mode": "subscription"},
    "CheckoutSessionBody": {"mode": "subscription", "expiresInSeconds": 3600},
    "TenantCheckoutSessionBody": {"mode": "subscription", "expiresInSeconds": 3600},
    "Attempt": {"status": "open"},
    "Address": {"country": "NL"},
    "TaxId": {"country": "NL", "number": "NL123456782B12"},
    "Consent": {"url": "https://app.example.com/terms", "locale": "en"},
    "NextAction": {"url": "https://www.mollie.com/checkout/select-issuer/card/7UhSN1zuXS"},
    "Payment": {"uuid": _PAYMENT, "status": "paid"},
    "Invoice": {
        "uuid": _BILL,
        "type": "subscription",
        "status": "paid",
        "paidFrom": "2026-01-01T00:02:11.000Z",
        "paidUntil": "2026-02-01T00:02:11.000Z",
    },
    "CreateInvoiceBody": {
        "type": "subscription",
        "taxRateId": _RATE,
        "lineItems": [{"name": "Pro Plan", "price": _PRICE, "quantity": 1}],
    },
    "LineItemBody": {"name": "Pro Plan", "price": _PRICE},
    "CreatedInvoice": {
        "status": "open",
        "providerObjectType": "payment",
        "providerObjectId": "tr_7UhSN1zuXS",
        "documentUrl": "https://my.mollie.com/dashboard/payments/tr_7UhSN1zuXS",
        "providerResponse": None,
    },
    "OneTimePayment": {"uuid": uuid_of(0x33), "productPriceUuid": uuid_of(0x26)},
    "Subscription": {"uuid": uuid_of(0x34), "status": "active"},
    "PaymentMethod": {"uuid": uuid_of(0x35), "status": "valid"},
    "Refund": {
        "uuid": uuid_of(0x36),
        "reason": "requested",
        "status": "requested",
        "amount": 500,
        "description": "Goodwill",
    },
    "RefundBody": {"amount": 500, "description": "Goodwill"},
    "Chargeback": {"uuid": uuid_of(0x37), "reason": "AC04"},
    "Line": {"description": "Pro Plan"},
    "Bill": {"uuid": _BILL, "kind": "period", "status": "paid"},
    "Period": {"number": 1, "kind": "billed"},
    "History": {
        "oldStatus": "incomplete",
        "newStatus": "active",
        "reason": "paid",
        "at": "2026-01-01T00:02:11.000Z",
    },
    "ChangeQuote": {
        "uuid": uuid_of(0x3A),
        "mode": "now_prorated",
        "quantity": 2,
        "takesEffectAt": "2026-01-16T12:02:11.000Z",
        "expiresAt": "2026-01-16T12:17:11.000Z",
        **_SECOND_SEAT,
    },
    "Change": {"uuid": uuid_of(0x3A), "outcome": "collecting"},
    "QuoteChangeBody": {"mode": "now_prorated", "quantity": 2},
    "PauseSubscriptionBody": {"resumesAt": "2026-03-01T00:00:00.000Z"},
    "Product": {"uuid": _PRODUCT, "url": "https://example.com/pro", **_PRO_PLAN},
    "CreateProductBody": _PRO_PLAN,
    "UpdateProductBody": _PRO_PLAN,
    "ProductImage": {"uuid": uuid_of(0x25), "url": "https://example.com/pro.png"},
    "ImageBody": {"url": "https://example.com/pro.png"},
    "Price": {"uuid": _PRICE, "unitAmount": 999, **_ANY_ACCOUNT},
    "CreatePriceBody": _ANY_ACCOUNT,
    "UpdatePriceBody": _ANY_ACCOUNT,
    "CreateTaxRateBody": _ANY_ACCOUNT,
    "UpdateTaxRateBody": _ANY_ACCOUNT,
    "Country": {"uuid": _COUNTRY, "name": "Germany", "id": 82},
    "TaxRate": {"uuid": _RATE, **_VAT, **_ANY_ACCOUNT, "state": None, "jurisdiction": None},
    "Tenant": {"uuid": BY_NAME["tenantUuid"], **_BAKERY},
    "CreateTenantBody": {"uuid": BY_NAME["tenantUuid"]},
    "TestClock": {
        "uuid": uuid_of(0x39),
        "name": "A year on",
        "status": "advancing",
        "now": "2026-06-30T07:00:00.000Z",
        "advancingTo": "2027-01-31T08:00:00.000Z",
        "failure": None,
    },
    "Provider": {**_MOLLIE, "uuid": ACCOUNT, "title": "Mollie EU", "account": None},
    "CreateProviderBody": _MOLLIE,
    "WebhookEndpoint": {
        "uuid": _ENDPOINT,
        "url": "https://app.example.com/hooks/kontor",
        "description": "The billing service",
        "status": "enabled",
        "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    },
    "EventPayload": {"id": _EVENT, "data": {"checkoutSessionUuid": _SESSION, "amountTotal": 1189}},
    "EventType": {
        "description": "It is paid, or the method is stored",
        "facts": ["checkoutSessionUuid", "tenantUuid", "mode", "currency", "amountTotal"],
    },
    "Delivery": {"uuid": uuid_of(0x53), "status": "delivered"},
    "DeliveryLog": {"uuid": uuid_of(0x53), "status": "delivered"},
    "Try": {"number": 1},
    "Replay": {"deliveries": 1},
    "Health": {"status": "ok", "checks": {"database": "ok", "migrations": "ok"}},
    "Member": {"role": "member"},
    "Posting": {
        "uuid": uuid_of(0x41),
        "kind": "payment.received",
        "entries": [
            {"account": "receivable", "amount": -1189},
            {"account": "cash", "amount": 1189},
        ],
        "facts": {"paymentUuid": _PAYMENT},
    },
    "LedgerBalance": {
        "accounts": [
            {"account": account, "amount": amount}
            for account, amount in (("cash", 1189), ("revenue", -999), ("tax", -190))
        ],
    },
}

_LEFT_OUT: Final = routing_examples.LEFT_OUT | payment_examples.LEFT_OUT
LEFT_OUT: Final[Mapping[str, frozenset[str]]] = _LEFT_OUT | {
    "CreateTaxRateBody": frozenset({"countryUuid"}),  # instead of countryCode
    "UpdateTaxRateBody": frozenset({"countryUuid"}),
    "CancelSubscriptionBody": frozenset({"at"}),  # instead of `when`
    "ReplayBody": frozenset({"eventUuid"}),  # instead of a period
    "Received": frozenset({"ignored", "status"}),  # told only when something is not as usual
}
"""Fields that exclude another, or are usually not there."""

_ONCE: Final[Mapping[str, Json]] = {"mode": "payment", "productPriceUuid": uuid_of(0x26)}
_SETUP: Final[Mapping[str, Json]] = {"mode": "setup", "productPriceUuid": None, "taxRateUuid": None}
_CHECKOUTS: Final[Mapping[str, Mapping[str, Json]]] = {
    "subscription": {},
    "payment": _ONCE,
    "setup": _SETUP,
}

_TWO_LICENCES: Final = {"name": "Team licence", "price": uuid_of(0x26), "quantity": 2}

EXAMPLES: Final[Mapping[str, Mapping[str, Mapping[str, Json]]]] = {
    "CreateInvoiceBody": {
        "subscription": {},
        "oneTimePayment": {"type": "oneTimePayment", "lineItems": [_TWO_LICENCES]},
    },
    "CheckoutSessionBody": _CHECKOUTS,
    "TenantCheckoutSessionBody": _CHECKOUTS,
}
"""Bodies that are worth more than one example: what each changes about the full one."""

KINDS: Final[Mapping[str, str]] = routing_examples.KINDS | {
    "BillingPolicy": "billingPolicies",
    "ChangeQuote": "subscriptionChangeQuotes",
    "Change": "subscriptionChanges",
    "Price": "productPrices",
    "Country": "countries",
    "OpenedSession": "checkoutSessions",
    "CreatedInvoice": "invoices",
    "PortalLink": "billingPortal",
    "Provider": "paymentProviders",
    "ConnectedAccount": "paymentProviders",
    "Connecting": "paymentProviders",
    "EventPayload": "events",
    "Period": "subscriptionPeriods",
    "History": "subscriptionHistory",
    "Delivery": "deliveries",
    "DeliveryLog": "deliveries",
}
"""An envelope's `kind`, where it is not the plural of what is in it."""

RAW: Final[Mapping[str, Json]] = {
    "metrics": 'kontor_requests_total{method="GET",route="/livez",status="200"} 1.0\n',
    "readDocs": "<!doctype html>\n",
    "readOpenapi": {"openapi": "3.1.0"},
}
"""Answers that have no fields, by operation."""
