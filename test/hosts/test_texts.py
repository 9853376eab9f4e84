"""Texts with characters that C strings end at: each is refused, and none is cut."""

import pytest

REFUSED = [
    ("SELECT * FROM unify_create_connection('abc' || chr(0) || 'def', 'shop')", "argument 1: a text holds a NUL character"),
    ("SELECT * FROM unify_create_connection('abc', 'shop', options := MAP {'bearer_token': 'a' || chr(0) || 'b'})",
     "argument 'options': a text holds a NUL character"),
    ("SELECT * FROM unify_create_connection('abc', 'shop', options := MAP {'mar' || chr(0) || 'ket': 'eu'})",
     "argument 'options': a text holds a NUL character"),
    ("SELECT * FROM unify_scan('shop', 'stores' || chr(0))", "argument 2: a text holds a NUL character"),
    ("SELECT * FROM unify_scan(chr(0), 'stores')", "argument 1: a text holds a NUL character"),
    ("SET unify_target = chr(0) || 'a'", "a text holds a NUL character"),
    ("COPY (SELECT 'x' AS name) TO ('desk.plain' || chr(0) || '.x') (FORMAT unify)", "desk.plain"),
    ("COPY (SELECT 'x' AS name) TO 'desk.plain' (FORMAT unify, dry_run ('true' || chr(0)))", "NUL character"),
]


@pytest.mark.parametrize(("sql", "message"), REFUSED)
def test_a_text_is_not_cut(python, around, sql, message):
    script = f"""
        con = connect()
        try:
            print(con.execute({sql!r}).fetchall())
        except duckdb.Error as err:
            print({message!r} in str(err), str(err))
        print(con.execute("SELECT count(*) FROM unify_connections() WHERE connection = 'abc'").fetchone()[0], n_requests("/desk/plain"))
    """
    outcome = python.run(around, script).check()
    assert outcome.stdout.startswith("True ") and outcome.stdout.endswith("\n0 0\n"), outcome


def test_a_statement_with_one_is_an_error(python, around):
    script = """
        con = connect()
        for sql in ['REFRESH TABLE "a\\0b".c', "REFRESH TABLE shop.stores -- \\0", "SELECT count(*) FROM shop.\\"stores\\0x\\""]:
            try:
                print(con.execute(sql).fetchall())
            except duckdb.Error as err:
                print(type(err).__name__)
        print(con.execute("SELECT count(*) FROM shop.stores").fetchone()[0])
    """
    outcome = python.run(around, script).check()
    assert outcome.stdout.count("Error") + outcome.stdout.count("Exception") >= 2 and outcome.stdout.endswith("\n3\n"), outcome
