"""Secrets where none may be: in the files that the processes of a test wrote, and in the tables of its databases."""

import base64
import json
import pathlib
import re
import subprocess
import textwrap

import hosts

# The folder beside a connections file in which tokens belong. What an option has does not.
TOKENS = ".tokens"
# Names in a token answer whose values are secret.
SECRET_NAMES = re.compile(r"access_token|refresh_token|id_token|session|sid|cookie")
# Shorter texts stand anywhere.
LEAST_LEN = 12
# Prints the tables of each database named on stdin in which a pattern is found, as a line of JSON.
SEARCHING = """
    import json, sys
    import duckdb
    def rows_of(path, pattern):
        con = duckdb.connect(path, read_only=True)
        try:
            for schema, table in con.execute("SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal").fetchall():
                quoted = ".".join('"' + name.replace('"', '""') + '"' for name in (schema, table))
                sql = f"SELECT t::VARCHAR FROM {quoted} AS t WHERE regexp_matches(lower(t::VARCHAR), ?) LIMIT 1"
                for row in con.execute(sql, [pattern]).fetchall():
                    yield [f"{schema}.{table}", row[0]]
        finally:
            con.close()
    for line in sys.stdin:
        path, pattern = json.loads(line)
        try:
            # Texts of databases are compressed: a look at the file alone does not find them.
            answer = {"found": list(rows_of(path, pattern))}
        except Exception as err:
            answer = {"unread": str(err).splitlines()[0]}
        print(json.dumps(answer), flush=True)
"""


def forms_of(secret: str) -> set[str]:
    """Returns how a secret can stand in a text that is in lower case: as it is, in hex, and in base64 wherever it begins there."""
    text = secret.encode()
    forms = {secret, text.hex()}
    for shift in range(3):
        whole = base64.b64encode(b"x" * shift + text).decode().rstrip("=")
        # The characters at either end depend on what stands beside the secret.
        forms.add(whole[(4 if shift else 0):-2])
    return {form.lower() for form in forms}


def pattern_of(secrets: list[str]) -> str:
    return "|".join(re.escape(form) for form in sorted(set().union(*map(forms_of, secrets))))


class Search:
    """Looks for secrets in what tests leave. It has one process for all databases, which starts with the first."""

    def __init__(self) -> None:
        self.process = None

    def close(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def leaks_of(self, around: hosts.Surroundings) -> list[str]:
        """Returns where secrets of a test are that must not be there."""
        files = [path for path in sorted(around.folder.rglob("*")) if path.is_file() and not path.is_symlink()]
        # Several names of one file are looked at once.
        files = list({path.stat().st_ino: path for path in reversed(files)}.values())[::-1]
        kept = [path for path in files if path.parent.name.endswith(TOKENS)]
        given = [value for path in kept for value in given_in(path)]
        options, everything = pattern_of([secret for secret in around.secrets if secret != hosts.ISSUED]), pattern_of([*around.secrets, *given])
        leaks = []
        for path in files:
            name = str(path.relative_to(around.folder))
            if any(path.match(exposed) for exposed in around.exposed):
                continue
            # What users write into a connections file, or have CREATE CONNECTION write there, is theirs.
            is_written_there = path.name == "connections.yaml"
            wanted = options if path in kept else pattern_of(given) if is_written_there else everything
            found = re.search(wanted.encode(), path.read_bytes().lower()) if wanted else None
            if found:
                leaks.append(f"{name}: {found[0].decode()}")
            if path.suffix in (".duckdb", ".db"):
                leaks += [f"{name}, table {table}: {row[:300]}" for table, row in self.rows_of(path, everything)]
        return leaks

    def rows_of(self, path: pathlib.Path, pattern: str) -> list[list[str]]:
        """Returns the tables of a database that have a secret, each with a row. A file that is no database has none."""
        if self.process is None or self.process.poll() is not None:
            command = [str(hosts.folder_of("py", hosts.NEWEST) / "bin" / "python"), "-c", textwrap.dedent(SEARCHING)]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            self.process.stdin.write(json.dumps([str(path), pattern]) + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline()).get("found", [])
        except (OSError, ValueError):
            # A file that was damaged on purpose may end the process that reads it: the next one gets another.
            self.close()
            return []


def given_in(path: pathlib.Path) -> list[str]:
    """Returns the tokens that a file of the token store has."""
    try:
        values = json.loads(path.read_text()).get("values", {})
    except (ValueError, AttributeError):
        return []
    return [value for name, value in values.items() if SECRET_NAMES.search(name) and len(value) >= LEAST_LEN]
