"""Unify, the DuckDB extension that turns REST APIs into SQL tables: `load` loads it into a connection of DuckDB."""

import contextlib
import json
import pathlib

FOLDER = pathlib.Path(__file__).parent
EXTENSION = FOLDER / "unify.duckdb_extension"


def load(con) -> None:
    """Loads Unify into the database of a DuckDB connection. Fails with RuntimeError where DuckDB would refuse it, and says what to do."""
    # A cursor is a session of its own: results of `con` that are not read yet stay.
    with contextlib.closing(con.cursor()) as session:
        release, unsigned = session.execute("SELECT version(), current_setting('allow_unsigned_extensions')").fetchone()
        supported = [release for line in json.loads((FOLDER / "releases.json").read_text())["lines"] for release in line["releases"]]
        if release not in supported:
            raise RuntimeError(
                f"this duckdb_unify does not serve DuckDB {release}, but {', '.join(supported)}; "
                f"install the newest of them with 'pip install duckdb=={supported[-1].removeprefix('v')}'"
            )
        if not unsigned:
            raise RuntimeError(
                "the connection does not allow unsigned extensions; "
                "connect with duckdb.connect(..., config={'allow_unsigned_extensions': 'true'})"
            )
        session.execute("LOAD '" + str(EXTENSION).replace("'", "''") + "'")
