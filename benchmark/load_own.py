"""What DuckDB itself takes for the rows, without network and JSON: load_own.py PARQUET DATABASE THREADS WAY

The rows stand in memory first, which is not measured. WAY `table` is one CREATE TABLE AS; `groups` commits a row group at a time, as loads
do; `log` commits all rows while a statement is open that is older than the last change of the catalog, as a load does that a SELECT waits for
in a new file: the rows go to the WAL. Measured is all up to the close of the file, the checkpoint with it.
"""

import json
import resource
import sys
import time
from pathlib import Path

import duckdb

ROW_GROUP = 122_880


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


parquet, database, threads, way = sys.argv[1:5]
session = duckdb.connect()
session.execute("SET enable_progress_bar = false")
session.execute(f"SET threads = {threads}")
session.execute(f"CREATE TABLE rows AS FROM '{parquet}'")
(rows,) = session.execute("SELECT count(*) FROM rows").fetchone()
start, start_cpu = time.perf_counter(), cpu()
session.execute(f"ATTACH '{database}' AS file")
if way == "table":
    session.execute("CREATE TABLE file.repos AS FROM memory.rows")
elif way == "log":
    session.execute("CREATE TABLE file.older (id BIGINT)")
    reader = session.cursor()
    reader.execute("BEGIN; FROM file.older").fetchall()
    session.execute("CREATE SCHEMA file.audit; BEGIN; CREATE TABLE file.repos AS FROM memory.rows LIMIT 0")
    session.execute("INSERT INTO file.repos FROM memory.rows; COMMIT")
    if Path(f"{database}.wal").stat().st_size < Path(database).stat().st_size:
        sys.exit("the rows are not in the WAL")
    reader.execute("COMMIT")
else:
    session.execute("CREATE TABLE file.repos AS FROM memory.rows LIMIT 0")
    for first in range(0, rows, ROW_GROUP):
        session.execute(f"INSERT INTO file.repos FROM memory.rows WHERE rowid >= {first} AND rowid < {first + ROW_GROUP}")
session.execute("DETACH file")
print(json.dumps({"rows": rows, "measured": {"wall": time.perf_counter() - start, "cpu": cpu() - start_cpu}}))
