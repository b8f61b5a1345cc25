"""A browser without a screen: keeps cookies, sends forms."""

import re
from urllib.parse import parse_qs, urlsplit

from litestar.testing import TestClient

COOKIE = "__Host-mailpulse"


class Browser:
    """Keeps the session cookie by itself: the test server has no TLS, so a cookie jar would not send it."""

    def __init__(self, app):
        self._client = TestClient(app, raise_server_exceptions=False)
        self.session = ""
        self.zone = ""

    def get(self, path, **headers):
        return self._client.get(path, headers=self._headers(headers), follow_redirects=False)

    def post(self, path, fields, **headers):
        return self._client.post(path, data=fields, headers=self._headers(headers), follow_redirects=False)

    def ask(self, method, path):
        return self._client.request(method, path, headers=self._headers({}), follow_redirects=False)

    def sign_in(self, url, **fields):
        answer = self.post("/login", {"code": code_of(url), **fields})
        self.session = session_of(answer)
        return answer

    def csrf(self):
        return re.search(r'name="csrf" value="([0-9a-f]{64})"', self.get("/candidates").text)[1]

    def _headers(self, headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {COOKIE: self.session, "mailpulse_zone": self.zone}
        cookie = "; ".join(f"{name}={value}" for name, value in kept.items() if value)
        return {**({"Cookie": cookie} if cookie else {}), **named}


def code_of(url):
    return parse_qs(urlsplit(url).query)["code"][0]


def session_of(answer):
    found = re.search(rf"{COOKIE}=(mp_session_[\w-]+);", answer.headers.get("set-cookie", ""))
    return found[1] if found else ""
