"""The rows that facts become, on every storage of the engagement read model."""

from uuid import UUID

import pytest

from domain.email_facts import Personal
from domain.organization_facts import TrackingPolicyChanged
from domain.recipient_facts import ConsentChanged
from domain.tracking_terms import Consent, ConsentSource, TrackingPolicy, TrackingTerms
from domain.values import BounceKind, Verdict, addressee_id_for
from read_models.engagement import again
from read_models.engagement.view import NO_CAMPAIGN, Totals
from tests.support.emails import (
    ACME,
    CALENDAR,
    CAMPAIGN,
    GLOBEX,
    JOB_AD,
    JOHN,
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
    spam_report,
    unsubscribe,
)
from tests.support.storages import STORAGES

CHROME_ON_ANDROID = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile"
    " Safari/537.36"
)


PRIVATE = TrackingTerms(TrackingPolicy(privacy_mode=True))


@pytest.fixture(params=STORAGES, ids=str)
def storage(request):
    return STORAGES[request.param](request)


def values(row, *names):
    return tuple(row[name] for name in names)


def total_of(storage):
    [sums] = storage.totals().values()
    return Totals(*sums)


def test_a_registration_is_a_row_with_everything_it_told(storage):
    storage.register(campaign_id=CAMPAIGN, sent_at=NOON)
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
    assert storage.totals() == {(ACME, NOON, "j-3", CAMPAIGN, "interview-invite"): (1, *[0] * 16)}


def test_totals_are_kept_by_quarters_of_an_hour_for_so_days_begin_somewhere(storage):
    for message_id, sent_at in [("m-1", NOON), ("m-2", NOON + minutes(14)), ("m-3", NOON + minutes(45))]:
        storage.register(message_id, sent_at=sent_at, job=None, template=None)
    storage.project()

    assert {key: sums[0] for key, sums in storage.totals().items()} == {
        (ACME, NOON, "", NO_CAMPAIGN, ""): 2,
        (ACME, NOON + minutes(45), "", NO_CAMPAIGN, ""): 1,
    }


def test_the_earliest_open_is_the_first_though_it_arrives_late(storage):
    storage.register(sent_at=NOON)
    storage.record(an_open(NOON + hours(2)))
    storage.project()
    storage.record(an_open(NOON + hours(1)))
    storage.project()

    assert values(storage.emails()["m-1"], "opened_at", "open_count", "last_engaged_at") == (
        NOON + hours(1),
        2,
        NOON + hours(2),
    )
    assert total_of(storage) == Totals(
        sent=1, opened=1, total_opens=2, timed_opens=1, seconds_to_open=3600, raw_opened=1
    )


def test_an_open_before_the_email_was_sent_took_no_time(storage):
    storage.register()
    storage.record(an_open(NOON - hours(1)))
    storage.project()

    assert (total_of(storage).timed_opens, total_of(storage).seconds_to_open) == (1, 0)


def test_each_link_is_kept_by_url_and_position(storage):
    storage.register()
    storage.record(click(NOON, link_position="header"), click(NOON + hours(1), link_position="header"))
    storage.project()
    storage.record(click(NOON - hours(1), link_position="header"), click(NOON + minutes(1), link_position="footer"))
    storage.record(click(NOON + minutes(2), CALENDAR))
    storage.project()

    assert storage.links() == [
        ("m-1", CALENDAR, "", 1, NOON + minutes(2)),
        ("m-1", JOB_AD, "footer", 1, NOON + minutes(1)),
        ("m-1", JOB_AD, "header", 3, NOON - hours(1)),
    ]
    assert values(storage.emails()["m-1"], "click_count", "unique_click_count", "clicked_at") == (5, 3, NOON - hours(1))
    assert total_of(storage) == Totals(
        sent=1, opened=1, clicked=1, total_clicks=5, unique_clicks=3, raw_opened=1, raw_clicked=1
    )


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
    assert total_of(storage) == Totals(sent=1, machine_opens=2, scanner_clicks=2, raw_opened=1, raw_clicked=1)


