"""The same SQL in every host: what a user types on the first screen."""

import json

import hosts
import pytest

# Statements and the rows they return, as text; None for a statement that acts.
SCREEN = [
    ("CREATE CONNECTION mine (ADAPTER shop, host env('UNIFY_TEST_API'), bearer_token env('UNIFY_TEST_TOKEN'))", [["mine", "shop", "created"]]),
    ("SELECT count(*) FILTER (ok) FROM unify_test_connection('mine')", [["5"]]),
    ("TEST CONNECTION mine", None),
    ("SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'mine'", [["mine"]]),
    ("SELECT count(*) FROM mine.stores", [["3"]]),
    ("SELECT count(*) FROM unify_create_connection('second', 'shop', options := MAP {'host': '$UNIFY_TEST_API', 'bearer_token': 'x'})", [["1"]]),
    ("DROP CONNECTION second", [["schema", "second", "dropped"], ["connection", "second", "dropped"]]),
    ("SELECT count(*) FROM unify_drop_connection('mine', cascade := true)", [["3"]]),
    ("DROP CONNECTION IF EXISTS mine", None),
    ("SELECT owner_login, count(*) FROM github.repos GROUP BY ALL ORDER BY ALL", [["acme", "137"], ["globex", "12"]]),
    ("SELECT count(*) FROM shop.orders o JOIN shop.customers c ON o.customer_id = c.number", [["250"]]),
    ("SELECT column_name FROM (DESCRIBE shop.stores)", [["id"], ["city"]]),
    ("SELECT count FROM (SUMMARIZE shop.events) LIMIT 1", [["230"]]),
    ("COPY shop.products TO 'products.parquet'", None),
    ("SELECT count(*) FROM 'products.parquet'", [["300"]]),
    ("CREATE TABLE t AS FROM shop.profile", None),
    ("SELECT name FROM t", [["The shop"]]),
    ("SELECT source_file FROM unify_spec('github') WHERE yaml LIKE '%name: github%'", [["(bundled)"]]),
    ("CREATE CONNECTION keyed (ADAPTER open_shop, host env('UNIFY_TEST_API'), header \"X-Api-Key\" env('UNIFY_TEST_TOKEN'), page_size 50)", [["keyed", "open_shop", "created"]]),
    ("SELECT count(*) FROM keyed.events", [["230"]]),
    ("DROP CONNECTION keyed CASCADE", None),
    ("SELECT count(*) FROM unify_adapters() WHERE adapter IN ('github', 'stripe', 'shop')", [["3"]]),
    ("SELECT adapter FROM unify_connections() WHERE connection = 'shop'", [["shop"]]),
    ("SELECT rows FROM unify_tables() WHERE connection = 'shop' AND \"table\" = 'orders'", [["250"]]),
    ("SELECT count(*) FROM unify_columns('shop.stores')", [["2"]]),
    ("SELECT count(*) FROM unify_peek('shop.orders', 5)", [["5"]]),
    ("SELECT count(*) FROM unify_fetch('shop', 'orders')", [["250"]]),
    ("SELECT asked_region FROM unify_fetch('shop', 'prices', params := MAP {'region': 'west', 'currency': 'CHF'})", [["west"]]),
    ("SELECT status, body->>'name' FROM unify_http('shop', '/profile', params := MAP {'n': 1})", [["200", "The shop"]]),
    ("SELECT count(*) FROM unify_scan('shop', 'late')", [["60"]]),
    ("SELECT count(*) FROM shop.stock", [["25"]]),
    ("REFRESH TABLE shop.stock", None),
    ("EXPLAIN REFRESH TABLE shop.stock", None),
    ("SELECT action FROM unify_explain('shop.stock')", [["reload"], ["request"], ["budget"]]),
    ("PEEK shop.products LIMIT 2", None),
    ("REFRESH SCHEMA shop_basic", None),
    ("LOAD TABLE shop.staff IN BACKGROUND", None),
    ("SHOW ALL JOBS", None),
    ("SHOW JOB 1", None),
    ("WAIT FOR JOB 1", None),
    ("CANCEL JOB 1", None),
    ("CANCEL ALL JOBS", None),
    ("SELECT rows_stored FROM unify_jobs(1)", [["3"]]),
    ("SELECT state FROM unify_jobs(1)", [["success"]]),
    ("RELOAD TABLE shop.staff", None),
    ("CLEAR TABLE shop.staff", None),
    ("SELECT count(*) FROM shop.staff", [["0"]]),
    ("SELECT count(*) FROM information_schema.loading_jobs WHERE table_name = 'stock' AND status = 'success' AND action LIKE '%_end'", [["2"]]),
    ("SELECT level FROM information_schema.loading_log WHERE table_name = 'stock' LIMIT 1", [["INFO"]]),
    ("PREPARE q AS SELECT count(*) FROM shop.orders WHERE id <= ?", None),
    ("EXECUTE q(10)", [["10"]]),
    ("CREATE VIEW v AS SELECT count(*) AS n FROM shop.paid_orders", None),
    ("SELECT n FROM v", [["125"]]),
    ("START DAEMON", None),
    ("SELECT status FROM unify_status() WHERE component = 'daemon'", [["running"]]),
    ("SYSTEM STATUS", None),
    ("STOP DAEMON", None),
    ("SHOW ALL ADAPTERS", None),
    ("SHOW ALL CONNECTIONS", None),
    ("SHOW TABLES IN shop", None),
    ("SHOW ALL ADAPTER TABLES", None),
    ("SHOW COLUMNS FROM shop.stores", None),
    ("LOAD TABLE shop.stores", None),
    ("PEEK shop.stores LIMIT 1", None),
    ("CANCEL JOB 1 DROP", None),
    ("HELP", None),
    ("HELP REFRESH TABLE", None),
    ("SELECT kind, topic FROM unify_help('unify_wait') ORDER BY kind", [["function", "unify_wait"], ["statement", "WAIT FOR JOB"]]),
    ("SELECT count(*) FROM unify_help('shop.stores')", [["1"]]),
    ("SELECT description IS NOT NULL FROM duckdb_functions() WHERE function_name = 'unify_scan'", None),
    ("COPY (SELECT 1 AS id, 'a' AS name UNION ALL SELECT 2, 'b') TO 'desk.plain' (FORMAT unify, dry_run true)", None),
    ("SELECT replace(replace(body, '\"', ''), ',', ';') FROM unify_dry_run() WHERE request = 2", [['{id:2;name:b}']]),
    ("COPY (SELECT 1 AS id, 'a' AS name UNION ALL SELECT 2, 'b') TO 'desk.plain' (FORMAT unify)", None),
    ("SELECT count(*) FROM information_schema.loading_jobs WHERE action = 'write' AND status = 'success'", [["2"]]),
    ("ATTACH 'other.duckdb' AS other", None),
    ("SET unify_target = 'other'", None),
    ("SELECT count(*) FROM shop.widening", [["10"]]),
    ("SELECT count(*) FROM other.shop.widening", [["10"]]),
]


