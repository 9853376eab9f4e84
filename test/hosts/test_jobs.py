"""Jobs in the background, and statements that wait for them: progress, interruption, cancelling, closing, fairness."""

import os
import pty
import select
import subprocess

import hosts
import pytest

# A statement that waits until the load of shop.halfway, whose second half waits for the gate, has ended.
WAITING = ["LOAD TABLE shop.halfway", "REFRESH TABLE shop.halfway", "FROM unify_reload('shop.halfway')", "WAIT FOR JOB 1",
           "CREATE TABLE mine AS FROM unify_load('shop.halfway')"]


def check(python, around, script: str, expected: str, timeout: float = 120) -> None:
    outcome = python.run(around, script, timeout).check()
    assert outcome.stdout == expected, f"{outcome.stdout}\n{outcome.stderr}"


@pytest.mark.parametrize("n_threads", [1, 4])
def test_a_waiting_statement_shows_its_progress_and_can_be_interrupted(python, around, n_threads):
    script = f"""
        con = connect("x.duckdb")
        con.execute("SET threads = {n_threads}")
        con.execute("LOAD TABLE shop.halfway IN BACKGROUND").fetchall()
        def interrupted(statement):
            waiting = con.cursor()
            waiting.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false; SET progress_bar_time = 0")
            thread, results = in_thread(lambda: waiting.execute(statement).fetchall())
            percent = until(waiting.query_progress, lambda percent: percent >= 45)
            assert 45 <= percent <= 55 and thread.is_alive(), percent
            waiting.interrupt()
            thread.join()
            return str(results[0])
        parts = ("job 1 goes on loading shop.halfway", "SHOW JOB 1", "WAIT FOR JOB 1", "CANCEL JOB 1")
        for statement in {WAITING}:
            # Whether DuckDB or the waiting notices it first is chance.
            messages = [interrupted(statement) for _ in range(8)]
            print([all(part in message for message in messages) for part in parts])
        print(con.execute("SELECT job, state, percent FROM unify_jobs()").fetchall())
        get("/__control?open=1")
        print(con.execute("SELECT status, rows FROM unify_wait(1)").fetchall())
    """
    expected = "[True, True, True, True]\n" * len(WAITING) + "[(1, 'running', 50.0)]\n[('success', 100)]\n"
    check(python, around, script, expected)


def test_what_is_interrupted_while_it_is_bound_raises_the_interrupt_of_the_host(python, around):
    statements = ["SELECT * FROM shop.halfway", "DESCRIBE shop.halfway", "CREATE VIEW mine AS FROM shop.halfway", "PREPARE mine AS FROM shop.halfway",
                  "CREATE TABLE mine AS FROM shop.halfway", "COPY shop.halfway TO 'mine.csv'", "FROM unify_scan('shop', 'halfway')"]
    script = f"""
        con = connect("x.duckdb")
        con.execute("LOAD TABLE shop.halfway IN BACKGROUND").fetchall()
        def interrupted(statement):
            waiting = con.cursor()
            thread, results = in_thread(lambda: waiting.execute(statement).fetchall())
            while thread.is_alive():
                waiting.interrupt()
                thread.join(0.02)
            return results[0]
        for statement in {statements}:
            # Before the waiting begins DuckDB itself obeys, with fewer words.
            err = until(lambda: interrupted(statement), lambda err: "INTERRUPT Error: Interrupted!" not in str(err))
            print(type(err).__name__, "job 1 goes on loading shop.halfway: SHOW JOB 1 shows" in str(err))
        con.execute("SET unify_load_timeout = 0.01")
        try:
            con.execute("SELECT * FROM shop.halfway")
        except duckdb.Error as err:
            print(type(err).__name__, "unify_load_timeout" in str(err))
        get("/__control?open=1")
        print(con.execute("SELECT status, rows FROM unify_wait(1)").fetchall())
    """
    check(python, around, script, "InterruptException True\n" * len(statements) + "BinderException True\n[('success', 100)]\n")


