"""A process that was forked from one with an open database: it has none of the threads, and no statement waits for them."""

FORK = """
    import os, signal
    def in_fork(action, seconds=20):
        # What the fork printed last, and how it ended; a fork that hangs is ended by its alarm.
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            signal.alarm(seconds)
            os.dup2(writer, 1)
            action()
            sys.stdout.flush()
            os._exit(0)
        os.close(writer)
        said = os.fdopen(reader).read()
        return said, os.waitpid(child, 0)[1]
"""


def test_a_statement_in_a_fork_is_an_error(python, around):
    script = FORK + """
    con = connect()
    con.execute("LOAD TABLE shop.stores")
    STATEMENTS = [
        "SELECT count(*) FROM shop.orders", "LOAD TABLE shop.stores", "REFRESH SCHEMA shop", "PEEK shop.stores LIMIT 1", "TEST CONNECTION shop",
        "FROM unify_fetch('shop', 'stores')", "SHOW ALL JOBS", "COPY (SELECT 'x' AS name) TO 'desk.plain' (FORMAT unify, dry_run true)",
    ]
    def statements():
        for statement in STATEMENTS:
            try:
                print(statement, con.execute(statement).fetchall())
            except duckdb.Error as err:
                print("open the database after the fork" in str(err) or str(err))
    said, status = in_fork(statements)
    print(said.splitlines() == ["True"] * len(STATEMENTS) or said, status, flush=True)
    # What has nothing to do with us goes on, and so does the parent.
    print(in_fork(lambda: print(con.execute("SELECT 1 + 1").fetchone()[0])))
    print(con.execute("SELECT count(*) FROM shop.stores").fetchone()[0], con.execute("SELECT count(*) > 0 FROM shop.orders").fetchone()[0])
    """
    outcome = python.run(around, script, 90).check()
    assert outcome.stdout == "True 0\n('2\\n', 0)\n3 True\n", outcome


def test_a_fork_opens_a_database_of_its_own(python, around):
    script = FORK + """
    con = connect()
    print(con.execute("SELECT count(*) FROM shop.stores").fetchone()[0], flush=True)
    def own():
        print(connect("own.duckdb").execute("SELECT count(*) FROM shop.stores").fetchone()[0])
    print(in_fork(own))
    """
    outcome = python.run(around, script, 90).check()
    assert outcome.stdout == "3\n('3\\n', 0)\n", outcome
