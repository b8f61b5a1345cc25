"""What is beyond its time goes from events, rows, parked reports and keys; totals and names stay, rebuilt or not."""

import psycopg
import pytest

from adapters.postgres import expired_records
from adapters.postgres import rebuild as rebuild_module
from adapters.postgres.rebuild import RebuildRefusedError
from application import purge_expired
from application.email_registrations import Job, Recipient, Template
from application.ports.expired_records import RetentionBusyError
from domain.organization_facts import EmailsPurged
from entrypoints.commands.frame import EXIT_FAILED, refuse_outdated
from tests.support.batches import take_in_batches_of
from tests.support.core import item, registration
from tests.support.emails import ACME, CAMPAIGN, GLOBEX, JOB_AD, NOON, days, email_id, hours, seconds

OLD = NOON - days(800)
EMAILS = 30


@pytest.fixture(autouse=True)
def short_work(monkeypatch):
    monkeypatch.setattr(purge_expired, "SHORTEST_REST_S", 0.0)
    monkeypatch.setattr(purge_expired, "REST_PER_WORK", 0.0)
    monkeypatch.setattr(purge_expired, "PATIENCE_S", 0.0)
    monkeypatch.setattr(purge_expired, "EMAILS_PER_TRANSACTION", 7)


@pytest.fixture
def kept(lone_core):
    """Two years and a bit of a team: every second email is beyond its time."""
    for organization in (ACME, GLOBEX):
        lone_core.execute("INSERT INTO ops.organizations (id, name) VALUES (%s, 'Acme')", organization)
    lone_core.now = OLD + days(1)
    register(lone_core, range(0, EMAILS, 2), OLD)
    lone_core.now = NOON
    register(lone_core, range(1, EMAILS, 2), NOON - days(1))
    happen(lone_core, range(0, EMAILS, 2), OLD)
    happen(lone_core, range(1, EMAILS, 2), NOON - days(1))
    lone_core.drain()
    lone_core.project()
    return lone_core


def register(core, numbers, sent_at, **told):
    core.register(
        *(
            registration(
                f"m-{n}",
                sent_at=sent_at + seconds(n),
                recipient=Recipient(id=f"c-{n % 20}", email=f"p{n % 20}@example.com", name=f"Person {n % 20}"),
                job=Job(id=f"j-{n % 3}", title=f"Job of {n}", hiring_manager_id="h-2"),
                template=Template(id="t-1", name=f"Template of {n}"),
                campaign_id=CAMPAIGN,
                **told,
            )
            for n in numbers
        )
    )


def happen(core, numbers, at):
    for n in numbers:
        about = {"message_id": f"m-{n}", "recipient": f"p{n % 20}@example.com"}
        agent = {"ip_address": "81.2.69.160", "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/124.0"}
        core.receive(
            item("delivered", at + hours(1), **about),
            item("open", at + hours(2), **about, **agent),
            item("click", at + hours(3), url=JOB_AD, **about, **agent),
            *([item("unsubscribe", at + hours(4), **about)] if n % 10 == 0 else []),
        )


def old_ids(core):
    return core.query("SELECT id FROM email_logs WHERE sent_at < %s ORDER BY 1", NOON - days(730))


def totals(core):
    return {name: rows for name, rows in core.dump().items() if name.endswith("_totals")}


def quietly(*_):
    """Nobody watches the progress."""


def purge(core, organization=None):
    """Purge as a worker does, with the projector at work: round by round."""
    rounds = []
    for _ in range(50):
        purged = core.backend.purge_expired(organization)
        rounds += purged
        core.project()
        if not any(one.unfinished for one in purged):
            break
    return rounds


def test_what_is_beyond_its_time_goes_and_what_is_young_stays(kept):
    gone = [id_ for (id_,) in old_ids(kept)]
    young = kept.query("SELECT e::text FROM email_logs e WHERE sent_at > %s ORDER BY 1", NOON - days(730))

    purged = purge(kept)

    assert sum(one.emails for one in purged) == len(gone) == EMAILS // 2
    assert kept.query("SELECT e::text FROM email_logs e ORDER BY 1") == young
    for table in ("email_engagement_events", "engagement_tracking", "automated_engagement", "email_links"):
        assert kept.value(f"SELECT count(*) FROM {table} WHERE email_log_id = ANY(%s)", gone) == 0
        assert table == "automated_engagement" or kept.value(f"SELECT count(*) FROM {table}") > 0
    assert kept.value("SELECT count(*) FROM campaign_contacts") == EMAILS // 2
    left = kept.value(
        "SELECT count(DISTINCT originator_id) FROM events.stored_events WHERE topic LIKE 'EmailMessage.%%'"
    )
    assert left == EMAILS // 2


