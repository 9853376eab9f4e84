"""Class postgres: the tables of a real PostgreSQL, with their types, refreshed by what changed, gone on with after a cut, and what is said of errors."""

import os
import signal

import hosts
import pytest
from postgres import CANCELLED, CANCELS

SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN cents AS numeric(12,2);
CREATE TABLE kinds (
    id integer PRIMARY KEY, small smallint, big bigint, flag boolean, ratio real, number double precision, price numeric(10,2), exact numeric,
    cost cents, name text, code varchar(5), letter char(3), day date, at timestamp, moment timestamptz, clock time, span interval, ident uuid,
    plain json, doc jsonb, bytes bytea, tags text[], numbers integer[], grid integer[][], prices numeric(6,2)[], feeling mood, range int4range
);
COMMENT ON TABLE kinds IS 'One of each';
INSERT INTO kinds VALUES
    (1, -32768, 9223372036854775807, true, 0.1, 'NaN', 12345678.90, 12345678901234567890123456789012345678901234567890.5, 1.10, E'a\\tb\\\\c\\nd\\'"', 'x', 'y',
     '2024-02-29', '2024-01-01 10:00:00.123456', '2024-01-01 10:00:00+02', '23:59:59.5', '1 year 2 mons -3 days 04:05:06', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
     '{"a": [1, 2]}', '{"b": "c"}', '\\x00ff41', ARRAY['a', NULL, 'b"c', ''], '{1,2}', '{{1,2},{3,4}}', '{1.50,2}', 'ok', '[1,5)'),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, '0044-03-15 BC', 'infinity', NULL, NULL, NULL, NULL, NULL, NULL, '', '{}', NULL, NULL, NULL, NULL, NULL);
CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10,2), updated_at timestamptz);
INSERT INTO orders SELECT i, i, timestamptz '2024-01-01' + i * interval '1 minute' FROM generate_series(1, 100) i;
CREATE TABLE "odd ""name" ("A b" int, "select" text);
INSERT INTO "odd ""name" VALUES (1, 'x'), (1, 'x');
CREATE VIEW totals AS SELECT sum(total) AS total FROM orders;
CREATE TABLE broken AS SELECT false AS is_on;
CREATE FUNCTION is_read(id bigint) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF id = 40000 AND (SELECT is_on FROM public.broken) THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
    RETURN true;
END $$;
CREATE TABLE many (id bigint PRIMARY KEY, text text);
INSERT INTO many SELECT i, repeat('x', 20) FROM generate_series(1, 50000) i;
ALTER TABLE many ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON many USING (is_read(id));
DROP ROLE IF EXISTS reader;
CREATE ROLE reader LOGIN;
-- Rows leave the server as they are read, and are not sorted before.
ALTER ROLE reader SET enable_seqscan = off;
ALTER ROLE reader SET enable_bitmapscan = off;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
REVOKE SELECT ON broken FROM reader;
"""


@pytest.fixture
def database(postgres):
    """A database of the test's own, and a function that runs SQL in it."""
    name = f"class_{os.getpid()}"
    postgres.run("dropdb", "-h", str(postgres.folder), "-U", "unify", "--if-exists", "--force", name)
    postgres.run("createdb", "-h", str(postgres.folder), "-U", "unify", name)

    def run(sql: str) -> str:
        return postgres.run("psql", "-h", str(postgres.folder), "-U", "unify", "-d", name, "-v", "ON_ERROR_STOP=1", "-qAtc", sql)

    run(SCHEMA)
    yield name, run
    run("DROP OWNED BY reader; DROP ROLE reader")


def check(python, around, postgres, database, script: str, expected: str) -> None:
    """Runs a script whose `con` has a connection `pg`, and whose `psql` runs SQL in the server."""
    folder = postgres.folder
    prepared = f"""
        import subprocess
        def psql(sql):
            command = [{postgres_program()!r}, "-h", {str(folder)!r}, "-U", "unify", "-d", {database[0]!r}, "-qAtc", sql]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        def fails(sql):
            try:
                con.execute(sql).fetchall()
            except duckdb.Error as err:
                return str(err)
            return "did not fail"
        con = connect("x.duckdb")
        OPTIONS = "ADAPTER postgres, host '{folder}', database '{database[0]}'"
        con.execute(f"CREATE CONNECTION pg ({{OPTIONS}}, user 'reader')")
    """
    outcome = python.run(around, hosts.textwrap.dedent(prepared) + hosts.textwrap.dedent(script)).check()
    assert outcome.stdout == expected, f"{outcome.stdout}\n{outcome.stderr}"