def test_progress_is_unknown_without_a_total(python, around):
    script = """
        con = connect("x.duckdb")
        con.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false; SET progress_bar_time = 0")
        thread, results = in_thread(lambda: con.execute("SELECT rows FROM unify_load('shop.gated')").fetchall())
        get("/__wait?path=/shop/gated&n=2")
        # -1 is unknown. DuckDB 2.0 stays at the 0 of a pipeline that it asked before it ran.
        print(con.query_progress() in (-1, 0))
        get("/__control?open=1")
        thread.join()
        print(results)
    """
    check(python, around, script, "True\n[[(30,)]]\n")


def test_a_job_says_what_it_waits_for(python, around):
    script = """
        con = connect("x.duckdb")
        waiting = lambda table: con.execute(f"SELECT state, waiting_for, job FROM unify_jobs() WHERE \\"table\\" = '{table}'").fetchone()
        con.execute("FROM unify_load('bad.retry_minute', background := true)").fetchall()
        state, what, job = until(lambda: waiting("bad.retry_minute"), lambda row: row[0] == "waiting")
        print(state, "429" in what, " until 20" in what)
        print(con.execute(f"SELECT state FROM unify_cancel({job})").fetchall())
        con.execute("FROM unify_load('shop.gated_child', background := true)").fetchall()
        state, what, job = until(lambda: waiting("shop.gated_child"), lambda row: row[0] == "waiting")
        parent = waiting("shop.gated")
        print(state, what == f"job {parent[2]}, shop.gated", parent[0])
        print(con.execute(f"SELECT state FROM unify_cancel({job})").fetchall(), waiting("shop.gated")[0])
        get("/__control?open=1")
        print(con.execute(f"SELECT rows FROM unify_wait({parent[2]})").fetchall())
        print(con.execute("SELECT count(*) FROM shop.gated_child").fetchall())
    """
    expected = "waiting True True\n[('cancelled',)]\nwaiting True running\n[('cancelled',)] running\n[(30,)]\n[(3,)]\n"
    check(python, around, script, expected)


def test_a_line_says_how_far_a_waiting_statement_is(python, around):
    script = """
        import os
        os.dup2(os.open("stderr.txt", os.O_WRONLY | os.O_CREAT), 2)
        con = connect("x.duckdb")
        con.execute("SET unify_progress = 'on'")
        for statement in ["LOAD TABLE shop.halfway", "WAIT FOR JOB 1", "SELECT * FROM shop.halfway"]:
            waiting = con.cursor()
            os.truncate("stderr.txt", 0)
            thread, results = in_thread(lambda: waiting.execute(statement).fetchall())
            written = until(lambda: open("stderr.txt").read().strip("\\0"), lambda text: " 50 rows" in text and text.endswith("\\n"))
            line = written.split(":")[-1].split()
            print(line[:4], line[5::2], thread.is_alive())
            while thread.is_alive():
                waiting.interrupt()
                thread.join(0.02)
        get("/__control?open=1")
    """
    check(python, around, script, "['50', 'rows,', '5', 'pages,'] ['rows/s,', 'requests/s,', 's,', 's'] True\n" * 3)


@pytest.mark.parametrize("statement", ["LOAD TABLE shop.gated", "SELECT * FROM shop.gated"])
def test_a_terminal_shows_the_line_and_what_an_interrupted_statement_leaves_running(cli, around, statement):
    ours, theirs = pty.openpty()
    command = cli.command("-interactive", "-csv", "-noheader", "x.duckdb")
    process = subprocess.Popen(
        command, env={**around.environment(), "TERM": "xterm"}, cwd=around.folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs
    )
    os.close(theirs)
    print(*around.setup_sql(), f"{statement};", sep="\n", file=process.stdin, flush=True)
    shown = until_shown(ours, "loading shop.gated: 10 rows, 1 pages, ")
    hosts.interrupt(process)
    shown += until_shown(ours, "job 1 goes on loading shop.gated: SHOW JOB 1 shows how far it is")
    around.get("/__control?open=1")
    stdout, _ = process.communicate("SELECT rows FROM unify_wait(1);\n", timeout=60)
    os.close(ours)
    assert stdout.split()[-1].endswith("30"), (stdout, shown)
    assert all(secret not in shown for secret in hosts.SECRETS)


def until_shown(terminal: int, text: str) -> str:
    """Reads what is written to a terminal until that is there."""
    shown = ""
    while text not in shown:
        assert select.select([terminal], [], [], 20)[0], shown
        shown += os.read(terminal, 65536).decode(errors="replace")
    return shown


