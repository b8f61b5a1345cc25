"""The bell: many rings are one message, and a lost one is counted and harms nobody."""

import logging
import threading

import pytest
from dramatiq import Message, Worker
from dramatiq.brokers.redis import RedisBroker

from adapters.dramatiq.bell import DRAIN_ACTOR, INBOX_QUEUE, DramatiqBell
from adapters.dramatiq.broker import NAMESPACE, redis_broker
from adapters.dramatiq.jobs import declare_drain
from tests.support.failing_link import link_to_redis
from tests.support.processes import eventually

QUEUE = f"{NAMESPACE}:{INBOX_QUEUE}"


@pytest.fixture(autouse=True)
def empty_queue(redis_client):
    redis_client.delete(QUEUE, f"{QUEUE}.msgs", f"{QUEUE}.calls")
    yield
    redis_client.delete(QUEUE, f"{QUEUE}.msgs", f"{QUEUE}.calls")


def waiting(redis_client):
    return redis_client.llen(QUEUE)


def test_a_ring_enqueues_the_drain(redis_url, redis_client):
    bell = DramatiqBell(redis_broker(redis_url))

    bell.ring()
    bell.close()

    (data,) = redis_client.hvals(f"{QUEUE}.msgs")
    message = Message.decode(data)
    assert (message.actor_name, message.queue_name, message.args) == (DRAIN_ACTOR, INBOX_QUEUE, ())


def test_rings_within_an_interval_are_one(redis_url, redis_client):
    bell = DramatiqBell(redis_broker(redis_url), interval_s=30)

    for _ in range(1000):
        bell.ring()
    assert eventually(lambda: waiting(redis_client) == 1)
    bell.ring()
    bell.close()  # ends the interval, and the last ring is passed on

    assert waiting(redis_client) == 2


def test_rings_do_not_pile_up_while_no_worker_runs(redis_url, redis_client):
    bell = DramatiqBell(redis_broker(redis_url), interval_s=0.0001)
    done = threading.Event()

    def ring_on():
        while not done.is_set():
            bell.ring()

    ringer = threading.Thread(target=ring_on)
    ringer.start()
    assert eventually(lambda: waiting(redis_client) == 16)
    assert not eventually(lambda: waiting(redis_client) > 16, within_s=0.3)
    done.set()
    ringer.join()
    bell.close()


def test_without_redis_rings_are_counted_and_said_once(redis_url, redis_client, caplog):
    link, url = link_to_redis(redis_url)
    lost = []

    with link, caplog.at_level(logging.INFO, "adapters.dramatiq.bell"):
        bell = DramatiqBell(redis_broker(url(), timeout_s=0.5), interval_s=0.001, lost=lambda: lost.append(1))
        link.cut()
        for count in range(1, 4):
            bell.ring()
            assert eventually(lambda count=count: len(lost) >= count)
        link.restore()
        bell.ring()
        assert eventually(lambda: "bell_back" in [record.event for record in caplog.records])
        bell.close()

    assert [record.event for record in caplog.records] == ["bell_lost", "bell_back"]


def test_a_silent_redis_does_not_keep_a_ring_waiting(redis_url):
    link, url = link_to_redis(redis_url)
    rung = threading.Event()

    with link:
        link.silence()
        bell = DramatiqBell(redis_broker(url(), timeout_s=0.5))

        def ring_often():
            for _ in range(10_000):
                bell.ring()
            rung.set()

        threading.Thread(target=ring_often).start()

        assert rung.wait(5)
        link.restore()
        bell.close()


def test_the_broker_understands_unix_sockets(servers):
    broker = redis_broker("unix:///run/nowhere/redis.sock?db=3")

    assert isinstance(broker, RedisBroker)
    assert broker.client.connection_pool.connection_kwargs["path"] == "/run/nowhere/redis.sock"


def test_an_idle_worker_waits_at_redis_and_begins_when_it_is_called(redis_url, redis_client):
    begun = threading.Event()
    broker = redis_broker(redis_url)
    declare_drain(broker, begun.set)
    worker = Worker(broker, worker_threads=1)
    worker.start()
    bell = DramatiqBell(redis_broker(redis_url))
    try:
        assert eventually(lambda: waits_for(redis_client, broker.calls_key(INBOX_QUEUE)))

        bell.ring()

        assert begun.wait(60)
        assert eventually(lambda: waiting(redis_client) == 0)
        assert eventually(lambda: waits_for(redis_client, broker.calls_key(INBOX_QUEUE)))
    finally:
        bell.close()
        worker.stop()


def test_calls_do_not_pile_up_while_no_worker_runs(redis_url, redis_client):
    broker = redis_broker(redis_url)

    for _ in range(40):
        broker.enqueue(Message(INBOX_QUEUE, DRAIN_ACTOR, (), {}, {}))

    calls = broker.calls_key(INBOX_QUEUE)
    assert redis_client.llen(calls) == 16
    assert redis_client.ttl(calls) > 0


def waits_for(redis_client, key):
    """Whether somebody is blocked at a list that is empty."""
    blocked = [client for client in redis_client.client_list() if client["cmd"] == "blpop" and "b" in client["flags"]]
    return bool(blocked) and redis_client.llen(key) == 0