def postgres_program() -> str:
    from postgres import program

    return program("psql")


def test_tables_and_types_are_those_of_the_server(python, around, postgres, database):
    script = """
        print(con.execute("SELECT \\"table\\", strategy, description FROM unify_tables('pg') ORDER BY 1").fetchall())
        for name, kind in con.execute("SELECT column_name, column_type FROM (DESCRIBE pg.kinds)").fetchall():
            print(name, kind, con.execute(f'SELECT CAST("{name}" AS VARCHAR) FROM pg.kinds ORDER BY id').fetchall())
        print(con.execute('SELECT * FROM pg."odd ""name"').fetchall())
        print(con.execute("SELECT total FROM pg.totals").fetchone())
        print(con.execute("SELECT table_name, action, numrows, status FROM information_schema.loading_jobs WHERE table_name = 'totals' ORDER BY id").fetchall())
    """
    expected = r"""[('kinds', 'reload', 'One of each'), ('many', 'reload', 'Table public.many'), ('odd "name', 'reload', 'Table public.odd "name'), ('orders', 'updates', 'Table public.orders'), ('totals', 'reload', 'Table public.totals')]
id INTEGER [('1',), ('2',)]
small SMALLINT [('-32768',), (None,)]
big BIGINT [('9223372036854775807',), (None,)]
flag BOOLEAN [('true',), (None,)]
ratio FLOAT [('0.1',), (None,)]
number DOUBLE [('nan',), (None,)]
price DECIMAL(10,2) [('12345678.90',), (None,)]
exact VARCHAR [('12345678901234567890123456789012345678901234567890.5',), (None,)]
cost DECIMAL(12,2) [('1.10',), (None,)]
name VARCHAR [('a\tb\\c\nd\'"',), ('',)]
code VARCHAR [('x',), (None,)]
letter VARCHAR [('y  ',), (None,)]
day DATE [('2024-02-29',), ('0044-03-15 (BC)',)]
at TIMESTAMP [('2024-01-01 10:00:00.123456',), ('infinity',)]
moment TIMESTAMP WITH TIME ZONE [('2024-01-01 08:00:00+00',), (None,)]
clock TIME [('23:59:59.5',), (None,)]
span INTERVAL [('1 year 2 months -3 days 04:05:06',), (None,)]
ident UUID [('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',), (None,)]
plain JSON [('{"a": [1, 2]}',), (None,)]
doc JSON [('{"b": "c"}',), (None,)]
bytes BLOB [('\\x00\\xFFA',), ('',)]
tags VARCHAR[] [('[a, NULL, \'b"c\', \'\']',), ('[]',)]
numbers INTEGER[] [('[1, 2]',), (None,)]
grid JSON [('[[1,2],[3,4]]',), (None,)]
prices DECIMAL(6,2)[] [('[1.50, 2.00]',), (None,)]
feeling VARCHAR [('ok',), (None,)]
range VARCHAR [('[1,5)',), (None,)]
[(1, 'x'), (1, 'x')]
('5050.00',)
[('totals', 'load_start', None, 'success'), ('totals', 'create', None, 'success'), ('totals', 'load_end', 1, 'success')]
"""
    around.more["TZ"] = "UTC"
    check(python, around, postgres, database, script, expected)


