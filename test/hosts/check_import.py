"""Imports API descriptions and loads each table of the specs from mocks of the same descriptions (Prism): which load, and why others do not.

check_import.py [--at-least N] DESCRIPTION...: JSON or YAML, also gzipped. `setup.py prism` installs the mock. Fails when one has fewer than N
tables that load. The import reads the whole description; the mock gets a few tables' requests at a time, see mock_description.py. The mock gives
each page the same rows and tokens, and links to the vendor. Where that makes a load fail, all tables of the mock are loaded once more, of a spec
without paging.
"""

import argparse
import gzip
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass

import hosts
import mock_description
import servers

# How many tables one mock serves, and how long it may take to start, and a table to load.
N_OF_MOCK = 40
SECONDS = 300
TABLE_SECONDS = 60
# What a table's outcome is counted under: its error without what only it has.
PLACES = re.compile(r"connection '[^']*', table '[^']*': |(?:GET|POST) \S+ |https?://\S+|'[^']*'|\d+")
# What a load says whose next page is the same page, or at the vendor's own address.
MORE_PAGES = re.compile("returned the same page twice|which is not the adapter's host")
# Reads a description as the mock does.
TO_JSON = "process.stdout.write(JSON.stringify(require('@stoplight/yaml').parse(require('fs').readFileSync(process.argv[1], 'utf8'))))"

IMPORTING = """
    import json, time
    con = connect()
    con.execute("SET enable_progress_bar = false")
    begun = time.monotonic()
    spec = con.execute("SELECT spec FROM unify_import_openapi({name!r})").fetchall()[0][0]
    print(json.dumps([spec, time.monotonic() - begun]))
"""
LOADING = """
    import json, os
    con = connect("{specs}.duckdb")
    con.execute("SET GLOBAL unify_spec_path = '{specs}'")
    for setting in ("enable_progress_bar = false", "GLOBAL unify_load_timeout = {seconds}"):
        con.execute("SET " + setting)
    for name in {names!r}:
        try:
            rows = con.execute('SELECT count(*) FROM api."' + name + '"').fetchone()[0]
            print(json.dumps([name, rows, None]), flush=True)
        except duckdb.Error as err:
            print(json.dumps([name, None, str(err).splitlines()[0]]), flush=True)
    os._exit(0)
"""


@dataclass
class Table:
    """A table of an imported spec: where it is asked for, and the table that its params come from."""

    name: str
    path: str
    parent: str | None


@dataclass
class Outcome:
    """What a table did: its rows, or its error."""

    name: str
    rows: int | None
    error: str | None
    # Whether only the first page was asked for.
    is_one_page: bool = False


