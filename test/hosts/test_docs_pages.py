"""Each block of the pages for newcomers, in the host it is for, with the server's recorded answers."""

import textwrap

import hosts
import packages
import pages
import pytest

TOUR = "docs/tour.md"


def test_the_tour_shows_what_the_command_line_prints(cli, around):
    laid_out = list(pages.lay_out(around, pages.blocks(TOUR)))
    sql = [block for block in laid_out if block.language == "sql"]
    assert {block.language for block in laid_out} == {"sql", "text"} and len(sql) > 10
    printed = pages.run_sql(around, cli, [block.text for block in sql], "tour.duckdb")
    pages.check_shown(TOUR, list(zip(sql, printed, strict=True)))


AUTHORS = "docs/write-an-adapter.md"


def test_the_page_for_authors_shows_what_the_command_line_prints(cli, around):
    """A file that the page writes twice is changed between the statements, as its reader changes it."""
    around.more["SHOP_TOKEN"] = hosts.SECRETS[0]
    list(pages.lay_out(around, []))
    (around.folder / "specs").mkdir()
    sql, statements, changes = [], [], ""
    for number, block in enumerate(pages.blocks(AUTHORS)):
        if block.file is not None:
            (around.folder / f"{number}.next").write_text(pages.pointed(block.text, around.api))
            changes += f".shell cp {number}.next {block.file}\n"
        elif block.language == "sql":
            sql.append(block)
            statements.append(changes + block.text)
            changes = ""
    assert len(sql) > 10 and changes == ""
    printed = pages.run_sql(around, cli, statements, "shop.duckdb")
    pages.check_shown(AUTHORS, list(zip(sql, printed, strict=True)))
    # What the statements without a result on the page say.
    said = dict(zip((block.text for block in sql), printed, strict=True))
    checks = [text for block, text in said.items() if block.startswith("SELECT line, level, key")]
    assert len(checks) == 2 and all("0 rows" in text for text in checks), checks
    assert any("│ credentials │ true" in text for text in printed), printed
    assert any("it is the last page" in text for text in printed), printed
    # What was recorded makes the same table.
    recorded = around.folder / "recorded"
    assert [file.suffix for file in (recorded / "my_shop").iterdir()] == [".json"] * len(list((recorded / "my_shop").iterdir()))
    around.get(f"/__control?replay={recorded}")
    spec = around.folder / "specs" / "my_shop.yaml"
    spec.write_text(spec.read_text().replace("/shop\n", "/replayed/my_shop\n"))
    again = [block for block in statements if block.startswith(("LOAD 'build", "SET GLOBAL"))]
    again += ["CREATE CONNECTION my_shop (ADAPTER my_shop, bearer_token env('SHOP_TOKEN'));"]
    again += [next(block for block in statements if "AS orders, count" in block)]
    *_, replayed = pages.run_sql(around, cli, again, "replayed.duckdb")
    assert "250" in replayed and replayed in printed, replayed


def run_sh(around: hosts.Surroundings, block: pages.Block) -> hosts.Outcome:
    return around.run(["bash", "-euo", "pipefail", "-c", block.text]).check()


ONE_TEXT = "LOAD 'build/release/unify.duckdb_extension'; SET unify_connections_file = 'connections.yaml'; {}"


def run_one(around: hosts.Surroundings, options: list[str], text: str) -> str:
    """Runs a text that fails in the command line, and returns the error."""
    outcome = around.run([str(around.folder / "bin" / "duckdb"), *options, "my.duckdb", "-c", text])
    assert outcome.code == 1, outcome
    return outcome.stderr


