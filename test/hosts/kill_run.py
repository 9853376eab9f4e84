"""Runs one case of the kill harness: disturbs a load as often as the case says, finishes it, and judges what is there after each step."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import hosts
import ledger
from host_process import Answer, Failed, Gone, HostProcess
from kill_cases import STATEMENTS, Case, Disturbance
from kill_checks import Left, Seen, check_audit, check_requests, check_shown, check_state, ends_of, look, requests_left
from ledger_truth import Truth

# How long a held request waits for what came before it to be stored.
PAUSE = 0.3


@dataclass
class Report:
    """What a case came to, for the summary."""

    # Disturbances that came after the first request, by what they were, and how many left a part of the load stored.
    disturbed: Counter[str] = field(default_factory=Counter)
    n_resumed: int = 0
    n_requests: int = 0
    # Statements that finished a load by starting over.
    n_over: int = 0


class Run:
    """One case on one DuckDB release, in a folder of its own."""

    def __init__(self, case: Case, release: str, around: hosts.Surroundings):
        self.case = case
        self.release = release
        self.around = around
        self.book = ledger.Book(around, f"{release}-{case.number}")
        ledger.write_connections(around, {"ledger": (self.book, case.table)})
        self.path = around.folder / "x.duckdb"
        self.report = Report()
        # Disturbances that kept the load from its end.
        self.n_broken = 0
        # The states that the table may be in, by name.
        self.allowed: dict[str, Truth | None] = {}
        # How often tokens and links have expired.
        self.epoch = 0
        # The process that goes on, where one does.
        self.process: HostProcess | None = None

    def run(self) -> Report:
        try:
            self.prepare()
            seen, shown = self.look(plain=True) if self.path.exists() else (None, "nothing")
            for disturbance, statement in zip(self.case.disturbances, self.case.statements, strict=False):
                seen, shown = self.disturb(disturbance, statement, seen, shown)
            self.finish(self.case.statements[-1], seen, shown)
            return self.report
        finally:
            self.book.settle()
            if self.process:
                self.process.kill()

    def prepare(self) -> None:
        """Makes the book, and the old table where the case has one."""
        case = self.case
        self.book.rule(**case.quirks.rules())
        if case.kind == "initial":
            self.allowed["nothing"] = None
        else:
            self.book.rule(rows=text_of(case.old_rows), base=text_of(case.old_rows), revision=0)
            self.load(self.path)
            self.allowed["old"] = self.truth_of_undisturbed() if case.ends_by_chance else self.book.truth(case.table)
        self.book.rule(rows=text_of(case.rows), revision=1, delay=case.delay)
        self.allowed["new"] = self.truth_of_undisturbed() if case.ends_by_chance else self.truth()
        self.book.rule(arrive=case.quirks.arrive)

    def load(self, path: Path) -> None:
        """Loads the table into a database without disturbing it."""
        with self.opened(path=path) as process:
            process.sql(f"SELECT count(*) FROM ledger.{self.case.table.name}")
            process.close()
            process.end()

    def truth(self) -> Truth:
        """Returns the new state, with what may be there besides."""
        return self.book.truth(self.case.table, self.case.quirks.arrive)

    def truth_of_undisturbed(self) -> Truth:
        """Returns what a load has that nothing disturbs, where a page that is short may be the last one: all rows, or those up to it."""
        case, path = self.case, self.around.folder / "undisturbed.duckdb"
        self.load(path)
        with self.opened(path=path) as process:
            found = look(process, case.table).target
            process.close()
            process.end()
        for file in self.around.folder.glob("undisturbed.duckdb*"):
            file.unlink()
        whole = self.book.truth(case.table)
        size = case.table.page_size
        n_first = next((at for at in range(size, case.rows[0] + size, size) if len(whole.rows[:at]) and case.n_hidden(at)), None)
        part = Truth(whole.columns, whole.rows[: n_first - case.n_hidden(n_first)] if n_first else whole.rows)
        differences = [truth.difference(found) for truth in (whole, part)]
        assert not all(differences), f"an undisturbed load has neither all rows nor those up to the first short page: {differences}"
        return whole if not differences[0] else part

    def opened(self, unify: bool = True, path: Path | None = None) -> HostProcess:
        process = HostProcess(self.release, self.around)
        process.open(path or self.path, unify, self.case.quirks.settings)
        return process

    def disturb(self, disturbance: Disturbance, statement: str, before: Seen | None, shown: str) -> tuple[Seen, str]:
        """Runs the statement, ends it before its time, and judges what is left."""
        process = self.process or self.opened()
        self.process = None
        self.book.rule(recount=1)
        left = self.left(before, statement, shown)
        if disturbance.how == "disk":
            limit = max(file.stat().st_size for file in self.around.folder.glob("x.duckdb*")) + disturbance.room
            process.begin("file_limit", bytes=limit).get()
        answer = self.begin(process, statement, disturbance, left.plain)
        self.end(process, answer, disturbance)
        self.book.settle()
        counts = self.book.counts()
        if disturbance.how in ("kill", "close"):
            check_requests(counts, left, self.case.table, statement, before and before.sets)
        was_shown = shown
        self.between()
        seen, shown = self.look(disturbance.plain)
        if counts["asked"]:
            self.report.disturbed[disturbance.how] += 1
            # A table that is new already would show the same rows anew.
            self.n_broken += shown == was_shown != "new"
        self.report.n_resumed += seen.unfinished and bool(seen.staged)
        self.report.n_requests += counts["asked"]
        return seen, shown

    def between(self) -> None:
        """Lets happen at the source what does between two statements: tokens expire, rows come."""
        if self.case.quirks.expire:
            self.epoch += 1
            self.book.rule(epoch=self.epoch)
        if self.case.quirks.arrive:
            self.book.rule(insert=1)

    def left(self, before: Seen | None, statement: str, shown: str) -> Left:
        nothing = Seen(None, None, {}, {}, False, [])
        return requests_left(before or nothing, self.case, statement, shown, self.epoch > 0)

    def begin(self, process: HostProcess, statement: str, disturbance: Disturbance, left: int) -> Answer:
        """Runs the statement up to the moment."""
        last = max(1, round(disturbance.at * left))
        stops = sorted({max(1, round(part * last)) for part in disturbance.pauses} - {last})
        final = {"held": {"hold": last, "hold_from": 0}, "stopped": {"hold_from": last}}.get(disturbance.moment, {"hold_from": 0})
        rules = [*({"hold_from": stop} for stop in stops), final]
        self.book.rule(**rules[0])
        answer = process.begin_sql(STATEMENTS[statement].format(table=self.case.table.name), on="load")
        for following in rules[1:]:
            self.book.until("held", 1, answer)
            answer.wait(PAUSE)
            self.book.rule(**following)
        match disturbance.moment:
            case "held" | "stopped":
                self.book.until("held", 1, answer)
            case "publish":
                self.book.until("answered", self.n_pages_sure(left), answer)
        answer.wait(disturbance.wait)
        return answer

    def n_pages_sure(self, left: int) -> int:
        """Returns how many of the requests left are for pages that exist: these are made in any case."""
        return max(1, left - len(self.case.rows) - (self.case.table.sets == "child"))

    def end(self, process: HostProcess, answer: Answer, disturbance: Disturbance) -> None:
        """Does to the process or its surroundings what the disturbance says."""
        match disturbance.how:
            case "kill":
                process.kill()
            case "close":
                process.close()
                process.end()
            case "network":
                self.book.rule(fault="drop", percent=100)
                self.book.rule(hold=0, hold_from=0)
                self.outcome(answer)
                self.book.rule(percent=0)
                self.leave(process, disturbance)
            case "disk":
                self.book.rule(hold=0, hold_from=0)
                self.outcome(answer)
                process.kill()

    def outcome(self, answer: Answer) -> None:
        """Waits for the statement, which may fail and must not hang."""
        try:
            answer.get()
        except (Failed, Gone):
            self.report.disturbed["failed statements"] += 1

    def leave(self, process: HostProcess, disturbance: Disturbance) -> None:
        if disturbance.stays:
            self.process = process
            return
        process.close()
        process.end()

    def look(self, plain: bool) -> tuple[Seen, str]:
        """Judges what is there now, in a process of its own, or in the one that goes on."""
        process = self.process or self.opened(unify=not plain)
        seen = look(process, self.case.table)
        if process is not self.process:
            process.close()
            process.end()
        if self.case.quirks.arrive:
            self.allowed["new"] = self.truth()
        shown = check_shown(seen, self.allowed, n_sets=len(self.case.rows))
        check_state(seen, self.case, self.case.rows_to_come(shown))
        return seen, shown

    def finish(self, statement: str, seen: Seen, shown: str) -> None:
        """Finishes the load and judges rows, state, audit trail and requests."""
        statements = [statement]
        if statement != "REFRESH" and (shown == "old" or (shown == "new" and seen.unfinished)):
            # These leave a loaded table alone: it shows its rows until a refresh is finished.
            statements.append("REFRESH")
        process = self.process or self.opened()
        self.process = process
        for text in statements:
            left = self.left(seen, text, shown)
            self.book.rule(recount=1)
            self.run_to_its_end(process, text, seen)
            counts = self.book.counts()
            if check_requests(counts, left, self.case.table, text, seen and seen.sets):
                self.check_starting_over(process, text)
            self.report.n_requests += counts["asked"]
            seen, shown = self.look(plain=False)
        assert shown == "new", f"after {statements} the table shows {shown} rows"
        assert not seen.unfinished and not seen.sets and not seen.staged, f"the finished load left its state: {seen}"
        if self.case.quirks.arrive:
            self.check_arrivals(process, seen)
        self.check_audit(process)
        process.close()
        process.end()
        self.process = None

    def run_to_its_end(self, process: HostProcess, statement: str, seen: Seen | None) -> None:
        """Runs a statement, which must end well: an old place that is refused may fail it once, and never twice."""
        sql = STATEMENTS[statement].format(table=self.case.table.name)
        try:
            process.sql(sql)
        except Failed:
            if not (self.epoch and seen and seen.unfinished):
                raise
            self.report.disturbed["failed statements"] += 1
            process.sql(sql)

    def check_starting_over(self, process: HostProcess, statement: str) -> None:
        """Fails unless the log says that the load started over."""
        said = process.sql("SELECT message FROM information_schema.loading_log WHERE message LIKE '%start%over%'")
        assert said, f"{statement} started over, and the log does not say so"
        self.report.n_over += 1

    def check_arrivals(self, process: HostProcess, seen: Seen) -> None:
        """Judges rows that came and changed meanwhile: with a cursor the newest form stays, and a refresh in peace brings all of them."""
        case = self.case
        if case.table.by_changes:
            difference = self.truth().difference(seen.target, newest=True)
            assert not difference, f"an older form of a row was kept: {difference}"
        self.book.rule(arrive=0)
        process.sql(STATEMENTS["REFRESH"].format(table=case.table.name))
        difference = self.book.truth(case.table).settled().difference(look(process, case.table).target)
        assert not difference, f"after a refresh in peace: {difference}"

    def check_audit(self, process: HostProcess) -> None:
        """Judges the audit trail. What a killed job left open is closed when the next job starts, so there has to be one."""
        process.sql("REFRESH TABLE ledger.sets")
        jobs = process.sql("FROM information_schema.loading_jobs ORDER BY id")
        check_audit(jobs)
        ends = ends_of(jobs, self.case.table.name)
        assert "success" in ends, f"no job of the table ended well: {jobs}"
        assert ends.count("error") >= self.n_broken, f"{self.n_broken} jobs were ended before their time: {jobs}"


def text_of(rows: tuple[int, ...]) -> str:
    return ",".join(map(str, rows))
