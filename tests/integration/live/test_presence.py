"""Who holds a stream is online, until the stream has been gone for seconds, whatever became of its process."""

import asyncio

from redis import Redis

from adapters.redis.presence import SEEN_FOR_S, RedisPresence
from application.ports.presence import Person
from tests.support.event_streams import close_all, open_stream
from tests.support.processes import eventually


def key_of(people, user_id):
    return f"mailpulse:online:{people.organization_id}:{user_id}"


def test_who_opens_a_stream_is_online_and_a_killed_process_leaves_nobody_behind(start_web, people, redis):
    web = start_web()
    token = people.token("ann")

    async def come_and_be_seen(client):
        await open_stream(web.port, token)
        seen = await asyncio.to_thread(eventually, lambda: client.exists(key_of(people, "ann")))
        client.flushall()
        again = await asyncio.to_thread(eventually, lambda: client.exists(key_of(people, "ann")))
        web.kill()
        await close_all()
        return seen, again

    with Redis.from_url(redis.url) as client:
        assert asyncio.run(come_and_be_seen(client)) == (True, True)
        assert 0 < client.pttl(key_of(people, "ann")) <= SEEN_FOR_S * 1000, "it goes by itself"
        assert not client.exists(key_of(people, "bob"))


def test_while_redis_is_away_nobody_is_online_and_nothing_fails(people):
    async def ask():
        presence = RedisPresence("redis://127.0.0.1:1/0")
        ann = Person(organization_id=people.organization_id, user_id="ann")
        await presence.note([ann])
        online = await presence.is_online(ann)
        await presence.close()
        return online

    assert asyncio.run(ask()) is False
