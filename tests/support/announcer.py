"""Tells people things, as the projector does: rows in the order of their numbers, then a ring for each."""

from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import psycopg

from adapters.redis.notification_feed import RedisNotificationFeed
from domain.notification_kinds import NotificationKind
from read_models.notifications.notification import Announcement, Notification

INSERT = """
INSERT INTO notifications (id, organization_id, user_id, kind, email_id, candidate_id, candidate_name, subject,
    occurred_at, title, text, url, created_at, announcement)
VALUES (%(id)s, %(organization_id)s, %(user_id)s, %(kind)s, %(email_id)s, %(candidate_id)s, %(candidate_name)s,
    %(subject)s, %(occurred_at)s, %(title)s, %(text)s, %(url)s, %(occurred_at)s, %(number)s)
"""


class Announcer:
    """Use as a context.

    Args:
        database_url: Where notifications lie.
        redis_url: Where it is rung; a ring that is lost is lost.
    """

    def __init__(self, database_url, redis_url):
        self._database_url = database_url
        self.feed = RedisNotificationFeed(redis_url)

    def __enter__(self):
        self._connection = psycopg.connect(self._database_url)
        return self

    def __exit__(self, *_):
        self._connection.close()
        self.feed.close()

    def tell(self, organization_id, user_id, count=1, *, ring=True, **words):
        """Tell somebody things, in one transaction, in other words if wanted; gives their announcements."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.execute("SELECT nextval('ops.announcements') FROM generate_series(1, %s)", (count,))
            told = [_announcement(organization_id, user_id, number, words) for (number,) in cursor.fetchall()]
            cursor.executemany(INSERT, [_row(announcement) for announcement in told])
        if ring:
            self.feed.publish(told)
        return told


def _announcement(organization_id, user_id, number, words):
    return Announcement(
        number=number,
        organization_id=organization_id,
        user_id=user_id,
        notification=Notification(
            id=uuid4(),
            kind=NotificationKind.OPEN,
            email_id=uuid4(),
            candidate_id="c-1",
            candidate_name="John Smith",
            subject="Interview Invitation",
            occurred_at=datetime.now(UTC),
            text="Interview Invitation",
            title=words.get("title", "John Smith just opened your email"),
            url=words.get("url", "/candidates/c-1"),
        ),
    )


def _row(announcement):
    return {
        **msgspec.structs.asdict(announcement.notification),
        "organization_id": announcement.organization_id,
        "user_id": announcement.user_id,
        "number": announcement.number,
    }
