"""The points of a dashboard's series: as close to each other as there is room for."""

from datetime import date, timedelta

import pytest

from read_models.dashboard.dashboard import MOST_POINTS, Days, Step

LAST = date(2026, 11, 21)


def days(number, last=LAST):
    return Days(first=last - timedelta(days=number - 1), last=last, zone="UTC")


@pytest.mark.parametrize(
    "number, step",
    [
        (1, Step.DAY),
        (92, Step.DAY),
        (93, Step.WEEK),
        (92 * 7 - 1, Step.WEEK),
        (93 * 7, Step.MONTH),
        (7 * 365, Step.MONTH),
        (3_660, Step.QUARTER),
    ],
)
def test_a_series_that_may_be_coarse_is_told_by_the_smallest_step_that_leaves_room(number, step):
    assert days(number).step(may_be_coarse=True) is step
    assert len(days(number).points(step)) <= MOST_POINTS


def test_a_program_is_told_every_week_of_ten_years():
    assert days(3_660).step(may_be_coarse=False) is Step.WEEK
    assert days(92).step(may_be_coarse=False) is Step.DAY


@pytest.mark.parametrize(
    "step, beginning",
    [(Step.WEEK, date(2026, 11, 16)), (Step.MONTH, date(2026, 11, 1)), (Step.QUARTER, date(2026, 10, 1))],
)
def test_a_point_begins_on_monday_or_with_its_month_though_the_period_does_not(step, beginning):
    assert days(1).points(step) == [beginning]


@pytest.mark.parametrize("step", Step)
def test_every_day_of_a_period_is_in_a_point_and_no_point_is_after_it(step):
    period = days(800)
    points = period.points(step)

    found = {max(point for point in points if point <= period.first + timedelta(days=n)) for n in range(period.number)}

    assert found == set(points)
    assert points == sorted(points)


def test_months_and_quarters_go_on_over_the_end_of_a_year():
    period = Days(first=date(2025, 11, 30), last=date(2026, 4, 1), zone="UTC")

    assert [f"{point:%Y-%m-%d}" for point in period.points(Step.MONTH)] == [
        "2025-11-01", "2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01",
    ]  # fmt: skip
    assert [f"{point:%Y-%m-%d}" for point in period.points(Step.QUARTER)] == ["2025-10-01", "2026-01-01", "2026-04-01"]
