"""The kill harness: loads that are killed, closed, cut off and short of disk at random moments, and must end as if nothing had happened.

`kill.py --kills 200 --seed 7` disturbs that many loads on each DuckDB line; `--case 12 --release 1.5.6` repeats one of them. Sources that
are not plain are drawn by chance; `--quirks expire,drift` gives every load these, `--quirks none` none.
"""

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import SystemRandom

import hosts
import ledger_quirks
from conftest import path_in
from kill_cases import case_of
from kill_run import Report, Run

# A line of what was done so far after so many cases.
PROGRESS = 25

# Of all loads that were disturbed, the part that must have had something stored: otherwise nothing was tested.
LEAST_RESUMED = 0.25


class Kills:
    """Runs cases and gathers what they came to."""

    def __init__(self, extension: Path, api: str, folder: Path, seed: int, quirks: str = ""):
        self.extension = extension
        self.api = api
        self.folder = folder
        self.seed = seed
        # Names of the quirks that every case has; empty: those that are drawn.
        self.quirks = quirks
        self.reports: list[Report] = []
        self.failures: list[str] = []

    def run(self, release: str, number: int) -> None:
        """Runs one case. A failure is noted with the way to repeat it, and its folder is kept."""
        case = case_of(self.seed, number, ledger_quirks.named(self.quirks) if self.quirks else None)
        folder = self.folder / f"{release}-{number}"
        folder.mkdir(parents=True)
        try:
            self.reports.append(Run(case, release, hosts.Surroundings(self.extension, folder, self.api)).run())
            shutil.rmtree(folder)
            if len(self.reports) % PROGRESS == 0:
                print(f"DuckDB {release}, {self.summary()}", flush=True)
        except Exception:  # noqa: BLE001: one case that fails must not hide the others
            self.failures.append(
                f"FAILED on DuckDB {release}: case {number} of seed {self.seed}: {case.describe()}\n{traceback.format_exc(limit=-3)}"
                f"its files: {folder}\nrepeat it: make kill SEED={self.seed} CASE={number} RELEASE={release}{f' QUIRKS={self.quirks}' if self.quirks else ''}\n"
            )
            print(self.failures[-1], flush=True)

    def counted(self) -> tuple[Counter[str], int, int]:
        """Returns the disturbances by what they were, how many left a part of the load stored, and how many requests were made."""
        disturbed = sum((report.disturbed for report in self.reports), Counter())
        return disturbed, sum(report.n_resumed for report in self.reports), sum(report.n_requests for report in self.reports)

    def summary(self) -> str:
        disturbed, n_resumed, n_requests = self.counted()
        return (
            f"seed {self.seed}: {len(self.reports)} loads right, {len(self.failures)} wrong; disturbed by "
            f"{', '.join(f'{how} {n}' for how, n in disturbed.most_common())}; a part was stored {n_resumed} times, started over "
            f"{sum(report.n_over for report in self.reports)} times; {n_requests} requests"
        )

    def check(self) -> None:
        """Fails when a case did, or when too few loads had anything to resume; of one case that is not asked."""
        assert not self.failures, "\n".join(self.failures)
        if len(self.reports) == 1:
            return
        disturbed, n_resumed, _ = self.counted()
        n_disturbed = disturbed.total() - disturbed["failed statements"]
        assert n_resumed >= LEAST_RESUMED * n_disturbed, f"too few of the disturbed loads had a part stored: {self.summary()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    parser.add_argument("--case", type=int)
    parser.add_argument("--release", action="append")
    parser.add_argument("--quirks", default="")
    arguments = parser.parse_args()
    releases = arguments.release or hosts.RELEASES["tested"]["python"]
    numbers = range(arguments.kills) if arguments.case is None else [arguments.case]
    extension = path_in("UNIFY_EXTENSION", "build/debug/unify.duckdb_extension", "build the extension first, or set UNIFY_EXTENSION")
    testapi = path_in("UNIFY_TESTAPI", "target/debug/testapi", "build it with 'cargo build -p testapi', or set UNIFY_TESTAPI")
    print(f"seed {arguments.seed}", flush=True)
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="unify-kill-"))
    with hosts.api_server(testapi) as api, ThreadPoolExecutor(len(releases)) as pool:
        kills = {release: Kills(extension, api, folder, arguments.seed, arguments.quirks) for release in releases}
        for _ in pool.map(lambda release: [kills[release].run(release, number) for number in numbers], releases):
            pass
    failed = False
    for release, run in kills.items():
        print(f"DuckDB {release}, {run.summary()}, {time.monotonic() - began:.0f} s", flush=True)
        try:
            run.check()
        except AssertionError as err:
            failed = True
            print("" if run.failures else err)
    if failed:
        sys.exit(1)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
