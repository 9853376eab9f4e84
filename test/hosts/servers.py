"""Real servers of the tests: where their programs are, how they start, and what a host reads from them."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import hosts

FOLDER = hosts.ROOT / "build" / "servers"
# The specs of the servers, written as their users would.
SPECS = hosts.TEST / "hosts" / "servers"
# Specs without one for a server, so that the bundled adapter of that name is used.
BUNDLED = hosts.TEST / "specs"
KEY = "secret-token"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def debian(name: str, package: str) -> str:
    """Returns the path of a program that a Debian package brings."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert found, f"there is no program '{name}'; install Debian's package '{package}'"
    return found


def installed(path: str, kind: str) -> pathlib.Path:
    """Returns the path of a program that set-up installs."""
    program = FOLDER / path
    assert program.exists(), f"there is no {program}; run 'python3 test/hosts/setup.py {kind}'"
    return program


@contextlib.contextmanager
def running(command: list[str], address: str, folder: pathlib.Path, seconds: float = 60, **more: str) -> Iterator[None]:
    """Runs a server, with more in its environment, from when it answers. Its log is in the folder."""
    log = folder / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **more}, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + seconds
        while not answers(address):
            assert process.poll() is None and time.monotonic() < deadline, f"{command} does not answer at {address}\n{log.read_text()[-2000:]}"
        yield
    finally:
        # With all that it started.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=60).close()
    except urllib.error.HTTPError as err:
        # A server that is still starting says so.
        return err.code != 503
    except OSError:
        return False
    return True


def asked(address: str, body: object = None, method: str | None = None, **headers: str) -> object:
    """Returns what a server answers, read as JSON; a body is sent as JSON."""
    data = None if body is None else json.dumps(body).encode()
    named = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    with urllib.request.urlopen(urllib.request.Request(address, data, named, method=method), timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text.strip() else None


def connect(around: hosts.Surroundings, name: str, **options: str) -> None:
    """Gives a test the connection to a server, by the adapter of the same name."""
    around.connections = around.folder / "connections.yaml"
    around.connections.write_text(json.dumps([{name: {"adapter": name, "options": options}}]))


def told(python: hosts.Python, around: hosts.Surroundings, *statements: str, specs: pathlib.Path = SPECS, timeout: float = 300) -> list:
    """Returns the rows of each statement in one database, or the text of its error."""
    script = f"""
        import json
        con = connect("x.duckdb")
        con.execute("SET GLOBAL unify_spec_path = '{specs}'")
        con.execute("SET enable_progress_bar = false")
        for sql in {list(statements)!r}:
            try:
                print(json.dumps(con.execute(sql).fetchall(), default=str))
            except duckdb.Error as err:
                print(json.dumps(str(err)))
    """
    outcome = python.run(around, script, timeout).check()
    return [json.loads(line) for line in outcome.stdout.splitlines()]


def compare(python: hosts.Python, around: hosts.Surroundings, expected: dict[str, list | None], specs: pathlib.Path = SPECS) -> None:
    """Fails unless each statement answers the rows that are expected of it, in their order; None: it must succeed."""
    found = told(python, around, *expected, specs=specs)
    for (sql, rows), answer in zip(expected.items(), found, strict=True):
        if rows is None:
            assert isinstance(answer, list), f"{sql}\n{answer}"
            continue
        wanted = [list(row) for row in rows]
        if answer != wanted:
            extra = [row for row in answer if row not in wanted][:3] if isinstance(answer, list) else answer
            lost = [row for row in wanted if row not in answer][:3] if isinstance(answer, list) else ""
            raise AssertionError(f"{sql}\n{len(wanted)} rows expected, found {len(answer)}\nextra {extra}\nlost {lost}")