def test_clicks_of_machines_are_counted_by_link_beside_those_of_people(storage):
    storage.register()
    storage.record(
        click(NOON, provider_verdict=Verdict.SCANNER), click(NOON, CALENDAR, provider_verdict=Verdict.SCANNER)
    )
    storage.project()
    storage.record(click(NOON + hours(1)), click(NOON + minutes(1), provider_verdict=Verdict.SCANNER))
    storage.record(click(NOON + hours(2), CALENDAR, provider_verdict=Verdict.PREVIEW))
    storage.project()

    assert storage.links() == [("m-1", JOB_AD, "", 1, NOON + hours(1))]
    assert storage.scanned_links() == [("m-1", CALENDAR, "", 1), ("m-1", JOB_AD, "", 2)]
    assert values(storage.emails()["m-1"], "click_count", "unique_click_count", "scanner_click_count") == (1, 1, 3)


def test_an_open_through_an_image_proxy_is_a_persons_and_says_so(storage):
    storage.register()
    storage.record(delivery(NOON - minutes(1)), an_open(provider_verdict=Verdict.PROXY_OPEN), click())
    storage.project()

    assert [(row[1], *row[9:]) for row in storage.events()] == [
        ("click", "human", ()),
        ("delivered", None, ()),
        ("open", "proxy_open", ("provider_flag",)),
    ]
    assert storage.emails()["m-1"]["open_count"] == 1


# BR-558.7: verdicts that are revised


@pytest.mark.parametrize("projected_between", [True, False])
def test_clicks_that_turn_out_to_be_a_scanners_leave_every_human_number(storage, projected_between):
    burst = [click(NOON + minutes(n), url) for n, url in [(5, JOB_AD), (10, CALENDAR)]]
    storage.register(campaign_id=CAMPAIGN)
    storage.record(delivery(), *burst, click(NOON + hours(1), CALENDAR))
    if projected_between:
        storage.project()
        assert (total_of(storage).total_clicks, total_of(storage).unique_clicks) == (3, 2)
        assert storage.ranked()["c-1"][0] == 100
    storage.judge_anew(Verdict.SCANNER, *burst)
    storage.project()

    assert values(storage.emails()["m-1"], "click_count", "unique_click_count", "scanner_click_count") == (1, 1, 2)
    assert storage.emails()["m-1"]["clicked_at"] == NOON + hours(1)
    assert storage.links() == [("m-1", CALENDAR, "", 1, NOON + hours(1))]
    assert storage.scanned_links() == [("m-1", CALENDAR, "", 1), ("m-1", JOB_AD, "", 1)]
    assert storage.automated() == [
        ("m-1", "clicked", NOON + minutes(5), "scanner", ("burst",)),
        ("m-1", "clicked", NOON + minutes(10), "scanner", ("burst",)),
    ]
    assert [(row[1], row[2], row[3], row[8]) for row in storage.events()] == [
        ("click", "clicked", NOON + hours(1), False),
        ("delivered", "delivered", NOON, False),
        ("open", "opened", NOON + hours(1), True),
    ]
    assert total_of(storage) == Totals(
        sent=1,
        delivered=1,
        opened=1,
        clicked=1,
        total_clicks=1,
        unique_clicks=1,
        scanner_clicks=2,
        raw_opened=1,
        raw_clicked=1,
    )


@pytest.mark.parametrize("projected_between", [True, False])
def test_a_candidate_whose_only_clicks_were_a_scanners_has_the_score_of_nobody(storage, projected_between):
    storage.now = NOON + hours(1)
    clicks = [click(NOON + minutes(5)), click(NOON + minutes(10), CALENDAR)]
    storage.register()
    storage.record(*clicks)
    if projected_between:
        storage.project()
        assert storage.ranked()["c-1"][:2] == (100, "hot")
    storage.judge_anew(Verdict.SCANNER, *clicks)
    storage.project()

    assert storage.ranked()["c-1"][:2] == (0, "cold")
    assert storage.events() == []
    assert values(storage.emails()["m-1"], "clicked_at", "last_engaged_at") == (None, None)


def test_the_last_judgement_holds(storage):
    opened, clicked = an_open(NOON), click(NOON + minutes(1))
    storage.register()
    storage.record(opened, clicked)
    for verdict in (Verdict.SCANNER, Verdict.HUMAN, Verdict.PREVIEW, Verdict.HUMAN):
        storage.judge_anew(verdict, clicked)
    storage.judge_anew(Verdict.PREVIEW, opened)
    storage.project()
    storage.judge_anew(Verdict.MACHINE_OPEN, opened)
    storage.project()

    assert values(storage.emails()["m-1"], "open_count", "machine_open_count", "click_count") == (0, 1, 1)
    assert [(row[1], row[8]) for row in storage.events()] == [("click", False), ("open", True)]
    assert storage.automated() == [("m-1", "opened", NOON, "machine_open", ("burst",))]


