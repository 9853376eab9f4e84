"""APIs that Authlib and OAuthlib guard: python authlib_server.py PORT KEYS, with the packages that set-up installs in build/servers/authlib.

Only the stores and the rows are made here: what is right and what is wrong, and what is said of it, the two libraries decide. KEYS is JSON: the public
key of the client by algorithm, in PEM, and the secret of HS256. `/told` says what was asked, `/set` moves the server's clock with each page, breaks
pages and revokes tokens; `/reset` forgets all that.
"""

import datetime
import json
import os
import sys
import time
from dataclasses import dataclass, field

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.common.security import generate_token
from authlib.integrations.flask_oauth1 import ResourceProtector as SignatureProtector
from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth1 import ClientMixin as Consumer
from authlib.oauth1 import TokenCredentialMixin
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin
from authlib.oauth2.rfc6749.grants import RefreshTokenGrant, ResourceOwnerPasswordCredentialsGrant
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7523 import JWTBearerGrant
from authlib.oauth2.rfc7523.validator import JWTBearerToken, JWTBearerTokenValidator
from flask import Flask, jsonify, request
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import JWSRegistry
from oauthlib.oauth1 import RequestValidator, ResourceEndpoint, SignatureOnlyEndpoint

PORT, KEYS = int(sys.argv[1]), json.loads(sys.argv[2])
ADDRESS = f"http://127.0.0.1:{PORT}"
# Who may ask. OAuthlib wants keys and tokens of 20 characters or more.
CONSUMER, CONSUMER_SECRET = "consumer00000000000001", "secret-token/of the consumer+&="
TOKEN, TOKEN_SECRET = "token00000000000000001", "secret-token%of\"the token'ü"
CLIENT, CLIENT_SECRET = "client", "secret-token-of-the-client"
USER, PASSWORD = "me@example.com", "secret-token & päss=+"
REALM = "1234567_SB1"
N_ROWS, PAGE = 23, 4
TOKEN_LIFE = 300
# joserfc knows PS256, and takes it only where somebody allows it.
JWSRegistry.recommended.append("PS256")


@dataclass
class World:
    """What the server was told to do, and what it was asked."""

    # How far its clock goes on with each page, and how far it has gone.
    pace: float = 0
    ahead: float = 0
    # The page that is out of order once, after the credential was found good.
    broken: str = ""
    # How many requests a token is good for that its client signed.
    most_uses: int = 1000
    grants: list = field(default_factory=list)
    nonces: list = field(default_factory=list)
    n_replays: int = 0
    # The URL and the header of the last signed request.
    last: list = field(default_factory=list)
    # By `jti`: how often a token came that its client signed.
    uses: dict = field(default_factory=dict)
    tokens: dict = field(default_factory=dict)
    refresh_tokens: dict = field(default_factory=dict)


world = World()
machine_time = time.time
# Authlib and joserfc see this clock.
time.time = lambda: machine_time() + world.ahead
app = Flask(__name__)
app.config["OAUTH2_ACCESS_TOKEN_GENERATOR"] = lambda *_, **__: f"issued-token-{generate_token(30)}"
app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = lambda client, *_, **__: f"issued-token-{generate_token(40)}"
app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {
    "password": TOKEN_LIFE, "refresh_token": TOKEN_LIFE, "urn:ietf:params:oauth:grant-type:jwt-bearer": TOKEN_LIFE,
}


def page_of_rows(link: str | None = None):
    """Answers a page, and moves the clock."""
    number = request.args.get("page", "1")
    if world.broken == number:
        world.broken = ""
        return jsonify(message="out of order"), 503
    world.ahead += world.pace
    first = (int(number) - 1) * PAGE
    rows = [{"id": idx, "note": f"note {idx} ü"} for idx in range(first, min(first + PAGE, N_ROWS))]
    has_more = first + PAGE < N_ROWS
    # A link that the server wrote: with blanks and signs in another form than the first request has.
    following = f"{ADDRESS}{request.path}?{link or 'q=1'}&page={int(number) + 1}" if has_more else None
    return jsonify(items=rows, total=N_ROWS, next=following)


# OAuth 1.0 by Authlib.


def raw_url() -> str:
    """Returns the URL as it was sent."""
    return ADDRESS + request.environ["RAW_URI"]


class KnownConsumer(Consumer):
    def get_client_secret(self) -> str:
        return CONSUMER_SECRET


