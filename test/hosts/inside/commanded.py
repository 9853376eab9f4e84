"""A host's process that does what it is told: commands come as lines of JSON, answers go back the same way, in any order.

`open` and `close` do so with the database; `sql` runs a statement on a session that has a name, each session in a thread of its own, so
that several statements run at once; `facts` says what the process holds; `file_limit` makes writes beyond a size fail, as a full disk does.
"""

import gc
import json
import os
import queue
import resource
import signal
import sys
import threading

import duckdb
from session import connect, n_threads, resident_mib

ANSWERING = threading.Lock()


def answer(number: int, content: dict) -> None:
    with ANSWERING:
        sys.stdout.write(json.dumps({"number": number, **content}) + "\n")
        sys.stdout.flush()


def text_of(value: object) -> str | None:
    return None if value is None else str(value)


class Sessions:
    """The open database: its sessions by name, each with a thread that runs its statements one after the other."""

    def __init__(self, path: str, unify: bool, settings: list[str]):
        if unify:
            self.con = connect(path)
            for setting in settings:
                self.con.execute(f"SET GLOBAL {setting}")
        else:
            self.con = duckdb.connect(path)
        self.queues: dict[str, queue.Queue] = {}
        self.cursors: dict[str, duckdb.DuckDBPyConnection] = {}
        self.threads: list[threading.Thread] = []

    def run(self, number: int, name: str, sql: str) -> None:
        if name not in self.queues:
            self.queues[name] = queue.Queue()
            self.cursors[name] = self.con.cursor()
            thread = threading.Thread(target=self.work, args=(self.queues[name], self.cursors[name]), daemon=True)
            self.threads.append(thread)
            thread.start()
        self.queues[name].put((number, sql))

    def work(self, statements: queue.Queue, cursor: duckdb.DuckDBPyConnection) -> None:
        while (statement := statements.get()) is not None:
            number, sql = statement
            try:
                cursor.execute(sql)
                columns = [column[0] for column in cursor.description or []]
                rows = [[text_of(value) for value in row] for row in cursor.fetchall()] if columns else []
                result = {"columns": columns, "rows": rows}
            except Exception as err:  # noqa: BLE001: the one who asked decides what it means
                result = {"error": f"{type(err).__name__}: {err}"}
            answer(number, result)

    def interrupt(self) -> None:
        for cursor in self.cursors.values():
            cursor.interrupt()

    def close(self) -> None:
        """Closes every session. A statement under way is interrupted: what it waits for goes on until the database is closed."""
        for statements in self.queues.values():
            statements.put(None)
        for thread in self.threads:
            while thread.is_alive():
                self.interrupt()
                thread.join(0.01)
        for cursor in self.cursors.values():
            cursor.close()
        self.con.close()
        self.__dict__.clear()
        gc.collect()


def facts() -> dict:
    gc.collect()
    # In this order: threads of the extension that end meanwhile are not counted among all.
    unify_threads = n_threads("unify")
    return {"threads": n_threads(), "unify_threads": unify_threads, "files": len(os.listdir("/proc/self/fd")), "mib": resident_mib()}


def main() -> None:
    sessions = None
    for line in sys.stdin:
        command = json.loads(line)
        number, what = command["number"], command["do"]
        try:
            match what:
                case "open":
                    sessions = Sessions(command["path"], command["unify"], command["settings"])
                case "sql":
                    sessions.run(number, command["on"], command["sql"])
                    continue
                case "interrupt":
                    sessions.interrupt()
                case "close":
                    sessions.close()
                    sessions = None
                case "file_limit":
                    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                    resource.setrlimit(resource.RLIMIT_FSIZE, (command["bytes"], resource.RLIM_INFINITY))
                case "facts":
                    answer(number, facts())
                    continue
            answer(number, {})
        except Exception as err:  # noqa: BLE001: as above
            answer(number, {"error": f"{type(err).__name__}: {err}"})


main()
