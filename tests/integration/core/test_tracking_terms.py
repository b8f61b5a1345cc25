"""A change of policy or consent holds from the moment it is answered, while other processes are at work."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from application.email_registrations import Recipient
from domain.email_message import EmailMessage
from domain.tracking_terms import Consent, ConsentSource
from domain.values import addressee_id_for
from tests.support.core import item, registration
from tests.support.emails import ACME, GLOBEX, JOHN, NOON, email_id, hours, seconds, sent

ADA = "ada@example.com"


def opt(core, consent, address=JOHN, organization_id=ACME):
    return core.backend.tracking_consents.change(organization_id, address, consent, changed_by="u-1")


def policy(core, organization_id=ACME, **fields):
    return core.backend.tracking_policies.change(organization_id, fields, changed_by="u-1")


def topics(core):
    return [topic for (topic,) in core.query("SELECT topic FROM events.stored_events ORDER BY notification_id")]


def somebody_waits(core):
    """Return when somebody waits for an organisation."""
    deadline = time.monotonic() + 20
    while not core.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.005)


def test_an_opt_out_is_answered_only_when_the_batch_that_was_under_way_is_kept(core, other_core):
    core.register(registration())
    core.receive(item("open"))

    with core.units.begin() as unit:
        core.backend.drain.process(unit, unit.claim_deliveries(most=10, most_bytes=10**6))
        pool = ThreadPoolExecutor(1)
        answered = pool.submit(opt, other_core, Consent.OPTED_OUT)
        somebody_waits(core)
        assert not answered.done()
    answered.result(timeout=30)
    pool.shutdown()

    assert topics(core) == ["EmailMessage.Sent", "EmailMessage.Opened", "Recipient.ConsentChanged"]


def test_a_batch_waits_for_the_opt_out_that_is_under_way(core, other_core):
    core.register(registration())
    core.receive(item("open"), item("delivered"))

    with other_core.units.begin() as unit:
        unit.tracking.stop_recording(ACME)
        pool = ThreadPoolExecutor(1)
        drained = pool.submit(core.backend.drain.drain_batch)
        somebody_waits(core)
        john = unit.tracking.recipients([addressee_id_for(ACME, JOHN)])[addressee_id_for(ACME, JOHN)]
        john.change_consent(Consent.OPTED_OUT, organization_id=ACME, changed_at=NOON, source=ConsentSource.API)
        unit.tracking.keep_consents([john])
    drained = drained.result(timeout=30)
    pool.shutdown()

    assert (drained.events, drained.ignored) == (1, {"no_consent": 1})


def test_one_organisations_change_holds_up_no_other(core, other_core):
    core.register(registration(), organization_id=GLOBEX)
    core.receive(item("open"), organization_id=GLOBEX)

    with other_core.units.begin() as unit:
        unit.tracking.stop_recording(ACME)
        assert core.backend.drain.drain_batch().events == 1


@pytest.mark.parametrize("change", ["opt-out", "policy", "unsubscribe"])
def test_while_two_workers_drain_nothing_is_recorded_after_the_change(core, other_core, change):
    core.register_numbered(50)
    if change == "unsubscribe":
        policy(core, unsubscribe_ends_tracking=True)
    core.receive_many(
        [[item("open", NOON + seconds(s), f"m-{n}") for n in range(1, 51)] + [item("delivered")] for s in range(60)]
    )
    if change == "unsubscribe":
        core.receive(item("unsubscribe", message_id="m-7"))
        core.receive_many([[item("click", NOON + hours(1), f"m-{n}", url="https://a.example")] for n in range(1, 51)])

    with ThreadPoolExecutor(3) as pool:
        drains = [pool.submit(one.drain) for one in (core, other_core)]
        if change == "opt-out":
            opt(core, Consent.OPTED_OUT)
        elif change == "policy":
            policy(core, tracking_enabled=False)
        for drain in drains:
            drain.result(timeout=120)

    recorded = topics(core)
    [changed] = [
        place
        for place, topic in enumerate(recorded)
        if topic == {"policy": "Organization.TrackingPolicyChanged"}.get(change, "Recipient.ConsentChanged")
    ]
    assert not {"EmailMessage.Opened", "EmailMessage.Clicked"} & set(recorded[changed + 1 :])
    assert core.value("SELECT count(*) FROM ops.webhook_inbox") == 0
    reports = dict(core.query("SELECT outcome, reports FROM ops.report_outcomes"))
    assert sum(reports.values()) == 60 * 51 + (51 if change == "unsubscribe" else 0)


def test_contradictory_changes_at_once_end_in_one_of_them_and_all_are_history(core, other_core):
    said = [Consent.OPTED_IN, Consent.OPTED_OUT] * 10
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: opt([core, other_core][n % 3 == 0], said[n]), range(len(said))))

    assert [answer.consent for answer in answers] == said
    history = [fact.consent for fact in core.facts()]
    assert set(history) == set(Consent)
    assert (Consent.OPTED_OUT, Consent.OPTED_OUT) not in itertools.pairwise(history), "objecting again is no news"
    assert core.value("SELECT consent FROM ops.tracking_consents") == history[-1]
    assert core.backend.tracking_consents.of(ACME, JOHN).consent is history[-1]


def test_policies_changed_at_once_lose_no_change(core, other_core):
    changes = [{"privacy_mode": True}, {"retention_days": 90}, {"ip_handling": "drop"}, {"consent_mode": "opt_in"}]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: policy([core, other_core][n % 2], **changes[n]), range(4)))

    held = core.row("SELECT * FROM ops.tracking_policies")
    assert (held["privacy_mode"], held["retention_days"]) == (True, 90)
    assert (held["ip_handling"], held["consent_mode"]) == ("drop", "opt_in")


def test_people_who_unsubscribe_in_two_workers_at_once_are_opted_out_once(core, other_core):
    policy(core, unsubscribe_ends_tracking=True)
    core.register_numbered(20)
    core.receive_many([[item("unsubscribe", NOON, f"m-{n}")] for n in range(1, 21)] * 20)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: one.drain(), (core, other_core)))

    assert topics(core).count("Recipient.ConsentChanged") == 1
    assert topics(core).count("EmailMessage.Unsubscribed") == 20


def test_a_registration_and_an_opt_out_at_once_leave_an_email_that_is_not_tracked_any_more(core, other_core):
    with ThreadPoolExecutor(2) as pool:
        registered = pool.submit(core.register_numbered, 30)
        opt(other_core, Consent.OPTED_OUT)
        registered.result(timeout=30)
    core.receive(*[item("open", message_id=f"m-{n}") for n in range(1, 31)])
    core.drain()

    assert "EmailMessage.Opened" not in topics(core)


def test_an_orphan_whose_person_opted_out_meanwhile_is_not_recorded(core):
    core.receive(item("open"), item("delivered"))
    core.drain()
    opt(core, Consent.OPTED_OUT)

    core.register(registration())

    assert topics(core) == ["Recipient.ConsentChanged", "EmailMessage.Sent", "EmailMessage.Delivered"]
    assert core.value("SELECT reports FROM ops.report_outcomes WHERE outcome = 'ignored_no_consent'") == 1


def test_the_sweep_waits_for_no_row_that_somebody_may_want_who_has_the_organisation_alone(core, other_core):
    """Else erasure, which deletes orphans, and the sweep would wait for each other."""
    core.receive(item("open"))
    core.drain()
    message = EmailMessage(email_id())
    message.register(sent())
    with core.units.begin() as unit:
        unit.append([message])

    with other_core.units.begin() as unit:
        unit.tracking.stop_recording(ACME)
        pool = ThreadPoolExecutor(1)
        swept = pool.submit(core.backend.rematch.sweep)
        somebody_waits(core)
        other_core.execute("SET lock_timeout = '1s'; DELETE FROM ops.parked_reports")
    assert swept.result(timeout=30) == 0
    pool.shutdown()


def test_other_people_are_tracked_as_before(core):
    core.register(registration(), registration("m-2", recipient=Recipient(id="c-2", email=ADA)))
    opt(core, Consent.OPTED_OUT)
    core.receive(item("open"), item("open", message_id="m-2", recipient=ADA))
    core.drain()

    assert topics(core).count("EmailMessage.Opened") == 1
