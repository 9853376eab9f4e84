"""Sessions, databases, interruption and the ends of databases, in Python."""

import pytest


def check(python, around, script: str, expected: str, timeout: float = 120) -> None:
    outcome = python.run(around, script, timeout).check()
    assert outcome.stdout == expected, f"{outcome.stdout}\n{outcome.stderr}"


def test_a_variable_of_the_tables_name_does_not_hide_it(python, around):
    script = """
        con = connect()
        stores = con.sql("SELECT 42 AS mine")
        events = [1, 2, 3]
        print(con.sql("SELECT count(*) FROM shop.stores").fetchall()[0][0])
        print(con.execute("SELECT count(*) FROM shop.events").fetchall()[0][0])
        print(con.sql("SELECT mine FROM stores").fetchall()[0][0])
    """
    check(python, around, script, "3\n230\n42\n")


def test_parameters(python, around):
    script = """
        con = connect()
        print(con.execute("SELECT count(*) FROM shop.orders WHERE id <= ?", [10]).fetchone()[0])
        print(con.execute("SELECT count(*) FROM shop.orders WHERE id <= $n", {"n": 20}).fetchone()[0])
        print(con.execute("SELECT count(*) FROM unify_peek(?, ?)", ["shop.orders", 5]).fetchone()[0])
        print(n_requests("/shop/orders"))
    """
    check(python, around, script, "10\n20\n5\n4\n")


def test_a_wrong_call_is_told_the_names_of_the_parameters(python, around):
    script = """
        con = connect()
        for call in ("unify_peek()", "unify_http('shop')"):
            try:
                con.execute("FROM " + call)
            except duckdb.Error as err:
                print([line.strip() for line in str(err).splitlines() if line.startswith("\tunify_")])
    """
    # DuckDB 1.5 has no names for them.
    if python.release.startswith("1."):
        expected = [["unify_peek(VARCHAR)"], ["unify_http(VARCHAR, VARCHAR, params : MAP(VARCHAR, VARCHAR))"]]
    else:
        expected = [['unify_peek("table" VARCHAR, /, *n BIGINT)'], ['unify_http("connection" VARCHAR, path VARCHAR, /, **"options" ANY)']]
    assert python.run(around, script).check().stdout.splitlines() == [str(lines) for lines in expected]


def test_a_script_of_several_statements(python, around):
    script = """
        con = connect()
        con.execute('''
            CREATE TABLE a AS SELECT count(*) AS n FROM shop.stores; -- loads
            REFRESH TABLE shop.stores; /* ours, in the middle */
            INSERT INTO a SELECT count(*) FROM shop.events;
        ''')
        print(con.execute("SELECT list(n ORDER BY n) FROM a").fetchone()[0])
    """
    check(python, around, script, "[3, 230]\n")


def test_an_error_has_a_caret(python, around):
    script = """
        con = connect()
        try:
            con.execute("REFRESH TABLE shop.no_such_table")
        except duckdb.Error as err:
            print(type(err).__name__, "LINE 1: REFRESH" in str(err) and "^" in str(err), "no_such_table" in str(err))
    """
    outcome = python.run(around, script).check()
    assert outcome.stdout.endswith(" True True\n"), outcome


def test_begin_then_select(python, around):
    script = """
        con = connect("x.duckdb")
        con.begin()
        print(con.execute("SELECT count(*) FROM shop.stores").fetchone()[0])
        con.execute("CREATE TABLE mine AS SELECT 1")
        print(con.execute("SELECT count(*) FROM shop.events").fetchone()[0])
        con.commit()
        print(con.execute("SELECT count(*) FROM shop.stores, shop.events, mine").fetchone()[0])
    """
    check(python, around, script, "3\n230\n690\n")


