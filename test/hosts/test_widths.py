"""What lists show in a terminal of 120 columns, where DuckDB's command line leaves out columns in the middle."""

import pytest

# Statements, and the columns that are there with all else of them.
LISTS = {
    "SHOW ALL JOBS": ["job", "table", "state", "percent", "rows", "eta", "waiting_for", "error"],
    "SHOW JOB 1": ["job", "table", "state", "percent", "rows", "eta", "rows_stored", "waiting_for", "error"],
    "SHOW TABLES IN github": ["connection", "table", "status", "rows", "last_loaded", "kind", "description"],
    "SHOW ALL ADAPTER TABLES": ["connection", "table", "status", "rows", "last_loaded", "kind", "description"],
    "HELP": ["topic", "kind", "description"],
    "HELP LOAD TABLE": ["topic", "kind", "syntax", "description", "example"],
}
# The functions have more columns; these are shown all the same.
FUNCTIONS = {
    "FROM unify_jobs()": ["job", "table", "state"],
    "FROM unify_tables('github')": ["connection", "table", "status", "rows"],
    "SYSTEM STATUS": ["component", "name", "status", "reason"],
}


def shown(cli, around, statement: str) -> tuple[list[str], str]:
    """Returns the columns that the command line shows of an answer, and all it shows."""
    setup = [*around.setup_sql(), "LOAD TABLE github.pull_reviews;", "FROM unify_load('bad.retry_always', background := true);", "FROM unify_wait(1);"]
    command = cli.command("-light-mode", "-cmd", ".output /dev/null", *(part for sql in setup for part in ("-cmd", sql)))
    outcome = around.run([*command, "-cmd", ".output", "-cmd", ".mode duckbox", "-cmd", ".maxwidth 120", "-c", statement])
    lines = [line for line in outcome.stdout.splitlines() if line.startswith("│")]
    assert lines and all(len(line) <= 120 for line in lines), outcome
    return [name.strip() for name in lines[0].strip("│").split("│")], outcome.stdout


@pytest.mark.parametrize("statement", LISTS)
def test_a_list_shows_all_its_columns(cli, around, statement):
    columns, text = shown(cli, around, statement)
    assert columns == LISTS[statement], text


@pytest.mark.parametrize("statement", FUNCTIONS)
def test_a_function_shows_what_tells_most(cli, around, statement):
    columns, text = shown(cli, around, statement)
    assert columns[: len(FUNCTIONS[statement])] == FUNCTIONS[statement] or set(FUNCTIONS[statement]) <= set(columns), text
