"""Records that come several times with one key: the last one stays, and what changed is told by keys, into whatever database rows are loaded."""

import json
import time

import pytest
from host_process import HostProcess
from small_api import Answer, serving

SINCE = 'refresh: {strategy: updates, params: {since: "${timestamp}"}}'
CURSOR = "refresh: {strategy: updates, cursor: {column: at, param: since}}"
TABLES = f"""tables:
  - {{name: plain, resource_path: /plain, key_column: id, {SINCE}}}
  - {{name: paged, resource_path: /paged, result_body_path: rows, supports_paging: true, key_column: id, {SINCE}}}
  - {{name: timed, resource_path: /timed, key_column: id, deleted_when: gone, {CURSOR}}}
  - {{name: marked, resource_path: /timed, key_column: id, deletes: mark, deleted_when: gone, {CURSOR}}}
  - name: boxes
    resource_path: /boxes
    key_column: id
    children: [{{name: things, path: things, copy: {{box: id}}, key_columns: [box, no]}}]
    {SINCE}
  - name: crates
    resource_path: /crates
    key_column: id
    deleted_when: gone
    children: [{{name: contents, path: things, copy: {{crate: id}}, key_columns: [crate, no]}}]
  - {{name: parts, resource_path: /parts, key_columns: [a, b]}}
"""

SCRIPT = f"""
    from own_api import *
    answers = {{}}
    def answer(path, query, _):
        rows = answers.get(path + ("?since" if "since" in query else ""), [])
        return {{"rows": rows, "next": None}} if path == "/paged" else rows
    api = Api(answer, {TABLES!r})
    con = attach(api.connect("x.duckdb"))
    con.execute("SET GLOBAL unify_target = 'lake'")
    con.execute("SET unify_keep_changes = true")
    def run(verb, table, columns, order="ALL"):
        con.execute(f"{{verb}} TABLE own.{{table}}")
        return con.execute(f"SELECT {{columns}} FROM lake.own.{{table}} ORDER BY {{order}}").fetchall()
    def changes(table):
        return [rows for _, rows in con.execute(f"SELECT change, rows FROM unify_changes('lake.own.{{table}}') ORDER BY change").fetchall()]
    def kept(table):
        return con.execute(f"SELECT change, key, before, after FROM unify_changes('lake.own.{{table}}', rows := true) ORDER BY ALL").fetchall()
    def check(found, expected):
        assert found == expected, (found, expected)
"""


def test_the_last_record_with_a_key_stays(target):
    script = SCRIPT + """
    rows = lambda v: [{"id": 1, "v": v}, {"id": 2, "v": v}, {"id": 1, "v": v + 1}, {"id": 1, "v": v + 2}]
    for table in ("plain", "paged"):
        answers["/" + table], answers["/" + table + "?since"] = rows(10), rows(20)
        for verb, v in (("LOAD", 10), ("REFRESH", 20), ("RELOAD", 10)):
            check(run(verb, table, "id, v"), [(1, v + 2), (2, v)])
    box = lambda v: [
        {"id": 1, "things": [{"no": 1, "v": v}]}, {"id": 2, "things": [{"no": 1, "v": v}, {"no": 2, "v": v}, {"no": 1, "v": v + 1}]},
        {"id": 1, "things": [{"no": 2, "v": v}, {"no": 2, "v": v + 5}]},
    ]
    answers["/boxes"], answers["/boxes?since"] = box(10), box(20)
    for verb, v in (("LOAD", 10), ("REFRESH", 20), ("RELOAD", 10)):
        check(run(verb, "boxes", "id"), [(1,), (2,)])
        things = con.execute("SELECT box, no, v FROM lake.own.things ORDER BY ALL").fetchall()
        check(things, [(1, 2, v + 5), (2, 1, v + 1), (2, 2, v)])
        check(changes("things"), [3, 0, 0] if verb == "LOAD" else [0, 3, 0])
    """
    target.check(script, "")


def test_a_record_that_says_that_a_row_is_gone_needs_no_cursor(target):
    script = SCRIPT + """
    at = lambda day: f"2026-01-0{day}T00:00:00Z"
    answers["/timed"] = [{"id": id, "v": 0, "at": at(1)} for id in (1, 2, 3, 4)]
    answers["/timed?since"] = [
        {"id": 1, "v": 1, "at": at(2)}, {"id": 1, "gone": True},
        {"id": 2, "gone": True}, {"id": 2, "v": 1, "at": at(2)},
        {"id": 3, "v": 1, "at": at(3)}, {"id": 3, "gone": True}, {"id": 3, "v": 2, "at": at(2)},
        {"id": 4, "v": 1, "at": at(3)}, {"id": 4, "gone": True}, {"id": 4, "v": 2, "at": at(4)},
    ]
    for table, is_there in (("timed", "true"), ("marked", "_deleted_at IS NULL")):
        run("LOAD", table, "id")
        run("REFRESH", table, "id")
        check(con.execute(f"SELECT id, v FROM lake.own.{table} WHERE {is_there} ORDER BY id").fetchall(), [(2, 1), (4, 2)])
        check(changes(table), [0, 2, 2])
    """
    target.check(script, "")


