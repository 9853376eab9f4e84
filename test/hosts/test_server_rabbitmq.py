"""RabbitMQ: slashes and other marks of URLs in the names of paths, pages by number with a total, a list in one param, messages read by POST, and
tokens that the client signs."""

import base64
import json
import subprocess
import urllib.parse
from dataclasses import dataclass

import pytest

import servers

pytestmark = pytest.mark.slow_server
VHOSTS = ["/", "a/b", "größe?&=#%"]
N_QUEUES = 67
# Runs RabbitMQ's name service beside it, so that both end together.
START = "epmd & exec /usr/lib/rabbitmq/bin/rabbitmq-server"
# By what the server checks tokens: a PEM file, or the secret of both sides.
PEM, SECRET = """<<"{algorithm}">> => {{pem_file, "{file}"}}""", """<<"{algorithm}">> => {{map, #{{<<"kty">> => <<"oct">>, <<"k">> => <<"{secret}">>}}}}"""
SHARED = "secret-token of both sides, of 32 bytes"


@dataclass
class Rabbit:
    """A server, asked as its administrator, and by algorithm the keys of a client that signs."""

    address: str
    keys: dict[str, str]

    def ask(self, path: str, body: object = None, method: str | None = None) -> object:
        return servers.asked(f"{self.address}/api{path}", body, method, Authorization="Basic Z3Vlc3Q6Z3Vlc3Q=")

    def queues(self) -> list[tuple]:
        found = [(queue["vhost"], queue["name"], queue["durable"], json.dumps(queue["arguments"])) for queue in self.ask("/queues")]
        return sorted(found, key=lambda row: (row[0].encode(), row[1].encode()))


@pytest.fixture(scope="session")
def rabbit(tmp_path_factory):
    servers.debian("rabbitmqctl", "rabbitmq-server")
    folder = tmp_path_factory.mktemp("rabbitmq")
    ports = [servers.free_port() for _ in range(4)]
    address = f"http://127.0.0.1:{ports[0]}"
    (folder / "plugins").write_text("[rabbitmq_management, rabbitmq_auth_backend_oauth2].")
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{ports[1]}\nmanagement.tcp.port = {ports[0]}\nmanagement.tcp.ip = 127.0.0.1\n"
        "auth_backends.1 = internal\nauth_backends.2 = rabbit_auth_backend_oauth2\n"
    )
    keys, known = {"HS256": SHARED}, [SECRET.format(algorithm="HS256", secret=base64.urlsafe_b64encode(SHARED.encode()).decode().rstrip("="))]
    for algorithm, options in (("RS256", ["RSA", "rsa_keygen_bits:2048"]), ("PS256", ["RSA", "rsa_keygen_bits:2048"]), ("ES256", ["EC", "ec_paramgen_curve:P-256"])):
        private, public = folder / f"{algorithm}.pem", folder / f"{algorithm}.public.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", options[0], "-pkeyopt", options[1], "-out", private], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
        keys[algorithm] = str(private)
        known.append(PEM.format(algorithm=algorithm, file=public))
    (folder / "advanced.config").write_text(
        f"[{{rabbitmq_auth_backend_oauth2, [{{resource_server_id, <<\"rabbitmq\">>}}, {{key_config, [{{signing_keys, #{{{', '.join(known)}}}}}]}}]}}]."
    )
    places = {
        "MNESIA_BASE": folder / "data", "LOG_BASE": folder / "log", "ENABLED_PLUGINS_FILE": folder / "plugins", "CONFIG_FILE": folder / "rabbitmq.conf",
        "ADVANCED_CONFIG_FILE": folder / "advanced.config",
    }
    more = {f"RABBITMQ_{name}": str(place) for name, place in places.items()}
    more |= {"RABBITMQ_NODENAME": f"unify{ports[0]}@localhost", "RABBITMQ_DIST_PORT": str(ports[2]), "RABBITMQ_CONF_ENV_FILE": "/dev/null"}
    more |= {"HOME": str(folder), "ERL_EPMD_PORT": str(ports[3]), "ERL_EPMD_ADDRESS": "127.0.0.1"}
    with servers.running(["sh", "-c", START], f"{address}/api/whoami", folder, seconds=180, **more):
        yield Rabbit(address, keys)


@pytest.fixture
def rabbitmq(around, rabbit):
    """The server without what another test made."""
    for vhost in VHOSTS[1:]:
        if any(found["name"] == vhost for found in rabbit.ask("/vhosts")):
            rabbit.ask(f"/vhosts/{urllib.parse.quote(vhost, safe='')}", method="DELETE")
    for queue in rabbit.ask("/queues"):
        rabbit.ask(f"/queues/%2F/{urllib.parse.quote(queue['name'], safe='')}", method="DELETE")
    servers.connect(around, "rabbitmq", host=rabbit.address, username="guest", password="guest")
    return rabbit


