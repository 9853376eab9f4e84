"""What every test of the hosts gets."""

import os
import pathlib

import pytest

import hosts
import packages
import targets
from postgres import Postgres


def path_in(variable: str, default: str, what: str) -> pathlib.Path:
    path = pathlib.Path(os.environ.get(variable, hosts.ROOT / default)).resolve()
    assert path.exists(), f"there is no {path}: {what}"
    return path


@pytest.fixture(scope="session")
def extension() -> pathlib.Path:
    return path_in("UNIFY_EXTENSION", "build/debug/unify.duckdb_extension", "build the extension first, or set UNIFY_EXTENSION")


@pytest.fixture(scope="session")
def made_packages(extension, tmp_path_factory) -> packages.Packages:
    """The wheel and the npm package that carry the extension."""
    return packages.make(extension, tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="session")
def api_server():
    """The address of a test API that all tests share."""
    program = path_in("UNIFY_TESTAPI", "target/debug/testapi", "build it with 'cargo build -p testapi', or set UNIFY_TESTAPI")
    with hosts.api_server(program) as address:
        yield address


@pytest.fixture
def around(extension, api_server, tmp_path) -> hosts.Surroundings:
    """The surroundings of one test's processes, with the test API put back to its first state."""
    around = hosts.Surroundings(extension, tmp_path, api_server)
    around.get("/__control?reset=1")
    yield around
    around.get("/__control?open=1")


@pytest.fixture(params=hosts.RELEASES["tested"]["python"])
def python(request) -> hosts.Python:
    return hosts.Python(request.param)


@pytest.fixture(params=hosts.RELEASES["tested"]["cli"])
def cli(request) -> hosts.Cli:
    return hosts.Cli(request.param)


@pytest.fixture(params=hosts.RELEASES["tested"]["node"])
def node(request) -> hosts.Node:
    return hosts.Node(request.param)


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL that all tests share, each with a database of its own."""
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(params=targets.KINDS)
def target(request, around) -> targets.Target:
    """A target of every kind in turn."""
    return targets.target_of(request.param, around, postgres_for(request))


@pytest.fixture(params=targets.SHARED)
def shared_target(request, around) -> targets.Target:
    """A target of every kind that several processes write to at once."""
    return targets.target_of(request.param, around, postgres_for(request))


def postgres_for(request) -> Postgres | None:
    return request.getfixturevalue("postgres") if "postgres" in request.param else None


def counts_of(config) -> tuple[int, int]:
    """Returns how many tests passed and how many did not: an error while setting up counts as a failure, and so does a skip."""
    stats = config.pluginmanager.get_plugin("terminalreporter").stats
    return len(stats.get("passed", [])), sum(len(stats.get(kind, [])) for kind in ("failed", "error", "skipped"))


def pytest_sessionfinish(session, exitstatus) -> None:
    """Makes a skipped test, or no test at all, a failure of the run."""
    n_passed, n_failed = counts_of(session.config)
    if exitstatus == 0 and (n_failed > 0 or n_passed == 0):
        session.exitstatus = 1


def pytest_unconfigure(config) -> None:
    """Writes the last line, which counts the tests."""
    n_passed, n_failed = counts_of(config)
    print(f"{n_passed} passed, {n_failed} failed", flush=True)
