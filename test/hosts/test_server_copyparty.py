"""copyparty: zips that it packs while it sends them, files that are gzip, and forms of several parts that read and write."""

import gzip
import json
import shutil
import urllib.parse

import pytest

import servers

EVENTS = {f"events-{file}": [(file, idx, f"größe 日本 {file}.{idx}") for idx in range(50 * file)] for file in (1, 2, 3)}
# In a folder below.
DEEP = [(4, idx, "deep\nline") for idx in range(20)]
ORDERS = [(idx, f"it's \"{idx}\", so", f"2024-05-{idx % 28 + 1:02}") for idx in range(700)]
PRICES = [(idx, idx + 0.25) for idx in range(300)]
TEXTS = {
    "plain.md": "one line",
    "Größe 日本 & co.md": "Grüße, 日本, 🦆",
    "tricky.md": 'a "quoted" text\r\n--\r\nContent-Disposition: form-data; name="body"\r\n\r\nof several\n\nlines\n',
    "long.md": "0123456789\n" * 30_000,
}


def events_of(rows: list[tuple]) -> str:
    return "".join(json.dumps(dict(zip(("file", "id", "text"), row, strict=True))) + "\n" for row in rows)


def csv_of(rows: list[tuple]) -> str:
    return "id,note,day\n" + "".join(f'{idx},"{note.replace(chr(34), chr(34) * 2)}",{day}\n' for idx, note, day in rows)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The folder that the server shows."""
    folder = tmp_path_factory.mktemp("copyparty") / "files"
    texts = {f"logs/{name}.ndjson": events_of(rows) for name, rows in EVENTS.items()} | {
        "logs/more/events-4.ndjson": events_of(DEEP),
        "logs/readme.txt": "not rows",
        "reports/a.csv": csv_of(ORDERS[:10]),
        "reports/b.json": json.dumps([dict(zip(("id", "note", "day"), row, strict=True)) for row in ORDERS[10:20]]),
        "reports/c.tsv": "id\tnote\tday\n20\ttabs\t2024-05-01\n",
    }
    contents = {name: text.encode() for name, text in texts.items()} | {
        "packed/orders.csv.gz": gzip.compress(csv_of(ORDERS).encode()),
        "packed/prices.ndjson.gz": gzip.compress("".join(f'{{"id":{idx},"price":{price}}}\n' for idx, price in PRICES).encode()),
    }
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def copyparty(files):
    address = f"http://127.0.0.1:{(port := servers.free_port())}"
    program = servers.installed("copyparty/bin/copyparty", "copyparty")
    home = files.parent
    # It looks neither for other machines nor for programs that make pictures.
    command = [str(program), "-i", "127.0.0.1", "-p", str(port), "-v", f"{files}::rwd", "--hist", str(home / "hist"), "--http-only", "--no-thumb"]
    with servers.running(command, address, home, HOME=str(home), XDG_CONFIG_HOME=str(home)):
        yield address


def test_a_zip_gives_the_rows_of_its_files(python, around, copyparty):
    servers.connect(around, "copyparty", host=copyparty)
    everything = sorted([row for rows in EVENTS.values() for row in rows] + DEEP)
    servers.compare(python, around, {
        "SELECT file, id, text FROM copyparty.events ORDER BY ALL": everything,
        # The request itself is a form of parts, and says which files the zip has.
        "SELECT file, id, text FROM copyparty.chosen ORDER BY ALL": sorted(EVENTS["events-1"] + DEEP),
        "SELECT id, note, day::VARCHAR FROM copyparty.reports ORDER BY id": [*ORDERS[:20], (20, "tabs", "2024-05-01")],
        "REFRESH TABLE copyparty.events": None,
        "SELECT count(*), count(DISTINCT (file, id)) FROM copyparty.events": [(len(everything), len(everything))],
    })


def test_a_file_of_gzip_gives_its_rows(python, around, copyparty):
    servers.connect(around, "copyparty", host=copyparty)
    servers.compare(python, around, {
        "SELECT id, note, day::VARCHAR FROM copyparty.orders ORDER BY id": ORDERS,
        "SELECT id, price FROM copyparty.prices ORDER BY id": PRICES,
        "SELECT id, note, day::VARCHAR FROM copyparty.archive ORDER BY id": ORDERS,
    })


def test_a_zip_of_which_nothing_says_what_to_read_is_told(python, around, copyparty):
    servers.connect(around, "copyparty", host=copyparty)
    [told] = servers.told(python, around, "SELECT * FROM copyparty.unchosen")
    assert "the zip has 'logs/events-1.ndjson', 'logs/events-2.ndjson'" in told and "choose some with 'files'" in told, told


@pytest.fixture
def notes(files):
    """A folder of the server that has two files."""
    folder = files / "notes"
    folder.mkdir()
    for name in ("plain.md", "kept.md"):
        (folder / name).write_text("old")
    yield folder
    shutil.rmtree(folder)


def test_what_is_written_by_parts_is_what_the_server_has(python, around, copyparty, notes):
    servers.connect(around, "copyparty", host=copyparty)
    written = json.dumps([{"name": name, "text": text} for name, text in TEXTS.items()])
    (around.folder / "texts.json").write_text(written)
    servers.compare(python, around, {
        f"COPY (SELECT name, text FROM read_json('{around.folder}/texts.json')) TO 'copyparty.notes' (FORMAT unify, action upsert)": [(len(TEXTS),)],
        "COPY (SELECT 'größe \"1\"; name=' AS name) TO 'copyparty.folders' (FORMAT unify, action insert)": [(1,)],
    })
    found = {path.name: path.read_bytes().decode() for path in notes.glob("*.md")}
    # It ends lines of documents by a line feed alone.
    assert found == {name: text.replace("\r", "") for name, text in TEXTS.items()} | {"kept.md": "old"}
    # What it had before is in a folder of its own.
    assert {path.name for path in notes.iterdir() if path.is_dir()} == {'größe "1"; name=', ".hist"}
    servers.compare(python, around, {
        "SELECT name, size FROM copyparty.notes ORDER BY encode(name)": sorted(
            ((urllib.parse.quote(name), len(text.encode())) for name, text in found.items()), key=lambda row: row[0].encode()
        ),
    })


def test_an_error_of_the_server_is_told(python, around, copyparty, notes):
    (notes / "there").mkdir()
    servers.connect(around, "copyparty", host=copyparty)
    [told] = servers.told(python, around, "COPY (SELECT 'there' AS name) TO 'copyparty.folders' (FORMAT unify, action insert)")
    assert "returned 405" in told and "already exists" in told, told