def test_what_happens_after_a_judgement_adds_to_what_it_left(storage):
    storage.register()
    storage.record(click(NOON))
    storage.project()
    storage.record(click(NOON, CALENDAR))  # two links at once: nobody does that
    storage.project()
    assert storage.links() == []
    storage.record(click(NOON + hours(1)), an_open(NOON + hours(1)))
    storage.project()

    assert storage.links() == [("m-1", JOB_AD, "", 1, NOON + hours(1))]
    assert values(storage.emails()["m-1"], "unique_click_count", "click_count", "open_count") == (1, 1, 1)
    assert not any(row[8] for row in storage.events())


def test_a_judgement_of_another_organisations_contact_leaves_that_contact_alone(storage):
    theirs = UUID(int=7)
    storage.register("m-0", organization_id=GLOBEX, campaign_id=CAMPAIGN, campaign_contact_id=theirs)
    storage.project()
    storage.register(campaign_id=CAMPAIGN, campaign_contact_id=theirs)
    clicked = click()
    storage.record(clicked, an_open())
    storage.project()
    storage.judge_anew(Verdict.SCANNER, clicked)
    storage.project()

    assert storage.emails()["m-1"]["campaign_contact_id"] == email_id()
    assert [row[1] for row in storage.events()] == ["open"]


def test_more_than_fits_into_one_transaction_is_folded_again_in_several(storage, monkeypatch):
    monkeypatch.setattr(again, "MOST_FACTS_FOLDED_AGAIN", 5)
    clicked = {f"m-{n}": click(NOON + seconds(n), message_id=f"m-{n}") for n in range(1, 8)}
    for message_id, report in clicked.items():
        storage.register(message_id)
        storage.record(report, message_id=message_id)
    storage.project()
    for message_id, report in clicked.items():
        storage.judge_anew(Verdict.SCANNER, report, message_id=message_id)
    storage.record(click(NOON + hours(1)))
    storage.project()

    assert total_of(storage).scanner_clicks == 7
    assert total_of(storage).total_clicks == 1
    assert len(storage.automated()) == 7


# BR-558.8: privacy mode


def test_withheld_engagement_is_counted_and_shown_to_nobody(storage):
    storage.now = NOON + hours(2)
    storage.register()
    storage.record(
        an_open(NOON + hours(1), ip_address="198.51.100.7", user_agent=CHROME_ON_ANDROID),
        click(NOON + hours(1), CALENDAR),
        click(NOON + hours(3), JOB_AD, provider_verdict=Verdict.SCANNER),
        terms=PRIVATE,
    )
    storage.record(delivery(NOON))
    storage.project()

    assert [(row[1], row[6]) for row in storage.events()] == [("delivered", None)]
    assert storage.automated() == []
    assert storage.links() == [("m-1", CALENDAR, "", 1, None)]
    row = storage.emails()["m-1"]
    assert values(row, "open_count", "click_count", "unique_click_count", "scanner_click_count") == (1, 1, 1, 1)
    assert values(row, "opened_at", "clicked_at", "last_engaged_at", "updated_at") == (None, None, None, NOON)
    assert total_of(storage) == Totals(
        sent=1,
        delivered=1,
        opened=1,
        clicked=1,
        total_opens=1,
        total_clicks=1,
        unique_clicks=1,
        scanner_clicks=1,
        raw_opened=1,
        raw_clicked=1,
    )
    assert storage.ranked()["c-1"][0] == 30 + 40


@pytest.mark.parametrize("projected_between", [True, False])
def test_a_withheld_click_implies_no_open_that_has_a_time(storage, projected_between):
    storage.register()
    storage.record(click(NOON + hours(1)), terms=PRIVATE)
    if projected_between:
        storage.project()
    storage.record(click(NOON + hours(2)))
    storage.project()

    assert [(row[1], row[3], row[8]) for row in storage.events()] == [
        ("click", NOON + hours(2), False),
        ("open", NOON + hours(2), True),
    ]
    assert storage.links() == [("m-1", JOB_AD, "", 2, NOON + hours(2))]


