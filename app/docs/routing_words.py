"""Words for the fields of payment sessions and of routing."""

from typing import Final

_OUTCOMES: Final = {
    "good": "Those that went well",
    "all": "All that tell something; what is a day old counts half",
}
_OF_ACCOUNT: Final = {
    "provider": "Whose account it is",
    "health": "`closed`: it is asked. `open`: it has failed too often and is not. `half_open`: one "
    "request may find out. `probing`: one is doing so. `misconfigured`: its credential was refused",
    "created": "Payment pages that were given, of those asked for",
    "paid": "Payments that were paid, of those paid or failed by the provider's own fault",
}
_SESSION: Final = {
    "sessionId": "Its id",
    "checkoutUrl": "Where to send the shopper; null when there is nothing left to do",
    "status": "`PENDING`, `PROCESSING`, `SUCCEEDED`, `PARTIALLY_REFUNDED`, `REFUNDED`, `EXPIRED` "
    "or `FAILED`",
    "routing": "Where it was led, and why",
    "tenantUuid": "The tenant that pays",
    "orderReference": "Your number for the order",
    "amount": "What is paid",
    "refunded": "Given back so far",
    "checkoutSessionUuid": "The checkout session behind it; its events name this",
    "paymentUuid": "The payment that paid it; null before",
    "email": "The shopper's, as given",
    "phone": "The shopper's, as given",
    "shipping": "As given",
    "additionalInformation": "As given",
}

OWN_FIELDS: Final[dict[str, dict[str, str]]] = {
    "PaymentSessionBody": {
        "expiresInSeconds": "How long the shopper may take",
        "shipping": "How it is sent",
    },
    "AmountBody": {
        "total": "What is paid: items, shipping and tax",
        "shipping": "Without tax",
        "tax": "On everything; 0 where prices are told with their tax",
    },
    "SessionAmount": {
        "total": "What is paid",
        "shipping": "As much of it as is shipping",
        "tax": "As much of it as is tax",
    },
    "OpenedPaymentSession": _SESSION,
    "PaymentSession": _SESSION,
    "CustomerBody": {
        "billingAddress": "Where the payer lives",
        "shippingAddress": "Where it is sent to",
    },
    "RoutingChoice": {
        "selectedProvider": "Whose page `checkoutUrl` is",
        "strategy": "What the choice followed from: `pinned`, `rule`, `split`, `single`, `probe`, "
        "`exploration`, `score` or `fallback`",
        "decisionId": "The routing decision, which explains it",
    },
    "SessionRefundBody": {"amount": "In whole units of the session's currency; all that is left"},
    "SessionRefund": {
        "refundId": "The refund's id, also at `/refunds`",
        "sessionId": "The payment session",
        "amount": "In whole units of the currency",
        "reason": "Your own words",
    },
    "RoutingPolicy": {
        "version": "Counts the policies of the app; 0: it has said nothing",
        "pinnedPaymentProviderUuid": "The account for everything; null: none",
        "rules": "The first that matches decides",
        "defaultOrder": "Who takes part where no rule says it; empty: the default accounts",
        "weights": "Of the score's parts, in thousandths",
        "fees": "What accounts take",
        "explorationPermille": "How many of a thousand choices go to any healthy account",
        "createdAt": "When it was said; null while nothing has been",
    },
    "Rule": {
        "name": "For the record",
        "currencies": "Those it is for; empty: all",
        "paymentMethods": "Those it is for; empty: all",
        "countries": "Of the billing address; empty: all",
        "amountFrom": "In minor units, included; null: none is too small",
        "amountTo": "In minor units, included; null: none is too large",
        "accounts": "In order",
        "split": "Shares by chance",
    },
    "RuleBody": {"amountFrom": "In minor units, included", "amountTo": "In minor units, included"},
    "FeeBody": {"paymentProviderUuid": "The account"},
    "Fee": {
        "fixed": "In minor units",
        "basisPoints": "Hundredths of a per cent of the amount",
    },
    "Share": {"percent": "Of the payments"},
    "Weights": {
        "reliability": "How often it works",
        "cost": "What it takes",
        "latency": "How soon it answers",
    },
    "RoutingDecision": {
        "sessionId": "The payment session",
        "strategy": "What the choice followed from",
        "rule": "The rule's name; null: none decided",
        "draw": "The number, below ten thousand, that chance gave; null: it had no say",
        "policyVersion": "Of the policy that ruled",
        "amount": "In minor units",
        "country": "Of the billing address",
        "order": "The eligible accounts, the selected first: where a failure leads next",
        "candidates": "Every account in use",
        "tries": "What came of it, in order",
        "createdAt": "When it was decided",
    },
    "Candidate": {
        **_OF_ACCOUNT,
        "eligible": "Whether it could be selected",
        "reasons": "Why not",
        "score": "What it came to; null where nothing was compared",
    },
    "Score": {
        **_OF_ACCOUNT,
        "score": "From 0 to 100: the weighed parts, halved for an account that is half open",
        "reliability": "The lower end of what the rates may be, from 0 to 1",
        "cost": "From 0 (6 % of the amount or more) to 1 (nothing); null: known of no account",
        "latency": "From 0 (5 s or more) to 1 (half a second or less); null: known of no account",
        "imputed": "What is not known of it, and counts as the worst that is known",
    },
    "Outcomes": _OUTCOMES,
    "SessionTry": {
        "state": "`live`, or `abandoned`: given up before anybody knew where to pay",
        "isProbe": "Whether it found out if the account answers again",
        "failure": "Why it was given up; null: it was not",
        "number": "Counts the tries, from 1",
    },
    "AccountHealth": {
        **_OF_ACCOUNT,
        "openUntil": "Until when it is not asked; null unless `open`",
        "p95Ms": "How long nineteen of twenty answered calls took at most; null: none was answered",
    },
}
