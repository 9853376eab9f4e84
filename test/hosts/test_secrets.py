"""No credential is ever printed: every process of these tests is searched for it, and here they are provoked."""

import hosts

PROVOKING = [
    "SELECT * FROM bad.echo",
    "SELECT * FROM bad.status_401",
    "SELECT * FROM bad.redirect_away",
    "SELECT * FROM bad.foreign_link",
    "SELECT * FROM shop_params.echo",
    "SELECT * FROM shop_params.broken",
    "SELECT * FROM shop_headers.no_such_table",
    "FROM unify_connections()",
    "FROM unify_adapters()",
    "FROM unify_tables()",
    "FROM unify_peek('shop_params.stores')",
    "EXPLAIN SELECT * FROM shop_params.stores",
    "EXPLAIN ANALYZE SELECT * FROM shop_params.stores",
    "FROM information_schema.loading_jobs",
    "FROM information_schema.loading_log",
    "FROM duckdb_settings()",
    "FROM duckdb_logs",
    "FROM duckdb_secrets()",
]


# Statements that hold the secret themselves: what answers must not.
CREATING = [
    "CREATE CONNECTION own (ADAPTER shop, host env('UNIFY_TEST_API'), bearer_token 'secret-token')",
    "CREATE CONNECTION own (ADAPTER shop, host env('UNIFY_TEST_API'), bearer_token 'secret-token')",
    "CREATE CONNECTION other (ADAPTER shop, host env('UNIFY_TEST_API'), bearer_tokn 'secret-token')",
    "CREATE CONNECTION other (ADAPTER shop, host 'nowhere', bearer_token 'secret-token')",
    "CREATE CONNECTION other (ADAPTER shop, bearer_token secret-token)",
    'CREATE CONNECTION other (ADAPTER shop, bearer_token "secret-token")',
    "CREATE CONNECTION other (ADAPTER shop, bearer_token env('secret-token'))",
    "CREATE CONNECTION other (ADAPTER shop, bearer_token E'secret-token\\xff')",
    "CREATE CONECTION other (ADAPTER shop, bearer_token 'secret-token')",
    "CRAETE CONNECTION other (ADAPTER shop, bearer_token 'secret-token')",
    "CREATE TEMP CONNECTION other (ADAPTER shop, bearer_token 'secret-token')",
    "CREATE PERSISTANT CONNECTION other (ADAPTER shop, bearer_token 'secret-token')",
    "CREATE CONNECTIONS other (ADAPTER shop, bearer_token 'secret-token')",
    "EXPLAIN CREATE CONNECTION other (ADAPTER shop, bearer_token 'secret-token')",
    "PREPARE p AS CREATE CONNECTION other (ADAPTER shop, bearer_token 'secret-token')",
    "CREATE CONNECTION main (ADAPTER shop, bearer_token 'secret-token')",
    "CREATE OR REPLACE CONNECTION IF NOT EXISTS other (ADAPTER shop, bearer_token 'secret-token')",
    "FROM unify_create_connection('other', NULL, options := MAP {'bearer_token': 'secret-token'})",
    "FROM unify_create_connection('other', 'shop', options := MAP {'bearer_token': '$secret-token'})",
    "EXPLAIN FROM unify_create_connection('other', 'shop', options := MAP {'bearer_token': 'secret-token'})",
    "CREATE CONNECTION other (ADAPTER open_shop, host 'nowhere', header \"X-Y\" 'secret-token')",
    "CREATE CONNECTION other (ADAPTER open_shop, host 'nowhere', header \"Host\" 'secret-token')",
    "CREATE CONNECTION other (ADAPTER open_shop, host 'nowhere', header \"X-Y\" secret-token)",
    "CREATE CONNECTION other (ADAPTER open_shop, host 'nowhere', heder \"X-Y\" 'secret-token')",
    "CREATE CONNECTION other (ADAPTER open_shop, host 'nowhere', page_size 'secret-token')",
    "FROM unify_create_connection('other', 'open_shop', options := MAP {'headers X-Y': 'secret-token'})",
    "TEST CONNECTION own",
    "FROM unify_connections()",
    "SET unify_target = 'nosuch'",
    "CREATE CONNECTION other (ADAPTER shop, bearer_token 'secret-token')",
    "RESET unify_target",
    "DROP CONNECTION own",
]


def test_what_a_statement_is_told_is_not_told_again_in_python(python, around):
    script = f"""
        con = connect("x.duckdb")
        for sql in {CREATING!r}:
            try:
                print(con.execute(sql).fetchall())
            except duckdb.Error as err:
                print(err)
        con.execute("CHECKPOINT")
    """
    outcome = python.run(around, script).check()
    assert "exists already" in outcome.stdout and "did you mean 'bearer_token'" in outcome.stdout, outcome.stdout
    assert not any(secret.encode() in path.read_bytes() for path in around.folder.rglob("*.duckdb*") for secret in hosts.SECRETS)


def test_what_a_statement_is_told_is_not_told_again_in_the_cli(cli, around):
    outcome = cli.run(around, [f"{sql};" for sql in CREATING], "x.duckdb")
    assert "exists already" in outcome.stderr and "did you mean 'bearer_token'" in outcome.stderr, outcome


def test_what_a_statement_is_told_is_not_told_again_in_node(node, around):
    answers = node.run(around, CREATING)
    assert "exists already" in answers[1]["error"], answers[1]


def test_in_python(python, around):
    script = f"""
        con = connect("x.duckdb")
        con.execute("SET unify_log_level = 'DEBUG'")
        con.execute("CALL enable_logging(level = 'trace')")
        for sql in {PROVOKING!r}:
            try:
                print(con.execute(sql).fetchall())
            except duckdb.Error as err:
                print(err)
    """
    outcome = python.run(around, script).check()
    assert "returned 400" in outcome.stdout, outcome.stdout
    assert around.get("/__stats?path=elsewhere:/stolen&what=credentials") == "0"


def test_in_the_cli(cli, around):
    outcome = cli.run(around, ["SET unify_progress = 'on';", *[f"{sql};" for sql in PROVOKING]], "x.duckdb")
    assert "returned 400" in outcome.stderr, outcome


def test_in_node(node, around):
    answers = node.run(around, PROVOKING)
    assert "returned 400" in answers[0]["error"], answers[0]


def test_nothing_secret_in_the_database_file(python, around):
    script = """
        con = connect("x.duckdb")
        con.execute("SET unify_log_level = 'DEBUG'")
        for sql in ("SELECT * FROM shop_params.stores", "SELECT * FROM bad.ok", "SELECT * FROM shop_params.echo"):
            try:
                con.execute(sql).fetchall()
            except duckdb.Error:
                pass
        con.execute("CHECKPOINT")
    """
    python.run(around, script).check()
    for path in around.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret.encode() in content for secret in hosts.SECRETS), path


def test_a_key_that_the_api_repeats_is_never_shown_whatever_it_makes_of_it(python, around):
    outcome = python.run(around, "import repeated_key")
    assert (outcome.code, outcome.stdout) == (0, "True\n"), outcome
