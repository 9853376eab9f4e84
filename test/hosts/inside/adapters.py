"""Loads every table of every adapter, refreshes those that ask for what changed, runs the queries that their help shows, and prints what came, a
line of JSON for each.

Arguments: a folder with a folder for each adapter, which has its spec and a connections file, the folder with the fixtures, and the names of the
adapters.
"""

import json
import pathlib
import re
import sys
from urllib.parse import quote

import duckdb
from session import connect, get

folder, fixtures, *names = sys.argv[1:]
con = connect()
# A slow machine must not put a bar among the lines.
con.execute("SET enable_progress_bar = false")


def rows(sql: str) -> list[tuple]:
    return con.execute(sql).fetchall()


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def answers_used() -> dict[str, int]:
    return {name: count["requests"] for name, count in json.loads(get("/__stats")).items() if name.startswith(("replayed:", "unmatched:"))}


def loaded(statement: str, connection: str, table: str) -> dict:
    """Runs a load, and returns what the table has afterwards and which answers it took."""
    place = f"{connection}.{quoted(table)}"
    before = answers_used()
    con.execute(f"{statement} {place}")
    taken = {name: count - before.get(name, 0) for name, count in answers_used().items() if count > before.get(name, 0)}
    keys = [name for name, _ in rows(f"SELECT \"column\", type FROM unify_columns('{connection}.{table}') WHERE key")]
    key = ", ".join(map(quoted, keys))
    is_keyed = f"count(DISTINCT ({key})) = count(*) AND count(*) FILTER ({' OR '.join(quoted(name) + ' IS NULL' for name in keys)}) = 0" if keys else "true"
    n_rows, has_good_keys = rows(f"SELECT count(*), {is_keyed} FROM {place}")[0]
    return {"rows": n_rows, "keys": keys, "has_good_keys": has_good_keys, "answers": taken}


def outcome(connection: str, table: str, kind: str, strategy: str) -> dict:
    place = f"{connection}.{quoted(table)}"
    declared = rows(f"SELECT \"column\", type FROM unify_columns('{connection}.{table}')") if kind == "table" else []
    found: dict = {"adapter": connection, "table": table, "kind": kind, "strategy": strategy}
    try:
        if kind == "view":
            found["rows"] = rows(f"SELECT count(*) FROM {place}")[0][0]
        else:
            found["load"] = loaded("LOAD TABLE", connection, table)
            if strategy == "updates":
                found["refresh"] = loaded("REFRESH TABLE", connection, table)
        columns = {name: type_ for name, type_, *_ in rows(f"DESCRIBE {place}")}
        found["columns"] = columns
        found["undeclared"] = [f"{name} {type_}" for name, type_ in declared if type_ and columns.get(name) != type_]
    except duckdb.Error as err:
        found["error"] = str(err)
    return found


def examples(connection: str) -> list[str]:
    """Returns the queries that the help of an adapter shows: they begin on a line of their own and end with a semicolon."""
    spec = (pathlib.Path(folder) / connection / f"{connection}.yaml").read_text()
    told = re.search(r"^help: \|\n((?:  .*\n|\n)+)", spec, re.MULTILINE)
    return re.findall(r"^\s*((?:SELECT|FROM|WITH)\b[^;]*);$", told[1], re.MULTILINE) if told else []


def outcome_of_example(connection: str, query: str) -> dict:
    found = {"adapter": connection, "example": query}
    try:
        # Nothing is fetched: Python would want a module of its own for times with a zone.
        con.execute(f"CREATE OR REPLACE TEMP TABLE example AS {query}")
    except duckdb.Error as err:
        found["error"] = str(err)
    return found


for connection in names:
    get("/__control?reset=1&replay=" + quote(fixtures))
    con.execute(f"SET GLOBAL unify_spec_path = '{folder}/{connection}'")
    con.execute(f"SET GLOBAL unify_connections_file = '{folder}/{connection}/connections.json'")
    tables = rows(f"SELECT \"table\", status, kind, strategy FROM unify_tables('{connection}') ORDER BY kind, \"table\"")
    for table, status, kind, strategy in tables:
        found = outcome(connection, table, kind, strategy) if table else {"adapter": connection, "table": "", "error": status}
        print(json.dumps(found), flush=True)
    for query in examples(connection):
        print(json.dumps(outcome_of_example(connection, query)), flush=True)
    print(json.dumps({"used": answers_used()}), flush=True)
for level, message in rows("SELECT level, table_name || ': ' || message FROM information_schema.loading_log WHERE level NOT IN ('INFO', 'DEBUG')"):
    print(json.dumps({"log": f"{level} {message}"}))
