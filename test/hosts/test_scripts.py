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


@pytest.mark.parametrize("release", [release for release in hosts.RELEASES["tested"]["python"] if release.startswith("1.")])
def test_a_slip_behind_a_statement_of_ours_is_told_without_that(release, around):
    """DuckDB 1.5 would show the line of the statement that it did not know first."""
    create = "CREATE CONNECTION other (ADAPTER shop, bearer_token 'my-own-token')"
    scripts = [
        (f"{create}; SELEC 1", 'Parser Error: syntax error at or near "SELEC"\n\nLINE 1: SELEC 1\n        ^'),
        (f"{create};\n\n SELECT 1;\nSELECT '50%' FORM\n  x;", 'Parser Error: syntax error at or near "x"\n\nLINE 2:   x;\n          ^'),
        (f"SHOW ALL JOBS; {create}; SELECT 1 +", "Parser Error: syntax error at end of input"),
        # Here DuckDB's own error is about the right statement.
        (f"SELECT 1;\nSELEC 2;\n{create}", 'Parser Error: syntax error at or near "SELEC"\n\nLINE 2: SELEC 2;\n        ^'),
        ("SELECT 1;\nSELEC 2", 'Parser Error: syntax error at or near "SELEC"\n\nLINE 2: SELEC 2\n        ^'),
    ]
    script = f"""
        con = connect()
        for text, expected in {scripts!r}:
            try:
                print(con.execute(text).fetchall())
            except duckdb.Error as err:
                print(str(err) == expected and "my-own-token" not in str(err) or repr((text, str(err))))
        print(con.execute("SELECT count(*) FROM unify_connections() WHERE connection = 'other'").fetchone()[0])
    """
    outcome = hosts.Python(release).run(around, script).check()
    assert outcome.stdout == "True\n" * len(scripts) + "0\n", outcome.stdout


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
