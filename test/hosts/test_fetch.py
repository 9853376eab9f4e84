"""Rows straight from the API in real hosts: streaming, stopping, interruption, memory."""

import hosts
import pytest


def check(python, around, script: str, expected: str, timeout: float = 120) -> None:
    outcome = python.run(around, script, timeout).check()
    assert outcome.stdout == expected, f"{outcome.stdout}\n{outcome.stderr}"


@pytest.mark.parametrize("n_threads", [1, 4])
def test_a_statement_has_rows_while_later_pages_are_on_their_way(python, around, n_threads):
    # The second page waits for the gate. A sequence counts the rows that the statement has.
    script = f"""
        con = connect()
        con.execute("SET threads = {n_threads}")
        con.execute("CREATE SEQUENCE seen")
        n_seen = lambda: con.execute("SELECT coalesce(last_value, 0) FROM duckdb_sequences()").fetchone()[0]
        reading = con.cursor()
        thread, results = in_thread(lambda: reading.execute("SELECT count(nextval('seen')), max(id) FROM unify_fetch('shop', 'gated')").fetchall())
        get("/__wait?path=/shop/gated&n=2")
        print(until(n_seen, lambda n_rows: n_rows == 10), thread.is_alive())
        print(con.cursor().execute("FROM unify_fetch('shop', 'gated') LIMIT 10").fetchall() == [(number, None) for number in range(1, 11)])
        get("/__control?open=1")
        thread.join()
        print(results, n_seen())
    """
    check(python, around, script, "10 True\nTrue\n[[(30, 30)]] 30\n")


def test_a_statement_that_has_enough_stops_the_fetching(python, around):
    script = """
        con = connect()
        count = lambda limit: con.execute(f"SELECT count(*) FROM (FROM unify_fetch('shop', 'million') LIMIT {limit})").fetchone()[0]
        for limit, most in [(5, 1), (100, 2), (350, 8), (1000, 20)]:
            get("/__control?reset=1")
            n_rows = count(limit)
            n_asked = n_requests("/shop/many")
            print(n_rows, -(-limit // 100) <= n_asked <= most or n_asked)
        print(con.execute("SELECT count(*) FROM unify_http('shop', '/profile'), (FROM unify_fetch('shop', 'million') LIMIT 5)").fetchone()[0])
    """
    check(python, around, script, "5 True\n100 True\n350 True\n1000 True\n5\n")


@pytest.mark.parametrize("n_threads", [1, 4])
@pytest.mark.parametrize("call", ["unify_fetch('shop', 'gated')", "unify_fetch('bad', 'drip')", "unify_http('bad', '/drip')"])
def test_interrupting_stops_at_once(python, around, n_threads, call):
    # One waits for its second page, and one for its first while it is bound.
    script = f"""
        con = connect()
        con.execute("SET threads = {n_threads}")
        call = "{call}"
        path = "/shop/gated" if "gated" in call else "/bad/drip"
        thread, results = in_thread(lambda: con.execute(f"FROM {{call}}").fetchall())
        get(f"/__wait?path={{path}}&n={{2 if 'gated' in call else 1}}")
        began = time.monotonic()
        while thread.is_alive():
            con.interrupt()
            thread.join(0.01)
        print(time.monotonic() - began < 2, "interrupted" in str(results[0]).lower())
        print(con.execute("SELECT count(*) FROM unify_fetch('shop', 'orders')").fetchone()[0])
    """
    check(python, around, script, "True True\n250\n")


def test_ctrl_c_stops_a_stream_in_the_command_line(cli, around):
    process = around.start(cli.command("-interactive", "-csv", "-noheader"))
    print(*around.setup_sql(), "FROM unify_fetch('shop', 'gated');", sep="\n", file=process.stdin, flush=True)
    around.get("/__wait?path=/shop/gated&n=2")
    hosts.interrupt(process)
    outcome = hosts.finish(process, "SELECT 'then ' || count(*) FROM unify_fetch('shop', 'stores');\n")
    assert "then 3" in outcome.stdout, outcome


