"""The blocks of the documentation's pages, for the tests that run them."""

import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import hosts

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# A block that begins so is a file: `# connections.yaml`, `-- models/top.sql`.
NAMED = re.compile(r"(?:#|--|//) ([\w./~-]+\.\w+|~/\.\w+)\n")
# Where the adapters of the pages ask, and where the tests' server has the same.
ADDRESSES = {
    "https://shop.example.com/api": "/shop",
    "https://api.github.com": "",
    "https://hacker-news.firebaseio.com/v0": "/hackernews",
    "https://wikimedia.org/api/rest_v1": "/wikimedia",
    # Where the pages have the tests' server itself.
    "http://127.0.0.1:8080": "",
}


@dataclass
class Block:
    """What stands between two fences."""

    language: str
    text: str
    # Where the text is in the page.
    span: tuple[int, int]

    @property
    def file(self) -> str | None:
        """The file's name, for a block that is one."""
        found = NAMED.match(self.text)
        return found and found[1]


def read(page: str) -> str:
    return (hosts.ROOT / page).read_text()


def blocks(page: str, heading: str | None = None) -> list[Block]:
    """Returns the blocks of a page, or those under one of its headings."""
    text = read(page)
    start, end = 0, len(text)
    if heading is not None:
        start = text.index(f"\n## {heading}\n")
        end = text.find("\n## ", start + 1) if "\n## " in text[start + 1:] else end
    found = [Block(match[1], match[2], match.span(2)) for match in FENCED.finditer(text) if start <= match.start() < end]
    assert found, f"{page} has no blocks"
    return found


def pointed(text: str, api: str) -> str:
    """Points the connections and specs of a block to the tests' server."""
    for address, path in ADDRESSES.items():
        text = text.replace(address, api + path)
    # Connections of adapters that ask elsewhere unless told.
    for adapter, path in (("github", ""), ("hackernews", "/hackernews"), ("wikimedia", "/wikimedia")):
        text = re.sub(rf"^( +)adapter: {adapter}\n\1options:\n", rf"\g<0>\1  host: {api}{path}\n", text, flags=re.MULTILINE)
        text = text.replace(f"(ADAPTER {adapter}", f"(ADAPTER {adapter}, host '{api}{path}'")
        text = re.sub(rf"^( +)adapter: {adapter}\n(?!\1options:)", rf"\g<0>\1options: {{host: '{api}{path}'}}\n", text, flags=re.MULTILINE)
    return text


def lay_out(around: hosts.Surroundings, found: list[Block]) -> Iterator[Block]:
    """Writes the blocks that are files, puts the extension where the pages have it, and yields the other blocks, pointed."""
    place = around.folder / "build" / "release"
    place.mkdir(parents=True, exist_ok=True)
    (place / "unify.duckdb_extension").symlink_to(around.extension)
    for block in found:
        text = pointed(block.text, around.api)
        if block.file is None:
            yield Block(block.language, text, block.span)
            continue
        path = around.folder / block.file.removeprefix("~/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def program_folder(around: hosts.Surroundings, cli: hosts.Cli) -> pathlib.Path:
    """Makes a folder in which `duckdb` is the command line, as it would be on a user's PATH."""
    folder = around.folder / "bin"
    folder.mkdir()
    program = folder / "duckdb"
    program.symlink_to(cli.program())
    around.more["PATH"] = f"{folder}:{hosts.os.environ['PATH']}"
    return folder


def run_sql(around: hosts.Surroundings, cli: hosts.Cli, statements: list[str], database: str = "my.duckdb") -> list[str]:
    """Runs blocks of SQL in one session of the command line, as `duckdb -unsigned my.duckdb` would, and returns what each printed."""
    # Without a terminal the shell would take its width for 80 columns. What DuckDB writes of itself is not part of a page.
    script = [".bail on", ".maxwidth 120"]
    for idx, statement in enumerate(statements):
        script += [f".print == {idx}", statement]
    outcome = around.run([str(cli.program()), "-unsigned", "-init", "/dev/null", database], "\n".join(script) + "\n").check()
    assert outcome.stderr == "", outcome.stderr
    printed = re.split(r"^== \d+\n", outcome.stdout, flags=re.MULTILINE)[1:]
    assert len(printed) == len(statements), outcome.stdout
    return [re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE) for text in printed]


def check_shown(page: str, shown: list[tuple[Block, str]]) -> None:
    """Compares what SQL blocks printed with the `text` blocks that follow them; UPDATE_EXPECT=1 puts it there instead."""
    text = read(page)
    again = text
    for block, printed in sorted(shown, key=lambda pair: pair[0].span, reverse=True):
        found = re.compile(r"```\n\n```text\n(.*?)```\n", re.DOTALL).match(again, block.span[1])
        if found:
            again = again[:found.start(1)] + printed + again[found.end(1):]
    if hosts.os.environ.get("UPDATE_EXPECT") == "1":
        (hosts.ROOT / page).write_text(again)
    else:
        assert again == text, f"{page} shows other results than there are; UPDATE_EXPECT=1 rewrites them\n{again}"
