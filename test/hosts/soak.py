"""The soak: both DuckDB lines side by side, at random, for as long as one likes. See soak_run.py.

`--quirks expire,drift` lets sources be like that and no other way, `--quirks none` lets all of them be plain. What happens comes from the
seed; when it happens depends on the machine too, so a seed repeats the kind of run rather than each step.
"""

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import SystemRandom

import hosts
import ledger_quirks
from conftest import path_in
from soak_run import Soak


def soak(extension: Path, api: str, folder: Path, seed: int, seconds: float, quirks: str = "") -> bool:
    """Soaks every line at once, prints a summary of each and at once what goes wrong, and returns whether all was right."""
    began = time.monotonic()
    wanted = ledger_quirks.named(quirks) if quirks else frozenset(ledger_quirks.NAMES)

    def one(release: str) -> bool:
        place = folder / release
        place.mkdir(parents=True)
        run = Soak(release, hosts.Surroundings(extension, place, api), seed, wanted)
        try:
            run.run(seconds)
        except Exception:  # noqa: BLE001: the other line goes on
            journal = "\n".join(run.journal)
            print(f"WRONG with seed {seed}\n{journal}\n{traceback.format_exc(limit=-4)}its files: {place}", flush=True)
            return False
        finally:
            print(f"seed {seed}, {run.summary()}; {time.monotonic() - began:.0f} s", flush=True)
        return True

    releases = hosts.RELEASES["tested"]["python"]
    with ThreadPoolExecutor(len(releases)) as pool:
        return all(list(pool.map(one, releases)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    parser.add_argument("--quirks", default="")
    arguments = parser.parse_args()
    extension = path_in("UNIFY_EXTENSION", "build/debug/unify.duckdb_extension", "build the extension first, or set UNIFY_EXTENSION")
    testapi = path_in("UNIFY_TESTAPI", "target/debug/testapi", "build it with 'cargo build -p testapi', or set UNIFY_TESTAPI")
    print(f"seed {arguments.seed}, {arguments.minutes} minutes", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="unify-soak-"))
    with hosts.api_server(testapi) as api:
        was_right = soak(extension, api, folder, arguments.seed, arguments.minutes * 60, arguments.quirks)
    if not was_right:
        sys.exit(1)
    shutil.rmtree(folder)
    print("all was right")


if __name__ == "__main__":
    main()
