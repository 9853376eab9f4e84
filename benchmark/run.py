"""`make bench`: Unify against what a clever user gets by hand, on the same pages, in the same minutes.

--quick runs everything once with a tenth of the rows; --repetitions N sets how often each case runs (3); --large adds tables of 1,000,000 and
3,000,000 rows, for which the server takes 10 GB of memory.
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
import picture
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
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--results", type=Path, default=HERE / "results.md")
    options = parser.parse_args()
    if options.quick:
        options.repetitions = 1
    scale = 10 if options.quick else 1
    clear_work()
    sizes = [10_000, 100_000, 300_000, *((1_000_000, 3_000_000) if options.large else ())]
    charts: list = []
    report = [*title(options), *load(options.repetitions, 100_000 // scale, charts), *stages(100_000 // scale, charts)]
    report += [*latency(options.repetitions, 20_000 // scale), *growth(options.repetitions, [rows // scale for rows in sizes], charts)]
    report += [*bodies(options.repetitions, 100_000 // scale), *parents(options.repetitions, 100_000 // scale)]
    report += [*fan_out(options.repetitions, 100_000 // scale), *refresh(2_000_000 // scale, 1_000), *extension()]
    shutil.rmtree(WORK)
    text = "\n".join(report) + "\n"
    options.results.write_text(text)
    picture.draw(options.results.with_suffix(".svg"), charts)
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


def load(repetitions: int, rows: int, charts: list) -> list[str]:
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
            bars = [(name, [(name.split(",")[0], run.wall)]) for name, run in runs.items()]
            charts.append((f"{rows:,} rows, DuckDB {release}: the whole process", "s", bars))
    return report


STAGES = {"unify-net": "network", "unify-conv": "parse and convert", "unify-load": "append, compress, commit"}


def stages(rows: int, charts: list) -> list[str]:
    """Where the CPU goes: threads are named after what they do."""
    report = ["", f"## CPU by what threads do, {rows:,} rows, 2 threads", ""]
    report += ["| | " + " | ".join(f"{stage} s" for stage in [*STAGES.values(), "the rest of the host"]) + " | all s |", "|---" * 6 + "|"]
    bars = []
    with measure.api(rows) as address:
        for release in RELEASES:
            run, seconds = measure.by_thread(unify(release, address, "repos", 2))
            check_rows({release: run}, rows)
            parts = {stage: sum(cpu for name, cpu in seconds.items() if name.startswith(prefix)) for prefix, stage in STAGES.items()}
            parts["the rest of the host"] = max(0.0, run.cpu - sum(parts.values()))
            figures = " | ".join(f"{cpu:.2f}" for cpu in [*parts.values(), run.cpu])
            report.append(f"| DuckDB {release} | {figures} |")
            bars.append((f"DuckDB {release}", list(parts.items())))
            clear_work()
    charts.append((f"CPU of {rows:,} rows by what threads do", "s", bars))
    return report


def bodies(repetitions: int, rows: int) -> list[str]:
    """All rows in one answer."""
    report = ["", f"## {rows:,} rows in one body"]
    for form in ("ndjson", "csv"):
        with measure.api(rows, 0, "--format", form) as address:
            for release in RELEASES:
                cases = {f"Unify, {threads(count)}": unify(release, address, form, count) for count in thread_counts()}
                for count in thread_counts():
                    command = [duckdb(release), str(HERE / "load_body.py"), form, address, fresh(f"hand-{form}-{count}"), str(count)]
                    cases[f"by hand, {threads(count)}"] = command
                runs = measured(cases, repetitions)
                check_rows(runs, rows)
                floor = min((run for name, run in runs.items() if name.startswith("by hand")), key=lambda run: run.wall)
                report += ["", f"### {form.upper()}, DuckDB {release}", "", *table_of(runs, floor)]
    return report


def parents(repetitions: int, rows: int) -> list[str]:
    """A request for each row of a parent, each with a page of rows; beside it the same pages as one resource."""
    report = ["", f"## {rows // PAGE_SIZE:,} parents with {PAGE_SIZE} rows each", ""]
    report += ["| | wall s | CPU s | peak MiB | wall, of one resource's |", "|---|---|---|---|---|"]
    with measure.api(rows) as address:
        for release in RELEASES:
            cases = {table: unify(release, address, table, 2) for table in ("owner_repos", "numbered_repos")}
            runs = measured(cases, repetitions)
            check_rows(runs, rows)
            run, flat = runs["owner_repos"], runs["numbered_repos"]
            report.append(f"| Unify, DuckDB {release} | {run.wall:.2f} | {run.cpu:.2f} | {run.peak_mib:.0f} | {run.wall / flat.wall:.2f} |")
    return report


def refresh(rows: int, changed: int, times: int = 5) -> list[str]:
    """A table that is there: what a refresh by updates costs."""
    report = ["", f"## Refreshes by updates of a table of {rows:,} small rows", ""]
    report += [f"| | that brings nothing, ms | that brings {changed:,} rows, ms |", "|---|---|---|"]
    with measure.api(PAGE_SIZE, 0, "--small-rows", str(rows)) as address:
        for release in RELEASES:
            database = fresh(f"refresh-{release}")
            command = [duckdb(release), str(HERE / "load_refresh.py"), str(measure.EXTENSION), address, database, str(changed), str(times)]
            answer = measure.run(command).answer
            if answer["rows"] != rows:
                sys.exit(f"after the refreshes the table has {answer['rows']} rows; expected {rows}")
            report.append(f"| DuckDB {release} | {answer['nothing'] * 1000:.0f} | {answer['some'] * 1000:.0f} |")
            clear_work()
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


def growth(repetitions: int, sizes: list[int], charts: list) -> list[str]:
    """Time should grow with the rows, memory should not."""
    release = RELEASES[-1]
    report = ["", f"## Growth, DuckDB {release}", "", "| rows | Unify wall s | peak MiB | by hand wall s | peak MiB |", "|---|---|---|---|---|"]
    bars = []
    for rows in sizes:
        with measure.api(rows) as address:
            cases = {"Unify": unify(release, address), "by hand": by_hand(release, address, thread_counts()[0])}
            runs = measured(cases, repetitions)
            check_rows(runs, rows)
            ours, floor = runs["Unify"], runs["by hand"]
            report.append(f"| {rows:,} | {ours.wall:.2f} | {ours.peak_mib:.0f} | {floor.wall:.2f} | {floor.peak_mib:.0f} |")
            bars += [(f"{rows:,} rows, {name}", [(name, run.peak_mib)]) for name, run in runs.items()]
    charts.append((f"Peak memory as tables grow, DuckDB {release}", "MiB", bars))
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