def json_of(path: pathlib.Path) -> dict:
    """Returns a description, whatever it is written in."""
    folder = servers.installed("prism/node_modules/@stoplight/prism-cli/dist/index.js", "prism").parents[4]
    done = subprocess.run(["node", "-e", TO_JSON, str(path)], cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def tables_of(spec: str) -> list[Table]:
    """Returns the tables of a spec that the importer wrote, parents before those that need them."""
    found = []
    for block in re.split(r"^  - name: ", spec.partition("\ntables:\n")[2], flags=re.M)[1:]:
        name = block.splitlines()[0].strip('"')
        path = re.search(r"^    resource_path: (.*)$", block, flags=re.M)[1].strip('"')
        parent = re.search(r"sql@\(SELECT .* FROM \"?(\w+)", block)
        found.append(Table(name, path, parent and parent[1]))
    of_name = {table.name: table for table in found}
    return sorted(found, key=lambda table: len(with_parents(table, of_name)))


def with_parents(table: Table, of_name: dict[str, Table]) -> list[Table]:
    found = [table]
    while found[-1].parent in of_name:
        found.append(of_name[found[-1].parent])
    return found


def mocked(spec: str, address: str) -> tuple[str, dict[str, str]]:
    """Returns the spec for the mock, and the options of its connection: the mock has the description's paths alone, and takes any credential."""
    spec = re.sub(r"^name: .*$", "name: api", spec, count=1, flags=re.M)
    spec = re.sub(r"^base_url: .*$", f"base_url: {address}", spec, count=1, flags=re.M)
    spec = re.sub(r"^    base_url: .*\n", "", spec, flags=re.M)
    of_auth = {"type: BEARER": ["bearer_token"], "type: BASIC": ["username", "password"]}
    names = re.findall(r"\{option: (\w+)", spec) + next((names for kind, names in of_auth.items() if kind in spec), [])
    options = dict.fromkeys(names, servers.KEY)
    # An example that the description gives is more likely to be taken.
    for name, text in re.findall(r"^  (\w+): \{description: (.*)$", spec, flags=re.M):
        example = re.search(r", such as ([\w-]+)", text)
        options[name] = example[1] if example else "1"
    return spec, options


def without_paging(spec: str) -> str:
    """Returns a spec of whose tables only the first page is asked for."""
    return re.sub(r"^    supports_paging: true$", "    supports_paging: false", re.sub(r"^ *paging: .*\n", "", spec, flags=re.M), flags=re.M)


class Checked:
    """A description that was imported, and what its tables did."""

    def __init__(self, description: pathlib.Path, extension: pathlib.Path, folder: pathlib.Path) -> None:
        self.folder = folder
        self.name = description.name.removesuffix(".gz")
        data = description.read_bytes()
        (folder / self.name).write_bytes(gzip.decompress(data) if description.suffix == ".gz" else data)
        self.python = hosts.Python(hosts.NEWEST_OF_SERIES[-1])
        self.around = hosts.Surroundings(extension, folder, "http://127.0.0.1:1", connections=folder / "connections.yaml")
        self.around.connections.write_text("[]")
        self.port = servers.free_port()
        told = self.python.run(self.around, IMPORTING.format(name=self.name), timeout=SECONDS).check().stdout
        spec, self.seconds = json.loads(told)
        spec, options = mocked(spec, f"http://127.0.0.1:{self.port}")
        for specs, text in (("all", spec), ("first", without_paging(spec))):
            (folder / specs).mkdir()
            (folder / specs / "api.yaml").write_text(text)
        self.around.connections.write_text(json.dumps([{"api": {"adapter": "api", "options": options}}]))
        self.tables = tables_of(spec)

    def outcomes(self) -> list[Outcome]:
        """Returns what each table did."""
        document = json_of(self.folder / self.name)
        of_name = {table.name: table for table in self.tables}
        found = []
        for start in range(0, len(self.tables), N_OF_MOCK):
            some = self.tables[start:start + N_OF_MOCK]
            paths = {parent.path for table in some for parent in with_parents(table, of_name)}
            found += self.outcomes_of([table.name for table in some], mock_description.of_paths(document, paths))
        return found

    def outcomes_of(self, names: list[str], document: dict) -> list[Outcome]:
        part = self.folder / "part.json"
        part.write_text(json.dumps(document))
        prism = ["node", "--max-old-space-size=4096", str(servers.installed("prism/node_modules/@stoplight/prism-cli/dist/index.js", "prism"))]
        address = f"http://127.0.0.1:{self.port}"
        with servers.running([*prism, "mock", "--port", str(self.port), "--host", "127.0.0.1", str(part)], address, self.folder, seconds=SECONDS):
            found = self.loaded("all", names)
            again = self.loaded("first", names) if any(MORE_PAGES.search(outcome.error or "") for outcome in found) else []
        for outcome, of_first in zip(found, again):
            if MORE_PAGES.search(outcome.error or ""):
                outcome.is_one_page, outcome.rows, outcome.error = True, of_first.rows, of_first.error
        return found

    def loaded(self, specs: str, names: list[str]) -> list[Outcome]:
        loading = LOADING.format(specs=specs, seconds=TABLE_SECONDS, names=names)
        told = self.python.run(self.around, loading, timeout=TABLE_SECONDS * len(names) + SECONDS).check().stdout
        return [Outcome(*json.loads(line)) for line in told.splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extension", type=pathlib.Path, default=hosts.ROOT / "build" / "release" / "unify.duckdb_extension")
    parser.add_argument("--at-least", type=int, default=0)
    parser.add_argument("descriptions", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    is_enough = True
    for description in options.descriptions:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            checked = Checked(description.resolve(), options.extension.resolve(), pathlib.Path(folder))
            n_bytes = (checked.folder / checked.name).stat().st_size
            print(f"{description.name}: {n_bytes / 1e6:.1f} MB, imported in {checked.seconds:.1f} s, {len(checked.tables)} tables", flush=True)
            found = checked.outcomes()
        loaded = [outcome for outcome in found if outcome.error is None]
        n_one, n_with_rows = sum(outcome.is_one_page for outcome in loaded), sum(bool(outcome.rows) for outcome in loaded)
        seconds = time.monotonic() - begun
        print(f"  {len(loaded)} of {len(found)} tables load, {n_with_rows} with rows, {n_one} only the first page; {seconds:.0f} s", flush=True)
        failed = [outcome for outcome in found if outcome.error is not None]
        reasons = Counter(PLACES.sub("_ ", outcome.error)[:160] for outcome in failed)
        for reason, count in reasons.most_common():
            example = next(f"{outcome.name}: {outcome.error}" for outcome in failed if PLACES.sub("_ ", outcome.error)[:160] == reason)
            print(f"  {count} x {example[:600]}", flush=True)
        is_enough &= len(loaded) >= options.at_least
    sys.exit(0 if is_enough else 1)


if __name__ == "__main__":
    main()
