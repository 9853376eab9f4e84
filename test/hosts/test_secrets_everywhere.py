"""No secret of any kind of credentials is anywhere afterwards but where it belongs: not in an answer, an error, a log, a table or a file."""

import base64
import json
import re
import urllib.parse

from small_api import serving
from telltale_api import Telltale

TABLES = ["rows", "echo", "packed", "broken", "denied", "away", "busy", "once", "gone"]
# Each kind: its `auth`, and the names of the options that are secret. Options that are not have values of their own.
KINDS = {
    "bearer": ("{type: BEARER}", ["bearer_token"]),
    "several": ("{type: BEARER}", ["bearer_token", "bearer_token 2", "bearer_token 3"]),
    "basic": ("{type: BASIC}", ["username", "password"]),
    "in_headers": ("{type: HEADERS, headers: {X-Key: {option: api_key}, X-Who: 'Token ${other_key}, for me'}}", ["api_key", "other_key"]),
    "in_params": ("{type: PARAMS, params: {key: {option: api_key}}}", ["api_key"]),
    "client": ("{type: OAUTH2, grant: client_credentials, token_url: '{host}/token'}", ["client_secret"]),
    "in_body": ("{type: OAUTH2, grant: client_credentials, client_auth: body, token_format: json, token_url: '{host}/token'}", ["client_secret"]),
    "refreshed": ("{type: OAUTH2, grant: refresh_token, token_url: '{host}/token'}", ["client_secret", "refresh_token"]),
    "by_password": ("{type: OAUTH2, grant: password, token_url: '{host}/token'}", ["client_secret", "username", "password"]),
    "by_device": ("{type: OAUTH2, grant: device_code, device_url: '{host}/device', token_url: '{host}/token'}", ["client_secret"]),
    "refused": ("{type: OAUTH2, grant: password, token_url: '{host}/refused_token'}", ["client_secret", "username", "password"]),
    "signed_token": ("{type: JWT, use: bearer, algorithm: HS256, claims: {iss: me, pin: '${pin}'}, params: {pin: x}}", ["private_key", "pin"]),
    "granted": ("{type: JWT, use: grant, algorithm: HS256, token_url: '{host}/token', claims: {iss: me}}", ["private_key"]),
    "asserted": ("{type: JWT, use: client_assertion, algorithm: HS256, token_url: '{host}/token'}", ["private_key"]),
    "exchanged": ("{type: JWT, use: exchange, algorithm: HS256, token_url: '{host}/exchange', claims: {iss: me}, "
                  "headers: {Authorization: 'Bearer ${token.token}'}}", ["private_key"]),
    "session": ("{type: SESSION, login: {resource_path: /login, body: {who: {name: '${username}'}, pin: '${pin}'}, capture: {t: data.token, c: {cookie: SID}}}, "
                "logout: {resource_path: /logout}, headers: {X-Token: '${token.t}', Cookie: 'SID=${token.c}'}}", ["username", "pin"]),
    "kept_session": ("{type: SESSION, login: {resource_path: /login, form: {pin: '${pin}'}, capture: {t: data.token}}, headers: {X-Token: '${token.t}'}}", ["pin"]),
    "amazon": ("{type: AWS4Auth, service: ce, region: us-east-1}", ["secret_access_key", "session_token"]),
    "oauth1": ("{type: OAUTH1, signature_method: HMAC-SHA256, realm: r}", ["consumer_secret", "token", "token_secret"]),
    "open": ("{type: NONE}", ["header X-Secret"]),
}
OPEN = {"client_id": "a-client", "access_key_id": "AKIDEXAMPLE", "consumer_key": "a-consumer"}


def spec_of(kind: str, auth: str) -> str:
    lines = [f"name: {kind}", "base_url: '{host}'", "options: {host: {required: true}}", f"auth: {auth}", "retry: {attempts: 3, base: 0.01, max: 0.01}",
             "tables:"]
    lines += [f"  - {{name: {table}, resource_path: /{kind}/{table}}}" for table in TABLES]
    lines += [
        f"  - {{name: linked, resource_path: /{kind}/linked, result_body_path: rows, paging: {{strategy: nextLink, pager_link_path: next}}}}",
        f"  - {{name: asked, resource_path: '/{kind}/rows/{{part}}', params: {{part: [a, b]}}, copy_params_to_output: [part]}}",
        f"  - {{name: written, resource_path: /{kind}/written, write: {{path: /{kind}/written}}}}",
        f"  - name: exported\n    job:\n      create: {{resource_path: /{kind}/jobs, capture: {{id: id}}}}\n"
        f"      wait: {{resource_path: '/{kind}/jobs/{{job.id}}', every: 0.01, timeout: 0, done_when: {{state: done}}}}\n"
        f"      fetch: {{resource_path: '/{kind}/jobs/{{job.id}}/echo'}}",
    ]
    return "\n".join(lines) + "\n"


