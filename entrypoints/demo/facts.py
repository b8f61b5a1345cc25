"""What can happen to an email, before any provider puts it into words."""

from datetime import datetime
from enum import StrEnum

import msgspec

from entrypoints.demo.team import SentEmail


class Kind(StrEnum):
    """What happened, in the words of the service's tracking table."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    OPENED = "opened"
    CLICKED = "clicked"
    BOUNCED = "bounced"
    DROPPED = "dropped"
    SPAM_REPORTED = "spam_reported"
    UNSUBSCRIBED = "unsubscribed"
    REPLIED = "replied"


class Cause(StrEnum):
    """Who did it."""

    PERSON = "person"
    PREFETCH = "prefetch"
    """A mail program fetched the images unasked; of the providers only SendGrid says so."""
    SCANNER = "scanner"
    """A security gateway followed links; no provider says so."""


class Bounce(msgspec.Struct, frozen=True, kw_only=True):
    """Why an email came back.

    Attributes:
        kind: ``hard``, ``soft`` or ``block``.
        reason: One word for the cause.
        status: Enhanced status code.
        answer: What the recipient's mail server said.
        ses_type: SES's words for it, type and subtype.
    """

    kind: str
    reason: str
    status: str
    answer: str
    ses_type: tuple[str, str]


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened once, however often it is reported.

    Attributes:
        event_id: A UUID's text, unique in the story.
        email: To which it happened.
        at: Aware UTC, whole seconds: some providers tell no more.
        position: Of the link, for clicks; -1 for anything else.
    """

    event_id: str
    email: SentEmail
    kind: Kind
    at: datetime
    cause: Cause = Cause.PERSON
    position: int = -1
    ip_address: str = ""
    user_agent: str = ""
    bounce: Bounce | None = None

    @property
    def url(self) -> str:
        """Where the followed link leads."""
        return self.email.url(self.position)
