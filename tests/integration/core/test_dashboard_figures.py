"""Whatever a dashboard is asked for, its figures are those of SQL over the tracking table, row by row."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import psycopg
import pytest

from adapters.agents import read_agent
from adapters.postgres.engagement_view import PostgresEngagementView
from adapters.postgres.queries.dashboard import PostgresDashboardQueries
from adapters.postgres.query_pool import ScopedDatabase, query_pool
from domain.email_facts import Clicked, Opened, Sent
from domain.values import Verdict
from read_models.audience import Audience
from read_models.dashboard.dashboard import Dashboard, Days, dashboard_of
from read_models.dashboard.queries import DashboardFilter
from read_models.engagement.projection import ProjectEngagement
from read_models.events import LoggedFact
from tests.benchmarks.believable import DAYS, ORGANIZATIONS, happenings
from tests.benchmarks.stores import migrated_database
from tests.support.servers import started_servers

EVENTS = 20_000
QUESTIONS = 40
UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
OPEN = [one for one in ORGANIZATIONS if not one.is_private]
PRIVATE = next(one for one in ORGANIZATIONS if one.is_private)
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati", "Australia/Lord_Howe")
# People by email and by what they did; nothing of the sums that the service answers from.
COUNTED = """
SELECT {group} count(DISTINCT e.id) AS sent,
    count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type IN ('opened', 'clicked')) AS opened,
    count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type = 'clicked') AS clicked,
    count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type = 'replied') AS replied,
    count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type = 'bounced') AS bounced,
    count(*) FILTER (WHERE t.event_type = 'clicked') AS total_clicks
