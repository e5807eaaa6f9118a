"""How a refusal looks, and that it names every mistake at once and leaves nothing behind."""

from typing import Any, Final

import pytest
from litestar import Litestar

from tests.http.examples import EXAMPLES, WITH_BODY, Route, routes
from tests.http.house import Headers, House, Json, code, problems

pytestmark = pytest.mark.usefixtures("subscribed")

MANY_MISTAKES: Final[dict[str, tuple[Json, set[str]]]] = {
    "openPaymentSession": (
        {
            "tenantUuid": "x",
            "orderReference": "",
            "paymentMethod": "cash",
            "currency": "eur",
            "amount": {"total": "much", "vat": 1},
            "customer": {"email": "x", "billingAddress": {"line1": "x"}},
            "orderItems": [{"name": "x"}],
            "redirectUrls": {"success": "ftp://shop.example"},
        },
        {
            "tenantUuid", "orderReference", "paymentMethod", "currency", "amount.total",
            "amount.vat", "customer.email", "customer.firstName", "customer.lastName",
            "customer.billingAddress.country", "orderItems[0].unitPrice", "redirectUrls.success",
            "redirectUrls.failure",
        },
    ),
    "refundPaymentSession": (
        {"amount": {}, "reason": "", "lineItems": 1},
        {"amount", "reason", "lineItems"},
    ),
    "replaceRoutingPolicy": (
        {
            "explorationPermille": 51,
            "weights": {"reliability": -1},
            "rules": [{"name": "", "amountFrom": -1, "countries": ["aus"]}],
            "fees": [{"currency": "EUR"}],
            "defaultOrder": ["x"],
        },
        {
            "explorationPermille", "weights.reliability", "rules[0].name", "rules[0].amountFrom",
            "rules[0].countries[0]", "fees[0].paymentProviderUuid", "defaultOrder[0]",
        },
    ),
    "openCheckoutSession": (
        {
            "tenantUuid": "x",
            "mode": "gift",
            "quantity": 0,
            "currency": "eur",
            "successUrl": "ftp://shop.example",
            "locale": "german",
            "metadata": [],
            "expiresInSeconds": 299,
            "paymentMethod": "cash",
            "clientReferenceId": "r" * 201,
            "billingAddressCollection": "yes",
            "amountTotal": 1,
        },
        {
            "tenantUuid", "mode", "quantity", "currency", "successUrl", "cancelUrl", "locale",
            "metadata", "expiresInSeconds", "paymentMethod", "clientReferenceId",
            "billingAddressCollection", "amountTotal",
        },
    ),
    "openTenantCheckoutSession": (
        {"mode": "setup", "productPriceUuid": "x", "tenantUuid": "x", "cancelUrl": "javascript:1"},
        {"productPriceUuid", "tenantUuid", "cancelUrl", "successUrl", "currency"},
    ),
    "openBillingPortal": (
        {"tenantUuid": "x", "defaultReturnUrl": "javascript:1", "locale": "de"},
        {"tenantUuid", "defaultReturnUrl", "locale"},
    ),
    "openTenantBillingPortal": (
        {"tenantUuid": "x", "defaultReturnUrl": 7},
        {"tenantUuid", "defaultReturnUrl"},
    ),
    "createProduct": (
        {
            "name": "",
            "url": "javascript:alert(1)",
            "packageDimensionHeight": -1,
            "prices": [{"unitAmount": -1}, {"unitAmount": 1, "currency": "XXX"}],
            "images": [{"url": "data:,x"}],
            "metadata": {"a": "x" * 1100},
            "uuid": "x",
            "archivedAt": None,
        },
        {
            "name", "url", "packageDimensionHeight", "prices[0].unitAmount", "prices[0].currency",
            "prices[1].currency", "images[0].url", "metadata", "uuid", "archivedAt",
        },
    ),
    "updateProduct": (
        {"name": None, "shippable": "no", "appUuid": "x", "prices": []},
        {"name", "shippable", "appUuid", "prices"},
    ),
    "createPrice": (
        {"unitAmount": 9.99, "recurring": True, "trialDays": -1, "id": 7},
        {"unitAmount", "currency", "recurringInterval", "trialDays", "id"},
    ),
    "updatePrice": (
        {"nickname": "", "trialDays": "7", "productUuid": "x"},
        {"nickname", "trialDays", "productUuid"},
    ),
    "createTaxRate": (
        {"name": "", "percentage": 8.12345, "inclusive": "yes", "country": "DE"},
        {"name", "percentage", "inclusive", "country", "countryUuid"},
    ),
    "updateTaxRate": (
        {"name": "", "percentage": 101, "state": ""},
        {"name", "percentage", "state"},
    ),
    "createTenant": (
        {"uuid": "x", "name": " ", "email": "nobody", "metadata": {"a": "x" * 1100}, "role": 1},
        {"uuid", "name", "email", "metadata", "role"},
    ),
    "updateTenant": (
        {"name": "a\nb", "email": "a b@c", "uuid": "x"},
        {"name", "email", "uuid"},
    ),
    "putMember": ({"role": "god", "userUuid": "x"}, {"role", "userUuid"}),
    "requestRefund": (
        {"amount": 0, "description": "a\nb", "reason": "x"},
        {"amount", "description", "reason"},
    ),
    "requestCapture": (
        {"amount": 0, "description": "a\nb", "reason": "x"},
        {"amount", "description", "reason"},
    ),
    "createInvoice": (
        {"type": "gift", "lineItems": [{"name": " ", "price": "x"}], "successUrl": 1, "paid": 1},
        {"type", "lineItems[0].name", "lineItems[0].price", "successUrl", "paid"},
    ),
    "openCustomerPayment": (
        {
            "description": "",
            "currency": "XXX",
            "amount": "10.00",
            "lines": [{"description": "x", "quantity": 0}],
            "billingAddress": {"email": "nobody", "street": 1},
            "captureMode": "later",
            "sequenceType": "twice",
            "mandateId": "tr_1",
            "dueDate": "soon",
            "testmode": True,
        },
        {
            "description", "currency", "amount", "lines[0].quantity", "lines[0].unitPrice",
            "lines[0].totalAmount", "billingAddress.email", "billingAddress.street", "captureMode",
            "sequenceType", "mandateId", "dueDate", "testmode", "redirectUrl",
        },
    ),
    "startSubscription": (
        {"productPriceUuid": "x", "quantity": 0, "trialDays": 731, "amountTotal": 1},
        {"productPriceUuid", "quantity", "trialDays", "amountTotal"},
    ),
    "cancelSubscription": (
        {"when": "tomorrow", "at": "2026-01-01T00:00:00", "reason": "No!", "canceledAt": 1},
        {"when", "at", "reason", "canceledAt"},
    ),
    "pauseSubscription": ({"resumesAt": "soon", "pausedAt": 1}, {"resumesAt", "pausedAt"}),
    "openPaymentLink": (
        {"successUrl": "ftp://shop.example", "locale": "german", "amountTotal": 1},
        {"successUrl", "cancelUrl", "locale", "amountTotal"},
    ),
    "quoteSubscriptionChange": (
        {"productPriceUuid": "x", "quantity": 0, "taxRateUuid": 1, "amountTotal": 1},
        {"mode", "productPriceUuid", "quantity", "taxRateUuid", "amountTotal"},
    ),
    "changeSubscription": ({"quote": "", "mode": "no_bill"}, {"quote", "mode"}),
    "createTestClock": (
        {"now": "2026-01-01T00:00:00", "name": "a\nb", "status": "ready"},
        {"now", "name", "status"},
    ),
    "advanceTestClock": ({"now": "tomorrow", "days": 31}, {"now", "days"}),
    "replacePaymentMethod": ({"mandateUuid": "x"}, {"paymentMethodUuid", "mandateUuid"}),
    "updateBillingPolicy": (
        {"timeZone": 1, "retryDays": ["x"], "graceDays": "7", "finalAction": "burn", "version": 1},
        {"timeZone", "retryDays[0]", "graceDays", "finalAction", "version"},
    ),
    "createPaymentProvider": (
        {"name": "paypal", "credential": "short", "verificationAmount": 0, "isDefault": True},
        {"name", "credential", "verificationAmount", "isDefault"},
    ),
    "updatePaymentProvider": (
        {"title": "", "credential": "with a space in it", "name": "komoju"},
        {"title", "credential", "name"},
    ),
    "createWebhookEndpoint": (
        {"url": "", "eventTypes": "payment.paid", "description": "", "secret": "whsec_mine"},
        {"url", "eventTypes", "description", "secret"},
    ),
    "updateWebhookEndpoint": (
        {"url": 1, "eventTypes": [1], "status": "gone", "uuid": "x"},
        {"url", "eventTypes[0]", "status", "uuid"},
    ),
    "rollWebhookSecret": (
        {"previousSecretLifetimeSeconds": 604_801, "secret": "whsec_mine"},
        {"previousSecretLifetimeSeconds", "secret"},
    ),
    "replayEvents": (
        {"eventUuid": "x", "from": "yesterday", "to": "2026-01-01T00:00:00", "type": "x"},
        {"eventUuid", "from", "to", "type"},
    ),
}  # fmt: skip

