"""Tables of many sizes: what their rows take, and the memory."""

import measure
from cases import HERE, RELEASES
from cases import beside_floor, by_hand, check_rows, clear_work, duckdb, fresh, measured, own, rows_of, thread_counts, threads, unify

# A larger table is measured once: it takes minutes.
MOST_REPEATED = 300_000
# Beyond it only one release is measured.
MOST_COMPARED = 1_000_000


def growth(repetitions: int, counts: list[int], charts: list) -> list[str]:
    """Time should grow with the rows, memory should not."""
    report, bars = [], []
    for rows in counts:
        with measure.api(rows) as address:
            for release in [RELEASES[0], RELEASES[-1]] if rows <= MOST_COMPARED else RELEASES[-1:]:
                cases = {f"Unify, {threads(count)}": unify(release, address, "numbered_repos", count) for count in thread_counts()}
                cases |= {f"by hand, {threads(count)}": by_hand(release, address, count) for count in thread_counts()}
                cases |= own(release, rows_of(address, rows))
                runs = measured(cases, repetitions if rows <= MOST_REPEATED else 1)
                check_rows(runs, rows)
                report += ["", f"## {rows:,} rows, DuckDB {release}", "", *beside_floor(runs)]
                if release == RELEASES[-1]:
                    bars += [(f"{rows:,} rows, {name}", [(name, runs[f"{name}, 1 thread"].peak_mib)]) for name in ("Unify", "by hand")]
    charts.append((f"Peak memory as tables grow, DuckDB {RELEASES[-1]}, 1 thread", "MiB", bars))
    return report


def memory(cases: list[tuple[int, int]]) -> list[str]:
    """The memory of the process, and what of it is DuckDB's own."""
    report = ["", "## Memory above that of the process before the loads", ""]
    report += ["| | most MiB | most MiB that `duckdb_memory()` counts | the rest MiB |", "|---|---|---|---|"]
    for rows, n_tables in cases:
        with measure.api(rows) as address:
            for release in [RELEASES[0], RELEASES[-1]]:
                loaded = fresh(f"memory-{rows}")
                command = [duckdb(release), str(HERE / "load_memory.py"), str(measure.EXTENSION), address, loaded, str(n_tables)]
                name = f"{n_tables} tables of {rows:,} rows at once" if n_tables > 1 else f"{rows:,} rows"
                runs = {f"{name}, DuckDB {release}": measure.run(command)}
                if n_tables == 1:
                    alone = [duckdb(release), str(HERE / "own_memory.py"), loaded, fresh("own-memory")]
                    runs[f"{name}, DuckDB {release} alone, from file to file"] = measure.run(alone)
                check_rows(runs, rows * n_tables)
                for name, run in runs.items():
                    most, counted = run.answer["most_mib"], run.answer["counted_mib"]
                    report.append(f"| {name} | {most:.0f} | {counted:.0f} | {most - counted:.0f} |")
                clear_work()
    return report
