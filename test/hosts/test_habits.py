"""Habits of APIs that the test API does not have, each said by the lines that docs/api-habits.md has for it."""

BEGIN = """
    import re
    import time
    from own_api import *
    def fetch(con, sql):
        return con.execute(sql).fetchall()
"""


def test_moments_relative_to_now(python, around):
    script = BEGIN + """
    def answer(path, query, _):
        return [{"id": 1, "until": int(query["until"]), "ms": int(query["ms"]), "days": query["days"]}]
    api = Api(answer, '''tables:
      - name: asked
        resource_path: /asked
        supports_paging: false
        params: {until: "${now-5m | epoch}", ms: "${now-1h 30m | epoch_ms}", days: "${today-1d}/${today+1d}/${today | format('%d.%m.%Y')}"}
    ''')
    con, now = api.connect(), time.time()
    (until_, ms, days), = fetch(con, "SELECT until, ms, days FROM own.asked")
    assert abs(now - 300 - until_) < 60 and abs(now - 5400 - ms / 1000) < 60, (now, until_, ms)
    day = lambda seconds, form="%Y-%m-%d": time.strftime(form, time.gmtime(seconds))
    wanted = ["/".join([day(at - 86400), day(at + 86400), day(at, "%d.%m.%Y")]) for at in (now, now + 60)]
    assert days in wanted, (days, wanted)
    """
    python.run(around, script).check()


def test_records_inside_lists_and_objects(python, around):
    script = BEGIN + """
    LINES = [{"no": 1, "lines": [{"sku": "a"}, {"sku": "b"}]}, {"no": 2, "lines": []}, {"no": 3, "lines": [{"sku": "c"}]}]
    BODIES = {
        "/lines": {"meta": {"currency": "EUR"}, "orders": LINES},
        "/wrapped": {"list": [{"customer": {"id": 1, "name": "Ada"}}, {"customer": {"id": 2, "name": "Bob"}}]},
    }
    api = Api(lambda path, *_: BODIES[path], '''tables:
      - {name: lines, resource_path: /lines, result_body_path: orders.lines, result_meta_paths: [meta.currency], supports_paging: false}
      - {name: wrapped, resource_path: /wrapped, result_body_path: list.customer, supports_paging: false}
    ''')
    con = api.connect()
    assert fetch(con, "SELECT sku, meta_currency FROM own.lines ORDER BY sku") == [("a", "EUR"), ("b", "EUR"), ("c", "EUR")]
    assert fetch(con, "SELECT id, name FROM own.wrapped ORDER BY id") == [(1, "Ada"), (2, "Bob")]
    """
    python.run(around, script).check()


def test_rows_whose_names_stand_beside_them(python, around):
    script = BEGIN + """
    BODIES = {
        "/report": {
            "dimensionHeaders": [{"name": "country"}, {"name": "city"}],
            "metricHeaders": [{"name": "users", "type": "TYPE_INTEGER"}],
            "rows": [{"dimensionValues": ["CH", "Bern"], "metricValues": [7]}, {"dimensionValues": ["FR", "Lyon"], "metricValues": [12]}],
        },
        "/candles": [["2026-01-01T00:00:00Z", 1.5, 2.5], ["2026-01-02T00:00:00Z", 2.5, 2.0]],
    }
    api = Api(lambda path, *_: BODIES[path], '''tables:
      - name: report
        resource_path: /report
        result_body_path: rows
        row_names: {dimensionValues: dimensionHeaders, metricValues: metricHeaders}
        supports_paging: false
      - {name: candles, resource_path: /candles, row_names: [day, first, last], supports_paging: false}
    ''')
    con = api.connect()
    assert fetch(con, "SELECT country, city, users FROM own.report ORDER BY ALL") == [("CH", "Bern", 7), ("FR", "Lyon", 12)]
    assert fetch(con, 'SELECT first, last, dayname("day") FROM own.candles ORDER BY "day"') == [(1.5, 2.5, "Thursday"), (2.5, 2.0, "Friday")]
    """
    python.run(around, script).check()


