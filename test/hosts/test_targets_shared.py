"""Several processes that load into one lake at the same time."""

from concurrent.futures import ThreadPoolExecutor

import hosts
import targets

TABLES = ["orders", "products", "customers", "events", "stores", "late"]
ROWS = {"orders": 250, "products": 300, "customers": 120, "events": 230, "stores": 3, "late": 60}


def processes(target, scripts: list[str], timeout: float = 180) -> list[str]:
    """Runs each script in a process of its own, all at the same time, and returns what they printed."""

    # A DuckLake is not made by two at once.
    target.check("attach(connect()).close()", "")

    def run(idx: int) -> str:
        folder = target.around.folder / f"process{idx}"
        folder.mkdir(exist_ok=True)
        mine = hosts.Surroundings(target.around.extension, folder, target.around.api, more=target.around.more)
        return target.python.run(mine, scripts[idx], timeout).check().stdout

    with ThreadPoolExecutor(len(scripts)) as pool:
        return list(pool.map(run, range(len(scripts))))


def test_two_processes_load_other_tables_of_a_connection_again_and_again(shared_target):
    # The first makes what both need, so that both begin with their own.
    def script(tables: list[str]) -> str:
        return f"""
        con = lake()
        for round in range(6):
            for table in {tables}:
                rows = con.execute(f"SELECT rows FROM unify_{{'reload' if round else 'load'}}('shop.{{table}}')").fetchone()[0]
                print(table, rows)
        """

    mine, others = TABLES[:3], TABLES[3:]
    printed = processes(shared_target, [script(mine), script(others)])
    for tables, text in zip((mine, others), printed):
        assert text == "".join(f"{table} {ROWS[table]}\n" for _ in range(6) for table in tables), text
    counts = ", ".join(f"(SELECT count(*) FROM shop.{table})" for table in TABLES)
    script = f"""
        con = lake()
        print(con.execute("SELECT {counts}").fetchone())
        jobs = "information_schema.loading_jobs"
        print(con.execute(f"SELECT count(*), count(DISTINCT id) FROM {{jobs}}").fetchone())
        print(con.execute(f"SELECT action, status, count(*) FROM {{jobs}} GROUP BY ALL ORDER BY ALL").fetchall())
        print(con.execute(f"SELECT count(*) FROM {{jobs}} a JOIN {{jobs}} b ON b.parent_id = a.id WHERE a.table_name <> b.table_name").fetchone()[0])
        print(con.execute("SELECT count(*) FROM lake.unify.live_jobs WHERE owner <> ''").fetchone()[0])
    """
    actions = [("create", 6), ("load_end", 6), ("load_start", 6), ("refresh_end", 30), ("refresh_start", 30)]
    n_records = sum(n for _, n in actions)
    rows = tuple(ROWS[table] for table in TABLES)
    summary = [(action, "success", n) for action, n in actions]
    shared_target.check(script, f"{rows}\n({n_records}, {n_records})\n{summary}\n0\n0\n")


def test_a_process_that_starts_leaves_the_jobs_of_another_alone(shared_target):
    gated = """
        con = lake()
        con.execute("SELECT count(*) FROM shop.gated").fetchall()
        print(con.execute("SELECT action, status FROM information_schema.loading_jobs WHERE table_name = 'gated' ORDER BY id").fetchall())
    """
    starting = """
        get("/__wait?path=/shop/gated&n=2")
        con = lake()
        print(con.execute("SELECT count(*) FROM shop.stores").fetchone()[0])
        of_the_other = "SELECT count(*) FROM information_schema.loading_jobs WHERE table_name = 'gated'"
        print(until(lambda: con.execute(of_the_other).fetchone()[0], lambda n: n > 0))
        get("/__control?open=1")
    """
    jobs = "[('load_start', 'success'), ('create', 'success'), ('load_end', 'success')]\n"
    assert processes(shared_target, [gated, starting]) == [jobs, "3\n1\n"]


def test_two_processes_that_want_one_table_load_it_once(shared_target):
    wanting = """
        con = lake()
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM shop.gated").fetchone())
    """
    opening = """
        get("/__wait?path=/shop/gated&n=2")
        con = lake()
        con.execute("SET unify_load_timeout = 0.5")
        try:
            con.execute("SELECT * FROM shop.gated").fetchall()
        except duckdb.Error as err:
            print("goes on" in str(err))
        get("/__control?open=1")
        con.execute("RESET unify_load_timeout")
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM shop.gated").fetchone())
        print(con.execute("SELECT count(*) FROM information_schema.loading_jobs WHERE action = 'load_start'").fetchone()[0])
    """
    assert processes(shared_target, [wanting, opening]) == ["(30, 30)\n", "True\n(30, 30)\n1\n"]


