"""Loads of many rows, many parameter sets and many tables: all of it arrives, in bounded memory."""

# What Unify may take beside DuckDB: its default memory limit.
LIMIT_MIB = 256


def test_memory_does_not_grow_with_the_rows(python, around):
    script = """
        import re
        def peak_mib():
            return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024
        con = connect("x.duckdb")
        assert con.execute("SELECT count(*), count(DISTINCT id) FROM shop.ten_thousand").fetchone() == (10_000, 10_000)
        few = peak_mib()
        assert con.execute("SELECT count(*), count(DISTINCT id), max(id) FROM shop.million").fetchone() == (1_000_000, 1_000_000, 999_999)
        print(few, peak_mib())
    """
    few, many = map(float, python.run(around, script, timeout=300).check().stdout.split())
    assert many - few < LIMIT_MIB, f"{few} MiB for 10,000 rows, {many} MiB for 1,000,000"


def test_a_hundred_thousand_parameter_sets(python, around):
    script = """
        con = connect("x.duckdb")
        print(con.execute("SELECT count(*), count(DISTINCT n), bool_and(square = n * n) FROM shop.squares").fetchone(), resident_mib())
        print(con.execute("SELECT count(*) FROM unify.load_state WHERE table_name LIKE 'squares%'").fetchone()[0])
    """
    row, state = python.run(around, script, timeout=300).check().stdout.splitlines()
    counts, mib = row.rsplit(" ", 1)
    assert counts == "(100000, 100000, True)"
    assert state == "1", "the places of the sets are forgotten when the table is complete"
    assert float(mib) < 100 + LIMIT_MIB, f"{mib} MiB"


def test_twenty_tables_at_once(python, around):
    script = """
        tables = ["orders", "products", "customers", "events", "stores", "staff", "badges", "prices", "stock", "profile", "nothing",
                  "no_rows", "late", "widening", "types", "names", "wide", "many", "ten_thousand", "numbers"]
        con = connect("x.duckdb")
        threads = [in_thread(lambda table=table: con.cursor().execute(f"SELECT count(*) FROM shop.{table}").fetchone()[0]) for table in tables]
        for thread, _ in threads:
            thread.join()
        first = {table: results for table, (_, results) in zip(tables, threads)}
        again = {table: [con.execute(f"SELECT count(*) FROM shop.{table}").fetchone()[0]] for table in tables}
        assert first == again, (first, again)
        print(len(tables), con.execute("SELECT count(*) FROM unify.loading_jobs WHERE action = 'load_end' AND status = 'success'").fetchone()[0])
    """
    assert python.run(around, script).check().stdout == "20 20\n"
