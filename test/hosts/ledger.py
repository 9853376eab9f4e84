"""The ledgers of the test API, as tests see them: tables whose rows carry a revision, in books that tests rule."""

import json
from dataclasses import dataclass

import hosts
from host_process import Answer
from ledger_truth import Truth

# Pages that may be asked for after the last one, where nothing says that it is the last: eight in flight, and four times as many that
# wait for the one that shows the end.
AHEAD = 40


@dataclass(frozen=True)
class Table:
    """A table of test/specs/ledger.yaml, ledger_keyed.yaml or ledger_changes.yaml: how its rows are divided into sets and pages."""

    name: str
    # What its pages are asked for by.
    way: str
    # one: a single set; listed: six sets; child: as many as the table `sets` has rows.
    sets: str = "one"
    page_size: int = 10
    # Pages that may be asked for beyond the last one.
    beyond: int = 0
    # Whether a refresh asks for changed rows only.
    by_changes: bool = False
    # Whether rows have a key although each refresh brings all of them.
    keyed: bool = False

    @property
    def adapter(self) -> str:
        return "ledger_changes" if self.by_changes else "ledger_keyed" if self.keyed else "ledger"

    @property
    def has_key(self) -> bool:
        return self.by_changes or self.keyed

    def n_pages(self, n_rows: int) -> int:
        return max(1, -(-n_rows // self.page_size))


TABLES = {
    table.name: table
    for table in [
        Table("pages", "pages"),
        Table("offsets", "offsets", beyond=AHEAD),
        Table("tokens", "tokens"),
        Table("links", "links"),
        Table("nexts", "nexts"),
        Table("bulk", "pages", page_size=5000),
        Table("listed_pages", "pages", "listed"),
        Table("listed_tokens", "tokens", "listed"),
        Table("child_pages", "pages", "child"),
        Table("child_links", "links", "child"),
        Table("child_nexts", "nexts", "child"),
        Table("keyed_pages", "pages", keyed=True),
        Table("keyed_offsets", "offsets", beyond=AHEAD, keyed=True),
        Table("keyed_totals", "totals", keyed=True),
        Table("keyed_tokens", "tokens", keyed=True),
        Table("keyed_links", "links", keyed=True),
        Table("keyed_nexts", "nexts", keyed=True),
        Table("listed_keyed_pages", "pages", "listed", keyed=True),
        Table("child_keyed_links", "links", "child", keyed=True),
        Table("changes", "pages", by_changes=True),
        Table("listed_changes", "pages", "listed", by_changes=True),
        Table("changed_offsets", "offsets", beyond=AHEAD, by_changes=True),
        Table("changed_tokens", "tokens", by_changes=True),
        Table("changed_links", "links", by_changes=True),
        Table("changed_nexts", "nexts", by_changes=True),
        Table("listed_changed_tokens", "tokens", "listed", by_changes=True),
    ]
}


def n_changed(n_old: int, n_rows: int) -> int:
    """Returns how many rows a refresh by changes gets: every third, the new ones, and the last one that it knows already."""
    return sum(idx % 3 == 0 or idx >= n_old - 1 for idx in range(n_rows))


class Book:
    """One book of the ledger."""

    def __init__(self, around: hosts.Surroundings, name: str):
        self.around = around
        self.name = name

    def get(self, endpoint: str) -> str:
        return self.around.get(f"/ledger/{self.name}/{endpoint}")

    def rule(self, **rules: object) -> None:
        self.get("__book?" + "&".join(f"{key}={value}" for key, value in rules.items()))

    def counts(self) -> dict:
        return json.loads(self.get("__state"))

    def truth(self, table: Table | None = None, arrive: int = 0) -> Truth:
        """Returns the rows that the book has now, and those that may be there since they come while pages are read."""
        way = "&way=changes" if table and table.by_changes else ""
        return Truth.of(json.loads(self.get(f"__truth?arrive={arrive}{way}")))

    def settle(self) -> None:
        """Lets held requests go and waits until none is under way."""
        self.rule(hold=0, hold_from=0, percent=0)
        self.get("__wait?open=0")

    def until(self, key: str, n_requests: int, unless: Answer) -> None:
        """Waits until that many requests are held or answered, or the statement has ended, or the process."""
        while not unless.wait(0.01):
            if self.counts()[key] >= n_requests:
                return


def write_connections(around: hosts.Surroundings, connections: dict[str, tuple[Book, Table]]) -> None:
    """Makes the connections file: a connection of that name to each book, for tables of that kind."""
    around.connections = around.folder / "connections.yaml"
    options = "host: $UNIFY_TEST_API, bearer_token: '${UNIFY_TEST_TOKEN}'"
    around.connections.write_text("".join(
        f"- {name}: {{adapter: {table.adapter}, options: {{{options}, book: {book.name}}}}}\n"
        for name, (book, table) in connections.items()
    ))