def values(rows: list[tuple]) -> str:
    return ", ".join("(" + ", ".join("'" + str(value).replace("'", "''") + "'" for value in row) + ")" for row in rows)


def test_what_is_written_is_there_row_by_row(python, around, rabbitmq):
    queues = [(VHOSTS[idx % 3], f"q {idx}/'ö'") for idx in range(N_QUEUES)]
    messages = [(*queues[idx % 5], f'it\'s "{idx}"\nü', idx) for idx in range(60)]
    servers.compare(python, around, {
        f"COPY (SELECT * FROM (VALUES {values([(vhost,) for vhost in VHOSTS[1:]])}) AS vhosts(name)) TO 'rabbitmq.vhosts' (FORMAT unify, action upsert)": [(2,)],
        f"COPY (SELECT *, 1000 AS size FROM (VALUES {values(queues)}) AS queues(vhost, name)) TO 'rabbitmq.queues' (FORMAT unify, action insert)": [
            (N_QUEUES,)
        ],
        "COPY (SELECT vhost, queue, payload, sent::BIGINT AS sent FROM (VALUES "
        f"{values(messages)}) AS messages(vhost, queue, payload, sent)) TO 'rabbitmq.messages' (FORMAT unify)": [(60,)],
    })
    truth = rabbitmq.queues()
    assert len(truth) == N_QUEUES and {row[0] for row in truth} == set(VHOSTS)
    servers.compare(python, around, {
        "SELECT name FROM rabbitmq.vhosts ORDER BY encode(name)": sorted(((vhost,) for vhost in VHOSTS), key=lambda row: row[0].encode()),
        "SELECT vhost, name, durable, replace(arguments::VARCHAR, ':', ': ') FROM rabbitmq.queues ORDER BY encode(vhost), encode(name)": truth,
        "SELECT vhost, destination, source, routing_key FROM rabbitmq.bindings ORDER BY encode(vhost), encode(destination)": [
            (vhost, name, "", name) for vhost, name, *_ in truth
        ],
        "SELECT vhost, queue, payload, sent FROM rabbitmq.messages ORDER BY sent": messages,
        "SELECT bool_and(ok) FROM unify_test_connection('rabbitmq')": [(True,)],
        f"COPY (SELECT * FROM (VALUES {values(queues[:7])}) AS queues(vhost, name)) TO 'rabbitmq.queues' (FORMAT unify, action delete)": [(7,)],
        "RELOAD TABLE rabbitmq.queues": None,
        "SELECT count(*) FROM rabbitmq.queues": [(N_QUEUES - 7,)],
    })
    assert len(rabbitmq.queues()) == N_QUEUES - 7


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "HS256"])
def test_rows_come_for_signed_tokens_that_end(python, around, rabbitmq, algorithm):
    queues = [f"q {idx}" for idx in range(33)]
    for name in queues:
        rabbitmq.ask(f"/queues/%2F/{urllib.parse.quote(name)}", {"durable": True}, "PUT")
    specs = around.folder / "specs"
    specs.mkdir()
    spec = (servers.SPECS / "rabbitmq_signed.yaml").read_text().replace("RS256", algorithm)
    (specs / "rabbitmq_signed.yaml").write_text(spec)
    around.exposed.append("connections.yaml")
    around.secrets.append("eyJhbGciOiJ")
    servers.connect(around, "rabbitmq_signed", host=rabbitmq.address, private_key=rabbitmq.keys[algorithm])
    # There are eleven pages, a fifth of a second apart at least, and a token lasts two seconds.
    servers.compare(python, around, {
        "SELECT name FROM rabbitmq_signed.queues ORDER BY encode(name)": sorted((name,) for name in queues),
        "SELECT count(*) FROM unify_test_connection('rabbitmq_signed') WHERE NOT ok": [(0,)],
    }, specs=specs)


def test_a_signed_token_that_is_not_taken_is_told(python, around, rabbitmq):
    around.exposed.append("connections.yaml")
    remedy = "check the option 'private_key', the 'claims' and 'life' in the adapter spec, and that the clock is right"
    for options in ({"private_key": rabbitmq.keys["PS256"]}, {"scopes": "other.read:*/*"}):
        servers.connect(around, "rabbitmq_signed", **{"host": rabbitmq.address, "private_key": rabbitmq.keys["RS256"]} | options)
        [told] = servers.told(python, around, "SELECT * FROM rabbitmq_signed.queues")
        assert "returned 401 (Unauthorized)" in told and remedy in told and "eyJ" not in told, (options, told)
