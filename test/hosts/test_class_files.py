"""Class files: a folder with files and folders in it, what a daemon and a reopened database do with them, and names that are patterns."""

import os

import hosts


def check(python, around, script: str, expected: str) -> None:
    outcome = python.run(around, script).check()
    assert outcome.stdout == expected, f"{outcome.stdout}\n{outcome.stderr}"


def test_a_folder_has_a_table_for_each_file_and_folder(python, around):
    for name, text in {
        "orders.csv": "id,name\n1,a\n2,b\n",
        "odd [1]*?.csv": "id\n7\n",
        "odd 1x.csv": "id\n8\n",
        ".hidden.csv": "id\n0\n",
        "README.md": "no table",
        "events/2024/a.jsonl": '{"id": 1, "at": "2024-01-01T10:00:00"}\n',
        "events/b.json": '[{"id": 2, "more": {"x": [1]}}]',
        "_later/c.csv": "id\n0\n",
    }.items():
        file = around.folder / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        # A file of this very second counts as one that may change once more.
        os.utime(file, (1_700_000_000, 1_700_000_000))
    script = """
        con = connect("x.duckdb")
        con.execute("CREATE CONNECTION folder (ADAPTER files, path 'data/')")
        print(con.execute("SELECT \\"table\\" FROM unify_tables('folder') ORDER BY 1").fetchall())
        print(con.execute("FROM folder.orders ORDER BY id").fetchall())
        print(con.execute('FROM folder."odd [1]*?"').fetchall(), con.execute('FROM folder."odd 1x"').fetchall())
        print(con.execute("SELECT id, \\"at\\", more FROM folder.events ORDER BY id").fetchall())
        print(con.execute("SELECT rows FROM unify_refresh('folder.events')").fetchone())
        print(con.execute("SELECT count(*) FROM information_schema.loading_log WHERE message LIKE 'the files are as they were%'").fetchone())
        pathlib.Path("data/events/d.json").write_text('{"id": 3}')
        print(con.execute("SELECT rows FROM unify_refresh('folder.events')").fetchone())
        pathlib.Path("data/events/d.json").unlink()
        print(con.execute("SELECT rows FROM unify_refresh('folder.events')").fetchone(), con.execute("SELECT count(*) FROM folder.events").fetchone())
        con.close()
        con = connect("x.duckdb")
        con.execute("CREATE CONNECTION folder (ADAPTER files, path 'data/')")
        print(con.execute("SELECT rows FROM unify_refresh('folder.events')").fetchone(), con.execute("SELECT count(*) FROM folder.events").fetchone())
        con.execute("SET enable_external_access = false")
        try:
            con.execute("REFRESH TABLE folder.events").fetchall()
        except duckdb.Error as err:
            print("enable_external_access" in str(err))
        print(con.execute("SELECT count(*) FROM folder.events").fetchone())
    """
    expected = """[('events',), ('odd 1x',), ('odd [1]*?',), ('orders',)]
[(1, 'a'), (2, 'b')]
[(7,)] [(8,)]
[(1, datetime.datetime(2024, 1, 1, 10, 0), None), (2, None, '{"x":[1]}')]
(0,)
(1,)
(3,)
(2,) (2,)
(0,) (2,)
True
(2,)
"""
    check(python, around, script, expected)


def test_the_daemon_reads_files_that_changed(python, around):
    file = around.folder / "stock.csv"
    file.write_text("id,n\n1,5\n")
    script = """
        con = connect("x.duckdb")
        con.execute("SET GLOBAL unify_max_staleness = '0.2'; SET GLOBAL unify_daemon_max_load = 1000")
        con.execute("CREATE CONNECTION files (ADAPTER files, path 'stock.csv')")
        print(con.execute("FROM files.stock").fetchall())
        con.execute("START DAEMON")
        pathlib.Path("stock.csv").write_text("id,n\\n1,6\\n2,7\\n")
        print(until(lambda: con.cursor().execute("FROM files.stock ORDER BY id").fetchall(), lambda rows: len(rows) == 2))
        con.execute("STOP DAEMON")
    """
    check(python, around, script, "[(1, 5)]\n[(1, 6), (2, 7)]\n")


