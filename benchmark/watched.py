"""The memory of this process, and what of it DuckDB counts as its own, while something runs."""

import threading
from pathlib import Path

import duckdb

MIB = 1 << 20
SECONDS_BETWEEN = 0.02


def resident() -> int:
    """Bytes of the process that are not pages of files, as the kernel counts them."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["RssAnon"].split()[0]) * 1024


class Watched:
    """Looks for the length of a `with` block. What DuckDB gave back the allocator may keep: so the two most are not of the same moment."""

    def __init__(self, session: duckdb.DuckDBPyConnection) -> None:
        self.session = session.cursor()
        self.start, self.most, self.counted = resident(), 0, 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self) -> None:
        while not self.ended.wait(SECONDS_BETWEEN):
            (counted,) = self.session.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchone()
            self.most, self.counted = max(self.most, resident()), max(self.counted, int(counted))

    def __enter__(self) -> "Watched":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def figures(self) -> dict[str, float]:
        """Returns the most of the process above what it had before, and the most that `duckdb_memory()` counted."""
        return {"most_mib": (self.most - self.start) / MIB, "counted_mib": self.counted / MIB}
