"""Fixtures of every suite that needs the core on a real PostgreSQL; a conftest imports those it wants."""

import psycopg
import pytest

from entrypoints.bootstrap import READ_MODEL_TABLES
from tests.support.core import Core
from tests.support.databases import copied_database, migrated_template
from tests.support.servers import started_servers

__all__ = ["core", "database_url", "lone_core", "other_core", "shared_database_url", "template_url"]

EMPTY = ";".join(
    [f"DELETE FROM {table}" for model in READ_MODEL_TABLES for table in model.tables]
    + [
        f"DELETE FROM {table}"
        for table in (
            "events.stored_events",
            "ops.webhook_inbox",
            "ops.last_receptions",
            "ops.address_sightings",
            "ops.awaited_threads",
            "ops.email_threads",
            "ops.parked_reports",
            "ops.recipient_keys",
            "ops.tracking_policies",
            "ops.tracking_consents",
            "ops.subscription_confirmations",
            "ops.report_outcomes",
            "ops.poison_events",
            "public.notifications",
            "ops.notification_preferences",
            "ops.outgoing_webhooks",
        )
    ]
    + ["UPDATE ops.read_models SET position = 0"]
)


@pytest.fixture(scope="session")
def template_url(tmp_path_factory):
    database_url, _ = started_servers(tmp_path_factory.mktemp("servers"))
    with migrated_template(database_url) as url:
        yield url


@pytest.fixture(scope="session")
def shared_database_url(template_url):
    with copied_database(template_url) as url:
        yield url


@pytest.fixture
def core(shared_database_url):
    """The core at noon, on a database that others have emptied."""
    with psycopg.connect(shared_database_url) as connection:
        connection.execute(EMPTY)
    core = Core(shared_database_url)
    yield core
    core.close()


@pytest.fixture
def other_core(core):
    """A second process, as it were, on the same database."""
    other = Core(core.database_url)
    yield other
    other.close()


@pytest.fixture
def database_url(template_url):
    """A migrated database that the test may spoil."""
    with copied_database(template_url) as url:
        yield url


@pytest.fixture
def lone_core(database_url):
    """The core at noon on such a database."""
    core = Core(database_url)
    yield core
    core.close()