def test_files_go_to_every_target_with_values_that_it_keeps(target):
    script = """
        con = lake("x.duckdb")
        columns = "i AS id, CAST(i * 1.25 AS DECIMAL(9,2)) AS price, CAST(i AS UINTEGER) AS small, CAST(i AS UBIGINT) AS big, {'a': i} AS deep, [CAST(i AS DECIMAL(5,1))] AS list"
        con.execute(f"COPY (SELECT {columns}, '4ac7a9e9-607c-4c8a-84f3-843f0191e3fd'::UUID AS tag FROM range(3) t(i)) TO 'stock.parquet'")
        con.execute("CREATE CONNECTION files (ADAPTER files, path 'stock.parquet')")
        shown = "SELECT id, CAST(price AS VARCHAR), small, CAST(big AS VARCHAR), deep->>'a', CAST(list[1] AS VARCHAR), CAST(tag AS VARCHAR) FROM lake.files.stock ORDER BY id"
        print(con.execute(shown).fetchall()[2], con.execute("SELECT count(*) FROM files.stock").fetchone())
        con.execute(f"COPY (SELECT {columns} FROM range(5) t(i)) TO 'stock.parquet'")
        print(con.execute("SELECT rows FROM unify_refresh('lake.files.stock')").fetchone(), con.execute("SELECT sum(price) FROM files.stock").fetchone())
    """
    target.check(script, "(2, '2.50', 2, '2', '2', '2.0', '4ac7a9e9-607c-4c8a-84f3-843f0191e3fd') (3,)\n(5,) (Decimal('12.50'),)\n")


# Many names of one file: DuckDB reads it again for each, and nothing but the end of that is far away.
MANY = """
        pathlib.Path("many").mkdir()
        duckdb.execute("COPY (SELECT random() AS a, random() AS b FROM range(1_000_000)) TO 'many/0.parquet'")
        for number in range(1, 100):
            os.link("many/0.parquet", f"many/{number}.parquet")
        con = connect("x.duckdb")
        con.execute("CREATE CONNECTION files (ADAPTER files, path 'many', table 'all')")
        size = lambda: pathlib.Path("x.duckdb").stat().st_size
        empty = size()
        con.execute("LOAD TABLE files.all IN BACKGROUND")
        # DuckDB writes rows to the file before they are committed.
        until(size, lambda size: size > empty + 4_000_000, 60)
"""


def test_cancel_job_interrupts_the_insert(python, around):
    script = MANY + """
        con.execute("CANCEL JOB 1")
        print(*con.execute("SELECT state, error FROM unify_jobs(1)").fetchone())
        print(con.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'files'").fetchone())
        print(con.execute("SELECT action, status FROM information_schema.loading_jobs ORDER BY id").fetchall())
        con.execute("DROP CONNECTION files CASCADE")
        con.execute("CREATE CONNECTION files (ADAPTER files, path 'many/1.parquet', table 'all')")
        print(con.execute("SELECT count(*) FROM files.all").fetchone())
    """
    expected = """cancelled connection 'files', table 'all': job 1 was cancelled by CANCEL JOB
(0,)
[('load_start', 'success'), ('load_end', 'error')]
(1000000,)
"""
    check(python, around, script, expected)


def test_a_database_that_is_closed_does_not_wait_for_the_insert(python, around):
    script = MANY + """
        import subprocess
        con.close()
        tables = "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'files'"
        look = f"import duckdb; print(duckdb.connect('x.duckdb').execute({tables!r}).fetchone())"
        opened = lambda: subprocess.run([sys.executable, "-c", look], capture_output=True, text=True)
        print(until(opened, lambda seen: seen.returncode == 0, 60).stdout.strip())
    """
    check(python, around, script, "(0,)\n")


def test_a_process_that_ends_does_not_wait_for_the_insert(python, around):
    check(python, around, MANY + """
        print("ends")
    """, "ends\n")
    look = """
        print(duckdb.connect("x.duckdb").execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'files'").fetchone())
    """
    check(python, around, look, "(0,)\n")


# What a user types, and the rows that come as text; None for a statement that acts.
SCREEN = [
    ("COPY (SELECT 1 AS id, 'a' AS name UNION ALL SELECT 2, 'b') TO 'shop_orders.csv'", None),
    ("CREATE CONNECTION folder (ADAPTER files, path 'shop_*')", None),
    ("SELECT count(*) FILTER (ok) FROM unify_test_connection('folder')", [["5"]]),
    ("SELECT \"column\", type FROM unify_columns('folder.shop_orders')", [["id", "BIGINT"], ["name", "VARCHAR"]]),
    ("SELECT name FROM unify_peek('folder.shop_orders', 1)", [["a"]]),
    ("SELECT sum(id) FROM unify_fetch('folder', 'shop_orders')", [["3"]]),
    ("SELECT * FROM folder.shop_orders ORDER BY id", [["1", "a"], ["2", "b"]]),
    ("COPY (SELECT 3 AS id, 'c' AS name) TO 'shop_orders.csv'", None),
    ("SELECT rows FROM unify_refresh('folder.shop_orders')", [["1"]]),
    ("SELECT * FROM folder.shop_orders", [["3", "c"]]),
    ("SELECT count(*) FROM unify_drop_connection('folder', cascade := true)", [["3"]]),
]


def test_what_users_type_in_the_command_line(cli, around):
    hosts.check_screen(cli, around, SCREEN)


def test_what_users_type_in_node(node, around):
    hosts.check_screen(node, around, SCREEN)
