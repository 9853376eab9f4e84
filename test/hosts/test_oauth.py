"""Tokens that an authorization server gives: each grant, tokens that end or are taken no more, servers that misbehave, several processes at once."""

import json
import os
import random
import urllib.error

import hosts

CLIENT = "client_id 'client', client_secret 'secret-token'"
FIRST_REFRESH = "issued-token-{realm}-0"


def create(name: str, realm: str = "plain", options: str = CLIENT) -> str:
    return f"CREATE CONNECTION {name} (ADAPTER oauth, host env('UNIFY_TEST_API'), realm '{realm}', {options})"


def refreshing(realm: str) -> str:
    return f"{CLIENT}, refresh_token '{FIRST_REFRESH.format(realm=realm)}'"


def report(around, realm: str) -> dict:
    return json.loads(around.get(f"/__oauth?realm={realm}"))


def outcomes(python, around, *statements: str) -> list:
    """Returns the rows of each statement, or its error on one line."""
    script = f"""
        import json
        con = connect()
        for sql in {list(statements)!r}:
            try:
                print(json.dumps(con.execute(sql).fetchall(), default=str))
            except duckdb.Error as err:
                print(json.dumps(str(err).replace(chr(10), " ")))
    """
    outcome = python.run(around, script).check()
    return [json.loads(line) for line in outcome.stdout.splitlines()]


def own_connections(around) -> None:
    """Gives the test a connections file of its own, and with it a folder for tokens."""
    around.connections = around.folder / "connections.yaml"
    around.connections.write_text("[]\n")


def token_files(around) -> list:
    return sorted((around.folder / "connections.yaml.tokens").glob("*.json"))


def test_every_grant_loads_a_table(python, around):
    own_connections(around)
    answers = outcomes(
        python, around,
        create("cc"), "SELECT count(*) FROM cc.items",
        create("pw", "plain", f"{CLIENT}, username 'me', password 'secret-token'"), "SELECT count(*) FROM pw.items",
        create("re", "rotating", refreshing("rotating")), "SELECT count(*) FROM re.items",
    )
    assert answers[1::2] == [[[3]], [[3]], [[3]]], answers
    assert report(around, "plain")["grants"] == ["client_credentials", "password"]
    assert report(around, "rotating")["grants"] == ["refresh_token"]


def test_scopes_and_params_are_sent(python, around):
    own_connections(around)
    outcomes(python, around, create("cc"), "SELECT count(*) FROM cc.items")
    assert report(around, "plain")["params"] == {
        "grant_type": "client_credentials", "scope": "read write:plain", "audience": "https://plain.example.com/api",
    }


def test_values_of_the_answer_stand_in_requests(python, around):
    own_connections(around)
    answers = outcomes(
        python, around,
        f"CREATE CONNECTION v (ADAPTER oauth_values, host env('UNIFY_TEST_API'), {CLIENT})",
        "SELECT count(*), min(team), min(\"from\") FROM v.items",
        "FROM unify_http('v', '/items')",
        "SELECT ok FROM unify_test_connection('v')",
    )
    assert answers[1] == [[3, 7, "at bearer"]] or answers[1] == [[3, "7", "at bearer"]], answers
    assert answers[2][0][0] == 200, answers
    assert [row[0] for row in answers[3]][:4] == [True, True, True, True], answers
    assert report(around, "json")["grants"] == ["client_credentials"]


def test_one_token_serves_all_loads_of_all_processes(python, around):
    own_connections(around)
    for _ in range(2):
        answers = outcomes(python, around, create("cc"), "SELECT count(*) FROM cc.each", "SELECT count(*) FROM cc.items", create("other"),
                           "SELECT count(*) FROM other.items")
        assert answers[1::3] == [[[24]], [[3]]] or answers[1] == [[24]], answers
    assert report(around, "plain")["grants"] == ["client_credentials"]
    [path] = token_files(around)
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700


def test_a_token_that_ended_is_renewed(python, around):
    own_connections(around)
    answers = outcomes(python, around, create("cc", "short"), "SELECT count(*) FROM cc.each")
    assert answers[1] == [[24]], answers
    assert report(around, "short")["issued"] > 1


