"""What the kill harness tries: cases drawn from one seed, each by itself, so that any of them can be repeated alone."""

from dataclasses import dataclass
from random import Random

import ledger
import ledger_quirks
from ledger_quirks import Quirks

# How a load is begun: into nothing, over an older complete table, or as a refresh that asks for what changed since.
KINDS = ["initial", "reload", "updates"]

STATEMENTS = {
    "SELECT": "SELECT * FROM ledger.{table}",
    "LOAD": "LOAD TABLE ledger.{table}",
    "REFRESH": "REFRESH TABLE ledger.{table}",
}


@dataclass(frozen=True)
class Disturbance:
    """One end of a load before its time."""

    # kill: SIGKILL; close: the database is closed; network: the server breaks off connections; disk: writes fail.
    how: str
    # held: when request `at` is held; stopped: when it and all later ones are; time: `wait` seconds after the statement began;
    # publish: when all pages were answered.
    moment: str
    # Which request, as a part of those that are left.
    at: float
    # Seconds between the moment and the end.
    wait: float
    # Requests, as parts of those that are left, that are held for a while before, so that what was answered is stored meanwhile.
    pauses: tuple[float, ...]
    # Bytes that a file may still grow, for `disk`.
    room: int
    # Whether the same process goes on, where it can.
    stays: bool
    # Whether the database is first opened without the extension afterwards.
    plain: bool


@dataclass(frozen=True)
class Case:
    """One load, its disturbances, and how it is finished."""

    number: int
    kind: str
    table: ledger.Table
    # Rows of each set, before and after the change that a refresh finds.
    old_rows: tuple[int, ...]
    rows: tuple[int, ...]
    # Milliseconds that each answer takes.
    delay: int
    disturbances: tuple[Disturbance, ...]
    # The statement that each process runs, the finishing one last.
    statements: tuple[str, ...]
    quirks: Quirks

    def rows_to_come(self, shown: str) -> tuple[int, ...]:
        """Returns how many rows of each set a load fetches when the table shows nothing, the old rows or the new ones."""
        if self.kind != "updates":
            return self.rows
        if shown == "new":
            # The last row is asked for again.
            return tuple(min(n_rows, 1) for n_rows in self.rows)
        return tuple(ledger.n_changed(n_old, n_rows) for n_old, n_rows in zip(self.old_rows, self.rows, strict=True))

    @property
    def ends_by_chance(self) -> bool:
        """Returns whether nothing but a short page says where the rows end, and hidden rows make pages short."""
        return self.quirks.hidden > 0 and self.table.way == "offsets"

    def n_hidden(self, n_rows: int) -> int:
        """Returns how many of the first rows the server hides."""
        return sum(self.quirks.hides(idx) for idx in range(n_rows)) if self.quirks.hidden else 0

    def n_stored(self, n_pages: int, n_rows: int) -> int | None:
        """Returns how many rows the first pages of a set brought; `None` where that is not the same at each time."""
        if self.quirks.arrive or self.ends_by_chance or (self.quirks.hidden and self.kind == "updates"):
            return None
        n_listed = min(n_rows, n_pages * self.table.page_size)
        return n_listed - self.n_hidden(n_listed)

    def describe(self) -> str:
        lines = [f"{self.kind} of ledger.{self.table.name}, rows {self.rows}" + (f" over {self.old_rows}" if self.kind != "initial" else "")]
        lines[0] += f", {self.delay} ms an answer; {self.quirks.describe()}"
        for disturbance, statement in zip(self.disturbances, self.statements, strict=False):
            lines.append(f"  {statement}: {disturbance}")
        return "\n".join([*lines, f"  {self.statements[-1]}: finishes"])


def case_of(seed: int, number: int, wanted: frozenset[str] | None = None) -> Case:
    """Returns case `number` of a seed: always the same one. `wanted` names the quirks it has, instead of chance."""
    random = Random(f"{seed}/{number}")
    kind = KINDS[number % len(KINDS)]
    tables = tables_of(kind, wanted or frozenset())
    # Each table comes up, and some cases are large.
    is_large = number % 25 == 24 and kind != "updates" and not wanted
    table = ledger.TABLES["bulk"] if is_large else tables[number // len(KINDS) % len(tables)]
    disturbances = tuple(disturbance_of(random) for _ in range(random.choice([1, 1, 1, 1, 2, 3])))
    begin, *between = ["REFRESH" if kind != "initial" else random.choice(list(STATEMENTS)) for _ in disturbances]
    # A refresh asks for the sets that the parent had when it was loaded.
    n_sets = {"one": 1, "listed": 6, "child": random.randrange(1, 30)}[table.sets]
    old_rows, rows = rows_of_sets(random, table, n_sets), rows_of_sets(random, table, n_sets)
    if kind == "updates":
        # Nothing is seen of rows that are gone.
        rows = tuple(n_old + n_new for n_old, n_new in zip(old_rows, rows, strict=True))
    return Case(
        number=number, kind=kind, table=table, old_rows=old_rows, rows=rows,
        delay=random.choice([0, 2, 5, 15]), disturbances=disturbances,
        statements=(begin, *between, random.choice(list(STATEMENTS))),
        quirks=ledger_quirks.draw(Random(f"{seed}/{number}/quirks"), table, max(rows), wanted),
    )


def tables_of(kind: str, wanted: frozenset[str]) -> list[ledger.Table]:
    """Returns the tables of a kind that all wanted quirks suit. A first load may be one of any table."""
    return [
        table for table in ledger.TABLES.values()
        if table.name != "bulk" and (kind == "initial" or table.by_changes == (kind == "updates"))
        and all(ledger_quirks.suits(name, table) for name in wanted)
    ]


def rows_of_sets(random: Random, table: ledger.Table, n_sets: int) -> tuple[int, ...]:
    if table.name == "bulk":
        return (random.randrange(130_000, 300_000),)
    if n_sets == 1:
        return (random.choice([random.randrange(40, 400), random.randrange(5, 40) * 10]),)
    return tuple(random.choice([0, 10, random.randrange(1, 10), random.randrange(10, 90)]) for _ in range(n_sets))


def disturbance_of(random: Random) -> Disturbance:
    return Disturbance(
        how=random.choice(["kill", "kill", "kill", "kill", "kill", "kill", "kill", "close", "network", "disk"]),
        moment=random.choice(["held", "held", "stopped", "stopped", "time", "publish"]),
        at=random.random(),
        wait=random.choice([0.0, random.random() * 0.05, random.random() * 0.7]),
        pauses=tuple(sorted(random.random() for _ in range(random.choice([0, 1, 2])))),
        room=random.randrange(1, 120_000),
        stays=random.random() < 0.5,
        plain=random.random() < 0.5,
    )