def test_no_table_whatsoever_knows_an_email_that_is_gone(kept):
    gone = [
        (id_, email)
        for id_, email in kept.query("SELECT id, email_id FROM email_logs WHERE sent_at < %s", NOON - days(730))
    ]
    columns = kept.query(
        "SELECT c.table_schema || '.' || c.table_name, c.column_name FROM information_schema.columns c"
        " JOIN information_schema.tables t USING (table_schema, table_name) WHERE t.table_type = 'BASE TABLE'"
        " AND c.table_schema IN ('public', 'ops', 'events')"
        " AND c.column_name IN ('email_id', 'email_log_id', 'originator_id')"
    )

    purge(kept)
    kept.backend.purge_expired()

    assert len(columns) > 6
    for table, column in columns:
        ids = [str(id_ if column == "email_log_id" else email) for id_, email in gone]
        assert kept.value(f"SELECT count(*) FROM {table} WHERE {column}::text = ANY(%s)", ids) == 0, (table, column)


def test_the_totals_of_campaign_job_and_template_stay(kept):
    before = totals(kept)

    purge(kept)

    assert totals(kept) == before
    assert kept.value("SELECT sum(sent) FROM email_totals WHERE campaign_id = %s", CAMPAIGN) == EMAILS


def test_a_rebuild_after_a_purge_gives_identical_rows(kept):
    purge(kept)
    before = kept.dump()

    for name in ("engagement", "scores"):
        kept.backend.rebuild(name, quietly)

    assert kept.dump() == before
    assert before["email_totals"] != []


def test_names_and_first_sending_survive_a_rebuild_though_only_purged_emails_told_them(kept):
    kept.now = OLD
    old_job = {"job": Job(id="j-old", title="Only then", hiring_manager_id="h-9")}
    kept.register(registration("m-old", sent_at=OLD - days(1), campaign_id=CAMPAIGN, **old_job))
    kept.now = NOON
    kept.project()
    names = "SELECT id, title, hiring_manager_id FROM jobs WHERE id = 'j-old'"
    purge(kept)

    kept.backend.rebuild("engagement", quietly)

    assert kept.query(names) == [("j-old", "Only then", "h-9")]
    assert kept.value("SELECT first_sent_at FROM campaigns WHERE id = %s", CAMPAIGN) == OLD - days(1)


def test_purges_rebuilds_and_new_facts_in_any_turn_keep_the_rows_what_they_are(kept, monkeypatch):
    take_in_batches_of(20, monkeypatch)
    shown = totals(kept)
    for step in range(4):
        kept.backend.purge_expired(ACME)  # one chunk: the projector is behind then
        if step % 2:
            kept.backend.rebuild("engagement", quietly)
        kept.project()
        register(kept, [100 + step], NOON - days(1), tracking=False)
        happen(kept, [100 + step], NOON - days(1))
        kept.drain()
        kept.project()
    assert totals(kept) == shown
    before = kept.dump()

    kept.backend.rebuild("engagement", quietly)

    assert kept.dump() == before
    assert old_ids(kept) == []


@pytest.mark.parametrize("projected_between", [True, False])
def test_a_person_who_is_erased_around_a_purge_leaves_the_same_rows_live_and_rebuilt(kept, projected_between):
    shown = totals(kept)
    kept.backend.purge_expired(ACME)  # one chunk, of which the projector knows nothing yet
    if projected_between:
        kept.project()
    for whom in ("p0@example.com", "p1@example.com"):  # one with old emails only, one with young ones
        kept.backend.erase_recipient(ACME, whom, erased_by="")
    kept.project()
    purge(kept)
    before = kept.dump()
    assert totals(kept) == shown
    assert kept.query("SELECT * FROM ops.poison_events") == []

    kept.backend.rebuild("engagement", quietly)

    assert kept.dump() == before


