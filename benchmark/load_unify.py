"""Loads one table with Unify: load_unify.py EXTENSION SERVER DATABASE TABLE [THREADS [load]] [OPTION=VALUE ...]

A SELECT loads the table and counts its rows; with `load`, LOAD TABLE comes before it. The options are the connection's.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

extension, server, database, table = sys.argv[1:5]
words = [word for word in sys.argv[5:] if "=" not in word]
given = {"server": server, **dict(word.split("=", 1) for word in sys.argv[5:] if "=" in word)}
threads = words[0] if words else None
connections_file = Path(database).with_suffix(".yaml")
connections_file.write_text(json.dumps([{"bench": {"adapter": "bench", "options": given}}]))
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
if "load" in words[1:]:
    session.execute(f"LOAD TABLE bench.{table}").fetchall()
(rows,) = session.execute(f"SELECT count(*) FROM bench.{table}").fetchone()
statement = time.perf_counter() - started
columns = len(session.execute(f"DESCRIBE bench.{table}").fetchall())
closing = time.perf_counter()
session.close()
closed = time.perf_counter()
answer = {"rows": rows, "columns": columns, "load_extension": loaded - opened, "statement": statement}
print(json.dumps({**answer, "close": closed - closing, "seconds": closed - start}))
