"""One DuckDB line's part of the soak: random statements, faults, interruptions, closings and kills, and what must hold all the while.

A random table is read again and again: what it shows must be exactly one state its book had. A database lives for a while, then all its
tables are refreshed without disturbances, compared, its audit trail is judged, and the next database begins.
"""

import time
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path
from random import Random

import hosts
from host_process import PATIENCE, Answer, Failed, HostProcess
from kill_checks import check_audit
from ledger_quirks import NAMES
from ledger_truth import TYPED_SQL, Found
from soak_world import Shelf, SoakTable, Wrong, shelves_of, some_settings

SESSIONS = ["a", "b", "c", "d"]

# How often each thing happens, in relation to the others.
ACTIONS = {"begin": 40, "watch": 25, "change": 20, "faults": 3, "interrupt": 1, "cancel": 1, "reopen": 0.5, "kill": 0.5}

# Seconds that one database is used.
LIFETIME = (5, 40)

# What a process may hold more than after its second closing, and in all.
MORE_MIB = 150
MOST_MIB = 1000

# A message that must never come, whatever was disturbed.
BUGS = ["internal error", "internal:", "panicked", "please report"]


@dataclass(eq=False)
class Statement:
    """A statement under way."""

    table: SoakTable
    what: str
    session: str
    answer: Answer
    began: float
    n_fault_changes: int
    # The revision the table showed when the statement began.
    shown_before: int | None
    # Whether no other statement of the table was under way at any time.
    alone: bool = True


