"""The rows that facts become, on every storage of the engagement read model."""

import pytest

from domain.values import BounceKind, Verdict
from read_models.engagement.view import NO_CAMPAIGN, Totals
from tests.support.emails import (
    ACME,
    CALENDAR,
    CAMPAIGN,
    JOB_AD,
    NOON,
    an_open,
    bounce,
    click,
    deferral,
    delivery,
    drop,
    hours,
    minutes,
    reply,
    seconds,
    spam_report,
    unsubscribe,
)
from tests.support.storages import STORAGES

CHROME_ON_ANDROID = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile"
    " Safari/537.36"
)


@pytest.fixture(params=STORAGES, ids=str)
def storage(request):
    return STORAGES[request.param](request)


def values(row, *names):
    return tuple(row[name] for name in names)


def total_of(storage):
    [sums] = storage.totals().values()
    return Totals(*sums)


def test_a_registration_is_a_row_with_everything_it_told(storage):
    storage.register(campaign_id=CAMPAIGN)
    storage.project()

    row = storage.emails()["m-1"]
    assert values(row, "subject", "recipient_id", "recipient_email", "recipient_name", "sender_name", "job_id") == (
        "Interview Invitation",
        "c-1",
        "john@example.com",
        "John Smith",
        "Ada Recruiter",
        "j-3",
    )
    assert values(row, "campaign_id", "template_name", "tracking", "sent_at", "open_count") == (
        CAMPAIGN,
        "Interview Invitation",
        True,
        NOON,
        0,
    )
    assert storage.events() == []
    assert storage.totals() == {(ACME, NOON, "j-3", CAMPAIGN, "interview-invite"): (1, *[0] * 14)}


def test_totals_are_kept_by_the_hour_the_email_was_sent_in(storage):
    for message_id, sent_at in [("m-1", NOON), ("m-2", NOON + minutes(59)), ("m-3", NOON + hours(1))]:
        storage.register(message_id, sent_at=sent_at, job=None, template=None)
    storage.project()

    assert {key: sums[0] for key, sums in storage.totals().items()} == {
        (ACME, NOON, "", NO_CAMPAIGN, ""): 2,
        (ACME, NOON + hours(1), "", NO_CAMPAIGN, ""): 1,
    }


def test_the_earliest_open_is_the_first_though_it_arrives_late(storage):
    storage.register()
    storage.record(an_open(NOON + hours(2)))
    storage.project()
    storage.record(an_open(NOON + hours(1)))
    storage.project()

    assert values(storage.emails()["m-1"], "opened_at", "open_count", "last_engaged_at") == (
        NOON + hours(1),
        2,
        NOON + hours(2),
    )
    assert total_of(storage) == Totals(sent=1, opened=1, total_opens=2, timed_opens=1, seconds_to_open=3600)


def test_an_open_before_the_email_was_sent_took_no_time(storage):
    storage.register()
    storage.record(an_open(NOON - hours(1)))
    storage.project()

    assert (total_of(storage).timed_opens, total_of(storage).seconds_to_open) == (1, 0)


def test_each_link_is_kept_by_url_and_position(storage):
    storage.register()
    storage.record(click(NOON, link_position="header"), click(NOON + hours(1), link_position="header"))
    storage.project()
    storage.record(click(NOON - hours(1), link_position="header"), click(NOON, link_position="footer"))
    storage.record(click(NOON, CALENDAR))
    storage.project()

    assert storage.links() == [
        ("m-1", CALENDAR, "", 1, NOON),
        ("m-1", JOB_AD, "footer", 1, NOON),
        ("m-1", JOB_AD, "header", 3, NOON - hours(1)),
    ]
    assert values(storage.emails()["m-1"], "click_count", "unique_click_count", "clicked_at") == (5, 3, NOON - hours(1))
    assert total_of(storage) == Totals(sent=1, opened=1, clicked=1, total_clicks=5, unique_clicks=3)


# MET-1: a human click implies an open


def test_a_click_without_an_open_implies_one_at_its_time(storage):
    storage.register()
    storage.record(click(NOON + hours(1)))
    storage.project()

    assert [(row[1], row[3], row[8]) for row in storage.events()] == [
        ("click", NOON + hours(1), False),
        ("open", NOON + hours(1), True),
    ]
    assert values(storage.emails()["m-1"], "open_count", "opened_at") == (0, None)
    assert (total_of(storage).opened, total_of(storage).total_opens, total_of(storage).timed_opens) == (1, 0, 0)