def test_two_databases_do_not_see_each_other(python, around):
    script = """
        a, b = connect("a.duckdb"), connect("b.duckdb")
        print(a.execute("SELECT count(*) FROM shop.stores").fetchone()[0])
        print(b.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'shop'").fetchone()[0])
        print(b.execute("SELECT count(*) FROM information_schema.loading_jobs").fetchone()[0])
        print(b.execute("SELECT count(*) FROM shop.stores").fetchone()[0], n_requests("/shop/stores"))
        a.execute("SET GLOBAL unify_connections_file = '/nowhere.yaml'")
        print(b.execute("SELECT count(*) FROM shop.events").fetchone()[0])
        a.close()
        print(b.execute("SELECT count(*) FROM shop.customers").fetchone()[0])
    """
    check(python, around, script, "3\n0\n0\n3 2\n230\n120\n")


def test_two_sessions_share_one_load(python, around):
    script = """
        con = connect("x.duckdb")
        count = lambda: con.cursor().execute("SELECT count(*) FROM shop.gated").fetchone()[0]
        threads = [in_thread(count) for _ in range(2)]
        get("/__wait?path=/shop/gated&n=2")
        threads.append(in_thread(count))
        get("/__control?open=1")
        for thread, _ in threads:
            thread.join()
        print([results[0] for _, results in threads])
        print(con.execute("SELECT count(*) FROM unify.loading_jobs WHERE action = 'load_start'").fetchone()[0])
    """
    check(python, around, script, "[30, 30, 30]\n1\n")


def test_interrupting_stops_the_wait_and_not_the_load(python, around):
    script = """
        con = connect("x.duckdb")
        select = con.cursor()
        thread, results = in_thread(lambda: select.execute("SELECT count(*) FROM shop.gated").fetchone()[0])
        get("/__wait?path=/shop/gated&n=2")
        while thread.is_alive():
            select.interrupt()
            thread.join(0.05)
        print(str(results[0]))
        get("/__control?open=1")
        before = n_requests("/shop/gated")
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM shop.gated").fetchone())
        print(con.execute("SELECT action, status FROM information_schema.loading_jobs WHERE table_name = 'gated' ORDER BY id").fetchall())
    """
    outcome = python.run(around, script).check()
    *message, counts, jobs = outcome.stdout.splitlines()
    message = " ".join(message).lower()
    assert "interrupt" in message and "job" in message and "shop" in message and "gated" in message, message
    assert counts == "(30, 30)"
    assert jobs.count("load_start") == 1 and "'success'" in jobs, jobs


def test_a_waiting_select_can_time_out(python, around):
    script = """
        con = connect("x.duckdb")
        leave_load_running(con)
        get("/__control?open=1")
        print(con.execute("SELECT count(*) FROM shop.gated").fetchone()[0])
        print(con.execute("SELECT count(*) FROM information_schema.loading_jobs WHERE action = 'load_start'").fetchone()[0])
    """
    check(python, around, script, "30\n1\n")


def test_a_database_closed_during_a_load(python, around):
    script = """
        for path in ("x.duckdb", ":memory:"):
            before = n_threads()
            con = connect(path)
            get("/__control?reset=1")
            leave_load_running(con)
            con.close()
            print(n_threads() <= before + 1)
        con = duckdb.connect("x.duckdb")
        print(con.execute("SELECT count(*) FROM information_schema.tables WHERE table_name = 'gated'").fetchone()[0])
        con.close()
        get("/__control?open=1")
        con = connect("x.duckdb")
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM shop.gated").fetchone())
    """
    check(python, around, script, "True\nTrue\n0\n(30, 30)\n")


def test_reopening_read_only_in_the_same_process(python, around):
    script = """
        con = connect("x.duckdb")
        print(con.execute("SELECT count(*) FROM shop.orders").fetchone()[0])
        con.close()
        con = duckdb.connect("x.duckdb", read_only=True)
        print(con.execute("SELECT count(*) FROM shop.orders").fetchone()[0])
        con.close()
        con = connect("x.duckdb", read_only=True)
        print(con.execute("SELECT count(*) FROM shop.orders").fetchone()[0])
        try:
            con.execute("SELECT * FROM shop.stores")
        except duckdb.Error as err:
            print("read-only" in str(err).lower())
    """
    check(python, around, script, "250\n250\n250\nTrue\n")