def test_a_refresh_asks_for_what_changed(python, around, postgres, database):
    script = """
        print(con.execute("SELECT count(*), sum(total) FROM pg.orders").fetchone())
        psql("UPDATE orders SET total = 1000, updated_at = '2024-01-02' WHERE id = 5; INSERT INTO orders VALUES (101, 1, '2024-01-02'), (102, 2, NULL); DELETE FROM orders WHERE id = 1")
        print(con.execute("SELECT action, rows FROM unify_refresh('pg.orders')").fetchone())
        print(con.execute("SELECT count(*), sum(total) FROM pg.orders").fetchone())
        print(con.execute("SELECT change, rows FROM unify_changes('pg.orders') ORDER BY ALL").fetchall())
        psql("DROP VIEW totals; ALTER TABLE orders ALTER total TYPE numeric(14,4), ADD note text; UPDATE orders SET note = 'n' WHERE id = 5")
        print(con.execute("SELECT rows FROM unify_refresh('pg.orders')").fetchone()[0], con.execute("SELECT count(*), max(note) FROM pg.orders").fetchone())
        print(con.execute("SELECT column_name, column_type FROM (DESCRIBE pg.orders)").fetchall())
        print(con.execute("SELECT rows FROM unify_reload('pg.orders')").fetchone()[0], con.execute("SELECT count(*) FROM pg.orders").fetchone())
    """
    expected = """(100, Decimal('5050.00'))
('refresh', 9)
(102, Decimal('6048.00'))
[('added', 2), ('changed', 1), ('removed', 0)]
101 (101, 'n')
[('id', 'BIGINT'), ('total', 'DECIMAL(14,4)'), ('updated_at', 'TIMESTAMP WITH TIME ZONE'), ('note', 'VARCHAR')]
101 (101,)
"""
    check(python, around, postgres, database, script, expected)


def test_a_load_that_was_cut_goes_on_behind_its_last_row(python, around, postgres, database):
    script = """
        psql("UPDATE broken SET is_on = true")
        print("the connection broke" in fails("SELECT count(*) FROM pg.many"))
        psql("UPDATE broken SET is_on = false")
        print(con.execute("SELECT count(*), count(DISTINCT id), sum(id) FROM pg.many").fetchone())
        message, = con.execute("SELECT message FROM information_schema.loading_log WHERE message LIKE 'going on with an unfinished load%'").fetchone()
        print(int(message.split("rows: ")[1].split(",")[0]) >= 16384)
    """
    check(python, around, postgres, database, script, "True\n(50000, 50000, 1250025000)\nTrue\n")


def test_errors_say_what_to_do(python, around, postgres, database):
    database[1]("DROP ROLE IF EXISTS guarded; CREATE ROLE guarded LOGIN PASSWORD 'right-one'; GRANT SELECT ON orders TO guarded")
    rules = postgres.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all guarded scram-sha-256\n" + before)
    postgres.process.send_signal(signal.SIGHUP)
    script = """
        con.execute(f"CREATE CONNECTION wrong ({OPTIONS}, user 'guarded', password 'wrong-one')")
        until(lambda: fails("SHOW TABLES IN wrong"), lambda text: "28P01" in text)
        print("check options 'user', 'password'" in fails("SELECT * FROM wrong.orders"), "wrong-one" in fails("SELECT * FROM wrong.orders"))
        con.execute(f"CREATE CONNECTION fine ({OPTIONS}, user 'guarded', password 'right-one')")
        print(con.execute("SELECT count(*) FROM fine.orders").fetchone(), "right-one" in str(con.execute("FROM unify_connections()").fetchall()))
        print(con.execute("SELECT \\"check\\", ok, message FROM unify_test_connection('fine') WHERE \\"check\\" = 'tables'").fetchall())
        con.execute(f"CREATE CONNECTION nowhere (ADAPTER postgres, host '/nowhere', database 'x', user 'y')")
        print("cannot connect to /nowhere/.s.PGSQL.5432" in fails("SHOW TABLES IN nowhere"))
        con.execute(f"CREATE CONNECTION named ({OPTIONS}, user 'reader', tables 'orders, missing')")
        print(fails("SHOW TABLES IN named").split(": ", 2)[-1])
        print("DISCOVER CONNECTION" in fails("SELECT * FROM pg.later"))
        psql("CREATE TABLE later AS SELECT 1 AS a; GRANT SELECT ON later TO reader")
        con.execute("DISCOVER CONNECTION pg").fetchall()
        print(con.execute("SELECT a FROM pg.later").fetchone())
        psql("DROP TABLE later")
        print(fails("RELOAD TABLE pg.later").split(": ", 1)[1], con.execute("SELECT a FROM pg.later").fetchone())
        con.execute("SET enable_external_access = false")
        print("enable_external_access" in fails("REFRESH TABLE pg.later"))
    """
    expected = """True False
(100,) False
[('tables', True, '1 tables found')]
True
option 'tables' names 'missing', which is not a table of schema public that the user may read
True
(1,)
connection 'pg', table 'later': the database has no table 'public.later' that the user may read; DISCOVER CONNECTION asks again (1,)
True
"""
    try:
        check(python, around, postgres, database, script, expected)
    finally:
        rules.write_text(before)
        postgres.process.send_signal(signal.SIGHUP)
        database[1]("DROP OWNED BY guarded; DROP ROLE guarded")


