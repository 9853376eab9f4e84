"""Servers whose certificate cannot be trusted: the error says why in words and what to do, and the file of authorities it names works."""

import contextlib
import dataclasses
import http.server
import threading

from certificates import CERTIFICATES, make_certificates, serving

SPEC = """
name: private
base_url: "{host}"
options: {host: {description: the API, required: true}}
retry: {attempts: 1}
tables:
  - {name: items, supports_paging: false, resource_path: /items}
"""


def told(python, around, ports: dict[str, int], **more: str) -> list[str]:
    """Returns what SELECT and TEST CONNECTION say of the API at each port: the number of rows, or the error on one line."""
    folder = around.folder / "specs"
    folder.mkdir(exist_ok=True)
    (folder / "private.yaml").write_text(SPEC)
    there = dataclasses.replace(around, specs=folder, more={**around.more, **more})
    script = f"""
        con = connect()
        con.execute("SET GLOBAL unify_spec_path = '{folder}'")
        for name, port in {ports!r}.items():
            con.execute(f"CREATE CONNECTION {{name}} (ADAPTER private, host 'https://127.0.0.1:{{port}}')")
            try:
                print(con.execute(f"SELECT count(*) FROM {{name}}.items").fetchone()[0])
            except duckdb.Error as err:
                print(str(err).replace(chr(10), " "))
    """
    return python.run(there, script).check().stdout.splitlines()


def test_what_is_wrong_with_a_certificate_is_told_in_words_and_a_file_of_authorities_helps(python, around, tmp_path):
    folder = tmp_path / "certificates"
    folder.mkdir()
    make_certificates(folder)
    with contextlib.ExitStack() as stack:
        ports = {name: stack.enter_context(serving(folder, name)) for name in CERTIFICATES}
        untrusted = told(python, around, ports)
        trusted = told(python, around, ports, SSL_CERT_FILE=str(folder / "ca.pem"))
    words = (
        "this machine does not trust the authority that signed the certificate; name the authority's certificate in option 'ca_certificate', "
        "or a file of authorities in SSL_CERT_FILE"
    )
    assert len(untrusted) == len(ports) and all(line.count(words) == 1 for line in untrusted[:1]), untrusted
    assert all(f"GET https://127.0.0.1:{port}/items" in line for port, line in zip(ports.values(), untrusted)), untrusted
    good, expired, early, other = trusted
    assert good == "2", trusted
    assert "the certificate has expired; is the clock right?" in expired, trusted
    assert "the certificate is not valid yet; is the clock right?" in early, trusted
    assert "the certificate is one of another host" in other, trusted


def test_the_shell_tells_the_same(cli, around, tmp_path):
    folder = tmp_path / "certificates"
    folder.mkdir()
    make_certificates(folder)
    specs = tmp_path / "specs"
    specs.mkdir()
    (specs / "private.yaml").write_text(SPEC)
    with serving(folder, "good") as port:
        statements = [f"CREATE CONNECTION own (ADAPTER private, host 'https://127.0.0.1:{port}');", "SELECT count(*) FROM own.items;"]
        there = dataclasses.replace(around, specs=specs)
        untrusted = cli.run(there, statements)
        there.more["SSL_CERT_FILE"] = str(folder / "ca.pem")
        trusted = cli.run(there, statements).check()
    assert "or a file of authorities in SSL_CERT_FILE" in untrusted.stderr, untrusted
    assert trusted.stdout.endswith("2\n"), trusted


def test_a_server_without_tls_is_told(python, around, api_server):
    port = int(api_server.rpartition(":")[2])
    [line] = told(python, around, {"plain": port})
    assert "the server does not speak TLS there; is its address http:// or another port?" in line, line


def created(python, around, options: list[str]) -> list[str]:
    """Returns what SELECT says of connections with these options, each on one line."""
    folder = around.folder / "specs"
    folder.mkdir(exist_ok=True)
    (folder / "private.yaml").write_text(SPEC)
    script = f"""
        con = connect()
        con.execute("SET GLOBAL unify_spec_path = '{folder}'")
        for number, options in enumerate({options!r}):
            try:
                con.execute(f"CREATE CONNECTION c{{number}} (ADAPTER private, {{options}})")
                print(con.execute(f"SELECT count(*) FROM c{{number}}.items").fetchone()[0])
            except duckdb.Error as err:
                print(str(err).replace(chr(10), " "))
    """
    return python.run(dataclasses.replace(around, specs=folder), script).check().stdout.splitlines()


def test_a_connection_has_certificates_of_its_own(python, around, tmp_path):
    folder = tmp_path / "certificates"
    folder.mkdir()
    make_certificates(folder)
    (folder / "both.pem").write_text((folder / "good.pem").read_text() + (folder / "server.key").read_text())
    pem = (folder / "ca.pem").read_text()
    with serving(folder, "good") as plain, serving(folder, "good", wants_client=True) as mutual:
        own = f"ca_certificate '{folder}/ca.pem'"
        told = created(python, around, [
            f"host 'https://127.0.0.1:{plain}', {own}",
            f"host 'https://127.0.0.1:{plain}', ca_certificate '{pem}'",
            f"host 'https://127.0.0.1:{mutual}', {own}, client_certificate '{folder}/good.pem', client_key '{folder}/server.key'",
            f"host 'https://127.0.0.1:{mutual}', {own}, client_certificate file('{folder}/both.pem')",
            f"host 'https://127.0.0.1:{mutual}', {own}",
            f"host 'https://127.0.0.1:{plain}', ca_certificate '{folder}/server.key'",
            f"host 'https://127.0.0.1:{plain}', {own}, client_certificate '{folder}/good.pem'",
            f"host 'https://127.0.0.1:{plain}', {own}, client_key '{folder}/server.key'",
            f"host 'https://127.0.0.1:{plain}', {own}, client_certificate '{folder}/good.pem', client_key '{folder}/ca.key'",
        ])
    assert told[:4] == ["2"] * 4, told
    assert "CertificateRequired" in told[4] or "certificate" in told[4].lower() or "lost" in told[4], told
    assert "option 'ca_certificate': no certificate in it; expected PEM" in told[5], told
    assert "option 'client_key' is missing: 'client_certificate' has no private key" in told[6], told
    assert "option 'client_key' is given without 'client_certificate'" in told[7], told
    assert "options 'client_certificate' and 'client_key' do not fit each other" in told[8], told


def test_a_connection_has_a_proxy_of_its_own(python, around, api_server):
    seen = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, self.headers.get("Proxy-Authorization")))
            body = b'[{"id": 1}]'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        told = created(python, around, [
            f"host 'http://localhost:1', proxy 'http://me:secret-token@127.0.0.1:{server.server_port}'",
            "host 'http://localhost:1', proxy 'nonsense secret-token'",
            "host 'http://localhost:1', proxy 'none'",
        ])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert told[0] == "1" and seen[0][0] == "http://localhost:1/items" and seen[0][1].startswith("Basic "), (told, seen)
    assert "option 'proxy': it is not a proxy; expected http://host:port" in told[1], told
    assert "could not connect" in told[2], told