SERVER_OWNED: Final = (
    "id", "uuid", "appUuid", "createdAt", "updatedAt", "deletedAt", "archivedAt", "status",
    "paymentStatus", "amountTotal", "userUuid", "credentialSealed", "isDisabled", "__proto__",
)  # fmt: skip


OURS_TO_ASK: Final = {
    ("createTenant", "uuid"),  # the app's own id for it
    ("updateWebhookEndpoint", "status"),  # disabled, and enabled again
}


@pytest.fixture(scope="session")
def served(application: Litestar) -> dict[str, Route]:
    return {route.operation_id: route for route in routes(application)}


def admitted(house: House, operation: str) -> Headers:
    """Somebody whom the route would listen to."""
    return house.app.key("write") if operation == "openTenantCheckoutSession" else house.app.admin


async def sent(house: House, route: Route, body: Any, **headers: str) -> Any:
    path = EXAMPLES[route.operation_id].path(route, house.app)
    who = {**admitted(house, route.operation_id), **headers}
    return await house.door.request(route.method, path, json=body, headers=who)


def test_every_route_with_a_body_is_told_its_mistakes_below():
    assert set(MANY_MISTAKES) == set(WITH_BODY)


@pytest.mark.parametrize("operation", WITH_BODY)
async def test_all_mistakes_are_named_at_once_and_nothing_is_kept(
    house: House, served: dict[str, Route], operation: str
):
    body, fields = MANY_MISTAKES[operation]
    before = await house.rows()
    answer = await sent(house, served[operation], body, **{"Idempotency-Key": "k"})
    assert code(answer) == "400 [E4000]"
    assert problems(answer).keys() == fields
    assert await house.rows() == before