def statements_for(kind: str) -> list[str]:
    found = [f"AUTHORIZE CONNECTION {kind}"] if kind == "by_device" else []
    found += [f"SELECT * FROM {kind}.rows", f"SELECT * FROM {kind}.echo", f"RELOAD TABLE {kind}.once", f"RELOAD TABLE {kind}.once"]
    # What each does with what it is sent differs by kind; what becomes of an answer does not.
    others = [f"SELECT * FROM {kind}.{table}" for table in [*TABLES[2:], "linked", "asked", "exported"]]
    others += [f"REFRESH TABLE {kind}.rows", f"PEEK {kind}.echo", f"PEEK {kind}.rows", f"EXPLAIN REFRESH {kind}.rows", f"EXPLAIN REFRESH {kind}.echo",
               f"EXPLAIN ANALYZE SELECT * FROM {kind}.rows", f"FROM unify_fetch('{kind}.echo')", f"FROM unify_http('{kind}', '/{kind}/echo')",
               f"FROM unify_http('{kind}', '/{kind}/rows')", f"FROM unify_http('{kind}', '/{kind}/denied')",
               f"COPY (SELECT 1 AS id) TO '{kind}.written' (FORMAT unify)", f"TEST CONNECTION {kind}", f"SHOW TABLES IN {kind}", f"SHOW COLUMNS FROM {kind}.rows",
               f"FROM unify_spec('{kind}')", f"FROM unify_dry_run('{kind}.written', 'SELECT 1 AS id')", f"SELECT * FROM {kind}.no_such_table"]
    number = [*KINDS].index(kind)
    return found + others[number % 3::3]


# Python reads a moment with a time zone by a module that need not be there.
LOGS = "SELECT * REPLACE (CAST(timestamp AS VARCHAR) AS timestamp) FROM duckdb_logs"
LAST = ["SHOW ALL CONNECTIONS", "SHOW ALL ADAPTERS", "SHOW JOBS", "FROM unify_connections()", "FROM unify_adapters()", "FROM unify_tables()", "FROM unify_jobs()",
        "FROM unify_columns()", "FROM unify_status()", "FROM duckdb_settings()", "FROM duckdb_secrets()", "FROM duckdb_tables()", "FROM duckdb_columns()",
        "FROM duckdb_functions()", LOGS, "FROM information_schema.loading_jobs", "FROM information_schema.loading_log",
        "FROM unify_loading_log()", "FROM unify_loading_jobs()"]
SCRIPT = """
    import json
    con = connect("x.duckdb")
    con.execute("SET GLOBAL unify_spec_path = 'specs'")
    con.execute("SET unify_record = 'recorded'")
    con.execute("SET unify_log_level = 'DEBUG'")
    con.execute("CALL enable_logging(level = 'trace')")
    def run(sql):
        try:
            answer = con.execute(sql).fetchall()
        except duckdb.Error as err:
            answer = str(err)
        print(json.dumps([sql, answer], default=str, ensure_ascii=False))
        return answer
    for sql in json.load(open("statements.json")):
        run(sql)
    for schema, name in con.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall():
        run(f'FROM "{schema}"."{name}"')
    con.execute("CHECKPOINT")
    con.execute("CREATE TABLE last_one AS SELECT 1")
"""


# What "mark", with which the secrets of the API begin, looks like: as it is, in hex, and in base64 wherever it begins there; in lower case.
HINTS = re.compile(rb"mark|6d61726b|bwfya|1hcm|tyxjr")


