"""The law of values: what the API sent is what a table has, whatever else its column holds, however the rows came."""

import os

import pytest

# More seeds are tried with UNIFY_LAW_SEEDS=100.
SEEDS = range(int(os.environ.get("UNIFY_LAW_SEEDS", "2")))

RANDOM_COLUMNS = """
    import random
    from own_api import *

    N_COLUMNS, N_ROWS = 40, 8
    POOLS = [
        ['0', '1', '-7'], ['9007199254740993', '-1909699624467843944', '18446744073709551617'], ['1.0', '2.0'], ['0.5', '12.5', '1e+20', '1e-07'],
        ['0.1234567890123456789', '12345678901234567.89'], ['true', 'false'], ['"total"', '""', '"a/\\\\\\\\b\\\\b\\\\f\\\\u0001\\u00e9"', '"A"', '"a"'],
        ['"2026-01-01"', '"1500-02-03"'], ['"2026-01-01T00:00:00Z"', '"2026-01-01T01:02:03Z"', '"0001-01-01T00:00:00Z"'],
        ['"2026-01-01T00:00:00.000Z"', '"2026-01-01T01:02:03.120Z"'], ['"2026-01-01T00:00:00"', '"2026-01-01T00:00:00.120000"'],
        ['"2026-01-01T05:30+05:30"', '"2026-01-01T06:30+05:30"'], ['"2026-01-01T00:00:00.12Z"', '"2026-01-01T00:00:00.123456Z"'],
        ['"2026-01-01T05:30:00-0800"', '"1969-12-31T23:59:59-0800"', '"2026-01-01T05:30:00.000000001-0800"'],
        ['"2026-01-01T00:00:00.000000001Z"', '"2026-01-01T00:00:00.1234567Z"'], ['null'], ['[]', '[1]', '[null,9007199254740993]'],
        ['[1.0]', '[0.5]', '[1e+20,1e-07]'], ['["2026-01-01T00:00:00Z"]', '["2026-01-01T00:00:00.000000001Z"]'], ['["a",null]'], ['[true]', '[[1]]'],
    ]
    draw = random.Random($SEED)


    def column():
        values = sum(draw.sample(POOLS, draw.choice([1, 2, 2, 3])), [])
        return [draw.choice(values) for _ in range(N_ROWS)]


    columns = [column() for _ in range(N_COLUMNS)]


    def record(row):
        fields = ", ".join(f'"c{idx}": {values[row]}' for idx, values in enumerate(columns))
        return '{"id": %d, %s}' % (row, fields)


    def answer(path, query, authorization):
        match path, query:
            case "/whole", _:
                rows, more = range(N_ROWS), ""
            case "/updated", {"since": _}:
                rows, more = range(N_ROWS // 2 - 1, N_ROWS), ""
            case "/updated", _:
                rows, more = range(N_ROWS // 2), ""
            case _:
                page = int(query.get("page", 0))
                rows, more = [page], f', "next": "{page + 1}"' if page + 1 < N_ROWS else ""
        return ('{"data": [' + ", ".join(record(row) for row in rows) + "]" + more + "}").encode()


    api = Api(answer, '''
    tables:
      - {name: whole, resource_path: /whole, result_body_path: data, paging: {strategy: none}}
      - {name: paged, resource_path: /paged, result_body_path: data, supports_paging: true}
      - name: updated
        resource_path: /updated
        result_body_path: data
        paging: {strategy: none}
        key_column: id
        refresh: {strategy: updates, params: {since: "${timestamp}"}}
    ''')
    con = api.connect()
    types = {}


    def shown(table):
        names = ", ".join(f"c{idx}::VARCHAR" for idx in range(N_COLUMNS))
        cells = con.execute(f"SELECT {names} FROM own.{table} ORDER BY id").fetchall()
        sql_types = dict(con.execute(f"SELECT column_name, column_type FROM (DESCRIBE own.{table})").fetchall())
        return [(sql_types[f"c{idx}"], [row[idx] for row in cells]) for idx in range(N_COLUMNS)]


    def text_of(sent):
        return json.loads(sent) if sent.startswith('"') else None if sent == "null" else sent


    def check(table):
        for idx, (found, expected) in enumerate(zip(shown(table), whole)):
            assert found == expected, (table, idx, columns[idx], found, expected)
"""


