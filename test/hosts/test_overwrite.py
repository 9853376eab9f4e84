"""Refreshes that replace all rows of the windows they ask for: rows that are gone at the source go, all others stay, into whatever database."""

import datetime
import json
import threading

from host_process import PATIENCE, Failed, HostProcess
from small_api import Answer, Asked, serving

DAY = datetime.timedelta(days=1)
TODAY = datetime.datetime.now(datetime.timezone.utc).date()
REPORT = """window: {start: "${today-9d}", end: "${today-1d}", step: 1d, ends: inclusive}
    params: {since: "${window.start}", until: "${window.end}", account: [a, b]}
    copy_params_to_output: [account]
    refresh: {strategy: updates, lookback: 4d, overwrite: day}"""
TABLES = f"""tables:
  - name: costs
    resource_path: /costs
    key_columns: [account, day, ad]
    columns: {{day: DATE, ad: VARCHAR, cost: DOUBLE}}
    {REPORT}
  - name: keyless
    resource_path: /costs
    columns: {{day: DATE, ad: VARCHAR, cost: DOUBLE}}
    {REPORT}
  - name: marked
    resource_path: /costs
    key_columns: [account, day, ad]
    columns: {{day: DATE, ad: VARCHAR, cost: DOUBLE}}
    deletes: mark
    {REPORT}
  - name: hours
    resource_path: /hours
    key_columns: [account, hour]
    columns: {{hour: TIMESTAMP, n: BIGINT}}
    {REPORT.replace("overwrite: day", "overwrite: hour")}
errors: [{{when: {{status: 403}}, do: skip}}]
"""
SCRIPT = f"""
    import datetime
    from own_api import *
    today = datetime.datetime.now(datetime.timezone.utc).date()
    day = lambda ago: str(today - datetime.timedelta(days=ago))
    costs, refused = {{}}, {{}}
    def answer(path, query, _):
        if query["account"] in refused:
            return refused[query["account"]], {{}}
        if path == "/hours":
            return [{{"hour": at, "n": n}} for at, n in hours if query["since"] <= at[:10] <= query["until"]]
        rows = costs[query["account"]]
        return [{{"day": d, "ad": ad, "cost": cost}} for d, ad, cost in rows if query["since"] <= d <= query["until"]]
    api = Api(answer, {TABLES!r})
    con = attach(api.connect("x.duckdb"))
    con.execute("SET GLOBAL unify_target = 'lake'")
    con.execute("SET unify_keep_changes = true")
    def stored(table, more=""):
        rows = con.execute(f"SELECT account, day, ad, cost FROM lake.own.{{table}} {{more}}").fetchall()
        return sorted(((account, str(d), ad, cost) for account, d, ad, cost in rows), key=str)
    def of(account, rows):
        return [(account, *row) for row in rows]
    def changes(table):
        return [rows for _, rows in con.execute(f"SELECT change, rows FROM unify_changes('lake.own.{{table}}') ORDER BY change").fetchall()]
    def check(found, expected):
        assert found == expected, (found, expected)
    before = [(day(8), "x", 1.0), (day(8), "y", 1.0), (day(3), "x", 1.0), (day(3), "y", 1.0), (day(3), None, 1.0), (day(2), "z", 2.5)]
    # The day before the windows changed, too: nobody asks for it. In them a group is gone, one changed, one is new, one lacks a part of its key.
    after = [(day(8), "x", 7.0), (day(3), "x", 2.0), (day(3), None, 3.0), (day(2), "new", 1.0)]
    merged = before[:2] + after[1:]
"""


def test_rows_of_the_windows_that_do_not_come_again_go(target):
    script = SCRIPT + """
    costs.update(a=before, b=before)
    for table in ("costs", "keyless", "marked"):
        con.execute(f"LOAD TABLE own.{table}")
    costs.update(a=after, b=before)
    for table, counts in (("costs", [2, 1, 3]), ("keyless", [3, 0, 4])):
        con.execute(f"REFRESH TABLE own.{table}")
        check(stored(table), sorted(of("a", merged) + of("b", before), key=str))
        check(changes(table), counts)
        con.execute(f"REFRESH TABLE own.{table}")
        check(changes(table), [0, 0, 0])
    said = con.execute("SELECT count(*) FROM lake.unify.loading_log WHERE message LIKE '3 rows of the windows that were asked for did not come again%'").fetchone()
    check(said, (1,))
    # Those that are kept with '_deleted_at' come back.
    con.execute("REFRESH TABLE own.marked")
    check(stored("marked", "WHERE _deleted_at IS NULL"), sorted(of("a", merged) + of("b", before), key=str))
    check(stored("marked", "WHERE _deleted_at IS NOT NULL"), sorted(of("a", [before[3], before[5]]), key=str))
    costs.update(a=before)
    con.execute("REFRESH TABLE own.marked")
    check(stored("marked", "WHERE _deleted_at IS NULL"), sorted(of("a", before) + of("b", before), key=str))
    """
    target.check(script, "")