def test_a_token_that_is_taken_no_more_is_renewed_once(python, around):
    own_connections(around)
    answers = outcomes(python, around, create("cc", "forgetful"), "SELECT count(*) FROM cc.each", create("no", "never"), "SELECT count(*) FROM no.items")
    assert answers[1] == [[24]], answers
    assert report(around, "forgetful")["issued"] == 2
    assert "returned 401 (Unauthorized): the token *** is not known here; the API does not take the token that it was just given" in answers[3]
    assert report(around, "never")["issued"] == 2


def test_a_rotated_refresh_token_is_the_next_one(python, around):
    own_connections(around)
    for number in range(3):
        answers = outcomes(python, around, create("re", "strict", refreshing("strict")), "SELECT count(*) FROM re.items")
        assert answers[1] == [[3]], answers
        for path in token_files(around):
            kept = json.loads(path.read_text())
            assert kept["values"]["refresh_token"] == f"issued-token-strict-{number + 1}", kept
            path.write_text(json.dumps({**kept, "expires": 1}))
    assert report(around, "strict") == {**report(around, "strict"), "grants": ["refresh_token"] * 3, "spent": 0}


def test_two_processes_renew_once(python, around):
    own_connections(around)
    script = f"""
        con = connect()
        con.execute({create("re", "gated", refreshing("gated"))!r})
        print(con.execute("SELECT count(*) FROM re.items").fetchall())
    """
    processes = [around.start(python.command(script)) for _ in range(2)]
    around.get("/__wait?path=/oauth/gated/token&n=1")
    around.get("/__control?open=1")
    for process in processes:
        assert hosts.finish(process).check().stdout == "[(3,)]\n"
    assert report(around, "gated") == {**report(around, "gated"), "grants": ["refresh_token"], "spent": 0}


def test_what_is_wrong_is_told_with_what_to_do(python, around):
    own_connections(around)
    cases = {
        ("plain", "client_id 'client', client_secret 'secret-token-2'"): "returned 401: the client is not known: invalid_client; check the options 'client_id' and 'client_secret'",
        ("plain", f"{CLIENT}, refresh_token 'issued-token-old'"): "returned 400: the refresh token is not taken: ***: invalid_grant; the refresh token was used, was revoked or has run out: get a new one and set option 'refresh_token' to it",
        ("plain", f"{CLIENT}, username 'me', password 'secret-token-3'"): "invalid_grant; check the options 'client_id' and 'client_secret' and 'username' and 'password'",
        ("html", CLIENT): "/oauth/html/token: returned 200: Log in here; expected a JSON object with 'access_token': is 'token_url' right?",
        ("empty", CLIENT): "/oauth/empty/token: returned 200 with scope, token_type; expected a JSON object with 'access_token'",
        ("broken", CLIENT): "/oauth/broken/token: returned 500: out of order",
        ("redirect", CLIENT): "/oauth/plain/token'; credentials are sent to 'token_url' alone: correct it in the spec",
        ("away", CLIENT): "/stolen'; credentials are sent to 'token_url' alone: correct it in the spec",
        ("plain", "client_id 'client'"): "needs option 'refresh_token'",
        ("plain", "client_id 'client', client_secret ''"): "is empty",
    }
    statements = []
    for number, (realm, options) in enumerate(cases):
        statements += [create(f"c{number}", realm, options), f"SELECT count(*) FROM c{number}.items"]
    answers = outcomes(python, around, *statements)
    for number, expected in enumerate(cases.values()):
        said = " ".join(str(answer) for answer in answers[2 * number:2 * number + 2])
        assert expected in said or (expected.startswith("needs") and "option 'client_secret'" in said), (expected, said)
    assert around.get("/__stats?path=elsewhere:/stolen&what=credentials") == "0"
    assert around.get("/__stats?path=elsewhere:/stolen") == "0"
    assert around.get("/__stats?path=/oauth/broken/token") == "2"


def test_a_session_begins_by_a_login_and_once_more_at_401(python, around):
    own_connections(around)
    answers = outcomes(
        python, around,
        "CREATE CONNECTION s (ADAPTER session, host env('UNIFY_TEST_API'), username 'me', password 'secret-token')", "SELECT count(*) FROM s.each",
        "CREATE CONNECTION w (ADAPTER session, host env('UNIFY_TEST_API'), username 'me', password 'secret-token-2')", "SELECT count(*) FROM w.items",
    )
    assert answers[1] == [[24]], answers
    assert "/oauth/forgetful/login returned 403: wrong name or password; check the options 'username' and 'password'" in answers[3], answers
    assert report(around, "forgetful")["issued"] == 2