class KnownToken(TokenCredentialMixin):
    def get_oauth_token(self) -> str:
        return TOKEN

    def get_oauth_token_secret(self) -> str:
        return TOKEN_SECRET


def is_known_nonce(nonce: str, timestamp: str, client_id: str, token: str) -> bool:
    """Returns whether a nonce came before, and remembers it."""
    shown = [nonce, str(timestamp), client_id, token]
    is_known = shown in world.nonces
    world.n_replays += is_known
    world.nonces.append(shown)
    world.last = [raw_url(), request.headers["Authorization"]]
    return is_known


class RawSignatureProtector(SignatureProtector):
    """Judges the URL as it was sent: Flask's own has some signs decoded, which Authlib does not take."""

    def acquire_credential(self):
        return self.validate_request(request.method, raw_url(), request.form.to_dict(flat=True), request.headers)


signature_by_authlib = RawSignatureProtector(
    app,
    query_client=lambda client_id: KnownConsumer() if client_id == CONSUMER else None,
    query_token=lambda client_id, token: KnownToken() if (client_id, token) == (CONSUMER, TOKEN) else None,
    exists_nonce=is_known_nonce,
)


@app.route("/authlib/rows", methods=["GET", "POST"])
@signature_by_authlib()
def rows_by_authlib():
    return page_of_rows("q=a%20b%2Bc%26d~!*&empty=")


# OAuth 1.0 by OAuthlib.


class Validator(RequestValidator):
    """What OAuthlib asks of a store."""

    enforce_ssl = False
    nonce_length = (20, 40)
    dummy_client = "nobody00000000000000000"
    dummy_access_token = "nothing0000000000000000"
    # As they are, of any length.
    safe_characters = set(map(chr, range(33, 127)))

    def validate_client_key(self, client_key, request) -> bool:
        return client_key == CONSUMER

    def validate_access_token(self, client_key, token, request) -> bool:
        return (client_key, token) == (CONSUMER, TOKEN)

    def validate_timestamp_and_nonce(self, client_key, timestamp, nonce, request, request_token=None, access_token=None) -> bool:
        return not is_known_nonce(nonce, timestamp, client_key, access_token)

    def validate_realms(self, client_key, token, request, uri=None, realms=None) -> bool:
        return request.realm == REALM

    def get_client_secret(self, client_key, request) -> str:
        return CONSUMER_SECRET

    def get_access_token_secret(self, client_key, token, request) -> str:
        return TOKEN_SECRET


def rows_by_oauthlib(judge):
    """Answers what a judge of OAuthlib lets through."""
    is_good, checked = judge(raw_url(), request.method, request.get_data(as_text=True), dict(request.headers))
    if not is_good:
        wrong = [name for name, is_right in (checked.validator_log if checked else {}).items() if not is_right]
        return jsonify(error=f"wrong: {', '.join(wrong) or 'the request, its time or its nonce'}"), 401
    return page_of_rows("q=a%20b%2Bc%26d~!*&empty=&u=%C3%BC&twice=b&twice=a")


@app.route("/oauthlib/rows", methods=["GET", "POST"])
def rows_of_a_token():
    return rows_by_oauthlib(ResourceEndpoint(Validator()).validate_protected_resource_request)


@app.route("/oauthlib/open")
def rows_of_a_consumer():
    return rows_by_oauthlib(SignatureOnlyEndpoint(Validator()).validate_request)


# OAuth 2.0 by Authlib.


class KnownClient(ClientMixin):
    client_id = CLIENT

    def get_client_id(self) -> str:
        return CLIENT

    def get_allowed_scope(self, scope):
        return "read" if scope in (None, "", "read") else None

    def check_client_secret(self, client_secret) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method, endpoint) -> bool:
        return method in ("client_secret_basic", "client_secret_post")

    def check_grant_type(self, grant_type) -> bool:
        return True


@dataclass
class Given(TokenMixin):
    """A token that was given."""

    token: str
    issued: float
    refresh_token: str | None
    revoked: bool = False

    def check_client(self, client) -> bool:
        return client.client_id == CLIENT

    def get_scope(self) -> str:
        return "read"

    def get_expires_in(self) -> int:
        return TOKEN_LIFE

    def is_expired(self) -> bool:
        return time.time() > self.issued + TOKEN_LIFE

    def is_revoked(self) -> bool:
        return self.revoked

    def get_user(self) -> str:
        return USER


