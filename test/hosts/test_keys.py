"""Keys of JSON that are hostile as names of columns: each is a column with its own values, through load, merge, reload, comments and write-back."""

import json

from small_api import Answer, Asked, serving

KEYS = [
    "", " ", "  a", "a ", "a.b", 'a"b', '"', '""', "a'b", "'", "''", "a;b", "a--b", "/*", "*/", "a`b", "$", "$param", "$meta", "$column", "$$meta",
    "$0", "${id}", "{{id}}", "%s", "%", "\\", "\\\"", "\n", "\t", "a\rb", "\x00", "a\x00b", "\x1f", "\x7f", "rowid", "ROWID", "select", "SELECT",
    "table", "true", "null", "NaN", "count(*)", "*", "COLUMNS(*)", "#1", "?", ":x", "-1", "1e5", "x AS y", "'); DROP TABLE t; --",
    "İ", "ß", "ẞ", "é", "e\u0301", "\u202e", "\u200b", "\ufeff", "\u00a0", "😀", "a\u2028b", "k" * 300, "_rest", "column", "value", "unify",
    "loaded_at", "ID",
]
SPEC = """
name: hostile
base_url: "{host}"
options: {host: {description: the API, required: true}}
retry: {attempts: 1}
tables:
  - name: replaced
    supports_paging: false
    resource_path: /rows
    key_column: id
    write: {path: /written, batch: 10}
  - name: merged
    supports_paging: false
    resource_path: /rows
    key_column: id
    refresh: {strategy: updates, cursor: {column: changed, param: since, lookback: 0}}
"""


def rows(revision: int) -> list[dict]:
    """Returns two rows: in each, the value of a key tells the key's number, the row and the revision."""
    return [
        {"id": row, "changed": f"2024-01-0{revision}T00:00:00Z", **{key: f"{number}:{row}:{revision}" for number, key in enumerate(KEYS)}}
        for row in range(2)
    ]


SCRIPT = """
    KEYS = {keys!r}
    quoted = lambda name: '"' + name.replace('"', '""') + '"'
    def columns(table):
        found = con.execute("SELECT column_name FROM duckdb_columns() WHERE schema_name = 'hostile' AND table_name = ? ORDER BY column_index", [table])
        return [name for name, in found.fetchall()]
    def by_number(table, revision):
        # The columns by the number of their key: each has the values of one key, in both rows.
        names = [name for name in columns(table) if name not in ("id", "changed")]
        rows = con.execute(f"SELECT {{', '.join(map(quoted, names))}} FROM hostile.{{table}} ORDER BY id").fetchall()
        found = {{}}
        for name, *values in zip(names, *rows):
            number = values[0].split(":")[0]
            assert values == [f"{{number}}:{{row}}:{{revision}}" for row in range(2)], (name, values)
            assert number not in found, (name, number)
            found[number] = name
        assert set(found) == {{str(number) for number in range(len(KEYS))}}, set(found)
        return found
    def open():
        con = connect("x.duckdb")
        con.execute("SET GLOBAL unify_spec_path = '{folder}'")
        return con
    con = open()
    con.execute("CREATE CONNECTION hostile (ADAPTER hostile, host '{host}')")
    set_revision = lambda revision: urllib.request.urlopen("{host}/revision?to=" + str(revision)).read()
    first = {{}}
    for table in ["replaced", "merged"]:
        set_revision(1)
        con.execute(f"LOAD TABLE hostile.{{table}}")
        first[table] = by_number(table, 1)
        for number, name in first[table].items():
            con.execute(f"COMMENT ON COLUMN hostile.{{table}}.{{quoted(name)}} IS 'of key {{number}}'")
        for revision, statement in enumerate(["REFRESH", "RELOAD", "REFRESH"], start=2):
            set_revision(revision)
            con.execute(f"{{statement}} TABLE hostile.{{table}}")
            assert by_number(table, revision) == first[table], (table, statement)
            assert con.execute(f"SELECT count(*) FROM hostile.{{table}}").fetchone() == (2,)
        comments = dict(con.execute("SELECT comment, column_name FROM duckdb_columns() WHERE table_name = ? AND comment IS NOT NULL", [table]).fetchall())
        assert {{f"of key {{number}}": name for number, name in first[table].items()}}.items() <= comments.items(), comments
        assert len(con.execute(f"SHOW COLUMNS FROM hostile.{{table}}").fetchall()) == len(KEYS) + 2
        assert len(con.execute(f"FROM unify_fetch('hostile', '{{table}}')").fetchall()) == 2
    con.execute("COPY (FROM hostile.replaced ORDER BY id) TO 'hostile.replaced' (FORMAT unify)")
    con.close()
    con = open()
    assert by_number("merged", 4) == first["merged"]
    print("done")
    import json
    print(json.dumps(first["replaced"]))
"""


def test_each_key_is_a_column_of_its_own_whatever_is_done(python, around):
    state = {"revision": 1}
    written = []

    def answer(asked: Asked) -> Answer:
        if asked.path == "/revision":
            state["revision"] = int(asked.params["to"])
            return Answer(b"{}")
        if asked.path == "/written":
            written.append(json.loads(asked.body))
            return Answer(b"{}")
        return Answer(json.dumps(rows(state["revision"])).encode())

    folder = around.folder / "specs"
    folder.mkdir()
    (folder / "hostile.yaml").write_text(SPEC)
    with serving(answer) as host:
        outcome = python.run(around, SCRIPT.format(keys=KEYS, folder=folder, host=host)).check()
    done, names = outcome.stdout.splitlines()
    assert done == "done"
    # Written back, the keys are the columns' names, and each has its own value.
    by_number = json.loads(names)
    sent = written[0] if isinstance(written[0], list) else written
    assert [row["id"] for row in sent] == [0, 1]
    for row in sent:
        found = {value.split(":")[0]: name for name, value in row.items() if name not in ("id", "changed")}
        assert found == by_number, row
