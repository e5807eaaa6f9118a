"""How the documentation begins: what this is, what holds for all of it, and its chapters."""

from collections.abc import Mapping
from typing import Final

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
    "Payment sessions": "Orders of yours with amounts of your own, each paid at whichever account "
    "suits it best. The app is the token's `aud`, amounts are decimals, and a success is the bare "
    "object. Opening one needs the scope `billing:write`; giving back `refunds:write`.",
    "Routing": "How an account is chosen for a payment session, and what was chosen why. Needs "
    "`providers:read` and `providers:write`.",
    "Invoices": "What a tenant was billed and has paid, once and again and again, in one list; and "
    "asking it to pay. They are records: numbered documents are not issued yet. For any tenant: "
    "scope `billing:read`, and `billing:write` to ask; a user acts for its own tenants.",
    "Subscriptions": "What a tenant pays again and again. Serve it while `accessUntil` lies "
    "ahead. For any tenant: scope `billing:read`, and `billing:write` for wishes; a user acts for "
    "its own tenants.",
    "Billing portal": "A page of ours on which a customer looks after its subscriptions: cancels, "
    "takes that back, pays what is open, replaces the payment method. A user opens its own "
    "tenants'; for any tenant: scope `billing:write`.",
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