def test_calls_side_by_side(python, around):
    script = """
        con = connect()
        get("/__control?open=1")
        for n_threads in [1, 2, 8]:
            con.execute(f"SET threads = {n_threads}")
            parts = " UNION ALL ".join(f"SELECT {number}, id::VARCHAR FROM unify_fetch('shop', '{table}')" for number, table in enumerate(["orders", "gated", "products", "orders", "late"]))
            print(con.execute(f"SELECT count(*) FROM ({parts})").fetchone()[0])
            print(con.execute("SELECT count(*) FROM unify_fetch('shop', 'orders') a, unify_fetch('shop', 'orders') b WHERE a.id = b.id").fetchone()[0])
        ask = lambda: con.cursor().execute("SELECT count(*), sum(id) FROM unify_fetch('shop', 'ten_thousand')").fetchall()
        threads = [in_thread(ask) for _ in range(4)]
        for thread, _ in threads:
            thread.join()
        print({tuple(results[0]) for _, results in threads})
        print(con.execute("SELECT count(*) FROM (WITH RECURSIVE t(n) AS (SELECT 0::BIGINT UNION ALL SELECT n + 1 FROM t, unify_fetch('shop', 'stores') WHERE n = 0) FROM t)").fetchone()[0])
    """
    check(python, around, script, "890\n250\n" * 3 + "{((10000, 49995000),)}\n4\n")


def test_memory_is_bounded_and_a_small_limit_is_no_dead_end(python, around):
    # 1000 pages of a table against a limit of one MiB: two calls in a statement, the second read before the first.
    script = """
        con = connect()
        con.execute("SET unify_memory_limit = '1MiB'; SET enable_progress_bar = false")
        print(con.execute("SELECT count(*) FROM unify_fetch('shop', 'numbers') a JOIN unify_fetch('shop', 'numbers') b USING (n)").fetchone()[0])
        try:
            con.execute("SELECT count(*) FROM unify_fetch('shop', 'big_page')")
        except duckdb.Error as err:
            print("takes too much memory" in str(err))
        con.execute("RESET unify_memory_limit")
        print(con.execute("SELECT count(*), sum(length(content)) FROM unify_fetch('shop', 'big_page')").fetchone())
        con.execute("SET unify_memory_limit = '1MiB'")
        print(con.execute("SELECT count(*) FROM shop.orders, (SELECT count(*) FROM unify_fetch('shop', 'stores'))").fetchone()[0])
    """
    check(python, around, script, "100000\nTrue\n(60, 62914560)\n250\n")


def test_an_open_result_holds_back_the_fetching_and_nobody_else(python, around):
    script = """
        con = connect()
        stream = con.cursor()
        stream.execute("SELECT id FROM unify_fetch('shop', 'ten_thousand')")
        print(stream.fetchone()[0])
        print(duckdb.__version__.startswith("1.") or n_requests("/shop/many") < 20)  # 1.5 reads all of it before the first row
        print(con.execute("SELECT count(*) FROM shop.many").fetchone()[0])
        stream.close()
        con.close()
        print(until(lambda: n_threads("unify-"), lambda n_left: n_left == 0))
    """
    check(python, around, script, "0\nTrue\n2000\n0\n")


def test_a_closed_database_ends_a_stream(python, around):
    script = """
        con = connect("x.duckdb")
        waiting = con.cursor()
        thread, results = in_thread(lambda: waiting.execute("FROM unify_fetch('shop', 'gated')").fetchall())
        get("/__wait?path=/shop/gated&n=2")
        waiting.interrupt()
        thread.join()
        waiting.close()
        con.close()
        print(until(lambda: n_threads("unify-"), lambda n_left: n_left == 0))
        con = connect("x.duckdb")
        print(con.execute("SELECT count(*) FROM duckdb_tables()").fetchone()[0])
    """
    check(python, around, script, "0\n0\n")
