"""The service as its clients meet it: HTTP, over connections that are kept."""

import http.client
import json
from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from entrypoints.demo.connection import DemoError
from entrypoints.demo.team import SentEmail

TIMEOUT_S: Final = 30.0
EMAILS_PER_REQUEST: Final = 1_000
_STALE: Final = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError, http.client.CannotSendRequest)


class ServiceUnavailableError(DemoError):
    """Nobody answers, or somebody says to come back later."""


class RefusedRequestError(DemoError):
    """The service will not do that, now or later."""


class Answer(msgspec.Struct, frozen=True):
    """What the service said.

    Attributes:
        retry_after_s: Seconds to wait before asking again; 0.0 if it did not say.
    """

    status: int
    body: bytes
    retry_after_s: float


class Service:
    """A running service, for any number of threads; `close` it in the end.

    Args:
        base_url: ``http(s)://host[:port]`` without a last slash.
        api_key: Of the organisation.
    """

    def __init__(self, base_url: str, api_key: str) -> None:
        parts = urlsplit(base_url)
        self._connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._host, self._port = parts.hostname or "localhost", parts.port
        self._path = parts.path.rstrip("/")
        self._authorization = {"Authorization": f"Bearer {api_key}"}
        self._idle: SimpleQueue[http.client.HTTPConnection] = SimpleQueue()

    def close(self) -> None:
        """Close what nobody uses any more."""
        while kept := self._kept():
            kept.close()

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post bytes as they are.

        Raises:
            ServiceUnavailableError: No answer came; whether the service took it is not known.
        """
        return self._request("POST", path, body, headers)

    def register(self, emails: Sequence[SentEmail]) -> list[dict[str, Any]]:
        """Register sent emails, at most 1,000.

        Returns:
            One answer per email, in the same order.

        Raises:
            ServiceUnavailableError: Ask again.
            RefusedRequestError: Some email was not taken.
        """
        body = json.dumps({"emails": [registration(email) for email in emails]}).encode()
        headers = self._authorization | {"Content-Type": "application/json"}
        answers: list[dict[str, Any]] = self._decoded(self._request("POST", "/api/v1/emails", body, headers))["items"]
        for answer in answers:
            if "email_id" not in answer:
                raise RefusedRequestError(f"an email was not registered: {json.dumps(answer)}")
        return answers

    def ask(self, path: str) -> dict[str, Any]:
        """Ask the API.

        Raises:
            ServiceUnavailableError: Ask again.
            RefusedRequestError: There is no such thing, or it is not ours.
        """
        return self._decoded(self._request("GET", path, None, self._authorization))

    def sign_in_link(self) -> str:
        """Let somebody look at the pages, once.

        Raises:
            ServiceUnavailableError: Ask again.
            RefusedRequestError: We may not.
        """
        user = json.dumps({"user_id": "demo", "role": "admin", "name": "Demo admin"}).encode()
        headers = self._authorization | {"Content-Type": "application/json"}
        return str(self._decoded(self._request("POST", "/api/v1/user-sessions", user, headers))["url"])

    def is_ready(self) -> bool:
        """Whether the service can do its work."""
        try:
            return self._request("GET", "/health/ready", None, {}).status == http.client.OK
        except ServiceUnavailableError:
            return False

    def _decoded(self, answer: Answer) -> dict[str, Any]:
        if answer.status in {http.client.OK, http.client.CREATED}:
            decoded: dict[str, Any] = json.loads(answer.body)
            return decoded
        said = f"status {answer.status}: {answer.body[:500].decode(errors='replace')}"
        if answer.status == http.client.TOO_MANY_REQUESTS or answer.status >= http.client.INTERNAL_SERVER_ERROR:
            raise ServiceUnavailableError(said)
        raise RefusedRequestError(said)

    def _request(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        while kept := self._kept():
            try:
                return self._exchange(kept, method, path, body, headers)
            except _STALE:  # the server has closed it while nobody spoke: a new one tells whether it is there
                continue
            except (OSError, http.client.HTTPException) as error:
                raise self._no_answer(error) from error
        try:
            connection = self._connect(self._host, self._port, timeout=TIMEOUT_S)
            return self._exchange(connection, method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            raise self._no_answer(error) from error

    def _kept(self) -> http.client.HTTPConnection | None:
        try:
            return self._idle.get_nowait()
        except Empty:
            return None

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> Answer:
        try:
            connection.request(method, self._path + path, body, dict(headers))
            response = connection.getresponse()
            content = response.read()
        except BaseException:
            connection.close()
            raise
        self._idle.put(connection)
        try:
            retry_after_s = float(response.headers.get("Retry-After", "0"))
        except ValueError:  # a date, which this service does not send
            retry_after_s = 0.0
        return Answer(response.status, content, retry_after_s)

    def _no_answer(self, error: Exception) -> ServiceUnavailableError:
        return ServiceUnavailableError(f"no answer from {self._host}:{self._port}: {type(error).__name__}")


def registration(email: SentEmail) -> dict[str, Any]:
    """Describe a sent email as ``POST /api/v1/emails`` takes it."""
    return {
        "provider": email.provider,
        "message_id": email.message_id,
        "sent_at": email.sent_at.isoformat(),
        "subject": email.subject,
        "recipient": {
            "type": "Candidate",
            "id": email.candidate.id,
            "email": email.candidate.email,
            "name": email.candidate.name,
        },
        "sender": {"id": email.recruiter.id, "name": email.recruiter.name},
        "job": {"id": email.job.id, "title": email.job.title, "hiring_manager_id": email.job.hiring_manager_id},
        "template": {"id": email.template.id, "name": email.template.name},
        "campaign_id": str(email.campaign.id),
        "campaign_contact_id": str(email.campaign_contact_id),
        "tracking": True,
    }
