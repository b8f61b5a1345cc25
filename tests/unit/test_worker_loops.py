import logging
import threading
import time
from types import SimpleNamespace

import pytest

from application.ports.unit_of_work import StoreUnavailableError
from entrypoints.worker import Chore, Drainer, Sweeper, sweepers_of

PATIENCE_S = 20


class Drains:
    """An inbox that takes as long to drain as the test wants."""

    def __init__(self):
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.at_once = 0
        self.most_at_once = 0
        self.count = 0
        self._lock = threading.Lock()

    def __call__(self, keep_on):
        with self._lock:
            self.count += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.release()
        assert self.may_end.acquire(timeout=PATIENCE_S)
        with self._lock:
            self.at_once -= 1
        return 0


def in_thread(act):
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_one_thread_drains_and_the_others_have_it_look_once_more():
    drains = Drains()
    drainer = Drainer(drains)
    first = in_thread(drainer.drain)
    assert drains.begun.acquire(timeout=PATIENCE_S)

    for _ in range(10):
        drainer.drain()  # returns at once
    drains.may_end.release(2)
    first.join(PATIENCE_S)

    assert not first.is_alive()
    assert (drains.count, drains.most_at_once) == (2, 1)


def test_a_drain_without_another_ring_is_done_once():
    drains = Drains()
    drains.may_end.release(5)

    Drainer(drains).drain()

    assert drains.count == 1


def test_after_the_end_was_announced_no_batch_is_begun():
    drains = Drains()
    drainer = Drainer(drains)
    asked = []
    stopping = Drainer(lambda keep_on: asked.append(keep_on()) or stopping.stop() or asked.append(keep_on()))
    stopping.drain()

    drainer.stop()
    drainer.drain()

    assert drains.count == 0
    assert asked == [True, False]


def test_an_outage_leaves_the_inbox_to_the_sweeper_and_the_drainer_ready(caplog):
    outcomes = iter([StoreUnavailableError("john@example.com"), None])
    done = []

    def drain_all(_):
        if error := next(outcomes):
            raise error
        done.append(True)

    drainer = Drainer(drain_all)
    with caplog.at_level(logging.WARNING):
        drainer.drain()
    drainer.drain()

    assert done == [True]
    assert [(record.reason, record.getMessage()) for record in caplog.records] == [
        ("store_unavailable", "The inbox cannot be drained now")
    ]


@pytest.fixture
def swept():
    sweepers = []

    def start(*chores):
        sweepers.append(Sweeper(list(chores)))
        sweepers[-1].start()

    yield start
    for sweeper in sweepers:
        sweeper.stop()


def done_times(count):
    """A chore's deed and an event that is set when it was done `count` times."""
    enough, done = threading.Event(), []

    def do():
        done.append(True)
        if len(done) >= count:
            enough.set()

    return do, enough


def test_chores_are_done_again_and_again(swept):
    do, enough = done_times(3)

    swept(Chore("drain", 0.01, do))

    assert enough.wait(PATIENCE_S)


@pytest.mark.parametrize("error", [StoreUnavailableError("away"), ZeroDivisionError("a bug")])
def test_a_chore_that_fails_is_done_again_and_holds_no_other(swept, error):
    tried, tried_enough = done_times(3)
    do, enough = done_times(3)

    def fail():
        tried()
        raise error

    swept(Chore("broken", 0.01, fail), Chore("drain", 0.01, do))

    assert tried_enough.wait(PATIENCE_S)
    assert enough.wait(PATIENCE_S)


def test_an_outage_is_logged_once_and_the_next_one_again(caplog, swept):
    outcomes = iter([StoreUnavailableError("away")] * 3 + [None] + [StoreUnavailableError("away")] * 2)
    over = threading.Event()

    def do():
        error = next(outcomes, "over")
        if error == "over":
            over.set()
        elif error:
            raise error

    with caplog.at_level(logging.WARNING):
        swept(Chore("drain", 0.001, do))
        assert over.wait(PATIENCE_S)

    assert [record.getMessage() for record in caplog.records] == ["A chore cannot be done"] * 2


def test_a_sweeper_that_is_stopped_has_ended():
    do, enough = done_times(1)
    sweeper = Sweeper([Chore("drain", 0.001, do)])
    sweeper.start()
    assert enough.wait(PATIENCE_S)

    sweeper.stop()

    assert not sweeper._thread.is_alive()


class SilentProvider:
    """Confirmations of which each takes as long as the test wants."""

    def __init__(self):
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.kept_on = []

    def __call__(self, *, keep_on):
        self.begun.set()
        self.may_end.wait(PATIENCE_S)
        self.kept_on.append(keep_on())


@pytest.fixture
def with_silent_provider():
    """A worker's sweepers, what drains, and what confirms."""
    provider, stop = SilentProvider(), threading.Event()
    drain, drained = done_times(2)
    backend = SimpleNamespace(
        operations=SimpleNamespace(has_due_delivery=lambda: True),
        rematch=SimpleNamespace(sweep=lambda: None),
        forget_sightings=lambda: None,
        deliver_notifications=SimpleNamespace(forget=lambda: None),
        purge_expired=lambda **_: None,
        forget_tokens=lambda **_: None,
        confirm_subscriptions=provider,
    )
    sweepers = sweepers_of(backend, SimpleNamespace(drain=drain), stop)
    for sweeper in sweepers:
        sweeper.start()
    assert provider.begun.wait(PATIENCE_S)
    yield sweepers, drained, provider, stop
    provider.may_end.set()
    for sweeper in sweepers:
        sweeper.stop()


def test_nothing_that_is_drained_waits_for_a_provider_that_confirms(with_silent_provider):
    _, drained, provider, _ = with_silent_provider

    assert drained.wait(PATIENCE_S / 2)
    assert provider.kept_on == []


def test_a_worker_that_is_to_stop_does_not_wait_for_a_provider(with_silent_provider):
    sweepers, _, provider, stop = with_silent_provider
    stop.set()
    began = time.monotonic()

    for sweeper in sweepers:
        sweeper.stop()

    assert time.monotonic() - began < PATIENCE_S / 2
    assert provider.kept_on == []
    provider.may_end.set()
    sweepers[-1]._thread.join(PATIENCE_S)
    assert provider.kept_on == [False]
