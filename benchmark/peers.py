"""`make bench-peers`: dlt on the same pages, with its defaults and tuned, in a virtual environment of its own."""

import argparse

import measure
from run import RELEASES, WORK, check_rows, clear_work, measured, table_of, unify

DLT = "1.31.0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--repetitions", type=int, default=1)
    options = parser.parse_args()
    release = RELEASES[0]
    python = measure.python_with("dlt", f"dlt[duckdb,parquet]=={DLT}", f"duckdb=={release}")
    clear_work()
    with measure.api(options.rows) as address:
        cases = {"Unify": unify(release, address)}
        for mode in ("tuned", "defaults"):
            cases[f"dlt rest_api, {mode}"] = [python, str(measure.PROJECT / "benchmark" / "load_dlt.py"), address, str(WORK / f"dlt-{mode}"), mode]
        runs = measured(cases, options.repetitions)
    check_rows(runs, options.rows)
    print(f"{options.rows:,} rows, DuckDB {release}, dlt {DLT}; ratios are against Unify\n")
    print("\n".join(table_of(runs, runs["Unify"])))


if __name__ == "__main__":
    main()
