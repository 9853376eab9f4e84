"""An authority and certificates of the tests' own, and an API that shows one."""

import contextlib
import http.server
import ssl
import subprocess
import threading

# What `openssl ca` wants to know.
AUTHORITY = """
[ca]
default_ca = own
[own]
dir = .
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
[any]
commonName = supplied
"""
# The names a certificate is for, and from when to when.
CERTIFICATES = {
    "good": ("IP:127.0.0.1,DNS:localhost", "20200101000000Z", "20991231000000Z"),
    "expired": ("IP:127.0.0.1,DNS:localhost", "20200101000000Z", "20210101000000Z"),
    "early": ("IP:127.0.0.1,DNS:localhost", "20980101000000Z", "20991231000000Z"),
    "other": ("DNS:other.test", "20200101000000Z", "20991231000000Z"),
}


def make_certificates(folder) -> None:
    """Makes an authority that no machine trusts, `ca.pem`, and certificates that it signed: those of servers, and that of a client, `client.pem`."""
    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=an authority of its own", "-days", "30")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server")
    (folder / "ca.cnf").write_text(AUTHORITY)
    (folder / "index.txt").touch()
    (folder / "index.txt.attr").write_text("unique_subject = no\n")
    (folder / "serial").write_text("01\n")
    openssl("req", "-new", "-key", "server.key", "-out", "client.csr", "-subj", "/CN=a client")
    for name, (names, begin, end) in [*CERTIFICATES.items(), ("client", CERTIFICATES["good"])]:
        (folder / "names.cnf").write_text(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n")
        request = "client.csr" if name == "client" else "server.csr"
        openssl("ca", "-batch", "-config", "ca.cnf", "-in", request, "-out", f"{name}.pem", "-startdate", begin, "-enddate", end,
                "-extfile", "names.cnf", "-notext")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'[{"id": 1}, {"id": 2}]'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A peer that does not trust the certificate hangs up."""


@contextlib.contextmanager
def serving(folder, name: str, wants_client: bool = False):
    """Runs an API that shows the certificate of that name, and gives its port. With `wants_client` its clients have to show one, too."""
    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / "server.key")
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "ca.pem")
    # The handshake is the handling thread's: the accepting one serves others meanwhile.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
