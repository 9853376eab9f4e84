"""An API of a test's own, in the test's process: what it answers is a function of the request."""

import contextlib
import http.server
import threading
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field


@dataclass
class Asked:
    """A request."""

    method: str
    path: str
    params: dict[str, str]
    body: bytes
    # By names as they are usually written, such as `Content-Type`, however they came.
    headers: dict[str, str]


@dataclass
class Answer:
    """What is answered; pieces are sent one after the other, without a length."""

    body: bytes | Iterable[bytes]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A peer that hangs up is part of the tests."""


@contextlib.contextmanager
def serving(answer: Callable[[Asked], Answer]) -> Iterator[str]:
    """Runs an API and gives its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answered = answer(Asked(self.command, path, dict(urllib.parse.parse_qsl(query)), body, {name.title(): value for name, value in self.headers.items()}))
            self.send_response(answered.status)
            is_whole = isinstance(answered.body, bytes)
            framing = {"Content-Length": str(len(answered.body))} if is_whole else {"Transfer-Encoding": "chunked"}
            for name, value in {"Content-Type": "application/json", **answered.headers, **framing}.items():
                self.send_header(name, value)
            self.end_headers()
            if is_whole:
                self.wfile.write(answered.body)
                return
            for piece in answered.body:
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")

        do_GET = do_POST = do_PUT = do_DELETE = handle_any

        def log_message(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
