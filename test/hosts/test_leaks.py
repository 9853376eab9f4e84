"""The search for secrets that follows each test finds them: in files, in whatever form, in tables, and where tokens are kept."""

import base64
import json

import hosts
import leaks

TOKEN = "eyJhbGciOiJ-a-token-of-another-server"


def found(around) -> list[str]:
    """Returns the names of the files in which secrets are, and takes the files away."""
    search = leaks.Search()
    try:
        names = [line.split(":")[0] for line in search.leaks_of(around)]
    finally:
        search.close()
    for path in sorted(around.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    return names


def test_a_secret_in_a_file_is_found_in_every_form(around):
    texts = [hosts.SECRETS[0], hosts.SECRETS[0].upper(), hosts.SECRETS[0].encode().hex(), f"{hosts.ISSUED}-rotating-7"]
    texts += [base64.b64encode(f"{before}{hosts.SECRETS[0]} and more".encode()).decode() for before in ("", "x", "xy", "user:")]
    for number, text in enumerate(texts):
        (around.folder / f"{number}.log").write_text(f"some {text} words\n")
    assert found(around) == [f"{number}.log" for number in range(len(texts))]


def test_a_secret_in_a_table_is_found(python, around):
    script = """
        con = duckdb.connect("x.duckdb")
        con.execute("CREATE SCHEMA shop")
        con.execute("CREATE TABLE shop.kept AS SELECT range AS id, if(range = 77000, 'Bearer ' || 'secret' || '-token', 'a' || range) AS note FROM range(100000)")
        con.execute("CREATE TABLE fine AS SELECT 'a secret that is no token' AS note")
    """
    python.run(around, script).check()
    assert "x.duckdb, table shop.kept" in found(around)


def test_a_token_belongs_to_the_token_store_alone(around):
    store = around.folder / "connections.yaml.tokens"
    store.mkdir()
    for name, value in {"a": TOKEN, "b": f"{hosts.ISSUED}-1"}.items():
        (store / f"{name}.json").write_text(json.dumps({"values": {"access_token": value, "token_type": "a type that is long"}}))
    (around.folder / "x.log").write_text(f"the API does not take {TOKEN}")
    (around.folder / "y.log").write_text("a type that is long")
    (store / "c.json").write_text(json.dumps({"values": {"client": hosts.SECRETS[0]}}))
    assert found(around) == ["connections.yaml.tokens/c.json", "x.log"]


def test_what_a_test_writes_itself_is_named(around):
    (around.folder / "written.yaml").write_text(f"password: {hosts.SECRETS[0]}")
    (around.folder / "other.yaml").write_text(f"password: {hosts.SECRETS[0]}")
    around.exposed.append("written.yaml")
    assert found(around) == ["other.yaml"]


def test_what_users_write_into_a_connections_file_is_theirs(around):
    (around.folder / "connections.yaml").write_text(f"password: {hosts.SECRETS[0]}")
    assert found(around) == []
    store = around.folder / "connections.yaml.tokens"
    store.mkdir()
    (store / "a.json").write_text(json.dumps({"values": {"access_token": TOKEN}}))
    (around.folder / "connections.yaml").write_text(f"password: {TOKEN}")
    assert found(around) == ["connections.yaml"]
