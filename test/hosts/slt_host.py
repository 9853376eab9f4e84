"""A DuckDB session for the sqllogictest runner: reads requests as JSON lines from stdin, answers each with one on stdout.

A request is {"connection": n, "sql": text}; an answer {"types": text, "rows": [[text]]} or {"error": text}. The first line
written is {"version": text}. Besides SQL there are two commands of the runner's own:

  .get URL            the body of the answer, a row per line, a column per tab
  .reopen [readonly]  closes the database and opens its file again
"""

import datetime
import gc
import json
import sys
import urllib.error
import urllib.request

import duckdb

INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}


class Host:
    """One database file and the sessions on it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.sessions: dict[int, duckdb.DuckDBPyConnection] = {}
        self.database = None
        self.open(read_only=False)

    def open(self, read_only: bool) -> None:
        config = {"allow_unsigned_extensions": "true"}
        self.database = duckdb.connect(self.path, read_only=read_only, config=config)

    def reopen(self, read_only: bool) -> None:
        for session in self.sessions.values():
            session.close()
        self.sessions.clear()
        self.database.close()
        gc.collect()
        self.open(read_only)

    def session(self, number: int) -> duckdb.DuckDBPyConnection:
        if number not in self.sessions:
            self.sessions[number] = self.database.cursor()
        return self.sessions[number]

    def run(self, number: int, sql: str) -> dict:
        command, _, argument = sql.partition(" ")
        if command == ".get":
            return {"types": "", "rows": [line.split("\t") for line in body_of(argument.strip()).splitlines()]}
        if command == ".reopen":
            self.reopen(argument.strip() == "readonly")
            return {"types": "", "rows": []}
        session = self.session(number)
        session.execute(sql)
        if session.description is None:
            return {"types": "", "rows": []}
        types = "".join(type_of(str(column[1])) for column in session.description)
        return {"types": types, "rows": [[text_of(value) for value in row] for row in session.fetchall()]}


def body_of(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as err:
        raise RuntimeError(f"GET {url} returned {err.code}: {err.read().decode()}") from err


def type_of(name: str) -> str:
    if name in INTEGERS:
        return "I"
    return "R" if name in {"FLOAT", "DOUBLE"} or name.startswith("DECIMAL") else "T"


def text_of(value: object, nested: bool = False) -> str:
    """Returns a value as DuckDB prints it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        text = value.isoformat(sep=" ")
        return text.rstrip("0") if value.microsecond else text
    if isinstance(value, list):
        return "[" + ", ".join(text_of(element, nested=True) for element in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={text_of(element, nested=True)}" for key, element in value.items()) + "}"
    text = str(value)
    return "(empty)" if text == "" and not nested else text


def main() -> None:
    requests, answers = sys.stdin, sys.stdout
    sys.stdout = sys.stderr
    host = Host(sys.argv[1])

    def answer(message: dict) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    answer({"version": "v" + duckdb.__version__})
    for line in requests:
        request = json.loads(line)
        try:
            answer(host.run(request["connection"], request["sql"]))
        except Exception as err:  # noqa: BLE001: whatever a statement raises is its result
            answer({"error": f"{err}"})


if __name__ == "__main__":
    main()