@pytest.mark.parametrize("seed", SEEDS)
def test_a_table_has_what_was_sent_however_its_rows_came(python, around, seed):
    script = """
    whole = shown("whole")
    for (sql_type, cells), sent in zip(whole, columns):
        if sql_type == "VARCHAR" and any(value != "null" and value != "[]" for value in sent):
            assert cells == [text_of(value) for value in sent], (sent, cells)
        if sql_type == "JSON":
            assert [None if cell is None else json.loads(cell) for cell in cells] == [json.loads(value) for value in sent], (sent, cells)
        apart = {json.dumps(json.loads(value)) for value in sent if value not in ("null", "[]")}
        if sql_type in ("VARCHAR", "JSON", "BIGINT", "HUGEINT", "BOOLEAN"):
            assert len({cell for cell in cells if cell not in (None, "[]")}) == len(apart), (sent, cells)
    check("paged")
    con.execute("LOAD TABLE own.updated")
    con.execute("REFRESH TABLE own.updated")
    # Where what it had could not be written as it came, it was loaded anew.
    con.execute("REFRESH TABLE own.updated")
    check("updated")
    for statement in ("REFRESH", "RELOAD"):
        for table in ("whole", "paged"):
            con.execute(f"{statement} TABLE own.{table}")
            check(table)
    """
    python.run(around, (RANDOM_COLUMNS + script).replace("$SEED", str(seed))).check()


def test_every_kind_of_database_has_what_was_sent(target):
    script = """
    whole = shown("whole")
    attach(con)
    con.execute("SET unify_target = 'lake'")
    con.execute("LOAD TABLE own.paged")
    names = ", ".join(f"c{idx}::VARCHAR" for idx in range(N_COLUMNS))
    cells = con.execute(f"SELECT {names} FROM lake.own.paged ORDER BY id").fetchall()
    for idx, (sql_type, expected) in enumerate(whole):
        found = [row[idx] for row in cells]
        if sql_type == "TIMESTAMP_NS" and IS_SHARED:
            expected = [text_of(value) for value in columns[idx]]
        if sql_type != "TIMESTAMP_NS[]":
            assert found == expected, (idx, sql_type, columns[idx], found, expected)
    """
    is_shared = not target.kind.startswith("duckdb")
    target.check((RANDOM_COLUMNS + script).replace("$SEED", "3").replace("IS_SHARED", str(is_shared)), "")


HOURS = """
    from own_api import *

    first, later = $FIRST, $LATER


    def answer(path, query, authorization):
        return [{"ad": 7, "hour": hour, "v": "new" if "since" in query else "old"} for hour in (later if "since" in query else first)]


    api = Api(answer, '''
    tables:
      - name: hours
        resource_path: /hours
        paging: {strategy: none}
        $KEY
        refresh: {strategy: updates, params: {since: "${timestamp}"}}
    ''')
    con = api.connect()
    con.execute("LOAD TABLE own.hours")
    started = con.execute("SELECT max(id) FROM information_schema.loading_jobs").fetchone()[0]


    def refreshed():
        con.execute("REFRESH TABLE own.hours")
        rows = con.execute("SELECT hour::VARCHAR, v FROM own.hours ORDER BY ALL").fetchall()
        sql = f"SELECT message FROM information_schema.loading_log WHERE loading_job_id > {started} AND message LIKE '%starting over'"
        return rows, [row[0] for row in con.execute(sql).fetchall()]
"""
MOMENTS = ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"]
STYLES = ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+00:00"]
IDS = [1909699624467843944, 1909699624467843945]
NANOS = ["2026-01-01T00:00:00.000000001Z", "2026-01-01T00:00:00.000000002Z"]


def check_hours(python, around, first: list, later: list, script: str, key: str = "key_columns: [ad, hour]") -> None:
    text = HOURS.replace("$FIRST", repr(first)).replace("$LATER", repr(later)).replace("$KEY", key)
    python.run(around, text + script).check()


