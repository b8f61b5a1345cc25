import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from adapters.postgres import unit_of_work
from adapters.postgres.sealing import sealed_state
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from entrypoints.web import examples
from tests.support.core import Core, item, registration
from tests.support.emails import ACME, CALENDAR, GLOBEX, JOB_AD, NOON, an_open, email_id, hours, minutes, seconds
from tests.support.storages import PostgresStorage

EMAILS = 200
AHEAD_OF_THE_DATABASE = NOON.replace(year=2126)
"""The database tells by its own clock which deliveries are due."""

TOLD = "topic <> 'EmailMessage.Rejudged'"
"""What was reported; how verdicts were revised depends on what arrived together."""


def many_reports(random, how_many):
    """Reports that all differ, about registered emails."""
    told = []
    for n in range(how_many):
        kind = random.choice(["open", "open", "click", "click", "delivered", "bounce", "reply", "unsubscribe"])
        report = item(
            kind, NOON + minutes(random.randint(0, 1_800)), f"m-{random.randint(1, EMAILS)}", event_id=f"e-{n}"
        )
        if kind == "click":
            report |= {"url": random.choice([JOB_AD, CALENDAR]), "link_position": random.choice("12")}
        if kind == "bounce":
            report |= {"bounce_type": random.choice(["hard", "soft", "block"]), "bounce_reason": f"reason_{n % 3}"}
        told.append(report)
    return told


def in_deliveries(told, size):
    return [told[start : start + size] for start in range(0, len(told), size)]


def final_rows(core):
    storage = PostgresStorage(core)
    # How many opens came before one tells the order of arrival, and is meant to.
    events = sorted(((*row[:7], row[8]) for row in storage.events()), key=str)
    return storage.emails(), events, storage.links(), storage.totals(), storage.ranked()


# BR-558.5: must show 5,000 events, duplicated 1 to 46 times, shuffled


def test_5000_shuffled_events_with_up_to_46_copies_give_the_state_of_once_and_in_order(core, lone_core):
    random = Random(558)
    told = many_reports(random, 5_000)
    copies = [report for report in told for _ in range(random.choice([1, 1, 1, 1, 1, 1, 2, 2, 3, 46]))]
    random.shuffle(copies)
    for one in (core, lone_core):
        one.now = NOON + hours(30)
        one.register_numbered(EMAILS)
    in_order = sorted(told, key=lambda report: report["timestamp"])

    lone_core.receive_many(in_deliveries(in_order, 500))
    core.receive_many(in_deliveries(copies, 500))
    for one in (core, lone_core):
        one.drain()
        one.project()

    assert len(copies) > 20_000
    assert core.value(f"SELECT count(*) FROM events.stored_events WHERE {TOLD}") == 5_000 + EMAILS
    assert ids_apart(final_rows(core)) == ids_apart(final_rows(lone_core))


def ids_apart(rows):
    emails, *others = rows
    told_once = {"tracking_id", "created_at"}
    return [
        {name: {k: v for k, v in email.items() if k not in told_once} for name, email in emails.items()},
        *others,
    ]


