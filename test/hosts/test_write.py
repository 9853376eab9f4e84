"""Writing back in real hosts: a real server, interruption, killed processes, several sessions and databases that processes share."""

import hosts
import pytest
from test_servers import connection, json_server, rows_of  # noqa: F401


def check(python, around, script: str, expected: str) -> None:
    outcome = python.run(around, script).check()
    assert outcome.stdout == expected, f"{outcome.stdout}\n{outcome.stderr}"


def test_json_server_is_written(python, around, json_server):  # noqa: F811
    connection(around, "jsonserver", f"{{host: '{json_server}'}}")
    # Each release writes rows of its own: the server is one for all.
    idx = hosts.RELEASES["tested"]["python"].index(python.release)
    post, release = 7 + idx, "abcdefgh"[idx]
    assert rows_of(
        python,
        around,
        f"SELECT title, views FROM jsonserver.posts WHERE id = '{post}'",
        f"""COPY (SELECT id, 'Changed, "{release}"' AS title, views + 1000 AS views, {{'name': author_name}} AS author
                  FROM jsonserver.posts WHERE id = '{post}') TO 'jsonserver.posts' (FORMAT unify)""",
        f"""COPY (SELECT range AS "postId", 'written by {release}' AS text, [1.5, NULL] AS marks FROM range(2))
                  TO 'jsonserver.comments' (FORMAT unify)""",
        # The loaded table stays as it was until it is refreshed.
        f"SELECT title FROM jsonserver.posts WHERE id = '{post}'",
        "SELECT status FROM unify_refresh('jsonserver.posts')",
        f"SELECT title, views, author_name FROM jsonserver.posts WHERE id = '{post}'",
        f"SELECT postId, marks, length(id) > 0 FROM jsonserver.comments WHERE text = 'written by {release}' ORDER BY postId",
        "SELECT table_name, numrows, status FROM information_schema.loading_jobs WHERE action = 'write' ORDER BY id",
    ) == [
        [[f"Post {post}", post]],
        [[1]],
        [[2]],
        [[f"Post {post}"]],
        [["success"]],
        [[f'Changed, "{release}"', post + 1000, f"Author {post % 3}"]],
        [[0, [1.5, None], True], [1, [1.5, None], True]],
        [["posts", 1, "success"], ["comments", 1, "success"], ["comments", 1, "success"]],
    ]


@pytest.mark.parametrize("n_threads", [1, 4])
def test_an_interrupt_stops_between_requests_and_says_what_was_sent(python, around, n_threads):
    script = f"""
        con = connect("x.duckdb")
        con.execute("SET threads = {n_threads}")
        writing = con.cursor()
        writing.execute("COPY (SELECT 0 AS id) TO 'desk.plain' (FORMAT unify)")
        statement = "COPY (SELECT range AS id FROM range(5)) TO 'desk.gated' (FORMAT unify)"
        thread, results = in_thread(lambda: writing.execute(statement).fetchall())
        get("/__wait?path=/desk/gated&n=1")
        writing.interrupt()
        # The request under way is brought to its end: then it is known what the API has.
        get("/__control?open=1")
        thread.join()
        message = str(results[0])
        print(get("/__written?path=/desk/gated"))
        print(con.execute("SELECT numrows, status FROM information_schema.loading_jobs WHERE table_name = 'gated'").fetchall())
        print("INTERRUPT" in message.upper(), message if "Interrupted!" not in message else "by DuckDB")
        print(writing.execute("SELECT 1").fetchall())
        lines = con.execute("SELECT message FROM information_schema.loading_log WHERE table_name = 'gated' ORDER BY timestamp").fetchall()
        print([line[0].replace(API, "") for line in lines])
    """
    outcome = python.run(around, script).check()
    lines = outcome.stdout.splitlines()
    assert lines[0] == 'POST /desk/gated {"id":0}', outcome.stdout
    assert lines[1] == "[(1, 'success')]", outcome.stdout
    assert lines[2].startswith("True"), outcome.stdout
    said = "the row before is at the API already" in lines[2] or "the statement ended early: 1 row was written" in lines[4]
    assert said, outcome.stdout


