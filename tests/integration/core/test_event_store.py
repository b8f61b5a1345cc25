import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from psycopg.rows import tuple_row

from adapters.postgres import datastore
from adapters.postgres.event_codec import FactMapper
from adapters.postgres.event_recorder import BatchRecorder
from application.ports.unit_of_work import StoreUnavailableError
from domain.email_facts import Delivered, Recorded, Sent
from domain.email_message import EmailMessage
from tests.support.core import Core
from tests.support.emails import NOON, an_open, email_id, seconds, sent
from tests.support.known import known_of

WRITERS, APPENDS, MOST_EVENTS = 8, 60, 12


def facts(how_many):
    mapper = FactMapper()
    state = mapper.encode(Delivered(key=b"k" * 16, occurred_at=NOON, recorded_at=NOON))
    return [(uuid4(), 1, Delivered.TOPIC, state) for _ in range(how_many)]


@pytest.fixture
def recorder(core):
    return core.backend._recorder


# Trap 2: the library's own pipelined insert hangs somewhere above 1,000 events


def test_5000_events_in_one_append_do_not_hang(core):
    message = EmailMessage(email_id())
    message.register(sent())
    for n in range(5_000):
        message.record(an_open(NOON + seconds(n)), received_at=NOON)

    with core.units.begin() as unit:
        appended = unit.append([message])

    assert appended == 5_001
    with core.units.begin() as unit:
        assert len(unit.messages([message.id])[message.id].seen) == 5_000
    assert known_of(core.facts()).open_count == 5_000


def test_5000_events_through_the_librarys_own_door_do_not_hang(recorder):
    stored = [StoredEvent(*row) for row in facts(5_000)]

    places = recorder.insert_events(stored)

    assert len(places) == 5_000
    assert list(places) == sorted(places)
    assert recorder.insert_events([]) == []


def test_the_library_reads_what_we_append(core, recorder):
    core.register_numbered(3)
    mapper = FactMapper()

    notifications = recorder.select_notifications(start=1, limit=10)
    [event] = recorder.select_events(email_id("m-2"))

    assert [notification.topic for notification in notifications] == [Sent.TOPIC] * 3
    recorded = mapper.to_domain_event(event)
    assert recorded == Recorded(email_id("m-2"), 1, recorded.fact)
    assert recorded.fact.message_id == "m-2"


# Trap 1: tailing readers must not skip what commits late


def test_a_reader_that_tails_under_eight_writers_skips_nothing(core, recorder):
    cores = [Core(core.database_url) for _ in range(WRITERS)]
    written, read, done = [], [], threading.Event()

    def write(writer):
        for n in range(APPENDS):
            rows = facts(1 + (n * 7 + cores.index(writer)) % MOST_EVENTS)
            with writer.units.begin() as unit:
                writer.backend._recorder.append(unit._cursor, rows)
            written.extend(row[0] for row in rows)

    def tail():
        position, last_round = 0, False
        while True:
            with core.backend._datastore.get_connection() as connection:
                rows = recorder.log_after(connection.cursor(row_factory=tuple_row), position, 500)
            if rows:
                position = rows[-1][0]
                read.extend(rows)
            elif last_round:
                return
            last_round = done.is_set()

    reader = threading.Thread(target=tail)
    reader.start()
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, cores))
    done.set()
    reader.join()
    for writer in cores:
        writer.close()

    assert len(written) > 2_000
    assert sorted(email for _, email, _, _ in read) == sorted(written)
    assert [place for place, *_ in read] == sorted({place for place, *_ in read})


def test_the_environment_cannot_switch_on_the_functions_that_make_readers_skip(core, monkeypatch):
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")

    opened = datastore.open_datastore(core.database_url)

    assert opened.enable_db_functions is False
    opened.close()


# Trap 3: nobody waits for ever


def test_an_append_that_waits_too_long_for_the_table_gives_up_and_changes_nothing(database_url, monkeypatch):
    monkeypatch.setattr(datastore, "LOCK_TIMEOUT_S", 1)
    core = Core(database_url)
    with psycopg.connect(database_url) as somebody:
        somebody.execute("LOCK TABLE events.stored_events IN EXCLUSIVE MODE")

        with pytest.raises(StoreUnavailableError):
            core.register_numbered(1)

    assert core.facts() == []
    assert core.register_numbered(1)[0].status == "registered"
    core.close()


def test_without_a_database_the_store_is_unavailable():
    core = Core("postgresql://127.0.0.1:1/nowhere?connect_timeout=1")
    core.backend.read_models()  # nothing connects before it is used

    with pytest.raises(StoreUnavailableError):
        core.register_numbered(1)
    core.close()


def test_a_connection_that_the_server_ended_is_replaced(core):
    core.register_numbered(1)
    core.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'mailpulse' AND pid <> pg_backend_pid()"
    )

    # The pool gives up a few stale connections a try; a caller who tries again succeeds.
    assert eventually(lambda: core.register_numbered(2))[1].status == "registered"


def eventually(ask, tries=10):
    for _ in range(tries):
        try:
            return ask()
        except StoreUnavailableError as error:
            last = error
    raise last


def test_the_recorder_makes_no_tables_of_its_own(core):
    tables = core.query("SELECT tablename FROM pg_tables WHERE schemaname = 'events'")

    BatchRecorder(core.backend._datastore)

    assert tables == core.query("SELECT tablename FROM pg_tables WHERE schemaname = 'events'") == [("stored_events",)]