def test_a_withheld_click_is_judged_anew_without_telling_when(storage):
    clicked = click(NOON + hours(1))
    storage.register()
    storage.record(clicked, terms=PRIVATE)
    storage.project()
    storage.judge_anew(Verdict.SCANNER, clicked)
    storage.project()

    assert storage.links() == []
    assert storage.scanned_links() == [("m-1", JOB_AD, "", 1)]
    assert storage.automated() == []
    assert values(storage.emails()["m-1"], "click_count", "scanner_click_count", "updated_at") == (0, 1, NOON)


# SEC-6: erasure


JANE = "jane@example.com"


@pytest.mark.parametrize("projected_between", [True, False])
def test_no_row_says_who_somebody_erased_was_and_every_number_stays(storage, projected_between):
    storage.register()
    storage.register("m-2")
    storage.register("m-3", personal=Personal(address=JANE, name="Jane Doe"), recipient_id="c-2")
    for message_id, recipient in [("m-1", JOHN), ("m-2", JOHN), ("m-3", JANE)]:
        seen = {"ip_address": "198.51.100.7", "user_agent": CHROME_ON_ANDROID, "metadata": {"wave": 2}}
        at = {"message_id": message_id, "recipient": recipient}
        storage.record(an_open(NOON, **seen, **at), click(NOON, **seen, **at), message_id=message_id)
        storage.record(click(NOON + seconds(1), provider_verdict=Verdict.SCANNER, **seen, **at), message_id=message_id)
    if projected_between:
        storage.project()
    storage.erase(JOHN)
    storage.record(an_open(NOON + hours(1), ip_address="198.51.100.9", user_agent="late"), message_id="m-1")
    storage.project()

    for message_id in ("m-1", "m-2"):
        assert values(storage.emails()[message_id], "recipient_email", "recipient_name", "subject") == ("", "", "")
    assert values(storage.emails()["m-3"], "recipient_email", "recipient_name") == (JANE, "Jane Doe")
    traces = [(row[0], row[5], row[6], row[7]) for row in storage.events() if row[0] != "m-3"]
    assert {trace[1:3] for trace in traces} == {(None, None)}
    assert not any(word in str(storage.events()[:4]) for word in ("wave", "mobile", "198.51"))
    assert total_of(storage) == Totals(
        sent=3,
        opened=3,
        clicked=3,
        total_opens=4,
        total_clicks=3,
        unique_clicks=3,
        scanner_clicks=3,
        timed_opens=3,
        raw_opened=3,
        seconds_to_open=900,
        raw_clicked=3,
    )
    assert {candidate: row[3] for candidate, row in storage.ranked().items()} == {"c-1": "", "c-2": "Jane Doe"}
    assert {score for score, *_ in storage.ranked().values()} == {100}


def test_who_comes_back_after_an_erasure_is_known_again_and_the_old_emails_stay_nameless(storage):
    storage.register()
    storage.project()
    storage.erase(JOHN)
    storage.register("m-2")
    storage.project()
    storage.judge_anew(Verdict.SCANNER, click())
    storage.project()

    assert storage.emails()["m-1"]["recipient_email"] == ""
    assert storage.emails()["m-2"]["recipient_email"] == JOHN


def test_facts_about_organisations_and_people_pass_through_and_positions_move(storage):
    storage.register()
    storage.tell(
        ACME, TrackingPolicyChanged(policy=TrackingPolicy(privacy_mode=True), changed_at=NOON, changed_by="command")
    )
    consent = ConsentChanged(
        organization_id=ACME, consent=Consent.OPTED_OUT, changed_at=NOON, source=ConsentSource.API, changed_by=""
    )
    storage.tell(addressee_id_for(ACME, JANE), consent)
    storage.erase("nobody@example.com")
    storage.project()
    storage.record(an_open())
    storage.project()

    assert storage.emails()["m-1"]["open_count"] == 1
    assert storage.set_aside() == []
    assert storage.ranked()["c-1"][3] == "John Smith"


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


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_equally_grave_bounces_the_earlier_is_the_emails(storage, order):
    storage.register()
    for report in [bounce(NOON + hours(1)), bounce(NOON)][::order]:
        storage.record(report)
        storage.project()

    assert values(storage.emails()["m-1"], "bounced_at", "bounce_type") == (NOON, "hard")


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
        delivery(NOON - minutes(1)),
        an_open(),
        click(),
        bounce(),
        spam_report(),
        unsubscribe(),
        reply(),
        deferral(),
        drop(NOON),
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
        seconds_to_open=300,
        raw_opened=1,
        raw_clicked=1,
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
