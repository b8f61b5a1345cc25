"""What one fact becomes: the row of an email, of a timeline, or of what machines did."""

from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from domain.email_facts import (
    Bounced,
    Clicked,
    Delivered,
    Engagement,
    Opened,
    Replied,
    ReportedFact,
    Sent,
    SpamReported,
    Unsubscribed,
    addressee_of,
)
from read_models.engagement.agent import ReadAgent
from read_models.engagement.view import AutomatedRow, EmailLog, EventRow
from read_models.events import LoggedFact

WORDS: Final[dict[type[Any], tuple[str, str]]] = {
    Delivered: ("delivered", "delivered"),
    Opened: ("opened", "open"),
    Clicked: ("clicked", "click"),
    Bounced: ("bounced", "bounce"),
    SpamReported: ("spam_reported", "spam"),
    Unsubscribed: ("unsubscribed", "unsubscribe"),
    Replied: ("replied", "reply"),
}
"""The long word of the tracking table and the short word of the use case (DB-2); other facts only change the email."""


def email_row(logged: LoggedFact, sent: Sent) -> EmailLog:
    """Give the row of an email that was just registered."""
    return EmailLog(
        id=logged.place,
        email_id=logged.stream_id,
        organization_id=sent.organization_id,
        provider=sent.provider,
        message_id=sent.message_id,
        tracking_id=sent.tracking_id,
        tracking=sent.tracking,
        subject=sent.subject,
        recipient_type=sent.recipient_type,
        recipient_id=sent.recipient_id,
        recipient_email=sent.personal.address,
        recipient_name=sent.personal.name,
        sender_id=sent.sender.id,
        sender_name=sent.sender.name,
        job_id=sent.job.id if sent.job else None,
        template_id=sent.template.id if sent.template else None,
        template_name=sent.template.name if sent.template else None,
        campaign_id=sent.campaign_id,
        campaign_contact_id=sent.campaign_contact_id or logged.stream_id,
        addressee_id=addressee_of(sent),
        sent_at=sent.sent_at,
        created_at=sent.recorded_at,
        updated_at=sent.recorded_at,
    )


def event_row(logged: LoggedFact, fact: ReportedFact, email: EmailLog, read_agent: ReadAgent) -> EventRow:
    """Give a fact's row.

    Args:
        logged: Where it is.
        fact: What is told of it: less than was logged, if the recipient was erased. Its class has its `WORDS`.
        email: As the fact left it.
        read_agent: Tells device and client from a user agent.
    """
    personal = fact.personal
    judged = fact if isinstance(fact, Engagement) else None
    event_type, event_word = WORDS[type(fact)]
    return EventRow(
        place=logged.place,
        key=fact.key,
        email=email,
        event_type=event_type,
        event_word=event_word,
        occurred_at=fact.occurred_at,
        recorded_at=fact.recorded_at,
        url=fact.url if isinstance(fact, Clicked) else None,
        ip_address=personal.ip_address or None,
        user_agent=personal.user_agent or None,
        event_data=_event_data(fact, email, read_agent),
        verdict=judged.verdict.value if judged else None,
        reasons=judged.reasons if judged else (),
    )


def automated_row(logged: LoggedFact, fact: Engagement, email: EmailLog, read_agent: ReadAgent) -> AutomatedRow:
    """Give the row of what a machine did; see `event_row`."""
    return AutomatedRow(
        row=event_row(logged, fact, email, read_agent),  # type: ignore[arg-type]  # opens and clicks are the only engagements
        confidence=fact.confidence,
        rule_version=fact.rule_version,
    )


def implied_open_row(email: EmailLog) -> EventRow | None:
    """Give the row of the open that an email's first click implies; ``None`` if nothing implies one (MET-1)."""
    implied_at = email.open_implied_at
    if implied_at is None:
        return None
    return EventRow(
        place=-email.id,
        key=_implied_open_key(email.email_id),
        email=email,
        event_type="opened",
        event_word="open",
        occurred_at=implied_at,
        recorded_at=implied_at,
        event_data={"implied": True},
    )


def _implied_open_key(email_id: UUID) -> bytes:
    return blake2b(b"implied open", digest_size=16, key=email_id.bytes).digest()


def _event_data(fact: ReportedFact, email: EmailLog, read_agent: ReadAgent) -> dict[str, object] | None:
    data: dict[str, object] = {}
    if isinstance(fact, Opened):
        if fact.verdict.is_human:
            data["open_count"] = email.open_count
        _add_agent(data, fact, read_agent)
    elif isinstance(fact, Clicked):
        if fact.link_text:
            data["link_text"] = fact.link_text
        if fact.link_position:
            data["link_position"] = fact.link_position
        _add_agent(data, fact, read_agent)
    elif isinstance(fact, Bounced):
        data["bounce_type"] = fact.bounce_kind.value
        if fact.reason:
            data["bounce_reason"] = fact.reason
    if fact.metadata:
        data["metadata"] = fact.metadata
    return data or None


def _add_agent(data: dict[str, object], fact: Engagement, read_agent: ReadAgent) -> None:
    if not fact.personal.user_agent:
        return
    agent = read_agent(fact.personal.user_agent)
    if agent.device_type:
        data["device_type"] = agent.device_type
    if agent.email_client and isinstance(fact, Opened):
        data["email_client"] = agent.email_client