def test_the_page_of_the_command_line(cli, around):
    pages.program_folder(around, cli)
    found = list(pages.lay_out(around, pages.blocks("docs/cli.md")))
    assert [block.language for block in found] == ["sh", "sql", "sh", "sh", "sh", "sh"]
    first, session, shell, script, apart, plain = found
    run_sh(around, first)
    (shown,) = pages.run_sql(around, cli, [session.text])
    assert "Writing a DuckDB extension in a weekend" in shown
    # The Python that has the shell's package.
    around.more["PATH"] += f":{hosts.folder_of('cli', cli.release) / 'bin'}"
    path = around.more["PATH"].split(":")
    around.more["PATH"] = ":".join([path[0], path[-1], *path[1:-1]])
    assert "│     42 │" in run_sh(around, shell).stdout
    assert "hackernews.top_stories" in run_sh(around, script).stdout
    top = (around.folder / "top.csv").read_text().splitlines()
    assert top[:2] == ["title,score", "Writing a DuckDB extension in a weekend,412"] and len(top) == 8
    assert "│ refresh │" in run_sh(around, apart).stdout
    # One text with LOAD and a statement of Unify's, and a shell that reads ~/.duckdbrc without -unsigned.
    one_text = run_one(around, ["-unsigned", "-init", "/dev/null"], ONE_TEXT.format("REFRESH TABLE hackernews.top_stories"))
    assert 'syntax error at or near "REFRESH"' in one_text
    assert "unsigned" in run_one(around, [], "SELECT 1")
    assert "│            7 │" in run_sh(around, plain).stdout


@pytest.fixture(scope="session")
def wheel_folder(made_packages, tmp_path_factory):
    """A folder with the wheel, for Pythons of every release."""
    folder = tmp_path_factory.mktemp("site")
    packages.run([packages.PIP, *packages.PIP_INSTALL, "--target", str(folder), str(made_packages.wheel)], folder)
    return folder


def frames_python(around: hosts.Surroundings, release: str, site) -> str:
    """Returns the Python that has pandas, polars and Jupyter, and gives it a release of DuckDB and the wheel."""
    others = [packages.site_packages(hosts.folder_of("py", release)), site]
    around.more["PYTHONPATH"] = ":".join(str(other) for other in others)
    return str(hosts.ROOT / "build" / "hosts" / "frames" / "bin" / "python")


def test_the_page_of_python(python, around, wheel_folder):
    install, *found = pages.lay_out(around, pages.blocks("docs/python.md"))
    assert install.language == "sh" and {block.language for block in found} == {"python"} and len(found) == 8
    program = frames_python(around, python.release, wheel_folder)
    shown = around.run([program, "-c", "\n".join(block.text for block in found)]).check().stdout
    for expected in ("Writing a DuckDB extension in a weekend", "quill       733", "'parent', 'by'", "[(4, 'success')]", "no table 'stories'"):
        assert expected in shown, f"no {expected}\n{shown}"
    # The same blocks as cells of a notebook; a cell that fails fails it.
    cells = [block.text for block in found]
    script = f"""
        import nbclient, nbformat
        from nbformat.v4 import new_code_cell, new_notebook
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in {cells!r}])
        nbclient.NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
        print(*(output.get("text", "") or output["data"]["text/plain"] for cell in notebook.cells for output in cell.outputs))
    """
    (around.folder / "my.duckdb").unlink()
    shown = around.run([program, "-c", textwrap.dedent(script)]).check().stdout
    assert "quill       733" in shown and "│ job     │            1 │" in shown, shown


def test_the_page_of_node(node, around, made_packages):
    install, *found = pages.lay_out(around, pages.blocks("docs/node.md"))
    assert install.language == "sh" and {block.language for block in found} == {"js"} and len(found) == 4
    packages.install_tarball(made_packages, around.folder, node.release)
    (around.folder / "page.mjs").write_text("\n".join(block.text for block in found))
    shown = around.run(["node", "page.mjs"]).check().stdout
    for expected in ("Writing a DuckDB extension in a weekend", "rows: '4', status: 'success'", "no table 'stories'"):
        assert expected in shown, f"no {expected}\n{shown}"


