"""Processes that end in the middle of a load, and databases opened and closed many times."""

from concurrent.futures import ThreadPoolExecutor

import hosts

AT_ONCE = 4

# How a Python process may end while a load runs.
ENDINGS = {
    "falls off the end": "",
    "closes first": "con.close()",
    "exits": "import sys; sys.exit(0)",
    "exits with a second database open": "other = connect('y.duckdb'); other.execute('SELECT count(*) FROM shop.stores'); import sys; sys.exit(0)",
    "interrupts itself first": """
        waiting = con.cursor()
        thread, results = in_thread(lambda: waiting.execute("SELECT * FROM shop.gated").fetchall())
        while thread.is_alive():
            waiting.interrupt()
            thread.join(0.02)
    """,
}


def test_a_python_process_that_ends_during_a_load_a_hundred_times(python, around):
    endings = list(ENDINGS) * (100 // len(ENDINGS))

    def end(idx: int) -> str | None:
        # Each process has a folder, and so a database, of its own; the gate stays closed for all of them.
        folder = around.folder / str(idx)
        folder.mkdir()
        mine = hosts.Surroundings(around.extension, folder, around.api)
        database = "x.duckdb" if idx % 2 else ":memory:"
        script = f"con = connect('{database}')\nleave_load_running(con)\nprint('running', flush=True)\n" + dedented(ENDINGS[endings[idx]])
        outcome = python.run(mine, script, timeout=60)
        return None if outcome.code == 0 and outcome.stdout == "running\n" else f"{endings[idx]}: {outcome}"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        failures = [failure for failure in pool.map(end, range(len(endings))) if failure]
    assert not failures, f"{len(failures)} of {len(endings)}:\n" + "\n".join(failures[:5])


def test_a_cli_that_ends_during_a_load(cli, around):
    def end(idx: int) -> str | None:
        folder = around.folder / str(idx)
        folder.mkdir()
        mine = hosts.Surroundings(around.extension, folder, around.api)
        ending = [".exit", ""][idx % 2]
        statements = ["SET unify_load_timeout = 0.05;", "SELECT * FROM shop.gated;", "RESET unify_load_timeout;", "SELECT 'still here';", ending]
        outcome = cli.run(mine, statements, "x.duckdb", timeout=60)
        # The SELECT that timed out makes the code 1; a crash makes it negative.
        return None if outcome.code in (0, 1) and "still here" in outcome.stdout else str(outcome)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        failures = [failure for failure in pool.map(end, range(20)) if failure]
    assert not failures, "\n".join(failures[:5])


def test_a_node_process_that_ends_during_a_load(node, around):
    def end(idx: int) -> str | None:
        folder = around.folder / str(idx)
        folder.mkdir()
        mine = hosts.Surroundings(around.extension, folder, around.api)
        statements = [*mine.setup_sql(), "SET unify_load_timeout = 0.05", "SELECT * FROM shop.gated", "SELECT 'still here'"]
        lines = [hosts.json.dumps({"sql": sql}) for sql in statements]
        lines += [hosts.json.dumps({"exit": "now"})] if idx % 2 else []
        outcome = hosts.finish(node.start(mine, "x.duckdb"), "\n".join(lines) + "\n", timeout=60)
        return None if outcome.code == 0 and "still here" in outcome.stdout else str(outcome)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        failures = [failure for failure in pool.map(end, range(20)) if failure]
    assert not failures, "\n".join(failures[:5])


def test_a_load_goes_on_while_the_database_is_open_without_connections(node, around):
    statements = [*around.setup_sql(), "LOAD TABLE shop.million IN BACKGROUND"]
    lines = [{"sql": sql} for sql in statements]
    lines.append({"away": f"{around.api}/__wait?path=/shop/many&n=4000"})
    lines += [{"sql": "WAIT FOR JOB 1"}, {"sql": "SELECT rows, state FROM unify_jobs()"}]
    outcome = hosts.finish(node.start(around, "x.duckdb"), "".join(hosts.json.dumps(line) + "\n" for line in lines), timeout=120).check()
    assert hosts.json.loads(outcome.stdout.splitlines()[-1]) == {"rows": [["1000000", "success"]]}, outcome


def test_two_hundred_databases_one_after_the_other(python, around):
    script = """
        import gc, os
        def cycle(idx):
            path = f"{idx}.duckdb" if idx % 2 else ":memory:"
            con = connect(path)
            assert con.execute("SELECT count(*) FROM shop.events").fetchone()[0] == 230
            con.close()
            del con
            if idx % 2:
                os.remove(path)
        for idx in range(20):
            cycle(idx)
        gc.collect()
        threads, memory, files = n_threads(), resident_mib(), len(os.listdir("/proc/self/fd"))
        for idx in range(200):
            cycle(idx)
        gc.collect()
        print(n_threads() - threads, len(os.listdir("/proc/self/fd")) - files, resident_mib() - memory)
    """
    outcome = python.run(around, script, timeout=300).check()
    threads, files, mib = outcome.stdout.split()
    assert int(threads) <= 0, f"{threads} threads more"
    assert int(files) <= 0, f"{files} open files more"
    assert float(mib) < 40, f"{mib} MiB more"


def test_a_database_closed_at_any_moment_of_its_loads(python, around):
    # A table with params loads its parent first, in a job of its own, and both publish while others do.
    script = """
        import gc, time
        from random import Random
        random = Random(20)
        tables = ["stores", "orders", "products", "events", "customers", "staff", "badges"]
        slow = []
        for idx in range(60):
            con = connect(f"{idx % 2}.duckdb")
            con.execute("SET unify_load_timeout = 0.001")
            con.execute("DROP SCHEMA IF EXISTS shop CASCADE; DROP SCHEMA IF EXISTS unify CASCADE")
            for table in random.sample(tables, random.randrange(1, 6)):
                try:
                    con.execute(f"SELECT count(*) FROM shop.{table}")
                except duckdb.Error:
                    pass
            for _ in range(random.randrange(20000)):
                pass
            start = time.perf_counter()
            con.close()
            del con
            gc.collect()
            left = n_threads("unify")
            while left and time.perf_counter() - start < 5:
                left = n_threads("unify")
            if left:
                slow.append((idx, left))
        print(slow)
    """
    outcome = python.run(around, script, timeout=300).check()
    assert outcome.stdout == "[]\n", outcome


def test_a_database_closed_during_a_large_load_ends_without_a_checkpoint(python, around):
    # What was loaded so far stays in the WAL: its checkpoint would hold up the end. Between two transactions the user's own thread makes one.
    # The end waits for the transaction that is open, which may be the one with the last rows.
    script = """
        def closed_during_the_load(path):
            con = connect(path)
            con.execute("LOAD TABLE shop.million IN BACKGROUND").fetchall()
            # More rows are appended than stored while a transaction is open, and the next one opened a moment ago.
            def is_open():
                try:
                    sql = "SELECT (SELECT max(jobs.rows) FROM unify_jobs() AS jobs), (SELECT count(*) FROM shop.million__loading)"
                    n_appended, n_stored = con.execute(sql).fetchone()
                except (duckdb.CatalogException, duckdb.BinderException):  # It is not there yet.
                    return False
                return 0 < n_stored < n_appended
            until(is_open, lambda is_open: is_open)
            con.close()
            until(lambda: n_threads("unify"), lambda n: n == 0)
            return pathlib.Path(path + ".wal").exists()

        path = next((path for path in (f"{idx}.duckdb" for idx in range(12)) if closed_during_the_load(path)), None)
        print(path is not None)
        con = connect(path)
        stored = con.execute("SELECT count(*) FROM shop.million__loading").fetchone()[0]
        print(0 < stored <= 1_000_000)
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM shop.million").fetchone())
        print(con.execute("SELECT count(*) FROM information_schema.loading_log WHERE message LIKE 'going on with%'").fetchone()[0])
    """
    outcome = python.run(around, script, timeout=300).check()
    assert outcome.stdout == "True\nTrue\n(1000000, 1000000)\n1\n", outcome


def test_the_audit_trail_of_a_killed_load_has_its_end(python, around):
    killed = """
        import os, signal
        con = connect("x.duckdb")
        leave_load_running(con)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert python.run(around, killed).code == -9
    look = """
        print(connect("x.duckdb", read_only=True).execute("SELECT action, status FROM information_schema.loading_jobs ORDER BY id").fetchall())
        con = connect("x.duckdb")
        print(con.execute("SELECT action, status FROM information_schema.loading_jobs ORDER BY id").fetchall())
    """
    rows = "('load_start', 'success')"
    assert python.run(around, look).check().stdout == f"[{rows}]\n[{rows}, ('load_end', 'error')]\n"



def test_reading_the_audit_writes_nothing(python, around):
    killed = """
        import os, signal
        con = connect("x.duckdb")
        leave_load_running(con)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert python.run(around, killed).code == -9
    look = """
        con = connect("x.duckdb")
        def stored():
            return con.execute("SELECT id, action, status FROM unify.loading_jobs ORDER BY id").fetchall()
        shown = "SELECT action, status FROM information_schema.loading_jobs ORDER BY id"
        before = stored()
        con.execute(f"PREPARE shown AS {shown}")
        print(con.execute(shown).fetchall(), con.execute("SELECT count(*), count(DISTINCT id) FROM unify_loading_jobs()").fetchone())
        print(stored() == before)
        con.execute("BEGIN READ ONLY")
        print(len(con.execute(shown).fetchall()))
        con.execute("ROLLBACK")
        # A load that runs is not shown as one that ended, whenever the statement was bound.
        get("/__control?reset=1")
        leave_load_running(con)
        ends = "('load_start', 'success'), ('load_end', 'error'), ('load_start', 'success')"
        print(str(con.execute(shown).fetchall()) == f"[{ends}]", str(con.execute("EXECUTE shown").fetchall()) == f"[{ends}]", len(stored()))
    """
    outcome = python.run(around, look).check()
    assert outcome.stdout == "[('load_start', 'success'), ('load_end', 'error')] (2, 2)\nTrue\n2\nTrue True 3\n", f"{outcome.stdout}\n{outcome.stderr}"


def dedented(text: str) -> str:
    return hosts.textwrap.dedent(text).strip() + "\n"
