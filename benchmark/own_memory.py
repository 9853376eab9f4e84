"""The memory DuckDB alone takes to store what a load stored: own_memory.py LOADED DATABASE

Copies the tables of the file LOADED to a new one, a row group at a time, as loads commit them. Prints what load_memory.py prints.
"""

import json
import sys

import duckdb
from watched import Watched

ROW_GROUP = 122_880

loaded, database = sys.argv[1:3]
session = duckdb.connect(database)
session.execute(f"ATTACH '{loaded}' AS loaded (READ_ONLY)")
tables = session.execute("SELECT schema_name FROM duckdb_tables() WHERE database_name = 'loaded' AND table_name = 'repos'").fetchall()
rows = 0
with Watched(session) as watched:
    for (schema,) in tables:
        source = f"loaded.{schema}.repos"
        session.execute(f"CREATE SCHEMA {schema}")
        session.execute(f"CREATE TABLE {schema}.repos AS FROM {source} LIMIT 0")
        (n_rows,) = session.execute(f"SELECT count(*) FROM {source}").fetchone()
        for first in range(0, n_rows, ROW_GROUP):
            session.execute(f"INSERT INTO {schema}.repos FROM {source} WHERE rowid >= {first} AND rowid < {first + ROW_GROUP}")
        rows += n_rows
session.close()
print(json.dumps({"rows": rows, **watched.figures()}))
