"""HTTP/2 where a server has it: all requests of a load go over one connection, and what goes wrong with a stream or a connection loses no row."""

import json
import shutil

import pytest

import hosts
import servers
from certificates import make_certificates

N_ROWS, N_PAGES, FEW_STREAMS, IN_FLIGHT = 400, 40, 3, 8
ROWS = [[idx, f"note {idx} ü"] for idx in range(N_ROWS)]
SELECT = "SELECT id, note FROM http2.items ORDER BY id"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of the API, and where it tells what came."""
    folder = tmp_path_factory.mktemp("http2")
    make_certificates(folder)
    port, plain_port = servers.free_port(), servers.free_port()
    node = shutil.which("node")
    assert node, "there is no program 'node'; install Debian's package 'nodejs'"
    command = [node, str(hosts.TEST / "hosts" / "http2_server.mjs"), str(port), str(plain_port), str(folder)]
    told = f"http://127.0.0.1:{plain_port}"
    with servers.running(command, told, folder):
        yield f"https://127.0.0.1:{port}", told, str(folder / "ca.pem")


def loaded(python, around, server, kind: str) -> dict:
    """Loads the table where this goes wrong, compares its rows, and returns what the server tells."""
    address, told, authority = server
    servers.asked(f"{told}/reset")
    servers.connect(around, "http2", host=address, kind=kind, ca_certificate=authority)
    servers.compare(python, around, {SELECT: ROWS})
    return servers.asked(told)


def test_a_load_takes_one_connection_and_no_more_streams_than_the_server_allows(python, around, server):
    came = loaded(python, around, server, "plain")
    assert came["protocols"] == {"2.0": came["requests"]} and came["requests"] >= N_PAGES, came
    assert came["connections"] == 1 and 1 < came["most"] <= FEW_STREAMS, came


@pytest.mark.parametrize("kind", ["cut_off", "refused", "destroyed", "goes_away"])
def test_no_row_is_lost_or_doubled_when_a_stream_or_a_connection_ends(python, around, server, kind):
    came = loaded(python, around, server, kind)
    # Each request that was under way may connect anew.
    assert came["went_wrong"] == 1 and came["connections"] <= 1 + IN_FLIGHT, came
