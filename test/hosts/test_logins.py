"""Sessions with a real server that begins them by a login and ends them by a logout: qBittorrent."""

import http.cookiejar
import urllib.parse
import urllib.request

import hosts
import pytest
import servers

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