def save_token(token: dict, request) -> None:
    given = Given(token["access_token"], time.time(), token.get("refresh_token"))
    world.tokens[given.token] = given
    if given.refresh_token:
        world.refresh_tokens[given.refresh_token] = given
    world.grants.append(request.payload.grant_type.rpartition(":")[2])


class PasswordGrant(ResourceOwnerPasswordCredentialsGrant):
    def authenticate_user(self, username, password):
        return USER if (username, password) == (USER, PASSWORD) else None


class Refresh(RefreshTokenGrant):
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        given = world.refresh_tokens.get(refresh_token)
        return None if given is None or given.revoked else given

    def authenticate_user(self, refresh_token):
        return USER

    def revoke_old_credential(self, refresh_token) -> None:
        refresh_token.revoked = True


def key_of(algorithm: str):
    kind = {"HS256": OctKey, "ES256": ECKey}.get(algorithm, RSAKey)
    return kind.import_key(KEYS[algorithm])


class AssertionGrant(JWTBearerGrant):
    """The issuer of an assertion is `client:ALGORITHM`, so that each algorithm has a key of its own."""

    LEEWAY = 0

    def get_audiences(self) -> list[str]:
        return [f"{ADDRESS}/token"]

    def resolve_issuer_client(self, issuer):
        name, _, algorithm = issuer.partition(":")
        if name != CLIENT or algorithm not in KEYS:
            return None
        client = KnownClient()
        client.algorithm = algorithm
        return client

    def resolve_client_public_key(self, client):
        return key_of(client.algorithm)

    def authenticate_user(self, subject):
        return USER if subject == USER else None

    def has_granted_permission(self, client, user) -> bool:
        return True


server = AuthorizationServer(app, query_client=lambda client_id: KnownClient() if client_id == CLIENT else None, save_token=save_token)
for grant in (PasswordGrant, Refresh, AssertionGrant):
    server.register_grant(grant)


@app.post("/token")
def token():
    return server.create_token_response()


class GivenValidator(BearerTokenValidator):
    def authenticate_token(self, token_string):
        return world.tokens.get(token_string)


needs_token = ResourceProtector()
needs_token.register_token_validator(GivenValidator())


@app.get("/items")
@needs_token("read")
def items():
    return page_of_rows()


class Signed(JWTBearerToken):
    """A token that its client signed: it can be used up."""

    def is_revoked(self) -> bool:
        world.uses[self["jti"]] = world.uses.get(self["jti"], 0) + 1
        return world.uses[self["jti"]] > world.most_uses


class SignedValidator(JWTBearerTokenValidator):
    def authenticate_token(self, token_string):
        claims = super().authenticate_token(token_string)
        return claims and Signed(claims)


def for_signed(algorithm: str, answer):
    """Returns what answers those who sign by an algorithm."""
    needs_signature = ResourceProtector()
    needs_signature.register_token_validator(SignedValidator(key_of(algorithm), issuer=CLIENT, leeway=0))
    return needs_signature("read")(answer)


def token_of_installation():
    """Gives a token in the form that GitHub has for apps."""
    given = Given(f"issued-token-{generate_token(30)}", time.time(), None)
    world.tokens[given.token] = given
    world.grants.append("exchange")
    ends = datetime.datetime.fromtimestamp(given.issued + TOKEN_LIFE, datetime.timezone.utc)
    return jsonify(token=given.token, expires_at=ends.strftime("%Y-%m-%dT%H:%M:%SZ"), permissions={"metadata": "read"}), 201


for algorithm in KEYS:
    app.add_url_rule(f"/signed/{algorithm}", f"signed_{algorithm}", for_signed(algorithm, page_of_rows))
app.add_url_rule("/installations/7/access_tokens", "exchange", for_signed("RS256", token_of_installation), methods=["POST"])


# For the tests.


@app.get("/told")
def told():
    return jsonify(
        grants=world.grants, nonces=[nonce[0] for nonce in world.nonces], replays=world.n_replays, last=world.last, uses=sorted(world.uses.values()),
    )


@app.get("/set")
def set_world():
    for name, value in request.args.items():
        if name == "revoke":
            for given in world.tokens.values():
                given.revoked = True
        else:
            setattr(world, name, type(getattr(world, name))(value))
    return jsonify(ok=True)


@app.get("/reset")
def reset():
    world.__init__()
    return jsonify(ok=True)


if __name__ == "__main__":
    app.run("127.0.0.1", PORT, threaded=True)
