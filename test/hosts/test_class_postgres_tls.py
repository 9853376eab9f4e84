"""Class postgres over TLS, as servers of others are reached: who is trusted, what is said of who is not, and that a cancelled job ends there, too."""

import pytest

import hosts
import servers
from certificates import make_certificates
from postgres import CANCELLED, CANCELS, Postgres, program


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that takes connections over TLS alone; its port, and the file of the authority that signed its certificate."""
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    port = servers.free_port()
    server = Postgres((port, folder))
    sql = "CREATE TABLE orders AS SELECT i AS id, 'order ' || i AS name FROM generate_series(1, 1000) i; " \
          "CREATE VIEW slow AS SELECT pg_sleep(600) IS NULL AS a; " \
          "CREATE ROLE reader LOGIN PASSWORD 'a long ''password'; GRANT SELECT ON orders, slow TO reader"
    server.run("psql", "-h", str(server.folder), "-p", str(port), "-U", "unify", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-qc", sql)
    yield server, port, str(folder / "ca.pem")
    server.close()


PREPARED = """
    import subprocess
    def psql(sql):
        command = ["{psql}", "-h", "{folder}", "-p", "{port}", "-U", "unify", "-d", "postgres", "-qAtc", sql]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    def said_of(name, options):
        con.execute(f"CREATE CONNECTION {{name}} (ADAPTER postgres, host '127.0.0.1', port '{port}', database 'postgres', user 'reader', {{options}})")
        try:
            return con.execute(f"SELECT count(*), min(name), max(id) FROM {{name}}.orders").fetchone()
        except duckdb.Error as err:
            return str(err).replace(chr(10), " ")
    con = connect("x.duckdb")
    PASSWORD, TRUSTED = "password 'a long ''password'", "ca_certificate '{authority}'"
"""


def run(python, around, server, script: str) -> list[str]:
    postgres, port, authority = server
    around.secrets.append("a long 'password")
    prepared = PREPARED.format(psql=program("psql"), folder=postgres.folder, port=port, authority=authority)
    return python.run(around, hosts.textwrap.dedent(prepared) + hosts.textwrap.dedent(script)).check().stdout.splitlines()


def test_a_server_is_reached_where_its_authority_is_trusted_and_no_other(python, around, server):
    script = """
    print(said_of("trusted", f"sslmode 'require', {PASSWORD}, {TRUSTED}"))
    print(con.execute("SELECT rows FROM unify_refresh('trusted.orders')").fetchone())
    print(said_of("unknown", f"sslmode 'require', {PASSWORD}"))
    print(said_of("wrong", f"sslmode 'require', password 'no', {TRUSTED}"))
    print(said_of("plain", f"sslmode 'disable', {PASSWORD}, {TRUSTED}"))
    print(psql("SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'reader'") in ("t", ""))
    """
    trusted, refreshed, unknown, wrong, plain, over_tls = run(python, around, server, script)
    assert (trusted, refreshed, over_tls) == ("(1000, 'order 1', 1000)", "(1000,)", "True")
    assert "certificate" in unknown and "ca_certificate" in unknown, unknown
    assert "password authentication failed" in wrong and "check options 'user', 'password' and 'sslmode'" in wrong, wrong
    assert "no encryption" in plain and "check options 'user', 'password' and 'sslmode'" in plain, plain


def test_cancel_job_ends_what_the_server_does(python, around, server):
    script = """
    con.execute(f"CREATE CONNECTION pg (ADAPTER postgres, host '127.0.0.1', port '{port}', database 'postgres', user 'reader', sslmode 'require', {PASSWORD}, {TRUSTED})")
    """.replace("{port}", str(server[1]))
    assert run(python, around, server, hosts.textwrap.dedent(script) + CANCELS) == CANCELLED.splitlines()
