"""MediaWiki: objects of params for the next page, records that come in parts, maps by number, errors in good answers, writing by forms, RSS."""

import pathlib
import sqlite3
import subprocess

import pytest

import servers

pytestmark = pytest.mark.slow_server
PROGRAM = pathlib.Path("/usr/share/mediawiki")
N_PAGES = 47


def text_of(number: int, prefix: str) -> str:
    links = "".join(f"\n[[Category:{prefix} {idx}]]" for idx in range(number % 6))
    return f'It\'s "{number}" & <b>größe</b> 日本{links}'


class Wiki:
    """A wiki and the database that it keeps."""

    def __init__(self, address: str, database: pathlib.Path) -> None:
        self.address = address
        self.database = database

    def rows(self, sql: str) -> list[tuple]:
        database = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            database.text_factory = lambda data: data.decode()
            return database.execute(sql).fetchall()
        finally:
            database.close()


@pytest.fixture(scope="session")
def wiki(tmp_path_factory):
    php = servers.debian("php", "php-cli")
    assert PROGRAM.is_dir(), f"there is no {PROGRAM}; install Debian's packages 'mediawiki' and 'php-sqlite3'"
    folder = tmp_path_factory.mktemp("mediawiki")
    address = f"http://127.0.0.1:{(port := servers.free_port())}"
    install = [
        php, str(PROGRAM / "maintenance" / "install.php"), "--dbtype=sqlite", f"--dbpath={folder}", "--pass=secret-token-9", f"--confpath={folder}",
        "--server", address, "--scriptpath", "", "Wiki", "me",
    ]
    subprocess.run(install, check=True, capture_output=True, cwd=folder)
    settings = folder / "LocalSettings.php"
    settings.write_text(settings.read_text() + "\n$wgJobRunRate = 0;\n$wgRateLimits = [];\n$wgUseInstantCommons = false;\n")
    command = [php, "-S", f"127.0.0.1:{port}", "-t", str(PROGRAM)]
    with servers.running(command, f"{address}/api.php", folder, seconds=180, MW_CONFIG_FILE=str(settings), PHP_CLI_SERVER_WORKERS="4"):
        yield Wiki(address, folder / "my_wiki.sqlite")


@pytest.fixture
def mediawiki(around, wiki):
    servers.connect(around, "mediawiki", host=wiki.address)
    return wiki


PAGES = "SELECT page_id, page_title FROM page WHERE page_namespace = 0 ORDER BY page_id"
REVISIONS = """SELECT rev_id, replace(page_title, '_', ' '), rev_parent_id, substr(rev_timestamp, 1, 14), comment_text
    FROM revision JOIN page ON page_id = rev_page JOIN revision_comment_temp ON revcomment_rev = rev_id
    JOIN comment ON comment_id = revcomment_comment_id ORDER BY rev_id"""
LINKS = """SELECT replace(page_title, '_', ' '), 'Category:' || replace(cl_to, '_', ' ')
    FROM categorylinks JOIN page ON page_id = cl_from WHERE page_namespace = 0 ORDER BY 1, 2"""


def test_what_is_written_is_there_row_by_row(python, around, mediawiki):
    prefix = f"R{python.release.replace('.', '')}"
    values = ", ".join(f"('{prefix} page {number}', '{text_of(number, prefix).replace(chr(39), chr(39) * 2)}')" for number in range(N_PAGES))
    writing = f"SELECT title, text, 'by ' || title AS summary FROM (VALUES {values}) AS pages(title, text)"
    servers.compare(python, around, {f"COPY ({writing}) TO 'mediawiki.pages' (FORMAT unify)": [(N_PAGES,)]})
    pages = [(number, title.replace("_", " ")) for number, title in mediawiki.rows(PAGES)]
    assert len(pages) > N_PAGES
    links = mediawiki.rows(LINKS)
    assert len([title for title, _ in links if title.startswith(prefix)]) == sum(number % 6 for number in range(N_PAGES))
    [(n_namespaces, main)] = servers.told(
        python, around, "SELECT count(*), max(id) FILTER (number = '0') FROM mediawiki.namespaces WHERE number = id::VARCHAR"
    )[0]
    assert (n_namespaces, main) == (18, 0)
    servers.compare(python, around, {
        "SELECT pageid, title FROM mediawiki.pages ORDER BY pageid": pages,
        "SELECT revid, title, parentid, strftime(timestamp, '%Y%m%d%H%M%S'), comment FROM mediawiki.revisions ORDER BY revid": mediawiki.rows(REVISIONS),
        f"SELECT title, text FROM mediawiki.revisions WHERE title LIKE '{prefix} page %' ORDER BY revid": [
            (f"{prefix} page {number}", text_of(number, prefix)) for number in range(N_PAGES)
        ],
        "SELECT query_pages_title, title FROM mediawiki.categories ORDER BY ALL": links,
        "SELECT pageid, length FROM mediawiki.sizes ORDER BY pageid": mediawiki.rows(
            "SELECT page_id, page_len FROM page WHERE page_namespace = 0 ORDER BY page_id"
        ),
        f"SELECT count(DISTINCT title) FROM mediawiki.feed WHERE title LIKE '{prefix} page %'": [(N_PAGES,)],
    })


def test_an_error_in_a_good_answer_fails_the_load(python, around, mediawiki):
    [told] = servers.told(python, around, "SELECT * FROM mediawiki.wrong")
    assert "Unrecognized value for parameter" in told, told
