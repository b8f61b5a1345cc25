"""AF-3 on PostgreSQL: told once, whatever the process does, and gone with whoever is erased."""

import pytest

from application.email_registrations import Job
from domain.tracking_terms import Consent
from domain.values import Verdict
from tests.support.batches import catch_up
from tests.support.core import item, registration
from tests.support.emails import ACME, JOHN, NOON, email_id, hours, seconds
from tests.support.storages import judged_anew

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"


class Feed:
    """Remembers what rang, and what could be read when it did."""

    def __init__(self, core):
        self._core = core
        self.rung = []
        self.committed = []

    def publish(self, announcements):
        self.rung += announcements
        self.committed += [
            self._core.value("SELECT announcement FROM notifications WHERE id = %s", one.notification.id)
            for one in announcements
        ]


@pytest.fixture
def feed(core):
    feed = Feed(core)
    core.backend.notifications_model._feed = feed
    return feed


def opened(at=NOON, **told):
    return item("open", at, user_agent=PHONE, **told)


def about_job(manager, **told):
    return registration(job=Job(id="j-3", hiring_manager_id=manager), **told)


def happen(core, *items):
    core.receive(*items)
    core.drain()
    core.project()


def titles(core):
    return [title for (title,) in core.query("SELECT title FROM notifications ORDER BY occurred_at, title")]


def test_an_open_becomes_a_row_and_rings_when_that_can_be_read(core, feed):
    core.register(registration())

    happen(core, opened())

    row = core.row("SELECT * FROM notifications")
    assert (row["user_id"], row["kind"], row["candidate_id"], row["candidate_name"], row["read_at"]) == (
        "r-7",
        "open",
        "c-1",
        "John Smith",
        None,
    )
    assert (row["title"], row["text"], row["url"]) == (
        "John Smith just opened your email",
        "Interview Invitation",
        "/candidates/c-1",
    )
    [rung] = feed.rung
    assert (rung.number, rung.notification.id) == (row["announcement"], row["id"])
    assert feed.committed == [rung.number]


def test_what_happened_again_is_one_row(core, feed):
    core.register(registration())

    happen(core, opened(), opened())
    happen(core, opened(), opened(NOON + seconds(30)))

    assert titles(core) == ["John Smith opened your email 2 times"]
    assert len(feed.rung) == 1


def test_events_that_are_folded_once_more_after_a_crash_tell_nothing_new(core, feed):
    core.register(registration())
    happen(core, opened(), item("reply", NOON))
    before = core.query("SELECT t::text FROM notifications t ORDER BY 1")

    core.execute("UPDATE ops.read_models SET position = 0 WHERE name = 'notifications'")
    catch_up([core.backend.notifications_model])

    assert core.query("SELECT t::text FROM notifications t ORDER BY 1") == before
    assert len(feed.rung) == 2


def test_what_turns_out_to_be_a_machine_goes(core, feed):
    core.register(registration())
    happen(core, opened())
    with core.units.begin() as unit:
        [message] = unit.messages([email_id()]).values()
        [event_id] = core.query("SELECT causes[1] FROM notifications")[0]
        message._record(judged_anew(Verdict.MACHINE_OPEN, event_id.bytes))
        unit.append([message])

    core.project()

    assert titles(core) == []


def test_whoever_is_erased_leaves_nothing_here(core, feed):
    core.register(registration())
    happen(core, opened())

    core.backend.erase_recipient(ACME, JOHN, erased_by="key")
    core.project()

    assert titles(core) == []


def test_an_organisation_switches_it_off_and_somebody_opts_out(core, feed):
    core.register(registration(), registration("m-2"))
    core.receive(opened(), opened(message_id="m-2"), item("reply", NOON))
    core.drain()
    core.backend.tracking_consents.change(ACME, JOHN, Consent.OPTED_OUT, changed_by="key")
    core.project()
    assert titles(core) == ["John Smith replied to your email"]

    core.backend.tracking_policies.change(ACME, {"notifications_enabled": False}, changed_by="key")
    happen(core, item("reply", NOON + seconds(1), message_id="m-2"))

    assert titles(core) == ["John Smith replied to your email"]


