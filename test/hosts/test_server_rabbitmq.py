"""RabbitMQ: slashes and other marks of URLs in the names of paths, pages by number with a total, a list in one param, messages read by POST."""

import json
import urllib.parse

import pytest

import servers

pytestmark = pytest.mark.slow_server
VHOSTS = ["/", "a/b", "größe?&=#%"]
N_QUEUES = 67
# Runs RabbitMQ's name service beside it, so that both end together.
START = "epmd & exec /usr/lib/rabbitmq/bin/rabbitmq-server"


class Rabbit:
    """A server, asked as its administrator."""

    def __init__(self, address: str) -> None:
        self.address = address

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
    (folder / "plugins").write_text("[rabbitmq_management].")
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{ports[1]}\nmanagement.tcp.port = {ports[0]}\nmanagement.tcp.ip = 127.0.0.1\n"
    )
    places = {"MNESIA_BASE": folder / "data", "LOG_BASE": folder / "log", "ENABLED_PLUGINS_FILE": folder / "plugins", "CONFIG_FILE": folder / "rabbitmq.conf"}
    more = {f"RABBITMQ_{name}": str(place) for name, place in places.items()}
    more |= {"RABBITMQ_NODENAME": f"unify{ports[0]}@localhost", "RABBITMQ_DIST_PORT": str(ports[2]), "RABBITMQ_CONF_ENV_FILE": "/dev/null"}
    more |= {"HOME": str(folder), "ERL_EPMD_PORT": str(ports[3]), "ERL_EPMD_ADDRESS": "127.0.0.1"}
    with servers.running(["sh", "-c", START], f"{address}/api/whoami", folder, seconds=180, **more):
        yield Rabbit(address)


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