def test_jobs_of_one_session_are_seen_awaited_and_cancelled_by_another(python, around):
    script = """
        con = connect("x.duckdb")
        other = con.cursor()
        print(con.execute("SELECT job_id, status FROM unify_load('shop.gated', background := true)").fetchall())
        print(other.execute("SELECT job, state FROM unify_jobs()").fetchall())
        waiters = [in_thread(lambda: con.cursor().execute("WAIT FOR JOB 1").fetchall()) for _ in range(3)]
        get("/__wait?path=/shop/gated&n=2")
        print(other.execute("SELECT state FROM unify_cancel(1)").fetchall())
        for thread, results in waiters:
            thread.join()
            print("job 1 was cancelled by CANCEL JOB" in str(results[0]))
        get("/__control?open=1")
        print(other.execute("SELECT count(*), count(DISTINCT id) FROM shop.gated").fetchall())
    """
    check(python, around, script, "[(1, 'running')]\n[(1, 'running')]\n[('cancelled',)]\n" + "True\n" * 3 + "[(30, 30)]\n")


def test_a_statement_joins_the_job_in_the_background(python, around):
    script = """
        con = connect("x.duckdb")
        def ask(sql):
            session = con.cursor()
            session.execute("SET enable_progress_bar_print = false")
            return session.execute(sql).fetchall()
        con.execute("LOAD TABLE shop.gated IN BACKGROUND").fetchall()
        statements = ["SELECT count(*) FROM shop.gated", "SELECT rows FROM unify_load('shop.gated')", "SELECT count(*) FROM unify_scan('shop', 'gated')"]
        threads = [in_thread(lambda sql=sql: ask(sql)) for sql in statements]
        get("/__wait?path=/shop/gated&n=2")
        get("/__control?open=1")
        for thread, _ in threads:
            thread.join()
        # One that came when the load was done had nothing to do.
        print(threads[0][1], threads[1][1] in ([[(30,)]], [[(0,)]]), threads[2][1])
        print(con.execute("SELECT count(*) FROM unify_jobs()").fetchall(), con.execute("SELECT rows FROM unify_wait(1)").fetchall())
    """
    check(python, around, script, "[[(30,)]] True [[(30,)]]\n[(1,)] [(30,)]\n")


def test_a_statement_that_waits_can_be_a_part_of_another(python, around):
    script = """
        con = connect("x.duckdb")
        con.execute("SET threads = 1")
        get("/__control?open=1")
        print(con.execute("SELECT sum(rows) FROM (FROM unify_load('shop.stores') UNION ALL FROM unify_load('shop.gated'))").fetchall())
        con.execute("PREPARE again AS SELECT rows, status FROM unify_refresh('shop.gated')")
        print(con.execute("EXECUTE again").fetchall(), con.execute("EXECUTE again").fetchall())
        print(con.execute("SELECT a.rows + b.rows FROM unify_refresh('shop.gated') a, unify_refresh('shop.stores') b").fetchall())
        print(con.execute("SELECT rows FROM unify_refresh('shop') LIMIT 1").fetchall())
        print(con.sql("SELECT rows FROM unify_reload('shop.stores')").fetchall())
        con.begin()
        print(con.execute("SELECT rows FROM unify_reload('shop.stores')").fetchall())
        con.commit()
    """
    check(python, around, script, "[(33,)]\n[(30, 'success')] [(30, 'success')]\n[(33,)]\n[(3,)]\n[(3,)]\n[(3,)]\n")


@pytest.mark.parametrize("n_threads", [1, 4])
def test_a_recursive_statement_can_wait(python, around, n_threads):
    script = f"""
        con = connect("x.duckdb")
        con.execute("SET threads = {n_threads}")
        recursive = "WITH RECURSIVE t(n) AS (SELECT 0::BIGINT UNION ALL SELECT rows FROM t, unify_reload('shop.stores') WHERE n = 0) FROM t ORDER BY n"
        print(con.execute(recursive).fetchall())
    """
    check(python, around, script, "[(0,), (3,)]\n", timeout=30)