def test_an_email_that_is_registered_again_after_its_purge_counts_anew(kept):
    purge(kept)
    sent = kept.value("SELECT sum(sent) FROM email_totals")
    kept.now = NOON - days(700)  # when its time was not yet up; the policy may have been another as well
    register(kept, [0], OLD)
    kept.now = NOON
    kept.project()
    assert kept.value("SELECT sum(sent) FROM email_totals") == sent + 1

    purge(kept)

    before = kept.dump()
    kept.backend.rebuild("engagement", quietly)
    assert kept.dump() == before
    assert kept.value("SELECT sum(sent) FROM email_totals") == sent + 1


def test_the_period_is_the_organisations_own(kept):
    kept.execute(
        "INSERT INTO ops.tracking_policies VALUES (%s, true, false, 'opt_out', 'keep', 900, true, false, now())", ACME
    )
    assert purge(kept)[0].emails == 0

    kept.execute("UPDATE ops.tracking_policies SET retention_days = 1")
    kept.now = NOON + seconds(60)

    assert sum(one.emails for one in purge(kept)) == EMAILS
    assert kept.dump()["email_logs"] == []


def test_candidates_without_emails_leave_the_ranking_and_the_others_are_scored_anew(kept):
    register(kept, [201], NOON - days(80))
    happen(kept, [201], NOON - days(80))
    kept.drain()
    kept.project()
    scored = "SELECT emails_sent FROM candidate_scores WHERE candidate_id = 'c-1'"
    assert kept.value(scored) == 3
    kept.execute(
        "INSERT INTO ops.tracking_policies VALUES (%s, true, false, 'opt_out', 'keep', 60, true, false, now())", ACME
    )

    purge(kept)

    assert kept.value(scored) == 2
    ranked = {candidate for (candidate,) in kept.query("SELECT candidate_id FROM candidate_scores")}
    assert ranked == {candidate for (candidate,) in kept.query("SELECT recipient_id FROM email_logs")} != set()


def test_nothing_is_noted_longer_than_the_read_models_need_it(kept):
    kept.backend.purge_expired()
    assert kept.value("SELECT count(*) FROM ops.purged_emails") == 7

    purge(kept)
    kept.backend.purge_expired()

    assert kept.value("SELECT count(*) FROM ops.purged_emails") == 0


def test_whoever_has_no_email_left_has_no_key_left(kept):
    before = {addressee for (addressee,) in kept.query("SELECT addressee_id FROM ops.recipient_keys")}

    purge(kept)

    after = {addressee for (addressee,) in kept.query("SELECT addressee_id FROM ops.recipient_keys")}
    assert after == {addressee for (addressee,) in kept.query("SELECT addressee_id FROM email_logs")}
    assert after < before


def test_who_was_just_written_to_keeps_the_key_though_no_read_model_knows(kept):
    register(kept, [1000], NOON)  # to p0, whose other emails are old

    kept.backend.purge_expired()
    kept.project()
    purge(kept)

    row = kept.row("SELECT recipient_email, subject FROM email_logs WHERE message_id = 'm-1000'")
    assert row == {"recipient_email": "p0@example.com", "subject": "Interview Invitation"}
    kept.backend.rebuild("engagement", quietly)
    assert kept.row("SELECT recipient_email, subject FROM email_logs WHERE message_id = 'm-1000'") == row


def test_parked_reports_and_waiting_deliveries_go_when_their_time_is_up(kept):
    kept.receive(item("open", message_id="nobodys"), received_at=OLD)
    kept.receive(item("open", message_id="nobodys too"), received_at=NOON)
    kept.receive(body=b"no json", received_at=OLD)
    kept.drain()
    kept.receive(item("open"), received_at=OLD)
    kept.receive(item("open"), received_at=OLD, organization_id=GLOBEX)
    kept.receive(item("open"), received_at=NOON)
    assert kept.value("SELECT count(*) FROM ops.parked_reports") == 3

    purge(kept, ACME)

    assert kept.query("SELECT message_id FROM ops.parked_reports") == [("nobodys too",)]
    assert kept.query("SELECT organization_id FROM ops.webhook_inbox ORDER BY received_at") == [(GLOBEX,), (ACME,)]


def test_poison_of_purged_emails_goes(kept):
    place = kept.value("SELECT max(notification_id) FROM events.stored_events WHERE originator_id = %s", old(kept))
    kept.execute("INSERT INTO ops.poison_events VALUES ('engagement', %s, 'x')", place)
    kept.execute("INSERT INTO ops.poison_events VALUES ('engagement', 1000000, 'x')")

    purge(kept)

    assert kept.query("SELECT notification_id FROM ops.poison_events") == [(1000000,)]


