"""Tells which DuckDB releases the registries have that releases.json lacks, and what each takes: releases.py [RELEASE...].

For each of them (or for the releases named) it fetches the headers, compiles the bridge and compares the object with those of the known
lines. It changes nothing; CONTRIBUTING.md says what to do with the answer.
"""

import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import headers
import objects

ROOT = headers.ROOT
CONFIG = json.loads((ROOT / "extension_config" / "releases.json").read_text())
BRIDGE = ROOT / "src" / "ffi" / "bridge" / "bridge.cpp"
OBJECTS = ROOT / "build" / "headers" / "objects"
# Sources of DuckDB whose definitions the bridge repeats by hand: no compiler sees when they change.
REPEATED = ("capi_internal.hpp", "capi_internal_table.hpp", "copy_function-c.cpp", "constants.cpp", "client_context.cpp")


@dataclass
class Finding:
    """What the bridge of a release is like."""

    release: str
    # The line whose objects are nearest, and the sections that differ from them; None when it does not compile.
    nearest: str | None
    differing: list[str]
    # The first error of the compiler, or the files of REPEATED that are not those of the nearest line.
    notes: list[str]


def numbers_of(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def newer_unknown(known: list[str], offered: list[str]) -> list[str]:
    """Returns the releases offered, oldest first, that are newer than the oldest known one and not known."""
    plain = [release for release in offered if re.fullmatch(r"\d+\.\d+\.\d+", release)]
    return sorted((release for release in plain if release not in known and numbers_of(release) > numbers_of(known[0])), key=numbers_of)


def release_of_crate(version: str) -> str:
    """Returns the DuckDB release that a libduckdb-sys is of: 1.20001.0 has 2.0.1."""
    number = int(version.split(".")[1])
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


@functools.cache
def compile_bridge(release: str) -> tuple[pathlib.Path | None, str]:
    """Compiles the bridge against a release. Returns the object, or None and the first error."""
    sources = headers.headers_of(release)
    folders = sorted(path for path in (sources / "third_party").iterdir() if path.is_dir())
    includes = [sources / "src" / "include", sources, *(part for path in folders for part in (path / "include", path))]
    OBJECTS.mkdir(parents=True, exist_ok=True)
    built = OBJECTS / f"{release}.o"
    family = "_".join(release.split(".")[:2])
    # Names and paths are the same for all releases, or no two objects were alike.
    command = [os.environ.get("CXX", "c++"), "-w", "-fPIC", *CONFIG["bridge_flags"], f"-fmacro-prefix-map={sources}=duckdb"]
    command += ["-Dduckdb=duckdb_line", "-DUNIFY_LINE=line", f"-DUNIFY_DUCKDB_{family}", *(f"-I{path}" for path in includes)]
    done = subprocess.run([*command, "-c", str(BRIDGE), "-o", str(built)], check=False, stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        return built, ""
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    return None, (errors or done.stderr.splitlines() or ["the compiler ended without a word"])[0]


def texts_of(release: str) -> dict[str, str]:
    sources = headers.headers_of(release)
    return {name: "".join(path.read_text() for path in sorted(sources.rglob(name))) for name in REPEATED}


def find(release: str, lines: dict[str, str]) -> Finding:
    """Compares a release with each line, of which one release is given."""
    built, error = compile_bridge(release)
    if built is None:
        return Finding(release, None, [], [error])
    differing = {}
    for line, example in lines.items():
        known, error = compile_bridge(example)
        if known is None:
            sys.exit(f"releases.py: the bridge of line '{line}' does not compile against {example}: {error}")
        differing[line] = objects.differing(built, known)
    nearest = min(lines, key=lambda line: len(differing[line]))
    theirs, known = texts_of(release), texts_of(lines[nearest])
    return Finding(release, nearest, differing[nearest], [name for name in REPEATED if theirs[name] != known[name]])


def advice(finding: Finding) -> str:
    """Returns what to do about a finding."""
    if finding.nearest is None:
        return f"does not compile: {finding.notes[0]}"
    look = f"; read first what changed in {', '.join(finding.notes)}, which supplied.hpp repeats" if finding.notes else ""
    if not finding.differing:
        return f"the objects of line '{finding.nearest}': add it to the releases of that line{look}"
    name = "v" + finding.release.replace(".", "_")
    line = {"name": name, "headers": {"python": finding.release}, "releases": [f"v{finding.release}"]}
    return f"differs from '{finding.nearest}' in {len(finding.differing)} sections: a line of its own, {json.dumps(line)}{look}"


def offered(project: str, folder: pathlib.Path) -> list[str]:
    """Returns the versions that pip finds of a project, newest first."""
    found = re.search(r"Available versions: (.*)", headers.pip("index", "versions", project, folder=folder))
    return found[1].split(", ") if found else []


def print_hosts(folder: pathlib.Path) -> None:
    """Prints what the registries have of what releases.json names beside DuckDB itself."""
    tested = CONFIG["tested"]
    npm = subprocess.run(["npm", "view", "@duckdb/node-api", "version"], check=False, stdout=subprocess.PIPE, text=True).stdout.strip()
    crate = subprocess.run(["cargo", "info", "--quiet", "libduckdb-sys"], check=False, stdout=subprocess.PIPE, text=True, cwd=folder).stdout
    crate = next((line.split()[1] for line in crate.splitlines() if line.startswith("version:")), "")
    print(f"command line  duckdb-cli {(offered('duckdb-cli', folder) or ['?'])[0]}; tested: {', '.join(tested['cli'])}")
    print(f"Node          @duckdb/node-api {npm or '?'}; tested: {', '.join(tested['node'])}")
    print(f"headers       libduckdb-sys {crate}, of DuckDB {release_of_crate(crate)}" if crate else "headers       libduckdb-sys ?")


def main() -> None:
    known = [release.removeprefix("v") for line in CONFIG["lines"] for release in line["releases"]]
    with tempfile.TemporaryDirectory() as name:
        asked = sys.argv[1:] or newer_unknown(known, offered("duckdb", pathlib.Path(name)))
        print_hosts(pathlib.Path(name))
    lines = {line["name"]: line["releases"][-1].removeprefix("v") for line in CONFIG["lines"]}
    print(f"supported     {', '.join(known)}")
    for release in asked:
        print(f"{release:<13} {advice(find(release, lines))}", flush=True)
    if not asked:
        print("the registry has no newer DuckDB release, and none between them: nothing to add")


if __name__ == "__main__":
    main()
