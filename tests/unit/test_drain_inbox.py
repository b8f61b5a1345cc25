import logging

import msgspec
import pytest

from application import drain_inbox
from application.drain_inbox import BACKOFF
from application.email_registrations import Recipient
from application.ports.unit_of_work import StoreUnavailableError
from application.tracking_policies import TrackingPolicies
from application.transactions import RERUNS_AFTER_CONFLICT
from domain.email_facts import Clicked
from domain.policies.detection.detection import Detection
from domain.policies.detection.rule_file import parse_rules
from domain.policies.detection.rules import DetectionRules
from tests.support.core import ENDPOINT, item, registration
from tests.support.drain_scene import CONFIRMATION_URL, POISON, SUBSCRIBE, DrainScene
from tests.support.emails import ACME, CAMPAIGN, GLOBEX, JOB_AD, JOHN, NOON, hours, seconds


@pytest.fixture
def scene():
    scene = DrainScene()
    scene.register()
    return scene


def test_a_report_becomes_an_event_and_leaves_the_inbox(scene):
    scene.receive(item("open"), item("click", url=JOB_AD))

    drained = scene.drain.drain_batch()

    assert (drained.deliveries, drained.events) == (1, 2)
    assert scene.kinds() == ["Sent", "Opened", "Clicked"]
    assert scene.store.inbox == {}


def test_an_empty_inbox_is_no_work(scene):
    assert scene.drain.drain_all() == 0


def test_an_empty_delivery_leaves_the_inbox(scene):
    scene.receive()

    assert scene.drain.drain_all() == 1
    assert (scene.store.inbox, scene.kinds()) == ({}, ["Sent"])


def test_events_of_many_deliveries_are_recorded_in_the_order_received(scene):
    for n in range(1_000):
        scene.receive(item("open", NOON + seconds(n)))

    assert scene.drain.drain_all() == 1_000
    assert [logged.fact.occurred_at for logged in scene.store.log[1:]] == [NOON + seconds(n) for n in range(1_000)]


def test_a_drain_goes_on_while_batches_have_no_room_for_more(scene, monkeypatch):
    monkeypatch.setattr(drain_inbox, "BYTES_PER_TRANSACTION", 100)
    monkeypatch.setattr(drain_inbox, "FULL_BYTES", 90)
    for n in range(10):
        scene.receive(item("open", NOON + seconds(n)))

    assert scene.drain.drain_all() == 10


def test_a_batch_with_room_left_is_the_last(scene):
    scene.receive(item("open"))
    asked = []

    scene.drain.drain_all(lambda: not asked.append("whether to go on"))

    assert asked == ["whether to go on"]


def test_the_drain_stops_between_batches_when_told(scene):
    for n in range(1_000):
        scene.receive(item("open", NOON + seconds(n)))
    allowed = iter([True, False])

    drained = scene.drain.drain_all(lambda: next(allowed))

    assert 0 < drained < 1_000
    assert len(scene.store.inbox) == 1_000 - drained


# BR-558.5


def test_a_repeated_report_is_recorded_once_within_and_across_deliveries(scene):
    scene.receive(item("open", event_id="e-1"), item("open", event_id="e-1"))
    scene.receive(item("open", event_id="e-1"))
    first = scene.drain.drain_batch()
    scene.now = NOON + hours(30)
    scene.receive(item("open", event_id="e-1"))
    second = scene.drain.drain_batch()

    assert scene.kinds() == ["Sent", "Opened"]
    assert (first.events, first.repeated, second.repeated) == (1, 2, 1)


def test_a_fact_names_the_delivery_that_brought_it(scene):
    delivery_id = scene.receive(item("open"))

    scene.drain.drain_all()

    fact = scene.store.log[-1].fact
    assert (fact.delivery_id, fact.recorded_at) == (delivery_id, NOON)


# One bad item never costs the others


def test_a_bad_item_is_set_aside_with_its_reason_and_the_others_are_recorded(scene):
    scene.receive(item("open"), item("teleported"), item("click", url=JOB_AD))

    drained = scene.drain.drain_batch()

    assert (drained.events, drained.failed) == (2, 1)
    assert scene.reasons()[0].startswith("event_type: expected one of open, click, bounce")
    [parked] = scene.store.parked.values()
    assert msgspec.json.decode(parked.report.body)[0]["event_type"] == "teleported"


