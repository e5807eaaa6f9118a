"""Examples of payments of an app's own amounts, and of captures: see example_values.py."""

from typing import Any, Final

_ORDER: Final = {"description": "Order 10045", "currency": "EUR", "amount": 121_00}

BY_NAME: Final[dict[str, Any]] = {
    "captureId": "cpt_gVMhHKqSSRYJyPsuoPNFH",
    "amountCaptured": None,
    "releaseDate": "2026-02-01",
    "startDate": "2026-02-01",
    "times": 12,
    "registrationNumber": "30204462",
    "vatNumber": "NL815839091B01",
    "entityType": "limited",
    "redirectUrl": "https://app.example.com/orders/10045",
}

BY_OWNER: Final[dict[str, dict[str, Any]]] = {
    "CustomerPayment": {
        "uuid": "0198c5a0-5d1e-7a3b-9c52-000000000032",
        "status": "open",
        "sequenceType": "oneoff",
        "amount": 121_00,
        "amountCaptured": None,
        "paidAt": None,
        "billUuid": None,
    },
    "PayAction": {"url": "https://www.mollie.com/checkout/select-issuer/card/7UhSN1zuXS"},
    "Capture": {
        "uuid": "0198c5a0-5d1e-7a3b-9c52-00000000003b",
        "status": "pending",
        "amount": 100_00,
        "description": "Shipped: oak table",
    },
    "CaptureBody": {"amount": 100_00, "description": "Shipped: oak table"},
    "CustomerPaymentBody": {"method": "creditcard", "sequenceType": "oneoff", **_ORDER},
    "LineBody": {"type": "physical", "description": "Oak table", "quantity": 1},
    "RecurringBody": {"interval": "1 month", "amount": 10_00, "description": "Newsletter"},
    "PayerAddressBody": {"country": "NL", "streetAndNumber": "Lange Poten 1"},
    "ApplicationFeeBody": {"amount": 1_00, "description": "Platform fee"},
    "RouteBody": {"amount": 100_00},
    "DestinationBody": {"type": "organization"},
}

_SPECIAL: Final = (
    "routing applicationFee mandateId issuer restrictPaymentMethodsToCountry captureDelay dueDate "
    "cardToken storeCredentials applePayPaymentToken googlePayPaymentToken voucherNumber "
    "voucherPin terminalId consumerName consumerDateOfBirth customerReference billingEmail "
    "company digitalGoods extraMerchantData"
)
"""Of a customer payment: what one method alone knows, or what only some accounts may."""

LEFT_OUT: Final[dict[str, frozenset[str]]] = {
    "CustomerPaymentBody": frozenset(_SPECIAL.split()),
    "LineBody": frozenset(
        ["recurring", "categories", "imageUrl", "productUrl", "discountAmount", "quantityUnit"]
    ),
    "PayerAddressBody": frozenset(["title", "organizationName", "streetAdditional", "region"]),
}
