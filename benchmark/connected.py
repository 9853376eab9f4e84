"""A session with the extension and the benchmark's connections, for the processes that are measured but for how long that takes."""

import json
from pathlib import Path

import duckdb


def opened(extension: str, database: str) -> duckdb.DuckDBPyConnection:
    """Opens the database and loads the extension, which knows the benchmark's adapter then."""
    session = duckdb.connect(database, config={"allow_unsigned_extensions": "true"})
    session.execute(f"LOAD '{extension}'")
    session.execute(f"SET GLOBAL unify_spec_path = '{Path(__file__).parent / 'specs'}'")
    return session


def connect(session: duckdb.DuckDBPyConnection, database: str, connections: list[dict]) -> None:
    """Makes the connections, in a file beside the database."""
    connections_file = Path(database).with_suffix(".yaml")
    connections_file.write_text(json.dumps(connections))
    session.execute(f"SET GLOBAL unify_connections_file = '{connections_file}'")


def to_server(server: str, *names: str) -> list[dict]:
    """Returns connections of those names to the benchmark's server."""
    return [{name: {"adapter": "bench", "options": {"server": server}}} for name in names]
