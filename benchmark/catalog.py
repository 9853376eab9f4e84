"""What names cost beside many connections: catalog.py EXTENSION SERVER DATABASE N_CONNECTIONS

Prints the median milliseconds of statements about a table that is loaded, with a connection to each of N_CONNECTIONS adapters.
"""

import json
import statistics
import sys
import time
from contextlib import suppress

import duckdb
from connected import connect, opened, to_server

N_TIMES = 51
STATEMENTS = {
    "DESCRIBE": "DESCRIBE bench.repos",
    "SHOW TABLES IN": "SHOW TABLES IN bench",
    "an unknown table": "FROM bench.nowhere",
    "SELECT": "SELECT count(*) FROM bench.repos",
}
extension, server, database, n_connections = sys.argv[1:5]
session = opened(extension, database)
adapters = session.execute("SELECT DISTINCT adapter FROM unify_adapters() ORDER BY adapter LIMIT ?", [int(n_connections) - 1]).fetchall()
connections = [*to_server(server, "bench"), *({name: {"adapter": name}} for (name,) in adapters)]
connect(session, database, connections)
session.execute("SELECT count(*) FROM bench.repos")


def milliseconds(statement: str) -> float:
    start = time.perf_counter()
    # A name that is not known is an error.
    with suppress(duckdb.Error):
        session.execute(statement).fetchall()
    return (time.perf_counter() - start) * 1000


times = {name: statistics.median(milliseconds(statement) for _ in range(N_TIMES)) for name, statement in STATEMENTS.items()}
print(json.dumps({"connections": len(connections), "times": times}))
