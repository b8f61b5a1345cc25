"""What the engagement read model keeps, and the port through which it keeps it."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

import msgspec

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NO_CAMPAIGN: Final = UUID(int=0)
QUARTER: Final = 15
"""Minutes for which sums are kept: in every time zone of the world a day begins with one of these."""
_QUARTER: Final = timedelta(minutes=QUARTER)
NOBODY_IN_PARTICULAR: Final = UUID(int=0)
"""Whom a row that was read, not registered, is addressed to: it was not asked for."""


class EmailLog(msgspec.Struct, gc=False):
    """One email's row: what was registered, and what the facts so far add up to.

    Attributes:
        id: Place of the registration in the global order (``email_log_id``).
        campaign_contact_id: The campaign's, or the email's own id outside of campaigns.
        opened_at: Earliest human open (BR-558.2); an open implied by a click has no time.
        unique_click_count: Different links, by URL and position, that a person followed (BR-558.3).
        last_engaged_at: Latest human open, click or reply.
        erased_by: Place of the fact that erased the recipient; the email's rows no longer say who that was.
        addressee_id: Names the recipient's address, as `domain.values.addressee_id_for` does.
        bounced_at: Of the gravest bounce, then the earliest.
    """

    id: int
    email_id: UUID
    organization_id: UUID
    tracking_id: str
    tracking: bool
    job_id: str | None
    template_id: str | None
    campaign_id: UUID | None
    campaign_contact_id: UUID
    sent_at: datetime
    updated_at: datetime
    delivered_at: datetime | None = None
    deferred_at: datetime | None = None
    opened_at: datetime | None = None
    open_count: int = 0
    clicked_at: datetime | None = None
    click_count: int = 0
    unique_click_count: int = 0
    replied_at: datetime | None = None
    reply_count: int = 0
    last_engaged_at: datetime | None = None
    bounced_at: datetime | None = None
    bounce_type: str | None = None
    bounce_reason: str | None = None
    dropped_at: datetime | None = None
    drop_reason: str | None = None
    unsubscribed_at: datetime | None = None
    spam_reported_at: datetime | None = None
    machine_open_count: int = 0
    scanner_click_count: int = 0
    erased_by: int | None = None
    # Told by the registration alone; not read again.
    created_at: datetime | None = None
    provider: str = ""
    message_id: str = ""
    subject: str = ""
    recipient_type: str = ""
    recipient_id: str = ""
    recipient_email: str = ""
    recipient_name: str = ""
    sender_id: str = ""
    sender_name: str = ""
    template_name: str | None = None
    addressee_id: UUID = NOBODY_IN_PARTICULAR

    @property
    def open_is_implied(self) -> bool:
        """Whether a person must have opened the email, because one clicked, though no open was reported (MET-1)."""
        return self.open_count == 0 and self.click_count > 0

    @property
    def open_implied_at(self) -> datetime | None:
        """When the first click implied an open; ``None`` if none is implied, or privacy mode keeps back when."""
        return self.clicked_at if self.open_is_implied else None

    @property
    def is_clicked_by_any(self) -> bool:
        """Whether a person or a machine followed a link."""
        return self.click_count + self.scanner_click_count > 0

    @property
    def is_opened_by_any(self) -> bool:
        """Whether a person or a machine opened the email; a click implies an open."""
        return self.open_count + self.machine_open_count > 0 or self.is_clicked_by_any

    @property
    def left(self) -> bool:
        """Whether the email was really sent: a provider that dropped it never sent it."""
        return self.dropped_at is None or bool(
            self.delivered_at or self.bounced_at or self.open_count or self.click_count or self.reply_count
        )


class EventRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One fact in a timeline, in ``engagement_tracking`` and ``email_engagement_events``.

    Attributes:
        place: Position in the global order; the negative email log id for an implied open.
        verdict: Of an open or a click; ``None`` for other facts, and for an implied open.
        reasons: Names of the rules that led to the verdict.
        event_type: The long word (``opened``); ``event_word`` is the use case's short one (``open``).
    """

    place: int
    key: bytes
    email: EmailLog
    event_type: str
    event_word: str
    occurred_at: datetime
    recorded_at: datetime
    url: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    event_data: dict[str, object] | None = None
    verdict: str | None = None
    reasons: tuple[str, ...] = ()


class AutomatedRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a machine did, and why it is thought to be one: the row has verdict and reasons."""

    row: EventRow
    confidence: float
    rule_version: int


class LinkClicks(msgspec.Struct, kw_only=True, gc=False):
    """Clicks on one link of one email in a batch.

    Attributes:
        click_count: By people; ``scanner_click_count`` is apart from it.
        first_clicked_at: Earliest by a person; ``None`` where privacy mode keeps it back.
    """

    email: EmailLog
    url: str
    link_position: str
    link_text: str
    click_count: int = 0
    scanner_click_count: int = 0
    first_clicked_at: datetime | None = None


class Totals(msgspec.Struct, frozen=True):
    """What one tracked email contributes to the sums; also a difference of two contributions.

    Attributes:
        seconds_to_open: Sum over ``timed_opens`` emails of the seconds from sending to the first open.
        raw_opened: Emails that a person or a machine opened; a click implies an open. ``raw_clicked`` likewise.
    """

    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    total_opens: int = 0
    total_clicks: int = 0
    unique_clicks: int = 0
    replied: int = 0
    bounced: int = 0
    unsubscribed: int = 0
    spam_reported: int = 0
    machine_opens: int = 0
    scanner_clicks: int = 0
    timed_opens: int = 0
    seconds_to_open: int = 0
    raw_opened: int = 0
    raw_clicked: int = 0


TotalsKey = tuple[UUID, datetime, str, UUID, str]
"""``organization_id, sent_quarter, job_id, campaign_id, template_id``; "" and `NO_CAMPAIGN` where there is none."""

LinkKey = tuple[int, UUID]
"""``email_log_id, link_key``."""


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """How an email names its job or template; the latest email's words hold."""

    organization_id: UUID
    id: str
    name: str
    hiring_manager_id: str = ""
    named_at: datetime
    named_by: int


class Replaced(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An email that was folded again: all of its rows that exist go, and those of the same changes take their place.

    Attributes:
        email: The row that takes the old one's place.
        places: Of every fact that may have a row.
        keys: Of the same facts.
    """

    email: EmailLog
    places: list[int]
    keys: list[bytes]


class Changes(msgspec.Struct, kw_only=True):
    """What a batch of facts changes.

    Attributes:
        changed: Emails registered before the batch; those in `replaced` too.
        replaced: Emails registered before the batch that were folded again from their whole stream.
        campaigns: When the first email was sent of campaigns whose emails were purged.
        purged: Email log ids whose rows go, in every table but those of totals and names.
    """

    registered: list[EmailLog] = msgspec.field(default_factory=list)
    changed: dict[UUID, EmailLog] = msgspec.field(default_factory=dict)
    replaced: list[Replaced] = msgspec.field(default_factory=list)
    events: list[EventRow] = msgspec.field(default_factory=list)
    automated: list[AutomatedRow] = msgspec.field(default_factory=list)
    implied_opens_gone: list[EmailLog] = msgspec.field(default_factory=list)
    links: dict[LinkKey, LinkClicks] = msgspec.field(default_factory=dict)
    totals: dict[TotalsKey, list[int]] = msgspec.field(default_factory=dict)
    campaigns: dict[tuple[UUID, UUID], datetime] = msgspec.field(default_factory=dict)
    jobs: dict[tuple[UUID, str], Named] = msgspec.field(default_factory=dict)
    templates: dict[tuple[UUID, str], Named] = msgspec.field(default_factory=dict)
    purged: list[int] = msgspec.field(default_factory=list)


class EngagementView(Protocol):
    """Keeps the rows, inside the transaction that also moves the read model's position."""

    def emails(self, email_ids: Collection[UUID]) -> Mapping[UUID, EmailLog]:
        """Give the rows of those emails that are known; they may be changed in place."""
        ...

    def links(self, keys: Collection[LinkKey]) -> Collection[LinkKey]:
        """Give those of the links that a person followed before."""
        ...

    def emails_to(self, addressee_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
        """Give the ids of the known emails to some addressees, each with its addressee's id."""
        ...

    def purged(self, purge_id: UUID) -> Collection[int]:
        """Give the email log ids of the rows that are here of emails that a purge deleted the facts of."""
        ...

    def save(self, changes: Changes) -> None:
        """Keep what a batch changed."""
        ...


def quarter_of(instant: datetime) -> datetime:
    """Give the begin of the quarter of an hour that an instant, in UTC, lies in."""
    return instant - (instant - _EPOCH) % _QUARTER
