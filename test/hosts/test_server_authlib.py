"""Authlib and OAuthlib: requests signed by OAuth 1.0, tokens for a password, and tokens that the client signs, sent as they are or exchanged.

The two libraries judge what comes; `authlib_server.py` only tells them whom they know.
"""

import json
import pathlib
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass

import pytest

import hosts
import servers

# What the server knows.
CONSUMER = {
    "consumer_key": "consumer00000000000001", "consumer_secret": "secret-token/of the consumer+&=",
    "token": "token00000000000000001", "token_secret": "secret-token%of\"the token'ü",
}
PASSWORD = {"client_id": "client", "client_secret": "secret-token-of-the-client", "username": "me@example.com", "password": "secret-token & päss=+"}
REALM = "1234567_SB1"
ALGORITHMS = ["RS256", "PS256", "ES256", "HS256"]
SHARED = "secret-token of both sides, of 32 bytes"
N_ROWS, N_PAGES = 23, 6
SELECT = "SELECT id, note FROM {name}.items ORDER BY id"
ROWS = [[idx, f"note {idx} ü"] for idx in range(N_ROWS)]


@dataclass
class Guarded:
    """The server, and the keys of its client: PEM, and a secret for HS256."""

    address: str
    keys: dict[str, str]

    def told(self) -> dict:
        return servers.asked(f"{self.address}/told")

    def set(self, what: str) -> None:
        servers.asked(f"{self.address}/set?{what}")


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> dict[str, tuple[str, str]]:
    """By algorithm: what signs, and what signatures are checked by."""
    folder = tmp_path_factory.mktemp("keys")
    made = {"HS256": (SHARED, SHARED)}
    for algorithms, options in ((("RS256", "PS256"), ["RSA", "rsa_keygen_bits:2048"]), (("ES256",), ["EC", "ec_paramgen_curve:P-256"])):
        private = folder / f"{algorithms[0]}.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", options[0], "-pkeyopt", options[1], "-out", private], check=True, capture_output=True)
        public = subprocess.run(["openssl", "pkey", "-in", private, "-pubout"], check=True, capture_output=True, text=True).stdout
        made |= dict.fromkeys(algorithms, (private.read_text(), public))
    return made


@pytest.fixture(scope="module")
def server(keys, tmp_path_factory):
    program = servers.installed("authlib/bin/python", "authlib")
    port = servers.free_port()
    address = f"http://127.0.0.1:{port}"
    command = [str(program), str(hosts.TEST / "hosts" / "authlib_server.py"), str(port), json.dumps({algorithm: public for algorithm, (_, public) in keys.items()})]
    with servers.running(command, f"{address}/told", tmp_path_factory.mktemp("authlib")):
        yield Guarded(address, {algorithm: private for algorithm, (private, _) in keys.items()})


@pytest.fixture
def guarded(around, server):
    """The server, which has forgotten the test before."""
    servers.asked(f"{server.address}/reset")
    # What a token begins with that was signed here, whatever its algorithm.
    around.secrets.append("eyJhbGciOiJ")
    around.exposed.append("connections.yaml")
    return server


def connect(around, guarded: Guarded, adapter: str, cases: dict[str, dict]) -> None:
    """Gives a test connections by one adapter: by name, what options each has."""
    around.connections = around.folder / "connections.yaml"
    around.connections.write_text(json.dumps([{name: {"adapter": adapter, "options": {"host": guarded.address, **options}}} for name, options in cases.items()]))


def errors(python, around, cases: dict[str, list[str]], specs: pathlib.Path = servers.SPECS) -> None:
    """Fails unless the table of each connection cannot be loaded, with an error that says these texts and shows no secret."""
    found = servers.told(python, around, *(f"SELECT * FROM {name}.items" for name in cases), specs=specs)
    for (name, texts), told in zip(cases.items(), found, strict=True):
        lacking = [text for text in texts if text not in str(told)]
        assert not lacking and "eyJ" not in str(told), f"{name}: {told}\nlacks {lacking}"


def spec_by(around, name: str, algorithm: str) -> pathlib.Path:
    """Returns a folder with a spec for another algorithm."""
    folder = around.folder / f"specs {algorithm}"
    folder.mkdir()
    text = (servers.SPECS / f"{name}.yaml").read_text()
    (folder / f"{name}.yaml").write_text(text.replace("RS256", algorithm))
    return folder


SIGNING = {"authlib_oauth1": CONSUMER, "oauthlib_oauth1": CONSUMER | {"account": REALM}}


