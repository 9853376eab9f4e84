"""The daemon: it refreshes what is too old, holds back on a busy machine, backs off after failures, and ends when it is told to."""

import signal
import time

import hosts
import pytest

# What each script begins with: a database whose tables are soon too old, on a machine that is never too busy.
PREPARED = """
    import signal
    con = connect("x.duckdb")
    con.execute("SET GLOBAL unify_max_staleness = '0.2'; SET GLOBAL unify_daemon_max_load = 1000")
    def ends(table, status="success", action="refresh_end"):
        sql = "SELECT count(*) FROM information_schema.loading_jobs WHERE action = ? AND status = ? AND table_name = ?"
        return con.cursor().execute(sql, [action, status, table]).fetchone()[0]
    def status(component, what="status"):
        return con.cursor().execute(f"SELECT {what} FROM unify_status() WHERE component = '{component}' ORDER BY name").fetchall()
"""


def check(python, around, script: str, expected: str, timeout: float = 60) -> None:
    outcome = python.run(around, prepared(script), timeout).check()
    assert outcome.stdout == expected, f"{outcome.stdout}\n{outcome.stderr}"


def prepared(script: str) -> str:
    return hosts.textwrap.dedent(PREPARED) + hosts.textwrap.dedent(script)


def test_tables_past_their_staleness_are_refreshed_again_and_again(python, around):
    script = """
        con.execute("SELECT * FROM shop.stock").fetchall()
        print(con.execute("START DAEMON").fetchall())
        print(until(lambda: ends("stock"), lambda n: n >= 2) >= 2)
        get("/__control?revision=7")
        print(until(lambda: con.execute("SELECT DISTINCT revision FROM shop.stock").fetchall(), lambda rows: rows == [(7,)]))
        print(until(lambda: status("daemon"), lambda rows: rows == [("running",)]))
        stopped = con.execute("STOP DAEMON").fetchone()
        print(stopped[0], stopped[1] >= 3, until(lambda: n_threads("unify-daemon"), lambda n: n == 0))
        print(status("daemon"))
    """
    check(python, around, script, "[('started', 0)]\nTrue\n[(7,)]\n[('running',)]\nstopped True 0\n[('stopped',)]\n")


def test_it_holds_back_while_the_machine_is_busy_and_catches_up(python, around):
    # Below a load of 0 no machine ever is; a load of 1000 no machine has.
    script = """
        con.execute("SELECT * FROM shop.stores").fetchall()
        con.execute("SELECT * FROM shop_basic.stores").fetchall()
        con.execute("SET GLOBAL unify_daemon_max_load = 0")
        con.execute("START DAEMON")
        print(until(lambda: status("daemon"), lambda rows: rows == [("holding back",)]))
        print(until(lambda: status("table"), lambda rows: rows == [("due",)] * 2), status("machine"))
        # Another table loads meanwhile, and so the daemon looks again.
        con.execute("SELECT * FROM shop.orders").fetchall()
        print(until(lambda: status("table"), lambda rows: rows == [("due",)] * 3), ends("stores"))
        con.execute("SET GLOBAL unify_daemon_max_load = 1000")
        print(until(lambda: ends("stores"), lambda n: n >= 2) >= 2, until(lambda: ends("orders"), lambda n: n >= 1) >= 1)
    """
    expected = "[('holding back',)]\n[('due',), ('due',)] [('busy',)]\n[('due',), ('due',), ('due',)] 0\nTrue True\n"
    check(python, around, script, expected)


def test_it_starts_nothing_when_external_access_is_switched_off_and_says_so(python, around):
    script = """
        for table in ["shop.stores", "shop.stock", "shop_basic.stores"]:
            con.execute(f"SELECT * FROM {table}").fetchall()
        con.execute("START DAEMON")
        print(until(lambda: ends("stores"), lambda n: n >= 2) >= 2)
        con.execute("SET enable_external_access = false")
        print(until(lambda: status("job"), lambda rows: rows == []))
        n_sent = lambda: sum(n_requests(f"/shop/{table}") for table in ["stores", "stock"])
        before = n_sent()
        print(status("daemon", "status, reason"))
        # The daemon looks at once when it is started, and when a job ends.
        for _ in range(3):
            con.execute("STOP DAEMON")
            con.execute("START DAEMON")
            try:
                con.execute("RELOAD TABLE shop.stores")
            except duckdb.Error as err:
                print("'enable_external_access' is false" in str(err))
        con.close()
        # All its threads have ended: nothing more comes.
        print(until(lambda: n_threads("unify"), lambda n: n == 0), n_sent() == before)
    """
    reason = "nothing is sent because setting 'enable_external_access' is false"
    check(python, around, script, f"True\n[]\n[('holding back', {reason!r})]\n" + "True\n" * 3 + "0 True\n")


