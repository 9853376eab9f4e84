"""A database file whose process was killed: DuckDB replays what is in its WAL before it knows any function, Unify's changes of columns included."""

import pytest

# Values that a column has at first and later.
WIDENED = [
    ("1.5", "some text"), ("true", "some text"), ("2024-05-01T10:00:00Z", "some text"), ("2024-05-01T10:00:00.000000001Z", "some text"),
    ("1", "some text"), ("1", "2.5"), ("9007199254740993", "2.5"), ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00.000000001Z"),
    ("1", '{"a": 1}'), ("1.5", '{"a": 1}'), ("text", '{"a": 1}'), ("[1, 2]", '["a"]'), ("[1, 2]", '{"a": 1}'),
]


@pytest.mark.parametrize("action", ["REFRESH", "RELOAD"])
def test_columns_that_were_widened_are_there_after_a_kill(python, around, action):
    changes = f"""
    import os
    from urllib.parse import quote
    WIDENED = {WIDENED!r}
    def put(number, values):
        pairs = [f"v{{idx}}={{value}}" for idx, value in enumerate(values)]
        get("/__source?source=tickets&put=" + quote(";".join([f"id={{number}}", f"at=2024-05-01T0{{number}}:00:00Z", *pairs])))
    """
    first = changes + f"""
    con = connect("x.duckdb")
    con.execute("SET wal_autocheckpoint = '1TB'")
    put(1, [old for old, _ in WIDENED])
    con.execute("REFRESH TABLE events.exact")
    put(2, [new for _, new in WIDENED])
    con.execute("{action} TABLE events.exact")
    print(con.execute("SELECT columns(*)::VARCHAR FROM events.exact ORDER BY id").fetchall(), flush=True)
    os._exit(0)
    """
    second = """
    con = connect("x.duckdb")
    print(con.execute("SELECT columns(*)::VARCHAR FROM events.exact ORDER BY id").fetchall(), flush=True)
    """
    before = python.run(around, first).check().stdout
    assert before.count("some text") == 5, before
    assert python.run(around, second).check().stdout == before


def test_rows_that_came_again_are_there_once_after_a_kill(python, around):
    first = """
    import os
    from own_api import *
    def answer(path, query, _):
        page = int(query.get("page", 1))
        # Row 3 comes again as it was, row 2 with another value.
        rows = [{"id": 1, "v": 1}, {"id": 2, "v": 1}, {"id": 3, "v": 1}] if page == 1 else [{"id": 3, "v": 1}, {"id": 2, "v": 2}, {"id": 4, "v": 1}]
        return {"rows": rows, "next": page + 1 if page < 2 else None}
    api = Api(answer, "tables: [{name: twice, resource_path: /twice, result_body_path: rows, supports_paging: true, key_column: id}]")
    con = api.connect()
    con.execute("SET wal_autocheckpoint = '1TB'")
    con.execute("LOAD TABLE own.twice")
    con.execute("RELOAD TABLE own.twice")
    print(con.execute("FROM own.twice ORDER BY id").fetchall(), flush=True)
    os._exit(0)
    """
    second = """
    con = connect("x.duckdb")
    print(con.execute("FROM own.twice ORDER BY id").fetchall(), flush=True)
    """
    before = python.run(around, first).check().stdout
    assert before == "[(1, 1), (2, 2), (3, 1), (4, 1)]\n"
    assert python.run(around, second).check().stdout == before
