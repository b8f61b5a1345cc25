"""Streams of notifications over real sockets: nothing is missed, nothing comes twice, nobody waits for anybody."""

import asyncio
import random
import socket
import urllib.request
from contextlib import closing
from http.client import HTTPConnection
from itertools import pairwise

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from application.ports.access_tokens import Role, TokenKind
from tests.support.event_streams import StreamRefusedError, close_all, open_stream
from tests.support.processes import eventually


def run(work, within_s=100):
    """Run to the end, but not for ever."""

    async def in_time():
        try:
            async with asyncio.timeout(within_s):
                return await work
        finally:
            await close_all()

    return asyncio.run(in_time())


def numbers(announcements):
    return [announcement.number for announcement in announcements]


def ids(events):
    return [int(event.id) for event in events]


def test_a_notification_arrives_as_it_lies_in_the_list(web, people, announcer):
    async def listen():
        stream = await open_stream(web.port, people.token("ann"))
        told = announcer.tell(people.organization_id, "ann")
        return stream.headers, told[0], await stream.next()

    headers, told, event = run(listen())

    assert headers["content-type"].startswith("text/event-stream")
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")
    assert (event.kind, int(event.id)) == ("notification", told.number)
    assert event.data["title"] == "John Smith just opened your email"
    assert event.data["id"] == str(told.notification.id)
    assert set(event.data) >= {"kind", "email_id", "candidate_id", "subject", "occurred_at", "text", "url", "read_at"}


def test_who_comes_back_gets_what_came_meanwhile_and_then_what_comes(web, people, announcer):
    token = people.token("ann")
    first, *missed = announcer.tell(people.organization_id, "ann", 250)

    async def come_back():
        stream = await open_stream(web.port, token, first.number)
        before = await stream.take(len(missed))
        (live,) = announcer.tell(people.organization_id, "ann")
        return before, live, await stream.next()

    before, live, event = run(come_back())

    assert ids(before) == numbers(missed)
    assert int(event.id) == live.number


def test_a_first_connection_may_name_where_it_begins(web, people, announcer):
    first, second = announcer.tell(people.organization_id, "ann", 2)
    opened = open_stream(web.port, people.token("ann"), query=f"?after={first.number}")

    assert int(run(_next_of(opened)).id) == second.number


def test_nobody_is_told_what_is_for_somebody_else(web, people, other_people, announcer):
    announcer.tell(people.organization_id, "bob", 3)
    announcer.tell(other_people.organization_id, "ann", 3)

    async def listen():
        stream = await open_stream(web.port, people.token("ann"), 0)
        announcer.tell(people.organization_id, "bob")
        announcer.tell(other_people.organization_id, "ann")
        (own,) = announcer.tell(people.organization_id, "ann")
        return own, await stream.next()

    own, event = run(listen())

    assert int(event.id) == own.number


def test_an_id_that_is_nobodys_or_somebody_elses_hides_nothing_that_comes(web, people, other_people, announcer):
    (foreign,) = announcer.tell(other_people.organization_id, "zoe")
    token = people.token("ann")

    async def listen(last_event_id):
        stream = await open_stream(web.port, token, last_event_id)
        (own,) = announcer.tell(people.organization_id, "ann")
        return own.number == int((await stream.next()).id)

    assert run(listen(10**17))
    assert run(listen(foreign.number + 10**6))


@pytest.mark.parametrize("nonsense", ["x", "-1", "1e3", "9" * 19, "1;DROP", "²"])
def test_an_id_that_is_none_is_refused_by_name(web, people, nonsense):
    with pytest.raises(StreamRefusedError) as refused:
        run(open_stream(web.port, people.token("ann"), nonsense))

    assert refused.value.status == 422
    assert b"Last-Event-ID" in refused.value.body


@pytest.mark.parametrize("forged", ["", "mp_user_" + "A" * 43, "mp_user_short", "nonsense"])
def test_a_forged_token_opens_no_stream(web, forged):
    with pytest.raises(StreamRefusedError) as refused:
        run(open_stream(web.port, forged))

    assert refused.value.status == 401


def test_an_api_key_is_nobody_who_could_be_told(web, people):
    with pytest.raises(StreamRefusedError) as refused:
        run(open_stream(web.port, people.token(None, Role.ADMIN, TokenKind.API_KEY)))

    assert refused.value.status == 403


def test_a_browser_listens_with_its_session_but_no_other_site_does(web, people, announcer):
    session = {"Cookie": f"mailpulse={people.token('ann', kind=TokenKind.SESSION)}"}

    async def listen():
        stream = await open_stream(web.port, headers={**session, "Sec-Fetch-Site": "same-origin"})
        (told,) = announcer.tell(people.organization_id, "ann")
        return told.number == int((await stream.next()).id)

    assert run(listen())
    with pytest.raises(StreamRefusedError) as refused:
        run(open_stream(web.port, headers={**session, "Sec-Fetch-Site": "cross-site"}))
    assert refused.value.status == 403


