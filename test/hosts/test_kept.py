"""What users add to a loaded table stays, and works, whichever way new rows come: constraints, defaults, indexes, comments, views, grants."""

import textwrap

import pytest

import targets

ROWS = """
    from urllib.parse import quote


    def put(*rows, source="tickets"):
        for id, at, size in rows:
            get(f"/__source?source={source}&put=" + quote(f"id={id};at=2024-05-{at:02}T10:00:00Z;size={size}"))


    def refused(con, statement, said=""):
        try:
            con.execute(statement)
        except duckdb.Error as err:
            assert said in str(err), (statement, said, str(err))
            return str(err)
        raise AssertionError(f"not refused: {statement}")


    def anew(con, table, constraint):
        con.execute(f"CREATE TABLE events.old AS FROM {table}; DROP TABLE {table}")
        con.execute(f'CREATE TABLE {table} (id BIGINT, "at" TIMESTAMP, size BIGINT, {constraint})')
        con.execute(f"INSERT INTO {table} FROM events.old; DROP TABLE events.old")


    def indexes(con):
        return con.execute("SELECT index_name, is_unique, comment FROM duckdb_indexes()").fetchall()


    def comments(con, table):
        name = table.split(".")[1]
        columns = con.execute(f"SELECT comment FROM duckdb_columns() WHERE table_name = '{name}' AND column_name = 'size'").fetchall()
        return con.execute(f"SELECT comment FROM duckdb_tables() WHERE table_name = '{name}'").fetchall() + columns


    # What is added to a table, and how to see that it is there and works.
    KINDS = {
        "primary key": (
            lambda con, table: con.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (id)"),
            lambda con, table: refused(con, f"INSERT INTO {table} (id) VALUES (1)", "primary key"),
        ),
        "unique": (
            lambda con, table: anew(con, table, "UNIQUE (id)"),
            lambda con, table: refused(con, f"INSERT INTO {table} (id) VALUES (1)", "unique constraint"),
        ),
        "check": (
            lambda con, table: anew(con, table, "CHECK (size > 0 AND id <> 99)"),
            lambda con, table: refused(con, f"INSERT INTO {table} (id, size) VALUES (50, -1)", "CHECK constraint"),
        ),
        "not null": (
            lambda con, table: con.execute(f"ALTER TABLE {table} ALTER id SET NOT NULL"),
            lambda con, table: refused(con, f"INSERT INTO {table} (size) VALUES (1)", "NOT NULL constraint"),
        ),
        "default": (
            lambda con, table: con.execute(f"ALTER TABLE {table} ALTER size SET DEFAULT 7"),
            lambda con, table: [con.execute(statement) for statement in (
                f"INSERT INTO {table} (id) VALUES (50)", f"SELECT 1 / (size = 7)::INT FROM {table} WHERE id = 50", f"DELETE FROM {table} WHERE id = 50"
            )] and check_value(con, f"SELECT column_default FROM duckdb_columns() WHERE table_name = '{table.split('.')[1]}' AND column_name = 'size'", "7"),
        ),
        "unique index": (
            lambda con, table: con.execute(f'CREATE UNIQUE INDEX "my index" ON {table} (id); COMMENT ON INDEX events."my index" IS \\'mine\\''),
            lambda con, table: refused(con, f"INSERT INTO {table} (id) VALUES (1)", "unique constraint") and check_that(indexes(con) == [("my index", True, "mine")], indexes(con)),
        ),
        "index": (
            lambda con, table: con.execute(f"CREATE INDEX by_size ON {table} ((size + 1), id)"),
            lambda con, table: check_that(indexes(con) == [("by_size", False, None)], indexes(con)),
        ),
        "comments": (
            lambda con, table: con.execute(f"COMMENT ON TABLE {table} IS 'my own'; COMMENT ON COLUMN {table}.size IS 'in inches'"),
            lambda con, table: check_that(comments(con, table) == [("my own",), ("in inches",)], comments(con, table)),
        ),
        "view": (
            lambda con, table: con.execute(f"CREATE VIEW mine AS SELECT id, size FROM {table}"),
            lambda con, table: check_value(con, "SELECT max(size) FROM mine", 20),
        ),
        "everything": (
            lambda con, table: [anew(con, table, "PRIMARY KEY (id), UNIQUE (size, id), CHECK (size > 0)")] + [con.execute(statement) for statement in (
                f"ALTER TABLE {table} ALTER size SET DEFAULT 7", f"CREATE UNIQUE INDEX a ON {table} (id)", f"CREATE INDEX b ON {table} (size)",
            )],
            lambda con, table: [
                refused(con, f"INSERT INTO {table} (id) VALUES (1)"), refused(con, f"INSERT INTO {table} (id, size) VALUES (50, -1)"),
                check_that(len(indexes(con)) == 2, indexes(con)),
            ],
        ),
    }


    def check_that(holds, seen):
        assert holds, seen


    def check_value(con, query, expected):
        seen = con.execute(query).fetchone()[0]
        assert seen == expected, (query, seen)
"""