def test_in_memory_and_attached_databases(python, around):
    script = """
        con = connect()
        con.execute("ATTACH 'other.duckdb' AS other")
        print(con.execute("SELECT count(*) FROM shop.stores").fetchone()[0])
        print(con.execute("SELECT count(*) FROM other.shop.stores").fetchone()[0])
        con.execute("USE other")
        print(con.execute("SELECT count(*) FROM shop.events").fetchone()[0])
        found = con.execute("SELECT database_name, table_name FROM duckdb_tables() WHERE schema_name = 'shop' ORDER BY ALL").fetchall()
        print(found)
    """
    expected = "3\n3\n230\n[('memory', 'stores'), ('other', 'events'), ('other', 'stores')]\n"
    check(python, around, script, expected)


def test_external_access_switched_off(python, around):
    script = """
        con = connect("x.duckdb")
        con.execute("SET enable_external_access = false")
        try:
            con.execute("SELECT * FROM shop.stores")
        except duckdb.Error as err:
            print("external" in str(err).lower(), n_requests("/shop/stores"))
    """
    check(python, around, script, "True 0\n")


# Each begins to ask the API, which holds its second request (the only one of a COPY), and what goes on when that was answered.
UNDER_WAY = {
    "load": ("LOAD TABLE shop.gated", "/shop/gated", 2),
    "select": ("SELECT count(*) FROM shop.gated", "/shop/gated", 2),
    "fetch": ("SELECT count(*) FROM unify_fetch('shop', 'gated')", "/shop/gated", 2),
    "copy": ("COPY (SELECT range AS id FROM range(5)) TO 'desk.gated' (FORMAT unify)", "/desk/gated", 1),
}


@pytest.mark.parametrize("kind", UNDER_WAY)
def test_nothing_is_sent_from_when_external_access_is_switched_off(python, around, kind):
    statement, path, n_asked = UNDER_WAY[kind]
    script = f"""
        con = connect("x.duckdb")
        con.execute("SET unify_loader_threads = 1")
        working = con.cursor()
        thread, results = in_thread(lambda: working.execute({statement!r}).fetchall())
        get("/__wait?path={path}&n={n_asked}")
        con.execute("SET enable_external_access = false")
        get("/__control?open=1")
        thread.join()
        print(n_requests({path!r}), "setting 'enable_external_access' is false" in str(results[0]))
    """
    check(python, around, script, f"{n_asked} True\n")


def test_a_load_that_was_stopped_by_policy_goes_on_when_it_is_allowed(python, around):
    script = """
        con = connect("x.duckdb")
        con.execute("SET unify_loader_threads = 1")
        con.execute("LOAD TABLE shop.gated IN BACKGROUND")
        get("/__wait?path=/shop/gated&n=2")
        con.execute("SET enable_external_access = false")
        get("/__control?open=1")
        until(lambda: con.execute("SELECT state FROM unify_jobs(1)").fetchone()[0], lambda state: state != "running")
        print(con.execute("SELECT state, error FROM unify_jobs(1)").fetchone(), n_requests("/shop/gated"))
        con.close()
        con = connect("x.duckdb")
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM shop.gated").fetchone())
    """
    outcome = python.run(around, script).check()
    first, last = outcome.stdout.splitlines()
    assert first.startswith("('error', ") and "setting 'enable_external_access' is false" in first and first.endswith(" 2"), outcome
    assert last == "(30, 30)", outcome


