"""What only the command line shows: Ctrl-C, the progress line, errors of a script."""

import os
import pty
import select

import hosts


def test_ctrl_c_stops_the_wait_and_not_the_load(cli, around):
    # Without -interactive the CLI ends at a Ctrl-C, as it does for any statement.
    process = around.start(cli.command("-interactive", "-csv", "-noheader", "x.duckdb"))
    script = [*around.setup_sql(), "SELECT count(*) FROM shop.gated;", ""]
    process.stdin.write("\n".join(script))
    process.stdin.flush()
    around.get("/__wait?path=/shop/gated&n=2")
    hosts.interrupt(process)
    process.stdin.write("SELECT 'still here';\n")
    process.stdin.flush()
    said = ""
    while "still here" not in said:
        line = process.stdout.readline()
        assert line, (said, hosts.finish(process))
        said += line
    around.get("/__control?open=1")
    outcome = hosts.finish(process, "SELECT count(*) FROM shop.gated;\nSELECT count(*) FROM unify.loading_jobs WHERE action = 'load_start';\n")
    # The CLI shows no message for what the user interrupts.
    assert outcome.stdout.split() == ["30", "1"], outcome


def test_ctrl_c_in_a_script_ends_it(cli, around):
    process = around.start(cli.command("-batch", "-csv", "-noheader", "x.duckdb"))
    process.stdin.write("\n".join([*around.setup_sql(), "SELECT count(*) FROM shop.gated;", ""]))
    process.stdin.flush()
    around.get("/__wait?path=/shop/gated&n=2")
    hosts.interrupt(process)
    outcome = hosts.finish(process, timeout=20)
    assert outcome.code == 1 and outcome.stdout == "", outcome


def test_a_terminal_shows_one_progress_line(cli, around):
    controller, terminal = pty.openpty()
    command = [*cli.command("-csv", "-noheader", "x.duckdb"), "-c", "".join(around.setup_sql()) + "SELECT count(*) FROM shop.gated"]
    process = hosts.subprocess.Popen(
        command, env={**around.environment(), "TERM": "xterm"}, cwd=around.folder, stdin=terminal, stdout=hosts.subprocess.PIPE, stderr=terminal, text=True
    )
    os.close(terminal)
    around.get("/__wait?path=/shop/gated&n=2")
    shown = ""
    while "gated" not in shown:
        ready, _, _ = select.select([controller], [], [], 20)
        assert ready, f"no progress line within 20 s, only {shown!r}"
        shown += os.read(controller, 4096).decode(errors="replace")
    around.get("/__control?open=1")
    stdout, _ = process.communicate(timeout=60)
    assert stdout.strip() == "30" and process.returncode == 0, (stdout, shown)
    assert "shop" in shown and "\n" not in shown.replace("\r\n", "\r").strip("\r\n"), shown
    assert all(secret not in shown for secret in hosts.SECRETS)
    os.close(controller)


def test_without_a_terminal_there_is_no_progress_line(cli, around):
    outcome = cli.run(around, ["SELECT count(*) FROM shop.orders;"], "x.duckdb").check()
    assert (outcome.stdout, outcome.stderr) == ("250\n", "")


def test_an_error_stops_nothing_else(cli, around):
    outcome = cli.run(around, ["SELECT * FROM bad.status_404;", "SELECT count(*) FROM shop.stores;"], "x.duckdb")
    assert outcome.stdout.split() == ["3"] and "404" in outcome.stderr and "connection 'bad'" in outcome.stderr, outcome
