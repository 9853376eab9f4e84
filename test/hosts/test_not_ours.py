"""What is not Unify's stays as it is: the same statements, with and without the extension, come to the same rows and errors. What DuckDB
cannot parse and is nearly a statement of Unify gets an error that names that statement."""

import collections
import json
import random
import re

import hosts
import pytest

# Statements of DuckDB and texts that are nobody's; src/sql/parse/not_ours_tests.rs has them, too.
STATEMENTS = (hosts.TEST / "duckdb_statements.txt").read_text().splitlines()

# What a mistake of the user's may put into a statement. No word makes DuckDB wait, leave the folder or use the network.
WORDS = ["REFRESH", "TABLE", "SHOW", "ALL", "JOB", "FROM", "LOAD", "SCHEMA", "a.b", "'x'", ",", "(", "1", ";", "/* c */", "-- c\n", "\t"]

# The first words of Unify's statements; a changed statement that begins so may be run.
OURS = ["REFRESH TABLE", "REFRESH SCHEMA", "RELOAD TABLE", "LOAD TABLE", "CLEAR TABLE", "PEEK", "SHOW ALL", "SHOW TABLES IN", "SHOW COLUMNS FROM",
        "SHOW JOB", "WAIT FOR", "CANCEL JOB", "CANCEL ALL", "START DAEMON", "STOP DAEMON", "SYSTEM STATUS", "HELP", "CREATE", "DROP CONNECTION", "DROP PERSISTENT", "TEST CONNECTION",
        "EXPLAIN REFRESH"]

# What begins a statement of Unify: of a text that DuckDB cannot parse and that begins nearly so, the error may be Unify's.
FIRST_WORDS = ["REFRESH", "RELOAD", "LOAD", "CLEAR", "PEEK", "SHOW", "WAIT", "CANCEL", "START", "STOP", "SYSTEM", "HELP", "CREATE", "DROP", "TEST", "EXPLAIN"]

# Texts that are nearly statements of Unify, and what their error names.
SLIPS = [line.split(" => ") for line in (hosts.TEST / "slips.txt").read_text().splitlines()]

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
        # Where no connections file is found, an unknown schema is an error that says so.
        (folder / "mine.yaml").write_text("- news_of_hackers:\n    adapter: hackernews\n")
        surroundings = hosts.Surroundings(around.extension, folder, around.api, more={"UNIFY_CONNECTIONS": "mine.yaml"})
        outcome = hosts.Python(release).run(surroundings, SCRIPT % has_extension, timeout=300).check()
        # The names DuckDB makes up for a PIVOT.
        said = re.sub(r"__pivot_enum_[0-9a-f-]+", "__pivot_enum", outcome.stdout.replace(str(folder), "FOLDER"))
        outcomes[has_extension] = json.loads(said)
    assert len(outcomes[False]) > 1000
    kinds = {outcome[1] if isinstance(outcome[1], str) else "rows" for outcome in outcomes[False]}
    assert {"rows", "ParserException", "CatalogException", "BinderException"} <= kinds, kinds
    pairs = list(zip(outcomes[False], outcomes[True], strict=True))
    wrong = [f"{without}\n    {having}" for without, having in pairs if without != having and not is_told(without, having)]
    assert not wrong, f"{len(wrong)} differ\n" + "\n".join(wrong[:20])


def is_told(without: list, having: list) -> bool:
    """Whether DuckDB could not parse the text, which begins nearly as a statement of Unify, and the error says which was meant."""
    if having[1] == "ParserException" and ";" in having[0].rstrip("; "):
        # DuckDB 1.5 parses the statements of a script one by one when it knows of an extension that has statements, and fails at another place.
        return without[1] == "ParserException"
    is_error = without[1] == having[1] == "ParserException" and re.search("did you mean|; expected", having[2])
    words = re.split(r"\W+", re.sub(r"/\*.*?\*/|--[^\n]*", " ", having[0]).strip().upper())
    return bool(is_error) and any(is_near(words[0], first) for first in FIRST_WORDS)


def is_near(word: str, first: str) -> bool:
    """Whether a word has the letters of another but for two."""
    return word.startswith(first) or sum((collections.Counter(word) - collections.Counter(first)).values()) <= 2 and abs(len(word) - len(first)) <= 2


