import threading
from uuid import uuid4

import pytest
from psycopg.conninfo import make_conninfo

from adapters import agents
from adapters.postgres.event_codec import FactMapper
from adapters.postgres.outages import WrongDatabaseError
from application.email_registrations import Recipient
from domain.email_facts import Opened, Personal
from read_models.runner import StandingByError
from tests.support.batches import catch_up, take_in_batches_of
from tests.support.core import Core, item, registration
from tests.support.emails import JOB_AD, JOHN, NOON, email_id, hours, seconds
from tests.support.processes import eventually


@pytest.fixture
def small_batches(monkeypatch):
    """A backlog is worked off in batches of seven, each folded while the one before is written."""
    take_in_batches_of(7, monkeypatch)


def append_raw(core, topic, state, version, of=None):
    """Append bytes as a newer version, or a bug, might have."""
    return core.value(
        "INSERT INTO events.stored_events (originator_id, originator_version, topic, state) VALUES (%s, %s, %s, %s)"
        " RETURNING notification_id",
        of or uuid4(),
        version,
        topic,
        state,
    )


def an_open_with(personal):
    return FactMapper().encode(Opened(key=uuid4().bytes, occurred_at=NOON, recorded_at=NOON, personal=personal))


def rows_found_by(core, index):
    return core.value("SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = %s", index)


def positions(core):
    return dict(core.query("SELECT name, position FROM ops.read_models"))


def test_a_fresh_projector_takes_in_everything_once(core, small_batches):
    core.register_numbered(20)
    core.receive(*(item("click", NOON + seconds(n), f"m-{1 + n % 20}", url=JOB_AD) for n in range(200)))
    core.drain()

    core.project()

    assert core.value("SELECT count(*) FROM email_logs WHERE click_count = 10 AND unique_click_count = 1") == 20
    assert core.value("SELECT count(*) FROM email_engagement_events WHERE event_type = 'click'") == 200
    newest = core.value("SELECT max(notification_id) FROM events.stored_events")
    assert set(positions(core).values()) == {newest}
    assert core.project() == 0


def test_the_next_projector_goes_on_where_the_last_one_stopped(core, other_core, small_batches):
    core.register_numbered(30)
    core.receive(*(item("open", NOON + seconds(n), f"m-{1 + n % 30}") for n in range(300)))
    core.drain()
    rounds = iter([True] * 12)

    catch_up(core.backend.read_models(), lambda: next(rounds, False))
    take_over(other_core)

    assert core.value("SELECT sum(open_count) FROM email_logs") == 300
    assert core.value("SELECT sum(total_opens) FROM email_totals") == 300


def test_each_sum_is_found_by_its_key_though_statistics_of_an_empty_table_say_any_index_will_do(lone_core):
    lone_core.execute("ANALYZE")
    campaign = uuid4()
    lone_core.register(*(registration(f"m-{n}", sent_at=NOON - hours(n), campaign_id=campaign) for n in range(1, 201)))
    lone_core.project()
    lone_core.receive(*(item("open", NOON, f"m-{n}") for n in range(1, 201)))
    lone_core.drain()

    lone_core.project()
    lone_core.backend.close()  # a session that ends has told all that it counted

    assert lone_core.value("SELECT count(*) FROM email_totals WHERE opened = 1") == 200
    assert eventually(lambda: rows_found_by(lone_core, "email_totals_pkey") >= 200, within_s=60)
    assert rows_found_by(lone_core, "email_totals_campaign") == 0


def take_over(core):
    """Project like a process that stands by whenever another one writes."""
    models = core.backend.read_models()
    while True:
        try:
            if catch_up(models) == 0:
                return
        except StandingByError:
            continue


