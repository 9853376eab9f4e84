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
ADDRESSES = {"https://hacker-news.firebaseio.com/v0": "/hackernews", "https://wikimedia.org/api/rest_v1": "/wikimedia"}


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
    for adapter in ("hackernews", "wikimedia"):
        text = re.sub(rf"( +)adapter: {adapter}\n\1options:\n", rf"\g<0>\1  host: {api}/{adapter}\n", text)
        text = re.sub(rf"( +)adapter: {adapter}\n(?!\1options:)", rf"\g<0>\1options: {{host: '{api}/{adapter}'}}\n", text)
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
