"""The CPU of a statement that waits for a load: waiting.py EXTENSION SERVER DATABASE"""

import json
import resource
import sys
import time
from pathlib import Path

import duckdb


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


extension, server, database = sys.argv[1:4]
connections_file = Path(database).with_suffix(".yaml")
connections_file.write_text(json.dumps([{"bench": {"adapter": "bench", "options": {"server": server}}}]))
session = duckdb.connect(database, config={"allow_unsigned_extensions": "true"})
session.execute(f"LOAD '{extension}'")
session.execute(f"SET unify_spec_path = '{Path(__file__).parent / 'specs'}'")
session.execute(f"SET unify_connections_file = '{connections_file}'")
start, start_cpu = time.perf_counter(), cpu()
(rows,) = session.execute("SELECT count(*) FROM bench.repos").fetchone()
print(json.dumps({"rows": rows, "seconds": time.perf_counter() - start, "cpu": cpu() - start_cpu}))