FROM email_logs e LEFT JOIN engagement_tracking t ON t.email_log_id = e.id
WHERE e.organization_id = %(organization_id)s AND e.tracking
    AND (e.sent_at AT TIME ZONE %(zone)s)::date BETWEEN %(first)s AND %(last)s
    AND (%(job_id)s::text IS NULL OR e.job_id = %(job_id)s)
    AND (%(campaign_id)s::uuid IS NULL OR e.campaign_id = %(campaign_id)s)
    AND (%(template_id)s::text IS NULL OR e.template_id = %(template_id)s)
    AND (%(manager)s::text IS NULL
        OR e.job_id IN (SELECT j.id FROM jobs j WHERE j.organization_id = e.organization_id
            AND j.hiring_manager_id = %(manager)s))
{having}
"""
BY_POINT = "GROUP BY 1 ORDER BY 1"


class Question(NamedTuple):
    """What is asked."""

    organization_id: UUID
    manager: str | None
    period: Days
    wanted: DashboardFilter


@pytest.fixture(scope="module")
def facts():
    return list(happenings(EVENTS, until=UNTIL, seed=20_000))


@pytest.fixture(scope="module")
def database_url(tmp_path_factory, facts):
    with migrated_database(started_servers(tmp_path_factory.mktemp("servers"))[0]) as url:
        logged = [LoggedFact(place, one.email_id, one.fact) for place, one in enumerate(facts, 1)]
        with psycopg.connect(url, autocommit=True) as connection:
            for start in range(0, len(logged), 1_000):
                _fold(connection, logged[start : start + 1_000])
        yield url


@pytest.fixture(scope="module")
def questions(facts):
    sent = {}
    for one in facts:
        if isinstance(one.fact, Sent):
            sent.setdefault(one.organization_id, []).append(one.fact)
    return [_question(random.Random(number), sent) for number in range(QUESTIONS)]


@pytest.fixture(scope="module")
def answers(database_url, questions):
    return asyncio.run(_answers(database_url, questions))


@pytest.mark.parametrize("number", range(QUESTIONS))
def test_tiles_series_and_templates_are_those_of_the_tracking_table(number, database_url, questions, answers):
    question, answer = questions[number], answers[number]

    with psycopg.connect(database_url, row_factory=psycopg.rows.dict_row) as connection:
        [totals] = _counted(connection, question)
        by_point = _counted(connection, question, _point_of(answer), BY_POINT)
        by_template = _counted(connection, question, "e.template_id AS template_id,", BY_POINT)

    assert {name: getattr(answer.totals, name) for name in totals} == totals
    assert {point.date: (point.sent, point.opens, point.clicks) for point in answer.series if point.sent} == {
        row["point"]: (row["sent"], row["opened"], row["clicked"]) for row in by_point
    }
    assert {one.template_id: (one.sent, one.opens, one.clicks) for one in answer.templates} == {
        row["template_id"]: (row["sent"], row["opened"], row["clicked"]) for row in by_template
    }


@pytest.mark.parametrize("number", range(QUESTIONS))
def test_a_change_is_against_as_many_days_before(number, database_url, questions, answers):
    question, answer = questions[number], answers[number]
    days = question.period.number
    before = Days(
        first=question.period.first - timedelta(days=days),
        last=question.period.first - timedelta(days=1),
        zone=question.period.zone,
    )
    with psycopg.connect(database_url, row_factory=psycopg.rows.dict_row) as connection:
        [earlier] = _counted(connection, question._replace(period=before))

    for tile, numerator in (("open_rate", "opened"), ("click_rate", "clicked"), ("bounce_rate", "bounced")):
        shown = answer.tiles[tile]
        if not earlier["sent"] or shown.value is None:
            assert shown.change is None
        else:
            was = 100 * earlier[numerator] / earlier["sent"]
            assert shown.change == pytest.approx(shown.value - was, abs=0.11)


def test_most_questions_are_about_something(answers):
    assert sum(answer.totals.opened > 0 for answer in answers) > QUESTIONS / 2


def test_of_an_organisation_in_privacy_mode_the_dashboard_counts_what_nobody_can_be_seen_doing(database_url, facts):
    everything = Days(first=(UNTIL - timedelta(days=DAYS + 1)).date(), last=UNTIL.date(), zone="UTC")
    [answer] = asyncio.run(_answers(database_url, [Question(PRIVATE.id, None, everything, DashboardFilter())]))
    of_private = [one for one in facts if one.organization_id == PRIVATE.id]
    tracked = {one.email_id for one in of_private if isinstance(one.fact, Sent) and one.fact.tracking}
    people = [one for one in of_private if getattr(one.fact, "verdict", None) is Verdict.HUMAN]

    assert answer.totals.sent == len(tracked)
    assert answer.totals.clicked == len(tracked & {one.email_id for one in people if isinstance(one.fact, Clicked)})
    assert answer.totals.opened == len(
        tracked & {one.email_id for one in people if isinstance(one.fact, Opened | Clicked)}
    )
    assert answer.totals.opened


def _question(chance: random.Random, sent: dict[UUID, list[Sent]]) -> Question:
    organization = chance.choices(OPEN, [3, 1, 1, 1])[0]
    some = chance.choice(sent[organization.id])
    zone = chance.choice(ZONES)
    length = chance.choice((1, 7, 30, 90, 92, 93, 365))
    # Half of the periods hold the chosen email, so that filters by what it is about find something.
    last = some.sent_at.date() + timedelta(days=chance.randrange(length) if chance.random() < 0.5 else 0)
    wanted = chance.choice(
        (
            DashboardFilter(),
            DashboardFilter(job_id=some.job.id),
            DashboardFilter(template_id=some.template.id),
            DashboardFilter(campaign_id=some.campaign_id),
            DashboardFilter(job_id=some.job.id, template_id=some.template.id),
        )
    )
    manager = some.job.hiring_manager_id if chance.random() < 0.3 else None
    period = Days(first=last - timedelta(days=length - 1), last=last, zone=zone)
    return Question(organization.id, manager, period, wanted)


def _fold(connection, batch: list[LoggedFact]) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        ProjectEngagement(PostgresEngagementView(cursor), None, read_agent)(batch)


async def _answers(url: str, questions: list[Question]) -> list[Dashboard]:
    pool = query_pool(url, size=1)
    await pool.open()
    queries = PostgresDashboardQueries(ScopedDatabase(pool))
    answers = []
    for question in questions:
        audience = Audience(organization_id=question.organization_id, hiring_manager_id=question.manager)
        answers.append(dashboard_of(question.period, await queries.sums(audience, question.period, question.wanted)))
    await pool.close()
    return answers


def _point_of(answer: Dashboard) -> str:
    return f"date_trunc('{answer.step.value}', e.sent_at AT TIME ZONE %(zone)s)::date AS point,"


def _counted(connection, question: Question, group: str = "", having: str = "") -> list[dict]:
    parameters = {
        "organization_id": question.organization_id,
        "manager": question.manager,
        "first": question.period.first,
        "last": question.period.last,
        "zone": question.period.zone,
        "job_id": question.wanted.job_id,
        "campaign_id": question.wanted.campaign_id,
        "template_id": question.wanted.template_id,
    }
    return connection.execute(COUNTED.format(group=group, having=having), parameters).fetchall()