def test_purged_emails_take_their_notifications_along(core, feed):
    core.register(registration())
    happen(core, opened())
    core.backend.tracking_policies.change(ACME, {"retention_days": 1}, changed_by="key")
    core.execute("INSERT INTO ops.organizations (id, name) VALUES (%s, 'Acme') ON CONFLICT DO NOTHING", ACME)
    core.project()
    core.now = NOON + hours(48)

    core.backend.purge_expired(ACME, progress=lambda _: core.project())  # else it waits for the projector

    assert core.value("SELECT count(*) FROM email_logs") == 0
    assert titles(core) == []


def test_a_doubtful_click_is_not_shown_before_its_window_is_over(core, feed):
    core.register(registration())
    happen(core, item("click", NOON, url="https://acme.example/jobs/3"))
    assert core.value("SELECT held_until FROM notifications") == NOON + seconds(10)
    assert feed.rung == []

    core.now = NOON + seconds(12)
    core.project()

    assert core.value("SELECT held_until FROM notifications") is None
    assert [one.notification.title for one in feed.rung] == ["John Smith just followed a link in your email"]


def a_doubtful_click_whose_window_is_over(core):
    core.register(registration())
    happen(core, item("click", NOON, url="https://acme.example/jobs/3"))
    core.now = NOON + seconds(12)


def test_a_doubtful_click_is_shown_though_there_is_always_news(core, feed):
    a_doubtful_click_whose_window_is_over(core)
    core.receive(opened(NOON + seconds(11)))
    core.drain()

    core.backend.notifications_model.advance()

    assert core.value("SELECT count(*) FROM notifications WHERE held_until IS NOT NULL") == 0
    assert len(feed.rung) == 2


def test_a_doubtful_click_is_not_shown_before_everything_is_known_that_may_speak_against_it(core, feed, monkeypatch):
    a_doubtful_click_whose_window_is_over(core)
    core.receive(opened(NOON + seconds(11)), opened(NOON + seconds(12)))
    core.drain()
    monkeypatch.setattr(core.backend.notifications_model._folding, "most_events", 1)

    core.backend.notifications_model.advance()
    assert core.value("SELECT count(*) FROM notifications WHERE held_until IS NOT NULL") == 1
    catch_up([core.backend.notifications_model])

    assert core.value("SELECT count(*) FROM notifications WHERE held_until IS NOT NULL") == 0


def test_the_candidate_s_level_and_the_job_s_manager_are_those_of_now(core, feed):
    core.execute(
        "INSERT INTO ops.notification_preferences VALUES (%s, 'r-7', %s, now()), (%s, 'h-9', %s, now())",
        ACME,
        '{"hot_candidates_only": true}',
        ACME,
        '{"my_jobs": true}',
    )
    core.register(about_job("h-2", sent_at=NOON - hours(2)))
    core.register(about_job("h-9", message_id="m-2", sent_at=NOON - hours(1)))
    core.project()

    happen(core, opened())
    assert core.query("SELECT user_id FROM notifications") == [("h-9",)]

    core.execute("UPDATE candidate_scores SET level = 'hot'")
    core.receive(opened(NOON + seconds(5)))
    core.drain()
    catch_up([core.backend.notifications_model])

    assert sorted(core.query("SELECT user_id FROM notifications")) == [("h-9",), ("r-7",)]


def test_a_digest_takes_the_place_of_the_unread_one_before(core, feed):
    core.execute(
        "INSERT INTO ops.notification_preferences VALUES (%s, 'r-7', %s, now(), %s)",
        ACME,
        '{"digest": "daily", "digest_at": "13:00"}',
        NOON + hours(1),
    )
    core.register(registration())
    happen(core, opened())
    assert feed.rung == []

    for days in range(2):
        core.now = NOON + hours(24 * days + 1)
        happen(core, opened(core.now - seconds(5)))

    digests = core.query("SELECT title, text, occurred_at FROM notifications WHERE kind = 'digest'")
    assert digests == [("1 thing happened since the last summary", "1 opened", NOON + hours(25))]
    assert len(feed.rung) == 2
    assert core.value("SELECT next_digest_at FROM ops.notification_preferences") == NOON + hours(49)
