"""One email to one recipient, and everything that was reported about it.

State is a fold over facts that gives the same answer in any order of arrival, and a repeated report changes nothing
(BR-558.5). It holds what decisions need and no more; what else is known of an email is for read models to tell.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from msgspec.structs import replace

from domain.commands import AnyReport, RecordClick, RecordOpen
from domain.email_decisions import fact_from
from domain.email_facts import (
    NOBODY,
    Clicked,
    Delivered,
    EmailFact,
    Opened,
    Personal,
    Recorded,
    Rejudged,
    Rejudgement,
    Sent,
)
from domain.engagements import Engagements, PersonalOf
from domain.fact_stream import FactStream
from domain.policies.detection.detection import BUILT_IN, Detection
from domain.policies.detection.judgement import RULE_VERSION, Impression, impression_kept
from domain.policies.privacy import kept_under
from domain.tracking_terms import OPEN_TERMS, TrackingTerms

_ENGAGEMENTS: Final = (RecordOpen, RecordClick)
_KEPT: Final = (Opened, Clicked)

MOST_FACTS: Final = 10_000
"""No person opens an email so often. Every further report would cost as much again as all before it."""


class EmailMessage(FactStream[EmailFact]):
    """One email to one recipient: decides what a report means, and keeps of that what later decisions need.

    Satisfies `eventsourcing`'s protocols for mutable aggregates and for collecting events. A message without `sent` is
    unknown: nobody registered it yet.
    """

    TOPIC: ClassVar[str] = "EmailMessage"

    __slots__ = (
        "_engagements",
        "_recipient",
        "_recorded_at",
        "delivered_at",
        "seen",
        "sent",
    )

    def __init__(self, email_id: UUID) -> None:
        """Begin with nothing known.

        Args:
            email_id: As `email_id_for` names it.
        """
        super().__init__(email_id)
        self._recorded_at: datetime | None = None
        self._recipient: Personal | None = NOBODY
        self._engagements = Engagements()
        self.seen: set[bytes] = set()
        self.sent: Sent | None = None
        self.delivered_at: datetime | None = None

    @property
    def is_known(self) -> bool:
        """Whether somebody registered this email."""
        return self.sent is not None

    def refusal_of(self, report: AnyReport, terms: TrackingTerms = OPEN_TERMS) -> str:
        """Say why a report may not be recorded, as a word for counts; "" if it may.

        Only opens and clicks are ever refused: when tracking them is not allowed, or the email has so many facts that
        further ones are counted, but no longer kept.

        Source:
            BR-558.1 Tracking only without opt-out, of emails sent earlier too; PRE-1, PRE-2.
        """
        if not isinstance(report, _ENGAGEMENTS):
            return ""
        if terms is not OPEN_TERMS and (refusal := terms.refusal):
            return refusal
        if not self._tracks:
            return "tracking_disabled"
        return "too_many_reports" if self._version >= MOST_FACTS else ""

    @property
    def was_engaged(self) -> bool:
        """Whether anybody or anything opened it or clicked, so that new opens and clicks are compared with those."""
        return bool(self._engagements)

    def reveal(self, personal_of: PersonalOf) -> None:
        """Give the means to learn who replayed opens and clicks were by, so that new ones can be compared with them.

        Args:
            personal_of: Asked only for those near which something else happened.
        """
        self._engagements.reveal(personal_of)

    def identify(self, recipient: Personal | None) -> None:
        """Say whom the email went to, whose address and name do not stay in links, labels and reasons.

        Args:
            recipient: As `Sent.personal` told it; ``None`` of somebody who was erased since.

        Source:
            SEC-6 Erasure.
        """
        self._recipient = recipient

    def collect_events(self) -> Sequence[Recorded]:
        """Hand over what was decided since the last call, in stream order.

        Opens and clicks are judged with all that came together, as if nothing were ever to follow; what follows may
        revise them.
        """
        self._settle()
        return super().collect_events()

    def register(self, sent: Sent) -> bool:
        """Make the email known.

        Returns:
            Whether this was news; registering again changes nothing.
        """
        if self.sent is not None:
            return False
        self._record(sent)
        return True

    def record(
        self,
        report: AnyReport,
        *,
        received_at: datetime,
        delivery_id: int = 0,
        terms: TrackingTerms = OPEN_TERMS,
        detection: Detection = BUILT_IN,
        impression: Impression | None = None,
    ) -> bool:
        """Decide what a report adds to what is known.

        Args:
            report: About this email.
            received_at: Aware UTC, when its delivery came in.
            delivery_id: Number of that delivery.
            terms: What organisation and recipient allow.
            detection: Judges who engaged (BR-558.7).
            impression: What an open or a click says by itself and by where its address was seen; ``None``: what
                `detection` says of it by itself.

        Returns:
            Whether it was news; a repeated report, and engagement that `refusal_of` names a reason against, are not.

        Source:
            BR-558.5 Webhook idempotency; BR-558.8 privacy mode; SEC-5 IP addresses.
        """
        key = report.key_for(self._id)
        if key in self.seen or self.refusal_of(report, terms):
            return False
        delivered_before = self.delivered_at
        fact = fact_from(report, key, received_at, delivery_id, self._recipient)
        if terms is not OPEN_TERMS or fact.withheld:
            fact = kept_under(terms.policy, fact, self.sent)
        self._record(fact)
        if fact.withheld and self.sent is not None:
            received_at = self.sent.recorded_at  # else what is judged anew because of it would tell when it happened
        if isinstance(report, _ENGAGEMENTS):
            self._observe(report, key, detection, impression)
        elif self.delivered_at != delivered_before:
            self._engagements.doubt_all()
        self._recorded_at = received_at if self._recorded_at is None else max(received_at, self._recorded_at)
        return True

    def _observe(
        self, report: RecordOpen | RecordClick, key: bytes, detection: Detection, impression: Impression | None
    ) -> None:
        if report.prejudged is None:
            impression = impression or detection.impression_of(report)
        elif report.prejudged.is_withheld:
            return  # when and where it happened is gone: what was concluded then stays
        else:
            impression = impression_kept(report.prejudged.verdict, report.prejudged.reasons)
        self._engagements.observe(report, key, impression)

    def rejudge(self, detection: Detection, *, at: datetime) -> int:
        """Judge all opens and clicks by other rules, as far as what is kept of them allows.

        Args:
            detection: The present rules.
            at: Aware UTC, now.

        Returns:
            How many are judged differently; asking again with the same rules finds none.
        """
        self._engagements.look_again(detection)
        self._recorded_at = at
        return self._settle()

    def _settle(self) -> int:
        """Decide on what is in doubt; what nobody has seen yet is judged in place, the rest by a fact of its own.

        Returns:
            How many judgements that made.
        """
        if self.sent is None or self._recorded_at is None:
            return 0
        changed = self._engagements.settle(
            sent_at=self.sent.sent_at, delivered_at=self.delivered_at, links=self.sent.links
        )
        if not changed:
            return 0
        judged = {judgement.key: judgement for judgement in changed}
        for place, recorded in enumerate(self._pending):
            fact = recorded.fact
            if isinstance(fact, _KEPT) and (judgement := judged.pop(fact.key, None)):
                self._pending[place] = Recorded(self._id, recorded.originator_version, _judged(fact, judgement))
        revised = tuple(judged.values())
        if revised:
            self._version += 1
            news = Rejudged(judgements=revised, rule_version=RULE_VERSION, recorded_at=self._recorded_at)
            self._pending.append(Recorded(self._id, self._version, news))
        return len(changed)

    def _evolve(self, fact: EmailFact) -> None:
        if isinstance(fact, _KEPT):  # first, because most are
            self.seen.add(fact.key)
            self._engagements.keep(fact)
        elif isinstance(fact, Sent):
            self.sent = fact
            self._recipient = fact.personal
        elif isinstance(fact, Rejudged):
            self._engagements.revise(fact.judgements)
        else:
            self.seen.add(fact.key)
            if isinstance(fact, Delivered) and (self.delivered_at is None or fact.occurred_at < self.delivered_at):
                self.delivered_at = fact.occurred_at

    @property
    def _tracks(self) -> bool:
        return self.sent is not None and self.sent.tracking


def _judged(fact: Opened | Clicked, judgement: Rejudgement) -> Opened | Clicked:
    return replace(
        fact,
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        confidence=judgement.confidence,
        rule_version=RULE_VERSION,
    )
