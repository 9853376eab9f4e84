"""Ctrl-C as a user presses it: a key in the terminal that the command line runs in."""

import fcntl
import os
import pty
import select
import subprocess
import termios

import hosts

CTRL_C = b"\x03"


class Terminal:
    """The command line of DuckDB in a terminal of its own."""

    def __init__(self, cli: hosts.Cli, around: hosts.Surroundings, database: str, program: str | None = None):
        self.keys, theirs = pty.openpty()
        # Without a size the shell asks the terminal where its cursor is.
        termios.tcsetwinsize(theirs, (24, 160))
        self.shown = ""
        setup = [part for statement in around.setup_sql() for part in ("-cmd", statement)]
        self.process = subprocess.Popen(
            [program or str(cli.program()), *cli.command("-dark-mode", "-csv", "-noheader", *setup, database)[1:]], env={**around.environment(), "TERM": "xterm"}, cwd=around.folder,
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)

    def press(self, keys: bytes) -> None:
        os.write(self.keys, keys)

    def type(self, statement: str) -> None:
        """Types a statement, and Enter when all of it is shown: what comes at once is taken for pasted."""
        self.press(statement.encode())
        self.until(statement[-1])
        self.press(b"\r")

    def until(self, text: str) -> str:
        """Reads until that is shown, and returns what was shown up to there."""
        while text not in self.shown:
            ready, _, _ = select.select([self.keys], [], [], 30)
            assert ready, f"'{text}' was not shown: {self.shown!r}"
            self.shown += os.read(self.keys, 65536).decode(errors="replace")
        before, _, self.shown = self.shown.partition(text)
        assert all(secret not in before for secret in hosts.SECRETS), before
        return before

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.keys)


def test_ctrl_c_ends_the_wait_and_the_shell_goes_on(cli, around):
    with Terminal(cli, around, "x.duckdb") as terminal:
        # What is typed is shown, so results are made up of what was not typed.
        terminal.type("SELECT 'rea' || 'dy';")
        terminal.until("ready")
        for statement in ("SELECT count(*) FROM shop.gated;", "LOAD TABLE shop.gated;"):
            terminal.type(statement)
            around.get("/__wait?path=/shop/gated&n=2")
            terminal.until("loading shop.gated")
            terminal.press(CTRL_C)
            terminal.until("goes on loading shop.gated")
            terminal.type("SELECT 'still ' || 'here';")
            terminal.until("still here")
        around.get("/__control?open=1")
        terminal.type("SELECT 'rows: ' || count(*) FROM shop.gated;")
        terminal.until("rows: 30")
        terminal.type("SELECT 'starts: ' || count(*) FROM unify.loading_jobs WHERE action = 'load_start';")
        terminal.until("starts: 1")
        terminal.type(".exit")
        # The statements that were interrupted make the code 1; a crash makes it negative.
        assert terminal.process.wait(30) in (0, 1)


def test_ctrl_c_ends_the_program_around_the_shell_from_pypi(cli, around):
    """The page of the command line says so, and how to start the shell itself."""
    program = hosts.folder_of("cli", cli.release) / "bin" / "duckdb"
    with Terminal(cli, around, "x.duckdb", str(program)) as terminal:
        terminal.type("LOAD TABLE shop.gated;")
        around.get("/__wait?path=/shop/gated&n=2")
        terminal.until("loading shop.gated")
        terminal.press(CTRL_C)
        terminal.until("KeyboardInterrupt")
        assert terminal.process.wait(30) != 0
