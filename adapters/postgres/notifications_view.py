"""What people are told, in PostgreSQL."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import Cursor

from adapters.postgres.arrays import as_instant, instant_array, number_array, text_array, uuid_array
from adapters.postgres.tracking_records import read_consents, read_policies
from domain.notification_preferences import NotificationPreferences, Occasion
from domain.tracking_terms import TrackingTerms
from read_models.notifications.notification import Announcement
from read_models.notifications.view import AddresseeKey, CandidateKey, DueDigest, JobKey, Told, UserKey

_MANAGERS: Final = """
SELECT j.organization_id, j.id, j.hiring_manager_id FROM jobs j
JOIN unnest(%s::uuid[], %s::text[]) AS k (organization_id, id) USING (organization_id, id)
"""
_HOT: Final = """
SELECT s.organization_id, s.candidate_id FROM candidate_scores s
JOIN unnest(%s::uuid[], %s::text[]) AS k (organization_id, candidate_id) USING (organization_id, candidate_id)
WHERE s.level = 'hot'
"""
_PREFERENCES: Final = """
SELECT p.organization_id, p.user_id, p.preferences FROM ops.notification_preferences p
JOIN unnest(%s::uuid[], %s::text[]) AS k (organization_id, user_id) USING (organization_id, user_id)
"""
_COLUMNS: Final = (
    "id, organization_id, user_id, kind, email_id, candidate_id, candidate_name, subject, url, created_at, job_id,"
    " addressee_id, email_log_id, causes, caused_at, title, read_at, held_until, announcement"
)
_TOLD_ABOUT: Final = f"""
SELECT {_COLUMNS} FROM notifications WHERE email_id = ANY(%s::uuid[]) ORDER BY created_at, id FOR UPDATE
"""  # noqa: S608 - a constant
_HELD: Final = f"""
SELECT {_COLUMNS} FROM notifications WHERE held_until <= %s ORDER BY held_until, id LIMIT %s FOR UPDATE
"""  # noqa: S608 - a constant
_SAVE: Final = f"""
INSERT INTO notifications ({_COLUMNS}, occurred_at, text)
SELECT id, organization_id, user_id, kind, email_id, candidate_id, candidate_name, subject, url,
    {as_instant("created_at")}, job_id, addressee_id, email_log_id, causes::uuid[],
    (SELECT array_agg({as_instant("at")} ORDER BY n)
        FROM unnest(caused_at::bigint[]) WITH ORDINALITY AS c (at, n)),
    title, {as_instant("read_at")}, {as_instant("held_until")}, announcement, {as_instant("occurred_at")}, subject
FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::bigint[], %s::text[], %s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],
    %s::bigint[], %s::bigint[]) AS told ({_COLUMNS}, occurred_at)
ON CONFLICT (id) DO UPDATE SET causes = excluded.causes, caused_at = excluded.caused_at, title = excluded.title,
    held_until = excluded.held_until, announcement = excluded.announcement, occurred_at = excluded.occurred_at
"""  # noqa: S608 - constants
"""What caused each comes as the text of an array: ``unnest`` would make one long list of all of them."""
_WRITTEN: Final[Sequence[Callable[..., str]]] = (
    *[uuid_array] * 2,
    *[text_array] * 2,
    uuid_array,
    *[text_array] * 4,
    instant_array,
    text_array,
    uuid_array,
    number_array,
    *[text_array] * 3,
    *[instant_array] * 2,
    number_array,
    instant_array,
)
"""How the columns of a row become arrays, in its order."""
_FORGET_PURGED: Final = """
DELETE FROM notifications n USING ops.purged_emails p
WHERE p.place = ANY(%s::bigint[]) AND n.email_log_id = p.email_log_id
"""
_FORGET_BEFORE: Final = """
DELETE FROM notifications WHERE id IN (
    SELECT id FROM notifications WHERE created_at < %s ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED)
"""
_DUE_DIGESTS: Final = """
SELECT p.organization_id, p.user_id, p.preferences, p.next_digest_at, (
    SELECT jsonb_object_agg(kind, how_many) FROM (
        SELECT kind, count(*) AS how_many FROM notifications n
        WHERE n.organization_id = p.organization_id AND n.user_id = p.user_id AND n.read_at IS NULL
            AND n.held_until IS NULL AND n.kind <> 'digest'
            AND greatest(n.created_at, n.occurred_at) > p.next_digest_at - interval '1 day'
        GROUP BY kind) counted)