def test_a_parked_load_sends_nothing_when_external_access_was_switched_off_meanwhile(python, around):
    script = """
        con = connect("x.duckdb")
        con.execute("LOAD TABLE limits.one_second IN BACKGROUND")
        show = lambda: con.execute("SELECT state, error FROM unify_jobs(1)").fetchone()
        print(until(show, lambda row: row[0] == "waiting")[0], n_requests("/bad/retry_after/one"))
        con.execute("SET enable_external_access = false")
        state, error = until(show, lambda row: row[0] not in ("waiting", "running"))
        print(state, "setting 'enable_external_access' is false" in error, n_requests("/bad/retry_after/one"))
        con.close()
        con = connect("x.duckdb")
        print(con.execute("SELECT count(*) > 0 FROM limits.one_second").fetchone())
    """
    check(python, around, script, "waiting 1\nerror True 1\n(True,)\n")


def test_many_tables_at_once(python, around):
    script = """
        con = connect("x.duckdb")
        tables = ["orders", "products", "customers", "events", "stores", "staff", "badges", "prices", "city_prices", "late", "widening", "types", "names", "wide", "many", "profile"]
        threads = [in_thread(lambda table=table: con.cursor().execute(f"SELECT count(*) FROM shop.{table}").fetchone()[0]) for table in tables]
        for thread, _ in threads:
            thread.join()
        print([results[0] for _, results in threads])
    """
    check(python, around, script, "[250, 300, 120, 230, 3, 3, 2, 6, 2, 60, 10, 2, 1, 1, 2000, 1]\n")


def test_two_refreshes_at_once_are_one(python, around):
    script = """
        con = connect("x.duckdb")
        con.execute("SELECT count(*) FROM shop.orders").fetchall()
        refresh = lambda: con.cursor().execute("SELECT rows FROM unify_refresh('shop.orders')").fetchall()[0][0]
        threads = [in_thread(refresh) for _ in range(4)]
        for thread, _ in threads:
            thread.join()
        print([results[0] for _, results in threads])
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM shop.orders").fetchall())
    """
    check(python, around, script, "[250, 250, 250, 250]\n[(250, 250)]\n")


def test_readers_see_the_old_table_or_the_new_one(python, around):
    script = """
        con = connect("x.duckdb")
        reader = con.cursor()
        reader.execute("SELECT count(*) FROM shop.stock").fetchall()
        get("/__control?rows=7&revision=1")
        reader.begin()
        print(reader.execute("SELECT count(*), max(revision) FROM shop.stock").fetchall())
        con.execute("REFRESH TABLE shop.stock").fetchall()
        print(reader.execute("SELECT count(*), max(revision) FROM shop.stock").fetchall())
        reader.commit()
        print(reader.execute("SELECT count(*), max(revision) FROM shop.stock").fetchall())
    """
    check(python, around, script, "[(25, 0)]\n[(25, 0)]\n[(7, 1)]\n")


def test_what_was_made_from_a_table_needs_no_extension(python, around):
    script = """
        con = connect("x.duckdb")
        con.execute("CREATE VIEW v AS SELECT * FROM shop.late").fetchall()
        con.execute("CREATE MACRO m() AS TABLE SELECT count(*) AS n FROM shop.events").fetchall()
        con.execute("EXPORT DATABASE 'exported'").fetchall()
        con.close()
        con = duckdb.connect("x.duckdb")
        print(con.execute("SELECT count(*) FROM v").fetchall())
        print(con.execute("FROM m()").fetchall())
        con = duckdb.connect()
        con.execute("IMPORT DATABASE 'exported'").fetchall()
        print(con.execute("SELECT count(*) FROM shop.events").fetchall())
    """
    check(python, around, script, "[(60,)]\n[(230,)]\n[(230,)]\n")


def test_a_schema_dropped_during_a_load(python, around):
    script = """
        con = connect("x.duckdb")
        leave_load_running(con)
        con.execute("DROP SCHEMA shop CASCADE")
        get("/__control?open=1")
        for _ in range(2):
            try:
                print(con.execute("SELECT count(*) FROM shop.gated").fetchall())
                break
            except duckdb.Error as err:
                print("shop" in str(err))
    """
    outcome = python.run(around, script).check()
    assert outcome.stdout.endswith("[(30,)]\n"), outcome
