"""Unfinished loads that cannot be continued, because what they are loads of has changed."""

START_OVER = """
    import shutil
    specs = pathlib.Path("specs")
    shutil.copytree(TEST / "specs", specs)
    def fails(con):
        con.execute(f"SET GLOBAL unify_spec_path = '{specs.absolute()}'")
        try:
            con.execute("SELECT * FROM bad.access_once")
        except duckdb.Error as err:
            assert "401" in str(err), err
        else:
            raise AssertionError("page 7 was there")
        print(con.execute("SELECT count(*) > 0 FROM bad.access_once__loading").fetchone())
    def finish(con):
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM bad.access_once").fetchone())
        sql = "SELECT message FROM information_schema.loading_log WHERE message LIKE '%continued%' OR message LIKE 'going on%'"
        print([row[0].split(",")[0] for row in con.execute(sql).fetchall()])
"""


def test_a_changed_spec_starts_over(python, around):
    script = START_OVER + """
    con = connect("x.duckdb")
    fails(con)
    text = (specs / "bad.yaml").read_text()
    (specs / "bad.yaml").write_text(text.replace("/pages/once, ", "/pages/once, params: {all: true}, "))
    finish(con)
    """
    reason = "an unfinished load cannot be continued: the spec or the options changed; starting over"
    assert python.run(around, script).check().stdout == f"(True,)\n(120, 120)\n['{reason}']\n"


def test_an_altered_staging_table_starts_over(python, around):
    script = START_OVER + """
    con = connect("x.duckdb")
    fails(con)
    con.execute("ALTER TABLE bad.access_once__loading ADD COLUMN mine INTEGER")
    finish(con)
    """
    reason = "an unfinished load cannot be continued: 'access_once__loading' is not as it was left; starting over"
    assert python.run(around, script).check().stdout == f"(True,)\n(120, 120)\n[\"{reason}\"]\n"


def test_the_same_spec_goes_on_in_another_process(python, around):
    first = START_OVER + """
    fails(connect("x.duckdb"))
    """
    second = """
        con = connect("x.duckdb")
        con.execute(f"SET GLOBAL unify_spec_path = '{pathlib.Path('specs').absolute()}'")
        print(con.execute("SELECT count(*), count(DISTINCT id) FROM bad.access_once").fetchone())
        print(con.execute("SELECT count(*) FROM information_schema.loading_log WHERE message LIKE 'going on%'").fetchone())
    """
    assert python.run(around, first).check().stdout == "(True,)\n"
    assert python.run(around, second).check().stdout == "(120, 120)\n(1,)\n"
