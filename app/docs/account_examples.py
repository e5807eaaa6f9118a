"""Examples of accounts that merchants connect by consent, by the schema that they are of."""

from collections.abc import Mapping
from typing import Any, Final

ACCOUNT: Final = "0198c5a0-5d1e-7a3b-9c52-000000000013"
_FLOWERS: Final = {
    "uuid": ACCOUNT,
    "name": "mollie",
    "mode": "live",
    "account": "org_12345678",
    "disconnectedBy": None,
}
_STANDING: Final = {
    "onboardingStatus": "completed",
    "organizationName": "Example BV",
    "canReceivePayments": True,
    "canReceiveSettlements": True,
    "missingFields": [],
}
_ASKED: Final = {
    "type": "accountLink",
    "url": "https://my.mollie.com/oauth2/authorize?client_id=app_j9Pakf56Ajta6Y65AkdTtAv",
}

ACCOUNTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "ConnectedAccount": {**_FLOWERS, "providerMetadata": _STANDING},
    "Connecting": {
        **_FLOWERS,
        "account": "pending_3f0c2f4e-6b1f-4c07-8a52-64b3c3a4a6f1",
        "profileId": None,
        "providerMetadata": None,
        "connected": False,
        "nextAction": _ASKED,
    },
    "AccountMetadata": _STANDING,
    "ConnectAction": {"type": "accountLink"},
}
