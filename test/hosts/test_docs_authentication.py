"""The worked examples of docs/authentication.md, as they stand there, with servers that answer as each vendor documents."""

import base64
import json
import re
import subprocess
import urllib.parse
import urllib.request
from dataclasses import dataclass, field

import hosts
import pages
import pytest
from small_api import Answer, Asked, serving

ASSERTION = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN = f"{hosts.ISSUED}-of-the-vendor"


@dataclass
class Vendor:
    """What a vendor wants to see, and answers. Places are without `https://`."""

    # The place of tokens, and what a request for one has: values, or True for any.
    token_path: str
    asked: dict[str, object]
    claims: dict[str, str] = field(default_factory=dict)
    # What comes besides the access token.
    answer: dict[str, object] = field(default_factory=dict)
    token_name: str = "access_token"
    # The pages of the table, by the path and what its query must have.
    pages: list[tuple[str, dict[str, str], object]] = field(default_factory=list)
    n_rows: int = 2


DAY = {"token_type": "Bearer", "expires_in": 3599}
VENDORS = {
    "search_console": Vendor(
        "oauth2.googleapis.com/token", {"grant_type": ASSERTION, "assertion": True},
        {"iss": "me@project.iam.gserviceaccount.com", "scope": "@www.googleapis.com/auth/webmasters.readonly", "aud": "@oauth2.googleapis.com/token", "kid": "k7"},
        DAY, pages=[("www.googleapis.com/webmasters/v3/sites", {}, {"siteEntry": [{"siteUrl": "a"}, {"siteUrl": "b"}]})],
    ),
    "drive": Vendor(
        "oauth2.googleapis.com/token",
        {"grant_type": "authorization_code", "client_id": "meapps.googleusercontent.com", "client_secret": "secret-token", "code": True, "code_verifier": True,
         "redirect_uri": True}, answer={**DAY, "refresh_token": f"{hosts.ISSUED}-refresh", "scope": "s"},
        pages=[("www.googleapis.com/drive/v3/files", {"pageSize": "1000"}, {"files": [{"id": "1"}], "nextPageToken": "next"}),
               ("www.googleapis.com/drive/v3/files", {"pageSize": "1000", "pageToken": "next"}, {"files": [{"id": "2"}]})],
    ),
    "graph": Vendor(
        "login.microsoftonline.com/example.com/oauth2/v2.0/token",
        {"grant_type": "client_credentials", "client_id": "me", "client_secret": "secret-token", "scope": "@graph.microsoft.com/.default"}, answer=DAY,
        pages=[("graph.microsoft.com/v1.0/users", {}, {"value": [{"id": "1"}], "@odata.nextLink": "@graph.microsoft.com/v1.0/users?$skiptoken=x"}),
               ("graph.microsoft.com/v1.0/users", {"$skiptoken": "x"}, {"value": [{"id": "2"}]})],
    ),
    "my_graph": Vendor(
        "login.microsoftonline.com/organizations/oauth2/v2.0/token", {"grant_type": DEVICE, "client_id": "me", "device_code": True},
        answer={**DAY, "refresh_token": f"{hosts.ISSUED}-refresh"},
        pages=[("graph.microsoft.com/v1.0/me/messages", {}, {"value": [{"id": "1"}, {"id": "2"}]})],
    ),
    "salesforce": Vendor(
        "example.my.salesforce.com/services/oauth2/token", {"grant_type": "client_credentials", "client_id": "me", "client_secret": "secret-token"},
        answer={"instance_url": "@example.my.salesforce.com", "token_type": "Bearer", "issued_at": "1", "signature": "x"},
        pages=[("example.my.salesforce.com/services/data/v61.0/limits", {}, {"DailyApiRequests": {"Max": 5, "Remaining": 4}})], n_rows=1,
    ),
    "salesforce_key": Vendor(
        "login.salesforce.com/services/oauth2/token", {"grant_type": ASSERTION, "assertion": True},
        {"iss": "me", "sub": "me@example.com", "aud": "@login.salesforce.com"}, {"instance_url": "@na1.salesforce.com", "token_type": "Bearer"},
        pages=[("na1.salesforce.com/services/data/v61.0/limits", {}, {"DailyApiRequests": {"Max": 5, "Remaining": 4}})], n_rows=1,
    ),
    "github_app": Vendor(
        "api.github.com/app/installations/12345/access_tokens", {}, {"iss": "Iv23me"}, {"expires_at": "2099-01-01T00:00:00Z"}, "token",
        [("api.github.com/installation/repositories", {"per_page": "100"}, {"total_count": 2, "repositories": [{"id": 1}, {"id": 2}]})],
    ),
}


