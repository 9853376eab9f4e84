"""Loads whose API asks for a wait of an hour."""


def test_a_parked_job_holds_no_thread_and_can_be_cancelled(python, around):
    script = """
        con = connect("x.duckdb")
        job = con.execute("SELECT job_id FROM unify_load('limits.one_hour', background := true)").fetchone()[0]
        show = lambda: con.execute("SELECT state, waiting_for FROM unify_jobs(?)", [job]).fetchone()
        state, waiting_for = until(show, lambda row: row[0] == "waiting")
        print(state, " until " in waiting_for, until(lambda: n_threads("unify-load"), lambda n: n == 0))
        con.execute("SET unify_load_timeout = 0.1")
        try:
            con.execute("SELECT * FROM limits.one_hour")
        except duckdb.Error as err:
            print(f"job {job} goes on" in str(err))
        con.execute(f"CANCEL JOB {job}")
        print(show()[0])
        con.execute("LOAD TABLE limits.one_hour IN BACKGROUND")
        con.close()
        print(until(lambda: n_threads("unify"), lambda n: n == 0))
    """
    assert python.run(around, script).check().stdout == "waiting True 0\nTrue\ncancelled\n0\n"


def test_a_job_that_waits_for_a_parked_one_ends_with_it(python, around):
    script = """
        con = connect("x.duckdb")
        con.execute("LOAD TABLE limits.child_of_one_hour IN BACKGROUND")
        states = lambda: con.execute("SELECT job, state FROM unify_jobs() ORDER BY ALL").fetchall()
        waiting = [(1, "waiting"), (2, "waiting")]
        until(lambda: n_threads("unify-load"), lambda n: n == 0)
        print(until(states, lambda rows: rows == waiting) == waiting)
        con.execute("CANCEL JOB 2")
        print(until(states, lambda rows: rows[0][1] == "error"))
        print(con.execute("SELECT error FROM unify_jobs(1)").fetchone()[0])
    """
    states = "[(1, 'error'), (2, 'cancelled')]"
    outcome = python.run(around, script).check()
    assert outcome.stdout.startswith(f"True\n{states}\n") and "job 2 was cancelled" in outcome.stdout, outcome


def test_what_an_api_asks_for_holds_when_its_spec_is_read_again(python, around):
    script = """
        import pathlib
        specs = pathlib.Path("specs").absolute()
        specs.mkdir()
        text = (TEST / "specs" / "limits.yaml").read_text()
        (specs / "limits.yaml").write_text(text)
        con = connect("x.duckdb")
        con.execute(f"SET GLOBAL unify_spec_path = '{specs}'")
        con.execute("LOAD TABLE limits.one_hour IN BACKGROUND")
        states = lambda: con.execute("SELECT state FROM unify_jobs() ORDER BY job").fetchall()
        print(until(states, lambda rows: rows == [("waiting",)]))
        (specs / "limits.yaml").write_text("# Written again.\\n" + text)
        con.execute("SET GLOBAL unify_loader_threads = 3")
        con.execute("LOAD TABLE limits.quota IN BACKGROUND")
        print(until(states, lambda rows: rows[1] != ("running",)), n_requests("/bad/quota"))
    """
    assert python.run(around, script).check().stdout == "[('waiting',)]\n[('waiting',), ('waiting',)] 0\n"
