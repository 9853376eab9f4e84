"""The CPU of a statement that waits for a load: waiting.py EXTENSION SERVER DATABASE"""

import json
import resource
import sys
import time

from connected import connect, opened, to_server


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


extension, server, database = sys.argv[1:4]
session = opened(extension, database)
connect(session, database, to_server(server, "bench"))
start, start_cpu = time.perf_counter(), cpu()
(rows,) = session.execute("SELECT count(*) FROM bench.repos").fetchone()
print(json.dumps({"rows": rows, "seconds": time.perf_counter() - start, "cpu": cpu() - start_cpu}))
