"""What is measured: the commands of each way to load, run in turn, and the tables of their figures."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import measure
from measure import Run

RELEASES = json.loads((measure.PROJECT / "extension_config" / "releases.json").read_text())["tested"]["python"]
HERE = measure.PROJECT / "benchmark"
WORK = measure.BUILD / "work"
# The rows as DuckDB alone reads them.
ROWS = measure.BUILD / "rows"
CONNECTIONS = 4
PAGE_SIZE = 100


def clear_work() -> None:
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)


def unify(release: str, address: str, table: str = "repos", threads: int | None = None, *more: str) -> list[str]:
    """Returns the command that loads a table with Unify, with as many DuckDB threads as it takes by itself if none are given."""
    database = fresh("-".join(["unify", release, table, str(threads), *more]))
    command = [duckdb(release), str(HERE / "load_unify.py"), str(measure.EXTENSION), address, database, table]
    return command + ([str(threads)] if threads else []) + list(more)


def by_hand(release: str, address: str, threads: int) -> list[str]:
    """Returns the command that loads the same rows without Unify."""
    database = fresh(f"hand-{release}-{threads}")
    return [duckdb(release), str(HERE / "load_floor.py"), measure.tool("fetch"), address, database, str(threads), str(CONNECTIONS)]


def own(release: str, rows: Path, through_log: bool = False) -> dict[str, list[str]]:
    """Returns the commands that let DuckDB alone store the rows: a row group at a time as loads do, as one table on every core, and with all
    rows in the WAL first as a load does that is too small for a row group."""
    ways = {"groups": ("a row group at a time", 1), "table": ("one table", thread_counts()[-1])}
    if through_log:
        ways["log"] = ("through the WAL", 1)
    command = lambda way, count: [duckdb(release), str(HERE / "load_own.py"), str(rows), fresh(f"own-{way}"), str(count), way]
    return {f"DuckDB alone, {name}, {threads(count)}": command(way, count) for way, (name, count) in ways.items()}


def rows_of(address: str, rows: int) -> Path:
    """Returns a Parquet file of the rows as Unify loads them, made on first use."""
    path = ROWS / f"{rows}.parquet"
    if not path.exists():
        ROWS.mkdir(exist_ok=True)
        command = unify(RELEASES[0], address)
        measure.run(command)
        copy = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute(f\"COPY (FROM bench.repos) TO '{sys.argv[2]}'\")"
        subprocess.run([duckdb(RELEASES[0]), "-c", copy, command[4], str(path)], check=True)
        clear_work()
    return path


def duckdb(release: str) -> str:
    return measure.python_with(f"duckdb-{release}", f"duckdb=={release}")


def fresh(name: str) -> str:
    return str(WORK / f"{name.replace('/', '_')}.duckdb")


def thread_counts() -> list[int]:
    return sorted({1, os.cpu_count() or 1})


def threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def check_rows(runs: dict[str, Run], rows: int) -> None:
    for name, run in runs.items():
        if run.answer["rows"] != rows:
            sys.exit(f"{name} loaded {run.answer['rows']} rows of {rows}")


def measured(cases: dict[str, list[str]], repetitions: int) -> dict[str, Run]:
    """Runs all cases once, then all again, so that a slow minute of the machine hits all alike; each into a new database file."""
    once = []
    for _ in range(repetitions):
        once.append(measure.each_once(cases))
        clear_work()
    return {name: measure.median([runs[name] for runs in once]) for name in cases}


def table_of(runs: dict[str, Run], floor: Run) -> list[str]:
    lines = ["| | wall s | CPU s | peak MiB | wall ratio | CPU ratio | peak ratio |", "|---|---|---|---|---|---|---|"]
    for name, run in runs.items():
        figures = [f"{run.wall:.2f}", f"{run.cpu:.2f}", f"{run.peak_mib:.0f}"]
        figures += [f"{ratio:.2f}" for ratio in (run.wall / floor.wall, run.cpu / floor.cpu, run.peak_mib / floor.peak_mib)]
        lines.append(f"| {name} | {' | '.join('' if figure == 'nan' else figure for figure in figures)} |")
    return lines


def beside_floor(runs: dict[str, Run]) -> list[str]:
    """Returns the table of runs with their ratios to the faster way by hand."""
    return table_of(runs, floor_of(runs))


def floor_of(runs: dict[str, Run]) -> Run:
    """Returns the run of the faster way by hand."""
    return min((run for name, run in runs.items() if name.startswith("by hand")), key=lambda run: run.wall)