def test_four_workers_on_one_inbox_record_every_report_exactly_once(core):
    core.now = NOON + hours(30)
    told = many_reports(Random(4), 3_000)
    core.register_numbered(EMAILS)
    core.receive_many(in_deliveries(told + told, 3))
    workers = [Core(core.database_url, core.now) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        drained = list(pool.map(lambda worker: worker.drain(), workers))
    core.drain()  # what the last conflicts left, if any
    for worker in workers:
        worker.close()

    assert core.value(f"SELECT count(*) FROM events.stored_events WHERE originator_version > 1 AND {TOLD}") == 3_000
    assert core.value("SELECT count(*) FROM ops.webhook_inbox") == 0
    assert sum(drained) <= 2_000
    assert dict(core.query("SELECT * FROM ops.report_outcomes")) == {"recorded": 3_000, "repeated": 3_000}


def test_two_workers_with_reports_about_the_same_email_both_succeed(core, other_core, monkeypatch):
    core.register(registration())
    core.receive(item("open"))
    meet = threading.Barrier(2, timeout=30)
    load = PostgresUnitOfWork.messages

    def load_and_meet(unit, email_ids):
        messages = load(unit, email_ids)
        if not meet.broken and email_ids:
            try:
                meet.wait()
            except threading.BrokenBarrierError:
                return messages
            meet.abort()  # only the first time do they meet
        return messages

    monkeypatch.setattr(PostgresUnitOfWork, "messages", load_and_meet)
    claimed = threading.Event()
    claim = PostgresUnitOfWork.claim_deliveries

    def claim_and_tell(unit, **most):
        deliveries = claim(unit, **most)
        if not claimed.is_set():
            core.receive(item("click", url=JOB_AD))
            claimed.set()
        return deliveries

    monkeypatch.setattr(PostgresUnitOfWork, "claim_deliveries", claim_and_tell)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(core.backend.drain.drain_batch)
        assert claimed.wait(30)
        second = pool.submit(other_core.backend.drain.drain_batch)
        assert (first.result().events, second.result().events) == (1, 1)

    assert Counter(type(fact).__name__ for fact in core.facts()) == {"Sent": 1, "Opened": 1, "Clicked": 1}


class PulledPlugError(BaseException):
    """Ends a process in the middle of a transaction; nobody catches it."""


@pytest.mark.parametrize("moment", ["append", "close_deliveries", "count_outcomes"])
def test_a_crash_anywhere_in_a_batch_leaves_it_as_if_nothing_had_happened(core, moment, monkeypatch):
    core.register(registration())
    core.receive(item("open"), item("teleported"), item("open", message_id="nobody's"))

    act = getattr(PostgresUnitOfWork, moment)

    def act_and_die(unit, *given, **named):
        act(unit, *given, **named)
        raise PulledPlugError

    with monkeypatch.context() as patched:
        patched.setattr(PostgresUnitOfWork, moment, act_and_die)
        with pytest.raises(PulledPlugError):
            core.drain()

    assert [type(fact).__name__ for fact in core.facts()] == ["Sent"]
    assert core.value("SELECT count(*) FROM ops.webhook_inbox") == 1
    assert core.value("SELECT count(*) FROM ops.parked_reports") == 0
    assert core.query("SELECT * FROM ops.report_outcomes") == []
    assert core.drain() == 1
    assert dict(core.query("SELECT * FROM ops.report_outcomes")) == {"recorded": 1, "failed": 1, "orphaned": 1}


def test_a_delivery_that_the_database_cannot_take_waits_and_costs_nobody_else(core, monkeypatch):
    core.register_numbered(2)
    core.now = AHEAD_OF_THE_DATABASE
    core.receive(item("open", NOON))
    poison = core.receive(item("open", NOON + hours(1), "m-2"))
    core.receive(item("open", NOON + hours(2)))
    append = PostgresUnitOfWork.append
    unstorable = an_open(NOON + hours(1)).key_for(email_id("m-2"))

    def append_unstorable(unit, messages):
        if any(unstorable in message.seen for message in messages):
            unit._cursor.execute("SELECT 1 / 0")
        return append(unit, messages)

    monkeypatch.setattr(PostgresUnitOfWork, "append", append_unstorable)
    core.drain()

    assert [fact.occurred_at for fact in core.facts()[2:]] == [NOON, NOON + hours(2)]
    [(id_, attempts, error)] = core.query("SELECT id, attempts, last_error FROM ops.webhook_inbox")
    assert (id_, attempts) == (poison, 1)
    assert error.startswith("internal error (DataError)")


def test_an_email_whose_stream_cannot_be_read_costs_nobody_else_among_hundreds(core):
    core.register_numbered(400)
    core.now = AHEAD_OF_THE_DATABASE
    core.query(
        "UPDATE events.stored_events SET state = '\\x80' WHERE originator_id = %s RETURNING 1", email_id("m-200")
    )
    core.receive(*(item("open", NOON, f"m-{n}") for n in range(201, 401)))
    poison = core.receive(item("open", NOON, "m-200"))
    core.receive(*(item("open", NOON, f"m-{n}") for n in range(1, 200)))

    core.drain()

    assert core.value("SELECT count(*) FROM events.stored_events WHERE originator_version = 2") == 399
    assert core.query("SELECT id, attempts FROM ops.webhook_inbox") == [(poison, 1)]


def test_what_cannot_be_stored_undoes_the_batch_also_when_the_database_has_much_of_it_already(core, monkeypatch):
    core.register_numbered(400)
    core.receive(*(item("open", NOON, f"m-{n}", user_agent="Safari") for n in range(1, 401)))
    sealed = []

    def seal_until_the_plug_is_pulled(*given):
        sealed.append(given)
        if len(sealed) == 390:
            raise PulledPlugError
        return sealed_state(*given)

    with monkeypatch.context() as patched:
        patched.setattr(unit_of_work, "sealed_state", seal_until_the_plug_is_pulled)
        with pytest.raises(PulledPlugError):
            core.drain()

    assert core.value("SELECT max(originator_version) FROM events.stored_events") == 1
    core.drain()
    assert core.value("SELECT count(*) FROM events.stored_events WHERE originator_version = 2") == 400


def test_a_postponed_delivery_is_not_due_and_is_seen(core):
    core.now = AHEAD_OF_THE_DATABASE
    core.receive(item("open"), provider="tomorrow's")
    core.drain()

    state = core.backend.operations.inbox()
    assert (state.due, state.postponed) == (0, 1)
    assert not core.backend.operations.has_due_delivery()


# EF-2: orphans, and the retry of what was set aside


def test_a_parked_report_is_kept_once_however_often_it_comes(core):
    for n in range(5):
        core.receive(item("open", message_id="m-9"), item("teleported"), received_at=NOON + seconds(n))
        core.drain()

    assert core.query("SELECT status, times_seen FROM ops.parked_reports ORDER BY status") == [
        ("failed", 5),
        ("orphaned", 5),
    ]
    assert core.backend.operations.parked_counts() == {"failed": 1, "orphaned": 1}


def test_an_orphan_has_the_reason_of_the_published_example(core):
    core.receive(item("open", message_id="m-9"))
    core.drain()

    assert core.row("SELECT status, reason FROM ops.parked_reports") == {
        field: examples.PARKED[field] for field in ("status", "reason")
    }


def test_orphans_find_their_email_when_it_is_registered(core):
    core.receive(item("open", message_id="m-2"), item("click", url=JOB_AD, message_id="m-2"))
    core.drain()

    core.register(registration("m-2"))
    core.project()

    assert core.query("SELECT count(*) FROM ops.parked_reports") == [(0,)]
    row = core.row("SELECT open_count, click_count FROM email_logs WHERE message_id = 'm-2'")
    assert row == {"open_count": 1, "click_count": 1}


def test_orphans_left_by_a_race_are_found_by_the_sweep(core, other_core):
    core.receive(item("open", message_id="m-2"))
    with core.units.begin() as slow_drain:
        core.backend.drain.process(slow_drain, slow_drain.claim_deliveries(most=1, most_bytes=1))
        other_core.register(registration("m-2"))
    assert core.value("SELECT status FROM ops.parked_reports") == "orphaned"

    assert core.backend.rematch.sweep() == 1
    assert [type(fact).__name__ for fact in core.facts()] == ["Sent", "Opened"]
    assert core.backend.rematch.sweep() == 0


def test_two_sweeps_at_once_record_every_orphan_once(core, other_core):
    core.receive(*(item("open", NOON + seconds(n), "m-2") for n in range(2_000)))
    core.drain()
    core.execute("UPDATE ops.parked_reports SET email_id = gen_random_uuid()")  # hidden from the registration
    core.register(registration("m-2"))
    core.execute("UPDATE ops.parked_reports SET email_id = (SELECT originator_id FROM events.stored_events LIMIT 1)")

    with ThreadPoolExecutor(2) as pool:
        matched = list(pool.map(lambda one: one.backend.rematch.sweep(), (core, other_core)))

    assert sum(matched) == 2_000
    assert core.value("SELECT count(*) FROM events.stored_events") == 2_001


def test_a_failed_report_is_retried_from_what_was_kept(core):
    core.register(registration())
    core.receive(item("open", NOON + hours(30)))
    core.drain()
    [(organization_id, report_id)] = core.backend.operations.parked_ids(None)
    core.now = NOON + hours(12)

    assert core.backend.retry_parked(organization_id, report_id) == "processed"
    assert [fact.occurred_at for fact in core.facts()[1:]] == [NOON + hours(30)]
    assert core.backend.operations.parked_ids(None) == []


# UI: last report received


def last_receptions(core):
    return core.query("SELECT organization_id, received_at FROM ops.last_receptions ORDER BY received_at")


def test_it_is_known_when_each_endpoint_was_last_reported_to(core):
    core.receive(item("open"), received_at=NOON + minutes(2))
    core.receive(item("open"), received_at=NOON + minutes(1))
    core.receive(item("open"), organization_id=GLOBEX, received_at=NOON + minutes(5))
    core.drain()
    assert last_receptions(core) == [(ACME, NOON + minutes(2)), (GLOBEX, NOON + minutes(5))]

    core.receive(item("open"), received_at=NOON + minutes(1))
    core.drain()
    assert last_receptions(core)[0] == (ACME, NOON + minutes(2)), "what comes late was not received later"

    core.receive(body=b"no report at all", received_at=NOON + minutes(9))
    core.drain()
    assert last_receptions(core)[1] == (ACME, NOON + minutes(9)), "a report that cannot be used was received, too"


def test_a_worker_that_meets_another_at_the_same_endpoint_does_not_wait(core, other_core):
    for minute in (0, 1):
        core.receive(item("open", event_id=f"e-{minute}"), received_at=NOON + minutes(minute))
        core.drain()
    core.receive(item("open", event_id="e-2"), received_at=NOON + minutes(2))

    with core.units.begin() as slow:
        slow._cursor.execute("SELECT FROM ops.last_receptions FOR UPDATE")
        assert other_core.drain() == 1

    assert last_receptions(core) == [(ACME, NOON + minutes(1))]
    assert core.query("SELECT count(*) FROM ops.webhook_inbox") == [(0,)]