@pytest.mark.parametrize("crowd", [0, 40])
def test_a_poison_event_is_set_aside_and_the_others_are_taken_in(core, small_batches, crowd):
    core.register(registration())
    core.receive(*(item("open", NOON + seconds(n)) for n in range(crowd)))
    core.drain()
    poison = append_raw(core, Opened.TOPIC, an_open_with(Personal(ip_address="no address")), 2 + crowd, email_id())
    core.receive(*(item("click", NOON + seconds(n), url=JOB_AD) for n in range(3)))
    core.drain()

    core.project()

    assert core.query("SELECT read_model, notification_id FROM ops.poison_events") == [("engagement", poison)]
    row = core.row("SELECT open_count, click_count FROM email_logs")
    assert row == {"open_count": crowd, "click_count": 3}
    assert core.value("SELECT error FROM ops.poison_events") == "DataError"
    states = {state.name: state for state in core.backend.operations.read_models()}
    assert (states["engagement"].poison_events, states["engagement"].lag_events) == (1, 0)


@pytest.mark.parametrize(
    "topic, state, error",
    [
        ("EmailMessage.Teleported", b"\x80", "EmailMessage.Teleported: MapperDeserialisationError"),
        (Opened.TOPIC, b"\x80", "EmailMessage.Opened: ValidationError"),
        (Opened.TOPIC, b"\xc1", "EmailMessage.Opened: DecodeError"),
        (Opened.TOPIC, b"", "EmailMessage.Opened: DecodeError"),
    ],
)
def test_an_event_that_this_version_cannot_read_is_set_aside(core, topic, state, error):
    core.register_numbered(1)
    place = append_raw(core, topic, state, 1)
    core.register_numbered(2)

    core.project()

    assert core.query("SELECT read_model, notification_id, error FROM ops.poison_events ORDER BY 1") == [
        ("engagement", place, error),
        ("notifications", place, error),
    ]
    assert core.value("SELECT count(*) FROM email_logs") == 2


def test_a_database_that_lacks_a_column_makes_no_event_poison(lone_core):
    lone_core.register_numbered(1)
    lone_core.execute("ALTER TABLE email_logs RENAME COLUMN subject TO title")

    with pytest.raises(WrongDatabaseError, match=r"the database refuses: .*subject"):
        lone_core.project()
    lone_core.execute("ALTER TABLE email_logs RENAME COLUMN title TO subject")
    lone_core.project()

    assert lone_core.query("SELECT * FROM ops.poison_events") == []
    assert lone_core.value("SELECT count(*) FROM email_logs") == 1


def test_a_fact_about_an_email_that_is_gone_changes_nothing(core):
    append_raw(core, Opened.TOPIC, an_open_with(Personal()), 2)

    core.project()

    assert core.query("SELECT * FROM ops.poison_events") == []
    assert {table: rows for table, rows in core.dump().items() if rows} == {}


def test_a_second_projector_stands_by_and_takes_over(core, other_core):
    core.register_numbered(1)
    model, other_model = core.backend.read_models()[0], other_core.backend.read_models()[0]
    entered, leave = threading.Event(), threading.Event()

    def hold_until_told():
        with core.backend._read_model_store("engagement", "public", lambda cursor: cursor).begin():
            entered.set()
            leave.wait(30)

    holder = threading.Thread(target=hold_until_told)
    holder.start()
    assert entered.wait(30)
    with pytest.raises(StandingByError):
        other_model.advance()
    leave.set()
    holder.join()

    assert other_model.advance() == 1
    assert model.advance() == 0


