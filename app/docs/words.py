"""Words of the documentation that code cannot say: what a tag, a parameter and a field are for.

A field's own description, beside its type, always goes first. This is for those without one.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

TITLE: Final = "Kontor API"

INTRODUCTION: Final = """\
The billing module of a SaaS app: checkout, payments, subscriptions, and the catalog they sell from.

**Apps and tenants.** An app is a product that bills through Kontor; everything belongs to one app.\
 A tenant is an organisation that pays it. What is not the caller's is answered with 404.

**Answers.** Every success is an envelope: `kind`, `totalItems` (all matches), `itemsLength` and \
`items`, for a single object too. Every error is `{"errors": [...]}`, and lists all mistakes of a \
body at once. `X-Request-Id` names the request; send one of your own and it is kept.

**Money** is an integer of minor units next to its `currency`: 999 EUR are 9.99 €. **Time** is ISO \
8601 in UTC, with milliseconds.

**Repeating.** A POST with an `Idempotency-Key` is done once: the same request again is answered \
with the first answer, marked `Idempotent-Replayed: true`. While the first is still running the \
answer is 409; with another body it is 422. Keys are kept for 30 days.\
"""

TAGS: Final[Mapping[str, str]] = {
    "Checkout": "One try to buy, or to store a payment method. The shopper pays on the payment "
    "provider's page. A user bills its own tenants; for any tenant: scope `billing:write`.",
    "Payments": "What a tenant has paid, what went back, and what it may be charged with. Scope "
    "`billing:read` for any tenant, `refunds:write` to give money back.",
    "Subscriptions": "What a tenant pays again and again. Serve it while `accessUntil` lies "
    "ahead. For any tenant: scope `billing:read`, and `billing:write` for wishes; a user acts for "
    "its own tenants.",
    "Billing policy": "How the app bills: its time zone, and what becomes of debts. Scope "
    "`billing:read`; changes need `billing:write`.",
    "Test clocks": "A time of their own for tenants that pay at test accounts: a year of a monthly "
    "plan passes in seconds. Scope `billing:read`; changes need `billing:write`.",
    "Ledger": "The books: every money fact with double entry, never changed afterwards. Scope "
    "`billing:read`; with `tenantUuid` also for those who act for that tenant.",
    "Products": "What is sold. Everybody in the app may read; changes need `catalog:write`.",
    "Prices": "What a product costs: once, or per interval. Amounts are final; to change one, "
    "archive the price and add another. Changes need `catalog:write`.",
    "Tax rates": "Percentages, on top of a price or within it. Changes need `catalog:write`.",
    "Tenants": "The organisations that pay, and the users who act for them. Changes need "
    "`tenants:write`, or the role `admin` for a tenant's members.",
    "Payment providers": "The app's accounts at payment providers, test or live. Needs "
    "`providers:read` and `providers:write`.",
    "Events": "What happened in the app, in order, to be asked for at any time. Needs "
    "`webhooks:read`.",
    "Webhook endpoints": "Addresses of yours that events are sent to, signed as Standard Webhooks "
    "says, in order for each aggregate, and again until they arrive. Needs `webhooks:read` and "
    "`webhooks:write`.",
    "Webhooks": "What payment providers call. Nothing that is sent here is believed: the payment "
    "is read from the provider.",
    "Health": "For whoever runs Kontor.",
    "Documentation": "What you are reading, for people and for programs.",
}
"""In the order in which they are read."""

SUMMARIES: Final[Mapping[str, str]] = {
    "listOneTimePayments": "List one-time payments",
    "listSubscriptions": "List a tenant's subscriptions",
    "listAppSubscriptions": "List subscriptions",
    "openPaymentLink": "Open a link to pay and replace",
    "livez": "Is it alive",
    "readyz": "Is it ready",
    "metrics": "Metrics",
    "quoteSubscriptionChange": "Quote a change",
    "changeSubscription": "Make a quoted change",
    "cancelScheduledSubscriptionChange": "Take back a scheduled change",
    "listLedgerBalances": "List the accounts' balances",
    "listEvents": "Read the feed of events",
    "rollWebhookSecret": "Roll the secret",
    "testWebhookEndpoint": "Send a test",
    "replayEvents": "Send events again",
    "readDocs": "This documentation",
    "readOpenapi": "The OpenAPI document",
}
"""Where the operation's id makes no good title."""

