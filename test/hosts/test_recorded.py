"""Answers that a load recorded are given again by the test server, and make the same table."""

from pathlib import Path

RECORD = """
    con = connect("x.duckdb")
    con.execute("SET unify_record = 'recorded'")
    con.execute("SET unify_log_level = 'DEBUG'")
    con.execute("LOAD TABLE shop.orders")
    print(con.execute("SELECT count(*), sum(hash(o)) FROM shop.orders o").fetchall())
    print("\\n".join(row[0] for row in con.execute("SELECT message FROM information_schema.loading_log WHERE level = 'DEBUG'").fetchall()))
"""


def test_what_was_recorded_makes_the_same_table(python, around):
    rows, *traces = python.run(around, RECORD).check().stdout.splitlines()
    assert any("it is the last page" in trace for trace in traces) and any(trace.startswith("page 1: ") for trace in traces), traces
    files = sorted((around.folder / "recorded" / "shop").iterdir())
    texts = "".join(file.read_text() for file in files)
    assert files and all(file.suffix == ".json" for file in files) and "secret-token" not in texts and "127.0.0.1" not in texts
    replay = """
    from urllib.parse import quote
    import os
    get("/__control?replay=" + quote(os.getcwd() + "/recorded"))
    con = connect("y.duckdb")
    spec = con.execute("SELECT yaml FROM unify_spec('shop')").fetchone()[0]
    old = [line for line in spec.splitlines() if line.startswith("base_url:")][0]
    os.mkdir("specs")
    open("specs/shop.yaml", "w").write(spec.replace(old, 'base_url: "{host}/replayed/shop"'))
    con.execute("SET unify_spec_path = 'specs'")
    con.execute("LOAD TABLE shop.orders")
    print(con.execute("SELECT count(*), sum(hash(o)) FROM shop.orders o").fetchall())
    """
    assert python.run(around, replay).check().stdout.strip() == rows


SPEC = """
name: targets
options: {host: {required: true}}
base_url: "{host}"
tables:
  - {name: heads, resource_path: /echo/sent/x, headers: {X-Trace: heads}}
  - {name: tails, resource_path: /echo/sent/x, headers: {X-Trace: tails}}
"""


def test_requests_that_a_header_tells_apart_are_recorded_apart(python, around):
    script = f"""
    from urllib.parse import quote
    import os
    spec, host = {SPEC!r}, os.environ["UNIFY_TEST_API"]
    os.mkdir("specs")

    def loaded(name, base):
        con = connect(name)
        con.execute("SET unify_spec_path = 'specs'; SET unify_record = 'recorded'")
        open("specs/targets.yaml", "w").write(spec)
        con.execute(f"CREATE OR REPLACE CONNECTION targets (adapter 'targets', host '{{host}}{{base}}')")
        return con.execute("SELECT h.trace, t.trace FROM targets.heads h, targets.tails t").fetchall()

    print(loaded("x.duckdb", ""))
    get("/__control?replay=" + quote(os.getcwd() + "/recorded"))
    print(loaded("y.duckdb", "/replayed/targets"))
    """
    first, again = python.run(around, script).check().stdout.splitlines()
    assert first == again == "[('heads', 'tails')]"


def test_nothing_is_recorded_without_external_access(python, around):
    script = """
    con = connect("x.duckdb")
    con.execute("SET unify_record = 'recorded'")
    con.execute("SET enable_external_access = false")
    try:
        con.execute("LOAD TABLE shop.orders")
    except duckdb.Error as err:
        print(err)
    """
    assert "enable_external_access" in python.run(around, script).check().stdout
    assert not Path(around.folder / "recorded").exists()
