"""The dashboard's figures are those of SQL written independently over the tracking table, for every filter and zone."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from domain.email_facts import Opened
from tests.support.query_world import CAMPAIGN, NAMED_JOB, NOON, OTHER_JOB, OURS, THEIR_CAMPAIGN, Story, project

pytestmark = pytest.mark.usefixtures("world_as_it_was")

PATH = "/api/v1/dashboard"
INDIA = UUID(int=0xC9)
# People by email and by what they did, straight from the rows; nothing of the sums that the service answers from.
INDEPENDENT = """
SELECT count(DISTINCT e.id) FILTER (WHERE e.dropped_at IS NULL) AS sent,
    count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type IN ('opened', 'clicked')) AS opened,
    count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type = 'clicked') AS clicked,
    count(*) FILTER (WHERE t.event_type = 'clicked') AS total_clicks,
    count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type = 'replied') AS replied,
    count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type = 'bounced') AS bounced
FROM email_logs e LEFT JOIN engagement_tracking t ON t.email_log_id = e.id
WHERE e.organization_id = %(org)s AND e.tracking AND e.sent_at >= %(start)s AND e.sent_at < %(end)s
    AND (%(job)s::text IS NULL OR e.job_id = %(job)s) AND (%(campaign)s::uuid IS NULL OR e.campaign_id = %(campaign)s)
"""

BY_DAY_AND_CAMPAIGN = """
SELECT (e.sent_at AT TIME ZONE %(zone)s)::date AS day, e.campaign_id, count(*), count(o.email_log_id)
FROM email_logs e LEFT JOIN (SELECT DISTINCT email_log_id FROM engagement_tracking
    WHERE event_type IN ('opened', 'clicked')) o ON o.email_log_id = e.id
WHERE e.organization_id = %(org)s AND e.tracking AND e.job_id = ANY(%(jobs)s)
    AND (e.sent_at AT TIME ZONE %(zone)s)::date BETWEEN %(first)s AND %(last)s
