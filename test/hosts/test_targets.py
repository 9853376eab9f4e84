"""SET unify_target: tables and the state of loads in an attached database of every kind."""

import textwrap


def test_everything_follows_the_target(target):
    script = """
        con = lake("x.duckdb")
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM shop.orders").fetchone())
        print(con.execute("SELECT count(*) FROM shop.orders WHERE id <= 10").fetchone()[0])
        print(con.execute("SELECT count(*) FROM lake.shop.orders").fetchone()[0], n_requests("/shop/orders"))
        print("UNIFY_SCAN" in str(con.execute("EXPLAIN SELECT id FROM shop.orders").fetchall()))
        print([con.execute(f"SELECT action FROM unify_load('{table}')").fetchone()[0] for table in ("shop.stores", "lake.shop.stores")])
        print(con.execute("SELECT count(*) FROM shop.staff").fetchone()[0])
        get("/__control?rows=7&revision=1")
        print(con.execute("SELECT count(*) FROM shop.stock").fetchone()[0])
        get("/__control?rows=5&revision=2")
        print(con.execute("SELECT rows FROM unify_refresh('shop.stock')").fetchone()[0], con.execute("SELECT count(*), max(revision) FROM shop.stock").fetchone())
        print(con.execute("SELECT \\"table\\", rows FROM unify_tables('shop') WHERE loaded AND kind = 'table' ORDER BY ALL").fetchall())
        print(con.execute("SELECT table_name, action, numrows, status FROM information_schema.loading_jobs WHERE table_name = 'stock' ORDER BY id").fetchall())
        print(con.execute("SELECT count(*) > 4 FROM information_schema.loading_log").fetchone()[0])
        print(con.execute("SELECT count(*) FROM duckdb_tables() WHERE database_name = 'x'").fetchone()[0])
        con.execute("RESET GLOBAL unify_target")
        print(con.execute("SELECT count(*) FROM information_schema.loading_jobs").fetchone()[0])
        print(con.execute("SELECT count(*) FROM lake.shop.events").fetchone()[0], con.execute("SELECT count(*) FROM lake.shop.events").fetchone()[0])
    """
    tables = "[('events', 230), ('orders', 250), ('staff', 3), ('stock', 5), ('stores', 3)]"
    expected = f"""(250, 250)
10
250 3
{target.kind == "postgres"}
['load', 'none']
3
7
5 (5, 2)
{tables.replace("('events', 230), ", "")}
[('stock', 'load_start', None, 'success'), ('stock', 'create', None, 'success'), ('stock', 'load_end', 7, 'success'), \
('stock', 'refresh_start', None, 'success'), ('stock', 'refresh_end', 5, 'success')]
True
0
0
230 230
"""
    target.check(script, expected)


def test_a_table_is_there_for_whoever_attaches_the_target_later(target):
    script = """
        con = lake()
        print(con.execute("SELECT sum(id) FROM shop.products").fetchone()[0])
        con.close()
        get("/__control?reset=1")
        con = attach(duckdb.connect(config={"allow_unsigned_extensions": "true"}))
        print(con.execute("SELECT sum(id) FROM lake.shop.products").fetchone()[0])
        con.close()
        con = lake()
        print(con.execute("SELECT sum(id) FROM shop.products").fetchone()[0], n_requests("/shop/products"))
    """
    target.check(script, "45150\n45150\n45150 0\n")


def test_a_dropped_table_is_noted_by_the_next_load_and_by_clear_table(target):
    script = """
        con = lake("x.duckdb")
        for statement in ("LOAD TABLE shop.stores", "CLEAR TABLE shop.stores"):
            con.execute("SELECT * FROM shop.stores")
            con.execute("DROP TABLE lake.shop.stores")
            con.execute(statement)
            con.execute(statement)
        print([row[0] for row in con.execute("SELECT action FROM information_schema.loading_jobs ORDER BY id").fetchall()])
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM information_schema.loading_jobs").fetchone())
        print(con.execute("SELECT count(*) FROM shop.stores").fetchone()[0])
    """
    loaded = ["load_start", "create", "load_end"]
    target.check(script, f"{[*loaded, 'drop', *loaded, 'drop']}\n(8, 8)\n3\n")


def test_a_connection_is_made_and_dropped_with_its_tables(target):
    script = """
        con = lake("x.duckdb")
        make = "CREATE CONNECTION mine (ADAPTER shop, host env('UNIFY_TEST_API'), bearer_token env('UNIFY_TEST_TOKEN'))"
        schemas = "SELECT database_name FROM duckdb_schemas() WHERE schema_name = 'mine'"
        print(con.execute(make).fetchone(), con.execute(schemas).fetchall())
        print(con.execute("SELECT count(*) FROM mine.stores").fetchone()[0], con.execute("SELECT count(*) FROM mine.stock").fetchone()[0])
        con.execute("CREATE TABLE lake.mine.notes (n INTEGER)")
        for sql in ("DROP CONNECTION mine CASCADE", "DROP TABLE lake.mine.notes", "DROP CONNECTION mine"):
            try:
                con.execute(sql)
            except duckdb.Error as err:
                print(str(err).split(": ")[2].split(",")[0])
        print(con.execute("SELECT kind, name FROM unify_drop_connection('mine', cascade := true) ORDER BY ALL").fetchall())
        print(con.execute("SELECT table_name, numrows FROM information_schema.loading_jobs WHERE action = 'drop' ORDER BY ALL").fetchall())
        print(con.execute("SELECT count(DISTINCT id) = count(*) FROM information_schema.loading_jobs").fetchone()[0])
        print(con.execute(schemas).fetchall(), con.execute("SELECT count(*) FROM lake.unify.load_state").fetchone()[0])
        print(con.execute(make).fetchone()[2], con.execute("SELECT count(*) FROM mine.stores").fetchone()[0], n_requests("/shop/stores"))
    """
    expected = """('mine', 'shop', 'created') [('lake',)]
3 25
schema 'mine' holds what Unify did not make
its tables are loaded
[('connection', 'mine'), ('schema', 'mine'), ('table', 'mine.stock'), ('table', 'mine.stores')]
[('stock', 25), ('stores', 3)]
True
[] 0
created 3 2
"""
    target.check(script, expected)


def test_columns_that_come_late_and_types_that_widen(target):
    # What DuckDB's own table holds is what any other has to hold.
    script = """
        con = lake()
        for table in TABLES:
            con.execute(f"LOAD TABLE memory.shop.{table}").fetchall()
            con.execute(f"LOAD TABLE lake.shop.{table}").fetchall()
            columns = [name for name, *_ in con.execute(f"DESCRIBE memory.shop.{table}").fetchall()]
            assert columns == [name for name, *_ in con.execute(f"DESCRIBE lake.shop.{table}").fetchall()], table
            texts = ", ".join(f'CAST("{name}" AS VARCHAR)' for name in (column.replace('"', '""') for column in columns))
            rows = [con.execute(f"SELECT {texts} FROM {database}.shop.{table} ORDER BY ALL").fetchall() for database in ("memory", "lake")]
            for here, there in zip(*rows):
                for name, a, b in zip(columns, here, there):
                    if name == "nine_digits" and TEXTS and a is not None:
                        # Nanoseconds are kept as the text that came.
                        a = a.replace(" ", "T") + "Z"
                    assert a == b, (table, name, a, b)
            print(table, len(rows[0]) == len(rows[1]))
    """
    # PostgreSQL cuts names after 63 bytes.
    tables = ["types", "widening", "late", *(["names"] if target.kind != "postgres" else [])]
    script = script.replace("TABLES", str(tables)).replace("TEXTS", str(not target.kind.startswith("duckdb")))
    target.check(script, "".join(f"{table} True\n" for table in tables))


def test_inside_a_transaction(target):
    script = """
        con = lake("x.duckdb")
        con.begin()
        print(con.execute("SELECT count(*) FROM shop.stores").fetchone()[0])
        print(con.execute("SELECT count(*) FROM shop.stores, lake.shop.stores").fetchone()[0])
        con.commit()
        print(con.execute("SELECT count(*) FROM shop.stores a, shop.customers b, shop.customers c").fetchone()[0])
    """
    target.check(script, "3\n9\n43200\n")


