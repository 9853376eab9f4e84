"""What a cell of a notebook shows while it waits for a load."""

import hosts
import packages


def test_a_cell_that_waits_shows_one_line_that_is_renewed(python, around):
    around.more["PYTHONPATH"] = f"{hosts.INSIDE}:{packages.site_packages(hosts.folder_of('py', python.release))}"
    script = """
        from jupyter_client.manager import start_new_kernel
        from session import get

        def reply(asked):
            answers = iter(lambda: client.get_shell_msg(timeout=60), None)
            return next(answer["content"] for answer in answers if answer["parent_header"]["msg_id"] == asked)

        def until_shown(text):
            shown = ""
            while text not in shown:
                message = client.get_iopub_msg(timeout=30)
                if message["msg_type"] == "stream" and message["content"]["name"] == "stderr":
                    shown += message["content"]["text"]
            return shown

        manager, client = start_new_kernel(kernel_name="python3")
        try:
            assert reply(client.execute("from session import *; con = connect()"))["status"] == "ok"
            asked = client.execute("con.execute('SELECT count(*) FROM shop.gated').fetchall()")
            shown = until_shown("loading shop.gated: 10 rows, 1 pages, ")
            # It is renewed while the load stands still.
            shown += until_shown("loading shop.gated: 10 rows, 1 pages, ")
            get("/__control?open=1")
            print(reply(asked)["status"], shown.count("\\r") > 1, "\\n" in shown)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    """
    program = str(hosts.ROOT / "build" / "hosts" / "frames" / "bin" / "python")
    outcome = around.run([program, "-c", hosts.textwrap.dedent(script)]).check()
    assert outcome.stdout == "ok True False\n", outcome
