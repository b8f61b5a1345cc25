from decimal import ROUND_HALF_UP, Decimal

import pytest

from domain.policies.scoring import (
    HIGHEST_SCORE,
    CandidateActivity,
    Level,
    ScoreParts,
    score_candidate,
)
from tests.support.emails import NOON, days, hours, seconds

INSTANT = seconds(0.000001)


def activity(sent=4, opened=0, clicked=0, replied=0, engaged=None, **told):
    return CandidateActivity(
        emails_sent=sent,
        emails_opened=opened,
        emails_clicked=clicked,
        emails_replied=replied,
        last_engaged_at=None if engaged is None else NOON - engaged,
        oldest_sent_at=told.pop("oldest_sent_at", NOON - days(10)),
        **told,
    )


def test_the_wireframes_candidate_has_points_from_each_part():
    score = score_candidate(activity(sent=4, opened=3, clicked=2, engaged=hours(2)), NOON)

    assert score.parts == ScoreParts(recency=30, opens=23, clicks=20, replies=0)
    assert (score.score, score.level) == (73, Level.WARM)


def test_without_an_email_in_the_window_nothing_was_measured():
    score = score_candidate(activity(sent=0), NOON)

    assert (score.score, score.level, score.parts, score.next_change_at) == (None, None, None, None)


@pytest.mark.parametrize(
    "age, points",
    [
        (-hours(1), 30),  # a provider's clock may be ahead
        (hours(0), 30),
        (hours(24) - INSTANT, 30),
        (hours(24), 20),
        (days(7) - INSTANT, 20),
        (days(7), 10),
        (days(30) - INSTANT, 10),
        (days(30), 0),
        (days(89), 0),
        (None, 0),
    ],
    ids=str,
)
def test_recency_falls_in_the_seeds_steps(age, points):
    assert score_candidate(activity(engaged=age), NOON).parts.recency == points


@pytest.mark.parametrize("sent", range(1, 33))
def test_shares_round_half_up_as_sql_does(sent):
    for part in range(sent + 1):
        parts = score_candidate(activity(sent=sent, opened=part, clicked=part, replied=part), NOON).parts

        assert (parts.opens, parts.clicks, parts.replies) == tuple(
            int((Decimal(part) / Decimal(sent) * weight).quantize(Decimal(1), ROUND_HALF_UP)) for weight in (30, 40, 20)
        )


def test_the_parts_together_give_at_most_a_hundred():
    score = score_candidate(activity(sent=1, opened=1, clicked=1, replied=1, engaged=hours(1)), NOON)

    assert score.parts == ScoreParts(recency=30, opens=30, clicks=40, replies=20)
    assert score.score == HIGHEST_SCORE


@pytest.mark.parametrize(
    "told, score, level",
    [
        ({"sent": 15, "opened": 15, "clicked": 2, "replied": 0, "engaged": days(29)}, 45, Level.WARM),
        ({"sent": 40, "opened": 40, "clicked": 5, "engaged": hours(1)}, 65, Level.WARM),
        ({"sent": 20, "opened": 20, "clicked": 7, "engaged": hours(1)}, 74, Level.WARM),
        ({"sent": 8, "opened": 8, "clicked": 3, "engaged": hours(1)}, 75, Level.HOT),
        ({"sent": 3, "opened": 3, "engaged": days(10)}, 40, Level.WARM),
        ({"sent": 30, "opened": 29, "engaged": days(10)}, 39, Level.COLD),
        ({"sent": 3}, 0, Level.COLD),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_the_badge_follows_the_score(told, score, level):
    scored = score_candidate(activity(**told), NOON)

    assert (scored.score, scored.level, scored.level_reason) == (score, level, "")


@pytest.mark.parametrize("flaw", ["hard_bounced", "unsubscribed"])
def test_whom_no_email_reaches_is_never_hot(flaw):
    scored = score_candidate(activity(sent=1, opened=1, clicked=1, engaged=hours(1), **{flaw: True}), NOON)

    assert (scored.score, scored.level, scored.level_reason) == (100, Level.WARM, flaw)


def test_a_bounce_explains_more_than_an_unsubscribe():
    assert score_candidate(activity(hard_bounced=True, unsubscribed=True), NOON).level_reason == "hard_bounced"


@pytest.mark.parametrize(
    "engaged, expected",
    [
        (hours(1), NOON + hours(23)),
        (hours(24), NOON + days(6)),
        (days(8), NOON + days(22)),
        (days(31), NOON + days(50)),  # the oldest email leaves the window
        (None, NOON + days(50)),
    ],
    ids=str,
)
def test_time_alone_changes_the_score_next(engaged, expected):
    scored = score_candidate(activity(engaged=engaged, oldest_sent_at=NOON - days(40)), NOON)

    assert scored.next_change_at == expected


def test_the_moment_of_the_next_change_changes_the_score():
    known = activity(engaged=hours(1), oldest_sent_at=NOON - days(40))
    changes_at = score_candidate(known, NOON).next_change_at

    before, at = score_candidate(known, changes_at - INSTANT), score_candidate(known, changes_at)

    assert (before.parts.recency, at.parts.recency) == (30, 20)
    assert at.next_change_at > changes_at