def test_a_target_that_is_not_attached_is_named(target):
    script = """
        con = connect()
        con.execute("SET unify_target = 'nowhere'")
        for statement in ("SELECT * FROM shop.stores", "LOAD TABLE shop.stores", "FROM unify_tables()"):
            try:
                con.execute(statement)
            except duckdb.Error as err:
                print("'unify_target' names database 'nowhere', which is not attached; attach it first" in str(err))
        attach(con).execute("SET unify_target = 'LAKE'")
        print(con.execute("SELECT count(*) FROM shop.stores").fetchone()[0])
    """
    target.check(script, "True\nTrue\nTrue\n3\n")


def test_a_database_closed_during_a_load_into_it(target):
    script = """
        import gc, time
        before = n_threads()
        con = lake("x.duckdb")
        leave_load_running(con)
        start = time.perf_counter()
        con.close()
        del con
        gc.collect()
        print(time.perf_counter() - start < 2, until(lambda: n_threads("unify"), lambda n: n == 0))
        get("/__control?open=1")
        con = lake("x.duckdb")
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM shop.gated").fetchone())
        print(con.execute("SELECT action, status FROM information_schema.loading_jobs WHERE table_name = 'gated' ORDER BY timestamp, id").fetchall())
    """
    jobs = "[('load_start', 'success'), ('load_end', 'error'), ('load_start', 'success'), ('create', 'success'), ('load_end', 'success')]"
    target.check(script, f"True 0\n(30, 30)\n{jobs}\n")


def test_a_target_detached_during_a_load(target):
    script = """
        con = lake("x.duckdb")
        leave_load_running(con)
        job = con.execute("SELECT max(job) FROM unify_jobs()").fetchone()[0]
        con.execute("DETACH lake")
        get("/__control?open=1")
        con.execute("RESET GLOBAL unify_target")
        try:
            con.execute(f"WAIT FOR JOB {job}").fetchall()
        except duckdb.Error as err:
            print("database 'lake' was detached during the load; attach it again" in str(err) or err)
        attach(con)
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM lake.shop.gated").fetchone())
    """
    target.check(script, "True\n(30, 30)\n")