def test_head_opens_no_stream_and_the_connection_serves_on(web, people):
    with closing(HTTPConnection("127.0.0.1", web.port, timeout=10)) as connection:
        connection.request(
            "HEAD", "/api/v1/notifications/stream", headers={"Authorization": f"Bearer {people.token('ann')}"}
        )
        refused = connection.getresponse()
        refused.read()
        connection.request("HEAD", "/health/live")
        alive = connection.getresponse()

    assert (refused.status, set(refused.headers["allow"].split(", "))) == (405, {"GET", "OPTIONS"})
    assert (alive.status, alive.read()) == (200, b"")


@pytest.mark.parametrize("kind", [TokenKind.USER_TOKEN, TokenKind.SESSION])
def test_a_revoked_token_closes_its_streams_and_no_others(web, people, announcer, kind):
    revoked, kept = people.token("ann", kind=kind), people.token("ann")

    async def listen():
        how = {"headers": {"Cookie": f"mailpulse={revoked}"}} if kind is TokenKind.SESSION else {"token": revoked}
        closing, staying = await open_stream(web.port, **how), await open_stream(web.port, kept)
        people.revoke(revoked)
        async with asyncio.timeout(5):  # TRUST.md
            assert await closing.next() is None
        (told,) = announcer.tell(people.organization_id, "ann")
        return told.number == int((await staying.next()).id)

    assert run(listen())


def test_over_cut_connections_killed_processes_and_a_redis_that_forgets_and_dies_none_is_missed_and_none_comes_twice(
    start_web, people, announcer, redis
):
    """10,000 notifications, 50 people, each connection cut again and again; then each is told a last thing."""
    serving = [start_web()]
    tokens = {f"reader-{number}": people.token(f"reader-{number}") for number in range(50)}
    expected = {user_id: [] for user_id in tokens}
    heard = {user_id: [] for user_id in tokens}
    cuts = dict.fromkeys(tokens, 0)

    async def listen(user_id, chance):
        while missing := 200 - len(heard[user_id]):
            stream = await _open_again(serving, tokens[user_id], _last(heard[user_id]))
            for _ in range(min(chance.randint(1, 60), missing)):
                heard[user_id] += ids(await stream.take(1))
            stream.cut()
            cuts[user_id] += 1

    async def tell():
        for turn in range(10):
            for user_id in tokens:
                told = await asyncio.to_thread(announcer.tell, people.organization_id, user_id, 20)
                expected[user_id] += numbers(told)
            # What happens to Redis happens while all listen, and they hear half of each turn before the next.
            assert await asyncio.to_thread(eventually, lambda: _count(expected) - _count(heard) <= 500)
            await asyncio.to_thread(_befall, redis, turn)
            if turn in {1, 6}:  # once with Redis and once without
                serving[-1].kill()
                serving.append(await asyncio.to_thread(start_web))

    async def hear_a_last_thing(user_id):
        stream = await _open_again(serving, tokens[user_id], _last(heard[user_id]))
        expected[user_id] += numbers(announcer.tell(people.organization_id, user_id))
        heard[user_id] += ids(await stream.take(1))

    async def all_of_it():
        async with asyncio.TaskGroup() as group:
            group.create_task(tell())
            for number, user_id in enumerate(tokens):
                group.create_task(listen(user_id, random.Random(number)))
        for user_id in tokens:
            await hear_a_last_thing(user_id)

    run(all_of_it(), within_s=250)

    assert heard == expected
    assert _count(heard) == 10_050
    assert min(cuts.values()) >= 4


def test_while_redis_is_away_streams_stay_open_and_ask_the_database(web, people, announcer, redis):
    async def listen():
        stream = await open_stream(web.port, people.token("ann"))
        redis.stop()
        try:
            told = announcer.tell(people.organization_id, "ann", 3)
            events = await stream.take(3)
        finally:
            redis.start()
        told += announcer.tell(people.organization_id, "ann", 2)
        return numbers(told), ids(events + await stream.take(2))

    told, heard = run(listen())

    assert heard == told
    assert "rings_unheard" in web.log


def test_a_ring_that_was_lost_is_made_up_for(web, people, announcer):
    async def listen():
        stream = await open_stream(web.port, people.token("ann"))
        told = announcer.tell(people.organization_id, "ann", ring=False)
        return numbers(told), ids(await stream.take(1))

    told, heard = run(listen())

    assert heard == told


def test_stalled_readers_cost_little_and_hold_up_nobody(start_web, people, announcer):
    """500 streams, of which 100 read nothing at all while 40,000 notifications are told to them."""
    web = start_web()
    quick = [f"quick-{number}" for number in range(40)]

    async def crowd():
        warm = await open_stream(web.port, people.token("warm"))
        before = web.memory_mb
        stalled_tokens = [people.token("stalled-a"), people.token("stalled-b")]
        streams = [await open_stream(web.port, people.token(quick[number % 40])) for number in range(400)]
        stalled = [await _stalled(web.port, stalled_tokens[number % 2]) for number in range(100)]
        for _ in range(20):
            for user_id in ("stalled-a", "stalled-b"):
                await asyncio.to_thread(announcer.tell, people.organization_id, user_id, 1_000)
        told = {user_id: numbers(announcer.tell(people.organization_id, user_id, 5)) for user_id in quick}
        heard = [ids(events) for events in await asyncio.gather(*(stream.take(5) for stream in streams))]
        more = web.memory_mb - before
        for connection in stalled:
            connection.close()
        warm.cut()
        return told, heard, more

    told, heard, more = run(crowd())

    assert heard == [told[quick[number % 40]] for number in range(400)]
    assert more < 100


