"""What the soak knows: books that change, the tables loaded from them, and which states each table may show."""

from dataclasses import dataclass, field
from random import Random

import hosts
import ledger

# Each book has six sets, which suits tables of every kind.
N_SETS = 6

# Tables of each connection, by name. No two ways of paging of one kind are side by side.
SHELVES = {
    "north": ["pages", "listed_tokens", "child_pages"],
    "south": ["tokens", "links", "child_nexts"],
    "west": ["offsets", "nexts", "listed_pages", "child_links"],
    "east": ["changes", "listed_changes"],
}

FAULTS = ["500", "429", "half", "drop", "503"]


class Wrong(Exception):
    """Something was seen that must not be."""


@dataclass(eq=False)
class SoakTable:
    """A table of one connection, and what is known of it."""

    shelf: "Shelf"
    table: ledger.Table
    # The revision it was seen with last; None: it is not loaded.
    shown: int | None = None
    # Whether nothing of it is unfinished, so that its book may change: a load that goes on must see what it saw before.
    clean: bool = True
    # Whether a load of it may fail through no fault of its own.
    disturbed: bool = False
    n_statements: int = 0

    @property
    def name(self) -> str:
        return f"{self.shelf.schema}.{self.table.name}"

    def truth(self, revision: int) -> ledger.Rows:
        rows = self.shelf.truths[revision]
        return [row for row in rows if row[0] == "s0"] if self.table.sets == "one" else rows

    def saw(self, rows: ledger.Rows | None, shown_before: int | None = None) -> None:
        """Takes what the table shows. Fails unless it is the state it was in, or the one its book is in.

        A statement that began a while ago may show the state the table was in then.
        """
        allowed = {self.shown, shown_before, self.shelf.revision}
        if rows is None:
            if self.shown is not None:
                raise Wrong(f"{self.name} was loaded with revision {self.shown}, and is not there")
            return
        matching = [revision for revision in allowed if revision is not None and self.truth(revision) == rows]
        if not matching:
            revisions = sorted({row[2] for row in rows})
            differences = [f"not revision {it}: {ledger.difference(rows, self.truth(it))}" for it in allowed if it is not None]
            raise Wrong(f"{self.name} shows rows of revisions {revisions}: {'; '.join(differences)}")
        if self.shelf.revision in matching or self.shown is None:
            self.shown = self.shelf.revision

    def forget(self) -> None:
        """The database is a new one."""
        self.shown, self.clean, self.disturbed, self.n_statements = None, True, False, 0


@dataclass(eq=False)
class Shelf:
    """A connection: a book and its tables."""

    schema: str
    book: ledger.Book
    tables: list[SoakTable] = field(default_factory=list)
    # Rows of each set.
    rows: list[int] = field(default_factory=list)
    # Whether rows only come: a refresh by changes does not see those that are gone.
    grows: bool = False
    revision: int = 0
    # The rows of the last two revisions.
    truths: dict[int, ledger.Rows] = field(default_factory=dict)
    # Whether the server makes mistakes, and how often that changed.
    faulty: bool = False
    n_fault_changes: int = 0

    def may_change(self) -> bool:
        return all(table.clean and table.n_statements == 0 for table in self.tables)

    def change(self, random: Random) -> None:
        """Gives the book new rows and a new revision."""
        self.revision += 1
        if self.grows:
            self.rows = [n_rows + random.randrange(4) for n_rows in self.rows]
        else:
            self.rows = some_rows(random)
        self.put()

    def begin_anew(self, random: Random) -> None:
        """Gives the book its first rows for a new database."""
        self.revision += 1
        self.truths.clear()
        for table in self.tables:
            table.forget()
        self.rows = some_rows(random)
        self.book.rule(base=",".join(map(str, self.rows)))
        self.put()

    def put(self) -> None:
        self.book.rule(rows=",".join(map(str, self.rows)), revision=self.revision)
        self.truths[self.revision] = self.book.truth(self.tables[0].table)
        kept = {self.revision, *(table.shown for table in self.tables)}
        self.truths = {revision: truth for revision, truth in self.truths.items() if revision in kept}

    def switch_faults(self, random: Random) -> str:
        """Lets the server begin or stop to make mistakes, and says which."""
        self.n_fault_changes += 1
        self.faulty = not self.faulty
        if not self.faulty:
            self.book.rule(percent=0, delay=random.choice([0, 0, 2]))
            return "none"
        for table in self.tables:
            table.disturbed = True
        faults = ",".join(random.sample(FAULTS, random.randrange(1, 4)))
        percent, delay = random.choice([5, 20, 50, 100]), random.choice([0, 5, 40])
        self.book.rule(fault=faults, percent=percent, delay=delay)
        return f"{percent}% {faults}, {delay} ms"

    def be_well(self) -> None:
        self.n_fault_changes += 1
        self.faulty = False
        self.book.rule(percent=0, delay=0)


def some_rows(random: Random) -> list[int]:
    first = random.choice([random.randrange(1, 200), random.randrange(1, 20) * 10])
    return [first, *(random.choice([0, 10, random.randrange(1, 10), random.randrange(10, 60)]) for _ in range(N_SETS - 1))]


def shelves_of(around: hosts.Surroundings, name: str) -> list[Shelf]:
    """Makes the connections, each with a book of its own."""
    shelves = []
    for schema, tables in SHELVES.items():
        shelf = Shelf(schema, ledger.Book(around, f"{name}-{schema}"))
        shelf.tables = [SoakTable(shelf, ledger.TABLES[table]) for table in tables]
        shelf.grows = shelf.tables[0].table.by_changes
        shelves.append(shelf)
    ledger.write_connections(around, {shelf.schema: (shelf.book, shelf.tables[0].table) for shelf in shelves})
    return shelves
