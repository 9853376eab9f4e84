"""Refreshes a large table by updates: load_refresh.py EXTENSION SERVER DATABASE CHANGED TIMES

Prints the median seconds of a refresh that brings nothing, of one that brings CHANGED rows, and of a commit of one row by DuckDB alone.
"""

import json
import statistics
import sys
import time
import urllib.request

from connected import connect, opened, to_server

extension, server, database, changed, times = sys.argv[1:6]
session = opened(extension, database)
connect(session, database, to_server(server, "bench"))


def seconds(statement: str) -> float:
    start = time.perf_counter()
    session.execute(statement).fetchall()
    return time.perf_counter() - start


def refreshed(rows: str) -> float:
    """Returns the median of refreshes that bring so many rows."""
    urllib.request.urlopen(f"{server}/__change?rows={rows}").close()
    return statistics.median(seconds("REFRESH TABLE bench.changing") for _ in range(int(times)))


loaded = seconds("LOAD TABLE bench.changing")
nothing, some = refreshed("0"), refreshed(changed)
session.execute("CREATE TABLE own (a BIGINT)")
commit = statistics.median(seconds("INSERT INTO own VALUES (1)") for _ in range(21))
(rows,) = session.execute("SELECT count(*) FROM bench.changing").fetchone()
session.close()
print(json.dumps({"rows": rows, "loaded": loaded, "nothing": nothing, "some": some, "commit": commit}))