def check_told(answers: list[str | None]) -> None:
    """Checks the error of each slip; None for a text without one."""
    wrong = []
    for (text, meant), error in zip(SLIPS, answers, strict=True):
        is_named = error and meant in error.splitlines()[0] and re.search("did you mean|expected", error)
        if not is_named or "s3cr3t" in error:
            wrong.append(f"{text}\n    {error}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("release", hosts.RELEASES["tested"]["python"])
def test_a_slip_is_told_in_python(release, around):
    (around.folder / "statements.json").write_text(json.dumps([text for text, _ in SLIPS]))
    outcomes = json.loads(hosts.Python(release).run(around, SCRIPT % True).check().stdout)
    assert {kind for _, kind, _ in outcomes} == {"ParserException"}, [outcome for outcome in outcomes if outcome[1] != "ParserException"]
    check_told([said.split("Error: ", 1)[-1] for _, _, said in outcomes])


def test_a_slip_is_told_in_node(node, around):
    answers = node.run(around, [text for text, _ in SLIPS], "x.duckdb")
    check_told([answer.get("error", "").split("Error: ", 1)[-1] for answer in answers])


def test_a_slip_is_told_in_the_cli(cli, around):
    for text, meant in SLIPS[:: len(SLIPS) // 8]:
        outcome = cli.run(around, [text.rstrip(";") + ";"], "x.duckdb")
        said = outcome.stdout + outcome.stderr
        assert meant in said and ("did you mean" in said or "expected" in said) and "s3cr3t" not in said, (text, said)


def test_an_unknown_schema_tells_where_connections_were_looked_for(python, around):
    script = """
        con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
        con.execute(f"LOAD '{EXTENSION}'; CREATE SCHEMA mine")
        for name in ["hn.top_stories", "mine.nosuch", "nosuch"]:
            try:
                con.execute(f"FROM {name}")
            except duckdb.Error as err:
                print(str(err).splitlines()[0])
    """
    there_is_none, of_duckdb, unqualified = python.run(around, script).check().stdout.splitlines()
    assert "there is no connection 'hn'" in there_is_none and f"looked for '{around.folder}/.unify/connections.yaml'" in there_is_none
    assert "nosuch does not exist" in of_duckdb and "nosuch does not exist" in unqualified, (of_duckdb, unqualified)


def slipped(word: str, dice: random.Random) -> str:
    """Returns a keyword with a slip in its letters, or nothing."""
    at = dice.randrange(len(word) - 1)
    pair = word[at: at + 2]
    return dice.choice([word[:at] + pair[::-1] + word[at + 2:], word[:at] + word[at + 1:], word[:at] + pair[0] + word[at:],
                        word[:at] + dice.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") + word[at + 1:], ""])


@pytest.mark.parametrize("release", hosts.RELEASES["tested"]["python"])
def test_one_slip_in_a_keyword_is_valid_or_duckdbs_or_told(release, around):
    dice = random.Random(11)
    rights = sorted({meant for _, meant in SLIPS if meant not in ("DROP", "LIMIT") and re.fullmatch(r"[A-Z ]+( shop(\.orders)?| mine| \d)?", meant)})
    assert len(rights) > 15, rights
    slips = {}
    for _ in range(600):
        words = dice.choice(rights).split()
        at = dice.choice([idx for idx, word in enumerate(words) if word.isupper() and len(word) > 1])
        word = slipped(words[at], dice)
        text = " ".join(filter(None, [*words[:at], word, *words[at + 1:]]))
        # Without its first word a text begins like nothing of Unify's; a DROP or START with one word may be any.
        if text not in rights and (word or at > 0 and words[0] not in ("DROP", "START")):
            slips[text] = words[at]
    outcomes = {}
    for has_extension in (False, True):
        folder = around.folder / ("with" if has_extension else "without")
        folder.mkdir()
        (folder / "statements.json").write_text(json.dumps(list(slips)))
        surroundings = hosts.Surroundings(around.extension, folder, around.api)
        outcomes[has_extension] = json.loads(hosts.Python(release).run(surroundings, SCRIPT % has_extension).check().stdout)
    wrong = []
    for without, having in zip(outcomes[False], outcomes[True], strict=True):
        is_of_duckdb = without[1] != "ParserException"
        is_valid = having[1] != "ParserException"
        hint = having[2].splitlines()[0].partition(";")[2] if not is_valid else ""
        if not is_of_duckdb and not is_valid and not re.search(rf"\b{slips[having[0]]}\b", hint):
            wrong.append(f"{without}\n    {having}")
    assert not wrong, f"{len(wrong)} of {len(slips)}\n" + "\n".join(wrong[:20])
