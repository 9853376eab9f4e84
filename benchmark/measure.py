"""Starts processes and measures them whole: wall, CPU with all children, and peak memory of the largest process."""

import json
import math
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
BUILD = PROJECT / "build" / "bench"
EXTENSION = PROJECT / "build" / "release" / "unify.duckdb_extension"


@dataclass
class Run:
    """One measured process."""

    wall: float
    cpu: float
    peak_mib: float
    answer: dict

    @property
    def statement(self) -> float:
        """Time of the statement that loads, where the process reports it."""
        return self.answer["statement"]

    @property
    def close(self) -> float:
        """Time of the close of the database file, where the process reports it."""
        return self.answer["close"]


def run(command: list[str], environment: dict[str, str] | None = None, look=None) -> Run:
    """Runs a process to its end. Its last line of output is a JSON object. Ends the benchmark if it fails. `look` sees the process many times
    a second. A process that first prepares what is measured answers with `measured`, the wall and the CPU of the rest: it has no peak then."""
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, env={**os.environ, **(environment or {})})
        ended = 0
        while look and not ended:
            look(process)
            time.sleep(0.02)
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if not ended:
            _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        lines = output.read().split("\n")
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n" + "\n".join(lines[-20:]))
    answer = json.loads(next(line for line in reversed(lines) if line.startswith("{")))
    if rest := answer.get("measured"):
        return Run(rest["wall"], rest["cpu"], math.nan, answer)
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, answer)


def by_thread(command: list[str]) -> tuple[Run, dict[str, float]]:
    """Runs a process as `run` does, and returns the CPU seconds of its threads by their names, too. Needs Linux."""
    seconds: dict[int, tuple[str, float]] = {}
    ticks = os.sysconf("SC_CLK_TCK")

    def look(process: subprocess.Popen) -> None:
        for task in Path(f"/proc/{process.pid}/task").iterdir():
            # A thread that ended meanwhile keeps what was seen of it.
            with suppress(OSError):
                name, fields = parse_stat((task / "stat").read_text())
                seconds[int(task.name)] = (name, (int(fields[11]) + int(fields[12])) / ticks)

    measured = run(command, look=look)
    names: dict[str, float] = {}
    for name, cpu in seconds.values():
        names[name] = names.get(name, 0.0) + cpu
    return measured, names


def parse_stat(line: str) -> tuple[str, list[str]]:
    """Returns a thread's name, which may hold anything, and the fields after it."""
    start, end = line.index("("), line.rindex(")")
    return line[start + 1 : end], line[end + 2 :].split()


def median(runs: list[Run]) -> Run:
    """Returns the median of each figure; the rest of the answer is the last run's."""
    middle = lambda name: statistics.median(getattr(run, name) for run in runs)
    answer = dict(runs[-1].answer)
    for name in ("statement", "close"):
        if name in answer:
            answer[name] = middle(name)
    return Run(middle("wall"), middle("cpu"), middle("peak_mib"), answer)


def each_once(cases: dict[str, list[str]]) -> dict[str, Run]:
    """Runs every case once, in order."""
    runs = {}
    for name, command in cases.items():
        runs[name] = run(command)
        print(f"  {name}: {runs[name].wall:.2f} s", file=sys.stderr, flush=True)
    return runs


def tool(name: str) -> str:
    """Returns the path of the benchmark's `serve` or `fetch`, building both when needed."""
    target = BUILD / "target"
    command = ["cargo", "build", "--release", "--quiet", "--locked", "--target-dir", str(target)]
    subprocess.run([*command, "--manifest-path", str(PROJECT / "benchmark" / "Cargo.toml")], check=True)
    return str(target / "release" / name)


def python_with(name: str, *packages: str) -> str:
    """Returns the Python of a virtual environment with the packages, made on first use."""
    folder = BUILD / name
    python = folder / "bin" / "python"
    installed = folder / "packages.txt"
    if not installed.exists() or installed.read_text() != "\n".join(packages):
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
        installed.write_text("\n".join(packages))
    return str(python)


@contextmanager
def api(rows: int, latency_ms: int = 0, *flags: str):
    """Serves pages of rows for the length of a `with` block, and yields the address."""
    command = [tool("serve"), "--rows", str(rows), "--latency-ms", str(latency_ms), *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        word, _, address = process.stdout.readline().strip().partition(" ")
        if word != "ready":
            sys.exit("the benchmark's server did not start")
        yield address
    finally:
        process.terminate()
        process.wait()


def certificate() -> tuple[str, str]:
    """Returns the files of the server's certificate, which is its own authority, and of its key; made on first use."""
    folder = BUILD / "tls"
    paths = folder / "server.pem", folder / "server.key"
    if not all(path.exists() for path in paths):
        folder.mkdir(parents=True, exist_ok=True)
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650", "-subj", "/CN=benchmark"]
        command += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
        subprocess.run([*command, "-out", str(paths[0]), "-keyout", str(paths[1])], check=True, capture_output=True)
    return str(paths[0]), str(paths[1])


def stats(address: str) -> dict:
    """Returns what the server was asked so far."""
    context = ssl.create_default_context(cafile=certificate()[0]) if address.startswith("https") else None
    with urllib.request.urlopen(f"{address}/__stats", context=context) as response:
        return json.load(response)
