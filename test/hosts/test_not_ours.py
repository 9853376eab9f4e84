"""What is not Unify's stays as it is: the same statements, with and without the extension, come to the same rows and errors."""

import json
import random
import re

import hosts
import pytest

# Statements of DuckDB and texts that are nobody's; src/sql/parse/not_ours_tests.rs has them, too.
STATEMENTS = (hosts.TEST / "duckdb_statements.txt").read_text().splitlines()

# What a mistake of the user's may put into a statement. No word makes DuckDB wait, leave the folder or use the network.
WORDS = ["REFRESH", "TABLE", "SHOW", "ALL", "JOB", "FROM", "LOAD", "SCHEMA", "a.b", "'x'", ",", "(", "1", ";", "/* c */", "-- c\n", "\t"]

# The first words of Unify's statements; a changed statement that begins so may be claimed.
OURS = ["REFRESH TABLE", "REFRESH SCHEMA", "RELOAD TABLE", "LOAD TABLE", "CLEAR TABLE", "PEEK", "SHOW ALL", "SHOW TABLES IN", "SHOW COLUMNS FROM",
        "SHOW JOB", "WAIT FOR", "CANCEL JOB", "START DAEMON", "STOP DAEMON", "SYSTEM STATUS", "HELP", "CREATE", "DROP CONNECTION", "TEST CONNECTION",
        "EXPLAIN REFRESH"]

SCRIPT = """
    import json, sys
    con = duckdb.connect("x.duckdb", config={"allow_unsigned_extensions": "true", "autoinstall_known_extensions": "false",
                                             "autoload_known_extensions": "false", "threads": "1"})
    if %r:
        con.execute(f"LOAD '{EXTENSION}'")
    con.execute("SET enable_progress_bar = false")
    outcomes = []
    for sql in json.load(open("statements.json")):
        try:
            result = con.execute(sql)
            rows = result.fetchall() if result.description else None
            outcomes.append([sql, [list(map(str, row)) for row in rows or []], [str(column[0]) for column in result.description or []]])
        except Exception as err:
            outcomes.append([sql, type(err).__name__, str(err)])
    print(json.dumps(outcomes))
"""


def changed(sql: str, dice: random.Random) -> str:
    """Returns the statement as a slip of the user's would leave it."""
    words = sql.split(" ")
    at = dice.randrange(len(words))
    kind = dice.choice(["cut", "drop", "swap", "insert", "insert", "replace"])
    if kind == "cut":
        return sql[: dice.randrange(len(sql) + 1)]
    if kind == "drop":
        del words[at]
    elif kind == "swap":
        other = dice.randrange(len(words))
        words[at], words[other] = words[other], words[at]
    elif kind == "insert":
        words.insert(at, dice.choice(WORDS))
    else:
        words[at] = dice.choice(WORDS)
    return " ".join(words)


def is_telling(sql: str) -> bool:
    """Whether the statement may not be Unify's, and its outcome does not tell whether the extension is there."""
    plain = " ".join(sql.replace("/* c */", " ").replace("-- c\n", " ").upper().split())
    return not any(plain.startswith(begin) for begin in OURS) and "INSTALL" not in plain and "SHOW ALL" not in plain


def statements() -> list[str]:
    dice = random.Random(7)
    slips = [changed(sql, dice) for sql in STATEMENTS * 2]
    # After each one that may leave a transaction open or aborted, all begin anew.
    return [text for sql in STATEMENTS + [sql for sql in slips if is_telling(sql)] for text in (sql, "ROLLBACK") if text != "SHOW ALL"]


@pytest.mark.parametrize("release", hosts.RELEASES["tested"]["python"])
def test_the_outcome_is_that_without_the_extension(release, around):
    outcomes = {}
    for has_extension in (False, True):
        folder = around.folder / ("with" if has_extension else "without")
        folder.mkdir()
        (folder / "statements.json").write_text(json.dumps(statements()))
        surroundings = hosts.Surroundings(around.extension, folder, around.api)
        outcome = hosts.Python(release).run(surroundings, SCRIPT % has_extension, timeout=300).check()
        # The names DuckDB makes up for a PIVOT.
        said = re.sub(r"__pivot_enum_[0-9a-f-]+", "__pivot_enum", outcome.stdout.replace(str(folder), "FOLDER"))
        outcomes[has_extension] = json.loads(said)
    assert len(outcomes[False]) > 1000
    kinds = {outcome[1] if isinstance(outcome[1], str) else "rows" for outcome in outcomes[False]}
    assert {"rows", "ParserException", "CatalogException", "BinderException"} <= kinds, kinds
    wrong = [f"{without}\n    {having}" for without, having in zip(outcomes[False], outcomes[True], strict=True) if without != having]
    assert not wrong, f"{len(wrong)} differ\n" + "\n".join(wrong[:20])
