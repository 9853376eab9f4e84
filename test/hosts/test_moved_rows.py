"""Rows that come again while pages are read, because others were added before them at the source, in every way of paging."""

import pytest

# Thirty rows, newest first, by tens. With the second page a row is added, so that the last one of the first page comes again there.
MOVED = """
    from own_api import *
    def answer(path, query, _):
        _, strategy, kind = path.split("/")
        place = int(query.get("page", query.get("offset", 0)))
        start = place if strategy == "offset" else place * 10
        ids = list(range(30 + (start > 0), 0, -1))
        # What changes at the source: the row that comes again has another value, and a later time where it tells one.
        version = 1 if start == 0 or kind == "same" else 2
        rows = [{"id": id, "v": version if id == 21 else 1, "at": f"2026-01-0{version if id == 21 else 1}T00:00:00Z"} for id in ids]
        part, more = rows[start:start + 10], start + 10 < len(rows)
        link = f"{api.address}{path}?page={place + 1}"
        next = {"token": str(place + 1), "link": link}.get(strategy) if more else None
        return 200, {"rows": part, "next": next}, {"Link": f'<{link}>; rel="next"'} if strategy == "header" and more else {}
    PAGING = {
        "page": "{strategy: pageAndCount, page_param: page, count_param: n, page_size: 10, first_page: 0}",
        "offset": "{strategy: offsetAndCount, offset_param: offset, count_param: n, page_size: 10}",
        "token": "{strategy: pagerToken, token_param: page, pager_token_path: next}",
        "link": "{strategy: nextLink, pager_link_path: next}",
        "header": "{strategy: linkHeader}",
    }
    CURSOR = ", refresh: {strategy: updates, cursor: {column: at, param: since}}"
    def begin(strategy):
        table = lambda kind, more: (
            f"  - {{name: {kind}, resource_path: /{strategy}/{kind}, result_body_path: rows, key_column: id, paging: {PAGING[strategy]}{more}}}")
        return Api(answer, "\\n".join(["tables:", table("same", ""), table("changed", ""), table("timed", CURSOR)]))
    def messages(con, kind):
        sql = f"SELECT level, message FROM information_schema.loading_log WHERE table_name = '{kind}' AND message LIKE '%came again%'"
        return con.execute(sql).fetchall()
"""


@pytest.mark.parametrize("strategy", ["page", "offset", "token", "link", "header"])
def test_a_row_that_comes_again_is_there_once(python, around, strategy):
    script = MOVED + f"""
    api = begin("{strategy}")
    con = api.connect()
    for kind, level, version in [("same", "INFO", 1), ("changed", "WARNING", 2), ("timed", "INFO", 2)]:
        sql = f"SELECT count(*), count(DISTINCT id), count(*) FILTER (id <= 30), max(v) FILTER (id = 21) FROM own.{{kind}}"
        found = con.execute(sql).fetchone()
        assert found == (30, 30, 30, version), (kind, found)
        said = messages(con, kind)
        assert [row[0] for row in said] == [level] and "(id)" in said[0][1], (kind, said)
    """
    python.run(around, script).check()


def test_rows_of_several_sets_with_one_key_are_kept(python, around):
    script = """
    from own_api import *
    def answer(path, query, _):
        return {"rows": [{"id": id, "of": query["set"]} for id in range(3)], "next": None}
    api = Api(answer, '''tables:
      - {name: plain, resource_path: /plain, result_body_path: rows, supports_paging: true, key_column: id, params: {set: [a, b]}}
      - {name: copied, resource_path: /copied, result_body_path: rows, supports_paging: true, key_column: id, params: {set: [a, b]}, copy_params_to_output: [set]}
    ''')
    con = api.connect()
    for table in ("plain", "copied"):
        assert con.execute(f"SELECT count(*) FROM own.{table}").fetchone() == (6,), table
        sql = f"SELECT level, message FROM information_schema.loading_log WHERE table_name = '{table}' AND message LIKE '%is the key complete?'"
        said = con.execute(sql).fetchall()
        assert [row[0] for row in said] == ["WARNING"] and "3 rows have the key (id)" in said[0][1], said
    """
    python.run(around, script).check()


def test_of_rows_of_one_page_with_one_key_the_last_is_kept(python, around):
    script = """
    from own_api import *
    def answer(path, query, _):
        return {"rows": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}], "next": None}
    api = Api(answer, "tables: [{name: alike, resource_path: /alike, result_body_path: rows, supports_paging: true, key_column: id}]")
    con = api.connect()
    assert con.execute("SELECT name FROM own.alike").fetchall() == [("b",)]
    sql = "SELECT level FROM information_schema.loading_log WHERE message LIKE '%the key is not complete'"
    assert con.execute(sql).fetchall() == [("WARNING",)]
    """
    python.run(around, script).check()
