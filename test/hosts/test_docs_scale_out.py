"""The statements of docs/scale-out.md, in their order."""

import hosts
import targets


def test_the_statements_do_what_the_page_says(around, postgres):
    targets.target_of("ducklake in postgres", around, postgres)
    *loads, attach = around.more["UNIFY_TEST_ATTACH"].splitlines()
    page = (hosts.ROOT / "docs" / "scale-out.md").read_text()
    blocks = [block.split("```")[0] for block in page.split("```sql\n")[1:]]
    statements = [statement.strip() for block in blocks for statement in block.split(";") if statement.strip()]
    # The first block shows the setting; the lake is attached in the second.
    statements = statements[1:]
    # The statements that need this machine's own paths.
    own = {"LOAD postgres_scanner": loads[0], "LOAD ducklake": loads[1]}
    found = [statement for statement in statements if statement in own or statement.startswith("ATTACH ")]
    assert len(found) == 3, statements
    statements = [own.get(statement, attach if statement.startswith("ATTACH ") else statement) for statement in statements]
    script = f"""
        con = connect()
        for statement in {statements!r}:
            result = con.execute(statement)
            rows = result.fetchall() if result.description else None
            if statement.startswith("SELECT"):
                print(rows)
    """
    outcome = targets.Lake().run(around, script).check()
    jobs = [(1, "orders", "load_start"), (2, "orders", "create"), (3, "orders", "load_end")]
    counts, records = [line for line in outcome.stdout.splitlines() if line.startswith("[")]
    assert counts == "[(250,)]"
    assert records.startswith(str([(idx, "shop", table, action, "success") for idx, table, action in jobs])[:-1]), records
