"""Which candidates are interested, and how a candidate's interest shows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.policies.scoring import CandidateActivity, EngagementScore, Level, ScoreParts
from read_models.audience import Audience
from read_models.automated import NO_MACHINES, AutomatedActivity
from read_models.metrics.metrics import percent
from read_models.paging import PageRequest


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a candidate did with an email.

    Attributes:
        event_type: ``open``, ``click``, ``reply``, ``unsubscribe`` or ``spam``.
        url: The followed link of a click.
    """

    event_type: str
    occurred_at: datetime
    email_id: UUID
    email_log_id: int
    subject: str
    url: str | None


class CandidateScore(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate with score and statistics of the last 90 days.

    Attributes:
        score: 0 to 100; ``None`` when nothing was measured.
        level: The badge; ``None`` when nothing was measured.
        level_reason: Why the badge is not what the score alone would give, or "".
        open_percent: Of the tracked emails, those a person opened, in percent.
        click_percent: Of the tracked emails, those in which a person followed a link, in percent.
        machine_open_count: Opens by machines of tracked emails; in no score. ``scanner_click_count`` likewise.
    """

    candidate_id: str
    name: str
    score: int | None
    level: Level | None
    level_reason: str
    score_parts: ScoreParts | None
    emails_sent: int
    emails_opened: int
    emails_clicked: int
    emails_replied: int
    open_percent: float | None
    click_percent: float | None
    last_engaged_at: datetime | None
    machine_open_count: int = 0
    scanner_click_count: int = 0


class CandidateEngagement(CandidateScore, frozen=True, kw_only=True):
    """A candidate's score with what they did last, the latest first."""

    recent_activity: list[Activity]


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a candidate worth a call now; of people alone, as the score is.

    Attributes:
        links_followed: Different links of each tracked email of the last 90 days, added up.
        replied_at: Of the latest reply to one of these; aware UTC.
        job: The title of the job that the latest email about any was about, its id if it has no title; "" without one.
    """

    links_followed: int = 0
    replied_at: datetime | None = None
    job: str = ""


NO_GROUNDS = Grounds()


class LevelCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many candidates carry which badge."""

    hot: int = 0
    warm: int = 0
    cold: int = 0
    unmeasured: int = 0


class CandidateRanking(msgspec.Struct, frozen=True, kw_only=True):
    """A page of candidates, the highest score first, with the counts of the whole list."""

    items: list[CandidateScore]
    next_cursor: str | None
    levels: LevelCounts


class CandidateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the emails that an audience may see tell about a candidate.

    Attributes:
        address: To which the latest of them went; "" of somebody who was erased.
    """

    candidate_id: str
    name: str
    address: str
    activity: CandidateActivity
    automated: AutomatedActivity = NO_MACHINES
    recent_activity: list[Activity] = []


class CandidateQueries(Protocol):
    """Candidates by their engagement."""

    async def ranking(
        self, audience: Audience, level: Level | None, page: PageRequest, now: datetime, *, with_automated: bool = False
    ) -> CandidateRanking:
        """List candidates, the highest score first, those without one last.

        Args:
            audience: For whom.
            level: Only those with this badge; ``None``: all.
            page: Which part.
            now: Aware UTC.
            with_automated: Count emails as if machines were people; scores never do.

        Raises:
            InvalidCursorError: The cursor is of another list.
            AnswersUnavailableError: Ask again later.
        """
        ...

    async def grounds(self, audience: Audience, candidate_ids: Sequence[str], now: datetime) -> dict[str, Grounds]:
        """Give what makes candidates worth a call, of all of them in one question.

        Args:
            audience: For whom; what it may not see is in no grounds.
            candidate_ids: A page of them, say.
            now: Aware UTC.

        Returns:
            By candidate id; without those to whom the audience sees no email.

        Raises:
            AnswersUnavailableError: Ask again later.
        """
        ...

    async def record(self, audience: Audience, candidate_id: str, now: datetime) -> CandidateRecord | None:
        """Give what is known about a candidate; ``None`` where the audience sees no email to them.

        Raises:
            AnswersUnavailableError: Ask again later.
        """
        ...


def scored(record: CandidateRecord, score: EngagementScore, *, with_automated: bool = False) -> CandidateScore:
    """Put a candidate's score and statistics side by side.

    Args:
        record: What is known about the candidate.
        score: Of what people did, always.
        with_automated: Count emails as if machines were people.
    """
    activity, automated = record.activity, record.automated
    opened = automated.raw_opened if with_automated else activity.emails_opened
    clicked = automated.raw_clicked if with_automated else activity.emails_clicked
    return CandidateScore(
        candidate_id=record.candidate_id,
        name=record.name,
        score=score.score,
        level=score.level,
        level_reason=score.level_reason,
        score_parts=score.parts,
        emails_sent=activity.emails_sent,
        emails_opened=opened,
        emails_clicked=clicked,
        emails_replied=activity.emails_replied,
        open_percent=percent(opened, activity.emails_sent),
        click_percent=percent(clicked, activity.emails_sent),
        last_engaged_at=activity.last_engaged_at,
        machine_open_count=automated.machine_open_count,
        scanner_click_count=automated.scanner_click_count,
    )
