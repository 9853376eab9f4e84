"""The real hosts: DuckDB's Python, CLI and Node packages, each driven in processes of its own."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import textwrap
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST = ROOT / "test"
INSIDE = TEST / "hosts" / "inside"
RELEASES = json.loads((ROOT / "extension_config" / "releases.json").read_text())
HOSTS = json.loads((TEST / "hosts" / "hosts.json").read_text())
SUPPORTED = [release for line in RELEASES["lines"] for release in line["releases"]]
NEWEST = SUPPORTED[-1].removeprefix("v")
# The newest tested Python of each series, such as 1.5.
NEWEST_OF_SERIES = [*{release.rpartition(".")[0]: release for release in RELEASES["tested"]["python"]}.values()]

# What every token begins with that the tests' authorization server gives.
ISSUED = "issued-token"
# What no host may ever print: the token, how BASIC authentication sends it for the user and for the OAuth2 client, and tokens that were given.
SECRETS = ["secret-token", "bWU6c2VjcmV0LXRva2Vu", "Y2xpZW50OnNlY3JldC10b2tlbg", ISSUED]


def folder_of(kind: str, release: str) -> pathlib.Path:
    name = kind + "".join(part for part in release.split("-")[0] if part.isdigit())
    path = ROOT / "build" / "hosts" / name
    assert path.is_dir(), f"there is no {path}; run 'make configure'"
    return path


@dataclass
class Outcome:
    """How a process ended and what it printed."""

    code: int
    stdout: str
    stderr: str

    def check(self) -> "Outcome":
        """Fails unless the process ended well."""
        assert self.code == 0, f"ended with {self.code}\n{self.stdout}\n{self.stderr}"
        return self


@dataclass
class Surroundings:
    """What a host's process gets: the extension, a home and folder of its own, a test API, a connections file."""

    extension: pathlib.Path
    folder: pathlib.Path
    api: str
    connections: pathlib.Path = TEST / "connections.yaml"
    specs: pathlib.Path = TEST / "specs"
    more: dict[str, str] = field(default_factory=dict)
    # What no file of the test may have, whatever wrote it.
    secrets: list[str] = field(default_factory=lambda: [*SECRETS])
    # Patterns of the files that the test itself writes with secrets, such as a connections file.
    exposed: list[str] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.folder),
            "PYTHONPATH": str(INSIDE),
            "PYTHONDONTWRITEBYTECODE": "1",
            "RUST_BACKTRACE": "1",
            "UNIFY_EXTENSION": str(self.extension),
            "UNIFY_TEST_API": self.api,
            "UNIFY_TEST_TOKEN": SECRETS[0],
            "UNIFY_TEST_FOLDER": str(TEST),
            "UNIFY_TEST_CONNECTIONS": str(self.connections),
            **self.more,
        }

    def setup_sql(self) -> list[str]:
        """Returns the statements that load the extension and point it to specs and connections."""
        return [
            f"LOAD '{self.extension}';",
            f"SET GLOBAL unify_spec_path = '{self.specs}';",
            f"SET GLOBAL unify_connections_file = '{self.connections}';",
        ]

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.api + path, timeout=60) as answer:
            return answer.read().decode().strip()

    def start(self, command: list[str], **options: object) -> subprocess.Popen:
        return subprocess.Popen(
            command, env=self.environment(), cwd=self.folder, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
        )

    def run(self, command: list[str], text: str = "", timeout: float = 120) -> Outcome:
        process = self.start(command)
        return finish(process, text, timeout)


def finish(process: subprocess.Popen, text: str = "", timeout: float = 120) -> Outcome:
    """Waits for the end of a process, which must come in time and without having printed a secret."""
    try:
        stdout, stderr = process.communicate(text, timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        raise AssertionError(f"did not end within {timeout} s\n{stdout}\n{stderr}") from None
    for secret in SECRETS:
        assert secret not in stdout + stderr, f"a secret was printed\n{stdout}\n{stderr}"
    return Outcome(process.returncode, stdout, stderr)


@dataclass
class Python:
    """DuckDB's Python package of one release."""

    release: str

    def command(self, script: str) -> list[str]:
        return [str(folder_of("py", self.release) / "bin" / "python"), "-c", "from session import *\n" + textwrap.dedent(script)]

    def run(self, around: Surroundings, script: str, timeout: float = 120) -> Outcome:
        return around.run(self.command(script), timeout=timeout)


@dataclass
class Cli:
    """DuckDB's command line of one release."""

    release: str

    def program(self) -> pathlib.Path:
        """Returns the program itself: the package's own `bin/duckdb` is a Python that would take the Ctrl-C."""
        folder = folder_of("cli", self.release)
        program = next(folder.glob("lib/python*/site-packages/duckdb_cli/duckdb"), None)
        assert program, f"there is no DuckDB program in {folder}"
        return program

    def command(self, *arguments: str) -> list[str]:
        return [str(self.program()), "-unsigned", "-init", "/dev/null", *arguments]

    def run(self, around: Surroundings, statements: list[str], database: str = ":memory:", timeout: float = 120) -> Outcome:
        script = "\n".join([*around.setup_sql(), *statements, ""])
        return around.run(self.command("-batch", "-csv", "-noheader", database), script, timeout)


@dataclass
class Node:
    """DuckDB's Node package of one release."""

    release: str

    def command(self, database: str = ":memory:") -> list[str]:
        return ["node", str(INSIDE / "statements.cjs"), database]

    def start(self, around: Surroundings, database: str = ":memory:") -> subprocess.Popen:
        around.more["NODE_PATH"] = str(folder_of("node", self.release) / "node_modules")
        return around.start(self.command(database))

    def run(self, around: Surroundings, statements: list[str], database: str = ":memory:") -> list[dict]:
        """Runs the statements and returns the answers, the setup's left out."""
        setup = around.setup_sql()
        lines = [json.dumps({"sql": sql}) for sql in [*setup, *statements]]
        outcome = finish(self.start(around, database), "\n".join(lines) + "\n").check()
        answers = [json.loads(line) for line in outcome.stdout.splitlines()]
        failed = [answer["error"] for answer in answers[: len(setup)] if "error" in answer]
        assert not failed, failed
        return answers[len(setup):]


@contextlib.contextmanager
def api_server(program: pathlib.Path) -> Iterator[str]:
    """Runs a test API and gives its address."""
    process = subprocess.Popen([program, "--watch-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().split()[1]
    finally:
        process.communicate()


def interrupt(process: subprocess.Popen) -> None:
    """Does what Ctrl-C does."""
    process.send_signal(signal.SIGINT)


def check_screen(host: Cli | Node, around: Surroundings, screen: list[tuple[str, list | None]]) -> None:
    """Runs what a user types in a database of its own, and compares the rows, as text; None stands for those of a statement that acts."""
    if isinstance(host, Node):
        answers = [answer.get("rows", answer.get("error")) for answer in host.run(around, [sql for sql, _ in screen], "x.duckdb")]
    else:
        outcome = host.run(around, [f"SELECT '== {idx}';\n{sql};" for idx, (sql, _) in enumerate(screen)], "x.duckdb").check()
        parts = outcome.stdout.split("== ")[1:]
        answers = [[line.replace('"', "").split(",") for line in part.splitlines()[1:]] for part in parts]
    wrong = [(sql, expected, answer) for (sql, expected), answer in zip(screen, answers, strict=True) if isinstance(answer, str) or expected not in (None, answer)]
    assert not wrong, wrong
