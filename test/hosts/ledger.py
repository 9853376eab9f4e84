"""The ledgers of the test API, as tests see them: tables whose rows carry a revision, in books that tests rule."""

import json
from dataclasses import dataclass

import hosts
from host_process import Answer

# Pages that may be asked for after the last one, where nothing says that it is the last: eight in flight, and four times as many that
# wait for the one that shows the end.
AHEAD = 40

COLUMNS = ["owner", "id", "revision", "name", "code", "late_size"]

Rows = list[list[str | None]]


@dataclass(frozen=True)
class Table:
    """A table of test/specs/ledger.yaml, or of ledger_changes.yaml: how its rows are divided into sets and pages."""

    name: str
    # one: a single set; listed: six sets; child: as many as the table `sets` has rows.
    sets: str = "one"
    page_size: int = 10
    # Pages that may be asked for beyond the last one.
    beyond: int = 0
    # Whether a refresh asks for changed rows only.
    by_changes: bool = False

    @property
    def adapter(self) -> str:
        return "ledger_changes" if self.by_changes else "ledger"

    def n_pages(self, n_rows: int) -> int:
        return max(1, -(-n_rows // self.page_size))


TABLES = {
    table.name: table
    for table in [
        Table("pages"),
        Table("offsets", beyond=AHEAD),
        Table("tokens"),
        Table("links"),
        Table("nexts"),
        Table("bulk", page_size=5000),
        Table("listed_pages", "listed"),
        Table("listed_tokens", "listed"),
        Table("child_pages", "child"),
        Table("child_links", "child"),
        Table("child_nexts", "child"),
        Table("changes", by_changes=True),
        Table("listed_changes", "listed", by_changes=True),
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

    def truth(self, table: Table | None = None) -> Rows:
        """Returns all rows that the book has now, sorted."""
        way = "?way=changes" if table and table.by_changes else ""
        return sorted(json.loads(self.get(f"__truth{way}")), key=row_key)

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


def row_key(row: list[str | None]) -> list[str]:
    return [value or "" for value in row]


def rows_of(found: list[dict[str, str | None]]) -> Rows:
    """Returns the rows of a loaded table in the form of the truth. A column the table lacks is null; one too many is a mistake."""
    rows = []
    for row in found:
        assert row.get("set", row["owner"]) == row["owner"], f"a row of {row['owner']} was stored as one of {row['set']}"
        assert set(row) <= {*COLUMNS, "set", "changed"}, f"unknown columns: {sorted(set(row) - {*COLUMNS})}"
        rows.append([row.get(column) for column in COLUMNS])
    return sorted(rows, key=row_key)


def difference(found: Rows, expected: Rows) -> str:
    """Returns how two sorted lists of rows differ, in words; empty when they do not."""
    if found == expected:
        return ""
    left: dict[tuple, int] = {}
    for rows, step in ((found, 1), (expected, -1)):
        for row in rows:
            left[tuple(row)] = left.get(tuple(row), 0) + step
    lost = [row for row, n_rows in left.items() if n_rows < 0]
    extra = [row for row, n_rows in left.items() if n_rows > 0]
    return f"{len(found)} rows instead of {len(expected)}; {len(lost)} lost, such as {lost[:2]}; {len(extra)} too many, such as {extra[:2]}"
