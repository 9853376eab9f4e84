"""The memory of loads beside DuckDB's own: load_memory.py EXTENSION SERVER DATABASE N_TABLES

Loads the table for N_TABLES connections at once. Prints the most memory that the process had above what it had before the loads, and the most
that DuckDB counted as its own in `duckdb_memory()`.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

from connected import connect, opened, to_server
from watched import Watched

extension, server, database, n_tables = sys.argv[1:5]
names = [f"bench{number}" for number in range(int(n_tables))]
session = opened(extension, database)
connect(session, database, to_server(server, *names))


def count(name: str) -> int:
    return session.cursor().execute(f"SELECT count(*) FROM {name}.repos").fetchone()[0]


with Watched(session) as watched, ThreadPoolExecutor(len(names)) as pool:
    rows = sum(pool.map(count, names))
session.close()
print(json.dumps({"rows": rows, **watched.figures()}))
