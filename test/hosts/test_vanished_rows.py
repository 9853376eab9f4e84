"""Rows that vanish at the source while pages are read: those after them move back, from a page still to be read onto one that was read."""

import pytest

# Sixty rows in pages of ten. Each table is its own source: before the answer with that number, rows vanish from its beginning.
VANISHED = """
    from own_api import *
    sources, one_at_a_time = {}, threading.Lock()
    VANISH = {
        "quiet": {}, "once": {2: 3}, "thrice": {1: 1, 3: 1, 4: 1}, "many": {3: 25}, "end": {2: -3}, "endless": {n: 9 for n in range(1, 60)},
    }
    def answer(path, query, _):
        with one_at_a_time:
            return rows_now(path, query)
    def rows_now(path, query):
        _, strategy, total, how, name = path.split("/")
        source = sources.setdefault(name, {"ids": list(range(1, 1001 if how == "endless" else 61)), "n": 0, "how": how})
        gone = VANISH[source["how"]].get(source["n"], 0)
        del source["ids"][gone if gone < 0 else 0:None if gone < 0 else gone]
        source["n"] += 1
        place = int(query.get("page", query.get("offset", 0)))
        start = place if strategy == "offset" else place * 10
        n_rows = int(query.get("n", 10))
        rows = [{"id": id, "at": "2026-01-01T00:00:00Z"} for id in source["ids"][start:start + n_rows]]
        return {"rows": rows, **({"total": len(source["ids"])} if total == "told" else {})}
    PAGING = {
        "page": "{strategy: pageAndCount, page_param: page, count_param: n, page_size: 10, first_page: 0%s}",
        "offset": "{strategy: offsetAndCount, offset_param: offset, count_param: n, page_size: 10%s}",
    }
    def begin(strategy, tables):
        lines = ["tables:"]
        for name, how, total, key, more in tables:
            paging = PAGING[strategy] % (", total_path: total" if total == "told" else "")
            key = "key_column: id, " if key else ""
            lines.append(f"  - {{name: {name}, resource_path: /{strategy}/{total}/{how}/{name}, result_body_path: rows, {key}paging: {paging}{more}}}")
        return Api(answer, "\\n".join(lines))
    def state(con, name):
        ids = [row[0] for row in con.execute(f"SELECT id FROM own.{name} ORDER BY id").fetchall()]
        missing = [id for id in sources[name]["ids"] if id not in ids]
        return missing, len(ids) - len(set(ids))
    def messages(con, name, words="vanished"):
        sql = f"SELECT level, message FROM information_schema.loading_log WHERE table_name = '{name}' AND message LIKE '%{words}%'"
        return con.execute(sql).fetchall()
"""

UPDATES = ', refresh: {strategy: updates, cursor: {column: at, param: since}}'


@pytest.mark.parametrize("strategy", ["page", "offset"])
@pytest.mark.parametrize("n_threads", [1, 8])
def test_neighbours_of_rows_that_vanish_are_loaded(python, around, strategy, n_threads):
    script = VANISHED + f"""
    hows = ["quiet", "once", "thrice", "many", "end"]
    api = begin("{strategy}", [(how, how, "told", True, "") for how in hows])
    con = api.connect()
    con.execute("SET unify_loader_threads = {n_threads}")
    for how in hows:
        con.execute(f"LOAD TABLE own.{{how}}")
        assert state(con, how) == ([], 0), (how, state(con, how), messages(con, how))
        # A page that was read before the one before it shows the move by its records, too: then pages are read one after the other.
        said = {{level for level, _ in messages(con, how)}} | {{level for level, _ in messages(con, how, "starting over") if {n_threads} > 1}}
        assert bool(said) == (how in ("once", "thrice", "many")), (how, messages(con, how))
        sql = "SELECT message FROM information_schema.loading_log WHERE level = 'WARNING' AND message NOT LIKE '%starting over' "
        sql += f" AND table_name = '{{how}}'"
        assert con.execute(sql).fetchall() == [], (how, con.execute(sql).fetchall())
    # Where nothing vanishes, nothing is asked for twice.
    assert api.n_asked("/quiet/") == 6, api.asked
    """
    python.run(around, script).check()


