"""The blocks of the reference pages, in their order, in every host."""

import json
import re

import hosts
import pytest

FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# The pages whose SQL is run here, in one database each, with the connections of the tests.
PAGES = ["commands.md", "daemon.md"]


def blocks_of(page: str) -> list[str]:
    """Returns the SQL of a page."""
    found = [text.strip() for language, text in FENCED.findall((hosts.ROOT / "docs" / page).read_text()) if language == "sql"]
    assert found, f"{page} has no SQL"
    return found


@pytest.mark.parametrize("page", PAGES)
def test_in_python(page, python, around):
    script = """
        import json
        con = connect("x.duckdb")
        for sql in json.load(open("blocks.json")):
            try:
                con.execute(sql)
                con.fetchall()
            except duckdb.Error as err:
                print(sql, err, sep="\\n")
    """
    (around.folder / "blocks.json").write_text(json.dumps(blocks_of(page)))
    assert python.run(around, script).check().stdout == ""


@pytest.mark.parametrize("page", PAGES)
def test_in_node(page, node, around):
    blocks = blocks_of(page)
    answers = node.run(around, blocks, "x.duckdb")
    failed = [(sql, answer["error"]) for sql, answer in zip(blocks, answers, strict=True) if "error" in answer]
    assert not failed, failed


@pytest.mark.parametrize("page", PAGES)
def test_in_the_cli(page, cli, around):
    outcome = cli.run(around, blocks_of(page), "x.duckdb").check()
    assert outcome.stderr == "" and outcome.stdout, outcome
