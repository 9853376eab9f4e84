"""Credentials of every kind that are wrong, missing, run out, revoked or malformed: the error names the option, says what the server said without
secrets, and what to do."""

import json
from dataclasses import dataclass

from small_api import Answer, Asked, serving

# The ways to authenticate. What is sent for tokens goes to /token, /device or /login.
TOKEN_URL = "token_url: '{host}/token'"
KINDS = {
    "bearer": "{type: BEARER}",
    "basic": "{type: BASIC}",
    "headers": "{type: HEADERS, headers: {X-Key: {option: api_key}}}",
    "params": "{type: PARAMS, params: {key: {option: api_key}}}",
    "client": f"{{type: OAUTH2, grant: client_credentials, {TOKEN_URL}, scopes: [read]}}",
    "refresh": f"{{type: OAUTH2, grant: refresh_token, {TOKEN_URL}}}",
    "password": f"{{type: OAUTH2, grant: password, {TOKEN_URL}}}",
    "consent": f"{{type: OAUTH2, grant: authorization_code, authorize_url: '{{host}}/consent', {TOKEN_URL}}}",
    "device": f"{{type: OAUTH2, grant: device_code, device_url: '{{host}}/device', {TOKEN_URL}}}",
    "signed": "{type: JWT, use: bearer, algorithm: RS256, claims: {iss: me}}",
    "shared": "{type: JWT, use: bearer, algorithm: HS256, claims: {iss: me}}",
    "granted": f"{{type: JWT, use: grant, algorithm: HS256, {TOKEN_URL}, claims: {{iss: me}}}}",
    "asserted": f"{{type: JWT, use: client_assertion, algorithm: HS256, {TOKEN_URL}}}",
    "exchanged": f"{{type: JWT, use: exchange, algorithm: HS256, {TOKEN_URL}, claims: {{iss: me}}}}",
    "session": "{type: SESSION, login: {resource_path: /login, form: {user: '${username}', pin: '${pin}'}, capture: {t: token}}, "
               "headers: {X-Session: '${token.t}'}, params: {username: {secret: false}, pin: {}}}",
    "amazon": "{type: AWS4Auth, service: ce, region: us-east-1}",
    "oauth1": "{type: OAUTH1, signature_method: HMAC-SHA256, realm: r}",
}
CLIENT = "client_id 'me', client_secret 'secret-token-c'"
AMAZON = "access_key_id 'AKIDEXAMPLE', secret_access_key 'secret-token-key', session_token 'secret-token-of-a-role'"
OAUTH1 = "consumer_key 'me', consumer_secret 'secret-token-c', token 'secret-token-t', token_secret 'secret-token-s'"
NO_HEADER = "holds a character that no HTTP header can, such as a line break or a space at its end"
GONE = "the refresh token was used, was revoked or has run out: get a new one and set option 'refresh_token' to it"
SIGNED = "check the option 'private_key', the 'claims' and 'life' in the adapter spec, and that the clock is right"
GIVEN = "the API does not take the token that it was just given: check its scopes and audience, and that the account may use the API"
BEGUN = "the API does not take the session that a login just began: check that the account may use the API, and 'headers' of 'auth' in the adapter spec"


@dataclass
class Case:
    """Options of a connection, what the servers say of them, and what the error must have."""

    kind: str
    options: str
    expected: list[str]
    # What the API says: a status and words.
    rows: tuple[int, str] | None = None
    # What is said where tokens come from: a status, a code and words.
    token: tuple[int, str, str] | None = None
    statement: str = "SELECT * FROM {name}.items"


