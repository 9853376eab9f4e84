"""`make bench`: Unify against what a clever user gets by hand, on the same pages, in the same minutes.

--quick runs everything once with a tenth of the rows; --repetitions N sets how often each case runs (3); --large adds tables of 1,000,000 and
3,000,000 rows, and refreshes of 10,000,000.
"""

import argparse
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import measure
import overheads
import picture
import sizes
from cases import CONNECTIONS, HERE, PAGE_SIZE, RELEASES, ROWS, WORK
from cases import beside_floor, by_hand, check_rows, clear_work, duckdb, floor_of, fresh, measured, own, rows_of, thread_counts, threads, unify
from measure import Run

IN_FLIGHT = 8
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
    shutil.rmtree(ROWS, ignore_errors=True)
    counts = [10_000, 300_000, *((1_000_000, 3_000_000) if options.large else ())]
    small_rows = 10_000_000 if options.large else 2_000_000
    charts: list = []
    report = [*title(options), *load(options.repetitions, 100_000 // scale, charts), *stages(100_000 // scale, charts)]
    report += sizes.growth(options.repetitions, [rows // scale for rows in counts], charts)
    report += sizes.memory([(300_000 // scale, 1), (20_000 // scale, 20), *([(3_000_000 // scale, 1)] if options.large else [])])
    report += [*latency(options.repetitions, 20_000 // scale), *overheads.fan_out(options.repetitions, 100_000 // scale)]
    report += [*overheads.refresh(small_rows // scale, 1_000), *overheads.waiting(), *overheads.names(), *overheads.extension()]
    report += [*parents(options.repetitions, 100_000 // scale), *bodies(options.repetitions, 100_000 // scale)]
    shutil.rmtree(WORK)
    shutil.rmtree(ROWS)
    text = "\n".join(report) + "\n"
    options.results.write_text(text)
    picture.draw(options.results.with_suffix(".svg"), charts)
    print(text)


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
        "take their time, the figure is that of the statement that loads: the ideal knows no start of a process. `DuckDB alone` stores",
        "the same rows from memory, on the threads named: what is measured is only the storing. Tables of 1,000,000 rows and more are",
        "measured once.",
    ]


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
            cases |= own(release, rows_of(address, rows), through_log=True)
            runs = measured(cases, repetitions)
            check_rows(runs, rows)
            report += ["", f"### DuckDB {release}", "", *beside_floor(runs), "", *steps(runs)]
            bars = [(name, [(name.split(",")[0], run.wall)]) for name, run in runs.items()]
            charts.append((f"{rows:,} rows, DuckDB {release}: the whole process", "s", bars))
    return report


def steps(runs: dict[str, Run]) -> list[str]:
    """What of a process is the start, the statement that loads, and the close of the file; and the statement's part of the whole by hand."""
    floor = floor_of(runs)
    lines = ["| | start s | statement s | close s | statement ratio |", "|---|---|---|---|---|"]
    for name, run in runs.items():
        if name.startswith("Unify"):
            rest = run.wall - run.statement - run.close
            lines.append(f"| {name} | {rest:.2f} | {run.statement:.2f} | {run.close:.2f} | {run.statement / floor.wall:.2f} |")
    return lines


STAGES = {"unify-net": "network", "unify-conv": "parse and convert", "unify-load": "append, compress, commit"}


def stages(rows: int, charts: list) -> list[str]:
    """Where the CPU goes: threads are named after what they do."""
    report = ["", f"## CPU by what threads do, {rows:,} rows, {threads(thread_counts()[-1])}", ""]
    report += ["| | " + " | ".join(f"{stage} s" for stage in [*STAGES.values(), "the rest of the host"]) + " | all s |", "|---" * 6 + "|"]
    bars = []
    with measure.api(rows) as address:
        for release in RELEASES:
            run, seconds = measure.by_thread(unify(release, address, "repos", thread_counts()[-1]))
            check_rows({release: run}, rows)
            parts = {stage: sum(cpu for name, cpu in seconds.items() if name.startswith(prefix)) for prefix, stage in STAGES.items()}
            parts["the rest of the host"] = max(0.0, run.cpu - sum(parts.values()))
            figures = " | ".join(f"{cpu:.2f}" for cpu in [*parts.values(), run.cpu])
            report.append(f"| DuckDB {release} | {figures} |")
            bars.append((f"DuckDB {release}", list(parts.items())))
            clear_work()
    charts.append((f"CPU of {rows:,} rows by what threads do", "s", bars))
    return report


def latency(repetitions: int, rows: int, latency_ms: int = 50) -> list[str]:
    """Every answer takes its time: what counts is how many requests are in flight."""
    pages = rows // PAGE_SIZE
    ideal = pages / IN_FLIGHT * latency_ms / 1000
    report = ["", f"## {rows:,} rows, {pages} pages, {latency_ms} ms for each answer", ""]
    report += [f"Ideal: {pages} pages / {IN_FLIGHT} in flight x {latency_ms} ms = {ideal:.2f} s.", ""]
    report += ["| | statement s | ratio to the ideal | most in flight | connections |", "|---|---|---|---|---|"]
    with measure.api(rows, latency_ms) as address, tempfile.TemporaryDirectory() as folder:
        command = [measure.tool("fetch"), "--url", f"{address}/repos", "--connections", str(IN_FLIGHT), "--folder", folder]
        fetched = measured({"saved": command}, repetitions)["saved"].statement
        asked = measure.stats(address)
        figures = f"{fetched:.2f} | {fetched / ideal:.2f} | {asked['most_in_flight']} | {asked['connections'] / repetitions:.0f}"
        report.append(f"| no load: the same HTTP client saves the pages to files | {figures} |")
    with measure.api(rows) as address:
        stored = {release: measured(own(release, rows_of(address, rows)), repetitions) for release in RELEASES}
    for release in RELEASES:
        for name, table in PAGINGS.items():
            for way, flags, options in ways_there():
                with measure.api(rows, latency_ms, *flags) as address:
                    runs = measured({f"Unify, {name}, {way}, DuckDB {release}": unify(release, address, table, None, *options)}, repetitions)
                    check_rows(runs, rows)
                    asked = measure.stats(address)
                    for case, run in runs.items():
                        figures = f"{run.statement:.2f} | {run.statement / ideal:.2f} | {asked['most_in_flight']} | {asked['connections'] / repetitions:.0f}"
                        report.append(f"| {case} | {figures} |")
    report += ["", "What DuckDB alone takes to store these rows, which the ideal does not know:", ""]
    for release, runs in stored.items():
        report += [f"- DuckDB {release}: " + ", ".join(f"{name.removeprefix('DuckDB alone, ')} {run.wall:.2f} s" for name, run in runs.items())]
    return report


def ways_there() -> list[tuple[str, list[str], list[str]]]:
    """Returns the ways to reach the server: their names, the server's flags and the connection's options."""
    certificate, key = measure.certificate()
    shown = ["--certificate", certificate, "--key", key]
    options = [f"ca_certificate={certificate}"]
    return [("HTTP", [], []), ("HTTPS", shown, options), ("HTTP/2", [*shown, "--protocol", "h2"], options)]


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
                report += ["", f"### {form.upper()}, DuckDB {release}", "", *beside_floor(runs)]
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


if __name__ == "__main__":
    main()
