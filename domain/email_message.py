"""One email to one recipient, and everything that was reported about it.

State is a fold over facts that gives the same answer in any order of arrival, and a repeated report changes nothing
(BR-558.5).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from domain.commands import AnyReport, RecordClick, RecordOpen
from domain.email_decisions import fact_from
from domain.email_facts import (
    AnyFact,
    Bounced,
    Clicked,
    Deferred,
    Delivered,
    Dropped,
    Opened,
    Recorded,
    Replied,
    Sent,
    SpamReported,
    Unsubscribed,
)
from domain.values import BounceKind

MOST_FACTS: Final = 10_000
"""No person opens an email so often. Every further report would cost as much again as all before it."""

_GRAVITY: Final = {BounceKind.HARD: 0, BounceKind.BLOCK: 1, BounceKind.SOFT: 2}


def _earliest(known: datetime | None, seen: datetime) -> datetime:
    return seen if known is None or seen < known else known


class EmailMessage:
    """One email to one recipient: decides what a report means and folds what was decided.

    Satisfies `eventsourcing`'s protocols for mutable aggregates and for collecting events. A message without `sent` is
    unknown: nobody registered it yet.
    """

    TOPIC: ClassVar[str] = "EmailMessage"

    __slots__ = (
        "_id",
        "_pending",
        "_version",
        "bounce",
        "click_count",
        "clicked_at",
        "deferred_at",
        "delivered_at",
        "dropped_at",
        "links_clicked",
        "machine_open_count",
        "open_count",
        "opened_at",
        "replied_at",
        "reply_count",
        "scanner_click_count",
        "seen",
        "sent",
        "spam_reported_at",
        "unsubscribed_at",
    )

    def __init__(self, email_id: UUID) -> None:
        """Begin with nothing known.

        Args:
            email_id: As `email_id_for` names it.
        """
        self._id = email_id
        self._version = 0
        self._pending: list[Recorded] = []
        self.seen: set[bytes] = set()
        self.sent: Sent | None = None
        self.delivered_at: datetime | None = None
        self.deferred_at: datetime | None = None
        self.opened_at: datetime | None = None
        self.open_count = 0
        self.clicked_at: datetime | None = None
        self.click_count = 0
        self.links_clicked: set[tuple[str, str]] = set()
        self.machine_open_count = 0
        self.scanner_click_count = 0
        self.bounce: Bounced | None = None
        self.dropped_at: datetime | None = None
        self.spam_reported_at: datetime | None = None
        self.unsubscribed_at: datetime | None = None
        self.replied_at: datetime | None = None
        self.reply_count = 0

    @property
    def id(self) -> UUID:
        """The email's id."""
        return self._id

    @property
    def version(self) -> int:
        """Number of facts in the stream, pending ones included."""
        return self._version

    @property
    def is_known(self) -> bool:
        """Whether somebody registered this email."""
        return self.sent is not None

    def refuses(self, report: AnyReport) -> bool:
        """Whether the email has so many facts that further opens and clicks are counted, but no longer kept."""
        return self._version >= MOST_FACTS and isinstance(report, RecordOpen | RecordClick)

    @property
    def unique_click_count(self) -> int:
        """How many different links a person followed (BR-558.3)."""
        return len(self.links_clicked)

    def collect_events(self) -> Sequence[Recorded]:
        """Hand over what was decided since the last call, in stream order."""
        pending, self._pending = self._pending, []
        return pending

    def register(self, sent: Sent) -> bool:
        """Make the email known.

        Returns:
            Whether this was news; registering again changes nothing.
        """
        if self.sent is not None:
            return False
        self._record(sent)
        return True

    def record(self, report: AnyReport, *, received_at: datetime, delivery_id: int = 0) -> bool:
        """Decide what a report adds to what is known.

        Args:
            report: About this email.
            received_at: Aware UTC, when its delivery came in.
            delivery_id: Number of that delivery.

        Returns:
            Whether it was news; a repeated report, and engagement with an untracked email, are not.

        Source:
            BR-558.5 Webhook idempotency; PRE-2 tracking enabled per email.
        """
        key = report.key_for(self._id)
        if key in self.seen:
            return False
        if isinstance(report, RecordOpen | RecordClick) and not self._tracks:
            return False
        self._record(fact_from(report, key, received_at, delivery_id))
        return True

    def _record(self, fact: AnyFact) -> None:
        self.replay(fact)
        self._pending.append(Recorded(self._id, self._version, fact))

    def replay(self, fact: AnyFact) -> None:
        """Fold the next fact of the stream."""
        self._version += 1
        if isinstance(fact, Sent):
            self.sent = fact
            return
        self.seen.add(fact.key)
        match fact:
            case Opened():
                self._evolve_opened(fact)
            case Clicked():
                self._evolve_clicked(fact)
            case Delivered():
                self.delivered_at = _earliest(self.delivered_at, fact.occurred_at)
            case Bounced():
                if self.bounce is None or bounce_rank(fact) < bounce_rank(self.bounce):
                    self.bounce = fact
            case Deferred():
                self.deferred_at = _earliest(self.deferred_at, fact.occurred_at)
            case Dropped():
                self.dropped_at = _earliest(self.dropped_at, fact.occurred_at)
            case SpamReported():
                self.spam_reported_at = _earliest(self.spam_reported_at, fact.occurred_at)
            case Unsubscribed():
                self.unsubscribed_at = _earliest(self.unsubscribed_at, fact.occurred_at)
            case Replied():
                self.reply_count += 1
                self.replied_at = _earliest(self.replied_at, fact.occurred_at)

    def _evolve_opened(self, fact: Opened) -> None:
        if fact.verdict.is_human:
            self.open_count += 1
            self.opened_at = _earliest(self.opened_at, fact.occurred_at)
        elif fact.verdict.is_counted_apart:
            self.machine_open_count += 1

    def _evolve_clicked(self, fact: Clicked) -> None:
        if fact.verdict.is_human:
            self.click_count += 1
            self.links_clicked.add((fact.url, fact.link_position))
            self.clicked_at = _earliest(self.clicked_at, fact.occurred_at)
        elif fact.verdict.is_counted_apart:
            self.scanner_click_count += 1

    @property
    def _tracks(self) -> bool:
        return self.sent is not None and self.sent.tracking


def bounce_rank(bounce: Bounced) -> tuple[int, datetime, str]:
    """Order bounces so that the one that counts for the email comes first: the gravest, then the earliest."""
    return bounce_rank_of(bounce.bounce_kind, bounce.occurred_at, bounce.reason)


def bounce_rank_of(kind: BounceKind, occurred_at: datetime, reason: str) -> tuple[int, datetime, str]:
    """The same order for the parts of a bounce."""
    return (_GRAVITY[kind], occurred_at, reason)
