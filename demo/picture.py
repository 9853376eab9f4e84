"""Draws docs/terminal.svg: what the command line of DuckDB prints for a few statements, with the project's small API server.

picture.py EXTENSION TESTAPI DUCKDB SVG: the four files. A test compares the picture with what is printed today;
UPDATE_EXPECT=1 makes the test draw it anew.
"""

import pathlib
import subprocess
import sys
import tempfile
from xml.sax.saxutils import escape

DEMO = pathlib.Path(__file__).resolve().parent
STATEMENTS = [
    "LOAD unify;",
    "SELECT rank, title, score FROM hackernews.front_page LIMIT 4;",
    "SELECT owner_login, count(*) AS repos, sum(stargazers_count) AS stars\nFROM github.repos GROUP BY ALL ORDER BY ALL;",
    "SELECT table_schema, table_name, numrows, status\nFROM information_schema.loading_jobs WHERE action = 'load_end' ORDER BY id;",
]
# One character in pixels, and the space around all of them.
WIDTH, HEIGHT, MARGIN = 8.4, 16.5, 16
# Readable on a light and on a dark page, since the window brings its own ground.
STYLE = """
  rect { fill: #1d2430; stroke: #4a5568; }
  text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; white-space: pre; fill: #aeb9c7; }
  .prompt { fill: #7fd18b; }
  .typed { fill: #ffffff; }
"""


def printed(extension: str, testapi: str, duckdb: str) -> list[str]:
    """Returns what the command line prints for each statement."""
    server = subprocess.Popen([testapi, "--watch-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().split()[1]
        with tempfile.TemporaryDirectory() as folder:
            setup = [".bail on", ".maxwidth 100", f"SET extension_directory = '{folder}';", f"INSTALL '{extension}';"]
            script = [*setup, *(part for statement in STATEMENTS for part in (".print ==", statement))]
            environment = {"HOME": folder, "UNIFY_DEMO_API": address, "UNIFY_CONNECTIONS": str(DEMO / "connections.yaml")}
            done = subprocess.run(
                [duckdb, "-unsigned", "-init", "/dev/null"], input="\n".join(script) + "\n", env=environment,
                stdout=subprocess.PIPE, text=True, check=True,
            )
    finally:
        server.communicate()
    return done.stdout.split("==\n")[1:]


def lines_of(answers: list[str]) -> list[list[tuple[str, str]]]:
    """Returns the picture's lines, each of parts with their class."""
    lines = [[("prompt", "$ "), ("typed", "duckdb -unsigned")]]
    for statement, answer in zip(STATEMENTS, answers, strict=True):
        for idx, typed in enumerate(statement.split("\n")):
            lines.append([("prompt", "D " if idx == 0 else "  "), ("typed", typed)])
        lines += [[("printed", line)] for line in answer.splitlines()]
    return lines


def svg_of(lines: list[list[tuple[str, str]]]) -> str:
    """Returns the picture. Each line has its length, so that frames close in any font."""
    n_columns = max(sum(len(text) for _, text in line) for line in lines)
    width, height = round(n_columns * WIDTH + 2 * MARGIN), round(len(lines) * HEIGHT + 2 * MARGIN)
    drawn = []
    for idx, line in enumerate(lines):
        place = f'x="{MARGIN}" y="{MARGIN + idx * HEIGHT + 13}" textLength="{round(sum(len(text) for _, text in line) * WIDTH, 1)}"'
        parts = "".join(f'<tspan class="{kind}">{escape(text)}</tspan>' for kind, text in line)
        drawn.append(f'<text {place} xml:space="preserve">{parts}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
    frame = f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>'
    return "\n".join([head, "<title>Unify in the command line of DuckDB</title>", f"<style>{STYLE}</style>", frame, *drawn, "</svg>", ""])


def main() -> None:
    extension, testapi, duckdb, svg = sys.argv[1:]
    pathlib.Path(svg).write_text(svg_of(lines_of(printed(extension, testapi, duckdb))))


if __name__ == "__main__":
    main()