def test_the_page_stands_in_the_text_of_a_query(python, around):
    script = BEGIN + """
    ROWS = [{"id": f"p{number:02}"} for number in range(25)]
    def answer(path, query, _):
        q = query["q"]
        if path == "/offset":
            size, start = map(int, re.fullmatch("SELECT id FROM t ORDER BY id LIMIT (.*) OFFSET (.*)", q).groups())
            return {"rows": ROWS[start:start + size]}
        last, size = re.fullmatch("SELECT id FROM t WHERE id > '(.*)' ORDER BY id LIMIT (.*)", q).groups()
        return {"rows": [row for row in ROWS if row["id"] > last][:int(size)]}
    api = Api(answer, '''tables:
      - name: by_offset
        resource_path: /offset
        result_body_path: rows
        params: {q: "SELECT id FROM t ORDER BY id LIMIT ${page.size} OFFSET ${page.offset}"}
        paging: {strategy: offsetAndCount, page_size: 10}
      - name: by_key
        resource_path: /key
        result_body_path: rows
        params: {q: "SELECT id FROM t WHERE id > ${page.token | default('') | quote(sql)} ORDER BY id LIMIT ${page.size}"}
        paging: {strategy: pagerToken, page_size: 10, last_row: id}
    ''')
    con = api.connect()
    for table in ("by_offset", "by_key"):
        assert fetch(con, f"SELECT count(*), count(DISTINCT id) FROM own.{table}") == [(25, 25)], (table, api.asked)
    """
    python.run(around, script).check()


def test_a_table_has_a_host_of_its_own(python, around):
    script = BEGIN + """
    def answer(path, query, authorization):
        return [{"id": 1, "path": path, "known": authorization == "Bearer t"}]
    api = Api(answer, '''auth: {type: BEARER}
    allowed_hosts: ["http://localhost:PORT"]
    tables:
      - {name: here, resource_path: /rest/v1/here, supports_paging: false}
      - {name: there, base_url: "http://localhost:PORT/v2", resource_path: /there, supports_paging: false}
    ''', ", bearer_token: t")
    file = api.folder / "own.yaml"
    text = file.read_text()
    file.write_text(text.replace("PORT", str(api.server.server_port)))
    con = api.connect()
    assert fetch(con, "SELECT path, known FROM own.here") == [("/rest/v1/here", True)]
    assert fetch(con, "SELECT path, known FROM own.there") == [("/v2/there", True)]
    # Only the hosts that the spec names get the credentials.
    file.write_text(re.sub("allowed_hosts: .*", "", file.read_text()))
    n_asked = len(api.asked)
    try:
        fetch(con, "RELOAD TABLE own.there")
        raise AssertionError("a host that the spec does not name was asked")
    except duckdb.Error as err:
        assert "which is not the adapter's host; add it to 'allowed_hosts'" in str(err) and len(api.asked) == n_asked, err
    """
    python.run(around, script).check()


def test_a_parent_without_children_answers_404(python, around):
    script = BEGIN + """
    def answer(path, query, _):
        if path == "/parents":
            return [{"id": 1}, {"id": 2}, {"id": 3}]
        return {"/children/1": [{"name": "a"}], "/children/2": (404, {"code": "nothing"}), "/children/3": (204, b"")}[path]
    api = Api(answer, '''errors: [{when: {status: 404}, do: empty}]
    tables:
      - {name: parents, resource_path: /parents, supports_paging: false}
      - name: children
        resource_path: /children/{parent}
        supports_paging: false
        params: {parent: sql@(SELECT id FROM parents)}
        copy_params_to_output: [parent]
    ''')
    con = api.connect()
    assert fetch(con, "SELECT parent, name FROM own.children") == [(1, "a")]
    assert fetch(con, "SELECT message FROM information_schema.loading_log WHERE level IN ('WARNING', 'ERROR')") == []
    """
    python.run(around, script).check()