@pytest.mark.parametrize("projected_between", [True, False])
def test_the_implied_open_goes_when_the_open_is_reported(storage, projected_between):
    storage.register()
    storage.record(click(NOON + hours(1)))
    if projected_between:
        storage.project()
    storage.record(an_open(NOON))
    storage.project()

    assert [(row[1], row[3], row[8]) for row in storage.events()] == [
        ("click", NOON + hours(1), False),
        ("open", NOON, False),
    ]
    assert (total_of(storage).opened, total_of(storage).total_opens) == (1, 1)


@pytest.mark.parametrize("projected_between", [True, False])
def test_the_implied_open_moves_to_an_earlier_click(storage, projected_between):
    storage.register()
    storage.record(click(NOON + hours(1)))
    if projected_between:
        storage.project()
    storage.record(click(NOON, CALENDAR))
    storage.project()

    assert [row[3] for row in storage.events() if row[8]] == [NOON]


def test_a_click_after_an_open_implies_nothing(storage):
    storage.register()
    storage.record(an_open())
    storage.project()
    storage.record(click())
    storage.project()

    assert not any(row[8] for row in storage.events())


def test_a_machines_open_leaves_the_implied_one(storage):
    storage.register()
    storage.record(an_open(provider_verdict=Verdict.MACHINE_OPEN), click(NOON + hours(1)))
    storage.project()

    assert [row[3] for row in storage.events() if row[8]] == [NOON + hours(1)]
    assert values(storage.emails()["m-1"], "open_count", "machine_open_count") == (0, 1)


# BR-558.7: machines


def test_what_machines_did_is_kept_apart(storage):
    storage.register()
    storage.record(
        an_open(provider_verdict=Verdict.MACHINE_OPEN),
        an_open(NOON + hours(1), provider_verdict=Verdict.SCANNER),
        click(provider_verdict=Verdict.SCANNER),
        click(NOON + hours(1), provider_verdict=Verdict.MACHINE_OPEN),
        click(NOON + hours(2), provider_verdict=Verdict.PREVIEW),
    )
    storage.project()

    assert storage.events() == []
    assert storage.links() == []
    assert storage.automated() == [
        ("m-1", "clicked", NOON, "scanner", ("provider_flag",)),
        ("m-1", "clicked", NOON + hours(1), "machine_open", ("provider_flag",)),
        ("m-1", "clicked", NOON + hours(2), "preview", ("provider_flag",)),
        ("m-1", "opened", NOON, "machine_open", ("provider_flag",)),
        ("m-1", "opened", NOON + hours(1), "scanner", ("provider_flag",)),
    ]
    assert total_of(storage) == Totals(sent=1, machine_opens=2, scanner_clicks=2)


# Delivery facts


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_gravest_bounce_is_the_emails(storage, order):
    bounces = [
        bounce(NOON + hours(2), BounceKind.HARD, reason="mailbox_does_not_exist"),
        bounce(NOON, BounceKind.SOFT, reason="mailbox_full"),
        bounce(NOON + hours(1), BounceKind.BLOCK, reason="spam_content"),
    ]
    storage.register()
    for place in order:
        storage.record(bounces[place])
        storage.project()

    assert values(storage.emails()["m-1"], "bounced_at", "bounce_type", "bounce_reason") == (
        NOON + hours(2),
        "hard",
        "mailbox_does_not_exist",
    )
    assert total_of(storage).bounced == 1
    assert len(storage.events()) == 3


@pytest.mark.parametrize("first", [0, 1])
def test_a_dropped_email_was_never_sent_unless_it_arrived(storage, first):
    storage.register()
    storage.record(drop(NOON, reason="bounced_address"))
    storage.project()
    assert total_of(storage) == Totals()

    storage.record([delivery(), an_open()][first])
    storage.project()

    assert total_of(storage).sent == 1
    assert values(storage.emails()["m-1"], "dropped_at", "drop_reason") == (NOON, "bounced_address")


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_drops_in_the_same_second_the_same_one_counts(storage, order):
    storage.register()
    for drop_ in [drop(reason="spam_content", event_id="1"), drop(reason="bounced_address", event_id="2")][::order]:
        storage.record(drop_)
        storage.project()

    assert storage.emails()["m-1"]["drop_reason"] == "bounced_address"