def forms_of(secret: str) -> dict[str, bytes]:
    """Returns what a secret may look like: as it is, half of it, escaped, in base64 wherever it begins there, in hex; in lower case."""
    raw = secret.encode()
    forms = {"itself": raw, "its beginning": raw[:len(raw) // 2], "escaped": urllib.parse.quote(secret).encode(), "hex": raw.hex().encode()}
    for shift in range(3):
        whole = base64.b64encode(b"x" * shift + raw)
        forms[f"base64 from {shift}"] = whole[(4 if shift else 0):-4]
    return {name: form.lower() for name, form in forms.items()}


def traces_of(secrets: dict[str, str], content: bytes) -> list[str]:
    lower = content.lower()
    has_mark = HINTS.search(lower) is not None
    found = []
    for secret, kind in secrets.items():
        if not has_mark and secret.startswith("mark"):
            continue
        for form, text in forms_of(secret).items():
            at = lower.find(text)
            if at >= 0:
                found.append(f"{kind}, {form}: ...{content[max(0, at - 150):at + 60]!r}")
    return found


def test_no_secret_is_anywhere_but_where_it_belongs(python, around):
    api = Telltale()
    with serving(api.answer) as address:
        (around.folder / "specs").mkdir()
        entries, mine = [], {}
        for kind, (auth, options) in KINDS.items():
            (around.folder / "specs" / f"{kind}.yaml").write_text(spec_of(kind, auth))
            values = {}
            for option in options:
                # From the environment, from files and by programs: the connections file has none of them.
                value, variable = api.new(f"{kind}.{option}".replace(" ", "")), f"SECRET_{len(mine)}"
                mine[variable] = value
                around.more[variable] = value
                if len(mine) % 3 == 0:
                    path = around.folder.parent / f"{around.folder.name}.{variable}"
                    path.write_text(value + "\n")
                    values[option] = f"file('{path}')"
                elif len(mine) % 3 == 1:
                    values[option] = f"command('printenv {variable}')"
                else:
                    values[option] = f"${variable}"
            values |= {option: value for option, value in OPEN.items() if auth.startswith(("{type: OAUTH2", "{type: JWT, use: client")) and option == "client_id"
                       or "AWS4" in auth and option == "access_key_id" or "OAUTH1" in auth and option == "consumer_key"}
            entries.append({kind: {"adapter": kind, "options": {"host": address, **values}}})
        around.connections = around.folder / "connections.yaml"
        around.connections.write_text(json.dumps(entries))
        statements = [sql for kind in KINDS for sql in statements_for(kind)] + LAST
        (around.folder / "statements.json").write_text(json.dumps(statements))
        outcome = python.run(around, SCRIPT, timeout=600).check()
    answers = dict(json.loads(line) for line in outcome.stdout.splitlines() if line.startswith('["'))
    # The kinds were used: their rows came, but for the one that gets no token, and what is wrong was told.
    unread = [kind for kind in KINDS if kind != "refused" and not isinstance(answers[f"SELECT * FROM {kind}.rows"], list)]
    assert not unread, [answers[f"SELECT * FROM {kind}.rows"] for kind in unread]
    assert all("400" in answers[f"SELECT * FROM {kind}.echo"] for kind in KINDS if kind != "refused"), answers["SELECT * FROM bearer.echo"]
    assert isinstance(answers[LOGS], list) and len(answers["FROM information_schema.loading_log"]) > 500
    secrets = {secret: kind for secret, kind in api.found.items() if kind != "seen in Authorization" or len(secret) < 4000}
    assert len(secrets) > 60 and any(kind == "access" for kind in secrets.values()) and {"seen in Authorization", "seen in assertion"} <= set(secrets.values())
    traces = [f"{line[:80]}: {trace}" for line in outcome.stdout.splitlines() for trace in traces_of(secrets, line.encode())]
    traces += [f"stderr: {trace}" for trace in traces_of(secrets, outcome.stderr.encode())]
    files = [path for path in around.folder.rglob("*") if path.is_file()]
    assert any("recorded" in path.parts for path in files) and any(path.suffix == ".duckdb" for path in files), files
    for path in files:
        if "connections.yaml.tokens" not in path.parts:
            traces += [f"{path.relative_to(around.folder)}: {trace}" for trace in traces_of(secrets, path.read_bytes())]
    assert not traces, f"{len(traces)} traces\n" + "\n".join(traces[:20])


def test_the_search_finds_every_form_of_a_secret():
    secret = Telltale().new("kind")
    for text in [secret, secret.upper(), secret[:20], urllib.parse.quote(secret), secret.encode().hex(),
                 *[base64.b64encode((before + secret + " and more").encode()).decode() for before in ("", "x", "xy", "user:")]]:
        assert traces_of({secret: "kind"}, f"some {text} words".encode()), text
    assert not traces_of({secret: "kind"}, b"mark my words")
