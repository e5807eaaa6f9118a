"""The table of /v2: which call is which operation. Ids stand at every second place of a path."""

from collections.abc import Callable
from typing import Final

from app.sandbox.mollie.calls import Answer, Call
from app.sandbox.mollie.captures import (
    create_capture,
    get_capture,
    list_captures,
    release_authorization,
)
from app.sandbox.mollie.customers import (
    create_customer,
    delete_customer,
    get_customer,
    list_customers,
    update_customer,
)
from app.sandbox.mollie.mandates import (
    create_mandate,
    get_mandate,
    list_mandates,
    revoke_mandate,
)
from app.sandbox.mollie.methods import get_method, list_methods
from app.sandbox.mollie.organizations import (
    create_client_link,
    get_onboarding,
    get_organization,
    list_profiles,
)
from app.sandbox.mollie.payments import (
    cancel_payment,
    create_customer_payment,
    create_payment,
    get_payment,
    get_route,
    list_customer_payments,
    list_payments,
    list_routes,
    list_subscription_payments,
    update_payment,
)
from app.sandbox.mollie.profiles import get_profile
from app.sandbox.mollie.refunds import (
    cancel_refund,
    create_refund,
    get_chargeback,
    get_refund,
    list_chargebacks,
    list_refunds,
)
from app.sandbox.mollie.sessions import create_session, get_session
from app.sandbox.mollie.subscriptions import (
    cancel_subscription,
    create_subscription,
    get_subscription,
    list_subscriptions,
    update_subscription,
)

Endpoint = Callable[[Call], Answer]
_MANDATES: Final = "customers/*/mandates"
_SUBSCRIPTIONS: Final = "customers/*/subscriptions"

ROUTES: Final[dict[tuple[str, str], tuple[str, Endpoint]]] = {
    ("POST", "payments"): ("createPayment", create_payment),
    ("GET", "payments"): ("listPayments", list_payments),
    ("GET", "payments/*"): ("getPayment", get_payment),
    ("PATCH", "payments/*"): ("updatePayment", update_payment),
    ("DELETE", "payments/*"): ("cancelPayment", cancel_payment),
    ("POST", "payments/*/refunds"): ("createRefund", create_refund),
    ("GET", "payments/*/refunds"): ("listRefunds", list_refunds),
    ("GET", "payments/*/refunds/*"): ("getRefund", get_refund),
    ("DELETE", "payments/*/refunds/*"): ("cancelRefund", cancel_refund),
    ("GET", "payments/*/chargebacks"): ("listChargebacks", list_chargebacks),
    ("GET", "payments/*/chargebacks/*"): ("getChargeback", get_chargeback),
    ("POST", "payments/*/captures"): ("createCapture", create_capture),
    ("GET", "payments/*/captures"): ("listCaptures", list_captures),
    ("GET", "payments/*/captures/*"): ("getCapture", get_capture),
    ("POST", "payments/*/release-authorization"): (
        "releaseAuthorization",
        release_authorization,
    ),
    ("GET", "payments/*/routes"): ("listRoutes", list_routes),
    ("GET", "payments/*/routes/*"): ("getRoute", get_route),
    ("POST", "sessions"): ("createSession", create_session),
    ("GET", "sessions/*"): ("getSession", get_session),
    ("GET", "refunds"): ("listAllRefunds", list_refunds),
    ("GET", "chargebacks"): ("listAllChargebacks", list_chargebacks),
    ("POST", "customers"): ("createCustomer", create_customer),
    ("GET", "customers"): ("listCustomers", list_customers),
    ("GET", "customers/*"): ("getCustomer", get_customer),
    ("PATCH", "customers/*"): ("updateCustomer", update_customer),
    ("DELETE", "customers/*"): ("deleteCustomer", delete_customer),
    ("POST", "customers/*/payments"): ("createPayment", create_customer_payment),
    ("GET", "customers/*/payments"): ("listCustomerPayments", list_customer_payments),
    ("POST", _MANDATES): ("createMandate", create_mandate),
    ("GET", _MANDATES): ("listMandates", list_mandates),
    ("GET", f"{_MANDATES}/*"): ("getMandate", get_mandate),
    ("DELETE", f"{_MANDATES}/*"): ("revokeMandate", revoke_mandate),
    ("POST", _SUBSCRIPTIONS): ("createSubscription", create_subscription),
    ("GET", _SUBSCRIPTIONS): ("listSubscriptions", list_subscriptions),
    ("GET", f"{_SUBSCRIPTIONS}/*"): ("getSubscription", get_subscription),
    ("PATCH", f"{_SUBSCRIPTIONS}/*"): ("updateSubscription", update_subscription),
    ("DELETE", f"{_SUBSCRIPTIONS}/*"): ("cancelSubscription", cancel_subscription),
    ("GET", f"{_SUBSCRIPTIONS}/*/payments"): (
        "listSubscriptionPayments",
        list_subscription_payments,
    ),
    ("GET", "subscriptions"): ("listAllSubscriptions", list_subscriptions),
    ("GET", "methods"): ("listMethods", list_methods),
    ("GET", "methods/*"): ("getMethod", get_method),
    ("GET", "profiles"): ("listProfiles", list_profiles),
    ("GET", "organizations/*"): ("getOrganization", get_organization),
    ("GET", "onboarding/*"): ("getOnboarding", get_onboarding),
    ("POST", "client-links"): ("createClientLink", create_client_link),
    ("GET", "profiles/*"): ("getProfile", get_profile),
}
# The token endpoint is no part of /v2, but can fail like the rest.
OUTSIDE: Final = frozenset({"createTokens", "revokeTokens"})
OPERATIONS: Final = OUTSIDE | {"any", *(name for name, _ in ROUTES.values())}
_SHAPES: Final = frozenset(shape for _, shape in ROUTES)


def shape_of(path: str) -> tuple[str, tuple[str, ...]]:
    """`payments/tr_1/refunds` -> `payments/*/refunds` and its ids."""
    parts = path.split("/")
    shape = "/".join("*" if place % 2 else part for place, part in enumerate(parts))
    return shape, tuple(parts[1::2])


def is_known(shape: str) -> bool:
    return shape in _SHAPES
