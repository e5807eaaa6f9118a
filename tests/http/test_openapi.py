"""The OpenAPI document: valid, complete, and its examples are what the API takes and gives."""

import re
from collections.abc import Iterator
from typing import Any, Final

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from app.docs.document import document
from app.docs.endpoints import camel, endpoints
from app.docs.example_values import LEFT_OUT
from app.docs.examples import UNKNOWN
from app.http.bodies import mistakes
from app.main import build
from app.settings import Settings
from infrastructure.secrets import new_key
from tests.http.json_schema import Validator
from tests.http.lifespan import running

Operation = dict[str, Any]

FOR_SHOPPERS: Final = ("/checkout/", "/portal/")
SERVER: Final = "https://billing.example.com"
READABLE: Final = re.compile(r"[A-Z][A-Za-z0-9]*(_[A-Z][A-Za-z0-9]*)?")


@pytest.fixture(scope="module")
def app() -> Litestar:
    return build(Settings(database_url="postgresql://nobody@localhost/none", secret_key=new_key()))


@pytest.fixture(scope="module")
def openapi(app: Litestar) -> dict[str, Any]:
    """As a client reads it."""
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document(app, SERVER)))
    return told


@pytest.fixture(scope="module")
def operations(openapi) -> dict[str, Operation]:
    """By method and path, with the parameters' references followed."""
    shared = openapi["components"]["parameters"]

    def followed(said: Operation) -> Operation:
        return shared[said["$ref"].rpartition("/")[2]] if "$ref" in said else said

    return {
        f"{method.upper()} {path}": {**said, "parameters": [*map(followed, said["parameters"])]}
        for path, item in openapi["paths"].items()
        for method, said in item.items()
    }


@pytest.fixture(scope="module")
def validator(openapi) -> Validator:
    return Validator(openapi["components"]["schemas"])


