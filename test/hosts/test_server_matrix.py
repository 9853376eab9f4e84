"""A Matrix homeserver (Synapse): a login, maps by id, tokens that end by being absent, limits with a wait in the body, a feed of changes."""

import json
import subprocess
import urllib.parse

import pytest

import servers

pytestmark = pytest.mark.slow_server
CONFIG = """
server_name: localhost
pid_file: {folder}/homeserver.pid
listeners: [{{port: {port}, bind_addresses: [127.0.0.1], tls: false, type: http, resources: [{{names: [client]}}]}}]
database: {{name: sqlite3, args: {{database: {folder}/homeserver.db}}}}
media_store_path: {folder}/media
signing_key_path: {folder}/signing.key
log_config: {folder}/log.yaml
registration_shared_secret: shared
macaroon_secret_key: cookies
form_secret: forms
report_stats: false
suppress_key_server_warning: true
trusted_key_servers: []
rc_message: {{per_second: 50, burst_count: 10}}
rc_login: {{address: {{per_second: 100, burst_count: 100}}, account: {{per_second: 100, burst_count: 100}}}}
"""
LOG = "version: 1\nroot: {level: WARNING, handlers: [console]}\nhandlers: {console: {class: logging.StreamHandler}}\n"
PEOPLE = ["me", *(f"user{idx}" for idx in range(9))]
N_MESSAGES = 63


class Matrix:
    """A server, and what one of its people may see."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.token = None

    def ask(self, path: str, body: object = None, method: str | None = None) -> dict:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return servers.asked(self.address + path, body, method, **headers)

    def login(self, name: str) -> None:
        self.token = None
        identifier = {"type": "m.id.user", "user": name}
        self.token = self.ask("/_matrix/client/v3/login", {"type": "m.login.password", "identifier": identifier, "password": servers.KEY})["access_token"]

    def rooms(self) -> list[str]:
        return sorted(self.ask("/_matrix/client/v3/joined_rooms")["joined_rooms"])

    def messages(self) -> list[tuple]:
        """Returns all messages, each room's by one request."""
        found = []
        for room in self.rooms():
            path = f"/_matrix/client/v3/rooms/{urllib.parse.quote(room)}/messages?dir=f&limit=1000"
            events = [event for event in self.ask(path)["chunk"] if event["type"] == "m.room.message"]
            found += [(room, event["event_id"], event["sender"], event["content"]["body"], event["origin_server_ts"]) for event in events]
        return sorted(found)


@pytest.fixture(scope="session")
def synapse(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synapse")
    port = servers.free_port()
    python = str(servers.installed("synapse/bin/python", "synapse"))
    (folder / "homeserver.yaml").write_text(CONFIG.format(folder=folder, port=port))
    (folder / "log.yaml").write_text(LOG)
    start = [python, "-m", "synapse.app.homeserver", "--config-path", "homeserver.yaml"]
    subprocess.run([*start, "--generate-keys"], cwd=folder, check=True, capture_output=True)
    address = f"http://127.0.0.1:{port}"
    with servers.running(start, f"{address}/health", folder, seconds=120):
        for name in PEOPLE:
            making = [python, "-m", "synapse._scripts.register_new_matrix_user", "-u", name, "-p", servers.KEY, "-c", "homeserver.yaml"]
            subprocess.run([*making, "-a" if name == "me" else "--no-admin", address], cwd=folder, check=True, capture_output=True)
        server = Matrix(address)
        server.login("me")
        for number in range(3):
            invited = [f"@{name}:localhost" for name in PEOPLE[1:number + 2]]
            server.ask("/_matrix/client/v3/createRoom", {"name": f"Room {number}", "preset": "public_chat", "invite": invited})
        yield server


@pytest.fixture
def matrix(around, synapse):
    servers.connect(around, "matrix", host=synapse.address, user="me", password=servers.KEY)
    return synapse


def test_rows_are_those_of_the_server(python, around, matrix):
    rooms = matrix.rooms()
    members, state = [], []
    for room in rooms:
        path = f"/_matrix/client/v3/rooms/{urllib.parse.quote(room)}"
        joined = matrix.ask(f"{path}/joined_members")["joined"]
        members += [(room, user, person["display_name"]) for user, person in joined.items()]
        state += [(event["event_id"], event["type"], event["state_key"], room) for event in matrix.ask(f"{path}/state")]
    users = matrix.ask("/_synapse/admin/v2/users?limit=1000")["users"]
    assert len(users) == len(PEOPLE) and len(rooms) == 3
    servers.compare(python, around, {
        "SELECT value FROM matrix.rooms ORDER BY value": [(room,) for room in rooms],
        "SELECT room, user_id, display_name FROM matrix.members ORDER BY ALL": sorted(members),
        "SELECT event_id, type, coalesce(state_key, ''), room FROM matrix.state ORDER BY event_id": sorted(state),
        "SELECT name, admin FROM matrix.users ORDER BY name": sorted((user["name"], user["admin"]) for user in users),
        "SELECT bool_and(ok) FROM unify_test_connection('matrix')": [(True,)],
    })


def test_messages_are_sent_and_come_back(python, around, matrix):
    room, kind = matrix.rooms()[0], python.release
    before = len(matrix.messages())
    sending = f"SELECT '{room}' AS room, '{kind}-' || range AS number, 'it''s \"' || range || '\" ü' AS text FROM range({N_MESSAGES})"
    servers.compare(python, around, {
        "SELECT count(*) FROM matrix.messages": [(before,)],
        "SELECT count(*) FROM matrix.changes": [(3,)],
        f"COPY ({sending}) TO 'matrix.messages' (FORMAT unify)": [(N_MESSAGES,)],
        "RELOAD TABLE matrix.messages": None,
        "REFRESH TABLE matrix.changes": None,
    })
    truth = matrix.messages()
    assert len(truth) == before + N_MESSAGES and truth[0][3].endswith('" ü')
    servers.compare(python, around, {
        "SELECT room, event_id, sender, text, epoch_ms(sent) FROM matrix.messages ORDER BY room, event_id": truth,
        f"SELECT count(*), bool_or(events::VARCHAR LIKE '%it''s%') FROM matrix.changes WHERE room = '{room}'": [(1, True)],
    })


def test_a_wrong_password_is_told(python, around, matrix):
    servers.connect(around, "matrix", host=matrix.address, user="me", password="secret-token-2")
    [told] = servers.told(python, around, "SELECT * FROM matrix.rooms")
    assert "Invalid username or password" in told and "check the options" in told, json.dumps(told)
