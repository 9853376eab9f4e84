"""Which requests a description of an API has, and what of an adapter's requests it does not have."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

MAX_HOPS = 16
HOLE = re.compile(r"\{[^}]*\}")


class Request(NamedTuple):
    """A request that was made: the path behind the host, and the names of the query's params and of the body's fields. None is any."""

    method: str
    path: str
    params: tuple[str, ...] | None
    fields: tuple[str, ...] = ()


class Unknown(NamedTuple):
    """What a description does not have. `name` is the path, the param or the field."""

    name: str
    message: str


@dataclass
class Operation:
    """A request of a description. `fields` of the body is None where it may have any."""

    method: str
    path: str
    pattern: re.Pattern
    n_holes: int
    params: set[str] = field(default_factory=set)
    required: set[str] = field(default_factory=set)
    # Params that are objects: their fields are sent as `name[field]`.
    objects: set[str] = field(default_factory=set)
    fields: set[str] | None = None
    # Whether it is of a description of a part of the API: that such a one lacks a path says nothing.
    is_partial: bool = False

    def has_param(self, name: str) -> bool:
        plain = name.removesuffix("[]")
        return bool({name, plain, f"{plain}[]"} & self.params) or name.split("[")[0] in self.objects


def requests_of(fixture: dict) -> set[Request]:
    """Returns the requests that the answers of a fixture are for. The generic test holds them to those that loads make."""
    requests = set()
    for answer in fixture["answers"]:
        query, body = answer.get("query"), answer.get("request")
        params = None if query is None else tuple(sorted(query))
        fields = tuple(sorted(body)) if isinstance(body, dict) else ()
        requests.add(Request(answer.get("method", "GET"), answer["path"], params, fields))
    return requests


def resolved(document: dict, node: dict) -> dict:
    for _ in range(MAX_HOPS):
        if not isinstance(node, dict) or "$ref" not in node:
            return node if isinstance(node, dict) else {}
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            name = part.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")
            target = target.get(name, {}) if isinstance(target, dict) else {}
        node = target
    return {}


def fields_of(document: dict, schema: dict, depth: int = 0) -> set[str] | None:
    """Returns the fields of an object, None where it may have any."""
    schema = resolved(document, schema)
    fields = set(schema.get("properties", {}))
    is_open = not fields and not any(schema.get(key) for key in ("allOf", "anyOf", "oneOf"))
    if is_open or depth > MAX_HOPS:
        return None
    for part in [*schema.get("allOf", []), *schema.get("anyOf", []), *schema.get("oneOf", [])]:
        below = fields_of(document, part, depth + 1)
        if below is None and not fields:
            return None
        fields |= below or set()
    return fields


def prefixes_of(document: dict, *holders: dict) -> list[str]:
    """Returns the paths of the addresses that requests of a description begin with."""
    if "swagger" in document:
        return [document.get("basePath", "").rstrip("/")]
    servers = next((holder["servers"] for holder in (*holders, document) if holder.get("servers")), [{"url": ""}])
    # A placeholder may stand for the host or for a part of the path.
    urls = [re.sub(r"^(https?:)?//[^/]*|^\{[^}]*\}", "", server["url"]) for server in servers]
    return sorted({urlsplit(url).path.rstrip("/") for url in urls})


def pattern_of(path: str) -> str:
    """Returns the pattern of a path whose placeholders stand for a part or for less."""
    parts = re.split(HOLE, path)
    return "[^/]+".join(map(re.escape, parts))


def operation_of(document: dict, path: str, item: dict, method: str, described: dict) -> Operation:
    prefixes = "|".join(pattern_of(prefix) for prefix in prefixes_of(document, described, item))
    # What stands behind a question mark or a hash tells requests of one path apart.
    plain = re.split(r"[?#]", path)[0]
    # Some descriptions repeat the path of their address in each path.
    pattern = re.compile(f"(?:{prefixes})?{pattern_of(plain.rstrip('/'))}/?")
    operation = Operation(method.upper(), path, pattern, len(HOLE.findall(plain)))
    body: dict = {}
    for node in [*item.get("parameters", []), *described.get("parameters", [])]:
        add_parameter(document, operation, body, resolved(document, node))
    schemes = document.get("components", {}).get("securitySchemes", {}) | document.get("securityDefinitions", {})
    operation.params |= {scheme["name"] for scheme in schemes.values() if scheme.get("in") == "query"}
    content = resolved(document, described.get("requestBody", {})).get("content", {})
    schemas = [kind["schema"] for kind in content.values() if "schema" in kind] or ([body] if body else [])
    if schemas:
        fields = [fields_of(document, schema) for schema in schemas]
        operation.fields = None if None in fields else set().union(*fields)
    return operation


def add_parameter(document: dict, operation: Operation, body: dict, parameter: dict) -> None:
    place, name = parameter.get("in"), parameter.get("name", "")
    if place == "body":
        body.update(resolved(document, parameter.get("schema", {})))
    if place == "formData":
        body.setdefault("properties", {})[name] = {}
    if place != "query":
        return
    content = next(iter(parameter.get("content", {}).values()), {})
    schema = resolved(document, parameter.get("schema") or content.get("schema") or {})
    is_object = schema.get("type") == "object" or "properties" in schema or "anyOf" in schema
    if is_object and parameter.get("style", "form") == "form" and parameter.get("explode", True):
        operation.params |= set(schema.get("properties", {}))
    operation.params.add(name)
    if is_object or parameter.get("style") == "deepObject":
        operation.objects.add(name)
    if parameter.get("required") and "default" not in schema:
        operation.required.add(name)


def operations_of(document: dict, is_partial: bool = False) -> list[Operation]:
    """Returns the requests that a description has."""
    operations = []
    for path, item in (document["paths"] | document.get("x-ms-paths", {})).items():
        item = resolved(document, item)
        methods = {method: described for method, described in item.items() if method in ("get", "post", "put", "patch", "delete")}
        operations += [operation_of(document, path, item, method, described) for method, described in methods.items()]
    for operation in operations:
        operation.is_partial = is_partial
    return operations


def operation_for(operations: list[Operation], request: Request) -> Operation | None:
    """Returns what describes a request: the one with the fewest placeholders that fits."""
    fitting = [found for found in operations if found.method == request.method and found.pattern.fullmatch(request.path)]
    # Of those for one path, one has the params that were sent.
    return min(fitting, key=lambda found: (found.n_holes, len(unknown_of(found, request))), default=None)


def unknown_of(operation: Operation | None, request: Request) -> list[Unknown]:
    """Returns what a description does not have of a request."""
    place = f"{request.method} {operation.path if operation else request.path}"
    if operation is None:
        return [Unknown(request.path, f"the description has no request {place}")]
    found = []
    if request.params is not None:
        sent = {name.removesuffix("[]") for name in request.params}
        found += [Unknown(name, f"{place} has no param '{name}'") for name in request.params if not operation.has_param(name)]
        missing = sorted(name for name in operation.required if name.removesuffix("[]") not in sent)
        found += [Unknown(name, f"{place} needs param '{name}', which is not sent") for name in missing]
    if operation.fields is not None:
        found += [Unknown(name, f"the body of {place} has no field '{name}'") for name in request.fields if name not in operation.fields]
    return found