def run(python, around, script: str) -> None:
    python.run(around, ROWS + script).check()


@pytest.mark.parametrize("reopens", [False, True], ids=["same database", "opened again"])
@pytest.mark.parametrize("statement, table", [("RELOAD", "tickets"), ("REFRESH", "all_anew"), ("REFRESH", "tickets")], ids=["reload", "refresh", "updates"])
def test_what_was_added_stays(python, around, statement, table, reopens):
    script = f"""
    table = "events.{table}"
    for name, (add, check) in KINDS.items():
        get("/__source?source=tickets&clear=1")
        put((1, 1, 1), (2, 2, 2), (3, 3, 3))
        path = name.replace(" ", "_") + ".db"
        con = connect(path)
        con.execute("LOAD TABLE " + table)
        add(con, table)
        for round in range(1, 4):
            if {reopens}:
                con.close()
                con = connect(path)
            # One stays, one is changed, one is new.
            put((3, 10 + round, round * 3), (10 + round, 10 + round, 20))
            try:
                con.execute("{statement} TABLE " + table)
            except duckdb.Error as err:
                raise AssertionError((name, round)) from err
            rows = con.execute(f"SELECT count(*), count(DISTINCT id), max(size), max(size) FILTER (id = 3) FROM {{table}}").fetchone()
            assert rows == (3 + round, 3 + round, 20, round * 3), (name, round, rows)
            check(con, table)
            assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'events'").fetchone()[0] == 1, name
        warned = con.execute("SELECT message FROM information_schema.loading_log WHERE level <> 'INFO'").fetchall()
        assert warned == [], (name, warned)
        con.close()
        # What is in the file is what was in memory.
        con = connect(path)
        check(con, table)
        con.close()
    """
    run(python, around, script)


@pytest.mark.parametrize("statement, table", [("RELOAD", "tickets"), ("REFRESH", "all_anew"), ("REFRESH", "tickets")], ids=["reload", "refresh", "updates"])
def test_rows_that_do_not_fit_leave_the_table_as_it_was(python, around, statement, table):
    script = f"""
    table = "events.{table}"
    for constraint, bad, said in (
        ("CHECK (size > 0)", (4, 20, -1), "CHECK((size > 0))"),
        ("UNIQUE (size)", (4, 20, 1), "UNIQUE(size)"),
        ("PRIMARY KEY (size)", (4, 20, 1), "PRIMARY KEY(size)"),
        ("CHECK (id > 0)", (4, 20, "null"), "NOT NULL of column 'size'"),
        ("CHECK (id > 0)", (4, 20, 2), "UNIQUE INDEX 'my_index' (size)"),
    ):
        get("/__source?source=tickets&clear=1")
        put((1, 1, 1), (2, 2, 2))
        con = connect()
        con.execute("LOAD TABLE " + table)
        anew(con, table, constraint)
        if "NOT NULL" in said:
            con.execute(f"ALTER TABLE {{table}} ALTER size SET NOT NULL")
        if "INDEX" in said:
            con.execute(f"CREATE UNIQUE INDEX my_index ON {{table}} (size)")
        put(bad, (1, 20, 5) if "size > 0" in said else (3, 3, 3))
        for _ in range(2):
            text = refused(con, "{statement} TABLE " + table, said)
            assert "do not fit" in text and "remove what was added with" in text, text
            assert con.execute(f"SELECT id, size FROM {{table}} ORDER BY id").fetchall() == [(1, 1), (2, 2)], said
        get("/__source?source=tickets&drop=4")
        con.execute("{statement} TABLE " + table)
        assert con.execute(f"SELECT max(size) FROM {{table}}").fetchone()[0] > 2 or "{statement}{table}" == "REFRESHtickets", said
        con.close()
    """
    run(python, around, script)