CASES = {
    "bearer wrong": Case("bearer", "bearer_token 'secret-token-x'", ["returned 401 (Unauthorized): no such key", "check the 'bearer_token' option"], (401, "no such key")),
    "bearer missing": Case("bearer", "", ["needs option 'bearer_token'"]),
    "bearer empty": Case("bearer", "bearer_token ''", ["'bearer_token'", "is empty"]),
    "bearer expired": Case("bearer", "bearer_token 'secret-token-x'", ["401 (Unauthorized): it ended in May", "check the 'bearer_token' option"], (401, "it ended in May")),
    "bearer revoked": Case("bearer", "bearer_token 'secret-token-x'", ["403 (Forbidden): it was revoked", "check the 'bearer_token' option"], (403, "it was revoked")),
    "bearer malformed": Case("bearer", "bearer_token 'secret-token\nx'", ["option 'bearer_token' " + NO_HEADER]),
    "basic wrong": Case("basic", "username 'me', password 'secret-token-x'", ["401 (Unauthorized): who?", "check the options 'username' and 'password'"], (401, "who?")),
    "basic missing": Case("basic", "username 'me'", ["needs option 'password'"]),
    "basic revoked": Case("basic", "username 'me', password 'secret-token-x'", ["403 (Forbidden): locked", "check the options 'username' and 'password'"], (403, "locked")),
    "headers wrong": Case("headers", "api_key 'secret-token-x'", ["401 (Unauthorized): no such key", "check the 'api_key' option"], (401, "no such key")),
    "headers missing": Case("headers", "", ["needs option 'api_key'"]),
    "headers malformed": Case("headers", "api_key 'secret-token\nx'", ["option 'api_key' " + NO_HEADER]),
    "params wrong": Case("params", "api_key 'secret-token-x'", ["401 (Unauthorized): no such key", "check the 'api_key' option"], (401, "no such key")),
    "params missing": Case("params", "", ["needs option 'api_key'"]),
    "params revoked": Case("params", "api_key 'secret-token-x'", ["403 (Forbidden): it was revoked", "check the 'api_key' option"], (403, "it was revoked")),
    "client wrong": Case("client", CLIENT, ["POST http", "returned 401: who is it", "invalid_client; check the options 'client_id' and 'client_secret'"],
                         token=(401, "invalid_client", "who is it")),
    "client missing": Case("client", "client_id 'me'", ["needs option 'client_secret'"]),
    "client empty": Case("client", "client_id 'me', client_secret ''", ["'client_secret'", "is empty"]),
    "client expired": Case("client", CLIENT, ["returned 400: the secret ended", "invalid_client; check the options 'client_id' and 'client_secret'"],
                           token=(400, "invalid_client", "the secret ended")),
    "client without the scope": Case("client", CLIENT, ["invalid_scope; check 'scopes' in the adapter spec, and what the client may ask for"],
                                     token=(400, "invalid_scope", "no")),
    "client without the grant": Case("client", CLIENT, ["unauthorized_client; this client may not use the grant 'client_credentials'; allow it on"],
                                     token=(400, "unauthorized_client", "no")),
    "client malformed": Case("client", CLIENT, ["invalid_request; check the options 'client_id' and 'client_secret'"], token=(400, "invalid_request", "what?")),
    "client revoked": Case("client", CLIENT, ["returned 401 (Unauthorized): not yours", GIVEN], (401, "not yours")),
    "refresh expired": Case("refresh", f"{CLIENT}, refresh_token 'secret-token-r'", ["returned 400: it ended", "invalid_grant; " + GONE], token=(400, "invalid_grant", "it ended")),
    "refresh revoked": Case("refresh", f"{CLIENT}, refresh_token 'secret-token-r'", ["invalid_grant; " + GONE], token=(400, "invalid_grant", "revoked")),
    "refresh missing": Case("refresh", CLIENT, ["needs option 'refresh_token'"]),
    "password wrong": Case("password", f"{CLIENT}, username 'me', password 'secret-token-p'",
                           ["invalid_grant; check the options 'client_id' and 'client_secret' and 'username' and 'password'"], token=(400, "invalid_grant", "no")),
    "password missing": Case("password", f"{CLIENT}, username 'me'", ["needs option 'password'"]),
    "consent missing": Case("consent", CLIENT, ["is not authorized yet: run AUTHORIZE CONNECTION"]),
    "device missing": Case("device", CLIENT, ["is not authorized yet: run AUTHORIZE CONNECTION"]),
    "device wrong": Case("device", CLIENT, ["the request for a device code, POST http", "returned 401: who is it", "check the options 'client_id' and 'client_secret'", "'device_url'"],
                         token=(401, "invalid_client", "who is it"), statement="AUTHORIZE CONNECTION {name}"),
    "signed malformed": Case("signed", "private_key '-----BEGIN NONSENSE-----'", ["option 'private_key': no private key in it; expected PEM"]),
    "signed encrypted": Case("signed", "private_key '-----BEGIN ENCRYPTED PRIVATE KEY-----'", ["option 'private_key': the private key is encrypted; expected one without"]),
    "signed elsewhere": Case("signed", "private_key '/nowhere/key.pem'", ["option 'private_key'", "/nowhere/key.pem", "cannot be read"]),
    "signed missing": Case("signed", "", ["needs option 'private_key'"]),
    "shared wrong": Case("shared", "private_key 'secret-token-k'", ["returned 401 (Unauthorized): forged", "the API does not take the signed token", SIGNED], (401, "forged")),
    "granted wrong": Case("granted", "private_key 'secret-token-k'", ["returned 400: forged", "invalid_grant; " + SIGNED], token=(400, "invalid_grant", "forged")),
    "granted revoked": Case("granted", "private_key 'secret-token-k'", ["returned 401 (Unauthorized): gone", GIVEN], (401, "gone")),
    "asserted wrong": Case("asserted", "client_id 'me', private_key 'secret-token-k'", ["returned 401: forged", "invalid_client; check the options 'client_id' and 'private_key'"],
                           token=(401, "invalid_client", "forged")),
    "exchanged wrong": Case("exchanged", "private_key 'secret-token-k'", ["returned 401: Bad credentials", "check the option 'private_key'"], token=(401, "", "Bad credentials")),
    "session wrong": Case("session", "username 'me', pin 'secret-token-p'", ["the login, POST http", "returned 403: no", "check the options 'username' and 'pin'"], token=(403, "", "no")),
    "session wrong, politely": Case("session", "username 'me', pin 'secret-token-p'",
                                    ["returned 200: no", "it has no 't' as 'capture' in the adapter spec says: check that, and the options 'username' and 'pin'"], token=(200, "", "no")),
    "session missing": Case("session", "username 'me'", ["needs option 'pin'"]),
    "session over": Case("session", "username 'me', pin 'secret-token-p'", ["returned 401 (Unauthorized): log in", BEGUN], (401, "log in")),
    "amazon wrong": Case("amazon", AMAZON, ["returned 403 (Forbidden): another signature", "check the options 'access_key_id' and 'secret_access_key' and 'session_token'"], (403, "another signature")),
    "amazon expired": Case("amazon", AMAZON, ["returned 400 (Bad Request): The security token included in the request is expired",
                                              "check the options 'access_key_id' and 'secret_access_key' and 'session_token'"], (400, "The security token included in the request is expired")),
    "amazon missing": Case("amazon", "access_key_id 'AKIDEXAMPLE'", ["needs option 'secret_access_key'"]),
    "amazon empty": Case("amazon", "access_key_id 'AKIDEXAMPLE', secret_access_key ''", ["'secret_access_key'", "is empty"]),
    "amazon malformed": Case("amazon", "access_key_id 'AKID\nEXAMPLE', secret_access_key 'secret-token-key'", ["option 'access_key_id' " + NO_HEADER]),
    "oauth1 wrong": Case("oauth1", OAUTH1, ["returned 401 (Unauthorized): another signature", "check the options 'consumer_key' and 'consumer_secret'", "'token_secret'"], (401, "another signature")),
    "oauth1 missing": Case("oauth1", "consumer_key 'me', consumer_secret 'secret-token-c', token 'secret-token-t'", ["needs option 'token_secret'"]),
    "oauth1 revoked": Case("oauth1", OAUTH1, ["returned 403 (Forbidden): revoked", "check the options 'consumer_key' and 'consumer_secret'"], (403, "revoked")),
}