def test_a_connection_refreshes_one_table_at_a_time_and_others_go_on(python, around):
    script = """
        get("/__control?open=1")
        for table in ["shop.gated", "shop.stores", "shop_basic.stores"]:
            con.execute(f"SELECT * FROM {table}").fetchall()
        get("/__control?reset=1")
        con.execute("START DAEMON")
        print(until(lambda: status("job", "name"), lambda rows: rows == [("shop.gated",)]))
        n_before = ends("stores")
        print(until(lambda: ends("stores"), lambda n: n >= n_before + 2) >= n_before + 2)
        print(status("table", "name, reason")[:2] == [("shop.gated", f"job {status('job', 'reason')[0][0].split()[1].strip(',')} loads it"),
              ("shop.stores", f"job {status('job', 'reason')[0][0].split()[1].strip(',')} of its connection goes first")])
        get("/__control?open=1")
        print(until(lambda: ends("gated"), lambda n: n >= 1) >= 1)
    """
    check(python, around, script, "[('shop.gated',)]\nTrue\nTrue\nTrue\n")


def test_it_backs_off_after_failures_and_goes_on_when_they_are_over(python, around):
    script = """
        con.execute("SELECT * FROM bad.switch").fetchall()
        get("/__control?mode=500")
        con.execute("SET GLOBAL unify_max_staleness = 0.01")
        con.execute("START DAEMON")
        print(until(lambda: ends("switch", "error"), lambda n: n >= 3) >= 3)
        print(until(lambda: status("table"), lambda rows: rows == [("backing off",)]))
        print(con.execute("SELECT count(*) FROM bad.switch").fetchall())
        get("/__control?mode=fine")
        print(until(lambda: ends("switch"), lambda n: n >= 2) >= 2)
    """
    check(python, around, script, "True\n[('backing off',)]\n[(25,)]\nTrue\n")


def test_a_reopened_database_has_no_daemon_and_one_started_there_picks_up(python, around):
    script = """
        import gc
        con.execute("SELECT * FROM shop.stores").fetchall()
        con.execute("START DAEMON")
        until(lambda: ends("stores"), lambda n: n >= 1)
        began = time.monotonic()
        con.close()
        del con
        gc.collect()
        print(until(lambda: n_threads("unify"), lambda n: n == 0), time.monotonic() - began < 2)
        con = connect("x.duckdb")
        con.execute("SET GLOBAL unify_max_staleness = '1h'; SET GLOBAL unify_daemon_max_load = 1000")
        print(status("daemon"), status("table"))
        con.execute("START DAEMON")
        print(until(lambda: status("daemon"), lambda rows: rows == [("running",)]), status("table"))
        con.execute("SET GLOBAL unify_max_staleness = 0.01")
        n_before = ends("stores")
        print(until(lambda: ends("stores"), lambda n: n > n_before) > n_before)
    """
    check(python, around, script, "0 True\n[('stopped',)] [('fresh',)]\n[('running',)] [('fresh',)]\nTrue\n")


def test_attached_databases_are_kept_fresh_too(python, around):
    script = """
        con.execute("ATTACH 'other.duckdb' AS other")
        con.execute("FROM unify_load('other.shop.stores')").fetchall()
        con.execute("START DAEMON")
        sql = "SELECT count(*) FROM other.unify.loading_jobs WHERE action = 'refresh_end' AND status = 'success'"
        print(until(lambda: con.execute(sql).fetchone()[0], lambda n: n >= 2) >= 2)
        print(status("table", "name"))
    """
    check(python, around, script, "True\n[('other.shop.stores',)]\n")


def test_it_keeps_every_kind_of_target_fresh(target):
    script = """
        con = lake()
        con.execute("SET GLOBAL unify_max_staleness = 0.2")
        con.execute("SET GLOBAL unify_daemon_max_load = 1000")
        print(con.execute("SELECT count(*) FROM shop.stores").fetchall())
        con.execute("START DAEMON").fetchall()
        done = "SELECT count(*) FROM unify_jobs() WHERE action = 'refresh' AND state = 'success'"
        print(until(lambda: con.execute(done).fetchone()[0], lambda n: n >= 2, 60) >= 2)
        con.execute("STOP DAEMON").fetchall()
        running = "SELECT count(*) FROM unify_jobs() WHERE ended IS NULL"
        print(until(lambda: con.execute(running).fetchone()[0], lambda n: n == 0))
        print(con.execute("SELECT name FROM unify_status() WHERE component = 'table'").fetchall())
        print(con.execute("SELECT error_message FROM lake.unify.loading_jobs WHERE status = 'error'").fetchall())
        con.close()
    """
    target.check(script, "[(3,)]\nTrue\n0\n[('shop.stores',)]\n[]\n")


