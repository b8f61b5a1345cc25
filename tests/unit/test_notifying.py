"""AF-3: what happened is told to whom it concerns, once, when they want to hear it, and never for a machine."""

from datetime import UTC, datetime

import pytest

from domain.notification_preferences import Digest, NotificationPreferences, Occasion, Opens, QuietHours
from domain.tracking_terms import Consent, TrackingPolicy, TrackingTerms
from domain.values import BounceKind, Verdict, addressee_id_for
from read_models.notifications import projection
from read_models.notifications.view import DueDigest
from tests.support.emails import (
    ACME,
    CALENDAR,
    JOB_AD,
    JOHN,
    NOON,
    an_open,
    bounce,
    click,
    delivery,
    email_id,
    hours,
    minutes,
    reply,
    seconds,
    spam_report,
)
from tests.support.notified import ADA, MANAGER, Notified

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"


@pytest.fixture
def notified():
    notified = Notified()
    notified.register()
    return notified


def opened(at=NOON, **told):
    return an_open(at, user_agent=PHONE, **told)


def test_the_sender_is_told_who_opened_which_email(notified):
    notified.record(opened())

    [told] = notified.list()

    assert (told.title, told.subject, told.candidate_name) == (
        "John Smith just opened your email",
        "Interview Invitation",
        "John Smith",
    )
    assert told.url == "/candidates/c-1"
    [rung] = notified.feed.rung
    assert (rung.user_id, rung.notification.id, rung.notification.text) == (ADA, told.id, "Interview Invitation")


@pytest.mark.parametrize(
    "report, title",
    [
        (click(user_agent=PHONE), "John Smith just followed a link in your email"),
        (reply(), "John Smith replied to your email"),
    ],
)
def test_clicks_and_replies_are_told(notified, report, title):
    notified.record(opened(NOON - hours(1)))
    notified.tell()
    notified.record(report)
    notified.now += seconds(11)

    assert notified.titles()[-1] == title


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if not verdict.is_human])
def test_nobody_is_told_of_machines_previews_and_their_own_views(notified, verdict):
    notified.record(an_open(provider_verdict=verdict), click(provider_verdict=verdict))

    assert (notified.list(), notified.rung()) == ([], [])


@pytest.mark.parametrize("report", [delivery(), spam_report(), bounce(kind=BounceKind.SOFT), bounce()])
def test_nobody_is_told_of_what_they_did_not_ask_for(notified, report):
    notified.record(report)

    assert notified.list() == []


def test_a_hard_bounce_is_told_to_who_asks_for_it(notified):
    notified.prefers(kinds=(Occasion.BOUNCE,))

    notified.record(bounce(), opened(NOON - minutes(1)))

    assert notified.titles() == ["The email to John Smith came back"]


def test_an_image_proxy_is_a_person_and_rings_at_once(notified):
    notified.record(an_open(provider_verdict=Verdict.PROXY_OPEN))

    assert notified.rung() == ["John Smith just opened your email"]


@pytest.mark.parametrize(
    "policy", [TrackingPolicy(notifications_enabled=False), TrackingPolicy(tracking_enabled=False)]
)
def test_an_organisation_may_switch_it_off(notified, policy):
    notified.view.policies[ACME] = policy

    notified.record(opened())

    assert notified.list() == []


def test_in_privacy_mode_nobody_is_told_who_opened(notified):
    notified.record(opened(), terms=TrackingTerms(TrackingPolicy(privacy_mode=True)))

    assert notified.list() == []


def test_who_opted_out_meanwhile_is_not_told_about(notified):
    notified.record(opened())
    notified.view.consents[addressee_id_for(ACME, JOHN)] = Consent.OPTED_OUT

    assert notified.list() == []


def test_what_arrives_a_day_late_is_no_news(notified):
    notified.record(opened(NOON - hours(25)))
    notified.record(reply(NOON - hours(24)))

    assert notified.titles() == ["John Smith replied to your email"]


def test_after_an_outage_of_ours_it_waits_in_the_list_and_does_not_ring(notified):
    notified.record(opened())
    notified.now += hours(2)

    assert (len(notified.list()), notified.rung()) == (1, [])


# --- what is told as one ---


