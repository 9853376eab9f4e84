"""What tables can be loaded into: attached databases of every kind, and the hosts that have them."""

import pathlib
from dataclasses import dataclass

import hosts
from postgres import Postgres

LAKE = hosts.HOSTS["lake"]["duckdb"]
KINDS = [f"duckdb on {release}" for release in hosts.NEWEST_OF_SERIES] + ["ducklake", "ducklake in postgres", "postgres"]
SHARED = ["ducklake in postgres", "postgres"]


@dataclass
class Lake:
    """The Python that DuckLake's and PostgreSQL's extensions were released for."""

    def command(self, script: str) -> list[str]:
        command = hosts.Python(LAKE).command(script)
        return [str(hosts.folder_of("lake", LAKE) / "bin" / "python"), *command[1:]]

    def run(self, around: hosts.Surroundings, script: str, timeout: float = 120) -> hosts.Outcome:
        return around.run(self.command(script), timeout=timeout)


@dataclass
class Target:
    """One kind of target, new and empty, and the Python to use it from."""

    kind: str
    python: hosts.Python | Lake
    around: hosts.Surroundings

    def check(self, script: str, expected: str, timeout: float = 120) -> None:
        outcome = self.python.run(self.around, script, timeout).check()
        assert outcome.stdout == expected, f"{outcome.stdout}\n{outcome.stderr}"


def target_of(kind: str, around: hosts.Surroundings, postgres: Postgres | None) -> Target:
    """Makes a target of the kind; scripts attach it with `attach` or `lake` of inside/session.py."""
    folder = around.folder
    if kind.startswith("duckdb on "):
        around.more["UNIFY_TEST_ATTACH"] = f"ATTACH '{folder}/lake.duckdb' AS lake"
        return Target(kind, hosts.Python(kind.removeprefix("duckdb on ")), around)
    extensions: list[pathlib.Path] = []
    data = f"(DATA_PATH '{folder}/data')"
    if "postgres" in kind:
        database = postgres.database("lake")
        extensions.append(hosts.folder_of("lake", LAKE) / "postgres_scanner.duckdb_extension")
        attach = f"ATTACH '{database}' AS lake (TYPE postgres)"
    if "ducklake" in kind:
        catalog = f"postgres:{database}" if "postgres" in kind else f"{folder}/catalog.ducklake"
        extensions.append(hosts.folder_of("lake", LAKE) / "ducklake.duckdb_extension")
        attach = f"ATTACH 'ducklake:{catalog}' AS lake {data}"
    around.more["UNIFY_TEST_ATTACH"] = "\n".join([*(f"LOAD '{extension}'" for extension in extensions), attach])
    return Target(kind, Lake(), around)