@pytest.mark.parametrize("strategy", ["page", "offset"])
def test_a_table_without_a_key_is_read_anew_once(python, around, strategy):
    script = VANISHED + f"""
    api = begin("{strategy}", [("once", "once", "told", False, ""), ("late", "end", "told", False, ""), ("endless", "endless", "told", False, "")])
    con = api.connect()
    for name, n_tries in [("once", 2), ("late", 1), ("endless", 2)]:
        con.execute(f"LOAD TABLE own.{{name}}")
        missing, n_twice = state(con, name)
        warnings = [message for level, message in messages(con, name) if level == "WARNING" and "may be missing" in message]
        assert name == "endless" or (missing, n_twice) == ([], 0), (name, missing, n_twice, warnings)
        assert bool(warnings) == (name == "endless"), (name, messages(con, name))
        assert len(messages(con, name, "starting over")) == n_tries - 1, messages(con, name, "starting over")
    """
    python.run(around, script).check()


@pytest.mark.parametrize("key", [True, False])
def test_a_load_that_may_lack_rows_says_so_and_the_next_refresh_is_a_reload(python, around, key):
    script = VANISHED + f"""
    api = begin("page", [("busy", "endless", "told", {key}, "{UPDATES if key else ''}")])
    con = api.connect()
    con.execute("SET unify_loader_threads = 1")
    con.execute("LOAD TABLE own.busy")
    said = [message for level, message in messages(con, "busy") if level == "WARNING" and "may be missing" in message]
    assert len(said) == 1 and said[0].endswith("of their neighbours may be missing; the next refresh reads the table in full"), said
    status = con.execute("SELECT status FROM information_schema.loading_jobs WHERE action = 'load_end'").fetchall()
    assert status == [("success",)], status
    reasons = con.execute("SELECT reason FROM unify_explain('own.busy')").fetchall()
    assert not {key} or any(reason.startswith("rows may be missing since its last load") for reason, in reasons), reasons
    # Another process knows it, too.
    con.close()
    con = api.connect()
    sources["busy"]["how"] = "quiet"
    n_since = lambda: sum("since=" in url for url in api.asked)
    con.execute("REFRESH TABLE own.busy")
    assert state(con, "busy") == ([], 0) and n_since() == 0, (state(con, "busy"), api.asked[-9:])
    if {key}:
        assert messages(con, "busy", "it is loaded in full")[0][0] == "INFO"
        # Only then.
        con.execute("REFRESH TABLE own.busy")
        assert n_since() > 0, api.asked[-9:]
    """
    python.run(around, script).check()


@pytest.mark.parametrize("strategy", ["page", "offset"])
def test_a_load_goes_on_and_reads_again_what_moved_before(python, around, strategy):
    script = VANISHED + f"""
    gate, plain = threading.Event(), answer
    # The page that is read again fails until the load has failed, and so does what follows.
    def failing(path, query, authorization):
        source = sources.get("once", {{"n": 0}})
        if source["n"] == 3 and not healed.is_set():
            gate.wait()
            return 500, {{"message": "down"}}
        return plain(path, query, authorization)
    answer, healed = failing, threading.Event()
    api = begin("{strategy}", [("once", "once", "told", True, "")])
    con = api.connect()
    con.execute("SET unify_loader_threads = 1")
    fail_after(con, "once", 30, gate)
    healed.set()
    con.execute("LOAD TABLE own.once")
    assert state(con, "once") == ([], 0), (state(con, "once"), api.asked)
    assert why_not_continued(con) == ["going on"], why_not_continued(con)
    """
    python.run(around, script).check()


@pytest.mark.parametrize("strategy", ["page", "offset"])
def test_without_a_total_nothing_more_is_asked_for(python, around, strategy):
    script = VANISHED + f"""
    api = begin("{strategy}", [("quiet", "quiet", "untold", True, ""), ("once", "once", "untold", True, "")])
    con = api.connect()
    for name in ("quiet", "once"):
        con.execute(f"LOAD TABLE own.{{name}}")
    assert state(con, "quiet") == ([], 0) and api.n_asked("/quiet/") <= 16, api.asked
    assert messages(con, "once") == []
    """
    python.run(around, script).check()