def test_fields_that_one_request_cannot_have_are_joined_by_a_view(python, around):
    script = BEGIN + """
    def answer(path, query, _):
        names = query["fields"].split(",")
        assert len(names) <= 2, query
        return [{"id": id, **{name: f"{name}{id}" for name in names}} for id in (1, 2, 3)]
    api = Api(answer, '''tables:
      - {name: first, resource_path: /things, key_column: id, supports_paging: false, params: {fields: {values: [a, b], as: comma}}}
      - {name: more, resource_path: /things, key_column: id, supports_paging: false, params: {fields: {values: [c, d], as: comma}}}
    views:
      - {name: things, query: SELECT * FROM first FULL JOIN more USING (id)}
    ''')
    con = api.connect()
    assert fetch(con, "SELECT id, a, b, c, d FROM own.things ORDER BY id") == [(id, f"a{id}", f"b{id}", f"c{id}", f"d{id}") for id in (1, 2, 3)]
    """
    python.run(around, script).check()


def test_what_is_left_is_told_in_every_unit(python, around):
    script = BEGIN + """
    from email.utils import formatdate
    NOW = time.time()
    TOLD = {"seconds": "3600", "minutes": "60", "ms": "3600000", "epoch": str(int(NOW + 3600)), "epoch_ms": str(int(NOW + 3600) * 1000),
            "date": formatdate(NOW + 3600, usegmt=True)}
    def answer(path, query, _):
        return 200, [{"id": 1}], {"X-Left": "0", "X-Reset": TOLD[path[1:]]}
    table = lambda unit: (f"  - {{name: by_{unit}, resource_path: /{unit}, supports_paging: false, "
                          f"throttle: {{remaining_header: X-Left, reset_header: X-Reset, reset_unit: {unit}}}}}")
    api = Api(answer, "\\n".join(["tables:", *map(table, TOLD)]))
    con = api.connect()
    for unit in TOLD:
        fetch(con, f"FROM own.by_{unit}")
        sql = f"SELECT max(seconds), max(reason) FROM unify_explain('own.by_{unit}') WHERE action = 'budget'"
        (seconds, reason), = fetch(con, sql)
        assert 3500 < seconds <= 3601, (unit, seconds, reason)
    """
    python.run(around, script).check()


def test_each_page_has_what_the_link_lacks(python, around):
    script = BEGIN + """
    def answer(path, query, authorization):
        assert query["key"] == "k" and authorization == "page-size=10", (query, authorization)
        page = int(query.get("page", 1))
        more = {"next_url": f"{api.address}/rows?page={page + 1}"} if page < 3 else {}
        return {"results": [{"id": page * 10 + number} for number in range(10)], **more}
    api = Api(answer, '''auth: {type: PARAMS, params: {key: A key}}
    tables:
      - name: rows
        resource_path: /rows
        headers: {Authorization: page-size=10}
        result_body_path: results
        paging: {strategy: nextLink, pager_link_path: next_url}
    ''', ", key: k")
    con = api.connect()
    assert fetch(con, "SELECT count(*), count(DISTINCT id) FROM own.rows") == [(30, 30)]
    assert [url.split("?")[1].count("key=") for url in api.asked] == [1, 1, 1], api.asked
    """
    python.run(around, script).check()


def test_parts_that_are_counted_end_where_the_api_refuses(python, around):
    script = BEGIN + """
    SIZES = [7, 1, 5]
    def answer(path, query, _):
        part = int(query["partition"])
        if part >= len(SIZES):
            return 422, {"message": "no such partition"}
        return {"data": [[part * 100 + number, f"row {number}"] for number in range(SIZES[part])]}
    api = Api(answer, '''errors: [{when: {status: 422}, do: empty}]
    tables:
      - name: rows
        resource_path: /rows
        result_body_path: data
        row_names: [id, name]
        paging: {strategy: pageAndCount, page_param: partition, first_page: 0, page_size: 1}
    ''')
    con = api.connect()
    assert fetch(con, "SELECT count(*), count(DISTINCT id), max(name) FROM own.rows") == [(13, 13, "row 6")]
    """
    python.run(around, script).check()
