"""Statements that end with letters beyond ASCII, which DuckDB 1.5 cuts: none is about another name, in any host."""

import json

import hosts
import pytest
from small_api import Answer, Asked, serving

SPEC = """
name: bistro
base_url: "{host}"
options: {host: {description: the API, required: true}}
paging: {strategy: none}
tables:
  - {name: caf, resource_path: /rows/3}
  - {name: café, resource_path: /rows/5}
  - {name: bar, resource_path: /rows/2}
"""
COUNTS = "SELECT (SELECT count(*) FROM bistro.caf) || ' ' || (SELECT count(*) FROM bistro.\"café\") || ' ' || (SELECT count(*) FROM bistro.bar)"
CONNECTIONS = "SELECT string_agg(connection, ' ' ORDER BY connection) FROM unify_connections() WHERE NOT persistent"
# Texts that are about the second of two names, where the first is the second one without its last letter.
CUT = [
    "CLEAR TABLE bistro.café",
    "CLEAR TABLE bistro.café;",
    "\n CLEAR TABLE bistro.café \n",
    "SELECT 'é'; CLEAR TABLE bistro.café",
    "  SELECT 'é';\n\nCLEAR TABLE bistro.café; -- CLEAR TABLE bistro.caf",
    "CLEAR TABLE bistro.café; SELECT 1",
    "\n\n  CLEAR TABLE bistro.café;\n  SELECT 1;\n",
    "REFRESH TABLE bistro.café; CLEAR TABLE bistro.café",
    "DROP CONNECTION bistroé",
    "DROP CONNECTION bistroé;",
    "DROP CONNECTION bistroé; SELECT 1",
]
# A name that is not there, where the one without its last letter is.
UNKNOWN = ["CLEAR TABLE bistro.baré", "SELECT 1; CLEAR TABLE bistro.baré;", "DROP CONNECTION IF EXISTS bistroß"]
# Texts that are about the first of the two names, and the rows that tables have afterwards.
CLEARED = [
    ("CLEAR TABLE bistro.bar -- café", "3 5 0"),
    ("CLEAR TABLE bistro.\"caf\"; SELECT 'é'", "0 5 0"),
    ("CLEAR TABLE bistro.\"café\"", "0 0 0"),
]


def answer(asked: Asked) -> Answer:
    return Answer(json.dumps([{"id": number} for number in range(int(asked.path.rpartition("/")[2]))]).encode())


@pytest.fixture
def setup(around):
    """What makes the connections and loads their tables."""
    folder = around.folder / "specs"
    folder.mkdir()
    (folder / "bistro.yaml").write_text(SPEC)
    with serving(answer) as host:
        create = [f"CREATE CONNECTION {name} (ADAPTER bistro, host '{host}')" for name in ("bistro", "\"bistroé\"")]
        yield [f"SET GLOBAL unify_spec_path = '{folder}'", *create, COUNTS]


def check(run, is_cut: bool) -> None:
    """`run` runs a text and returns its last rows, or its error."""
    for text in CUT:
        told = run(text)
        if is_cut:
            name = "bistroé" if "DROP" in text else "café"
            assert f'put the name in double quotes: "{name}"' in told, f"{text}: {told}"
            assert (run(COUNTS), run(CONNECTIONS)) == ("3 5 2", "bistro bistroé"), text
    for text in UNKNOWN:
        told = run(text)
        if is_cut:
            assert "put the name in double quotes" in told, f"{text}: {told}"
    if is_cut:
        # Where nobody knows which of the two is meant, neither is.
        assert '"café"' in run("CLEAR TABLE bistro.caf; SELECT 1")
        assert "expected a name; one of letters beyond ASCII is put in double quotes" in run("CLEAR TABLE bistro.é")
    assert run(CONNECTIONS) == ("bistro bistroé" if is_cut else "bistro")
    for text, counts in CLEARED if is_cut else []:
        run(text)
        assert run(COUNTS) == counts, text


@pytest.mark.parametrize("release", hosts.RELEASES["tested"]["python"])
def test_python(release, around, setup):
    script = f"""
        import json
        con = connect()
        for statement in {setup!r}:
            con.execute(statement)
        for text in sys.stdin:
            try:
                result = con.execute(json.loads(text)).fetchall()
                print(json.dumps(str(result[0][0]) if result else ""), flush=True)
            except duckdb.Error as err:
                print(json.dumps(str(err)), flush=True)
    """
    process = around.start(hosts.Python(release).command(script))

    def run(text: str) -> str:
        process.stdin.write(json.dumps(text) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    check(run, release.startswith("1."))
    hosts.finish(process).check()


def test_node_and_the_command_line(node, cli, around, setup):
    texts = [*CUT, *UNKNOWN]
    outcomes = node.run(around, [*setup, *texts, COUNTS, CONNECTIONS])
    assert [outcome.get("rows") for outcome in outcomes[-2:]] == [[["3 5 2"]], [["bistro bistroé"]]], outcomes
    assert all("in double quotes" in outcome["error"] for outcome in outcomes[len(setup) : -2]), outcomes
    outcome = cli.run(around, [f"{statement};" for statement in [*setup, *texts, COUNTS, CONNECTIONS]])
    assert outcome.stdout.splitlines()[-2:] == ["3 5 2", '"bistro bistroé"'], outcome
    assert outcome.stderr.count("in double quotes") == len(texts), outcome
