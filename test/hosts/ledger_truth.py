"""Rows as the test API sent them, and as a table has them: each value compared with the text that was sent."""

import re
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

# Values come with the types of their columns, since only these say in which form a value must be there.
TYPED_SQL = "SELECT typeof(COLUMNS(*)) || ':' || COLUMNS(*)::VARCHAR AS \"\\0\" FROM {name}"

# Columns that are not in the truth: a param, a time that is the server's own, and the version, which is judged by itself.
APART = {"set", "changed", "version"}

MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?Z?")

Rows = list[list[str | None]]


@dataclass
class Found:
    """The rows of a table, with the types of its columns."""

    rows: list[dict[str, str | None]]
    types: dict[str, str]

    @classmethod
    def of(cls, typed: list[dict[str, str | None]]) -> "Found":
        """Takes what `TYPED_SQL` gave. A column without a value has no type."""
        types, rows = {}, []
        for row in typed:
            plain = {}
            for name, value in row.items():
                if value is not None:
                    types[name], value = value.split(":", 1)
                plain[name] = value
            rows.append(plain)
        for row in rows:
            assert row.get("set", row.get("owner")) == row.get("owner"), f"a row of {row['owner']} was stored as one of {row['set']}"
        return cls(rows, types)

    def in_columns(self, columns: list[str]) -> Counter[tuple]:
        """Returns how often each row is there. A column the table lacks is null; one too many is a mistake."""
        unknown = {name for row in self.rows[:1] for name in row} - {*columns, *APART}
        assert not unknown, f"unknown columns: {sorted(unknown)}"
        types = [self.types.get(name, "") for name in columns]
        return Counter(
            tuple(form_of(row.get(name), type_name) for name, type_name in zip(columns, types, strict=True)) for row in self.rows
        )


@dataclass
class Truth:
    """One state of the server's rows."""

    columns: list[str]
    # Rows that must be there once, and those that may, since they came while pages were read.
    rows: Rows
    may: Rows = field(default_factory=list)
    # Owner and id of rows that were changed meanwhile, with the newest version, and the newest one that was sent.
    versions: dict[tuple, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, told: dict) -> "Truth":
        versions = {(owner, key): (newest, sent) for owner, key, newest, sent in told["versions"]}
        return cls(told["columns"], told["rows"], told["may"], versions)

    def of_sets(self, names: set[str]) -> "Truth":
        """Returns what a table of some of the sets has."""
        def picked(rows: Rows) -> Rows:
            return [row for row in rows if row[0] in names]
        return Truth(self.columns, picked(self.rows), picked(self.may), self.versions)

    def settled(self) -> "Truth":
        """Returns what must be there when everything that came was asked for once more."""
        versions = {key: (newest, newest) for key, (newest, _) in self.versions.items()}
        return Truth(self.columns, self.rows + self.may, [], versions)

    def difference(self, found: Found | None, newest: bool = False) -> str:
        """Returns in words how a table differs; empty when it does not. `newest`: of each row it must have the newest form that was sent."""
        if found is None:
            return "no table"
        types = [found.types.get(name, "") for name in self.columns]

        def formed(rows: Rows) -> Counter[tuple]:
            return Counter(tuple(form_of(value, type_name, is_sent=True) for value, type_name in zip(row, types, strict=True)) for row in rows)

        there, must, may = found.in_columns(self.columns), formed(self.rows), formed(self.may)
        lost, extra = must - there, there - must - may
        if lost or extra:
            expected = f"{must.total()} to {must.total() + may.total()}" if may else str(must.total())
            return f"{there.total()} rows instead of {expected}; {self.in_words(lost, extra)}"
        return self.wrong_versions(found, newest)

    def in_words(self, lost: Counter[tuple], extra: Counter[tuple]) -> str:
        """Returns what is lost and what is too much, and of rows that are there in another form only the values that differ."""
        others = {row[:2]: row for row in extra}
        changed = {name: (mine, other) for row in lost if row[:2] in others
                   for name, mine, other in zip(self.columns, row, others[row[:2]], strict=True) if mine != other}
        words = [f"{name} is {other!r} instead of {mine!r}" for name, (mine, other) in changed.items()]
        if not words:
            words = [f"such as {list(lost)[:2]} and {list(extra)[:2]}"]
        return f"{lost.total()} lost, {extra.total()} too many: {'; '.join(words)}"

    def wrong_versions(self, found: Found, newest: bool) -> str:
        wrong = []
        types = [found.types.get(name, "") for name in ("owner", "id")]
        versions = {
            tuple(form_of(value, type_name, is_sent=True) for value, type_name in zip(key, types, strict=True)): bounds
            for key, bounds in self.versions.items()
        }
        for row in found.rows if versions else []:
            last, sent = versions.get(tuple(form_of(row[name], found.types[name]) for name in ("owner", "id")), (1, 1))
            least = sent if newest else 1
            if not least <= int(row["version"] or 1) <= last:
                wrong.append(f"{row['owner']} {row['id']} has version {row['version']} instead of {least} to {last}")
        return "; ".join(wrong[:3])


def form_of(value: str | None, type_name: str, is_sent: bool = False) -> str | None:
    """Returns a value in one form for its type, so that equal values of that type are equal texts.

    What was sent and does not fit the type without a loss keeps its text, and so is equal to nothing the column holds.
    """
    if value is None or type_name == "VARCHAR" or not type_name:
        return value
    if type_name == "DOUBLE":
        return double_form(value, is_sent)
    if type_name.startswith("TIMESTAMP"):
        moment = MOMENT.fullmatch(value.removesuffix("+00"))
        if not moment:
            return value
        *parts, fraction = moment.groups()
        return "-".join(parts) + "." + (fraction or "").ljust(9, "0")
    return value


def double_form(value: str, is_sent: bool) -> str:
    try:
        number = float(value)
    except ValueError:
        return value
    # An integer must be that integer still; 0.1 is as near as a DOUBLE comes.
    if is_sent and "." not in value and Fraction(value) != Fraction(number):
        return f"{value}, which no DOUBLE is"
    return repr(number)