def test_a_burst_is_one_notification_that_rings_once(notified):
    for n in range(3):
        notified.record(opened(NOON + minutes(n)))
        notified.now = NOON + minutes(n)
        notified.tell()

    assert notified.titles() == ["John Smith opened your email 3 times"]
    assert notified.rung() == ["John Smith just opened your email"]


def test_who_comes_back_later_rings_again(notified):
    notified.record(opened())
    notified.tell()
    notified.now += minutes(30)
    notified.record(opened(notified.now))

    assert notified.rung() == ["John Smith just opened your email", "John Smith opened your email 2 times"]


def test_what_was_read_is_not_told_again(notified):
    notified.record(opened())
    notified.tell()
    notified.read_all()
    notified.now += hours(1)
    notified.record(opened(notified.now))

    first, second = notified.list()

    assert first.read_at is not None
    assert (second.title, second.read_at) == ("John Smith just opened your email", None)
    assert first.id != second.id


def test_beyond_two_hundred_nobody_counts(notified):
    notified.record(*(opened(NOON + seconds(n * 20)) for n in range(205)))

    assert notified.titles() == ["John Smith opened your email more than 199 times"]


# --- verdicts that are open, or revised ---


def test_a_doubtful_click_waits_for_the_instant_window(notified):
    notified.record(click(NOON))  # no open before it: a suspicion
    assert (notified.list(), notified.rung()) == ([], [])

    notified.now = NOON + seconds(11)

    assert notified.rung() == ["John Smith just followed a link in your email"]


def test_a_doubtful_click_waits_no_longer_when_the_provider_s_clock_is_ahead(notified):
    notified.record(click(NOON + hours(20)), received_at=NOON)

    notified.now = NOON + seconds(11)

    assert notified.rung() == ["John Smith just followed a link in your email"]


def test_a_scanner_that_is_found_out_within_the_window_was_never_told(notified):
    notified.record(click(NOON))
    notified.tell()
    notified.record(click(NOON + seconds(1), url=CALENDAR), click(NOON + seconds(2), url=JOB_AD + "/2"))

    notified.now = NOON + seconds(60)

    assert (notified.list(), notified.rung()) == ([], [])


def test_what_turns_out_to_be_a_machine_is_taken_back_while_unread(notified):
    first, second = opened(), opened(NOON + minutes(1))
    notified.record(first, second)
    assert notified.titles() == ["John Smith opened your email 2 times"]

    notified.judge_anew(Verdict.MACHINE_OPEN, first)
    assert notified.titles() == ["John Smith just opened your email"]

    notified.judge_anew(Verdict.MACHINE_OPEN, second)
    assert notified.list() == []


@pytest.mark.parametrize("at_once", [1, 3, 1_000])
def test_emails_that_are_judged_anew_together_are_each_told_as_they_are_judged_in_the_end(
    notified, monkeypatch, at_once
):
    monkeypatch.setattr(projection, "FACTS_AT_ONCE", at_once)
    for n in (2, 3):
        notified.register(f"m-{n}")
    for n in (1, 2, 3):
        notified.record(opened(NOON + seconds(n)), message_id=f"m-{n}")
    notified.tell()

    notified.judge_anew(Verdict.MACHINE_OPEN, opened(NOON + seconds(1)), message_id="m-1")
    notified.judge_anew(Verdict.PROXY_OPEN, opened(NOON + seconds(2)), message_id="m-2")
    notified.judge_anew(Verdict.SCANNER, opened(NOON + seconds(3)), message_id="m-3")

    assert [told.email_id for told in notified.list()] == [email_id("m-2")]


def test_streams_are_parted_by_how_many_facts_they_hold():
    a, b, c, d = (email_id(f"m-{n}") for n in range(4))

    assert list(projection.in_portions({a: 3, b: 2, c: 9, d: 1}, most=5)) == [[a, b], [c], [d]]
    assert list(projection.in_portions({}, most=5)) == []


def test_what_was_read_stays(notified):
    notified.record(opened())
    notified.tell()
    notified.read_all()

    notified.judge_anew(Verdict.MACHINE_OPEN, opened())

    assert len(notified.list()) == 1