@pytest.fixture(params=SIGNING)
def signing(request, around, guarded) -> str:
    """The adapter of each way to sign requests, to which connection `mine` goes; the others have one wrong option each."""
    good = SIGNING[request.param]
    wrong = {name: good | {name: "secret-token-of-nobody"} for name in CONSUMER}
    connect(around, guarded, request.param, {"mine": good, **wrong})
    return request.param


def test_signed_requests_load_each_page(python, around, guarded, signing):
    servers.compare(python, around, {
        SELECT.format(name="mine"): ROWS,
        # What stands in a form is signed, too.
        "SELECT id, note FROM mine.formed ORDER BY id": ROWS,
        "SELECT count(*) FROM unify_test_connection('mine') WHERE NOT ok": [(0,)],
    })
    told = guarded.told()
    assert len(told["nonces"]) == len(set(told["nonces"])) >= 2 * N_PAGES and told["replays"] == 0, told


def test_a_request_that_is_sent_again_is_signed_anew(python, around, guarded, signing):
    """The server knows the nonce of a request that failed after its signature was checked."""
    guarded.set("broken=3")
    servers.compare(python, around, {SELECT.format(name="mine"): ROWS})
    told = guarded.told()
    assert len(told["nonces"]) == len(set(told["nonces"])) == N_PAGES + 1 and told["replays"] == 0, told
    # So would the same signature be refused.
    url, header = told["last"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        servers.asked(url, Authorization=header)
    assert refused.value.code == 401 and b"nonce" in refused.value.read() and guarded.told()["replays"] == 1


def test_a_signature_that_is_wrong_is_told(python, around, guarded, signing):
    said = {
        "authlib_oauth1": {"consumer_key": "invalid_client", "consumer_secret": "invalid_signature", "token": "invalid_token", "token_secret": "invalid_signature"},
        "oauthlib_oauth1": {"consumer_key": "client, resource_owner", "consumer_secret": "signature", "token": "resource_owner", "token_secret": "signature"},
    }[signing]
    errors(python, around, {name: ["returned 401 (Unauthorized)", text, "'consumer_key'", f"'{name}'"] for name, text in said.items()})
    # A server that thinks that it is an hour later takes no signature.
    guarded.set("ahead=3600")
    errors(python, around, {"mine": ["oauth_timestamp" if signing == "authlib_oauth1" else "the request, its time or its nonce"]})


def test_a_consumer_without_a_token_signs(python, around, guarded):
    consumer = {name: CONSUMER[name] for name in ("consumer_key", "consumer_secret")}
    connect(around, guarded, "oauthlib_consumer", {"mine": consumer, "wrong": consumer | {"consumer_secret": "secret-token-of-nobody"}})
    servers.compare(python, around, {SELECT.format(name="mine"): ROWS})
    errors(python, around, {"wrong": ["returned 401 (Unauthorized): wrong: signature", "check the options 'consumer_key' and 'consumer_secret'"]})


def test_tokens_for_a_password(python, around, guarded):
    connect(around, guarded, "authlib_password", {"mine": PASSWORD})
    # A token lasts 300 seconds, of which each page takes 100.
    guarded.set("pace=100")
    servers.compare(python, around, {SELECT.format(name="mine"): ROWS})
    assert guarded.told()["grants"] == ["password", "refresh_token"]
    guarded.set("pace=0&revoke=1")
    # Its refresh token is not taken any more, either: the password gives new ones.
    servers.compare(python, around, {"RELOAD TABLE mine.items": None, SELECT.format(name="mine"): ROWS})
    assert guarded.told()["grants"] == ["password", "refresh_token", "password"]


def test_a_password_that_is_wrong_is_told(python, around, guarded):
    wrong = {name: PASSWORD | {name: "secret-token-of-nobody"} for name in PASSWORD}
    connect(around, guarded, "authlib_password", wrong)
    client = ["/token returned 401", "invalid_client; check the options 'client_id' and 'client_secret'"]
    user = ["/token returned 400: Invalid 'username' or 'password' in request.: invalid_request", "'username' and 'password'"]
    errors(python, around, {"client_id": client, "client_secret": client, "username": user, "password": user})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_tokens_for_a_signed_token(python, around, guarded, algorithm):
    connect(around, guarded, "authlib_grant", {"mine": {"kind": algorithm, "private_key": guarded.keys[algorithm]}})
    guarded.set("pace=100")
    servers.compare(python, around, {SELECT.format(name="mine"): ROWS}, specs=spec_by(around, "authlib_grant", algorithm))
    assert guarded.told()["grants"] == ["jwt-bearer"] * 2


def test_a_signed_token_that_gets_nothing_is_told(python, around, guarded):
    good = {"kind": "RS256", "private_key": guarded.keys["RS256"]}
    wrong = {"key": {"kind": "ES256"}, "issuer": {"kind": "RS257"}, "user": {"user": "nobody@example.com"}, "file": {"private_key": "/nowhere/key.pem"}}
    connect(around, guarded, "authlib_grant", {"mine": good, **{name: good | change for name, change in wrong.items()}})
    remedy = "check the option 'private_key', the 'claims' and 'life' in the adapter spec, and that the clock is right"
    errors(python, around, {
        "key": ["/token returned 400", "invalid_grant", remedy],
        "issuer": ["/token returned 400: The client does not exist on this server.: invalid_grant", remedy],
        "user": ["/token returned 400: Invalid 'sub' value in assertion: invalid_grant", remedy],
        "file": ["option 'private_key'", "/nowhere/key.pem"],
    })
    # Two hours later what was signed for an hour has ended.
    guarded.set("ahead=7200")
    errors(python, around, {"mine": ["/token returned 400", "expired", "invalid_grant", remedy]})


def test_a_signed_token_is_exchanged(python, around, guarded):
    good = {"private_key": guarded.keys["RS256"], "installation": "7"}
    other = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA"], check=True, capture_output=True, text=True).stdout
    connect(around, guarded, "authlib_exchange", {"mine": good, "key": good | {"private_key": other}, "elsewhere": good | {"installation": "8"}})
    # A token lasts 300 seconds, of which each page takes 100.
    guarded.set("pace=100")
    servers.compare(python, around, {SELECT.format(name="mine"): ROWS})
    assert guarded.told()["grants"] == ["exchange"] * 2
    errors(python, around, {
        "key": ["/access_tokens returned 401", "invalid", "check the option 'private_key'"],
        "elsewhere": ["/installations/8/access_tokens returned 404"],
    })


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_signed_tokens_are_sent(python, around, guarded, algorithm):
    connect(around, guarded, "authlib_bearer", {"mine": {"private_key": guarded.keys[algorithm]}})
    # The server takes a token for four pages: the fifth one needs another.
    guarded.set("most_uses=4")
    servers.compare(python, around, {SELECT.format(name="mine"): ROWS}, specs=spec_by(around, "authlib_bearer", algorithm))
    uses = guarded.told()["uses"]
    assert len(uses) > 1 and max(uses) > 4, uses


def test_a_signed_token_that_is_not_taken_is_told(python, around, guarded):
    other = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA"], check=True, capture_output=True, text=True).stdout
    good = {"private_key": guarded.keys["RS256"]}
    connect(around, guarded, "authlib_bearer", {"mine": good, "key": {"private_key": other}, "issuer": good | {"issuer": "nobody"}})
    remedy = "check the option 'private_key', the 'claims' and 'life' in the adapter spec, and that the clock is right"
    expected = ["returned 401 (Unauthorized)", "invalid", remedy]
    errors(python, around, {"key": expected, "issuer": expected})
    # What was signed for a minute has ended an hour later.
    guarded.set("ahead=3600")
    errors(python, around, {"mine": expected})


@pytest.fixture
def typed(around, guarded) -> list[str]:
    """What a user types of each kind."""
    around.connections = around.folder / "connections.yaml"
    around.connections.write_text("[]\n")
    around.specs = servers.SPECS
    (around.folder / "key.pem").write_text(guarded.keys["RS256"])
    around.more |= {name.upper(): value for name, value in (CONSUMER | PASSWORD).items()}
    signing = ", ".join(f"{name} env('{name.upper()}')" for name in CONSUMER)
    kinds = {
        "authlib_oauth1": signing, "oauthlib_oauth1": f"account '{REALM}', {signing}",
        "authlib_password": ", ".join(f"{name} env('{name.upper()}')" for name in PASSWORD),
        "authlib_grant": "private_key 'key.pem'", "authlib_bearer": "private_key file('key.pem')",
    }
    return [
        sql for adapter, options in kinds.items()
        for sql in (f"CREATE CONNECTION my_{adapter} (ADAPTER {adapter}, host '{guarded.address}', {options})", f"SELECT count(*) FROM my_{adapter}.items")
    ]


def test_what_a_user_types_works_in_the_cli(cli, around, typed):
    told = cli.run(around, [f"{sql};" for sql in typed]).check()
    assert told.stdout.splitlines().count(str(N_ROWS)) == len(typed) / 2 and "eyJ" not in told.stdout + told.stderr, told


def test_what_a_user_types_works_in_node(node, around, typed):
    told = node.run(around, typed)
    assert [answer.get("rows") for answer in told[1::2]] == [[[str(N_ROWS)]]] * (len(typed) // 2), told
