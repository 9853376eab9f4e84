"""Prints what Unify says of adapters, as JSON: their options, tables, columns known before a load, and views.

Arguments: the folder with the specs, a folder with a folder for each adapter, which has its spec with the test API in the place of the vendor and a
connections file, the folder with the fixtures, and the names of the adapters.
"""

import json
import sys
from urllib.parse import quote

from session import connect, get

specs, folder, fixtures, *names = sys.argv[1:]
con = connect()
# A slow machine must not put a bar among the lines.
con.execute("SET enable_progress_bar = false")
get("/__control?reset=1&replay=" + quote(fixtures))


def rows(sql: str) -> list[tuple]:
    return con.execute(sql).fetchall()


# The adapters as they are: no connection of the tests has the name of one.
con.execute(f"SET GLOBAL unify_spec_path = '{specs}'")
con.execute(f"SET GLOBAL unify_connections_file = '{folder}/none.json'")
pages = {name: {"options": rows(f"SELECT syntax, description FROM unify_help('{name}') WHERE kind = 'option'")} for name in names}
for name, auth, description, error in rows("SELECT adapter, auth, description, error FROM unify_adapters()"):
    if name in pages:
        pages[name] |= {"auth": auth, "description": description, "error": error}
# Only a connection has tables, and its API may be asked which.
for name in names:
    con.execute(f"SET GLOBAL unify_spec_path = '{folder}/{name}'")
    con.execute(f"SET GLOBAL unify_connections_file = '{folder}/{name}/connections.json'")
    tables = rows(f"SELECT \"table\", kind, strategy, description FROM unify_tables('{name}')")
    columns = {
        table: rows(f"SELECT \"column\", type, key, description FROM unify_columns('{name}.{table}')") for table, kind, *_ in tables if kind == "table"
    }
    pages[name] |= {"tables": tables, "columns": columns}
print(json.dumps(pages))
