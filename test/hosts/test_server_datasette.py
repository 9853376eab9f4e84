"""Datasette: the rows of a SQLite file as lists, objects, a map, CSV and NDJSON; pages by links in body and header, and by tokens."""

import json
import sqlite3

import pytest

import servers

pytestmark = pytest.mark.slow_server

FORMS = ("orders", "orders_by_token", "orders_by_id", "orders_lines", "orders_by_range", "all_orders")
NOTES = [None, "", 'say "hi", it\'s; ok', "two\nlines\r\n", "Größe 日本 🦆", "a\tb\\c", " 12 ", "null"]
PLACES = [f"place {idx}" for idx in range(30)] + ["it's", 'a "b"', "a,b", "ü/ö?&=%", "back\\slash", "~tilde+plus"]


@pytest.fixture(scope="session")
def datasette_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("datasette")
    database = sqlite3.connect(folder / "shop.db")
    database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, total REAL, note TEXT, created TEXT)")
    database.execute("CREATE TABLE places (name TEXT, town TEXT, PRIMARY KEY (name, town)) WITHOUT ROWID")
    database.executemany("INSERT INTO places VALUES (?, ?)", ((name, f"{name} town") for name in PLACES))
    database.commit()
    address = f"http://127.0.0.1:{(port := servers.free_port())}"
    command = [str(servers.installed("datasette/bin/datasette", "datasette")), "shop.db", "--port", str(port), "--setting", "max_returned_rows", "50"]
    with servers.running(command, f"{address}/-/versions.json", folder):
        yield address, database
    database.close()


@pytest.fixture
def datasette(around, datasette_server):
    """The file that the server reads, with its first orders."""
    address, database = datasette_server
    rows = ((idx, f"c{idx % 7}", idx * 1.25, NOTES[idx % len(NOTES)], f"2024-{idx % 12 + 1:02}-{idx % 28 + 1:02}T10:00:00Z") for idx in range(1, 232))
    database.execute("DELETE FROM orders")
    database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", rows)
    database.commit()
    servers.connect(around, "datasette", host=address)
    return database


def test_every_form_has_the_rows_of_the_file(python, around, datasette):
    truth = datasette.execute("SELECT id, customer, total, note, created FROM orders ORDER BY id").fetchall()
    columns = "id, customer, total, note, strftime(created, '%Y-%m-%dT%H:%M:%SZ')"
    # CSV does not tell an empty text from none.
    in_csv = [(*row[:3], row[3] or None, row[4]) for row in truth]
    places = datasette.execute("SELECT name, town FROM places ORDER BY name").fetchall()
    servers.compare(python, around, {
        **{f"SELECT {columns} FROM datasette.{table} ORDER BY id": truth for table in FORMS},
        f"SELECT {columns} FROM datasette.orders_csv ORDER BY id": in_csv,
        "SELECT count(*) FILTER (key = id::VARCHAR) FROM datasette.orders_by_id": [(len(truth),)],
        "SELECT name, town FROM datasette.places ORDER BY encode(name)": places,
        "SELECT name, town FROM datasette.all_places ORDER BY encode(name)": places,
        "SELECT name, town FROM datasette.quoted ORDER BY encode(name)": places,
        "SELECT customer, n, total FROM datasette.sums ORDER BY customer": datasette.execute(
            "SELECT customer, count(*), sum(total) FROM orders GROUP BY customer ORDER BY customer"
        ).fetchall(),
        "SELECT name, count, columns::VARCHAR FROM datasette.tables ORDER BY name": [
            ("orders", len(truth), '[id, customer, total, note, created]'), ("places", len(PLACES), '[name, town]')
        ],
    })


def test_tables_of_the_file_are_discovered(python, around, datasette):
    listed = "FROM unify_tables() WHERE connection = 'datasette' AND \"table\" LIKE 'all_%' ORDER BY ALL"
    servers.compare(python, around, {
        f'SELECT "table" {listed}': [],
        "DISCOVER CONNECTION datasette": None,
        f'SELECT "table", description {listed}': [
            ("all_orders", "Each table of the file, as orders"), ("all_places", "Each table of the file, as places"),
        ],
    })


def test_a_reload_that_lost_too_much_leaves_the_table(python, around, datasette):
    before = datasette.execute("SELECT count(*), sum(id) FROM orders").fetchone()
    servers.compare(python, around, {"SELECT count(*), sum(id) FROM datasette.orders_checked": [before]})
    datasette.execute("DELETE FROM orders WHERE id > 150")
    datasette.commit()
    told, rows = servers.told(
        python, around, "RELOAD TABLE datasette.orders_checked", "SELECT count(*), sum(id) FROM datasette.orders_checked"
    )
    assert "max_drop" in told and rows == [list(before)], (told, rows)


def test_a_refresh_brings_what_changed(python, around, datasette):
    before = datasette.execute("SELECT count(*), sum(total) FROM orders").fetchone()
    servers.compare(python, around, {"SELECT count(*), sum(total) FROM datasette.orders": [before]})
    datasette.execute("INSERT INTO orders VALUES (1000, 'new', 5, 'x', '2025-01-01T00:00:00Z')")
    datasette.execute("UPDATE orders SET total = 7, created = '2025-01-02T00:00:00Z' WHERE id = 9")
    datasette.commit()
    after = datasette.execute("SELECT count(*), sum(total) FROM orders").fetchone()
    servers.compare(python, around, {
        "REFRESH TABLE datasette.orders": None,
        "SELECT count(*), sum(total) FROM datasette.orders": [after],
        "SELECT customer, total FROM datasette.orders WHERE id IN (9, 1000) ORDER BY id": [("c2", 7.0), ("new", 5.0)],
    })


def test_an_error_is_told(python, around, datasette):
    [told] = servers.told(python, around, "SELECT * FROM datasette.absent")
    assert "returned 404" in told and "Table not found" in told, json.dumps(told)
