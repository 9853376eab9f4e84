"""What the soak knows: books that change, the tables loaded from them, and which states each table may show."""

from dataclasses import dataclass, field
from random import Random

import hosts
import ledger
from ledger_quirks import EXPIRE, KEYS, NAMES, SETTINGS, Quirks
from ledger_truth import Found, Truth

# Each book has six sets, which suits tables of every kind.
N_SETS = 6

# Tables of each connection, by name. No two ways of paging of one kind are side by side.
SHELVES = {
    "north": ["pages", "listed_tokens", "child_pages"],
    "south": ["tokens", "links", "child_nexts"],
    "west": ["offsets", "nexts", "listed_pages", "child_links"],
    "east": ["changes", "listed_changes", "changed_tokens"],
    # Rows come and move while they are read.
    "moving": ["keyed_tokens", "keyed_links", "keyed_nexts"],
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

    def truth(self, revision: int) -> Truth:
        truth = self.shelf.truths[revision]
        return truth.of_sets({"s0"}) if self.table.sets == "one" else truth

    def saw(self, found: Found | None, shown_before: int | None = None) -> None:
        """Takes what the table shows. Fails unless it is the state it was in, or the one its book is in.

        A statement that began a while ago may show the state the table was in then.
        """
        allowed = {self.shown, shown_before, self.shelf.revision}
        if found is None:
            if self.shown is not None:
                raise Wrong(f"{self.name} was loaded with revision {self.shown}, and is not there")
            return
        differences = {revision: self.truth(revision).difference(found) for revision in allowed if revision is not None}
        matching = [revision for revision, difference in differences.items() if not difference]
        if not matching:
            revisions = sorted({row["revision"] for row in found.rows})
            listed = [f"not revision {revision}: {difference}" for revision, difference in differences.items()]
            raise Wrong(f"{self.name} shows rows of revisions {revisions}: {'; '.join(listed)}; {self.shelf.quirks.describe()}")
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
    # Names of the quirks it may have.
    wanted: frozenset[str] = frozenset(NAMES)
    # Whether rows only come: a refresh by changes does not see those that are gone.
    grows: bool = False
    revision: int = 0
    # The rows of the last two revisions.
    truths: dict[int, Truth] = field(default_factory=dict)
    # What its book is like besides plain while one database lives, and how often its tokens have expired.
    quirks: Quirks = field(default_factory=Quirks)
    epoch: int = 0
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
        self.quirks = self.some_quirks(random)
        self.epoch = 0
        self.book.rule(**self.quirks.rules())
        self.book.rule(base=",".join(map(str, self.rows)), arrive=self.quirks.arrive)
        self.put()

    def some_quirks(self, random: Random) -> Quirks:
        """Draws what the book is like. Where nothing but a short page says where rows end, none is hidden."""
        drift, keys, expire, hidden = (1 + random.randrange(40), 41 + random.randrange(60)), random.choice(KEYS), random.choice(EXPIRE), 7
        has_key = all(table.table.has_key for table in self.tables)
        is_moving = self.schema == "moving"
        return Quirks(
            expire=expire if random.random() < 0.5 else "", drift=drift if random.random() < 0.5 else None,
            keys=keys if has_key and random.random() < 0.7 else "plain", hidden=hidden if self.schema == "north" else 0,
            arrive=6 if is_moving else 0, order="changed" if is_moving else "old", edit=is_moving, rush=is_moving,
        ).only(self.wanted)

    def let_tokens_expire(self) -> None:
        """Lets all tokens and links that were given so far expire: a load that goes on may fail for it, once."""
        if self.quirks.expire:
            self.epoch += 1
            self.book.rule(epoch=self.epoch)
            for table in self.tables:
                table.disturbed = True

    def put(self) -> None:
        self.book.rule(rows=",".join(map(str, self.rows)), revision=self.revision)
        truth = self.book.truth(self.tables[0].table, self.quirks.arrive)
        # Any version may be shown: which of them were sent to whom is not known here.
        self.truths[self.revision] = Truth(truth.columns, truth.rows, truth.may)
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


def some_settings(random: Random, wanted: frozenset[str]) -> tuple[str, ...]:
    """Draws settings of the host for one database."""
    settings = tuple(random.sample(SETTINGS, random.choice([0, 1, 2])))
    return settings if "settings" in wanted else ()


def some_rows(random: Random) -> list[int]:
    first = random.choice([random.randrange(1, 200), random.randrange(1, 20) * 10])
    return [first, *(random.choice([0, 10, random.randrange(1, 10), random.randrange(10, 60)]) for _ in range(N_SETS - 1))]


def shelves_of(around: hosts.Surroundings, name: str, wanted: frozenset[str]) -> list[Shelf]:
    """Makes the connections, each with a book of its own."""
    shelves = []
    for schema, tables in SHELVES.items():
        shelf = Shelf(schema, ledger.Book(around, f"{name}-{schema}"), wanted=wanted)
        shelf.tables = [SoakTable(shelf, ledger.TABLES[table]) for table in tables]
        shelf.grows = shelf.tables[0].table.by_changes
        shelves.append(shelf)
    ledger.write_connections(around, {shelf.schema: (shelf.book, shelf.tables[0].table) for shelf in shelves})
    return shelves
