from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from entrypoints.demo.facts import Cause, Kind
from entrypoints.demo.story import PERIOD, LiveStory, tell_history

NOW = datetime(2026, 11, 21, 22, 0, 30, tzinfo=UTC)
FINAL = {Kind.DELIVERED, Kind.BOUNCED, Kind.DROPPED}


@pytest.fixture(scope="module")
def story():
    return tell_history(seed=7, emails=1_000, now=NOW)


def kinds_by_email(facts):
    kinds = {}
    for fact in facts:
        kinds.setdefault(fact.email.message_id, Counter())[fact.kind] += 1
    return kinds


def test_the_same_seed_tells_the_same_story_and_another_seed_another(story):
    assert tell_history(seed=7, emails=1_000, now=NOW) == story
    assert tell_history(seed=8, emails=1_000, now=NOW).facts != story.facts


def test_every_email_is_delivered_or_comes_back_or_is_dropped_exactly_once(story):
    kinds = kinds_by_email(story.facts)

    assert all(sum(kinds[email.message_id][kind] for kind in FINAL) == 1 for email in story.emails)


def test_emails_are_sent_in_working_hours_of_the_last_six_weeks(story):
    for email in story.emails:
        assert NOW - PERIOD - timedelta(days=1) < email.sent_at < NOW
        assert email.sent_at.weekday() < 5
        assert 8 <= email.sent_at.hour < 18


def test_nothing_happens_before_its_email_or_after_the_story_ends(story):
    assert all(fact.email.sent_at < fact.at <= NOW for fact in story.facts)


def test_only_what_a_provider_can_report_happens(story):
    assert {fact.email.provider for fact in story.facts if fact.kind is Kind.REPLIED} == {"email"}


def test_all_that_a_recruiting_team_meets_occurs(story):
    assert {fact.kind for fact in story.facts} == set(Kind)
    assert {fact.cause for fact in story.facts} == set(Cause)
    assert {fact.bounce.kind for fact in story.facts if fact.bounce} == {"hard", "soft", "block"}
    assert {email.provider for email in story.emails} == {"sendgrid", "ses", "email"}
    assert len({email.job.hiring_manager_id for email in story.emails}) == 4


def test_a_campaign_writes_to_a_contact_once(story):
    assert len({email.campaign_contact_id for email in story.emails}) == len(story.emails)
    assert len({(email.campaign.id, email.candidate.id) for email in story.emails}) == len(story.emails)


def test_strangers_are_never_among_the_emails(story):
    registered = {email.message_id for email in story.emails}

    assert story.strangers
    assert registered.isdisjoint(fact.email.message_id for fact in story.strangers)


def test_what_happens_live_never_repeats_an_id_of_history_or_of_another_session(story):
    sessions = [LiveStory(story, seed=7, session=session) for session in ("00000001", "00000002")]

    told = [live.new_email(NOW) for live in sessions for _ in range(50)]
    again = [fact for live in sessions for _ in range(50) for fact in live.old_email(NOW)]

    message_ids = [email.message_id for email, _ in told] + [email.message_id for email in story.emails]
    event_ids = [fact.event_id for _, facts in told for fact in facts] + [fact.event_id for fact in again]
    event_ids += [fact.event_id for fact in story.facts + story.strangers]
    assert len(set(message_ids)) == len(message_ids)
    assert len(set(event_ids)) == len(event_ids)


def test_old_emails_are_looked_at_again_only_if_they_were_opened_before(story):
    live = LiveStory(story, seed=7, session="00000001")
    opened = {fact.email.message_id for fact in story.facts if fact.kind is Kind.OPENED}

    again = [fact for _ in range(50) for fact in live.old_email(NOW)]

    assert again
    assert opened.issuperset(fact.email.message_id for fact in again)


def test_the_smallest_story_has_one_email():
    story = tell_history(seed=1, emails=1, now=NOW)

    assert len(story.emails) == 1
    assert story.facts
