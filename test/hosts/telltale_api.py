"""An API that repeats all it was sent wherever it can, takes credentials of every kind, and gives tokens that nobody may see."""

import base64
import json
import secrets
import threading
import urllib.parse

from small_api import Answer, Asked


class Telltale:
    """The API, and what it gave and was given that is secret."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.found: dict[str, str] = {}
        self.n_asked: dict[str, int] = {}

    def new(self, kind: str) -> str:
        """Returns a secret that nothing else has."""
        value = f"mark{secrets.token_hex(4)}{kind}{secrets.token_hex(8)}"
        self.found[value] = kind
        return value

    def note(self, asked: Asked) -> None:
        """Remembers what requests carry that no option has: signatures and signed tokens."""
        authorization = asked.headers.get("Authorization", "")
        for word in authorization.replace(",", " ").replace('"', " ").split():
            word = word.rpartition("Signature=")[2]
            if len(word) >= 40:
                self.found.setdefault(urllib.parse.unquote(word), "seen in Authorization")
        for name in ("assertion", "client_assertion"):
            [*values] = urllib.parse.parse_qs(asked.body.decode()).get(name, [])
            self.found.update((value, f"seen in {name}") for value in values)

    def answer(self, asked: Asked) -> Answer:
        with self.lock:
            self.note(asked)
            number = self.n_asked[asked.path] = self.n_asked.get(asked.path, 0) + 1
            *_, last = asked.path.split("/")
            sent = {"headers": asked.headers, "params": asked.params, "body": asked.body.decode(), "path": asked.path}
            everything = json.dumps(sent)
            match last:
                case "token" | "exchange":
                    return self.token()
                case "device":
                    device = {"device_code": self.new("device"), "user_code": "AB-CD", "verification_uri": "https://example.com/device", "interval": 0}
                    return Answer(json.dumps(device).encode())
                case "login":
                    session = {"data": {"token": self.new("session")}, "sent": sent}
                    return Answer(json.dumps(session).encode(), 200, {"Set-Cookie": f"SID={self.new('cookie')}; Path=/; HttpOnly"})
                case "refused_token":
                    error = {"error": "invalid_client", "error_description": f"no: {everything}", "sent": sent}
                    return Answer(json.dumps(error).encode(), 400)
                case "jobs":
                    return Answer(b'{"id": "job-1"}')
                case "echo":
                    return Answer(json.dumps({"message": f"you sent {everything}", "sent": sent}).encode(), 400)
                case "packed":
                    return Answer(json.dumps({"message": base64.b64encode(everything.encode()).decode()}).encode(), 422)
                case "broken":
                    return Answer(f'[{{"id": 1}}, {everything} oops'.encode())
                case "denied":
                    return Answer(everything.encode(), 401, {"WWW-Authenticate": f'Bearer error="{json.dumps(asked.headers)}"', "Content-Type": "text/html"})
                case "away":
                    there = f"https://elsewhere.example/{urllib.parse.quote(everything)}?all={urllib.parse.quote(everything)}"
                    return Answer(b"", 302, {"Location": there})
                case "busy" if number < 3:
                    return Answer(everything.encode(), 429, {"Retry-After": "0"})
                case "once" if number == 2:
                    return Answer(everything.encode(), 401)
                case "linked":
                    return Answer(json.dumps({"rows": [{"id": 1}], "next": f"https://elsewhere.example/?{urllib.parse.urlencode({'all': everything})}"}).encode())
                case "written":
                    return Answer(json.dumps({"message": f"not {everything}"}).encode(), 409)
                case "gone":
                    return Answer(everything.encode(), 500)
            return Answer(json.dumps([{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]).encode())

    def token(self) -> Answer:
        token = {
            "access_token": self.new("access"), "refresh_token": self.new("refresh"), "id_token": self.new("id"), "token_type": "bearer",
            "expires_in": 3600, "session": {"secret": self.new("inner")}, "token": self.new("installation"),
        }
        return Answer(json.dumps(token).encode())
