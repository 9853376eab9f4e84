"""What scripts that run inside a host need: a database with the extension loaded, and the test API."""

import os
import pathlib
import sys
import threading
import time
import urllib.error
import urllib.request

import duckdb

EXTENSION = os.environ["UNIFY_EXTENSION"]
API = os.environ["UNIFY_TEST_API"]
TEST = pathlib.Path(os.environ["UNIFY_TEST_FOLDER"])


def connect(path: str = ":memory:", load: str = f"LOAD '{EXTENSION}'", **options: object) -> duckdb.DuckDBPyConnection:
    """Opens a database, loads the extension and points it to the tests' specs and connections."""
    con = duckdb.connect(path, config={"allow_unsigned_extensions": "true"}, **options)
    con.execute(load)
    # On a machine that is busy it would stand among the lines that tests read; in a notebook it is what they read.
    if "ipykernel" not in sys.modules:
        con.execute("SET enable_progress_bar = false")
    point(con)
    return con


def point(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"SET GLOBAL unify_spec_path = '{TEST / 'specs'}'")
    con.execute(f"SET GLOBAL unify_connections_file = '{os.environ['UNIFY_TEST_CONNECTIONS']}'")


def get(path: str) -> str:
    """Asks the test API and returns the answer's text."""
    with urllib.request.urlopen(API + path, timeout=60) as answer:
        return answer.read().decode().strip()


def n_requests(path: str) -> int:
    return int(get(f"/__stats?path={path}"))


def leave_load_running(con: duckdb.DuckDBPyConnection) -> None:
    """Returns while the load of shop.gated waits for its second page."""
    con.execute("SET unify_load_timeout = 0.05")
    try:
        con.execute("SELECT * FROM shop.gated").fetchall()
    except duckdb.Error:
        get("/__wait?path=/shop/gated&n=2")
        con.execute("RESET unify_load_timeout")
    else:
        raise AssertionError("the SELECT did not wait for the gate")


def until(look, is_enough, seconds: float = 20):
    """Looks again and again until that is enough, and returns what was seen last."""
    end = time.monotonic() + seconds
    seen = look()
    while not is_enough(seen) and time.monotonic() < end:
        seen = look()
    return seen


def in_thread(action) -> tuple[threading.Thread, list]:
    """Runs the action in a thread; its result or exception is put into the list."""
    results: list = []

    def run() -> None:
        try:
            results.append(action())
        except Exception as err:  # noqa: BLE001: the caller looks at it
            results.append(err)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


def n_threads(prefix: str = "") -> int:
    """Returns how many threads this process has whose names begin so."""
    n_found = 0
    for task in pathlib.Path("/proc/self/task").iterdir():
        try:
            n_found += (task / "comm").read_text().startswith(prefix)
        except OSError:
            pass  # It ended meanwhile.
    return n_found


def resident_mib() -> float:
    status = pathlib.Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def attach(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Attaches the test's target as `lake`."""
    for statement in os.environ["UNIFY_TEST_ATTACH"].splitlines():
        con.execute(statement)
    return con


def lake(path: str = ":memory:") -> duckdb.DuckDBPyConnection:
    """Opens a database with the test's target attached and set."""
    con = attach(connect(path))
    con.execute("SET enable_progress_bar = false")
    con.execute("SET GLOBAL unify_target = 'lake'")
    return con
