"""Compares the bundled adapters with the vendors' descriptions of their APIs, and prints a table.

Arguments: the folder with the descriptions, as `descriptions.py` names them, and perhaps names of adapters, whose lists without a table are printed,
too. Compared are the spec, by `unify_check_adapter`, the requests that loads of its tables make, which are those of its fixture, and GraphQL queries.

It fails when a spec has an error, a finding is not explained in the spec, or what is explained there is not found. `explanations.py` says how to
explain one.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
from typing import NamedTuple
from urllib.parse import urlsplit

import described
import descriptions
import hosts
import servers
from explanations import Explanations

SPECS = hosts.ROOT / "rest_specs"
FIXTURES = hosts.TEST / "fixtures"

SCRIPT = """
import duckdb, json, os, sys
con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
con.execute("SET enable_progress_bar = false")
con.execute(f"LOAD '{os.environ['UNIFY_EXTENSION']}'")
spec, *files = sys.argv[1:]
for file in files:
    rows = con.execute("SELECT level, key, message FROM unify_check_adapter(?, openapi := ?)", [spec, file]).fetchall()
    print(json.dumps(rows))
"""

NO_TABLE = "no table loads the list GET "
# What unify_check_adapter says of answers: the path, and what their records lack. What it says of requests is left out: which are made, loads show.
OF_ANSWERS = [
    re.compile(r"the answer of GET (\S+) has no '([^']*)'"),
    re.compile(r"the records of GET (\S+) have no field for column '([^']*)'"),
]
OF_REQUESTS = re.compile(r"the description has no path|the description has '\S*', but no GET|GET \S+ (has no|needs) parameter")


class Comparison(NamedTuple):
    """What came of comparing an adapter: the findings left, how many were explained, and the lists that no table loads."""

    faults: list[str]
    n_explained: int
    lists: set[str]
    n_files: int = 0
    n_operations: int = 0


def checked(spec: pathlib.Path, files: list[pathlib.Path]) -> list[list[list]]:
    """Returns what `unify_check_adapter` finds, for each description."""
    program = hosts.folder_of("py", hosts.NEWEST) / "bin" / "python"
    done = subprocess.run([program, "-c", SCRIPT, spec, *files], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def compared_spec(answers: list[list[list]], paths: dict[str, str | None], explanations: Explanations) -> Comparison:
    """Returns what of the findings about a spec is left, `paths` being what describes each table's requests."""
    faults, explained = {}, set()
    for level, key, message in [row for rows in answers for row in rows]:
        if level == "note" or (level == "warning" and OF_REQUESTS.match(message)):
            continue
        found = next((match for pattern in OF_ANSWERS if (match := pattern.match(message))), None)
        table = key.split(".")[1] if key and key.startswith("tables.") else None
        if found and paths.get(table) != found[1]:
            continue
        if found and explanations.has(found[2], table):
            explained.add((key, message))
        else:
            faults[f"{level} {key}: {message}"] = None
    return Comparison(list(faults), len(explained), set())


def paths_of(spec: str, operations: list[described.Operation]) -> dict[str, str | None]:
    """Returns the path of the description that each table of a spec asks for."""
    tree = descriptions.from_yaml(spec)
    default = str(tree.get("options", {}).get("host", {}).get("default", ""))
    prefix = urlsplit(tree["base_url"].replace("{host}", default)).path.rstrip("/")
    paths = {}
    for table in tree["tables"]:
        own = re.sub(r"\$?\{[^}]*\}", "x", table.get("resource_path", "")).split("?")[0]
        operation = described.operation_for(operations, described.Request("GET", prefix + own, None))
        paths[table["name"]] = operation.path if operation else None
    return paths


def requests_of(adapter: str, spec: str) -> set[described.Request]:
    """Returns the requests that loads of an adapter make, without those for tokens."""
    fixture = json.loads((FIXTURES / adapter / "answers.json").read_text())
    if isinstance(fixture, list):
        # Their paths begin behind the address.
        address = re.search(r"^    default: (https?:\S+)", spec, re.MULTILINE)
        prefix = urlsplit(address[1]).path.rstrip("/") if address else ""
        return {request._replace(path=prefix + request.path) for request in described.requests_of({"answers": fixture})}
    tokens = {re.sub(r"^(https?://)?[^/]*", "", url) for url in re.findall(r'token_url: "?([^"\s]+)', spec)}
    return {request for request in described.requests_of(fixture) if request.path not in tokens}


