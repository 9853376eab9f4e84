"""Unfinished loads while what they depend on changes: the table, the credentials, other jobs, other processes, what the API sends."""

import pytest

# A table with a key that is refreshed by its updates; what changed since a value comes when the gate opens.
UPDATES = """
    from own_api import *
    gate = threading.Event()
    rows = [{"id": 1, "at": 1}, {"id": 2, "at": 2}]
    def answer(path, query, _):
        if "since" in query:
            gate.wait(60)
        return [row for row in rows if row["at"] >= int(query.get("since", 0))]
    api = Api(answer, '''
    tables:
      - {name: u, resource_path: /u, key_column: id, refresh: {strategy: updates, cursor: {column: at, param: since}}}
      - {name: x, resource_path: /x}
    ''')
    con = api.connect()
    print(con.execute("SELECT count(*) FROM own.u").fetchone())
"""

# Three pages of table `e`; while `broken` is set, the page after `n_good` ones waits for the gate and fails.
PAGES = """
    from own_api import *
    gate, broken, n_good = threading.Event(), threading.Event(), 2
    broken.set()
    def failed(page):
        return page > n_good and broken.is_set() and gate.wait(60)
    def answer(path, query, _):
        page = int(query.get("page", 1))
        return (500, {}) if failed(page) else {"rows": [{"id": page}], "next": page + 1 if page < 3 else None}
    spec = '''
    tables:
      - {name: e, resource_path: /e, result_body_path: rows, supports_paging: true}
    '''
"""


def check(python, around, script: str, expected: str) -> None:
    outcome = python.run(around, script, timeout=60).check()
    assert outcome.stdout == expected, f"{outcome.stdout}\n{outcome.stderr}"


def test_a_table_dropped_while_it_is_refreshed(python, around):
    script = UPDATES + """
    job = con.execute("SELECT job_id FROM unify_refresh('own.u', background := true)").fetchone()[0]
    api.wait("since=")
    con.execute("DROP TABLE own.u")
    gate.set()
    print(until(lambda: state_of(con, job), lambda state: state != "running"))
    print(con.execute("SELECT count(*) FROM own.u").fetchone(), con.execute("SELECT count(*) FROM own.x").fetchone())
    con.close()
    print("closed")
    """
    check(python, around, script, "(2,)\nerror\n(2,) (2,)\nclosed\n")


def test_a_reload_asked_for_during_a_refresh_loads_all_of_it(python, around):
    # Only a load of everything notices what is deleted in the meantime: a deletion is not an update.
    script = UPDATES + """
    con.execute("REFRESH TABLE own.u IN BACKGROUND").fetchall()
    api.wait("since=")
    del rows[0]
    os.dup2(os.open("stderr.txt", os.O_WRONLY | os.O_CREAT), 2)
    con.execute("SET unify_progress = 'on'")
    thread, results = in_thread(lambda: con.cursor().execute("RELOAD TABLE own.u").fetchall())
    until(lambda: open("stderr.txt").read(), lambda text: "loading own.u: " in text)  # The statement waits.
    gate.set()
    thread.join()
    print(con.execute("SELECT id FROM own.u").fetchall())
    """
    check(python, around, script, "(2,)\n[(2,)]\n")


def test_changed_credentials_start_over(python, around):
    script = """
    from own_api import *
    gates, is_broken = {"/e": threading.Event(), "/g/2": threading.Event()}, [True]
    def answer(path, query, authorization):
        page = int(query.get("page", 1))
        if is_broken[0] and (path == "/g/2" or page == 2):
            gates[path].wait(60)
            return 500, {}
        return {"rows": [{"account": authorization[-1], "page": page}], "next": page + 1 if path == "/e" and page < 3 else None}
    api = Api(answer, '''
    auth: {type: BEARER, params: {bearer_token: the token}}
    tables:
      - {name: e, resource_path: /e, result_body_path: rows, supports_paging: true}
      - {name: g, resource_path: "/g/{i}", result_body_path: rows, params: {i: [1, 2]}}
    ''', ", bearer_token: token-of-A")
    con = api.connect()
    fail_after(con, "e", 1, gates["/e"])
    fail_after(con, "g", 1, gates["/g/2"])
    is_broken[0] = False
    api.give_options(", bearer_token: token-of-B")
    for statement in setup():
        con.execute(statement)
    for table in ("e", "g"):
        print(con.execute(f"SELECT account, count(*) FROM own.{table} GROUP BY ALL ORDER BY ALL").fetchall())
    print(why_not_continued(con))
    """
    check(python, around, script, "[('B', 3)]\n[('B', 2)]\n['the credentials changed', 'the credentials changed']\n")


def test_a_set_that_was_not_there_is_refreshed_from_its_beginning(python, around):
    script = """
    from own_api import *
    is_there = [False]
    def answer(path, query, _):
        if path == "/parents":
            return [{"id": 1}, {"id": 2}]
        if path == "/children/2" and not is_there[0]:
            return 404, {}
        return [] if "since" in query else [{"id": 10 * int(path[-1])}, {"id": 10 * int(path[-1]) + 1}]
    api = Api(answer, '''
    tables:
      - {name: parents, resource_path: /parents, key_column: id}
      - name: children
        resource_path: /children/{parent}
        params: {parent: sql@(SELECT id FROM parents)}
        key_column: id
        refresh: {strategy: updates, params: {since: "${timestamp}"}}
    ''')
    con = api.connect()
    print(con.execute("SELECT id FROM own.children ORDER BY id").fetchall())
    is_there[0] = True
    con.execute("REFRESH TABLE own.children").fetchall()
    print(con.execute("SELECT id FROM own.children ORDER BY id").fetchall())
    print(api.n_asked("/children/1?since="), api.n_asked("/children/2?since="))
    """
    check(python, around, script, "[(10,), (11,)]\n[(10,), (11,), (20,), (21,)]\n1 0\n")


