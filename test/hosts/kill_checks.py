"""What must hold after a load was disturbed, and when it is finished: rows, state, audit trail and requests."""

import re
from dataclasses import dataclass

import ledger
from host_process import HostProcess
from kill_cases import Case
from ledger_truth import TYPED_SQL, Found, Truth

# How often a request that fails is made, by the spec. Two statements may do so at an old place.
TRIES = 4

TABLES_SQL = "SELECT table_name FROM duckdb_tables() WHERE schema_name = '{schema}' AND NOT internal"


@dataclass
class Seen:
    """What a database file holds between two processes."""

    # Rows of the tables that are shown; None where a table is not there.
    target: Found | None
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
        target=Found.of(process.sql(TYPED_SQL.format(name=f"ledger.{table.name}"))) if table.name in names else None,
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


def check_shown(seen: Seen, allowed: dict[str, Truth | None], n_sets: int) -> str:
    """Returns which of the allowed states the table shows. Fails when it is none of them, and when the parent is shown in part."""
    sets = sorted(f"s{idx}" for idx in range(n_sets))
    assert seen.parent is None or seen.parent == sets, f"the parent shows {seen.parent} of {sets}"
    differences = {}
    for name, truth in allowed.items():
        is_shown = seen.target is None
        if truth is not None:
            differences[name] = truth.difference(seen.target)
            is_shown = not differences[name]
        if is_shown:
            return name
    found = "; ".join(f"not {name}: {difference}" for name, difference in differences.items())
    raise AssertionError(f"the table shows neither of {sorted(allowed)}: {found}")


def check_state(seen: Seen, case: Case, rows: tuple[int, ...]) -> None:
    """Fails unless exactly the rows of the pages that the places say are stored are there: both come from one transaction."""
    placed: dict[str, int | None] = {}
    for idx, n_rows in enumerate(rows):
        status, place = seen.sets.get(f"s{idx}", ("loading", None))
        n_pages = case.table.n_pages(n_rows) if status == "done" else n_pages_at(place)
        n_placed = case.n_stored(n_pages, n_rows)
        if n_placed or (n_placed is None and f"s{idx}" in seen.staged and f"s{idx}" in seen.sets):
            placed[f"s{idx}"] = seen.staged.get(f"s{idx}") if n_placed is None else n_placed
    assert seen.staged == placed, f"stored are {seen.staged}, but unify.load_state says {placed}: {seen.sets}"
    assert seen.unfinished or not seen.sets, "sets are noted without the load they belong to"
    assert {status for status, _ in seen.sets.values()} <= {"loading", "done"}, seen.sets


def n_pages_at(place: str | None) -> int:
    return int((place or "0;0").split(";")[0] or 0)


@dataclass(frozen=True)
class Left:
    """How many requests a statement may make."""

    # Those for pages that a plain source has and that are not stored, and one for each set that is not done.
    plain: int
    # Those, and what rows that come and are hidden add. One page of each set that is stored is asked for once more.
    going_on: int
    # When it starts over, since a place has expired or rows have moved. The log must say so.
    starting_over: int


def check_requests(counts: dict, left: Left, table: ledger.Table, statement: str, before: object) -> bool:
    """Fails when a statement made more requests for pages than were left, or too many for pages after the last one.

    Returns whether it made so many that it must have started over.
    """
    n_requests = counts["asked"] - min(counts["beyond"], table.beyond)
    assert n_requests <= max(left.going_on, left.starting_over), (
        f"{statement} made {n_requests} requests, of which {left} were needed: {counts}; before it there was {before}"
    )
    return n_requests > left.going_on


def requests_left(seen: Seen, case: Case, statement: str, shown: str, has_expired: bool) -> Left:
    """Returns how many requests a statement may make at most: the pages that are not stored yet, and one for each set that is not done."""
    if shown != "nothing" and statement != "REFRESH":
        return Left(0, 0, 0)
    table, quirks = case.table, case.quirks
    # The parent, where it is missing or older than the refresh wants it.
    plain = going_on = starting_over = 1 if table.sets == "child" else 0
    for idx, n_rows in enumerate(case.rows_to_come(shown)):
        status, place = seen.sets.get(f"s{idx}", ("loading", None)) if seen.unfinished else ("loading", None)
        # With each row that comes another one is changed and may come again. Hidden ones are asked for when a page is short by them.
        n_more = 2 * (quirks.arrive + len(case.disturbances)) if quirks.arrive else 0
        n_hidden = case.n_hidden(max(case.rows)) + 1 if quirks.hidden else 0
        # A total that equals the rows of a full first page may count the page: the next one tells.
        n_doubted = int(n_rows == table.page_size)
        n_all = table.n_pages(n_rows + n_more) + 1 + n_doubted + n_hidden
        if status != "done":
            plain += table.n_pages(n_rows) + 1 - n_pages_at(place)
            going_on += n_all - n_pages_at(place)
        starting_over += n_all + (2 * TRIES + 2 if status != "done" and n_pages_at(place) else 0)
    if quirks.drift or quirks.keys != "plain":
        # A column that cannot keep what is stored is wider from the beginning, which one page may show of one column, and a later one of others.
        starting_over *= 3
    if quirks.rush or quirks.arrive:
        # Pages that were read side by side while rows came are read anew one after the other, whatever was stored.
        return Left(plain, going_on, 2 * starting_over)
    may_start_over = bool(quirks.drift) or (quirks.keys != "plain") or (seen.unfinished and (has_expired or quirks.arrive > 0))
    return Left(plain, going_on, starting_over if may_start_over else going_on)


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
