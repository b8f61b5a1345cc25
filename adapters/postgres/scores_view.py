"""The ranking in PostgreSQL, counted from the emails' rows set by set."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final

from psycopg import Cursor

from adapters.postgres.arrays import as_instant, instant_array, number_array, text_array, uuid_array
from adapters.postgres.candidate_activity import ACTIVITY, RECENT
from domain.policies.scoring import WINDOW, CandidateActivity
from domain.recipient_facts import Erased
from read_models.automated import AutomatedActivity
from read_models.scores.view import CandidateKey, KnownCandidate, ScoredCandidate

_ACTIVITY: Final = f"""
SELECT e.organization_id, e.recipient_id, {ACTIVITY}
FROM unnest(%(organizations)s::uuid[], %(candidates)s::text[]) AS k (organization_id, candidate_id)
CROSS JOIN LATERAL (
    SELECT * FROM email_logs
    WHERE organization_id = k.organization_id AND recipient_id = k.candidate_id AND recipient_type = 'Candidate'
    OFFSET 0
) e
{RECENT}
GROUP BY e.organization_id, e.recipient_id
"""  # noqa: S608 - constants
"""OFFSET keeps the planner from turning the look-ups into a scan of the table while it has no statistics."""
_SAVE: Final = f"""
INSERT INTO candidate_scores (organization_id, candidate_id, name, score, level, level_reason, recency_points,
    open_points, click_points, reply_points, emails_sent, emails_opened, emails_clicked, emails_replied,
    last_engaged_at, next_change_at, machine_open_count, scanner_click_count, raw_opened, raw_clicked)
SELECT organization_id, candidate_id, name, score, level, level_reason, recency_points,
    open_points, click_points, reply_points, emails_sent, emails_opened, emails_clicked, emails_replied,
    {as_instant("last_engaged_at")}, {as_instant("next_change_at")}, machine_open_count, scanner_click_count,
    raw_opened, raw_clicked
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::integer[], %s::text[], %s::text[], %s::integer[],
    %s::integer[], %s::integer[], %s::integer[], %s::integer[], %s::integer[], %s::integer[], %s::integer[],
    %s::bigint[], %s::bigint[], %s::integer[], %s::integer[], %s::integer[], %s::integer[]) AS s (organization_id,
    candidate_id, name, score, level, level_reason, recency_points, open_points, click_points, reply_points,
    emails_sent, emails_opened, emails_clicked, emails_replied, last_engaged_at, next_change_at, machine_open_count,
    scanner_click_count, raw_opened, raw_clicked)
ON CONFLICT (organization_id, candidate_id) DO UPDATE SET name = excluded.name, score = excluded.score,
    level = excluded.level, level_reason = excluded.level_reason, recency_points = excluded.recency_points,
    open_points = excluded.open_points, click_points = excluded.click_points, reply_points = excluded.reply_points,
    emails_sent = excluded.emails_sent, emails_opened = excluded.emails_opened,
    emails_clicked = excluded.emails_clicked, emails_replied = excluded.emails_replied,
    last_engaged_at = excluded.last_engaged_at, next_change_at = excluded.next_change_at,
    machine_open_count = excluded.machine_open_count, scanner_click_count = excluded.scanner_click_count,
    raw_opened = excluded.raw_opened, raw_clicked = excluded.raw_clicked
