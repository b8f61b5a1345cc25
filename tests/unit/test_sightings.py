import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.policies.detection.sightings import recipients_seen
from tests.support.emails import NOON, seconds


def seen(*moments):
    return [(NOON + seconds(at), str(number).encode()) for number, at in enumerate(moments)]


@pytest.mark.parametrize(
    "moments, count",
    [
        ((), 0),
        ((0,), 1),
        ((0, 15, 30, 45, 60), 5),
        ((-60, -30, 0, 30, 60), 3),
        ((0, 0, 1, 2, 3, 4), 5),
        ((-61, 0, 61), 1),
        ((-10, 0, 50), 3),
    ],
)
def test_a_minute_around_the_moment_counts(moments, count):
    assert recipients_seen(seen(*moments), NOON) == count


def test_one_recipient_seen_often_is_one():
    assert recipients_seen([(NOON + seconds(n), b"one") for n in range(50)], NOON) == 1


@given(st.lists(st.tuples(st.integers(-100, 100), st.integers(0, 6)), max_size=12))
@settings(deadline=None)  # a busy machine takes its time
def test_it_is_the_busiest_minute_that_holds_the_moment(told):
    found = sorted((NOON + seconds(at), bytes([who])) for at, who in [*told, (0, 9)])

    minutes = [NOON + seconds(start) for start in range(-60, 1)]
    busiest = max(len({who for at, who in found if start <= at <= start + seconds(60)}) for start in minutes)
    assert recipients_seen(found, NOON) == min(busiest, 5)
