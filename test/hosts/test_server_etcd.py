"""etcd's JSON gateway: POST that reads, pages that begin with the last record of the page before, keys and values in base64."""

import base64

import pytest

import servers

VALUES = {f"/shop/orders/{idx:03}": f"value {idx}" for idx in range(200)} | {"a": "", "quote\"'\\": "two\nlines", "größe/日本": "🦆", " ": " "}


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def etcd(around, tmp_path):
    address, peer = (f"http://127.0.0.1:{servers.free_port()}" for _ in range(2))
    command = [
        servers.debian("etcd", "etcd-server"), "--data-dir", "data", "--unsafe-no-fsync", "--listen-client-urls", address,
        "--advertise-client-urls", address, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
    ]
    with servers.running(command, f"{address}/health", tmp_path):
        for key, value in VALUES.items():
            put(address, key, value)
        servers.connect(around, "etcd", host=address)
        yield address


def put(address: str, key: str, value: str, **more: object) -> None:
    servers.asked(f"{address}/v3/kv/put", {"key": coded(key), "value": coded(value), **more})


def pairs(address: str) -> list[tuple[str, str]]:
    """Returns what the server has, by one request."""
    kvs = servers.asked(f"{address}/v3/kv/range", {"key": "AA==", "range_end": "AA=="})["kvs"]
    return [tuple(base64.b64decode(pair.get(name, "")).decode() for name in ("key", "value")) for pair in kvs]


SELECT = "SELECT key, coalesce(value, '') FROM etcd.texts ORDER BY encode(key)"


def test_rows_are_those_of_the_server(python, around, etcd):
    lease = servers.asked(f"{etcd}/v3/lease/grant", {"TTL": 600, "ID": 77})["ID"]
    put(etcd, "leased", "x", lease=lease)
    assert len(pairs(etcd)) == len(VALUES) + 1
    servers.compare(python, around, {
        SELECT: pairs(etcd),
        'SELECT "ID" FROM etcd.leases': [(lease,)],
        'SELECT "ID", "grantedTTL", keys FROM etcd.lease_keys': [(lease, "600", [coded("leased")])],
        "SELECT name FROM etcd.members": [("default",)],
    })


def test_what_is_written_is_there_and_comes_with_a_refresh(python, around, etcd):
    servers.compare(python, around, {
        "SELECT count(*) FROM etcd.pairs": [(len(VALUES),)],
        "COPY (SELECT '/new/' || range AS key, 'it''s \"' || range AS value FROM range(90)) TO 'etcd.pairs' (FORMAT unify, action upsert)": [(90,)],
        "COPY (SELECT 'a' AS key) TO 'etcd.pairs' (FORMAT unify, action delete)": [(1,)],
    })
    truth = pairs(etcd)
    assert len(truth) == len(VALUES) + 89 and ("/new/7", "it's \"7") in truth
    servers.compare(python, around, {
        "REFRESH TABLE etcd.pairs": None,
        f"SELECT count(*) FROM etcd.texts WHERE key LIKE '/new/%' AND value = 'it''s \"' || key[6:]": [(90,)],
        "SELECT count(*) FROM etcd.texts": [(len(VALUES) + 90,)],
        "RELOAD TABLE etcd.pairs": None,
        SELECT: truth,
    })
