"""Instrument emails from a program that sends them itself: one file, standard library only, to be copied or imported.

message = EmailMessage()
...
tracked = instrument_message(message, REGISTRATION, service_url="https://pulse.example.com", api_key=API_KEY)
smtplib.SMTP("localhost").send_message(message)
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import Policy
from typing import Any, Final, Self
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

TIMEOUT_S: Final = 10.0


class InstrumentingFailedError(Exception):
    """The email was not instrumented; it can be sent as it is, or instrumented again later.

    Attributes:
        status: HTTP status; 0 if there was no answer.
        detail: What is wrong, for people.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}" if status else detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True)
class Instrumented:
    """An email as it is to be sent; see ``POST /api/v1/emails/instrument``.

    Attributes:
        html: ``None`` if none was given.
        text: ``None`` if none was given.
        headers: To be set on the email.
        tracked: Whether html and text are tracked.
        reason: Why they are not; ``None`` if they are.
    """

    email_id: str
    email_log_id: int
    tracking_id: str
    html: str | None
    text: str | None
    headers: Mapping[str, str]
    tracked: bool
    reason: str | None


def instrument(
    registration: Mapping[str, Any],
    *,
    html: str | None = None,
    text: str | None = None,
    service_url: str,
    api_key: str,
    timeout_s: float = TIMEOUT_S,
) -> Instrumented:
    """Register an email that is about to be sent, and have it tracked.

    Args:
        registration: As ``POST /api/v1/emails`` takes it, with ``provider`` ``email`` where no provider reports.
        html: Its HTML.
        text: Its plain text.
        service_url: Where Mailpulse is, http or https.
        api_key: Of the organisation.
        timeout_s: Longest wait for an answer.

    Raises:
        InstrumentingFailedError: Says why; nothing was changed.
    """
    if not service_url.startswith(("https://", "http://")):
        raise InstrumentingFailedError(0, "service_url has to begin with https:// or http://")
    request = Request(  # noqa: S310 - the scheme was just checked
        f"{service_url.rstrip('/')}/api/v1/emails/instrument",
        data=json.dumps({**registration, "html": html, "text": text}).encode(),
        headers={"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"},
    )
    try:
        with urlopen(request, timeout=timeout_s) as answer:  # noqa: S310 - the scheme was just checked
            told = json.load(answer)
    except HTTPError as error:
        raise InstrumentingFailedError(error.code, _detail_of(error)) from error
    except (URLError, OSError, ValueError) as error:
        raise InstrumentingFailedError(0, f"{service_url} did not answer: {error}") from error
    return Instrumented(**{name: told[name] for name in Instrumented.__dataclass_fields__})


def instrument_message(
    message: EmailMessage,
    registration: Mapping[str, Any],
    *,
    service_url: str,
    api_key: str,
    timeout_s: float = TIMEOUT_S,
) -> Instrumented:
    """Register a message that is about to be sent, and have its parts and headers tracked in place.

    Args:
        message: Complete; attachments stay as they are.
        registration: As for `instrument`.
        service_url: As for `instrument`.
        api_key: As for `instrument`.
        timeout_s: As for `instrument`.

    Raises:
        InstrumentingFailedError: The message is as it was.
    """
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    answer = instrument(
        registration,
        html=None if html is None else html.get_content(),
        text=None if text is None else text.get_content(),
        service_url=service_url,
        api_key=api_key,
        timeout_s=timeout_s,
    )
    if html is not None and answer.html is not None:
        html.set_content(answer.html, subtype="html")
    if text is not None and answer.text is not None:
        text.set_content(answer.text)
    for name, value in answer.headers.items():
        del message[name]
        message[name] = _OnOneLine(value, name) if name == "List-Unsubscribe" else value
    return answer


class _OnOneLine(str):
    """A header's value that goes out as it is.

    The standard library would write a long one as encoded words (RFC 2047), which no mail program reads in
    List-Unsubscribe: there would be no one-click unsubscription.
    """

    __slots__ = ("name",)
    name: str

    def __new__(cls, value: str, name: str = "") -> Self:
        header = super().__new__(cls, value)
        header.name = name
        return header

    def fold(self, *, policy: Policy) -> str:
        """Write it; the policy of the message asks for that."""
        return f"{self.name}: {self}{policy.linesep}"


def _detail_of(error: HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return error.reason or "no reason given"