def test_a_body_of_which_nothing_can_be_read_is_set_aside_whole(scene):
    scene.receive(body=b"\xff{")
    scene.receive(item("open"))

    drained = scene.drain.drain_batch()

    assert (drained.deliveries, drained.events, drained.failed) == (2, 1, 1)
    [parked] = scene.store.parked.values()
    assert (parked.report.body, scene.store.inbox) == (b"\xff{", {})


def test_a_time_more_than_a_day_ahead_is_not_believed(scene):
    scene.receive(item("open", NOON + hours(24)), item("open", NOON + hours(24) + seconds(1)))

    drained = scene.drain.drain_batch()

    assert (drained.events, drained.failed) == (1, 1)
    assert scene.reasons() == ["the time of a opened report lies in the future: 2026-11-22T12:00:01+00:00"]


def test_ignored_items_are_counted_by_reason(scene):
    scene.receive(item("processed"), item("processed"), item("open"))

    drained = scene.drain.drain_batch()

    assert drained.ignored == {"accepted": 2}
    assert scene.store.outcomes == {"recorded": 1, "ignored_accepted": 2}


def test_every_report_ends_in_one_count(scene):
    scene.receive(
        item("open"), item("open"), item("processed"), item("teleported"), item("open", message_id="nobody's")
    )

    scene.drain.drain_all()

    assert scene.store.outcomes == {
        "recorded": 1,
        "repeated": 1,
        "ignored_accepted": 1,
        "failed": 1,
        "orphaned": 1,
    }


def test_a_subscription_is_requested_for_its_endpoint(scene):
    scene.receive(body=SUBSCRIBE)

    scene.drain.drain_all()

    assert [(id_, request.url) for id_, request in scene.store.confirmations] == [(ENDPOINT, CONFIRMATION_URL)]


# A delivery that we stumble over


def test_a_delivery_that_we_stumble_over_waits_and_the_others_go_on(scene):
    poison = scene.receive(body=POISON)
    scene.receive(item("open"))

    drained = scene.drain.drain_batch()

    assert (drained.events, drained.postponed) == (1, 1)
    assert list(scene.store.inbox) == [poison]
    assert scene.store.inbox[poison].next_attempt_at == NOON + seconds(BACKOFF[0])


def test_it_is_tried_again_later_and_later_and_then_set_aside(scene):
    poison = scene.receive(body=POISON)
    waits = []
    while poison in scene.store.inbox:
        scene.drain.drain_all()
        if poison in scene.store.inbox:
            waits.append((scene.store.inbox[poison].next_attempt_at - scene.now).total_seconds())
            scene.now = scene.store.inbox[poison].next_attempt_at

    assert waits == list(BACKOFF)
    assert scene.reasons() == [f"internal error (ZeroDivisionError), see the log for delivery {poison}"]


def test_it_is_not_tried_before_its_time(scene):
    poison = scene.receive(body=POISON)
    scene.drain.drain_all()
    scene.now += seconds(BACKOFF[0] - 1)

    assert scene.drain.drain_all() == 0
    assert scene.store.inbox[poison].delivery.attempts == 1


def test_a_mended_version_records_what_waited(scene):
    scene.receive(body=POISON)
    scene.drain.drain_all()
    scene.provider.is_mended = True
    scene.now += seconds(BACKOFF[0])

    assert scene.drain.drain_all() == 1
    assert (scene.store.inbox, scene.store.parked) == ({}, {})


def test_a_provider_that_this_version_does_not_know_costs_nobody_else(scene):
    scene.receive(item("open"), provider="tomorrow's")
    scene.receive(item("open"))

    drained = scene.drain.drain_batch()

    assert (drained.events, drained.postponed) == (1, 1)


def test_neither_reason_nor_answer_quote_what_an_error_says(scene):
    scene.receive(body=POISON)
    for wait in (0, *BACKOFF):
        scene.now += seconds(wait)
        scene.drain.drain_all()

    assert JOHN not in scene.reasons()[0]


# A batch that fails as a whole


def test_what_makes_a_batch_fail_is_found_and_the_others_are_recorded(scene, monkeypatch):
    ids = [scene.receive(item("open", NOON + seconds(n))) for n in range(5)]
    stumble_when_closing(scene, monkeypatch, ids[2])

    scene.drain.drain_all()

    assert [logged.fact.occurred_at for logged in scene.store.log[1:]] == [NOON + seconds(n) for n in (0, 1, 3, 4)]
    assert list(scene.store.inbox) == [ids[2]]
    assert scene.store.inbox[ids[2]].delivery.attempts == 1