FROM ops.notification_preferences p WHERE p.next_digest_at <= %s
ORDER BY p.next_digest_at LIMIT %s FOR UPDATE OF p SKIP LOCKED
"""
_REPLACE_DIGEST: Final = """
DELETE FROM notifications WHERE organization_id = %s AND user_id = %s AND kind = 'digest' AND read_at IS NULL
"""
_SAVE_DIGEST: Final = """
INSERT INTO notifications (id, organization_id, user_id, kind, occurred_at, title, text, url, created_at, announcement)
VALUES (%s, %s, %s, 'digest', %s, %s, %s, %s, %s, %s)
"""
_PUT_OFF_DIGEST: Final = """
UPDATE ops.notification_preferences SET next_digest_at = %s WHERE organization_id = %s AND user_id = %s
"""


class PostgresNotificationsView:
    """See `read_models.notifications.view.NotificationsView`."""

    def __init__(self, cursor: Cursor[Any]) -> None:
        self._cursor = cursor

    def terms(self, addressees: Collection[AddresseeKey]) -> Mapping[AddresseeKey, TrackingTerms]:
        policies = read_policies(self._cursor, {organization_id for organization_id, _ in addressees})
        consents = read_consents(self._cursor, {addressee_id for _, addressee_id in addressees})
        return {key: TrackingTerms(policies[key[0]], consents.get(key[1])) for key in addressees}

    def managers(self, jobs: Collection[JobKey]) -> Mapping[JobKey, str]:
        return {(organization_id, job): manager for organization_id, job, manager in self._of(_MANAGERS, jobs)}

    def hot(self, candidates: Collection[CandidateKey]) -> Collection[CandidateKey]:
        return [(organization_id, candidate_id) for organization_id, candidate_id in self._of(_HOT, candidates)]

    def preferences(self, users: Collection[UserKey]) -> Mapping[UserKey, NotificationPreferences]:
        return {
            (organization_id, user_id): msgspec.convert(kept, NotificationPreferences)
            for organization_id, user_id, kept in self._of(_PREFERENCES, users)
        }

    def told_about(self, email_ids: Collection[UUID]) -> Sequence[Told]:
        self._cursor.execute(_TOLD_ABOUT, (uuid_array(email_ids),))
        return [_told(row) for row in self._cursor]

    def numbers(self, how_many: int) -> Sequence[int]:
        # What rings must not be forgotten by a crash, or its number would be given out again.
        self._cursor.execute("SET LOCAL synchronous_commit = on")
        self._cursor.execute("SELECT nextval('ops.announcements') FROM generate_series(1, %s)", (how_many,))
        return [number for (number,) in self._cursor]

    def save(self, told: Sequence[Told]) -> None:
        if told:
            columns = zip(*(_row(one) for one in told), strict=True)
            self._cursor.execute(_SAVE, [write(column) for write, column in zip(_WRITTEN, columns, strict=True)])

    def forget(self, ids: Collection[UUID]) -> None:
        if ids:
            self._cursor.execute("DELETE FROM notifications WHERE id = ANY(%s::uuid[])", (uuid_array(ids),))

    def forget_people(self, addressee_ids: Collection[UUID]) -> None:
        self._cursor.execute(
            "DELETE FROM notifications WHERE addressee_id = ANY(%s::uuid[])", (uuid_array(addressee_ids),)
        )

    def forget_purged(self, places: Collection[int]) -> None:
        self._cursor.execute(_FORGET_PURGED, (number_array(places),))

    def forget_before(self, instant: datetime, *, most: int) -> int:
        self._cursor.execute(_FORGET_BEFORE, (instant, most))
        return self._cursor.rowcount

    def held(self, now: datetime, *, most: int) -> Sequence[Told]:
        self._cursor.execute(_HELD, (now, most))
        return [_told(row) for row in self._cursor]

    def due_digests(self, now: datetime, *, most: int) -> Sequence[DueDigest]:
        self._cursor.execute(_DUE_DIGESTS, (now, most))
        return [
            DueDigest(
                organization_id=organization_id,
                user_id=user_id,
                preferences=msgspec.convert(preferences, NotificationPreferences),
                due_at=due_at,
                counts=counts or {},
            )
            for organization_id, user_id, preferences, due_at, counts in self._cursor
        ]

    def save_digest(self, due: DueDigest, digest: Announcement, *, next_at: datetime | None) -> None:
        told = digest.notification
        self._cursor.execute(_REPLACE_DIGEST, (due.organization_id, due.user_id))
        self._cursor.execute(
            _SAVE_DIGEST,
            (
                told.id,
                due.organization_id,
                due.user_id,
                told.occurred_at,
                told.title,
                told.text,
                told.url,
                told.occurred_at,
                digest.number,
            ),
        )
        self.put_off_digest(due, next_at=next_at)

    def put_off_digest(self, due: DueDigest, *, next_at: datetime | None) -> None:
        self._cursor.execute(_PUT_OFF_DIGEST, (next_at, due.organization_id, due.user_id))

    def _of(self, query: str, keys: Collection[tuple[UUID, str]]) -> Sequence[tuple[Any, ...]]:
        if not keys:
            return []
        self._cursor.execute(query.encode(), (uuid_array(one for one, _ in keys), [other for _, other in keys]))
        return self._cursor.fetchall()


def _told(row: tuple[Any, ...]) -> Told:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    occasion, causes, times = Occasion(values.pop("kind")), values.pop("causes"), values.pop("caused_at")
    return Told(**values, occasion=occasion, causes=dict(zip(causes, times, strict=True)))


def _row(told: Told) -> tuple[object, ...]:
    in_order = sorted(told.causes.items(), key=_by_time)
    return (
        told.id,
        told.organization_id,
        told.user_id,
        told.occasion.value,
        told.email_id,
        told.candidate_id,
        told.candidate_name,
        told.subject,
        told.url,
        told.created_at,
        told.job_id,
        told.addressee_id,
        told.email_log_id,
        uuid_array(event_id for event_id, _ in in_order),
        instant_array(at for _, at in in_order),
        told.title,
        told.read_at,
        told.held_until,
        told.announcement,
        told.occurred_at,
    )


def _by_time(cause: tuple[UUID, datetime]) -> tuple[datetime, UUID]:
    return cause[1], cause[0]
