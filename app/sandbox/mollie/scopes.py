"""Permissions of access tokens: which there are, and which one a call asks for.

An API key has all of them but those of an organisation, which it knows nothing of.
"""

from typing import Final

from app.sandbox.words import words

SCOPES: Final = words(
    "payments.read payments.write refunds.read refunds.write customers.read customers.write "
    "mandates.read mandates.write subscriptions.read subscriptions.write profiles.read "
    "profiles.write invoices.read settlements.read orders.read orders.write shipments.read "
    "shipments.write organizations.read organizations.write onboarding.read onboarding.write "
    "payment-links.read payment-links.write balances.read balance-transfers.read "
    "balance-transfers.write external-accounts.read external-accounts.write persons.read "
    "persons.write terminals.read terminals.write sales-invoices.read sales-invoices.write "
    "sessions.read sessions.write webhooks.read webhooks.write events.read clients.read "
    "clients.write"
)
_PAYMENTS: Final = words(
    "listPayments getPayment listCustomerPayments listSubscriptionPayments listChargebacks "
    "getChargeback listAllChargebacks listMethods getMethod listCaptures getCapture "
    "listRoutes getRoute"
)
_MORE: Final = {
    "payments.write": "createPayment updatePayment cancelPayment createCapture "
    "releaseAuthorization",
    "refunds.read": "listRefunds getRefund listAllRefunds",
    "refunds.write": "createRefund cancelRefund",
    "customers.read": "listCustomers getCustomer",
    "customers.write": "createCustomer updateCustomer deleteCustomer",
    "mandates.read": "listMandates getMandate",
    "mandates.write": "createMandate revokeMandate",
    "subscriptions.read": "listSubscriptions getSubscription listAllSubscriptions",
    "subscriptions.write": "createSubscription updateSubscription cancelSubscription",
    "sessions.read": "getSession",
    "sessions.write": "createSession",
    "profiles.read": "listProfiles getProfile",
    "organizations.read": "getOrganization",
    "onboarding.read": "getOnboarding",
    "clients.write": "createClientLink",
}
NEEDED: Final = {
    **dict.fromkeys(_PAYMENTS, "payments.read"),
    **{name: scope for scope, names in _MORE.items() for name in names.split()},
}
# An organisation's own things: an API key belongs to one profile and gets none of them.
ONLY_TOKENS: Final = words("listProfiles getOrganization getOnboarding createClientLink")

# Where a token has to say, or may say, which profile it means; and where no mode can be said.
PROFILE_NEEDED: Final = words(
    "createPayment createSession createSubscription releaseAuthorization listPayments listMethods"
)
PROFILE_POSSIBLE: Final = PROFILE_NEEDED | words(
    "listCustomerPayments listSubscriptionPayments listAllSubscriptions listAllRefunds "
    "listAllChargebacks getMethod"
)
WITHOUT_MODE: Final = words("listProfiles getOnboarding createClientLink")