PATH_PARAMETERS: Final[Mapping[str, str]] = {
    "appUuid": "The app: also the `aud` of its tokens, and the `x-client-id` of its API keys",
    "tenantUuid": "The tenant",
    "userUuid": "The user: the `sub` of its tokens",
    "sessionUuid": "The checkout session",
    "provider": "Which payment provider to pay through",
}
"""By public name; one that is not here is called after the path before it."""

PATH_TYPES: Final[Mapping[str, Any]] = {"provider": Literal["mollie", "komoju"]}
"""Parameters that are plain text to the router, and one of a few words to the handler."""

_COLLECTS: Final = "Reserved for the page that collects it; returned as given"

FIELDS: Final[Mapping[str, str]] = {
    "uuid": "Its id",
    "id": "A number, unique within the app",
    "appUuid": "The app",
    "tenantUuid": "The tenant",
    "userUuid": "The user who acted; null when it was an API key",
    "productUuid": "The product",
    "productPriceUuid": "The price",
    "taxRateUuid": "The tax rate that applies; null: none",
    "countryUuid": "The country, from the list of countries",
    "paymentProviderUuid": "The account at the payment provider",
    "checkoutSessionUuid": "The checkout session it came from",
    "paymentUuid": "The payment that paid for it",
    "createdAt": "When it was made",
    "updatedAt": "When it was last changed",
    "archivedAt": "When it was archived; null while it is in use",
    "deletedAt": "When it was deleted; null while it is in use",
    "expiresAt": "When it ends by itself",
    "paidAt": "When it was paid; null before",
    "kind": "What is in `items`",
    "totalItems": "How many there are in all",
    "itemsLength": "How many of them are in this answer",
    "items": "The objects themselves",
    "metadata": "Yours, returned as given",
    "name": "Its name",
    "title": "A name for your own eyes",
    "description": "In a few words",
    "url": "An absolute http or https address",
    "currency": "ISO 4217, upper case",
    "quantity": "How many units",
    "units": "How many units were bought",
    "amount": "In minor units of the currency",
    "amountSubtotal": "Before tax, in minor units",
    "amountTax": "The tax, in minor units",
    "amountTotal": "What is paid, in minor units",
    "amountRefunded": "Given back, in minor units",
    "amountChargedBack": "Taken back by the shopper's bank, in minor units",
    "status": "Where it stands",
    "paymentStatus": "`unpaid`, `paid`, `refunded` or `no_payment_required`",
    "paymentMethod": "How the shopper pays: one of those that the provider takes",
    "method": "How it was paid, in the provider's word",
    "mode": "`test` or `live`",
    "sequenceType": "`oneoff`, `first` (leaves a mandate behind) or `recurring`",
    "failureReason": "Why it failed, in the provider's word; null when it did not",
    "declineReason": "Why the provider would not; null when it would",
    "refundId": "The provider's id of the refund",
    "chargebackId": "The provider's id of the chargeback",
    "receivedAt": "When the bank took the money",
    "isSurplus": "Money that bought nothing and is being given back",
    "sessionId": "The provider's id of the newest payment; null until the provider has answered",
    "paymentId": "The provider's id of the payment",
    "customerId": "The provider's id of the customer",
    "paymentMethodId": "The provider's id of the mandate",
    "details": "What a person recognises it by, such as the last four digits",
    "nextActionUrl": "Where to send the shopper now; null when there is nothing left to do",
    "retryUrl": "A link of ours to pay, or to try again, for as long as the session is open",
    "attempts": "Every try to pay, the oldest first",
    "collected": "What the shopper told us on our page; null until then",
    "contentSha256": "SHA-256 of what the terms said then, in hex; null: not readable",
    "isReverseCharged": "The buyer owes the tax itself, so none is in the amount",
    "billingAddress": "Who pays; null when it is not asked for",
    "shippingAddress": "Where it is sent to; null when it is not asked for",
    "givenName": "First name",
    "familyName": "Last name",
    "organizationName": "The company, if it is one",
    "line1": "Street and number",
    "line2": "What else the street needs to say",
    "postalCode": "As the country writes it; null where there is none",
    "city": "Town or city; null where the country's addresses have none",
    "taxId": "The buyer's tax id; null when there is none",
    "consent": "Evidence of the shopper's consent to your terms; null when it is not asked for",
    "consentedAt": "When the shopper agreed",
    "ip": "Where the shopper agreed from",
    "collectedAt": "When the shopper told us",
    "createdCheckoutSession": "The session itself",
    "nextAction": "What to do next",
    "successUrl": "Where the shopper goes after paying",
    "cancelUrl": "Where the shopper goes after giving up",
    "termsOfServiceUrl": "Your terms; needed to collect consent to them",
    "collectTermsOfServiceConsent": _COLLECTS,
    "billingAddressCollection": _COLLECTS,
    "shippingAddressCollection": _COLLECTS,
    "isTaxIdCollectionEnabled": _COLLECTS,
    "isTaxIdCollectionRequired": "As before, and not to be left empty",
    "clientReferenceId": "Your own id for it, returned as given",
    "locale": "The language of the provider's page",
    "expiresInSeconds": "How long the session stays open",
    "recurring": "Whether it is paid again and again",
    "recurringInterval": "How long an interval is; null for a price that is paid once",
    "recurringIntervalCount": "Every how many intervals",
    "trialDays": "Days without charge at the start",
    "nickname": "A name for your own eyes",
    "lookupKey": "Finds the price without its uuid",
    "productId": "Your own id for the product",
    "productPriceId": "Your own id for the price",
    "taxRateId": "Your own id for the tax rate",
    "shippable": "Whether it is sent in a parcel",
    "packageDimensionHeight": "A whole number in a unit of yours",
    "packageDimensionWidth": "A whole number in a unit of yours",
    "packageDimensionLength": "A whole number in a unit of yours",
    "packageDimensionWeight": "A whole number in a unit of yours",
    "prices": "Its prices, made in the same go; at most 50",
    "images": "Its images, in order; at most 20",
    "productImages": "Its images, in order",
    "productPrices": "Its active prices, the oldest first",
    "inclusive": "Whether prices already contain the tax",
    "state": "A part of the country: a state, a province, a county",
    "jurisdiction": "Who levies the tax",
    "country": "The country itself",
    "alpha2": "ISO 3166-1, two letters",
    "alpha3": "ISO 3166-1, three letters",
    "email": "Where billing matters go",
    "role": "`member`, or `admin`, who also manages the tenant's members",
    "credentialHint": "The last four characters of the credential",
    "isDefault": "Whether it is used when a price names no account",
    "hasWebhookSecret": "Whether there is a secret to believe its webhooks by",
    "verificationAmount": "What a `setup` session charges and gives back, in minor units; without "
    "meaning where storing a payment method charges nothing",
    "connected": "Whether new payments go through it",
    "currentPeriodNumber": "Counts the periods, from 1",
    "currentPeriodStart": "When the current period began",
    "currentPeriodEnd": "When it ends, and the next begins",
    "subscriptionUuid": "The subscription",
    "billUuid": "The bill that it is about",
    "periodNumber": "Which period it is for, counted from 1; null for a change",
    "balanceApplied": "As much of it as the tenant's credit pays, in minor units",
    "amountOpen": "Still to be paid, in minor units",
    "lines": "What it is made of; credits are negative",
    "amountDue": "To be charged, in minor units",
    "credit": "What the tenant gets as credit, in minor units, when the change makes it cheaper",
    "takesEffectAt": "When it is so, in the time that the tenant lives in",
    "startsNewPeriod": "Whether a new period begins; false: the one that is running goes on",
    "issuedAt": "Since when it is owed",
    "closedAt": "When nothing of it was open any more",
    "startsAt": "When it begins",
    "endsAt": "When it ends",
    "accessUntil": "Serve the tenant while this lies ahead; null: do not",
    "paidThrough": "As far as it is paid for; null: nothing is paid yet",
    "trialEndsAt": "When its trial ends; null: it had none",
    "cancelAt": "When it is to end; null: not at all, as far as anybody knows",
    "cancelReason": "The word that was given with it",
    "canceledAt": "When it has ended",
    "pausedAt": "When its pause began; null: it is not paused",
    "pauseReason": "`requested`, `unpaid` or `chargeback`",
    "resumesAt": "When its pause ends by itself; null: it does not",
    "scheduledChange": "What changes when the next period begins; null: nothing",
    "paymentMethodUuid": "The payment method that it is charged on; null: the tenant's default, or "
    "else its newest valid one",
    "testClockUuid": "The test clock that it lives by; null: the real time",
    "oldStatus": "Where it stood before; null: it has just begun",
    "newStatus": "Where it stands since",
    "timeZone": "Days and months are counted on its calendar",
    "retryDays": "When a failed charge is tried again, in days after the first failure",
    "graceDays": "How many days access goes on after an unpaid period began",
    "finalAction": "When the last retry has failed and grace is over: `cancel`, `pause`, or "
    "`keep`, which writes the debt off and goes on",
    "missedPeriods": "What becomes of periods that were over before they were billed: `bill` or "
    "`skip`",
    "chargebackAction": "When a bank takes a payment back: `suspend` the subscription, `recollect` "
    "the money, or `write_off` what is lost",
    "minimumCharge": "What is owed below this, in minor units, waits for the next bill",
    "entries": "The accounts that it moves; together they are zero",
    "accounts": "Every account; together they are zero",
    "account": "Which account",
    "facts": "Ids of what it is about, by name",
    "sourceUuid": "The row that the fact is about, such as the bill, the payment, the refund",
    "happenedAt": "When it happened, in the time that the tenant lives in",
    "recordedAt": "When it was written down",
    "eventTypes": "What is sent; empty: everything",
    "eventType": "What happened",
    "eventUuid": "The event: its `id` in the feed and in webhooks",
    "aggregateUuid": "What it happened to; its events arrive in their order",
    "sequence": "Counts the events of this aggregate, from 1",
    "disabledReason": "`by_hand`, `failing` (five days without a success), `gone` (it answered "
    "410) or `deleted`; null while it is enabled",
    "failingSince": "The first failure since something last arrived; null when all is well",
    "secret": "What its events are signed with. Told when it is made, and null ever after",
    "previousSecretExpiresAt": "Until when the secret of before signs as well",
    "webhookEndpointUuid": "The webhook endpoint",
    "isReplay": "Whether somebody asked to send it again",
    "tries": "How often it was tried",
    "nextTryAt": "When it is tried next; null when it is done, or waits for another to be done",
    "settledAt": "When it arrived, or was given up",
    "log": "Every try, the oldest first",
    "number": "Counts the tries, from 1; one that is missing was cut short",
    "triedAt": "When it was sent",
    "durationMs": "How long the receiver took, in milliseconds",
    "httpStatus": "What the receiver answered; null when it did not",
    "error": "Why there was no answer; null when there was one",
    "responseExcerpt": "The beginning of what the receiver said",
    "deliveries": "How many are sent",
    "type": "What happened, as `<noun>.<what>`",
    "version": "Of the payload; it grows when a fact is renamed, retyped or dropped",
    "received": "Always true: it is stored",
    "ignored": "True when it is about nothing that we know",
    "checks": "What was looked at, and how it is",
    "errors": "What went wrong; all mistakes of a body at once",
    "validation": "Always `error`",
    "code": "A permanent code for the kind of error",
    "message": "What happened, in words",
    "field": "The field to blame, if there is one",
}

