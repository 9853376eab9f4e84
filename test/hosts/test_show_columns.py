"""SHOW COLUMNS asks one table for its columns, and waits for no lock that another statement holds while it binds a view."""


def check(python, around, script: str, expected: str) -> None:
    outcome = python.run(around, script, 60).check()
    assert outcome.stdout == expected, f"{outcome.stdout}\n{outcome.stderr}"


def test_a_view_over_it_is_described_after_reopening(python, around):
    script = """
        con = connect("x.duckdb")
        con.execute("LOAD TABLE shop.stores")
        con.execute("CREATE VIEW columns_of_stores AS FROM unify_columns('shop.stores')")
        # DuckDB binds the view anew after each opening; which of its threads does decides whether the lock is in the way.
        for _ in range(6):
            con.close()
            con = connect("x.duckdb")
            other = con.cursor()
            thread, results = in_thread(lambda: other.execute("PRAGMA table_info('columns_of_stores')").fetchall())
            thread.join()
        print([row[1] for row in results[0]])
        print(con.execute("SELECT count(*) FROM columns_of_stores").fetchone()[0])
    """
    check(python, around, script, "['column', 'type', 'nullable', 'key', 'source_path', 'description']\n2\n")


def test_it_does_not_wait_for_a_load_that_another_session_waits_for(python, around):
    script = """
        con = connect("x.duckdb")
        get("/__control?open=1")
        con.execute("LOAD TABLE shop.stores; LOAD TABLE shop.gated")
        con.execute("CREATE VIEW over_gated AS SELECT id FROM shop.gated")
        con.execute("DROP TABLE shop.gated")
        con.close()
        get("/__control?reset=1")
        con = connect("x.duckdb")
        other = con.cursor()
        thread, results = in_thread(lambda: other.execute("PRAGMA table_info('over_gated')").fetchall())
        get("/__wait?path=/shop/gated&n=2")
        print([row[0] for row in con.execute("SHOW COLUMNS FROM shop.stores").fetchall()], thread.is_alive())
        get("/__control?open=1")
        thread.join()
        print(len(results[0]))
    """
    check(python, around, script, "['id', 'city'] True\n1\n")