def test_what_the_spec_says_about_staleness_comes_before_the_setting(python, around):
    specs = around.folder / "specs"
    specs.mkdir()
    text = (around.specs / "shop.yaml").read_text()
    assert "  - name: stores\n" in text
    (specs / "shop.yaml").write_text(text.replace("  - name: stores\n", "  - name: stores\n    refresh: {max_staleness: 2h}\n"))
    script = f"""
        con.execute("SET GLOBAL unify_spec_path = '{specs}'")
        con.execute("SELECT * FROM shop.stores").fetchall()
        print(status("table", "status, max_value"))
    """
    check(python, around, script, "[('fresh', 7200.0)]\n")


def test_the_foreground_ends_when_it_is_stopped_or_interrupted(python, around):
    script = """
        con.execute("SELECT * FROM shop.stores").fetchall()
        for end in [lambda: con.cursor().execute("STOP DAEMON"), lambda: waiting.interrupt()]:
            waiting = con.cursor()
            n_before = ends("stores")
            thread, results = in_thread(lambda: waiting.execute("CALL unify_daemon()").fetchall())
            print(until(lambda: ends("stores"), lambda n: n > n_before) > n_before, thread.is_alive())
            began = time.monotonic()
            while thread.is_alive():
                end()
                thread.join(0.02)
            print(time.monotonic() - began < 2, "stopped" in str(results) or "INTERRUPT" in str(results))
            print(status("daemon"), until(lambda: n_threads("unify-daemon"), lambda n: n == 0))
    """
    check(python, around, script, "True True\nTrue True\n[('stopped',)] 0\n" * 2)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_python_service_ends_soon_after_its_signal(python, around, name):
    script = f"""
        def end(*_):
            raise KeyboardInterrupt
        signal.signal(signal.SIGTERM, end)
        # A process that was started in the background of a shell ignores this one.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        get("/__control?open=1")
        con.execute("SELECT * FROM shop.gated").fetchall()
        get("/__control?reset=1")
        print("ready", flush=True)
        try:
            con.execute("CALL unify_daemon()").fetchall()
        except (KeyboardInterrupt, RuntimeError, duckdb.Error) as err:
            print("ended", flush=True)
    """
    process = around.start(python.command(prepared(script)))
    assert process.stdout.readline() == "ready\n"
    # The refresh under way waits for its second page.
    around.get("/__wait?path=/shop/gated&n=2")
    ends_soon(process, getattr(signal, name))
    reopened = """
        get("/__control?open=1")
        print(con.execute("SELECT count(*) FROM shop.gated").fetchall(), con.execute("SELECT rows, status FROM unify_refresh('shop.gated')").fetchall())
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM shop.gated").fetchall())
    """
    outcome = python.run(around, prepared(reopened)).check()
    assert outcome.stdout.endswith("[(30, 30)]\n"), outcome


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_command_line_service_ends_soon_after_its_signal(cli, around, name):
    statements = [
        *around.setup_sql(),
        "SET GLOBAL unify_max_staleness = 0.2;",
        "SET GLOBAL unify_daemon_max_load = 1000;",
        "SELECT count(*) FROM shop.stores;",
        "CALL unify_daemon();",
    ]
    process = around.start(cli.command("x.duckdb", "-c", " ".join(statements)))
    around.get("/__wait?path=/shop/stores&n=3")
    ends_soon(process, getattr(signal, name))
    outcome = cli.run(around, ["SELECT count(*) FROM shop.stores;"], "x.duckdb").check()
    assert "3" in outcome.stdout, outcome