def test_what_makes_every_batch_fail_is_set_aside_after_its_last_attempt_and_counted(scene, monkeypatch):
    delivery_id = scene.receive(item("open"))
    stumble_when_closing(scene, monkeypatch, delivery_id, times=len(BACKOFF) * 2 + 2)
    for wait in (0, *BACKOFF):
        scene.now += seconds(wait)
        scene.drain.drain_all()

    assert (scene.store.inbox, scene.parked()) == ({}, [("failed", 1)])
    assert scene.store.outcomes == {"failed": 1}


def stumble_when_closing(scene, monkeypatch, delivery_id, times=10**6):
    """Let the transaction that closes a delivery fail, as an unstorable value does."""
    from adapters.memory.unit_of_work import MemoryUnitOfWork

    close = MemoryUnitOfWork.close_deliveries
    left = [times]

    def stumble(unit, delivery_ids):
        if delivery_id in delivery_ids and left[0]:
            left[0] -= 1
            raise ZeroDivisionError
        close(unit, delivery_ids)

    monkeypatch.setattr(MemoryUnitOfWork, "close_deliveries", stumble)


# Conflicts and outages


def test_a_conflict_runs_the_batch_again_and_repeats_nothing(scene):
    scene.receive(item("open"))
    scene.units.rivals = RERUNS_AFTER_CONFLICT - 1

    drained = scene.drain.drain_batch()

    assert (drained.events, scene.kinds()) == (1, ["Sent", "Opened"])
    assert scene.store.outcomes == {"recorded": 1}


def test_conflicts_while_deliveries_are_tried_one_by_one_are_run_again_as_well(scene, monkeypatch):
    ids = [scene.receive(item("open", NOON + seconds(n))) for n in range(2)]
    stumble_when_closing(scene, monkeypatch, ids[0], times=1)
    scene.receive(item("processed"))

    def rivals_come(*_, **__):
        scene.units.rivals = 2

    monkeypatch.setattr(logging.getLogger("application.drain_inbox"), "exception", rivals_come)
    drained = scene.drain.drain_batch()

    assert (drained.deliveries, drained.events, drained.ignored) == (3, 2, {"accepted": 1})


def test_conflicts_without_end_leave_the_batch_for_later(scene):
    scene.receive(item("open"))
    scene.units.rivals = RERUNS_AFTER_CONFLICT

    with pytest.raises(StoreUnavailableError, match="conflicts"):
        scene.drain.drain_batch()
    assert len(scene.store.inbox) == 1
    assert scene.drain.drain_batch().events == 1


def test_an_outage_leaves_everything_in_the_inbox_and_counts_no_attempt(scene):
    scene.receive(item("open"))
    scene.units._units.is_away = True
    with pytest.raises(StoreUnavailableError):
        scene.drain.drain_all()
    scene.units._units.is_away = False

    assert [row.delivery.attempts for row in scene.store.inbox.values()] == [0]
    assert scene.drain.drain_all() == 1


# Organisations are walls


def test_another_organisations_message_id_meets_nobody(scene):
    scene.receive(item("open"), organization_id=GLOBEX)

    drained = scene.drain.drain_batch()

    assert (drained.events, drained.orphaned) == (0, 1)


# EF-2: orphans


def test_a_report_about_an_unknown_email_is_kept_and_matched_when_it_is_registered(scene):
    scene.receive(item("open", message_id="m-2"), item("click", url=JOB_AD, message_id="m-2"))
    scene.drain.drain_all()
    assert scene.parked() == [("orphaned", 1), ("orphaned", 1)]

    scene.register(registration("m-2"))

    assert scene.parked() == []
    assert scene.kinds() == ["Sent", "Sent", "Opened", "Clicked"]


def test_a_repeated_orphan_is_counted_and_recorded_once(scene):
    for _ in range(46):
        scene.receive(item("open", message_id="m-2"))
        scene.drain.drain_all()
    assert scene.parked() == [("orphaned", 46)]

    scene.register(registration("m-2"))

    assert scene.kinds() == ["Sent", "Sent", "Opened"]


def test_orphans_of_other_emails_stay(scene):
    scene.receive(item("open", message_id="m-2"), item("open", message_id="m-3"))
    scene.drain.drain_all()

    scene.register(registration("m-2"))

    assert scene.parked() == [("orphaned", 1)]