def test_a_busy_server_is_asked_again(python, around):
    own_connections(around)
    assert outcomes(python, around, create("cc", "busy"), "SELECT count(*) FROM cc.items")[1] == [[3]]


def test_a_token_endpoint_is_https(python, around):
    own_connections(around)
    [_, told] = outcomes(python, around, f"CREATE CONNECTION far (ADAPTER oauth, host 'http://api.example.com', {CLIENT})", "SELECT * FROM far.items")
    assert "'token_url' leads to 'http://api.example.com'; credentials are sent there by https only" in told


def test_nothing_that_was_issued_is_kept_in_the_database(python, around):
    own_connections(around)
    script = f"""
        con = connect("x.duckdb")
        con.execute("SET unify_log_level = 'DEBUG'")
        con.execute({create("re", "rotating", refreshing("rotating"))!r})
        con.execute({create("no", "never")!r})
        con.execute("CALL enable_logging(level = 'trace')")
        for sql in ("SELECT count(*) FROM re.items", "SELECT * FROM no.items", "FROM information_schema.loading_log", "FROM duckdb_logs",
                    "FROM unify_connections()", "FROM unify_http('no', '/items')", "TEST CONNECTION no"):
            try:
                print(con.execute(sql).fetchall())
            except duckdb.Error as err:
                print(err)
        con.execute("CHECKPOINT")
    """
    python.run(around, script).check()
    kept = {path for path in around.folder.rglob("*") if path.is_file() and any(secret.encode() in path.read_bytes() for secret in hosts.SECRETS)}
    assert kept and all(path.parent.name == "connections.yaml.tokens" for path in kept), kept


def test_tokens_work_in_the_cli_and_in_node(cli, node, around):
    own_connections(around)
    outcome = cli.run(around, [f"{create('re', 'rotating', refreshing('rotating'))};", "SELECT count(*) FROM re.items;"]).check()
    assert outcome.stdout.splitlines()[-1] == "3", outcome
    answers = node.run(around, [create("re", "rotating", refreshing("rotating")), "SELECT count(*) FROM re.items"])
    assert "error" not in answers[1], answers
    assert report(around, "rotating")["grants"] == ["refresh_token"]


# How often a process is killed while it renews its tokens. `make kill-tokens` takes more, on each release.
N_KILLS = int(os.environ.get("UNIFY_TOKEN_KILLS", "10"))


def wait_for_tokens(around, process, n_requests: int) -> None:
    """Waits until so many tokens were asked for, however slow the machine is, as long as the process lives."""
    while True:
        try:
            around.get(f"/__wait?path=/oauth/tumbling/token&n={n_requests}")
            return
        except urllib.error.HTTPError as err:
            assert process.poll() is None, f"{err.read()}; {report(around, 'tumbling')}; {process.communicate()}"


def test_a_rotated_refresh_token_survives_kills(python, around):
    """Every request renews the token, and the server takes an old refresh token only until the new tokens are used."""
    own_connections(around)
    create_sql = create("re", "tumbling", refreshing("tumbling"))
    script = f"""
        con = connect()
        con.execute({create_sql!r})
        while True:
            print(con.execute("SELECT status FROM unify_http('re', '/items')").fetchall(), flush=True)
    """
    chance = random.Random(7)
    for _ in range(N_KILLS):
        before = report(around, "tumbling")["issued"]
        process = around.start(python.command(script))
        wait_for_tokens(around, process, before + chance.randint(1, 6))
        # Anywhere between the request for a token and the one after it.
        for _ in range(chance.randint(0, 2)):
            process.stdout.readline()
        process.kill()
        process.communicate()
    answers = outcomes(python, around, create_sql, "SELECT count(*) FROM re.items")
    assert answers[1] == [[3]], answers
    asked = report(around, "tumbling")
    assert asked["spent"] == 0 and asked["issued"] > N_KILLS and set(asked["grants"]) == {"refresh_token"}, asked
    print(f"DuckDB {python.release}: {N_KILLS} kills, {asked['issued']} tokens issued, {asked['spent']} spent ones sent")
