"""Rows that come fast: DuckDB takes them on several threads, and they stay in the order of the API, each once."""

import json
from functools import cache

import pytest

from small_api import Answer, Asked, serving

PAGE = 20_000
N_PAGES = 14
ROW_GROUP = 122_880
SPEC = """
name: fast
base_url: "{host}"
options: {host: {description: the API, required: true}}
tables:
  - name: rows
    resource_path: /rows
    result_body_path: rows
    paging: {strategy: pageAndCount, page_param: page, count_param: size, page_size: 20000, total_path: total}
"""
SCRIPT = """
    con = connect("{database}")
    con.execute("SET threads = {threads}; {setup}")
    con.execute("SET GLOBAL unify_spec_path = '{specs}'")
    con.execute("CREATE CONNECTION fast (ADAPTER fast, host '{host}')")
    con.execute("CALL enable_logging('QueryLog')")
    {load}
    counts = "SELECT count(*), count(DISTINCT id), bool_and(id = rowid), count(late), min(late), bool_and(text = repeat(lpad(id::VARCHAR, 8, '0'), 10))"
    print(con.execute(counts + " FROM fast.rows").fetchone())
    print([n for (n,) in con.execute("SELECT sum(count)::INT FROM pragma_storage_info('fast.rows') WHERE column_name = 'id' AND segment_type = 'BIGINT' GROUP BY row_group_id ORDER BY row_group_id").fetchall()])
    print(con.execute("SELECT count(*) FROM duckdb_logs WHERE type = 'QueryLog' AND message LIKE 'INSERT INTO%unify_fed_row_groups%'").fetchone()[0])
"""


@cache
def page_of(number: int, late: int) -> bytes:
    """Returns a page, whose rows have one more field from page `late` on."""
    numbers = range((number - 1) * PAGE, min(number, N_PAGES) * PAGE)
    more = {"late": number} if number >= late else {}
    rows = [{"id": row, "text": f"{row:08}" * 10, **more} for row in numbers]
    return json.dumps({"total": N_PAGES * PAGE, "rows": rows}).encode()


def loaded(python, around, threads: int, late: int = 1, load: str = 'con.execute("LOAD TABLE fast.rows")', refuses=lambda _: False,
           database: str = "x.duckdb", setup: str = ""):
    specs = around.folder / "specs"
    specs.mkdir()
    (specs / "fast.yaml").write_text(SPEC)
    asked_pages = []

    def answer(asked: Asked) -> Answer:
        number = int(asked.params["page"])
        asked_pages.append(number)
        return Answer(b"{}", status=400) if refuses(asked_pages) else Answer(page_of(number, late))

    for number in range(1, N_PAGES + 1):
        page_of(number, late)
    with serving(answer) as host:
        out = python.run(around, SCRIPT.format(database=database, setup=setup, threads=threads, specs=specs, host=host, load=load), timeout=300).check().stdout
    *_, counts, sizes, n_threaded = out.splitlines()
    return counts, json.loads(sizes), int(n_threaded), asked_pages


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_rows_keep_their_order_in_whole_row_groups(python, around, threads):
    counts, sizes, n_threaded, _ = loaded(python, around, threads)
    assert counts == f"({N_PAGES * PAGE}, {N_PAGES * PAGE}, True, {N_PAGES * PAGE}, 1, True)"
    assert sizes == [ROW_GROUP, ROW_GROUP, N_PAGES * PAGE - 2 * ROW_GROUP]
    assert (n_threaded > 0) == (threads > 1)


@pytest.mark.parametrize(("database", "setup"), [
    (":memory:", ""),
    ("x.duckdb", "ATTACH 'y.duckdb' AS y (ROW_GROUP_SIZE 20480); USE y"),
    ("x.duckdb", "ATTACH 'y.duckdb' AS y (ROW_GROUP_SIZE 1228800, STORAGE_VERSION 'v1.2.0'); USE y"),
    ("x.duckdb", "SET memory_limit = '100MB'"),
    ("x.duckdb", "SET preserve_insertion_order = false"),
    ("x.duckdb", "SET external_threads = 2"),
    ("x.duckdb", "SET write_buffer_row_group_count = 3"),
])
def test_rows_keep_their_order_wherever_they_go(python, around, database, setup):
    counts, sizes, n_threaded, _ = loaded(python, around, 2, database=database, setup=setup)
    assert counts == f"({N_PAGES * PAGE}, {N_PAGES * PAGE}, True, {N_PAGES * PAGE}, 1, True)"
    assert sum(sizes) == N_PAGES * PAGE and n_threaded >= 1


@pytest.mark.parametrize("late", [2, 9])
def test_a_field_that_comes_late_is_a_column_of_the_rows_that_have_it(python, around, late):
    counts, sizes, n_threaded, _ = loaded(python, around, 2, late)
    assert counts == f"({N_PAGES * PAGE}, {N_PAGES * PAGE}, True, {(N_PAGES - late + 1) * PAGE}, {late}, True)"
    assert sum(sizes) == N_PAGES * PAGE and n_threaded >= 1


def test_rows_that_came_before_a_failure_are_not_asked_for_again(python, around):
    refused = []

    def refuses(asked_pages) -> bool:
        if asked_pages[-1] == 11 and not refused:
            refused.append(11)
            return True
        return False

    load = """try:
        con.execute("LOAD TABLE fast.rows")
    except duckdb.Error as err:
        assert "400" in str(err), err
    else:
        raise AssertionError("page 11 was refused")
    con.execute("LOAD TABLE fast.rows")"""
    counts, sizes, n_threaded, asked_pages = loaded(python, around, 2, 1, load, refuses)
    assert counts == f"({N_PAGES * PAGE}, {N_PAGES * PAGE}, True, {N_PAGES * PAGE}, 1, True)"
    assert sum(sizes) == N_PAGES * PAGE and n_threaded >= 1
    assert asked_pages.count(1) == 1 and asked_pages.count(5) == 1, asked_pages