_ACCOUNT_OR_DEFAULT: Final = {
    "paymentProviderUuid": "The account to charge through; null: the app's default"
}

OWN_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "CheckoutSession": {
        "mode": "`setup`, `payment` or `subscription`",
        "status": "`open`, `processing`, `complete`, `expired` or `failed`",
    },
    "Attempt": {
        "sessionId": "The provider's id of this payment; null until the provider has answered",
        "status": "As the provider tells it: `open`, `paid`, `failed`, `canceled`, `expired`, ...",
    },
    "Payment": {"status": "As the provider tells it: `open`, `paid`, `failed`, `canceled`, ..."},
    "PaymentMethod": {
        "status": "`pending`, `valid` or `invalid`",
        "isDefault": "Whether a subscription without a payment method of its own is charged on it",
    },
    "Refund": {
        "paymentUuid": "The payment that is given back",
        "reason": "`requested`, `dashboard` (made at the provider), `verification` or `surplus`",
        "status": "`requested`, `queued`, `pending`, `processing`, `refunded`, `failed`, "
        "`canceled` or `declined`",
        "description": "Your own words",
        "scheduledAt": "When it is sent to the provider; null once that has begun",
    },
    "Chargeback": {
        "paymentUuid": "The payment that was taken back",
        "reason": "The bank's code, where it gives one",
        "reversedAt": "When the bank gave the money to us again; null while it has not",
    },
    "CreateProviderBody": {
        "name": "Whose account it is",
        "mode": "`test` or `live`; may be left out where the key tells it by itself",
    },
    "Provider": {"name": "Whose account it is", "title": "Its name, for your own eyes"},
    "NextAction": {"url": "Where to send the shopper; null when there is nothing left to do"},
    "WebhookEndpoint": {"status": "`enabled` or `disabled`"},
    "UpdateEndpointBody": {"status": "Enabling it again forgets what it failed before"},
    "Delivery": {"status": "`pending`, `delivered` or `failed`"},
    "DeliveryLog": {"status": "`pending`, `delivered` or `failed`"},
    "EventType": {"facts": "What is in `data`; more may be added"},
    "ReplayBody": {"eventUuid": "This one, whatever the filter says; goes without a period"},
    "Subscription": {
        "status": "`incomplete`, `trialing`, `active`, `collecting`, `past_due`, `paused`, "
        "`canceled` or `expired`"
    },
    "TestClock": {
        "name": "For your own eyes",
        "status": "`ready`, or `advancing` while what is due on the way is done",
        "now": "What it shows",
        "advancingTo": "What it will show in the end; null while it is ready",
        "failure": "What it waits for; it goes on by itself. Null when all is well",
    },
    "Bill": {
        "kind": "`period`, or `change`: of a change that takes effect when it is paid",
        "status": "`open`, `paid`, `void` (owed no more) or `uncollectible` (given up)",
        "paymentUuid": "The payment that settled it; null: none, or credit alone",
    },
    "Period": {
        "number": "Counted from 1; a trial is 0",
        "kind": "`billed`, `trial`, or `skipped`: long past when its time came to be billed",
        "billUuid": "Its bill; null for what is not billed",
        "paymentUuid": "The payment that settled its bill",
    },
    "History": {
        "reason": "Why: a wish's own word, or what happened",
        "at": "When, in the time that the tenant lives in",
    },
    "ChangeQuote": {
        "uuid": "Its id; if something is billed, the bill's as well",
        "mode": "`now_prorated`, `now_full`, `next_period` or `no_bill`",
        "amountTotal": "To be billed, with its tax, in minor units",
        "lines": "What it is made of, to the second; credits are negative. None: nothing is billed",
        "expiresAt": "Until when it can be accepted",
    },
    "Change": {
        "uuid": "The quote's; if something is billed, the bill's as well",
        "outcome": "`applied`, `scheduled`, `collecting` (it takes effect when its charge is "
        "paid) or `failed` (it was not: everything is as it was)",
        "subscription": "As it is now",
    },
    "Received": {"status": "The payment's status, while it has not succeeded"},
    "Health": {"status": "`ok`, or `failed` when one of the checks is"},
    "Member": {"userUuid": "The user: the `sub` of its tokens"},
    "LedgerEntry": {"amount": "In minor units of the currency; a debit is positive"},
    "Posting": {"kind": "What kind of fact it is"},
    "Price": _ACCOUNT_OR_DEFAULT,
    "CreatePriceBody": _ACCOUNT_OR_DEFAULT,
    "UpdatePriceBody": _ACCOUNT_OR_DEFAULT,
    "TaxRate": {"paymentProviderUuid": "The account it belongs to; null: any"},
    "CreateTaxRateBody": {"paymentProviderUuid": "The account it belongs to; null: any"},
    "UpdateTaxRateBody": {"paymentProviderUuid": "The account it belongs to; null: any"},
}
"""What a field means only where it stands; goes before FIELDS."""
