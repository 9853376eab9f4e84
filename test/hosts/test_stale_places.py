"""Unfinished loads that go on from a token or link which the API has forgotten meanwhile, and answers with anything."""

import pytest

# Ten pages of ten rows. While the API is `broken` it gives places of an old kind, and none after the fourth; later it knows new ones.
STALE = """
    from own_api import *
    state = {"broken": True, "down": False}
    STALE = {
        "empty": {"rows": [], "next": None}, "null": {"rows": None, "next": None}, "error": {"ok": False, "error": "invalid_cursor"},
        "html": (200, b"<html>gone</html>", {"Content-Type": "text/html"}), "nothing": (204, b""),
    }
    def answer(path, query, _):
        _, strategy, mode = path.split("/")
        at = query.get("page", "1")
        page = int(at.split("-")[-1])
        if state["down"] or (state["broken"] and page > 4):
            return 500, {"message": "down"}
        if at.startswith("old") and not state["broken"] and mode != "fine":
            if mode.isdigit():
                return int(mode), {"message": "this place has expired"}
            if mode != "first":
                return STALE[mode]
            page = 1
        place = lambda page: str(page) if strategy == "number" else f"{'old' if state['broken'] else 'new'}-{page}"
        link = lambda page: f"{api.address}{path}?page={place(page)}"
        rows = [{"id": page * 10 + i} for i in range(10)]
        more = place(page + 1) if strategy == "token" else link(page + 1)
        links = f'<{link(page + 1)}>; rel="next", <{link(10)}>; rel="last"'
        headers = {"Link": links} if strategy in ("header", "number") and page < 10 else {}
        return 200, {"rows": rows, "next": more if page < 10 else None}, headers
    PAGING = {
        "token": "{strategy: pagerToken, token_param: page, pager_token_path: next}",
        "link": "{strategy: nextLink, pager_link_path: next}",
        "header": "{strategy: linkHeader}",
        "number": "{strategy: linkHeader}",
    }
    def table(strategy, mode):
        return f"  - {{name: t{mode}, resource_path: /{strategy}/{mode}, result_body_path: rows, paging: {PAGING[strategy]}}}"
    def begin(strategy, modes):
        return Api(answer, "\\n".join(["tables:", *(table(strategy, mode) for mode in modes)]))
    def load(con, mode):
        try:
            return con.execute(f"SELECT count(*), count(DISTINCT id) FROM own.t{mode}").fetchone()
        except duckdb.Error as err:
            return str(err)
    def n_started_over(con, mode):
        sql = "SELECT count(*) FROM information_schema.loading_log WHERE message LIKE 'an unfinished load cannot%' AND level = 'WARNING'"
        return con.execute(f"{sql} AND table_name = 't{mode}'").fetchone()[0]
"""


@pytest.mark.parametrize("strategy", ["token", "link", "header"])
def test_a_stale_place_never_ends_a_load_early_or_for_ever(python, around, strategy):
    script = STALE + f"""
    at_once = ["400", "404", "410", "422", "first", "empty", "null", "nothing"]
    later = ["401", "403", "500", "error", "html"]
    api = begin("{strategy}", at_once + later)
    con = api.connect()
    for mode in at_once + later:
        state["broken"] = True
        assert "500" in load(con, mode), mode
        assert n_kept(con, "t" + mode) == 40, (mode, n_kept(con, "t" + mode))
        state["broken"] = False
        if mode in later:
            failed = load(con, mode)
            assert isinstance(failed, str) and "starts over if the API fails here again" in failed, (mode, failed)
            assert n_kept(con, "t" + mode) == 40, mode
        loaded = load(con, mode)
        assert loaded == (100, 100), (mode, loaded)
        assert n_started_over(con, mode) == 1, mode
    """
    python.run(around, script).check()


@pytest.mark.parametrize("strategy", ["token", "link", "header", "number"])
def test_a_place_that_the_api_knows_costs_one_page(python, around, strategy):
    script = STALE + f"""
    api = begin("{strategy}", ["fine"])
    con = api.connect()
    assert "500" in load(con, "fine")
    state["broken"] = False
    n_asked, n_stored = len(api.asked), n_kept(con, "tfine") // 10
    loaded = load(con, "fine")
    assert loaded == (100, 100), loaded
    assert len(api.asked) == n_asked + 10 - max(n_stored - 1, 0) and n_started_over(con, "fine") == 0, (n_stored, api.asked)
    """
    python.run(around, script).check()


