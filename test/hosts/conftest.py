"""What every test of the hosts gets."""

import os
import pathlib

import pytest

import hosts
import leaks
import packages
import targets
from postgres import Postgres


# What these test depends on the machine, on files or on other servers, and takes long: the newest release of each series shows it.
OF_EACH_SERIES = {
    "test_authorize", "test_connections_file", "test_daemon", "test_docs_authentication", "test_docs_pages", "test_docs_reference", "test_endings",
    "test_every_kind", "test_files", "test_kill", "test_logins", "test_memory", "test_oauth", "test_pace", "test_secrets", "test_secrets_everywhere",
    "test_servers", "test_several_credentials", "test_signed_requests", "test_sizes", "test_tls", "test_wrong_credentials",
}

# What these test runs on every release. All other tests run on one release of each series, which their cases take in turn; the SQL files
# run on every release, too.
ON_EVERY_RELEASE = {"test_load", "test_old_database", "test_releases"}

# What takes longest comes first, so that no worker is left alone with it at the end.
FIRST = {"test_adapters"}


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


@pytest.fixture(scope="session")
def search():
    """Looks for secrets in what the tests leave."""
    search = leaks.Search()
    yield search
    search.close()


@pytest.fixture
def around(extension, api_server, tmp_path, search) -> hosts.Surroundings:
    """The surroundings of one test's processes, with the test API put back to its first state. Afterwards no secret may be in their files."""
    around = hosts.Surroundings(extension, tmp_path, api_server)
    around.get("/__control?reset=1")
    yield around
    around.get("/__control?open=1")
    found = search.leaks_of(around)
    assert not found, "a secret is where none may be; a test that puts it there itself names the file in around.exposed\n" + "\n".join(found[:20])


def pytest_configure(config) -> None:
    config.addinivalue_line("markers", "slow_server: needs a server that takes long to install or to start; only 'make test-servers' runs it")


def takes_every_release() -> bool:
    """Returns whether no release stands for another one: `make kill-tokens` kills on each."""
    return "UNIFY_TOKEN_KILLS" in os.environ


def pytest_generate_tests(metafunc) -> None:
    """Runs a test on every tested Python, or on fewer where more would show the same."""
    if "python" in metafunc.fixturenames:
        name = metafunc.module.__name__
        is_of_series = (name in OF_EACH_SERIES or name.startswith("test_server_")) and not takes_every_release()
        metafunc.parametrize("python", hosts.NEWEST_OF_SERIES if is_of_series else hosts.RELEASES["tested"]["python"], indirect=True)


def pytest_collection_modifyitems(config, items) -> None:
    """Lets the cases of a module take the releases in turn. Every worker decides the same."""
    cases = {}
    for item in items:
        params = dict(item.callspec.params) if hasattr(item, "callspec") else {}
        release = params.pop("python", None)
        if release and item.module.__name__ not in ON_EVERY_RELEASE and not takes_every_release():
            of_series = cases.setdefault((item.module.__name__, release.rpartition(".")[0]), {})
            of_series.setdefault((item.originalname, repr(params)), []).append(item)
    left_out = set()
    for of_series in cases.values():
        for number, same_case in enumerate(of_series.values()):
            chosen = same_case[(number + number // 2) % len(same_case)]
            left_out.update(id(item) for item in same_case if item is not chosen)
    config.hook.pytest_deselected(items=[item for item in items if id(item) in left_out])
    items[:] = sorted((item for item in items if id(item) not in left_out), key=lambda item: item.module.__name__ not in FIRST)


@pytest.fixture
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


def is_worker(config) -> bool:
    """Returns whether this process runs tests for another one, which counts them."""
    return hasattr(config, "workerinput")


def counts_of(config) -> tuple[int, int]:
    """Returns how many tests passed and how many did not: an error while setting up counts as a failure, and so does a skip."""
    stats = config.pluginmanager.get_plugin("terminalreporter").stats
    return len(stats.get("passed", [])), sum(len(stats.get(kind, [])) for kind in ("failed", "error", "skipped"))


def pytest_sessionfinish(session, exitstatus) -> None:
    """Makes a skipped test, or no test at all, a failure of the run."""
    if is_worker(session.config):
        return
    n_passed, n_failed = counts_of(session.config)
    if exitstatus == 0 and (n_failed > 0 or n_passed == 0):
        session.exitstatus = 1


def pytest_unconfigure(config) -> None:
    """Writes the last line, which counts the tests."""
    if is_worker(config):
        return
    n_passed, n_failed = counts_of(config)
    print(f"{n_passed} passed, {n_failed} failed", flush=True)
