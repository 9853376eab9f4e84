"""What parents and cursors give may be doubled, empty, or far ahead: each call is made once, or told."""

SPEC = '''
    from own_api import *

    SPEC = """auth: {type: NONE}
    tables:
      - {name: posts, resource_path: /posts, result_body_path: rows}
      - {name: authors, resource_path: "/authors/{a}", result_body_path: rows, params: {a: sql@(SELECT author FROM posts)}, copy_params_to_output: [a]}
      - {name: listed, resource_path: "/authors/{a}", result_body_path: rows, params: {a: [x, y, x, 1, "1"]}, copy_params_to_output: [a]}
      - name: pairs
        resource_path: "/authors/{a}"
        result_body_path: rows
        params: {"a,b": [[x, 1], [y, 1], [x, "1"], [x, 2]], c: [3, 3]}
        copy_params_to_output: [a, b]
      - name: changed
        resource_path: "/authors/{a}"
        result_body_path: rows
        params: {a: sql@(SELECT author FROM posts)}
        copy_params_to_output: [a]
        key_columns: [a, id]
        refresh: {strategy: updates, cursor: {column: id, param: since}, max_staleness: 0.001s}
      - name: around
        resource_path: "/authors/.{a}"
        result_body_path: rows
        params: {a: sql@(SELECT author FROM posts)}
      - name: fixed
        resource_path: "/authors/{a}"
        result_body_path: rows
        params: {a: ".."}
    """


    def logged(con, table):
        lines = con.execute("SELECT level, message FROM information_schema.loading_log WHERE table_name = ?", [table]).fetchall()
        return [line for line in lines if "came again" in line[1] or "skipped" in line[1] or "far ahead" in line[1]]
'''


def run(python, around, script: str) -> None:
    python.run(around, SPEC + script).check()


def test_values_that_come_again_are_asked_for_once(python, around):
    script = """
    authors = ["x", "y", "x", "x"]

    def answer(path, query, authorization):
        rows = [{"id": idx, "author": author} for idx, author in enumerate(authors)] if path == "/posts" else [{"id": 1}, {"id": 2}]
        return {"rows": rows}

    api = Api(answer, SPEC)
    con = api.connect()
    for table, n_sets, n_again in (("authors", 2, 2), ("listed", 3, 2), ("pairs", 3, 2), ("changed", 2, 2)):
        asked = len(api.asked)
        assert con.execute(f"SELECT count(*) FROM own.{table}").fetchone()[0] == 2 * n_sets, table
        assert len([url for url in api.asked[asked:] if "/authors/" in url]) == n_sets, (table, api.asked[asked:])
        assert logged(con, table) == [("INFO", f"values of params that came again and are asked for once: {n_again}")], (table, logged(con, table))
    authors += ["z", "z"]
    con.execute("REFRESH TABLE own.changed")
    assert con.execute("SELECT a, count(*) FROM own.changed GROUP BY a ORDER BY a").fetchall() == [("x", 2), ("y", 2), ("z", 2)]
    assert api.n_asked("/authors/z") == 1
    assert con.execute("SELECT count(*) FROM unify_fetch('own', 'listed')").fetchone()[0] == 6
    """
    run(python, around, script)


def test_a_value_that_no_url_can_hold_skips_its_call(python, around):
    script = """
    authors = ["x", "", "..", ".", ""]

    def answer(path, query, authorization):
        rows = [{"id": idx, "author": author} for idx, author in enumerate(authors)] if path == "/posts" else [{"path": path}]
        return {"rows": rows}

    api = Api(answer, SPEC)
    con = api.connect()
    assert con.execute("SELECT path, a FROM own.authors").fetchall() == [("/authors/x", "x")]
    assert logged(con, "authors")[0] == ("WARNING", "parameter sets skipped: 3; of the first, the value of 'a' is empty, but the URL needs one")
    assert con.execute("SELECT path FROM own.around").fetchall() == [("/authors/.x",)]
    assert [path for path in api.asked if "/authors/" in path] == ["/authors/x", "/authors/.x"]
    # What the spec itself says is a mistake of the spec.
    try:
        con.execute("SELECT * FROM own.fixed")
        raise AssertionError("no error")
    except duckdb.Error as err:
        assert "which cannot be part of a URL's path" in str(err), err
    """
    run(python, around, script)


