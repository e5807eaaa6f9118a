"""Who may do what: every route with every scope, every role in a tenant, and both kinds of key.

Each line of MATRIX says who gets through; everybody else gets the refusal beside it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pytest
from litestar import Litestar

from domain.tenancy.caller import Scope
from tests.http.examples import EXAMPLES, GUARDED, routes
from tests.http.house import IDS, Headers, House, add_clock, code
from tests.http.merchant import ACCOUNTS
from tests.http.subscribed import owe, quote_a_change, revive, subscribe
from tests.http.till import Till

pytestmark = pytest.mark.usefixtures("paid")

HIDDEN: Final = "404 [E4040]"
FORBIDDEN: Final = "403 [E4031]"
NO_KEY: Final = "401 [E4010]"
WRONG_TYPE: Final = "401 [E4011]"
USERS: Final = frozenset({"owner", "member", "neighbour", "guest"})
TENANTS_OWN: Final = frozenset({"owner", "member"})
KEYS: Final = frozenset({"read key", "write key"})


@dataclass(frozen=True)
class Rule:
    """`scopes` and `users` get through; other bearers get `refusal`."""

    scopes: frozenset[str]
    refusal: str = FORBIDDEN
    users: frozenset[str] = frozenset()
    key: str | None = None
    """The type that gets through; the other one is told that it is the wrong one."""
    forbidden: frozenset[str] = frozenset()
    """Who is told that the thing is there, and not theirs to change."""

    def expected(self, who: str) -> str:
        if who in KEYS:
            if self.key is None:
                return NO_KEY
            return "ok" if who.startswith(self.key) else WRONG_TYPE
        if who in self.scopes or who in self.users:
            return "ok"
        return FORBIDDEN if who in self.forbidden else self.refusal


EVERYBODY: Final = Rule(frozenset(Scope), users=USERS, key="read")


def read(area: str) -> frozenset[str]:
    return frozenset({f"{area}:read", f"{area}:write"})


def write(area: str) -> frozenset[str]:
    return frozenset({f"{area}:write"})


CATALOG: Final = Rule(write("catalog"), key="write")
BILLING: Final = Rule(read("billing"), HIDDEN, TENANTS_OWN, "read")
MONEY_BACK: Final = Rule(read("billing") | read("refunds"), HIDDEN, TENANTS_OWN, "read")
METHODS: Final = Rule(write("billing"), HIDDEN, TENANTS_OWN, "write", frozenset({"billing:read"}))
WEBHOOKS: Final = Rule(read("webhooks"), key="read")
WEBHOOKS_WRITE: Final = Rule(write("webhooks"), key="write")
MEMBERS: Final = Rule(
    write("tenants"),
    HIDDEN,
    frozenset({"owner"}),
    "write",
    frozenset({"member", "tenants:read"}),
)

SUBSCRIPTION: Final = Rule(
    write("billing"), HIDDEN, TENANTS_OWN, "write", frozenset({"billing:read"})
)

MATRIX: Final[Mapping[str, Rule]] = {
    "openCheckoutSession": Rule(
        write("billing"), HIDDEN, TENANTS_OWN, forbidden=frozenset({"billing:read"})
    ),
    "openBillingPortal": Rule(
        write("billing"), HIDDEN, TENANTS_OWN, forbidden=frozenset({"billing:read"})
    ),
    "openTenantBillingPortal": Rule(
        write("billing"), HIDDEN, TENANTS_OWN, key="write", forbidden=frozenset({"billing:read"})
    ),
    "openTenantCheckoutSession": Rule(frozenset(), NO_KEY, key="write"),
    "listCheckoutSessions": EVERYBODY,
    "getCheckoutSession": BILLING,
    "expireCheckoutSession": Rule(
        write("billing"), HIDDEN, TENANTS_OWN, "write", frozenset({"billing:read"})
    ),
    "listProducts": EVERYBODY,
    "createProduct": CATALOG,
    "getProduct": EVERYBODY,
    "updateProduct": CATALOG,
    "archiveProduct": CATALOG,
    "listPrices": EVERYBODY,
    "createPrice": CATALOG,
    "getPrice": EVERYBODY,
    "updatePrice": CATALOG,
    "archivePrice": CATALOG,
    "listTaxRates": EVERYBODY,
    "createTaxRate": CATALOG,
    "getTaxRate": EVERYBODY,
    "updateTaxRate": CATALOG,
    "archiveTaxRate": CATALOG,
    "listCountries": EVERYBODY,
    "listTenants": EVERYBODY,
    "createTenant": Rule(write("tenants"), key="write"),
    "getTenant": Rule(read("tenants"), HIDDEN, TENANTS_OWN, "read"),
    "updateTenant": Rule(write("tenants"), key="write"),
    "putMember": MEMBERS,
    "removeMember": MEMBERS,
    "listPaymentProviders": Rule(read("providers"), key="read"),
    "createPaymentProvider": Rule(write("providers"), key="write"),
    "getPaymentProvider": Rule(read("providers"), key="read"),
    "updatePaymentProvider": Rule(write("providers"), key="write"),
    "deletePaymentProvider": Rule(write("providers"), key="write"),
    "getConnectedAccount": Rule(read("providers"), key="read"),
    "createConnectedAccount": Rule(write("providers"), key="write"),
    "connectAccount": Rule(write("providers"), key="write"),
    "disconnectAccount": Rule(write("providers"), key="write"),
    "listPayments": BILLING,
    "listOneTimePayments": BILLING,
    "listSubscriptions": BILLING,
    "startSubscription": SUBSCRIPTION,
    "listAppSubscriptions": EVERYBODY,
    "getSubscription": BILLING,
    "listSubscriptionPeriods": BILLING,
    "listSubscriptionBills": BILLING,
    "listSubscriptionHistory": BILLING,
    "cancelSubscription": SUBSCRIPTION,
    "uncancelSubscription": SUBSCRIPTION,
    "pauseSubscription": SUBSCRIPTION,
    "resumeSubscription": SUBSCRIPTION,
    "openPaymentLink": SUBSCRIPTION,
    "replacePaymentMethod": SUBSCRIPTION,
    "retrySubscription": SUBSCRIPTION,
    "quoteSubscriptionChange": SUBSCRIPTION,
    "changeSubscription": SUBSCRIPTION,
    "cancelScheduledSubscriptionChange": SUBSCRIPTION,
    "listPaymentMethods": BILLING,
    "makePaymentMethodDefault": METHODS,
    "revokePaymentMethod": METHODS,
    "revokePaymentMethods": METHODS,
    "listInvoices": BILLING,
    "createInvoice": METHODS,
    "getPayment": MONEY_BACK,
    "listRefunds": MONEY_BACK,
    "requestRefund": Rule(write("refunds"), key="write"),
    "listChargebacks": MONEY_BACK,
    "openCustomerPayment": Rule(
        write("billing"), HIDDEN, key="write", forbidden=TENANTS_OWN | {"billing:read"}
    ),
    "listCaptures": MONEY_BACK,
    "requestCapture": Rule(write("billing"), key="write"),
    "cancelPayment": Rule(write("billing"), key="write"),
    "getRefund": MONEY_BACK,
    "cancelRefund": Rule(write("refunds"), key="write"),
    "openPaymentSession": Rule(write("billing")),
    "getPaymentSession": Rule(read("billing"), HIDDEN, TENANTS_OWN),
    "refundPaymentSession": Rule(write("refunds")),
    "getRoutingPolicy": Rule(read("providers"), key="read"),
    "replaceRoutingPolicy": Rule(write("providers"), key="write"),
    "listRoutingDecisions": Rule(read("providers"), key="read"),
    "getRoutingDecision": Rule(read("providers"), key="read"),
    "getRoutingHealth": Rule(read("providers"), key="read"),
    "getBillingPolicy": Rule(read("billing"), key="read"),
    "updateBillingPolicy": Rule(write("billing"), key="write"),
    "listTestClocks": Rule(read("billing"), key="read"),
    "createTestClock": Rule(write("billing"), key="write"),
    "getTestClock": Rule(read("billing"), key="read"),
    "deleteTestClock": Rule(write("billing"), key="write"),
    "advanceTestClock": Rule(write("billing"), key="write"),
    "listPostings": Rule(read("billing"), key="read"),
    "getPosting": BILLING,
    "listLedgerBalances": Rule(read("billing"), key="read"),
    "listEvents": WEBHOOKS,
    "getEvent": WEBHOOKS,
    "listWebhookEndpoints": WEBHOOKS,
    "createWebhookEndpoint": WEBHOOKS_WRITE,
    "getWebhookEndpoint": WEBHOOKS,
    "updateWebhookEndpoint": WEBHOOKS_WRITE,
    "deleteWebhookEndpoint": WEBHOOKS_WRITE,
    "rollWebhookSecret": WEBHOOKS_WRITE,
    "testWebhookEndpoint": WEBHOOKS_WRITE,
    "replayEvents": WEBHOOKS_WRITE,
    "listDeliveries": WEBHOOKS,
    "getDelivery": WEBHOOKS,
}


def test_every_guarded_route_says_who_may_use_it():
    assert set(MATRIX) == set(GUARDED)


def callers(house: House) -> Iterator[tuple[str, Headers]]:
    """Those who are refused come first: nothing of theirs is in the others' way."""
    for user in ("guest", "neighbour"):
        yield user, house.app.user(user)
    for scope in sorted(Scope):
        house.app.ids["guest"] = str(IDS.new())  # a double click is answered before it is judged
        yield scope.value, house.app.user("guest", scope.value)
    for key_type in ("read", "write"):
        yield f"{key_type} key", house.app.key(key_type)
    for user in ("member", "owner"):
        yield user, house.app.user(user)


