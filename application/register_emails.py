"""Make sent emails known, so that reports about them find them."""

from datetime import datetime
from uuid import UUID

import msgspec


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


class RegisteredEmail(msgspec.Struct, frozen=True, kw_only=True):
    """How a registered email is found again.

    Attributes:
        status: ``registered``, or ``already_registered`` where nothing was changed.
    """

    email_id: UUID
    email_log_id: int
    tracking_id: str
    status: str


class RejectedEmail(msgspec.Struct, frozen=True, kw_only=True):
    """An email that was not registered, and why; the others of the same request were."""

    status: str = "rejected"
    field: str
    detail: str
