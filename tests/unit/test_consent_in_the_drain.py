"""Policy and consent where reports become events: the drain, registration, orphans and retries."""

from uuid import UUID

import pytest

from application.retry_parked import ReportNotKeptError, RetryOutcome
from application.tracking_consents import TrackingConsents
from application.tracking_policies import InvalidPolicyError, TrackingPolicies
from domain.errors import InvalidAddressError
from domain.tracking_terms import Consent, TrackingPolicy
from tests.support.core import item, registration
from tests.support.drain_scene import POISON, DrainScene
from tests.support.emails import ACME, GLOBEX, JOB_AD, JOHN, NOON, hours, minutes, seconds

IP, AGENT = "198.51.100.77", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.0"


class Scene(DrainScene):
    def __init__(self):
        super().__init__()
        self.policies = TrackingPolicies(self.units, lambda: self.now)
        self.consents = TrackingConsents(self.units, lambda: self.now)

    def policy(self, organization_id=ACME, **fields):
        return self.policies.change(organization_id, fields, changed_by="u-1")

    def consent(self, consent, address=JOHN, organization_id=ACME):
        return self.consents.change(organization_id, address, consent, changed_by="u-1")

    def report(self, *items, **told):
        self.receive(*items, **told)
        return self.drain.drain_batch()

    def facts(self, kind):
        return [logged.fact for logged in self.store.log if type(logged.fact).__name__ == kind]


@pytest.fixture
def scene():
    return Scene()


def test_after_an_opt_out_nothing_is_recorded_of_opens_and_clicks_of_emails_sent_earlier(scene):
    scene.register()
    scene.report(item("open"))
    scene.consent(Consent.OPTED_OUT)

    drained = scene.report(
        item("open", NOON + hours(1)), item("click", url=JOB_AD), item("delivered"), item("bounce", bounce_type="hard")
    )

    assert (drained.events, drained.ignored, drained.repeated) == (2, {"no_consent": 2}, 0)
    assert scene.kinds() == ["Sent", "Opened", "ConsentChanged", "Delivered", "Bounced"]
    assert scene.store.outcomes["ignored_no_consent"] == 2
    assert scene.store.inbox == {}


def test_of_whom_nothing_may_be_recorded_no_address_is_remembered_either(scene):
    campaign = UUID("ca3a0000-0000-4000-8000-000000000003")
    scene.register(registration(campaign_id=campaign))
    clicked = item("click", NOON + hours(1), url=JOB_AD, ip_address=IP, user_agent=AGENT)
    scene.consent(Consent.OPTED_OUT)
    scene.report(clicked)
    assert not scene.store.sightings

    scene.consent(Consent.OPTED_IN)
    scene.report(clicked)
    assert scene.store.sightings


def test_after_an_opt_in_opens_are_recorded_again(scene):
    scene.register()
    scene.consent(Consent.OPTED_OUT)
    scene.report(item("open"))
    scene.consent(Consent.OPTED_IN)

    assert scene.report(item("open", NOON + hours(1))).events == 1


def test_who_never_said_anything_is_not_tracked_where_consent_is_asked_for(scene):
    scene.policy(consent_mode="opt_in")
    scene.register(registration("m-1"))
    scene.consent(Consent.OPTED_IN)
    scene.register(registration("m-2"))

    before = scene.report(item("open"))
    after = scene.report(item("open", message_id="m-2"))

    assert (before.ignored, after.events) == ({"tracking_disabled": 1}, 1)
    assert [fact.tracking for fact in scene.facts("Sent")] == [False, True]


def test_consent_of_somebody_unknown_holds_when_they_appear(scene):
    scene.consent(Consent.OPTED_OUT)
    scene.register()

    assert scene.report(item("open")).ignored == {"no_consent": 1}
    assert [fact.tracking for fact in scene.facts("Sent")] == [False]


def test_an_address_is_the_same_in_any_spelling(scene):
    scene.register()
    scene.consent(Consent.OPTED_OUT, " John Smith <JOHN@Example.com>")

    assert scene.report(item("open")).ignored == {"no_consent": 1}


def test_consent_is_given_to_one_organisation(scene):
    scene.register()
    scene.consent(Consent.OPTED_OUT, organization_id=GLOBEX)
    scene.policy(GLOBEX, tracking_enabled=False)

    assert scene.report(item("open")).events == 1


def test_without_tracking_nothing_is_recorded_of_opens_and_clicks(scene):
    scene.register()
    scene.policy(tracking_enabled=False)

    drained = scene.report(item("open"), item("click", url=JOB_AD), item("delivered"))

    assert (drained.events, drained.ignored) == (1, {"tracking_disabled": 2})
    scene.policy(tracking_enabled=True)
    assert scene.report(item("open")).events == 1


def test_unsubscribing_alone_does_not_end_tracking(scene):
    scene.register()

    assert scene.report(item("unsubscribe"), item("open")).events == 2
    assert scene.consents.of(ACME, JOHN).source == "default"


