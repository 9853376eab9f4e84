"""`make bench-peers`: dlt and Airbyte on the same pages, each in a virtual environment of its own. Writes peers.md.

--rows N and --repetitions N set how many rows there are (20,000) and how often each case runs (1).
"""

import argparse
import shutil

import measure
from cases import HERE, RELEASES, WORK, check_rows, clear_work, measured, table_of, thread_counts, unify

DLT = "1.31.0"
AIRBYTE = "0.71.3"
LATENCY_MS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--repetitions", type=int, default=1)
    options = parser.parse_args()
    report = [
        "# Peers",
        "",
        f"Written by `make bench-peers`: {options.rows:,} rows, {options.rows // 100:,} pages, DuckDB {RELEASES[0]}, dlt {DLT}, PyAirbyte {AIRBYTE}",
        f"with the DuckDB it asks for; {thread_counts()[-1]} cores, {runs_of(options.repetitions)}. Figures are of whole processes; ratios are",
        "against Unify's first line. `parallel` and `parents` ask for each parent's page. Airbyte's CDK only reads, it stores nothing.",
    ]
    for latency_ms in (0, LATENCY_MS):
        with measure.api(options.rows, latency_ms) as address:
            runs = measured(cases(address), options.repetitions)
        check_rows(runs, options.rows)
        report += ["", f"## {latency_ms} ms for each answer", "", *table_of(runs, runs["Unify, one list"])]
    shutil.rmtree(WORK)
    text = "\n".join(report) + "\n"
    (HERE / "peers.md").write_text(text)
    print(text)


def runs_of(repetitions: int) -> str:
    return "one run each" if repetitions == 1 else f"medians of {repetitions} runs"


def cases(address: str) -> dict[str, list[str]]:
    """Returns the command of each way to load the rows."""
    clear_work()
    release = RELEASES[0]
    dlt = measure.python_with("dlt", f"dlt[duckdb,parquet]=={DLT}", f"duckdb=={release}")
    airbyte = measure.python_with("airbyte", f"airbyte=={AIRBYTE}")
    commands = {"Unify, one list": unify(release, address), "Unify, parents": unify(release, address, "owner_repos")}
    for mode in ("tuned", "parallel", "defaults"):
        commands[f"dlt rest_api, {mode}"] = [dlt, str(HERE / "load_dlt.py"), address, str(WORK / f"dlt-{mode}"), mode]
    for mode, name in {"read": "Airbyte's low-code CDK", "duckdb": "PyAirbyte"}.items():
        commands[name] = [airbyte, str(HERE / "load_airbyte.py"), address, str(WORK / f"airbyte-{mode}"), mode]
    return commands


if __name__ == "__main__":
    main()