@pytest.mark.parametrize("operation", sorted(MATRIX))
async def test_who_may_do_what(house: House, till: Till, application: Litestar, operation: str):
    route = next(r for r in routes(application) if r.operation_id == operation)
    example = EXAMPLES[operation]
    heard: dict[str, str] = {}
    for who, credential in callers(house):
        if "session_uuid" in example.names:
            house.app.ids["session"] = (await house.bought(quantity=len(heard) + 1))["uuid"]
        if "subscription" in example.names.values():
            house.app.ids["subscription"] = await subscribe(house.database, house.app)
        if "test_clock" in example.names.values():
            async with house.database.begin(house.app.app_uuid) as tx:
                await add_clock(tx, house.app)
        if operation == "changeSubscription":
            house.app.ids["quote"] = await quote_a_change(house, house.app)
        if operation == "startSubscription":
            await revive(house)
        if operation in ("connectAccount", "disconnectAccount"):
            await house.ok(house.app.admin, "POST", ACCOUNTS)
        if operation in ("requestCapture", "cancelPayment"):
            house.app.ids["payment"] = (await till.held(description=who))["uuid"]
        if "owing" in example.names.values():
            house.app.ids["owing"] = await owe(house)
        if operation == "removeMember":
            await house.ok(house.app.admin, "PUT", seat_of(house), {"role": "member"})
        before = await house.rows()
        body = {} if example.body is None else {"json": example.sent(house.app)}
        path = example.path(route, house.app)
        headers = {**credential, **example.headers}
        answer = await house.door.request(route.method, path, headers=headers, **body)
        if answer.is_success:
            heard[who] = "ok"
        else:
            heard[who] = code(answer)
            assert await house.rows() == before, who
    expected = {who: MATRIX[operation].expected(who) for who in heard}
    for reader in MATRIX[operation].forbidden - USERS:
        assert heard.pop(reader) in (expected.pop(reader), HIDDEN)  # the next test says which
    assert heard == expected