def test_a_stalled_reader_that_wakes_up_gets_everything_in_order(web, people, announcer):
    token = people.token("ann")

    async def sleep_and_wake():
        stream = await open_stream(web.port, token, buffer=4096)
        told = await asyncio.to_thread(announcer.tell, people.organization_id, "ann", 3_000)
        events = await stream.take(3_000)
        return numbers(told), ids(events)

    told, heard = run(sleep_and_wake())

    assert heard == told
    assert all(earlier < later for earlier, later in pairwise(heard))


def test_a_person_holds_so_many_streams_and_no_more_and_leaving_makes_room(web, people, most_streams):
    token = people.token("ann")

    async def crowd():
        streams = [await open_stream(web.port, token) for _ in range(most_streams)]
        with pytest.raises(StreamRefusedError) as refused:
            await open_stream(web.port, token)
        streams[0].cut()
        while True:
            try:
                return refused.value.status, await open_stream(web.port, token)
            except StreamRefusedError:
                await asyncio.sleep(0.05)

    status, stream = run(crowd())

    assert (status, stream.headers["content-type"].split(";")[0]) == (429, "text/event-stream")


def test_a_client_that_comes_back_in_a_loop_leaves_nothing_behind(web, people, announcer, most_streams):
    token = people.token("ann")

    async def loop():
        for _ in range(3 * most_streams):
            stream = await open_stream(web.port, token)
            stream.cut()
            await asyncio.sleep(0.005)
        stream = await open_stream(web.port, token)
        (told,) = announcer.tell(people.organization_id, "ann")
        return told.number == int((await stream.next()).id)

    assert run(loop())


def test_a_server_that_is_told_to_stop_ends_its_streams(start_web, people, announcer):
    web = start_web()

    async def listen():
        streams = [await open_stream(web.port, people.token(f"reader-{number}")) for number in range(20)]
        told = announcer.tell(people.organization_id, "reader-3")
        assert ids(await streams[3].take(1)) == numbers(told)
        web.ask_to_stop()
        return await asyncio.gather(*(stream.next() for stream in streams))

    assert run(listen()) == [None] * 20
    assert web.wait(8) == 0, "within the 10 s that the supervisor gives"


def test_a_hiring_manager_is_told_of_their_jobs_only(web, people, announcer, database_url):
    async def listen():
        manager = await open_stream(web.port, people.token("ann", Role.HIRING_MANAGER), 0)
        recruiter = await open_stream(web.port, people.token("ann"), 0)
        foreign, digest = announcer.tell(people.organization_id, "ann", 2, ring=False)
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("UPDATE notifications SET email_id = NULL WHERE id = %s", (digest.notification.id,))
        announcer.feed.publish([foreign, digest])
        return ids(await recruiter.take(2)), (await manager.next()).id == str(digest.number), foreign, digest

    heard, is_digest, foreign, digest = run(listen())

    assert heard == [foreign.number, digest.number]
    assert is_digest


def test_operations_see_how_many_streams_are_open(start_web, people):
    web = start_web()

    def shown():
        with urllib.request.urlopen(f"http://127.0.0.1:{web.port}/metrics") as answer:
            families = text_string_to_metric_families(answer.read().decode())
            return [one.samples[0].value for one in families if one.name == "mailpulse_open_streams"]

    async def come_and_go():
        before = await asyncio.to_thread(shown)
        first, _ = [await open_stream(web.port, people.token(user_id)) for user_id in ("ann", "bob")]
        both = await asyncio.to_thread(eventually, lambda: shown() == [2], 30.0)
        first.cut()
        return before, both, await asyncio.to_thread(eventually, lambda: shown() == [1], 30.0)

    assert run(come_and_go()) == ([0], True, True)


def _count(by_person):
    return sum(map(len, by_person.values()))


def _befall(redis, turn):
    """Redis forgets, then dies, then lives again."""
    if turn == 2:
        with Redis.from_url(redis.url) as client:
            client.flushall()
    if turn == 5:
        redis.stop()
    if turn == 7:
        redis.start()


def _last(heard):
    return heard[-1] if heard else 0


async def _next_of(opening):
    return await (await opening).next()


async def _open_again(serving, token, last_event_id):
    """Open a stream at the latest process as the page does: who is told to try again, or finds nobody, tries again."""
    while True:
        try:
            return await open_stream(serving[-1].port, token, last_event_id)
        except StreamRefusedError as refused:
            if refused.status != 503:
                raise
        except (OSError, asyncio.IncompleteReadError):
            pass  # it was killed; another is being started
        await asyncio.sleep(0.2)


async def _stalled(port, token):
    """Open a stream whose answer is never read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    connection.sendall(
        f"GET /api/v1/notifications/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    return connection