def test_a_foreign_key_is_told_before_anything_is_asked(python, around):
    script = """
    put((1, 1, 1), (2, 2, 2))
    con = connect()
    con.execute("LOAD TABLE events.tickets")
    con.execute("ALTER TABLE events.tickets ADD PRIMARY KEY (id)")
    con.execute("CREATE TABLE events.mine (ticket BIGINT REFERENCES events.tickets (id))")
    asked = n_requests("/source/tickets")
    for statement in ("RELOAD", "REFRESH"):
        refused(con, f"{statement} TABLE events.tickets", "table 'events.mine' has a foreign key")
    assert n_requests("/source/tickets") == asked
    con.execute("DROP TABLE events.mine")
    con.execute("RELOAD TABLE events.tickets")
    """
    run(python, around, script)


def test_a_foreign_key_in_postgres_is_told_and_its_rows_stay(around, postgres):
    target = targets.target_of("postgres", around, postgres)
    script = """
        put((1, 1, 1), (2, 2, 2))
        con = lake()
        con.execute("LOAD TABLE events.tickets")
        there = "ALTER TABLE events.tickets ADD PRIMARY KEY (id); CREATE TABLE mine (ticket BIGINT REFERENCES events.tickets ON DELETE CASCADE); INSERT INTO mine VALUES (1)"
        con.execute(f"CALL postgres_execute('lake', '{there}')")
        asked = n_requests("/source/tickets")
        for statement in ("RELOAD", "REFRESH"):
            refused(con, f"{statement} TABLE events.tickets", "table 'mine' has a foreign key")
        check_value(con, "SELECT * FROM postgres_query('lake', 'SELECT count(*) FROM mine')", 1)
        assert n_requests("/source/tickets") == asked
    """
    target.check(textwrap.dedent(ROWS) + textwrap.dedent(script), "")


def test_types_that_widen_keep_what_was_added(python, around):
    script = """
    for statement in ("RELOAD", "REFRESH"):
        get("/__source?source=tickets&clear=1")
        put((1, 1, 1), (2, 2, 2))
        con = connect()
        con.execute("LOAD TABLE events.tickets")
        con.execute("ALTER TABLE events.tickets ADD PRIMARY KEY (id)")
        con.execute("CREATE INDEX by_size ON events.tickets (size)")
        con.execute("ALTER TABLE events.tickets ALTER size SET DEFAULT 7")
        put((3, 3, "large"))
        con.execute(f"{statement} TABLE events.tickets")
        assert con.execute("SELECT id, size FROM events.tickets ORDER BY id").fetchall() == [(1, "1"), (2, "2"), (3, "large")]
        refused(con, "INSERT INTO events.tickets (id) VALUES (1)", "primary key")
        con.execute("INSERT INTO events.tickets (id) VALUES (4)")
        assert con.execute("SELECT size FROM events.tickets WHERE id = 4").fetchone()[0] == "7"
        assert indexes(con) == [("by_size", False, None)]
        con.close()
    """
    run(python, around, script)


