"""Loads of tables that go on below their own rows, in a host that is killed between two levels."""


def test_a_killed_load_goes_on_with_the_level_it_had_reached(python, around):
    first = """
        import os, signal
        con = connect("x.duckdb")
        con.execute("LOAD TABLE tree.held IN BACKGROUND")
        def stored():
            staged = con.execute("SELECT table_name FROM duckdb_tables() WHERE table_name = 'held__loading'").fetchall()
            return [con.execute(f"SELECT count(*) FROM tree.{name}").fetchone()[0] for name, in staged]
        print(until(stored, lambda counts: counts == [8]), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    second = """
        con = connect("x.duckdb")
        print(con.execute("SELECT count(*), count(DISTINCT id), count(*) FILTER (node = id // 3) FROM tree.held").fetchone())
        print(con.execute("SELECT count(*) FROM information_schema.loading_log WHERE message LIKE 'going on with an unfinished load, rows: 8,%'").fetchone())
        print(con.execute("SELECT column_name FROM duckdb_columns() WHERE table_name = 'held' ORDER BY column_index").fetchall())
    """
    killed = python.run(around, first)
    assert killed.code == -9 and killed.stdout.endswith("[8]\n"), killed
    around.get("/__control?open=1")
    found = python.run(around, second).check().stdout
    assert found.endswith("(40, 40, 40)\n(1,)\n[('node',), ('lines',), ('id',), ('has_more',)]\n"), found
    # The levels that were stored are not asked for again.
    assert [around.get(f"/__stats?path=/tree/held/{node}/below") for node in (0, 1, 2)] == ["1", "2", "2"]