def test_unsubscribing_ends_tracking_where_the_policy_says_so_from_the_next_report_on(scene):
    scene.policy(unsubscribe_ends_tracking=True)
    scene.register()
    scene.receive(item("open"), item("unsubscribe"), item("open", NOON + seconds(9)))
    scene.receive(item("click", url=JOB_AD))

    drained = scene.drain.drain_batch()

    assert (drained.events, drained.ignored) == (2, {"no_consent": 2})
    held = scene.consents.of(ACME, JOHN)
    assert (held.consent, held.source, held.since) == (Consent.OPTED_OUT, "unsubscribe", NOON)
    assert scene.kinds() == ["TrackingPolicyChanged", "Sent", "Opened", "Unsubscribed", "ConsentChanged"]


def test_a_repeated_unsubscribe_does_not_undo_a_later_opt_in(scene):
    scene.policy(unsubscribe_ends_tracking=True)
    scene.register()
    scene.report(item("unsubscribe"))
    scene.consent(Consent.OPTED_IN)

    scene.report(item("unsubscribe"))

    assert scene.report(item("open")).events == 1


def test_an_unsubscribe_that_is_told_after_the_person_agreed_again_changes_nothing(scene):
    scene.policy(unsubscribe_ends_tracking=True)
    scene.register()
    scene.now = NOON + hours(2)
    scene.consent(Consent.OPTED_IN)
    scene.now = NOON + hours(3)

    scene.report(item("unsubscribe", NOON + hours(1)))

    assert scene.consents.of(ACME, JOHN).consent is Consent.OPTED_IN
    assert scene.report(item("open", NOON + hours(2))).events == 1


def test_an_unsubscribe_from_before_the_opt_in_does_not_hold_up_what_comes_with_it(scene):
    scene.policy(unsubscribe_ends_tracking=True)
    scene.register()
    scene.now = NOON + hours(2)
    scene.consent(Consent.OPTED_IN)
    scene.now = NOON + hours(3)

    assert scene.report(item("unsubscribe", NOON + hours(1)), item("open", NOON + hours(2))).events == 2

    assert scene.consents.of(ACME, JOHN).consent is Consent.OPTED_IN


def test_of_two_unsubscribes_in_a_batch_the_later_one_holds_whichever_comes_first(scene):
    scene.policy(unsubscribe_ends_tracking=True)
    scene.register()
    scene.now = NOON + hours(5)

    scene.report(item("unsubscribe", NOON + hours(3)), item("unsubscribe", NOON + hours(1)))

    [changed] = scene.facts("ConsentChanged")
    assert changed.said_at == NOON + hours(3)


def test_whoever_unsubscribes_from_an_email_that_nobody_registered_is_not_tracked_in_others_from_then_on(scene):
    scene.policy(unsubscribe_ends_tracking=True)
    scene.register()

    drained = scene.report(item("unsubscribe", message_id="a newsletter"), item("open"))

    assert (drained.orphaned, drained.ignored) == (1, {"no_consent": 1})
    assert scene.consents.of(ACME, JOHN).consent is Consent.OPTED_OUT
    assert scene.report(item("open", NOON + seconds(9))).ignored == {"no_consent": 1}


def test_whoever_agreed_after_unsubscribing_from_an_unknown_email_is_still_tracked(scene):
    scene.policy(unsubscribe_ends_tracking=True)
    scene.register()
    scene.now = NOON + hours(2)
    scene.consent(Consent.OPTED_IN)

    drained = scene.report(
        item("unsubscribe", NOON + hours(1), message_id="a newsletter"), item("open", NOON + hours(2))
    )

    assert drained.events == 1
    assert scene.consents.of(ACME, JOHN).consent is Consent.OPTED_IN


def test_unsubscribing_from_an_unknown_email_alone_does_not_end_tracking(scene):
    scene.register()

    scene.report(item("unsubscribe", message_id="a newsletter"))

    assert scene.report(item("open")).events == 1


def test_an_unsubscribe_from_after_the_opt_in_ends_tracking_however_late_it_is_told(scene):
    scene.policy(unsubscribe_ends_tracking=True)
    scene.register()
    scene.consent(Consent.OPTED_IN)
    scene.now = NOON + hours(3)

    scene.report(item("unsubscribe", NOON + hours(1)))

    held = scene.consents.of(ACME, JOHN)
    assert (held.consent, held.since) == (Consent.OPTED_OUT, NOON + hours(3))
    assert scene.report(item("open", NOON + hours(2))).ignored == {"no_consent": 1}


def test_a_batch_that_is_run_again_sees_what_was_changed_meanwhile(scene):
    scene.register()
    scene.receive(item("open"))
    scene.units.rivals = 1
    begin, runs = scene.units.begin, []

    def begin_after_an_opt_out():
        runs.append(1)
        if len(runs) == 2:
            scene.units.begin = begin
            scene.consent(Consent.OPTED_OUT)
        return begin()

    scene.units.begin = begin_after_an_opt_out

    assert scene.drain.drain_batch().ignored == {"no_consent": 1}


# Orphans