def test_the_foreground_says_what_it_does_line_by_line(cli, around):
    setup = [*around.setup_sql(), "SET GLOBAL unify_max_staleness = 0.2;", "SET GLOBAL unify_daemon_max_load = 1000;"]
    load = ["SELECT count(*) FROM shop.stores;", "SELECT count(*) FROM bad.switch;"]
    process = around.start(cli.command("x.duckdb", "-c", " ".join([*setup, *load, "CALL unify_daemon();"])))
    said = until_said(process, "refreshed shop.stores")
    around.get("/__control?mode=404")
    said += until_said(process, "failed to refresh bad.switch")
    process.send_signal(signal.SIGINT)
    process.wait(20)
    said += process.stderr.read()
    lines = [line.partition(" UTC unify_daemon: ")[2] for line in said.splitlines() if "unify_daemon: " in line]
    assert lines[0] == "loaded tables that are kept fresh: 2", said
    for part in ("refreshes shop.stores, job ", "refreshed shop.stores, job ", ": 3 rows, 1 requests, ", "returned 404", "stopped; refreshes started: "):
        assert any(part in line for line in lines), (part, said)
    assert lines[-1].startswith("stopped; "), said


def test_the_foreground_says_why_it_waits_and_nothing_where_no_progress_is_shown(cli, around):
    setup = [*around.setup_sql(), "SET GLOBAL unify_max_staleness = 0.01;", "SET GLOBAL unify_daemon_max_load = 0;", "SELECT count(*) FROM shop.stores;"]
    process = around.start(cli.command("x.duckdb", "-c", " ".join([*setup, "CALL unify_daemon();"])))
    said = until_said(process, "unify_daemon_max_load = 0")
    assert " waits: load " in said and " per core is not below unify_daemon_max_load = 0" in said, said
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    quiet = [*setup, "SET unify_progress = 'off';", "CALL unify_daemon();"]
    process = around.start(cli.command("y.duckdb", "-c", " ".join(quiet).replace("unify_daemon_max_load = 0;", "unify_daemon_max_load = 1000;")))
    around.get("/__wait?path=/shop/stores&n=4")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert "unify_daemon: " not in said, said


def until_said(process, text: str) -> str:
    """Returns what a process says on stderr up to a line with that text."""
    said = ""
    while text not in said:
        line = process.stderr.readline()
        assert line, f"'{text}' was not said: {said}"
        said += line
    return said


def ends_soon(process, number: int) -> None:
    began = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=20)
    seconds = time.monotonic() - began
    assert seconds < 2, f"{seconds} s"


def test_it_notes_once_that_a_table_was_dropped(python, around):
    script = """
        con.execute("SELECT * FROM shop.stores").fetchall()
        con.execute("SELECT * FROM shop.stock").fetchall()
        con.execute("DROP TABLE shop.stores")
        drops = lambda: con.execute("SELECT table_name, numrows FROM information_schema.loading_jobs WHERE action = 'drop'").fetchall()
        print(drops())
        con.execute("START DAEMON")
        print(until(drops, lambda rows: rows))
        n_before = ends("stock")
        print(until(lambda: ends("stock"), lambda n: n >= n_before + 2) >= n_before + 2, drops(), status("daemon"))
    """
    check(python, around, script, "[]\n[('stores', None)]\nTrue [('stores', None)] [('running',)]\n")


def test_it_asks_again_what_an_api_has(python, around):
    script = """
        from own_api import *
        names, fields = ["a"], ["id"]
        def answer(path, query, _):
            if path == "/objects":
                return [{"name": name} for name in names]
            if path.endswith("/fields"):
                return [{"name": field} for field in fields]
            return [{field: 1 for field in query["select"].split(",")}]
        api = Api(answer, '''
        tables:
          - name: "${object.name}"
            discover:
              every: 0.1s
              objects: {resource_path: /objects}
              fields: {resource_path: "/{object.name}/fields", name: name}
            resource_path: /{object.name}
            params: {select: "${fields | join(',')}"}
            key_column: id
            refresh: {max_staleness: 0.2s}
        ''')
        con = api.connect()
        con.execute("SET GLOBAL unify_daemon_max_load = 1000")
        print(con.execute("SELECT * FROM own.a").fetchall())
        print(con.execute("START DAEMON").fetchall())
        api.wait("/objects", 3)
        names.append("b")
        fields.append("size")
        print(until(lambda: con.execute("SELECT * FROM own.a").fetchall(), lambda rows: rows == [(1, 1)]))
        print(until(lambda: con.execute("SELECT \\"table\\" FROM unify_tables('own') ORDER BY ALL").fetchall(), lambda rows: len(rows) == 2))
        print(con.execute("STOP DAEMON").fetchone()[0])
    """
    outcome = python.run(around, hosts.textwrap.dedent(script), 60).check()
    assert outcome.stdout == "[(1,)]\n[('started', 0)]\n[(1, 1)]\n[('a',), ('b',)]\nstopped\n", f"{outcome.stdout}\n{outcome.stderr}"