def test_the_page_of_dbt(around):
    build, show = pages.lay_out(around, pages.blocks("docs/dbt.md"))
    folder = hosts.folder_of("dbt", hosts.HOSTS["dbt"]["duckdb"])
    around.more |= {"PATH": f"{folder / 'bin'}:{hosts.os.environ['PATH']}", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    shown = run_sh(around, build).stdout
    assert "PASS=7 WARN=0 ERROR=0" in shown, shown
    shown = run_sh(around, show).stdout
    assert "A spreadsheet eng" in shown and "Writing a DuckDB" in shown, shown
    script = 'import duckdb; print(duckdb.connect("hn.duckdb").sql("SELECT points FROM authors WHERE author = \'quill\'").fetchall())'
    assert around.run([str(folder / "bin" / "python"), "-c", script]).check().stdout == "[(733,)]\n"


def sql_of(around: hosts.Surroundings, page: str) -> list[str]:
    return [block.text for block in pages.lay_out(around, pages.blocks(page)) if block.language == "sql"]


# The pages that lead from the first statement on, whose blocks work in every host, one after the other.
FIRST_PAGES = ["README.md", TOUR, "docs/getting-started.md", "docs/cli.md", AUTHORS]


@pytest.mark.parametrize("page", FIRST_PAGES)
def test_the_first_pages_in_python(page, python, around):
    around.more |= dict.fromkeys(["GITHUB_TOKEN", "SHOP_TOKEN"], hosts.SECRETS[0])
    script = f"""
        con = duckdb.connect("my.duckdb", config={{"allow_unsigned_extensions": "true"}})
        # A slow machine must not put a bar among the lines.
        con.execute("SET enable_progress_bar = false")
        for sql in {sql_of(around, page)!r}:
            con.execute(sql)
            con.fetchall()
    """
    assert python.run(around, script).check().stdout == ""


@pytest.mark.parametrize("page", FIRST_PAGES)
def test_the_first_pages_in_node(page, node, around):
    around.more |= dict.fromkeys(["GITHUB_TOKEN", "SHOP_TOKEN"], hosts.SECRETS[0])
    # The page's own files are what counts.
    around.connections, around.specs = around.folder / "none.yaml", around.folder
    around.connections.write_text("[]\n")
    blocks = sql_of(around, page)
    failed = [(sql, answer["error"]) for sql, answer in zip(blocks, node.run(around, blocks, "my.duckdb"), strict=True) if "error" in answer]
    assert not failed, failed


def test_a_text_with_load_and_a_statement_of_unify(python, around):
    list(pages.lay_out(around, pages.blocks("docs/python.md")))
    for statement, fails in (("REFRESH TABLE hackernews.lists", python.release.startswith("1.5")), ("FROM unify_refresh('hackernews.lists')", False)):
        script = f"""
            con = duckdb.connect(config={{"allow_unsigned_extensions": "true"}})
            try:
                print(con.execute({ONE_TEXT.format(statement)!r}).fetchone()[1])
            except duckdb.ParserException as err:
                print("ParserException")
        """
        assert python.run(around, script).check().stdout == ("ParserException\n" if fails else "hackernews.lists\n"), statement


def test_the_page_to_start_with(cli, around):
    around.more["GITHUB_TOKEN"] = hosts.SECRETS[0]
    found = list(pages.lay_out(around, pages.blocks("docs/getting-started.md")))
    assert [block.language for block in found] == ["sql"] * 5
    load, create, connections, select, own = pages.run_sql(around, cli, [block.text for block in found])
    assert load == "" and "│ created │" in create and "│ request     │ true" in create, create
    assert "│ work       │ github  │ ok" in connections and "rd=$GITHUB_TOKEN" in connections, connections
    assert "│ acme        │          137 │" in select and "load_end" in select
    shop = next(line for line in own.splitlines() if line.startswith("│ shop "))
    assert "specs/shop.yaml" in shop and shop.split("│")[-2].strip() == "NULL"


def test_the_first_screen(cli, around):
    around.more["GITHUB_TOKEN"] = hosts.SECRETS[0]
    _, shown, with_account = pages.run_sql(around, cli, sql_of(around, "README.md"))
    for expected in ("comments", "Writing a DuckDB extension in a weekend", "Harbour (Testville) hires", "load_end", "started"):
        assert expected in shown, f"no {expected}\n{shown}"
    assert (around.folder / "stories.parquet").exists()
    assert "│ acme        │" in with_account


def test_the_first_block_of_the_community_descriptor(cli, around):
    text = pages.read("extension_config/description.yml")
    first = textwrap.dedent(text.split("  hello_world: |\n")[1].split("  extended_description:")[0])
    entry = first.split('"')[1]
    assert entry == "- hackernews: {adapter: hackernews}"
    (around.folder / "connections.yaml").write_text(entry.replace("}", f", options: {{host: '{around.api}/hackernews'}}}}"))
    _, shown = pages.run_sql(around, cli, [f"LOAD '{around.extension}';", first])
    assert "Writing a DuckDB extension in a weekend" in shown


# The adapters that the page of authentication names, in few words: the ways to show who you are that its blocks are about.
AUTHS = {
    "shop": "{type: OAUTH2, grant: client_credentials, token_url: 'https://a.example.com/token'}",
    "books": "{type: OAUTH2, grant: refresh_token, token_url: 'https://a.example.com/token'}",
    "analytics": "{type: JWT, use: grant, algorithm: RS256, token_url: 'https://a.example.com/token'}",
    "ads": "{type: BEARER}",
    "cluster": "{type: NONE}",
    "nas": "{type: SESSION, login: {resource_path: /login, form: {user: '${username}', pass: '${password}'}, capture: {sid: {cookie: SID}}}, "
    "headers: {Cookie: 'SID=${token.sid}'}}",
}


def test_the_page_of_authentication(python, around):
    """Each statement makes a connection, and the file's entry is one; whatever a credential is worth, its text is never shown."""
    found = pages.blocks("docs/authentication.md")
    statements = [block.text for block in found if block.language == "sql"]
    # The other blocks are adapters, which a test of the parser reads.
    entries = [block.text for block in found if block.language == "yaml" and not block.text.startswith("name:")]
    # One of them is what a statement makes, too.
    entries = [entry.replace("- fast:", "- fast_of_file:") for entry in entries]
    around.specs, around.connections = around.folder / "specs", around.folder / "connections.yaml"
    around.specs.mkdir()
    for name, auth in AUTHS.items():
        host = "options: {host: {default: 'https://a.example.com'}}\nbase_url: '{host}'"
        (around.specs / f"{name}.yaml").write_text(f"name: {name}\n{host}\nauth: {auth}\ntables: [{{name: t, resource_path: /t}}]\n")
    around.connections.write_text("\n".join(entries))
    program = around.folder / "bin" / "gcloud"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho $SHOP_SECRET\n")
    program.chmod(0o755)
    around.more |= {"PATH": f"{program.parent}:{hosts.os.environ['PATH']}"} | {"SHOP_SECRET": hosts.SECRETS[0], "BOOKS_SECRET": hosts.SECRETS[0], "BOOKS_REFRESH": hosts.SECRETS[0], "NAS_PASSWORD": hosts.SECRETS[0]}
    around.more |= {f"TOKEN_{letter}": hosts.SECRETS[0] for letter in "ABC"}
    script = f"""
        con = connect()
        con.execute("SET GLOBAL unify_spec_path = '{around.specs}'")
        for sql in {statements!r}:
            con.execute(sql)
        for name, status in con.execute("SELECT connection, status FROM unify_connections() ORDER BY connection").fetchall():
            print(name, status)
    """
    shown = python.run(around, script).check().stdout
    assert shown == "".join(f"{name} ok\n" for name in sorted([*AUTHS, "fast", "fast_of_file"])), shown
