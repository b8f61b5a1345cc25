"""The dashboard by what happened in a period, and with machines: for whom, how far, and said on the page."""

import asyncio
import csv
import io
import re
from datetime import UTC, date, datetime
from uuid import UUID

import psycopg
import pytest

from adapters.postgres.queries.dashboard import PostgresDashboardQueries
from adapters.postgres.query_pool import ScopedDatabase, query_pool
from domain.email_facts import Clicked, Opened
from read_models.audience import Audience
from read_models.dashboard.dashboard import Basis, Counting, Days
from read_models.dashboard.queries import DashboardFilter
from tests.support.query_world import (
    CAMPAIGN,
    LINK,
    NAMED_JOB,
    NOON,
    OTHER_JOB,
    OURS,
    THEIR_CAMPAIGN,
    Story,
    hours,
    project,
)

pytestmark = pytest.mark.usefixtures("world_as_it_was")

PATH = "/api/v1/dashboard"
LATE = UUID(int=0xCA)
AS_ACTIVITY = Counting(basis=Basis.ACTIVITY)
DAYS = {"from": "2026-05-10", "to": "2026-05-12"}
# What people did on a day, straight from the rows.
INDEPENDENT = """
SELECT count(DISTINCT email_log_id) FILTER (WHERE event_type IN ('opened', 'clicked')) AS opened,
    count(DISTINCT email_log_id) FILTER (WHERE event_type = 'clicked') AS clicked,
    count(*) FILTER (WHERE event_type = 'clicked') AS total_clicks,
    count(DISTINCT email_log_id) FILTER (WHERE event_type = 'replied') AS replied,
    count(DISTINCT email_log_id) FILTER (WHERE event_type = 'bounced') AS bounced,
    count(DISTINCT email_log_id) FILTER (WHERE event_type = 'delivered') AS delivered
FROM engagement_tracking WHERE organization_id = %(org)s
    AND event_timestamp >= '2026-11-21 00:00Z' AND event_timestamp < '2026-11-22 00:00Z'
"""


@pytest.fixture(scope="module")
def read_late(administrator_url):
    """An email of the first of May that is opened on the tenth, and opened and clicked on the twelfth."""
    story = Story(place=2_600_000_000)

    def ago(day, hour):
        return NOON - datetime(2026, 5, day, tzinfo=UTC) - hours(hour)

    story.sent("late", to="c-late", job=NAMED_JOB, campaign=LATE, ago=ago(1, 9))
    story.happened("late", Opened, ago=ago(10, 9))
    story.happened("late", Opened, ago=ago(12, 9))
    story.happened("late", Clicked, ago=ago(12, 9.5), url=LINK, link_position="1")
    project(administrator_url, story.logged)
    return {**DAYS, "campaign_id": str(LATE)}


def test_what_happened_on_a_day_is_what_the_tracking_table_says(recruiter, administrator_url):
    with psycopg.connect(administrator_url, row_factory=psycopg.rows.dict_row) as connection:
        wanted = connection.execute(INDEPENDENT, {"org": OURS}).fetchone()

    answer = recruiter.get(PATH, basis="activity", **{"from": "2026-11-21", "to": "2026-11-21"}).json()

    assert answer["basis"] == "activity"
    assert {name: answer["totals"][name] for name in wanted} == wanted
    assert wanted["opened"], "else this shows nothing"


def test_an_earlier_email_counts_once_in_the_period_and_once_on_each_day(recruiter, read_late):
    activity = recruiter.get(PATH, basis="activity", **read_late).json()
    cohort = recruiter.get(PATH, **read_late).json()

    assert [(point["date"], point["opens"], point["clicks"]) for point in activity["series"]] == [
        ("2026-05-10", 1, 0),
        ("2026-05-11", 0, 0),
        ("2026-05-12", 1, 1),
    ]
    assert (activity["totals"]["opened"], activity["totals"]["clicked"], activity["totals"]["sent"]) == (1, 1, 0)
    assert activity["tiles"]["open_rate"]["value"] is None, "nothing was sent, so there is no rate"
    assert activity["tiles"]["click_to_open_rate"]["value"] == 100.0
    assert activity["top_emails"][0]["subject"] == "Subject late"
    assert (cohort["basis"], cohort["totals"]["opened"]) == ("cohort", 0), "it was sent before"


def test_an_opening_belongs_to_the_day_of_the_reader(recruiter, read_late):
    there = recruiter.get(PATH, basis="activity", tz="Pacific/Honolulu", **read_late).json()["series"]

    assert [point["opens"] for point in there] == [0, 1, 0], "the ninth and the eleventh there"


def test_machines_count_if_they_are_asked_for(recruiter):
    day = {"from": "2026-11-21", "to": "2026-11-21"}
    for basis in ("cohort", "activity"):
        people = recruiter.get(PATH, basis=basis, **day).json()
        everybody = recruiter.get(PATH, basis=basis, include="automated", **day).json()

        assert everybody["totals"]["opened"] == people["totals"]["opened"] + 1, "that to c-2 only machines opened"
        assert everybody["totals"]["total_clicks"] == people["totals"]["total_clicks"] + 2
        for answer in (people, everybody):
            assert (answer["totals"]["machine_opens"], answer["totals"]["scanner_clicks"]) == (2, 2)
        for parts in ("series", "templates", "top_emails"):
            assert sum(one["opens"] for one in everybody[parts]) == everybody["totals"]["opened"]


def test_a_hiring_manager_sees_what_happened_to_the_emails_of_their_jobs(manager, recruiter):
    named = recruiter.get(PATH, basis="activity", job_id=NAMED_JOB).json()

    assert manager.get(PATH, basis="activity").json()["totals"] == named["totals"]
    assert manager.get(PATH, basis="activity", include="automated", job_id=OTHER_JOB).json()["totals"]["opened"] == 0
    assert "Subject other" not in manager.get(PATH, basis="activity").text


