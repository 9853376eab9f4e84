"""What every test of the hosts gets."""

import os
import pathlib
import subprocess

import pytest

import hosts


def path_in(variable: str, default: str, what: str) -> pathlib.Path:
    path = pathlib.Path(os.environ.get(variable, hosts.ROOT / default)).resolve()
    assert path.exists(), f"there is no {path}: {what}"
    return path


@pytest.fixture(scope="session")
def extension() -> pathlib.Path:
    return path_in("UNIFY_EXTENSION", "build/debug/unify.duckdb_extension", "build the extension first, or set UNIFY_EXTENSION")


@pytest.fixture(scope="session")
def api_server():
    """The address of a test API that all tests share."""
    program = path_in("UNIFY_TESTAPI", "target/debug/testapi", "build it with 'cargo build -p testapi', or set UNIFY_TESTAPI")
    process = subprocess.Popen([program, "--watch-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process.stdout.readline().split()[1]
    process.communicate()


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


def pytest_terminal_summary(terminalreporter) -> None:
    """Writes the last line that counts the tests. An error while setting up counts as a failure, and so does a skip."""
    stats = terminalreporter.stats
    n_failed = sum(len(stats.get(kind, [])) for kind in ("failed", "error", "skipped"))
    terminalreporter.write_line(f"{len(stats.get('passed', []))} passed, {n_failed} failed")


def pytest_sessionfinish(session, exitstatus) -> None:
    """Makes a skipped test, or no test at all, a failure of the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == 0 and (reporter.stats.get("skipped") or not reporter.stats.get("passed")):
        session.exitstatus = 1