def test_sessions_write_side_by_side_and_each_batch_has_an_id_of_its_own(python, around):
    script = """
        con = connect("x.duckdb")
        def write(name):
            own = con.cursor()
            return own.execute(f"COPY (SELECT '{name}' AS owner, range AS id FROM range(30)) TO 'desk.lists' (FORMAT unify)").fetchall()
        running = [in_thread(lambda name=name: write(name)) for name in ("a", "b", "c")]
        running.append(in_thread(lambda: con.cursor().execute("LOAD TABLE shop.orders").fetchall()))
        for thread, results in running:
            thread.join()
        print([results for _, results in running][:3])
        print(con.execute("SELECT count(*), count(DISTINCT id), sum(numrows) FROM information_schema.loading_jobs WHERE action = 'write'").fetchall())
        print(con.execute("SELECT count(*) = count(DISTINCT id) FROM information_schema.loading_jobs").fetchall())
        print([get(f"/__written?path=/desk/plain/{name}").count("POST") for name in "abc"])
    """
    check(python, around, script, "[[[(30,)]], [[(30,)]], [[(30,)]]]\n[(30, 30, 90)]\n[(True,)]\n[10, 10, 10]\n")


def test_a_process_that_ends_while_it_writes_leaves_the_records_of_what_it_wrote(python, around):
    script = """
        import os
        con = connect("x.duckdb")
        con.execute("COPY (SELECT range AS id FROM range(2)) TO 'desk.plain' (FORMAT unify)")
        in_thread(lambda: con.cursor().execute("COPY (SELECT range AS id FROM range(5)) TO 'desk.gated' (FORMAT unify)").fetchall())
        get("/__wait?path=/desk/gated&n=1")
        os.kill(os.getpid(), 9)
    """
    assert python.run(around, script).code != 0
    script = """
        con = connect("x.duckdb")
        print(con.execute("SELECT table_name, numrows, status FROM information_schema.loading_jobs ORDER BY id").fetchall())
        con.execute("COPY (SELECT 7 AS id) TO 'desk.plain' (FORMAT unify)")
        print(con.execute("SELECT max(id) FROM information_schema.loading_jobs").fetchall())
    """
    check(python, around, script, "[('plain', 1, 'success'), ('plain', 1, 'success')]\n[(3,)]\n")


def test_a_process_that_exits_while_it_writes_ends(python, around):
    script = """
        con = connect("x.duckdb")
        statement = "COPY (SELECT range AS id FROM range(5)) TO 'desk.gated' (FORMAT unify)"
        threading.Thread(target=lambda: con.cursor().execute(statement), daemon=True).start()
        get("/__wait?path=/desk/gated&n=1")
        print("out")
    """
    assert python.run(around, script, 60).stdout == "out\n"


def test_a_file_of_the_tables_name_is_left_alone(python, around):
    (around.folder / "desk.plain").write_text("mine")
    script = """
        con = connect("x.duckdb")
        try:
            con.execute("COPY (SELECT 1 AS id) TO 'desk.plain' (FORMAT unify)")
        except duckdb.Error as err:
            print("put the name in double quotes" in str(err))
        print(con.execute('''COPY (SELECT 2 AS id) TO '"desk"."plain"' (FORMAT unify)''').fetchall())
        try:
            con.execute('''COPY (SELECT 'bad' AS name, 3 AS id) TO '"desk"."strict"' (FORMAT unify)''')
        except duckdb.Error as err:
            print("422" in str(err))
        print(get("/__written?path=/desk"))
    """
    check(python, around, script, 'True\n[(1,)]\nTrue\nPOST /desk/plain {"id":2}\n')
    assert sorted(path.name for path in around.folder.iterdir() if "desk" in path.name) == ["desk.plain"]
    assert (around.folder / "desk.plain").read_text() == "mine"


def test_the_statements_of_the_page_do_what_it_says(python, around):
    page = (hosts.ROOT / "docs" / "writing.md").read_text()
    statements = [block.split("```")[0].strip() for block in page.split("```sql\n")[1:]]
    assert len(statements) > 8, statements
    script = f"""
        con = connect("x.duckdb")
        con.execute("SET enable_progress_bar = false")
        for statement in {statements!r}:
            result = con.execute(statement)
            rows = result.fetchall() if result.description else None
            if statement.startswith("SELECT"):
                print(str(rows).replace(API, ""))
        con.close()
        con = connect("y.duckdb")
        con.execute("SET enable_progress_bar = false")
        con.execute("IMPORT DATABASE 'exported'")
        print(con.execute("SELECT count(*) FROM github.repos").fetchone(), n_requests("/user/orgs"))
        print(con.execute("SELECT status FROM unify_refresh('github.repos')").fetchone())
        print(con.execute("SELECT count(*) > 1 FROM information_schema.loading_jobs WHERE action = 'write' OR table_name = 'repos'").fetchone())
    """
    body = '{"title":"Broken link","labels":["bug"]}'
    check(
        python,
        around,
        script,
        f"[(1, 'POST', '/repos/acme/repo0/issues', '{body}')]\n[('issues', 1, 'success')]\n(149,) 1\n('success',)\n(True,)\n",
    )
    assert sorted(path.name for path in around.folder.glob("repos.*")) == ["repos.csv", "repos.json", "repos.parquet"]
