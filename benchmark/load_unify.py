"""Loads one table with Unify: load_unify.py EXTENSION SERVER DATABASE TABLE"""

import json
import sys
import time
from pathlib import Path

import duckdb

extension, server, database, table = sys.argv[1:5]
connections_file = Path(database).with_suffix(".yaml")
connections_file.write_text(f"- bench:\n    adapter: bench\n    options:\n      server: {server}\n")
start = time.perf_counter()
session = duckdb.connect(database, config={"allow_unsigned_extensions": "true"})
opened = time.perf_counter()
session.execute(f"LOAD '{extension}'")
loaded = time.perf_counter()
session.execute(f"SET unify_spec_path = '{Path(__file__).parent / 'specs'}'")
session.execute(f"SET unify_connections_file = '{connections_file}'")
(rows,) = session.execute(f"SELECT count(*) FROM bench.{table}").fetchone()
columns = len(session.execute(f"DESCRIBE bench.{table}").fetchall())
session.close()
print(json.dumps({"rows": rows, "columns": columns, "load_extension": loaded - opened, "seconds": time.perf_counter() - start}))
