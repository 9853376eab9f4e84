"""One large body by hand: saved to a file, then read: load_body.py FORMAT SERVER DATABASE THREADS"""

import json
import shutil
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import duckdb

form, server, database, threads = sys.argv[1:5]
READERS = {"ndjson": "read_json('{}', format = 'newline_delimited')", "csv": "read_csv('{}')"}
start = time.perf_counter()
with tempfile.TemporaryDirectory(dir=Path(database).parent) as folder:
    path = Path(folder) / f"export.{form}"
    with urllib.request.urlopen(f"{server}/export") as answer, path.open("wb") as file:
        shutil.copyfileobj(answer, file, 1 << 20)
    session = duckdb.connect(database)
    session.execute(f"SET threads = {threads}")
    session.execute("SET enable_progress_bar = false")
    session.execute(f"CREATE TABLE rows AS FROM {READERS[form].format(path)}")
    (rows,) = session.execute("SELECT count(*) FROM rows").fetchone()
    session.close()
print(json.dumps({"rows": rows, "seconds": time.perf_counter() - start}))
