"""Several credentials of one connection that a server gives tokens or sessions for: used by what each has left, renewed, set aside, tried."""

import json

import pytest
from small_api import serving
from verifying_api import Verifying

SECRETS = ["secret-token-a", "secret-token-b"]
# Each way to authenticate, the option that tells its credentials apart, and the others.
KINDS = {
    "client": ("{type: OAUTH2, grant: client_credentials, token_url: '{host}/token'}", "client_secret", "client_id 'me'"),
    "assertion": ("{type: JWT, use: client_assertion, algorithm: HS256, token_url: '{host}/token'}", "private_key", "client_id 'me'"),
    "granted": ("{type: JWT, use: grant, algorithm: HS256, token_url: '{host}/token', claims: {iss: me}}", "private_key", ""),
    "signed": ("{type: JWT, use: bearer, algorithm: HS256, claims: {iss: me}}", "private_key", ""),
    "session": ("{type: SESSION, login: {resource_path: /login, body: {pin: '${pin}'}, capture: {t: access_token}}, logout: {resource_path: /logout}, "
                "headers: {Authorization: 'Bearer ${token.t}'}}", "pin", ""),
}
PAGES = 14


def spec_of(kind: str) -> str:
    pages = ", ".join(str(number) for number in range(1, PAGES + 1))
    path = "/signed" if kind == "signed" else "/items"
    return f"""name: {kind}
base_url: '{{host}}'
options: {{host: {{required: true}}}}
auth: {KINDS[kind][0]}
retry: {{attempts: 2, base: 0.01, max: 0.01, park: 0.5}}
throttle: {{concurrency: 2}}
tables:
  - {{name: items, resource_path: {path}, params: {{page: [{pages}]}}}}
  - {{name: first, resource_path: {path}}}
"""


def create(kind: str, address: str, secrets: list[str]) -> str:
    _, option, others = KINDS[kind]
    values = ", ".join(f"'{secret}'" for secret in secrets)
    return f"CREATE OR REPLACE CONNECTION {kind} (ADAPTER {kind}, host '{address}', {option} [{values}]{', ' if others else ''}{others})"


def answers_to(python, around, kind: str, statements: list[str]) -> list:
    """Returns the rows of each statement, or its error on one line."""
    folder = around.folder / "specs"
    folder.mkdir(exist_ok=True)
    (folder / f"{kind}.yaml").write_text(spec_of(kind))
    around.connections = around.folder / "connections.yaml"
    around.connections.write_text("[]\n")
    script = f"""
        import json
        con = connect("x.duckdb")
        con.execute("SET GLOBAL unify_spec_path = '{folder}'")
        for sql in {statements!r}:
            try:
                print(json.dumps(con.execute(sql).fetchall(), default=str))
            except duckdb.Error as err:
                print(json.dumps(str(err).replace(chr(10), " ")))
    """
    return [json.loads(line) for line in python.run(around, script).check().stdout.splitlines()]


@pytest.mark.parametrize("kind", KINDS)
def test_together_they_load_what_none_could_alone(python, around, kind):
    api = Verifying({SECRETS[0]: 5, SECRETS[1]: PAGES - 5})
    with serving(api.answer) as address:
        _, counts, said = answers_to(python, around, kind, [
            create(kind, address, SECRETS), f"SELECT count(*), count(DISTINCT id) FROM {kind}.items",
            f"SELECT reason FROM unify_explain('{kind}.items') WHERE action = 'budget'",
        ])
    assert counts == [[PAGES, PAGES]], counts
    assert api.used == api.budgets, "no request went with one that was spent"
    assert "credential 1 has 0 left, credential 2 has 0 left" in said[0][0], said
    if kind != "signed":
        assert api.n_given == dict.fromkeys(SECRETS, 1)
    assert api.n_ended == (2 if kind == "session" else 0)


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_is_not_known_is_set_aside_and_named_by_number(python, around, kind):
    api = Verifying({SECRETS[1]: 100})
    with serving(api.answer) as address:
        _, counts, log, tried, none_tried, none = answers_to(python, around, kind, [
            create(kind, address, ["secret-token-wrong", *SECRETS[1:], "secret-token-other"]), f"SELECT count(*) FROM {kind}.items",
            "SELECT message FROM information_schema.loading_log WHERE level = 'WARNING' AND message LIKE '%is set aside%'",
            f"SELECT \"check\", ok, message FROM unify_test_connection('{kind}') WHERE \"check\" LIKE 'cred%' OR \"check\" = 'access'",
            f"SELECT \"check\", ok FROM unify_test_connection('{kind}') WHERE NOT ok",
            f"{create(kind, address, ['secret-token-wrong', 'secret-token-other'])}; SELECT * FROM {kind}.first",
        ])
    assert counts == [[PAGES]], counts
    assert any("credential 1 is set aside" in line for [line] in log), log
    assert [(name, ok) for name, ok, _ in tried[:3]] == [("credential 1", False), ("credential 2", True), ("credential 3", False)], tried
    assert "returned 401" in tried[0][2] and "rows of its first page: 1" in tried[1][2], tried
    access = [message for name, _, message in tried if name == "access"]
    assert len(access) == 1 and access[0].startswith(("credential 2: access", "credential 1: access")), tried
    assert none_tried == [["credential 1", False], ["credential 3", False]], none_tried
    assert "returned 401" in none and "***" in none or "nobody has" in none, none


def test_a_token_that_is_taken_no_more_is_renewed_and_not_set_aside(python, around):
    api = Verifying(dict.fromkeys(SECRETS, 100))
    # The fourth request finds that all tokens are forgotten.
    n_asked = iter(range(1000))

    def answer(asked):
        if asked.path.endswith("/items") and next(n_asked) == 3:
            api.revoke_tokens()
        return api.answer(asked)

    with serving(answer) as address:
        _, counts, log = answers_to(python, around, "client", [
            create("client", address, SECRETS), "SELECT count(*) FROM client.items",
            "SELECT count(*) FROM information_schema.loading_log WHERE message LIKE '%is set aside%'",
        ])
    assert (counts, log) == ([[PAGES]], [[0]])
    assert sum(api.n_given.values()) > 2 and min(api.n_given.values()) >= 1, api.n_given


def test_one_that_gets_no_token_any_more_is_set_aside_while_a_load_goes_on(python, around):
    api = Verifying(dict.fromkeys(SECRETS, 100))
    n_asked = iter(range(1000))

    def answer(asked):
        if asked.path.endswith("/items") and next(n_asked) == 4:
            api.revoked.add(SECRETS[0])
            api.revoke_tokens()
        return api.answer(asked)

    with serving(answer) as address:
        _, counts, log = answers_to(python, around, "client", [
            create("client", address, SECRETS), "SELECT count(*) FROM client.items",
            "SELECT min(message) FROM information_schema.loading_log WHERE message LIKE '%is set aside%'",
        ])
    assert counts == [[PAGES]], counts
    assert "the client is not known" in log[0][0] or "nobody has ***: invalid_client" in log[0][0], log
    assert "check the options 'client_id' and 'client_secret'; credential 1 is set aside" in log[0][0], log
