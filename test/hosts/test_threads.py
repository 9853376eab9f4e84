"""Sixteen threads that load, refresh, cancel, clear, drop, close and reopen at once: nothing hangs, nothing breaks, and all is right afterwards."""

import os

# `make soak` takes a minute.
SECONDS = float(os.environ.get("UNIFY_THREADS_SECONDS", "10"))
SEED = int(os.environ.get("UNIFY_THREADS_SEED", "1"))

SCRIPT = """
    import faulthandler, random, traceback
    faulthandler.dump_traceback_later({seconds} + 90, exit=True)
    TABLES = {{"orders": 250, "stores": 3, "events": 230, "stock": None, "staff": 3, "many": 2000}}
    get("/__control?open=1")
    began = time.monotonic()
    done, wrong = {{}}, []
    def statements(chance):
        table = chance.choice(list(TABLES))
        return chance.choice([
            f"LOAD TABLE shop.{{table}}", f"LOAD TABLE shop.{{table}} IN BACKGROUND", f"REFRESH TABLE shop.{{table}}", f"RELOAD TABLE shop.{{table}}",
            f"RELOAD TABLE shop.{{table}} IN BACKGROUND", f"SELECT count(*) FROM shop.{{table}}", f"CLEAR TABLE shop.{{table}}", f"DROP TABLE shop.{{table}}",
            "FROM unify_jobs()", "SHOW ALL JOBS", "SYSTEM STATUS", "FROM unify_tables()", "CANCEL ALL JOBS", f"FROM unify_fetch('shop', '{{table}}') LIMIT 20",
            "START DAEMON", "STOP DAEMON", "FROM information_schema.loading_jobs", "DROP SCHEMA IF EXISTS shop CASCADE", "CHECKPOINT",
            "INTERRUPT", "REOPEN", "REOPEN", "CLOSE ALL",
        ])
    open_ones, gate = set(), threading.Lock()
    def opened():
        con = connect("x.duckdb")
        con.execute("SET GLOBAL unify_max_staleness = 0.5; SET GLOBAL unify_daemon_max_load = 1000; SET enable_progress_bar = false")
        with gate:
            open_ones.add(con)
        return con
    def closed(con):
        with gate:
            open_ones.discard(con)
        con.close()
    def act(con, what, chance):
        with gate:
            others = list(open_ones)
        if what == "INTERRUPT":
            # None may be open, while every thread opens its own again.
            if others:
                chance.choice(others).interrupt()
        elif what == "CLOSE ALL":
            # Every session but this one, each of which its thread opens again.
            for other in others:
                if other is not con:
                    closed(other)
        else:
            con.execute(what).fetchall()
    def work(seed):
        chance = random.Random(seed)
        con = opened()
        while time.monotonic() - began < {seconds}:
            what = statements(chance)
            try:
                if what == "REOPEN":
                    closed(con)
                    con = opened()
                else:
                    act(con, what, chance)
                    done[what.split()[0]] = done.get(what.split()[0], 0) + 1
            except duckdb.ConnectionException:
                con = opened()
            except duckdb.Error as err:
                text = str(err)
                if any(sign in text for sign in ["INTERNAL", "mistake in Unify", "panicked", "FATAL", "has been invalidated"]):
                    wrong.append((what, text))
            except Exception:
                wrong.append((what, traceback.format_exc()))
        closed(con)
    threads = [threading.Thread(target=work, args=({seed} * 100 + number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(until(lambda: n_threads("unify"), lambda n: n == 0), wrong[:3])
    con = connect("x.duckdb")
    for table, n_rows in TABLES.items():
        con.execute(f"RELOAD TABLE shop.{{table}}")
        n_found = con.execute(f"SELECT count(*) FROM shop.{{table}}").fetchone()[0]
        assert n_rows in (None, n_found), (table, n_found)
    print(con.execute("SELECT count(*) FROM unify_jobs() WHERE state = 'running'").fetchone())
    print(len(done) > 10, sum(done.values()) > 50)
"""


def test_sixteen_threads_at_once(python, around):
    outcome = python.run(around, SCRIPT.format(seconds=SECONDS, seed=SEED), timeout=SECONDS + 120).check()
    assert outcome.stdout == "0 []\n(0,)\nTrue True\n", outcome
