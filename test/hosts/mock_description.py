"""What a mock is given of an API's description: some of its GET requests, each with its schemas put in place of the references to them.

The mock (Prism) follows every reference before it starts, each time anew. Where schemas refer to each other, as an invoice to its customer and a
customer to its invoices, that has no end in practice. So schemas are given to a depth, and what is deeper keeps its type alone.
"""

import re

# How deep schemas may stand in each other, most first, and how many values a description for the mock may have.
DEPTHS = (6, 5, 4, 3, 2, 1)
N_VALUES = 100_000
# What no answer is made from; values, which may look like schemas; and objects whose keys are names.
LEFT_OUT = {"description", "summary", "externalDocs", "discriminator", "links"}
VALUES = {"example", "default", "enum", "value"}
MAPS = {"properties", "headers", "content", "examples"}


class TooLarge(Exception):
    """The description has more values than the mock takes."""


class Inliner:
    """Puts what references name in their place, to a depth."""

    def __init__(self, document: dict, depth: int) -> None:
        self.document = document
        self.depth = depth
        self.n_values = 0

    def named(self, reference: str) -> object:
        """Returns what a reference names, or anything at all where the description does not have it."""
        node = self.document
        for part in reference.removeprefix("#/").split("/"):
            node = node.get(part.replace("~1", "/").replace("~0", "~"), {})
        return node

    def inlined(self, node: object, depth: int = 0, inside: frozenset[str] = frozenset()) -> object:
        self.n_values += 1
        if self.n_values > N_VALUES:
            raise TooLarge
        if isinstance(node, list):
            return [self.inlined(item, depth, inside) for item in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if not isinstance(reference, str):
            return {key: self.value(key, value, depth, inside) for key, value in node.items() if key not in LEFT_OUT and not key.startswith("x-")}
        target = self.named(reference)
        if not reference.startswith("#/components/schemas/"):
            return self.inlined(target, depth, inside)
        if depth == self.depth or reference in inside:
            return {key: value for key, value in target.items() if key in ("type", "format", "enum", "nullable")}
        return self.inlined(target, depth + 1, inside | {reference})

    def value(self, key: str, value: object, depth: int, inside: frozenset[str]) -> object:
        if key in VALUES:
            return without_references(value)
        if key in MAPS and isinstance(value, dict):
            return {name: self.inlined(named, depth, inside) for name, named in value.items()}
        return self.inlined(value, depth, inside)


def without_references(value: object) -> object:
    """Returns a value without what the mock takes for a reference: it would ask another host for it."""
    if isinstance(value, list):
        return [without_references(item) for item in value]
    if isinstance(value, dict):
        return {key: without_references(item) for key, item in value.items() if key != "$ref"}
    return value


def without_names(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path.partition("?")[0])


def of_paths(document: dict, paths: set[str]) -> dict:
    """Returns the description of GET requests to these paths, whatever their parameters are called, and only of their good answers."""
    wanted = {without_names(path) for path in paths}
    found = {path: item for path, item in document["paths"].items() if "get" in item and without_names(path) in wanted}
    for depth in DEPTHS:
        inliner = Inliner(document, depth)
        try:
            inlined = {path: item_of(item, inliner) for path, item in found.items()}
        except TooLarge:
            continue
        kept = {key: document[key] for key in ("openapi", "info", "security") if key in document}
        schemes = inliner.inlined(document.get("components", {}).get("securitySchemes", {}))
        return {**kept, "paths": inlined, "components": {"securitySchemes": schemes}}
    raise TooLarge


def item_of(item: dict, inliner: Inliner) -> dict:
    """Returns a path with its GET request and the first good answer."""
    operation = item["get"]
    responses = operation["responses"]
    good = min((status for status in responses if str(status).startswith("2")), default="default")
    kept = {key: operation[key] for key in ("operationId", "security") if key in operation}
    parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
    got = {**kept, "parameters": inliner.inlined(parameters), "responses": {good: inliner.inlined(responses.get(good, {"description": ""}))}}
    got["responses"][good].setdefault("description", "")
    return {"get": got}
