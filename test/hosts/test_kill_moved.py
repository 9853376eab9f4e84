"""Loads that are killed while rows vanish at the source, by whole pages, and answers come in another order than requests: the next load goes on, and
no row that stays at the source is missing without being told."""

import json
import random
import threading
import time

import pytest
from host_process import PATIENCE, Failed, HostProcess
from small_api import Answer, Asked, serving

SIZE = 10
SPEC = """name: own
options: {host: {description: where it is, required: true}}
base_url: "{host}"
tables:
  - name: moving
    resource_path: /moving
    result_body_path: rows
    key_column: id
    paging: {strategy: pageAndCount, page_param: page, page_size: 10, first_page: 0, total_path: total}
"""


class Shrinking:
    """Pages of rows, of which whole pages vanish while they are asked for. One page is not answered until `goes_on`."""

    def __init__(self, seed: int, held: int):
        self.random = random.Random(seed)
        self.rows = list(range(400))
        self.n_vanishing = 4
        self.n_answered = 0
        self.held = held
        self.is_held = threading.Event()
        self.goes_on = threading.Event()
        self.answering = threading.Condition()

    def answer(self, asked: Asked) -> Answer:
        page = int(asked.params["page"])
        if page == self.held and not self.goes_on.is_set():
            self.is_held.set()
            self.goes_on.wait()
        with self.answering:
            if 0 < page < self.held and self.random.random() < 0.7:
                # Pages behind it are answered first, where they are asked for.
                n_before = self.n_answered
                self.answering.wait_for(lambda: self.n_answered >= n_before + 3, 0.05)
            rows = self.rows[page * SIZE : page * SIZE + SIZE]
            body = json.dumps({"rows": [{"id": id, "name": f"row {id}"} for id in rows], "total": len(self.rows)})
            if self.n_vanishing and page > 1 and self.random.random() < 0.5:
                self.n_vanishing -= 1
                start = self.random.randrange(min(page, self.held)) * SIZE
                del self.rows[start : start + SIZE]
            self.n_answered += 1
            self.answering.notify_all()
        return Answer(body.encode())


def ids_of(process: HostProcess) -> list[int]:
    return [int(row["id"]) for row in process.sql("SELECT id FROM own.moving")]


def n_kept(process: HostProcess) -> int:
    try:
        return int(process.sql("SELECT count(*) AS n FROM own.moving__loading", on="other")[0]["n"])
    except Failed:  # It is not there yet.
        return 0


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_no_row_that_stays_is_missing_after_a_kill(python, around, seed):
    source = Shrinking(seed, held=2 + seed % 7)
    (around.folder / "own").mkdir()
    (around.folder / "own" / "own.yaml").write_text(SPEC)
    connections = around.folder / "own.yaml"
    settings = [f"unify_spec_path = '{around.folder / 'own'}'", f"unify_connections_file = '{connections}'"]
    with serving(source.answer) as address:
        connections.write_text(f"- own:\n    adapter: own\n    options: {{host: '{address}'}}\n")
        with HostProcess(python.release, around) as killed:
            killed.open(around.folder / "x.duckdb", settings=settings)
            killed.begin_sql("LOAD TABLE own.moving")
            assert source.is_held.wait(PATIENCE)
            # What is before the page that is held is stored when no other page comes.
            n_before, deadline = 0, time.monotonic() + PATIENCE
            while n_before == 0 and time.monotonic() < deadline:
                n_before = n_kept(killed)
            assert n_before > 0
            killed.kill()
        source.goes_on.set()
        with HostProcess(python.release, around) as process:
            process.open(around.folder / "x.duckdb", settings=settings)
            found = ids_of(process)
            assert len(found) == len(set(found))
            missing = set(source.rows) - set(found)
            log = [row["message"] for row in process.sql("SELECT message FROM information_schema.loading_log")]
            assert any(message.startswith("going on") for message in log), log
            assert not missing or any("may be missing" in message for message in log), (sorted(missing), log)
            source.n_vanishing = 0
            process.sql("REFRESH TABLE own.moving")
            assert sorted(ids_of(process)) == source.rows
            process.end()
