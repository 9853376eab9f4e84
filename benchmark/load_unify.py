"""Loads one table with Unify: load_unify.py EXTENSION SERVER DATABASE TABLE [THREADS [load]]

A SELECT loads the table and counts its rows; with `load`, LOAD TABLE comes before it.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

extension, server, database, table = sys.argv[1:5]
threads = sys.argv[5] if len(sys.argv) > 5 else None
connections_file = Path(database).with_suffix(".yaml")
connections_file.write_text(f"- bench:\n    adapter: bench\n    options:\n      server: {server}\n")
start = time.perf_counter()
session = duckdb.connect(database, config={"allow_unsigned_extensions": "true"})
opened = time.perf_counter()
session.execute(f"LOAD '{extension}'")
loaded = time.perf_counter()
session.execute(f"SET unify_spec_path = '{Path(__file__).parent / 'specs'}'")
session.execute(f"SET unify_connections_file = '{connections_file}'")
if threads:
    session.execute(f"SET threads = {threads}")
started = time.perf_counter()
if "load" in sys.argv[6:]:
    session.execute(f"LOAD TABLE bench.{table}").fetchall()
(rows,) = session.execute(f"SELECT count(*) FROM bench.{table}").fetchone()
statement = time.perf_counter() - started
columns = len(session.execute(f"DESCRIBE bench.{table}").fetchall())
session.close()
seconds = time.perf_counter() - start
print(json.dumps({"rows": rows, "columns": columns, "load_extension": loaded - opened, "statement": statement, "seconds": seconds}))