def test_an_api_that_is_down_does_not_cost_what_is_stored(python, around):
    script = STALE + """
    api = begin("token", ["fine"])
    con = api.connect()
    assert "500" in load(con, "fine")
    state.update(broken=False, down=True)
    for _ in range(3):
        assert "500" in load(con, "fine")
    state["down"] = False
    n_asked = len(api.asked)
    loaded = load(con, "fine")
    assert loaded == (100, 100), loaded
    assert len(api.asked) == n_asked + 7 and n_started_over(con, "fine") == 0, api.asked
    """
    python.run(around, script).check()


def test_a_refresh_by_changes_gets_all_of_them(python, around):
    script = STALE + """
    def changes(path, query, authorization):
        if "since" not in query:
            return {"rows": [{"id": id} for id in range(5)], "next": None}
        return answer(path, query, authorization)
    refresh = "refresh: {strategy: updates, params: {since: '${timestamp}'}}"
    api = Api(changes, "tables:\\n" + table("token", "empty")[:-1] + ", key_column: id, " + refresh + "}")
    con = api.connect()
    assert load(con, "empty") == (5, 5)
    try:
        con.execute("REFRESH TABLE own.tempty")
    except duckdb.Error as err:
        assert "500" in str(err), err
    else:
        raise AssertionError("the API was not broken")
    state["broken"] = False
    con.execute("REFRESH TABLE own.tempty")
    loaded = load(con, "empty")
    assert loaded == (105, 105) and n_started_over(con, "empty") == 1, loaded
    """
    python.run(around, script).check()


def test_an_object_among_lists_is_not_a_row(python, around):
    """An API that answers with lists says with an object that something is wrong, also with status 200."""
    script = """
    from own_api import *
    state = {"broken": 2}
    def answer(path, query, _):
        page = int(query.get("page", "1"))
        if page == state["broken"]:
            return 200, {"ok": False, "error": "try later"}
        headers = {"Link": f'<{api.address}{path}?page={page + 1}>; rel="next"'} if page < 4 else {}
        rows = [{"id": page * 10 + i} for i in range(10)]
        if path == "/below":
            data = {1: rows, 2: rows[0], 3: {str(row["id"]): row for row in rows}}
            return 200, {"data": data[page]}, headers
        return 200, rows, headers
    by_set = "params: {page: [1, 2, 3, 4]}, paging: {strategy: none}"
    api = Api(answer, f'''tables:
      - {{name: later, resource_path: /later, paging: {{strategy: linkHeader}}}}
      - {{name: first, resource_path: /first, {by_set}}}
      - {{name: below, resource_path: /below, result_body_path: data, paging: {{strategy: linkHeader}}}}
      - {{name: only, resource_path: /only, params: {{page: 1}}, paging: {{strategy: none}}}}
    ''')
    con = api.connect()
    def load(table):
        try:
            return con.execute(f"SELECT count(*), count(DISTINCT id) FROM own.{table}").fetchone()
        except duckdb.Error as err:
            return str(err)
    failed = load("later")
    assert "the answer is an object with 'ok', 'error', where earlier answers of this table have a list" in failed, failed
    state["broken"] = 0
    assert load("later") == (40, 40), load("later")
    # Where the object comes first, a row was made of it: nothing of that load stays.
    con.execute("SET unify_loader_threads = 1")
    state["broken"] = 1
    failed = load("first")
    assert "an earlier answer of this table had an object" in failed and "it starts over" in failed, failed
    state["broken"] = 0
    assert load("first") == (40, 40), load("first")
    assert [row[0] for row in con.execute("DESCRIBE own.first").fetchall()] == ["id"]
    # Below a path, an object is a row where it has the fields of others.
    failed = load("below")
    assert "the records are an object with '30', '31'" in failed and "write 'keyed_by'" in failed, failed
    # An API that answers with objects has a row in each.
    state["broken"] = 1
    assert con.execute("SELECT error FROM own.only").fetchall() == [("try later",)]
    """
    python.run(around, script).check()
