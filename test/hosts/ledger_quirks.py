"""What a source and its surroundings can be like besides plain, each by its name: drawn from a seed, and told to the test API."""

from dataclasses import dataclass
from random import Random

import ledger

# In the order in which they are drawn.
NAMES = ["expire", "drift", "keys", "settings", "arrivals", "hidden"]

# What each is made of.
FIELDS = {"arrivals": ["arrive", "order", "edit", "rush"]}

# Of the cases that a quirk suits, the part that has it.
SHARE = 0.35

EXPIRE = ["first", "empty", "error", "html", "400", "403", "404", "410", "422", "500"]

KEYS = ["case", "case", "long", "nanos", "text"]

# Settings of the host that change how DuckDB compares, orders, names and casts.
SETTINGS = [
    "default_collation = 'NOCASE'", "default_collation = 'NOACCENT'", "default_collation = 'NOCASE.NOACCENT'",
    "preserve_identifier_case = false", "default_null_order = 'nulls_first'", "default_order = 'desc'", "integer_division = true",
    "TimeZone = 'Asia/Kolkata'", "old_implicit_casting = true", "preserve_insertion_order = false", "ieee_floating_point_ops = false",
]

# Ways of paging that name the next page by a token or a link.
FOLLOWING = ["tokens", "links", "nexts"]


@dataclass(frozen=True)
class Quirks:
    """What is besides plain in one case; see test/api/src/ledger/quirks.rs."""

    expire: str = ""
    # Rows from which on drifting columns have their second and third form.
    drift: tuple[int, int] | None = None
    keys: str = "plain"
    settings: tuple[str, ...] = ()
    # Rows that come to each set while pages are read and between statements, at most, and the order of the rows.
    arrive: int = 0
    order: str = "old"
    edit: bool = False
    rush: bool = False
    # One row in so many is counted and never shown.
    hidden: int = 0

    def rules(self) -> dict[str, object]:
        """Returns the rules of the book that hold from the beginning: what comes while pages are read does not."""
        return {
            "expire": self.expire or "none", "drift": ",".join(map(str, self.drift)) if self.drift else 0, "keys": self.keys,
            "order": self.order, "edit": int(self.edit), "rush": int(self.rush), "hidden": self.hidden, "epoch": 0, "arrive": 0,
        }

    def only(self, names: frozenset[str]) -> "Quirks":
        """Returns these without the ones of other names."""
        kept = {name for quirk in names for name in FIELDS.get(quirk, [quirk])}
        return Quirks(**{name: value for name, value in vars(self).items() if name in kept})

    def hides(self, idx: int) -> bool:
        """Returns whether the server hides that row."""
        return self.hidden > 0 and (idx * 0x9E37_79B9_7F4A_7C15 % 2**64 >> 32) % self.hidden == 0

    def describe(self) -> str:
        plain = Quirks()
        return ", ".join(f"{name}={value}" for name, value in vars(self).items() if value != getattr(plain, name)) or "nothing besides"


def suits(name: str, table: ledger.Table) -> bool:
    """Returns whether a quirk can show in a table. One of many rows would take too long to compare."""
    match name:
        case "expire":
            return table.way in FOLLOWING
        case "keys" | "arrivals":
            return table.has_key
        case "settings":
            return True
        case _:
            return table.name != "bulk"


def draw(random: Random, table: ledger.Table, n_rows: int, wanted: frozenset[str] | None = None) -> Quirks:
    """Returns the quirks of a case. `wanted` names those it has, instead of chance."""
    fields: dict[str, object] = {}
    # Each is drawn whether it is wanted or not, so that the others do not depend on it.
    for name in NAMES:
        is_on, drawn = random.random() < SHARE, DRAWN[name](random, table, n_rows)
        if suits(name, table) and (is_on if wanted is None else name in wanted):
            fields |= drawn
    if fields.get("arrive") or (table.by_changes and table.way == "offsets"):
        # Where rows come meanwhile, or where only a short page ends what changed, nobody can tell which rows must be there.
        fields.pop("hidden", None)
    return Quirks(**fields)


def drawn_drift(random: Random, _table: ledger.Table, n_rows: int) -> dict[str, object]:
    first, second = sorted(random.randrange(1, max(2, n_rows)) for _ in range(2))
    return {"drift": (first, second)}


def drawn_arrivals(random: Random, table: ledger.Table, _n_rows: int) -> dict[str, object]:
    # Rows that move to the end can be followed only where a token names a row.
    order = random.choice(["new", "changed"]) if table.way in FOLLOWING else "new"
    return {"arrive": random.randrange(1, 12), "order": order, "edit": random.random() < 0.6, "rush": random.random() < 0.5}


DRAWN = {
    "expire": lambda random, _table, _n_rows: {"expire": random.choice(EXPIRE)},
    "drift": drawn_drift,
    "keys": lambda random, _table, _n_rows: {"keys": random.choice(KEYS)},
    "settings": lambda random, _table, _n_rows: {"settings": tuple(random.sample(SETTINGS, random.choice([1, 1, 2])))},
    "arrivals": drawn_arrivals,
    "hidden": lambda random, _table, _n_rows: {"hidden": random.choice([3, 7, 20])},
}


def named(text: str) -> frozenset[str]:
    """Reads names from a command line, such as `expire,drift`; `none` names none."""
    names = frozenset(name for name in text.split(",") if name != "none")
    unknown = names - set(NAMES)
    if unknown:
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return names
