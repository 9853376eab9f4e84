"""What the extension costs statements that have nothing to do with it: statements.py EXTENSION"""

import json
import statistics
import sys
import time

import duckdb

N_STATEMENTS = 3000
N_ROUNDS = 7


def seconds(session: duckdb.DuckDBPyConnection) -> float:
    start = time.perf_counter()
    for number in range(N_STATEMENTS):
        session.execute(f"SELECT a + {number} FROM t WHERE a = 1").fetchall()
    return time.perf_counter() - start


sessions = [duckdb.connect(config={"allow_unsigned_extensions": "true"}) for _ in range(2)]
for session in sessions:
    session.execute("CREATE TABLE t AS SELECT 1 AS a")
start = time.perf_counter()
sessions[1].execute(f"LOAD '{sys.argv[1]}'")
load_extension = time.perf_counter() - start
rounds = [[seconds(session) for session in sessions] for _ in range(N_ROUNDS)]
without, with_unify = (statistics.median(times) / N_STATEMENTS * 1e6 for times in zip(*rounds))
print(json.dumps({"load_extension": load_extension, "without_us": without, "with_us": with_unify}))
