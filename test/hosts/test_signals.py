"""Ctrl-C in Python: in a script, in the kernel of a notebook, beside handlers of the user."""

import time

import hosts
import packages
import pytest

# What waits while it is bound is ended by Unify. What waits while it runs may be ended by DuckDB's client first, which says less.
BOUND = ["con.execute('SELECT * FROM shop.gated')", "con.sql('SELECT * FROM shop.gated')", "con.execute('DESCRIBE shop.gated')"]
RUNNING = ["con.execute('LOAD TABLE shop.gated')", "con.execute('LOAD TABLE shop.gated IN BACKGROUND'); con.execute('WAIT FOR JOB 1')"]
QUICK = 0.3


def ended(python, around, statement: str, setup: str = "") -> tuple[float, list[str]]:
    """Runs the statement in a script of its own, presses Ctrl-C, and returns how long it took to end and what was printed."""
    around.get("/__control?reset=1")
    script = f"""
        con = connect()
        {setup}
        try:
            {statement}
        except (duckdb.Error, RuntimeError, KeyboardInterrupt) as err:
            print(type(err).__name__, str(err).replace("\\n", " "), flush=True)
        print(con.execute("SELECT state FROM unify_jobs()").fetchall(), flush=True)
    """
    process = around.start(python.command(script))
    around.get("/__wait?path=/shop/gated&n=2")
    pressed = time.monotonic()
    hosts.interrupt(process)
    first = process.stdout.readline()
    seconds = time.monotonic() - pressed
    printed = [first.strip(), *process.stdout.read().splitlines()]
    hosts.finish(process).check()
    around.get("/__control?open=1")
    return seconds, printed


def runs_that_waited(python, around, statement: str) -> list[tuple[float, list[str]]]:
    """Returns two runs whose Ctrl-C met the statement, not the script right before it: the API cannot tell when WAIT begins."""
    runs = []
    for _ in range(6):
        run = ended(python, around, statement)
        if run[1][0] != "KeyboardInterrupt" or "WAIT" not in statement:
            runs.append(run)
        if len(runs) == 2:
            break
    assert len(runs) == 2
    return runs


@pytest.mark.parametrize("statement", BOUND + RUNNING)
def test_ctrl_c_in_a_script_ends_the_waiting_and_not_the_load(python, around, statement):
    runs = runs_that_waited(python, around, statement)
    for _, (said, jobs) in runs:
        names_the_job = said.startswith("InterruptException") and "job 1 goes on loading shop.gated: SHOW JOB 1 shows" in said
        assert names_the_job or (statement in RUNNING and said == "RuntimeError Query interrupted"), said
        assert jobs == "[('running',)]"
    # Another program may hold the machine up once.
    assert min(seconds for seconds, _ in runs) < QUICK, runs


def test_a_handler_of_the_user_runs_when_the_statement_has_ended(python, around):
    setup = "import signal; signal.signal(signal.SIGINT, lambda *_: print('handled', flush=True))"
    _, (said, *more) = ended(python, around, BOUND[0], setup)
    assert sorted([said.split(" ")[0], more[0].split(" ")[0]]) == ["InterruptException", "handled"] and more[1:] == ["[('running',)]"], (said, more)


def test_ctrl_c_while_another_thread_waits_is_for_the_main_thread(python, around):
    script = """
        import os, signal
        con = connect()
        thread, results = in_thread(lambda: con.execute("SELECT count(*) FROM shop.gated").fetchall())
        get("/__wait?path=/shop/gated&n=2")
        try:
            os.kill(os.getpid(), signal.SIGINT)
            thread.join()
        except KeyboardInterrupt:
            print("KeyboardInterrupt")
        get("/__control?open=1")
        thread.join()
        print(results)
    """
    assert python.run(around, script).check().stdout == "KeyboardInterrupt\n[[(30,)]]\n"


def test_stopping_a_cell_of_a_notebook_ends_it_and_not_the_kernel(python, around):
    around.more["PYTHONPATH"] = f"{hosts.INSIDE}:{packages.site_packages(hosts.folder_of('py', python.release))}"
    script = """
        import time
        from jupyter_client.manager import start_new_kernel
        from session import get

        def reply(asked):
            answers = iter(lambda: client.get_shell_msg(timeout=60), None)
            return next(answer["content"] for answer in answers if answer["parent_header"]["msg_id"] == asked)

        manager, client = start_new_kernel(kernel_name="python3")
        try:
            assert reply(client.execute("from session import *; con = connect()"))["status"] == "ok"
            for statement in ["SELECT * FROM shop.gated", "DESCRIBE shop.gated"]:
                get("/__control?reset=1")
                cell = f"con.sql('DROP SCHEMA IF EXISTS shop CASCADE')\\ntry: con.sql('{statement}')\\nfinally: ended = time.time()"
                # After an error a kernel drops what was already asked, unless it is told not to.
                asked = client.execute(cell, stop_on_error=False)
                get("/__wait?path=/shop/gated&n=2")
                pressed = time.time()
                manager.interrupt_kernel()
                answer = reply(asked)
                # The answer comes later: it holds a traceback in colours.
                ended = reply(client.execute("", user_expressions={"ended": "ended"}))["user_expressions"]["ended"]["data"]["text/plain"]
                print(float(ended) - pressed < 1, answer["ename"], "goes on loading shop.gated" in answer["evalue"])
                get("/__control?open=1")
                assert reply(client.execute("con.execute('SELECT count(*) FROM shop.gated').fetchall()"))["status"] == "ok"
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    """
    program = str(hosts.ROOT / "build" / "hosts" / "frames" / "bin" / "python")
    outcome = around.run([program, "-c", hosts.textwrap.dedent(script)]).check()
    assert outcome.stdout == "True InterruptException True\n" * 2, outcome
