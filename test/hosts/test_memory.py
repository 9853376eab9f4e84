"""Memory: answers that become many times their size are refused before they are built, many large ones wait for each other, and where memory
is short the load fails while the process goes on."""

import contextlib
import gzip
import json

from small_api import Answer, serving

SPEC = """
name: heavy
base_url: "{host}"
options: {host: {description: the API, required: true}}
retry: {attempts: 1}
tables:
  - {name: small_values, supports_paging: false, resource_path: /small_values}
  - {name: exact, supports_paging: false, resource_path: /exact}
  - {name: empty_objects, supports_paging: false, resource_path: /empty_objects}
  - {name: sparse, supports_paging: false, resource_path: /sparse}
  - {name: unselected, supports_paging: false, resource_path: /unselected, select: [a]}
  - {name: copied, supports_paging: false, resource_path: /copied, result_body_path: rows, result_meta_paths: [note]}
  - {name: groups, supports_paging: false, resource_path: /groups, result_body_path: groups.rows, result_meta_paths: [groups.note]}
  - {name: dense, supports_paging: false, resource_path: /dense}
  - {name: long_texts, supports_paging: false, resource_path: /long_texts}
  - {name: usual, supports_paging: false, resource_path: /usual}
"""
# Each of these would take more than a GiB.
HOSTILE = ["small_values", "exact", "empty_objects", "sparse", "unselected", "copied", "groups"]
N_MIB = 1 << 20


def bodies() -> dict[str, bytes]:
    """Returns the answers by path: the hostile ones are large when they are unpacked, and larger when they are rows."""
    note = "x" * (4 * N_MIB)
    return {
        "/small_values": b"[" + b"1," * (24 * N_MIB) + b"1]",
        "/exact": b"[0.1234567890123456789" + b",1" * (12 * N_MIB) + b"]",
        "/empty_objects": b"[" + b"{}," * (24 * N_MIB) + b"{}]",
        "/sparse": b"[" + b"{}," * 400_000 + json.dumps({f"k{n}": n for n in range(5_000)}).encode() + b"]",
        "/unselected": b"[" + ("{" + ",".join(f'"k{n}":1' for n in range(6 * N_MIB)) + "}").encode() + b"]",
        "/copied": ('{"note": "' + note + '", "rows": [' + "1," * 400 + "1]}").encode(),
        "/groups": ('{"groups": [{"note": "", "rows": [' + "1," * 5_000 + '1]}, {"note": "' + note + '", "rows": [' + "1," * 400 + "1]}]}").encode(),
        "/dense": b"[" + b"1," * (3 * N_MIB) + b"1]",
        "/long_texts": json.dumps([{"id": n, "text": "a, b: [c] {d} " * 60_000} for n in range(10)]).encode(),
        "/usual": json.dumps([{"id": n, "name": f"name {n}", "note": "some words about it " * 5, "ok": True} for n in range(30_000)]).encode(),
    }


@contextlib.contextmanager
def api():
    """Runs an API that packs its answers, and gives its address."""
    packed = {path: gzip.compress(body, 1) for path, body in bodies().items()}
    with serving(lambda asked: Answer(packed[asked.path], headers={"Content-Encoding": "gzip"})) as host:
        yield host


# Loads a table and says how it ended, and how much memory the process had at most meanwhile.
BEGIN = """
    import re
    def peak_mib():
        return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) // 1024
    def load(table):
        pathlib.Path("/proc/self/clear_refs").write_text("5")
        before = peak_mib()
        try:
            told = str(con.execute(f"SELECT count(*) FROM heavy.{table}").fetchone()[0])
        except duckdb.Error as err:
            told = str(err).replace("\\n", " ")
        return peak_mib() - before, told
    con = connect("x.duckdb")
    con.execute(f"SET GLOBAL unify_spec_path = '{folder}'; SET enable_progress_bar = false")
    con.execute(f"CREATE CONNECTION heavy (ADAPTER heavy, host '{host}')")
"""


def run(python, around, host: str, script: str) -> str:
    folder = around.folder / "specs"
    folder.mkdir()
    (folder / "heavy.yaml").write_text(SPEC)
    return python.run(around, f"    folder, host = {str(folder)!r}, {host!r}\n" + BEGIN + script, timeout=300).check().stdout


def test_an_answer_that_becomes_many_times_its_size_is_refused(python, around):
    with api() as host:
        told = run(python, around, host, f"""
    con.execute("SET unify_memory_limit = '128 MiB'")
    for table in {HOSTILE!r}:
        print(table, *load(table), sep="|")
    print("usual", *load("usual"), sep="|")
""")
    lines = {line.split("|")[0]: line.split("|")[1:] for line in told.splitlines()}
    assert list(lines) == [*HOSTILE, "usual"], told
    for table in HOSTILE:
        mib, error = lines[table]
        assert f"connection 'heavy', table '{table}': GET {host}/" in error, error
        assert "takes too much memory" in error and "ask for smaller pages, or raise 'unify_memory_limit'" in error, error
        assert int(mib) < 200, (table, mib, error)
    assert lines["usual"][1] == "30000" and int(lines["usual"][0]) < 128, lines["usual"]


def test_long_texts_that_hold_commas_are_not_taken_for_many_values(python, around):
    with api() as host:
        told = run(python, around, host, """
    con.execute("SET unify_memory_limit = '128 MiB'")
    print(*load("long_texts"), sep="|")
""")
    assert told.strip().endswith("|10"), told


def test_many_large_pages_at_once_wait_for_each_other(python, around):
    """Sixteen loads of one page each, which has nearly all that there is for one: the memory of all is that of a few."""
    with api() as host:
        told = run(python, around, host, """
    con.execute("SET threads = 1; SET memory_limit = '200 MiB'; SET GLOBAL unify_memory_limit = '240 MiB'")
    names = [f"db{idx}" for idx in range(16)]
    for name in names:
        con.execute(f"ATTACH '{name}.duckdb' AS {name}")
    print(load("usual")[1])
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    before = peak_mib()
    for name in names:
        con.execute(f"FROM unify_load('{name}.heavy.dense', background := true)").fetchall()
    print({con.execute(f"SELECT count(*) FROM {name}.heavy.dense").fetchone()[0] for name in names})
    print(peak_mib() - before)
""")
    usual, counts, mib = told.splitlines()
    assert (usual, counts) == ("30000", str({3 * N_MIB + 1})), told
    assert int(mib) < 900, told


def test_where_memory_is_short_a_load_fails_and_the_process_goes_on(python, around):
    with api() as host:
        told = run(python, around, host, """
    import resource
    con.execute("SET unify_memory_limit = '16 GiB'; SET threads = 1; SET memory_limit = '100 MiB'")
    print(*load("usual"))
    for table in ["small_values", "exact", "empty_objects"]:
        n_bytes = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (n_bytes + (400 << 20), resource.RLIM_INFINITY))
        print(load(table)[1])
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(con.execute("SELECT count(*) FROM heavy.usual").fetchone()[0])
""")
    lines = told.splitlines()
    assert lines[0].endswith(" 30000") and lines[-1] == "30000" and len(lines) == 5, told
    for line in lines[1:-1]:
        assert "there is not enough memory for the page, which takes " in line and "ask for smaller pages, or give it more memory" in line, told
