"""A PostgreSQL of the tests' own: a cluster in a folder of its own, reached by a socket in that folder."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

# PostgreSQL refuses to run as root.
OTHER_USER = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}

# A script that cancels a load of a view which never answers, for a `con` with a connection `pg` and a `psql` that runs SQL in the server; it
# prints how many queries the server runs for it, before and after.
CANCELS = """
con.execute("DISCOVER CONNECTION pg").fetchall()
con.execute("LOAD TABLE pg.slow IN BACKGROUND")
active = lambda: psql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' AND state = 'active'")
print(until(active, lambda n: n == "1"))
con.execute("CANCEL JOB 1")
print(con.execute("SELECT state FROM unify_jobs(1)").fetchone(), until(active, lambda n: n == "0"))
"""
CANCELLED = "1\n('cancelled',) 0\n"


def program(name: str) -> str:
    """Returns the path of one of PostgreSQL's programs."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    assert path, f"there is no program '{name}': install PostgreSQL (Debian's package is 'postgresql')"
    return path


class Postgres:
    """A running server; `close` ends it and removes its folder. With `tls`, a port and a folder with certificates, it listens there, too: over TLS
    alone, and for users with a password."""

    def __init__(self, tls: tuple[int, pathlib.Path] | None = None) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="unify-pg-"))
        if OTHER_USER:
            shutil.chown(self.folder, OTHER_USER["user"], OTHER_USER["group"])
        data = self.folder / "data"
        self.run("initdb", "-D", str(data), "-U", "unify", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self.folder}", "-c", "fsync=off"]
        if tls:
            options += self.listening(*tls)
        with open(os.devnull, "wb") as nowhere:
            self.process = subprocess.Popen(
                [program("postgres"), "-D", str(data), *options], cwd=self.folder, stdin=nowhere, stdout=nowhere, stderr=nowhere, **OTHER_USER
            )
        for _ in range(600):
            if self.call("pg_isready", "-h", str(self.folder), "-p", str(tls[0] if tls else 5432), "-q").returncode == 0:
                return
            assert self.process.poll() is None, "the server ended before it was ready"
            time.sleep(0.05)
        self.close()
        raise AssertionError("the server was not ready within 30 s")

    def listening(self, port: int, certificates: pathlib.Path) -> list[str]:
        """Returns the options for TLS at the port; PostgreSQL takes a key that is its user's alone."""
        for name in ("good.pem", "server.key"):
            copy = self.folder / name
            shutil.copy(certificates / name, copy)
            copy.chmod(0o600)
            if OTHER_USER:
                shutil.chown(copy, OTHER_USER["user"], OTHER_USER["group"])
        (self.folder / "data" / "pg_hba.conf").write_text("local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n")
        settings = {"listen_addresses": "127.0.0.1", "port": port, "ssl": "on"}
        settings |= {"ssl_cert_file": self.folder / "good.pem", "ssl_key_file": self.folder / "server.key"}
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def call(self, name: str, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([program(name), *arguments], cwd=self.folder, capture_output=True, text=True, check=False, **OTHER_USER)

    def run(self, name: str, *arguments: str) -> str:
        done = self.call(name, *arguments)
        assert done.returncode == 0, f"{name}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def database(self, name: str) -> str:
        """Makes an empty database, in place of one of that name, and returns what to connect with."""
        self.run("dropdb", "-h", str(self.folder), "-U", "unify", "--if-exists", "--force", name)
        self.run("createdb", "-h", str(self.folder), "-U", "unify", name)
        return f"dbname={name} host={self.folder} user=unify"

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)