"""  # noqa: S608 - constants
_WRITTEN: Final[Sequence[Callable[..., str]]] = (
    uuid_array,
    *[text_array] * 2,
    number_array,
    *[text_array] * 2,
    *[number_array] * 8,
    *[instant_array] * 2,
    *[number_array] * 4,
)
"""How the columns of a row become arrays, in its order."""


class PostgresScoresView:
    """See `read_models.scores.view.ScoresView`; table names resolve by the transaction's search_path."""

    def __init__(self, cursor: Cursor[Any]) -> None:
        self._cursor = cursor

    def readable_until(self) -> int:
        return self._number("SELECT position FROM ops.read_models WHERE name = 'engagement'")

    def last_place_after(self, position: int, *, most: int) -> int:
        return self._number(
            "SELECT coalesce(max(notification_id), 0) FROM (SELECT notification_id FROM events.stored_events"
            " WHERE notification_id > %s ORDER BY notification_id LIMIT %s) s",
            (position, most),
        )

    def touched(self, after: int, until: int) -> Sequence[CandidateKey]:
        # Two steps, each an index scan whatever the statistics say: joined, a fresh database gets a quadratic plan.
        self._cursor.execute(
            "SELECT array_agg(DISTINCT originator_id)::text,"
            " array_agg(DISTINCT originator_id) FILTER (WHERE topic = %s)::text FROM events.stored_events"
            " WHERE notification_id > %s AND notification_id <= %s",
            (Erased.TOPIC, after, until),
        )
        email_ids, erased = self._cursor.fetchone() or (None, None)
        self._cursor.execute(
            "SELECT organization_id, recipient_id FROM email_logs"
            " WHERE email_id = ANY(%s::uuid[]) AND recipient_type = 'Candidate' UNION"
            " SELECT organization_id, recipient_id FROM email_logs"
            " WHERE addressee_id = ANY(%s::uuid[]) AND recipient_type = 'Candidate' ORDER BY 1, 2",
            (email_ids or "{}", erased or "{}"),
        )
        touched = self._cursor.fetchall()
        self._cursor.execute(
            "SELECT DISTINCT organization_id, candidate_id FROM ops.purged_emails"
            " WHERE place > %s AND place <= %s AND candidate_id IS NOT NULL",
            (after, until),
        )
        return sorted({*touched, *self._cursor.fetchall()})

    def due(self, now: datetime, *, most: int) -> Sequence[CandidateKey]:
        self._cursor.execute(
            "SELECT organization_id, candidate_id FROM candidate_scores WHERE next_change_at <= %s LIMIT %s",
            (now, most),
        )
        return self._cursor.fetchall()

    def activity_of(self, keys: Collection[CandidateKey], now: datetime) -> Sequence[KnownCandidate]:
        self._cursor.execute(
            _ACTIVITY,
            {
                "organizations": uuid_array(organization_id for organization_id, _ in keys),
                "candidates": [candidate_id for _, candidate_id in keys],
                "since": now - WINDOW,
            },
        )
        return [
            KnownCandidate(
                organization_id=organization_id,
                candidate_id=candidate_id,
                name=name,
                activity=CandidateActivity(
                    emails_sent=sent,
                    emails_opened=opened,
                    emails_clicked=clicked,
                    emails_replied=replied,
                    last_engaged_at=last_engaged_at,
                    oldest_sent_at=oldest_sent_at,
                    hard_bounced=hard_bounced,
                    unsubscribed=unsubscribed,
                ),
                automated=AutomatedActivity(
                    machine_open_count=machine_open_count,
                    scanner_click_count=scanner_click_count,
                    raw_opened=raw_opened,
                    raw_clicked=raw_clicked,
                ),
            )
            for (
                organization_id,
                candidate_id,
                name,
                sent,
                opened,
                clicked,
                replied,
                last_engaged_at,
                oldest_sent_at,
                hard_bounced,
                unsubscribed,
                machine_open_count,
                scanner_click_count,
                raw_opened,
                raw_clicked,
            ) in self._cursor
        ]

    def forget(self, keys: Collection[CandidateKey]) -> None:
        self._cursor.execute(
            "DELETE FROM candidate_scores s USING unnest(%s::uuid[], %s::text[]) AS k (organization_id, candidate_id)"
            " WHERE s.organization_id = k.organization_id AND s.candidate_id = k.candidate_id",
            ([organization_id for organization_id, _ in keys], [candidate_id for _, candidate_id in keys]),
        )

    def save(self, scores: Sequence[ScoredCandidate]) -> None:
        rows = [_row(scored) for scored in scores]
        if rows:
            columns = zip(*rows, strict=True)
            self._cursor.execute(_SAVE, [write(column) for write, column in zip(_WRITTEN, columns, strict=True)])

    def _number(self, query: str, parameters: tuple[object, ...] = ()) -> int:
        self._cursor.execute(query.encode(), parameters)
        row = self._cursor.fetchone()
        return int(row[0]) if row else 0


def _row(scored: ScoredCandidate) -> tuple[object, ...]:
    candidate, score, activity, parts = scored.candidate, scored.score, scored.candidate.activity, scored.score.parts
    return (
        candidate.organization_id,
        candidate.candidate_id,
        candidate.name,
        score.score,
        score.level,
        score.level_reason,
        parts.recency if parts else None,
        parts.opens if parts else None,
        parts.clicks if parts else None,
        parts.replies if parts else None,
        activity.emails_sent,
        activity.emails_opened,
        activity.emails_clicked,
        activity.emails_replied,
        activity.last_engaged_at,
        score.next_change_at,
        candidate.automated.machine_open_count,
        candidate.automated.scanner_click_count,
        candidate.automated.raw_opened,
        candidate.automated.raw_clicked,
    )
