"""What the host application tells of a sent email, what it is answered, and what makes it unusable."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from domain.errors import InvalidMessageIdError
from domain.values import normalise_message_id

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_TEXT: Final = 2_000
LONGEST_ID: Final = 255
"""Characters of an id; two of them, at four bytes a character, fit into one entry of an index."""
MOST_LINKS: Final = 100_000
"""Links of one email."""

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = re.compile(rf"(?=.{{1,190}}\Z){_LABEL}(?:\.{_LABEL})+")
_REQUIRED: Final = frozenset({"recipient.id", "recipient.type", "sender.id", "job.id", "template.id"})


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an email went to, by the host application's own id."""

    type: str = "Candidate"
    id: str
    email: str
    name: str = ""


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """The recruiter who sent the email."""

    id: str
    name: str = ""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """The job that the email is about."""

    id: str
    title: str = ""
    hiring_manager_id: str = ""


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """The template that the email was written with."""

    id: str
    name: str = ""


class EmailRegistration(msgspec.Struct, frozen=True, kw_only=True):
    """One sent email, as the host application tells of it.

    Attributes:
        provider: Name in the provider registry, such as ``sendgrid``.
        message_id: As the provider's send API answered it.
        sent_at: With an offset; stored as UTC.
        tracking: Whether opens and clicks of this email may be recorded (PRE-2).
        internet_message_id: The Message-ID header that recipients see and replies quote, if it is the sender's own
            and not `message_id`.
        reply_domain: Where the organisation receives mail; asks for an address for the email's Reply-To.
        links: How many links of the email report when they are followed, 0 if that is not known: who follows all of
            them within a minute is a machine (BR-558.7). Instrumenting counts them itself.
    """

    provider: str
    message_id: str
    sent_at: datetime
    subject: str
    recipient: Recipient
    sender: Sender
    job: Job | None = None
    template: Template | None = None
    campaign_id: UUID | None = None
    campaign_contact_id: UUID | None = None
    tracking: bool = True
    internet_message_id: str | None = None
    reply_domain: str | None = None
    links: int = 0


class RegisteredEmail(msgspec.Struct, frozen=True, kw_only=True):
    """How a registered email is found again.

    Attributes:
        status: ``registered``, or ``already_registered`` where nothing was changed.
        reply_to: Mail to this address is known to answer the email; ``None`` unless a `reply_domain` was given.
    """

    email_id: UUID
    email_log_id: int
    tracking_id: str
    status: str
    reply_to: str | None = None


class RejectedEmail(msgspec.Struct, frozen=True, kw_only=True):
    """An email that was not registered, and why; the others of the same request were."""

    status: str = "rejected"
    field: str
    detail: str


def flaw_of(email: EmailRegistration, *, latest: datetime) -> RejectedEmail | None:
    """Say what is wrong with a registration by itself; ``None`` if nothing is.

    Args:
        email: As told.
        latest: No email was sent after this; aware UTC.
    """
    if email.sent_at.tzinfo is None:
        return RejectedEmail(field="sent_at", detail="has no offset from UTC, such as Z or +01:00")
    if not EARLIEST <= email.sent_at <= latest:
        return RejectedEmail(field="sent_at", detail="lies before 1970, or more than 24 hours in the future")
    if not 0 <= email.links <= MOST_LINKS:
        return RejectedEmail(field="links", detail=f"is not between 0 and {MOST_LINKS}")
    if flaw := _flaw_of_replies(email):
        return flaw
    return next(
        (flaw for field, value, longest in _texts(email) if (flaw := _flaw_of_text(field, value, longest))), None
    )


def _flaw_of_replies(email: EmailRegistration) -> RejectedEmail | None:
    if email.internet_message_id is not None:
        try:
            normalise_message_id(email.internet_message_id)
        except InvalidMessageIdError as error:
            return RejectedEmail(field="internet_message_id", detail=str(error).removeprefix("message_id "))
    if email.reply_domain is not None and _DOMAIN.fullmatch(email.reply_domain) is None:
        return RejectedEmail(field="reply_domain", detail="is no domain name, such as reply.example.com")
    return None


def _flaw_of_text(field: str, value: str, longest: int) -> RejectedEmail | None:
    if "\x00" in value:
        return RejectedEmail(field=field, detail="holds a NUL character")
    if len(value) > longest:
        return RejectedEmail(field=field, detail=f"is longer than {longest} characters")
    if field in _REQUIRED and not value.strip():
        return RejectedEmail(field=field, detail="is empty")
    return None


def _texts(email: EmailRegistration) -> Iterator[tuple[str, str, int]]:
    yield "recipient.id", email.recipient.id, LONGEST_ID
    yield "recipient.type", email.recipient.type, LONGEST_ID
    yield "sender.id", email.sender.id, LONGEST_ID
    yield "subject", email.subject, LONGEST_TEXT
    yield "recipient.name", email.recipient.name, LONGEST_TEXT
    yield "sender.name", email.sender.name, LONGEST_TEXT
    if email.job:
        yield "job.id", email.job.id, LONGEST_ID
        yield "job.title", email.job.title, LONGEST_TEXT
        yield "job.hiring_manager_id", email.job.hiring_manager_id, LONGEST_ID
    if email.template:
        yield "template.id", email.template.id, LONGEST_ID
        yield "template.name", email.template.name, LONGEST_TEXT
