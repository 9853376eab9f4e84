"""Makes the hosts and servers of the tests, each in a folder of its own under build/: virtual environments and Node folders. One that runs already
is waited for.

`setup.py cli packages` makes those kinds alone, and `setup.py --slow` the servers of `make test-servers`. `setup.py --pythons` makes nothing and prints the Pythons that run the sqllogictest
files, as options of their runner.
"""

import fcntl
import json
import pathlib
import shutil
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASES = json.loads((ROOT / "extension_config" / "releases.json").read_text())["tested"]
HOSTS = json.loads((ROOT / "test" / "hosts" / "hosts.json").read_text())
# The Python whose pip fills all environments: each without its own, which takes longer to make than all else.
PIP = ROOT / "build" / "hosts" / "pip"


def folder_of(kind: str, release: str) -> str:
    """Returns the folder's name for a release: py156 for Python's 1.5.6."""
    return kind + "".join(part for part in release.split("-")[0] if part.isdigit())


def python_folder(path: pathlib.Path, packages: list[str]) -> None:
    """Makes a virtual environment with exactly these packages, unless it is there already."""
    if is_ready(path, packages):
        return
    venv.EnvBuilder(clear=True).create(path)
    run([*pip(), "--python", str(path / "bin" / "python"), "install", "--quiet", "--disable-pip-version-check", *packages])
    mark_ready(path, packages)


def pip() -> list[str]:
    """Returns the command of a pip, which is made on first use."""
    if not is_ready(PIP, []):
        venv.EnvBuilder(with_pip=True, clear=True).create(PIP)
        mark_ready(PIP, [])
    return [str(PIP / "bin" / "python"), "-m", "pip"]


def node_folder(path: pathlib.Path, packages: list[str]) -> None:
    """Makes a folder with exactly these Node packages, unless it is there already."""
    if is_ready(path, packages):
        return
    path.mkdir(parents=True, exist_ok=True)
    (path / "package.json").write_text('{"private": true, "type": "module"}\n')
    run(["npm", "install", "--prefix", str(path), "--no-audit", "--no-fund", "--loglevel=error", *packages])
    mark_ready(path, packages)


def lake_folder(hosts: pathlib.Path) -> None:
    """Makes the Python whose packages bring DuckLake and PostgreSQL, each extension under the name that DuckDB loads it by."""
    release, extensions = HOSTS["lake"]["duckdb"], HOSTS["lake"]["extensions"]
    path = hosts / folder_of("lake", release)
    packages = [f"duckdb=={release}", *(f"duckdb-extension-{name}=={release}" for name in extensions)]
    python_folder(path, packages)
    for name in extensions:
        # The file is called after the package; its entry point is another's.
        own_name = {"postgres": "postgres_scanner"}.get(name, name)
        found = next(path.glob(f"lib/python*/site-packages/duckdb_extension_{name}/extensions/v{release}/*.duckdb_extension"))
        link = path / f"{own_name}.duckdb_extension"
        link.unlink(missing_ok=True)
        link.symlink_to(found.relative_to(path))


def wheels_folder(hosts: pathlib.Path) -> None:
    """Makes a folder with the wheel of the newest DuckDB that is tested, for a test that lets pip choose one."""
    path, packages = hosts / "wheels", [f"duckdb=={RELEASES['python'][-1]}"]
    if is_ready(path, packages):
        return
    shutil.rmtree(path, ignore_errors=True)
    run([*pip(), "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--dest", str(path), *packages])
    mark_ready(path, packages)


def is_ready(path: pathlib.Path, packages: list[str]) -> bool:
    marker = path / ".packages"
    return marker.exists() and marker.read_text() == "\n".join(packages)


def mark_ready(path: pathlib.Path, packages: list[str]) -> None:
    (path / ".packages").write_text("\n".join(packages))
    print(f"ready {path.relative_to(ROOT)}: {' '.join(packages)}", flush=True)


def run(command: list[str]) -> None:
    done = subprocess.run(command, check=False)
    if done.returncode != 0:
        sys.exit(f"setup.py: '{' '.join(command)}' ended with {done.returncode}; is the package registry reachable?")


def pythons() -> list[str]:
    return [*RELEASES["python"], *HOSTS["also"], *HOSTS["unsupported"]]


def dbt_folder(hosts: pathlib.Path) -> None:
    release, packages = HOSTS["dbt"]["duckdb"], HOSTS["dbt"]["packages"]
    python_folder(hosts / folder_of("dbt", release), [f"duckdb=={release}", *packages])


def main() -> None:
    hosts = ROOT / "build" / "hosts"
    servers = ROOT / "build" / "servers"
    if sys.argv[1:] == ["--pythons"]:
        print(*(f"--python {hosts / folder_of('py', release) / 'bin' / 'python'}" for release in RELEASES["python"]))
        return
    kinds = {
        "pip": pip,
        "pytest": lambda: python_folder(hosts / "pytest", HOSTS["pytest"]),
        "py": lambda: [python_folder(hosts / folder_of("py", release), [f"duckdb=={release}"]) for release in pythons()],
        "lake": lambda: lake_folder(hosts),
        # Without DuckDB: a test adds the release it is about.
        "frames": lambda: python_folder(hosts / "frames", HOSTS["frames"]),
        "dbt": lambda: dbt_folder(hosts),
        "packages": lambda: python_folder(hosts / "packages", HOSTS["packages"]),
        "wheels": lambda: wheels_folder(hosts),
        "cli": lambda: [python_folder(hosts / folder_of("cli", release), [f"duckdb-cli=={release}"]) for release in RELEASES["cli"]],
        "node": lambda: [node_folder(hosts / folder_of("node", release), [f"@duckdb/node-api@{release}"]) for release in RELEASES["node"]],
        "localstripe": lambda: python_folder(servers / "localstripe", [f"localstripe=={HOSTS['localstripe']}"]),
        "node_servers": lambda: node_folder(servers / "node", HOSTS["node_servers"]),
        "moto": lambda: python_folder(servers / "moto", HOSTS["moto"]),
        "copyparty": lambda: python_folder(servers / "copyparty", HOSTS["copyparty"]),
        "authlib": lambda: python_folder(servers / "authlib", HOSTS["authlib"]),
        "oidc": lambda: node_folder(servers / "oidc", HOSTS["oidc"]),
        "yoga": lambda: node_folder(servers / "yoga", HOSTS["yoga"]),
    }
    # Servers that take long to install or to start: only `make test-servers` runs them.
    slow = {kind: (lambda kind=kind: python_folder(servers / kind, HOSTS[kind])) for kind in ("datasette", "kinto", "mlflow", "synapse")}
    slow["prism"] = lambda: node_folder(servers / "prism", HOSTS["prism"])
    wanted = list(slow) if sys.argv[1:] == ["--slow"] else sys.argv[1:] or list(kinds)
    kinds |= slow
    if unknown := next((kind for kind in wanted if kind not in kinds), None):
        sys.exit(f"setup.py: there is no '{unknown}'; expected some of {', '.join(kinds)}")
    hosts.mkdir(parents=True, exist_ok=True)
    with (hosts / ".lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        for kind in wanted:
            kinds[kind]()


if __name__ == "__main__":
    main()
