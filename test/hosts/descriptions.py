"""Vendors' descriptions of their APIs: which files describe an adapter's API, and how to read them.

A description is OpenAPI 3, Swagger 2 or a discovery document of Google's, as `.json`, `.yaml` or either with `.gz`. What is read is OpenAPI or
Swagger.
"""

import gzip
import json
import pathlib
import re
import subprocess

import hosts

# The descriptions of each adapter, below the folder; a star stands for any part of a file's name. One of another name needs no entry: it is
# NAME.json or NAME.yaml in the folder.
DESCRIPTIONS = {
    "asana": ["asana.yaml"],
    "azure_devops": [
        f"azure-devops/{part}-7.1.json"
        for part in "build core git graph pipelines policy release testPlan wiki work workItemTracking".split()
    ],
    "cloudflare": ["cloudflare.json"],
    "datadog": ["datadog/datadog-v1.yaml", "datadog/datadog-v2.yaml"],
    "discord": ["discord.json"],
    "elasticsearch": ["elasticsearch/elasticsearch.json"],
    "figma": ["figma.yaml"],
    "github": ["github/github.json"],
    "gitlab": ["gitlab-partial.yaml"],
    "gmail": ["google/google-gmail.v1.json"],
    "google_analytics": ["google/google-analyticsdata.v1beta.json", "google/google-analyticsadmin.v1beta.json"],
    "google_calendar": ["google/google-calendar.v3.json"],
    "google_drive": ["google/google-drive.v3.json"],
    "google_search_console": ["google/google-searchconsole.v1.json"],
    "google_sheets": ["google/google-sheets.v4.json"],
    "intercom": ["intercom/intercom-2.16.yaml"],
    "jira": ["jira/jira-platform-apisguru.json", "jira/jira-software.json"],
    "klaviyo": ["klaviyo.json"],
    "kubernetes": ["kubernetes.json"],
    "notion": ["notion.json"],
    "okta": ["okta/okta-management.yaml"],
    "openai": ["openai.json"],
    "paypal": ["paypal/*.json"],
    "sendgrid": ["sendgrid/*.json"],
    "sentry": ["sentry.json"],
    "slack": ["slack/slack-web.json"],
    "square": ["square.json"],
    "stripe": ["stripe/stripe-spec3.yaml"],
    "twilio": [f"twilio/twilio-{part}.json" for part in "api-v2010 conversations-v1 messaging-v1 monitor-v1 studio-v2 verify-v2".split()],
    "vercel": ["vercel.json"],
    "wikimedia": ["apis-guru/wikimedia.json"],
    "xero": ["xero/xero-accounting.yaml", "xero/xero-identity.yaml"],
    "youtube": ["google/google-youtube.v3.json", "google/google-youtubeAnalytics.v2.json"],
}

# The GraphQL schemas of adapters.
SCHEMAS = {"linear": "linear.graphql"}

# Adapters whose description is of a part of the API.
PARTIAL = {"gitlab"}

# DuckDB's dbt package brings a YAML reader with it.
YAML = "import json, sys, yaml; json.dump(yaml.load(sys.stdin, getattr(yaml, 'CSafeLoader', yaml.SafeLoader)), sys.stdout, default=str)"


def text_of(path: pathlib.Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")


def from_yaml(text: str) -> dict:
    program = hosts.folder_of("dbt", hosts.HOSTS["dbt"]["duckdb"]) / "bin" / "python"
    return json.loads(subprocess.run([program, "-c", YAML], input=text, check=True, capture_output=True, text=True).stdout)


def files_of(folder: pathlib.Path, adapter: str) -> list[pathlib.Path]:
    """Returns the descriptions of an adapter that the folder has."""
    names = DESCRIPTIONS.get(adapter, [f"{adapter}.json", f"{adapter}.yaml"])
    return sorted({path for name in names for ending in ("", ".gz") for path in folder.glob(name + ending)})


def schema_of(folder: pathlib.Path, adapter: str) -> pathlib.Path | None:
    """Returns the GraphQL schema of an adapter that the folder has."""
    name = SCHEMAS.get(adapter, f"{adapter}.graphql")
    return next((path for ending in ("", ".gz") if (path := folder / (name + ending)).exists()), None)


def document_of(path: pathlib.Path) -> dict:
    """Returns a description as OpenAPI or Swagger."""
    text = text_of(path)
    document = json.loads(text) if path.name.removesuffix(".gz").endswith(".json") else from_yaml(text)
    return from_discovery(document) if "discoveryVersion" in document else document


def from_discovery(document: dict) -> dict:
    """Turns a discovery document into OpenAPI."""
    paths: dict = {}
    common = [parameter_of(name, parameter) for name, parameter in document.get("parameters", {}).items()]
    for method in methods_of(document):
        path = "/" + method.get("flatPath", method["path"])
        holes = {hole.lstrip("+") for hole in re.findall(r"\{([^}]*)\}", path)}
        path = path.replace("{+", "{")
        own = [parameter_of(name, parameter) for name, parameter in method.get("parameters", {}).items() if name not in holes]
        own = [parameter for parameter in own if parameter["in"] == "query"]
        named = [{"name": hole, "in": "path", "required": True, "schema": {"type": "string"}} for hole in sorted(holes)]
        operation: dict = {"parameters": named + own + common, "responses": {"200": {"description": ""}}}
        if "response" in method:
            operation["responses"]["200"]["content"] = {"application/json": {"schema": openapi_schema_of(method["response"])}}
        if "request" in method:
            operation["requestBody"] = {"content": {"application/json": {"schema": openapi_schema_of(method["request"])}}}
        paths.setdefault(path, {})[method["httpMethod"].lower()] = operation
    schemas = {name: openapi_schema_of(schema) for name, schema in document["schemas"].items()}
    server = (document["rootUrl"] + document["servicePath"]).rstrip("/")
    info = {"title": document.get("title", ""), "version": document.get("version", "")}
    return {"openapi": "3.0.0", "info": info, "servers": [{"url": server}], "paths": paths, "components": {"schemas": schemas}}


def methods_of(resource: dict) -> list[dict]:
    """Returns the methods of a resource and of those below it."""
    below = [method for inner in resource.get("resources", {}).values() for method in methods_of(inner)]
    return [*resource.get("methods", {}).values(), *below]


def parameter_of(name: str, parameter: dict) -> dict:
    schema = {"type": "array", "items": {"type": "string"}} if parameter.get("repeated") else {"type": parameter.get("type", "string")}
    return {"name": name, "in": parameter.get("location", "query"), "required": parameter.get("required", False), "schema": schema}


def openapi_schema_of(schema: dict) -> dict:
    """Returns a schema of a discovery document as OpenAPI writes it."""
    if "$ref" in schema:
        return {"$ref": "#/components/schemas/" + schema["$ref"]}
    made = {key: value for key, value in schema.items() if key in ("type", "format", "enum")}
    if made.get("type") == "any":
        made.pop("type")
    if "properties" in schema:
        made["properties"] = {name: openapi_schema_of(below) for name, below in schema["properties"].items()}
    if "items" in schema:
        made["items"] = openapi_schema_of(schema["items"])
    if "additionalProperties" in schema:
        made["additionalProperties"] = openapi_schema_of(schema["additionalProperties"])
    return made
