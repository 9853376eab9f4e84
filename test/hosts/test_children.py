"""Loads of tables with children, in a host that is killed in the middle."""


def test_a_killed_load_goes_on_with_a_table_and_its_children(python, around):
    first = """
        import os, signal
        con = connect("x.duckdb")
        con.execute("LOAD TABLE bad.lines_held IN BACKGROUND")
        def stored():
            staged = con.execute("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '%held__loading'").fetchall()
            return [con.execute(f"SELECT count(*) FROM bad.{name}").fetchone()[0] for name, in sorted(staged)]
        print(until(stored, lambda counts: counts == [60, 60]), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    second = """
        con = connect("x.duckdb")
        print(con.execute("SELECT count(*), count(DISTINCT (row_id, no)) FROM bad.lines_held").fetchone())
        print(con.execute("SELECT count(*), count(DISTINCT id), sum((id - 1) % 3) FROM bad.lists_held").fetchone())
        print(con.execute("SELECT count(*) FROM information_schema.loading_log WHERE message LIKE 'going on with an unfinished load, rows: 60%'").fetchone())
    """
    killed = python.run(around, first)
    assert killed.code == -9 and killed.stdout.endswith("[60, 60]\n"), killed
    around.get("/__control?open=1")
    assert python.run(around, second).check().stdout.endswith("(120, 120)\n(120, 120, 120)\n(1,)\n")
