"""The checks of `make check-adapters`: which of an adapter's requests a description does not have, and what the spec says about them."""

import subprocess

import described
import descriptions
import hosts
import pytest
import servers
from explanations import Explanations

SHOP = {
    "openapi": "3.0.0",
    "servers": [{"url": "https://{site}.example.com/api/v1"}],
    "paths": {
        "/orders": {
            "parameters": [{"name": "page", "in": "query"}],
            "get": {
                "parameters": [
                    {"name": "created", "in": "query", "style": "deepObject", "schema": {"type": "object"}},
                    {"name": "status[]", "in": "query", "schema": {"type": "array"}},
                ]
            },
        },
        "/orders/{id}/lines": {"get": {"parameters": [{"name": "shop", "in": "query", "required": True}]}},
        "/orders/new": {"get": {}},
        "/orders/search": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Search"}}}}}},
    },
    "components": {"schemas": {"Search": {"allOf": [{"properties": {"query": {}}}, {"properties": {"cursor": {}}}]}}},
}

FORMS = {
    "rootUrl": "https://forms.example.com/",
    "servicePath": "forms/v1/",
    "discoveryVersion": "v1",
    "parameters": {"fields": {"type": "string", "location": "query"}},
    "schemas": {"Form": {"type": "object", "properties": {"id": {"type": "string"}, "owner": {"$ref": "Form"}}}},
    "resources": {
        "forms": {
            "methods": {
                "get": {
                    "httpMethod": "GET",
                    "path": "forms/{+formId}",
                    "parameters": {"formId": {"location": "path", "required": True}, "view": {"location": "query"}},
                    "response": {"$ref": "Form"},
                }
            }
        }
    },
}


@pytest.mark.parametrize(
    ("request_made", "expected"),
    [
        (("GET", "/api/v1/orders", ("created[gte]", "page", "status[]")), []),
        (("GET", "/api/v1/orders/7/lines", ("shop",)), []),
        (("GET", "/api/v1/orders/new", ()), []),
        (("POST", "/api/v1/orders/search", (), ("cursor", "query")), []),
        (("GET", "/api/v1/orders", None), []),
        (("GET", "/api/v1/stores", ()), ["the description has no request GET /api/v1/stores"]),
        (("GET", "/api/v2/orders", ()), ["the description has no request GET /api/v2/orders"]),
        (("POST", "/api/v1/orders", ()), ["the description has no request POST /api/v1/orders"]),
        (("GET", "/api/v1/orders", ("pages",)), ["GET /orders has no param 'pages'"]),
        (("GET", "/api/v1/orders/7/lines", ()), ["GET /orders/{id}/lines needs param 'shop', which is not sent"]),
        (("POST", "/api/v1/orders/search", (), ("sort",)), ["the body of POST /orders/search has no field 'sort'"]),
    ],
)
def test_what_a_description_does_not_have_of_a_request_is_said(request_made, expected):
    request = described.Request(*request_made)
    found = described.unknown_of(described.operation_for(described.operations_of(SHOP), request), request)
    assert [unknown.message for unknown in found] == expected


def test_a_discovery_document_is_read_as_openapi():
    document = descriptions.from_discovery(FORMS)
    operations = described.operations_of(document)
    for params, expected in [(("fields", "view"), []), (("page",), ["GET /forms/{formId} has no param 'page'"])]:
        request = described.Request("GET", "/forms/v1/forms/7", params)
        assert [unknown.message for unknown in described.unknown_of(described.operation_for(operations, request), request)] == expected
    assert document["components"]["schemas"]["Form"]["properties"]["owner"] == {"$ref": "#/components/schemas/Form"}


SPEC = """\
name: shop
# Not described: `page`: all lists
# have `per_page`, too.
base_url: https://example.com
tables:
  - name: orders
    # Not described: `/orders/{}/lines`: it is new.
    resource_path: /orders
  # Not described: `gone`: nothing lacks it.
  - name: stores
"""


def test_a_finding_is_explained_by_a_comment_beside_its_table_or_at_the_top():
    explanations = Explanations(SPEC)
    assert explanations.has("page", "stores")
    assert explanations.has("per_page")
    assert explanations.has("/v1/orders/{id}/lines", "orders")
    assert explanations.has("/v1/orders/7/lines")
    assert not explanations.has("/v1/orders/7/lines", "stores")
    assert not explanations.has("/v1/orders")
    assert not explanations.has("pages")
    assert explanations.unused() == ["stores: `gone` is explained, and there is no such finding"]


def test_a_query_that_a_graphql_schema_does_not_have_is_found(tmp_path):
    schema = tmp_path / "schema.graphql"
    schema.write_text("type Query { orders(first: Int): [Order!]! } type Order { id: ID! total: Float }")
    queries = '[["good", "{ orders(first: 1) { id } }"], ["bad", "{ orders { id sum } }"]]'
    package = servers.installed("yoga/node_modules/graphql/index.js", "yoga")
    script = ["node", hosts.TEST / "hosts" / "check_queries.mjs", package, schema]
    done = subprocess.run(script, input=queries, check=True, capture_output=True, text=True)
    assert '["bad","Cannot query field \\"sum\\" on type \\"Order\\".' in done.stdout
    assert "good" not in done.stdout