def test_a_file_that_another_process_loaded_into_meanwhile(python, around):
    script = """
    from own_api import *
    import subprocess, sys
    gate = threading.Event()
    def answer(path, query, _):
        return [{"id": 1}] if path != "/z" or gate.wait(60) else []
    api = Api(answer, '''
    tables:
      - {name: x, resource_path: /x}
      - {name: y, resource_path: /y}
      - {name: z, resource_path: /z}
    ''')
    con = api.connect(":memory:")
    con.execute("ATTACH 'f.duckdb' AS f; USE f")
    con.execute("SELECT * FROM own.x").fetchall()
    con.execute("USE memory; DETACH f")
    others = '''
    from own_api import *
    con = connect("f.duckdb")
    for statement in setup():
        con.execute(statement)
    con.execute("SELECT * FROM own.y").fetchall()
    con.execute("SELECT * FROM own.z").fetchall()
    '''
    other = subprocess.Popen([sys.executable, "-c", "import textwrap, sys; exec(textwrap.dedent(sys.argv[1]))", others])
    api.wait("/z")
    other.kill()
    other.wait()
    gate.set()
    con.execute("ATTACH 'f.duckdb' AS f; USE f")
    con.execute("RELOAD TABLE own.x").fetchall()
    print(con.execute("SELECT count(*), count(DISTINCT id) FROM unify.loading_jobs").fetchone())
    ends = "SELECT table_name, status FROM unify.loading_jobs WHERE action LIKE '%_end' ORDER BY id"
    print(con.execute(ends).fetchall())
    """
    check(python, around, script, "(10, 10)\n[('x', 'success'), ('y', 'success'), ('z', 'error'), ('x', 'success')]\n")


def test_a_job_is_cancelled_in_the_file_that_has_the_name(python, around):
    # Each file counts its jobs for itself.
    script = """
    from own_api import *
    gate = threading.Event()
    def answer(path, query, _):
        return [{"id": 1}] if path == "/x" or gate.wait(60) else []
    api = Api(answer, '''
    tables:
      - {name: x, resource_path: /x}
      - {name: e, resource_path: /e}
    ''')
    con = api.connect(":memory:")
    con.execute("ATTACH 'january.duckdb' AS month; USE month")
    con.execute("LOAD TABLE own.x").fetchall()
    con.execute("USE memory; DETACH month; ATTACH 'february.duckdb' AS month; USE month")
    con.execute("LOAD TABLE own.e IN BACKGROUND").fetchall()
    api.wait("/e")
    print(con.execute("SELECT job, \\"table\\", state FROM unify_cancel(1)").fetchall())
    gate.set()
    """
    check(python, around, script, "[(1, 'own.e', 'cancelled')]\n")


def test_a_link_with_a_credential_of_the_api_is_not_stored(python, around):
    script = PAGES + """
    def linked(path, query, _):
        page = int(query.get("page", 1))
        link = f"{api.address}/e?page={page + 1}&access_token=theirs-and-secret"
        return (500, {}) if failed(page) else {"rows": [{"id": page}], "next": link if page < 3 else None}
    api = Api(linked, spec.replace("supports_paging: true", "paging: {strategy: nextLink, pager_link_path: next}"))
    con = api.connect()
    fail_after(con, "e", 2, gate)
    kept = con.execute("SELECT s::VARCHAR FROM unify.load_state s").fetchall()
    print(len(kept) > 0, "theirs-and-secret" in str(kept), api.n_asked("theirs-and-secret"))
    broken.clear()
    print(con.execute("SELECT id FROM own.e ORDER BY id").fetchall())
    """
    check(python, around, script, "True False 2\n[(1,), (2,), (3,)]\n")


def test_a_page_token_with_a_nul(python, around):
    script = PAGES + """
    n_good = 1
    def answer(path, query, _):
        page = {"two\\0": 2, "three": 3}.get(query.get("page"), 1)
        return (500, {}) if failed(page) else {"rows": [{"id": page}], "next": [None, "two\\0", "three", None][page]}
    api = Api(answer, spec)
    con = api.connect()
    fail_after(con, "e", 1, gate)
    broken.clear()
    print(con.execute("SELECT id FROM own.e ORDER BY id").fetchall())
    """
    check(python, around, script, "[(1,), (2,), (3,)]\n")


# A load that is parked for a day, the longest wait that an API is believed, has added nothing for a little more than that.
@pytest.mark.parametrize("aged, hours, outcome, n_first_pages", [
    ("parameter_set = ''", 49, "going on", 1),
    ("true", 47, "going on", 1),
    ("true", 49, "nothing was added to it for more than two days", 2),
])
def test_an_unfinished_load_goes_on_when_something_was_added_within_two_days(python, around, aged, hours, outcome, n_first_pages):
    script = PAGES + f"""
    api = Api(answer, spec)
    con = api.connect()
    fail_after(con, "e", 2, gate)
    broken.clear()
    con.execute("UPDATE unify.load_state SET updated = updated - INTERVAL {hours} HOUR WHERE {aged}")
    print(con.execute("SELECT id FROM own.e ORDER BY id").fetchall(), why_not_continued(con))
    print(sum("page=" not in url for url in api.asked))
    """
    check(python, around, script, f"[(1,), (2,), (3,)] ['{outcome}']\n{n_first_pages}\n")
