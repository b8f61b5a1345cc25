"""TRUST.md: organisations are walls. Row-level security stands behind the queries, table by table."""

import psycopg
import pytest

from application.email_registrations import Job, Template
from domain.values import Verdict
from entrypoints.bootstrap import READ_MODEL_TABLES
from tests.support.core import Core, item, registration
from tests.support.databases import copied_database
from tests.support.emails import ACME, CAMPAIGN, GLOBEX, JOB_AD, NOON, click, email_id, seconds
from tests.support.outgoing import insert_a_delivery

TABLES = [
    *(table for model in READ_MODEL_TABLES for table in model.tables),
    "ops.parked_reports",
    "ops.last_receptions",
    "ops.tracking_consents",
    "notifications",
    "ops.notification_preferences",
    "ops.outgoing_deliveries",
    "ops.outgoing_attempts",
]


@pytest.fixture(scope="module")
def two_organisations(template_url):
    """Nobody here changes anything, so that one database serves all."""
    with copied_database(template_url) as url:
        core = Core(url)
        yield with_rows_of_two_organisations(core)
        core.close()


def with_rows_of_two_organisations(core):
    for organization_id in (ACME, GLOBEX):
        core.query(
            "INSERT INTO ops.tracking_consents (addressee_id, organization_id, consent, source, changed_at)"
            " VALUES (gen_random_uuid(), %s, 'opted_in', 'api', now()) RETURNING 1",
            organization_id,
        )
        core.register(
            registration(job=Job(id="j-3"), template=Template(id="t-1"), campaign_id=CAMPAIGN),
            organization_id=organization_id,
        )
        core.receive(item("open"), item("click", url=JOB_AD), item("teleported"), organization_id=organization_id)
        core.receive(
            body=b'[{"event":"open","sg_machine_open":true,"sg_event_id":"e","sg_message_id":"m-7.x","email":'
            b'"john@example.com","timestamp":1795262400}]',
            provider="sendgrid",
            organization_id=organization_id,
        )
        core.register(registration("m-7", provider="sendgrid"), organization_id=organization_id)
        with psycopg.connect(core.database_url) as connection:
            insert_what_no_report_makes(connection, organization_id)
    core.drain()
    core.project()
    return core


def insert_what_no_report_makes(connection, organization_id):
    connection.execute(
        "INSERT INTO ops.tracking_consents VALUES (gen_random_uuid(), %s, 'opted_in', 'api', now())", (organization_id,)
    )
    connection.execute(
        "INSERT INTO notifications (id, organization_id, user_id, kind, occurred_at, title, text, url, created_at)"
        " VALUES (gen_random_uuid(), %s, 'user-7', 'open', now(), '', '', '', now())",
        (organization_id,),
    )
    connection.execute(
        "INSERT INTO ops.notification_preferences VALUES (%s, 'user-7', '{}', now())", (organization_id,)
    )
    insert_a_delivery(connection, organization_id)


@pytest.fixture
def as_query_role(two_organisations):
    with psycopg.connect(two_organisations.database_url) as connection:
        connection.execute("SET LOCAL ROLE mailpulse_query")
        yield connection


def be(connection, organization_id):
    connection.execute("SELECT set_config('mailpulse.organization_id', %s, true)", (str(organization_id),))


@pytest.mark.parametrize("table", TABLES)
def test_an_organisation_sees_its_own_rows_and_no_others(two_organisations, as_query_role, table):
    everybody = {
        organization_id for (organization_id,) in two_organisations.query(f"SELECT organization_id FROM {table}")
    }
    assert everybody == {ACME, GLOBEX}

    for organization_id in (ACME, GLOBEX):
        be(as_query_role, organization_id)
        seen = as_query_role.execute(f"SELECT organization_id FROM {table}").fetchall()
        assert {row for (row,) in seen} == {organization_id}


@pytest.mark.parametrize("table", TABLES)
def test_who_does_not_say_for_whom_sees_nothing(as_query_role, table):
    assert as_query_role.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "statement", ["DELETE FROM {}", "UPDATE {} SET organization_id = organization_id", "TRUNCATE {}"]
)
def test_the_query_role_changes_nothing(as_query_role, table, statement):
    be(as_query_role, ACME)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_query_role.execute(statement.format(table))


@pytest.mark.parametrize(
    "table",
    ["events.stored_events", "ops.webhook_inbox", "ops.access_tokens", "ops.webhook_endpoints", "ops.organizations"],
)
def test_the_query_role_cannot_look_behind_the_read_models(as_query_role, table):
    be(as_query_role, ACME)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_query_role.execute(f"SELECT * FROM {table}")


def test_the_organisation_of_one_transaction_is_not_that_of_the_next(two_organisations):
    with psycopg.connect(two_organisations.database_url, autocommit=True) as connection:
        with connection.transaction():
            connection.execute("SET LOCAL ROLE mailpulse_query")
            be(connection, ACME)
            assert connection.execute("SELECT count(*) FROM email_logs").fetchone() == (2,)
        with connection.transaction():
            connection.execute("SET LOCAL ROLE mailpulse_query")
            assert connection.execute("SELECT count(*) FROM email_logs").fetchone() == (0,)


def test_every_table_that_somebody_may_ask_for_is_walled(two_organisations):
    granted = two_organisations.query(
        "SELECT table_schema, table_name FROM information_schema.role_table_grants WHERE grantee = 'mailpulse_query'"
    )
    open_tables = two_organisations.query(
        "SELECT nspname, relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE relrowsecurity AND relforcerowsecurity"
    )

    assert set(granted) <= set(open_tables)
    assert {table for _, table in granted} == {table.removeprefix("ops.") for table in TABLES}


def test_contacts_that_two_organisations_name_alike_stay_apart(core):
    for organization_id in (ACME, GLOBEX):
        core.register(registration(campaign_id=CAMPAIGN, campaign_contact_id=CAMPAIGN), organization_id=organization_id)
        core.receive(item("click", NOON + seconds(1), url=JOB_AD), organization_id=organization_id)
    core.drain()
    with core.units.begin() as unit:
        for email in unit.messages([email_id(), email_id(organization_id=GLOBEX)]).values():
            email.record(click(NOON, provider_verdict=Verdict.SCANNER), received_at=NOON)
            unit.append([email])
    core.project()

    for table in ("engagement_tracking", "email_links", "email_logs", "automated_engagement"):
        crossing = core.query(
            f"SELECT count(*) FROM {table} t JOIN campaign_contacts c ON c.id = t.campaign_contact_id"
            " WHERE c.organization_id <> t.organization_id"
        )
        assert crossing == [(0,)], table
