"""Pages that come slowly: what came is written all the while, and a load that is cancelled goes on from there."""

import ledger
import pytest

LOADING = """
    con = connect("x.duckdb")
    con.execute("LOAD TABLE book.{table} IN BACKGROUND").fetchall()
    shown = lambda: con.execute("SELECT rows, state FROM unify_jobs() WHERE \\"table\\" = 'book.{table}'").fetchone()
"""


@pytest.fixture
def book(python, around):
    """Makes a book of the test's own, and a connection `book` to it, for tables of a kind."""
    def made(name: str, table: str, **rules: object) -> ledger.Book:
        found = ledger.Book(around, f"{name}-{python.release}")
        found.rule(**rules)
        ledger.write_connections(around, {"book": (found, ledger.TABLES[table])})
        return found

    return made


def test_pages_that_come_steadily_are_written_all_the_while(python, around, book):
    book("steady", "nexts", rows=5000, delay=20)
    script = LOADING.format(table="nexts") + """
    rows, state = until(shown, lambda found: found[0] > 0)
    print(state)
    """
    assert python.run(around, script).check().stdout == "running\n"


def test_a_cancelled_load_keeps_what_came(python, around, book):
    made = book("cancelled", "nexts", rows=400, hold_from=21)
    script = LOADING.format(table="nexts") + f"""
    import json
    book = "/ledger/{made.name}"
    get(book + "/__wait?held=1")
    con.execute("CANCEL JOB 1").fetchall()
    stored = con.execute("SELECT count(*) FROM book.nexts__loading").fetchone()[0]
    get(book + "/__book?hold_from=0")
    before = json.loads(get(book + "/__state"))["answered"]
    print(con.execute("SELECT count(*), count(DISTINCT id) FROM book.nexts").fetchone())
    asked = json.loads(get(book + "/__state"))["answered"] - before
    print(stored > 0, asked == 41 - stored // 10)
    """
    outcome = python.run(around, script).check()
    assert outcome.stdout == "(400, 400)\nTrue True\n", (outcome, made.counts())


def test_sets_without_rows_are_noted_all_the_while(python, around, book):
    book("bare", "child_nexts", rows=",".join("0" for _ in range(300)), delay=100)
    script = LOADING.format(table="child_nexts") + """
    noted = "SELECT count(*) FROM unify.load_state WHERE table_name = 'child_nexts__loading' AND parameter_set <> ''"
    def found():
        try:
            return con.execute(noted).fetchone()[0], shown()[1]
        except duckdb.CatalogException:
            return 0, "running"
    n_sets, state = until(found, lambda found: found[0] > 0 or found[1] not in ("waiting", "running"))
    print(0 < n_sets < 300, state)
    """
    assert python.run(around, script).check().stdout == "True running\n"
