"""Macros of the user's that are named like DuckDB's own functions: Unify's own statements do not call them."""

# Each answers what breaks a statement that takes it for DuckDB's.
MACROS = """
    MACROS = {
        "lower(x)": "'boo'", "upper(x)": "'boo'", "count(x)": "7", "list(x)": "['boo']", "max(x)": "-1", "min(x)": "-1", "sum(x)": "-1",
        "any_value(x)": "NULL", "string_agg(x, y)": "'boo'", "list_contains(x, y)": "false", "concat(x, y)": "'boo'", "format(x, y)": "'boo'",
        "replace(x, y, z)": "'boo'", "length(x)": "0", "now()": "TIMESTAMP '1999-01-01'", "current_database()": "'nowhere'",
        "current_schema()": "'nowhere'", "row_number()": "1", "ifnull(x, y)": "NULL", "nullif(x, y)": "NULL", "greatest(x, y)": "0",
        "least(x, y)": "0", "epoch_us(x)": "0", "to_timestamp(x)": "NULL", "hash(x)": "0", "array_agg(x)": "NULL", "first(x)": "NULL",
        "bool_or(x)": "true", "bool_and(x)": "false", "starts_with(x, y)": "true", "regexp_matches(x, y)": "true", "make_timestamp(x)": "NULL",
    }
    TABLES = ["duckdb_tables", "duckdb_views", "duckdb_databases", "duckdb_columns", "duckdb_schemas", "duckdb_settings", "duckdb_constraints",
              "duckdb_indexes", "range", "unnest"]
    def shadow(con, schema="main"):
        made = 0
        for name, value in MACROS.items():
            try:
                con.execute(f"CREATE OR REPLACE MACRO {schema}.{name} AS {value}")
                made += 1
            except duckdb.Error:
                pass  # DuckDB's grammar keeps some of these names for itself.
        for name in TABLES:
            con.execute(f"CREATE OR REPLACE MACRO {schema}.{name}() AS TABLE SELECT 'boo' AS database_name, 'boo' AS schema_name, 'boo' AS table_name")
        return made > 20
    def drop(con):
        for name in MACROS:
            try:
                con.execute(f"DROP MACRO IF EXISTS {name.split('(')[0]}")
            except duckdb.Error:
                pass  # One of those that could not be made.
        for name in TABLES:
            con.execute(f"DROP MACRO TABLE IF EXISTS {name}")
"""


def check(python, around, script: str, expected: str) -> None:
    outcome = python.run(around, MACROS + script).check()
    assert outcome.stdout == expected, f"{outcome.stdout}\n{outcome.stderr}"


def test_macros_named_like_functions_change_nothing_that_unify_does(python, around):
    # The same is done with them and without: what differs is printed.
    script = """
    def done(path, shadowed):
        con = connect(path)
        if shadowed:
            print(shadow(con))
        told = []
        for sql in [
            "SELECT 1 FROM shop.orders LIMIT 1", "SELECT 1 FROM shop.badges LIMIT 1", "LOAD TABLE shop.stores", "REFRESH TABLE shop.stores", "RELOAD TABLE shop.events",
            "REFRESH TABLE shop.events", "SHOW TABLES IN shop", "SHOW COLUMNS FROM shop.stores", "EXPLAIN REFRESH TABLE shop.events",
            "CREATE CONNECTION own (ADAPTER shop, host env('UNIFY_TEST_API'), bearer_token 'secret-token')", "LOAD TABLE own.stock",
            "SHOW CONNECTIONS", "TEST CONNECTION own", "CLEAR TABLE own.stock", "DROP PERSISTENT CONNECTION own CASCADE", "SELECT 1 FROM unify_fetch('shop', 'staff')",
        ]:
            try:
                told.append((sql, len(con.execute(sql).fetchall())))
            except duckdb.Error as err:
                told.append((sql, str(err)))
        if shadowed:
            drop(con)
        told += con.execute("SELECT table_name, action, status, error_message FROM unify.loading_jobs ORDER BY id, action").fetchall()
        told += con.execute("SELECT schema_name, table_name, column_count FROM duckdb_tables() ORDER BY ALL").fetchall()
        told += con.execute("SELECT count(*), count(DISTINCT id) FROM shop.orders UNION ALL SELECT count(*), count(DISTINCT id) FROM shop.events ORDER BY ALL").fetchall()
        con.close()
        return told
    plain, shadowed = done("plain.duckdb", False), done("shadowed.duckdb", True)
    for one, other in zip(plain, shadowed):
        if one != other:
            print(one, other)
    print(len(plain) == len(shadowed), sum(1 for entry in plain if "success" in entry) > 5)
"""
    check(python, around, script, "True\nTrue True\n")


def test_macros_in_the_schema_of_the_connection_and_of_the_search_path(python, around):
    script = """
    con = connect("x.duckdb")
    con.execute("CREATE SCHEMA mine")
    con.execute("LOAD TABLE shop.staff")
    print(shadow(con, "mine"), shadow(con, "shop"))
    con.execute("SET search_path = 'mine,shop,main'")
    print(len(con.execute("LOAD TABLE shop.stores").fetchall()))
    print(len(con.execute("FROM stores").fetchall()))
    con.execute("REFRESH TABLE shop.stores")
    con.execute("RESET search_path")
    print(con.execute("SELECT count(*) FROM shop.stores").fetchall())
"""
    check(python, around, script, "True True\n1\n3\n[(3,)]\n")


def test_names_without_a_database_mean_the_same_as_before(python, around):
    script = """
    con = connect("x.duckdb")
    con.execute("ATTACH 'other.duckdb' AS other")
    con.execute("LOAD TABLE shop.stores")
    con.execute("USE other")
    con.execute("LOAD TABLE shop.stores")
    con.execute("USE x")
    con.cursor().execute("LOAD TABLE shop.staff")
    print(con.execute("SELECT database_name, table_name FROM duckdb_tables() WHERE schema_name = 'shop' ORDER BY ALL").fetchall())
"""
    check(python, around, script, "[('other', 'stores'), ('x', 'staff'), ('x', 'stores')]\n")
