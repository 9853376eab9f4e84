"""A person's consent, a client that signs, and rotated refresh tokens, with a certified authorization server (oidc-provider)."""

import base64
import http.cookiejar
import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import hosts
import pytest
from certificates import make_certificates

PACKAGE = hosts.ROOT / "build" / "servers" / "oidc" / "node_modules" / "oidc-provider"
# Prints the public part of a key as a JSON Web Key.
JWK = "console.log(JSON.stringify(require('crypto').createPublicKey(require('fs').readFileSync(process.argv[1])).export({format: 'jwk'})))"


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """The folder with the private keys of the client that signs."""
    folder = tmp_path_factory.mktemp("keys")
    for name, arguments in {"rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]}.items():
        subprocess.run(["openssl", "genpkey", *arguments, "-out", folder / f"{name}.pem"], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """The folder with an authority, and the certificates of a server and a client."""
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


@pytest.fixture(scope="session")
def addresses(keys, certificates):
    """The address of the server, and that where its clients show certificates."""
    assert PACKAGE.is_dir(), f"there is no {PACKAGE}; run 'make configure'"
    jwks = [json.loads(subprocess.run(["node", "-e", JWK, keys / f"{name}.pem"], check=True, capture_output=True, text=True).stdout) for name in ("rsa", "ec")]
    command = ["node", str(hosts.TEST / "hosts" / "oidc_server.mjs"), str(PACKAGE), json.dumps({"keys": jwks}), str(certificates)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    yield next(line.split()[1:] for line in process.stdout if line.startswith("ready "))
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def oidc(addresses):
    return addresses[0]


class Browser:
    """Somebody who consents to whatever is asked."""

    def __init__(self) -> None:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(cookies, urllib.request.ProxyHandler({}))

    def open(self, address: str, form: dict | None = None) -> tuple[str, str]:
        """Returns the address that the browser was led to, and its page."""
        data = urllib.parse.urlencode(form).encode() if form else None
        with self.opener.open(urllib.request.Request(address, data), timeout=30) as answer:
            return answer.url, answer.read().decode()

    def confirm(self, address: str) -> None:
        """Confirms the code of a device."""
        url, page = self.open(address)
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
        self.open(url.split("?")[0], {**fields, "confirm": "yes"})


@pytest.fixture
def own(around, oidc):
    """Surroundings with a connections file of their own, and connections to the server."""
    around.connections = around.folder / "connections.yaml"
    around.connections.write_text(
        f"- browser:\n    adapter: oidc\n    options: {{host: '{oidc}', client_id: basic, client_secret: $UNIFY_TEST_TOKEN}}\n"
        f"- device:\n    adapter: oidc_device\n    options: {{host: '{oidc}'}}\n"
        f"- client:\n    adapter: oidc_client\n    options: {{host: '{oidc}', client_id: body, client_secret: $UNIFY_TEST_TOKEN}}\n"
    )
    return around


def told_address(process) -> str:
    """Waits for the line that says which address to open."""
    for line in process.stderr:
        found = re.search(r"open (http\S+)", line)
        if found:
            return found[1]
    raise AssertionError(f"no address was told; {process.stdout.read()}")


AUTHORIZE = """
    con = connect()
    print(con.execute("SELECT status, access_until IS NOT NULL, message FROM unify_authorize('{name}')").fetchall())
    print(con.execute("SELECT count(*) FROM {name}.items").fetchall())
"""
LOAD = """
    con = connect()
    print(con.execute("SELECT count(*) FROM {name}.items").fetchall())
"""


def test_a_person_consents_in_a_browser(python, own):
    process = own.start(python.command(AUTHORIZE.format(name="browser")))
    Browser().open(told_address(process))
    outcome = hosts.finish(process).check()
    assert re.search(r"\[\('authorized', True, 'access until 20.* UTC, renewed without you'\)\]\n\[\(3,\)\]\n", outcome.stdout), outcome
    # Another process has access, too, and renews it.
    assert python.run(own, LOAD.format(name="browser")).check().stdout.endswith("[(3,)]\n")
    spent = set()
    for _ in range(2):
        [path] = (own.folder / "connections.yaml.tokens").glob("*.json")
        kept = json.loads(path.read_text())
        spent.add(kept["values"]["refresh_token"])
        path.write_text(json.dumps({**kept, "expires": 1}))
        assert python.run(own, LOAD.format(name="browser")).check().stdout.endswith("[(3,)]\n")
    assert len(spent) == 2


def test_without_consent_the_error_says_what_to_type(python, own):
    script = """
        con = connect()
        for sql in ("SELECT * FROM browser.items", "AUTHORIZE CONNECTION client", "FROM unify_authorize('browser', redirected := 'http://127.0.0.1/back?code=1')"):
            try:
                con.execute(sql)
            except duckdb.Error as err:
                print(str(err).splitlines()[0])
    """
    told = python.run(own, script).check().stdout.splitlines()
    assert "connection 'browser' is not authorized yet: run AUTHORIZE CONNECTION browser" in told[0], told
    assert "connection 'client' authenticates by OAUTH2 with its options alone: nobody has to authorize it" in told[1], told
    assert "did not ask for consent in this database" in told[2], told


def test_an_address_can_be_pasted(python, own):
    script = """
        import threading, re, os
        con = connect()
        reader, writer = os.pipe()
        saved = os.dup(2)
        os.dup2(writer, 2)
        told = b""
        def interrupt_when_told():
            global told
            while not re.search(rb"open http\\S+\\s", told):
                told += os.read(reader, 100000)
            con.interrupt()
        watching = threading.Thread(target=interrupt_when_told, daemon=True)
        watching.start()
        try:
            con.execute("AUTHORIZE CONNECTION browser")
        except duckdb.Error as err:
            print(type(err).__name__)
        os.dup2(saved, 2)
        watching.join()
        address = re.search(r"open (http\\S+)", told.decode())[1]
        print(address, flush=True)
        redirected = input()
        print(con.execute("SELECT status FROM unify_authorize('browser', redirected := ?)", [redirected]).fetchall())
        print(con.execute("SELECT count(*) FROM browser.items").fetchall())
    """
    process = own.start(python.command(script))
    assert process.stdout.readline().strip() == "InterruptException"
    address = process.stdout.readline().strip()
    # Nobody listens any more, or hangs up at once: the browser ends at an address that it cannot reach.
    with pytest.raises(OSError):
        Browser().open(address)
    led_to = led_to_of(address)
    outcome = hosts.finish(process, led_to + "\n").check()
    assert "[('authorized',)]\n" in outcome.stdout and outcome.stdout.endswith("[(3,)]\n"), outcome


def led_to_of(address: str) -> str:
    """Returns the last address that a browser is led to, without opening it."""

    class Stop(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, request, file, code, message, headers, url):
            if "/back?" in url:
                raise urllib.error.HTTPError(url, 302, "led away", headers, None)
            return super().redirect_request(request, file, code, message, headers, url)

    cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    try:
        urllib.request.build_opener(cookies, Stop, urllib.request.ProxyHandler({})).open(address, timeout=30)
    except urllib.error.HTTPError as err:
        return err.url
    raise AssertionError("the browser was not led away")


def test_a_device_is_authorized_elsewhere(python, own):
    process = own.start(python.command(AUTHORIZE.format(name="device")))
    Browser().confirm(told_address(process))
    assert "[('authorized', True," in hosts.finish(process).check().stdout


def test_waiting_for_consent_can_be_interrupted_in_the_cli(cli, own):
    process = own.start(cli.command("-batch", ":memory:"))
    process.stdin.write("\n".join([*own.setup_sql(), "AUTHORIZE CONNECTION browser;", ""]))
    process.stdin.flush()
    told_address(process)
    hosts.interrupt(process)
    outcome = hosts.finish(process, "SELECT 'goes on';\n", timeout=30)
    assert "interrupted" in outcome.stderr.lower() or outcome.code != 0, outcome


def test_node_asks_for_consent(node, own):
    process = node.start(own)
    for sql in [*own.setup_sql(), "SELECT status FROM unify_authorize('browser')", "SELECT count(*) FROM browser.items"]:
        process.stdin.write(json.dumps({"sql": sql}) + "\n")
    process.stdin.flush()
    Browser().open(told_address(process))
    answers = [json.loads(line) for line in hosts.finish(process).check().stdout.splitlines()]
    assert not any("error" in answer for answer in answers), answers


def test_a_client_that_signs(python, own, oidc, keys):
    lines = []
    for name, client, key in [
        ("oidc_jwt", "signer", keys / "rsa.pem"), ("oidc_jwt_ps256", "signer", keys / "rsa.pem"),
        ("oidc_jwt_es256", "signer", (keys / "ec.pem").read_text()), ("oidc_jwt_hs256", "hmac", "secret-token" * 4),
    ]:
        lines.append(f"- {name}:\n    adapter: {name}\n    options: {json.dumps({'host': oidc, 'client_id': client, 'private_key': str(key)})}\n")
    account = {"type": "service_account", "client_email": "me@example.com", "private_key_id": "k1", "private_key": (keys / "rsa.pem").read_text()}
    (keys / "account.json").write_text(json.dumps(account))
    lines.append(f"- account:\n    adapter: oidc_jwt\n    options: {json.dumps({'host': oidc, 'client_id': 'signer', 'private_key': str(keys / 'account.json')})}\n")
    lines.append(f"- wrong:\n    adapter: oidc_jwt_es256\n    options: {json.dumps({'host': oidc, 'client_id': 'signer', 'private_key': str(keys / 'rsa.pem')})}\n")
    own.connections.write_text("".join(lines))
    own.exposed.append("connections.yaml")
    script = """
        con = connect()
        for name in ("oidc_jwt", "oidc_jwt_ps256", "oidc_jwt_es256", "oidc_jwt_hs256", "account", "wrong"):
            try:
                print(con.execute(f"SELECT count(*) FROM {name}.items").fetchall())
            except duckdb.Error as err:
                print(str(err).splitlines()[0])
    """
    told = python.run(own, script).check().stdout.splitlines()
    assert told[:5] == ["[(3,)]"] * 5, told
    assert "option 'private_key': the private key cannot sign by ES256" in told[5], told
    assert base64.b64encode((keys / "rsa.pem").read_bytes())[:40].decode() not in str(told)


def test_a_client_that_shows_a_certificate(python, own, addresses, certificates):
    """The certificate is all that the client authenticates by, and its token is worth nothing without it."""
    tls = f"ADAPTER oidc_certified, host '{addresses[1]}', ca_certificate '{certificates}/ca.pem'"
    shown = [f"client_certificate '{certificates}/{name}.pem', client_key '{certificates}/{key}.key'" for name, key in (("client", "server"), ("good", "server"))]
    script = f"""
        con = connect()
        for name, options in {{"certified": {f"{tls}, {shown[0]}"!r}, "other": {f"{tls}, {shown[1]}"!r}, "none": {tls!r}}}.items():
            try:
                con.execute(f"CREATE CONNECTION {{name}} ({{options}})")
                print(con.execute(f"SELECT count(*), min(client) FROM {{name}}.items").fetchall())
            except duckdb.Error as err:
                print(str(err).splitlines()[0])
    """
    told = python.run(own, script).check().stdout.splitlines()
    assert told[0] == "[(3, 'certified')]", told
    # The server says the same of either, and the second thing to check is which certificate it is.
    assert all("invalid_client" in line and "returned 401" in line for line in told[1:]), told


def test_client_credentials_of_a_certified_server(python, own):
    assert python.run(own, LOAD.format(name="client")).check().stdout.endswith("[(3,)]\n")


@pytest.fixture
def typed(own, oidc, keys) -> list[str]:
    """What a user types to make a connection of each kind, and to load from it."""
    kinds = {
        "cc": f"ADAPTER oidc_client, host '{oidc}', client_id 'body', client_secret env('UNIFY_TEST_TOKEN')",
        "jw": f"ADAPTER oidc_jwt, host '{oidc}', client_id 'signer', private_key '{keys / 'rsa.pem'}'",
        "se": f"ADAPTER session_told, host '{own.api}', username 'me', password env('UNIFY_TEST_TOKEN')",
    }
    return [f"CREATE CONNECTION {name} ({options})" for name, options in kinds.items()] + [f"SELECT count(*) FROM {name}.items" for name in kinds]


def logged_out(own) -> bool:
    """Returns whether the one session that the API still knew was ended."""
    told = json.loads(own.get("/__oauth?realm=told"))
    return (told["issued"], told["ended"]) == (2, 1)


def test_what_a_user_types_works_in_python(python, own, typed):
    script = f"""
        con = connect()
        print([con.execute(sql).fetchall()[0][-1] for sql in {typed!r}][3:])
    """
    assert python.run(own, script).check().stdout.endswith("[3, 3, 3]\n")
    assert logged_out(own)


def test_what_a_user_types_works_in_the_cli(cli, own, typed):
    outcome = cli.run(own, [f"{sql};" for sql in typed]).check()
    assert outcome.stdout.splitlines()[-1] == "3" and outcome.stdout.splitlines().count("3") == 3, outcome
    assert logged_out(own)


def test_what_a_user_types_works_in_node(node, own, typed):
    answers = node.run(own, typed)
    assert not any("error" in answer for answer in answers), answers
    assert logged_out(own)