class Server:
    """Answers for all vendors, below one address, and remembers what was not as it must be."""

    def __init__(self, vendor: Vendor, key: str) -> None:
        self.vendor, self.key, self.address, self.wrong = vendor, key, "", []

    def filled(self, value: object) -> object:
        """Returns a value with the addresses that begin with @ below the own one."""
        if isinstance(value, dict):
            return {name: self.filled(inner) for name, inner in value.items()}
        return f"{self.address}/{value[1:]}" if isinstance(value, str) and value.startswith("@") else value

    def answer(self, asked: Asked) -> Answer:
        path = asked.path.lstrip("/")
        if path == self.vendor.token_path:
            return self.token(asked)
        if path.endswith("/devicecode"):
            self.differs("what the device asks", dict(urllib.parse.parse_qsl(asked.body.decode())), {"client_id": "me", "scope": "offline_access User.Read Mail.Read"})
            told = {"device_code": f"{hosts.ISSUED}-device", "user_code": "ABC", "verification_uri": "https://example.com/device", "interval": 0, "expires_in": 900}
            return Answer(json.dumps(told).encode())
        for there, params, page in self.vendor.pages:
            if path == there and asked.params == params:
                if "Authorization" not in asked.headers:
                    return Answer(b"{}", 401)
                self.differs("the header of the rows", asked.headers["Authorization"], f"Bearer {TOKEN}")
                return Answer(json.dumps(self.filled(page)).encode())
        self.wrong.append(f"{asked.method} {asked.path} {asked.params} is not asked for")
        return Answer(b"{}", 404)

    def token(self, asked: Asked) -> Answer:
        form = dict(urllib.parse.parse_qsl(asked.body.decode())) if self.vendor.asked else {}
        self.differs("the request for a token", {name: name if self.vendor.asked.get(name) is True else value for name, value in form.items()},
                     {name: name if value is True else self.filled(value) for name, value in self.vendor.asked.items()})
        if self.vendor.claims:
            signed = form.get("assertion") or asked.headers.get("Authorization", "").removeprefix("Bearer ")
            header, claims, _ = signed.split(".")
            said = {**decoded(header), **decoded(claims)}
            self.differs("the algorithm", said["alg"], "RS256")
            self.differs("the claims", {name: said.get(name) for name in self.vendor.claims}, self.filled(self.vendor.claims))
            if not 0 < said["exp"] - said["iat"] <= 3600:
                self.wrong.append(f"the token lasts from {said['iat']} to {said['exp']}")
        return Answer(json.dumps({self.vendor.token_name: TOKEN, **self.filled(self.vendor.answer)}).encode())

    def differs(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            self.wrong.append(f"{what}: {found}, expected {expected}")


def decoded(part: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def examples() -> dict[str, tuple[str, list[str]]]:
    """Returns the spec of each worked example, and the statements that stand below it."""
    text = pages.read("docs/authentication.md")
    section = text[text.index("\n## Worked examples\n"):text.index("\n## Several credentials\n")]
    found = {}
    for spec, after in re.findall(r"```yaml\n(.*?)```\n(.*?)(?=\n### |\Z)", section, re.DOTALL):
        statements = [line.strip().rstrip(";") for line in after.splitlines() if line.startswith("    ")]
        found[re.search(r"^name: (\w+)", spec)[1]] = (spec, statements)
    return found


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path], check=True, capture_output=True)
    return path.read_text()


def test_each_worked_example_has_a_vendor():
    assert list(examples()) == list(VENDORS)


@pytest.mark.parametrize("name", VENDORS)
def test_a_worked_example_loads_its_table(python, around, key, name):
    spec, statements = examples()[name]
    server = Server(VENDORS[name], key)
    account = {"type": "service_account", "client_email": "me@project.iam.gserviceaccount.com", "private_key_id": "k7", "private_key": key}
    own = around.folder.parent / f"{around.folder.name}.key"
    own.write_text(json.dumps(account) if "service-account" in str(statements) else key)
    around.connections = around.folder / "connections.yaml"
    around.more |= {variable: "secret-token" for variable in ("GOOGLE_SECRET", "GRAPH_SECRET", "SF_SECRET")}
    with serving(server.answer) as server.address:
        (around.folder / "specs").mkdir()
        (around.folder / "specs" / f"{name}.yaml").write_text(spec.replace("https://", f"{server.address}/"))
        typed = [re.sub(r"'/home/me/[^']*'", f"'{own}'", sql).replace("'...", "'me").replace("'Iv23...'", "'Iv23me'") for sql in statements]
        table = re.search(r"^  - (?:\{name: |name: )(\w+)", spec, re.MULTILINE)[1]
        connection = re.search(r"CONNECTION (\w+) ", typed[0])[1]
        script = f"""
            con = connect("x.duckdb")
            con.execute("SET GLOBAL unify_spec_path = '{around.folder / "specs"}'")
            for sql in {typed!r}:
                print(con.execute(sql).fetchall())
            print(con.execute("SELECT count(*) FROM {connection}.{table}").fetchall())
            print(con.execute("SELECT list(\\"check\\") FROM unify_test_connection('{connection}') WHERE NOT ok").fetchall())
        """
        process = around.start(python.command(script))
        if VENDORS[name].asked.get("grant_type") == "authorization_code":
            consent(process, server)
        outcome = hosts.finish(process)
    assert not server.wrong, server.wrong
    assert outcome.check().stdout.splitlines()[-2:] == [f"[({VENDORS[name].n_rows},)]", "[(None,)]"], outcome
    own.unlink()


def consent(process, server: Server) -> None:
    """Consents as a person does who opens the address."""
    address = next(found[1] for found in (re.search(r"open (http\S+)", line) for line in process.stderr) if found)
    place, _, query = address.partition("?")
    asked = dict(urllib.parse.parse_qsl(query))
    server.differs("the place of the consent", place, f"{server.address}/accounts.google.com/o/oauth2/v2/auth")
    expected = {"access_type": "offline", "prompt": "consent", "scope": f"{server.address}/www.googleapis.com/auth/drive.metadata.readonly",
                "response_type": "code", "code_challenge_method": "S256", "client_id": "meapps.googleusercontent.com"}
    server.differs("what the consent is asked with", {name: asked.get(name) for name in expected}, expected)
    led_to = f"{asked['redirect_uri']}?{urllib.parse.urlencode({'code': 'a-code-of-the-vendor', 'state': asked['state']})}"
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(led_to, timeout=30) as answer:
        answer.read()
