"""The picture of a terminal in the README shows what the command line prints today."""

import os
import subprocess
import sys

import hosts
from conftest import path_in

PICTURE = hosts.ROOT / "docs" / "terminal.svg"


def test_the_picture_is_of_today(cli, extension, tmp_path):
    testapi = path_in("UNIFY_TESTAPI", "target/debug/testapi", "build it with 'cargo build -p testapi'")
    drawn = PICTURE if os.environ.get("UPDATE_EXPECT") == "1" else tmp_path / "terminal.svg"
    command = [sys.executable, hosts.ROOT / "demo" / "picture.py", extension, testapi, cli.program(), drawn]
    subprocess.run([str(part) for part in command], check=True)
    assert drawn.read_text() == PICTURE.read_text(), "UPDATE_EXPECT=1 draws the picture anew"
    assert "Writing a DuckDB extension in a weekend" in drawn.read_text()