def test_what_turns_out_to_be_a_person_is_told(notified):
    report = an_open(provider_verdict=Verdict.MACHINE_OPEN)
    notified.record(report)
    assert notified.list() == []

    notified.judge_anew(Verdict.HUMAN, report)
    notified.now += seconds(11)

    assert notified.titles() == ["John Smith just opened your email"]


def test_whoever_is_erased_is_told_about_no_more(notified):
    notified.record(opened())
    notified.tell()

    notified.erase()

    assert notified.list() == []


# --- preferences ---


def test_only_the_first_open_for_who_wants_that(notified):
    notified.prefers(opens=Opens.FIRST)
    notified.record(opened())
    notified.tell()
    notified.read_all()

    notified.record(opened(NOON + hours(1)), opened(NOON + hours(2)))

    assert notified.titles() == ["John Smith just opened your email"]


def test_only_hot_candidates_for_who_wants_that(notified):
    notified.prefers(hot_candidates_only=True)
    notified.record(opened())
    assert notified.list() == []

    notified.view.hot_candidates.add((ACME, "c-1"))
    notified.record(opened(NOON + seconds(1)))

    assert notified.titles() == ["John Smith just opened your email"]


def test_the_hiring_manager_is_told_if_they_ask(notified):
    notified.record(opened())
    assert notified.list(MANAGER) == []

    notified.prefers(MANAGER, my_jobs=True)
    notified.record(opened(NOON + seconds(1)))

    assert notified.titles(MANAGER) == ["John Smith just opened Ada Recruiter's email"]


def test_a_job_that_has_another_manager_now_is_told_to_that_one(notified):
    notified.view.named_managers[ACME, "j-3"] = "h-9"
    for manager in (MANAGER, "h-9"):
        notified.prefers(manager, my_jobs=True)

    notified.record(opened())

    assert (len(notified.list("h-9")), notified.list(MANAGER)) == (1, [])


def test_in_quiet_hours_it_waits_in_the_list(notified):
    notified.prefers(quiet_hours=QuietHours(begins="12:30", ends="14:00"), time_zone="Europe/Berlin")

    notified.record(opened(), reply())

    assert (len(notified.list()), notified.rung()) == (2, [])


def test_with_a_digest_only_replies_ring(notified):
    notified.prefers(digest=Digest.DAILY)

    notified.record(opened(), reply())

    assert (len(notified.list()), notified.rung()) == (2, ["John Smith replied to your email"])


def test_a_digest_sums_up_what_waits(notified):
    preferences = NotificationPreferences(digest=Digest.DAILY)
    notified.view.waiting_digests = [
        DueDigest(
            organization_id=ACME, user_id=ADA, preferences=preferences, due_at=NOON, counts={"click": 2, "open": 3}
        ),
        DueDigest(organization_id=ACME, user_id="r-8", preferences=preferences, due_at=NOON, counts={}),
    ]

    notified.tell()

    [digest] = [one.notification for one in notified.feed.rung]
    assert (digest.kind, digest.title, digest.text) == (
        "digest",
        "5 things happened since the last summary",
        "3 opened, 2 clicked",
    )
    assert {due.due_at for due in notified.view.waiting_digests} == {datetime(2026, 11, 22, 8, tzinfo=UTC)}


@pytest.mark.parametrize(
    "local, is_quiet", [("21:59", False), ("22:00", True), ("03:00", True), ("06:59", True), ("07:00", False)]
)
def test_quiet_hours_may_be_over_night(local, is_quiet):
    assert QuietHours(begins="22:00", ends="07:00").include(local) is is_quiet


def test_a_digest_comes_at_its_hour_in_its_zone_whatever_the_season():
    preferences = NotificationPreferences(digest=Digest.DAILY, digest_at="08:00", time_zone="Europe/Berlin")

    assert preferences.next_digest_at(datetime(2026, 10, 24, 12, tzinfo=UTC)) == datetime(2026, 10, 25, 7, tzinfo=UTC)
    assert preferences.next_digest_at(datetime(2026, 10, 24, 5, tzinfo=UTC)) == datetime(2026, 10, 24, 6, tzinfo=UTC)
    assert NotificationPreferences().next_digest_at(NOON) is None


def test_after_ninety_days_it_is_gone(notified):
    notified.record(opened())
    notified.tell()

    notified.now += hours(24 * 91)

    assert notified.list() == []
