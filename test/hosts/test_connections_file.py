"""The connections file and several processes that change it at once, one of which is killed."""

import os
import re
import stat

import hosts

MAKE = "CREATE PERSISTENT CONNECTION c_{0}_{1} (ADAPTER shop, host 'http://127.0.0.1:1', bearer_token env(''T''))".replace("''", "'")
OURS = "# Connections of the team.\n- old:  # keep\n    connector: shop\n\n# The end.\n"


def makers(python, around, count: int):
    """Starts processes that make persistent connections, one after the other, until each has made `count`."""
    script = """
        con = connect("{0}.duckdb")
        con.execute("SET enable_progress_bar = false")
        con.execute("RESET GLOBAL unify_connections_file")
        print("ready", flush=True)
        for n in range({1}):
            con.execute({2!r}.format({0}, n))
            print(n, flush=True)
    """
    return [around.start(python.command(script.format(idx, count, MAKE))) for idx in range(3)]


def test_no_entry_is_lost_and_all_else_stays(python, around):
    path = around.folder / ".unify" / "connections.yaml"
    path.parent.mkdir()
    path.write_text(OURS)
    for process in makers(python, around, 8):
        hosts.finish(process).check()
    text = path.read_text()
    assert text.startswith(OURS)
    expected = sorted(f"c_{idx}_{n}" for idx in range(3) for n in range(8))
    assert sorted(re.findall(r"^- (c_\d_\d):$", text, re.MULTILINE)) == expected
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert sorted(file.name for file in path.parent.iterdir()) == [".connections.yaml.lock", "connections.yaml"]
    names = python.run(around, """
        con = connect()
        con.execute("SET enable_progress_bar = false")
        con.execute("RESET GLOBAL unify_connections_file")
        print(*[name for name, in con.execute("SELECT connection FROM unify_connections() WHERE persistent").fetchall()])
    """).check().stdout.split()
    assert sorted(names) == [*expected, "old"]


def test_one_that_is_killed_harms_nobody(python, around):
    path = around.folder / ".unify" / "connections.yaml"
    killed, *others = makers(python, around, 12)
    seen = [line for line, _ in zip(killed.stdout, range(3))]
    killed.kill()
    killed.wait()
    assert seen == ["ready\n", "0\n", "1\n"]
    for process in others:
        hosts.finish(process).check()
    # Those of the killed process that it had said it made are there, and the file is whole.
    names = re.findall(r"^- (c_\d_\d+):\n    adapter: shop\n    options:\n      host: \S+\n      bearer_token: \$T$", path.read_text(), re.MULTILINE)
    assert {f"c_{idx}_{n}" for idx in (1, 2) for n in range(12)} | {"c_0_0", "c_0_1"} <= set(names)
    assert path.read_text().count("\n- ") + 1 == len(names)


def test_a_file_is_made_in_the_first_place_that_would_be_read(python, around):
    around.more["UNIFY_HOME"] = str(around.folder / "home of unify")
    outcome = python.run(around, f"""
        con = connect()
        con.execute("SET enable_progress_bar = false")
        con.execute("RESET GLOBAL unify_connections_file")
        print(con.execute({MAKE.format(0, 0)!r}).fetchone()[2])
        print(con.execute("SELECT source_file FROM unify_connections()").fetchone()[0])
    """).check()
    path = str(around.folder / "home of unify" / "connections.yaml")
    assert outcome.stdout.splitlines() == [f"created in {path}; not set in the environment: T", path]


def test_who_waits_for_a_change_can_be_interrupted(python, around):
    # Another process has the lock, one session waits for it, and the other for that session.
    outcome = python.run(around, """
        import fcntl
        path = "own.yaml"
        lock = open(".own.yaml.lock", "w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        con = connect()
        con.execute(f"SET GLOBAL unify_connections_file = '{path}'")
        make = "CREATE OR REPLACE {0} CONNECTION c (ADAPTER hackernews)"
        first, second = con.cursor(), con.cursor()
        waiting, results = in_thread(lambda: first.execute(make.format("PERSISTENT")).fetchall())
        def interrupted():
            thread, results = in_thread(lambda: second.execute(make.format("")).fetchall())
            while thread.is_alive():
                second.interrupt()
                thread.join(0.02)
            return results[0]
        # Until the first one waits, the second one need not.
        seen = until(interrupted, lambda seen: isinstance(seen, Exception), seconds=5)
        print(type(seen).__name__, waiting.is_alive())
        while waiting.is_alive():
            first.interrupt()
            waiting.join(0.02)
        print(type(results[0]).__name__)
    """).check()
    assert outcome.stdout == "InterruptException True\nInterruptException\n"
