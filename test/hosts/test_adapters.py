"""Every table of every bundled adapter loads from answers of the vendor's documented shape, and the queries of its help run.

A fixture is `test/fixtures/NAME/answers.json`: `options` of the connection and the `answers`, as `test/api/src/recorded.rs` reads them; paths
begin at the vendor's host. In an option `${service_account}` is the path of a service account's file with a key that the test makes.
`${today-40}` is the day 40 days ago, for adapters that load up to today, `${today-40 %Y%m%d}` another form of it, and `${epoch today-40}` its
seconds since 1970; `day_here` says what day it is for a host. `tables.txt` beside the answers has a line for each table: how many rows and requests a load and a refresh make, and the columns. UPDATE_EXPECT=1 rewrites it.
"""

import datetime
import json
import os
import pathlib
import re
import subprocess

import hosts
import pytest

FIXTURES = hosts.TEST / "fixtures"
SPECS = hosts.ROOT / "rest_specs"
# The hosts in these lines of a spec are put behind the test API.
ADDRESS = re.compile(r"^(?!.*#)(.*(?:base_url|default|token_url): *\"?)https?://(?:\{[^}]*\}|[^/\"\s,}])+", re.MULTILINE)
# Limits of the real API do not matter here, and cost time.
PACE = re.compile(r"requests_per_second: [\d.]+")
# Tables that have no key: a row of a sheet has no id, nor has a total in a report, a report or query of one's own has the columns that one asks for, and
# the key of an entity of one's own has a name of its own.
WITHOUT_KEYS = {
    "dynamics_365.new_projects",
    "google_analytics.report",
    "google_sheets.orders",
    "google_sheets.range_prices",
    "google_sheets.year_s_plan_2026",
    "netsuite.query",
    "quickbooks.balance_sheet",
    "quickbooks.payables_aging",
    "quickbooks.profit_and_loss",
    "quickbooks.receivables_aging",
    "quickbooks.trial_balance",
    "xero.balance_sheet",
    "xero.profit_and_loss",
    "xero.trial_balance",
}
# Days at which arithmetic with months and years goes wrong, and hours at which it is another day elsewhere.
AWKWARD = ["2027-01-01 00:00:30", "2027-03-31 23:30:00", "2028-02-29 00:00:30", "2027-12-31 23:30:00"]
# What gives a process another clock, from Debian's package libfaketime.
CLOCK = next(iter(sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
DAY = re.compile(r"\$\{(epoch )?today-(\d+)(?: ([^}]+))?\}")
# ADAPTERS names some, for one that is being written.
# Adapters of a class of their own ask no API: other tests load from them.
CLASSES = sorted(path.stem for path in SPECS.glob("*.yaml") if re.search(r"^class:", path.read_text(), re.MULTILINE))
NAMES = os.environ.get("ADAPTERS", "").split() or sorted({path.stem for path in SPECS.glob("*.yaml")} - set(CLASSES))
# The adapters of one process.
GROUPS = [NAMES[begin : begin + 6] for begin in range(0, len(NAMES), 6)]


def day_here(python: hosts.Python, group: int) -> datetime.datetime:
    """Returns when a group of adapters loads: today at noon with DuckDB 1.5, at an awkward day with others. UNIFY_TEST_DAY names a moment for all."""
    named = os.environ.get("UNIFY_TEST_DAY") or (AWKWARD[group % len(AWKWARD)] if not python.release.startswith("1.") else None)
    today = datetime.datetime.now(datetime.UTC).replace(hour=12, minute=0, second=0, microsecond=0, tzinfo=None)
    return datetime.datetime.fromisoformat(named) if named else today


def clock_of(now: datetime.datetime) -> dict[str, str]:
    """Returns the environment of a process for which it is `now` when it starts."""
    assert CLOCK, "the package libfaketime is missing"
    return {"LD_PRELOAD": str(CLOCK), "FAKETIME": f"@{now}", "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1", "TZ": "UTC"}


def fixture_text(name: str, today: datetime.date) -> str:
    def day_of(hole: re.Match) -> str:
        day = today - datetime.timedelta(days=int(hole[2]))
        return str((day - datetime.date(1970, 1, 1)).days * 86400) if hole[1] else day.strftime(hole[3] or "%Y-%m-%d")

    return DAY.sub(day_of, (FIXTURES / name / "answers.json").read_text())


def fixture_of(name: str, today: datetime.date, place: str = "") -> dict:
    """Returns the fixture of an adapter. In one that is a list of answers, paths begin behind `base_url`."""
    found = json.loads(fixture_text(name, today))
    return found if isinstance(found, dict) else {"answers": found, "options": {"host": place}}


def service_account(folder: pathlib.Path) -> str:
    """Writes the file of a service account, and returns its path."""
    key = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], check=True, capture_output=True, text=True)
    file = folder / "service-account.json"
    file.write_text(json.dumps({"client_email": "unify@example.com", "private_key_id": "k1", "private_key": key.stdout}))
    return str(file)