def test_a_load_removes_rows_that_a_later_record_says_are_gone(target):
    script = SCRIPT + """
    at = lambda day: f"2026-01-0{day}T00:00:00Z"
    answers["/timed"] = [
        {"id": 1, "v": 0, "at": at(1)}, {"id": 2, "v": 0, "at": at(1)}, {"id": 3, "v": 0, "at": at(3)}, {"id": 5, "gone": True, "why": "sold"},
        {"id": 1, "gone": True, "v": {"was": 0}}, {"id": 2, "gone": True, "at": at(2)}, {"id": 2, "v": 1, "at": at(4)},
        {"id": 3, "gone": True, "at": at(2)}, {"id": None, "gone": True},
    ]
    for table in ("timed", "marked"):
        for verb in ("LOAD", "RELOAD"):
            check(run(verb, table, "id, v", "id"), [(2, 1), (3, 0)])
    types = dict(con.execute("SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = 'lake' AND table_name = 'timed'").fetchall())
    check((types["id"], types["v"], len(types)), ("BIGINT", "BIGINT", 3))
    answers["/timed"].append({"id": 3, "gone": True, "at": at(5)})
    check(run("RELOAD", "timed", "id, v", "id"), [(2, 1)])
    check(changes("timed"), [0, 0, 1])
    check(run("RELOAD", "marked", "id, _deleted_at IS NULL", "id"), [(2, True), (3, False)])
    answers["/crates"] = [
        {"id": 1, "things": [{"no": 1}]}, {"id": 2, "things": [{"no": 1}, {"no": 2}]},
        {"id": 1, "gone": True, "things": [{"no": 7}]}, {"id": 3, "gone": True},
    ]
    check(run("LOAD", "crates", "id"), [(2,)])
    check(con.execute("SELECT crate, no FROM lake.own.contents ORDER BY ALL").fetchall(), [(2, 1), (2, 2)])
    """
    target.check(script, "")


def test_rows_that_share_a_key_or_lack_a_part_of_it_change_by_their_values(target):
    script = SCRIPT + """
    def load(verb, *rows):
        answers["/parts"] = [dict(zip("abv", row)) for row in rows]
        run(verb, "parts", "a")
        return changes("parts")
    check(load("LOAD", (1, None, 1), (1, None, 2), (3, 1, 1)), [3, 0, 0])
    check(load("RELOAD", (3, 1, 1), (1, None, 2), (1, None, 1)), [0, 0, 0])
    check(kept("parts"), [])
    check(load("RELOAD", (3, 1, 5), (1, None, 2), (1, None, 7), (4, 4, 4)), [2, 1, 1])
    row = lambda a, b, v: '{"a":%s,"b":%s,"v":%s}' % (a, b, v)
    key = lambda a, b: '{"a":%s,"b":%s}' % (a, b)
    check(kept("parts"), [
        ("added", key(1, "null"), None, row(1, "null", 7)), ("added", key(4, 4), None, row(4, 4, 4)),
        ("changed", key(3, 1), row(3, 1, 1), row(3, 1, 5)), ("removed", key(1, "null"), row(1, "null", 1), None),
    ])
    # Rows that share a key, as those of several calls may: as many as there are before and after changed.
    con.execute("INSERT INTO lake.own.parts SELECT * FROM lake.own.parts WHERE a = 4")
    con.execute("UPDATE lake.own.parts SET v = 9 WHERE a = 3")
    check(load("RELOAD", (3, 1, 5), (1, None, 2), (1, None, 7), (4, 4, 6)), [0, 2, 1])
    """
    target.check(script, "")


ADDED = ["CREATE UNIQUE INDEX i ON own.rows (id)", "CREATE INDEX i ON own.rows (v)", "ALTER TABLE own.rows ADD PRIMARY KEY (id)"]


@pytest.mark.parametrize("added", ADDED)
def test_an_index_is_whole_after_a_refresh_and_a_kill(python, around, added):
    rows: list[dict] = []
    spec = f'name: own\noptions: {{host: {{description: where, required: true}}}}\nbase_url: "{{host}}"\ntables:\n  - {{name: rows, resource_path: /rows, key_column: id, {SINCE}}}\n'
    (around.folder / "own").mkdir()
    (around.folder / "own" / "own.yaml").write_text(spec)
    connections = around.folder / "own.yaml"
    settings = [f"unify_spec_path = '{around.folder / 'own'}'", f"unify_connections_file = '{connections}'"]
    with serving(lambda _: Answer(json.dumps(rows).encode())) as address:
        connections.write_text(f"- own:\n    adapter: own\n    options: {{host: '{address}'}}\n")

        def host(*statements: str, kills: bool = False) -> list[dict]:
            with HostProcess(python.release, around) as process:
                process.open(around.folder / "x.duckdb", settings=settings)
                found = [process.sql(statement) for statement in statements]
                if kills:
                    # DuckDB 1.5 would lose entries of the index with what is left in its log.
                    log = around.folder / "x.duckdb.wal"
                    for _ in range(500 if python.release.startswith("1.") and "INDEX" in added else 0):
                        if log.exists() and log.stat().st_size:
                            time.sleep(0.02)
                    process.kill()
                else:
                    process.close()
                    process.end()
                return found[-1]

        rows[:] = [{"id": id, "v": 1} for id in range(20)]
        host("LOAD TABLE own.rows", added)
        rows[:] = [{"id": id, "v": 2} for id in range(3, 11)]
        host("REFRESH TABLE own.rows", kills=True)
        assert host("SELECT count(*) AS n FROM own.rows") == [{"n": "20"}]
        rows[:] = [{"id": id, "v": 3} for id in range(2, 12)]
        found = host("REFRESH TABLE own.rows", "DELETE FROM own.rows WHERE id = 4", "SELECT count(*) AS n, count(*) FILTER (v = 3) AS changed FROM own.rows")
        assert found == [{"n": "19", "changed": "9"}]