def compared_requests(
    requests: set[described.Request], operations: list[described.Operation], explanations: Explanations
) -> tuple[Comparison, set[str]]:
    """Returns what is left of the findings about requests, and the paths of the description that they are for."""
    faults, explained, paths = {}, set(), set()
    for request in sorted(requests, key=str):
        operation = described.operation_for(operations, request)
        if operation:
            paths.add(operation.path)
        elif any(found.is_partial for found in operations):
            continue
        for unknown in described.unknown_of(operation, request):
            if explanations.has(unknown.name):
                explained.add(unknown)
            else:
                faults[unknown.message] = None
    return Comparison(list(faults), len(explained), set(), n_operations=len(paths)), paths


def compared(folder: pathlib.Path, adapter: str, into: pathlib.Path) -> Comparison | None:
    """Compares an adapter with its descriptions, None when the folder has none."""
    spec = (SPECS / f"{adapter}.yaml").read_text()
    explanations = Explanations(spec)
    schema = descriptions.schema_of(folder, adapter)
    if schema:
        return compared_queries(spec, schema, explanations, into)
    documents = [descriptions.document_of(path) for path in descriptions.files_of(folder, adapter)]
    if not documents:
        return None
    operations = [found for document in documents for found in described.operations_of(document, adapter in descriptions.PARTIAL)]
    paths_of_tables = paths_of(spec, operations)
    wanted = set(paths_of_tables.values())
    files = []
    for idx, document in enumerate(documents):
        # unify_check_adapter takes the first path that fits: columns are compared where there are no others than the tables'.
        paths = {path: item for path, item in document["paths"].items() if path in wanted}
        for name, part in [("whole", document), ("tables", document | {"paths": paths})]:
            files.append(into / f"{adapter}-{idx}-{name}.json")
            files[-1].write_text(json.dumps(part))
    answers = checked(SPECS / f"{adapter}.yaml", files)
    of_spec = compared_spec(answers[1::2], paths_of_tables, explanations)
    lists = {message.removeprefix(NO_TABLE) for rows in answers[::2] for level, _, message in rows if level == "note"}
    of_requests, paths = compared_requests(requests_of(adapter, spec), operations, explanations)
    faults = of_spec.faults + of_requests.faults + explanations.unused()
    n_explained = of_spec.n_explained + of_requests.n_explained
    return Comparison(faults, n_explained, lists - paths, len(documents), of_requests.n_operations)


def compared_queries(spec: str, schema: pathlib.Path, explanations: Explanations, into: pathlib.Path) -> Comparison:
    """Compares the queries of a spec with a GraphQL schema."""
    tables = descriptions.from_yaml(spec)["tables"]
    requests = [(table["name"], request) for table in tables for request in (table, table.get("refresh", {}).get("request", {}))]
    asked = [(name, request["graphql"]) for name, request in requests if "graphql" in request]
    queries = [(name, graphql if isinstance(graphql, str) else graphql["query"]) for name, graphql in asked]
    file = into / "schema.graphql"
    file.write_text(descriptions.text_of(schema))
    package = servers.installed("yoga/node_modules/graphql/index.js", "yoga")
    script = ["node", hosts.TEST / "hosts" / "check_queries.mjs", package, file]
    done = subprocess.run(script, input=json.dumps(queries), check=True, capture_output=True, text=True)
    mistakes = json.loads(done.stdout)
    told = [any(explanations.has(word, name) for word in re.findall(r'"([^"]*)"', mistake)) for name, mistake in mistakes]
    faults = [f"{name}: {mistake}" for (name, mistake), is_explained in zip(mistakes, told) if not is_explained]
    return Comparison(faults + explanations.unused(), len(mistakes) - len(faults), set(), 1, len(queries))


def main() -> None:
    folder, only = pathlib.Path(sys.argv[1]), sys.argv[2:]
    n_faults = 0
    print(f"{'adapter':<22} {'files':>5} {'operations':>10} {'findings':>8} {'explained':>9} {'lists without a table':>21}")
    with tempfile.TemporaryDirectory() as into:
        for adapter in only or sorted(path.stem for path in SPECS.glob("*.yaml")):
            found = compared(folder, adapter, pathlib.Path(into))
            if found is None:
                print(f"{adapter:<22} {'-':>5}")
                continue
            n_faults += len(found.faults)
            counts = f"{found.n_files:>5} {found.n_operations:>10} {len(found.faults):>8} {found.n_explained:>9} {len(found.lists):>21}"
            print(f"{adapter:<22} {counts}", flush=True)
            for fault in found.faults:
                print(f"    {fault}")
            for path in sorted(found.lists) if only else []:
                print(f"    {NO_TABLE}{path}")
    sys.exit(1 if n_faults else 0)


if __name__ == "__main__":
    main()
