"""LOAD: by path, by name after INSTALL, twice, and on releases that are not supported."""

import hosts
import pytest


def test_by_path(python, around):
    script = """
        con = connect()
        print(con.execute("SELECT count(*) FROM shop.stores").fetchone()[0])
    """
    assert python.run(around, script).check().stdout == "3\n"


def test_install_then_load_by_name(python, around):
    install = """
        con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
        con.execute(f"INSTALL '{EXTENSION}'")
    """
    use = """
        con = connect(load="LOAD unify")
        print(con.execute("SELECT count(*) FROM shop.stores").fetchone()[0])
        print(con.execute("SELECT installed, loaded FROM duckdb_extensions() WHERE extension_name = 'unify'").fetchone())
    """
    python.run(around, install).check()
    assert python.run(around, use).check().stdout == "3\n(True, True)\n"


def test_install_then_load_by_name_in_the_cli(cli, around):
    name = around.setup_sql()
    statements = [f"INSTALL '{around.extension}';", "LOAD unify;", *name[1:], "SELECT count(*) FROM shop.stores;"]
    outcome = around.run(cli.command("-batch", "-csv", "-noheader"), "\n".join(statements) + "\n").check()
    assert outcome.stdout == "3\n"


def test_twice(python, around):
    script = """
        con = connect()
        for _ in range(3):
            con.execute(f"LOAD '{EXTENSION}'")
        other = con.cursor()
        other.execute(f"LOAD '{EXTENSION}'")
        print(other.execute("SELECT count(*) FROM shop.stores").fetchone()[0])
        print(con.execute("REFRESH TABLE shop.stores").fetchone() is not None)
    """
    assert python.run(around, script).check().stdout == "3\nTrue\n"


def test_an_unsigned_extension_needs_the_users_consent(python, around):
    script = """
        con = duckdb.connect()
        con.execute(f"LOAD '{EXTENSION}'")
    """
    outcome = python.run(around, script)
    assert outcome.code == 1 and "signature" in outcome.stderr, outcome


@pytest.mark.parametrize("release", hosts.HOSTS["unsupported"])
def test_an_unsupported_release_is_refused(release, around):
    script = """
        con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
        try:
            con.execute(f"LOAD '{EXTENSION}'")
        except duckdb.Error as err:
            print(err)
        print(con.execute("SELECT 42").fetchone()[0])
    """
    outcome = hosts.Python(release).run(around, script).check()
    *message, answer = outcome.stdout.splitlines()
    assert answer == "42"
    message = " ".join(message)
    assert release in message, message
    # A host older than the C API that the extension asks for refuses it by itself and cannot show our list.
    if "v1.2.0" not in message or "supported" in message:
        for supported in hosts.SUPPORTED:
            assert supported.removeprefix("v") in message, message
        assert f"; install the newest of them with 'pip install duckdb=={hosts.NEWEST}'" in message, message


def test_a_machine_without_certificates_reaches_loopback_and_says_why_nothing_else(python, around):
    around.more["SSL_CERT_FILE"] = around.more["SSL_CERT_DIR"] = str(around.folder / "missing")
    connections = around.folder / "connections.yaml"
    connections.write_text("- far: {adapter: limits, options: {host: https://127.0.0.1:1}}\n")
    script = f"""
        con = connect()
        print(con.execute("SELECT count(*) FROM shop.stores").fetchone()[0])
        con.execute("SET unify_connections_file = '{connections}'")
        try:
            con.execute("SELECT * FROM far.one_second")
        except duckdb.Error as err:
            print(err)
    """
    count, *message = python.run(around, script).check().stdout.splitlines()
    assert count == "3"
    assert "install the system's CA certificates" in " ".join(message), message