def test_numbers_that_decimals_do_not_have_are_text(python, around, postgres, database):
    script = """
        psql("CREATE TABLE readings (id bigint PRIMARY KEY, level numeric(6,2), other numeric(6,2), spans numeric(6,2)[], updated_at timestamptz); GRANT SELECT ON readings TO reader")
        psql("INSERT INTO readings VALUES (1, 1.50, 2, '{1}', '2024-01-01'), (2, 'NaN', 3, '{2,NaN}', '2024-01-02')")
        types = "SELECT string_agg(column_type, ' ') FROM (DESCRIBE pg.readings)"
        print(con.execute("SELECT level, other, spans FROM unify_peek('pg.readings') ORDER BY id").fetchall())
        print(con.execute("SELECT level, other, spans FROM pg.readings ORDER BY id").fetchall(), con.execute(types).fetchone())
        print(con.execute("SELECT CAST(level AS DOUBLE) FROM pg.readings ORDER BY id").fetchall())
        print(con.execute("SELECT message FROM information_schema.loading_log WHERE message LIKE '%NaN%' ORDER BY message").fetchall())
        psql("INSERT INTO readings VALUES (3, 'NaN', 4, '{3}', '2024-01-03')")
        print(con.execute("SELECT rows FROM unify_refresh('pg.readings')").fetchone(), con.execute("SELECT level, other FROM pg.readings ORDER BY id").fetchall())
        print(con.execute(types).fetchone())
        psql("UPDATE readings SET other = 'NaN', updated_at = '2024-01-04' WHERE id = 1")
        print(con.execute("SELECT rows FROM unify_refresh('pg.readings')").fetchone(), con.execute("SELECT level, other FROM pg.readings ORDER BY id").fetchall())
        psql("UPDATE readings SET level = 0, other = 0, spans = NULL")
        con.execute("RELOAD TABLE pg.readings")
        print(con.execute(types).fetchone())
    """
    expected = """[('1.50', Decimal('2.00'), ['1.00']), ('NaN', Decimal('3.00'), ['2.00', 'NaN'])]
[('1.50', Decimal('2.00'), ['1.00']), ('NaN', Decimal('3.00'), ['2.00', 'NaN'])] ('BIGINT VARCHAR DECIMAL(6,2) VARCHAR[] TIMESTAMP WITH TIME ZONE',)
[(1.5,), (nan,)]
[("column 'level' has NaN or infinity, which DECIMAL(6,2) does not have: it is loaded as text; starting over",), ("column 'spans' has NaN or infinity, which DECIMAL(6,2)[] does not have: it is loaded as text; starting over",)]
(2,) [('1.50', Decimal('2.00')), ('NaN', Decimal('3.00')), ('NaN', Decimal('4.00'))]
('BIGINT VARCHAR DECIMAL(6,2) VARCHAR[] TIMESTAMP WITH TIME ZONE',)
(3,) [('1.50', 'NaN'), ('NaN', '3.00'), ('NaN', '4.00')]
('BIGINT DECIMAL(6,2) DECIMAL(6,2) DECIMAL(6,2)[] TIMESTAMP WITH TIME ZONE',)
"""
    check(python, around, postgres, database, script, expected)


