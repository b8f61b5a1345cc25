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
from read_models.dashboard.dashboard import USUAL_COUNTING, Basis, Counting, Dashboard, Days, Step, dashboard_of
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
# What happened in the days, whenever the emails were sent; {done} is what people did, or machines too.
HAPPENED = """
SELECT {group} count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type IN ('opened', 'clicked')) AS opened,
    count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type = 'clicked') AS clicked,
    count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type = 'replied') AS replied,
    count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type = 'bounced') AS bounced,
    count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type = 'delivered') AS delivered,
    count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type = 'unsubscribed') AS unsubscribed,
    count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type = 'spam_reported') AS spam_reported,
    count(*) FILTER (WHERE t.event_type = 'clicked') AS total_clicks
FROM ({done}) t JOIN email_logs e ON e.id = t.email_log_id
WHERE e.organization_id = %(organization_id)s AND e.tracking
    AND (t.event_timestamp AT TIME ZONE %(zone)s)::date BETWEEN %(first)s AND %(last)s
    AND (%(job_id)s::text IS NULL OR e.job_id = %(job_id)s)
    AND (%(campaign_id)s::uuid IS NULL OR e.campaign_id = %(campaign_id)s)
    AND (%(template_id)s::text IS NULL OR e.template_id = %(template_id)s)
    AND (%(manager)s::text IS NULL
        OR e.job_id IN (SELECT j.id FROM jobs j WHERE j.organization_id = e.organization_id
            AND j.hiring_manager_id = %(manager)s))
{having}
"""
PEOPLE = "SELECT email_log_id, event_type, event_timestamp FROM engagement_tracking"
EVERYBODY = f"""{PEOPLE} UNION ALL
SELECT email_log_id, event_type, event_timestamp FROM automated_engagement
WHERE verdict IN ('machine_open', 'scanner')"""
# As in COUNTED, with every email that anybody or any machine opened or clicked.
RAW = """
SELECT {group} count(DISTINCT e.id) AS sent,
    count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type IN ('opened', 'clicked')) AS opened,
    count(DISTINCT t.email_log_id) FILTER (WHERE t.event_type = 'clicked') AS clicked,
    count(*) FILTER (WHERE t.event_type = 'clicked') AS total_clicks
FROM email_logs e LEFT JOIN ({done}) t ON t.email_log_id = e.id
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


class Question(NamedTuple):
    """What is asked."""

    organization_id: UUID
    manager: str | None
    period: Days
    wanted: DashboardFilter


@pytest.fixture(scope="module")
def facts():
    """Believable ones; those that nobody would take, about emails that are not tracked, left out."""
    happened = list(happenings(EVENTS, until=UNTIL, seed=20_000))
    untracked = {one.email_id for one in happened if isinstance(one.fact, Sent) and not one.fact.tracking}
    return [one for one in happened if one.email_id not in untracked or not isinstance(one.fact, Opened | Clicked)]


@pytest.fixture(scope="module")
def database_url(tmp_path_factory, facts):
    with migrated_database(started_servers(tmp_path_factory.mktemp("servers"))[0]) as url:
        logged = [LoggedFact(place, one.email_id, one.fact) for place, one in enumerate(facts, 1)]
        with psycopg.connect(url, autocommit=True) as connection:
            for start in range(0, len(logged), 1_000):
                _fold(connection, logged[start : start + 1_000])
            connection.execute("ANALYZE")  # what counts row by row below would else be planned for empty tables
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


@pytest.fixture(scope="module")
def activities(database_url, questions):
    """By whether machines count."""
    return {
        with_automated: asyncio.run(
            _answers(database_url, questions, Counting(basis=Basis.ACTIVITY, with_automated=with_automated))
        )
        for with_automated in (False, True)
    }


@pytest.fixture(scope="module")
def raw_answers(database_url, questions):
    return asyncio.run(_answers(database_url, questions, Counting(with_automated=True)))


@pytest.mark.parametrize("number", range(QUESTIONS))
def test_tiles_series_and_templates_are_those_of_the_tracking_table(number, database_url, questions, answers):
    question, answer = questions[number], answers[number]

    with psycopg.connect(database_url, row_factory=psycopg.rows.dict_row) as connection:
        [totals] = _counted(connection, question)
        by_point = _counted(connection, question, _point_of(answer), BY_POINT)
        by_template = _counted(connection, question, "e.template_id AS template_id,", BY_POINT)

    assert {name: getattr(answer.totals, name) for name in totals} == totals
    assert {point.date: (point.sent, *_counts_of(point)) for point in answer.series if point.sent} == {
        row["point"]: (row["sent"], row["opened"], row["clicked"], row["replied"], row["bounced"]) for row in by_point
    }
    assert {one.template_id: (one.sent, one.opens, one.clicks) for one in answer.templates} == {
        row["template_id"]: (row["sent"], row["opened"], row["clicked"]) for row in by_template
    }


def _counts_of(point):
    return point.opens, point.clicks, point.replies, point.bounces


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


@pytest.mark.parametrize("number", range(QUESTIONS))
@pytest.mark.parametrize("with_automated", [False, True], ids=["people", "machines too"])
def test_what_happened_in_a_period_is_what_the_tracking_table_says(
    number, with_automated, database_url, questions, activities
):
    question, answer = questions[number], activities[with_automated][number]
    done = EVERYBODY if with_automated else PEOPLE

    with psycopg.connect(database_url, row_factory=psycopg.rows.dict_row) as connection:
        [totals] = _counted(connection, question, sql=_by(HAPPENED, done))
        by_point = _counted(connection, question, _point_of(answer, "t.event_timestamp"), BY_POINT, _by(HAPPENED, done))
        by_template = _counted(connection, question, "e.template_id AS template_id,", BY_POINT, _by(HAPPENED, done))
        [sent] = _counted(connection, question)

    assert {name: getattr(answer.totals, name) for name in totals} == totals
    assert answer.totals.sent == sent["sent"]
    assert {point.date: _counts_of(point) for point in answer.series if any(_counts_of(point))} == {
        row["point"]: counts
        for row in by_point
        if any(counts := (row["opened"], row["clicked"], row["replied"], row["bounced"]))
    }
    assert {one.template_id: (one.opens, one.clicks) for one in answer.templates if one.opens} == {
        row["template_id"]: (row["opened"], row["clicked"]) for row in by_template if row["opened"]
    }


@pytest.mark.parametrize("number", range(QUESTIONS))
def test_a_change_of_activity_is_against_what_happened_in_as_many_days_before(
    number, database_url, questions, activities
):
    question, answer = questions[number], activities[False][number]
    before = question._replace(period=question.period.before)
    with psycopg.connect(database_url, row_factory=psycopg.rows.dict_row) as connection:
        [happened], [sent] = _counted(connection, before, sql=_by(HAPPENED, PEOPLE)), _counted(connection, before)

    for tile, numerator in (("open_rate", "opened"), ("click_rate", "clicked"), ("bounce_rate", "bounced")):
        shown = answer.tiles[tile]
        if not sent["sent"] or shown.value is None:
            assert shown.change is None
        else:
            assert shown.change == pytest.approx(shown.value - 100 * happened[numerator] / sent["sent"], abs=0.11)


@pytest.mark.parametrize("number", range(QUESTIONS))
def test_with_machines_every_email_that_anything_opened_counts(number, database_url, questions, raw_answers):
    question, answer = questions[number], raw_answers[number]

    with psycopg.connect(database_url, row_factory=psycopg.rows.dict_row) as connection:
        [totals] = _counted(connection, question, sql=_by(RAW, EVERYBODY))
        by_point = _counted(connection, question, _point_of(answer), BY_POINT, _by(RAW, EVERYBODY))
        by_template = _counted(connection, question, "e.template_id AS template_id,", BY_POINT, _by(RAW, EVERYBODY))

    assert {name: getattr(answer.totals, name) for name in totals} == totals
    assert {point.date: (point.sent, point.opens, point.clicks) for point in answer.series if point.sent} == {
        row["point"]: (row["sent"], row["opened"], row["clicked"]) for row in by_point
    }
    assert {one.template_id: (one.sent, one.opens, one.clicks) for one in answer.templates} == {
        row["template_id"]: (row["sent"], row["opened"], row["clicked"]) for row in by_template
    }


@pytest.mark.parametrize("length, step", [(92 * 7 - 6, Step.WEEK), (92 * 7 + 1, Step.MONTH), (3_660, Step.QUARTER)])
def test_points_that_are_months_or_quarters_are_those_of_the_tracking_table(length, step, database_url, questions):
    question = _over(questions[0], length)
    sent, done = asyncio.run(_coarse_answers(database_url, question))

    with psycopg.connect(database_url, row_factory=psycopg.rows.dict_row) as connection:
        sent_by_point = _counted(connection, question, _point_of(sent), BY_POINT)
        done_by_point = _counted(
            connection, question, _point_of(done, "t.event_timestamp"), BY_POINT, _by(HAPPENED, PEOPLE)
        )

    assert sent.step is done.step is step
    assert {point.date: (point.sent, point.opens) for point in sent.series if point.sent} == {
        row["point"]: (row["sent"], row["opened"]) for row in sent_by_point
    }
    assert {point.date: point.opens for point in done.series if point.opens} == {
        row["point"]: row["opened"] for row in done_by_point if row["opened"]
    }
    assert sum(point.opens > 0 for point in done.series) > 5, "else this shows little"


def _over(question: Question, length: int) -> Question:
    last = UNTIL.date()
    period = Days(first=last - timedelta(days=length - 1), last=last, zone=question.period.zone)
    return Question(OPEN[0].id, None, period, DashboardFilter())


async def _coarse_answers(url: str, question: Question) -> list[Dashboard]:
    cohort, activity = (Counting(basis=basis, may_be_coarse=True) for basis in (Basis.COHORT, Basis.ACTIVITY))
    return [*await _answers(url, [question], cohort), *await _answers(url, [question], activity)]


def test_machines_and_earlier_emails_make_a_difference(answers, activities, raw_answers):
    for one, other in ((answers, activities[False]), (activities[False], activities[True]), (answers, raw_answers)):
        assert sum(a.totals.opened != b.totals.opened for a, b in zip(one, other, strict=True)) > QUESTIONS / 4


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


async def _answers(url: str, questions: list[Question], counting: Counting = USUAL_COUNTING) -> list[Dashboard]:
    pool = query_pool(url, size=1)
    await pool.open()
    queries = PostgresDashboardQueries(ScopedDatabase(pool))
    answers = []
    for question in questions:
        audience = Audience(organization_id=question.organization_id, hiring_manager_id=question.manager)
        sums = await queries.sums(audience, question.period, question.wanted, counting)
        answers.append(dashboard_of(question.period, sums, counting))
    await pool.close()
    return answers


def _point_of(answer: Dashboard, moment: str = "e.sent_at") -> str:
    return f"date_trunc('{answer.step.value}', {moment} AT TIME ZONE %(zone)s)::date AS point,"


def _by(sql: str, done: str) -> str:
    return sql.replace("{done}", done)


def _counted(connection, question: Question, group: str = "", having: str = "", sql: str = COUNTED) -> list[dict]:
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
    return connection.execute(sql.format(group=group, having=having), parameters).fetchall()
