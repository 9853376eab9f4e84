"""An API that verifies who asks: clients and sessions with budgets of their own, signed tokens, and signatures of Amazon's kind."""

import base64
import hashlib
import hmac
import json
import threading
import time
import urllib.parse

import hosts
from small_api import Answer, Asked


def is_signed(token: str, key: str) -> bool:
    """Returns whether a JSON Web Token is signed by HS256 with the key, and neither ended nor yet to begin."""
    signed, _, signature = token.rpartition(".")
    expected = base64.urlsafe_b64encode(hmac.digest(key.encode(), signed.encode(), "sha256")).decode().rstrip("=")
    if not hmac.compare_digest(signature, expected):
        return False
    claims = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
    return claims["iat"] <= time.time() < claims["exp"]


def signature_of(asked: Asked, secret: str) -> str:
    """Returns the header that Signature Version 4 makes of a request with the secret."""
    fields = dict(part.strip().split("=", 1) for part in asked.headers["Authorization"].partition(" ")[2].split(","))
    headers = {name.lower(): " ".join(value.split()) for name, value in asked.headers.items()}
    quoted = lambda text: urllib.parse.quote(text, safe="-_.~")  # noqa: E731
    path = "/".join(quoted(segment) for segment in asked.path.split("/"))
    query = "&".join(sorted(f"{quoted(name)}={quoted(value)}" for name, value in asked.params.items()))
    lines = "".join(f"{name}:{headers[name]}\n" for name in fields["SignedHeaders"].split(";"))
    canonical = "\n".join([asked.method, path, query, lines, fields["SignedHeaders"], hashlib.sha256(asked.body).hexdigest()])
    scope = fields["Credential"].partition("/")[2]
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return f"AWS4-HMAC-SHA256 Credential={fields['Credential']}, SignedHeaders={fields['SignedHeaders']}, Signature={signature}"


def refusal(status: int, **body: object) -> Answer:
    return Answer(json.dumps(body).encode(), status)


class Verifying:
    """The API. It knows secrets, each of which is good for so many requests, in whatever way it is shown."""

    def __init__(self, budgets: dict[str, int]) -> None:
        self.lock = threading.Lock()
        self.budgets = budgets
        self.used = dict.fromkeys(budgets, 0)
        # By token: whose it is.
        self.given: dict[str, str] = {}
        self.n_given = dict.fromkeys(budgets, 0)
        self.n_ended = 0
        # Secrets that get no token any more.
        self.revoked: set[str] = set()

    def revoke_tokens(self) -> None:
        """Forgets all tokens."""
        with self.lock:
            self.given.clear()

    def answer(self, asked: Asked) -> Answer:
        with self.lock:
            return self.answer_alone(asked)

    def answer_alone(self, asked: Asked) -> Answer:
        *_, last = asked.path.split("/")
        bearer = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        match last:
            case "token":
                return self.token_for(self.client_of(asked))
            case "login":
                return self.token_for(json.loads(asked.body)["pin"])
            case "logout":
                self.n_ended += self.given.pop(bearer, None) is not None
                return Answer(b"", 204)
            case "signed":
                return self.page(next((key for key in self.budgets if is_signed(bearer, key)), None), asked)
            case "amazon":
                return self.page(next((key for key in self.budgets if signature_of(asked, key) == asked.headers["Authorization"]), None), asked)
        return self.page(self.given.get(bearer), asked)

    def client_of(self, asked: Asked) -> str | None:
        """Returns the secret that a client shows: in the body, by Basic, or by a token that it signed."""
        form = dict(urllib.parse.parse_qsl(asked.body.decode()))
        shown = form.get("client_secret")
        if basic := asked.headers.get("Authorization", "").removeprefix("Basic "):
            shown = urllib.parse.unquote_plus(base64.b64decode(basic).decode().partition(":")[2])
        if token := form.get("client_assertion") or form.get("assertion"):
            shown = next((key for key in self.budgets if is_signed(token, key)), None)
        return shown

    def token_for(self, secret: str | None) -> Answer:
        if secret not in self.budgets or secret in self.revoked:
            return refusal(401, error="invalid_client", error_description=f"nobody has {secret}")
        self.n_given[secret] += 1
        token = f"{hosts.ISSUED}-{len(self.given)}-{sum(self.n_given.values())}"
        self.given[token] = secret
        return Answer(json.dumps({"access_token": token, "token_type": "bearer", "expires_in": 3600}).encode())

    def page(self, secret: str | None, asked: Asked) -> Answer:
        if secret is None:
            return refusal(401, message=f"not known: {asked.headers.get('Authorization')}")
        self.used[secret] += 1
        if self.used[secret] > self.budgets[secret]:
            return Answer(b'{"message": "too many requests"}', 429, {"Retry-After": "3600"})
        told = {"X-RateLimit-Remaining": str(self.budgets[secret] - self.used[secret]), "X-RateLimit-Limit": str(self.budgets[secret]),
                "X-RateLimit-Reset": "3600"}
        return Answer(json.dumps([{"id": int(asked.params.get("page", 0))}]).encode(), 200, told)
