"""How the projector shares its time among the read models."""

from types import SimpleNamespace

import pytest

from application.ports.unit_of_work import StoreUnavailableError
from entrypoints import pace
from entrypoints.projector import WAIT_S, Turns
from read_models.runner import StandingByError


class Model:
    """A read model that finds as many events, turn by turn, as it is told."""

    def __init__(self, name, *batches, most_events=10):
        self.name = name
        self.most_events = most_events
        self.batches = list(batches)
        self.turns = 0

    def advance(self):
        self.turns += 1
        taken = self.batches.pop(0) if self.batches else 0
        if isinstance(taken, Exception):
            raise taken
        return taken


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=1_000.0)
    monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_nobody_waits_for_another_s_backlog(clock):
    far_behind, other = Model("engagement", *[10] * 1_000), Model("notifications", 3)
    turns = Turns([far_behind, other])

    turns.take()

    assert (far_behind.turns, other.turns) == (1, 1)
    assert turns.wait_s() == 0.0


def test_full_batches_follow_each_other_at_once_and_the_last_one_ends_the_round(clock):
    model = Model("engagement", 10, 10, 4)
    turns = Turns([model])

    for _ in range(10):
        turns.take()

    assert model.turns == 3
    assert turns.wait_s() == pytest.approx(pace.SHORTEST_S)


def test_who_took_something_in_looks_again_before_there_is_rest(clock):
    model = Model("engagement", 4)
    turns = Turns([model])
    turns.take()
    clock.now += pace.SHORTEST_S

    turns.take()

    assert (model.turns, turns.wait_s()) == (2, None)


def test_who_reads_what_another_keeps_looks_again_when_that_has_changed(clock):
    first, follower = Model("engagement", 0, 4), Model("scores")
    turns = Turns([first, follower])
    turns.take()
    assert turns.wait_s() is None
    clock.now += 10
    turns.rouse()

    turns.take()
    assert (first.turns, follower.turns) == (2, 2)
    clock.now += pace.SHORTEST_S
    turns.take()

    assert turns.wait_s() is None


def test_the_ranking_waits_longer_only_while_somebody_has_a_backlog(clock):
    class Slow(Model):
        def advance(self):
            clock.now += 0.4
            return super().advance()

    busy, ranking = Model("engagement", 10, 2), Slow("scores", 5, 5)
    turns = Turns([busy, ranking])
    turns.take()
    clock.now += 0.7  # a second since the ranking's turn began

    turns.take()
    assert (busy.turns, ranking.turns) == (2, 2)  # the backlog is gone, and the ranking need not wait for 4 s

    busy.batches = [10] * 3
    clock.now += 1.5
    turns.take()
    assert (busy.turns, ranking.turns) == (3, 2)
    clock.now += 4
    turns.take()
    assert (busy.turns, ranking.turns) == (4, 3)


def test_an_outage_ends_the_round_and_everybody_may_try_again(clock):
    model = Model("engagement", 10, StoreUnavailableError("the database is away"), 10)
    turns = Turns([model])
    turns.take()

    with pytest.raises(StoreUnavailableError):
        turns.take()
    assert turns.wait_s() is None

    turns.rouse()
    clock.now += 1
    turns.take()
    assert model.turns == 3


def test_nobody_waits_for_one_that_another_process_holds(clock):
    held = Model("engagement", *[StandingByError("a rebuild takes its place")] * 2, 4)
    other = Model("notifications", 3, 5)
    turns = Turns([held, other])

    turns.take()
    assert (held.turns, other.turns) == (1, 1)
    clock.now += pace.SHORTEST_S
    turns.rouse()  # there is news, but who is held is not asked for all of it
    turns.take()
    assert (held.turns, other.turns) == (1, 2)
    clock.now += WAIT_S
    turns.take()
    clock.now += WAIT_S
    turns.take()

    assert held.batches == []


def test_others_are_looked_after_while_one_is_held_and_nothing_happens(clock):
    held = Model("engagement", *[StandingByError("a rebuild takes its place")] * 3)
    other = Model("notifications")
    turns = Turns([held, other])

    for _ in range(3):
        turns.take()
        clock.now += turns.wait_s()

    assert (held.turns, other.turns) == (3, 3)


def test_nobody_begins_after_the_end_was_announced(clock):
    model = Model("engagement", 10)

    Turns([model]).take(lambda: False)

    assert model.turns == 0