GROUP BY 1, 2
"""
CLOCKS = (UUID(int=0xCB), UUID(int=0xCC))


def counted(database_url, *, days_back=30, job=None, campaign=None):
    start = NOON.replace(hour=0) - timedelta(days=days_back - 1)
    with psycopg.connect(database_url, row_factory=psycopg.rows.dict_row) as connection:
        parameters = {"org": OURS, "start": start, "end": start + timedelta(days=days_back)}
        return connection.execute(INDEPENDENT, {**parameters, "job": job, "campaign": campaign}).fetchone()


def figures(answer):
    totals = answer.json()["totals"]
    return {name: totals[name] for name in ("sent", "opened", "clicked", "total_clicks", "replied", "bounced")}


@pytest.mark.parametrize(
    "asked, filters",
    [
        ({}, {}),
        ({"job_id": NAMED_JOB}, {"job": NAMED_JOB}),
        ({"job_id": OTHER_JOB}, {"job": OTHER_JOB}),
        ({"campaign_id": str(CAMPAIGN)}, {"campaign": CAMPAIGN}),
        ({"from": "2026-06-01", "to": "2026-11-21"}, {"days_back": 174}),
    ],
    ids=["everything", "one job", "another job", "one campaign", "half a year"],
)
def test_the_figures_are_those_of_the_tracking_table(asked, filters, recruiter, administrator_url):
    wanted = counted(administrator_url, **filters)

    assert figures(recruiter.get(PATH, **asked)) == wanted
    assert wanted["sent"], "else this shows nothing"


def test_series_top_emails_and_templates_add_up_to_the_totals(recruiter):
    answer = recruiter.get(PATH).json()
    totals = answer["totals"]

    for name, figure in (("sent", "sent"), ("opens", "opened"), ("clicks", "clicked")):
        assert sum(point[name] for point in answer["series"]) == totals[figure]
        assert sum(template[name] for template in answer["templates"]) == totals[figure]
        assert sum(mailing[name] for mailing in answer["top_emails"]) == totals[figure]
    for name, figure in (("replies", "replied"), ("bounces", "bounced")):
        assert sum(point[name] for point in answer["series"]) == totals[figure] > 0
    assert len(answer["series"]) == 30
    assert answer["templates"][0]["name"] == "Invitation"
    assert answer["top_emails"][0]["subject"].startswith("Subject ")


def test_days_begin_where_the_reader_lives(recruiter):
    """Everything was sent between 6 and 10 in the morning of the 21st, by UTC: the 20th in Honolulu till 10."""
    here = {point["date"]: point["sent"] for point in recruiter.get(PATH).json()["series"] if point["sent"]}
    there = recruiter.get(PATH, tz="Pacific/Honolulu", to="2026-11-21").json()["series"]

    assert set(here) == {"2026-11-21"}
    assert {point["date"] for point in there if point["sent"]} == {"2026-11-20"}


def test_days_begin_at_the_half_hour_in_india(recruiter, administrator_url):
    """Half past six in the evening by UTC is midnight there; a quarter earlier is still the day before."""
    story = Story(place=2_500_000_000)
    for name, sent_at in (
        ("before", datetime(2026, 3, 5, 18, 15, tzinfo=UTC)),
        ("after", datetime(2026, 3, 5, 18, 30, tzinfo=UTC)),
    ):
        story.sent(name, to="c-india", job=None, campaign=INDIA, ago=NOON - sent_at)
    project(administrator_url, story.logged)

    days = {"from": "2026-03-05", "to": "2026-03-06", "campaign_id": str(INDIA)}
    assert [point["sent"] for point in recruiter.get(PATH, tz="Asia/Kolkata", **days).json()["series"]] == [1, 1]
    assert [point["sent"] for point in recruiter.get(PATH, **days).json()["series"]] == [2, 0]


@pytest.fixture(scope="module")
def all_around_the_clock(administrator_url):
    """Emails of two mailings, every three hours and a half from the 8th to the 14th of April."""
    story = Story(place=2_510_000_000)
    for number in range(48):
        sent_at = datetime(2026, 4, 8, tzinfo=UTC) + timedelta(hours=3.5 * number)
        name, job = f"clock-{number}", NAMED_JOB if number % 3 else OTHER_JOB
        story.sent(name, to=f"c-clock-{number}", job=job, campaign=CLOCKS[number % 2], ago=NOON - sent_at)
        if number % 5 == 0:
            opened_at = sent_at + timedelta(days=2)
            story.happened(name, Opened, ago=NOON - opened_at)
    project(administrator_url, story.logged)


@pytest.mark.parametrize("days", [("2026-04-10", "2026-04-10"), ("2026-04-09", "2026-04-12")], ids=["one", "four"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati"])
@pytest.mark.parametrize("who", ["recruiter", "manager"])
@pytest.mark.usefixtures("all_around_the_clock")
def test_points_and_mailings_hold_the_emails_of_the_readers_own_days(who, zone, days, request, administrator_url):
    answer = request.getfixturevalue(who).get(PATH, **{"from": days[0], "to": days[1]}, tz=zone).json()

    with psycopg.connect(administrator_url) as connection:
        jobs = [NAMED_JOB] if who == "manager" else [NAMED_JOB, OTHER_JOB]
        parameters = {"org": OURS, "zone": zone, "first": days[0], "last": days[1], "jobs": jobs}
        by_day = connection.execute(BY_DAY_AND_CAMPAIGN, parameters).fetchall()
    points, mailings = {}, {}
    for day, campaign, sent, opened in by_day:
        for sums, key in ((points, str(day)), (mailings, str(campaign))):
            known = sums.get(key, (0, 0))
            sums[key] = (known[0] + sent, known[1] + opened)
    assert {p["date"]: (p["sent"], p["opens"]) for p in answer["series"] if p["sent"]} == points
    assert {m["campaign_id"]: (m["sent"], m["opens"]) for m in answer["top_emails"]} == mailings
    assert len(mailings) == 2, "else this shows little"


def test_a_change_is_told_against_as_many_days_before_and_only_where_both_were_measured(recruiter):
    answer = recruiter.get(PATH).json()

    assert answer["previous_period"] == {"from": "2026-09-23", "to": "2026-10-22", "tz": "UTC"}
    assert answer["tiles"]["open_rate"]["value"] == answer["totals"]["open_rate"]
    assert answer["tiles"]["open_rate"]["change"] is None, "nothing was sent in the 30 days before"
    # One email of 120 days ago was never opened.
    longer = recruiter.get(PATH, **{"from": "2026-09-01", "to": "2026-11-21"}).json()["tiles"]["open_rate"]
    assert longer["change"] == longer["value"]


def test_long_periods_are_told_by_weeks_that_begin_on_monday(recruiter):
    answer = recruiter.get(PATH, **{"from": "2026-06-01", "to": "2026-11-21"}).json()

    assert answer["step"] == "week"
    assert answer["series"][0]["date"] == "2026-06-01"
    assert answer["series"][-1] == {
        "date": "2026-11-16",
        "sent": 3,
        "opens": 2,
        "clicks": 2,
        "replies": 1,
        "bounces": 1,
    }


def test_an_organisation_with_nothing_yet_is_told_that_nothing_was_measured(operator, with_token):
    key = operator.post("/api/v1/organizations", {"name": "Nothing yet"}).json()["api_key"]

    answer = with_token(key).get(PATH).json()

    assert answer["totals"]["sent"] == 0
    assert {tile["value"] for tile in answer["tiles"].values()} == {None}
    assert (answer["top_emails"], answer["templates"]) == ([], [])


def test_a_hiring_manager_sees_the_figures_of_their_jobs_only(manager, recruiter):
    assert manager.get(PATH).json()["totals"] == recruiter.get(PATH, job_id=NAMED_JOB).json()["totals"]
    assert manager.get(PATH, job_id=OTHER_JOB).json()["totals"]["sent"] == 0
    subjects = {mailing["subject"] for mailing in manager.get(PATH).json()["top_emails"]}
    assert subjects <= {"Subject named", "Subject dropped"}


def test_another_organisations_ids_lead_to_nothing(recruiter):
    assert recruiter.get(PATH, campaign_id=str(THEIR_CAMPAIGN)).json()["totals"]["sent"] == 0


@pytest.mark.parametrize(
    "asked, field",
    [
        ({"from": "2026-11-21", "to": "2026-11-01"}, "to"),
        ({"from": "1990-01-01", "to": "2026-11-01"}, "to"),
        ({"from": "0001-01-01"}, "from"),
        ({"to": "yesterday"}, "to"),
        ({"to": "2026-02-30"}, "to"),
        ({"tz": "Middle/Earth"}, "tz"),
        ({"tz": "../../etc/passwd"}, "tz"),
        ({"campaign_id": "42"}, "campaign_id"),
    ],
)
def test_a_period_that_cannot_be_is_refused_by_name(asked, field, recruiter):
    answer = recruiter.get(PATH, **asked)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