@pytest.mark.parametrize(
    ("reader", "method", "path", "body"),
    [
        ("billing:read", "POST", "/checkout-sessions/{session}/expire", ...),
        ("tenants:read", "PUT", "/tenants/{tenant}/members/{newcomer}", {"role": "admin"}),
        ("tenants:read", "DELETE", "/tenants/{tenant}/members/{newcomer}", ...),
    ],
)
async def test_who_may_see_a_thing_is_told_that_it_is_not_theirs_to_change(
    house: House, reader: str, method: str, path: str, body: object
):
    house.app.ids["session"] = (await house.bought())["uuid"]
    who = house.app.user("guest", reader)
    assert code(await house.ask(who, method, path.format(**house.app.ids), body)) == FORBIDDEN


def seat_of(house: House) -> str:
    return f"/tenants/{house.app.ids['tenant']}/members/{house.app.ids['newcomer']}"


async def test_a_write_scope_includes_the_read_scope_and_no_other(house: House):
    for path, scope in (("/payment-providers", "providers"), ("/tenants", "tenants")):
        for verb in ("read", "write"):
            found = await house.ask(house.app.user("guest", f"{scope}:{verb}"), "GET", path)
            assert found.json()["totalItems"] >= 1


async def test_a_scope_that_nobody_knows_gives_nothing(house: House):
    for odd in ("*", "*:write", "catalog", "CATALOG:WRITE", "catalog:write:x", "admin"):
        who = house.app.user("guest", odd)
        assert code(await house.ask(who, "POST", "/products", {"name": "x"})) == FORBIDDEN