def test_a_load_that_was_killed_goes_on(target):
    killed = """
        import signal
        con = lake("x.duckdb")
        leave_load_running(con)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert target.python.run(target.around, killed).code == -9
    target.around.get("/__control?open=1")
    script = """
        con = lake("x.duckdb")
        print(con.execute("SELECT count(*), count(DISTINCT id), min(id), max(id) FROM shop.gated").fetchone())
        print(con.execute("SELECT action, status FROM information_schema.loading_jobs WHERE table_name = 'gated' ORDER BY timestamp, id").fetchall())
        print(con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'gated__loading'").fetchone()[0])
    """
    jobs = "[('load_start', 'success'), ('load_end', 'error'), ('load_start', 'success'), ('create', 'success'), ('load_end', 'success')]"
    target.check(script, f"(30, 30, 1, 30)\n{jobs}\n0\n")


def test_a_table_that_unify_did_not_make_is_left_alone(target):
    script = """
        con = lake()
        con.execute("SELECT count(*) FROM shop.stores").fetchall()
        con.execute("CREATE TABLE lake.shop.orders (mine BIGINT)")
        con.execute("INSERT INTO lake.shop.orders VALUES (42)")
        print(con.execute("FROM lake.shop.orders").fetchall())
        try:
            con.execute("REFRESH TABLE shop.orders").fetchall()
        except duckdb.Error as err:
            print("was not made by Unify" in str(err))
        print(con.execute("FROM lake.shop.orders").fetchall())
    """
    target.check(script, "[(42,)]\nTrue\n[(42,)]\n")


def test_children_and_rows_that_are_gone(target):
    script = """
        con = lake()
        def put(rows):
            get(f"/__source?source=kept&clear=1{''.join('&put=' + row for row in rows)}")
        def shown():
            rows = con.execute("SELECT id, name, _deleted_at IS NOT NULL FROM events.kept ORDER BY id").fetchall()
            lines = con.execute("SELECT kept, no, n, _deleted_at IS NOT NULL FROM events.kept_lines ORDER BY kept, no").fetchall()
            counts = con.execute("SELECT list(rows) FROM unify_changes('events.kept_lines')").fetchone()[0]
            print(rows, lines, counts)
        put(["id=1;at=2024-05-01;name=a;lines=[{%22no%22:1,%22n%22:5},{%22no%22:2,%22n%22:6}]", "id=2;at=2024-05-01;name=b;lines=[{%22no%22:1,%22n%22:7}]"])
        con.execute("LOAD TABLE events.kept_lines")
        shown()
        put(["id=1;at=2024-05-02;name=c;lines=[{%22no%22:2,%22n%22:60}]"])
        con.execute("SET unify_keep_changes = true")
        con.execute("RELOAD TABLE events.kept")
        shown()
        print(con.execute("SELECT change, key FROM unify_changes('events.kept_lines', rows := true)").fetchall())
        put(["id=1;at=2024-06-01;gone=true", "id=2;at=2024-06-01;name=d;lines=[{%22no%22:1,%22n%22:8},{%22no%22:3,%22n%22:9}]"])
        con.execute("REFRESH TABLE events.kept")
        shown()
    """
    first = "[(1, 'a', False), (2, 'b', False)] [(1, 1, 5, False), (1, 2, 6, False), (2, 1, 7, False)] [3, 0, 0]\n"
    reloaded = "[(1, 'c', False), (2, 'b', True)] [(1, 1, 5, True), (1, 2, 60, False), (2, 1, 7, True)] [0, 1, 2]\n"
    kept = """[('changed', '{"kept":1,"no":2}'), ('removed', '{"kept":1,"no":1}'), ('removed', '{"kept":2,"no":1}')]\n"""
    refreshed = "[(1, 'c', True), (2, 'd', False)] [(1, 1, 5, True), (1, 2, 60, True), (2, 1, 8, False), (2, 3, 9, False)] [2, 0, 1]\n"
    target.check(script, first + reloaded + kept + refreshed)


def test_rows_below_rows_are_there_once_however_they_are_reached(target):
    script = """
        con = lake("x.duckdb")
        print(con.execute("SELECT count(*), count(DISTINCT id), max(id) FROM tree.nodes").fetchone())
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM tree.all_nodes").fetchone())
        print(con.execute("SELECT count(*), count(DISTINCT (node_id, no)) FROM tree.node_lines").fetchone())
        for statement in ("LOAD TABLE tree.circle", "REFRESH TABLE tree.circle"):
            con.execute(statement)
            print(con.execute("SELECT id, name, node FROM tree.circle ORDER BY id").fetchall())
    """
    circle = "[('a', 'A', 'b'), ('b', 'B', 'a'), ('c', 'C', 'b'), ('d', 'D', 'a')]"
    target.check(script, f"(40, 40, 40)\n(40, 40)\n(80, 80)\n{circle}\n{circle}\n")


def test_columns_that_a_table_gets_when_its_load_is_complete(target):
    spec = """
        name: late
        options: {host: {description: address, required: true}}
        base_url: "{host}/source"
        auth: {type: BEARER, params: {bearer_token: token}}
        paging: {strategy: pageAndCount, page_param: page, page_size: 10}
        tables:
          - {name: marked, resource_path: /kept, supports_paging: true, key_column: id, deletes: mark, skip_when: lines}
          - name: nothing
            resource_path: /kept
            params: {org: [a, b], "at[gte]": "2099-01-01"}
            copy_params_to_output: [org]
            supports_paging: true
            key_column: id
            columns: {name: VARCHAR}
    """
    own = target.around.folder / "own"
    own.mkdir()
    (own / "late.yaml").write_text(textwrap.dedent(spec))
    script = """
        con = lake()
        con.execute("SET GLOBAL unify_spec_path = 'own'")
        con.execute("CREATE CONNECTION late (ADAPTER late, host env('UNIFY_TEST_API'), bearer_token env('UNIFY_TEST_TOKEN'))")
        get("/__source?source=kept&clear=1&put=id=1;at=2024-05-01;name=a&put=id=2;at=2024-05-01;name=b")
        con.execute("LOAD TABLE late.marked")
        get("/__source?source=kept&clear=1&put=id=1;at=2024-05-01;name=a")
        for statement in ("LOAD TABLE late.nothing", "RELOAD TABLE late.marked", "RELOAD TABLE late.nothing"):
            con.execute(statement)
        con.close()
        con = lake()
        print(con.execute("SELECT id, name, _deleted_at IS NOT NULL FROM lake.late.marked ORDER BY id").fetchall())
        print(con.execute("SELECT count(*) FROM lake.late.nothing").fetchone()[0])
    """
    target.check(script, "[(1, 'a', False), (2, 'b', True)]\n0\n")
