"""One database file and several processes, processes that are killed, and processes with many files open."""

import pytest
from host_process import Failed, HostProcess


def test_a_second_process_gets_duckdbs_own_error_and_harms_nobody(python, around):
    path = around.folder / "x.duckdb"
    with HostProcess(python.release, around) as first, HostProcess(python.release, around) as second:
        first.open(path)
        load = first.begin_sql("SELECT count(*) AS n FROM shop.gated")
        around.get("/__wait?path=/shop/gated&n=2")
        with pytest.raises(Failed, match="(?i)lock"):
            second.open(path)
        # The second goes on with a database of its own, and closes it.
        second.open(around.folder / "y.duckdb")
        assert second.sql("SELECT count(*) AS n FROM shop.stores") == [{"n": "3"}]
        second.end()
        around.get("/__control?open=1")
        assert load.get()["rows"] == [["30"]]
        assert first.sql("SELECT count(*) AS n FROM shop.stores") == [{"n": "3"}]
        first.end()
    # What the first loaded is there for whoever comes next.
    with HostProcess(python.release, around) as third:
        third.open(path)
        assert third.sql("SELECT count(*) AS n FROM shop.gated, shop.stores") == [{"n": "90"}]
        third.end()
    assert around.get("/__stats?path=/shop/stores") == "2"


def test_readers_in_other_processes_see_whole_tables_only(python, around):
    path = around.folder / "x.duckdb"
    with HostProcess(python.release, around) as writer:
        writer.open(path)
        assert writer.sql("SELECT count(*) AS n FROM shop.stock") == [{"n": "25"}]
        writer.end()
    around.get("/__control?rows=7&revision=1")
    # Several processes may have it open as long as none writes.
    with HostProcess(python.release, around) as first, HostProcess(python.release, around) as second:
        readers = [first, second]
        for reader in readers:
            reader.open(":memory:")
            reader.sql(f"ATTACH '{path}' AS other (READ_ONLY)")
        for reader in readers:
            assert reader.sql("SELECT count(*) AS n, max(revision) AS r FROM other.shop.stock") == [{"n": "25", "r": "0"}]
            with pytest.raises(Failed, match="(?i)read-only"):
                reader.sql("REFRESH TABLE other.shop.stock")
        for reader in readers:
            reader.end()


def test_a_killed_load_never_passes_as_complete(python, around):
    path = around.folder / "x.duckdb"
    with HostProcess(python.release, around) as process:
        process.open(path)
        process.begin_sql("SELECT count(*) FROM shop.halfway")
        around.get("/__wait?path=/shop/halfway&n=6")
        with HostProcess(python.release, around) as other:
            with pytest.raises(Failed, match="(?i)lock"):
                other.open(path, unify=False)
        process.kill()
    # Without the extension: there is no table of that name, and the record has no success.
    with HostProcess(python.release, around) as process:
        process.open(path, unify=False)
        assert process.sql("SELECT 1 FROM duckdb_tables() WHERE table_name = 'halfway'") == []
        assert process.sql("SELECT 1 FROM duckdb_views() WHERE view_name = 'halfway'") == []
        if process.sql("SELECT 1 FROM duckdb_tables() WHERE schema_name = 'unify' AND table_name = 'loading_jobs'"):
            assert process.sql("SELECT 1 FROM unify.loading_jobs WHERE status = 'success' AND action = 'load_end'") == []
        process.end()
    around.get("/__control?open=1")
    with HostProcess(python.release, around) as process:
        process.open(path)
        assert process.sql("SELECT count(*) AS n, count(DISTINCT id) AS d FROM shop.halfway") == [{"n": "100", "d": "100"}]
        ends = process.sql("SELECT status, count(*) AS n FROM unify.loading_jobs WHERE action = 'load_end' GROUP BY ALL ORDER BY ALL")
        assert ends == [{"status": "error", "n": "1"}, {"status": "success", "n": "1"}]
        process.end()


OPEN_FILES = """
    import os, resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    def open_files(n_files):
        return [os.open("/dev/null", os.O_RDONLY) for _ in range(n_files)]
"""


def test_a_process_with_ten_thousand_files_open_can_load(python, around):
    script = OPEN_FILES + """
    assert hard == resource.RLIM_INFINITY or hard > 10_500, f"this machine allows {hard} open files"
    resource.setrlimit(resource.RLIMIT_NOFILE, (10_500, hard))
    files = open_files(10_000)
    con = connect("x.duckdb")
    print(con.execute("SELECT count(*), count(DISTINCT id) FROM shop.many").fetchone())
    con.close()
    """
    assert python.run(around, script).check().stdout == "(2000, 2000)\n"


def test_a_process_that_may_open_no_more_files_says_so_and_loads_later(python, around):
    script = OPEN_FILES + """
    import errno
    con = connect("x.duckdb")
    con.execute("CREATE TABLE mine AS SELECT 42 AS n")
    get("/__stats")
    resource.setrlimit(resource.RLIMIT_NOFILE, (400, hard))
    files = []
    try:
        while True:
            files += open_files(1)
    except OSError as err:
        assert err.errno == errno.EMFILE, err
    try:
        con.execute("SELECT * FROM bad.ok")
    except duckdb.Error as err:
        print("bad" in str(err) and "ok" in str(err), repr(str(err)))
    print(con.execute("SELECT n FROM mine").fetchone())
    for file in files:
        os.close(file)
    print(con.execute("SELECT count(*) FROM bad.ok").fetchone())
    """
    message, mine, loaded = python.run(around, script).check().stdout.splitlines()
    assert message.startswith("True ") and "too many open files" in message.lower(), message
    assert (mine, loaded) == ("(42,)", "(3,)")


def test_ten_thousand_requests_leave_no_file_open(python, around):
    script = """
        import os
        n_files = lambda: len(os.listdir("/proc/self/fd"))
        con = connect("x.duckdb")
        con.execute("SELECT count(*) FROM shop.stores").fetchall()
        before = n_files()
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM shop.million").fetchone())
        # Connections that wait for the next request are kept, a few of them.
        print(until(lambda: n_files() - before, lambda n: n <= 32) <= 32, n_requests("/shop/many") >= 10_000)
    """
    assert python.run(around, script, timeout=300).check().stdout == "(1000000, 1000000)\nTrue True\n"


def test_a_bomb_is_given_up_before_it_takes_the_memory(python, around):
    script = """
        import re
        def peak_mib():
            return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024
        con = connect("x.duckdb")
        con.execute("SELECT count(*) FROM bad.ok").fetchall()
        before = peak_mib()
        for table in ("bad.bomb", "worse.brotli_bomb", "worse.zstd_bomb"):
            try:
                con.execute(f"SELECT * FROM {table}")
            except duckdb.Error as err:
                print("larger than" in str(err))
        print(peak_mib() - before)
    """
    *refused, mib = python.run(around, script).check().stdout.splitlines()
    assert refused == ["True"] * 3
    # An answer may have 256 MiB, in a buffer that has grown by doubling.
    assert float(mib) < 3 * 256, f"{mib} MiB more for bodies of up to 8 GiB"
