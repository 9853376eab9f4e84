"""Peers that hang up at every moment, before, during and after a request, over plain and TLS: the host's process goes on."""

import contextlib
import dataclasses
import socket
import struct
import threading

# How many bytes are read, and which are sent, before the peer hangs up; and how it does so. A write after an end that a reset
# follows is what raises the signal.
MOMENTS = [
    (n_read, sent, ending)
    for n_read in (0, 1, 1 << 16)
    for sent in (b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[")
    for ending in ("close", "reset", "end, then reset", "end, then reset", "end, then reset")
]
SPEC = """
name: gone
base_url: "{host}"
options: {host: {description: the peer, required: true}}
retry: {attempts: 1}
tables:
"""
N_TABLES = len(MOMENTS)


@contextlib.contextmanager
def peer():
    """Runs a server that hangs up, with each connection at the next of the moments, and gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        number = 0
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            n_read, sent, ending = MOMENTS[number % N_TABLES]
            number += 1
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                if n_read:
                    connection.recv(n_read)
                connection.sendall(sent)
                if ending.startswith("end"):
                    connection.shutdown(socket.SHUT_WR)
                if ending.endswith("reset"):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def asking(around, port: int):
    """Returns the surroundings with connections to the peer, and the statements that ask it at each moment."""
    folder = around.folder / "specs"
    folder.mkdir()
    tables = "".join(f"  - {{name: t{n}, resource_path: /t{n}}}\n" for n in range(N_TABLES))
    (folder / "gone.yaml").write_text(SPEC + tables)
    connections = around.folder / "gone.connections.yaml"
    schemes = {"plain": "http", "tls": "https"}
    connections.write_text("".join(
        f"- {name}: {{adapter: gone, options: {{host: '{scheme}://127.0.0.1:{port}'}}}}\n" for name, scheme in schemes.items()))
    statements = [f"SELECT * FROM {name}.t{n}" for n in range(N_TABLES) for name in schemes]
    return dataclasses.replace(around, specs=folder, connections=connections), statements


def test_peers_that_hang_up_leave_the_shell_running(cli, around):
    with peer() as port:
        there, statements = asking(around, port)
        outcome = cli.run(there, [*(f"{sql};" for sql in statements), "SELECT 'still here';"])
    assert outcome.code != -13 and outcome.stdout.endswith("still here\n"), outcome
    assert outcome.stderr.count("Error") >= len(statements) // 2, outcome


def test_peers_that_hang_up_leave_python_running(python, around):
    with peer() as port:
        there, statements = asking(around, port)
        script = f"""
            import signal
            # Python ignores the signal where nobody says otherwise.
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            con = connect()
            con.execute("SET GLOBAL unify_spec_path = '{there.specs}'")
            n_errors = 0
            for sql in {statements!r}:
                try:
                    con.execute(sql)
                except duckdb.Error:
                    n_errors += 1
            print("still here", n_errors == {len(statements)})
        """
        outcome = python.run(there, script)
    assert (outcome.code, outcome.stdout) == (0, "still here True\n"), outcome


def test_peers_that_hang_up_leave_node_running(node, around):
    with peer() as port:
        there, statements = asking(around, port)
        answers = node.run(there, [*statements, "SELECT 'still here'"])
    assert answers[-1] == {"rows": [["still here"]]} and all("error" in answer for answer in answers[:-1]), answers