@pytest.mark.parametrize("operation", WITH_BODY)
async def test_what_is_ours_to_say_cannot_be_said(
    house: House, served: dict[str, Route], operation: str
):
    """The good request, and one field more."""
    good = EXAMPLES[operation].sent(house.app)
    before = await house.rows()
    for field in SERVER_OWNED:
        if (operation, field) in OURS_TO_ASK:
            continue
        answer = await sent(house, served[operation], good | {field: "x"})
        assert code(answer) == "400 [E4000]"
        assert problems(answer) == {field: "is not a field of this request"}
    assert await house.rows() == before


async def test_an_image_does_not_hide_the_mistake_of_another(house: House):
    body = {"name": "Pro", "images": [{"url": "data:,x"}, {}]}
    answer = await house.ask(house.app.admin, "POST", "/products", body)
    assert problems(answer).keys() == {"images[0].url", "images[1].url"}


async def test_an_error_has_exactly_the_fields_of_the_contract(house: House):
    answer = await house.ask(house.app.admin, "POST", "/products", {})
    assert answer.json() == {
        "errors": [
            {
                "validation": "error",
                "code": "[E4000]",
                "message": "is required",
                "field": "name",
            }
        ]
    }
    assert answer.headers["content-type"] == "application/json"
    nobody = await house.ask({"Authorization": "Bearer x"}, "GET", "/products")
    assert nobody.json() == {
        "errors": [{"validation": "error", "code": "[E4010]", "message": "Unauthorized Token"}]
    }


async def test_a_success_has_exactly_the_fields_of_the_contract(house: House):
    found = (await house.ask(house.app.admin, "GET", "/tax-rates")).json()
    assert set(found) == {"kind", "totalItems", "itemsLength", "items"}
    assert (found["kind"], found["totalItems"], found["itemsLength"]) == ("taxRates", 2, 2)
    one = (await house.ask(house.app.admin, "GET", f"/products/{house.app.ids['product']}")).json()
    assert (one["kind"], one["totalItems"], one["itemsLength"]) == ("products", 1, 1)
    page = (await house.ask(house.app.admin, "GET", "/tax-rates?limit=1&page=1")).json()
    assert (page["totalItems"], page["itemsLength"], len(page["items"])) == (2, 1, 1)


@pytest.mark.parametrize(
    "query", ["page=-1", "page=x", "limit=0", "limit=101", "limit=1.5", "page=99999999999999999999"]
)
@pytest.mark.parametrize("path", ["/products", "/tenants", "/checkout-sessions", "/countries"])
async def test_a_page_that_cannot_be_is_refused_by_name(house: House, path: str, query: str):
    answer = await house.ask(house.app.admin, "GET", f"{path}?{query}")
    assert code(answer) == "400 [E4000]"
    assert problems(answer).keys() == {query.partition("=")[0]}


async def test_a_page_far_behind_the_end_is_empty(house: House):
    for path in ("/products", "/tax-rates", "/tenants", "/payment-providers", "/countries"):
        answer = await house.ask(house.app.admin, "GET", f"{path}?page=1000000&limit=100")
        assert (answer.status_code, answer.json()["items"]) == (200, [])
        assert answer.json()["totalItems"] > 0