def test_an_orphan_is_recorded_under_the_terms_that_hold_when_its_email_is_known(scene):
    scene.report(item("open"), item("delivered"))
    scene.consent(Consent.OPTED_OUT)

    scene.register()

    assert scene.kinds() == ["ConsentChanged", "Sent", "Delivered"]
    assert scene.parked() == []
    assert scene.store.outcomes["ignored_no_consent"] == 1


def test_an_unsubscribe_that_waited_for_its_email_ends_tracking_too(scene):
    scene.policy(unsubscribe_ends_tracking=True)
    scene.report(item("unsubscribe"))

    scene.register()

    assert scene.consents.of(ACME, JOHN).consent is Consent.OPTED_OUT


def test_an_orphan_in_privacy_mode_waits_without_person_and_time_and_keeps_counting(scene):
    scene.policy(privacy_mode=True)
    scene.now = NOON + hours(3)
    scene.report(item("click", NOON + hours(2), url=JOB_AD, ip_address=IP, user_agent=AGENT))

    [row] = scene.store.parked.values()
    assert IP not in repr(row.report)
    assert AGENT not in repr(row.report)
    assert (row.report.received_at, row.report.delivery_id) == (NOON.replace(hour=0), 0)
    scene.policy(privacy_mode=False)
    scene.register()
    [clicked] = scene.facts("Clicked")
    assert (clicked.withheld, clicked.url, clicked.occurred_at) == (True, JOB_AD, NOON - minutes(5))
    again = scene.report(item("click", NOON + hours(2), url=JOB_AD, ip_address=IP, user_agent=AGENT))
    assert again.repeated == 1


# Failures


def test_in_privacy_mode_what_cannot_be_understood_leaves_its_reason_only(scene):
    scene.policy(privacy_mode=True)
    scene.report(item("open", ip_address=IP) | {"timestamp": "yesterday"}, {"event_type": "?", "ip_address": IP})

    kept = [row.report for row in scene.store.parked.values()]
    assert [(report.body, dict(report.headers), report.is_kept) for report in kept] == [(b"", {}, False)] * 2
    assert all(report.reason for report in kept)
    assert {report.message_id for report in kept} == {""}, "or it would tell when something happened to which email"
    with pytest.raises(ReportNotKeptError):
        scene.retry(ACME, kept[0].id)
    assert len(scene.store.parked) == 2


def test_in_privacy_mode_a_delivery_that_stumbles_to_the_end_leaves_its_reason_only(scene):
    scene.policy(privacy_mode=True)
    scene.receive(body=POISON)
    for _ in range(6):
        scene.now += hours(2)
        scene.drain.drain_batch()

    [row] = scene.store.parked.values()
    assert (row.report.body, row.report.is_kept) == (b"", False)
    assert "ZeroDivisionError" in row.report.reason


def test_otherwise_what_cannot_be_understood_can_be_tried_again(scene):
    scene.receive(body=POISON)
    for _ in range(6):
        scene.now += hours(2)
        scene.drain.drain_batch()
    [id_] = scene.store.parked
    scene.provider.is_mended = True

    assert scene.retry(ACME, id_) is RetryOutcome.PROCESSED


# Reading and changing


def test_who_decided_nothing_has_the_defaults(scene):
    assert scene.policies.of(ACME) == TrackingPolicy()
    assert scene.consents.of(ACME, JOHN).consent is Consent.OPTED_IN


def test_of_somebody_who_never_spoke_the_consent_mode_tells(scene):
    scene.policy(consent_mode="opt_in")

    held = scene.consents.of(ACME, JOHN)

    assert (held.consent, held.source, held.since) == (Consent.OPTED_OUT, "default", None)


def test_what_is_left_out_of_a_change_stays(scene):
    scene.policy(privacy_mode=True, retention_days=90)

    assert scene.policy(ip_handling="drop") == TrackingPolicy(privacy_mode=True, retention_days=90, ip_handling="drop")


def test_the_same_again_is_no_new_fact(scene):
    for _ in range(3):
        scene.policy(privacy_mode=True)
        scene.policy()
        scene.consent(Consent.OPTED_OUT)

    assert scene.kinds() == ["TrackingPolicyChanged", "ConsentChanged"]


def test_every_wrong_field_is_named_and_nothing_is_changed(scene):
    with pytest.raises(InvalidPolicyError) as caught:
        scene.policy(
            tracking_enabled="yes",
            consent_mode="ask",
            retention_days=3_651,
            ip_handling=None,
            color=1,
            privacy_mode=True,
        )

    assert [flaw.field for flaw in caught.value.flaws] == [
        "tracking_enabled",
        "consent_mode",
        "retention_days",
        "ip_handling",
        "color",
    ]
    assert scene.policies.of(ACME) == TrackingPolicy()


@pytest.mark.parametrize("days", [0, -1, 3_651, 1.5, "90", True, None])
def test_a_retention_that_no_organisation_can_have_is_refused(scene, days):
    with pytest.raises(InvalidPolicyError, match="retention_days"):
        scene.policy(retention_days=days)


def test_what_is_no_address_has_no_consent(scene):
    with pytest.raises(InvalidAddressError):
        scene.consent(Consent.OPTED_OUT, "john")