def test_hours_of_the_days_that_do_not_come_again_go(target):
    script = SCRIPT + """
    at = lambda ago, hour: f"{day(ago)}T{hour:02}:00:00"
    hours = [(at(8, 23), 1), (at(5, 23), 1), (at(4, 0), 1), (at(3, 12), 1), (at(2, 23), 1), (at(1, 23), 1)]
    con.execute("LOAD TABLE own.hours")
    hours = [(at(8, 23), 2), (at(3, 12), 2), (at(1, 23), 1)]
    con.execute("REFRESH TABLE own.hours")
    rows = con.execute("SELECT strftime(hour, '%Y-%m-%dT%H:%M:%S'), n FROM lake.own.hours WHERE account = 'a' ORDER BY hour").fetchall()
    check(rows, [(at(8, 23), 1), (at(5, 23), 1), (at(3, 12), 2), (at(1, 23), 1)])
    """
    target.check(script, "")


def test_a_window_that_was_not_asked_for_as_a_whole_keeps_its_rows(target):
    script = SCRIPT + """
    costs.update(a=before, b=before)
    con.execute("LOAD TABLE own.costs")
    costs.update(a=after, b=[])
    refused.update(b=403)
    con.execute("REFRESH TABLE own.costs")
    check(stored("costs"), sorted(of("a", merged) + of("b", before), key=str))
    # An error keeps all; an empty answer is one.
    costs.update(a=[])
    refused.update(b=500)
    try:
        con.execute("REFRESH TABLE own.costs")
    except duckdb.Error as err:
        assert "500" in str(err), err
    else:
        raise AssertionError("no error")
    check(stored("costs"), sorted(of("a", merged) + of("b", before), key=str))
    refused.clear()
    con.execute("REFRESH TABLE own.costs")
    # A call that was left out is asked for all windows the next time.
    check(stored("costs"), of("a", before[:2]))
    """
    target.check(script, "")


class Costs:
    """Costs by day, of which a refresh waits for one day until `goes_on`."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, float]] = []
        self.held: str | None = None
        self.is_held, self.goes_on = threading.Event(), threading.Event()

    def answer(self, asked: Asked) -> Answer:
        since, until = asked.params["since"], asked.params["until"]
        if since == self.held and asked.params["account"] == "b" and not self.goes_on.is_set():
            self.is_held.set()
            self.goes_on.wait()
        return Answer(json.dumps([{"day": day, "ad": ad, "cost": cost} for day, ad, cost in self.rows if since <= day <= until]).encode())


def test_a_refresh_that_is_killed_removes_nothing_and_the_next_one_goes_on(python, around):
    source = Costs()
    day = lambda ago: str(TODAY - ago * DAY)  # noqa: E731
    before = [(day(8), "x", 1.0), (day(3), "x", 1.0), (day(3), "y", 1.0), (day(2), "z", 1.0)]
    after = [(day(3), "y", 5.0)]
    (around.folder / "own").mkdir()
    spec = "name: own\noptions: {host: {description: where it is, required: true}}\nbase_url: \"{host}\"\n" + TABLES
    (around.folder / "own" / "own.yaml").write_text(spec)
    connections = around.folder / "own.yaml"
    settings = [f"unify_spec_path = '{around.folder / 'own'}'", f"unify_connections_file = '{connections}'"]

    def stored(process: HostProcess) -> list[tuple[str, ...]]:
        found = process.sql("SELECT account, CAST(day AS VARCHAR) AS day, ad, CAST(cost AS VARCHAR) AS cost FROM own.costs ORDER BY ALL", on="other")
        return [tuple(row.values()) for row in found]

    def of_both(rows: list[tuple[str, str, float]]) -> list[tuple[str, ...]]:
        return sorted((account, day, ad, str(cost)) for account in "ab" for day, ad, cost in rows)

    def n_staged(process: HostProcess) -> int:
        try:
            return int(process.sql("SELECT count(*) AS n FROM own.costs__loading", on="other")[0]["n"])
        except Failed:  # It is not there yet.
            return 0

    with serving(source.answer) as address:
        connections.write_text(f"- own:\n    adapter: own\n    options: {{host: '{address}'}}\n")
        source.rows = before
        with HostProcess(python.release, around) as killed:
            killed.open(around.folder / "x.duckdb", settings=settings)
            killed.sql("LOAD TABLE own.costs")
            source.rows, source.held = after, day(2)
            killed.begin_sql("REFRESH TABLE own.costs")
            assert source.is_held.wait(PATIENCE)
            deadline = threading.Event()
            for _ in range(1000):
                if n_staged(killed):
                    break
                deadline.wait(0.02)
            assert n_staged(killed) and stored(killed) == of_both(before)
            killed.kill()
        source.goes_on.set()
        with HostProcess(python.release, around) as process:
            process.open(around.folder / "x.duckdb", settings=settings)
            assert stored(process) == of_both(before)
            process.sql("REFRESH TABLE own.costs")
            log = [row["message"] for row in process.sql("SELECT message FROM information_schema.loading_log")]
            assert any(message.startswith("going on") for message in log), log
            assert stored(process) == of_both([before[0], *after])
            process.end()