def test_another_process_goes_on_with_the_load_of_a_killed_one(shared_target):
    killed = """
        import signal
        con = lake()
        leave_load_running(con)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert shared_target.python.run(shared_target.around, killed).code == -9
    shared_target.around.get("/__control?open=1")
    script = """
        con = lake()
        print(con.execute("SELECT count(*) FROM shop.stores").fetchone()[0])
        print(con.execute("SELECT action, status FROM information_schema.loading_jobs WHERE table_name = 'gated' ORDER BY id").fetchall())
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM shop.gated").fetchone())
    """
    assert processes(shared_target, [script]) == ["3\n[('load_start', 'success'), ('load_end', 'error')]\n(30, 30)\n"]


def test_many_processes_that_make_one_lake(shared_target):
    script = """
        con = lake()
        print(con.execute("SELECT count(*) FROM shop.TABLE").fetchone()[0])
    """
    printed = processes(shared_target, [script.replace("TABLE", table) for table in TABLES])
    assert printed == [f"{ROWS[table]}\n" for table in TABLES]
    shared_target.check(
        """
        con = lake()
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM information_schema.loading_jobs").fetchone())
        """,
        "(18, 18)\n",
    )


def test_processes_write_back_and_load_side_by_side(shared_target):
    def script(owner: str) -> str:
        return f"""
        con = lake()
        for round in range(3):
            print(con.execute("COPY (SELECT '{owner}' AS owner, range AS id FROM range(7)) TO 'desk.lists' (FORMAT unify)").fetchone()[0])
            con.execute("RELOAD TABLE shop.{'orders' if owner == 'a' else 'events'}")
        """

    assert processes(shared_target, [script("a"), script("b")]) == ["7\n7\n7\n"] * 2
    script = """
        con = lake()
        jobs = "information_schema.loading_jobs"
        print(con.execute(f"SELECT count(*) = count(DISTINCT id) FROM {jobs}").fetchone())
        print(con.execute(f"SELECT count(*), sum(numrows), min(status) FROM {jobs} WHERE action = 'write'").fetchone())
        print(con.execute("SELECT count(*) FROM information_schema.loading_log WHERE message LIKE '%rows 1 to 3 % written'").fetchone())
    """
    shared_target.check(script, "(True,)\n(18, 42, 'success')\n(6,)\n")


def test_a_process_ends_while_a_statement_waits_for_others(postgres, around):
    # A type has the name of the table that is to be made: PostgreSQL says what it says when another process makes the table, again and again.
    script = """
        con = lake()
        con.execute("CALL postgres_execute('lake', 'CREATE SCHEMA unify; CREATE TYPE unify.loading_jobs AS ENUM ()')")
        threading.Thread(target=lambda: con.cursor().execute("CREATE CONNECTION mine (ADAPTER shop, host 'http://127.0.0.1:1', bearer_token 'x')"), daemon=True).start()
        n_tried = "SELECT * FROM postgres_query('lake', 'SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()')"
        print(until(lambda: con.cursor().execute(n_tried).fetchone()[0], lambda n: n >= 3) >= 3)
    """
    target = targets.target_of("postgres", around, postgres)
    assert target.python.run(around, script, timeout=30).stdout == "True\n"


def test_records_of_an_older_and_of_a_newer_version(shared_target):
    script = """
        con = lake()
        con.execute("LOAD TABLE shop.stores").fetchall()
        con.execute("DROP TABLE lake.unify.meta")
        con.execute("ALTER TABLE lake.unify.load_state DROP COLUMN sets")
        con.execute("RELOAD TABLE shop.stores").fetchall()
        print(con.execute("SELECT max(version) FROM lake.unify.meta").fetchone(), con.execute("SELECT sets FROM lake.unify.load_state LIMIT 1").fetchall())
        con.execute("INSERT INTO lake.unify.meta VALUES (7, '9.9', now()::TIMESTAMP)")
        before = con.execute("SELECT count(*) FROM lake.unify.loading_jobs").fetchone()
        for statement in ("RELOAD TABLE shop.stores", "LOAD TABLE shop.orders", "CLEAR TABLE shop.stores", "DROP PERSISTENT CONNECTION shop CASCADE"):
            try:
                print(con.execute(statement).fetchall())
            except duckdb.Error as err:
                print("upgrade the extension" in str(err))
        print(con.execute("SELECT count(*) FROM shop.stores").fetchone(), con.execute("SELECT count(*) FROM lake.unify.loading_jobs").fetchone() == before)
    """
    shared_target.check(script, "(1,) [(None,)]\nTrue\nTrue\nTrue\nTrue\n(3,) True\n")
