"""Copies of a database, whatever way they were made: EXPORT and IMPORT, COPY FROM DATABASE, or a copy of the file. Unify goes on with them."""

import pytest

# A database with loaded tables, a view, and a load with some of its five pages, as `a.duckdb`; it is closed and out of reach once it was copied.
COPIED = """
    import shutil, sys
    sys.path.insert(0, str(TEST / "fixtures" / "old_database"))
    from old_api import OldApi
    here = pathlib.Path.cwd()
    api = OldApi(is_old=True)
    def opened(name):
        con = connect(name)
        for statement in api.setup(here):
            con.execute(statement)
        con.execute("SET unify_loader_threads = 1")
        return con
    con = opened("a.duckdb")
    for table in ("teams", "members", "orders"):
        con.execute(f"LOAD TABLE old.{table}").fetchall()
    try:
        con.execute("LOAD TABLE old.events").fetchall()
    except duckdb.Error as err:
        assert "500" in str(err), err
    n_records = con.execute("SELECT count(*) FROM unify.loading_jobs").fetchone()[0]
    n_pages = con.execute("SELECT count(*) FROM old.events__loading").fetchone()[0] // 3
    way = "WAY"
    if way == "file":
        con.close()
        shutil.copy("a.duckdb", "copy.duckdb")
    elif way == "database":
        con.execute("ATTACH 'copy.duckdb' AS other; COPY FROM DATABASE a TO other; DETACH other")
        con.close()
    else:
        con.execute(f"EXPORT DATABASE 'exported' (FORMAT {way})")
        con.close()
    os.rename("a.duckdb", "gone.duckdb")
    api.is_old = False
    api.asked.clear()
    con = opened("copy.duckdb")
    if way in ("csv", "parquet"):
        con.execute("IMPORT DATABASE 'exported'")
"""


@pytest.mark.parametrize("way", ["csv", "parquet", "database", "file"])
def test_a_copy_is_gone_on_with(python, around, way):
    # DuckDB 1.5's CSV keeps no empty texts: pages that came through it are not gone on with.
    is_lossy = way == "csv" and python.release.startswith("1.")
    script = COPIED.replace("WAY", way) + """
    print(con.execute("SELECT count(*) FROM old.team_names").fetchone())
    for statement in ("LOAD TABLE old.teams", "REFRESH TABLE old.orders", "REFRESH TABLE old.members"):
        con.execute(statement).fetchall()
    print(con.execute("SELECT id, \\"at\\", note FROM old.orders ORDER BY id").fetchall())
    print(con.execute("SELECT id, name FROM old.members ORDER BY id").fetchall())
    print(len(api.asked), all("since=" in url for url in api.asked))
    con.execute("RELOAD TABLE old.teams").fetchall()
    print(con.execute("SELECT name FROM old.team_names ORDER BY ALL").fetchall())
    print(con.execute("SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE text = '') FROM old.events").fetchone(), api.n_asked("page=") - 6 + (1 if {is_lossy} else n_pages))
    messages = con.execute("SELECT message FROM unify.loading_log WHERE message LIKE 'going on%' OR message LIKE '%starting over%'").fetchall()
    print([message[0].split(":")[0] for message in messages])
    print(con.execute("SELECT count(*), count(DISTINCT id) FROM unify_loading_jobs()").fetchone()[0] - n_records)
    con.execute("CLEAR TABLE old.orders; DROP TABLE old.members; LOAD TABLE old.members").fetchall()
    print(con.execute("SELECT action FROM unify.loading_jobs ORDER BY id DESC LIMIT 5").fetchall())
    con.execute("DROP PERSISTENT CONNECTION old CASCADE").fetchall()
    print(con.execute("SELECT count(*) FROM duckdb_schemas() WHERE schema_name = 'old' AND database_name = 'copy'").fetchone())
    """.replace("{is_lossy}", str(is_lossy))
    message = "an unfinished load cannot be continued" if is_lossy else "going on with an unfinished load, rows"
    expected = (
        "(2,)\n[(1, 1, 'first'), (2, 3, 'changed'), (3, 3, 'added')]\n[(10, 'new'), (11, 'b'), (20, 'new'), (21, 'b')]\n3 True\n"
        f"[('',), ('red',)]\n(15, 15, 8) 0\n['{message}']\n9\n"
        "[('load_end',), ('create',), ('load_start',), ('drop',), ('truncate',)]\n(0,)\n"
    )
    outcome = python.run(around, script, timeout=60).check()
    assert outcome.stdout == expected, f"{outcome.stdout}\n{outcome.stderr}"


def test_a_view_is_found_beside_a_database_of_the_schemas_name(python, around):
    script = COPIED.replace("WAY", "file") + """
    con.execute("ATTACH ':memory:' AS old; CREATE TABLE old.main.teams AS SELECT 'wrong' AS name")
    con.execute("RELOAD TABLE copy.old.teams").fetchall()
    print(con.execute("SELECT message FROM unify.loading_log WHERE level = 'WARNING' AND message LIKE 'view%'").fetchall())
    con.execute("DETACH old")
    print(con.execute("SELECT name FROM old.team_names ORDER BY ALL").fetchall())
    """
    outcome = python.run(around, script, timeout=60).check()
    assert outcome.stdout.splitlines()[-1] == "[('',), ('red',)]", f"{outcome.stdout}\n{outcome.stderr}"


def test_numbers_of_128_bits_keep_their_digits_in_an_exported_database(python, around):
    script = """
    from own_api import *
    gate, broken = threading.Event(), threading.Event()
    broken.set()
    def answer(path, query, _):
        page = int(query.get("page", 1))
        if page > 2 and broken.is_set():
            gate.wait(60)
            return 500, {}
        return {"rows": [{"id": 2 ** 100 + page}], "next": page + 1 if page < 3 else None}
    api = Api(answer, '''
    tables:
      - {name: e, resource_path: /e, result_body_path: rows, supports_paging: true}
    ''')
    con = api.connect()
    fail_after(con, "e", 2, gate)
    con.execute("EXPORT DATABASE 'exported' (FORMAT parquet)")
    con.close()
    broken.clear()
    con = api.connect("y.duckdb")
    con.execute("IMPORT DATABASE 'exported'")
    print([row[0] - 2 ** 100 for row in con.execute("SELECT id FROM own.e ORDER BY id").fetchall()], why_not_continued(con))
    """
    outcome = python.run(around, script, timeout=60).check()
    assert outcome.stdout == "[1, 2, 3] ['going on']\n", f"{outcome.stdout}\n{outcome.stderr}"
