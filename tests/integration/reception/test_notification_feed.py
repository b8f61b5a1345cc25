"""A committed notification reaches whoever listens, and nobody waits for a Redis that is away."""

from uuid import UUID

import msgspec
import pytest
from redis import Redis

from adapters.redis.notification_feed import CHANNEL, RedisNotificationFeed
from domain.notification_kinds import NotificationKind
from read_models.notifications.notification import Announcement, Notification
from tests.support.query_world import NOON, OURS
from tests.support.servers import started_servers

ANNOUNCEMENT = Announcement(
    number=7,
    organization_id=OURS,
    user_id="user-7",
    notification=Notification(
        id=UUID(int=1),
        kind=NotificationKind.OPEN,
        email_id=UUID(int=2),
        candidate_id="candidate-1",
        candidate_name="John Smith",
        subject="Interview Invitation",
        occurred_at=NOON,
        title="John Smith just opened your email",
        text="Interview Invitation",
        url="/candidates/candidate-1",
    ),
)


@pytest.fixture
def redis_url(tmp_path_factory):
    return started_servers(tmp_path_factory.mktemp("servers"))[1]


def test_a_listener_gets_the_announcements_in_their_order(redis_url):
    feed = RedisNotificationFeed(redis_url)
    with Redis.from_url(redis_url) as client, client.pubsub(ignore_subscribe_messages=True) as listener:
        listener.subscribe(CHANNEL)
        listener.get_message(ignore_subscribe_messages=False, timeout=5)

        feed.publish([ANNOUNCEMENT, msgspec.structs.replace(ANNOUNCEMENT, number=8)])

        heard = [listener.get_message(timeout=5)["data"] for _ in range(2)]
    feed.close()

    assert [msgspec.json.decode(data, type=Announcement).number for data in heard] == [7, 8]
    assert msgspec.json.decode(heard[0], type=Announcement) == ANNOUNCEMENT


def test_rings_that_do_not_reach_redis_are_told_of_once_and_cost_nobody_anything(caplog):
    feed = RedisNotificationFeed("redis://127.0.0.1:1/0")

    feed.publish([ANNOUNCEMENT, ANNOUNCEMENT])
    feed.publish([ANNOUNCEMENT])

    assert [record.event for record in caplog.records] == ["announcement_lost"]
