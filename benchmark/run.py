"""`make bench`: Unify against what a clever user gets by hand, on the same pages, in the same minutes.

--quick runs everything once with a tenth of the rows; --repetitions N sets how often each case runs (3).
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import measure
from measure import Run

RELEASES = json.loads((measure.PROJECT / "extension_config" / "releases.json").read_text())["tested"]["python"]
HERE = measure.PROJECT / "benchmark"
WORK = measure.BUILD / "work"
CONNECTIONS = 4
IN_FLIGHT = 8
PAGE_SIZE = 100
PAGINGS = {"Link header": "repos", "page numbers": "numbered_repos"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--results", type=Path, default=HERE / "results.md")
    options = parser.parse_args()
    if options.quick:
        options.repetitions = 1
    scale = 10 if options.quick else 1
    clear_work()
    report = [*title(options), *load(options.repetitions, 100_000 // scale), *latency(options.repetitions, 20_000 // scale)]
    report += [*growth(options.repetitions, [rows // scale for rows in (10_000, 100_000, 300_000)])]
    report += [*fan_out(options.repetitions, 100_000 // scale), *extension()]
    shutil.rmtree(WORK)
    text = "\n".join(report) + "\n"
    options.results.write_text(text)
    print(text)


def clear_work() -> None:
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)


def title(options: argparse.Namespace) -> list[str]:
    """Says what was measured, where and with which versions."""
    output = lambda *command: subprocess.run(command, capture_output=True, text=True, cwd=measure.PROJECT).stdout.strip()
    commit = output("git", "rev-parse", "--short", "HEAD") + (" with changes" if output("git", "status", "--porcelain", "src") else "")
    kind = "one run each, a tenth of the rows: no figures to quote" if options.quick else f"medians of {options.repetitions} runs"
    return [
        "# Results",
        "",
        f"Written by `make bench` at commit {commit}, {output('rustc', '--version')}, DuckDB {' and '.join(RELEASES)}, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores; {kind}.",
        "Figures are of the whole host process: wall, CPU with all children, peak memory. `by hand` fetches the pages to files over",
        f"{CONNECTIONS} connections and reads them with `read_json`; ratios are against the faster of its thread counts. Where answers",
        "take their time, the figure is that of the statement that loads: the ideal knows no start of a process.",
    ]


def unify(release: str, address: str, table: str = "repos", threads: int | None = None, *more: str) -> list[str]:
    """Returns the command that loads a table with Unify, with as many DuckDB threads as it takes by itself if none are given."""
    database = fresh("-".join(["unify", release, table, str(threads), *more]))
    command = [duckdb(release), str(HERE / "load_unify.py"), str(measure.EXTENSION), address, database, table]
    return command + ([str(threads)] if threads else []) + list(more)


def by_hand(release: str, address: str, threads: int) -> list[str]:
    """Returns the command that loads the same rows without Unify."""
    database = fresh(f"hand-{release}-{threads}")
    return [duckdb(release), str(HERE / "load_floor.py"), measure.tool("fetch"), address, database, str(threads), str(CONNECTIONS)]


def duckdb(release: str) -> str:
    return measure.python_with(f"duckdb-{release}", f"duckdb=={release}")


def fresh(name: str) -> str:
    return str(WORK / f"{name}.duckdb")


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
        ratios = (run.wall / floor.wall, run.cpu / floor.cpu, run.peak_mib / floor.peak_mib)
        figures = f"{run.wall:.2f} | {run.cpu:.2f} | {run.peak_mib:.0f} | " + " | ".join(f"{ratio:.2f}" for ratio in ratios)
        lines.append(f"| {name} | {figures} |")
    return lines


def load(repetitions: int, rows: int) -> list[str]:
    """The main case: no latency, everything is work."""
    report = ["", f"## {rows:,} rows, {rows // PAGE_SIZE:,} pages, no latency"]
    with measure.api(rows) as address:
        for release in RELEASES:
            cases = {}
            for name, table in PAGINGS.items():
                cases |= {f"Unify, {name}, {threads(count)}": unify(release, address, table, count) for count in thread_counts()}
            cases["Unify, LOAD TABLE first, 1 thread"] = unify(release, address, "repos", 1, "load")
            cases |= {f"by hand, {threads(count)}": by_hand(release, address, count) for count in thread_counts()}
            runs = measured(cases, repetitions)
            check_rows(runs, rows)
            floor = min((run for name, run in runs.items() if name.startswith("by hand")), key=lambda run: run.wall)
            report += ["", f"### DuckDB {release}", "", *table_of(runs, floor)]
    return report


def latency(repetitions: int, rows: int, latency_ms: int = 50) -> list[str]:
    """Every answer takes its time: what counts is how many requests are in flight."""
    pages = rows // PAGE_SIZE
    ideal = pages / IN_FLIGHT * latency_ms / 1000
    report = ["", f"## {rows:,} rows, {pages} pages, {latency_ms} ms for each answer", ""]
    report += [f"Ideal: {pages} pages / {IN_FLIGHT} in flight x {latency_ms} ms = {ideal:.2f} s.", ""]
    report += ["| | statement s | ratio to the ideal | most in flight |", "|---|---|---|---|"]
    for release in RELEASES:
        for name, table in PAGINGS.items():
            with measure.api(rows, latency_ms) as address:
                runs = measured({f"Unify, {name}, DuckDB {release}": unify(release, address, table)}, repetitions)
                check_rows(runs, rows)
                in_flight = measure.stats(address)["most_in_flight"]
                for case, run in runs.items():
                    report.append(f"| {case} | {run.statement:.2f} | {run.statement / ideal:.2f} | {in_flight} |")
    return report


def growth(repetitions: int, sizes: list[int]) -> list[str]:
    """Time should grow with the rows, memory should not."""
    release = RELEASES[-1]
    report = ["", f"## Growth, DuckDB {release}", "", "| rows | Unify wall s | peak MiB | by hand wall s | peak MiB |", "|---|---|---|---|---|"]
    for rows in sizes:
        with measure.api(rows) as address:
            cases = {"Unify": unify(release, address), "by hand": by_hand(release, address, thread_counts()[0])}
            runs = measured(cases, repetitions)
            check_rows(runs, rows)
            ours, floor = runs["Unify"], runs["by hand"]
            report.append(f"| {rows:,} | {ours.wall:.2f} | {ours.peak_mib:.0f} | {floor.wall:.2f} | {floor.peak_mib:.0f} |")
    return report


def fan_out(repetitions: int, requests: int) -> list[str]:
    """Many parameter sets with one small answer each: what counts is what a request costs beside its rows."""
    report = ["", f"## {requests:,} parameter sets, an answer of one row each", "", "| | wall s | CPU s | CPU ms a request | peak MiB |", "|---|---|---|---|---|"]
    with measure.api(PAGE_SIZE) as address:
        cases = {f"Unify, DuckDB {release}": unify(release, address, "items", None, f"items={requests}") for release in RELEASES}
        runs = measured(cases, repetitions)
        check_rows(runs, requests)
        for name, run in runs.items():
            report.append(f"| {name} | {run.wall:.2f} | {run.cpu:.2f} | {run.cpu / requests * 1000:.3f} | {run.peak_mib:.0f} |")
    return report


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


if __name__ == "__main__":
    main()
