"""Each block of the pages for newcomers, in the host it is for, with the server's recorded answers."""

import sys
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


def run_sh(around: hosts.Surroundings, block: pages.Block) -> hosts.Outcome:
    return around.run(["bash", "-euo", "pipefail", "-c", block.text]).check()


def test_the_page_of_the_command_line(cli, around):
    pages.program_folder(around, cli)
    first, session, script, plain = pages.lay_out(around, pages.blocks("docs/cli.md"))
    assert [block.language for block in (first, session, script, plain)] == ["sh", "sql", "sh", "sh"]
    run_sh(around, first)
    (shown,) = pages.run_sql(around, cli, [session.text])
    assert "Writing a DuckDB extension in a weekend" in shown
    assert "hackernews.top_stories" in run_sh(around, script).stdout
    top = (around.folder / "top.csv").read_text().splitlines()
    assert top[:2] == ["title,score", "Writing a DuckDB extension in a weekend,412"] and len(top) == 8
    assert "│            7 │" in run_sh(around, plain).stdout


@pytest.fixture(scope="session")
def wheel_folder(made_packages, tmp_path_factory):
    """A folder with the wheel, for Pythons of every release."""
    folder = tmp_path_factory.mktemp("site")
    packages.run([sys.executable, *packages.PIP_INSTALL, "--target", str(folder), str(made_packages.wheel)], folder)
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
    (screen,) = (block for block in pages.lay_out(around, pages.blocks("README.md")) if block.language == "sql")
    (shown,) = pages.run_sql(around, cli, [screen.text])
    for expected in ("pull_reviews", "│ acme        │", "Change 1 of repo0", "load_end", "started"):
        assert expected in shown, f"no {expected}\n{shown}"
    assert (around.folder / "repos.parquet").exists()


def test_the_first_block_of_the_community_descriptor(cli, around):
    text = pages.read("extension_config/description.yml")
    first = textwrap.dedent(text.split("  hello_world: |\n")[1].split("  extended_description:")[0])
    entry = first.split('"')[1]
    assert entry == "- hackernews: {adapter: hackernews}"
    (around.folder / "connections.yaml").write_text(entry.replace("}", f", options: {{host: '{around.api}/hackernews'}}}}"))
    _, shown = pages.run_sql(around, cli, [f"LOAD '{around.extension}';", first])
    assert "Writing a DuckDB extension in a weekend" in shown
