"""An API that a script answers itself, for what the test API never does, and the connection `own` that reads it."""

import contextlib
import json
import pathlib
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import duckdb
from session import connect, until

HEAD = """name: own
options: {host: {description: where it is, required: true}}
base_url: "{host}"
retry: {attempts: 1}
paging: {strategy: pagerToken, token_param: page, pager_token_path: next}
"""


class Api:
    """Answers with what `answer(path, query, authorization)` returns: a body, or a status and a body, or these and headers.

    A body of bytes is sent as it is, any other as JSON.
    """

    def __init__(self, answer, spec: str, options: str = "") -> None:
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(answer, self.asked))
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.folder = pathlib.Path("own").absolute()
        self.folder.mkdir()
        (self.folder / "own.yaml").write_text(HEAD + spec)
        self.give_options(options)

    def give_options(self, options: str) -> None:
        """Writes the connection with these options besides the host."""
        pathlib.Path("connections.yaml").write_text(f"- own:\n    adapter: own\n    options: {{host: '{self.address}'{options}}}\n")

    def connect(self, path: str = "x.duckdb") -> duckdb.DuckDBPyConnection:
        con = connect(path)
        for statement in setup():
            con.execute(statement)
        return con

    def n_asked(self, text: str) -> int:
        return sum(text in url for url in self.asked)

    def wait(self, text: str, n_times: int = 1) -> None:
        """Returns when that was asked for so many times."""
        assert until(lambda: self.n_asked(text), lambda n_asked: n_asked >= n_times) >= n_times, self.asked


def setup() -> list[str]:
    """Returns what points a session to the API of the script that runs in this folder, which prints nothing but results."""
    return ["SET enable_progress_bar = false",
            f"SET GLOBAL unify_spec_path = '{pathlib.Path('own').absolute()}'",
            f"SET GLOBAL unify_connections_file = '{pathlib.Path('connections.yaml').absolute()}'"]


def handler_of(answer, asked: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            query = {name: values[-1] for name, values in urllib.parse.parse_qs(url.query).items()}
            asked.append(self.path)
            answered = answer(url.path, query, self.headers.get("Authorization", ""))
            status, body, *headers = answered if isinstance(answered, tuple) else (200, answered)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            with contextlib.suppress(ConnectionError):  # Who asked may have been killed.
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **(headers[0] if headers else {})}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def fail_after(con: duckdb.DuckDBPyConnection, table: str, n_rows: int, gate: threading.Event) -> None:
    """Loads a table until so many rows are kept, opens the gate behind which the API fails, and returns when the load has failed."""
    job = con.execute(f"SELECT job_id FROM unify_load('own.{table}', background := true)").fetchone()[0]
    kept = until(lambda: (n_kept(con, table), state_of(con, job)), lambda seen: seen[0] >= n_rows or seen[1] == "error")
    assert kept == (n_rows, "running"), con.execute(f"FROM unify_jobs({job})").fetchall()
    gate.set()
    state = until(lambda: state_of(con, job), lambda state: state != "running")
    assert state == "error", state


def n_kept(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """Returns how many rows an unfinished load has kept."""
    try:
        return con.execute(f"SELECT count(*) FROM own.{table}__loading").fetchone()[0]
    except duckdb.ProgrammingError:  # It is not there yet.
        return 0


def state_of(con: duckdb.DuckDBPyConnection, job: int) -> str:
    return con.execute(f"SELECT state FROM unify_jobs({job})").fetchone()[0]


def why_not_continued(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Returns, of each unfinished load that was taken up again, `going on` or why it could not be continued."""
    sql = "SELECT message FROM information_schema.loading_log WHERE message LIKE 'an unfinished load cannot%' OR message LIKE 'going on%'"
    messages = [row[0] for row in con.execute(sql).fetchall()]
    return [message[:8] if message.startswith("going on") else message.split(": ")[1].split(";")[0] for message in messages]
