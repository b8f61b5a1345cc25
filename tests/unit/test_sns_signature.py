"""Only our own topics speak, and nothing is fetched before that is known."""

import asyncio

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.sns.envelope import Envelope, confirmation_url, is_certificate_of, verify_envelope
from adapters.sns.topics import read_topic
from application.ports.provider import SignatureRefusedError
from tests.support.signed_deliveries import (
    NOW,
    OTHER_TOPIC,
    TOPIC,
    OneCertificate,
    notification,
    signed_by_sns,
)

CONFIRMATION = notification("Confirm?", Type="SubscriptionConfirmation", Token="2336", SubscribeURL="https://a.example")


@pytest.fixture
def certificates():
    return OneCertificate()


def verify(delivery, certificates, *, headers=None, topics=(TOPIC,)):
    body = msgspec.json.encode(delivery)
    asyncio.run(verify_envelope(headers or {}, body, topics, certificates, now=NOW, tolerance_s=None))


def refusal_of(delivery, certificates, **kwargs):
    with pytest.raises(SignatureRefusedError) as refused:
        verify(delivery, certificates, **kwargs)
    return refused.value.reason


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(
    "fields",
    [notification("hello"), notification("hello", Subject="Zwölf\n\N{GRINNING FACE}"), CONFIRMATION],
    ids=["notification", "with subject", "confirmation"],
)
def test_both_signature_versions_prove_every_kind_of_message(certificates, version, fields):
    verify(signed_by_sns(fields, version), certificates, headers={"x-amz-sns-message-type": fields["Type"]})


def test_the_signed_text_ends_with_a_newline_and_leaves_out_what_is_absent():
    text = msgspec.convert(notification("hello"), Envelope).signed_bytes()

    assert text == (
        b"Message\nhello\nMessageId\n7c1a4f0e-8a6f-5e0c-9d5e-1f2e3d4c5b6a\nTimestamp\n2026-11-21T09:05:00.000Z\n"
        b"TopicArn\narn:aws:sns:eu-west-1:123456789012:ses-events\nType\nNotification\n"
    )


@pytest.mark.parametrize("field", ["Message", "MessageId", "Timestamp", "Type", "Token", "SubscribeURL"])
def test_no_signed_field_can_be_changed(certificates, field):
    changed = signed_by_sns(CONFIRMATION) | {field: "UnsubscribeConfirmation"}

    assert refusal_of(changed, certificates) == "mismatch"


def test_a_subject_cannot_be_added(certificates):
    assert refusal_of(signed_by_sns(notification("hello")) | {"Subject": "x"}, certificates) == "mismatch"


def test_a_signature_of_one_version_is_none_of_the_other(certificates):
    assert refusal_of(signed_by_sns(notification("x"), "1") | {"SignatureVersion": "2"}, certificates) == "mismatch"


@pytest.mark.parametrize("version", ["0", "3", "", None, "1 ", "2\n"])
def test_other_signature_versions_are_refused(certificates, version):
    delivery = signed_by_sns(notification("x")) | {"SignatureVersion": version}

    assert refusal_of(delivery, certificates) in {"malformed", "missing"}


def test_a_key_that_is_not_the_certificates_is_refused(certificates):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    assert refusal_of(signed_by_sns(notification("x"), private_key=stranger), certificates) == "mismatch"


@pytest.mark.parametrize("topic", [OTHER_TOPIC, "", "arn:aws:sns:eu-west-1:123456789012:ses-events2", TOPIC + "\n"])
def test_a_topic_that_is_not_the_endpoints_is_refused_before_anything_is_fetched(certificates, topic):
    delivery = signed_by_sns(notification("x", TopicArn=topic))

    assert refusal_of(delivery, certificates) == "foreign_topic"
    assert certificates.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a1b.pem",
        "https://sns.eu-west-1.amazonaws.com.cn/SimpleNotificationService-0a1b.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0a1b.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0a1b.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b.pem",
        "https://user:pass@sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0a1b.pem",
        "https://sns.eu-west-1.amazonaws.com/../SimpleNotificationService-0a1b.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b.pem?x=.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b.pem#x",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b.pem\n",
        "https://sns.eu-west-1.amazonaws.com/bucket/SimpleNotificationService-0a1b.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b.txt",
        "https://s3.amazonaws.com/SimpleNotificationService-0a1b.pem",
        "https://sns.eu-west-1.amazonaws.com\\@evil.example/SimpleNotificationService-0a1b.pem",
        "HTTPS://SNS.EU-WEST-1.AMAZONAWS.COM/SimpleNotificationService-0a1b.pem",
        "file:///etc/passwd.pem",
        "//sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b.pem",
    ],
)
def test_hostile_certificate_addresses_are_refused_before_anything_is_fetched(certificates, url):
    delivery = signed_by_sns(notification("x")) | {"SigningCertURL": url}

    assert refusal_of(delivery, certificates) == "untrusted_certificate"
    assert certificates.asked == []


def test_the_certificates_of_the_topics_own_region_are_trusted():
    china = read_topic("arn:aws-cn:sns:cn-north-1:123456789012:events.fifo")

    assert is_certificate_of(china, "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0a1b.pem")
    assert is_certificate_of(read_topic(TOPIC), "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService.pem")


def test_raw_delivery_is_refused(certificates):
    headers = {"x-amz-sns-rawdelivery": "true", "x-amz-sns-topic-arn": TOPIC}

    assert refusal_of({"eventType": "Open"}, certificates, headers=headers) == "raw_delivery"
    assert refusal_of(signed_by_sns(notification("x")), certificates, headers=headers) == "raw_delivery"


def test_header_and_body_must_agree_about_the_kind_of_message(certificates):
    headers = {"x-amz-sns-message-type": "SubscriptionConfirmation"}

    assert refusal_of(signed_by_sns(notification("x")), certificates, headers=headers) == "malformed"


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "arn:aws:sns:eu-west-1:123456789012:",
        "arn:aws:sns:eu-west-1:12345:events",
        "arn:aws:sns:evil.example/x:123456789012:events",
        "arn:aws:sns:eu-west-1:123456789012:events\n",
        "arn:aws:sqs:eu-west-1:123456789012:events",
        "arn:aws:sns:eu-west-1:123456789012:events:1a2b",
    ],
)
def test_what_is_no_topic_is_told_apart(arn):
    assert read_topic(arn) is None


def test_a_confirmation_is_built_from_verified_parts_and_escapes_the_token():
    url = confirmation_url(read_topic(TOPIC), "a&Action=Delete#é")

    assert url == (
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"
        "&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Ases-events&Token=a%26Action%3DDelete%23%C3%A9"
    )
