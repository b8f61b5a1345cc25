from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from entrypoints.demo.expected import Expected
from entrypoints.demo.facts import Bounce, Cause, Fact, Kind
from entrypoints.demo.story import tell_history

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
JOB_ALERT = "job-alert"  # its first two links have the same address


@pytest.fixture(scope="module")
def emails():
    told = tell_history(seed=1, emails=200, now=datetime(2026, 11, 21, 22, 0, tzinfo=UTC)).emails
    alerts = [email for email in told if email.template.id == JOB_ALERT]
    return [
        replace(email, provider=provider, sent_at=NOON, campaign=alerts[0].campaign, candidate=alerts[0].candidate)
        for email, provider in zip(alerts, ("sendgrid", "ses", "email"), strict=False)
    ]


def happened(email, kind, after_s=60, **about):
    number = f"{email.message_id} {kind} {after_s} {about}"
    return Fact(event_id=number, email=email, kind=kind, at=NOON + timedelta(seconds=after_s), **about)


def test_the_earliest_open_is_the_one_that_counts(emails):
    email = emails[0]
    facts = [happened(email, Kind.OPENED, 300), happened(email, Kind.OPENED, 120)]

    answer = Expected([email], facts).emails[email.message_id]

    assert answer["opened_at"] == NOON + timedelta(seconds=120)
    assert answer["open_count"] == 2


def test_what_the_provider_flags_is_counted_apart(emails):
    email = emails[0]
    facts = [happened(email, Kind.OPENED, cause=Cause.PREFETCH)]

    answer = Expected([email], facts).emails[email.message_id]

    assert (answer["open_count"], answer["opened_at"], answer["machine_open_count"]) == (0, None, 1)


def test_the_same_address_at_two_positions_is_two_links_where_the_provider_tells_positions(emails):
    sendgrid, ses, generic = emails
    facts = [happened(email, Kind.CLICKED, n, position=n) for email in emails for n in (0, 1)]

    answers = Expected(emails, facts).emails

    assert answers[sendgrid.message_id]["unique_click_count"] == 2
    assert answers[ses.message_id]["unique_click_count"] == 1
    assert answers[generic.message_id]["unique_click_count"] == 2


def test_a_click_implies_an_open_in_rates_and_takes_no_time_to_open(emails):
    campaign_id = emails[0].campaign.id
    facts = [happened(emails[0], Kind.CLICKED, position=0), happened(emails[1], Kind.OPENED, 90)]

    answer = Expected(emails, facts).campaign(campaign_id)

    assert (answer["sent"], answer["opened"], answer["clicked"]) == (3, 2, 1)
    assert (answer["open_rate"], answer["click_rate"], answer["click_to_open_rate"]) == (66.67, 33.33, 50.0)
    assert answer["avg_time_to_open_seconds"] == 90.0


def test_a_dropped_email_was_never_sent(emails):
    answer = Expected(emails, [happened(emails[0], Kind.DROPPED)]).everything()

    assert answer["sent"] == 2


def test_a_rate_of_nothing_is_null(emails):
    answer = Expected(emails, []).campaign("another campaign")

    assert answer["sent"] == 0
    assert answer["open_rate"] is None
    assert answer["avg_time_to_open_seconds"] is None


def test_links_are_counted_by_address_over_contacts(emails):
    first, second = emails[0], replace(emails[2], job=emails[0].job)
    facts = [happened(first, Kind.CLICKED, n, position=n) for n in (0, 1)] + [
        happened(second, Kind.CLICKED, position=0)
    ]

    links = Expected([first, second], facts).links(first.campaign.id)

    assert links == {first.url(0): {"click_count": 3, "unique_clicks": 2}}


def test_a_candidates_emails_are_counted_by_what_became_of_them(emails):
    facts = [happened(emails[0], Kind.CLICKED, position=0), happened(emails[1], Kind.OPENED)]

    assert Expected(emails, facts).candidate(emails[0].candidate.id) == {
        "emails_sent": 3,
        "emails_opened": 2,
        "emails_clicked": 1,
    }


def test_a_bounce_tells_how_final_it_is(emails):
    bounce = Bounce(kind="hard", reason="r", status="5.1.1", answer="no", ses_type=("Permanent", "General"))

    answer = Expected(emails, [happened(emails[0], Kind.BOUNCED, bounce=bounce)])

    assert answer.emails[emails[0].message_id]["bounce_type"] == "hard"
    assert answer.everything()["bounced"] == 1


def test_facts_about_unregistered_emails_count_nowhere(emails):
    answer = Expected(emails[:1], [happened(emails[1], Kind.OPENED)]).everything()

    assert (answer["sent"], answer["opened"]) == (1, 0)
