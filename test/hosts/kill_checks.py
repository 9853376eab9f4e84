"""What must hold after a load was disturbed, and when it is finished: rows, state, audit trail and requests."""

import re
from dataclasses import dataclass

import ledger
from host_process import HostProcess

TABLES_SQL = "SELECT table_name FROM duckdb_tables() WHERE schema_name = '{schema}' AND NOT internal"


@dataclass
class Seen:
    """What a database file holds between two processes."""

    # Rows of the tables that are shown; None where a table is not there.
    target: ledger.Rows | None
    parent: list[str] | None
    # Rows of the unfinished load's own table, by set.
    staged: dict[str, int]
    # Status and place of each set of the unfinished load.
    sets: dict[str, tuple[str, str]]
    # Whether the unfinished load is noted.
    unfinished: bool
    jobs: list[dict[str, str | None]]


def look(process: HostProcess, table: ledger.Table) -> Seen:
    """Reads what is there, without a request to the server."""
    names = {row["table_name"] for row in process.sql(TABLES_SQL.format(schema="ledger"))}
    own = {row["table_name"] for row in process.sql(TABLES_SQL.format(schema="unify"))}
    staging = f"{table.name}__loading"
    states = []
    if "load_state" in own:
        states = process.sql(f"SELECT * FROM unify.load_state WHERE table_schema = 'ledger' AND table_name = '{staging}'")
    staged = []
    # Without rows it may have no columns of their own.
    if staging in names and process.sql(f"SELECT 1 FROM ledger.{staging} LIMIT 1"):
        staged = process.sql(f"SELECT owner, count(*) AS n FROM ledger.{staging} GROUP BY owner")
    return Seen(
        target=ledger.rows_of(process.sql(f"FROM ledger.{table.name}")) if table.name in names else None,
        parent=sorted(row["id"] for row in process.sql("FROM ledger.sets")) if "sets" in names else None,
        staged={row["owner"]: int(row["n"]) for row in staged},
        sets={set_of(row["parameter_set"]): (row["status"], row["place"]) for row in states if row["parameter_set"]},
        unfinished=any(row["parameter_set"] == "" for row in states),
        jobs=process.sql("FROM unify.loading_jobs ORDER BY id") if "loading_jobs" in own else [],
    )


def set_of(parameter_set: str) -> str:
    """Returns the set that a row of `load_state` is about: its text holds the set's name, if the table has several."""
    found = re.search(r"\bs\d+\b", parameter_set)
    return found.group() if found else "s0"


def check_shown(seen: Seen, allowed: dict[str, ledger.Rows | None], n_sets: int) -> str:
    """Returns which of the allowed states the table shows. Fails when it is none of them, and when the parent is shown in part."""
    sets = sorted(f"s{idx}" for idx in range(n_sets))
    assert seen.parent is None or seen.parent == sets, f"the parent shows {seen.parent} of {sets}"
    for name, rows in allowed.items():
        if seen.target == rows:
            return name
    found = "no table" if seen.target is None else "; ".join(
        f"not {name}: {ledger.difference(seen.target, rows)}" for name, rows in allowed.items() if rows is not None
    )
    raise AssertionError(f"the table shows neither of {sorted(allowed)}: {found}")


def check_state(seen: Seen, table: ledger.Table, rows: tuple[int, ...]) -> None:
    """Fails unless exactly the rows of the pages that the places say are stored are there: both come from one transaction."""
    placed = {}
    for idx, n_rows in enumerate(rows):
        status, place = seen.sets.get(f"s{idx}", ("loading", None))
        n_placed = n_rows if status == "done" else min(n_rows, n_pages_at(place) * table.page_size)
        if n_placed:
            placed[f"s{idx}"] = n_placed
    assert seen.staged == placed, f"stored are {seen.staged}, but unify.load_state says {placed}: {seen.sets}"
    assert seen.unfinished or not seen.sets, "sets are noted without the load they belong to"
    assert {status for status, _ in seen.sets.values()} <= {"loading", "done"}, seen.sets


def n_pages_at(place: str | None) -> int:
    return int((place or "0;0").split(";")[0] or 0)


def check_requests(counts: dict, left: int, table: ledger.Table, statement: str, before: object) -> None:
    """Fails when a statement made more requests for pages than were left, or too many for pages after the last one."""
    n_requests = counts["asked"] - min(counts["beyond"], table.beyond)
    assert n_requests <= left, f"{statement} made {n_requests} requests, of which {left} were needed: {counts}; before it there was {before}"


def requests_left(seen: Seen, table: ledger.Table, rows: tuple[int, ...], statement: str, shown: str) -> int:
    """Returns how many requests a statement may make at most: the pages that are not stored yet, and one for each set that is not done."""
    if shown != "nothing" and statement != "REFRESH":
        return 0
    n_requests = 0
    for idx, n_rows in enumerate(rows):
        status, place = seen.sets.get(f"s{idx}", ("loading", None)) if seen.unfinished else ("loading", None)
        if status != "done":
            n_requests += table.n_pages(n_rows) - n_pages_at(place) + 1
    # The parent, where it is missing or older than the refresh wants it.
    return n_requests + (1 if table.sets == "child" else 0)


def check_audit(jobs: list[dict[str, str | None]]) -> None:
    """Fails unless every start has exactly one end, and ids are what they should be."""
    starts = {job["id"]: job for job in jobs if job["action"].endswith("_start")}
    ends = {job["parent_id"]: job for job in jobs if job["action"].endswith("_end")}
    assert len({job["id"] for job in jobs}) == len(jobs), f"ids come twice: {jobs[-20:]}"
    assert len(ends) == sum(job["action"].endswith("_end") for job in jobs), f"a job has two ends: {jobs[-20:]}"
    assert set(ends) <= set(starts), f"an end has no start: {jobs[-20:]}"
    for job_id, start in starts.items():
        end = ends.get(job_id)
        assert end, f"job {job_id} has no end: {[start, *jobs[-20:]]}"
        assert end["action"] == start["action"].replace("_start", "_end"), f"a {start['action']} ended as {end['action']}"
        assert end["table_name"] == start["table_name"] and int(end["id"]) > int(job_id), [start, end]
        assert (end["status"] == "error") == bool(end["error_message"]), end


def ends_of(jobs: list[dict[str, str | None]], table: str) -> list[str]:
    """Returns how the jobs of a table ended, in the order of their starts; '' for one that has not."""
    ends = {job["parent_id"]: job["status"] for job in jobs if job["action"].endswith("_end")}
    return [ends.get(job["id"], "") for job in jobs if job["table_name"] == table and job["action"].endswith("_start")]
