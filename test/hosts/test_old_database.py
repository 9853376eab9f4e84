"""A database whose records an older release wrote: what it holds goes on. One that a newer release wrote is left as it is."""

# The database of version 0, written a moment ago, and the API as it is now.
OLD = """
    import gzip, sys
    sys.path.insert(0, str(TEST / "fixtures" / "old_database"))
    from old_api import OldApi
    here = pathlib.Path.cwd()
    (here / "version_0.duckdb").write_bytes(gzip.decompress((TEST / "fixtures" / "old_database" / "version_0.duckdb.gz").read_bytes()))
    con = duckdb.connect("version_0.duckdb")
    audit = con.execute("SELECT id, table_name, action, numrows, status FROM unify.loading_jobs ORDER BY id").fetchall()
    con.execute("UPDATE unify.load_state SET updated = now()::TIMESTAMP, started = now()::TIMESTAMP - INTERVAL 1 HOUR WHERE table_name = 'events__loading'")
    con.execute("UPDATE unify.load_state SET updated = now()::TIMESTAMP WHERE table_name = 'events__loading'")
    con.close()
    api = OldApi(is_old=False)
    def opened(change=lambda spec: spec):
        con = connect("version_0.duckdb")
        for statement in api.setup(here, change):
            con.execute(statement)
        return con
    def log(con, pattern):
        sql = "SELECT message FROM information_schema.loading_log WHERE message LIKE ? ORDER BY ALL"
        return [row[0].split(":")[0] for row in con.execute(sql, [pattern]).fetchall()]
"""


def check(python, around, script: str, expected: str) -> None:
    outcome = python.run(around, script, timeout=60).check()
    assert outcome.stdout == expected, f"{outcome.stdout}\n{outcome.stderr}"


def test_an_unfinished_load_of_an_older_release_goes_on(python, around):
    script = OLD + """
    con = opened()
    print(con.execute("SELECT count(*), count(DISTINCT id), count(text) FROM old.events").fetchone())
    print(con.execute("SELECT count(*) FROM old.events WHERE text = ''").fetchone())
    # The last stored page is asked once more, to see that it is still the same.
    print(sorted(url.split("page=")[1].split("&")[0] for url in api.asked))
    print(log(con, 'going on%'), log(con, 'an older Unify%'), log(con, '%starting over%'))
    print(con.execute("SELECT version FROM unify.meta").fetchall())
    """
    expected = (
        "(15, 15, 15)\n(8,)\n['3', '4', '5']\n"
        "['going on with an unfinished load, rows'] ['an older Unify loaded the unfinished load and did not note by which spec'] []\n[(1,)]\n"
    )
    check(python, around, script, expected)


def test_tables_of_an_older_release_are_refreshed_by_updates(python, around):
    script = OLD + """
    con = opened()
    for table in ("orders", "members"):
        con.execute(f"REFRESH TABLE old.{table}").fetchall()
    print(con.execute("FROM old.orders ORDER BY id").fetchall())
    print(con.execute("SELECT id, name FROM old.members ORDER BY id").fetchall())
    print(con.execute("FROM old.team_names ORDER BY ALL").fetchall())
    print(all("since=" in url for url in api.asked), len(api.asked))
    now = con.execute("SELECT id, table_name, action, numrows, status FROM unify_loading_jobs() ORDER BY id").fetchall()
    print(now[:len(audit)] == audit, len(audit), len(now))
    print(log(con, 'an older Unify%'))
    con.execute("REFRESH TABLE old.orders").fetchall()
    print(len(log(con, 'an older Unify%')), len(api.asked))
    """
    expected = (
        "[(1, 1, 'first'), (2, 3, 'changed'), (3, 3, 'added')]\n[(10, 'new'), (11, 'b'), (20, 'new'), (21, 'b')]\n[('',), ('red',)]\n"
        "True 3\nTrue 11 15\n"
        "['an older Unify loaded the table and did not note by which spec', 'an older Unify loaded the table and did not note by which spec']\n"
        "2 4\n"
    )
    check(python, around, script, expected)