@pytest.mark.parametrize("release", [*hosts.RELEASES["tested"]["python"], *hosts.HOSTS["also"]])
def test_python(release, around):
    script = """
        import json
        con = connect("x.duckdb")
        answers = []
        for sql in json.load(open("screen.json")):
            try:
                con.execute(sql)
                answers.append([[str(value) for value in row] for row in con.fetchall()])
            except duckdb.Error as err:
                answers.append(str(err))
        print(json.dumps(answers))
    """
    (around.folder / "screen.json").write_text(json.dumps([sql for sql, _ in SCREEN]))
    # On a slow machine DuckDB's progress bar stands above.
    answers = json.loads(hosts.Python(release).run(around, script).check().stdout.splitlines()[-1])
    check_answers(answers)


def test_node(node, around):
    answers = node.run(around, [sql for sql, _ in SCREEN], "x.duckdb")
    check_answers([answer.get("rows", answer.get("error")) for answer in answers])


def test_cli(cli, around):
    statements = [f"SELECT '== {idx}';\n{sql};" for idx, (sql, _) in enumerate(SCREEN)]
    outcome = cli.run(around, statements, "x.duckdb")
    answers = []
    for part in outcome.stdout.split("== ")[1:]:
        lines = part.splitlines()[1:]
        answers.append([line.replace('"', "").split(",") for line in lines])
    check_answers(answers)
    outcome.check()


def check_answers(answers: list) -> None:
    wrong = []
    for (sql, expected), answer in zip(SCREEN, answers, strict=True):
        failed = isinstance(answer, str)
        if failed or (expected is not None and answer != expected):
            wrong.append(f"{sql}\n    expected {expected}\n    answered {answer}")
    assert not wrong, "\n".join(wrong)
