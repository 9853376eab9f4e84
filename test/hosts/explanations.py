"""What the comments of a spec say that the description of its API lacks.

A comment stands beside a table, or at the top for all tables. It names between backquotes the paths, params, fields and columns that the
description lacks or needs; {} in a path stands for any part, and * alone for any column:

    # Not described: `/projects/{}/runs`, `page`: the description is of 2024; the reference has them.
"""

import re

COMMENT = re.compile(r"# Not described: ((?:.*\n)(?: *# .*\n)*)")
NAMED = re.compile(r"`([^`]+)`")
# The beginnings of tables, and of the other parts of a spec.
PARTS = re.compile(r"^(?:  - (?:\{ *)?name: (\w+)|\w+:)", re.MULTILINE)


class Explanations:
    """The names that comments explain, each with the table that the comment stands beside."""

    def __init__(self, spec: str) -> None:
        self.told: list[tuple[str | None, str]] = []
        self.used: set[tuple[str | None, str]] = set()
        for comment in COMMENT.finditer(spec):
            table = table_beside(spec, comment)
            # A sentence may go on in the next line.
            text = re.sub(r"\n *# ?", " ", comment[1])
            self.told += [(table, name) for name in NAMED.findall(text)]

    def has(self, name: str, table: str | None = None) -> bool:
        """Returns whether a finding about a name is explained: for its table, or for any where the table is not known."""
        fitting = [(of, told) for of, told in self.told if (table is None or of in (None, table)) and is_told(told, name)]
        self.used.update(fitting)
        return bool(fitting)

    def unused(self) -> list[str]:
        """Returns what is explained though the description has it."""
        left = [(table, name) for table, name in self.told if (table, name) not in self.used]
        return [f"{table or 'the spec'}: `{name}` is explained, and there is no such finding" for table, name in left]


def table_beside(spec: str, comment: re.Match) -> str | None:
    """Returns the table that a comment stands in or above, None for another part of the spec."""
    below = PARTS.match(spec, comment.end())
    if below:
        return below[1]
    above = [part[1] for part in PARTS.finditer(spec, 0, comment.start())]
    return above[-1] if above else None


def is_told(told: str, name: str) -> bool:
    """Returns whether a name that a comment has is that of a finding, or the end of its path."""
    if "/" not in name:
        return told in (name, "*")
    pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(told))
    return re.search(f"(?:^|/){pattern.lstrip('/')}$", re.sub(r"\{[^}]*\}", "x", name)) is not None