def test_a_better_spec_loads_nothing_anew(python, around):
    script = OLD + """
    con = opened()
    con.execute("REFRESH TABLE old.orders").fetchall()
    n_asked = len(api.asked)
    con.close()
    def change(spec):
        spec = spec.replace("  - name: orders\\n    resource_path: /orders\\n", "  # What was sold.\\n  - resource_path: /orders\\n    description: What was sold\\n    name: orders\\n")
        return spec.replace("retry:", "throttle: {requests_per_second: 500}\\nhelp: Read this.\\nretry:")
    con = opened(change)
    con.execute("REFRESH TABLE old.orders").fetchall()
    print(["since=" in url for url in api.asked[n_asked:]])
    con.close()
    con = opened(lambda spec: spec.replace("  - name: orders\\n", "  - name: orders\\n    params: {all: true}\\n"))
    n_asked = len(api.asked)
    con.execute("REFRESH TABLE old.orders").fetchall()
    print(["since=" in url for url in api.asked[n_asked:]])
    """
    check(python, around, script, "[True]\n[False]\n")


def test_columns_that_records_lack_are_added(python, around):
    script = OLD + """
    con = duckdb.connect("version_0.duckdb")
    con.execute("ALTER TABLE unify.load_state DROP COLUMN sets; ALTER TABLE unify.loading_jobs DROP COLUMN error_message")
    con.close()
    con = opened()
    con.execute("REFRESH TABLE old.orders").fetchall()
    print(con.execute("SELECT count(*) FROM old.orders").fetchone(), con.execute("SELECT count(error_message), count(*) FROM unify.loading_jobs").fetchone())
    print(con.execute("SELECT count(*) FROM duckdb_columns() WHERE schema_name = 'unify' AND column_name IN ('sets', 'error_message')").fetchone())
    """
    check(python, around, script, "(3,) (0, 13)\n(2,)\n")


def test_a_database_of_a_newer_release_is_left_alone(python, around):
    script = OLD + """
    con = opened()
    con.execute("REFRESH TABLE old.orders").fetchall()
    con.execute("INSERT INTO unify.meta VALUES (7, '9.9', now()::TIMESTAMP); DROP TABLE old.teams")
    def content():
        tables = [row[0] for row in con.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables() ORDER BY ALL").fetchall()]
        return [(table, con.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()) for table in tables]
    before, n_asked = content(), len(api.asked)
    for statement in ("LOAD TABLE old.events", "REFRESH TABLE old.orders", "RELOAD TABLE old.members", "SELECT * FROM old.teams", "CLEAR TABLE old.orders",
                      "CLEAR TABLE old.teams", "CREATE CONNECTION another (ADAPTER old, bearer_token 'x')", "DROP PERSISTENT CONNECTION old CASCADE", "LOAD TABLE old.teams IN BACKGROUND"):
        try:
            print(statement, con.execute(statement).fetchall())
        except duckdb.Error as err:
            message = str(err)
            if "written by Unify 9.9 in version 7" not in message or "upgrade the extension" not in message:
                print(statement, message)
    print([row[8] for row in con.execute("REFRESH SCHEMA old").fetchall()])
    print(content() == before, len(api.asked) - n_asked)
    print(con.execute("SELECT count(*) FROM old.orders").fetchone(), con.execute("SELECT count(*) FROM unify_loading_jobs()").fetchone()[0] > 10)
    con.execute("LOAD TABLE old.orders").fetchall()  # It is loaded.
    print(content() == before)
    """
    check(python, around, script, "['error', 'error']\nTrue 0\n(3,) True\nTrue\n")


def test_a_view_of_an_older_release_is_found_in_a_copy_once_its_table_is_loaded_anew(python, around):
    # On DuckDB 1.5, older releases made views that name their database.
    script = OLD + """
    os.rename("version_0.duckdb", "renamed.duckdb")
    con = connect("renamed.duckdb")
    for statement in api.setup(here):
        con.execute(statement)
    con.execute("RELOAD TABLE old.teams").fetchall()
    print(con.execute("FROM old.team_names ORDER BY ALL").fetchall())
    """
    check(python, around, script, "[('',), ('red',)]\n")