@pytest.mark.parametrize(("first", "later", "starts"), [
    (MOMENTS, [*MOMENTS, "total"], 0),
    ([*MOMENTS, "total"], MOMENTS, 0),
    (STYLES, [*STYLES, "total"], 1),
    (IDS, [*IDS, 12.5], 0),
    (IDS[:1], [*IDS, 12.5], 0),
    ([12.5], [12.5, *IDS], 0),
    ([1, 2.5], [1, 2.5, "total"], 0),
    ([1, 2.0], [1, 2.0, "total"], 1),
    ([True, False], [True, False, "total"], 0),
    (MOMENTS, [*MOMENTS, *NANOS], 0),
    (NANOS, [*MOMENTS, *NANOS, "total"], 0),
    (NANOS, [*NANOS, "0001-01-01T00:00:00.000000000Z"], 0),
    (["2026-01-01"], ["2026-01-01", "total"], 0),
    (["a", 5], ["a", 5, [1]], 1),
])
def test_rows_are_found_by_their_key_after_a_column_widened(python, around, first, later, starts):
    script = f"""
    rows, messages = refreshed()
    assert len(messages) == {starts}, messages
    if messages:
        # Loaded anew, it has only what the API gives then.
        assert len(rows) == {len(first)}, rows
        rows, messages = refreshed()
        assert len(messages) == {starts}, messages
    assert len(rows) == {len({str(value) for value in [*first, *later]})}, rows
    is_text = con.execute("SELECT typeof(any_value(hour)) FROM own.hours").fetchone()[0] == "VARCHAR"
    texts = {{value if isinstance(value, str) else json.dumps(value) for value in [*first, *later]}}
    assert not is_text or {{row[0] for row in rows}} == texts, (rows, texts)
    assert refreshed()[0] == rows
    """
    check_hours(python, around, first, later, script)


@pytest.mark.parametrize("first", [MOMENTS, IDS, NANOS])
def test_rows_without_a_key_are_not_added_again_after_a_column_widened(python, around, first):
    script = """
    con.execute("UPDATE own.hours SET v = 'new'")
    rows, messages = refreshed()
    assert rows == sorted([(str(value), "new") for value in later]) and messages == [], (rows, messages)
    """
    check_hours(python, around, first, [*first, "total"], script, key="nested: flatten")


def test_columns_stored_without_their_form_are_loaded_again(python, around):
    script = r"""
    con.execute(r'''UPDATE unify.load_state SET columns = regexp_replace(columns, ',\[[0-9]+,[0-9]+,"[^"]*"\]', '', 'g')''')
    assert con.execute("SELECT count(*) FROM unify.load_state WHERE regexp_matches(columns, ',[[][0-9]')").fetchone()[0] == 0
    first.append("2026-01-01T02:00:00Z")
    rows, messages = refreshed()
    assert [row[0] for row in rows] == first, rows
    assert len(messages) == 1 and "column 'hour' takes other values now" in messages[0], messages
    rows, messages = refreshed()
    assert rows == [*[(hour, "new") for hour in later[:2]], (first[2], "old"), ("total", "new")], rows
    assert len(messages) == 1, messages
    """
    check_hours(python, around, MOMENTS, [*MOMENTS, "total"], script)


def test_a_resumed_load_has_the_texts_that_were_sent(python, around):
    script = """
    from own_api import *

    opened = threading.Event()
    broken = [True]


    def answer(path, query, authorization):
        page = int(query.get("page", 0))
        if page == 2 and broken[0]:
            opened.wait(20)
            return 500, {}
        hours = [["2026-01-01T00:00:00.000Z", 1], ["2026-01-01T01:00:00.500Z", 2.5], ["total", "all"]][page]
        return {"data": [{"hour": hours[0], "n": hours[1]}], **({"next": str(page + 1)} if page < 2 else {})}


    api = Api(answer, '''
    tables:
      - {name: hours, resource_path: /hours, result_body_path: data, supports_paging: true}
    ''')
    con = api.connect()
    fail_after(con, "hours", 2, opened)
    broken[0] = False
    rows = con.execute("SELECT hour, n FROM own.hours ORDER BY ALL").fetchall()
    assert rows == [("2026-01-01T00:00:00.000Z", "1"), ("2026-01-01T01:00:00.500Z", "2.5"), ("total", "all")], rows
    assert why_not_continued(con) == ["going on"]
    """
    python.run(around, script).check()


