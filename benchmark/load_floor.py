"""The floor, by hand: fetch the pages to files, then read_json: load_floor.py FETCH SERVER DATABASE THREADS CONNECTIONS"""

import json
import subprocess
import sys
import tempfile
import time

import duckdb

fetch, server, database, threads, connections = sys.argv[1:6]
start = time.perf_counter()
with tempfile.TemporaryDirectory(dir=database.rpartition("/")[0]) as folder:
    command = [fetch, "--url", f"{server}/repos", "--connections", connections, "--folder", folder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    session = duckdb.connect(database)
    session.execute(f"SET threads = {threads}")
    session.execute("SET enable_progress_bar = false")
    session.execute(f"CREATE TABLE repos AS FROM read_json('{folder}/*.json')")
    (rows,) = session.execute("SELECT count(*) FROM repos").fetchone()
    columns = len(session.execute("DESCRIBE repos").fetchall())
    session.close()
print(json.dumps({"rows": rows, "columns": columns, "seconds": time.perf_counter() - start}))
