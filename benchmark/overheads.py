"""What a thing costs beside its rows: requests, refreshes, waiting, names, and the extension itself."""

import sys

import measure
from cases import HERE, PAGE_SIZE, RELEASES, check_rows, clear_work, duckdb, fresh, measured, unify


def fan_out(repetitions: int, requests: int) -> list[str]:
    """Many parameter sets with one small answer each: what counts is what a request costs beside its rows."""
    report = ["", f"## {requests:,} parameter sets, an answer of one row each", ""]
    report += ["| | wall s | CPU s | CPU ms a request | peak MiB |", "|---|---|---|---|---|"]
    with measure.api(PAGE_SIZE) as address:
        cases = {f"Unify, DuckDB {release}": unify(release, address, "items", None, f"items={requests}") for release in RELEASES}
        runs = measured(cases, repetitions)
        check_rows(runs, requests)
        for name, run in runs.items():
            report.append(f"| {name} | {run.wall:.2f} | {run.cpu:.2f} | {run.cpu / requests * 1000:.3f} | {run.peak_mib:.0f} |")
    return report


def refresh(rows: int, changed: int, times: int = 7) -> list[str]:
    """A table that is there: what a refresh by updates costs."""
    report = ["", f"## Refreshes by updates of a table of {rows:,} small rows", ""]
    report += [f"| | that brings nothing, ms | that brings {changed:,} rows, ms | a commit of one row by DuckDB alone, ms |"]
    report.append("|---|---|---|---|")
    with measure.api(PAGE_SIZE, 0, "--small-rows", str(rows)) as address:
        for release in RELEASES:
            database = fresh(f"refresh-{release}")
            command = [duckdb(release), str(HERE / "load_refresh.py"), str(measure.EXTENSION), address, database, str(changed), str(times)]
            answer = measure.run(command).answer
            if answer["rows"] != rows:
                sys.exit(f"after the refreshes the table has {answer['rows']} rows; expected {rows}")
            figures = [answer["nothing"] * 1000, answer["some"] * 1000, answer["commit"] * 1000]
            report.append(f"| DuckDB {release} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |")
            clear_work()
    return report


def waiting(seconds: int = 5) -> list[str]:
    """A statement that waits for an answer: its CPU beside that of one whose answer comes at once."""
    report = ["", f"## A statement that waits {seconds} s for the answer", "", "| | wall s | CPU ms | CPU ms, answer at once |", "|---|---|---|---|"]
    for release in RELEASES:
        answers = []
        for latency_ms in (seconds * 1000, 0):
            with measure.api(PAGE_SIZE, latency_ms) as address:
                command = [duckdb(release), str(HERE / "waiting.py"), str(measure.EXTENSION), address, fresh("waiting")]
                answers.append(measure.run(command).answer)
                clear_work()
        late, soon = answers
        report.append(f"| DuckDB {release} | {late['seconds']:.2f} | {late['cpu'] * 1000:.0f} | {soon['cpu'] * 1000:.0f} |")
    return report


def names(counts: tuple[int, ...] = (4, 64)) -> list[str]:
    """What names cost, by the number of connections."""
    report = ["", "## Statements about a loaded table, by the number of connections, ms", ""]
    lines = []
    with measure.api(PAGE_SIZE) as address:
        for release in RELEASES:
            for count in counts:
                command = [duckdb(release), str(HERE / "catalog.py"), str(measure.EXTENSION), address, fresh("catalog"), str(count)]
                times = measure.run(command).answer["times"]
                lines.append(f"| DuckDB {release}, {count} connections | " + " | ".join(f"{time:.2f}" for time in times.values()) + " |")
                clear_work()
    return [*report, "| | " + " | ".join(times) + " |", "|---" * (len(times) + 1) + "|", *lines]


def extension() -> list[str]:
    """The binary itself: its size, LOAD, and its cost for statements that are not its business."""
    report = ["", "## The extension", "", f"- {measure.EXTENSION.stat().st_size / 1e6:.1f} MB"]
    for release in RELEASES:
        answer = measure.run([duckdb(release), str(HERE / "statements.py"), str(measure.EXTENSION)]).answer
        cost = answer["with_us"] / answer["without_us"] - 1
        report.append(
            f"- DuckDB {release}: LOAD takes {answer['load_extension'] * 1000:.1f} ms; a SELECT on a small table takes "
            f"{answer['without_us']:.0f} µs without Unify and {answer['with_us']:.0f} µs with it ({cost:+.1%})"
        )
    return report