def prepared(around: hosts.Surroundings, names: list[str], today: datetime.date) -> str:
    """Writes a folder for each adapter, with its spec, in which the test API has the place of the vendor's hosts, and a connection.

    Their fixtures are in a folder beside it."""
    # They show answers that hold tokens.
    around.exposed.append("answers.json")
    for name in names:
        folder = around.folder / "adapters" / name
        folder.mkdir(parents=True)
        place = f"{around.api}/replayed/{name}"
        text = ADDRESS.sub(rf"\g<1>{place}", (SPECS / f"{name}.yaml").read_text())
        (folder / f"{name}.yaml").write_text(PACE.sub("requests_per_second: 1000", text))
        answers = around.folder / "fixtures" / name / "answers.json"
        answers.parent.mkdir(parents=True)
        answers.write_text(fixture_text(name, today))
        options = json.dumps(fixture_of(name, today, place)["options"])
        if "${service_account}" in options:
            options = options.replace("${service_account}", service_account(folder))
        (folder / "connections.json").write_text(json.dumps([{name: {"adapter": name, "options": json.loads(options)}}]))
    return str(around.folder / "adapters")


def line_of(found: dict) -> str:
    """Says in a line what a table came to."""
    if found["kind"] == "view":
        return f"view {found['table']}: {found['rows']} rows"
    parts = [f"{found['table']}: {found['load']['rows']} rows in {sum(found['load']['answers'].values())} requests"]
    if "refresh" in found:
        parts.append(f"refreshed: {found['refresh']['rows']} rows in {sum(found['refresh']['answers'].values())} requests")
    columns = [f"{name}{'*' if name in found['load']['keys'] else ''} {type_}" for name, type_ in found["columns"].items()]
    return "; ".join(parts) + "\n    " + ", ".join(columns)


def is_same_again(found: dict) -> bool:
    """Returns whether a refresh asked for nothing else than the load. One of windows of days asks for some of them again."""
    load, refresh = found["load"]["answers"].keys(), found["refresh"]["answers"].keys()
    has_windows = DAY.search((FIXTURES / found["adapter"] / "answers.json").read_text())
    return refresh == load if has_windows else refresh <= load


def faults_of(found: dict, today: datetime.date) -> list[str]:
    """Returns what is wrong with a table, whatever its answers are."""
    place = f"{found['adapter']}.{found['table']}"
    if "error" in found:
        return [f"{place}: {found['error']}"]
    faults = [f"{place}: declared as {text}" for text in found["undeclared"]]
    if found["kind"] == "view":
        return faults + ([f"{place}: no rows"] if found["rows"] == 0 else [])
    names = set(found["columns"])
    faults += [f"{place}: another column is called {name} already" for name in names if name.endswith("_1") and name.removesuffix("_1") in names]
    if not found["load"]["keys"] and place not in WITHOUT_KEYS:
        faults.append(f"{place}: no key")
    for action in ["load", "refresh"]:
        if action in found and not (found[action]["has_good_keys"] and found[action]["rows"] > 0):
            faults.append(f"{place}: {action}: no rows, or keys that are null or there twice")
    names_queries = all("query" in answer for answer in fixture_of(found["adapter"], today)["answers"])
    if names_queries and "refresh" in found and is_same_again(found):
        faults.append(f"{place}: its refresh asked for nothing else than its load")
    return faults


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: f"{names[0]}-{names[-1]}")
def test_every_table_of_every_bundled_adapter_loads(python, around, names):
    now = day_here(python, GROUPS.index(names))
    today = now.date()
    around.more |= clock_of(now)
    arguments = ["", prepared(around, names, today), str(around.folder / "fixtures"), *names]
    script = f"import sys; sys.argv = {arguments!r}; import adapters"
    lines = [json.loads(line) for line in python.run(around, script, timeout=600).check().stdout.splitlines()]
    tables = [line for line in lines if "table" in line]
    used = {name for line in lines for name in line.get("used", [])}
    faults = [fault for found in tables for fault in faults_of(found, today)]
    faults += [line["log"] for line in lines if "log" in line]
    examples = [line for line in lines if "example" in line]
    faults += [f"{line['adapter']}: its help shows {line['example']}: {line['error']}" for line in examples if "error" in line]
    faults += [f"{name}: its help shows fewer than five queries" for name in names if sum(line["adapter"] == name for line in examples) < 5]
    faults += [f"{name}: a request that the fixture does not have" for name in used if name.startswith("unmatched:")]
    for name in names:
        fixture = fixture_of(name, today)
        unused = [answer for idx, answer in enumerate(fixture["answers"]) if f"replayed:{name}:{idx}" not in used]
        faults += [f"{name}: no request for {answer['path']} {answer['query']}" for answer in unused if "query" in answer]
        found = "\n".join(line_of(found) for found in tables if found["adapter"] == name and "error" not in found) + "\n"
        file = FIXTURES / name / "tables.txt"
        if os.environ.get("UPDATE_EXPECT"):
            file.write_text(found)
        elif found != (file.read_text() if file.exists() else ""):
            faults.append(f"{name}: its tables are not those of {file.name}:\n{found}")
    assert not faults, "\n".join(faults)
