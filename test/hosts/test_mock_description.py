"""What the mock of check_import.py gets of a description: schemas in the place of references, to a depth, and nothing that it would ask others for."""

import mock_description

INVOICE = {"type": "object", "properties": {"id": {"type": "string"}, "customer": {"$ref": "#/components/schemas/Customer"}}}
CUSTOMER = {
    "type": "object",
    "properties": {
        "description": {"type": "string", "description": "left out"},
        "invoices": {"type": "array", "items": {"$ref": "#/components/schemas/Invoice"}},
        "lost": {"$ref": "#/components/schemas/Absent"},
        "elsewhere": {"$ref": "https://example.com/common.json#Text"},
        "shape": {"type": "object", "example": {"$ref": "https://example.com/common.json", "a": 1}},
    },
}


def described(schema: dict) -> dict:
    answer = {"description": "good", "content": {"application/json": {"schema": schema}}}
    operation = {"parameters": [{"$ref": "#/components/parameters/limit"}], "responses": {"400": {"description": "bad"}, "200": answer}}
    return {
        "openapi": "3.0.0", "info": {"title": "shop", "version": "1"},
        "paths": {"/invoices/{id}": {"get": operation, "delete": operation}, "/others": {"get": operation}, "/written": {"post": operation}},
        "components": {
            "schemas": {"Invoice": INVOICE, "Customer": CUSTOMER},
            "parameters": {"limit": {"name": "limit", "in": "query", "schema": {"type": "integer"}}},
        },
    }


def test_schemas_stand_in_each_other_to_their_first_repetition():
    made = mock_description.of_paths(described({"$ref": "#/components/schemas/Invoice"}), {"/invoices/{number}?x=1", "/written"})
    assert list(made["paths"]) == ["/invoices/{id}"] and list(made["paths"]["/invoices/{id}"]) == ["get"], made
    operation = made["paths"]["/invoices/{id}"]["get"]
    assert operation["parameters"] == [{"name": "limit", "in": "query", "schema": {"type": "integer"}}]
    assert list(operation["responses"]) == ["200"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["properties"]["customer"]["properties"] == {
        "description": {"type": "string"},
        "invoices": {"type": "array", "items": {"type": "object"}},
        "lost": {},
        "elsewhere": {},
        "shape": {"type": "object", "example": {"a": 1}},
    }


def test_schemas_that_refer_to_all_others_are_cut_where_they_become_too_many():
    names = [f"S{idx}" for idx in range(60)]
    document = described({"$ref": "#/components/schemas/S0"})
    document["components"]["schemas"] = {
        name: {"type": "object", "properties": {other: {"$ref": f"#/components/schemas/{other}"} for other in names}} for name in names
    }
    made = mock_description.of_paths(document, {"/others"})
    schema = made["paths"]["/others"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["properties"]["S1"]["properties"]["S2"] == {"type": "object"}
