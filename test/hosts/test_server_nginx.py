"""nginx: files that it says did not change (304), JSON that it packs on the way, and files that are gzip or zip."""

import gzip
import io
import json
import pathlib
import zipfile
from dataclasses import dataclass

import pytest

import servers

CONFIG = """
daemon off;
master_process off;
pid FOLDER/nginx.pid;
error_log stderr;
events {}
http {
  types { application/json json; application/zip zip; application/x-ndjson ndjson; }
  log_format asked '$status $request_uri $http_if_none_match';
  access_log FOLDER/asked.log asked;
  client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy; fastcgi_temp_path FOLDER/fastcgi; scgi_temp_path FOLDER/scgi;
  uwsgi_temp_path FOLDER/uwsgi;
  gzip on;
  gzip_types application/json;
  gzip_min_length 1;
  server { listen 127.0.0.1:PORT; root FOLDER/files; }
}
"""
PLANS = [(idx, f"plan {idx} größe") for idx in range(40)]
ORDERS = [(idx, f'so, "{idx}"') for idx in range(500)]
PRICES = [(idx, idx / 4) for idx in range(90)]
STATES = [(idx, f"state {idx}") for idx in range(3000)]


@dataclass
class Nginx:
    """A server and its folder."""

    address: str
    folder: pathlib.Path

    def write(self, name: str, content: bytes) -> None:
        (self.folder / "files" / name).write_bytes(content)

    def write_plans(self, plans: list[tuple]) -> None:
        self.write("plans.json", json.dumps({"plans": [{"id": idx, "name": name} for idx, name in plans]}).encode())

    def asked(self, name: str) -> list[tuple[int, str]]:
        """Returns the status of each request for a file, and the ETag that it had."""
        lines = [line.split(" ", 2) for line in (self.folder / "asked.log").read_text().splitlines()]
        return [(int(status), tag) for status, path, tag in lines if path == f"/{name}"]

    def statuses(self, name: str) -> list[int]:
        return [status for status, _ in self.asked(name)]


def csv_of(name: str, rows: list[tuple]) -> bytes:
    return (f"id,{name}\n" + "".join('{},"{}"\n'.format(idx, str(value).replace('"', '""')) for idx, value in rows)).encode()


@pytest.fixture
def nginx(around, tmp_path):
    folder = tmp_path / "nginx"
    (folder / "files").mkdir(parents=True)
    address = f"http://127.0.0.1:{(port := servers.free_port())}"
    (folder / "nginx.conf").write_text(CONFIG.replace("FOLDER", str(folder)).replace("PORT", str(port)))
    server = Nginx(address, folder)
    server.write_plans(PLANS)
    server.write("orders.csv.gz", gzip.compress(csv_of("note", ORDERS)))
    server.write("states.ndjson", "".join(f'{{"id":{idx},"state":"{state}"}}\n' for idx, state in STATES).encode())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", csv_of("price", PRICES[:50]))
        archive.writestr("b.csv", csv_of("price", PRICES[50:]))
        archive.writestr("readme.txt", "not rows")
    server.write("prices.zip", packed.getvalue())
    command = [servers.debian("nginx", "nginx-light"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with servers.running(command, address, folder):
        servers.connect(around, "nginx", host=address)
        yield server


TABLES = {"plans": ("name", PLANS), "orders": ("note", ORDERS), "prices": ("price", PRICES), "states": ("state", STATES)}
ROWS = {f"SELECT id, {column} FROM nginx.{name} ORDER BY id": rows for name, (column, rows) in TABLES.items()}
FILES = {"plans": "plans.json", "orders": "orders.csv.gz", "prices": "prices.zip", "states": "states.ndjson"}


def test_what_did_not_change_is_told_by_the_server_and_stays(python, around, nginx):
    servers.compare(python, around, ROWS)
    # In another process: the ETag is with the rows.
    servers.compare(python, around, {f"REFRESH TABLE nginx.{name}": None for name in TABLES} | ROWS)
    for name, file in FILES.items():
        [(first, no_tag), (second, tag)] = nginx.asked(file)
        assert (first, no_tag, second) == (200, "-", 304) and tag.strip('W/"'), (name, nginx.asked(file))
    assert nginx.asked("plans.json")[1][1].startswith("W/") and not nginx.asked("prices.zip")[1][1].startswith("W/")
    servers.compare(python, around, {
        "SELECT DISTINCT numrows FROM information_schema.loading_jobs WHERE action = 'refresh_end'": [(0,)],
    })


def test_what_changed_comes_and_what_is_reloaded_is_asked_for_whole(python, around, nginx):
    select = "SELECT id, name FROM nginx.plans ORDER BY id"
    servers.compare(python, around, {select: PLANS, "SELECT count(*) FROM nginx.always": [(len(PLANS),)]})
    changed = [*PLANS[3:], (77, "new one")]
    nginx.write_plans(changed)
    wanted = [list(row) for row in changed]
    again = servers.told(python, around, *(part for action in ("REFRESH", "REFRESH", "RELOAD", "REFRESH") for part in (f"{action} TABLE nginx.plans", select)))
    assert again[1::2] == [wanted] * 4, again
    servers.compare(python, around, {"REFRESH TABLE nginx.always": None, "SELECT count(*) FROM nginx.always": [(len(changed),)]})
    # Two first loads, the new rows, unchanged, whole, unchanged, whole.
    assert nginx.statuses("plans.json") == [200, 200, 200, 304, 200, 304, 200], nginx.asked("plans.json")
    assert [tag == "-" for _, tag in nginx.asked("plans.json")] == [True, True, False, False, True, False, True]


def test_an_emptied_table_is_asked_for_whole(python, around, nginx):
    select = "SELECT id, name FROM nginx.plans ORDER BY id"
    servers.compare(python, around, {select: PLANS})
    servers.compare(python, around, {"CLEAR TABLE nginx.plans": None, "REFRESH TABLE nginx.plans": None, select: PLANS})
    servers.compare(python, around, {"DROP TABLE nginx.plans": None, select: PLANS})
    assert nginx.statuses("plans.json") == [200, 200, 200], nginx.asked("plans.json")