def contents(operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body and answer."""
    yield from operation.get("requestBody", {}).get("content", {}).items()
    for answer in operation["responses"].values():
        yield from answer["content"].items()


def examples(content: dict[str, Any]) -> list[Any]:
    if "examples" in content:
        return [example["value"] for example in content["examples"].values()]
    return [content["example"]]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


def test_every_route_is_in_it_but_the_pages_for_shoppers(app, operations):
    published = set()
    for route in app.routes:
        assert isinstance(route, HTTPRoute)
        if not route.path.startswith(FOR_SHOPPERS):
            path = re.sub(r"{(\w+):\w+}", lambda found: f"{{{camel(found[1])}}}", route.path)
            published |= {f"{method} {path}" for method in route.methods - {"OPTIONS"}}
    assert operations.keys() == published


def test_it_is_openapi_3_1_and_refers_to_nothing_that_is_not_there(openapi):
    assert openapi["openapi"] == "3.1.0"
    assert openapi.keys() <= {"openapi", "info", "servers", "tags", "paths", "components"}
    assert openapi["info"]["title"] and openapi["info"]["version"]
    assert openapi["servers"] == [{"url": SERVER}]
    for reference in references(openapi):
        node = openapi
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_no_two_operations_share_an_id(operations):
    ids = [operation["operationId"] for operation in operations.values()]
    assert sorted(set(ids)) == sorted(ids)


def test_every_operation_says_what_it_does_and_stands_under_a_described_tag(openapi, operations):
    described = {tag["name"] for tag in openapi["tags"] if tag["description"]}
    for name, operation in operations.items():
        assert operation["summary"] and operation["description"], name
        assert len(operation["tags"]) == 1, name
        assert set(operation["tags"]) <= described, name


def test_who_may_call_follows_from_the_guard(openapi, operations):
    key = {"apiKey": [], "clientId": [], "apiKeyType": []}
    schemes = {"public": [], "bearer": [{"bearer": []}], "api_key": [key]}
    schemes["bearer_or_key"] = [{"bearer": []}, key]
    app = "/api/v1/apps/{appUuid}"
    expected = {
        f"POST {app}/payment-providers/{{provider}}/checkout-sessions": "bearer",
        f"POST {app}/tenants/{{tenantUuid}}/payment-providers/{{provider}}/checkout-sessions": (
            "api_key"
        ),
        f"GET {app}/products": "bearer_or_key",
        "GET /livez": "public",
    }
    for name, guard in expected.items():
        assert operations[name]["security"] == schemes[guard], name
    assert openapi["components"]["securitySchemes"].keys() == {"bearer", *key}


def test_every_parameter_of_a_path_is_described(operations):
    for name, operation in operations.items():
        told = {said["name"]: said for said in operation["parameters"] if said["in"] == "path"}
        assert told.keys() == set(re.findall(r"{(\w+)}", name)), name
        for parameter, said in told.items():
            assert said["required"] is True and said["description"], name
            if parameter.lower().endswith("uuid"):
                assert said["schema"] == {"type": "string", "format": "uuid"}, name


def test_every_parameter_has_an_example_that_fits(operations, validator):
    for name, operation in operations.items():
        for said in operation["parameters"]:
            assert said["description"], name
            assert list(validator.mistakes(said["example"], said["schema"])) == [], name


def test_every_post_of_a_caller_may_be_repeated_under_a_key(operations):
    for name, operation in operations.items():
        headers = [said["name"] for said in operation["parameters"] if said["in"] == "header"]
        success = next(iter(operation["responses"].values()))
        if name.startswith("POST") and operation["security"]:
            assert "Idempotency-Key" in headers, name
            assert "Idempotent-Replayed" in success["headers"], name
        else:
            assert "Idempotency-Key" not in headers, name


def test_a_success_is_told_under_its_own_status_and_in_its_envelope(operations):
    app = "/api/v1/apps/{appUuid}"
    expected = {
        f"POST {app}/products": ("201", "Envelope_Product"),
        f"DELETE {app}/products/{{uuid}}": ("200", "Envelope_Product"),
        f"GET {app}/checkout-sessions": ("200", "Envelope_CheckoutSession"),
        f"POST {app}/tenants/{{tenantUuid}}/payment-providers/{{provider}}/checkout-sessions": (
            "200",
            "Envelope_OpenedSession",
        ),
    }
    for name, (status, schema) in expected.items():
        content = operations[name]["responses"][status]["content"]["application/json"]
        assert content["schema"] == {"$ref": f"#/components/schemas/{schema}"}, name


@pytest.mark.parametrize(
    ("operation", "statuses"),
    [
        ("GET /api/v1/apps/{appUuid}/products", "200 400 401 403 404 500 503"),
        ("GET /api/v1/apps/{appUuid}/products/{uuid}", "200 401 403 404 500 503"),
        ("POST /api/v1/apps/{appUuid}/products", "201 400 401 403 404 409 413 422 500 503"),
        ("DELETE /api/v1/apps/{appUuid}/prices/{uuid}", "200 401 403 404 409 422 500 503"),
        (
            "POST /api/v1/apps/{appUuid}/checkout-sessions/{sessionUuid}/expire",
            "200 400 401 403 404 409 413 422 500 502 503",
        ),
        ("POST /api/v1/webhooks/mollie", "200 413 500"),
        ("GET /readyz", "200 500 503"),
    ],
)
def test_the_errors_of_an_operation_are_those_that_can_happen(operations, operation, statuses):
    assert " ".join(operations[operation]["responses"]) == statuses


def test_every_error_is_told_in_the_shape_of_all_errors(operations):
    for name, operation in operations.items():
        for status, answer in operation["responses"].items():
            assert "X-Request-Id" in answer["headers"], name
            assert ("Retry-After" in answer["headers"]) == (
                status in ("409", "503") and bool(operation["security"])
            ), name
            if status >= "400" and name != "GET /readyz":
                schema = answer["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problems"}, name


def test_every_example_is_valid_and_thought_of(operations, validator):
    for name, operation in operations.items():
        for _, content in contents(operation):
            for example in examples(content):
                assert list(validator.mistakes(example, content["schema"])) == [], name
                assert f'"{UNKNOWN}"'.encode() not in msgspec.json.encode(example), name


def test_the_examples_of_schemas_are_valid(openapi, validator):
    for name, schema in openapi["components"]["schemas"].items():
        for example in schema["examples"]:
            assert list(validator.mistakes(example, schema)) == [], name


def test_an_example_that_does_not_fit_would_be_found(validator):
    price = {"unitAmount": 9.99, "currency": "euro", "colour": "red"}
    schema = {"$ref": "#/components/schemas/CreatePriceBody"}
    assert len(list(validator.mistakes(price, schema))) == 3


def test_every_example_of_a_body_is_taken_and_full(app, openapi, operations):
    schemas = openapi["components"]["schemas"]
    for endpoint in endpoints(app):
        if endpoint.body is None:
            continue
        content = operations[f"{endpoint.method} {endpoint.path}"]["requestBody"]["content"]
        for example in examples(content["application/json"]):
            assert list(mistakes(endpoint.body, example)) == [], endpoint.operation_id
            msgspec.json.decode(msgspec.json.encode(example), type=endpoint.body)
            name = endpoint.body.__name__
            fields = schemas[name]["properties"].keys() - LEFT_OUT.get(name, frozenset())
            assert len(example) >= len(fields) - 1, endpoint.operation_id


def test_every_schema_has_a_readable_name_and_every_field_a_description(openapi):
    for name, schema in openapi["components"]["schemas"].items():
        assert READABLE.fullmatch(name), name
        assert "View" not in name
        for field, said in schema.get("properties", {}).items():
            assert said.get("description"), f"{name}.{field}"


def test_bounds_and_unknown_fields_are_told_as_they_are_enforced(openapi):
    body = openapi["components"]["schemas"]["CreatePriceBody"]
    amount = body["properties"]["unitAmount"]
    assert (amount["minimum"], amount["maximum"]) == (0, 99_999_999_99)
    assert body["additionalProperties"] is False
    assert body["required"] == ["unitAmount", "currency"]


async def test_it_is_served_as_it_was_written(app, openapi):
    transport = httpx.ASGITransport(app=app)
    async with running(app), httpx.AsyncClient(transport=transport, base_url=SERVER) as client:
        response = await client.get("/schema/openapi.json")
    assert response.headers["content-type"] == "application/json"
    served = response.json()
    assert served["servers"] == [{"url": "http://127.0.0.1:8000"}]
    assert served["paths"] == openapi["paths"]
