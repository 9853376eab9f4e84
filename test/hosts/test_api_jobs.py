"""Loads whose rows come from a job of the API, in a host that is killed while it waits."""


def test_a_killed_host_goes_on_waiting_for_the_same_job(python, around):
    first = """
        import os, signal
        con = connect("x.duckdb")
        con.execute("LOAD TABLE export.waiting IN BACKGROUND")
        get("/__wait?path=/export/waiting/jobs/waiting-job-1&n=3")
        print(until(lambda: n_threads("unify-load"), lambda n: n == 0), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    second = """
        con = connect("x.duckdb")
        print(con.execute("SELECT count(*), sum(id) FROM export.waiting").fetchone())
        print(con.execute("SELECT count(*) FROM information_schema.loading_log WHERE message LIKE 'still waiting for%'").fetchone())
    """
    killed = python.run(around, first)
    # A machine that is busy makes DuckDB show its progress before.
    assert killed.code == -9 and killed.stdout.endswith("0\n"), killed
    around.get("/__control?mode=done")
    assert python.run(around, second).check().stdout.endswith("(6, 21)\n(0,)\n")
    assert around.get("/__stats?path=/export/waiting/jobs").strip() == "1"
    assert around.get("/__stats?path=cancelled:waiting").strip() == "0"
