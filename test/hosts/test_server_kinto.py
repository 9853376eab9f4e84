"""Kinto: the next page's address in a header of its own, parents of parents, tombstones in refreshes, every kind of write."""

import base64
import json

import pytest

import servers

pytestmark = pytest.mark.slow_server

INI = """
[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = %(http_port)s
[app:main]
use = egg:kinto
kinto.includes = kinto.plugins.accounts kinto.plugins.flush
kinto.storage_backend = kinto.core.storage.memory
kinto.permission_backend = kinto.core.permission.memory
kinto.cache_backend = kinto.core.cache.memory
kinto.userid_hmac_secret = seasalt
multiauth.policies = account
multiauth.policy.account.use = kinto.plugins.accounts.AccountsPolicy
kinto.account_create_principals = system.Everyone
kinto.bucket_create_principals = system.Authenticated
"""
ACCOUNT = {"Authorization": "Basic " + base64.b64encode(f"me:{servers.KEY}".encode()).decode()}
COLLECTIONS = [("north", "orders"), ("north", "notes"), ("south", "orders"), ("west", "none")]


class Kinto:
    """A server and what it has."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, path: str, method: str = "GET", body: object = None) -> object:
        return servers.asked(self.address + "/v1" + path, body, method, **ACCOUNT)

    def records(self) -> list[tuple]:
        """Returns all records, each collection by one request."""
        found = []
        for bucket, collection in COLLECTIONS:
            for record in self.ask(f"/buckets/{bucket}/collections/{collection}/records")["data"]:
                found.append((bucket, collection, record["id"], record.get("n"), record.get("text"), record["last_modified"]))
        return sorted(found)


@pytest.fixture(scope="session")
def kinto_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinto")
    (folder / "kinto.ini").write_text(INI)
    address = f"http://127.0.0.1:{(port := servers.free_port())}"
    command = [str(servers.installed("kinto/bin/kinto", "kinto")), "start", "--ini", "kinto.ini", "--port", str(port)]
    with servers.running(command, f"{address}/v1/", folder):
        yield Kinto(address)


@pytest.fixture
def kinto(around, kinto_server):
    """The server with its first records."""
    servers.asked(f"{kinto_server.address}/v1/__flush__", method="POST")
    servers.asked(f"{kinto_server.address}/v1/accounts/me", {"data": {"password": servers.KEY}}, "PUT")
    batch = [("/buckets/" + bucket, {}) for bucket, _ in COLLECTIONS] + [(f"/buckets/{bucket}/collections/{name}", {}) for bucket, name in COLLECTIONS]
    orders = "/buckets/north/collections/orders/records"
    batch += [(f"{orders}/o{idx:03}", {"n": idx, "text": f'Größe "{idx}"'}) for idx in range(95)]
    batch += [(f"/buckets/south/collections/orders/records/s{idx}", {"n": idx}) for idx in range(5)]
    batch += [("/buckets/north/collections/notes/records/x", {"text": "a\nb"})]
    requests = [{"method": "PUT", "path": "/v1" + path, "body": {"data": data}} for path, data in batch]
    for start in range(0, len(requests), 25):
        kinto_server.ask("/batch", "POST", {"requests": requests[start:start + 25]})
    servers.connect(around, "kinto", host=kinto_server.address, username="me", password=servers.KEY)
    return kinto_server


RECORDS = "SELECT bucket, collection, id, n, text, last_modified FROM kinto.records ORDER BY bucket, collection, id"


def test_rows_are_those_of_the_server(python, around, kinto):
    truth = kinto.records()
    assert len(truth) == 101
    servers.compare(python, around, {
        "SELECT id FROM kinto.buckets ORDER BY id": [("north",), ("south",), ("west",)],
        "SELECT bucket, id FROM kinto.collections ORDER BY bucket, id": sorted(COLLECTIONS),
        RECORDS: truth,
        "SELECT bool_and(ok) FROM unify_test_connection('kinto')": [(True,)],
    })


def test_what_is_written_comes_back_and_what_is_deleted_goes(python, around, kinto):
    copied = "TO 'kinto.records' (FORMAT unify, action"
    servers.compare(python, around, {
        "SELECT count(*) FROM kinto.records": [(101,)],
        f"COPY (SELECT 'west' AS bucket, 'none' AS collection, range AS n, 'new' AS text FROM range(7)) {copied} insert)": [(7,)],
        f"COPY (SELECT 'south' AS bucket, 'orders' AS collection, 's' || range AS id, 100 + range AS n, 'put' AS text FROM range(4, 7)) {copied} upsert)": [(3,)],
        f"COPY (SELECT 'north' AS bucket, 'orders' AS collection, 'o00' || range AS id, 'patched' AS text FROM range(3)) {copied} update)": [(3,)],
        f"COPY (SELECT 'north' AS bucket, 'orders' AS collection, 'o09' || range AS id FROM range(5)) {copied} delete)": [(5,)],
    })
    truth = kinto.records()
    assert len(truth) == 101 + 7 + 2 - 5
    assert sum(row[4] == "patched" and row[3] is not None for row in truth) == 3
    servers.compare(python, around, {"REFRESH TABLE kinto.records": None, RECORDS: truth})
    kinto.ask("/buckets/south/collections/orders/records", "DELETE")
    servers.compare(python, around, {"REFRESH TABLE kinto.records": None, RECORDS: kinto.records()})


def test_a_wrong_password_is_told(python, around, kinto):
    servers.connect(around, "kinto", host=kinto.address, username="me", password="secret-token-2")
    [told] = servers.told(python, around, "SELECT * FROM kinto.records")
    assert "returned 401" in told and "check the options" in told, json.dumps(told)