def test_two_projectors_that_race_take_in_everything_once(core, other_core, small_batches):
    core.register_numbered(30)
    core.receive(*(item("click", NOON + seconds(n), f"m-{1 + n % 30}", url=JOB_AD) for n in range(600)))
    core.drain()

    racers = [threading.Thread(target=take_over, args=(one,)) for one in (core, other_core)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()

    assert core.value("SELECT sum(click_count) FROM email_logs") == 600
    assert core.value("SELECT sum(total_clicks) FROM email_totals") == 600
    assert core.value("SELECT sum(click_count) FROM email_links") == 600


def test_a_projector_that_dies_in_a_batch_leaves_rows_and_position_as_they_were(core, monkeypatch):
    core.register_numbered(3)
    core.project()
    before = core.dump(), positions(core)
    core.receive(*(item("open", message_id=f"m-{n}") for n in (1, 2, 3)))
    core.drain()

    class PulledPlugError(BaseException):
        pass

    def die(*_):
        raise PulledPlugError

    with monkeypatch.context() as patched:
        patched.setattr("adapters.postgres.read_model_store.PostgresProgress.move_to", die)
        with pytest.raises(PulledPlugError):
            core.project()
    assert (core.dump(), positions(core)) == before

    core.project()
    assert core.value("SELECT sum(open_count) FROM email_logs") == 3


def test_the_bell_for_projectors_rings_when_events_are_appended(core):
    wake_up = core.backend.wake_up()
    assert wake_up.wait(5)  # the first time, for whatever came before it listened
    heard = []
    listener = threading.Thread(target=lambda: heard.append(wake_up.wait(20)))
    listener.start()

    core.register_numbered(1)

    listener.join()
    wake_up.close()
    assert heard == [True]


def test_a_listener_whose_connection_ends_listens_again(core):
    wake_up = core.backend.wake_up()
    wake_up.wait(5)
    core.execute("SELECT pg_terminate_backend(%s)", wake_up._connection.info.backend_pid)

    assert wake_up.wait(0.1) is False
    assert wake_up.wait(5) is True
    wake_up.close()


def test_scores_wait_until_the_rows_they_count_are_written(core):
    core.register_numbered(2)
    engagement, scores, _ = core.backend.read_models()

    assert scores.advance() == 0
    engagement.advance()
    assert scores.advance() > 0
    assert core.value("SELECT emails_sent FROM candidate_scores") == 2


def test_scores_decay_as_time_passes(core):
    core.register(registration())
    core.receive(item("open"))
    core.drain()
    core.project()
    found = []
    for age in (hours(1), hours(24), hours(24 * 7), hours(24 * 30), hours(24 * 91)):
        core.now = NOON + age
        core.backend.scores_model().decay()
        found.append(core.query("SELECT score, recency_points FROM candidate_scores")[0])

    assert found == [(60, 30), (50, 20), (40, 10), (30, 0), (None, None)]


def test_a_candidate_whose_emails_are_gone_leaves_the_ranking(core):
    core.register(registration("m-1"), registration("m-2", recipient=Recipient(id="c-2", email=JOHN)))
    core.project()
    core.execute("DELETE FROM email_logs WHERE recipient_id = 'c-1'")
    core.now = NOON + hours(24 * 91)

    core.backend.scores_model().decay()

    assert core.query("SELECT candidate_id, score FROM candidate_scores") == [("c-2", None)]


@pytest.fixture
def plain_core(lone_core):
    """A process whose database user owns the tables and is no superuser."""
    lone_core.execute("DROP ROLE IF EXISTS mailpulse_plain")
    lone_core.execute("CREATE ROLE mailpulse_plain LOGIN")
    lone_core.execute(f"GRANT {lone_core.value('SELECT current_user')} TO mailpulse_plain")
    plain = Core(make_conninfo(lone_core.database_url, user="mailpulse_plain"))
    yield plain
    plain.close()
    # Its sessions drop their temporary tables before they end, and end when they have time.
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'mailpulse_plain'"
    assert eventually(lambda: lone_core.value(sessions) == 0, within_s=60)
    lone_core.execute("DROP ROLE mailpulse_plain")


@pytest.mark.parametrize("user", ["core", "plain_core"])
def test_what_is_known_of_a_contact_goes_with_it_whoever_projected_it(request, user):
    core = request.getfixturevalue(user)
    core.register(registration("m-1"), registration("m-2"))
    core.receive(
        item("open", NOON + hours(1), "m-1"),
        item("open", NOON + hours(2), "m-2"),
        item("click", NOON + hours(3), "m-1", url=JOB_AD),
    )
    core.drain()

    core.project()

    rows = "SELECT count(*) FROM engagement_tracking"
    assert core.value(rows) == 3
    assert core.value(f"{rows} JOIN campaign_contacts c ON c.id = campaign_contact_id") == 3
    core.execute("DELETE FROM campaign_contacts WHERE id = %s", email_id("m-1"))
    assert core.value(rows) == 1


def test_the_first_report_of_a_new_projector_does_not_wait_for_the_patterns_of_agents(core):
    agents._parse.cache_clear()

    core.backend.read_models()

    assert agents._parse.cache_info().currsize == 1