def test_another_organisations_campaign_leads_to_nothing(recruiter):
    totals = recruiter.get(PATH, basis="activity", campaign_id=str(THEIR_CAMPAIGN)).json()["totals"]

    assert (totals["sent"], totals["clicked"]) == (0, 0)


def test_an_organisation_with_nothing_yet_is_told_that_nothing_was_measured(operator, with_token):
    key = operator.post("/api/v1/organizations", {"name": "Nothing happened yet"}).json()["api_key"]

    answer = with_token(key).get(PATH, basis="activity", include="automated").json()

    assert {tile["value"] for tile in answer["tiles"].values()} == {None}
    assert (answer["top_emails"], answer["templates"]) == ([], [])


@pytest.mark.parametrize(
    "asked, field",
    [
        ({"basis": "sometimes"}, "basis"),
        ({"include": "everything"}, "include"),
        ({"basis": "activity", "from": "2026-11-21", "to": "2026-11-01"}, "to"),
        ({"basis": "activity", "from": "1990-01-01", "to": "2026-11-01"}, "to"),
        ({"basis": "activity", "tz": "Middle/Earth"}, "tz"),
    ],
)
def test_a_question_that_cannot_be_is_refused_by_name(asked, field, recruiter):
    answer = recruiter.get(PATH, **asked)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_ten_years_are_answered(recruiter):
    years = {"from": "2016-11-20", "to": "2026-11-21"}

    assert recruiter.get(PATH, basis="activity", **years).json()["step"] == "week"


def test_the_page_says_what_is_counted_and_its_links_keep_it(recruiters_browser):
    page = recruiters_browser.get("/?basis=activity&include=automated&from=2026-11-21&to=2026-11-21").text

    assert "What happened to tracked emails, whenever they were sent, from 21 November 2026" in page
    assert (
        '<a href="/?basis=activity&amp;include=automated&amp;from=2026-11-21&amp;to=2026-11-21" aria-current="page">'
        in page
    )
    assert "automatic opens counted too" in page
    assert '<input type="hidden" name="basis" value="activity">' in page
    assert '<input type="hidden" name="include" value="automated">' in page
    kept = re.findall(r'href="(/\?[^"]*template_id=[^"]*)"', page)
    assert kept
    assert all("basis=activity" in link and "include=automated" in link for link in kept)


def test_the_page_says_which_emails_it_counts_if_nobody_asks(recruiters_browser):
    page = recruiters_browser.get("/").text

    assert "Tracked emails sent from" in page
    assert "automatic opens left out" in page


def test_a_file_is_of_what_the_page_counts(recruiters_browser, read_late):
    address = f"/?basis=activity&campaign_id={LATE}&from={DAYS['from']}&to={DAYS['to']}&tz=UTC"
    page = recruiters_browser.get(address).text
    [link] = re.findall(r'href="([^"]*format=csv[^"]*table=series[^"]*)"', page)
    answer = recruiters_browser.get(link.replace("&amp;", "&"))

    assert "series-2026-05-10-2026-05-12-activity.csv" in answer.headers["content-disposition"]
    assert [row["opens"] for row in csv.DictReader(io.StringIO(answer.text))] == ["1", "0", "1"]


def test_days_on_which_nothing_happened_say_so(recruiters_browser):
    page = recruiters_browser.get("/?basis=activity&from=2020-01-01&to=2020-01-31").text

    assert "Nothing happened in these days" in page


def test_the_page_says_that_privacy_mode_keeps_no_times(admin, recruiters_browser):
    assert "Privacy mode keeps no time" not in recruiters_browser.get("/?basis=activity").text
    admin.put("/api/v1/tracking-policy", {"privacy_mode": True})
    try:
        assert "Privacy mode keeps no time" in recruiters_browser.get("/?basis=activity").text
        assert "Privacy mode keeps no time" not in recruiters_browser.get("/").text
    finally:
        admin.put("/api/v1/tracking-policy", {"privacy_mode": False})


def test_a_verdict_that_is_revised_changes_what_happened(recruiter, administrator_url):
    """The rows that the figures come from go with the events: nothing is kept twice."""
    story = Story(place=2_700_000_000)
    campaign = UUID(int=0xCB)
    story.sent("gone", to="c-gone", job=NAMED_JOB, campaign=campaign, ago=hours(24 * 300))
    story.happened("gone", Opened, ago=hours(24 * 299))
    project(administrator_url, story.logged)
    asked = {"from": "2026-01-20", "to": "2026-01-31", "campaign_id": str(campaign), "basis": "activity"}
    before = recruiter.get(PATH, **asked).json()["totals"]["opened"]

    with psycopg.connect(administrator_url) as connection:
        connection.execute("DELETE FROM campaign_contacts WHERE campaign_id = %s", (campaign,))

    assert (before, recruiter.get(PATH, **asked).json()["totals"]["opened"]) == (1, 0)
    assert recruiter.get(PATH, basis="activity", campaign_id=str(CAMPAIGN)).json()["totals"]["opened"] == 2


def test_one_connection_is_enough_though_two_are_asked_at_once_where_there_are(administrator_url):
    period = Days(first=date(2026, 11, 21), last=date(2026, 11, 21), zone="UTC")

    async def sums():
        async with query_pool(administrator_url, size=1) as pool:
            queries = PostgresDashboardQueries(ScopedDatabase(pool))
            ours = Audience(organization_id=OURS)
            return await asyncio.gather(*(queries.sums(ours, period, DashboardFilter(), AS_ACTIVITY) for _ in range(2)))

    one, other = asyncio.run(sums())

    assert one == other
    assert one.totals.opened > 0
