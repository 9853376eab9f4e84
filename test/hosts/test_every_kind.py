"""Each way to authenticate, typed in each host: the connection is made, a table is loaded, and no secret is in what the host says."""

import contextlib
import http.server
import json
import shutil
import threading
from dataclasses import dataclass

import hosts
import pytest
from certificates import make_certificates, serving as serving_tls
from small_api import serving
from verifying_api import Verifying

# A host prints them in no form.
KEYS = {"signer": "secret-token-of-the-signer", "amazon": "secret-token/of+amazon", "one": "secret-token-one", "two": "secret-token-two"}
OWN = "{description: address of the server, required: true}"
OWN_SPECS = {
    "kind_signed": "{type: JWT, use: bearer, algorithm: HS256, claims: {iss: me}}|/signed",
    "kind_granted": "{type: JWT, use: grant, algorithm: HS256, token_url: '{host}/token', claims: {iss: me}}|/items",
    "kind_asserted": "{type: JWT, use: client_assertion, algorithm: HS256, token_url: '{host}/token'}|/items",
    "kind_amazon": "{type: AWS4Auth, service: events}|/a b/amazon",
    "kind_clients": "{type: OAUTH2, grant: client_credentials, token_url: '{host}/token'}|/items",
    "kind_open": "{type: NONE}|/items",
}
SHARED_SPECS = ["oauth", "session_told", "signed", "tokens"]


@dataclass
class Typed:
    """What a user types of one kind, and how many rows come."""

    options: str
    table: str = "items"
    n_rows: int = 3

    def statements(self, name: str) -> list[str]:
        return [
            f"CREATE CONNECTION {name} ({self.options})",
            f"SELECT count(*) FROM {name}.{self.table}",
            f"SELECT count(*) FROM unify_test_connection('{name}') WHERE NOT ok",
        ]


class Proxy(http.server.BaseHTTPRequestHandler):
    """Answers for whatever server is asked for, when it is shown the right password."""

    def do_GET(self) -> None:
        # "bWU6c2VjcmV0LXRva2Vu" is "me:secret-token".
        is_known = self.headers.get("Proxy-Authorization") == "Basic bWU6c2VjcmV0LXRva2Vu" and self.path == "http://localhost:1/items"
        body = b'[{"id": 1}]'
        self.send_response(200 if is_known else 407)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serving_proxy():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def typed(around, tmp_path_factory):
    """What a user types of each kind, with the servers that check it."""
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    around.specs = around.folder / "specs"
    around.specs.mkdir()
    for name in SHARED_SPECS:
        shutil.copy(hosts.TEST / "specs" / f"{name}.yaml", around.specs)
    for name, text in OWN_SPECS.items():
        auth, path = text.split("|")
        spec = f"name: {name}\nbase_url: '{{host}}'\noptions: {{host: {OWN}}}\nauth: {auth}\nretry: {{attempts: 1}}\n"
        (around.specs / f"{name}.yaml").write_text(spec + f"tables:\n  - {{name: items, resource_path: {path}, supports_paging: false}}\n")
    around.connections = around.folder / "connections.yaml"
    around.connections.write_text("[]\n")
    around.more |= {"SIGNER": KEYS["signer"], "AMAZON": KEYS["amazon"]}
    api, ca = around.api, f"ca_certificate '{folder}/ca.pem'"
    oauth = f"ADAPTER oauth, host '{api}', client_id 'client', client_secret"
    consumer = "consumer_key 'consumer-key', consumer_secret 'secret-token/of the consumer+&=', token 'token-id', token_secret 'secret-token%of\"the token'"
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(serving(Verifying(dict.fromkeys(KEYS.values(), 1000)).answer))
        plain, mutual = (stack.enter_context(serving_tls(folder, "good", wants_client)) for wants_client in (False, True))
        proxy = stack.enter_context(serving_proxy())
        yield {
            "client": Typed(f"{oauth} env('UNIFY_TEST_TOKEN')"),
            "client_in_clear": Typed(f"{oauth} 'secret-token'"),
            "by_password": Typed(f"{oauth} 'secret-token', username 'me', password 'secret-token'"),
            "refreshed": Typed(f"{oauth} 'secret-token', realm 'rotating', refresh_token 'issued-token-rotating-0'"),
            "signed": Typed(f"ADAPTER kind_signed, host '{own}', private_key env('SIGNER')", n_rows=1),
            "granted": Typed(f"ADAPTER kind_granted, host '{own}', private_key '{KEYS['signer']}'", n_rows=1),
            "asserted": Typed(f"ADAPTER kind_asserted, host '{own}', client_id 'me', private_key '{KEYS['signer']}'", n_rows=1),
            "session": Typed(f"ADAPTER session_told, host '{api}', username 'me', password 'secret-token'"),
            "amazon": Typed(f"ADAPTER kind_amazon, host '{own}', region 'eu-north-1', access_key_id 'AKIDEXAMPLE', secret_access_key env('AMAZON'), "
                            "session_token 'secret-token-of-a-role'", n_rows=1),
            "oauth1": Typed(f"ADAPTER signed, host '{api}', account '1234567_SB1', {consumer}", "rows", 7),
            "several": Typed(f"ADAPTER tokens, host '{api}', bearer_token ['secret-token-20', 'secret-token-21']", n_rows=14),
            "several_clients": Typed(f"ADAPTER kind_clients, host '{own}', client_id 'me', client_secret ['{KEYS['one']}', '{KEYS['two']}']", n_rows=1),
            "own_authority": Typed(f"ADAPTER kind_open, host 'https://127.0.0.1:{plain}', {ca}", n_rows=2),
            "mutual": Typed(f"ADAPTER kind_open, host 'https://127.0.0.1:{mutual}', {ca}, client_certificate '{folder}/good.pem', "
                            f"client_key '{folder}/server.key'", n_rows=2),
            "proxied": Typed(f"ADAPTER kind_open, host 'http://localhost:1', proxy 'http://me:secret-token@127.0.0.1:{proxy}'", n_rows=1),
        }