# What is added to a table of each kind of database, and how to see that it works.
ADDED = {
    "duckdb": """
        con.execute(f"ALTER TABLE lake.{table} ADD PRIMARY KEY (id); CREATE UNIQUE INDEX mine ON lake.{table} (id)")
        con.execute(f"COMMENT ON TABLE lake.{table} IS 'my own'")

        def check():
            refused(con, f"INSERT INTO lake.{table} (id) VALUES (1)")
            check_that(indexes(con) == [("mine", True, None)], indexes(con))
            check_value(con, f"SELECT comment FROM duckdb_tables() WHERE database_name = 'lake' AND table_name = '{name}'", "my own")
    """,
    "ducklake": """
        con.execute(f"ALTER TABLE lake.{table} ALTER id SET NOT NULL")
        con.execute(f"ALTER TABLE lake.{table} ALTER size SET DEFAULT 7")
        con.execute(f"ALTER TABLE lake.{table} SET PARTITIONED BY (id)")
        con.execute(f"COMMENT ON TABLE lake.{table} IS 'my own'")

        def check():
            refused(con, f"INSERT INTO lake.{table} (size) VALUES (1)", "NOT NULL")
            con.execute(f"INSERT INTO lake.{table} (id) VALUES (90)")
            check_value(con, f"SELECT size::INT FROM lake.{table} WHERE id = 90", 7)
            con.execute(f"DELETE FROM lake.{table} WHERE id = 90")
            check_value(con, "SELECT count(*) FROM __ducklake_metadata_lake.ducklake_partition_info WHERE end_snapshot IS NULL", 1)
            check_value(con, f"SELECT comment FROM duckdb_tables() WHERE database_name = 'lake' AND table_name = '{name}'", "my own")
    """,
    "postgres": """
        def there(sql):
            con.execute(f"CALL postgres_execute('lake', '{sql}')")

        there(f"ALTER TABLE {table} ADD PRIMARY KEY (id), ADD CHECK (size <> 99), ALTER size SET DEFAULT 7")
        there(f"GRANT SELECT ON {table} TO PUBLIC; CREATE INDEX by_size ON {table} (size); CREATE VIEW events.mine AS SELECT id FROM {table}")
        con.execute("CALL pg_clear_cache()")

        def check():
            refused(con, f"INSERT INTO lake.{table} (id) VALUES (1)", "duplicate key")
            refused(con, f"INSERT INTO lake.{table} (id, size) VALUES (91, 99)", "check constraint")
            check_value(con, f"SELECT * FROM postgres_query('lake', 'SELECT count(*) FROM pg_indexes WHERE tablename = ''{name}''')", 2)
            check_value(con, f"SELECT * FROM postgres_query('lake', 'SELECT relacl::text LIKE ''%,=r/%'' FROM pg_class WHERE oid = ''{table}''::regclass')", True)
            check_value(con, f"SELECT count(*) = (SELECT count(*) FROM lake.{table}) FROM postgres_query('lake', 'SELECT id FROM events.mine')", True)
    """,
}


def run_in(target, script: str) -> None:
    added = textwrap.dedent(ADDED[target.kind.split(" ")[0]])
    target.check(textwrap.dedent(ROWS) + textwrap.dedent(script).replace("$ADD", added), "")


