"""Statements of Unify anywhere in a script, with comments and odd names, and mistakes in them, in the CLI, Python and Node."""

import json

import hosts
import pytest

# A script whose last statement lists tables.
SCRIPT = """/* one; */ SELECT 1; -- two;
load /* c */ Table "shop" . stores; SELECT 'REFRESH TABLE shop.nothing; ''' AS "a;b"; refresh
  TABLE shop.stores -- the stores; all of them
  ;; SELECT $$; HELP$$, E'a\\n;'; SHOW tables IN shop
"""

# A script with a mistake in its third statement, the line of the mistake, and where in it the caret stands.
WRONG = """SELECT 'é';
REFRESH /* ; */ TABLE shop.stores; LOAD -- the stores
\t TABLE shop.stores  /* now */ IN BACKGROUNG; SELECT 2
"""
MESSAGE = 'syntax error at or near "BACKGROUNG"; expected BACKGROUND; did you mean BACKGROUND?'
SHOWN = "LINE 2: \t TABLE shop.stores  /* now */ IN BACKGROUNG;"
CARET = "        \t" + " " * 33 + "^"


def check_wrong(error: str) -> None:
    lines = error.splitlines()
    at = next((idx for idx, line in enumerate(lines) if line.startswith("LINE ")), None)
    assert at is not None and MESSAGE in error, error
    assert [lines[at].rstrip(), lines[at + 1].rstrip()] == [SHOWN, CARET], error


@pytest.mark.parametrize("release", hosts.RELEASES["tested"]["python"])
def test_python(release, around):
    script = f"""
        import json
        con = connect("x.duckdb")
        tables = con.execute({SCRIPT!r}).fetchall()
        try:
            con.execute({WRONG!r})
        except duckdb.ParserException as err:
            print(json.dumps([len(tables), str(err)]))
    """
    n_tables, error = json.loads(hosts.Python(release).run(around, script).check().stdout)
    assert n_tables > 20
    check_wrong(error)


@pytest.mark.parametrize("release", hosts.RELEASES["tested"]["python"])
def test_python_that_only_parses(release, around):
    """Where a statement is not run, DuckDB 2.0 tells no more than its tokens: the caret stands below their text."""
    script = f"""
        import json
        con = connect("x.duckdb")
        try:
            for statement in con.extract_statements({WRONG!r}):
                if "LOAD" in statement.query:
                    con.execute(statement)
        except duckdb.ParserException as err:
            print(json.dumps(str(err)))
    """
    error = json.loads(hosts.Python(release).run(around, script).check().stdout)
    if release.startswith("1."):
        check_wrong(error)
    else:
        assert MESSAGE in error and error.endswith("\n\nLINE 1: LOAD TABLE shop.stores IN BACKGROUNG;\n" + " " * 34 + "^"), error


def test_node(node, around):
    # Node returns the rows of a script's first statement.
    n_refreshes = "SELECT count(*) FROM information_schema.loading_jobs WHERE action = 'refresh_start' AND table_name = 'stores'"
    right, refreshed, wrong = node.run(around, [SCRIPT, n_refreshes, WRONG], "x.duckdb")
    assert (right.get("rows"), refreshed.get("rows")) == ([["1"]], [["1"]]), (right, refreshed)
    check_wrong(wrong["error"])


def test_cli(cli, around):
    outcome = cli.run(around, [SCRIPT + ";", ".print == wrong", WRONG + ";", "SELECT 'still here';"], "x.duckdb")
    right, after = outcome.stdout.split("== wrong\n")
    assert len(right.splitlines()) > 20 and right.splitlines()[0] == "1", right
    assert "still here" in after, outcome
    check_wrong(outcome.stderr)