class Soak:
    """The soak of one DuckDB line."""

    def __init__(self, release: str, around: hosts.Surroundings, seed: int, wanted: frozenset[str] = frozenset(NAMES)):
        self.release = release
        # Names of the quirks that sources and settings may have.
        self.wanted = wanted
        self.around = around
        self.random = Random(f"{seed}/{release}")
        self.shelves: list[Shelf] = shelves_of(around, release, wanted)
        self.tables = [table for shelf in self.shelves for table in shelf.tables]
        # Connections whose tables are worked on; what the others have unfinished comes to its end, so that they can change.
        self.busy = self.shelves[: len(self.shelves) // 2]
        self.began = time.monotonic()
        self.counts: Counter[str] = Counter()
        self.journal: deque[str] = deque(maxlen=60)
        self.running: list[Statement] = []
        self.process: HostProcess | None = None
        # What the process held after its second closing.
        self.n_closings = 0
        self.baseline: dict | None = None
        self.most_mib = 0.0
        self.has_jobs = False
        self.path = Path()
        # Settings of the host for the present database.
        self.settings: tuple[str, ...] = ()

    def run(self, seconds: float) -> None:
        """Soaks for about that time. Fails at the first thing that is wrong."""
        deadline = self.began + seconds
        try:
            while time.monotonic() < deadline:
                lifetime = time.monotonic() + self.random.uniform(*LIFETIME)
                self.one_database(min(lifetime, deadline))
        finally:
            for shelf in self.shelves:
                shelf.book.settle()
            if self.process:
                self.process.kill()

    def note(self, text: str) -> None:
        self.journal.append(f"{time.monotonic() - self.began:8.2f} s  {text}")

    def one_database(self, until: float) -> None:
        self.counts["databases"] += 1
        self.path = self.around.folder / f"{self.counts['databases']}.duckdb"
        for shelf in self.shelves:
            shelf.begin_anew(self.random)
            self.note(f"{shelf.schema}: {shelf.quirks.describe()}")
        self.settings = some_settings(self.random, self.wanted)
        self.note(f"settings: {', '.join(self.settings)}")
        self.open()
        names, weights = list(ACTIONS), list(ACTIONS.values())
        while time.monotonic() < until:
            getattr(self, self.random.choices(names, weights)[0])()
            self.collect()
        self.finish()
        for file in self.around.folder.glob(f"{self.path.name}*"):
            file.unlink()

    def open(self) -> None:
        if not self.process:
            self.process = HostProcess(self.release, self.around)
            self.n_closings, self.baseline = 0, None
        self.process.open(self.path, settings=self.settings)
        self.counts["opens"] += 1
        self.has_jobs = bool(self.process.sql("SELECT 1 FROM duckdb_functions() WHERE function_name = 'unify_cancel'"))

    # Actions.

    def begin(self) -> None:
        """Begins a statement on a session that has none."""
        idle = self.idle_sessions()
        if not idle:
            self.running[0].answer.wait(0.02)
            return
        table, session = self.random.choice(self.random.choice(self.busy).tables), self.random.choice(idle)
        what = self.random.choice(["SELECT", "LOAD", "REFRESH", "REFRESH", *(["BACKGROUND"] if self.has_jobs else [])])
        self.start(table, what, session)

    def idle_sessions(self) -> list[str]:
        return sorted(set(SESSIONS) - {statement.session for statement in self.running})

    def start(self, table: SoakTable, what: str, session: str) -> Statement:
        sql = {
            "SELECT": TYPED_SQL.format(name=table.name), "LOAD": f"LOAD TABLE {table.name}", "REFRESH": f"REFRESH TABLE {table.name}",
            "BACKGROUND": f"REFRESH TABLE {table.name} IN BACKGROUND",
        }[what]
        self.note(f"{session}: {what} {table.name}")
        others = [statement for statement in self.running if statement.table is table]
        answer = self.process.begin_sql(sql, on=session)
        statement = Statement(
            table, what, session, answer, time.monotonic(), table.shelf.n_fault_changes, table.shown, alone=not others,
        )
        for other in others:
            other.alone = False
        if what in ("REFRESH", "BACKGROUND") or table.shown is None:
            table.clean = False
        table.n_statements += 1
        self.running.append(statement)
        self.counts[what] += 1
        return statement

    def watch(self) -> None:
        """Reads what a table shows, without loading it."""
        self.look_at(self.random.choice(self.tables))

    def look_at(self, table: SoakTable) -> None:
        exists = self.process.sql(
            f"SELECT 1 FROM duckdb_tables() WHERE schema_name = '{table.shelf.schema}' AND table_name = '{table.table.name}'", on="watch"
        )
        before = table.shown
        table.saw(Found.of(self.process.sql(TYPED_SQL.format(name=table.name), on="watch")) if exists else None)
        self.counts["looks"] += 1
        self.counts["publications seen"] += table.shown != before

    def change(self) -> None:
        """Changes the book of a connection that is not worked on, or finishes what keeps it from changing."""
        if self.random.random() < 0.1:
            self.busy = self.random.sample(self.shelves, len(self.shelves) // 2)
        shelf = self.random.choice([shelf for shelf in self.shelves if shelf not in self.busy])
        if shelf.may_change():
            shelf.change(self.random)
            self.counts["changes"] += 1
            self.note(f"{shelf.schema} changes to revision {shelf.revision}")
            self.busy = [shelf, *self.busy[1:]]
            return
        unfinished = [table for table in shelf.tables if not table.clean and table.n_statements == 0]
        idle = self.idle_sessions()
        if unfinished and idle:
            self.start(unfinished[0], "REFRESH", idle[0])

    def faults(self) -> None:
        shelf = self.random.choice(self.shelves)
        self.note(f"{shelf.schema} has faults: {shelf.switch_faults(self.random)}")
        self.counts["fault changes"] += 1

    def interrupt(self) -> None:
        """Interrupts all statements: their jobs go on."""
        if self.running:
            self.note("interrupts")
            self.disturb_all()
            self.process.begin("interrupt").get()
            self.counts["interrupts"] += 1

    def cancel(self) -> None:
        jobs = self.process.sql("SELECT job FROM unify_jobs() WHERE state = 'running'", on="watch") if self.has_jobs else []
        if jobs:
            job = self.random.choice(jobs)["job"]
            self.note(f"cancels job {job}")
            self.disturb_all()
            try:
                self.process.sql(f"CANCEL JOB {job}", on="watch")
            except Failed as err:
                self.note(f"too late: {err}")
            self.counts["cancels"] += 1

    def disturb_all(self) -> None:
        for table in self.tables:
            table.clean = table.clean and table.n_statements == 0
            table.disturbed = True

    def reopen(self) -> None:
        """Closes the database in the middle of whatever runs, and opens it again, in the same process or another."""
        self.note("closes")
        self.close()
        if self.random.random() < 0.25:
            self.process.end()
            self.process = None
        self.open()
        self.counts["reopened"] += 1

    def kill(self) -> None:
        self.note("kills")
        self.process.kill()
        self.process = None
        self.abandon()
        self.open()
        self.counts["kills"] += 1

    def abandon(self) -> None:
        """Forgets the statements under way: their database is gone, and what the server gave them may expire."""
        self.disturb_all()
        for shelf in self.shelves:
            shelf.let_tokens_expire()
        for statement in self.running:
            statement.table.n_statements -= 1
        self.running.clear()

    # What follows.

    def collect(self) -> None:
        """Judges the statements that have ended."""
        for statement in [statement for statement in self.running if statement.answer.wait(0)]:
            self.judge(statement)
        for statement in self.running:
            if time.monotonic() - statement.began > PATIENCE:
                raise Wrong(f"{statement.what} of {statement.table.name} does not end")

    def judge(self, statement: Statement) -> None:
        self.running.remove(statement)
        table, shelf = statement.table, statement.table.shelf
        table.n_statements -= 1
        undisturbed = not shelf.faulty and statement.n_fault_changes == shelf.n_fault_changes
        try:
            content = statement.answer.get()
        except Failed as err:
            message = str(err)
            self.note(f"{statement.session}: failed: {message[:200]}")
            self.counts["failed"] += 1
            if not table.disturbed or any(bug in message.lower() for bug in BUGS):
                raise Wrong(f"{statement.what} of {table.name} failed: {message}") from None
            # Whatever a disturbance left running has come to its end with this one.
            if statement.alone and undisturbed and "goes on loading" not in message:
                table.disturbed = False
            return
        self.note(f"{statement.session}: done")
        was_shown = table.shown
        if statement.what == "SELECT":
            rows = [dict(zip(content["columns"], row, strict=True)) for row in content["rows"]]
            table.saw(Found.of(rows), statement.shown_before)
        if statement.what == "REFRESH" or (was_shown is None and statement.what in ("SELECT", "LOAD")):
            # What is shown from now on was loaded since the book changed.
            table.shown = shelf.revision
        self.counts["publications seen"] += table.shown != was_shown
        if statement.alone and statement.what == "REFRESH":
            table.clean = True
            table.disturbed = table.disturbed and not undisturbed

    def close(self) -> None:
        """Closes the database, after which the process must hold what it held before."""
        self.process.close()
        # A load goes on until its threads see that the database is closed. What the server gave it may expire then, and not before: some answer
        # with an empty page, which is how pages end.
        facts = self.facts_without_threads()
        self.abandon()
        self.n_closings += 1
        self.most_mib = max(self.most_mib, facts["mib"])
        if self.n_closings == 2:
            self.baseline = facts
        if self.baseline:
            more = {key: facts[key] - self.baseline[key] for key in facts}
            if more["files"] > 0 or more["threads"] > 0 or more["mib"] > MORE_MIB or facts["mib"] > MOST_MIB:
                raise Wrong(f"after {self.n_closings} closings the process holds more: {facts}, after two it was {self.baseline}")

    def facts_without_threads(self) -> dict:
        """Returns what the closed process holds, once the extension's threads are gone."""
        patience = time.monotonic() + 5
        while (facts := self.process.begin("facts").get())["unify_threads"]:
            if time.monotonic() > patience:
                raise Wrong(f"threads are left after closing: {facts}")
        return facts

    def finish(self) -> None:
        """Refreshes all tables without disturbances and judges everything that is left."""
        self.note("finishes")
        for statement in list(self.running):
            statement.answer.wait(PATIENCE)
            self.judge(statement)
        for shelf in self.shelves:
            shelf.be_well()
        for table in self.tables:
            # The first may join a load that a fault has ended already.
            for _ in range(3):
                statement = self.start(table, "REFRESH", SESSIONS[0])
                statement.answer.wait(PATIENCE)
                self.judge(statement)
                if table.clean:
                    break
            else:
                raise Wrong(f"{table.name} could not be refreshed")
            self.look_at(table)
            if table.truth(table.shelf.revision) != table.truth(table.shown):
                raise Wrong(f"{table.name} shows revision {table.shown} after a refresh to {table.shelf.revision}")
        check_audit(self.process.sql("FROM information_schema.loading_jobs ORDER BY id", on="watch"))
        left = self.process.sql("SELECT * FROM unify.load_state WHERE table_name LIKE '%\\_\\_loading' ESCAPE '\\'", on="watch")
        staged = self.process.sql("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '%\\_\\_loading' ESCAPE '\\'", on="watch")
        if left or staged:
            raise Wrong(f"finished loads left their state: {left} {staged}")
        self.close()

    def summary(self) -> str:
        counts = ", ".join(f"{name} {n}" for name, n in sorted(self.counts.items()))
        jobs = "" if self.has_jobs else "; CANCEL JOB is not there"
        return f"DuckDB {self.release}: {counts}; at most {self.most_mib:.0f} MiB when closed{jobs}"
