from datetime import UTC, datetime, timedelta

import pytest

from domain.policies.delivering import (
    FEWEST_FAILURES,
    GIVEN_UP_AFTER,
    LONGEST_PAUSE,
    LONGEST_WISH,
    RETRIES,
    Health,
    Outcome,
    SwitchedOff,
    health_after,
    next_attempt_at,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WELL = Health()


def after(before, *outcomes, now=NOON, **more):
    return health_after(before, outcomes, now, chance=0.0, **more)


def test_a_delivery_is_tried_ten_times_in_a_little_over_three_days():
    waits = [next_attempt_at(made, NOON, chance=0.0) - NOON for made in range(1, 10)]

    assert tuple(waits) == RETRIES
    assert timedelta(days=3) < sum(waits, timedelta(0)) < timedelta(days=4)
    assert next_attempt_at(10, NOON, chance=0.0) is None


def test_chance_makes_waiting_longer_by_a_fifth_at_most():
    assert next_attempt_at(2, NOON, chance=1.0) - NOON == timedelta(minutes=6)


def test_pauses_double_up_to_ten_minutes_and_one_success_ends_them():
    health, pauses = WELL, []
    for _ in range(12):
        health = after(health, Outcome.TIMED_OUT)
        pauses.append(health.paused_until - NOON)

    assert pauses[:4] == [timedelta(seconds=seconds) for seconds in (1, 2, 4, 8)]
    assert pauses[-1] == LONGEST_PAUSE
    assert health.failures == 12
    assert after(health, Outcome.DELIVERED) == WELL


def test_a_receiver_that_takes_anything_is_well():
    assert after(WELL, Outcome.REFUSED, Outcome.DELIVERED, Outcome.TIMED_OUT) == WELL


def test_410_switches_off_whatever_else_arrived():
    assert after(WELL, Outcome.DELIVERED, Outcome.GONE).switched_off is SwitchedOff.GONE


@pytest.mark.parametrize("early, expected", [(timedelta(seconds=1), None), (timedelta(0), SwitchedOff.FAILING)])
def test_five_days_without_success_switch_off(early, expected):
    failing = Health(failures=100, failing_since=NOON)

    assert after(failing, Outcome.REFUSED, now=NOON + GIVEN_UP_AFTER - early).switched_off is expected


def test_days_in_which_hardly_anything_was_sent_switch_nobody_off():
    failed_once = Health(failures=1, failing_since=NOON)
    nearly_given_up = Health(failures=FEWEST_FAILURES - 2, failing_since=NOON)
    later = NOON + GIVEN_UP_AFTER * 2

    assert after(failed_once, Outcome.REFUSED, now=later).switched_off is None
    still_on = after(nearly_given_up, Outcome.REFUSED, now=later)
    assert (still_on.switched_off, still_on.failing_since) == (None, NOON)
    assert after(still_on, Outcome.REFUSED, now=later).switched_off is SwitchedOff.FAILING


def test_a_wish_for_peace_is_granted_within_reason_and_also_to_who_is_well():
    minutes = timedelta(minutes=20)

    assert after(WELL, Outcome.REFUSED, wish=minutes).paused_until == NOON + minutes
    assert after(WELL, Outcome.DELIVERED, wish=minutes).paused_until == NOON + minutes
    assert after(WELL, Outcome.REFUSED, wish=timedelta(days=9)).paused_until == NOON + LONGEST_WISH
