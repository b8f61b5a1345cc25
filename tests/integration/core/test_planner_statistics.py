"""What the planner is told: enough for every question, nothing that costs more than it tells, and who asks."""

import asyncio

import pytest

from adapters.postgres.query_pool import query_pool
from tests.support.core import item
from tests.support.emails import JOB_AD, NOON, seconds

ASKED_BY = {
    "engagement_tracking": {"campaign_contact_id", "event_type", "event_timestamp", "organization_id", "email_log_id"},
    "email_engagement_events": {"id", "event_type", "occurred_at", "organization_id", "email_log_id", "verdict"},
    "stored_events": {"originator_id", "originator_version", "topic", "notification_id"},
}
NEVER_ASKED_BY = {
    "engagement_tracking": {"event_data", "user_agent", "ip_address", "created_at"},
    "email_engagement_events": {"event_id", "url", "ip_address", "user_agent", "metadata", "created_at", "reasons"},
    "stored_events": {"state"},
}


@pytest.fixture
def analysed(core):
    """The columns that statistics are known of, by table."""
    core.register_numbered(5)
    core.receive(*(item("click", NOON + seconds(n), f"m-{1 + n % 5}", url=JOB_AD) for n in range(20)))
    core.drain()
    core.project()
    core.execute("ANALYZE engagement_tracking, email_engagement_events, events.stored_events")
    return {
        table: set(columns)
        for table, columns in core.query("SELECT tablename, array_agg(attname::text) FROM pg_stats GROUP BY 1")
    }


@pytest.mark.parametrize("table", ASKED_BY)
def test_statistics_are_kept_of_the_columns_that_questions_choose_by(analysed, table):
    assert analysed[table] >= ASKED_BY[table]


@pytest.mark.parametrize("table", NEVER_ASKED_BY)
def test_no_statistics_are_made_of_columns_that_no_question_chooses_by(analysed, table):
    assert not analysed[table] & NEVER_ASKED_BY[table]


def test_the_store_is_analysed_again_when_it_has_grown_by_a_tenth(core):
    options = core.value("SELECT reloptions FROM pg_class WHERE oid = 'events.stored_events'::regclass")

    assert "autovacuum_analyze_scale_factor=0.1" in options


def test_questions_are_planned_for_who_asks_however_often_they_were_asked(core):
    asked = asyncio.run(_ask_often(core.database_url))

    assert asked == {"generic_plans": 0, "custom_plans": 12}


async def _ask_often(database_url):
    async with query_pool(database_url) as pool, pool.connection() as connection:
        for _ in range(12):
            await connection.execute("SELECT %s::integer + 558", (1,), prepare=True)
        plans = await connection.execute(
            "SELECT generic_plans::int, custom_plans::int FROM pg_prepared_statements WHERE statement LIKE '%+ 558'"
        )
        return await plans.fetchone()