def test_nanoseconds_are_a_cursor_and_a_key(python, around):
    script = """
    from own_api import *

    rows = [["2026-01-01T00:00:00.000000001Z", 1], ["2026-01-01T00:00:00.000000002Z", 2]]


    def answer(path, query, authorization):
        return [{"moment": moment, "n": n} for moment, n in rows]


    api = Api(answer, '''
    tables:
      - name: marks
        resource_path: /marks
        paging: {strategy: none}
        key_column: moment
        refresh: {strategy: updates, cursor: {column: moment, param: since, lookback: 0}}
    ''')
    con = api.connect()
    con.execute("LOAD TABLE own.marks")
    rows[1][1] = 20
    con.execute("REFRESH TABLE own.marks")
    assert api.n_asked("since=2026-01-01T00%3A00%3A00Z") == 1, api.asked
    found = con.execute("SELECT epoch_ns(moment) % 1000, n, typeof(moment) FROM own.marks ORDER BY n").fetchall()
    assert found == [(1, 1, "TIMESTAMP_NS"), (2, 20, "TIMESTAMP_NS")], found
    """
    python.run(around, script).check()


def test_digits_that_a_declared_type_cuts_are_told(python, around):
    script = """
    from own_api import *

    at = "2026-01-01T00:00:00.123456789Z"
    api = Api(lambda path, query, authorization: [{"id": 9007199254740993, "moment": at, "kept": at, "n": 0.5}], '''
    tables:
      - name: cut
        resource_path: /cut
        paging: {strategy: none}
        columns: {id: DOUBLE, moment: TIMESTAMP, kept: TIMESTAMP_NS, n: DOUBLE}
    ''')
    con = api.connect()
    found = con.execute("SELECT moment::VARCHAR, kept::VARCHAR FROM own.cut").fetchall()
    assert found == [("2026-01-01 00:00:00.123456", "2026-01-01 00:00:00.123456789")], found
    sql = "SELECT message FROM information_schema.loading_log WHERE message LIKE '%digits were cut%' ORDER BY ALL"
    messages = [row[0].split(":")[0] for row in con.execute(sql).fetchall()]
    assert messages == ["column 'id'", "column 'moment'"], messages
    """
    python.run(around, script).check()


@pytest.mark.parametrize("setting", [
    "SET GLOBAL default_collation = 'NOCASE'",
    "SET default_collation = 'NOACCENT'",
    "SET GLOBAL default_collation = 'NOCASE'; SET lock_configuration = true",
    "SET default_collation = 'NOCASE'; ALTER TABLE own.keyed ALTER id SET DATA TYPE VARCHAR COLLATE NOACCENT",
])
def test_a_collation_does_not_make_keys_equal(python, around, setting):
    script = f"""
    from own_api import *

    keys = ["a", "A", "\\u00e1", "b"]


    def answer(path, query, authorization):
        if path == "/raw":
            return [{{"id": [key, 1], "v": 1}} for key in (keys[:1] if "since" in query else keys)]
        if path == "/pages":
            return [{{"id": key, "v": 1}} for key in [keys, ["b", "c", "C", "d"], []][int(query["page"]) - 1]]
        return [{{"id": key, "v": 1 if "since" not in query else 2}} for key in (keys[:1] if "since" in query else keys)]


    REFRESH = 'refresh: {{strategy: updates, params: {{since: "${{timestamp}}"}}}}'
    api = Api(answer, f'''
    tables:
      - {{{{name: keyed, resource_path: /keyed, key_column: id, paging: {{{{strategy: none}}}}, {{REFRESH}}}}}}
      - {{{{name: added, resource_path: /keyed, paging: {{{{strategy: none}}}}, {{REFRESH}}}}}}
      - {{{{name: raw, resource_path: /raw, key_column: id, paging: {{{{strategy: none}}}}, {{REFRESH}}}}}}
      - {{{{name: pages, resource_path: /pages, key_column: id, paging: {{{{strategy: pageAndCount, page_param: page, page_size: 4}}}}}}}}
    ''')
    con = api.connect()
    for statement in {setting!r}.split("; "):
        if statement.startswith("ALTER"):
            con.execute("LOAD TABLE own.keyed")
        con.execute(statement)
    for table, expected in (("keyed", (4, 5)), ("added", (5, 6)), ("raw", (4, 4)), ("pages", (7, 7))):
        con.execute(f"LOAD TABLE own.{{table}}")
        con.execute(f"REFRESH TABLE own.{{table}}")
        found = con.execute(f"SELECT count(*), sum(v) FROM own.{{table}}").fetchone()
        assert found == expected, (table, found)
    assert con.execute("SELECT current_setting('default_collation')").fetchone()[0] != ""
    """
    python.run(around, script).check()
