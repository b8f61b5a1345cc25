from uuid import UUID

import pytest

from domain.email_facts import (
    Bounced,
    Clicked,
    Deferred,
    Delivered,
    Dropped,
    Opened,
    Personal,
    Replied,
    Sent,
    SpamReported,
    Unsubscribed,
)
from domain.email_message import EmailMessage
from domain.values import BounceKind, Verdict
from tests.support.emails import (
    CALENDAR,
    JOB_AD,
    NOON,
    an_open,
    bounce,
    click,
    deferral,
    delivery,
    drop,
    email_id,
    hours,
    minutes,
    reply,
    seconds,
    sent,
    spam_report,
    unsubscribe,
)
from tests.support.scenario import Scenario

MACHINE = {"provider_verdict": Verdict.MACHINE_OPEN}
SCANNER = {"provider_verdict": Verdict.SCANNER}
GOLDEN_KEYS = [
    "e107de88-97e9-76a7-2cd6-ea053788c3e4",
    "51b3186d-2726-5204-936f-0ca2373997b9",
    "ca572ed7-7435-477f-843c-f00473b58a8d",
]


@pytest.mark.parametrize(
    "report, fact, state",
    [
        (delivery(), Delivered, {"delivered_at": NOON}),
        (deferral(), Deferred, {"deferred_at": NOON, "delivered_at": None}),
        (an_open(), Opened, {"opened_at": NOON, "open_count": 1}),
        (click(), Clicked, {"clicked_at": NOON, "click_count": 1, "unique_click_count": 1}),
        (drop(), Dropped, {"dropped_at": NOON}),
        (spam_report(), SpamReported, {"spam_reported_at": NOON, "unsubscribed_at": None}),
        (unsubscribe(), Unsubscribed, {"unsubscribed_at": NOON}),
        (reply(), Replied, {"replied_at": NOON, "reply_count": 1}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_each_report_becomes_one_fact(report, fact, state):
    Scenario(sent()).when(report).then(fact).then_fact(occurred_at=NOON, delivery_id=7).then_state(**state)


def test_a_bounce_keeps_its_kind_and_reason():
    (
        Scenario(sent())
        .when(bounce(reason="mailbox_does_not_exist", detail="550 no such user"))
        .then(Bounced)
        .then_fact(
            bounce_kind=BounceKind.HARD,
            reason="mailbox_does_not_exist",
            personal=Personal(detail="550 no such user"),
        )
    )


def test_an_open_keeps_personal_fields_together():
    (
        Scenario(sent())
        .when(an_open(ip_address="198.51.100.7", user_agent="Thunderbird", metadata={"wave": 2}))
        .then_fact(personal=Personal(ip_address="198.51.100.7", user_agent="Thunderbird"), metadata={"wave": 2})
    )


# BR-558.2: first open only


def test_an_earlier_open_that_arrives_late_becomes_the_first():
    (
        Scenario(sent())
        .given(an_open(NOON + hours(2)))
        .when(an_open(NOON + hours(1)))
        .then(Opened)
        .then_state(opened_at=NOON + hours(1), open_count=2)
    )


def test_a_later_open_counts_and_leaves_the_first():
    (
        Scenario(sent())
        .given(an_open(NOON + hours(1)))
        .when(an_open(NOON + hours(2)))
        .then_state(opened_at=NOON + hours(1), open_count=2)
    )


# First delivery, by which clicks are judged


@pytest.mark.parametrize("first, second", [(1, 2), (2, 1)])
def test_of_two_deliveries_the_earlier_counts(first, second):
    (
        Scenario(sent())
        .given(delivery(NOON + hours(first)))
        .when(delivery(NOON + hours(second)))
        .then(Delivered)
        .then_state(delivered_at=NOON + hours(1))
    )


# BR-558.3: unique clicks


def test_the_same_link_clicked_again_is_one_unique_click():
    (
        Scenario(sent())
        .given(click(NOON + hours(2)))
        .when(click(NOON + hours(1)))
        .then_state(click_count=2, unique_click_count=1, clicked_at=NOON + hours(1))
    )


def test_the_same_url_at_two_positions_is_two_links():
    (
        Scenario(sent())
        .when(click(link_position="header"), click(NOON + minutes(1), link_position="footer"))
        .then(Clicked, Clicked)
        .then_state(click_count=2, unique_click_count=2)
    )


def test_two_urls_are_two_links():
    Scenario(sent()).when(click(url=JOB_AD), click(NOON + minutes(1), CALENDAR)).then_state(unique_click_count=2)


# BR-558.5: the same event only once


@pytest.mark.parametrize(
    "report, fact",
    [
        (delivery(), Delivered),
        (deferral(), Deferred),
        (an_open(), Opened),
        (click(), Clicked),
        (bounce(), Bounced),
        (drop(), Dropped),
        (spam_report(), SpamReported),
        (unsubscribe(), Unsubscribed),
        (reply(), Replied),
    ],
    ids=lambda value: getattr(value, "KIND", ""),
)
def test_a_report_repeated_46_times_is_recorded_once(report, fact):
    Scenario(sent()).when(*[report] * 46).then(fact)


def test_two_clicks_in_the_same_second_on_different_links_are_two_events():
    Scenario(sent()).when(click(url=JOB_AD), click(url=CALENDAR)).then(Clicked, Clicked)


def test_the_providers_event_id_tells_two_opens_in_the_same_second_apart():
    Scenario(sent()).when(an_open(event_id="e-1"), an_open(event_id="e-2")).then(Opened, Opened)


def test_the_providers_event_id_recognises_a_report_whose_time_was_rewritten():
    Scenario(sent()).given(an_open(event_id="e-1")).when(an_open(NOON + seconds(1), event_id="e-1")).then_nothing()


def test_an_event_id_is_shared_by_kinds_of_report_without_harm():
    Scenario(sent()).when(delivery(event_id="e-1"), an_open(event_id="e-1")).then(Delivered, Opened)


def test_an_open_and_a_reply_in_the_same_second_are_two_events():
    Scenario(sent()).when(an_open(), reply()).then(Opened, Replied)


def test_the_same_report_about_two_emails_has_two_keys():
    assert an_open().key_for(email_id("m-1")) != an_open().key_for(email_id("m-2"))


def test_a_key_does_not_depend_on_what_a_provider_may_word_anew():
    told_once, told_again = an_open(user_agent="Thunderbird"), an_open(user_agent="Thunderbird 140", metadata={"n": 2})

    assert told_once.key_for(email_id()) == told_again.key_for(email_id())


def test_the_key_of_a_report_never_changes_from_release_to_release():
    keys = [report.key_for(UUID(int=558)) for report in (an_open(), click(), delivery(event_id="e-1"))]

    assert [str(UUID(bytes=key)) for key in keys] == GOLDEN_KEYS


# PRE-2: tracking per email


@pytest.mark.parametrize("report", [an_open(), click()], ids=["open", "click"])
def test_engagement_with_an_untracked_email_is_not_recorded(report):
    Scenario(sent(tracking=False)).when(report).then_nothing().then_state(open_count=0, click_count=0)


@pytest.mark.parametrize(
    "report, fact",
    [
        (delivery(), Delivered),
        (deferral(), Deferred),
        (bounce(), Bounced),
        (drop(), Dropped),
        (spam_report(), SpamReported),
        (unsubscribe(), Unsubscribed),
        (reply(), Replied),
    ],
    ids=lambda value: getattr(value, "KIND", ""),
)
def test_delivery_facts_of_an_untracked_email_are_recorded(report, fact):
    Scenario(sent(tracking=False)).when(report).then(fact)


# BR-558.7: machines are kept and never counted as people


@pytest.mark.parametrize("told", [MACHINE, SCANNER], ids=["machine", "scanner"])
def test_an_open_by_a_machine_is_kept_and_counted_apart(told):
    (
        Scenario(sent())
        .when(an_open(**told))
        .then(Opened)
        .then_fact(verdict=told["provider_verdict"], reasons=("provider_flag",))
        .then_state(open_count=0, opened_at=None, machine_open_count=1)
    )


@pytest.mark.parametrize("told", [MACHINE, SCANNER], ids=["machine", "scanner"])
def test_a_click_by_a_machine_is_kept_and_counted_apart(told):
    (
        Scenario(sent())
        .when(click(**told))
        .then(Clicked)
        .then_state(click_count=0, clicked_at=None, unique_click_count=0, scanner_click_count=1, machine_open_count=0)
    )


@pytest.mark.parametrize("verdict", [Verdict.PREVIEW, Verdict.SELF])
def test_previews_and_the_senders_own_views_count_nowhere(verdict):
    (
        Scenario(sent())
        .when(an_open(provider_verdict=verdict), click(provider_verdict=verdict))
        .then(Opened, Clicked)
        .then_state(open_count=0, click_count=0, machine_open_count=0, scanner_click_count=0)
    )


def test_an_image_proxy_stands_for_a_person():
    Scenario(sent()).when(an_open(provider_verdict=Verdict.PROXY_OPEN)).then_state(open_count=1, machine_open_count=0)


def test_a_scanner_does_not_take_a_links_uniqueness_from_the_person_after_it():
    (
        Scenario(sent())
        .given(*[click(NOON + seconds(n), url=f"{JOB_AD}/{n}", **SCANNER) for n in range(5)])
        .when(click(NOON + hours(1), url=f"{JOB_AD}/3"))
        .then_state(click_count=1, unique_click_count=1, scanner_click_count=5, clicked_at=NOON + hours(1))
    )


# Registration and replay


def test_registering_again_changes_nothing():
    message = Scenario(sent()).message

    news = message.register(sent(subject="Another subject"))

    assert not news
    assert message.collect_events() == []
    assert message.sent.subject == "Interview Invitation"


def test_an_email_that_nobody_registered_is_unknown():
    assert not EmailMessage(email_id()).is_known
    assert Scenario(sent()).message.is_known


def test_facts_stand_in_the_stream_without_gaps():
    message = EmailMessage(email_id())
    message.register(sent())
    message.record(delivery(), received_at=NOON)
    first = message.collect_events()
    message.record(an_open(), received_at=NOON)
    second = message.collect_events()

    assert [(event.originator_version, type(event.fact)) for event in [*first, *second]] == [
        (1, Sent),
        (2, Delivered),
        (3, Opened),
    ]
    assert message.version == 3
    assert message.collect_events() == []


def test_a_replayed_email_recognises_what_it_has_seen():
    original = EmailMessage(email_id())
    original.register(sent())
    original.record(an_open(), received_at=NOON)
    replayed = EmailMessage(email_id())
    for event in original.collect_events():
        replayed.replay(event.fact)

    news = replayed.record(an_open(), received_at=NOON + hours(30))

    assert not news
    assert replayed.version == 2


def test_after_more_opens_than_any_person_makes_only_delivery_facts_are_kept(monkeypatch):
    monkeypatch.setattr("domain.email_message.MOST_FACTS", 3)
    message = EmailMessage(email_id())
    message.register(sent())
    message.record(an_open(event_id="o-1"), received_at=NOON)
    assert message.refusal_of(an_open(event_id="o-2")) == ""

    message.record(an_open(event_id="o-2"), received_at=NOON)

    assert message.refusal_of(an_open(event_id="o-3")) == "too_many_reports"
    assert message.refusal_of(click()) == "too_many_reports"
    assert message.refusal_of(delivery()) == ""
