"""The cookie that carries a session."""

from urllib.parse import urlsplit

from litestar.datastructures import Cookie

from application.sign_in import SESSION_LIFETIME


class SessionCookie:
    """The cookie that carries a session.

    Args:
        public_url: Where it is served without TLS, on a developer's machine, the cookie is an ordinary one.
    """

    def __init__(self, public_url: str) -> None:
        self._secure = urlsplit(public_url).scheme == "https"
        self.name = "__Host-mailpulse" if self._secure else "mailpulse"

    def carrying(self, token: str) -> Cookie:
        """Give the cookie for a new session."""
        return self._cookie(token, max_age=int(SESSION_LIFETIME.total_seconds()))

    def gone(self) -> Cookie:
        """Give the cookie that makes a browser forget its session."""
        return self._cookie("", max_age=0)

    def beside(self, name: str, value: str, max_age: int) -> Cookie:
        """Give a cookie of something that is no secret; our scripts may read and set it."""
        return Cookie(key=name, value=value, max_age=max_age, path="/", secure=self._secure, samesite="lax")

    def _cookie(self, value: str, max_age: int) -> Cookie:
        return Cookie(
            key=self.name,
            value=value,
            max_age=max_age,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )
