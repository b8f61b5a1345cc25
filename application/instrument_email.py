"""Give an email that is about to be sent its pixel, its tracked links and its way to unsubscribe."""

import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

import msgspec

from application.email_registrations import EmailRegistration, RegisteredEmail, RejectedEmail
from application.html_anatomy import Anatomy, FoundLink, anatomy_of
from application.link_texts import links_of_text
from application.ports.tracking_tokens import LONGEST_TOKEN, EmailReference, TrackedLink, TrackingTokens
from application.ports.unit_of_work import UnitsOfWork
from domain.email_facts import Personal
from domain.redaction import without_recipient
from domain.tracking_terms import TrackingTerms
from domain.values import addressee_id_for, normalise_address
from domain.web_addresses import web_address

LONGEST_BODY: Final = 1_000_000
"""Characters of HTML or text; mail programs cut what they show at a tenth of that."""
MOST_LINKS: Final = 1_000
"""Links of one email that are tracked; further ones stay as they are."""

_PLACEHOLDER: Final = re.compile(r"(?:\{\{|%7B%7B)(?:\s|%20)*unsubscribe_url(?:\s|%20)*(?:\}\}|%7D%7D)", re.IGNORECASE)
_LINE_BREAK: Final = re.compile(r"[\r\n]")
_MESSAGE_ID: Final = re.compile(r"[^\s<>@]+@[^\s<>@]+")

RegistersEmails: TypeAlias = Callable[[UUID, list[EmailRegistration]], list[RegisteredEmail | RejectedEmail]]


class NotTracked(StrEnum):
    """Why an email is not tracked."""

    NOT_ASKED_FOR = "not_asked_for"
    """By whoever sends it."""
    TRACKING_DISABLED = "tracking_disabled"
    """By the organisation."""
    NO_CONSENT = "no_consent"
    """The recipient opted out, or did not opt in where that is needed."""
    REGISTERED_UNTRACKED = "registered_untracked"
    """It was registered before, at a time when one of those held."""


class InstrumentedEmail(msgspec.Struct, frozen=True, kw_only=True):
    """An email as it is to be sent.

    Attributes:
        html: With pixel and tracked links; ``None`` if none was given.
        text: With tracked links; ``None`` if none was given.
        headers: To be set on the email.
        reply_to: As of `application.register_emails.RegisteredEmail`.
        tracked: Whether html and text are tracked; if not, they are as they came, but for the unsubscribe placeholder.
        reason: Why it is not tracked; ``None`` if it is.
        links: Number of links that are tracked in html and text.
    """

    email_id: UUID
    email_log_id: int
    tracking_id: str
    html: str | None
    text: str | None
    headers: dict[str, str]
    reply_to: str | None
    tracked: bool
    reason: NotTracked | None
    links: int


class InstrumentEmail:
    """Registers an email and instruments it; doing it again gives the same answer.

    Args:
        register: Registers it, see `application.register_emails.RegisterEmails`.
        units: Says under which terms it was registered.
        tokens: What links carry.
        public_url: How recipients reach this service; no trailing slash.

    Source:
        PRE-1 … PRE-3 tracking enabled, pixel and links enabled, candidate not opted out; SEC-4.
    """

    def __init__(
        self, register: RegistersEmails, units: UnitsOfWork, tokens: TrackingTokens, *, public_url: str
    ) -> None:
        self._register = register
        self._units = units
        self._tokens = tokens
        self._public_url = public_url

    def __call__(
        self, organization_id: UUID, registration: EmailRegistration, *, html: str | None, text: str | None
    ) -> InstrumentedEmail | RejectedEmail:
        """Instrument one email.

        Args:
            organization_id: Whose email it is.
            registration: As for an email that is only registered.
            html: Its HTML, a whole document or a part of one.
            text: Its plain text.

        Raises:
            StoreUnavailableError: Nothing was registered; ask again.
        """
        if flaw := _flaw(registration, html, text):
            return flaw
        own = f"{self._public_url}/t/"
        anatomy = None if html is None else anatomy_of(html)
        links = _followed_links(anatomy, text, own)
        (answer,) = self._register(organization_id, [msgspec.structs.replace(registration, links=links)])
        if isinstance(answer, RejectedEmail):
            return answer
        email = EmailReference(organization_id, answer.email_id)
        reason = self._reason_not_to_track(email, registration)
        unsubscribe_url = f"{self._public_url}/t/u/{self._tokens.for_unsubscribe(email)}"
        links = 0
        if reason is None:
            recipient = Personal(
                address=normalise_address(registration.recipient.email), name=registration.recipient.name
            )
            marker = _Marker(self._tokens, email, recipient, own=own)
            html = None if html is None or anatomy is None else marker.html(html, anatomy)
            text = None if text is None else marker.text(text)
            links = marker.links
        return InstrumentedEmail(
            email_id=answer.email_id,
            email_log_id=answer.email_log_id,
            tracking_id=answer.tracking_id,
            html=None if html is None else _PLACEHOLDER.sub(unsubscribe_url, html),
            text=None if text is None else _PLACEHOLDER.sub(unsubscribe_url, text),
            headers=_headers(registration, unsubscribe_url)
            | ({} if answer.reply_to is None else {"Reply-To": answer.reply_to}),
            reply_to=answer.reply_to,
            tracked=reason is None,
            reason=reason,
            links=links,
        )

    def _reason_not_to_track(self, email: EmailReference, registration: EmailRegistration) -> NotTracked | None:
        if not registration.tracking:
            return NotTracked.NOT_ASKED_FOR
        organization_id = email.organization_id
        addressee_id = addressee_id_for(organization_id, normalise_address(registration.recipient.email))
        with self._units.begin() as unit:
            policy = unit.tracking.policies([organization_id])[organization_id]
            terms = TrackingTerms(policy, unit.tracking.consents([addressee_id]).get(addressee_id))
            sent = unit.registrations([email.email_id])[email.email_id].sent
        if terms.refusal:
            return NotTracked(terms.refusal)
        return None if sent.tracking else NotTracked.REGISTERED_UNTRACKED


def _flaw(registration: EmailRegistration, html: str | None, text: str | None) -> RejectedEmail | None:
    for field, body in (("html", html), ("text", text)):
        if body is not None and len(body) > LONGEST_BODY:
            return RejectedEmail(field=field, detail=f"is longer than {LONGEST_BODY} characters")
    if html is None and text is None:
        return RejectedEmail(field="html", detail="is missing, and so is text: send one of them or both")
    if _LINE_BREAK.search(registration.subject):
        return RejectedEmail(field="subject", detail="holds a line break, which would end the header it is sent in")
    return None


def _target(written: str, own: str) -> str:
    """Give the address of a link that can be tracked; "" of any other, and of ours."""
    url = web_address(written)
    return "" if not url or url.startswith(own) else url


def _followed_links(anatomy: Anatomy | None, text: str | None, own: str) -> int:
    """Count the links of what a reader, or a scanner, sees: the HTML; the text where that has none."""
    seen = [link for link in anatomy.links if not (link.opted_out or link.for_outlook)] if anatomy else []
    in_html = sum(1 for link in seen if _target(link.written, own))
    in_text = 0 if in_html or text is None else sum(1 for link in links_of_text(text) if _target(link.written, own))
    return min(in_html or in_text, MOST_LINKS)


class _Marker:
    """Puts one email's tokens in place.

    Args:
        tokens: Makes them.
        email: Whose they are.
        recipient: Whom nothing that is kept may name.
        own: How our own links begin; they are left alone.
    """

    def __init__(self, tokens: TrackingTokens, email: EmailReference, recipient: Personal, *, own: str) -> None:
        self._tokens = tokens
        self._email = email
        self._recipient = recipient
        self._own = own
        self.links = 0

    def html(self, html: str, anatomy: Anatomy) -> str:
        pixel_url = f"{self._own}o/{self._tokens.for_open(self._email)}"
        edits = list(self._edits_of(anatomy.links))
        if pixel_url not in anatomy.images:
            pixel = f'<img src="{pixel_url}" width="1" height="1" alt="" style="border:0;width:1px;height:1px">'
            edits.append((anatomy.end_of_body, anatomy.end_of_body, pixel))
        return _edited(html, edits)

    def text(self, text: str) -> str:
        edits = []
        for number, (start, end, written) in enumerate(links_of_text(text), 1):
            if tracked := self._tracked(written, f"text-{number}", ""):
                edits.append((start, end, tracked))
        return _edited(text, edits)

    def _edits_of(self, links: Iterable[FoundLink]) -> Iterable[tuple[int, int, str]]:
        number = outlooks = 0
        for link in links:
            if link.for_outlook:
                outlooks += 1
                position = f"outlook-{outlooks}"
            else:
                number += 1
                position = str(number)
            if not link.opted_out and (tracked := self._tracked(link.written, position, link.text)):
                yield link.start, link.end, tracked

    def _tracked(self, written: str, position: str, text: str) -> str:
        url = _target(written, self._own)
        if not url or self.links == MOST_LINKS:
            return ""
        kept = without_recipient(url, self._recipient)
        link = TrackedLink(
            url=url,
            position=position,
            text=without_recipient(text, self._recipient),
            counted_as="" if kept == url else kept,
        )
        token = self._tokens.for_click(self._email, link)
        if len(token) > LONGEST_TOKEN:
            return ""
        self.links += 1
        return f"{self._own}c/{token}"


def _edited(document: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """Replace parts of a document; all else stays as it is, byte for byte."""
    parts, done = [], 0
    for start, end, replacement in sorted(edits, key=lambda edit: edit[:2]):
        parts += [document[done:start], replacement]
        done = end
    return "".join([*parts, document[done:]])


def _headers(registration: EmailRegistration, unsubscribe_url: str) -> dict[str, str]:
    """Give the headers of RFC 8058, and the id under which replies and reports will name the email."""
    headers = {"List-Unsubscribe": f"<{unsubscribe_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    message_id = registration.message_id.strip().removeprefix("<").removesuffix(">").strip()
    if registration.provider == "email" and _MESSAGE_ID.fullmatch(message_id) and message_id.isascii():
        headers["Message-ID"] = f"<{message_id}>"
    return headers