def test_a_database_closed_while_a_statement_waits(python, around):
    script = """
        import gc
        for statement in ["LOAD TABLE shop.gated", "WAIT FOR JOB 1", "LOAD TABLE shop.gated IN BACKGROUND"]:
            get("/__control?reset=1")
            con = connect()
            other = con.cursor()
            other.execute("LOAD TABLE shop.gated IN BACKGROUND").fetchall()
            thread, results = in_thread(lambda: con.execute(statement).fetchall())
            get("/__wait?path=/shop/gated&n=2")
            while thread.is_alive():
                con.interrupt()
                thread.join(0.02)
            con.close()
            other.close()
            del con, other
            gc.collect()
            print(until(lambda: n_threads("unify"), lambda n_left: n_left == 0))
    """
    check(python, around, script, "0\n0\n0\n")


def test_a_slow_load_of_one_connection_does_not_hold_up_another(python, around):
    # So little memory that the pages one load waits for could take all of it.
    script = """
        con = connect("x.duckdb")
        con.execute("SET unify_memory_limit = '1MiB'")
        get("/__control?mode=gated")
        con.execute("LOAD TABLE bad.switch IN BACKGROUND").fetchall()
        get("/__wait?path=/bad/switch&n=1")
        thread, results = in_thread(lambda: con.cursor().execute("SELECT rows FROM unify_load('shop.orders')").fetchall())
        print(until(lambda: results, lambda seen: seen))
        print(con.execute("SELECT rows FROM unify_load('shop.staff')").fetchall() if results else "held up")
        print(con.execute("SELECT state FROM unify_jobs(1)").fetchall())
        get("/__control?open=1")
        print(con.execute("SELECT rows FROM unify_wait(1)").fetchall())
        thread.join()
    """
    check(python, around, script, "[[(250,)]]\n[(3,)]\n[('running',)]\n[(3,)]\n")


def test_twenty_slow_loads_leave_room_for_another_connection(python, around):
    # Each load waits for its second page; there are more of them than there are threads of any kind.
    script = """
        con = connect("x.duckdb")
        con.execute("SET unify_memory_limit = '16MiB'")
        for idx in range(20):
            con.execute(f"ATTACH ':memory:' AS db{idx}")
            con.execute(f"FROM unify_load('db{idx}.shop.gated', background := true)").fetchall()
        get("/__wait?path=/shop/gated&n=8")
        thread, results = in_thread(lambda: con.cursor().execute("SELECT rows FROM unify_load('shop_basic.events')").fetchall())
        print(until(lambda: results, lambda seen: seen))
        print(con.execute("SELECT count(*) FROM unify_jobs() WHERE state = 'running'").fetchall())
        get("/__control?open=1")
        for idx in range(20):
            print(con.execute(f"SELECT count(*) FROM db{idx}.shop.gated").fetchone()[0], end=" ")
        thread.join()
    """
    check(python, around, script, "[[(230,)]]\n[(20,)]\n" + "30 " * 20)


def test_a_job_that_gets_no_thread_ends_with_the_error_and_the_next_one_loads(python, around):
    # The stack of each of the extension's threads is larger than all that the process may still take.
    script = """
        import resource
        os.environ["RUST_MIN_STACK"] = str(512 << 20)
        con = connect("x.duckdb")
        con.execute("SELECT * FROM shop.stores").fetchall()
        until(lambda: n_threads("unify-load"), lambda n: n == 0)
        # A statement that finds nothing to load still forgets the thread of the load before, and with it its stack.
        con.execute("LOAD TABLE shop.stores")
        before, hard = resource.getrlimit(resource.RLIMIT_AS)
        n_bytes = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (n_bytes + (256 << 20), hard))
        try:
            con.execute("SELECT * FROM shop.orders")
        except duckdb.Error as err:
            print("could not start a thread" in str(err) or err)
        resource.setrlimit(resource.RLIMIT_AS, (before, hard))
        print(con.execute("SELECT state, contains(error, 'could not start a thread') FROM unify_jobs() ORDER BY job DESC LIMIT 1").fetchall())
        print(con.execute("SELECT action, status FROM information_schema.loading_jobs WHERE table_name = 'orders' ORDER BY id").fetchall())
        print(con.execute("SELECT count(*) FROM shop.orders").fetchone()[0])
    """
    check(python, around, script, "True\n[('error', True)]\n[('load_start', 'success'), ('load_end', 'error')]\n250\n")
