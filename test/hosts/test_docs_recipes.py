"""The recipes: each block in its own session, and what the blocks for a machine's surroundings (proxy, authorities, schedule) promise."""

import contextlib
import http.server
import re
import shlex
import socket
import ssl
import threading
import tomllib

import hosts
import pages
import pytest

PAGE = "docs/recipes.md"
HEADINGS = re.findall(r"^## (.+)$", pages.read(PAGE), re.MULTILINE)
# What recipes expect at places that a test has elsewhere.
EXTENSION = "/usr/local/lib/unify.duckdb_extension"
CONNECTIONS = "/etc/unify/connections.yaml"
# The languages of the blocks below each heading that are not SQL to run in a session; a test below runs what they say.
# Files are not among them: they are written, and what reads them is run.
OTHERS = {
    "Use a proxy": ["sh"],
    "Trust your own certificate authority": ["sh"],
    # The line of a crontab; its command is run.
    "Schedule loads": ["text"],
    "Uninstall": ["sh"],
}
# What the last block below a heading shows.
SHOWN = {
    "Load rows since a date": "since=2024-01-01",
    "Why a load failed": "acme",
    "Upgrade": tomllib.loads((hosts.ROOT / "Cargo.toml").read_text())["package"]["version"],
    "Where secrets are": "password=$GITHUB_TOKEN",
}


def laid_out(around: hosts.Surroundings) -> list[pages.Block]:
    """Writes the page's files and returns the blocks before the first heading, which every recipe needs."""
    around.more["GITHUB_TOKEN"] = hosts.SECRETS[0]
    blocks = list(pages.lay_out(around, pages.blocks(PAGE)))
    first = pages.read(PAGE).index("\n## ")
    return [block for block in blocks if block.span[0] < first]


def below(heading: str) -> list[pages.Block]:
    """Returns the blocks below a heading that are not files."""
    text = pages.read(PAGE)
    start = text.index(f"\n## {heading}\n")
    end = text.find("\n## ", start + 1)
    return [block for block in pages.blocks(PAGE) if block.file is None and start < block.span[0] < (len(text) if end < 0 else end)]


def sql_of(heading: str) -> list[str]:
    return [block.text for block in below(heading) if block.language == "sql"]


def test_every_block_is_of_a_kind_that_is_run():
    for heading in HEADINGS:
        others = [block.language for block in below(heading) if block.language != "sql"]
        assert others == OTHERS.get(heading, []), heading


@pytest.mark.parametrize("heading", [heading for heading in HEADINGS if sql_of(heading)])
def test_in_the_command_line(heading, cli, around):
    first = [block.text for block in laid_out(around)]
    *_, shown = pages.run_sql(around, cli, [*first, *sql_of(heading)])
    assert SHOWN.get(heading, "") in shown, shown


def test_in_python(python, around):
    first = [block.text for block in laid_out(around)]
    script = f"""
        for heading, texts in {[(heading, sql_of(heading)) for heading in HEADINGS]!r}:
            con = duckdb.connect(config={{"allow_unsigned_extensions": "true"}})
            for text in [*{first!r}, *texts]:
                shown = con.execute(text).fetchall()
            print(heading, shown, sep=": ")
            con.close()
    """
    shown = python.run(around, script).check().stdout
    assert all(expected in shown for expected in SHOWN.values()), shown


def test_the_schedule_refreshes(cli, around):
    laid_out(around)
    (crontab,) = below("Schedule loads")
    command = crontab.text.strip().splitlines()[-1].split(maxsplit=5)[5]
    service = (around.folder / "unify-refresh.service").read_text()
    assert f"ExecStart={command}\n" in service
    script = around.folder / "refresh.sql"
    elsewhere = {EXTENSION: around.extension, CONNECTIONS: around.folder / "connections.yaml"}
    for path, here in elsewhere.items():
        assert path in script.read_text()
        script.write_text(script.read_text().replace(path, str(here)))
    elsewhere = {"/usr/local/bin/duckdb": cli.program(), "/var/lib/unify/unify.duckdb": "unify.duckdb", "/etc/unify/refresh.sql": script}
    for path, here in elsewhere.items():
        assert path in command
        command = command.replace(path, str(here))
    load = script.read_text().replace("REFRESH SCHEMA hackernews", "LOAD TABLE hackernews.lists")
    around.run([*shlex.split(command)[:-2]], load).check()
    assert "hackernews.lists │ refresh" in around.run(shlex.split(command)).check().stdout
    # A load that fails is the command's failure.
    script.write_text(script.read_text().replace("REFRESH SCHEMA hackernews", "REFRESH TABLE hackernews.nothing"))
    assert around.run(shlex.split(command)).code == 1