def test_a_look_at_tables_stores_nothing(python, around, postgres, database):
    script = """
        print(con.execute("SELECT id, total, typeof(total), typeof(updated_at) FROM unify_peek('pg.orders', 2)").fetchall())
        print(con.execute("SELECT \\"column\\", type, key FROM unify_columns('pg.orders')").fetchall())
        con.execute("PEEK pg.kinds LIMIT 5")
        for name, kind in con.execute("SELECT \\"column\\", type FROM unify_columns('pg.kinds')").fetchall():
            sql = f'SELECT CAST("{name}" AS VARCHAR), typeof("{name}") FROM '
            peeked = con.execute(sql + "unify_peek('pg.kinds') ORDER BY id").fetchall()
            if [row[1] for row in peeked] != [kind, kind]:
                print(name, kind, peeked)
        print(con.execute("SELECT count(*) FROM unify_peek('pg.many')").fetchone(), con.execute("SELECT count(*) FROM unify_peek('pg.many', 1000000)").fetchone())
        psql("CREATE TABLE nothing (a int, b text[]); GRANT SELECT ON nothing TO reader")
        con.execute("DISCOVER CONNECTION pg").fetchall()
        print(con.execute("SELECT count(*), any_value(typeof(a)) FROM unify_peek('pg.nothing')").fetchone())
        print(con.execute("SELECT count(*) FROM unify_tables('pg') WHERE loaded").fetchone())
        print(fails("FROM unify_fetch('pg', 'orders')").split(": ", 1)[1].splitlines()[0])
        for row in con.execute("SELECT \\"check\\", ok, message FROM unify_test_connection('pg') WHERE \\"check\\" IN ('tables', 'rows')").fetchall():
            print(*row)
        looked = con.execute("SELECT id, total, CAST(updated_at AS VARCHAR) FROM unify_peek('pg.orders', 2)").fetchall()
        print(looked == con.execute("SELECT id, total, CAST(updated_at AS VARCHAR) FROM pg.orders ORDER BY id LIMIT 2").fetchall())
        psql("ALTER TABLE kinds RENAME price TO cost_price; REVOKE SELECT ON orders FROM reader")
        print(fails("PEEK pg.orders").split(": ", 1)[1])
        print(con.execute("SELECT count(*) FROM unify_columns('pg.kinds') WHERE \\"column\\" = 'cost_price'").fetchone())
    """
    expected = """[(1, Decimal('1.00'), 'DECIMAL(10,2)', 'TIMESTAMP WITH TIME ZONE'), (2, Decimal('2.00'), 'DECIMAL(10,2)', 'TIMESTAMP WITH TIME ZONE')]
[('id', 'BIGINT', True), ('total', 'DECIMAL(10,2)', False), ('updated_at', 'TIMESTAMP WITH TIME ZONE', False)]
(20,) (1000,)
(0, None)
(0,)
connection 'pg', table 'orders': unify_fetch gives what an API or files give; PEEK pg.orders shows the first rows, and LOAD TABLE pg.orders has all
tables True 6 tables found
rows True can be read: 'kinds', 'many', 'nothing', 'odd "name', 'orders'; not tried: 1 more
True
connection 'pg', table 'orders': the database has no table 'public.orders' that the user may read; DISCOVER CONNECTION asks again
(1,)
"""
    check(python, around, postgres, database, script, expected)


def test_cancel_job_ends_what_the_server_does(python, around, postgres, database):
    script = """
        psql("CREATE VIEW slow AS SELECT pg_sleep(600) IS NULL AS a; GRANT SELECT ON slow TO reader")
    """
    check(python, around, postgres, database, hosts.textwrap.dedent(script) + CANCELS, CANCELLED)


def screen_of(postgres, database) -> list:
    """What a user types, and the rows that come as text."""
    return [
        (f"CREATE CONNECTION pg (ADAPTER postgres, host '{postgres.folder}', database '{database[0]}', user 'reader')", None),
        ("SELECT count(*) FILTER (ok) FROM unify_test_connection('pg')", [["5"]]),
        ("SELECT \"column\", CAST(key AS VARCHAR) FROM unify_columns('pg.orders') LIMIT 2", [["id", "true"], ["total", "false"]]),
        ("SELECT total FROM unify_peek('pg.orders', 1)", [["1.00"]]),
        ("SELECT count(*), sum(total) FROM pg.orders", [["100", "5050.00"]]),
        ("SELECT rows FROM unify_refresh('pg.orders')", [["6"]]),
        ("SELECT count(*) FROM unify_drop_connection('pg', cascade := true)", [["3"]]),
    ]


def test_what_users_type_in_the_command_line(cli, around, postgres, database):
    hosts.check_screen(cli, around, screen_of(postgres, database))


def test_what_users_type_in_node(node, around, postgres, database):
    hosts.check_screen(node, around, screen_of(postgres, database))