def test_a_cursor_far_ahead_is_capped_or_told(python, around):
    script = """
    SPEC = '''auth: {type: NONE}
    tables:
      - {name: moments, resource_path: /moments, result_body_path: rows, key_column: id, refresh: {strategy: updates, cursor: {column: u, param: since}}}
      - {name: seconds, resource_path: /seconds, result_body_path: rows, key_column: id, refresh: {strategy: updates, cursor: {column: u, param: since}, format: epoch}}
      - {name: millis, resource_path: /millis, result_body_path: rows, key_column: id, refresh: {strategy: updates, cursor: {column: u, param: since, lookback: 1m}, format: epoch_ms}}
      - {name: unknown, resource_path: /unknown, result_body_path: rows, key_column: id, refresh: {strategy: updates, cursor: {column: u, param: since}}}
      - {name: ids, resource_path: /ids, result_body_path: rows, key_column: id, refresh: {strategy: updates, cursor: {column: id, param: since}}}
    '''
    import time

    asked = {}
    FAR = 4102444800

    def answer(path, query, authorization):
        now = int(time.time())
        if "since" in query:
            asked[path] = query["since"]
            return {"rows": []}
        value = {
            "/moments": lambda at: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)), "/seconds": lambda at: at,
            "/millis": lambda at: at * 1000, "/unknown": lambda at: at, "/ids": lambda at: None,
        }[path]
        return {"rows": [{"id": idx, "u": value(FAR if idx == 150 else now - 900 * idx)} for idx in range(1, 151)]}

    api = Api(answer, SPEC)
    con = api.connect()
    began = int(time.time())
    for table in ("moments", "seconds", "millis", "unknown", "ids"):
        con.execute(f"LOAD TABLE own.{table}")
        con.execute(f"REFRESH TABLE own.{table}")
    now = time.time() + 1
    assert asked["/moments"] < time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    assert began - 301 <= int(asked["/seconds"]) < now - 299, asked
    assert (began - 61) * 1000 <= int(asked["/millis"]) < (now - 59) * 1000, asked
    assert asked["/unknown"] == str(FAR) and asked["/ids"] == "150"
    for table in ("moments", "seconds", "millis", "ids"):
        assert logged(con, table) == [], table
    [(level, message)] = logged(con, "unknown")
    assert level == "WARNING" and "the cursor column 'u' has 4102444800, far ahead of all other values" in message, message
    """
    run(python, around, script)


def test_a_load_that_has_nothing_to_ask_for_says_which_parent_is_empty(python, around):
    script = """
    authors = []
    api = Api(lambda path, query, authorization: {"rows": [{"author": author} for author in authors]}, SPEC.replace("FROM posts)", "FROM posts WHERE author <> 'x')"))
    con = api.connect()
    for given, reason in (([], "the parent table 'posts' is empty"), (["x"], "the query of param 'a' takes no row of 'posts'")):
        authors[:] = given
        con.execute("RELOAD TABLE own.posts")
        con.execute("RELOAD TABLE own.authors")
        assert con.execute("SELECT count(a) FROM own.authors").fetchone()[0] == 0
        sql = "SELECT level, message FROM information_schema.loading_log WHERE message LIKE '%nothing to ask for' ORDER BY timestamp DESC LIMIT 1"
        assert con.execute(sql).fetchall() == [("WARNING", f"{reason}: nothing to ask for")]
    assert not [url for url in api.asked if "/authors/" in url], api.asked
    """
    run(python, around, script)
