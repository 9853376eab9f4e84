"""A column that names no source has the same field in each row, on whatever page that is and however the table is loaded."""

import json

from small_api import Answer, Asked, serving

PAGES = [
    [{"order_id": 1, "total": 10}, {"order_id": 2, "total": 20}],
    [{"order": {"id": 99}, "order_id": 3, "total": 30}, {"order_id": 4, "order": {"id": 99}, "total": 40}],
    [{"ORDER_ID": "x", "order": {"id": 99}, "order_id": 5, "total": 50}],
]
SPEC = """
name: orders
base_url: "{host}"
options: {host: {description: the API, required: true}}
retry: {attempts: 1}
tables:
  - &paged
    name: declared
    resource_path: /pages
    result_body_path: orders
    columns: {order_id: BIGINT}
    key_column: order_id
    paging: {strategy: pageAndCount, page_param: page, count_param: size, page_size: 2}
  - {<<: *paged, name: bare, columns: {}}
  - name: refreshed
    resource_path: /changed
    supports_paging: false
    columns: {order_id: BIGINT}
    key_column: order_id
    refresh: {strategy: updates, params: {since: "${timestamp}"}}
"""
SCRIPT = """
    con = connect("x.duckdb")
    con.execute("SET GLOBAL unify_spec_path = '{folder}'")
    con.execute("CREATE CONNECTION orders (ADAPTER orders, host '{host}')")
    orders = [(number, 10 * number, 99 if number > 2 else None) for number in range(1, 6)]
    def check(table):
        found = con.execute(f"SELECT order_id, total, order_id_1 FROM {{table}} ORDER BY order_id").fetchall()
        assert found == orders, (table, found)
    for table in ["declared", "bare"]:
        for statement in ["LOAD", "RELOAD"]:
            con.execute(f"{{statement}} TABLE orders.{{table}}")
            check(f"orders.{{table}}")
    con.execute("LOAD TABLE orders.refreshed")
    con.execute("REFRESH TABLE orders.refreshed")
    check("orders.refreshed")
    check("unify_fetch('orders', 'declared')")
    print("done")
"""


def answer(asked: Asked) -> Answer:
    if asked.path == "/pages":
        page = int(asked.params["page"]) - 1
        return Answer(json.dumps({"orders": PAGES[page] if page < len(PAGES) else []}).encode())
    pages = PAGES[1:] if "since" in asked.params else PAGES[:1]
    return Answer(json.dumps([order for page in pages for order in page]).encode())


def test_a_key_is_the_field_that_is_called_so_on_each_page(python, around):
    folder = around.folder / "specs"
    folder.mkdir()
    (folder / "orders.yaml").write_text(SPEC)
    with serving(answer) as host:
        assert python.run(around, SCRIPT.format(folder=folder, host=host)).check().stdout == "done\n"