def statements_of(typed: dict[str, Typed]) -> list[str]:
    shown = ["SELECT string_agg(c::VARCHAR) FROM unify_connections() AS c", "SELECT string_agg(message) FROM information_schema.loading_log"]
    return ["SET unify_log_level = 'DEBUG'", *[sql for name, kind in typed.items() for sql in kind.statements(name)], *shown]


def check(typed: dict[str, Typed], counts: list) -> None:
    """Fails unless each kind loaded its rows, and no check of it failed."""
    expected = {name: [str(kind.n_rows), "0"] for name, kind in typed.items()}
    found = {name: counts[3 * idx + 2:3 * idx + 4] for idx, name in enumerate(typed)}
    wrong = {name: found[name] for name in typed if found[name] != expected[name]}
    assert not wrong, wrong


def test_in_python(python, around, typed):
    script = f"""
        import json
        con = connect("x.duckdb")
        con.execute("SET GLOBAL unify_spec_path = '{around.specs}'")
        for sql in {statements_of(typed)!r}:
            try:
                rows = con.execute(sql).fetchall()
                print(json.dumps(str(rows[0][0]) if rows else None))
            except duckdb.Error as err:
                print(json.dumps(str(err)))
    """
    outcome = python.run(around, script).check()
    check(typed, [json.loads(line) for line in outcome.stdout.splitlines()])


def test_in_node(node, around, typed):
    answers = node.run(around, statements_of(typed), "x.duckdb")
    check(typed, [answer["rows"][0][0] if answer.get("rows") else answer.get("error") for answer in answers])


def test_in_the_cli(cli, around, typed):
    statements = [f"SELECT '== {idx}';\n{sql};" for idx, sql in enumerate(statements_of(typed))]
    outcome = cli.run(around, statements, "x.duckdb")
    parts = [part.splitlines()[1:] for part in outcome.stdout.split("== ")[1:]]
    assert len(parts) == len(statements) and not outcome.stderr.count("Error"), outcome
    check(typed, [part[0] if part else None for part in parts])
    outcome.check()