def test_uninstalling_leaves_no_file(cli, around):
    laid_out(around)
    install = f"INSTALL '{around.extension}'"
    around.run(cli.command("-c", install)).check()
    (around.folder / ".unify").mkdir()
    (around.folder / ".unify" / "connections.yaml").write_text("")
    assert list((around.folder / ".duckdb").rglob("unify.*"))
    (block,) = (block for block in below("Uninstall") if block.language == "sh")
    around.run(["bash", "-euo", "pipefail", "-c", block.text]).check()
    assert not list((around.folder / ".duckdb").rglob("unify.*")) and not (around.folder / ".unify").exists()


def exported(heading: str, replaced: dict[str, str], around: hosts.Surroundings) -> None:
    """Runs the shell's block below a heading, other values in it, and keeps what it exports."""
    (block,) = below(heading)
    text = block.text
    for was, now in replaced.items():
        assert was in text, was
        text = text.replace(was, now)
    names = re.findall(r"^export (\w+)=", text, re.MULTILINE)
    shown = around.run(["bash", "-euc", text + "".join(f'\nprintf "%s\\n" "${name}"' for name in names)]).check().stdout
    around.more.update(zip(names, shown.splitlines(), strict=True))


def error_of(around: hosts.Surroundings, python: hosts.Python, base_url: str) -> str:
    """Loads a table from an address and returns the error, or '' when there is none."""
    specs = around.folder / "specs"
    specs.mkdir(exist_ok=True)
    (specs / "far.yaml").write_text(
        f"name: far\nbase_url: {base_url}\nretry: {{attempts: 1}}\ntables:\n  - {{name: items, resource_path: /items, key_column: value}}\n"
    )
    script = f"""
        con = connect()
        con.execute("SET GLOBAL unify_spec_path = '{specs}'")
        con.execute("CREATE CONNECTION far (ADAPTER far)")
        try:
            con.execute("FROM far.items")
        except duckdb.Error as err:
            print(err)
    """
    return python.run(around, script).check().stdout


@contextlib.contextmanager
def proxy():
    """Listens as a proxy that refuses everything, and gives its address and the first lines of what it was asked."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer, peer.makefile("rb") as lines:
                    asked.append(lines.readline().decode().strip())
                    peer.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_proxy_is_asked(python, around):
    with proxy() as (address, asked):
        exported("Use a proxy", {"http://proxy.example.com:3128": address}, around)
        assert error_of(around, python, "https://api.example.com") != ""
        assert asked == ["CONNECT api.example.com:443 HTTP/1.1"]
        # No proxy is asked for this machine.
        assert "could not connect" in error_of(around, python, "https://127.0.0.1:1")
        assert len(asked) == 1, asked


class Items(http.server.BaseHTTPRequestHandler):
    """Answers with three rows."""

    def do_GET(self) -> None:
        body = b"[1, 2, 3]"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def https_server(folder):
    """Serves https with a certificate that company-ca.pem in the folder signs."""
    commands = f"""
        cd {folder}
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out company-ca.pem -subj /CN=company -addext basicConstraints=critical,CA:true
        openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost
        printf 'subjectAltName=IP:127.0.0.1' > names
        openssl x509 -req -in server.csr -CA company-ca.pem -CAkey ca.key -CAcreateserial -days 2 -out server.pem -extfile names
    """
    hosts.subprocess.run(["bash", "-euc", commands], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Items)
    # Each connection shakes hands on its own thread.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_authority_of_ones_own_is_trusted(python, around):
    with https_server(around.folder) as address:
        assert "does not trust the authority that signed the certificate; name the authority's certificate in option 'ca_certificate'" in error_of(around, python, address)
        (around.folder / "machine.pem").write_text("")
        exported("Trust your own certificate authority", {"/etc/ssl/certs/ca-certificates.crt": "machine.pem"}, around)
        assert error_of(around, python, address) == ""
