import multiprocessing
from contextlib import ExitStack

import psycopg
import pytest
from eventsourcing.postgres import PostgresApplicationRecorder
from psycopg.conninfo import make_conninfo

from adapters.postgres.datastore import open_datastore
from adapters.postgres.event_codec import FactMapper
from adapters.postgres.migrate import migrate, missing_migrations, outdated_read_models
from adapters.postgres.outages import WrongDatabaseError
from adapters.postgres.read_model_tables import ReadModelTables
from application.ports.unit_of_work import StoreUnavailableError
from entrypoints.bootstrap import READ_MODEL_TABLES
from tests.support.emails import email_id, sent
from tests.support.servers import fresh_database, started_servers

SCHEMA = """
SELECT table_schema, table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
WHERE table_schema IN ('public', 'ops', 'events') ORDER BY 1, 2, ordinal_position
"""


@pytest.fixture
def empty_database_url(tmp_path_factory):
    server_url, _ = started_servers(tmp_path_factory.mktemp("servers"))
    with fresh_database(server_url) as url:
        yield url


def query(url, sql):
    with psycopg.connect(url) as connection:
        return connection.execute(sql).fetchall()


def test_an_empty_database_becomes_complete(empty_database_url):
    missing = missing_migrations(empty_database_url, READ_MODEL_TABLES)

    applied = migrate(empty_database_url, READ_MODEL_TABLES)

    assert applied == missing
    assert applied[-2:] == ["read model engagement", "read model scores"]
    assert missing_migrations(empty_database_url, READ_MODEL_TABLES) == []


def test_migrating_again_changes_nothing(empty_database_url):
    migrate(empty_database_url, READ_MODEL_TABLES)
    before = query(empty_database_url, SCHEMA)

    assert migrate(empty_database_url, READ_MODEL_TABLES) == []
    assert query(empty_database_url, SCHEMA) == before


def migrate_in_process(url, answers):
    answers.put(migrate(url, READ_MODEL_TABLES))


def test_two_processes_that_migrate_at_once_apply_everything_once(empty_database_url):
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    processes = [context.Process(target=migrate_in_process, args=(empty_database_url, answers)) for _ in range(2)]
    for process in processes:
        process.start()
    applied = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)

    assert sorted(map(bool, applied)) == [False, True]
    assert missing_migrations(empty_database_url, READ_MODEL_TABLES) == []


def test_two_databases_of_one_server_share_the_query_role(empty_database_url):
    with ExitStack() as stack:
        other = stack.enter_context(fresh_database(empty_database_url))
        migrate(empty_database_url, READ_MODEL_TABLES)
        migrate(other, READ_MODEL_TABLES)

        assert query(other, "SELECT count(*) FROM pg_roles WHERE rolname = 'mailpulse_query'") == [(1,)]


def test_a_migration_that_fails_leaves_nothing_of_itself(empty_database_url):
    # An earlier hand has made a table that the first migration makes as well.
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA events; CREATE TABLE events.stored_events ()")

    with pytest.raises(psycopg.errors.DuplicateTable):
        migrate(empty_database_url, READ_MODEL_TABLES)

    assert query(empty_database_url, "SELECT count(*) FROM ops.migrations") == [(0,)]
    assert query(empty_database_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'ops'") == [("migrations",)]


def test_after_a_first_migration_that_failed_everything_is_still_missing(empty_database_url):
    everything = missing_migrations(empty_database_url, READ_MODEL_TABLES)
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA ops; CREATE TABLE ops.migrations (name text PRIMARY KEY)")

    assert missing_migrations(empty_database_url, READ_MODEL_TABLES) == everything


def test_a_database_with_events_that_no_erasure_reaches_is_refused_and_says_what_to_do(empty_database_url):
    migrate(empty_database_url, READ_MODEL_TABLES)
    open_fact = sent()
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM ops.migrations WHERE name = '0012_only_sealed_facts.sql'")
        connection.execute(
            "INSERT INTO events.stored_events (originator_id, originator_version, topic, state) VALUES (%s, 1, %s, %s)",
            (email_id(), open_fact.TOPIC, FactMapper().encode(open_fact)),
        )

    with pytest.raises(WrongDatabaseError, match=r"before recipients had keys.*begin with a new database"):
        migrate(empty_database_url, READ_MODEL_TABLES)

    assert missing_migrations(empty_database_url, READ_MODEL_TABLES) == ["0012_only_sealed_facts.sql"]


def test_a_database_whose_events_are_sealed_is_not(core):
    core.register_numbered(3)
    core.query("DELETE FROM ops.migrations WHERE name = '0012_only_sealed_facts.sql' RETURNING name")

    assert core.backend.migrate() == ["0012_only_sealed_facts.sql"]


def test_a_user_without_the_right_to_migrate_is_told_so(empty_database_url):
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS mailpulse_nobody; CREATE ROLE mailpulse_nobody LOGIN")
    powerless = make_conninfo(empty_database_url, user="mailpulse_nobody")

    with pytest.raises(WrongDatabaseError, match="the database refuses: permission denied for database"):
        migrate(powerless, READ_MODEL_TABLES)


def test_a_database_that_is_away_is_told_in_one_line():
    with pytest.raises(StoreUnavailableError, match=r"the database does not answer: .*refused"):
        migrate("postgresql://mailpulse@127.0.0.1:1/mailpulse", READ_MODEL_TABLES)


def test_tables_of_another_version_ask_for_a_rebuild(empty_database_url):
    migrate(empty_database_url, READ_MODEL_TABLES)
    engagement = READ_MODEL_TABLES[0]
    newer = ReadModelTables(
        name=engagement.name, version=engagement.version + 1, script=engagement.script, tables=engagement.tables
    )

    assert outdated_read_models(empty_database_url, [newer]) == ["engagement"]
    assert outdated_read_models(empty_database_url, READ_MODEL_TABLES) == []
    assert missing_migrations(empty_database_url, [newer]) == []


def test_the_event_store_is_as_the_library_makes_it(empty_database_url):
    migrate(empty_database_url, READ_MODEL_TABLES)
    datastore = open_datastore(empty_database_url)
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA theirs")
    datastore.schema = "theirs"
    PostgresApplicationRecorder(datastore, events_table_name="stored_events").create_table()
    datastore.close()

    shape = (
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_schema = '{}' AND table_name = 'stored_events' ORDER BY ordinal_position"
    )
    assert query(empty_database_url, shape.format("events")) == query(empty_database_url, shape.format("theirs"))
    indexes = "SELECT replace(indexdef, schemaname || '.', '') FROM pg_indexes WHERE schemaname = '{}' ORDER BY 1"
    assert query(empty_database_url, indexes.format("events")) == query(empty_database_url, indexes.format("theirs"))
