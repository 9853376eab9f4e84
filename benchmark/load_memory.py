"""The memory of loads beside DuckDB's own: load_memory.py EXTENSION SERVER DATABASE N_TABLES

Loads the table for N_TABLES connections at once. Prints the most memory that the process had above what it had before the loads, and the most
that DuckDB counted as its own in `duckdb_memory()`. What DuckDB gave back the allocator may keep: so not both at the same moment.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from connected import connect, opened, to_server

MIB = 1 << 20
extension, server, database, n_tables = sys.argv[1:5]
names = [f"bench{number}" for number in range(int(n_tables))]
session = opened(extension, database)
connect(session, database, to_server(server, *names))


def resident() -> int:
    """Bytes of the process that are not pages of files, as the kernel counts them."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["RssAnon"].split()[0]) * 1024


def watch(ended: threading.Event, samples: list[tuple[int, int]]) -> None:
    own = session.cursor()
    while not ended.wait(0.02):
        (counted,) = own.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchone()
        samples.append((resident(), int(counted)))


def count(name: str) -> int:
    return session.cursor().execute(f"SELECT count(*) FROM {name}.repos").fetchone()[0]


start, samples, ended = resident(), [], threading.Event()
watcher = threading.Thread(target=watch, args=(ended, samples))
watcher.start()
with ThreadPoolExecutor(len(names)) as pool:
    rows = sum(pool.map(count, names))
ended.set()
watcher.join()
session.close()
most = max(resident for resident, _ in samples) - start
counted = max(counted for _, counted in samples)
print(json.dumps({"rows": rows, "most_mib": most / MIB, "counted_mib": counted / MIB}))
