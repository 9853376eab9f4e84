"""InfluxDB: tokens that are signed with the secret that the server knows, by Unify or beforehand, and a name and a password, sent with each query."""

import base64
import hmac
import json
import time
import urllib.parse
import urllib.request

import pytest

import servers

USER, PASSWORD, SECRET = "me", "secret-token+&/ä", "secret-token of both sides, of 32 bytes"
ADMIN = "Basic " + base64.b64encode(b"admin:secret-token").decode()
N_ORDERS = 105
# Nothing but the HTTP API, and that for those alone who show who they are.
SETTINGS = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "meta"
[data]
dir = "data"
wal-dir = "wal"
[http]
bind-address = "127.0.0.1:{http}"
auth-enabled = true
shared-secret = "{secret}"
[continuous_queries]
enabled = false
[monitor]
store-enabled = false
"""


def post(address: str, path: str, body: str) -> str:
    with urllib.request.urlopen(urllib.request.Request(address + path, body.encode(), {"Authorization": ADMIN}), timeout=60) as answer:
        return answer.read().decode()


def run(address: str, statement: str) -> str:
    """Runs a statement, which says in an answer 200 that it failed."""
    answer = post(address, "/query?q=" + urllib.parse.quote(statement), "")
    assert '"error"' not in answer, (statement, answer)
    return answer


def made() -> list[tuple[int, str, int]]:
    return [(1_700_000_000_000 + idx * 1000, ["Oslo", "São Paulo", "a, b=c"][idx % 3], idx * 7) for idx in range(N_ORDERS)]


@pytest.fixture(scope="module")
def influx(tmp_path_factory):
    """The address of a server with some orders."""
    program = servers.debian("influxd", "influxdb")
    folder = tmp_path_factory.mktemp("influxdb")
    ports = {"http": servers.free_port(), "rpc": servers.free_port()}
    (folder / "influxdb.conf").write_text(SETTINGS.format(**ports, secret=SECRET))
    address = f"http://127.0.0.1:{ports['http']}"
    with servers.running([program, "-config", "influxdb.conf"], f"{address}/ping", folder):
        # The first user is the one that a server without users lets anybody make.
        for statement in (
            "CREATE USER admin WITH PASSWORD 'secret-token' WITH ALL PRIVILEGES", "CREATE DATABASE shop",
            f"CREATE USER {USER} WITH PASSWORD '{PASSWORD}'", f"GRANT READ ON shop TO {USER}", "CREATE USER other WITH PASSWORD 'secret-token'",
        ):
            run(address, statement)
        end = time.monotonic() + 60
        while "READ" not in run(address, f"SHOW GRANTS FOR {USER}"):
            assert time.monotonic() < end, "the grant had no effect"
            run(address, f"GRANT READ ON shop TO {USER}")
        escaped = lambda city: city.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")  # noqa: E731
        post(address, "/write?db=shop&precision=ms", "\n".join(f"orders,city={escaped(city)} amount={amount}i {moment}" for moment, city, amount in made()))
        yield address


def signed(secret: str) -> str:
    """Returns a token for an hour."""
    parts = [{"alg": "HS256", "typ": "JWT"}, {"username": USER, "exp": int(time.time()) + 3600}]
    coded = lambda part: base64.urlsafe_b64encode(part).decode().rstrip("=")  # noqa: E731
    text = ".".join(coded(json.dumps(part).encode()) for part in parts)
    return f"{text}.{coded(hmac.digest(secret.encode(), text.encode(), 'sha256'))}"


def connect(around, influx: str, **options: str) -> None:
    servers.connect(around, "influxdb", host=influx, database="shop", **options)
    around.exposed.append("connections.yaml")
    around.secrets.append("eyJhbGciOi")


WAYS = {
    "JWT": {"username": USER, "private_key": SECRET}, "BASIC": {"username": USER, "password": PASSWORD}, "PARAMS": {"user": USER, "user_password": PASSWORD},
    "BEARER": {"bearer_token": signed(SECRET)}, "HEADERS": {"signed": signed(SECRET)},
}


@pytest.mark.parametrize("way", WAYS)
def test_rows_come(python, around, influx, way):
    connect(around, influx, **WAYS[way])
    servers.compare(python, around, {
        "SELECT epoch_ms(time), city, amount FROM influxdb.orders ORDER BY time": made(),
        "SELECT count(*) FROM unify_test_connection('influxdb') WHERE NOT ok": [(0,)],
    })


def test_a_credential_that_is_not_taken_is_told(python, around, influx):
    jwt = WAYS["JWT"]
    remedy = "check the option 'private_key', the 'claims' and 'life' in the adapter spec, and that the clock is right"
    unknown = ["returned 401 (Unauthorized): authorization failed"]
    for options, expected in (
        (jwt | {"private_key": "secret-token of nobody"}, ["returned 401 (Unauthorized): signature is invalid", remedy]),
        (jwt | {"username": "nobody"}, ["returned 401 (Unauthorized): user not found", remedy]),
        (jwt | {"username": "other"}, ["returned 403 (Forbidden)", "requires READ on shop"]),
        (WAYS["BASIC"] | {"password": "secret-token"}, [*unknown, "check the options 'username' and 'password'"]),
        (WAYS["PARAMS"] | {"user_password": "secret-token"}, [*unknown, "check the options 'user' and 'user_password'"]),
        ({"bearer_token": signed("nobody")}, ["signature is invalid; check the 'bearer_token' option"]),
        ({"signed": signed("nobody")}, ["signature is invalid; check the 'signed' option"]),
    ):
        connect(around, influx, **options)
        [told] = servers.told(python, around, "SELECT * FROM influxdb.orders")
        lacking = [text for text in expected if text not in str(told)]
        assert not lacking and "eyJ" not in str(told), f"{options}: {told}\nlacks {lacking}"