def answer(asked: Asked) -> Answer:
    """Says what the case says, and repeats all that was sent."""
    _, number, *_, last = asked.path.split("/")
    case = list(CASES.values())[int(number)]
    sent = json.dumps({"headers": asked.headers, "params": asked.params, "body": asked.body.decode()})
    if last in ("token", "device", "login"):
        if case.token is None:
            return Answer(b'{"access_token": "issued-token-1", "token": "issued-token-2", "expires_in": 3600}')
        status, code, words = case.token
        said = {"error": code, "error_description": words, "sent": sent} if code else {"message": words, "sent": sent}
        return Answer(json.dumps(said).encode(), status)
    status, words = case.rows or (200, "")
    return Answer(json.dumps({"message": words, "sent": sent}).encode(), status)


def test_what_is_wrong_is_told_with_the_option_and_what_to_do(python, around):
    around.connections = around.folder / "connections.yaml"
    around.connections.write_text("[]\n")
    specs = around.folder / "specs"
    specs.mkdir()
    for kind, auth in KINDS.items():
        table = "tables: [{name: items, resource_path: /items, supports_paging: false}]"
        (specs / f"{kind}.yaml").write_text(f"name: {kind}\nbase_url: '{{host}}'\noptions: {{host: {{required: true}}}}\nauth: {auth}\nretry: {{attempts: 1}}\n{table}\n")
    statements = []
    with serving(answer) as address:
        for number, case in enumerate(CASES.values()):
            options = f", {case.options}" if case.options else ""
            create = f"CREATE CONNECTION c{number} (ADAPTER {case.kind}, host '{address}/{number}'{options})"
            statements.append([create, case.statement.format(name=f"c{number}")])
        (around.folder / "statements.json").write_text(json.dumps(statements).replace("secret-token", "SECRET"))
        script = """
            import json
            con = connect("x.duckdb")
            con.execute("SET GLOBAL unify_spec_path = 'specs'")
            for statements in json.loads(open("statements.json").read().replace("SECRET", "secret" + "-token")):
                told = ""
                try:
                    for sql in statements:
                        told = str(con.execute(sql).fetchall())
                except duckdb.Error as err:
                    told = str(err)
                print(json.dumps(told.replace(chr(10), " ")))
        """
        outcome = python.run(around, script).check()
    told = dict(zip(CASES, map(json.loads, outcome.stdout.splitlines()), strict=True))
    wrong = {name: told[name] for name, case in CASES.items() if not all(part in told[name] for part in case.expected)}
    assert not wrong, "\n".join(f"{name}\n    told {text}\n    expected {CASES[name].expected}" for name, text in wrong.items())
