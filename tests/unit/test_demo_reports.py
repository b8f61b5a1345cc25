"""The simulated provider's reports, read by the very adapters that read the real ones."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime
from random import Random
from uuid import UUID

import pytest
from cryptography import x509

from adapters.providers import registry
from application.ports.provider import Ignored
from domain.email_facts import Party, Sent
from domain.email_message import EmailMessage
from domain.values import email_id_for
from entrypoints.demo.expected import Expected
from entrypoints.demo.keys import CERTIFICATE_URL, kept_keys, make_keys
from entrypoints.demo.signing import Signatures
from entrypoints.demo.simulated_provider import LARGEST_BATCH, SimulatedProvider
from entrypoints.demo.story import tell_history
from tests.support.known import known_of, news_of

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
ORGANIZATION = UUID("0d3f1c9a-54a9-4c5e-9a64-0b1f6f3d9c11")


class TheDemosCertificate:
    def __init__(self, keys):
        self._public_key = x509.load_pem_x509_certificate(keys.sns_certificate.encode()).public_key()

    async def public_key_for(self, url, *, now):
        assert url == CERTIFICATE_URL
        return self._public_key


@pytest.fixture(scope="module")
def keys():
    return make_keys()


@pytest.fixture(scope="module")
def readers(keys):
    return registry(TheDemosCertificate(keys))


@pytest.fixture(scope="module")
def story():
    return tell_history(seed=11, emails=400, now=NOW)


@pytest.fixture(scope="module")
def provider(keys):
    return SimulatedProvider(Signatures(keys), Random(3))


@pytest.fixture(scope="module")
def posts(provider, story):
    return provider.report(story.facts)


def outcomes_of(posts, provider, readers):
    for post in posts:
        headers = {name.lower(): value for name, value in provider.headers(post, now=NOW).items()}
        yield post, readers[post.provider].translate(headers, post.body)


def test_every_post_is_proven_by_the_keys_that_the_provider_shows(posts, provider, readers, keys):
    for post in posts:
        headers = {name.lower(): value for name, value in provider.headers(post, now=NOW).items()}
        reader = readers[post.provider]
        verification_key = keys.verification_keys[post.provider]
        reader.check_key(verification_key)

        asyncio.run(reader.verify(headers, post.body, [verification_key], now=NOW, tolerance_s=None))


def test_every_report_is_understood(posts, provider, readers):
    for post, outcomes in outcomes_of(posts, provider, readers):
        assert len(outcomes) == post.reports
        assert all(hasattr(outcome, "key_for") for outcome in outcomes), outcomes


def test_reports_are_repeated_one_to_five_times_in_batches_of_up_to_a_hundred_in_no_order(posts, story):
    times = Counter(
        item["sg_event_id"] for post in posts if post.provider == "sendgrid" for item in json.loads(post.body)
    )
    first_batch = next(json.loads(post.body) for post in posts if post.provider == "sendgrid" and post.reports > 20)

    assert set(times.values()) == {1, 2, 3, 4, 5}
    assert times.keys() == {fact.event_id for fact in story.facts if fact.email.provider == "sendgrid"}
    assert max(post.reports for post in posts) <= LARGEST_BATCH
    assert [item["timestamp"] for item in first_batch] != sorted(item["timestamp"] for item in first_batch)


def test_ses_reports_in_both_of_its_formats_and_both_signature_versions(posts):
    envelopes = [json.loads(post.body) for post in posts if post.provider == "ses"]
    messages = [json.loads(envelope["Message"]) for envelope in envelopes]

    assert {envelope["SignatureVersion"] for envelope in envelopes} == {"1", "2"}
    assert any("eventType" in message for message in messages)
    assert any("notificationType" in message for message in messages)


def test_repeats_are_counted(posts, story):
    reports, repeats = sum(post.reports for post in posts), sum(post.repeats for post in posts)

    assert reports - repeats == len(story.facts)


def test_test_posts_are_about_no_email(provider, readers):
    for _, outcomes in outcomes_of(provider.test_posts(), provider, readers):
        assert [type(outcome) for outcome in outcomes] == [Ignored]


def test_the_oracle_agrees_with_the_domain_on_every_email(posts, provider, readers, story):
    messages = {}
    for email in story.emails:
        reader = readers[email.provider]
        message_id = reader.normalise_message_id(email.message_id)
        message = EmailMessage(email_id_for(ORGANIZATION, email.provider, message_id, email.candidate.email))
        message.register(sent(email, message_id))
        messages[message.id] = message
    for post, outcomes in outcomes_of(posts, provider, readers):
        for report in outcomes:
            email_id = email_id_for(ORGANIZATION, post.provider, report.message_id, report.recipient)
            messages[email_id].record(report, received_at=NOW)

    expected = Expected(story.emails, story.facts)

    for email, message in zip(story.emails, messages.values(), strict=True):
        assert state_of(message) == expected.emails[email.message_id]


def sent(email, message_id):
    return Sent(
        organization_id=ORGANIZATION,
        provider=email.provider,
        message_id=message_id,
        sent_at=email.sent_at,
        recorded_at=NOW,
        subject=email.subject,
        recipient_type="Candidate",
        recipient_id=email.candidate.id,
        sender=Party(id=email.recruiter.id),
        tracking_id="t",
    )


def state_of(message):
    found = known_of(news_of(message))
    return {
        "delivered_at": found.delivered_at,
        "opened_at": found.opened_at,
        "open_count": found.open_count,
        "clicked_at": found.clicked_at,
        "click_count": found.click_count,
        "unique_click_count": found.unique_click_count,
        "replied_at": found.replied_at,
        "bounced_at": found.bounced_at,
        "bounce_type": found.bounce_type,
        "unsubscribed_at": found.unsubscribed_at,
        "spam_reported_at": found.spam_reported_at,
        "machine_open_count": found.machine_open_count,
        "scanner_click_count": found.scanner_click_count,
    }


def test_keys_are_made_once_and_are_nobody_elses_to_read(tmp_path):
    path = tmp_path / "new" / "keys.json"

    made = kept_keys(path)

    assert kept_keys(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