def old(core):
    return core.value("SELECT email_id FROM email_logs WHERE message_id = 'm-0'")


def test_the_fact_that_stays_names_no_email_and_nobody(kept):
    purge(kept)

    rows = kept.query("SELECT originator_id, state FROM events.stored_events WHERE topic = %s", EmailsPurged.TOPIC)
    emails = {email_id(f"m-{n}", f"p{n % 20}@example.com") for n in range(EMAILS)}
    assert len(rows) == 3
    for purge_id, state in rows:
        assert purge_id not in emails
        assert not any(one.bytes in state for one in emails)
        assert not any(word in state for word in (b"p0@", b"Person", b"c-0", b"m-0", b"Interview"))


def test_emails_that_the_read_models_have_not_folded_wait(kept):
    happen(kept, [0], OLD + days(1))
    kept.drain()

    [purged, _] = kept.backend.purge_expired()

    assert (purged.emails, "behind" in purged.unfinished) == (0, True)
    assert kept.value("SELECT count(*) FROM events.stored_events WHERE originator_id = %s", old(kept)) > 4


def test_after_an_upgrade_that_asks_for_a_rebuild_the_command_says_so(core, capsys):
    refuse_outdated(core.backend)
    core.query("UPDATE ops.read_models SET version = version - 1 WHERE name = 'engagement' RETURNING name")

    with pytest.raises(SystemExit) as ended:
        refuse_outdated(core.backend)

    assert ended.value.code == EXIT_FAILED
    assert "(engagement): run `mailpulse projections rebuild` first" in capsys.readouterr().err


def test_nothing_is_purged_while_a_read_model_is_rebuilt(kept):
    told = []

    def purge_too(*_):
        told.extend(kept.backend.purge_expired(ACME))

    kept.backend.rebuild("engagement", purge_too)

    assert {(one.emails, "rebuilt" in one.unfinished) for one in told} == {(0, True)}
    assert len(old_ids(kept)) == EMAILS // 2
    purge(kept)
    assert old_ids(kept) == []


def test_a_rebuild_waits_for_a_purge_but_not_for_ever(kept, monkeypatch):
    monkeypatch.setattr(rebuild_module, "LOCK_TIMEOUT_S", 1)
    with psycopg.connect(kept.database_url) as purging:
        purging.execute("SELECT pg_advisory_xact_lock(558000002)")
        with pytest.raises(RebuildRefusedError, match="purge"):
            kept.backend.rebuild("engagement", quietly)
    kept.backend.rebuild("engagement", quietly)


def test_only_one_process_purges(kept):
    with psycopg.connect(kept.database_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (expired_records._PURGING,))
        with pytest.raises(RetentionBusyError):
            kept.backend.purge_expired()

    assert purge(kept)


def test_a_dry_run_says_what_would_go_and_changes_nothing(kept):
    kept.receive(item("open", message_id="nobodys"), received_at=OLD)
    kept.drain()
    before, events = kept.dump(), kept.value("SELECT count(*) FROM events.stored_events")

    [ours, theirs] = kept.backend.purge_expired.survey()

    assert (ours.organization_id, ours.retention_days, ours.before) == (ACME, 730, NOON - days(730))
    assert (ours.emails, ours.events, ours.parked_reports, ours.waiting_deliveries) == (15, 15 * 4 + 3, 1, 0)
    assert ours.oldest_sent_at == OLD
    assert (theirs.emails, theirs.events, theirs.oldest_sent_at) == (0, 0, None)
    assert kept.dump() == before
    assert kept.value("SELECT count(*) FROM events.stored_events") == events


def test_one_email_with_more_facts_than_a_transaction_takes_goes_alone(kept, monkeypatch):
    monkeypatch.setattr(expired_records, "MOST_EVENTS", 5)

    purged = purge(kept)

    assert sum(one.emails for one in purged) == EMAILS // 2
    facts = [fact for fact in kept.facts() if isinstance(fact, EmailsPurged)]
    assert {fact.emails for fact in facts} == {1}


def test_a_purge_stops_when_it_is_told_to(kept):
    purged = kept.backend.purge_expired(keep_on=iter([True, True, True, False, False, False]).__next__)

    assert purged[0].unfinished
    assert 0 < len(old_ids(kept)) <= EMAILS // 2