def test_untracked_emails_have_delivery_facts_and_no_part_in_any_number(storage):
    storage.register(tracking=False)
    storage.record(delivery(), an_open(), click(), bounce(NOON + hours(1)), unsubscribe(), spam_report(), reply())
    storage.project()

    assert [(row[1], row[2]) for row in storage.events()] == [
        ("bounce", None),
        ("delivered", None),
        ("reply", None),
        ("spam", None),
        ("unsubscribe", None),
    ]
    assert storage.totals() == {}
    assert values(storage.emails()["m-1"], "delivered_at", "open_count", "reply_count") == (NOON, 0, 1)


def test_every_report_has_its_word_in_both_tables(storage):
    storage.register()
    storage.record(
        delivery(), an_open(), click(), bounce(), spam_report(), unsubscribe(), reply(), deferral(), drop(NOON)
    )
    storage.project()

    assert [(row[1], row[2]) for row in storage.events()] == [
        ("bounce", "bounced"),
        ("click", "clicked"),
        ("delivered", "delivered"),
        ("open", "opened"),
        ("reply", "replied"),
        ("spam", "spam_reported"),
        ("unsubscribe", "unsubscribed"),
    ]
    assert total_of(storage) == Totals(
        sent=1,
        delivered=1,
        opened=1,
        clicked=1,
        total_opens=1,
        total_clicks=1,
        unique_clicks=1,
        replied=1,
        bounced=1,
        unsubscribed=1,
        spam_reported=1,
        timed_opens=1,
    )


def test_events_carry_what_the_seed_asks_of_event_data(storage):
    storage.register()
    storage.record(
        an_open(user_agent=CHROME_ON_ANDROID, ip_address="198.51.100.7", metadata={"wave": 2}),
        click(link_text="View Job Opening", link_position="header"),
        bounce(reason="mailbox_does_not_exist"),
    )
    storage.project()

    bounced, clicked, opened = storage.events()
    assert bounced[7] == b'{"bounce_reason":"mailbox_does_not_exist","bounce_type":"hard"}'
    assert clicked[7] == b'{"link_position":"header","link_text":"View Job Opening"}'
    assert b'"device_type":"mobile"' in opened[7]
    assert b'"open_count":1' in opened[7]
    assert b'"metadata":{"wave":2}' in opened[7]
    assert opened[5:7] == ("198.51.100.7", CHROME_ON_ANDROID)


# SCORE


def test_a_candidate_is_scored_from_tracked_emails(storage):
    storage.now = NOON + hours(2)
    for n in range(1, 5):
        storage.register(f"m-{n}")
    storage.record(an_open(NOON + hours(1)), click(NOON + hours(1)))
    storage.record(an_open(NOON, message_id="m-2"), message_id="m-2")
    storage.record(click(NOON, message_id="m-3"), message_id="m-3")
    storage.project()

    assert storage.ranked() == {"c-1": (30 + 23 + 20, "warm", "", "John Smith")}


def test_only_candidates_are_ranked(storage):
    storage.register(recipient_type="Client")
    storage.project()

    assert storage.ranked() == {}


def test_a_candidate_without_a_tracked_email_has_no_score(storage):
    storage.register(tracking=False)
    storage.project()

    assert storage.ranked() == {"c-1": (None, None, "", "John Smith")}


def test_a_score_decays_without_any_event(storage):
    storage.register()
    storage.record(an_open(NOON))
    storage.project()
    scores = []
    for age in (hours(23), hours(24), hours(24 * 7), hours(24 * 30), hours(24 * 90)):
        storage.now = NOON + age
        storage.decay()
        scores.append(storage.ranked()["c-1"][0])

    assert scores == [60, 50, 40, 30, None]


def test_a_score_that_time_has_not_changed_is_left_alone(storage):
    storage.register()
    storage.record(an_open(NOON))
    storage.project()
    storage.now = NOON + hours(23)

    assert storage.decay() == 0

    storage.now = NOON + hours(24) + seconds(1)
    assert storage.decay() == 1
    assert storage.decay() == 0
