"""A host's process that runs statements on command and can be killed at any moment."""

import json
import pathlib
import subprocess
import threading
from collections.abc import Iterable

import hosts

# Longer than anything takes that still comes to an end.
PATIENCE = 60


class Failed(Exception):
    """A statement failed in the host."""


class Gone(Exception):
    """The process ended before it answered."""


class Answer:
    """What a command will come to."""

    def __init__(self, process: "HostProcess", what: str):
        self.process = process
        self.what = what
        self.content: dict | None = None
        self.arrived = threading.Event()

    def wait(self, seconds: float) -> bool:
        """Returns whether the answer came within that time."""
        return self.arrived.wait(seconds)

    def get(self, patience: float = PATIENCE) -> dict:
        """Returns the answer. Fails when the statement did, when the process ended first, or when nothing came in time."""
        if not self.arrived.wait(patience):
            raise AssertionError(f"no answer within {patience} s: {self.what}\n{self.process.stderr()}")
        if self.content is None:
            raise Gone(f"the process ended with {self.process.process.poll()} before it answered: {self.what}\n{self.process.stderr()}")
        if "error" in self.content:
            raise Failed(self.content["error"])
        return self.content


class HostProcess:
    """A Python of one DuckDB release with a database open, in a process of its own."""

    def __init__(self, release: str, around: hosts.Surroundings):
        self.release = release
        self.errors = around.folder / "stderr.txt"
        program = hosts.folder_of("py", release) / "bin" / "python"
        with self.errors.open("a") as errors:
            self.process = subprocess.Popen(
                [program, hosts.INSIDE / "commanded.py"], env=around.environment(), cwd=around.folder, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
            )
        self.pending: dict[int, Answer] = {}
        self.n_commands = 0
        self.secrets_seen: list[str] = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        for line in self.process.stdout:
            self.secrets_seen += [line for secret in hosts.SECRETS if secret in line]
            try:
                content = json.loads(line)
            except ValueError:
                continue  # The process was killed in the middle of a line.
            answer = self.pending.pop(content["number"])
            answer.content = content
            answer.arrived.set()
        for answer in list(self.pending.values()):
            answer.arrived.set()

    def begin(self, do: str, **more: object) -> Answer:
        """Sends a command and returns at once."""
        self.n_commands += 1
        answer = Answer(self, f"{do} {more.get('sql', '')}".strip())
        self.pending[self.n_commands] = answer
        try:
            self.process.stdin.write(json.dumps({"number": self.n_commands, "do": do, **more}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            answer.arrived.set()
        return answer

    def open(self, path: pathlib.Path, unify: bool = True, settings: Iterable[str] = ()) -> None:
        """Opens the database, with the extension and the settings for all its sessions, unless it is opened without the extension."""
        self.begin("open", path=str(path), unify=unify, settings=list(settings)).get()

    def begin_sql(self, sql: str, on: str = "main") -> Answer:
        return self.begin("sql", sql=sql, on=on)

    def sql(self, sql: str, on: str = "main", patience: float = PATIENCE) -> list[dict[str, str | None]]:
        """Runs a statement and returns its rows; all values are texts."""
        content = self.begin_sql(sql, on).get(patience)
        return [dict(zip(content["columns"], row, strict=True)) for row in content["rows"]]

    def close(self) -> None:
        self.begin("close").get()

    def kill(self) -> None:
        """Does what `kill -9` does, and returns when the process is gone."""
        self.process.kill()
        self.wait_for_end()

    def end(self) -> None:
        """Lets the process end by itself, which must go well."""
        self.process.stdin.close()
        try:
            self.wait_for_end()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the process did not end\n{self.stderr()}") from None
        assert self.process.returncode == 0, f"the process ended with {self.process.returncode}\n{self.stderr()}"

    def wait_for_end(self) -> None:
        self.process.wait(PATIENCE)
        self.reader.join()
        if not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        self.process.stdout.close()
        printed = [secret for secret in hosts.SECRETS if secret in self.stderr()]
        assert not self.secrets_seen and not printed, f"a secret was printed\n{self.secrets_seen}\n{self.stderr()}"

    def stderr(self) -> str:
        return self.errors.read_text()[-4000:]

    def __enter__(self) -> "HostProcess":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()
