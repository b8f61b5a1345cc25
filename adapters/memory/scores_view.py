"""The ranking in memory, counted from the rows of a `MemoryEngagementView`, for tests."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from adapters.memory.engagement_view import MemoryEngagementView
from adapters.memory.store import MemoryStore
from domain.policies.scoring import WINDOW, CandidateActivity
from read_models.automated import AutomatedActivity
from read_models.engagement.view import EmailLog
from read_models.scores.view import CandidateKey, KnownCandidate, ScoredCandidate


class MemoryScoresView:
    """See `read_models.scores.view.ScoresView`; `ranking` is the table.

    Args:
        store: Holds the events.
        engagement: Holds the emails' rows.
        engagement_position: Says how far those are.
    """

    def __init__(
        self, store: MemoryStore, engagement: MemoryEngagementView, engagement_position: Callable[[], int]
    ) -> None:
        self._store = store
        self._engagement = engagement
        self._engagement_position = engagement_position
        self.ranking: dict[CandidateKey, ScoredCandidate] = {}

    def readable_until(self) -> int:
        return self._engagement_position()

    def last_place_after(self, position: int, *, most: int) -> int:
        places = [logged.place for logged in self._store.log if logged.place > position][:most]
        return places[-1] if places else 0

    def touched(self, after: int, until: int) -> Sequence[CandidateKey]:
        # An email's stream, or, when its recipient is erased, that person's.
        streams = {
            stream_id
            for stream_id, stream in self._store.streams.items()
            if any(after < logged.place <= until for logged in stream)
        }
        rows = [
            email
            for email in self._engagement.email_logs.values()
            if email.email_id in streams or email.addressee_id in streams
        ]
        return sorted({_candidate(email) for email in rows if email.recipient_type == "Candidate"})

    def due(self, now: datetime, *, most: int) -> Sequence[CandidateKey]:
        due = [key for key, row in self.ranking.items() if row.score.next_change_at and row.score.next_change_at <= now]
        return due[:most]

    def activity_of(self, keys: Collection[CandidateKey], now: datetime) -> Sequence[KnownCandidate]:
        known: list[KnownCandidate] = []
        for key in keys:
            emails = [
                email
                for email in self._engagement.email_logs.values()
                if _candidate(email) == key and email.recipient_type == "Candidate"
            ]
            if emails:
                known.append(_known(key, emails, now))
        return known

    def forget(self, keys: Collection[CandidateKey]) -> None:
        for key in keys:
            self.ranking.pop(key, None)

    def save(self, scores: Sequence[ScoredCandidate]) -> None:
        for scored in scores:
            self.ranking[scored.candidate.organization_id, scored.candidate.candidate_id] = scored


def _candidate(email: EmailLog) -> CandidateKey:
    return (email.organization_id, email.recipient_id)


def _known(key: CandidateKey, emails: Sequence[EmailLog], now: datetime) -> KnownCandidate:
    young = [email for email in emails if email.sent_at > now - WINDOW]
    recent = [email for email in young if email.tracking]
    return KnownCandidate(
        organization_id=key[0],
        candidate_id=key[1],
        name=max(emails, key=lambda email: (email.sent_at, email.id)).recipient_name,
        activity=CandidateActivity(
            emails_sent=len(recent),
            emails_opened=sum(email.open_count + email.click_count > 0 for email in recent),
            emails_clicked=sum(email.click_count > 0 for email in recent),
            emails_replied=sum(email.reply_count > 0 for email in recent),
            last_engaged_at=max((email.last_engaged_at for email in recent if email.last_engaged_at), default=None),
            oldest_sent_at=min((email.sent_at for email in recent), default=None),
            hard_bounced=any(email.bounce_type == "hard" for email in young),
            unsubscribed=any(email.unsubscribed_at for email in emails),
        ),
        automated=AutomatedActivity(
            machine_open_count=sum(email.machine_open_count for email in recent),
            scanner_click_count=sum(email.scanner_click_count for email in recent),
            raw_opened=sum(email.is_opened_by_any for email in recent),
            raw_clicked=sum(email.is_clicked_by_any for email in recent),
        ),
    )
