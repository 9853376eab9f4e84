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


def soak(extension: Path, api: str, folder: Path, seed: int, seconds: float, quirks: str = "") -> list[str]:
    """Soaks every line at once, prints a summary of each and what went wrong as soon as it ends, and returns what went wrong."""
    began = time.monotonic()
    wanted = ledger_quirks.named(quirks) if quirks else frozenset(ledger_quirks.NAMES)

    def one(release: str) -> str | None:
        place = folder / release
        place.mkdir(parents=True)
        run = Soak(release, hosts.Surroundings(extension, place, api), seed, wanted)
        try:
            run.run(seconds)
        except Exception:  # noqa: BLE001: the other line goes on
            journal = "\n".join(run.journal)
            wrong = f"WRONG with seed {seed}\n{journal}\n{traceback.format_exc(limit=-4)}its files: {place}"
            print(wrong, flush=True)
            return wrong
        finally:
            print(f"seed {seed}, {run.summary()}; {time.monotonic() - began:.0f} s", flush=True)
        return None

    releases = hosts.RELEASES["tested"]["python"]
    with ThreadPoolExecutor(len(releases)) as pool:
        return [failure for failure in pool.map(one, releases) if failure]


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
        failures = soak(extension, api, folder, arguments.seed, arguments.minutes * 60, arguments.quirks)
    if failures:
        sys.exit(1)
    shutil.rmtree(folder)
    print("all was right")


if __name__ == "__main__":
    main()