def test_a_sweep_matches_what_registration_and_report_left_when_they_passed_each_other(scene):
    scene.receive(item("open", message_id="m-2"))
    with scene.units.begin() as slow_drain:
        deliveries = slow_drain.claim_deliveries(most=1, most_bytes=1)
        scene.drain.process(slow_drain, deliveries)
        scene.register(registration("m-2"))
    assert scene.parked() == [("orphaned", 1)]

    assert scene.rematch.sweep() == 1
    assert (scene.parked(), scene.kinds()) == ([], ["Sent", "Sent", "Opened"])


def test_engagement_that_waited_for_an_untracked_email_is_not_recorded(scene):
    scene.receive(item("open", message_id="m-2"), item("bounce", message_id="m-2"))
    scene.drain.drain_all()

    scene.register(registration("m-2", tracking=False))

    assert (scene.parked(), scene.kinds()) == ([], ["Sent", "Sent", "Bounced"])


# Logs


def test_no_address_reaches_the_log_message(scene, caplog):
    scene.receive(body=POISON)
    with caplog.at_level(logging.ERROR):
        scene.drain.drain_all()

    assert [record.getMessage() for record in caplog.records] == ["A delivery could not be read"]


def test_the_log_leads_from_a_request_to_the_events_it_caused(scene, caplog):
    delivery_id = scene.receive(item("open"))
    waiting = scene.store.inbox[delivery_id]
    waiting.delivery = msgspec.structs.replace(waiting.delivery, correlation_id="r-1")
    with caplog.at_level(logging.DEBUG):
        scene.drain.drain_all()

    assert [(record.request_id, record.delivery_id) for record in caplog.records] == [("r-1", delivery_id)]
    assert scene.store.log[-1].fact.delivery_id == delivery_id


# BR-558.7: judged by the rules that hold, with what came together and what came before

CLICKED = {"url": JOB_AD, "ip_address": "192.0.2.9", "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/142.0"}


def test_the_rules_of_the_moment_judge(scene):
    rules = DetectionRules()
    scene.drain.detection = lambda: Detection(rules)
    scene.receive(item("click", NOON + hours(1), **CLICKED))
    scene.drain.drain_all()
    rules = parse_rules("192.0.2.0/24 clicks certain")
    scene.receive(item("click", NOON + hours(2), **CLICKED))
    scene.drain.drain_all()

    assert [logged.fact.verdict for logged in scene.store.log[1:]] == ["human", "scanner"]


def test_a_burst_that_ends_in_another_batch_judges_its_first_clicks_anew(scene):
    scene.receive(item("click", NOON + hours(1), **CLICKED))
    scene.drain.drain_all()
    scene.receive(item("click", NOON + hours(1), **CLICKED | {"url": f"{JOB_AD}/2"}))
    scene.drain.drain_all()

    assert scene.kinds() == ["Sent", "Clicked", "Clicked", "Rejudged"]
    first, _, rejudged = (logged.fact for logged in scene.store.log[1:])
    assert [(found.key, found.verdict, found.reasons) for found in rejudged.judgements] == [
        (first.key, "scanner", ("link_burst",))
    ]


def clicks_of_a_campaign(scene, *numbers):
    for number in numbers:
        scene.register(registration(f"c-{number}", campaign_id=CAMPAIGN, recipient=recipient(number)))
        about = {"message_id": f"c-{number}", "recipient": recipient(number).email, "event_id": f"e-{number}"}
        scene.receive(item("click", NOON + hours(1) + seconds(number), **CLICKED | about))
    scene.drain.drain_all()
    return [logged.fact.verdict for logged in scene.store.log if isinstance(logged.fact, Clicked)]


def recipient(number):
    return Recipient(id=f"c-{number}", email=f"c{number}@example.com")


def test_one_address_that_clicks_for_five_recipients_within_a_minute_is_a_scanner_by_then(scene):
    assert clicks_of_a_campaign(scene, 1, 2) == ["human"] * 2
    assert clicks_of_a_campaign(scene, 3, 4, 5, 6) == ["human"] * 2 + ["scanner"] * 4


def test_in_privacy_mode_addresses_are_compared_within_the_batch_and_nothing_is_remembered(scene):
    TrackingPolicies(scene.units, lambda: NOON).change(ACME, {"privacy_mode": True}, changed_by="test")

    assert clicks_of_a_campaign(scene, 1, 2, 3, 4, 5) == ["scanner"] * 5
    assert scene.store.sightings == {}