@pytest.mark.parametrize("statement, table", [("RELOAD", "tickets"), ("REFRESH", "all_anew"), ("REFRESH", "tickets")], ids=["reload", "refresh", "updates"])
def test_what_was_added_stays_in_every_kind_of_database(target, statement, table):
    script = f"""
        name, table = "{table}", "events.{table}"
        put((1, 1, 1), (2, 2, 2), (3, 3, 3))
        con = lake("x.duckdb")
        con.execute("LOAD TABLE " + table)
        $ADD
        for round in range(1, 4):
            put((3, 10 + round, round * 3), (10 + round, 10 + round, 20))
            if round == 2:
                get("/__source?source=tickets&put=" + quote("id=2;at=2024-05-12T10:00:00Z;size=2;color=red"))
            con.execute("{statement} TABLE " + table)
            rows = con.execute(f"SELECT count(*), count(DISTINCT id), max(size), max(size) FILTER (id = 3) FROM lake.{{table}}").fetchone()
            assert rows == (3 + round, 3 + round, 20, round * 3), (round, rows)
            check()
        check_value(con, f"SELECT color FROM lake.{{table}} WHERE id = 2", "red")
    """
    run_in(target, script)


@pytest.mark.parametrize("statement", ["RELOAD", "REFRESH"])
def test_rows_that_do_not_fit_are_refused_in_every_kind_of_database(target, statement):
    bad = "id=null;at=2024-05-20T10:00:00Z;size=4" if target.kind != "postgres" else "id=4;at=2024-05-20T10:00:00Z;size=99"
    script = f"""
        name, table = "tickets", "events.tickets"
        put((1, 1, 1), (2, 2, 2))
        con = lake("x.duckdb")
        con.execute("LOAD TABLE " + table)
        $ADD
        get("/__source?source=tickets&put=" + quote("{bad}"))
        for _ in range(2):
            text = refused(con, "{statement} TABLE " + table, "do not fit")
            assert con.execute(f"SELECT id FROM lake.{{table}} ORDER BY id").fetchall() == [(1,), (2,)]
        get("/__source?source=tickets&drop=null&drop=4")
        put((5, 21, 5))
        con.execute("{statement} TABLE " + table)
        check_value(con, f"SELECT max(id) FROM lake.{{table}}", 5)
        check()
    """
    run_in(target, script)


def test_a_type_that_widens_in_postgres_keeps_grants(around, postgres):
    target = targets.target_of("postgres", around, postgres)
    script = """
        name, table = "tickets", "events.tickets"
        for statement in ("RELOAD", "REFRESH"):
            get("/__source?source=tickets&clear=1")
            put((1, 1, 1), (2, 2, 2))
            con = lake()
            con.execute("LOAD TABLE " + table)
            con.execute(f"CALL postgres_execute('lake', 'GRANT SELECT ON {table} TO PUBLIC; ALTER TABLE {table} ALTER size SET NOT NULL')")
            put((3, 3, "large"))
            con.execute(f"{statement} TABLE {table}")
            assert con.execute(f"SELECT id, size FROM lake.{table} ORDER BY id").fetchall() == [(1, "1"), (2, "2"), (3, "large")]
            check_value(con, f"SELECT * FROM postgres_query('lake', 'SELECT relacl::text LIKE ''%,=r/%'' FROM pg_class WHERE oid = ''{table}''::regclass')", True)
            con.execute(f"{statement} TABLE {table}")
            con.execute(f"DROP TABLE lake.{table}")
            con.close()
    """
    target.check(textwrap.dedent(ROWS) + textwrap.dedent(script), "")


def test_a_type_that_widens_in_a_lake_is_refused_rather_than_losing_partitions(around):
    target = targets.target_of("ducklake", around, None)
    script = """
        put((1, 1, 1))
        con = lake()
        con.execute("LOAD TABLE events.tickets")
        con.execute("ALTER TABLE lake.events.tickets SET PARTITIONED BY (id)")
        put((3, 3, "large"))
        refused(con, "RELOAD TABLE events.tickets", "column 'size' is VARCHAR now, and DuckLake cannot change its type")
        check_value(con, "SELECT count(*) FROM lake.events.tickets", 1)
        con.execute("DROP TABLE lake.events.tickets")
        con.execute("LOAD TABLE events.tickets")
        check_value(con, "SELECT count(*) FROM lake.events.tickets", 2)
    """
    target.check(textwrap.dedent(ROWS) + textwrap.dedent(script), "")
