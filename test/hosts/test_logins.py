"""Sessions with a real server that begins them by a login and ends them by a logout: qBittorrent."""

import contextlib
import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

import hosts
import pytest
import servers
from small_api import Answer, Asked, serving

# Nothing leaves this machine: no peers are looked for, and the only interface is the local one.
SETTINGS = """
[LegalNotice]
Accepted=true
[Network]
PortForwardingEnabled=false
[Preferences]
WebUI\\Address=127.0.0.1
WebUI\\MaxAuthenticationFailCount=100
[BitTorrent]
Session\\Interface=lo
Session\\InterfaceName=lo
Session\\InterfaceAddress=127.0.0.1
Session\\DHTEnabled=false
Session\\LSDEnabled=false
Session\\PeXEnabled=false
"""
# What a server has that was never told a password.
USERNAME, PASSWORD = "admin", "adminadmin"
N_TORRENTS = 3


class Torrents:
    """A client of the server, besides the one that is tested."""

    def __init__(self, address: str) -> None:
        self.address = address
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(cookies, urllib.request.ProxyHandler({}))

    def post(self, path: str, **form: str) -> str:
        data = urllib.parse.urlencode(form).encode()
        with self.opener.open(urllib.request.Request(f"{self.address}/api/v2{path}", data), timeout=30) as answer:
            return answer.read().decode()


@pytest.fixture(scope="module")
def torrents(tmp_path_factory):
    """The address of a server that has some torrents, which nobody shares."""
    program = servers.debian("qbittorrent-nox", "qbittorrent-nox")
    folder = tmp_path_factory.mktemp("torrents")
    (folder / "qBittorrent" / "config").mkdir(parents=True)
    (folder / "qBittorrent" / "config" / "qBittorrent.conf").write_text(SETTINGS)
    address = f"http://127.0.0.1:{(port := servers.free_port())}"
    with servers.running([program, f"--profile={folder}", f"--webui-port={port}"], address, folder, HOME=str(folder)):
        client = Torrents(address)
        assert client.post("/auth/login", username=USERNAME, password=PASSWORD) == "Ok."
        magnets = [f"magnet:?xt=urn:btih:{str(number) * 40}&dn=torrent-{number}" for number in range(1, N_TORRENTS + 1)]
        assert client.post("/torrents/add", urls="\n".join(magnets), paused="true") == "Ok."
        yield address


@dataclass
class Relay:
    """Passes requests on to the server, and keeps what was asked and which session was given."""

    server: str
    address: str = ""
    asked: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(f"{asked.method} {asked.path.removeprefix('/api/v2')}")
        with self.sent(asked.method, asked.path, asked.body or None, asked.headers.get("Cookie", "")) as answer:
            cookie = answer.headers.get("Set-Cookie", "")
            self.given += re.findall("^SID=([^;]+)", cookie) if "/auth/login" in asked.path else []
            return Answer(answer.read(), answer.status, {"Content-Type": answer.headers.get("Content-Type", "text/plain"), **({"Set-Cookie": cookie} if cookie else {})})

    @contextlib.contextmanager
    def sent(self, method: str, path: str, body: bytes | None, cookie: str):
        request = urllib.request.Request(self.server + path, body, {"Cookie": cookie}, method=method)
        with contextlib.closing(self.opened(request)) as answer:
            yield answer

    def opened(self, request: urllib.request.Request):
        try:
            return urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as err:
            return err

    def check_that_sessions_ended(self, n_sessions: int) -> None:
        """Fails unless there were so many sessions, each of which is over for the server, too."""
        assert self.asked.count("POST /auth/login") == self.asked.count("POST /auth/logout") == len(self.given) == n_sessions, self.asked
        for sid in self.given:
            with self.sent("GET", "/api/v2/app/version", None, f"SID={sid}") as answer:
                assert answer.status == 403, answer.read()


@pytest.fixture
def relay(around, torrents) -> Iterator[Relay]:
    around.connections = around.folder / "connections.yaml"
    around.connections.write_text("[]\n")
    relay = Relay(torrents)
    with serving(relay.answer) as relay.address:
        yield relay


def create(name: str, address: str, password: str = PASSWORD) -> str:
    return f"CREATE CONNECTION {name} (ADAPTER qbittorrent, host '{address}', username '{USERNAME}', password '{password}')"


def test_a_session_loads_a_table_and_is_nobody_elses(python, around, torrents):
    around.connections = around.folder / "connections.yaml"
    around.connections.write_text("[]\n")
    script = f"""
        con = connect()
        con.execute({create("bits", torrents)!r})
        print(con.execute("SELECT count(*), count(DISTINCT hash), min(name) FROM bits.torrents").fetchall())
        print(con.execute("SELECT status FROM unify_http('bits', '/app/version')").fetchall())
        con.execute({create("wrong", torrents, "secret-token")!r})
        try:
            con.execute("SELECT * FROM wrong.torrents")
        except duckdb.Error as err:
            print(str(err).replace(chr(10), " "))
        print(con.execute("DROP CONNECTION bits CASCADE").fetchall() != [])
    """
    told = python.run(around, script).check().stdout.splitlines()
    assert told[:2] == [f"[({N_TORRENTS}, {N_TORRENTS}, 'torrent-1')]", "[(200,)]"], told
    assert "the login, POST" in told[2] and "returned 200: Fails.; it has no 'sid'" in told[2], told
    assert PASSWORD not in str(told) and not list((around.folder / "connections.yaml.tokens").glob("*.json"))


def typed(relay: Relay) -> list[str]:
    return [
        f"CREATE CONNECTION bits (ADAPTER qbittorrent, host '{relay.address}', username '{USERNAME}', password env('QB'))",
        "SELECT count(*) FROM bits.torrents",
        "SELECT count(*) FROM unify_test_connection('bits') WHERE NOT ok",
        "RELOAD TABLE bits.torrents",
        "SELECT max(name) FROM bits.torrents",
    ]


def test_a_session_ends_with_the_process_in_python(python, around, relay):
    around.more["QB"] = PASSWORD
    script = f"""
        con = connect()
        for sql in {typed(relay)!r}:
            print(con.execute(sql).fetchall())
    """
    told = python.run(around, script).check().stdout.splitlines()
    assert [told[1], told[2], told[4]] == [f"[({N_TORRENTS},)]", "[(0,)]", f"[('torrent-{N_TORRENTS}',)]"], told
    relay.check_that_sessions_ended(1)


def test_a_session_ends_with_the_process_in_the_cli(cli, around, relay):
    around.more["QB"] = PASSWORD
    told = cli.run(around, [f"{sql};" for sql in typed(relay)]).check().stdout.splitlines()
    assert str(N_TORRENTS) in told and told[-1] == f"torrent-{N_TORRENTS}", told
    relay.check_that_sessions_ended(1)


def test_a_session_ends_with_the_process_in_node(node, around, relay):
    around.more["QB"] = PASSWORD
    told = node.run(around, typed(relay))
    assert [told[idx].get("rows") for idx in (1, 2, 4)] == [[[str(N_TORRENTS)]], [["0"]], [[f"torrent-{N_TORRENTS}"]]], told
    relay.check_that_sessions_ended(1)
