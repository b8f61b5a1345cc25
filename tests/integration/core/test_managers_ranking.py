"""A hiring manager's ranking, read in parts, is the one that all emails about their jobs tell together."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import psycopg
import pytest

from adapters.agents import read_agent
from adapters.postgres.engagement_view import PostgresEngagementView
from adapters.postgres.queries.candidates import PostgresCandidateQueries
from adapters.postgres.query_pool import ScopedDatabase, query_pool
from domain.policies.scoring import WINDOW, CandidateActivity, Level, score_candidate
from read_models.audience import Audience
from read_models.engagement.projection import ProjectEngagement
from read_models.events import LoggedFact
from read_models.paging import PageRequest
from tests.benchmarks.believable import ORGANIZATIONS, happenings
from tests.benchmarks.stores import migrated_database
from tests.support.servers import started_servers

EVENTS = 15_000
UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
LARGE = ORGANIZATIONS[0].id
MANAGERS = ("h-0", "h-1", "h-7", "h-24", "h-of-nobody")
PAGE = 37
# Every email about their jobs, whenever it was sent.
EVERYTHING = """
SELECT e.recipient_id AS candidate_id,
    (array_agg(e.recipient_name ORDER BY e.sent_at DESC, e.id DESC))[1] AS name,
    count(*) FILTER (WHERE r) AS emails_sent,
    count(*) FILTER (WHERE r AND e.open_count + e.click_count > 0) AS emails_opened,
    count(*) FILTER (WHERE r AND e.click_count > 0) AS emails_clicked,
    count(*) FILTER (WHERE r AND e.reply_count > 0) AS emails_replied,
    max(e.last_engaged_at) FILTER (WHERE r) AS last_engaged_at,
    min(e.sent_at) FILTER (WHERE r) AS oldest_sent_at,
    coalesce(bool_or(e.bounce_type = 'hard') FILTER (WHERE e.sent_at > %(since)s), false) AS hard_bounced,
    bool_or(e.unsubscribed_at IS NOT NULL) AS unsubscribed
FROM email_logs e CROSS JOIN LATERAL (SELECT e.tracking AND e.sent_at > %(since)s) t (r)
WHERE e.organization_id = %(organization)s AND e.recipient_type = 'Candidate' AND EXISTS (
    SELECT FROM jobs j WHERE j.organization_id = e.organization_id AND j.id = e.job_id
        AND j.hiring_manager_id = %(manager)s)
GROUP BY 1
"""


@pytest.fixture(scope="module")
def database_url(tmp_path_factory):
    with migrated_database(started_servers(tmp_path_factory.mktemp("servers"))[0]) as url:
        told = enumerate(happenings(EVENTS, until=UNTIL, seed=15_000), 1)
        logged = [LoggedFact(place, one.email_id, one.fact) for place, one in told]
        with psycopg.connect(url, autocommit=True) as connection:
            for start in range(0, len(logged), 1_000):
                with connection.transaction(), connection.cursor() as cursor:
                    fold = ProjectEngagement(PostgresEngagementView(cursor), None, read_agent)
                    fold(logged[start : start + 1_000])
        yield url


@pytest.fixture(scope="module")
def wanted(database_url):
    """Id, name, score, level and reason by manager, in their order."""
    with psycopg.connect(database_url, row_factory=psycopg.rows.dict_row) as connection:
        return {manager: _ranked(connection, manager) for manager in MANAGERS}


@pytest.fixture(scope="module")
def shown(database_url):
    """What all pages of each manager and level show, and the counts beside the first."""
    return asyncio.run(_all_pages(database_url))


@pytest.mark.parametrize("manager", MANAGERS)
@pytest.mark.parametrize("level", [None, *Level])
def test_the_pages_together_are_the_whole_ranking(manager, level, wanted, shown):
    whole = [one for one in wanted[manager] if level is None or one[3] is level]

    assert shown[manager, level][0] == whole


@pytest.mark.parametrize("manager", MANAGERS)
def test_the_levels_count_everybody(manager, wanted, shown):
    counts = Counter(one[3] for one in wanted[manager])
    levels = shown[manager, None][1]

    assert (levels.hot, levels.warm, levels.cold) == (counts[Level.HOT], counts[Level.WARM], counts[Level.COLD])
    assert levels.unmeasured == counts[None]


def test_some_were_measured_long_ago_some_lately_and_some_unsubscribed_before(wanted):
    everybody = [one for ranked in wanted.values() for one in ranked]

    assert len([one for one in everybody if one[3] is None]) > PAGE
    assert len([one for one in everybody if one[3] is not None]) > PAGE
    assert [one for one in everybody if one[4] == "unsubscribed"]


def _ranked(connection, manager):
    parameters = {"organization": LARGE, "manager": manager, "since": UNTIL - WINDOW}
    scored = []
    for row in connection.execute(EVERYTHING, parameters):
        candidate_id, name = row.pop("candidate_id"), row.pop("name")
        score = score_candidate(CandidateActivity(**row), UNTIL)
        scored.append((candidate_id, name, score.score, score.level, score.level_reason))
    return sorted(scored, key=lambda one: (one[2] is None, -(one[2] or 0), one[0]))


async def _all_pages(url):
    pool = query_pool(url, size=1)
    await pool.open()
    queries = PostgresCandidateQueries(ScopedDatabase(pool))
    found = {
        (manager, level): await _pages(queries, Audience(organization_id=LARGE, hiring_manager_id=manager), level)
        for manager in MANAGERS
        for level in (None, *Level)
    }
    await pool.close()
    return found


async def _pages(queries, audience, level):
    shown, cursor, levels = [], None, None
    while True:
        page = await queries.ranking(audience, level, PageRequest(limit=PAGE, cursor=cursor), UNTIL)
        shown += [(one.candidate_id, one.name, one.score, one.level, one.level_reason) for one in page.items]
        levels, cursor = levels or page.levels, page.next_cursor
        if cursor is None:
            return shown, levels
