"""What a provider reports about an email, as commands on `EmailMessage`.

Webhook adapters produce these; they hold facts only, already freed of any vendor's field names.
"""

from datetime import datetime
from hashlib import blake2b
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.values import BounceKind, Signal, Verdict


class Prejudged(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What was concluded from an open or a click before it lost what rules look at, to wait for its email.

    Attributes:
        key: What `Report.key_for` gave.
        verdict: And the rest as in `Engagement`.
        is_withheld: Whether it came in privacy mode: whatever holds later, nothing more than this is known of it.
    """

    key: bytes
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    confidence: float = 1.0
    rule_version: int = 0
    is_withheld: bool = False


class Report(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", gc=False):
    """What every report tells.

    Attributes:
        message_id: As the provider's adapter normalises it.
        recipient: Bare lower-case address.
        occurred_at: Aware UTC: when it happened, not when it was reported.
        event_id: The provider's own id of this event, stable over retries; "" if it gives none.
        detail: The provider's free words (SMTP answer); may hold addresses, so it is personal.
        metadata: What the sender attached to the email at the provider; small, flat.
        prejudged: Of opens and clicks that were parked without everything; ``None`` of what just came.
        is_named: Of a delivery report that came as mail and waits for its email: whether that was sent to `recipient`
            by name. If it turns out to be somebody else's, the report is about a copy.
    """

    KIND: ClassVar[str] = ""

    message_id: str
    recipient: str
    occurred_at: datetime
    event_id: str = ""
    detail: str = ""
    metadata: dict[str, str | int | float | bool | None] | None = None
    prejudged: Prejudged | None = None
    is_named: bool = False

    def key_for(self, email_id: UUID) -> bytes:
        """Identify the fact, so that the same report is recognised however often and late it comes.

        Returns:
            16 bytes; as a UUID they are the event's public id.

        Source:
            BR-558.5 Webhook idempotency: by the provider's event id, else by what happened when.
        """
        if self.prejudged is not None:
            return self.prejudged.key
        what = f"{self.KIND}\n{self.event_id}" if self.event_id else self._natural_key()
        return blake2b(what.encode(), digest_size=16, key=email_id.bytes).digest()

    def _natural_key(self) -> str:
        return f"{self.KIND}\n\n{self.occurred_at.isoformat()}"


class RecordDelivery(Report, frozen=True, kw_only=True, tag="delivered", gc=False):
    """The recipient's mail server took the email."""

    KIND = "delivered"


class RecordDeferral(Report, frozen=True, kw_only=True, tag="deferred", gc=False):
    """The recipient's mail server asked to try again later."""

    KIND = "deferred"


class RecordOpen(Report, frozen=True, kw_only=True, tag="opened", gc=False):
    """The email was displayed, or something fetched its images.

    Attributes:
        ip_address: Of whoever fetched; "" if unknown.
        user_agent: Raw header; "" if the provider sent none.
        provider_verdict: What the provider itself says about who it was.
        signals: What a request to a link of our own says about itself, in the words of `Signal`.
        without_details: Whether who engaged asks not to be followed (Sec-GPC, DNT): address and agent serve the
            verdict and are not kept.
    """

    KIND = "opened"

    ip_address: str = ""
    user_agent: str = ""
    provider_verdict: Verdict | None = None
    signals: tuple[Signal, ...] = ()
    without_details: bool = False


class RecordClick(Report, frozen=True, kw_only=True, tag="clicked", gc=False):
    """A link of the email was followed.

    Attributes:
        url: Where the link leads; never empty.
        link_position: Which of several links it was, in the provider's words ("2", "header"); "" if unknown.
        link_text: What the reader saw; "" if unknown.
        without_details: As of `RecordOpen`.

    Source:
        AF-4 Link click attribution: link metadata (text, position).
    """

    KIND = "clicked"

    url: str
    link_position: str = ""
    link_text: str = ""
    ip_address: str = ""
    user_agent: str = ""
    provider_verdict: Verdict | None = None
    signals: tuple[Signal, ...] = ()
    without_details: bool = False

    def _natural_key(self) -> str:
        return f"{self.KIND}\n\n{self.occurred_at.isoformat()}\n{self.url}\n{self.link_position}"


class RecordBounce(Report, frozen=True, kw_only=True, tag="bounced", gc=False):
    """The email came back.

    Attributes:
        bounce_kind: Hard (never try again), block (refused for its content or sender) or soft.
        reason: One lower_snake_case word for the cause, such as ``mailbox_does_not_exist``; "" if unknown.
    """

    KIND = "bounced"

    bounce_kind: BounceKind
    reason: str = ""


class RecordDrop(Report, frozen=True, kw_only=True, tag="dropped", gc=False):
    """The provider itself refused to send the email.

    Attributes:
        reason: One lower_snake_case word for the cause; "" if unknown.
    """

    KIND = "dropped"

    reason: str = ""


class RecordSpamReport(Report, frozen=True, kw_only=True, tag="spam_reported", gc=False):
    """The recipient marked the email as spam."""

    KIND = "spam_reported"


class RecordUnsubscribe(Report, frozen=True, kw_only=True, tag="unsubscribed", gc=False):
    """The recipient asked for no more email."""

    KIND = "unsubscribed"


class RecordReply(Report, frozen=True, kw_only=True, tag="replied", gc=False):
    """The recipient answered."""

    KIND = "replied"


AnyReport = (
    RecordDelivery
    | RecordDeferral
    | RecordOpen
    | RecordClick
    | RecordBounce
    | RecordDrop
    | RecordSpamReport
    | RecordUnsubscribe
    | RecordReply
)


def is_withheld(report: AnyReport) -> bool:
    """Whether a parked report came in privacy mode."""
    return report.prejudged is not None and report.prejudged.is_withheld
